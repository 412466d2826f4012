//! What AWS Backup's lists, plans and selections are answered as (AWS Backup API reference, the operations
//! and data types of these names, documented). Times are seconds since 1970.

#![expect(
    clippy::struct_field_names,
    reason = "members have the names that AWS gives them"
)]

use serde::Deserialize;

use crate::backup::answers::{BackupJob, BackupVault, Creator, Lifecycle, RestoreJob};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListBackupJobs {
    pub(super) backup_jobs: Option<Vec<BackupJob>>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListRestoreJobs {
    pub(super) restore_jobs: Option<Vec<RestoreJob>>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListBackupVaults {
    pub(super) backup_vault_list: Option<Vec<BackupVault>>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListProtectedResources {
    pub(super) results: Option<Vec<ProtectedResource>>,
    pub(super) next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ProtectedResource {
    pub(super) last_backup_time: Option<f64>,
    pub(super) last_backup_vault_arn: Option<String>,
    pub(super) last_recovery_point_arn: Option<String>,
    pub(super) resource_arn: Option<String>,
    pub(super) resource_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListRecoveryPoints {
    pub(super) next_token: Option<String>,
    pub(super) recovery_points: Option<Vec<RecoveryPoint>>,
}

/// `RecoveryPointByBackupVault`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RecoveryPoint {
    pub(super) backup_vault_arn: Option<String>,
    pub(super) calculated_lifecycle: Option<CalculatedLifecycle>,
    pub(super) created_by: Option<Creator>,
    pub(super) creation_date: Option<f64>,
    pub(super) encryption_key_arn: Option<String>,
    pub(super) iam_role_arn: Option<String>,
    pub(super) is_parent: Option<bool>,
    pub(super) parent_recovery_point_arn: Option<String>,
    pub(super) recovery_point_arn: Option<String>,
    pub(super) resource_arn: Option<String>,
    pub(super) resource_type: Option<String>,
    pub(super) source_backup_vault_arn: Option<String>,
    pub(super) status: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CalculatedLifecycle {
    pub(super) delete_at: Option<f64>,
    pub(super) move_to_cold_storage_at: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListBackupPlans {
    pub(super) backup_plans_list: Option<Vec<BackupPlanRow>>,
    pub(super) next_token: Option<String>,
}

/// `BackupPlansListMember`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BackupPlanRow {
    pub(super) backup_plan_id: Option<String>,
    pub(super) backup_plan_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct GetBackupPlan {
    pub(super) backup_plan: Option<BackupPlan>,
    pub(super) backup_plan_id: Option<String>,
    pub(super) scheduled_runs_preview: Option<Vec<ScheduledRun>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BackupPlan {
    pub(super) backup_plan_name: Option<String>,
    pub(super) rules: Option<Vec<BackupRule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BackupRule {
    pub(super) copy_actions: Option<Vec<CopyAction>>,
    pub(super) enable_continuous_backup: Option<bool>,
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) rule_id: Option<String>,
    pub(super) rule_name: Option<String>,
    pub(super) schedule_expression: Option<String>,
    pub(super) target_backup_vault_name: Option<String>,
    pub(super) target_logically_air_gapped_backup_vault_arn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct CopyAction {
    pub(super) destination_backup_vault_arn: Option<String>,
    pub(super) lifecycle: Option<Lifecycle>,
}

/// `ScheduledPlanExecutionMember`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ScheduledRun {
    pub(super) execution_time: Option<f64>,
    pub(super) rule_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListBackupSelections {
    pub(super) backup_selections_list: Option<Vec<BackupSelectionRow>>,
    pub(super) next_token: Option<String>,
}

/// `BackupSelectionsListMember`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BackupSelectionRow {
    pub(super) iam_role_arn: Option<String>,
    pub(super) selection_id: Option<String>,
    pub(super) selection_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct GetBackupSelection {
    pub(super) backup_selection: Option<BackupSelection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct BackupSelection {
    pub(super) conditions: Option<Conditions>,
    pub(super) iam_role_arn: Option<String>,
    pub(super) list_of_tags: Option<Vec<Condition>>,
    pub(super) not_resources: Option<Vec<String>>,
    pub(super) resources: Option<Vec<String>>,
    pub(super) selection_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Conditions {
    pub(super) string_equals: Option<Vec<Condition>>,
    pub(super) string_like: Option<Vec<Condition>>,
    pub(super) string_not_equals: Option<Vec<Condition>>,
    pub(super) string_not_like: Option<Vec<Condition>>,
}

/// `Condition`, and `ConditionParameter`, which has no type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Condition {
    pub(super) condition_key: Option<String>,
    pub(super) condition_type: Option<String>,
    pub(super) condition_value: Option<String>,
}
