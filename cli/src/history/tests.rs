//! The history as people and auditors read it.

use std::collections::BTreeSet;

use copymend_policy::{VaultGrant, VaultScope, append};
use copymend_remediation::approval::{Answered, ApprovalRequest, RequestState};
use copymend_remediation::ledger::{Change, Grounds, Pause};
use copymend_remediation::records::{Ended, EndedIncident, OpenIncident, RecordKind, RecordsFound};
use serde_json::json;

use super::*;
use crate::history::{change, json as for_auditors};

const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
const ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";
const ANNA: &str = "arn:aws:sts::444455556666:assumed-role/Admin/anna";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn change(id: &str, day: u32, state: ChangeState) -> ChangeRecord {
    let grant = VaultGrant {
        partition: "aws".to_owned(),
        source_account: "111122223333".parse().unwrap(),
        role_arn: ROLE.parse().unwrap(),
        scope: VaultScope::Role,
        organization_id: Some("o-abcdefghij".to_owned()),
        organization_paths: Vec::new(),
    };
    let statements = grant.statements().unwrap();
    let after = append(None, &statements).unwrap();
    ChangeRecord {
        change: Change {
            id: id.to_owned(),
            resource: VAULT.to_owned(),
            grantee: ROLE.to_owned(),
            account: Some("111122223333".to_owned()),
            before: None,
            after: Some(after.as_str().to_owned()),
            statements: statements
                .iter()
                .map(|one| one.as_str().to_owned())
                .collect(),
            at: at(&format!("2026-11-{day:02}T10:00:00Z")),
            copy_job_id: "1DE46DC6".to_owned(),
            undoes: None,
            allows_again: false,
            made_by: None,
            grounds: Grounds {
                program_version: Some("0.1.0".to_owned()),
                settings_hash: Some("0123abcd".to_owned()),
                settings: [("COPYMEND_MODE".to_owned(), "repair".to_owned())].into(),
                admitted_by: vec![format!("COPYMEND_ALLOWED_DESTINATIONS: {VAULT}")],
                guards: vec!["mode: the mode is repair".to_owned()],
            },
        },
        state,
        undone_by: None,
    }
}

fn records() -> Vec<Record> {
    let fingerprint = format!("destination-vault-policy#{VAULT}#111122223333#{ROLE}");
    let open = OpenIncident {
        count: 12,
        outcome: "refused".to_owned(),
        first_seen: at("2026-11-21T23:00:00Z"),
        last_seen: at("2026-11-22T09:00:00Z"),
    };
    let ended = EndedIncident {
        count: 1,
        outcome: "repaired-and-retried".to_owned(),
        first_seen: at("2026-11-18T10:00:00Z"),
        at: at("2026-11-18T11:00:00Z"),
    };
    let undone = ChangeRecord {
        undone_by: Some("undo-1".to_owned()),
        ..change("job-1", 18, ChangeState::Undone)
    };
    let mut undo = change("undo-1", 20, ChangeState::Written);
    undo.change.undoes = Some("job-1".to_owned());
    undo.change.made_by = Some(ANNA.to_owned());
    vec![
        Record::Incident(IncidentRecord {
            fingerprint,
            open: Some(open),
            ended: Some(ended),
        }),
        Record::Change(Box::new(change("job-2", 21, ChangeState::Written))),
        Record::Refusal(RefusalRecord {
            resource: VAULT.to_owned(),
            grantee: ROLE.to_owned(),
            account: Some("111122223333".to_owned()),
            change_id: "job-1".to_owned(),
            undone_by: Some("undo-1".to_owned()),
            made_by: Some(ANNA.to_owned()),
            at: Some(at("2026-11-20T10:00:00Z")),
            lifted: None,
        }),
        Record::Change(Box::new(undo)),
        Record::Pause(PauseRecord {
            pause: Pause {
                reason: "change\nfreeze \u{1b}[31m".to_owned(),
                since: at("2026-11-19T08:00:00Z"),
                until: None,
                by: Some(ANNA.to_owned()),
            },
            lifted: Some(Ended {
                at: at("2026-11-19T18:00:00Z"),
                by: None,
            }),
        }),
        Record::Approval(Box::new(ApprovalRecord {
            request: ApprovalRequest {
                hash: "0a".repeat(32).parse().unwrap(),
                plan: "0b".repeat(32).parse().unwrap(),
                copy_job_id: "job-3".to_owned(),
                account: "111122223333".parse().unwrap(),
                region: "eu-central-1".to_owned(),
                resource: Some(VAULT.to_owned()),
                grantee: Some(ROLE.to_owned()),
                incident: String::new(),
                asked_at: at("2026-11-18T09:00:00Z"),
                expires_at: at("2026-11-21T09:00:00Z"),
            },
            state: RequestState::Done {
                answered: Answered {
                    by: ANNA.to_owned(),
                    at: at("2026-11-18T10:30:00Z"),
                },
                outcome: "repaired-and-retried".to_owned(),
            },
        })),
        Record::Change(Box::new(undone)),
        Record::Change(Box::new(change("job-0", 17, ChangeState::Intended))),
    ]
}

