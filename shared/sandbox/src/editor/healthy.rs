//! Healthy worlds.

use serde_json::{Value, json};

use super::shape::{Backup, Shape, VaultKind};

/// The id of the one copy job of a world that the editor made.
pub const JOB: &str = "11111111-2222-4333-8444-555555555555";

pub(super) const SOURCE: &str = "111122223333";
const DESTINATION: &str = "444455556666";
/// Owns keys, and nothing else.
const THIRD: &str = "222233334444";
const MANAGEMENT: &str = "999988887777";
pub(super) const ORGANIZATION: &str = "/organizations/0";
pub(super) const ROLE: &str = "/accounts/111122223333/roles/BackupRole";
pub(super) const ROLE_ARN: &str = "arn:aws:iam::111122223333:role/BackupRole";
pub(super) const COPY: &str = "/copy_jobs/0";

const SOURCE_KEY: &str = "11111111-1111-4111-8111-111111111111";
const VAULT_KEY: &str = "22222222-2222-4222-8222-222222222222";
const SECOND_KEY: &str = "33333333-3333-4333-8333-333333333333";

/// Where the parts of a world of some shape are: JSON pointers and ARNs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Places {
    pub(super) destination_account: &'static str,
    pub(super) source_region: &'static str,
    pub(super) destination_region: &'static str,
    pub(super) source_vault: String,
    pub(super) vault: String,
    pub(super) vault_arn: String,
    pub(super) point: String,
    pub(super) point_arn: String,
    pub(super) source_key: String,
    pub(super) source_key_arn: String,
    pub(super) second_key: String,
    pub(super) second_key_arn: String,
    pub(super) vault_key: String,
    pub(super) vault_key_arn: String,
    pub(super) linked_role: String,
}

impl Places {
    pub(super) fn of(shape: Shape) -> Self {
        let destination_account = if shape.cross_account {
            DESTINATION
        } else {
            SOURCE
        };
        let (source_region, destination_region) = regions(shape);
        let source_owner = if shape.foreign_source_key {
            THIRD
        } else {
            SOURCE
        };
        let vault_owner = if shape.foreign_vault_key {
            THIRD
        } else {
            destination_account
        };
        let key = |owner: &str, region: &str, id: &str| {
            (
                format!("/accounts/{owner}/regions/{region}/keys/{id}"),
                format!("arn:aws:kms:{region}:{owner}:key/{id}"),
            )
        };
        let (source_key, source_key_arn) = key(source_owner, source_region, SOURCE_KEY);
        let (second_key, second_key_arn) = key(SOURCE, source_region, SECOND_KEY);
        let (vault_key, vault_key_arn) = key(vault_owner, destination_region, VAULT_KEY);
        let source_vault = format!("/accounts/{SOURCE}/regions/{source_region}/vaults/prod");
        Self {
            destination_account,
            source_region,
            destination_region,
            point: format!("{source_vault}/recovery_points/0"),
            source_vault,
            vault: format!(
                "/accounts/{destination_account}/regions/{destination_region}/vaults/dr"
            ),
            vault_arn: format!(
                "arn:aws:backup:{destination_region}:{destination_account}:backup-vault:dr"
            ),
            point_arn: point_arn(shape, source_region),
            source_key,
            source_key_arn,
            second_key,
            second_key_arn,
            vault_key,
            vault_key_arn,
            linked_role: format!(
                "arn:aws:iam::{destination_account}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup"
            ),
        }
    }
}

/// Where a copy begins and where it ends.
fn regions(shape: Shape) -> (&'static str, &'static str) {
    match (shape.opt_in_region, shape.cross_region) {
        (false, false) => ("us-east-1", "us-east-1"),
        (false, true) => ("us-east-1", "eu-west-1"),
        (true, false) => ("eu-south-1", "eu-south-1"),
        // The job role uses the key of an air-gapped vault where that is.
        (true, true) if shape.enters_air_gapped() => ("us-east-1", "eu-south-1"),
        (true, true) => ("eu-south-1", "eu-west-1"),
    }
}

fn point_arn(shape: Shape, region: &str) -> String {
    if shape.leaves_air_gapped() || shape.is_fully_managed() {
        return format!(
            "arn:aws:backup:{region}:{SOURCE}:recovery-point:9e1d2c3b-0000-4000-8000-000000000001"
        );
    }
    match shape.backup {
        Backup::Ebs | Backup::PlainEbs => {
            format!("arn:aws:ec2:{region}::snapshot/snap-0123456789abcdef0")
        }
        Backup::Image => format!("arn:aws:ec2:{region}::image/ami-0123456789abcdef0"),
        Backup::Rds => format!("arn:aws:rds:{region}:{SOURCE}:snapshot:awsbackup:job-0123456789"),
        Backup::Aurora => {
            format!("arn:aws:rds:{region}:{SOURCE}:cluster-snapshot:awsbackup:job-0123456789")
        }
        Backup::Fsx | Backup::S3 => {
            format!("arn:aws:fsx:{region}:{SOURCE}:backup/backup-0123456789abcdef0")
        }
    }
}

