//! Findings to make pages of.

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::{Advice, Assessment, BackupCopy, Cause, Foreseen, Verdict};
use copymend_survey::preflight::{JudgedRoute, Preflight, Route, RuleName};
use copymend_survey::rpo::{Findings, Place, State};
use copymend_survey::scan::{Act, Example, Incident, Scan, Would};
use copymend_survey::{Change, Details};
use jiff::Timestamp;
use serde_json::Value;

pub(crate) const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";

pub(crate) fn parsed<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    parsed(text)
}

/// An incident of so many jobs in which everything that others write is `words`.
pub(crate) fn incident(count: u64, vault: &str, words: &str) -> Incident {
    Incident {
        kind: "copy",
        problem: "failed".to_owned(),
        cause: Cause::DestinationVaultPolicy,
        title: Cause::DestinationVaultPolicy.title(),
        resource: vault.to_owned(),
        accounts: BTreeMap::from([("111122223333".to_owned(), count)]),
        regions: BTreeSet::from(["eu-west-1".to_owned()]),
        count,
        first_seen: Some(at("2026-11-01T05:00:00Z")),
        last_seen: Some(at("2026-11-02T05:00:00Z")),
        from_message: false,
        confirmed: true,
        unknown_facts: 0,
        would: Would {
            act: Act::Repair,
            text: "add a statement to the vault's policy, and start the copy again".to_owned(),
        },
        fingerprints: BTreeSet::new(),
        example: Example {
            job: "11111111-2222-4333-8444-555555555555".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            message: words.to_owned(),
        },
        days: BTreeMap::from([
            (parsed("2026-11-01"), count - count / 2),
            (parsed("2026-11-02"), count / 2),
        ]),
        details: Box::new(Details {
            candidates: vec![assessment(words)],
            unknown: vec![words.to_owned()],
            advice: Some(advice(words)),
            change: Some(Change {
                resource: vault.to_owned(),
                before: Some(
                    r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}"#.to_owned(),
                ),
                after: format!(
                    r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}},{{"Sid":{}}}]}}"#,
                    Value::from(words)
                ),
                is_role: false,
                is_refused: false,
            }),
        }),
    }
}

fn assessment(words: &str) -> Assessment {
    Assessment {
        cause: Cause::DestinationVaultPolicy,
        verdict: Verdict::Confirmed,
        why: words.to_owned(),
        evidence: vec![words.to_owned()],
    }
}

fn advice(words: &str) -> Advice {
    Advice {
        who: words.to_owned(),
        steps: vec![
            format!(
                "Read the policy of `{words}`:\naws backup get-backup-vault-access-policy --backup-vault-name dr"
            ),
            "Write it back:\naws backup put-backup-vault-access-policy --policy file://policy.json"
                .to_owned(),
        ],
        page: "https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html",
        console: Some(words.to_owned()),
    }
}

pub(crate) fn scan(incidents: Vec<Incident>, notes: Vec<String>) -> Scan {
    Scan {
        since: at("2026-10-05T06:00:00Z"),
        until: at("2026-11-04T06:00:00Z"),
        places: 2,
        with_facts: true,
        incidents,
        not_read: Vec::new(),
        unreadable: Vec::new(),
        unreadable_count: 0,
        notes,
        stopped: None,
    }
}

pub(crate) fn preflight(words: &str) -> Preflight {
    let copy = BackupCopy {
        account: parsed("111122223333"),
        region: "us-east-1".to_owned(),
        source_vault: parsed("arn:aws:backup:us-east-1:111122223333:backup-vault:prod"),
        source_recovery_point: parsed("arn:aws:ec2:us-east-1::snapshot/snap-1"),
        destination_vault: parsed(VAULT),
        destination_account: parsed("444455556666"),
        role: parsed("arn:aws:iam::111122223333:role/BackupRole"),
        resource: None,
        resource_type: Some(words.to_owned()),
        lifecycle: None,
        tried_at: None,
    };
    let rule = RuleName {
        plan_id: Some("plan-1".to_owned()),
        plan: words.to_owned(),
        rule: words.to_owned(),
    };
    let judged = JudgedRoute {
        route: Route {
            backup_in: copy.source_vault.clone(),
            copy,
            backup_created: None,
            key: None,
            resources: BTreeSet::from([parsed("arn:aws:ec2:us-east-1:111122223333:volume/vol-1")]),
            rules: BTreeSet::from([rule]),
            is_automatic: false,
            next_run: Some(at("2026-11-05T05:00:00Z")),
            notes: BTreeSet::from([words.to_owned()]),
        },
        foreseen: Foreseen::WillFail {
            in_the_way: vec![assessment(words)],
            open: Vec::new(),
        },
        advice: vec![advice(words)],
        facts: None,
        would: None,
    };
    Preflight {
        at: at("2026-11-04T06:00:00Z"),
        places: 1,
        plans: 1,
        routes: vec![judged],
        not_materialised: Vec::new(),
        unseen: Vec::new(),
        skipped: vec![words.to_owned()],
        rules_without_copies: 0,
        not_found: vec![words.to_owned()],
        not_read: Vec::new(),
        unreadable: vec![words.to_owned()],
        notes: vec![words.to_owned()],
        stopped: None,
    }
}

pub(crate) fn place(number: usize, state: State, words: &str) -> Place {
    Place {
        resource: parsed(&format!(
            "arn:aws:ec2:us-east-1:111122223333:volume/vol-{number:017}"
        )),
        resource_type: "EBS".to_owned(),
        vault: parsed(VAULT),
        is_planned: false,
        newest_copy: Some(at("2026-11-01T05:00:00Z")),
        newest_backup: Some(at("2026-11-04T05:00:00Z")),
        objective: None,
        state,
        gone: 1,
        detail: words.to_owned(),
    }
}

pub(crate) fn findings(places: Vec<Place>) -> Findings {
    Findings {
        at: at("2026-11-04T06:00:00Z"),
        places,
        vaults: Vec::new(),
        expired: Vec::new(),
        not_read: Vec::new(),
    }
}

/// The data of a page, as its script reads it.
pub(crate) fn data(page: &str) -> Value {
    let (_, rest) = page
        .split_once(r#"<script type="application/json" id="data">"#)
        .unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

/// The values of a column of numbers.
pub(crate) fn numbers(data: &Value, name: &str) -> Vec<u64> {
    column(data, name)
        .iter()
        .map(|cell| cell.as_u64().unwrap())
        .collect()
}

/// The values of a column of texts.
pub(crate) fn texts(data: &Value, name: &str) -> Vec<String> {
    column(data, name)
        .iter()
        .map(|cell| {
            let place = usize::try_from(cell.as_u64().unwrap()).unwrap();
            data["texts"][place].as_str().unwrap().to_owned()
        })
        .collect()
}

fn column<'d>(data: &'d Value, name: &str) -> &'d Vec<Value> {
    let columns = data["columns"].as_array().unwrap();
    let at = columns
        .iter()
        .position(|column| column["name"] == name)
        .unwrap();
    data["cells"][at].as_array().unwrap()
}
