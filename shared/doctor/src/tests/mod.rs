mod cases;
mod healthy;
mod unknown;

use std::collections::BTreeSet;

use crate::finding::{Finding, State};
use crate::{Facts, KINDS, is_broken, json, judge, needs_of, table};
use cases::CASES;
use healthy::healthy;

fn broken(change: impl FnOnce(&mut Facts)) -> Vec<Finding> {
    let mut facts = healthy();
    change(&mut facts);
    judge(&facts)
}

#[test]
fn a_healthy_stack_is_fine_in_each_part() {
    let findings = judge(&healthy());
    let not_fine: Vec<_> = findings
        .iter()
        .filter(|finding| finding.state != State::Fine)
        .collect();
    assert_eq!(not_fine, Vec::<&Finding>::new());
    assert!(!is_broken(&findings));
    let parts: BTreeSet<_> = findings.iter().map(|finding| finding.part).collect();
    assert_eq!(parts, crate::Part::ALL.into());
}

#[test]
fn each_kind_is_found_where_it_holds_and_there_is_a_case_of_each() {
    for (id, change) in CASES {
        let kind = KINDS.iter().find(|kind| kind.id == *id).unwrap();
        let findings = broken(change);
        let found: Vec<_> = findings.iter().filter(|one| one.id == *id).collect();
        assert!(!found.is_empty(), "{id}: {findings:#?}");
        for finding in found {
            assert_eq!((finding.part, finding.state), (kind.part, kind.state));
            assert_eq!(finding.advice.as_deref(), Some(kind.advice));
            assert!(finding.found.ends_with('.'), "{}", finding.found);
        }
        assert_eq!(
            is_broken(&findings),
            kind.state == State::Broken,
            "{id}: {findings:#?}"
        );
    }
    let cases: Vec<&str> = CASES.iter().map(|(id, _)| *id).collect();
    let kinds: Vec<&str> = KINDS.iter().map(|kind| kind.id).collect();
    assert_eq!(cases, kinds);
}

#[test]
fn the_page_lists_each_kind_with_its_part_its_state_and_its_meaning() {
    let page = include_str!("../../../../docs/doctor.md");
    let rows: Vec<String> = KINDS
        .iter()
        .map(|kind| {
            let (part, state) = (kind.part.name(), kind.state.name());
            format!("| {part} | `{}` | {state} | {} |", kind.id, kind.meaning)
        })
        .collect();
    let written: Vec<&str> = page
        .lines()
        .filter(|line| line.matches('|').count() == 5 && line.contains("| `"))
        .collect();
    assert_eq!(written, rows);
}

#[test]
fn ids_are_there_once() {
    let ids: BTreeSet<&str> = KINDS.iter().map(|kind| kind.id).collect();
    assert_eq!(ids.len(), KINDS.len());
}

#[test]
fn the_table_shows_what_was_found_and_what_to_do() {
    let findings = broken(|facts| {
        let rule = facts.rules[0].rule.found.as_mut().unwrap();
        rule.as_mut().unwrap().state = "DISABLED".to_owned();
        let topic = facts.topics[0].found.as_mut().unwrap().as_mut().unwrap();
        topic[0].is_confirmed = false;
        topic[0].endpoint = "people\u{1b}[31m@example.com".to_owned();
        facts.trails = Err(healthy::denied("cloudtrail:DescribeTrails"));
    });
    let plain = anstyle_free(&table(&findings));
    insta::assert_snapshot!(plain);
}

#[test]
fn the_json_has_a_version_and_counts() {
    let mut facts = healthy();
    facts.deployed.status = "UPDATE_ROLLBACK_FAILED".to_owned();
    let findings = judge(&facts);
    let line = json(&facts.deployed, &findings).unwrap();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&json["doctor"], &json["broken"]), (&1.into(), &1.into()));
    assert_eq!(json["stack"], "copymend");
    let first = &json["findings"][0];
    assert_eq!(first["part"], "stack");
    assert_eq!(
        (&first["id"], &first["state"]),
        (&"stack-broken".into(), &"broken".into())
    );
    assert!(first["do"].is_string());
    assert!(json["findings"][1]["do"].is_null());
}

