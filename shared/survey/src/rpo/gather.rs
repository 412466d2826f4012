//! Reading all that is judged: side by side where that is allowed, and folded page by page.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use copymend_diagnosis::{BackupVaultArn, CopyJobState};
use copymend_remediation::ports::{CallError, CallResult, Location};
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;

use super::gathered::{BACKED_UP_WITHIN, Gathered, place_of};
use crate::lists::{CopyJobQuery, Lists, Page, RecoveryPointQuery};

/// How many lists are read side by side: each holds one page in memory.
const SIDE_BY_SIDE: usize = 8;
/// A vault of this type shows another vault's recovery points (AWS Backup Developer Guide, "Logically
/// air-gapped vault", documented): it is no place of its own.
const VIEW: &str = "RESTORE_ACCESS_BACKUP_VAULT";
/// How many rows that can't be understood are told one by one.
const TOLD: usize = 3;

/// How far the reading has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Vaults that are read.
    pub vaults: u64,
    /// Vaults that are to be read.
    pub of_vaults: u64,
    /// Recovery points so far.
    pub points: u64,
    /// Copy jobs so far.
    pub jobs: u64,
}

struct Reading<'l, L> {
    lists: &'l L,
    gathered: Mutex<Gathered>,
    progress: Mutex<Progress>,
    tell: &'l (dyn Fn(Progress) + Sync),
}

/// Said of a vault that was not read when the reading was stopped.
const TIME_WAS_OVER: &str = "the time was over";

/// Reads plans, copy jobs and vaults of these accounts and Regions, and the vaults elsewhere that copies
/// go to. What can't be read is noted, and hides nothing else.
pub async fn gather<L: Lists>(
    lists: &L,
    scope: &[Location],
    now: Timestamp,
    tell: &(dyn Fn(Progress) + Sync),
) -> Gathered {
    gather_until(std::future::pending(), lists, scope, now, tell).await
}

/// The same until `stop` ends. What was not read then is noted as everything that can't be read.
pub(super) async fn gather_until<L: Lists>(
    stop: impl Future<Output = ()> + Send,
    lists: &L,
    scope: &[Location],
    now: Timestamp,
    tell: &(dyn Fn(Progress) + Sync),
) -> Gathered {
    let mut stop = Box::pin(stop);
    let reading = Reading {
        lists,
        gathered: Mutex::new(Gathered::at(now)),
        progress: Mutex::default(),
        tell,
    };
    let found = stream::iter(scope)
        .map(async |at| (at, reading.account(at, now).await))
        .buffer_unordered(SIDE_BY_SIDE)
        .take_until(&mut stop);
    let mut found = Box::pin(found);
    let mut vaults = BTreeSet::new();
    let mut left: Vec<&Location> = scope.iter().collect();
    while let Some((at, of_account)) = found.next().await {
        vaults.extend(of_account);
        left.retain(|one| *one != at);
    }
    let is_stopped = found.take_result().is_some();
    drop(found);
    vaults.extend(reading.gathered().destinations());
    reading.progressed(|progress| {
        progress.of_vaults = u64::try_from(vaults.len()).unwrap_or(u64::MAX);
    });
    if !is_stopped {
        let read = stream::iter(&vaults)
            .map(|vault| reading.vault(vault))
            .buffer_unordered(SIDE_BY_SIDE)
            .take_until(&mut stop);
        let () = Box::pin(read).collect().await;
    }
    let mut gathered = reading
        .gathered
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    vaults.retain(|vault| gathered.is_to_be_read(vault));
    if is_stopped || !vaults.is_empty() {
        gathered.was_cut(!is_stopped);
    }
    for at in left {
        gathered.account_was_not_read(at, TIME_WAS_OVER);
    }
    for vault in &vaults {
        gathered.vault_was_not_read(vault, TIME_WAS_OVER);
    }
    gathered
}

