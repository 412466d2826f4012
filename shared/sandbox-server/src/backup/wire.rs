//! The shapes of AWS Backup's answers. Times are seconds since 1970.

use copymend_diagnosis::{BackupVaultArn, Lifecycle};
use copymend_sandbox::{
    BackupJob, BackupPlan, CopyJob, PlanRule, RecoveryPoint, RestoreJob, Vault, World,
};
use jiff::Timestamp;
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

/// The version of every plan: a world has one of each.
pub(crate) const PLAN_VERSION: &str = "MTExMTExMTEtMTExMS00";

fn created_by(plan: &BackupPlan) -> Value {
    present(json!({
        "BackupPlanId": plan.backup_plan_id,
        "BackupPlanArn": plan.backup_plan_arn,
        "BackupPlanVersion": plan.backup_plan_version,
        "BackupRuleId": plan.backup_rule_id,
    }))
}

/// A time in seconds, "accurate to milliseconds" (documented: AWS Backup API reference, such as
/// `CopyJob`, `CreationDate`).
pub(crate) fn second(time: Option<Timestamp>) -> Option<Value> {
    let time = time?;
    let milliseconds = time.as_millisecond();
    if milliseconds % 1_000 == 0 {
        return Some(time.as_second().into());
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit into the 53 bits for ages"
    )]
    let seconds = milliseconds as f64 / 1_000.0;
    Some(seconds.into())
}

/// The category of a job's message. Of a parent of which a part failed it isn't known.
pub(crate) fn message_category(job: &CopyJob) -> Option<&str> {
    match job.failure() {
        Some(failure) => Some(&failure.category),
        None => (job.failed_children() == 0).then_some("SUCCESS"),
    }
}

pub(crate) fn copy_job(job: &CopyJob) -> Value {
    let children = job.is_parent().then(|| {
        let mut states = Map::new();
        for (state, count) in [
            ("COMPLETED", job.completed_children()),
            ("FAILED", job.failed_children()),
        ] {
            if count > 0 {
                states.insert(state.to_owned(), count.into());
            }
        }
        states
    });
    let number = job.is_parent().then(|| {
        job.completed_children()
            .saturating_add(job.failed_children())
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
        "CreationDate": second(Some(job.created)),
        "CompletionDate": second(Some(job.completed)),
        "State": job.state(),
        "StatusMessage": job.failure().map(|failure| &failure.message),
        "MessageCategory": message_category(job),
        "BackupSizeInBytes": job.size_in_bytes,
        "IamRoleArn": job.role,
        "CreatedBy": job.created_by.as_ref().map(created_by),
        "CreatedByBackupJobId": job.created_by_backup_job,
        "ParentJobId": job.parent,
        "IsParent": job.is_parent(),
        "NumberOfChildJobs": number,
        "ChildJobsInState": children,
    }))
}

