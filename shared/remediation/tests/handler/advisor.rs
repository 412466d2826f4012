//! The access advisor on the sandbox.

use copymend_diagnosis::{Cause, KeyManager, PermissionState, UnknownReason};
use copymend_remediation::Invocation;
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_sandbox::{Key, PolicyText, Sandbox, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::sandbox;

pub(crate) fn event(name: &str) -> Value {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../events/advisor")
        .join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn advise(sandbox: &Sandbox, event: &Value) -> Report {
    let invocation = Invocation {
        id: "test".to_owned(),
        deadline: Reads::clock(sandbox).now() + SignedDuration::from_secs(60),
    };
    AccessAdvisor::new(sandbox.clone(), AdvisorSettings::default())
        .handle(event, &invocation)
        .await
        .unwrap()
}

fn with_state(advisory: &Report, state: PermissionState) -> Vec<&str> {
    let permissions = advisory.permissions.iter().flatten();
    permissions
        .filter(|permission| permission.state == state)
        .map(|permission| permission.action.as_str())
        .collect()
}

fn causes(advisory: &Report) -> Vec<String> {
    advisory
        .diagnosis
        .candidates
        .iter()
        .map(|candidate| format!("{} {:?}", candidate.cause, candidate.verdict))
        .collect()
}

#[tokio::test]
async fn the_sample_events_get_their_cause_and_change_nothing() {
    for (name, cause) in [
        ("create-backup-vault", "caller-permission"),
        ("backup-job-s3", "job-role-permission"),
        ("restore-job-default-role", "job-role-missing"),
    ] {
        let sandbox = sandbox();
        let advisory = advise(&sandbox, &event(name)).await;
        assert_eq!(
            advisory.diagnosis.cause.slug(),
            cause,
            "{:?}",
            causes(&advisory)
        );
        assert_eq!(advisory.outcome, Outcome::Advised, "{name}");
        assert_eq!(advisory.verified, name != "create-backup-vault", "{name}");
        assert_eq!(sandbox.writes(), [], "{name}");
        let notifier = Reads::notifier(&sandbox);
        assert_eq!(notifier.sent().len(), 1, "{name}");
        // The same event again is told once.
        let again = advise(&sandbox, &event(name)).await;
        assert_eq!(again.outcome, Outcome::AlreadyHandled);
        assert_eq!(notifier.sent().len(), 1, "{name}");
    }
}

/// What the caller has is not named as missing, one permission at a time.
#[tokio::test]
async fn each_of_the_seven_permissions_is_named_exactly_when_it_is_missing() {
    let seven = [
        "backup:CreateBackupVault",
        "backup-storage:MountCapsule",
        "kms:CreateGrant",
        "kms:DescribeKey",
        "kms:RetireGrant",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    ];
    for left_out in seven {
        let granted: Vec<_> = seven.into_iter().filter(|one| *one != left_out).collect();
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": granted, "Resource": "*"}
        ]});
        let sandbox = sandbox();
        give(&sandbox, "policies", &policy);
        let advisory = advise(&sandbox, &event("create-backup-vault")).await;
        assert_eq!(with_state(&advisory, PermissionState::Missing), [left_out]);
        let text = advisory.policy.clone().unwrap().to_string();
        assert!(text.contains(left_out), "{text}");
        assert!(
            granted.iter().all(|action| !text.contains(action)),
            "{text}"
        );
    }
}

/// Gives the caller of the sample event a policy.
fn give(sandbox: &Sandbox, name: &str, policy: &Value) {
    sandbox.with_world(|world| {
        world
            .account_mut("111122223333".parse().unwrap())
            .unwrap()
            .roles
            .get_mut("BackupAdministrator")
            .unwrap()
            .policies
            .insert(name.to_owned(), PolicyText::new(policy.to_string()))
    });
}