/// What is simulated, for both modes: an example of each resource, none of another account's.
#[test]
fn needs_follow_from_the_parameters() {
    let mut facts = healthy();
    let observe = needs_of("CopyRemediatorRole", &facts.deployed).unwrap();
    assert!(observe.iter().all(|need| need.action != "kms:PutKeyPolicy"));
    let parameters = &mut facts.deployed.parameters;
    for (name, value) in [
        ("Mode", "repair"),
        (
            "AllowedKeys",
            "arn:aws:kms:*:111122223333:key/*,arn:aws:kms:*:444455556666:key/*",
        ),
        (
            "AllowedDestinations",
            "arn:aws:backup:*:*:backup-vault:dr-*",
        ),
        (
            "JobRole",
            "service-role/AWSBackupDefaultServiceRole,backup/*",
        ),
        ("CreateServiceLinkedRole", "true"),
    ] {
        parameters.insert(name.to_owned(), value.to_owned());
    }
    let needs = needs_of("CopyRemediatorRole", &facts.deployed).unwrap();
    let resources = |action: &str| -> Vec<&str> {
        let needs = needs.iter().filter(|need| need.action == action);
        needs.map(|need| need.resource.as_str()).collect()
    };
    assert_eq!(
        resources("kms:PutKeyPolicy"),
        ["arn:aws:kms:eu-west-1:111122223333:key/example"]
    );
    assert_eq!(
        resources("backup:PutBackupVaultAccessPolicy"),
        ["arn:aws:backup:eu-west-1:111122223333:backup-vault:dr-example"]
    );
    assert_eq!(
        resources("iam:PassRole"),
        [
            "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole",
            "arn:aws:iam::111122223333:role/backup/example"
        ]
    );
    assert_eq!(
        resources("sts:AssumeRole"),
        ["arn:aws:iam::111122223333:role/copymend/CopymendMember"]
    );
    assert_eq!(resources("iam:CreateServiceLinkedRole").len(), 1);
    for need in &needs {
        let first = &need.context[0];
        assert_eq!(first.name, "lambda:SourceFunctionArn", "{need:?}");
    }
}

/// Another organization than the one of the examples: the template grants the given one alone.
#[test]
fn places_are_asked_in_the_deployed_organization() {
    let mut facts = healthy();
    let resources = |facts: &Facts| -> Vec<String> {
        let needs = needs_of("CopyRemediatorRole", &facts.deployed).unwrap();
        let needs = needs.into_iter();
        needs
            .filter(|need| need.action == "organizations:ListParents")
            .map(|need| need.resource)
            .collect()
    };
    for (hub, other, expected) in [
        ("o-a1b2c3d4e5", "", "o-a1b2c3d4e5"),
        ("o-a1b2c3d4e5", "o-zzzzzzzzzz", "o-a1b2c3d4e5"),
        ("", "o-f6g7h8i9j0", "o-f6g7h8i9j0"),
        // Any is admitted.
        ("", "", "o-exampleorgid"),
    ] {
        for (name, value) in [
            ("HubOrganizationId", hub),
            ("OrganizationId", other),
            ("OrganizationReader", "111122223333"),
        ] {
            let parameters = &mut facts.deployed.parameters;
            parameters.insert(name.to_owned(), value.to_owned());
        }
        let found = resources(&facts);
        assert_eq!(found.len(), 2);
        let wanted = format!("/{expected}/");
        assert!(found.iter().all(|one| one.contains(&wanted)), "{found:?}");
    }
}

/// A rule of a schedule follows its parameter, and one of failures the recovery notice.
#[test]
fn what_a_rule_fires_on_follows_from_the_parameters() {
    let found = |facts: &Facts| {
        let findings = judge(facts);
        findings.iter().any(|one| one.id == "rule-matches-others")
    };
    let mut facts = healthy();
    facts.rules[3]
        .rule
        .found
        .as_mut()
        .unwrap()
        .as_mut()
        .unwrap()
        .schedule = Some("rate(30 days)".to_owned());
    assert!(found(&facts));
    let mut facts = healthy();
    facts
        .deployed
        .parameters
        .insert("RecoveryNotice".to_owned(), "true".to_owned());
    assert!(found(&facts), "the rule fires on failures alone");
    let rule = facts.rules[0]
        .rule
        .found
        .as_mut()
        .unwrap()
        .as_mut()
        .unwrap();
    let pattern = rule.pattern.take().unwrap();
    rule.pattern = Some(pattern.replace(r#"["FAILED"]"#, r#"["FAILED","COMPLETED"]"#));
    assert!(!found(&facts));
}

fn anstyle_free(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain + rest
}
