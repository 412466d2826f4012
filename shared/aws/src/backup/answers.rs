//! What AWS Backup answers (AWS Backup API reference, the operations and data types of these names,
//! documented). AWS's models make nearly all members optional; a `null` is as good as none. Times are
//! seconds since 1970.

#![expect(
    clippy::struct_field_names,
    reason = "members have the names that AWS gives them"
)]

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use jiff::Timestamp;
use serde::Deserialize;

/// A time, to the millisecond.
pub(crate) fn moment(seconds: Option<f64>) -> Option<Timestamp> {
    let time = DateTime::from_secs_f64(seconds?);
    Timestamp::from_millisecond(time.to_millis().ok()?).ok()
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct CopyJob {
    pub(crate) account_id: Option<String>,
    pub(crate) backup_size_in_bytes: Option<i64>,
    pub(crate) child_jobs_in_state: Option<BTreeMap<String, i64>>,
    pub(crate) completion_date: Option<f64>,
    pub(crate) copy_job_id: Option<String>,
    pub(crate) created_by: Option<Creator>,
    pub(crate) created_by_backup_job_id: Option<String>,
    pub(crate) creation_date: Option<f64>,
    pub(crate) destination_backup_vault_arn: Option<String>,
    pub(crate) destination_recovery_point_arn: Option<String>,
    pub(crate) destination_recovery_point_lifecycle: Option<Lifecycle>,
    pub(crate) iam_role_arn: Option<String>,
    pub(crate) is_parent: Option<bool>,
    pub(crate) message_category: Option<String>,
    pub(crate) parent_job_id: Option<String>,
    pub(crate) resource_arn: Option<String>,
    pub(crate) resource_type: Option<String>,
    pub(crate) source_backup_vault_arn: Option<String>,
    pub(crate) source_recovery_point_arn: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) status_message: Option<String>,
}

/// `RecoveryPointCreator`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Creator {
    pub(crate) backup_plan_arn: Option<String>,
    pub(crate) backup_plan_id: Option<String>,
    pub(crate) backup_rule_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Lifecycle {
    pub(crate) delete_after_days: Option<i64>,
    pub(crate) delete_after_event: Option<String>,
    pub(crate) move_to_cold_storage_after_days: Option<i64>,
    pub(crate) opt_in_to_archive_for_supported_resources: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct DescribeCopyJob {
    pub(crate) copy_job: Option<CopyJob>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct ListCopyJobs {
    pub(crate) copy_jobs: Option<Vec<CopyJob>>,
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct DescribeRecoveryPoint {
    pub(super) encryption_key_arn: Option<String>,
    pub(super) is_encrypted: Option<bool>,
    pub(super) status: Option<String>,
}

/// `DescribeBackupVault`, and an entry of `ListBackupVaults`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct BackupVault {
    pub(crate) backup_vault_arn: Option<String>,
    pub(crate) backup_vault_name: Option<String>,
    pub(crate) encryption_key_arn: Option<String>,
    pub(crate) encryption_key_type: Option<String>,
    pub(crate) locked: Option<bool>,
    pub(crate) max_retention_days: Option<i64>,
    pub(crate) min_retention_days: Option<i64>,
    pub(crate) number_of_recovery_points: Option<i64>,
    pub(crate) vault_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct GetBackupVaultAccessPolicy {
    pub(super) policy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListTags {
    pub(super) next_token: Option<String>,
    pub(super) tags: Option<BTreeMap<String, String>>,
}

/// `DescribeBackupJob`, and an entry of `ListBackupJobs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct BackupJob {
    pub(crate) account_id: Option<String>,
    pub(crate) backup_job_id: Option<String>,
    pub(crate) backup_vault_arn: Option<String>,
    pub(crate) completion_date: Option<f64>,
    pub(crate) creation_date: Option<f64>,
    pub(crate) encryption_key_arn: Option<String>,
    pub(crate) iam_role_arn: Option<String>,
    pub(crate) message_category: Option<String>,
    pub(crate) resource_arn: Option<String>,
    pub(crate) resource_type: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) status_message: Option<String>,
}

/// `DescribeRestoreJob`, and an entry of `ListRestoreJobs`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct RestoreJob {
    pub(crate) account_id: Option<String>,
    pub(crate) backup_vault_arn: Option<String>,
    pub(crate) completion_date: Option<f64>,
    pub(crate) creation_date: Option<f64>,
    pub(crate) iam_role_arn: Option<String>,
    pub(crate) recovery_point_arn: Option<String>,
    pub(crate) resource_type: Option<String>,
    pub(crate) restore_job_id: Option<String>,
    pub(crate) source_resource_arn: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) status_message: Option<String>,
    pub(crate) validation_status: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct DescribeGlobalSettings {
    pub(super) global_settings: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct StartCopyJob {
    pub(super) copy_job_id: Option<String>,
}