/// Where the simulator tells nothing, the policies are read; where both can't be read, nothing is claimed.
#[tokio::test]
async fn a_read_that_fails_is_made_up_for_or_named() {
    let all = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["backup:*", "backup-storage:*"], "Resource": "*"}
    ]});
    let first = sandbox();
    give(&first, "vaults", &all);
    first.fail("iam:SimulatePrincipalPolicy", CallErrorKind::AccessDenied);
    let advisory = advise(&first, &event("create-backup-vault")).await;
    assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 5);
    assert_eq!(advisory.diagnosis.unknown, []);

    let second = sandbox();
    for operation in ["iam:SimulatePrincipalPolicy", "iam:ListRolePolicies"] {
        second.fail(operation, CallErrorKind::AccessDenied);
    }
    let advisory = advise(&second, &event("create-backup-vault")).await;
    let named: Vec<_> = advisory
        .diagnosis
        .unknown
        .iter()
        .map(|why| why.operation.as_str())
        .collect();
    assert!(named.contains(&"iam:SimulatePrincipalPolicy"), "{named:?}");
    assert!(named.contains(&"iam:ListRolePolicies"), "{named:?}");
    let missing = with_state(&advisory, PermissionState::Missing);
    assert_eq!(missing, Vec::<&str>::new());
    assert_eq!(with_state(&advisory, PermissionState::Unknown).len(), 7);
}

