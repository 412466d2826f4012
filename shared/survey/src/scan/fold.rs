//! Pages, folded as they come.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use copymend_diagnosis::advisor::JobKind;
use copymend_diagnosis::features::is_fully_managed;
use copymend_diagnosis::messages::{Explanation, explain};
use copymend_diagnosis::{BackupVaultArn, Cause, CopyJobState, KeyArn, RoleArn};
use copymend_policy::AccountId;
use copymend_remediation::ports::Location;
use jiff::Timestamp;

use super::routes::Judged;
use super::tally::Tally;
use crate::listed::{ListedCopyJob, ListedJob};
use crate::lists::Page;
use crate::not_read::NotRead;

/// So many rows that can't be understood are told one by one; the others are counted.
const UNREADABLE_TOLD: usize = 50;

/// So many notes are told.
const NOTES_TOLD: usize = 50;

/// The state of a restore job's validation that isn't a good one (AWS Backup API reference,
/// `RestoreJobsListMember`, documented).
const NOT_VALID: [&str; 2] = ["FAILED", "TIMED_OUT"];
/// The states of backup and restore jobs that did not do what they should (AWS Backup API reference,
/// `BackupJob` and `RestoreJobsListMember`, documented).
const UNSUCCESSFUL: [&str; 4] = ["FAILED", "ABORTED", "EXPIRED", "PARTIAL"];
/// The category of a message that reports no issue (AWS Backup Developer Guide, "AWS Backup
/// dashboards", documented). AWS's pages write categories in several spellings.
const NO_ISSUE: &str = "SUCCESS";

/// What a message says, as far as it decides anything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Words {
    causes: Vec<Cause>,
    named: Vec<Cause>,
    action: Option<String>,
}

impl Words {
    fn of(explanation: &Explanation<'_>) -> Self {
        Self {
            causes: explanation.candidates.iter().map(|one| one.cause).collect(),
            named: explanation.named.clone(),
            action: explanation.action().map(ToOwned::to_owned),
        }
    }

    pub(super) fn best(&self) -> Cause {
        self.causes.first().copied().unwrap_or(Cause::Unknown)
    }
}

/// Copies that are alike in everything that decides their cause but the recovery point.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Alike {
    pub(super) account: AccountId,
    pub(super) region: String,
    pub(super) role: RoleArn,
    pub(super) source_vault: BackupVaultArn,
    pub(super) destination_vault: BackupVaultArn,
    pub(super) resource_type: Option<String>,
    pub(super) is_parent: bool,
    pub(super) is_planned: bool,
    pub(super) words: Words,
    /// The source key, once it is known of the recovery points.
    pub(super) key: Option<KeyArn>,
}

/// The copies that are alike.
#[derive(Clone, Debug)]
pub(super) struct Copies {
    pub(super) tally: Tally,
    /// The newest one.
    pub(super) sample: Box<ListedCopyJob>,
    /// By recovery point, where the key is the resource's: different points may have different keys.
    pub(super) points: HashMap<u64, Point>,
    /// What was found out about them.
    pub(super) judged: Option<Judged>,
}

/// The copies of one recovery point.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) tally: Tally,
    /// The newest one's id.
    pub(super) job: Box<str>,
}

/// Backup or restore jobs that are alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct AlikeJobs {
    pub(super) kind: JobKind,
    pub(super) account: AccountId,
    pub(super) region: String,
    pub(super) problem: String,
    pub(super) cause: Cause,
    pub(super) resource: String,
}

/// The jobs that are alike.
#[derive(Clone, Debug)]
pub(super) struct Jobs {
    pub(super) tally: Tally,
    pub(super) sample: Box<ListedJob>,
}

