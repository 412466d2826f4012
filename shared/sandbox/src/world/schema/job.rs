//! Jobs, and what may go wrong with them.

use copymend_diagnosis::{self as diagnosis, BackupVaultArn, KeyArn, Lifecycle, RoleArn};
use copymend_policy::{AccountId, Arn};
use jiff::Timestamp;
use serde::Deserialize;

/// A copy job's inputs. Whether it fails, and with which message, follows from the world.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyJobInput {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) recovery_point_arn: Arn,
    pub(crate) source_vault_arn: BackupVaultArn,
    pub(crate) destination_vault_arn: BackupVaultArn,
    pub(crate) iam_role_arn: RoleArn,
    #[serde(default)]
    pub(crate) created_by: Option<BackupPlan>,
    #[serde(default)]
    pub(crate) lifecycle: Option<LifecycleInput>,
    pub(crate) creation_date: Timestamp,
    #[serde(default)]
    pub(crate) resource_arn: Option<Arn>,
    #[serde(default)]
    pub(crate) resource_type: Option<String>,
    #[serde(default)]
    pub(crate) faults: Vec<Fault>,
    /// `CreatedByBackupJobId`.
    #[serde(default)]
    pub(crate) created_by_backup_job_id: Option<String>,
    /// The job of the composite backup that this job copies a part of.
    #[serde(default)]
    pub(crate) parent_job_id: Option<String>,
}

/// The backup plan that started a copy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupPlan {
    /// `backupPlanArn`.
    pub backup_plan_arn: Arn,
    /// `backupPlanId`.
    pub backup_plan_id: String,
    /// `backupPlanVersion`.
    #[serde(default)]
    pub backup_plan_version: Option<String>,
    /// `backupPlanRuleId`.
    pub backup_rule_id: String,
}

/// [`Lifecycle`], refusing fields that it doesn't have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LifecycleInput {
    #[serde(default)]
    move_to_cold_storage_after_days: Option<i64>,
    #[serde(default)]
    delete_after_days: Option<i64>,
    #[serde(default)]
    opt_in_to_archive_for_supported_resources: Option<bool>,
    #[serde(default)]
    delete_after_event: Option<String>,
}

impl LifecycleInput {
    /// A number of days that AWS Backup doesn't take; -1 is for ever there.
    pub(crate) fn impossible(&self) -> Option<i64> {
        let days = [self.move_to_cold_storage_after_days, self.delete_after_days];
        days.into_iter().flatten().find(|days| *days < -1)
    }
}

impl From<LifecycleInput> for Lifecycle {
    fn from(input: LifecycleInput) -> Self {
        Self {
            move_to_cold_storage_after_days: input.move_to_cold_storage_after_days,
            delete_after_days: input.delete_after_days,
            opt_in_to_archive_for_supported_resources: input
                .opt_in_to_archive_for_supported_resources,
            delete_after_event: input.delete_after_event,
        }
    }
}

/// What goes wrong with a copy although every rule lets it pass, such as a fault inside AWS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// AWS's message.
    pub message: String,
    /// AWS's category of the message.
    #[serde(default)]
    pub category: Option<String>,
    /// How many attempts it spoils; every one unless said otherwise.
    #[serde(default)]
    pub attempts: Option<u32>,
}

/// A backup job, as it ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupJob {
    /// The id.
    pub id: String,
    /// The account that it ran in.
    pub account: AccountId,
    /// The Region that it ran in.
    pub region: String,
    /// `FAILED` unless said otherwise, or another of AWS Backup's states.
    #[serde(default = "failed")]
    pub state: String,
    /// AWS's message.
    #[serde(default)]
    pub status_message: String,
    /// The job role.
    #[serde(default)]
    pub iam_role_arn: Option<RoleArn>,
    /// The vault that the backup goes to.
    #[serde(default)]
    pub vault_arn: Option<BackupVaultArn>,
    /// The key that the backup is encrypted with.
    #[serde(default)]
    pub encryption_key_arn: Option<KeyArn>,
    /// The resource.
    #[serde(default)]
    pub resource_arn: Option<Arn>,
    /// Its kind.
    #[serde(default)]
    pub resource_type: Option<String>,
    /// The recovery point that it made, if it did.
    #[serde(default)]
    pub recovery_point_arn: Option<Arn>,
    /// When it started; the world's time unless said otherwise.
    #[serde(default)]
    pub creation_date: Option<Timestamp>,
    /// When it ended, if that matters.
    #[serde(default)]
    pub completion_date: Option<Timestamp>,
    /// `MessageCategory`.
    #[serde(default)]
    pub message_category: Option<String>,
    /// `ParentJobId`.
    #[serde(default)]
    pub parent_job_id: Option<String>,
    /// The backup plan that started it.
    #[serde(default)]
    pub created_by: Option<BackupPlan>,
}

impl From<&BackupJob> for diagnosis::advisor::ServiceJob {
    fn from(job: &BackupJob) -> Self {
        Self {
            kind: diagnosis::advisor::JobKind::Backup,
            id: job.id.clone(),
            account: Some(job.account),
            region: job.region.clone(),
            state: job.state.clone(),
            status_message: job.status_message.clone(),
            role: job.iam_role_arn.clone(),
            vault: job.vault_arn.clone(),
            encryption_key: job.encryption_key_arn.clone(),
            resource: job.resource_arn.clone(),
            resource_type: job.resource_type.clone(),
        }
    }
}

/// A restore job, as it ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoreJob {
    /// The id.
    pub id: String,
    /// The account that it ran in.
    pub account: AccountId,
    /// The Region that it ran in.
    pub region: String,
    /// `FAILED` unless said otherwise, or another of AWS Backup's states.
    #[serde(default = "failed")]
    pub status: String,
    /// AWS's message.
    #[serde(default)]
    pub status_message: String,
    /// The job role.
    #[serde(default)]
    pub iam_role_arn: Option<RoleArn>,
    /// The recovery point that is restored.
    #[serde(default)]
    pub recovery_point_arn: Option<Arn>,
    /// The vault that it is in.
    #[serde(default)]
    pub vault_arn: Option<BackupVaultArn>,
    /// Its kind.
    #[serde(default)]
    pub resource_type: Option<String>,
    /// `SourceResourceArn`: what the recovery point is a backup of.
    #[serde(default)]
    pub source_resource_arn: Option<Arn>,
    /// When it started; the world's time unless said otherwise.
    #[serde(default)]
    pub creation_date: Option<Timestamp>,
    /// When it ended, if that matters.
    #[serde(default)]
    pub completion_date: Option<Timestamp>,
    /// `ValidationStatus`.
    #[serde(default)]
    pub validation_status: Option<String>,
    /// `ParentJobId`.
    #[serde(default)]
    pub parent_job_id: Option<String>,
    /// `CreatedBy.RestoreTestingPlanArn`.
    #[serde(default)]
    pub restore_testing_plan_arn: Option<Arn>,
}

impl From<&RestoreJob> for diagnosis::advisor::ServiceJob {
    fn from(job: &RestoreJob) -> Self {
        Self {
            kind: diagnosis::advisor::JobKind::Restore,
            id: job.id.clone(),
            account: Some(job.account),
            region: job.region.clone(),
            state: job.status.clone(),
            status_message: job.status_message.clone(),
            role: job.iam_role_arn.clone(),
            resource: job.recovery_point_arn.clone(),
            vault: job.vault_arn.clone(),
            encryption_key: None,
            resource_type: job.resource_type.clone(),
        }
    }
}

fn failed() -> String {
    "FAILED".to_owned()
}
