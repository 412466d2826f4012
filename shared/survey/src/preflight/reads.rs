//! The reads of a planned copy, whose backup doesn't exist yet: the newest one stands for it, wherever
//! it is.

use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::features::is_fully_managed;
use copymend_diagnosis::{
    BackupVault, BackupVaultArn, ControlPolicyKind, CopyJob, RecoveryPoint, Tags,
};
use copymend_policy::{AccountId, Arn};
use copymend_remediation::GuardrailReads;
use copymend_remediation::ports::{Backup, CallResult, Location, Reads};
use jiff::Timestamp;

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
    async fn describe_copy_job(
        &self,
        location: &Location,
        copy_job_id: &str,
    ) -> CallResult<Option<CopyJob>> {
        let backup = self.reads.backup();
        backup.describe_copy_job(location, copy_job_id).await
    }

    async fn list_failed_copy_jobs(
        &self,
        location: &Location,
        since: Timestamp,
    ) -> CallResult<Vec<String>> {
        let backup = self.reads.backup();
        backup.list_failed_copy_jobs(location, since).await
    }

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

    async fn describe_backup_vault(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<BackupVault>> {
        self.reads.backup().describe_backup_vault(vault).await
    }

    async fn get_backup_vault_access_policy(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<String>> {
        let backup = self.reads.backup();
        backup.get_backup_vault_access_policy(vault).await
    }

    async fn list_vault_tags(&self, vault: &BackupVaultArn) -> CallResult<Tags> {
        self.reads.backup().list_vault_tags(vault).await
    }

    async fn list_recovery_point_tags(
        &self,
        location: &Location,
        recovery_point: &Arn,
    ) -> CallResult<Tags> {
        let backup = self.reads.backup();
        backup
            .list_recovery_point_tags(location, recovery_point)
            .await
    }

    async fn describe_backup_job(
        &self,
        location: &Location,
        backup_job_id: &str,
    ) -> CallResult<Option<ServiceJob>> {
        let backup = self.reads.backup();
        backup.describe_backup_job(location, backup_job_id).await
    }

    async fn describe_restore_job(
        &self,
        location: &Location,
        restore_job_id: &str,
    ) -> CallResult<Option<ServiceJob>> {
        let backup = self.reads.backup();
        backup.describe_restore_job(location, restore_job_id).await
    }

    async fn is_cross_account_backup_enabled(&self, location: &Location) -> CallResult<bool> {
        let backup = self.reads.backup();
        backup.is_cross_account_backup_enabled(location).await
    }
}

impl<R: Reads> Reads for OfNewest<'_, R> {
    type Backup = Self;
    type Keys = R::Keys;
    type Identities = R::Identities;
    type Organizations = R::Organizations;
    type Images = R::Images;
    type ResourceTags = R::ResourceTags;
    type Notifier = R::Notifier;
    type Ledger = R::Ledger;
    type Clock = R::Clock;

    fn backup(&self) -> &Self {
        self
    }

    fn keys(&self) -> &R::Keys {
        self.reads.keys()
    }

    fn identities(&self) -> &R::Identities {
        self.reads.identities()
    }

    fn organizations(&self) -> &R::Organizations {
        self.reads.organizations()
    }

    fn images(&self) -> Option<&R::Images> {
        self.reads.images()
    }

    fn resource_tags(&self) -> Option<&R::ResourceTags> {
        self.reads.resource_tags()
    }

    fn organization_reader(&self) -> Option<AccountId> {
        self.reads.organization_reader()
    }

    fn notifier(&self) -> &R::Notifier {
        self.reads.notifier()
    }

    fn ledger(&self) -> Option<&R::Ledger> {
        self.reads.ledger()
    }

    fn clock(&self) -> &R::Clock {
        self.reads.clock()
    }
}

impl<R: GuardrailReads> GuardrailReads for OfNewest<'_, R> {
    async fn control_policies(
        &self,
        reader: AccountId,
        account: AccountId,
        kind: ControlPolicyKind,
        partition: &str,
    ) -> CallResult<Vec<Vec<String>>> {
        self.reads
            .control_policies(reader, account, kind, partition)
            .await
    }

    async fn is_region_enabled(
        &self,
        account: AccountId,
        region: &str,
        partition: &str,
    ) -> CallResult<bool> {
        self.reads
            .is_region_enabled(account, region, partition)
            .await
    }
}
