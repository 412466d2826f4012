//! Which permissions a call or job needs, as data.
//!
//! Sources: AWS Backup developer guide, "API permissions" (`CreateBackupVault`) (documented); the AWS managed policies
//! `AWSBackupServiceRolePolicyForBackup`, `…ForRestores`, `…ForS3Backup` and `…ForS3Restore`, read in 2026 (documented): a
//! job's list is the part of them that a job of that type can't do without (inferred).

use super::call::ApiCallEvent;
use super::job::{JobKind, UnsuccessfulJob};
use crate::resource::{KeyAliasArn, KeyArn};

/// One permission that is needed, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The action.
    pub action: &'static str,
    /// The resource's ARN, or `*` for an action that knows no resource.
    pub resource: String,
    /// Whether a pattern stands in for a resource that isn't known. A policy that doesn't allow the action on all of them may
    /// still allow it on the one that is used.
    pub stands_in: bool,
    /// How a key is used, for an action of AWS KMS.
    pub key_use: Option<KeyUse>,
}

/// How AWS Backup uses a key in somebody's name: the condition keys of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// `kms:ViaService`, such as `backup.eu-west-1.amazonaws.com`.
    pub via_service: String,
    /// `kms:EncryptionContextKeys`.
    pub encryption_context_key: &'static str,
}

/// The part of a vault's creation that concerns its key.
pub(super) const VAULT_KEY_ACTIONS: [&str; 5] = [
    "kms:CreateGrant",
    "kms:DescribeKey",
    "kms:RetireGrant",
    "kms:Decrypt",
    "kms:GenerateDataKey",
];

/// What the caller of an API operation needs. `key` is the key that the call uses, where it is known: a call may name its key
/// by an alias, or not at all.
#[must_use]
pub fn of_call(call: &ApiCallEvent, key: Option<&KeyArn>) -> Vec<Need> {
    let vault = call.vault().map(|vault| vault.to_string());
    let mut needs = match call.operation.as_str() {
        "CreateBackupVault" => vault_creation(call, vault.unwrap_or_else(|| "*".to_owned()), key),
        operation => own_action(operation)
            .map(|action| match resource_of(call, operation, vault) {
                Some(resource) => need(action, resource),
                None => any(action, "*"),
            })
            .into_iter()
            .collect(),
    };
    if let Some(role) = call.passed_role() {
        needs.push(need("iam:PassRole", role.to_string()));
    }
    needs
}

/// What an operation is authorized on (service authorization reference, "AWS Backup", documented); `None` where the request
/// doesn't tell.
fn resource_of(call: &ApiCallEvent, operation: &str, vault: Option<String>) -> Option<String> {
    let parameter = |name| call.parameter(name).map(ToOwned::to_owned);
    match operation {
        "DeleteRecoveryPoint"
        | "DescribeRecoveryPoint"
        | "StartCopyJob"
        | "StartRestoreJob"
        | "UpdateRecoveryPointLifecycle" => parameter("recoveryPointArn"),
        "CreateBackupSelection" | "DeleteBackupPlan" | "GetBackupPlan" | "UpdateBackupPlan" => {
            parameter("backupPlanId").map(|plan| {
                format!(
                    "arn:{}:backup:{}:{}:backup-plan:{plan}",
                    call.partition(),
                    call.region,
                    call.account
                )
            })
        }
        "TagResource" => parameter("resourceArn"),
        "DescribeCopyJob"
        | "DescribeGlobalSettings"
        | "ListBackupVaults"
        | "UpdateGlobalSettings"
        | "UpdateRegionSettings" => Some("*".to_owned()),
        _ => vault,
    }
}

fn need(action: &'static str, resource: impl Into<String>) -> Need {
    Need {
        action,
        resource: resource.into(),
        stands_in: false,
        key_use: None,
    }
}

fn any(action: &'static str, pattern: impl Into<String>) -> Need {
    Need {
        stands_in: true,
        ..need(action, pattern)
    }
}

