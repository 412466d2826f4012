//! The ledger: what is remembered from one event to the next. One DynamoDB table in a deployment.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::Arn;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ports::CallResult;

/// How a job stands in the ledger when its event arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEntry {
    /// Nobody handles it: it is ours now, until the time that was asked for.
    Started,
    /// Another invocation handles it.
    InProgress,
    /// It was handled; the outcome's slug.
    Done(String),
}

/// How often an incident was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// This time included.
    pub count: u64,
    /// The outcome that was recorded before, if any.
    pub previous_outcome: Option<String>,
}

impl Occurrence {
    /// Whether people are told: at the first occurrence, when the outcome changes, and at 10, 100, 1,000 and so on.
    #[must_use]
    pub fn is_worth_telling(&self, outcome: &str) -> bool {
        let changed = self.previous_outcome.as_deref() != Some(outcome);
        let mut milestone = 10_u64;
        while milestone < self.count {
            milestone = milestone.saturating_mul(10);
        }
        self.count <= 1 || changed || milestone == self.count
    }
}

/// A write to a policy, with what is needed to take it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// A stable id: the job that led to it and the resource.
    pub id: String,
    /// The vault or key whose policy was written.
    pub resource: String,
    /// The policy before; absent where there was none.
    pub before: Option<String>,
    /// The policy after.
    pub after: String,
    /// The statements that were added, each as JSON text.
    pub added: Vec<String>,
    /// When it was written.
    pub at: Timestamp,
    /// The copy job that led to it.
    pub copy_job_id: String,
}

/// What the ledger knows of earlier writes to one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyHistory {
    /// The Sids that Copymend has written and not undone.
    pub sids: Vec<String>,
    /// Writes on the UTC day that was asked about.
    pub writes_today: u32,
}

/// A lease on a policy. Only [`Ledger::acquire_lease`] makes one; a guarded write needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    resource: String,
    owner: String,
    until: Timestamp,
}

impl Lease {
    /// For implementations of [`Ledger`], once the ledger has recorded it.
    #[must_use]
    pub const fn recorded(resource: String, owner: String, until: Timestamp) -> Self {
        Self {
            resource,
            owner,
            until,
        }
    }

    /// The leased resource.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Who holds it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// When it ends by itself.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

/// The memory between events.
pub trait Ledger: Send + Sync {
    /// Marks a job as being handled until `until`, unless it is done or another invocation has it. An entry whose time is
    /// over counts as free, and so does one of the same owner: Lambda delivers an event again under the same request id
    /// only when the earlier invocation is dead. `owner` names this invocation.
    fn begin_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = CallResult<JobEntry>> + Send;

    /// Records the outcome of a job.
    fn finish_job(
        &self,
        copy_job_id: &str,
        outcome: &str,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Frees a job that couldn't be handled, so that a redelivery tries again. Only the owner's entry is freed.
    fn abandon_job(
        &self,
        copy_job_id: &str,
        owner: &str,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Counts one more occurrence of an incident and stores its outcome.
    fn record_occurrence(
        &self,
        fingerprint: &str,
        outcome: &str,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<Occurrence>> + Send;

    /// Takes the lease on a policy; `None` where someone else holds it. The same owner gets it again, as with a job.
    fn acquire_lease(
        &self,
        resource: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = CallResult<Option<Lease>>> + Send;

    /// Gives the lease back. One that has ended, or that someone else took since, is left alone.
    fn release_lease(&self, lease: Lease) -> impl Future<Output = CallResult<()>> + Send;

    /// What was written to a resource before, and how often on this UTC day.
    fn policy_history(
        &self,
        resource: &str,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<PolicyHistory>> + Send;

    /// Records a write: the change itself, the Sids it added, and one more write today.
    fn record_change(
        &self,
        change: &Change,
        sids: &[String],
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Counts one more retry of this copy, unless `budget` are used up. Answers the attempt's number, from 1, or `None`.
    fn count_retry(
        &self,
        recovery_point: &Arn,
        destination: &BackupVaultArn,
        budget: u32,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<Option<u32>>> + Send;

    /// Remembers that a job was started by our own retry of another job.
    fn record_retried_job(
        &self,
        retried_job: &str,
        original_job: &str,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// The job that this job is our retry of, if it is one.
    fn retry_of(
        &self,
        copy_job_id: &str,
    ) -> impl Future<Output = CallResult<Option<String>>> + Send;
}
