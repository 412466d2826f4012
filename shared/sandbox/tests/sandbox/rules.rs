//! Each rule alone decides.

use copymend_diagnosis::{Cause, CopyJobState, Lifecycle};
use serde_json::json;

use crate::small::{POINT, ROLE, VAULT, allow_copy, broken, copy, load, run, with, world};

const SOURCE: &str = "/accounts/111122223333";
const DESTINATION_VAULT: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr";
const SOURCE_POINT: &str = "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0";
const SOURCE_KEY: &str =
    "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111";

#[test]
fn a_healthy_copy_completes_and_leaves_a_recovery_point() {
    let mut world = load(&world());
    let job = world.start_copy(copy()).unwrap().clone();
    assert_eq!(
        (job.state(), job.status_message()),
        (CopyJobState::Completed, "")
    );
    let arn = job.destination_recovery_point().unwrap();
    let point = world.recovery_point(&VAULT.parse().unwrap(), arn).unwrap();
    assert!(
        arn.as_str()
            .starts_with("arn:aws:ec2:eu-west-1::snapshot/snap-"),
        "{arn}"
    );
    assert_eq!(point.resource_type, "EBS");
    assert!(
        point
            .encryption_key_arn
            .as_ref()
            .unwrap()
            .as_str()
            .contains("444455556666")
    );
}

#[test]
fn job_ids_are_counted_and_look_like_uuids() {
    let mut world = load(&world());
    let first = world.start_copy(copy()).unwrap().id.clone();
    let second = world.start_copy(copy()).unwrap().id.clone();
    assert_eq!(first, "c0bb1e00-0000-4000-8000-000000000001");
    assert_eq!(second, "c0bb1e00-0000-4000-8000-000000000002");
}

#[test]
fn the_job_role_must_exist_trust_aws_backup_and_be_allowed_to_copy() {
    let role = format!("{SOURCE}/roles/BackupRole");
    let not_assumed = format!("IAM Role {ROLE} cannot be assumed by AWS Backup");
    assert_eq!(
        broken(&format!("{SOURCE}/roles"), json!({})),
        (not_assumed.clone(), Some(Cause::JobRoleMissing))
    );
    // The trap: the same name under another path.
    let elsewhere = json!({"BackupRole": {"path": "/service-role/", "managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}});
    assert_eq!(
        broken(&format!("{SOURCE}/roles"), elsewhere).1,
        Some(Cause::JobRoleMissing)
    );
    let trust = json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}});
    assert_eq!(
        broken(&format!("{role}/trust_policy"), trust),
        (not_assumed, Some(Cause::JobRoleTrust))
    );
    let (message, cause) = broken(&format!("{role}/managed_policies"), json!([]));
    assert_eq!(cause, Some(Cause::JobRolePermission));
    assert_eq!(
        message,
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: backup:CopyFromBackupVault on resource: {POINT} because no identity-based policy allows the backup:CopyFromBackupVault action"
        )
    );
    let boundary = json!({"arn": "arn:aws:iam::111122223333:policy/B", "policy": {"Statement": [
        {"Effect": "Allow", "Action": "backup:CopyFrom*", "Resource": "*"}]}});
    let (message, cause) = broken(&format!("{role}/permissions_boundary"), boundary);
    assert_eq!(cause, Some(Cause::PermissionsBoundary));
    assert!(
        message.ends_with(
            "because no permissions boundary allows the backup:CopyIntoBackupVault action"
        )
    );
}

#[test]
fn a_service_control_policy_denies_by_account_unit_or_root_but_not_elsewhere() {
    let policy = json!({"Statement": [{"Effect": "Deny", "Action": "backup:CopyFromBackupVault", "Resource": "*",
        "Condition": {"ForAnyValue:ArnLike": {"backup:CopyTargets": VAULT}}}]});
    for target in ["111122223333", "ou-ab12-11111111", "r-ab12"] {
        let attached = json!([{"name": "x", "targets": [target], "policy": policy}]);
        let (message, cause) = broken("/organizations/0/service_control_policies", attached);
        assert_eq!(cause, Some(Cause::ServiceControlPolicy));
        assert!(message.ends_with("with an explicit deny in a service control policy"));
    }
    let attached = json!([{"name": "x", "targets": ["444455556666"], "policy": policy}]);
    let world = with(
        world(),
        "/organizations/0/service_control_policies",
        attached,
    );
    assert!(run(&world, copy()).failure().is_none());
}

