//! Where a world's jobs are, so that finding and listing one doesn't pass all the others.

use std::collections::BTreeMap;

use copymend_policy::AccountId;

use super::World;
use super::schema::{BackupJob, RestoreJob};
use crate::copies::CopyJob;
use crate::index::{Index, Listed, page};

/// The positions of jobs that are never taken out again.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobIndex {
    ids: Index,
    names: BTreeMap<String, usize>,
    places: BTreeMap<AccountId, BTreeMap<String, Index>>,
}

impl JobIndex {
    pub(crate) fn add(&mut self, account: AccountId, region: &str, id: &str, at: usize) {
        self.ids.add(id, at);
        let regions = self.places.entry(account).or_default();
        if let Some(index) = regions.get_mut(region) {
            index.add(id, at);
            return;
        }
        let mut index = Index::default();
        index.add(id, at);
        regions.insert(region.to_owned(), index);
    }

    pub(crate) fn name(&mut self, name: &str, at: usize) {
        self.names.insert(name.to_owned(), at);
    }

    /// The jobs of an account and Region from a place on, in the order of the list.
    fn after<'j, J>(
        &self,
        jobs: &'j [J],
        (account, region): (AccountId, &str),
        from: Option<u64>,
    ) -> impl Iterator<Item = (u64, &'j J)> {
        let index = self
            .places
            .get(&account)
            .and_then(|regions| regions.get(region));
        index
            .into_iter()
            .flat_map(move |index| index.after(from))
            .filter_map(|(place, at)| Some((place, jobs.get(at)?)))
    }
}

impl World {
    /// The copy jobs, oldest first.
    #[must_use]
    pub fn copy_jobs(&self) -> &[CopyJob] {
        &self.jobs
    }

    /// One copy job.
    #[must_use]
    pub fn copy_job(&self, id: &str) -> Option<&CopyJob> {
        self.position_of_copy(id).and_then(|at| self.jobs.get(at))
    }

    pub(crate) fn position_of_copy(&self, id: &str) -> Option<usize> {
        self.copy_index
            .ids
            .at(id)
            .find(|at| self.jobs.get(*at).is_some_and(|job| job.id == id))
    }

    /// One copy job, by its id or its name.
    #[must_use]
    pub fn copy_job_named(&self, name: &str) -> Option<&CopyJob> {
        self.copy_job(name).or_else(|| {
            let at = self.copy_index.names.get(name)?;
            self.jobs.get(*at)
        })
    }

    /// One backup job, where it ran.
    #[must_use]
    pub fn backup_job(&self, account: AccountId, region: &str, id: &str) -> Option<&BackupJob> {
        let jobs = self.backup_index.ids.at(id);
        jobs.filter_map(|at| self.backup_jobs.get(at))
            .find(|job| job.account == account && job.region == region && job.id == id)
    }

    /// One restore job, where it ran.
    #[must_use]
    pub fn restore_job(&self, account: AccountId, region: &str, id: &str) -> Option<&RestoreJob> {
        let jobs = self.restore_index.ids.at(id);
        jobs.filter_map(|at| self.restore_jobs.get(at))
            .find(|job| job.account == account && job.region == region && job.id == id)
    }

    /// A page of the copy jobs that an account started in a Region, in an order of their own, from
    /// after the place of the page before. A job that is there all the while is on one page.
    pub fn page_of_copy_jobs(
        &self,
        account: AccountId,
        region: &str,
        admits: impl Fn(&CopyJob) -> bool,
        from: Option<u64>,
        size: usize,
    ) -> Listed<&CopyJob> {
        let jobs = self.copy_index.after(&self.jobs, (account, region), from);
        page(jobs.filter(|(_, job)| admits(job)), size)
    }

    /// A page of the backup jobs of an account and Region.
    pub fn page_of_backup_jobs(
        &self,
        account: AccountId,
        region: &str,
        admits: impl Fn(&BackupJob) -> bool,
        from: Option<u64>,
        size: usize,
    ) -> Listed<&BackupJob> {
        let jobs = self
            .backup_index
            .after(&self.backup_jobs, (account, region), from);
        page(jobs.filter(|(_, job)| admits(job)), size)
    }

    /// A page of the restore jobs of an account and Region.
    pub fn page_of_restore_jobs(
        &self,
        account: AccountId,
        region: &str,
        admits: impl Fn(&RestoreJob) -> bool,
        from: Option<u64>,
        size: usize,
    ) -> Listed<&RestoreJob> {
        let jobs = self
            .restore_index
            .after(&self.restore_jobs, (account, region), from);
        page(jobs.filter(|(_, job)| admits(job)), size)
    }

    /// Adds a backup job.
    pub(super) fn add_backup_job(&mut self, job: BackupJob) {
        let at = self.backup_jobs.len();
        self.backup_index.add(job.account, &job.region, &job.id, at);
        self.backup_jobs.push(job);
    }

    /// Adds a restore job.
    pub(super) fn add_restore_job(&mut self, job: RestoreJob) {
        let at = self.restore_jobs.len();
        self.restore_index
            .add(job.account, &job.region, &job.id, at);
        self.restore_jobs.push(job);
    }

    /// Adds a copy job.
    pub(crate) fn add_copy_job(&mut self, job: CopyJob) {
        let at = self.jobs.len();
        self.copy_index.add(job.account, &job.region, &job.id, at);
        if let Some(name) = &job.name {
            self.copy_index.name(name, at);
        }
        self.jobs.push(job);
    }
}
