//! What the ledger in memory keeps.

use std::collections::BTreeMap;

use copymend_policy::AccountId;
use copymend_remediation::ledger::{
    Change, ChangeState, CountedOfSource, JobProgress, Lease, LeftOut, MessagesOf, Pause,
    RecordedSettings, RetryRecord,
};
use jiff::Timestamp;

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
}

#[derive(Clone, Debug, Default)]
pub(super) struct Retries {
    pub(super) jobs: Vec<String>,
    pub(super) at: Timestamp,
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
    pub(super) admitted: BTreeMap<(String, String), Timestamp>,
    pub(super) retries: BTreeMap<(String, String), Retries>,
    pub(super) retried: BTreeMap<String, RetryRecord>,
    pub(super) pause: Option<Pause>,
    pub(super) settings: Option<RecordedSettings>,
    /// Who tells people of the settings, until when.
    pub(super) settings_notice: Option<(String, Timestamp)>,
    /// Messages that were left out, and who sums them up, until when.
    pub(super) left_out: BTreeMap<MessagesOf, (LeftOut, Option<(String, Timestamp)>)>,
}