/// What has been read so far.
///
/// Pages may come in any order, and a job on several of them counts once. Nothing of a row is kept but
/// what the newest of its kind shows, and 16 bytes to know it again.
#[derive(Clone, Debug)]
pub struct Fold {
    since: Timestamp,
    /// Whether the recovery points are kept, for their keys.
    keeps_points: bool,
    seen: HashSet<u128>,
    pub(super) copies: HashMap<Alike, Copies>,
    pub(super) jobs: HashMap<AlikeJobs, Jobs>,
    /// Parents wait until every child is read.
    parents: HashMap<u128, Box<ListedCopyJob>>,
    children: HashMap<u128, u64>,
    pub(super) not_read: Vec<NotRead>,
    pub(super) unreadable: Vec<String>,
    pub(super) unreadable_count: u64,
    pub(super) notes: Vec<String>,
}

impl Fold {
    /// Nothing read yet. Jobs that ended before `since` don't count; those that tell no end count by when
    /// they were made. `keeps_points` prepares an investigation.
    #[must_use]
    pub fn new(since: Timestamp, keeps_points: bool) -> Self {
        Self {
            since,
            keeps_points,
            seen: HashSet::new(),
            copies: HashMap::new(),
            jobs: HashMap::new(),
            parents: HashMap::new(),
            children: HashMap::new(),
            not_read: Vec::new(),
            unreadable: Vec::new(),
            unreadable_count: 0,
            notes: Vec::new(),
        }
    }

    /// The jobs that counted so far.
    #[must_use]
    pub fn found(&self) -> u64 {
        u64::try_from(self.seen.len()).unwrap_or(u64::MAX)
    }

    /// Takes a page of copy jobs.
    pub fn copy_jobs(&mut self, at: &Location, page: Page<ListedCopyJob>) {
        self.unreadable(at, page.unreadable);
        for row in page.items {
            self.copy_job(row);
        }
    }

    fn copy_job(&mut self, row: ListedCopyJob) {
        let job = &row.job;
        let is_bad = matches!(job.state, CopyJobState::Failed | CopyJobState::Partial);
        let is_old = time_of(&row).is_some_and(|ended| ended < self.since);
        let name = name_of(&("copy", job.account, &job.region, &job.id));
        if !is_bad || is_old || !self.seen.insert(name) {
            return;
        }
        if job.is_parent || job.state == CopyJobState::Partial {
            self.parents.insert(name, Box::new(row));
            return;
        }
        if let Some(parent) = &job.parent_job_id {
            let parent = name_of(&("copy", job.account, &job.region, parent));
            *self.children.entry(parent).or_default() += 1;
        }
        self.count(row, 1);
    }

    fn count(&mut self, row: ListedCopyJob, count: u64) {
        let job = &row.job;
        let words = Words::of(&explain(&job.status_message));
        let alike = Alike {
            account: job.account,
            region: job.region.clone(),
            role: job.role.clone(),
            source_vault: job.source_vault.clone(),
            destination_vault: job.destination_vault.clone(),
            resource_type: job.resource_type.clone(),
            is_parent: job.is_parent || job.state == CopyJobState::Partial,
            is_planned: job.backup_plan.is_some(),
            words,
            key: None,
        };
        let tally = Tally::of(count, time_of(&row));
        let point = (self.keeps_points
            && !alike.is_parent
            && !is_fully_managed(&job.source_recovery_point))
        .then(|| {
            let point = Point {
                tally: tally.clone(),
                job: job.id.as_str().into(),
            };
            (hash_of(job.source_recovery_point.as_str()), point)
        });
        let copies = Copies {
            tally,
            sample: Box::new(row),
            points: point.into_iter().collect(),
            judged: None,
        };
        self.add(alike, copies);
    }

    /// Adds copies to those that are alike.
    pub(super) fn add(&mut self, alike: Alike, copies: Copies) {
        let Some(known) = self.copies.get_mut(&alike) else {
            self.copies.insert(alike, copies);
            return;
        };
        known.tally.add(&copies.tally);
        if age(&copies.sample) > age(&known.sample) {
            known.sample = copies.sample;
        }
        for (name, point) in copies.points {
            match known.points.get_mut(&name) {
                Some(known) => {
                    if (point.tally.last, &point.job) > (known.tally.last, &known.job) {
                        known.job = point.job;
                    }
                    known.tally.add(&point.tally);
                }
                None => {
                    known.points.insert(name, point);
                }
            }
        }
    }