fn point(shape: Shape, places: &Places) -> Value {
    let region = places.source_region;
    let of =
        |service: &str, resource: &str| format!("arn:aws:{service}:{region}:{SOURCE}:{resource}");
    let (resource_type, resource) = match shape.backup {
        Backup::Ebs | Backup::PlainEbs => ("EBS", of("ec2", "volume/vol-0123456789abcdef0")),
        Backup::Image => ("EC2", of("ec2", "instance/i-0123456789abcdef0")),
        Backup::Rds => ("RDS", of("rds", "db:sales")),
        Backup::Aurora => ("Aurora", of("rds", "cluster:sales")),
        Backup::Fsx => ("FSx", of("fsx", "file-system/fs-0123456789abcdef0")),
        Backup::S3 => ("S3", "arn:aws:s3:::documents".to_owned()),
    };
    let mut point = json!({
        "arn": places.point_arn,
        "resource_arn": resource,
        "resource_type": resource_type,
        "tags": {"Stage": "prod", "aws:backup:source-resource": "resource"},
        "size_in_bytes": 1_073_741_824_u64
    });
    let has_own_key =
        shape.has_source_key() && !shape.leaves_air_gapped() && !shape.is_fully_managed();
    let fields = point.as_object_mut();
    if let Some(fields) = fields.filter(|_| has_own_key) {
        let key = &places.source_key_arn;
        fields.insert("encryption_key_arn".to_owned(), json!(key));
        if shape.backup == Backup::Image {
            let snapshots =
                [key, &places.second_key_arn].map(|key| json!({"encryption_key_arn": key}));
            fields.insert("snapshots".to_owned(), json!(snapshots));
        }
    }
    point
}

