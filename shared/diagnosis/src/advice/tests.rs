use std::fmt::Write as _;

use serde_json::json;

use super::*;
use crate::fact::{Fact, UnknownReason, WhyUnknown};
use crate::facts::{Key, KeyFacts, KeyManager, Organization, SourceKey};

const SNAPSHOT: &str = "arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718";

fn event(point: &str, resource_type: &str) -> CopyJobEvent {
    CopyJobEvent::from_json(&json!({
        "version": "0",
        "id": "3f2c",
        "source": "aws.backup",
        "detail-type": "Copy Job State Change",
        "account": "111122223333",
        "region": "eu-west-1",
        "time": "2026-03-01T02:00:00Z",
        "resources": [point],
        "detail": {
            "copyJobId": "8F1B2C3D-1111-2222-3333-444455556666",
            "state": "FAILED",
            "iamRoleArn": "arn:aws:iam::111122223333:role/AWSBackupDefaultServiceRole",
            "resourceArn": "arn:aws:ec2:eu-west-1:111122223333:volume/vol-0a1b2c3d4e5f60718",
            "resourceType": resource_type,
            "sourceBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:prod-vault",
            "destinationBackupVaultArn": "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr-vault",
        },
    }))
    .unwrap()
}

fn unknown<T>() -> Fact<T> {
    Fact::Unknown(WhyUnknown {
        operation: "backup:Describe".to_owned(),
        resource: "x".to_owned(),
        reason: UnknownReason::NotRead,
        detail: String::new(),
    })
}

fn facts() -> Facts {
    let key: crate::KeyArn =
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            .parse()
            .unwrap();
    let organization = || {
        Fact::Known(Some(Organization {
            id: "o-exampleorgid".to_owned(),
            management_account: Some("999988887777".parse().unwrap()),
        }))
    };
    Facts {
        recovery_point: unknown(),
        source_key: SourceKey::Key(Box::new(KeyFacts {
            arn: key.clone(),
            key: Fact::Known(Some(Key {
                arn: key,
                manager: KeyManager::Customer,
                state: "PendingDeletion".to_owned(),
            })),
            policy: unknown(),
            tags: unknown(),
        })),
        destination_vault: Fact::Known(Some(crate::BackupVault {
            min_retention_days: Some(35),
            ..crate::BackupVault::default()
        })),
        vault_policy: unknown(),
        vault_tags: unknown(),
        vault_key: unknown(),
        source_organization: organization(),
        destination_organization: organization(),
        service_linked_role: unknown(),
        job_role: unknown(),
        cross_account_backup: unknown(),
    }
}

fn text(advice: &Advice) -> String {
    let mut text = format!("who  {}\n", advice.who);
    for (number, step) in (1..).zip(&advice.steps) {
        let _ = writeln!(text, "  {number}. {}", step.replace('\n', "\n     "));
    }
    let _ = writeln!(text, "page {}", advice.page);
    text
}

fn every_advice() -> Vec<(Cause, Advice)> {
    let points = [
        SNAPSHOT,
        "arn:aws:backup:eu-west-1:111122223333:recovery-point:1a2b3c4d-1a2b-1a2b-1a2b-1a2b3c4d5e6f",
        "arn:aws:rds:eu-west-1:111122223333:snapshot:awsbackup:job-1a2b3c4d",
        "arn:aws:ec2:eu-west-1::image/ami-0a1b2c3d4e5f60718",
    ];
    let types = ["EBS", "S3", "DynamoDB", "CloudFormation", "Redshift"];
    let facts = facts();
    let mut all = Vec::new();
    for cause in Cause::ALL {
        for point in points {
            for kind in types {
                let event = event(point, kind);
                all.push((*cause, advise(*cause, &event, Some(&facts))));
                all.push((*cause, advise(*cause, &event, None)));
            }
        }
    }
    all
}

#[test]
fn every_advice_can_be_followed_as_it_stands() {
    for (cause, advice) in every_advice() {
        assert!(!advice.steps.is_empty(), "{cause}");
        assert!(
            advice.page.starts_with("https://docs.aws.amazon.com/"),
            "{cause}"
        );
        assert!(
            advice.who.contains(char::is_numeric) || advice.who.contains("management account"),
            "{cause}: who must name the account"
        );
        for line in advice
            .steps
            .iter()
            .flat_map(|step| step.lines())
            .chain([advice.who.as_str()])
        {
            assert!(
                line.len() <= 400,
                "{cause}: {} bytes in `{line}`",
                line.len()
            );
            assert_eq!(line.trim(), line, "{cause}");
            assert!(line.is_ascii() && !line.contains("  "), "{cause}: {line}");
            for placeholder in ["_ARN", "<", "YOUR", "TODO", "...", "{}", "{case", "XXX"] {
                assert!(
                    !line.contains(placeholder),
                    "{cause}: `{placeholder}` in `{line}`"
                );
            }
        }
    }
}

#[test]
fn every_json_text_to_paste_is_json() {
    let mut seen = 0;
    for (cause, advice) in every_advice() {
        for line in advice
            .steps
            .iter()
            .flat_map(|step| step.lines())
            .filter(|line| line.starts_with('{'))
        {
            assert!(
                serde_json::from_str::<serde_json::Value>(line).is_ok(),
                "{cause}: {line}"
            );
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn an_unverified_event_is_to_be_checked_first_and_gets_no_statement_to_paste() {
    for (cause, advice) in every_advice().chunks_exact(2).map(|pair| &pair[1]) {
        assert!(
            advice.steps[0].contains("did not confirm this event"),
            "{cause}"
        );
        let grants = advice
            .steps
            .iter()
            .any(|step| step.contains("\"Principal\":{\"AWS\""));
        assert!(!grants, "{cause}");
    }
}

#[test]
fn an_arn_with_shell_characters_never_reaches_a_command() {
    let event = event("arn:aws:ec2:eu-west-1::snapshot/$(curl evil)", "EBS");
    for cause in Cause::ALL {
        let advice = advise(*cause, &event, Some(&facts()));
        assert!(!text(&advice).contains("evil"), "{cause}");
    }
}

#[test]
fn the_words_for_every_cause() {
    let event = event(SNAPSHOT, "EBS");
    let facts = facts();
    let mut all = String::new();
    for cause in Cause::ALL {
        let _ = writeln!(
            all,
            "== {cause}\n{}",
            text(&advise(*cause, &event, Some(&facts)))
        );
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_words_for_a_vault_without_policy_and_for_an_unverified_event() {
    let event = event(SNAPSHOT, "EBS");
    let facts = Facts {
        vault_policy: Fact::Known(None),
        ..facts()
    };
    let bare = text(&advise(Cause::DestinationVaultPolicy, &event, Some(&facts)));
    let unverified = text(&advise(Cause::SourceKeyPolicy, &event, None));
    insta::assert_snapshot!(format!("{bare}\n{unverified}"));
}