    /// Every copy job is read: parents count with what failed in them and wasn't listed by itself.
    pub fn end_of_copies(&mut self) {
        for (name, parent) in std::mem::take(&mut self.parents) {
            let listed = self.children.get(&name).copied().unwrap_or(0);
            let failed = match parent.failed_children {
                0 if listed > 0 => 0,
                failed => failed.max(1),
            };
            let others = failed.saturating_sub(listed);
            if others > 0 {
                self.count(*parent, others);
            }
        }
        self.children = HashMap::new();
    }

    /// Takes a page of backup or restore jobs.
    pub fn service_jobs(&mut self, at: &Location, page: Page<ListedJob>) {
        self.unreadable(at, page.unreadable);
        for row in page.items {
            let ended = row.completed.or(row.created);
            let is_old = ended.is_some_and(|ended| ended < self.since);
            let Some(problem) = problem_of(&row).filter(|_| !is_old) else {
                continue;
            };
            let name = name_of(&(row.kind.name(), row.account, &row.region, &row.id));
            if !self.seen.insert(name) {
                continue;
            }
            let resource = match (&row.vault, &row.resource) {
                (Some(vault), _) => vault.as_str(),
                (None, Some(resource)) => resource.as_str(),
                (None, None) => "",
            };
            let alike = AlikeJobs {
                kind: row.kind,
                account: row.account,
                region: row.region.clone(),
                problem,
                cause: explain(&row.status_message).best(),
                resource: resource.to_owned(),
            };
            let tally = Tally::of(1, ended);
            if let Some(known) = self.jobs.get_mut(&alike) {
                known.tally.add(&tally);
                if age_of_job(&row) > age_of_job(&known.sample) {
                    *known.sample = row;
                }
            } else {
                let sample = Box::new(row);
                self.jobs.insert(alike, Jobs { tally, sample });
            }
        }
    }

    /// Notes what could not be read.
    pub fn not_read(&mut self, line: NotRead) {
        if !self.not_read.contains(&line) {
            self.not_read.push(line);
        }
    }

    /// Notes what people should know, once.
    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES_TOLD && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn unreadable(&mut self, at: &Location, rows: Vec<String>) {
        self.unreadable_count += u64::try_from(rows.len()).unwrap_or(0);
        let room = UNREADABLE_TOLD.saturating_sub(self.unreadable.len());
        let told = rows.into_iter().take(room);
        self.unreadable
            .extend(told.map(|why| format!("{} {}: {why}", at.account, at.region)));
    }
}

/// When it failed.
fn time_of(row: &ListedCopyJob) -> Option<Timestamp> {
    row.job.completed.or(row.created)
}

/// What is newer is greater, and no two jobs are equal.
pub(super) fn age(row: &ListedCopyJob) -> (Option<Timestamp>, &str) {
    (time_of(row), &row.job.id)
}

fn age_of_job(row: &ListedJob) -> (Option<Timestamp>, &str) {
    (row.completed.or(row.created), &row.id)
}

/// What is wrong with a backup or restore job; nothing where it did what it should, or runs.
fn problem_of(job: &ListedJob) -> Option<String> {
    if UNSUCCESSFUL.contains(&job.state.as_str()) {
        return Some(job.state.to_lowercase());
    }
    if job.state != "COMPLETED" {
        return None;
    }
    if let Some(category) = job.message_category.as_deref()
        && !category.eq_ignore_ascii_case(NO_ISSUE)
    {
        return Some(format!("completed with issues: {category}"));
    }
    let validation = job.validation_status.as_deref()?;
    NOT_VALID.contains(&validation).then(|| {
        format!(
            "restore test: validation {}",
            validation.to_lowercase().replace('_', " ")
        )
    })
}

/// 128 bits of a name: two jobs of a month share them by chance once in far more scans than there will
/// be.
fn name_of(value: &impl Hash) -> u128 {
    let mut one = DefaultHasher::new();
    value.hash(&mut one);
    let mut other = DefaultHasher::new();
    (value, "again").hash(&mut other);
    (u128::from(one.finish()) << 64) | u128::from(other.finish())
}

pub(super) fn hash_of(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