/// The seven permissions of `CreateBackupVault`.
fn vault_creation(call: &ApiCallEvent, vault: String, key: Option<&KeyArn>) -> Vec<Need> {
    // An alias of another account stands for a key of that account.
    let alias = call.key_alias();
    let owner = alias
        .as_ref()
        .and_then(KeyAliasArn::account_id)
        .unwrap_or(call.account);
    let region = alias
        .as_ref()
        .map_or(call.region.as_str(), KeyAliasArn::region);
    let key = key.map_or_else(
        || format!("arn:{}:kms:{region}:{owner}:key/*", call.partition()),
        ToString::to_string,
    );
    let mut needs = vec![
        need("backup:CreateBackupVault", vault),
        // The action knows no resource (service authorization reference, documented).
        need("backup-storage:MountCapsule", "*"),
    ];
    needs.extend(VAULT_KEY_ACTIONS.into_iter().map(|action| Need {
        key_use: Some(KeyUse {
            via_service: format!("backup.{}.amazonaws.com", call.region),
            encryption_context_key: "aws:backup:backup-vault",
        }),
        ..need(action, key.clone())
    }));
    needs
}

/// The operations that are refused most often, each with the action of its own name.
fn own_action(operation: &str) -> Option<&'static str> {
    const ACTIONS: &[&str] = &[
        "backup:CreateBackupPlan",
        "backup:CreateBackupSelection",
        "backup:CreateLogicallyAirGappedBackupVault",
        "backup:DeleteBackupPlan",
        "backup:DeleteBackupVault",
        "backup:DeleteBackupVaultAccessPolicy",
        "backup:DeleteRecoveryPoint",
        "backup:DescribeBackupVault",
        "backup:DescribeCopyJob",
        "backup:DescribeGlobalSettings",
        "backup:DescribeRecoveryPoint",
        "backup:GetBackupPlan",
        "backup:GetBackupVaultAccessPolicy",
        "backup:ListBackupVaults",
        "backup:ListRecoveryPointsByBackupVault",
        "backup:PutBackupVaultAccessPolicy",
        "backup:PutBackupVaultLockConfiguration",
        "backup:PutBackupVaultNotifications",
        "backup:StartBackupJob",
        "backup:StartCopyJob",
        "backup:StartRestoreJob",
        "backup:TagResource",
        "backup:UpdateBackupPlan",
        "backup:UpdateGlobalSettings",
        "backup:UpdateRecoveryPointLifecycle",
        "backup:UpdateRegionSettings",
    ];
    ACTIONS
        .iter()
        .copied()
        .find(|action| action.strip_prefix("backup:") == Some(operation))
}

/// What an action of a job is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The job's resource.
    Resource,
    /// The objects of the job's bucket.
    Objects,
    /// Everything: the action knows no resource, or the managed policy allows it on all of them.
    Any,
    /// A bucket that isn't known before the job runs.
    AnyBucket,
    /// An object of such a bucket.
    AnyObject,
    /// A file system that isn't known before the job runs.
    AnyFileSystem,
}

/// What the job role needs for one type of resource.
#[derive(Clone, Copy, Debug)]
pub struct JobNeeds {
    /// The types, as AWS Backup names them.
    pub types: &'static [&'static str],
    /// The actions.
    pub actions: &'static [(&'static str, Scope)],
    /// The managed policy that holds them.
    pub managed_policy: &'static str,
}

/// The managed policy for backups; part of the default role.
pub const FOR_BACKUP: &str = "AWSBackupServiceRolePolicyForBackup";
/// The managed policy for restores; part of the default role.
pub const FOR_RESTORES: &str = "AWSBackupServiceRolePolicyForRestores";
/// The managed policy for backups of Amazon S3; not part of the default role.
pub const FOR_S3_BACKUP: &str = "AWSBackupServiceRolePolicyForS3Backup";
/// The managed policy for restores of Amazon S3; not part of the default role.
pub const FOR_S3_RESTORE: &str = "AWSBackupServiceRolePolicyForS3Restore";

