//! The condition keys and tags that AWS puts into every request, on every layer that is asked.

use copymend_diagnosis::Cause;
use serde_json::{Value, json};

use crate::small::{broken, copy, key_policy, run, with, world};

const CONTROLS: &str = "/organizations/0/service_control_policies";
const VAULT_POLICY: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr/policy";
const VAULT_TAGS: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr/tags";
const SOURCE_KEY: &str =
    "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111";

fn control(action: &str, condition: &Value) -> Value {
    json!([{"name": "x", "targets": ["r-ab12"], "policy": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition}]}}])
}

fn passes(world: &Value) -> bool {
    run(world, copy()).failure().is_none()
}

/// The keys of every request, each with a condition that a Deny needs to match, and one that it
/// must not.
#[test]
fn a_service_control_policy_sees_the_keys_of_every_request() {
    for (operator, key, here, elsewhere) in [
        (
            "StringEquals",
            "aws:RequestedRegion",
            "eu-west-1",
            "eu-west-2",
        ),
        ("Bool", "aws:SecureTransport", "true", "false"),
        ("Bool", "aws:PrincipalIsAWSService", "false", "true"),
        ("Bool", "aws:ViaAWSService", "false", "true"),
        ("Bool", "aws:MultiFactorAuthPresent", "false", "true"),
        (
            "DateGreaterThan",
            "aws:CurrentTime",
            "2026-11-02T05:59:59Z",
            "2026-11-02T06:00:01Z",
        ),
        (
            "NumericGreaterThan",
            "aws:EpochTime",
            "1793599199",
            "1893599200",
        ),
        (
            "DateLessThan",
            "aws:TokenIssueTime",
            "2026-11-02T06:00:01Z",
            "2026-11-02T05:59:59Z",
        ),
        (
            "StringLike",
            "aws:userid",
            "AROA*:AWSBackup-BackupRole",
            "AIDA*",
        ),
        (
            "StringEquals",
            "aws:PrincipalAccount",
            "111122223333",
            "444455556666",
        ),
        ("StringEquals", "aws:PrincipalType", "AssumedRole", "User"),
        (
            "StringEquals",
            "aws:PrincipalOrgID",
            "o-exampleorgid",
            "o-otherorgid00",
        ),
        (
            "StringEquals",
            "aws:ResourceAccount",
            "444455556666",
            "111122223333",
        ),
        (
            "StringEquals",
            "aws:ResourceOrgID",
            "o-exampleorgid",
            "o-otherorgid00",
        ),
        (
            "ForAnyValue:StringLike",
            "aws:PrincipalOrgPaths",
            "o-exampleorgid/*/ou-ab12-11111111/",
            "o-exampleorgid/*/ou-ab12-22222222/",
        ),
        (
            "ForAnyValue:StringLike",
            "aws:ResourceOrgPaths",
            "o-exampleorgid/*/ou-ab12-22222222/",
            "o-exampleorgid/*/ou-ab12-11111111/",
        ),
        (
            "ArnEquals",
            "aws:PrincipalArn",
            "arn:aws:iam::111122223333:role/BackupRole",
            "arn:aws:iam::111122223333:role/Another",
        ),
    ] {
        let condition = |value: &str| json!({operator: {key: value}});
        let action = "backup:CopyIntoBackupVault";
        let (message, cause) = broken(CONTROLS, control(action, &condition(here)));
        assert_eq!(cause, Some(Cause::ServiceControlPolicy), "{key}");
        assert!(message.ends_with("with an explicit deny in a service control policy"));
        let other = with(world(), CONTROLS, control(action, &condition(elsewhere)));
        assert!(passes(&other), "{key}");
    }
}

