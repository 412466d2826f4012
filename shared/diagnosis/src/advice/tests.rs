use serde_json::{Value, json};

use super::samples::*;
use super::words::text;
use super::*;
use crate::BackupVault;
use crate::fact::Fact;

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

/// The lines of all its steps.
pub(super) fn lines(advice: &Advice) -> impl Iterator<Item = &str> {
    advice.steps.iter().flat_map(|step| step.lines())
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
        let sentences = advice.steps.iter().filter_map(|step| step.lines().next());
        for sentence in sentences.chain([advice.who.as_str()]) {
            assert!(
                sentence.len() <= 500,
                "{cause}: {} bytes in `{sentence}`",
                sentence.len()
            );
        }
        for line in lines(&advice).chain([advice.who.as_str()]) {
            // A command carries ARNs; an e-mail shows 2,000 characters of it.
            assert!(
                line.len() <= 1_000,
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
        for line in lines(&advice).filter(|line| line.starts_with('{')) {
            assert!(is_json(line), "{cause}: {line}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

/// The JSON texts between the single quotes of commands.
#[test]
fn every_command_is_whole() {
    let mut seen = 0;
    for (cause, advice) in every_advice() {
        for command in advice.steps.iter().flat_map(|step| step.lines().skip(1)) {
            let parts: Vec<&str> = command.split('\'').collect();
            assert_eq!(parts.len() % 2, 1, "{cause}: {command}");
            for quoted in parts
                .iter()
                .skip(1)
                .step_by(2)
                .filter(|part| part.starts_with('{'))
            {
                assert!(is_json(quoted), "{cause}: {quoted}");
                seen += 1;
            }
            let starts = [
                "aws ",
                "{",
                "JOB=$(",
                "KEY=$(",
                "POINT=$(",
                "RESTORED=$(",
                "VERSION=$(",
                "HANDSHAKE=$(",
                "If it has none",
            ];
            assert!(
                starts.iter().any(|start| command.starts_with(start)),
                "{cause}: {command}"
            );
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_cause_has_a_page_of_the_console_to_start_from() {
    for (cause, advice) in every_advice() {
        let link = advice.console.unwrap();
        let host = link.split('/').nth(2).unwrap();
        assert!(link.starts_with("https://"), "{cause}: {link}");
        assert!(
            [
                "console.aws.amazon.com",
                "eu-west-1.console.aws.amazon.com",
                "eu-central-1.console.aws.amazon.com"
            ]
            .contains(&host),
            "{cause}: {link}"
        );
        assert!(
            link.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.~:/?#=%".contains(&b)),
            "{cause}: {link}"
        );
    }
}

#[test]
fn no_event_can_make_a_link_or_a_line() {
    let event = event_with(
        "arn:aws:ec2:eu-west-1::snapshot/snap-1#@evil.example/ x",
        &json!({
            "resourceArn": "arn:aws:rds:eu-west-1:111122223333:db:x;curl evil.example",
            "resourceType": "EBS`\n1. evil.example",
            "statusMessage": "explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-evil;curl",
        }),
    );
    let mut facts = facts();
    let mut role = role();
    role.permissions_boundary = Some("arn:aws:iam::1:policy/x';curl evil.example".to_owned());
    role.trust_policy = Some(r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"evil.example`\n2. curl"},"Action":"sts:AssumeRole"}]}"#.to_owned());
    facts.job_role = Fact::Known(Some(role));
    facts.recovery_point_tags = known_tags(tags([
        ("CostCenter", "x`\n3. curl evil.example"),
        ("owner", "$(evil.example)"),
    ]));
    for cause in Cause::ALL {
        for facts in [Some(&facts), None] {
            let advice = advise(*cause, &event, facts);
            let link = advice.console.as_deref().unwrap();
            assert!(!link.contains("evil"), "{cause}: {link}");
            for step in &advice.steps {
                let mut lines = step.lines();
                // A name may be quoted in a sentence; there it can't leave its backticks.
                let sentence = lines.next().unwrap();
                assert!(
                    !sentence.contains("evil.example`") || sentence.contains("\\n"),
                    "{cause}: {sentence}"
                );
                assert!(
                    !sentence.starts_with("1. ") && !sentence.starts_with("3. "),
                    "{cause}: {sentence}"
                );
                for line in lines {
                    assert!(is_json(line) || !line.contains("evil"), "{cause}: {line}");
                }
            }
        }
    }
}

#[test]
fn an_unverified_event_is_to_be_checked_first_and_gets_no_statement_to_paste() {
    for (cause, advice) in every_advice().chunks_exact(2).map(|pair| &pair[1]) {
        assert!(
            advice.steps[0].contains("did not confirm this event"),
            "{cause}"
        );
        let grants = advice.steps.iter().any(|step| {
            let allows_someone = step.contains("\"Principal\":{\"AWS\"");
            let allows_the_vault = step.contains("\"Allow\"") && step.contains("dr-vault\"");
            allows_someone || allows_the_vault
        });
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
fn a_boundary_of_aws_is_not_edited_and_an_unknown_one_is_looked_up() {
    let mut facts = facts();
    let mut role = role();
    role.permissions_boundary = Some("arn:aws:iam::aws:policy/PowerUserAccess".to_owned());
    facts.job_role = Fact::Known(Some(role));
    let event = event(SNAPSHOT, "EBS");
    let managed = text(&advise(Cause::PermissionsBoundary, &event, Some(&facts)));
    assert!(
        managed.contains("cannot be edited") && !managed.contains("create-policy-version"),
        "{managed}"
    );
    facts.job_role = Fact::Known(None);
    let unknown = text(&advise(Cause::PermissionsBoundary, &event, Some(&facts)));
    assert!(
        unknown.contains("See which policy is the boundary"),
        "{unknown}"
    );
}

#[test]
fn a_type_that_a_logically_air_gapped_vault_refuses_goes_to_a_standard_vault() {
    let point = "arn:aws:rds:eu-west-1:111122223333:snapshot:awsbackup:job-1a2b";
    let event = event_with(
        point,
        &json!({"resourceType": "RDS", "resourceArn": "arn:aws:rds:eu-west-1:111122223333:db:orders"}),
    );
    let facts = Facts {
        destination_vault: Fact::Known(Some(BackupVault {
            vault_type: Some("LOGICALLY_AIR_GAPPED_BACKUP_VAULT".to_owned()),
            ..BackupVault::default()
        })),
        ..facts()
    };
    let advice = advise(Cause::UnsupportedResourceType, &event, Some(&facts));
    assert!(
        advice.steps[0].contains("cannot be copied to a logically air-gapped vault"),
        "{}",
        advice.steps[0]
    );
    assert!(
        advice.steps[1].contains("standard backup vault"),
        "{}",
        advice.steps[1]
    );
}

#[test]
fn advice_for_the_advisors_causes_is_given_all_the_same() {
    let event = event(SNAPSHOT, "EBS");
    for cause in [Cause::CallerPermission, Cause::KeyPolicy] {
        assert!(!advise(cause, &event, Some(&facts())).steps.is_empty());
    }
}

#[test]
fn each_partition_has_its_own_console_and_some_have_none() {
    for (partition, region, expected) in [
        (
            "aws-cn",
            "cn-north-1",
            Some("https://cn-north-1.console.amazonaws.cn/backup/home?region=cn-north-1#/settings"),
        ),
        (
            "aws-us-gov",
            "us-gov-west-1",
            Some(
                "https://us-gov-west-1.console.amazonaws-us-gov.com/backup/home?region=us-gov-west-1#/settings",
            ),
        ),
        ("aws-iso", "us-iso-east-1", None),
    ] {
        let event = event_with(
            SNAPSHOT,
            &json!({
                "iamRoleArn": format!("arn:{partition}:iam::111122223333:role/BackupRole"),
                "sourceBackupVaultArn": format!("arn:{partition}:backup:{region}:111122223333:backup-vault:prod"),
                "destinationBackupVaultArn": format!("arn:{partition}:backup:{region}:444455556666:backup-vault:dr"),
            }),
        );
        let console = advise(Cause::CrossAccountBackupDisabled, &event, None).console;
        assert_eq!(console.as_deref(), expected);
    }
}

#[test]
fn a_policy_that_the_message_names_is_read_first() {
    let message = "User: arn:aws:sts::111122223333:assumed-role/BackupRole/x is not authorized to perform: backup:CopyIntoBackupVault on \
                   resource: arn:aws:backup:eu-central-1:444455556666:backup-vault:dr-vault with an explicit deny in a service control \
                   policy: arn:aws:organizations::999988887777:policy/o-exampleorgid/service_control_policy/p-examplepolicy";
    let event = event_with(SNAPSHOT, &json!({ "statusMessage": message }));
    let advice = text(&advise(Cause::ServiceControlPolicy, &event, Some(&facts())));
    assert!(
        advice.contains("aws organizations describe-policy --policy-id p-examplepolicy --query"),
        "{advice}"
    );
}
