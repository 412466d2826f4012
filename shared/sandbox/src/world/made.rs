//! What is made in a world after its beginning, and what is taken out of it: vaults, backups.

use std::sync::OnceLock;

use copymend_diagnosis::{BackupVaultArn, KeyArn, Tags};
use copymend_policy::{AccountId, Arn};
use jiff::SignedDuration;

use super::World;
use super::load::complete_vaults;
use super::schema::{BackupJob, RecoveryPoint, Vault, backup_vault};

impl World {
    /// Makes a backup vault; without a key it gets the default key for AWS Backup. `false` where
    /// there is one of that name, or where its account isn't in the world.
    pub fn make_vault(&mut self, arn: &BackupVaultArn, key: Option<KeyArn>, tags: Tags) -> bool {
        let Some(id) = arn.account_id() else {
            return false;
        };
        let Some(account) = self
            .accounts
            .get_mut(&id)
            .filter(|account| account.partition == arn.partition())
        else {
            return false;
        };
        let region = account.regions.entry(arn.region().to_owned()).or_default();
        if region.vaults.contains_key(arn.name()) {
            return false;
        }
        let vault = Vault {
            encryption_key_arn: key,
            encryption_key_type: None,
            policy: None,
            tags,
            lock: None,
            vault_type: backup_vault(),
            recovery_points: Vec::new(),
            index: OnceLock::new(),
        };
        region.vaults.insert(arn.name().to_owned(), vault);
        complete_vaults(arn.partition(), arn.region(), id, region);
        true
    }

    /// Takes a vault out of the world, with what is in it.
    pub fn remove_vault(&mut self, arn: &BackupVaultArn) {
        let account = arn.account_id().and_then(|id| self.accounts.get_mut(&id));
        if let Some(region) = account.and_then(|account| account.regions.get_mut(arn.region())) {
            region.vaults.remove(arn.name());
        }
    }

    /// Takes a recovery point out of its vault; answers whether it was there.
    pub fn remove_recovery_point(&mut self, vault: &BackupVaultArn, point: &Arn) -> bool {
        let Some(vault) = self.vault_mut(vault) else {
            return false;
        };
        let before = vault.recovery_points.len();
        vault.recovery_points.retain(|found| found.arn != *point);
        vault.recovery_points.len() < before
    }

    /// A backup that is done: the job, and its recovery point in the job's vault, under ids of the
    /// world's own. The recovery point's ARN is `arn` with the id behind it. `None` where the
    /// vault isn't there.
    pub fn make_backup(
        &mut self,
        job: BackupJob,
        arn: &str,
        point: impl FnOnce(Arn) -> RecoveryPoint,
    ) -> Option<BackupJob> {
        let vault = job.vault_arn.clone()?;
        let id = self.next_id();
        let arn: Arn = format!("{arn}{}", crate::ids::short(&["backup", &id]))
            .parse()
            .ok()?;
        self.vault_to_add_to(&vault)?.add(point(arn.clone()));
        let job = BackupJob {
            id,
            recovery_point_arn: Some(arn),
            ..job
        };
        self.add_backup_job(job.clone());
        Some(job)
    }

    /// The backup jobs of an account and Region.
    pub fn backup_jobs<'w>(
        &'w self,
        account: AccountId,
        region: &'w str,
    ) -> impl Iterator<Item = &'w BackupJob> {
        self.backup_jobs
            .iter()
            .filter(move |job| job.account == account && job.region == region)
    }

    /// How long a denial is remembered from now on.
    pub const fn set_denials_last(&mut self, time: SignedDuration) {
        self.denials.set_last(time);
    }
}
