//! The access advisor on the sandbox.

use copymend_diagnosis::PermissionState;
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::ports::{CallErrorKind, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_sandbox::{PolicyText, Sandbox, World};
use serde_json::{Value, json};

use crate::support::*;

pub(crate) fn event(name: &str) -> Value {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../events/advisor")
        .join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) async fn advise(sandbox: &Sandbox, event: &Value) -> Report {
    AccessAdvisor::new(sandbox.clone(), AdvisorSettings::default())
        .handle(event, &invocation("test", sandbox))
        .await
        .unwrap()
}

pub(crate) fn with_state(advisory: &Report, state: PermissionState) -> Vec<&str> {
    let permissions = advisory.permissions.iter().flatten();
    permissions
        .filter(|permission| permission.state == state)
        .map(|permission| permission.action.as_str())
        .collect()
}

pub(crate) fn causes(advisory: &Report) -> Vec<String> {
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
pub(crate) fn give(sandbox: &Sandbox, name: &str, policy: &Value) {
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

/// Where the simulator tells nothing, the policies are read; where both can't be read, nothing is
/// claimed.
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

/// A policy that allows all seven.
pub(crate) fn seven() -> Value {
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