#[test]
fn what_is_gone_is_named_as_aws_names_it() {
    let mut gone = copy();
    gone.recovery_point = "arn:aws:ec2:us-east-1::snapshot/snap-1".parse().unwrap();
    assert_eq!(
        run(&world(), gone).status_message(),
        "Cannot find recovery point"
    );
    let mut gone = copy();
    gone.destination_vault = VAULT.replace(":dr", ":none").parse().unwrap();
    assert_eq!(
        run(&world(), gone).status_message(),
        "Backup job failed because backup vault arn:aws:backup:eu-west-1:444455556666:backup-vault:none does not exist."
    );
}

#[test]
fn another_account_must_be_in_the_organization_with_the_feature_on() {
    let members = json!({"111122223333": "o-exampleorgid/r-ab12/"});
    assert_eq!(
        broken("/organizations/0/member_accounts", members),
        (
            "Copy job failed. Both source and destination account must be a member of the same organization".to_owned(),
            Some(Cause::OrganizationMembership)
        )
    );
    assert_eq!(
        broken("/organizations/0/cross_account_backup_enabled", json!(false)),
        (
            "Copy job failed. Cross-account copy feature is not enabled for the current organization.".to_owned(),
            Some(Cause::CrossAccountBackupDisabled)
        )
    );
}

#[test]
fn the_resource_type_must_support_the_copy() {
    let (message, cause) = broken(&format!("{SOURCE_POINT}/resource_type"), json!("Redshift"));
    assert_eq!(cause, Some(Cause::UnsupportedResourceType));
    assert_eq!(
        message,
        "Copy job from us-east-1 to eu-west-1 cannot be initiated for Redshift resources. Feature is not supported for provided resource type."
    );
    assert_eq!(
        broken(
            &format!("{SOURCE_POINT}/resource_type"),
            json!("CloudFormation")
        )
        .1,
        Some(Cause::UnsupportedResourceType)
    );
}

