//! The shapes of AWS Backup's answers. Times are seconds since 1970.

use copymend_diagnosis::{BackupVaultArn, Lifecycle};
use copymend_policy::AccountId;
use copymend_sandbox::{BackupJob, CopyJob, RecoveryPoint, RestoreJob, Vault};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Leaves absent members out, as AWS does.
pub(crate) fn present(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .filter(|(_, value)| !value.is_null())
                .collect::<Map<_, _>>(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            value
        }
    }
}

pub(crate) fn copy_job(job: &CopyJob) -> Value {
    let plan = job.created_by.as_ref().map(|plan| {
        present(json!({
            "BackupPlanId": plan.backup_plan_id,
            "BackupPlanArn": plan.backup_plan_arn,
            "BackupPlanVersion": plan.backup_plan_version,
            "BackupRuleId": plan.backup_rule_id,
        }))
    });
    present(json!({
        "AccountId": job.account,
        "CopyJobId": job.id,
        "SourceBackupVaultArn": job.source_vault,
        "SourceRecoveryPointArn": job.recovery_point,
        "DestinationBackupVaultArn": job.destination_vault,
        "DestinationRecoveryPointArn": job.destination_recovery_point(),
        "DestinationRecoveryPointLifecycle": job.lifecycle.as_ref().map(lifecycle),
        "ResourceArn": job.resource,
        "ResourceType": job.resource_type,
        "CreationDate": job.created.as_second(),
        "CompletionDate": job.completed.as_second(),
        "State": job.state(),
        "StatusMessage": job.failure().map(|failure| &failure.message),
        "MessageCategory": job.failure().map_or("SUCCESS", |failure| failure.category.as_str()),
        "BackupSizeInBytes": job.size_in_bytes,
        "IamRoleArn": job.role,
        "CreatedBy": plan,
        "IsParent": false,
    }))
}

fn lifecycle(lifecycle: &Lifecycle) -> Value {
    present(json!({
        "MoveToColdStorageAfterDays": lifecycle.move_to_cold_storage_after_days,
        "DeleteAfterDays": lifecycle.delete_after_days,
        "OptInToArchiveForSupportedResources": lifecycle.opt_in_to_archive_for_supported_resources,
        "DeleteAfterEvent": lifecycle.delete_after_event,
    }))
}

pub(crate) fn vault(arn: &str, name: &str, vault: &Vault) -> Value {
    let lock = vault.lock.as_ref();
    present(json!({
        "BackupVaultName": name,
        "BackupVaultArn": arn,
        "VaultType": vault.vault_type,
        "VaultState": "AVAILABLE",
        "EncryptionKeyArn": vault.encryption_key_arn,
        "EncryptionKeyType": vault.encryption_key_type,
        "NumberOfRecoveryPoints": vault.recovery_points.len(),
        "Locked": lock.is_some() || vault.is_logically_air_gapped(),
        "MinRetentionDays": lock.and_then(|lock| lock.min_retention_days),
        "MaxRetentionDays": lock.and_then(|lock| lock.max_retention_days),
    }))
}

pub(crate) fn recovery_point(vault_arn: &str, vault_name: &str, point: &RecoveryPoint) -> Value {
    present(json!({
        "RecoveryPointArn": point.arn,
        "BackupVaultName": vault_name,
        "BackupVaultArn": vault_arn,
        "ResourceArn": point.resource_arn,
        "ResourceType": point.resource_type,
        "Status": point.status,
        "BackupSizeInBytes": point.size_in_bytes,
        "EncryptionKeyArn": point.encryption_key_arn,
        "IsEncrypted": point.is_encrypted(),
        "StorageClass": "WARM",
        "IsParent": false,
    }))
}

pub(crate) fn backup_job(job: &BackupJob) -> Value {
    present(json!({
        "AccountId": job.account,
        "BackupJobId": job.id,
        "BackupVaultArn": job.vault_arn,
        "BackupVaultName": job.vault_arn.as_ref().map(BackupVaultArn::name),
        "EncryptionKeyArn": job.encryption_key_arn,
        "IamRoleArn": job.iam_role_arn,
        "ResourceArn": job.resource_arn,
        "ResourceType": job.resource_type,
        "RecoveryPointArn": job.recovery_point_arn,
        "CreationDate": job.creation_date.map(jiff::Timestamp::as_second),
        "State": job.state,
        "StatusMessage": job.status_message,
        "IsParent": false,
    }))
}

pub(crate) fn restore_job(job: &RestoreJob) -> Value {
    present(json!({
        "AccountId": job.account,
        "RestoreJobId": job.id,
        "BackupVaultArn": job.vault_arn,
        "IamRoleArn": job.iam_role_arn,
        "RecoveryPointArn": job.recovery_point_arn,
        "ResourceType": job.resource_type,
        "Status": job.status,
        "StatusMessage": job.status_message,
        "IsParent": false,
    }))
}

/// The body of `StartCopyJob`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StartCopyJob {
    pub(crate) recovery_point_arn: String,
    pub(crate) source_backup_vault_name: String,
    pub(crate) destination_backup_vault_arn: String,
    pub(crate) iam_role_arn: String,
    #[serde(default)]
    pub(crate) idempotency_token: Option<String>,
    #[serde(default)]
    pub(crate) lifecycle: Option<WireLifecycle>,
}

/// A lifecycle as the wire writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireLifecycle {
    #[serde(default)]
    move_to_cold_storage_after_days: Option<i64>,
    #[serde(default)]
    delete_after_days: Option<i64>,
    #[serde(default)]
    opt_in_to_archive_for_supported_resources: Option<bool>,
    #[serde(default)]
    delete_after_event: Option<String>,
}

impl From<WireLifecycle> for Lifecycle {
    fn from(wire: WireLifecycle) -> Self {
        Self {
            move_to_cold_storage_after_days: wire.move_to_cold_storage_after_days,
            delete_after_days: wire.delete_after_days,
            opt_in_to_archive_for_supported_resources: wire
                .opt_in_to_archive_for_supported_resources,
            delete_after_event: wire.delete_after_event,
        }
    }
}

/// The query of `ListCopyJobs`, as far as it is served.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ListCopyJobs {
    pub(crate) next_token: Option<String>,
    pub(crate) max_results: Option<usize>,
    resource_arn: Option<String>,
    resource_type: Option<String>,
    state: Option<String>,
    destination_vault_arn: Option<String>,
    account_id: Option<String>,
    source_recovery_point_arn: Option<String>,
    created_after: Option<jiff::Timestamp>,
    created_before: Option<jiff::Timestamp>,
}

impl ListCopyJobs {
    pub(crate) fn admits(&self, job: &CopyJob) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        let account: &AccountId = &job.account;
        is(
            &self.resource_arn,
            job.resource.as_ref().map(copymend_policy::Arn::as_str),
        ) && is(&self.resource_type, job.resource_type.as_deref())
            && is(&self.state, Some(job.state().as_str()))
            && is(
                &self.destination_vault_arn,
                Some(job.destination_vault.as_str()),
            )
            && (is(&self.account_id, Some(account.as_str()))
                || self.account_id.as_deref() == Some("*"))
            && is(
                &self.source_recovery_point_arn,
                Some(job.recovery_point.as_str()),
            )
            && self.created_after.is_none_or(|time| job.created >= time)
            && self.created_before.is_none_or(|time| job.created <= time)
    }
}
