//! One way to break the healthy copy for every cause that can be checked.

use copymend_diagnosis::Cause;
use serde_json::{Value, json};

use super::scene::{
    COPY, DESTINATION, KEY, KEYS, ORGANIZATION, POINT, POINTS, ROLE, SOURCE, Scene, VAULT, VAULTS,
};

/// A way to break the copy.
#[derive(Clone, Copy)]
pub(crate) struct Break {
    pub(crate) cause: Cause,
    pub(crate) apply: fn(&mut Scene),
}

const fn by(cause: Cause, apply: fn(&mut Scene)) -> Break {
    Break { cause, apply }
}

/// In the order in which they must be put right: an earlier one stops the copy before a later one
/// comes into play.
pub(crate) const BREAKS: [Break; 24] = [
    by(Cause::JobRoleMissing, job_role_missing),
    by(Cause::JobRoleTrust, job_role_trust),
    by(Cause::SourceVaultDeny, source_vault_deny),
    by(Cause::ServiceControlPolicy, service_control_policy),
    by(Cause::JobRolePermission, job_role_permission),
    by(Cause::PermissionsBoundary, permissions_boundary),
    by(Cause::SourceNotFound, source_not_found),
    by(Cause::VaultNotFound, vault_not_found),
    by(Cause::OrganizationMembership, organization_membership),
    by(
        Cause::CrossAccountBackupDisabled,
        cross_account_backup_disabled,
    ),
    by(Cause::UnsupportedResourceType, unsupported_resource_type),
    by(Cause::DestinationVaultDeny, destination_vault_deny),
    by(Cause::DestinationVaultPolicy, destination_vault_policy),
    by(Cause::DestinationVaultKey, destination_vault_key),
    by(Cause::RetentionOutOfRange, retention_out_of_range),
    by(Cause::ResourceControlPolicy, resource_control_policy),
    by(Cause::ServiceLinkedRole, service_linked_role),
    by(Cause::AwsManagedKey, aws_managed_key),
    by(Cause::KeyNotFound, key_not_found),
    by(Cause::SourceKeyState, source_key_state),
    by(Cause::SourceKeyDeny, source_key_deny),
    by(Cause::SourceKeyPolicy, source_key_policy),
    by(Cause::TagLimit, tag_limit),
    by(Cause::TagPolicy, tag_policy),
];

fn job_role_missing(scene: &mut Scene) {
    scene.remove(&format!("{SOURCE}/roles"), "BackupRole");
}

fn job_role_trust(scene: &mut Scene) {
    scene.set(
        ROLE,
        "trust_policy",
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}),
    );
}

fn service_control_policy(scene: &mut Scene) {
    scene.set(
        ORGANIZATION,
        "service_control_policies",
        json!([{"name": "no copies", "targets": ["ou-ab12-11111111"], "policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": "backup:CopyIntoBackupVault", "Resource": "*"}]}}]),
    );
}

fn job_role_permission(scene: &mut Scene) {
    scene.set(ROLE, "managed_policies", json!([]));
    scene.set(
        ROLE,
        "policies",
        json!({"half": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "backup:CopyFromBackupVault", "Resource": "*"}]}}),
    );
}

