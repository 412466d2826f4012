//! Which permissions a call or job needs, as data.
//!
//! Sources: AWS Backup developer guide, "API permissions" (`CreateBackupVault`) (documented); the
//! AWS managed policies `AWSBackupServiceRolePolicyForBackup`, `…ForRestores`, `…ForS3Backup` and
//! `…ForS3Restore`, read in 2026 (documented): a job's list is the part of them that a job of that
//! type can't do without (inferred).

use copymend_policy::{AccountId, Arn, Layer};

use super::call::ApiCallEvent;
use super::job::{JobKind, ServiceJob};
use crate::permission::{PermissionAnswer, PermissionState};
use crate::resource::KeyArn;
use crate::simulation::ContextKey;

/// One permission that is needed, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The action.
    pub action: &'static str,
    /// The resource's ARN, or `*` for an action that knows no resource.
    pub resource: String,
    /// Whether a pattern stands in for a resource that isn't known. A policy that doesn't allow the
    /// action on all of them may still allow it on the one that is used.
    pub stands_in: bool,
    /// How a key is used, for an action of AWS KMS.
    pub key_use: Option<KeyUse>,
}

impl Need {
    /// The condition keys that follow from the need, for the simulator and for the policies
    /// themselves. That AWS Backup calls KMS in the caller's name, as `backup.REGION.amazonaws.com`
    /// and for an AWS resource, is taken from the conditions of `AWSBackupFullAccess` (documented).
    /// Keys that aren't stated are unknown.
    #[must_use]
    pub fn context(&self, principal: &Arn) -> Vec<ContextKey> {
        let resource: Option<Arn> = self.resource.parse().ok();
        let owner = resource.and_then(|resource| resource.account_id());
        let key_use = self.key_use.as_ref();
        let one = |name: &str, value: &str| Some(ContextKey::one(name, value));
        let keys = [
            one("aws:PrincipalArn", principal.as_str()),
            one("aws:SecureTransport", "true"),
            owner.and_then(|owner| one("aws:ResourceAccount", owner.as_str())),
            key_use.and_then(|key| one("kms:ViaService", &key.via_service)),
            key_use.and_then(|key| one("kms:EncryptionContextKeys", key.encryption_context_key)),
            match self.action {
                "iam:PassRole" => one("iam:PassedToService", "backup.amazonaws.com"),
                "kms:CreateGrant" => one("kms:GrantIsForAWSResource", "true"),
                _ => None,
            },
        ];
        keys.into_iter().flatten().collect()
    }

