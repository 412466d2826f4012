//! `DescribeCopyJob`'s answer.

use aws_sdk_backup::types;
use aws_smithy_types::DateTime;
use copymend_diagnosis::{BackupVaultArn, CopyJob, Lifecycle};
use jiff::Timestamp;

use crate::member::{optional, required, text};

/// Reads a copy job. The error names the member that can't be used.
pub(crate) fn read(job: &types::CopyJob) -> Result<CopyJob, String> {
    let source_vault: BackupVaultArn =
        required("SourceBackupVaultArn", job.source_backup_vault_arn())?;
    let account = match optional("AccountId", job.account_id())? {
        Some(account) => account,
        None => source_vault
            .account_id()
            .ok_or("`AccountId` is missing, and `SourceBackupVaultArn` names no real account")?,
    };
    let state = job
        .state()
        .ok_or_else(|| "`State` is missing".to_owned())?
        .as_str();
    Ok(CopyJob {
        id: required("CopyJobId", job.copy_job_id())?,
        account,
        region: source_vault.region().to_owned(),
        state: state
            .parse()
            .map_err(|()| format!("`State` is `{state}`, which is no known state"))?,
        status_message: job.status_message().unwrap_or_default().to_owned(),
        message_category: text(job.message_category()),
        source_recovery_point: required("SourceRecoveryPointArn", job.source_recovery_point_arn())?,
        destination_vault: required(
            "DestinationBackupVaultArn",
            job.destination_backup_vault_arn(),
        )?,
        role: required("IamRoleArn", job.iam_role_arn())?,
        resource: optional("ResourceArn", job.resource_arn())?,
        resource_type: text(job.resource_type()),
        backup_plan: job.created_by().and_then(|creator| {
            text(creator.backup_plan_arn()).or_else(|| text(creator.backup_plan_id()))
        }),
        lifecycle: job
            .destination_recovery_point_lifecycle()
            .and_then(read_lifecycle),
        parent_job_id: text(job.parent_job_id()),
        is_parent: job.is_parent(),
        completed: job.completion_date().and_then(moment),
        size_bytes: job
            .backup_size_in_bytes()
            .and_then(|size| size.try_into().ok()),
        source_vault,
    })
}

fn moment(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_millisecond(time.to_millis().ok()?).ok()
}

pub(crate) fn read_lifecycle(lifecycle: &types::Lifecycle) -> Option<Lifecycle> {
    let lifecycle = Lifecycle {
        move_to_cold_storage_after_days: lifecycle.move_to_cold_storage_after_days(),
        delete_after_days: lifecycle.delete_after_days(),
        opt_in_to_archive_for_supported_resources: lifecycle
            .opt_in_to_archive_for_supported_resources(),
        delete_after_event: text(
            lifecycle
                .delete_after_event()
                .map(types::LifecycleDeleteAfterEvent::as_str),
        ),
    };
    (lifecycle != Lifecycle::default()).then_some(lifecycle)
}

/// A lifecycle for `StartCopyJob`, which takes no `DeleteAfterEvent` (AWS Backup API reference,
/// `Lifecycle`, documented: "not valid as an input").
pub(crate) fn write_lifecycle(lifecycle: &Lifecycle) -> types::Lifecycle {
    types::Lifecycle::builder()
        .set_move_to_cold_storage_after_days(lifecycle.move_to_cold_storage_after_days)
        .set_delete_after_days(lifecycle.delete_after_days)
        .set_opt_in_to_archive_for_supported_resources(
            lifecycle.opt_in_to_archive_for_supported_resources,
        )
        .build()
}