fn now() -> Timestamp {
    at("2026-11-22T12:00:00Z")
}

fn asked() -> RecordsAsked {
    RecordsAsked {
        since: at("2026-11-15T12:00:00Z"),
        until: now(),
        resource: None,
        account: None,
        kinds: BTreeSet::new(),
        enough: 7,
    }
}

fn found() -> RecordsFound {
    RecordsFound {
        records: records(),
        goes_on_before: Some(at("2026-11-17T00:00:00Z")),
        unreadable: vec!["change#later".to_owned()],
    }
}

#[test]
fn a_pipe_gets_a_line_a_record() {
    let text = text(&asked(), &found(), None, now());
    insta::assert_snapshot!("history_in_a_pipe", text);
    assert_eq!(text.lines().count(), 1 + 8 + 2);
}

#[test]
fn a_terminal_gets_no_line_that_is_wider() {
    let whole = text(&asked(), &found(), Some(100), now());
    insta::assert_snapshot!("history_in_a_terminal", whole);
    for width in [40, 60, 80, 120] {
        let text = text(&asked(), &found(), Some(width), now());
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= width), "{text}");
    }
}

#[test]
fn nothing_is_said_as_such() {
    let nothing = RecordsFound::default();
    assert_eq!(
        text(&asked(), &nothing, Some(80), now()),
        "nothing is on record from 2026-11-15 12:00 to 2026-11-22 12:00\n"
    );
}

#[test]
fn auditors_get_what_each_change_was_decided_on() {
    let value = for_auditors::all(&asked(), &found(), now());
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    insta::assert_snapshot!("history_as_json", pretty);
    let of_change = &value["records"][1];
    assert_eq!(of_change["undo"], "copymend undo job-2");
    assert_eq!(of_change["grounds"]["program_version"], "0.1.0");
    assert_eq!(
        of_change["grounds"]["admitted_by"],
        json!([format!("COPYMEND_ALLOWED_DESTINATIONS: {VAULT}")])
    );
    assert_eq!(of_change["certificate"]["kept"], 0);
    // Neither an undo nor what was undone can be undone.
    assert_eq!(value["records"][3]["undo"], json!(null));
    assert_eq!(value["records"][6]["undo"], json!(null));
    let kinds = value["records"].as_array().unwrap().iter();
    let kinds: BTreeSet<_> = kinds
        .map(|record| record["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, RecordKind::ALL.map(RecordKind::slug).into());
}

#[test]
fn one_change_is_shown_with_its_diff_and_grounds() {
    let shown = |record: &ChangeRecord| {
        let mut out = anstream::StripStream::new(Vec::new());
        change::show(&mut out, record).unwrap();
        String::from_utf8(out.into_inner()).unwrap()
    };
    let record = change("job-2", 21, ChangeState::Written);
    insta::assert_snapshot!("history_of_a_change", shown(&record));
    // A version before this one kept neither.
    let mut old = record;
    old.change.grounds = Grounds::default();
    old.change.account = None;
    assert_eq!(shown(&old).matches("not on record").count(), 5);
}