fn permissions_boundary(scene: &mut Scene) {
    scene.set(
        ROLE,
        "permissions_boundary",
        json!({"arn": "arn:aws:iam::111122223333:policy/Boundary", "policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "backup:CopyFromBackupVault", "Resource": "*"}]}}),
    );
}

fn source_not_found(scene: &mut Scene) {
    let point = scene.at(POINTS).as_array_mut().unwrap().remove(0);
    scene.set(COPY, "resource_arn", point["resource_arn"].clone());
    scene.set(COPY, "resource_type", point["resource_type"].clone());
}

fn vault_not_found(scene: &mut Scene) {
    scene.remove(VAULTS, "dr");
}

fn organization_membership(scene: &mut Scene) {
    scene.remove(&format!("{ORGANIZATION}/member_accounts"), "444455556666");
    scene.set(
        "/organizations/1/member_accounts",
        "444455556666",
        json!("o-acquired2024/r-zz99/"),
    );
}

fn cross_account_backup_disabled(scene: &mut Scene) {
    scene.set(ORGANIZATION, "cross_account_backup_enabled", json!(false));
}

fn unsupported_resource_type(scene: &mut Scene) {
    let arn = json!("arn:aws:redshift:us-east-1:111122223333:snapshot:sales/awsbackup-1");
    scene.set(POINT, "arn", arn.clone());
    scene.set(
        POINT,
        "resource_arn",
        json!("arn:aws:redshift:us-east-1:111122223333:cluster:sales"),
    );
    scene.set(POINT, "resource_type", json!("Redshift"));
    scene.set(COPY, "recovery_point_arn", arn);
}

fn source_vault_deny(scene: &mut Scene) {
    let deny = json!({"Sid": "NoCopyOut", "Effect": "Deny", "Principal": "*",
        "Action": "backup:CopyFromBackupVault", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [deny]});
    let vault = format!("{SOURCE}/regions/us-east-1/vaults/prod");
    scene.set(&vault, "policy", policy);
}

fn destination_vault_deny(scene: &mut Scene) {
    scene
        .statements(VAULT)
        .push(json!({"Sid": "Nobody", "Effect": "Deny", "Principal": "*",
        "Action": "backup:CopyIntoBackupVault", "Resource": "*"}));
}

fn destination_vault_policy(scene: &mut Scene) {
    scene
        .statements(VAULT)
        .retain(|statement| statement["Sid"] != "Admit");
}

fn destination_vault_key(scene: &mut Scene) {
    scene.remove(VAULT, "encryption_key_arn");
}

fn retention_out_of_range(scene: &mut Scene) {
    scene.set(VAULT, "lock", json!({"min_retention_days": 90}));
}

/// The job role uses the customer managed key of a logically air-gapped vault.
fn resource_control_policy(scene: &mut Scene) {
    scene.set(
        VAULT,
        "vault_type",
        json!("LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),
    );
    scene.admit_job_role_to_vault_key();
    scene.destination_organization()["resource_control_policies"] = json!([{"name": "keys", "targets": ["444455556666"],
        "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:PrincipalAccount": "444455556666"}}}]}}]);
}

fn service_linked_role(scene: &mut Scene) {
    scene.set(DESTINATION, "service_linked_role", json!(false));
}

fn aws_managed_key(scene: &mut Scene) {
    scene.set(KEY, "manager", json!("AWS"));
    scene.remove(KEY, "policy");
}

fn key_not_found(scene: &mut Scene) {
    scene.remove(KEYS, "11111111-1111-4111-8111-111111111111");
}

fn source_key_state(scene: &mut Scene) {
    scene.set(KEY, "state", json!("Disabled"));
}

fn source_key_deny(scene: &mut Scene) {
    scene.statements(KEY).push(
        json!({"Sid": "OwnAccountOnly", "Effect": "Deny", "Principal": "*",
        "Action": "kms:CreateGrant", "Resource": "*",
        "Condition": {"StringNotEquals": {"kms:CallerAccount": "111122223333"}}}),
    );
}

fn source_key_policy(scene: &mut Scene) {
    scene
        .statements(KEY)
        .retain(|statement| statement["Sid"] != "Share");
}

fn tag_limit(scene: &mut Scene) {
    let tags = scene.at(&format!("{POINT}/tags"));
    for index in 0..50 {
        tags[format!("key-{index}")] = Value::from("value");
    }
}

fn tag_policy(scene: &mut Scene) {
    scene.at(&format!("{POINT}/tags"))["Stage"] = json!("prd");
    scene.destination_organization()["tag_policies"] = json!({"Stage": {"values": ["prod", "test-*"], "enforced_for": ["ec2:snapshot", "redshift:*"]}});
}