#[test]
fn the_vault_policy_must_allow_and_not_deny() {
    let policy = format!("{DESTINATION_VAULT}/policy");
    let denied = (
        "Access Denied trying to call AWS Backup service".to_owned(),
        Some(Cause::DestinationVaultPolicy),
    );
    let other_organization = json!({"Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-otherorgid00"}}});
    assert_eq!(
        broken(&policy, json!({"Statement": [other_organization]})),
        denied
    );
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": "*"});
    let (message, cause) = broken(&policy, json!({"Statement": [allow_copy(), deny]}));
    assert_eq!(cause, Some(Cause::DestinationVaultDeny));
    assert_eq!(
        message,
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: backup:CopyIntoBackupVault on resource: {VAULT} with an explicit deny in a resource-based policy"
        )
    );
    for condition in [
        json!({"ArnEquals": {"aws:PrincipalArn": ROLE}, "StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}),
        json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-exampleorgid/r-ab12/ou-ab12-11111111/*"}}),
        json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}, "Bool": {"aws:SecureTransport": "true"}}),
        json!({"StringLike": {"aws:userId": "*:AWSBackup-BackupRole"}}),
    ] {
        let statement = json!({"Effect": "Allow", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": VAULT, "Condition": condition});
        let world = with(
            world(),
            &policy,
            json!({"Version": "2012-10-17", "Statement": statement}),
        );
        assert!(run(&world, copy()).failure().is_none(), "{statement}");
    }
}

/// The same account, another Region.
fn same_account() -> (serde_json::Value, copymend_sandbox::NewCopy) {
    let key = "arn:aws:kms:us-west-2:111122223333:key/33333333-3333-4333-8333-333333333333";
    let vault = json!({"vaults": {"west": {"encryption_key_arn": key}},
        "keys": {"33333333-3333-4333-8333-333333333333": {}}});
    let mut copy = copy();
    copy.destination_vault = "arn:aws:backup:us-west-2:111122223333:backup-vault:west"
        .parse()
        .unwrap();
    (
        with(world(), &format!("{SOURCE}/regions/us-west-2"), vault),
        copy,
    )
}

#[test]
fn within_one_account_only_a_deny_stops_a_copy() {
    let (world, copy) = same_account();
    assert!(run(&world, copy.clone()).failure().is_none());
    let policy = json!({"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": "*"}]});
    let denied = with(
        world,
        &format!("{SOURCE}/regions/us-west-2/vaults/west/policy"),
        policy,
    );
    assert_eq!(
        run(&denied, copy).failure().unwrap().cause,
        Some(Cause::DestinationVaultDeny)
    );
}

#[test]
fn within_one_account_aws_managed_keys_and_backups_without_a_key_can_be_copied() {
    let (world, copy) = same_account();
    let managed = with(
        world.clone(),
        &format!("{SOURCE_KEY}/manager"),
        json!("AWS"),
    );
    assert!(run(&managed, copy.clone()).failure().is_none());
    let mut plain = world;
    plain
        .pointer_mut(SOURCE_POINT)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove("encryption_key_arn");
    assert!(run(&plain, copy).failure().is_none());
}

#[test]
fn the_retention_must_be_in_the_vaults_range() {
    let locked = with(
        world(),
        &format!("{DESTINATION_VAULT}/lock"),
        json!({"min_retention_days": 30, "max_retention_days": 90}),
    );
    for (days, fits) in [
        (Some(30), true),
        (Some(90), true),
        (Some(29), false),
        (Some(91), false),
        (Some(-1), false),
        (None, false),
    ] {
        let mut copy = copy();
        copy.lifecycle = Some(Lifecycle {
            delete_after_days: days,
            ..Lifecycle::default()
        });
        let job = run(&locked, copy);
        assert_eq!(job.failure().is_none(), fits, "{days:?}");
    }
}

#[test]
fn tags_must_fit_the_limit_and_the_organizations_policy() {
    let many: serde_json::Map<_, _> = (0..51)
        .map(|index| (format!("k{index}"), json!("v")))
        .collect();
    assert_eq!(
        broken(&format!("{SOURCE_POINT}/tags"), many.into()),
        (
            "The resultant tag set must not have more than 50 user tags.".to_owned(),
            Some(Cause::TagLimit)
        )
    );
    let governed = with(
        world(),
        "/organizations/0/tag_policies",
        json!({"Stage": ["prod", "test-*"]}),
    );
    for (value, fits) in [("prod", true), ("test-1", true), ("prd", false)] {
        let tagged = with(
            governed.clone(),
            &format!("{SOURCE_POINT}/tags"),
            json!({"Stage": value}),
        );
        let job = run(&tagged, copy());
        assert_eq!(job.failure().is_none(), fits, "{value}");
        if !fits {
            assert_eq!(
                job.status_message(),
                "The tag policy does not allow the specified value for the following tag key: 'Stage'."
            );
        }
    }
}

#[test]
fn faults_spoil_as_many_attempts_as_they_say_and_only_those_that_would_work() {
    let job = json!({
        "id": "first", "recovery_point_arn": POINT, "source_vault_arn": crate::small::SOURCE_VAULT,
        "destination_vault_arn": VAULT, "iam_role_arn": ROLE, "creation_date": "2026-11-01T03:00:00Z",
        "faults": [{"message": "An internal error occurred.", "attempts": 2}]
    });
    let mut world = load(&with(world(), "/copy_jobs", json!([job])));
    assert_eq!(
        world.copy_job("first").unwrap().status_message(),
        "An internal error occurred."
    );
    assert_eq!(
        world.start_copy(copy()).unwrap().status_message(),
        "An internal error occurred."
    );
    assert_eq!(
        world.start_copy(copy()).unwrap().state(),
        CopyJobState::Completed
    );
}
