//! What the ledger in memory keeps.

use std::collections::{BTreeMap, BTreeSet};

use copymend_policy::AccountId;
use copymend_remediation::approval::{ApprovalRequest, RequestState};
use copymend_remediation::ledger::{
    Admission, Change, ChangeState, CountedOfSource, JobProgress, Lease, LeftOut, MessagesOf,
    Pause, RecordedSettings, RetryRecord, ToldOfPlace,
};
use copymend_remediation::records::{EndedIncident, PauseRecord, RefusalRecord};
use jiff::Timestamp;

use super::is_over;
use crate::policies::Policy;

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) state: JobState,
    pub(super) progress: JobProgress,
}

#[derive(Clone, Debug)]
pub(super) enum JobState {
    Begun { owner: String, until: Timestamp },
    Done { outcome: String, at: Timestamp },
}

#[derive(Clone, Debug)]
pub(super) struct Counted {
    pub(super) count: u64,
    pub(super) outcome: String,
    pub(super) first_seen: Timestamp,
    pub(super) at: Timestamp,
    /// The job whose retry worked.
    pub(super) closed_by: Option<String>,
    /// Whether it was counted otherwise than quietly.
    pub(super) is_known: bool,
    /// The count up to which it was looked whether people are to be told.
    pub(super) since: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Retries {
    pub(super) jobs: Vec<String>,
    /// The changes after which they were counted anew.
    pub(super) after_changes: BTreeSet<String>,
    at: Timestamp,
}

impl Retries {
    pub(super) fn count(
        &mut self,
        failed_job: &str,
        budget: u32,
        anew_after: Option<&str>,
        now: Timestamp,
    ) -> Option<u32> {
        if is_over(self.at, now) {
            self.jobs.clear();
            self.after_changes.clear();
        }
        if budget == 0 {
            return None;
        }
        if anew_after.is_some_and(|change| self.after_changes.insert(change.to_owned())) {
            self.jobs.clear();
        }
        let known = self.jobs.iter().any(|job| job == failed_job);
        let used = u32::try_from(self.jobs.len()).unwrap_or(u32::MAX);
        if !known && used >= budget {
            return None;
        }
        if !known {
            self.jobs.push(failed_job.to_owned());
        }
        self.at = now;
        let place = self.jobs.iter().position(|job| job == failed_job)?;
        Some(u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1))
    }
}

impl State {
    /// A job's entry, where this owner has it.
    pub(super) fn job_of(&mut self, copy_job_id: &str, owner: &str) -> Option<&mut Job> {
        let job = self.jobs.get_mut(copy_job_id)?;
        matches!(&job.state, JobState::Begun { owner: by, .. } if by == owner).then_some(job)
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) jobs: BTreeMap<String, Job>,
    pub(super) incidents: BTreeMap<String, Counted>,
    pub(super) leases: BTreeMap<String, Lease>,
    pub(super) policies: BTreeMap<String, Policy>,
    pub(super) changes: Vec<(Change, ChangeState)>,
    pub(super) last_change: Option<(String, Timestamp)>,
    pub(super) sources: BTreeMap<(CountedOfSource, AccountId, String), u32>,
    /// The source accounts of which an owner keeps Copymend away from a key.
    pub(super) opted_out: BTreeSet<AccountId>,
    pub(super) admitted: BTreeMap<(String, String), Admission>,
    pub(super) retries: BTreeMap<(String, String), Retries>,
    pub(super) retried: BTreeMap<String, RetryRecord>,
    pub(super) pause: Option<Pause>,
    /// Every pause on record, the oldest first.
    pub(super) pauses: Vec<PauseRecord>,
    /// The refusals on record, by resource and grantee.
    pub(super) refusals: BTreeMap<(String, String), RefusalRecord>,
    /// When incidents were over last, by their fingerprints.
    pub(super) ended: BTreeMap<String, EndedIncident>,
    /// What people were told of planned copies, by account and Region.
    pub(super) told: BTreeMap<(AccountId, String), ToldOfPlace>,
    /// The plans that people were asked about, by id.
    pub(super) requests: BTreeMap<String, (ApprovalRequest, RequestState)>,
    /// Of each incident the request that people were asked about last, by its id.
    pub(super) questions: BTreeMap<String, String>,
    pub(super) settings: Option<RecordedSettings>,
    /// Who tells people of the settings, until when.
    pub(super) settings_notice: Option<(String, Timestamp)>,
    /// When the next message has its turn.
    pub(super) next_turn: Option<Timestamp>,
    /// Messages that were left out, and who sums them up, until when.
    pub(super) left_out: BTreeMap<MessagesOf, (LeftOut, Option<(String, Timestamp)>)>,
}
