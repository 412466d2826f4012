//! A small world in which one copy works, to be broken one rule at a time.

use copymend_diagnosis::Cause;
use copymend_sandbox::{CopyJob, NewCopy, World};
use serde_json::{Value, json};

pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";
pub(crate) const SOURCE_VAULT: &str = "arn:aws:backup:us-east-1:111122223333:backup-vault:prod";
pub(crate) const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
pub(crate) const KEY: &str =
    "arn:aws:kms:us-east-1:111122223333:key/11111111-1111-4111-8111-111111111111";
pub(crate) const POINT: &str = "arn:aws:ec2:us-east-1::snapshot/snap-0123456789abcdef0";

/// A world as JSON in which the copy of an encrypted EBS snapshot to another account and Region
/// works.
pub(crate) fn world() -> Value {
    json!({
        "organizations": [{
            "id": "o-exampleorgid",
            "management_account": "999988887777",
            "cross_account_backup_enabled": true,
            "member_accounts": {
                "111122223333": "o-exampleorgid/r-ab12/ou-ab12-11111111/",
                "444455556666": "o-exampleorgid/r-ab12/ou-ab12-22222222/"
            }
        }],
        "accounts": {
            "111122223333": {
                "roles": {"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}},
                "regions": {"us-east-1": {
                    "vaults": {"prod": {"recovery_points": [{
                        "arn": POINT,
                        "resource_arn": "arn:aws:ec2:us-east-1:111122223333:volume/vol-0123456789abcdef0",
                        "resource_type": "EBS",
                        "encryption_key_arn": KEY,
                        "size_in_bytes": 1024
                    }]}},
                    "keys": {"11111111-1111-4111-8111-111111111111": {"policy": key_policy()}}
                }}
            },
            "444455556666": {"regions": {"eu-west-1": {
                "vaults": {"dr": {
                    "encryption_key_arn": "arn:aws:kms:eu-west-1:444455556666:key/22222222-2222-4222-8222-222222222222",
                    "policy": {"Version": "2012-10-17", "Statement": [allow_copy()]}
                }},
                "keys": {"22222222-2222-4222-8222-222222222222": {}}
            }}},
            "999988887777": {}
        }
    })
}

pub(crate) fn allow_copy() -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "backup:CopyIntoBackupVault", "Resource": "*"})
}

pub(crate) fn owner() -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "kms:*", "Resource": "*"})
}

pub(crate) fn key_policy() -> Value {
    let role = "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
    json!({"Version": "2012-10-17", "Statement": [
        owner(),
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:DescribeKey", "Resource": "*"},
        {"Effect": "Allow", "Principal": {"AWS": role},
            "Action": ["kms:ReEncryptFrom", "kms:GenerateDataKeyWithoutPlaintext"], "Resource": "*",
            "Condition": {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}},
        {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:CreateGrant", "Resource": "*",
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}, "StringEquals": {
                "aws:PrincipalOrgID": "o-exampleorgid", "kms:CallerAccount": "444455556666"}}}
    ]})
}

/// Replaces one value of the world; missing objects on the way are made.
pub(crate) fn with(mut world: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = world
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{parent} exists"));
    match parent {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        Value::Object(members) => {
            members.insert(name.to_owned(), value);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("{pointer} has no place")
        }
    }
    world
}

pub(crate) fn load(world: &Value) -> World {
    World::from_json(&world.to_string()).unwrap()
}

pub(crate) fn copy() -> NewCopy {
    NewCopy {
        id: None,
        name: None,
        recovery_point: POINT.parse().unwrap(),
        source_vault: SOURCE_VAULT.parse().unwrap(),
        destination_vault: VAULT.parse().unwrap(),
        role: ROLE.parse().unwrap(),
        lifecycle: None,
        created_by: None,
        created: "2026-11-02T06:00:00Z".parse().unwrap(),
        resource: None,
        resource_type: None,
    }
}

pub(crate) fn run(world: &Value, copy: NewCopy) -> CopyJob {
    load(world).start_copy(copy).unwrap().clone()
}

/// Runs the usual copy in a changed world; the message and the rule that was broken.
pub(crate) fn broken(pointer: &str, value: Value) -> (String, Option<Cause>) {
    let job = run(&with(world(), pointer, value), copy());
    let failure = job
        .failure()
        .unwrap_or_else(|| panic!("{pointer} breaks the copy"))
        .clone();
    (failure.message, failure.cause)
}