/// The policy of a key that these use: what AWS documents for the keys of logically air-gapped
/// vaults, which is more than other copies need. Where the key's own account uses it, the key
/// doesn't delegate its use to the account, so that these statements decide.
fn key_policy(owner: &str, users: &[&str]) -> Value {
    let is_of = |user: &&str| user.contains(&format!(":{owner}:"));
    let administration = if users.iter().any(is_of) {
        json!([
            "kms:Describe*",
            "kms:Get*",
            "kms:List*",
            "kms:Put*",
            "kms:Update*",
            "kms:ScheduleKeyDeletion"
        ])
    } else {
        json!("kms:*")
    };
    let mut statements = vec![
        json!({"Sid": "Owner", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{owner}:root")},
            "Action": administration, "Resource": "*"}),
    ];
    if !users.is_empty() {
        statements.push(json!({"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": users},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            "Resource": "*"}));
        statements.push(
            json!({"Sid": "Grant", "Effect": "Allow", "Principal": {"AWS": users},
            "Action": "kms:CreateGrant", "Resource": "*",
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}),
        );
    }
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn vault(kind: VaultKind, key: Option<&str>) -> Value {
    let keep = json!({"Sid": "Keep", "Effect": "Deny", "Principal": "*", "Action": "backup:DeleteRecoveryPoint",
        "Resource": "*"});
    let mut vault = json!({"policy": {"Version": "2012-10-17", "Statement": [keep]}});
    let Some(fields) = vault.as_object_mut() else {
        return vault;
    };
    if let Some(key) = key {
        fields.insert("encryption_key_arn".to_owned(), json!(key));
    }
    if kind != VaultKind::Standard {
        fields.insert(
            "vault_type".to_owned(),
            json!("LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),
        );
        let lock = json!({"min_retention_days": 7, "max_retention_days": 365});
        fields.insert("lock".to_owned(), lock);
    }
    vault
}

/// The users of a key, by two questions.
fn users(places: &Places, by_job_role: bool, by_linked_role: bool) -> Vec<&str> {
    let job_role = by_job_role.then_some(ROLE_ARN);
    let linked_role = by_linked_role.then_some(places.linked_role.as_str());
    job_role.into_iter().chain(linked_role).collect()
}

/// A world of this shape in which the copy completes. No policy in it speaks of the organization,
/// so that each thing can be broken alone.
pub(super) fn world(shape: Shape, places: &Places) -> Value {
    let source_users = users(
        places,
        shape.job_role_uses_source_key(),
        shape.linked_role_uses_source_key(),
    );
    let vault_users = users(
        places,
        shape.job_role_uses_vault_key(),
        shape.linked_role_uses_vault_key(),
    );
    let path = |unit: &str| format!("o-exampleorgid/r-ab12/ou-ab12-{unit}/");
    let mut world = json!({
        "organizations": [
            {
                "id": "o-exampleorgid",
                "management_account": MANAGEMENT,
                "cross_account_backup_enabled": true,
                "member_accounts": {SOURCE: path("11111111"), DESTINATION: path("22222222"), THIRD: path("33333333")}
            },
            {
                "id": "o-acquired2024",
                "management_account": "567856785678",
                "cross_account_backup_enabled": true,
                "member_accounts": {}
            }
        ],
        "accounts": {
            SOURCE: {
                "roles": {
                    "BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]},
                    // What policies may admit in the place of the job role.
                    "BackupRoleOther": {}
                },
                "regions": {}
            },
            DESTINATION: {"regions": {}},
            THIRD: {"regions": {}},
            MANAGEMENT: {},
            "567856785678": {}
        },
        "copy_jobs": [{
            "id": JOB,
            "recovery_point_arn": places.point_arn,
            "source_vault_arn": format!("arn:aws:backup:{}:{SOURCE}:backup-vault:prod", places.source_region),
            "destination_vault_arn": places.vault_arn,
            "iam_role_arn": ROLE_ARN,
            "creation_date": "2026-11-02T05:00:00Z",
            "lifecycle": {"delete_after_days": 35},
            "created_by": {
                "backup_plan_arn": format!("arn:aws:backup:{}:{SOURCE}:backup-plan:plan-1", places.source_region),
                "backup_plan_id": "plan-1",
                "backup_rule_id": "rule-1"
            }
        }]
    });
    // A copy from one air-gapped vault to another can't be scheduled (documented: "Logically
    // air-gapped vault").
    let is_on_demand = shape.leaves_air_gapped() && shape.enters_air_gapped();
    let job = world.pointer_mut(COPY).and_then(Value::as_object_mut);
    if let Some(job) = job.filter(|_| is_on_demand) {
        job.shift_remove("created_by");
    }
    let needs_vault_key = shape.leaves_air_gapped() || shape.is_fully_managed();
    let source_vault_key =
        (needs_vault_key && shape.has_source_key()).then_some(places.source_key_arn.as_str());
    let mut source_vault = vault(shape.source, source_vault_key);
    if let Some(fields) = source_vault.as_object_mut() {
        fields.insert("recovery_points".to_owned(), json!([point(shape, places)]));
    }
    let key = shape
        .has_vault_key()
        .then_some(places.vault_key_arn.as_str());
    let mut destination_vault = vault(shape.destination, key);
    if shape.cross_account {
        let admit = json!({"Sid": "Admit", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{SOURCE}:root")},
            "Action": "backup:CopyIntoBackupVault", "Resource": "*"});
        let statements = destination_vault.pointer_mut("/policy/Statement");
        if let Some(statements) = statements.and_then(Value::as_array_mut) {
            statements.push(admit);
        }
    }
    put(&mut world, &places.source_vault, source_vault);
    put(&mut world, &places.vault, destination_vault);
    let mut keys = vec![
        (&places.source_key, &source_users, shape.has_source_key()),
        (&places.vault_key, &vault_users, shape.has_vault_key()),
    ];
    keys.push((
        &places.second_key,
        &source_users,
        shape.backup == Backup::Image,
    ));
    for (pointer, users, _) in keys.into_iter().filter(|(.., exists)| *exists) {
        let owner = pointer.split('/').nth(2).unwrap_or_default();
        put(
            &mut world,
            pointer,
            json!({"policy": key_policy(owner, users)}),
        );
    }
    world
}

/// Puts something into a Region of an account: `/accounts/ACCOUNT/regions/REGION/KIND/NAME`.
fn put(world: &mut Value, pointer: &str, value: Value) {
    let mut parts = pointer.rsplitn(4, '/');
    let (Some(name), Some(kind), Some(region), Some(regions)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    let regions = world.pointer_mut(regions).and_then(Value::as_object_mut);
    let Some(regions) = regions else {
        return;
    };
    let region = regions
        .entry(region)
        .or_insert_with(|| json!({"vaults": {}, "keys": {}}));
    let resources = region.get_mut(kind).and_then(Value::as_object_mut);
    if let Some(resources) = resources {
        resources.insert(name.to_owned(), value);
    }
}
