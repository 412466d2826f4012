//! What someone may try who can start copies, make roles, write messages or send events: nothing is
//! written, and the guard that refuses is named. Forged events and forged texts are in `bad_input`
//! and in `copymend-report`.

use copymend_remediation::report::{DecisionKind, Outcome};
use copymend_remediation::settings::{ArnPattern, Settings};
use copymend_sandbox::{PolicyText, Sandbox};
use serde_json::{Value, json};

use crate::support::*;

const SOURCE: &str = "111122223333";
const DESTINATION: &str = "444455556666";
const KEY_POLICY_BYTES: usize = 32_768;

fn copy<'w>(world: &'w mut Value, name: &str) -> &'w mut Value {
    world["copy_jobs"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find(|job| job["name"] == name)
        .unwrap()
}

#[tokio::test]
async fn a_destination_outside_the_organization_is_never_opened() {
    // Someone in the source account starts copies into a vault that belongs to nobody of the
    // company.
    let sandbox = sandbox_with(|world| {
        for organization in world["organizations"].as_array_mut().unwrap() {
            let members = organization["member_accounts"].as_object_mut().unwrap();
            members.remove(DESTINATION);
        }
    });
    let event = sandbox
        .event_for(&job_of(&sample("destination-vault-policy")))
        .unwrap();
    let report = repair(&sandbox, &event).await;
    assert_eq!(report.diagnosis.cause.slug(), "organization-membership");
    assert_eq!(report.changes, []);
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn a_copy_on_demand_into_someone_s_own_vault_starts_nothing_either() {
    let sandbox = sandbox_with(|world| {
        copy(world, "service-fault")
            .as_object_mut()
            .unwrap()
            .remove("created_by");
    });
    let event = sandbox
        .event_for(&job_of(&sample("service-fault")))
        .unwrap();
    let report = repair(&sandbox, &event).await;
    assert_eq!(failed_guards(&report), ["started-by-backup-plan"]);
    assert_eq!(report.retried_job, None);
    assert_eq!(sandbox.writes(), []);
}

/// A role called `AWSServiceRoleForBackup` outside `/aws-service-role/` can be made by anybody in
/// the account.
#[tokio::test]
async fn a_role_with_the_service_linked_role_s_name_is_not_taken_for_it() {
    let sandbox = sandbox_with(|world| {
        let account = &mut world["accounts"][DESTINATION];
        account["service_linked_role"] = false.into();
        account["roles"]["AWSServiceRoleForBackup"] =
            json!({"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]});
    });
    let event = sandbox
        .event_for(&job_of(&sample("source-key-policy")))
        .unwrap();
    let report = repair(&sandbox, &event).await;
    assert_eq!(report.diagnosis.cause.slug(), "service-linked-role");
    assert_eq!(sandbox.writes(), []);
}

/// A vault statement for a role that only has the right name would admit whoever makes the named
/// one.
#[tokio::test]
async fn a_role_of_the_right_name_at_another_path_is_not_admitted() {
    let sandbox = sandbox_with(|_| {});
    let event = sandbox
        .event_for(&job_of(&sample("destination-vault-policy")))
        .unwrap();
    sandbox.with_world(|world| {
        let account = world.account_mut(SOURCE.parse().unwrap()).unwrap();
        account.roles.get_mut("BackupRole").unwrap().path = "/elsewhere/".to_owned();
    });
    let report = repair(&sandbox, &event).await;
    assert_eq!(policy_writes(&sandbox), [], "{report:#?}");
    assert_eq!(report.diagnosis.cause.slug(), "job-role-missing");
}

const TRICKS: &[&str] = &[
    // Other partitions.
    "arn:aws-cn:backup:eu-west-1:444455556666:backup-vault:dr-orders",
    "arn:aws-us-gov:backup:eu-west-1:444455556666:backup-vault:dr-orders",
    "arn:AWS:backup:eu-west-1:444455556666:backup-vault:dr-orders",
    // Colons that move the account.
    "arn:aws:backup:eu-west-1:666666666666:backup-vault:444455556666:backup-vault:dr-orders",
    "arn:aws:backup:eu-west-1::444455556666:backup-vault:dr-orders",
    "arn:aws:backup::eu-west-1:444455556666:backup-vault:dr-orders",
    "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders:",
    "arn:aws:backup:eu-west-1:444455556666:backup-vault::dr-orders",
    // Letters that look alike.
    "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-\u{43e}rders",
    "arn:\u{430}ws:backup:eu-west-1:444455556666:backup-vault:dr-orders",
    "arn:aws:backup:eu-west-1:44445555666\u{ff16}:backup-vault:dr-orders",
    "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders\u{200b}",
    // Wildcards.
    "arn:aws:backup:eu-west-1:*:backup-vault:dr-orders",
    "arn:aws:backup:eu-west-1:44445555666?:backup-vault:dr-orders",
    "arn:aws:backup:eu-west-1:444455556666:backup-vault:*",
    "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-?rders",
    "arn:aws:backup:*:444455556666:backup-vault:dr-orders",
    // Other services, other resources, other shapes.
    "arn:aws:kms:eu-west-1:444455556666:key/dr-orders",
    "arn:aws:backup:eu-west-1:444455556666:recovery-point:dr-orders",
    " arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders",
    "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders\n",
    "arn:aws:backup:eu-west-1:444455556666:backup-vault:../dr-orders",
    "dr-orders",
];

#[tokio::test]
async fn tricks_with_arns_reach_no_vault() {
    for arn in TRICKS {
        let sandbox = sandbox();
        let mut event = sample("destination-vault-policy");
        event["detail"]["destinationBackupVaultArn"] = (*arn).into();
        match deliver("trick", &sandbox, &event).await {
            Ok(report) => {
                assert_eq!(failed_guards(&report), ["verified-failure"], "{arn:?}");
                assert_eq!(report.decision, DecisionKind::Refuse, "{arn:?}");
            }
            Err(error) => assert_eq!(error.error_type(), "MalformedArn", "{arn:?}"),
        }
        assert_eq!(sandbox.writes(), [], "{arn:?}");
    }
}

#[test]
fn a_pattern_admits_none_of_these_tricks() {
    for pattern in [
        "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders",
        "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-order?",
    ] {
        let pattern: ArnPattern = pattern.parse().unwrap();
        assert!(pattern.admits("arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders"));
        for arn in TRICKS {
            assert!(!pattern.admits(arn), "{arn:?}");
        }
    }
    // A wildcard of the owner's own stays inside its part of the ARN.
    let pattern: ArnPattern = "arn:aws:backup:*:444455556666:backup-vault:*"
        .parse()
        .unwrap();
    for arn in [
        "arn:aws:backup:eu-west-1:666666666666:backup-vault:444455556666:backup-vault:x",
        "arn:aws:backup:eu-west-1:6:444455556666:backup-vault:x",
    ] {
        assert!(!pattern.admits(arn), "{arn}");
    }
}

/// A message is text that someone else may have shaped. The key that is written is the one that the
/// recovery point names.
#[tokio::test]
async fn another_key_in_the_message_is_never_written() {
    let other = "arn:aws:kms:us-east-1:111122223333:key/be647c92-a410-5da8-8dcc-d0d242b097a0";
    let message = format!(
        "The source snapshot KMS key {other} does not exist, is not enabled or you do not have permissions to access it. \
         User: arn:aws:sts::444455556666:assumed-role/AWSServiceRoleForBackup/x is not authorized to perform: \
         kms:ReEncryptFrom on resource: {other} because no resource-based policy allows the kms:ReEncryptFrom action"
    );
    for event in ["service-fault", "source-key-policy"] {
        let sandbox = sandbox_with(|world| {
            copy(world, event)["faults"] = json!([{ "message": message }]);
        });
        let before = sandbox.with_world(|world| {
            let key = world.key(&other.parse().unwrap()).unwrap();
            key.policy.as_ref().unwrap().as_str().to_owned()
        });
        let event = sandbox.event_for(&job_of(&sample(event))).unwrap();
        repair(&sandbox, &event).await;
        for write in policy_writes(&sandbox) {
            assert_ne!(write.resource, other);
        }
        let after = sandbox.with_world(|world| {
            let key = world.key(&other.parse().unwrap()).unwrap();
            key.policy.as_ref().unwrap().as_str().to_owned()
        });
        assert_eq!(after, before);
    }
}

/// The source key's policy, made longer by this many bytes.
fn with_a_longer_key_policy(bytes: usize) -> Sandbox {
    sandbox_with(|world| {
        let keys = &mut world["accounts"][SOURCE]["regions"]["us-east-1"]["keys"];
        let policy = &mut keys["f0562021-f04f-5882-bf63-7352767d0941"]["policy"];
        policy["Id"] = format!("key-consolepolicy-3{}", "x".repeat(bytes)).into();
    })
}

#[tokio::test]
async fn a_key_policy_may_become_as_long_as_kms_takes_and_not_a_byte_longer() {
    let event = |sandbox: &Sandbox| {
        sandbox
            .event_for(&job_of(&sample("source-key-policy")))
            .unwrap()
    };
    let length = |sandbox: &Sandbox| {
        let arn = "arn:aws:kms:us-east-1:111122223333:key/f0562021-f04f-5882-bf63-7352767d0941";
        sandbox.with_world(|world| {
            let key = world.key(&arn.parse().unwrap()).unwrap();
            key.policy.as_ref().unwrap().as_str().len()
        })
    };
    let short = with_a_longer_key_policy(0);
    handle(&short, open_settings(), &event(&short)).await;
    let room = KEY_POLICY_BYTES - length(&short);

    let full = with_a_longer_key_policy(room);
    let report = handle(&full, open_settings(), &event(&full)).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
    assert_eq!(length(&full), KEY_POLICY_BYTES);

    let over = with_a_longer_key_policy(room + 1);
    let report = handle(&over, open_settings(), &event(&over)).await;
    assert_eq!(failed_guards(&report), ["size-limit"]);
    assert_eq!(over.writes(), []);
}

#[tokio::test]
async fn a_vault_policy_that_would_be_longer_than_our_limit_is_left_to_its_owner() {
    for (bytes, refused) in [(20_000, false), (32_768, true)] {
        let (sandbox, event) = scene("destination-vault-policy");
        let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders";
        sandbox.with_world(|world| {
            let vault = world.vault_mut(&vault.parse().unwrap()).unwrap();
            let id = "x".repeat(bytes);
            vault.policy = Some(PolicyText::new(format!(
                r#"{{"Version":"2012-10-17","Id":"{id}","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"444455556666"}},"Action":"backup:ListRecoveryPointsByBackupVault","Resource":"*"}}]}}"#
            )));
        });
        let report = repair(&sandbox, &event).await;
        let failed = failed_guards(&report);
        assert_eq!(
            failed.contains(&"size-limit"),
            refused,
            "{bytes}: {failed:?}"
        );
        assert_eq!(sandbox.writes().is_empty(), refused, "{bytes}");
    }
}

#[tokio::test]
async fn nesting_without_end_is_refused_in_events_and_in_policies() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-orders";
    for policy in [
        deep.clone(),
        format!(r#"{{"Version":"2012-10-17","Statement":{deep}}}"#),
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"backup:CopyIntoBackupVault","Resource":"*","Condition":{deep}}}]}}"#
        ),
    ] {
        let (sandbox, event) = scene("destination-vault-policy");
        sandbox.with_world(|world| {
            let vault = world.vault_mut(&vault.parse().unwrap()).unwrap();
            vault.policy = Some(PolicyText::new(policy));
        });
        let report = repair(&sandbox, &event).await;
        assert!(
            report
                .diagnosis
                .unknown
                .iter()
                .any(|why| why.operation == "backup:GetBackupVaultAccessPolicy"),
            "{:#?}",
            report.diagnosis.unknown
        );
        assert_eq!(sandbox.writes(), []);
    }
}

/// The narrowest settings that still admit the sample's vault: one account's wildcard is no other
/// account's.
#[tokio::test]
async fn an_allowlist_of_another_partition_admits_nothing_here() {
    let settings = Settings {
        allowed_destinations: vec![
            "arn:aws-us-gov:backup:*:444455556666:backup-vault:*"
                .parse()
                .unwrap(),
        ],
        ..open_settings()
    };
    let sandbox = sandbox();
    let report = handle(&sandbox, settings, &sample("destination-vault-policy")).await;
    assert_eq!(failed_guards(&report), ["destination-allowed"]);
    assert_eq!(sandbox.writes(), []);
}
