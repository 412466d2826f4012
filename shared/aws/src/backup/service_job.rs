//! The answers of `DescribeBackupJob` and `DescribeRestoreJob`.

use copymend_diagnosis::advisor::{JobKind, ServiceJob};
use copymend_remediation::ports::Location;

use super::answers::{BackupJob, RestoreJob};
use crate::member::{optional, required, text};

/// Reads a backup job that was found at `location`. The error names the member that can't be used.
pub(crate) fn read_backup(job: &BackupJob, location: &Location) -> Result<ServiceJob, String> {
    Ok(ServiceJob {
        kind: JobKind::Backup,
        id: required("BackupJobId", job.backup_job_id.as_deref())?,
        account: optional("AccountId", job.account_id.as_deref())?.or(Some(location.account)),
        region: location.region.clone(),
        state: required("State", job.state.as_deref())?,
        status_message: job.status_message.as_deref().unwrap_or_default().to_owned(),
        role: optional("IamRoleArn", job.iam_role_arn.as_deref())?,
        vault: optional("BackupVaultArn", job.backup_vault_arn.as_deref())?,
        encryption_key: optional("EncryptionKeyArn", job.encryption_key_arn.as_deref())?,
        resource: optional("ResourceArn", job.resource_arn.as_deref())?,
        resource_type: text(job.resource_type.as_deref()),
    })
}

/// Reads a restore job that was found at `location`. The error names the member that can't be used.
pub(crate) fn read_restore(job: &RestoreJob, location: &Location) -> Result<ServiceJob, String> {
    Ok(ServiceJob {
        kind: JobKind::Restore,
        id: required("RestoreJobId", job.restore_job_id.as_deref())?,
        account: optional("AccountId", job.account_id.as_deref())?.or(Some(location.account)),
        region: location.region.clone(),
        state: required("Status", job.status.as_deref())?,
        status_message: job.status_message.as_deref().unwrap_or_default().to_owned(),
        role: optional("IamRoleArn", job.iam_role_arn.as_deref())?,
        resource: optional("RecoveryPointArn", job.recovery_point_arn.as_deref())?,
        vault: optional("BackupVaultArn", job.backup_vault_arn.as_deref())?,
        encryption_key: None,
        resource_type: text(job.resource_type.as_deref()),
    })
}
