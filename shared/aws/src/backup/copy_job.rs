//! `DescribeCopyJob`'s answer.

use copymend_diagnosis::{BackupVaultArn, CopyJob, Lifecycle};
use serde_json::{Map, Value};

use super::answers::{self, moment};
use crate::member::{optional, required, text};

/// Reads a copy job. The error names the member that can't be used.
pub(crate) fn read(job: &answers::CopyJob) -> Result<CopyJob, String> {
    let source_vault: BackupVaultArn = required(
        "SourceBackupVaultArn",
        job.source_backup_vault_arn.as_deref(),
    )?;
    let account = match optional("AccountId", job.account_id.as_deref())? {
        Some(account) => account,
        None => source_vault
            .account_id()
            .ok_or("`AccountId` is missing, and `SourceBackupVaultArn` names no real account")?,
    };
    let state = job
        .state
        .as_deref()
        .ok_or_else(|| "`State` is missing".to_owned())?;
    Ok(CopyJob {
        id: required("CopyJobId", job.copy_job_id.as_deref())?,
        account,
        region: source_vault.region().to_owned(),
        state: state
            .parse()
            .map_err(|()| format!("`State` is `{state}`, which is no known state"))?,
        status_message: job.status_message.as_deref().unwrap_or_default().to_owned(),
        message_category: text(job.message_category.as_deref()),
        source_recovery_point: required(
            "SourceRecoveryPointArn",
            job.source_recovery_point_arn.as_deref(),
        )?,
        destination_vault: required(
            "DestinationBackupVaultArn",
            job.destination_backup_vault_arn.as_deref(),
        )?,
        role: required("IamRoleArn", job.iam_role_arn.as_deref())?,
        resource: optional("ResourceArn", job.resource_arn.as_deref())?,
        resource_type: text(job.resource_type.as_deref()),
        backup_plan: job.created_by.as_ref().and_then(|creator| {
            text(creator.backup_plan_arn.as_deref())
                .or_else(|| text(creator.backup_plan_id.as_deref()))
        }),
        lifecycle: job
            .destination_recovery_point_lifecycle
            .as_ref()
            .and_then(read_lifecycle),
        parent_job_id: text(job.parent_job_id.as_deref()),
        is_parent: job.is_parent.unwrap_or_default(),
        completed: moment(job.completion_date),
        size_bytes: job
            .backup_size_in_bytes
            .and_then(|size| size.try_into().ok()),
        source_vault,
    })
}

pub(crate) fn read_lifecycle(lifecycle: &answers::Lifecycle) -> Option<Lifecycle> {
    let lifecycle = Lifecycle {
        move_to_cold_storage_after_days: lifecycle.move_to_cold_storage_after_days,
        delete_after_days: lifecycle.delete_after_days,
        opt_in_to_archive_for_supported_resources: lifecycle
            .opt_in_to_archive_for_supported_resources,
        delete_after_event: text(lifecycle.delete_after_event.as_deref()),
    };
    (lifecycle != Lifecycle::default()).then_some(lifecycle)
}

/// A lifecycle for `StartCopyJob`, which takes no `DeleteAfterEvent` (AWS Backup API reference,
/// `Lifecycle`, documented: "not valid as an input").
pub(super) fn write_lifecycle(lifecycle: &Lifecycle) -> Value {
    let members = [
        (
            "MoveToColdStorageAfterDays",
            lifecycle.move_to_cold_storage_after_days.map(Value::from),
        ),
        (
            "DeleteAfterDays",
            lifecycle.delete_after_days.map(Value::from),
        ),
        (
            "OptInToArchiveForSupportedResources",
            lifecycle
                .opt_in_to_archive_for_supported_resources
                .map(Value::from),
        ),
    ];
    let given = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}