/// What backup jobs need.
pub const BACKUP_JOBS: &[JobNeeds] = &[
    JobNeeds {
        types: &["EBS"],
        actions: &[
            ("ec2:CreateSnapshot", Scope::Resource),
            ("ec2:DescribeVolumes", Scope::Any),
            ("ec2:DescribeSnapshots", Scope::Any),
        ],
        managed_policy: FOR_BACKUP,
    },
    JobNeeds {
        types: &["EC2"],
        actions: &[
            ("ec2:CreateImage", Scope::Resource),
            ("ec2:DescribeInstances", Scope::Any),
            ("ec2:DescribeImages", Scope::Any),
            ("ec2:DescribeSnapshots", Scope::Any),
        ],
        managed_policy: FOR_BACKUP,
    },
    JobNeeds {
        types: &["RDS"],
        actions: &[
            ("rds:CreateDBSnapshot", Scope::Resource),
            ("rds:DescribeDBInstances", Scope::Any),
            ("rds:DescribeDBSnapshots", Scope::Any),
            ("rds:AddTagsToResource", Scope::Any),
            ("rds:ListTagsForResource", Scope::Resource),
        ],
        managed_policy: FOR_BACKUP,
    },
    JobNeeds {
        types: &["Aurora", "DocumentDB", "Neptune"],
        actions: &[
            ("rds:CreateDBClusterSnapshot", Scope::Resource),
            ("rds:DescribeDBClusters", Scope::Any),
            ("rds:DescribeDBClusterSnapshots", Scope::Any),
            ("rds:AddTagsToResource", Scope::Any),
            ("rds:ListTagsForResource", Scope::Resource),
        ],
        managed_policy: FOR_BACKUP,
    },
    JobNeeds {
        types: &["DynamoDB"],
        actions: &[
            ("dynamodb:StartAwsBackupJob", Scope::Resource),
            ("dynamodb:ListTagsOfResource", Scope::Resource),
            ("dynamodb:DescribeTable", Scope::Resource),
        ],
        managed_policy: FOR_BACKUP,
    },
    JobNeeds {
        types: &["EFS"],
        actions: &[
            ("elasticfilesystem:Backup", Scope::Resource),
            ("elasticfilesystem:DescribeTags", Scope::Resource),
        ],
        managed_policy: FOR_BACKUP,
    },
    JobNeeds {
        types: &["FSx"],
        actions: &[
            ("fsx:CreateBackup", Scope::Resource),
            ("fsx:ListTagsForResource", Scope::Resource),
        ],
        managed_policy: FOR_BACKUP,
    },
    JobNeeds {
        types: &["Storage Gateway"],
        actions: &[
            ("storagegateway:CreateSnapshot", Scope::Resource),
            ("storagegateway:ListTagsForResource", Scope::Resource),
        ],
        managed_policy: FOR_BACKUP,
    },
    JobNeeds {
        types: &["S3"],
        actions: &[
            ("s3:GetBucketVersioning", Scope::Resource),
            ("s3:GetBucketLocation", Scope::Resource),
            ("s3:GetBucketTagging", Scope::Resource),
            ("s3:GetBucketAcl", Scope::Resource),
            ("s3:GetBucketNotification", Scope::Resource),
            ("s3:PutBucketNotification", Scope::Resource),
            ("s3:GetInventoryConfiguration", Scope::Resource),
            ("s3:PutInventoryConfiguration", Scope::Resource),
            ("s3:ListBucket", Scope::Resource),
            ("s3:ListBucketVersions", Scope::Resource),
            ("s3:GetObject", Scope::Objects),
            ("s3:GetObjectVersion", Scope::Objects),
            ("s3:GetObjectAcl", Scope::Objects),
            ("s3:GetObjectVersionAcl", Scope::Objects),
            ("s3:GetObjectTagging", Scope::Objects),
            ("s3:GetObjectVersionTagging", Scope::Objects),
            ("cloudwatch:GetMetricData", Scope::Any),
            ("events:ListRules", Scope::Any),
        ],
        managed_policy: FOR_S3_BACKUP,
    },
];