/// The policy that most organizations have: everything outside some Regions is denied.
#[test]
fn a_list_of_allowed_regions_refuses_copies_to_the_others_alone() {
    let outside = |regions: Value| {
        json!([{"name": "Regions", "targets": ["r-ab12"], "policy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "NotAction": ["iam:*", "organizations:*", "sts:*"], "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": regions}}}]}}])
    };
    let allowed = with(
        world(),
        CONTROLS,
        outside(json!(["us-east-1", "eu-west-1"])),
    );
    assert!(passes(&allowed));
    let (message, cause) = broken(CONTROLS, outside(json!(["us-east-1"])));
    assert_eq!(cause, Some(Cause::ServiceControlPolicy));
    assert!(message.contains("perform: backup:CopyIntoBackupVault on resource"));
}

/// AWS's own example of a service control policy asks for a tag of the destination vault.
#[test]
fn the_tags_of_the_vault_are_seen_by_every_policy_over_the_copy() {
    let untagged = json!({"Null": {"aws:ResourceTag/DestinationBackupVault": "true"}});
    let tagged = json!({"DestinationBackupVault": "yes"});
    let deny = |condition: &Value| json!({"Effect": "Deny", "Action": "backup:CopyIntoBackupVault", "Resource": "*", "Condition": condition});
    let allow = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let role = "/accounts/111122223333/roles/BackupRole";
    let mut in_vault = deny(&untagged);
    in_vault["Principal"] = json!("*");
    let policy = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    for (at, value, cause) in [
        (
            CONTROLS.to_owned(),
            control("backup:CopyIntoBackupVault", &untagged),
            Cause::ServiceControlPolicy,
        ),
        (
            format!("{role}/policies"),
            json!({"tagged": policy(json!([deny(&untagged)]))}),
            Cause::JobRolePermission,
        ),
        (
            format!("{role}/permissions_boundary"),
            json!({"arn": "arn:aws:iam::111122223333:policy/B", "policy": policy(json!([allow, deny(&untagged)]))}),
            Cause::PermissionsBoundary,
        ),
        (
            VAULT_POLICY.to_owned(),
            policy(json!([crate::small::allow_copy(), in_vault])),
            Cause::DestinationVaultDeny,
        ),
    ] {
        assert_eq!(broken(&at, value.clone()).1, Some(cause), "{at}");
        let world = with(with(world(), &at, value), VAULT_TAGS, tagged.clone());
        assert!(passes(&world), "{at}");
    }
}

#[test]
fn the_tags_of_the_recovery_point_and_of_the_key_are_seen() {
    let untagged = json!({"Null": {"aws:ResourceTag/Stage": "true"}});
    let from = control("backup:CopyFromBackupVault", &untagged);
    assert_eq!(
        broken(CONTROLS, from.clone()).1,
        Some(Cause::ServiceControlPolicy)
    );
    let point = "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0/tags";
    let tags = json!({"Stage": "prod"});
    assert!(passes(&with(
        with(world(), CONTROLS, from),
        point,
        tags.clone()
    )));

    let mut policy = key_policy();
    policy["Statement"].as_array_mut().unwrap().push(
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:DescribeKey", "Resource": "*", "Condition": untagged}),
    );
    let at = format!("{SOURCE_KEY}/policy");
    assert_eq!(broken(&at, policy.clone()).1, Some(Cause::SourceKeyDeny));
    let tagged = with(
        with(world(), &at, policy),
        &format!("{SOURCE_KEY}/tags"),
        tags,
    );
    assert!(passes(&tagged));
}

/// The keys of KMS, seen by the policy of the source key.
#[test]
fn a_key_policy_sees_what_a_grant_is_for_and_who_gets_it() {
    let at = format!("{SOURCE_KEY}/policy");
    for (operator, key, here, elsewhere) in [
        (
            "ForAnyValue:StringEquals",
            "kms:GrantOperations",
            "Decrypt",
            "Sign",
        ),
        (
            "StringLike",
            "kms:GranteePrincipal",
            "arn:aws:sts::444455556666:assumed-role/aws:ec2-infrastructure/*",
            "arn:aws:iam::444455556666:role/*",
        ),
        ("Bool", "kms:GrantIsForAWSResource", "true", "false"),
        ("Bool", "aws:ViaAWSService", "true", "false"),
        (
            "StringEquals",
            "kms:ViaService",
            "ec2.eu-west-1.amazonaws.com",
            "rds.eu-west-1.amazonaws.com",
        ),
        (
            "StringEquals",
            "kms:CallerAccount",
            "444455556666",
            "111122223333",
        ),
        (
            "StringEquals",
            "kms:KeySpec",
            "SYMMETRIC_DEFAULT",
            "RSA_2048",
        ),
        (
            "StringEquals",
            "kms:KeyUsage",
            "ENCRYPT_DECRYPT",
            "SIGN_VERIFY",
        ),
        ("StringEquals", "kms:KeyOrigin", "AWS_KMS", "EXTERNAL"),
        ("Bool", "kms:MultiRegion", "false", "true"),
    ] {
        let denying = |value: &str| {
            let mut policy = key_policy();
            policy["Statement"].as_array_mut().unwrap().push(json!({"Effect": "Deny", "Principal": "*",
                "Action": "kms:CreateGrant", "Resource": "*", "Condition": {operator: {key: value}}}));
            policy
        };
        let (message, cause) = broken(&at, denying(here));
        assert_eq!(cause, Some(Cause::SourceKeyDeny), "{key}");
        assert!(message.ends_with("with an explicit deny in a resource-based policy"));
        assert!(passes(&with(world(), &at, denying(elsewhere))), "{key}");
    }
}

/// Nothing documents how AWS Backup names its sessions: a world may name them otherwise, and a
/// policy that rests on the name that was seen fails then.
#[test]
fn a_policy_that_names_the_job_roles_session_depends_on_a_name_that_may_be_another() {
    let session = "arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole";
    let policy = |principal: Value, condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal,
            "Action": "backup:CopyIntoBackupVault", "Resource": "*", "Condition": condition}]})
    };
    for policy in [
        policy(json!({"AWS": session}), json!({})),
        policy(
            json!("*"),
            json!({"StringLike": {"aws:userid": "*:AWSBackup-BackupRole"}}),
        ),
    ] {
        let seen = with(world(), VAULT_POLICY, policy);
        assert!(passes(&seen));
        let another = with(seen, "/session_name", json!("6f1c2d3e"));
        let job = run(&another, copy());
        assert_eq!(
            job.failure().unwrap().cause,
            Some(Cause::DestinationVaultPolicy)
        );
    }
    let denied = json!({"Version": "2012-10-17", "Statement": [crate::small::allow_copy(),
        {"Effect": "Deny", "Principal": "*", "Action": "backup:CopyIntoBackupVault", "Resource": "*"}]});
    let denied = with(
        with(world(), VAULT_POLICY, denied),
        "/session_name",
        json!("6f1c2d3e"),
    );
    assert!(run(&denied, copy()).status_message().starts_with(
        "User: arn:aws:sts::111122223333:assumed-role/BackupRole/6f1c2d3e is not authorized"
    ));
}