pub(crate) fn rule(rule: &PlanRule) -> Value {
    let actions: Vec<Value> = rule
        .copy_actions
        .iter()
        .map(|action| {
            present(json!({
                "DestinationBackupVaultArn": action.destination_vault_arn,
                "Lifecycle": action.lifecycle.as_ref().map(lifecycle),
            }))
        })
        .collect();
    present(json!({
        "RuleId": rule.id,
        "RuleName": rule.name(),
        "TargetBackupVaultName": rule.target_vault,
        "TargetLogicallyAirGappedBackupVaultArn": rule.target_air_gapped_vault_arn,
        "ScheduleExpression": rule.schedule(),
        "EnableContinuousBackup": rule.continuous,
        "Lifecycle": rule.lifecycle.as_ref().map(lifecycle),
        "CopyActions": actions,
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

pub(crate) fn vault(arn: &BackupVaultArn, vault: &Vault, world: &World) -> Value {
    let facts = vault.facts(world);
    present(json!({
        "BackupVaultName": arn.name(),
        "BackupVaultArn": arn,
        "VaultType": facts.vault_type,
        "VaultState": "AVAILABLE",
        "EncryptionKeyArn": facts.encryption_key,
        "EncryptionKeyType": facts.encryption_key_type,
        "NumberOfRecoveryPoints": vault.recovery_points.len(),
        "Locked": facts.locked,
        "MinRetentionDays": facts.min_retention_days,
        "MaxRetentionDays": facts.max_retention_days,
    }))
}

/// A recovery point as `DescribeRecoveryPoint` tells it.
pub(crate) fn recovery_point(vault_arn: &str, vault_name: &str, point: &RecoveryPoint) -> Value {
    with(
        told_point(vault_arn, vault_name, point),
        [("StorageClass", "WARM".into())],
    )
}

/// A recovery point as `ListRecoveryPointsByBackupVault` tells it.
pub(crate) fn listed_recovery_point(
    vault_arn: &str,
    vault_name: &str,
    vault_type: &str,
    point: &RecoveryPoint,
) -> Value {
    with(
        told_point(vault_arn, vault_name, point),
        [("VaultType", vault_type.into())],
    )
}

fn with<const N: usize>(mut answer: Value, more: [(&str, Value); N]) -> Value {
    if let Some(members) = answer.as_object_mut() {
        for (name, value) in more {
            members.insert(name.to_owned(), value);
        }
    }
    answer
}

fn told_point(vault_arn: &str, vault_name: &str, point: &RecoveryPoint) -> Value {
    let (cold, deleted) = (point.moves_to_cold_storage_at(), point.deleted_at());
    let calculated = (cold.is_some() || deleted.is_some()).then(|| {
        present(json!({"MoveToColdStorageAt": second(cold), "DeleteAt": second(deleted)}))
    });
    present(json!({
        "RecoveryPointArn": point.arn,
        "BackupVaultName": vault_name,
        "BackupVaultArn": vault_arn,
        "SourceBackupVaultArn": point.source_vault_arn,
        "ResourceArn": point.resource_arn,
        "ResourceType": point.resource_type,
        "CreatedBy": point.created_by.as_ref().map(created_by),
        "IamRoleArn": point.iam_role_arn,
        "Status": point.status,
        "CreationDate": second(point.creation_date),
        "BackupSizeInBytes": point.size_in_bytes,
        "Lifecycle": point.lifecycle.as_ref().map(lifecycle),
        "CalculatedLifecycle": calculated,
        "EncryptionKeyArn": point.encryption_key_arn,
        "IsEncrypted": point.is_encrypted(),
        "ParentRecoveryPointArn": point.parent_recovery_point_arn,
        "IsParent": point.is_parent,
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
        "CreatedBy": job.created_by.as_ref().map(created_by),
        "CreationDate": second(job.creation_date),
        "CompletionDate": second(job.completion_date),
        "State": job.state,
        "StatusMessage": job.status_message,
        "MessageCategory": job.message_category,
        "ParentJobId": job.parent_job_id,
        "IsParent": false,
    }))
}

pub(crate) fn restore_job(job: &RestoreJob) -> Value {
    let plan = job.restore_testing_plan_arn.as_ref();
    let tested = plan.map(|plan| json!({ "RestoreTestingPlanArn": plan }));
    present(json!({
        "AccountId": job.account,
        "RestoreJobId": job.id,
        "BackupVaultArn": job.vault_arn,
        "IamRoleArn": job.iam_role_arn,
        "RecoveryPointArn": job.recovery_point_arn,
        "SourceResourceArn": job.source_resource_arn,
        "ResourceType": job.resource_type,
        "CreationDate": second(job.creation_date),
        "CompletionDate": second(job.completion_date),
        "Status": job.status,
        "StatusMessage": job.status_message,
        "ValidationStatus": job.validation_status,
        "CreatedBy": tested,
        "ParentJobId": job.parent_job_id,
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
