//! Vaults, recovery points and keys.

use std::collections::BTreeMap;

use std::sync::OnceLock;

use copymend_diagnosis::{BackupVaultArn, KeyArn, KeyManager, Lifecycle, RoleArn, Tags};
use copymend_policy::Arn;
use jiff::Timestamp;
use serde::Deserialize;

use super::PolicyText;
use super::job::BackupPlan;
use super::plan::{Plan, lifecycle};
use super::unique::unique;
use crate::index::Index;

/// What an account has in one Region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The backup vaults by name.
    #[serde(default, deserialize_with = "unique")]
    pub vaults: BTreeMap<String, Vault>,
    /// The KMS keys by id.
    #[serde(default, deserialize_with = "unique")]
    pub keys: BTreeMap<String, Key>,
    /// The backup plans by id.
    #[serde(default, deserialize_with = "unique")]
    pub backup_plans: BTreeMap<String, Plan>,
    /// The tags of resources by their ARNs, beside those of vaults, keys and recovery points.
    #[serde(default, deserialize_with = "unique")]
    pub resource_tags: BTreeMap<Arn, Tags>,
}

/// A backup vault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The key; the account's default key for AWS Backup, `aws/backup`, unless said otherwise.
    #[serde(default)]
    pub encryption_key_arn: Option<KeyArn>,
    /// `AWS_OWNED_KMS_KEY` for a key that AWS owns and nobody can describe, or
    /// `CUSTOMER_MANAGED_KMS_KEY`; what fits the key unless said otherwise.
    #[serde(default)]
    pub encryption_key_type: Option<String>,
    /// The access policy; none unless said otherwise.
    #[serde(default)]
    pub policy: Option<PolicyText>,
    /// The tags.
    #[serde(default, deserialize_with = "unique")]
    pub tags: Tags,
    /// The lock.
    #[serde(default)]
    pub lock: Option<Lock>,
    /// `BACKUP_VAULT` unless said otherwise, or `LOGICALLY_AIR_GAPPED_BACKUP_VAULT`.
    #[serde(default = "backup_vault")]
    pub vault_type: String,
    /// The recovery points.
    #[serde(default)]
    pub recovery_points: Vec<RecoveryPoint>,
    /// Where each of them is, once one was looked for. Whoever may change them drops it.
    #[serde(skip)]
    pub(crate) index: OnceLock<Index>,
}

/// A vault lock: the retention that the vault accepts, in days.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The shortest.
    #[serde(default)]
    pub min_retention_days: Option<i64>,
    /// The longest.
    #[serde(default)]
    pub max_retention_days: Option<i64>,
}

/// A recovery point.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryPoint {
    /// Its ARN. One of the service `backup` is of a type that AWS Backup manages fully.
    pub arn: Arn,
    /// The resource that was backed up.
    pub resource_arn: Arn,
    /// The kind of resource, such as `EBS`.
    pub resource_type: String,
    /// The key. For fully managed types the vault's, unless said otherwise.
    #[serde(default)]
    pub encryption_key_arn: Option<KeyArn>,
    /// The snapshots of an image, if their keys matter. AWS tells one key for an image, which may
    /// not be the key of all of them.
    #[serde(default)]
    pub snapshots: Vec<Snapshot>,
    /// Whether it is encrypted; yes if it has a key, unless said otherwise.
    #[serde(default)]
    pub encrypted: Option<bool>,
    /// The size.
    #[serde(default)]
    pub size_in_bytes: u64,
    /// The tags.
    #[serde(default, deserialize_with = "unique")]
    pub tags: Tags,
    /// `COMPLETED` unless said otherwise.
    #[serde(default = "completed")]
    pub status: String,
    /// When it was made; of a copy, when its source was. Unless said otherwise, when the first copy of
    /// it starts in the world's file, or else the world's time.
    #[serde(default)]
    pub creation_date: Option<Timestamp>,
    /// The rule of a backup plan that made it.
    #[serde(default)]
    pub created_by: Option<BackupPlan>,
    /// The job role that made it.
    #[serde(default)]
    pub iam_role_arn: Option<RoleArn>,
    /// The vault that it was copied from.
    #[serde(default)]
    pub source_vault_arn: Option<BackupVaultArn>,
    /// How long it is kept.
    #[serde(default, deserialize_with = "lifecycle")]
    pub lifecycle: Option<Lifecycle>,
    /// `CalculatedLifecycle.DeleteAt`; follows from the lifecycle unless said otherwise.
    #[serde(default)]
    pub delete_at: Option<Timestamp>,
    /// `CalculatedLifecycle.MoveToColdStorageAt`; follows from the lifecycle unless said otherwise.
    #[serde(default)]
    pub move_to_cold_storage_at: Option<Timestamp>,
    /// The composite recovery point that it is a part of.
    #[serde(default)]
    pub parent_recovery_point_arn: Option<Arn>,
    /// Whether it is a composite one, which has parts.
    #[serde(default)]
    pub is_parent: bool,
}

/// A snapshot of an image.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Its ARN, for people.
    #[serde(default)]
    pub arn: Option<Arn>,
    /// Its key; none unless said otherwise.
    #[serde(default)]
    pub encryption_key_arn: Option<KeyArn>,
}

/// A KMS key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The alias, without `alias/`.
    #[serde(default)]
    pub alias: Option<String>,
    /// `AWS` or `CUSTOMER`; `CUSTOMER` unless said otherwise.
    #[serde(default = "customer")]
    pub manager: KeyManager,
    /// `Enabled` unless said otherwise, or another of KMS's key states.
    #[serde(default = "enabled")]
    pub state: String,
    /// The key policy; the one that KMS gives a key by default, unless said otherwise.
    #[serde(default)]
    pub policy: Option<PolicyText>,
    /// The names of its policies beside `default`, such as the one of AWS RAM. What they allow is
    /// not modelled.
    #[serde(default)]
    pub other_policies: Vec<String>,
    /// The tags.
    #[serde(default, deserialize_with = "unique")]
    pub tags: Tags,
}

pub(crate) fn backup_vault() -> String {
    "BACKUP_VAULT".to_owned()
}

fn completed() -> String {
    "COMPLETED".to_owned()
}

fn enabled() -> String {
    "Enabled".to_owned()
}

const fn customer() -> KeyManager {
    KeyManager::Customer
}