    /// The answer to it, from what was looked at.
    pub(super) fn answered(
        &self,
        state: PermissionState,
        blocked_by: Vec<Layer>,
        detail: String,
    ) -> PermissionAnswer {
        PermissionAnswer {
            action: self.action.to_owned(),
            resource: self.resource.clone(),
            state,
            blocked_by,
            detail,
            is_from_message: false,
        }
    }
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
const VAULT_KEY_ACTIONS: [&str; 5] = [
    "kms:CreateGrant",
    "kms:DescribeKey",
    "kms:RetireGrant",
    "kms:Decrypt",
    "kms:GenerateDataKey",
];

/// What the caller of an API operation needs. `key` is the key that the call uses, where it is
/// known: a call may name its key by an alias, or not at all.
#[must_use]
pub fn of_call(call: &ApiCallEvent, key: Option<&KeyArn>) -> Vec<Need> {
    let mut needs = if call.operation == "CreateBackupVault" {
        vault_creation(call, key)
    } else {
        own_action(call).into_iter().collect()
    };
    if let Some(role) = call.passed_role() {
        needs.push(need("iam:PassRole", role.to_string()));
    }
    needs
}

/// What an operation is authorized on (service authorization reference, "AWS Backup", documented).
enum On {
    /// The vault that the request names.
    Vault,
    /// The backup plan that the request names.
    Plan,
    /// What this parameter of the request names.
    Parameter(&'static str),
    /// The action knows no resource.
    Nothing,
}

/// The operations that are refused most often, each with the action of its own name.
const OPERATIONS: &[(On, &str)] = &[
    (
        On::Vault,
        "backup:CreateBackupPlan|backup:CreateLogicallyAirGappedBackupVault|backup:DeleteBackupVault\
         |backup:DeleteBackupVaultAccessPolicy|backup:DescribeBackupVault\
         |backup:GetBackupVaultAccessPolicy|backup:ListRecoveryPointsByBackupVault\
         |backup:PutBackupVaultAccessPolicy|backup:PutBackupVaultLockConfiguration\
         |backup:PutBackupVaultNotifications|backup:StartBackupJob",
    ),
    (
        On::Plan,
        "backup:CreateBackupSelection|backup:DeleteBackupPlan|backup:GetBackupPlan\
         |backup:UpdateBackupPlan",
    ),
    (
        On::Parameter("recoveryPointArn"),
        "backup:DeleteRecoveryPoint|backup:DescribeRecoveryPoint|backup:StartCopyJob\
         |backup:StartRestoreJob|backup:UpdateRecoveryPointLifecycle",
    ),
    (On::Parameter("resourceArn"), "backup:TagResource"),
    (
        On::Nothing,
        "backup:DescribeCopyJob|backup:DescribeGlobalSettings|backup:ListBackupVaults\
         |backup:UpdateGlobalSettings|backup:UpdateRegionSettings",
    ),
];

/// The action of the operation's own name, on what the request tells.
fn own_action(call: &ApiCallEvent) -> Option<Need> {
    let is_own = |action: &&str| action.strip_prefix("backup:") == Some(call.operation.as_str());
    let (on, action) = OPERATIONS
        .iter()
        .find_map(|(on, actions)| Some((on, actions.split('|').find(is_own)?)))?;
    let resource = match on {
        On::Vault => call.vault().map(|vault| vault.to_string()),
        On::Plan => call
            .parameter("backupPlanId")
            .map(|plan| call.arn("backup", &format!("backup-plan:{plan}"))),
        On::Parameter(name) => call.parameter(name).map(ToOwned::to_owned),
        On::Nothing => Some("*".to_owned()),
    };
    Some(resource.map_or_else(|| any(action, "*"), |resource| need(action, resource)))
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

/// An action on a key that AWS Backup uses in somebody's name.
fn of_key(action: &'static str, key: String, region: &str) -> Need {
    Need {
        key_use: Some(KeyUse {
            via_service: format!("backup.{region}.amazonaws.com"),
            encryption_context_key: "aws:backup:backup-vault",
        }),
        ..need(action, key)
    }
}

/// The seven permissions of `CreateBackupVault`.
fn vault_creation(call: &ApiCallEvent, key: Option<&KeyArn>) -> Vec<Need> {
    // An alias of another account stands for a key of that account.
    let any_key = || match call.key_alias() {
        Some(alias) => format!(
            "arn:{}:kms:{}:{}:key/*",
            call.partition(),
            alias.region(),
            alias.account_id().unwrap_or(call.account)
        ),
        None => call.arn("kms", "key/*"),
    };
    let key = key.map_or_else(any_key, ToString::to_string);
    let vault = call.vault().map(|vault| vault.to_string());
    let mut needs = vec![
        need(
            "backup:CreateBackupVault",
            vault.unwrap_or_else(|| "*".to_owned()),
        ),
        // The action knows no resource (service authorization reference, documented).
        need("backup-storage:MountCapsule", "*"),
    ];
    let actions = VAULT_KEY_ACTIONS.into_iter();
    needs.extend(actions.map(|action| of_key(action, key.clone(), &call.region)));
    needs
}

/// What an action of a job is called on.
#[derive(Clone, Copy)]
enum Scope {
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
pub(super) struct JobNeeds {
    /// The types, as AWS Backup names them.
    types: &'static [&'static str],
    actions: &'static [(&'static str, Scope)],
    /// The managed policy that holds them.
    pub(super) managed_policy: &'static str,
}

/// Rows, each a managed policy, the types, and the actions by what they are called on, in their
/// order.
macro_rules! job_needs {
    ($($policy:ident [$($name:literal),+] { $($scope:ident: $($action:literal),+;)+ })+) => {
        &[$(JobNeeds {
            types: &[$($name),+],
            actions: &[$($(($action, Scope::$scope)),+),+],
            managed_policy: $policy,
        }),+]
    };
}

/// The managed policy for backups; part of the default role.
const FOR_BACKUP: &str = "AWSBackupServiceRolePolicyForBackup";
/// The managed policy for restores; part of the default role.
const FOR_RESTORES: &str = "AWSBackupServiceRolePolicyForRestores";
/// The managed policy for backups of Amazon S3; not part of the default role.
pub(super) const FOR_S3_BACKUP: &str = "AWSBackupServiceRolePolicyForS3Backup";
/// The managed policy for restores of Amazon S3; not part of the default role.
pub(super) const FOR_S3_RESTORE: &str = "AWSBackupServiceRolePolicyForS3Restore";

/// What backup jobs need.
static BACKUP_JOBS: &[JobNeeds] = job_needs! {
    FOR_BACKUP ["EBS"] {
        Resource: "ec2:CreateSnapshot";
        Any: "ec2:DescribeVolumes", "ec2:DescribeSnapshots";
    }
    FOR_BACKUP ["EC2"] {
        Resource: "ec2:CreateImage";
        Any: "ec2:DescribeInstances", "ec2:DescribeImages", "ec2:DescribeSnapshots";
    }
    FOR_BACKUP ["RDS"] {
        Resource: "rds:CreateDBSnapshot";
        Any: "rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:AddTagsToResource";
        Resource: "rds:ListTagsForResource";
    }
    FOR_BACKUP ["Aurora", "DocumentDB", "Neptune"] {
        Resource: "rds:CreateDBClusterSnapshot";
        Any: "rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots", "rds:AddTagsToResource";
        Resource: "rds:ListTagsForResource";
    }
    FOR_BACKUP ["DynamoDB"] {
        Resource: "dynamodb:StartAwsBackupJob", "dynamodb:ListTagsOfResource",
            "dynamodb:DescribeTable";
    }
    FOR_BACKUP ["EFS"] {
        Resource: "elasticfilesystem:Backup", "elasticfilesystem:DescribeTags";
    }
    FOR_BACKUP ["FSx"] {
        Resource: "fsx:CreateBackup", "fsx:ListTagsForResource";
    }
    FOR_BACKUP ["Storage Gateway"] {
        Resource: "storagegateway:CreateSnapshot", "storagegateway:ListTagsForResource";
    }
    FOR_S3_BACKUP ["S3"] {
        Resource: "s3:GetBucketVersioning", "s3:GetBucketLocation", "s3:GetBucketTagging",
            "s3:GetBucketAcl", "s3:GetBucketNotification", "s3:PutBucketNotification",
            "s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration", "s3:ListBucket",
            "s3:ListBucketVersions";
        Objects: "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:GetObjectVersionAcl",
            "s3:GetObjectTagging", "s3:GetObjectVersionTagging";
        Any: "cloudwatch:GetMetricData", "events:ListRules";
    }
};

/// What restore jobs need.
static RESTORE_JOBS: &[JobNeeds] = job_needs! {
    FOR_RESTORES ["EBS"] {
        Resource: "ec2:CreateVolume";
        Any: "ec2:DescribeVolumes", "ec2:DescribeSnapshots";
    }
    FOR_RESTORES ["EC2"] {
        Any: "ec2:RunInstances", "ec2:DescribeImages", "ec2:DescribeInstances";
    }
    FOR_RESTORES ["RDS"] {
        Resource: "rds:RestoreDBInstanceFromDBSnapshot";
        Any: "rds:DescribeDBInstances", "rds:DescribeDBSnapshots", "rds:AddTagsToResource";
    }
    FOR_RESTORES ["Aurora", "DocumentDB", "Neptune"] {
        Resource: "rds:RestoreDBClusterFromSnapshot";
        Any: "rds:DescribeDBClusters", "rds:DescribeDBClusterSnapshots", "rds:AddTagsToResource";
    }
    FOR_RESTORES ["EFS"] {
        AnyFileSystem: "elasticfilesystem:Restore";
    }
    FOR_RESTORES ["FSx"] {
        Resource: "fsx:CreateFileSystemFromBackup";
    }
    FOR_S3_RESTORE ["S3"] {
        AnyBucket: "s3:CreateBucket", "s3:GetBucketVersioning", "s3:GetBucketLocation",
            "s3:PutBucketVersioning", "s3:GetBucketOwnershipControls",
            "s3:PutBucketOwnershipControls", "s3:ListBucket", "s3:ListBucketVersions";
        AnyObject: "s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl",
            "s3:PutObjectTagging", "s3:ListMultipartUploadParts";
    }
};

/// The row of a job's type, if the table has one.
pub(super) fn row_of_job(job: &ServiceJob) -> Option<&'static JobNeeds> {
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
pub fn of_job(job: &ServiceJob) -> Vec<Need> {
    let resource = job.resource.as_ref().map_or("*", Arn::as_str);
    let partition = job.role.as_ref().map_or("aws", |role| role.partition());
    let account = job.account.as_ref().map_or("*", AccountId::as_str);
    let row = row_of_job(job);
    let actions = row.into_iter().flat_map(|row| row.actions);
    let mut needs: Vec<Need> = actions
        .map(|(action, scope)| match scope {
            Scope::Resource => need(action, resource),
            Scope::Objects if resource != "*" => need(action, format!("{resource}/*")),
            Scope::Objects | Scope::Any => need(action, "*"),
            Scope::AnyBucket => any(action, format!("arn:{partition}:s3:::*")),
            Scope::AnyObject => any(action, format!("arn:{partition}:s3:::*/*")),
            Scope::AnyFileSystem => {
                let service = format!("arn:{partition}:elasticfilesystem:{}", job.region);
                any(action, format!("{service}:{account}:file-system/*"))
            }
        })
        .collect();
    // The managed policies hold both for every type but S3, whose own policies use the key through
    // S3.
    let is_of_s3 = row.is_some_and(|row| row.types.contains(&"S3"));
    if let Some(key) = job.encryption_key.as_ref().filter(|_| !is_of_s3) {
        let actions = ["kms:DescribeKey", "kms:CreateGrant"];
        needs.extend(actions.map(|action| of_key(action, key.to_string(), &job.region)));
    }
    needs
}