impl<L: Lists> Reading<'_, L> {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progressed(&self, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut progress);
        (self.tell)(*progress);
    }

    fn not_read(&self, at: &Location, error: &CallError) {
        self.gathered().account_was_not_read(at, error.to_string());
    }

    /// Plans and copy jobs of an account and Region; answers its vaults.
    async fn account(&self, at: &Location, now: Timestamp) -> BTreeSet<BackupVaultArn> {
        if let Err(error) = self.plans(at).await {
            self.not_read(at, &error);
        }
        let since = now.checked_sub(BACKED_UP_WITHIN).unwrap_or(now);
        if let Err(error) = self.copy_jobs(at, since).await {
            self.not_read(at, &error);
        }
        let mut vaults = BTreeSet::new();
        let listed = self
            .pages(
                at,
                |from| self.lists.list_backup_vaults(at, from),
                |vault| {
                    if vault.facts.vault_type.as_deref() != Some(VIEW) {
                        vaults.insert(vault.arn);
                    }
                },
            )
            .await;
        match listed {
            Ok(()) => self.gathered().was_listed(at),
            Err(error) => self.not_read(at, &error),
        }
        vaults
    }

    async fn plans(&self, at: &Location) -> CallResult<()> {
        let mut plans = Vec::new();
        let listed = self
            .pages(
                at,
                |from| self.lists.list_backup_plans(at, from),
                |plan| plans.push(plan.id),
            )
            .await;
        for plan in plans {
            match self.lists.get_backup_plan(at, &plan).await {
                Ok(Some(plan)) => {
                    let mut gathered = self.gathered();
                    gathered.add_plan(&plan);
                    gathered.add_sources(at, &plan);
                }
                Ok(None) => {}
                Err(error) => self.not_read(at, &error),
            }
        }
        listed
    }

    async fn copy_jobs(&self, at: &Location, since: Timestamp) -> CallResult<()> {
        let query = CopyJobQuery {
            state: Some(CopyJobState::Completed),
            created_after: since,
        };
        let mut from = None;
        loop {
            let page = self.lists.list_copy_jobs(at, &query, from).await?;
            self.note_unreadable(at, &page);
            let mut gathered = self.gathered();
            for job in &page.items {
                gathered.add_copy_job(job);
            }
            drop(gathered);
            let read = u64::try_from(page.items.len()).unwrap_or_default();
            self.progressed(|progress| progress.jobs = progress.jobs.saturating_add(read));
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    /// Reads a vault where it is.
    async fn vault(&self, vault: &BackupVaultArn) {
        let outcome = match place_of(vault) {
            Some(at) => self.points(&at, vault).await,
            None => Err("its account is no real one".to_owned()),
        };
        match outcome {
            Ok(()) => self.gathered().vault_was_read(vault),
            Err(_) if self.is_absent(vault).await => self.gathered().vault_is_absent(vault),
            Err(why) => self.gathered().vault_was_not_read(vault, why),
        }
        self.progressed(|progress| progress.vaults = progress.vaults.saturating_add(1));
    }

    /// Whether a vault isn't among all that its account has in its Region. AWS Backup denies what is
    /// asked about a vault that doesn't exist, so that only the list tells.
    async fn is_absent(&self, vault: &BackupVaultArn) -> bool {
        let Some(at) = place_of(vault) else {
            return false;
        };
        let mut is_there = false;
        let listed = self
            .pages(
                &at,
                |from| self.lists.list_backup_vaults(&at, from),
                |found| is_there |= found.arn == *vault,
            )
            .await;
        listed.is_ok() && !is_there
    }

    async fn points(&self, at: &Location, vault: &BackupVaultArn) -> Result<(), String> {
        let query = RecoveryPointQuery::default();
        let mut unreadable = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .lists
                .list_recovery_points(at, vault.name(), &query, from)
                .await
                .map_err(|error| error.to_string())?;
            let mut gathered = self.gathered();
            for point in &page.items {
                gathered.add_point(point);
            }
            drop(gathered);
            unreadable.extend(page.unreadable);
            let read = u64::try_from(page.items.len()).unwrap_or_default();
            self.progressed(|progress| progress.points = progress.points.saturating_add(read));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        if unreadable.is_empty() {
            return Ok(());
        }
        Err(cannot_be_understood(&unreadable))
    }

    /// Reads a list to its end.
    async fn pages<T, F>(
        &self,
        at: &Location,
        mut page_from: impl FnMut(Option<String>) -> F,
        mut take: impl FnMut(T),
    ) -> CallResult<()>
    where
        F: Future<Output = CallResult<Page<T>>>,
    {
        let mut from = None;
        loop {
            let page = page_from(from).await?;
            self.note_unreadable(at, &page);
            page.items.into_iter().for_each(&mut take);
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    fn note_unreadable<T>(&self, at: &Location, page: &Page<T>) {
        if !page.unreadable.is_empty() {
            let why = cannot_be_understood(&page.unreadable);
            self.gathered().account_was_not_read(at, why);
        }
    }
}

fn cannot_be_understood(rows: &[String]) -> String {
    let told: Vec<&str> = rows.iter().take(TOLD).map(String::as_str).collect();
    format!(
        "{} entries can't be understood: {}",
        rows.len(),
        told.join("; ")
    )
}
