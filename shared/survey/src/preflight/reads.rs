//! The reads of a planned copy, whose backup doesn't exist yet: the newest one stands for it, wherever
//! it is.

use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::features::is_fully_managed;
use copymend_diagnosis::{BackupVault, BackupVaultArn, CopyJob, RecoveryPoint, Tags};
use copymend_policy::Arn;
use copymend_remediation::GuardrailReads;
use copymend_remediation::ports::{Backup, CallResult, Location, Reads};
use jiff::Timestamp;

use crate::through::{backup_through, guardrails_through, reads_through};

/// Reads where a recovery point is described in the vault that it is in, and not in the one that the
/// next backup will be in.
pub(super) struct OfNewest<'r, R> {
    pub(super) reads: &'r R,
    /// The vault that the newest backup is in.
    pub(super) backup_in: &'r BackupVaultArn,
    /// The vault that the next one will be in.
    pub(super) source_vault: &'r BackupVaultArn,
}

impl<R: Reads> Backup for OfNewest<'_, R> {
    async fn describe_recovery_point(
        &self,
        location: &Location,
        _vault_name: &str,
        recovery_point: &Arn,
    ) -> CallResult<Option<RecoveryPoint>> {
        let backup = self.reads.backup();
        let name = self.backup_in.name();
        let found = backup
            .describe_recovery_point(location, name, recovery_point)
            .await?;
        let is_elsewhere = self.backup_in != self.source_vault;
        Ok(found.map(|point| match point.encryption_key {
            // The next one will be under the key of its own vault.
            Some(_) if is_elsewhere && is_fully_managed(recovery_point) => RecoveryPoint {
                encryption_key: None,
                is_encrypted: None,
                ..point
            },
            Some(_) | None => point,
        }))
    }

    backup_through! {
        describe_copy_job(location: &Location, copy_job_id: &str) -> Option<CopyJob>;
        list_failed_copy_jobs(location: &Location, since: Timestamp) -> Vec<String>;
        describe_backup_vault(vault: &BackupVaultArn) -> Option<BackupVault>;
        get_backup_vault_access_policy(vault: &BackupVaultArn) -> Option<String>;
        list_vault_tags(vault: &BackupVaultArn) -> Tags;
        list_recovery_point_tags(location: &Location, recovery_point: &Arn) -> Tags;
        describe_backup_job(location: &Location, backup_job_id: &str) -> Option<ServiceJob>;
        describe_restore_job(location: &Location, restore_job_id: &str) -> Option<ServiceJob>;
        is_cross_account_backup_enabled(location: &Location) -> bool;
    }
}

impl<R: Reads> Reads for OfNewest<'_, R> {
    reads_through!();
}

impl<R: GuardrailReads> GuardrailReads for OfNewest<'_, R> {
    guardrails_through!();
}
