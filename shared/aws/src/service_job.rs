//! The answers of `DescribeBackupJob` and `DescribeRestoreJob`. Every member is optional in AWS's model.

use aws_sdk_backup::operation::describe_backup_job::DescribeBackupJobOutput;
use aws_sdk_backup::operation::describe_restore_job::DescribeRestoreJobOutput;
use copymend_diagnosis::{BackupJob, RestoreJob};
use copymend_policy::AccountId;

use crate::copy_job::{optional, required, text};

/// Reads a backup job. The error names the member that can't be used.
pub(crate) fn backup(
    job: &DescribeBackupJobOutput,
    called: AccountId,
) -> Result<BackupJob, String> {
    Ok(BackupJob {
        id: required("BackupJobId", job.backup_job_id())?,
        account: optional("AccountId", job.account_id())?.unwrap_or(called),
        state: required(
            "State",
            job.state()
                .map(aws_sdk_backup::types::BackupJobState::as_str),
        )?,
        status_message: job.status_message().unwrap_or_default().to_owned(),
        role: optional("IamRoleArn", job.iam_role_arn())?,
        vault: optional("BackupVaultArn", job.backup_vault_arn())?,
        // A key that is named by an alias or an id alone is no reason to know nothing of the job.
        encryption_key: optional("EncryptionKeyArn", job.encryption_key_arn()).unwrap_or_default(),
        resource: optional("ResourceArn", job.resource_arn())?,
        resource_type: text(job.resource_type()),
    })
}

/// Reads a restore job. The error names the member that can't be used.
pub(crate) fn restore(
    job: &DescribeRestoreJobOutput,
    called: AccountId,
) -> Result<RestoreJob, String> {
    Ok(RestoreJob {
        id: required("RestoreJobId", job.restore_job_id())?,
        account: optional("AccountId", job.account_id())?.unwrap_or(called),
        status: required(
            "Status",
            job.status()
                .map(aws_sdk_backup::types::RestoreJobStatus::as_str),
        )?,
        status_message: job.status_message().unwrap_or_default().to_owned(),
        role: optional("IamRoleArn", job.iam_role_arn())?,
        recovery_point: optional("RecoveryPointArn", job.recovery_point_arn())?,
        vault: optional("BackupVaultArn", job.backup_vault_arn())?,
        resource_type: text(job.resource_type()),
    })
}
