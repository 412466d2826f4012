//! The answers of `DescribeBackupJob` and `DescribeRestoreJob`.

use aws_sdk_backup::operation::describe_backup_job::DescribeBackupJobOutput;
use aws_sdk_backup::operation::describe_restore_job::DescribeRestoreJobOutput;
use aws_sdk_backup::types::{BackupJobState, RestoreJobStatus};
use copymend_diagnosis::advisor::{JobKind, ServiceJob};
use copymend_remediation::ports::Location;

use crate::member::{optional, required, text};

/// Reads a backup job that was found at `location`. The error names the member that can't be used.
pub(crate) fn read_backup(
    job: &DescribeBackupJobOutput,
    location: &Location,
) -> Result<ServiceJob, String> {
    Ok(ServiceJob {
        kind: JobKind::Backup,
        id: required("BackupJobId", job.backup_job_id())?,
        account: optional("AccountId", job.account_id())?.or(Some(location.account)),
        region: location.region.clone(),
        state: required("State", job.state().map(BackupJobState::as_str))?,
        status_message: job.status_message().unwrap_or_default().to_owned(),
        role: optional("IamRoleArn", job.iam_role_arn())?,
        vault: optional("BackupVaultArn", job.backup_vault_arn())?,
        encryption_key: optional("EncryptionKeyArn", job.encryption_key_arn())?,
        resource: optional("ResourceArn", job.resource_arn())?,
        resource_type: text(job.resource_type()),
    })
}

/// Reads a restore job that was found at `location`. The error names the member that can't be used.
pub(crate) fn read_restore(
    job: &DescribeRestoreJobOutput,
    location: &Location,
) -> Result<ServiceJob, String> {
    Ok(ServiceJob {
        kind: JobKind::Restore,
        id: required("RestoreJobId", job.restore_job_id())?,
        account: optional("AccountId", job.account_id())?.or(Some(location.account)),
        region: location.region.clone(),
        state: required("Status", job.status().map(RestoreJobStatus::as_str))?,
        status_message: job.status_message().unwrap_or_default().to_owned(),
        role: optional("IamRoleArn", job.iam_role_arn())?,
        resource: optional("RecoveryPointArn", job.recovery_point_arn())?,
        vault: optional("BackupVaultArn", job.backup_vault_arn())?,
        encryption_key: None,
        resource_type: text(job.resource_type()),
    })
}
