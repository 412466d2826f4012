//! Backup and restore jobs as AWS Backup describes them, reduced to what the access advisor needs.

use copymend_policy::{AccountId, Arn};

use crate::resource::{BackupVaultArn, KeyArn, RoleArn};

/// A backup job, from `backup:DescribeBackupJob`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupJob {
    /// The job's id.
    pub id: String,
    /// The account that owns the job.
    pub account: AccountId,
    /// `State`, such as `FAILED`.
    pub state: String,
    /// `StatusMessage`; empty where there is none.
    pub status_message: String,
    /// The job role.
    pub role: Option<RoleArn>,
    /// The vault that the backup goes to.
    pub vault: Option<BackupVaultArn>,
    /// The key that the backup is encrypted with, where AWS Backup tells it.
    pub encryption_key: Option<KeyArn>,
    /// The resource.
    pub resource: Option<Arn>,
    /// Its kind, such as `S3`.
    pub resource_type: Option<String>,
}

/// A restore job, from `backup:DescribeRestoreJob`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreJob {
    /// The job's id.
    pub id: String,
    /// The account that owns the job.
    pub account: AccountId,
    /// `Status`, such as `FAILED`.
    pub status: String,
    /// `StatusMessage`; empty where there is none.
    pub status_message: String,
    /// The job role.
    pub role: Option<RoleArn>,
    /// The recovery point that is restored.
    pub recovery_point: Option<Arn>,
    /// The vault that it is in.
    pub vault: Option<BackupVaultArn>,
    /// Its kind, such as `S3`.
    pub resource_type: Option<String>,
}