/// What restore jobs need.
pub const RESTORE_JOBS: &[JobNeeds] = &[
    JobNeeds {
        types: &["EBS"],
        actions: &[
            ("ec2:CreateVolume", Scope::Resource),
            ("ec2:DescribeVolumes", Scope::Any),
            ("ec2:DescribeSnapshots", Scope::Any),
        ],
        managed_policy: FOR_RESTORES,
    },
    JobNeeds {
        types: &["EC2"],
        actions: &[
            ("ec2:RunInstances", Scope::Any),
            ("ec2:DescribeImages", Scope::Any),
            ("ec2:DescribeInstances", Scope::Any),
        ],
        managed_policy: FOR_RESTORES,
    },
    JobNeeds {
        types: &["RDS"],
        actions: &[
            ("rds:RestoreDBInstanceFromDBSnapshot", Scope::Resource),
            ("rds:DescribeDBInstances", Scope::Any),
            ("rds:DescribeDBSnapshots", Scope::Any),
            ("rds:AddTagsToResource", Scope::Any),
        ],
        managed_policy: FOR_RESTORES,
    },
    JobNeeds {
        types: &["Aurora", "DocumentDB", "Neptune"],
        actions: &[
            ("rds:RestoreDBClusterFromSnapshot", Scope::Resource),
            ("rds:DescribeDBClusters", Scope::Any),
            ("rds:DescribeDBClusterSnapshots", Scope::Any),
            ("rds:AddTagsToResource", Scope::Any),
        ],
        managed_policy: FOR_RESTORES,
    },
    JobNeeds {
        types: &["EFS"],
        actions: &[("elasticfilesystem:Restore", Scope::AnyFileSystem)],
        managed_policy: FOR_RESTORES,
    },
    JobNeeds {
        types: &["FSx"],
        actions: &[("fsx:CreateFileSystemFromBackup", Scope::Resource)],
        managed_policy: FOR_RESTORES,
    },
    JobNeeds {
        types: &["S3"],
        actions: &[
            ("s3:CreateBucket", Scope::AnyBucket),
            ("s3:GetBucketVersioning", Scope::AnyBucket),
            ("s3:GetBucketLocation", Scope::AnyBucket),
            ("s3:PutBucketVersioning", Scope::AnyBucket),
            ("s3:GetBucketOwnershipControls", Scope::AnyBucket),
            ("s3:PutBucketOwnershipControls", Scope::AnyBucket),
            ("s3:ListBucket", Scope::AnyBucket),
            ("s3:ListBucketVersions", Scope::AnyBucket),
            ("s3:PutObject", Scope::AnyObject),
            ("s3:GetObject", Scope::AnyObject),
            ("s3:DeleteObject", Scope::AnyObject),
            ("s3:PutObjectAcl", Scope::AnyObject),
            ("s3:PutObjectTagging", Scope::AnyObject),
            ("s3:ListMultipartUploadParts", Scope::AnyObject),
        ],
        managed_policy: FOR_S3_RESTORE,
    },
];

/// The row of a job's type, if the table has one.
#[must_use]
pub fn row_of_job(job: &UnsuccessfulJob) -> Option<&'static JobNeeds> {
    let table = match job.kind {
        JobKind::Backup => BACKUP_JOBS,
        JobKind::Restore => RESTORE_JOBS,
    };
    let kind = job.resource_type.as_deref()?;
    table
        .iter()
        .find(|row| row.types.iter().any(|name| name.eq_ignore_ascii_case(kind)))
}

/// What the job role needs. Empty for a type that the table doesn't have.
#[must_use]
pub fn of_job(job: &UnsuccessfulJob) -> Vec<Need> {
    let resource = job
        .resource
        .as_ref()
        .map_or("*", copymend_policy::Arn::as_str);
    let partition = job.role.as_ref().map_or("aws", |role| role.partition());
    let account = job
        .account
        .as_ref()
        .map_or("*", copymend_policy::AccountId::as_str);
    let mut needs: Vec<Need> = row_of_job(job)
        .into_iter()
        .flat_map(|row| row.actions)
        .map(|(action, scope)| match scope {
            Scope::Resource => need(action, resource),
            Scope::Objects if resource != "*" => need(action, format!("{resource}/*")),
            Scope::Objects | Scope::Any => need(action, "*"),
            Scope::AnyBucket => any(action, format!("arn:{partition}:s3:::*")),
            Scope::AnyObject => any(action, format!("arn:{partition}:s3:::*/*")),
            Scope::AnyFileSystem => any(
                action,
                format!(
                    "arn:{partition}:elasticfilesystem:{}:{account}:file-system/*",
                    job.region
                ),
            ),
        })
        .collect();
    // The managed policies hold both for every type but S3, whose own policies use the key through S3.
    let is_of_s3 = row_of_job(job).is_some_and(|row| row.types.contains(&"S3"));
    if let Some(key) = job.key.as_ref().filter(|_| !is_of_s3) {
        for action in ["kms:DescribeKey", "kms:CreateGrant"] {
            needs.push(Need {
                key_use: Some(KeyUse {
                    via_service: format!("backup.{}.amazonaws.com", job.region),
                    encryption_context_key: "aws:backup:backup-vault",
                }),
                ..need(action, key.to_string())
            });
        }
    }
    needs
}