/// With AWS's own policy of a job attached, nothing that the job needs is called missing.
#[tokio::test]
async fn the_managed_policy_of_each_kind_of_job_leaves_nothing_missing() {
    for (kind, resource, resource_type, policy) in [
        (
            "backup",
            "arn:aws:s3:::orders-archive",
            "S3",
            "AWSBackupServiceRolePolicyForS3Backup",
        ),
        (
            "backup",
            "arn:aws:ec2:us-east-1:111122223333:volume/vol-0123456789abcdef0",
            "EBS",
            "AWSBackupServiceRolePolicyForBackup",
        ),
        (
            "restore",
            "arn:aws:backup:us-east-1:111122223333:recovery-point:orders-1",
            "S3",
            "AWSBackupServiceRolePolicyForS3Restore",
        ),
        (
            "restore",
            "arn:aws:backup:us-east-1:111122223333:recovery-point:files-1",
            "EFS",
            "AWSBackupServiceRolePolicyForRestores",
        ),
        (
            "restore",
            "arn:aws:ec2:us-east-1::snapshot/snap-0a1b2c3d4e5f60718",
            "EBS",
            "AWSBackupServiceRolePolicyForRestores",
        ),
    ] {
        let mut world: Value = serde_json::from_str(World::default_json()).unwrap();
        let role = &mut world["accounts"]["111122223333"]["roles"]["AWSBackupDefaultServiceRole"];
        role["managed_policies"] = json!([policy]);
        let (jobs, sample) = match kind {
            "backup" => ("backup_jobs", "backup-job-s3"),
            _ => ("restore_jobs", "restore-job-default-role"),
        };
        let job = &mut world[jobs][0];
        job["iam_role_arn"] =
            "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole".into();
        job["status_message"] = "The job failed.".into();
        job["resource_type"] = resource_type.into();
        let mut event = event(sample);
        let detail = &mut event["detail"];
        detail["iamRoleArn"] = job["iam_role_arn"].clone();
        detail["resourceType"] = resource_type.into();
        if kind == "backup" {
            job["resource_arn"] = resource.into();
            job["encryption_key_arn"] =
                "arn:aws:kms:us-east-1:111122223333:key/f0562021-f04f-5882-bf63-7352767d0941"
                    .into();
            detail["resourceArn"] = resource.into();
        } else {
            job["recovery_point_arn"] = resource.into();
            detail["recoveryPointArn"] = resource.into();
        }
        let sandbox = Sandbox::new(World::from_json(&world.to_string()).unwrap());
        let advisory = advise(&sandbox, &event).await;
        assert!(advisory.verified, "{kind} {resource_type}: {advisory:#?}");
        assert!(
            advisory
                .permissions
                .as_ref()
                .is_some_and(|all| !all.is_empty()),
            "{kind} {resource_type}: {advisory:#?}"
        );
        let missing = with_state(&advisory, PermissionState::Missing);
        assert_eq!(missing, [""; 0], "{kind} {resource_type}: {advisory:#?}");
        assert_eq!(advisory.policy, None, "{kind} {resource_type}");
    }
}

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/be647c92-a410-5da8-8dcc-d0d242b097a0";
const ANY_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/*";

/// The sample event with another key, or with none.
fn with_key(key: Option<&str>) -> Value {
    let mut event = event("create-backup-vault");
    let parameters = &mut event["detail"]["requestParameters"];
    match key {
        Some(key) => parameters["encryptionKeyArn"] = key.into(),
        None => {
            parameters
                .as_object_mut()
                .unwrap()
                .remove("encryptionKeyArn");
        }
    }
    event
}

/// What the permissions on the key were asked on.
fn asked_on(advisory: &Report) -> Vec<&str> {
    let mut resources: Vec<&str> = advisory
        .permissions
        .iter()
        .flatten()
        .filter(|permission| permission.action.starts_with("kms:"))
        .map(|permission| permission.resource.as_str())
        .collect();
    resources.dedup();
    resources
}

fn rounds(sandbox: &Sandbox) -> u64 {
    let calls = sandbox.calls().begun();
    calls.iter().map(|call| call.round).max().unwrap()
}

#[tokio::test]
async fn a_key_behind_an_alias_is_looked_at_like_one_that_is_named() {
    let named = advise(&sandbox().without_ledger(), &event("create-backup-vault")).await;
    for alias in [
        "alias/shared-with-backup",
        "arn:aws:kms:us-east-1:111122223333:alias/shared-with-backup",
    ] {
        let sandbox = sandbox().without_ledger();
        let advisory = advise(&sandbox, &with_key(Some(alias))).await;
        assert_eq!(asked_on(&advisory), [KEY], "{alias}");
        assert_eq!(advisory.permissions, named.permissions, "{alias}");
        assert_eq!(advisory.policy, named.policy, "{alias}");
        assert_eq!(advisory.diagnosis.unknown, [], "{alias}");
        assert!(advisory.notes[0].contains(KEY), "{:?}", advisory.notes);
        assert_eq!(sandbox.calls().count("kms:GetKeyPolicy"), 1);
        // The alias first, then the key; the rest goes beside them, and the message comes last.
        let notified = rounds(&sandbox);
        assert_eq!(notified, 3, "{:#?}", sandbox.calls().begun());
    }
}

#[tokio::test]
async fn the_policy_of_the_key_behind_an_alias_can_be_the_cause() {
    let sandbox = sandbox();
    give(&sandbox, "all", &seven());
    sandbox.with_world(|world| {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/KeyAdministrator"},"Action":"kms:*","Resource":"*"}]}"#;
        world.key_mut(&KEY.parse().unwrap()).unwrap().policy = Some(PolicyText::new(policy));
    });
    let advisory = advise(&sandbox, &with_key(Some("alias/shared-with-backup"))).await;
    assert_eq!(advisory.diagnosis.cause, Cause::KeyPolicy);
    assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 5);
    let who = advisory.advice.unwrap().who;
    assert!(who.contains(KEY), "{who}");
}

#[tokio::test]
async fn the_alias_of_another_account_leads_to_a_key_of_that_account() {
    let sandbox = sandbox();
    give(&sandbox, "all", &seven());
    let alias = "arn:aws:kms:eu-west-1:444455556666:alias/dr";
    let advisory = advise(&sandbox, &with_key(Some(alias))).await;
    let key = "arn:aws:kms:eu-west-1:444455556666:key/c2a9f30d-c355-5eb3-91f0-3eb3b44f6402";
    assert_eq!(asked_on(&advisory), [key]);
    assert_eq!(advisory.diagnosis.cause, Cause::KeyPolicy);
    let who = advisory.advice.unwrap().who;
    assert!(who.contains("account 444455556666"), "{who}");
}

#[tokio::test]
async fn an_alias_that_cannot_be_read_is_named_and_leaves_the_key_open() {
    let sandbox = sandbox();
    sandbox.fail("kms:DescribeKey", CallErrorKind::AccessDenied);
    let advisory = advise(&sandbox, &with_key(Some("alias/shared-with-backup"))).await;
    assert_eq!(asked_on(&advisory), [ANY_KEY]);
    assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 7);
    let [why] = advisory.diagnosis.unknown.as_slice() else {
        panic!("{:?}", advisory.diagnosis.unknown);
    };
    assert_eq!(why.operation, "kms:DescribeKey");
    assert!(why.resource.ends_with(":alias/shared-with-backup"));
    assert_eq!(why.reason, UnknownReason::AccessDenied);
    assert_eq!(advisory.diagnosis.cause, Cause::CallerPermission);
    let causes = causes(&advisory);
    assert!(
        causes.contains(&"key-policy NotCheckable".to_owned()),
        "what was not read is not ruled out: {causes:?}"
    );
    assert!(
        advisory.notes[0].contains("could not be read"),
        "{:?}",
        advisory.notes
    );
    assert_eq!(sandbox.calls().count("kms:GetKeyPolicy"), 0);
}

#[tokio::test]
async fn an_alias_that_kms_does_not_know_is_said_to_be_unknown() {
    let sandbox = sandbox();
    let advisory = advise(&sandbox, &with_key(Some("alias/no-such-alias"))).await;
    assert_eq!(asked_on(&advisory), [ANY_KEY]);
    assert_eq!(advisory.diagnosis.unknown, []);
    assert!(
        advisory.notes[0].contains("AWS KMS knows no such alias"),
        "{:?}",
        advisory.notes
    );
}

/// Where neither the simulator nor the alias answers, the policies are read beside, not after.
#[tokio::test]
async fn an_alias_costs_no_round_more_where_the_simulator_tells_nothing() {
    let sandbox = sandbox().without_ledger();
    sandbox.fail("iam:SimulatePrincipalPolicy", CallErrorKind::AccessDenied);
    let advisory = advise(&sandbox, &with_key(Some("alias/shared-with-backup"))).await;
    assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 7);
    assert_eq!(asked_on(&advisory), [KEY]);
    assert_eq!(rounds(&sandbox), 3, "{:#?}", sandbox.calls().begun());
}

#[tokio::test]
async fn without_a_key_the_accounts_own_key_for_aws_backup_is_looked_at() {
    let own = "arn:aws:kms:us-east-1:111122223333:key/00000000-aaaa-4aaa-8aaa-000000000000";
    let sandbox = sandbox();
    sandbox.with_world(|world| {
        // In the manner of AWS's own policies: open to the account through the service, and no more.
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:CreateGrant","kms:Decrypt","kms:DescribeKey","kms:Encrypt","kms:GenerateDataKey*","kms:ReEncrypt*"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"backup.us-east-1.amazonaws.com"}}}]}"#;
        let key = Key {
            alias: Some("aws/backup".to_owned()),
            manager: KeyManager::Aws,
            ..Key::customer_managed(policy, "Enabled")
        };
        // Another may be there already, from a vault without a key.
        let arn = "arn:aws:kms:us-east-1:111122223333:alias/aws/backup";
        if let Some(other) = world.key_of_alias(&arn.parse().unwrap()) {
            world.remove_key(&other);
        }
        world.set_key(&own.parse().unwrap(), key);
    });
    let advisory = advise(&sandbox, &with_key(None)).await;
    assert_eq!(asked_on(&advisory), [own]);
    // What the policy doesn't hold is the caller's own affair: nobody could add it there.
    assert_eq!(
        with_state(&advisory, PermissionState::Missing),
        [
            "backup:CreateBackupVault",
            "backup-storage:MountCapsule",
            "kms:RetireGrant"
        ]
    );
    assert_eq!(advisory.diagnosis.cause, Cause::CallerPermission);
    assert!(advisory.notes[0].contains(own), "{:?}", advisory.notes);
    // Describing the alias could make the key.
    assert_eq!(sandbox.calls().count("kms:ListAliases"), 1);
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn without_a_key_and_without_one_for_aws_backup_every_key_is_asked_about() {
    for fault in [None, Some(CallErrorKind::AccessDenied)] {
        let sandbox = sandbox();
        sandbox.with_world(|world| {
            let arn = "arn:aws:kms:us-east-1:111122223333:alias/aws/backup";
            if let Some(key) = world.key_of_alias(&arn.parse().unwrap()) {
                world.remove_key(&key);
            }
        });
        if let Some(kind) = fault {
            sandbox.fail("kms:ListAliases", kind);
        }
        let advisory = advise(&sandbox, &with_key(None)).await;
        assert_eq!(asked_on(&advisory), [ANY_KEY]);
        assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 7);
        let unknown: Vec<_> = advisory
            .diagnosis
            .unknown
            .iter()
            .map(|why| why.operation.as_str())
            .collect();
        let expected: &[&str] = if fault.is_some() {
            &["kms:ListAliases"]
        } else {
            &[]
        };
        assert_eq!(unknown, expected);
    }
}

/// A policy that allows all seven.
fn seven() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["backup:*", "backup-storage:*", "kms:*"], "Resource": "*"}
    ]})
}

/// IAM lets nobody put a policy on a role of IAM Identity Center.
#[tokio::test]
async fn the_policy_of_a_caller_from_iam_identity_center_goes_into_its_permission_set() {
    let mut world: Value = serde_json::from_str(World::default_json()).unwrap();
    let name = "AWSReservedSSO_BackupAdmin_0123456789abcdef";
    let path = "/aws-reserved/sso.amazonaws.com/eu-west-2/";
    world["accounts"]["111122223333"]["roles"][name] = json!({ "path": path });
    let sandbox = Sandbox::new(World::from_json(&world.to_string()).unwrap());
    let mut event = event("create-backup-vault");
    let identity = &mut event["detail"]["userIdentity"];
    identity["arn"] =
        format!("arn:aws:sts::111122223333:assumed-role/{name}/maria@example.com").into();
    identity["sessionContext"]["sessionIssuer"]["arn"] =
        format!("arn:aws:iam::111122223333:role{path}{name}").into();
    let advisory = advise(&sandbox, &event).await;
    assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 7);
    let advice = advisory.advice.unwrap();
    assert!(
        advice.who.contains("IAM Identity Center") && advice.who.contains("`BackupAdmin`"),
        "{}",
        advice.who
    );
    let steps = advice.steps.join("\n");
    for part in [
        "put-inline-policy-to-permission-set",
        "provision-permission-set",
        "replaces the whole of it",
        "--region eu-west-2",
        "--target-id 111122223333",
    ] {
        assert!(steps.contains(part), "{part} in {steps}");
    }
    assert!(!steps.contains("aws iam"), "{steps}");
}

/// A vault's Deny is no key policy, and nobody is told to grant what it denies.
#[tokio::test]
async fn what_a_vault_denies_is_not_given_to_the_caller() {
    let mut event = event("create-backup-vault");
    let vault = "arn:aws:backup:eu-west-1:111122223333:backup-vault:prod";
    let caller = event["detail"]["userIdentity"]["arn"].as_str().unwrap();
    event["detail"]["errorMessage"] = json!(format!(
        "User: {caller} is not authorized to perform: backup:DeleteBackupVaultAccessPolicy on resource: {vault} with an explicit deny in a resource-based policy"
    ));
    event["detail"]["eventName"] = json!("DeleteBackupVaultAccessPolicy");
    event["detail"]["requestParameters"] = json!({ "backupVaultName": "prod" });
    for is_readable in [true, false] {
        let sandbox = sandbox();
        if !is_readable {
            sandbox.fail("iam:SimulatePrincipalPolicy", CallErrorKind::AccessDenied);
            sandbox.fail("iam:ListRolePolicies", CallErrorKind::AccessDenied);
        }
        let advisory = advise(&sandbox, &event).await;
        let causes = causes(&advisory);
        assert_eq!(advisory.policy, None, "{:#?}", advisory.permissions);
        assert!(
            causes
                .iter()
                .any(|cause| cause.starts_with("destination-vault-deny")),
            "{causes:?}"
        );
        assert!(
            !causes.contains(&"key-policy Confirmed".to_owned()),
            "{causes:?}"
        );
        assert_eq!(
            with_state(&advisory, PermissionState::Denied),
            ["backup:DeleteBackupVaultAccessPolicy"]
        );
        if !is_readable {
            assert!(
                !causes.contains(&"caller-permission RuledOut".to_owned()),
                "{causes:?}"
            );
        }
    }
}
