//! The vaults of accounts, from their lists. `DescribeBackupVault` tells one vault and is among the
//! slowest calls of AWS Backup, five a second in an account and Region; a row of `ListBackupVaults` tells
//! the same, a thousand vaults a call.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::{BackupVault, BackupVaultArn, CopyJob, RecoveryPoint, Tags};
use copymend_policy::Arn;
use copymend_remediation::GuardrailReads;
use copymend_remediation::ports::{Backup, CallError, CallResult, Location, Reads};
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::listed::ListedVault;
use crate::lists::Lists;
use crate::region::RegionCode;
use crate::through::{backup_through, guardrails_through, reads_through};

/// A list of an account's vaults in a Region, every page of it.
#[derive(Debug)]
pub(crate) struct VaultList {
    /// The vaults by their names.
    pub(crate) vaults: BTreeMap<String, ListedVault>,
    /// The rows that can't be understood.
    pub(crate) unreadable: Vec<String>,
}

/// A list that could not be read.
#[derive(Clone, Debug)]
pub(crate) struct NoVaultList {
    pub(crate) error: CallError,
    /// How many pages had been read before.
    pub(crate) pages_read: u64,
}

impl VaultList {
    /// What the list tells of a vault of its account and Region. A vault that isn't in the whole list
    /// doesn't exist (inferred: the list has every vault of the account and Region, and permissions
    /// don't filter it). A row that can't be understood may be that of any vault.
    fn tells(&self, vault: &BackupVaultArn) -> Told<'_> {
        match self.vaults.get(vault.name()) {
            Some(listed) if listed.arn == *vault => Told::Exists(&listed.facts),
            None if self.unreadable.is_empty() => Told::DoesNotExist,
            Some(_) | None => Told::Nothing,
        }
    }
}

/// What a list tells of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told<'v> {
    Exists(&'v BackupVault),
    DoesNotExist,
    Nothing,
}

type Slot = Arc<OnceCell<Result<Arc<VaultList>, NoVaultList>>>;

/// The lists of vaults, each read once, where it is first asked for. Whoever asks meanwhile waits for it.
#[derive(Debug)]
pub(crate) struct VaultLists<'l, L> {
    lists: &'l L,
    read: Mutex<HashMap<Location, Slot>>,
}

impl<'l, L: Lists> VaultLists<'l, L> {
    pub(crate) fn of(lists: &'l L) -> Self {
        Self {
            lists,
            read: Mutex::default(),
        }
    }

    /// The list of an account and Region.
    pub(crate) async fn at(&self, at: &Location) -> Result<Arc<VaultList>, NoVaultList> {
        let slot = {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(read.entry(at.clone()).or_default())
        };
        slot.get_or_init(async || self.list(at).await).await.clone()
    }

    async fn list(&self, at: &Location) -> Result<Arc<VaultList>, NoVaultList> {
        let mut list = VaultList {
            vaults: BTreeMap::new(),
            unreadable: Vec::new(),
        };
        let (mut from, mut pages_read) = (None, 0);
        loop {
            let page = self.lists.list_backup_vaults(at, from.take()).await;
            let page = page.map_err(|error| NoVaultList { error, pages_read })?;
            pages_read += 1;
            list.unreadable.extend(page.unreadable);
            let vaults = page.items.into_iter();
            list.vaults
                .extend(vaults.map(|vault| (vault.arn.name().to_owned(), vault)));
            from = page.next;
            if from.is_none() {
                return Ok(Arc::new(list));
            }
        }
    }
}

/// Reads that describe vaults by their account's list. Where the list is refused, or can't tell, the
/// vault itself is asked about: AWS Backup answers a refusal then for one that doesn't exist, and only
/// the list tells that it doesn't.
#[derive(Debug)]
pub(crate) struct ByVaultLists<'r, 'l, L, R> {
    pub(crate) vaults: &'r VaultLists<'l, L>,
    pub(crate) reads: &'r R,
}

impl<L: Lists, R: Reads> Backup for ByVaultLists<'_, '_, L, R> {
    async fn describe_backup_vault(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<BackupVault>> {
        if let Some(account) = vault.account_id()
            && is_of_its_partition(vault)
        {
            let at = Location::new(account, vault.region());
            if let Ok(list) = self.vaults.at(&at).await {
                match list.tells(vault) {
                    Told::Exists(facts) => return Ok(Some(facts.clone())),
                    Told::DoesNotExist => return Ok(None),
                    Told::Nothing => {}
                }
            }
        }
        self.reads.backup().describe_backup_vault(vault).await
    }

    backup_through! {
        describe_copy_job(location: &Location, copy_job_id: &str) -> Option<CopyJob>;
        list_failed_copy_jobs(location: &Location, since: Timestamp) -> Vec<String>;
        describe_recovery_point(location: &Location, vault_name: &str, recovery_point: &Arn) -> Option<RecoveryPoint>;
        get_backup_vault_access_policy(vault: &BackupVaultArn) -> Option<String>;
        list_vault_tags(vault: &BackupVaultArn) -> Tags;
        list_recovery_point_tags(location: &Location, recovery_point: &Arn) -> Tags;
        describe_backup_job(location: &Location, backup_job_id: &str) -> Option<ServiceJob>;
        describe_restore_job(location: &Location, restore_job_id: &str) -> Option<ServiceJob>;
        is_cross_account_backup_enabled(location: &Location) -> bool;
    }
}

impl<L: Lists, R: Reads> Reads for ByVaultLists<'_, '_, L, R> {
    reads_through!();
}

impl<L: Lists, R: GuardrailReads> GuardrailReads for ByVaultLists<'_, '_, L, R> {
    guardrails_through!();
}

/// Whether the vault's Region lies in its partition. No list is of another one, so none can tell.
fn is_of_its_partition(vault: &BackupVaultArn) -> bool {
    let region = vault.region().parse::<RegionCode>();
    region.is_ok_and(|region| region.partition() == vault.partition())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(text: &str) -> BackupVaultArn {
        text.parse().unwrap()
    }

    fn list(unreadable: &[&str]) -> VaultList {
        let vault = ListedVault {
            arn: arn("arn:aws:backup:eu-west-1:111122223333:backup-vault:dr"),
            facts: BackupVault::default(),
            recovery_points: 0,
        };
        VaultList {
            vaults: BTreeMap::from([("dr".to_owned(), vault)]),
            unreadable: unreadable.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn what_is_not_in_a_whole_list_does_not_exist_and_otherwise_nobody_knows() {
        let there = arn("arn:aws:backup:eu-west-1:111122223333:backup-vault:dr");
        let missing = arn("arn:aws:backup:eu-west-1:111122223333:backup-vault:other");
        let (whole, facts) = (list(&[]), BackupVault::default());
        assert_eq!(whole.tells(&there), Told::Exists(&facts));
        assert_eq!(whole.tells(&missing), Told::DoesNotExist);
        let with_gaps = list(&["a row"]);
        assert_eq!(with_gaps.tells(&there), Told::Exists(&facts));
        assert_eq!(with_gaps.tells(&missing), Told::Nothing);
    }

    #[test]
    fn a_list_tells_nothing_of_another_partition() {
        let region = |partition: &str| {
            arn(&format!(
                "arn:{partition}:backup:eu-west-1:111122223333:backup-vault:dr"
            ))
        };
        assert!(is_of_its_partition(&region("aws")));
        assert!(!is_of_its_partition(&region("aws-cn")));
        assert_eq!(list(&[]).tells(&region("aws-cn")), Told::Nothing);
    }
}
