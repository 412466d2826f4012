//! The ledger: what is remembered from one event to the next. One DynamoDB table in a deployment.

use copymend_policy::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::approval::ApprovalRequests;
pub use crate::counted::{Count, Counting, Occurrence};
pub use crate::grounds::Grounds;
pub use crate::incident::ClosedIncident;
pub use crate::job_entry::{CountState, CountedAs, Finish, JobEntry, JobProgress};
pub use crate::left_out::{LeftOut, LeftOutMessages, MessagesOf, NAMED_COPY_JOBS, start_of_hour};
use crate::message::Channels;
pub use crate::pause::Pause;
pub use crate::policy_lease::{CLOCKS_DIFFER, Lease, ended_for_all};
use crate::ports::{CallError, CallErrorKind, CallResult};
pub use crate::preflight::{ToldOfPlace, ToldPreflights, ToldRoute};
pub use crate::recall::{CountedRetries, RecallAsked, Recalled, RecalledIncident, RecalledJob};
pub use crate::records::Records;
pub use crate::refusal::{Again, Granted, Refusal};
pub use crate::retried::{
    Admission, AfterChange, KeyAdmission, MessageClaim, Origin, RetryClaim, RetryClaimed,
    RetryRecord, StartedAgain, StartedAgainEnd,
};
pub use crate::settings_notice::{RecordedSettings, SettingsNotice};
pub use crate::source_budget::{CountedOfSource, OF_ALL_ACCOUNTS};
pub use crate::turns::{BETWEEN_TURNS, FURTHEST_TURN, TURNS_AT_ONCE, Turns, at_once};

/// A write to a policy, with what is needed to take it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// A stable id: the job that led to it and the time.
    pub id: String,
    /// The vault or key whose policy was written.
    pub resource: String,
    /// Whom the change admits: the job role of a vault's statement, the destination account of a
    /// key's.
    pub grantee: String,
    /// The account that the grantee belongs to: the source account for a vault, the destination
    /// account for a key and for the service-linked role. Absent from records of versions that
    /// didn't keep it.
    #[serde(default)]
    pub account: Option<String>,
    /// The policy before; absent where there was none.
    pub before: Option<String>,
    /// The policy after; absent where an undo left none.
    pub after: Option<String>,
    /// The statements that were added, or taken out again by an undo, each as JSON text.
    pub statements: Vec<String>,
    /// When it was written.
    pub at: Timestamp,
    /// The copy job that led to it.
    pub copy_job_id: String,
    /// The change that this one took back, for an undo.
    pub undoes: Option<String>,
    /// For an undo: whether the grantee may be admitted again. Otherwise the undo leaves a refusal,
    /// which doesn't expire.
    #[serde(default)]
    pub allows_again: bool,
    /// Who made it, where a person did: the ARN that AWS knows the person by.
    #[serde(default)]
    pub made_by: Option<String>,
    /// What it was decided on.
    #[serde(default)]
    pub grounds: Grounds,
}

impl Change {
    /// The statements with these Sids, as the ledger keeps them while they stand. None where the
    /// grantee's account is not on record.
    #[must_use]
    pub fn granted(&self, sids: &[String]) -> Vec<Granted> {
        let Some(account) = &self.account else {
            return Vec::new();
        };
        sids.iter()
            .map(|sid| Granted {
                sid: sid.clone(),
                account: account.clone(),
                grantee: self.grantee.clone(),
            })
            .collect()
    }

    /// The error of an undo that is recorded without a lease although a later change was written:
    /// its Sids may be that one's by now.
    #[must_use]
    pub fn undo_is_late(&self) -> CallError {
        CallError::new(
            "record the change",
            self.id.as_str(),
            CallErrorKind::Rejected,
            "a later change of the policy is on record; an undo before it is recorded under the policy's lease alone",
        )
    }

    /// The refusal that this change leaves: an undo's, unless it lets the grantee be admitted
    /// again.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        let undone = self.undoes.as_ref().filter(|_| !self.allows_again)?;
        Some(Refusal {
            change_id: undone.clone(),
            grantee: self.grantee.clone(),
        })
    }
}

/// How far a change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeState {
    /// It was about to be written. Whether it was, the policy tells.
    Intended,
    /// It was written and read back.
    Written,
    /// It was written, and taken back since.
    Undone,
}

/// What the ledger knows of earlier writes to one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyHistory {
    /// The Sids that Copymend has written and not undone.
    pub sids: Vec<String>,
    /// Whom each of them admits, where that is on record.
    pub granted: Vec<Granted>,
    /// The refusals in force.
    pub refusals: Vec<Refusal>,
    /// Writes on the UTC day that was asked about.
    pub writes_today: u32,
    /// The last write, if there was one.
    pub last_write: Option<LastWrite>,
}

/// What there is to know before a policy is written.
#[derive(Clone, Debug)]
pub struct BeforeWrite {
    /// What was written to it before, what was refused since, and how often it was written to on this UTC
    /// day.
    pub history: CallResult<PolicyHistory>,
    /// How many policies were written for the source account on this UTC day.
    pub source_writes: CallResult<u32>,
    /// The pause in force.
    pub pause: CallResult<Option<Pause>>,
}

/// What becomes of a lease once a change under it is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseAfter {
    /// It is still needed.
    Kept,
    /// It is given back with the record.
    GivenBack,
}

/// The last write to a resource: what a policy shows that isn't read late.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWrite {
    /// When it was decided on.
    pub at: Timestamp,
    /// The Sids that it added, or took out.
    pub sids: Vec<String>,
    /// Whether it took them out.
    pub is_undo: bool,
    /// The change. Absent where an earlier version recorded the write.
    pub change_id: Option<String>,
}

/// The memory between events.
pub trait Ledger: LeftOutMessages + Turns + ToldPreflights + ApprovalRequests + Records {
    /// What is known of a failed copy when its event arrives. Read consistently, at once; nothing is
    /// taken. `owner` names this invocation.
    fn recall(
        &self,
        asked: &RecallAsked,
        owner: &str,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<Recalled>> + Send;

    /// Marks a job as being handled until `until`, unless it is done or another invocation has it.
    /// An entry whose time is over counts as free, and so does one of the same owner: Lambda
    /// delivers an event again under the same request id only when the earlier invocation is dead.
    /// `owner` names this invocation. Answers what an earlier delivery left. From now on it is unclear
    /// whether the job is counted, until the owner remembers, finishes or abandons it.
    fn begin_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = CallResult<JobEntry>> + Send;

    /// The same for a person who asks for a job, which may have been handled before: an entry that is done
    /// is taken, too, and keeps its progress. `None` where another invocation handles the job now.
    fn take_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = CallResult<Option<JobProgress>>> + Send;

    /// What earlier deliveries of a job left, without taking it; `None` where there was none.
    fn progress_of_job(
        &self,
        copy_job_id: &str,
    ) -> impl Future<Output = CallResult<Option<JobProgress>>> + Send;

    /// The outcome of a job that was handled; `None` where it wasn't.
    fn outcome_of_job(
        &self,
        copy_job_id: &str,
    ) -> impl Future<Output = CallResult<Option<String>>> + Send;

    /// Records the outcome of a job, how it was counted, and on which channels people were told. Only the
    /// owner's entry is closed: what another invocation took over since is left alone.
    fn finish_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        finish: &Finish,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Frees a job that couldn't be handled, so that a redelivery tries again. Its progress stays.
    /// Only the owner's entry is freed.
    fn abandon_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        count: CountState,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Counts an occurrence of an incident, and stores its outcome. An error doesn't say whether it was
    /// counted.
    fn count_occurrence(
        &self,
        count: Count<'_>,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<Occurrence>> + Send;

    /// Remembers with a job how it was counted; of that people were not told yet. Only the owner's entry
    /// remembers it.
    fn record_count(
        &self,
        copy_job_id: &str,
        owner: &str,
        counted: &CountedAs,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Remembers on which channels, of which there is at least one, people were told about a job, as
    /// it was counted; those that took it before are kept. Only the owner's entry remembers it:
    /// another invocation may have counted the job as something else since.
    fn record_told(
        &self,
        copy_job_id: &str,
        owner: &str,
        on: &Channels,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Closes the incident that a job was counted in. Answers it to the first who asks, and to the
    /// same job again, so that people can be told by another delivery; `None` where there is none,
    /// or no more. One more occurrence opens it again.
    fn close_incident(
        &self,
        copy_job_id: &str,
    ) -> impl Future<Output = CallResult<Option<ClosedIncident>>> + Send;

    /// Ends an incident that this job closed, once people were told: it is counted anew from now on,
    /// and that it was over stays on record.
    fn forget_incident(
        &self,
        incident: &ClosedIncident,
        copy_job_id: &str,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Takes the lease on a policy; `None` where someone else holds it, or held it until less than
    /// [`CLOCKS_DIFFER`] ago. The same owner gets it again, as with a job.
    fn acquire_lease(
        &self,
        resource: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = CallResult<Option<Lease>>> + Send;

    /// Gives the lease back. One that has ended, or that someone else took since, is left alone.
    fn release_lease(&self, lease: Lease) -> impl Future<Output = CallResult<()>> + Send;

    /// Whether a lease is still the one on record. Read consistently.
    fn is_leased(&self, lease: &Lease) -> impl Future<Output = CallResult<bool>> + Send;

    /// Counts that something is about to be done for a source account, unless `budget` are used up
    /// in its [period](CountedOfSource::period): then `false`. A call whose answer was lost may count twice, never not at
    /// all.
    fn count_of_source(
        &self,
        what: CountedOfSource,
        source: AccountId,
        budget: u32,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<bool>> + Send;

    /// What was written to a resource before, what was refused since, and how often it was written
    /// to on this UTC day. Read consistently: what was confirmed is in it.
    fn policy_history(
        &self,
        resource: &str,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<PolicyHistory>> + Send;

    /// What there is to know before a policy is written. Read consistently, at once.
    fn before_write(
        &self,
        resource: &str,
        source: AccountId,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<BeforeWrite>> + Send;

    /// Records a change that is about to be written, and remembers it with the job: whoever finds a
    /// statement of ours in a policy finds its record too. It counts as one more write today, of the
    /// resource and of the source account, also where the put fails. Where the account's budget is used up:
    /// `false`, and nothing is recorded. Only the owner's entry of the job remembers it.
    fn intend_change(
        &self,
        change: &Change,
        owner: &str,
        source: Option<(AccountId, u32)>,
    ) -> impl Future<Output = CallResult<bool>> + Send;

    /// Records that an intended change was written: the Sids that it added, that it is the
    /// resource's last write, and when its grantee was admitted. For an undo the Sids are
    /// forgotten, the change that it took back counts as undone, and its refusal is in force. All
    /// at once, or nothing.
    ///
    /// Under a lease nothing is recorded unless the lease is still the one on record: an error that
    /// may pass ([`Lease::lost`]). Without one, as a later delivery records what an earlier one
    /// wrote, the last write and the admission of a later change stay; an undo that isn't the last
    /// write isn't recorded then, which is an error. A change that was recorded before is left
    /// alone.
    fn confirm_change(
        &self,
        change: &Change,
        sids: &[String],
        lease: Option<(&Lease, LeaseAfter)>,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Lifts a refusal: its grantee may be admitted again. That it was lifted, when and by whom
    /// stays on record. One that isn't in force is left alone.
    fn lift_refusal(
        &self,
        resource: &str,
        refusal: &Refusal,
        lifted_by: Option<&str>,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// The pause in force, if there is one. Read consistently. One that can't be understood is an
    /// error, never absent.
    fn pause(&self, now: Timestamp) -> impl Future<Output = CallResult<Option<Pause>>> + Send;

    /// Pauses, or puts another pause in the place of the one before, and keeps it on record.
    fn set_pause(&self, pause: &Pause) -> impl Future<Output = CallResult<()>> + Send;

    /// Ends the pause, also one that can't be understood; when and by whom stays on record. Answers
    /// whether there was one.
    fn lift_pause(
        &self,
        lifted_by: Option<&str>,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<bool>> + Send;

    /// Compares these settings with the recorded ones, and records them where none are. Where they
    /// differ, answers the recorded ones; unless another owner is about to tell people, the notice
    /// is this one's until then.
    fn claim_settings_notice(
        &self,
        settings: &RecordedSettings,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = CallResult<Option<SettingsNotice>>> + Send;

    /// Records settings that people know of, where `owner` claimed the notice of them. What another
    /// owner claimed or recorded since is left alone: then people are told once more.
    fn record_settings(
        &self,
        settings: &RecordedSettings,
        owner: &str,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// A change by its id.
    fn change(
        &self,
        id: &str,
    ) -> impl Future<Output = CallResult<Option<(Change, ChangeState)>>> + Send;

    /// The id of the last change that was written, by the changes' own times.
    fn last_change(&self) -> impl Future<Output = CallResult<Option<String>>> + Send;

    /// When a policy was last changed to admit a grantee, if it was and nobody took it back through
    /// the ledger.
    fn admitted_at(
        &self,
        resource: &str,
        grantee: &str,
    ) -> impl Future<Output = CallResult<Option<Admission>>> + Send;

    /// Remembers for 30 days that an owner keeps Copymend away from a key under which copies of this source
    /// account are: then each copy's key is looked at before the copy is started again.
    fn record_opted_out_key(
        &self,
        source: AccountId,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Counts a retry of this copy for a failed job, and for its source account, unless a budget is used
    /// up. The same job is counted once for the copy; for the account every call counts. After the change
    /// `anew_after` the copy's count begins anew with this job, once for each change. Where the job isn't
    /// begun yet, it is begun with it. With a message, it counts that for the account and for all accounts, takes
    /// the turn that is now, and looks at the incident, which is open and which nobody looked at since. All at
    /// once, or nothing.
    fn claim_retry(
        &self,
        claim: &RetryClaim<'_>,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<RetryClaimed>> + Send;

    /// Remembers that a job was started by our own retry of another job: with the other job first,
    /// whoever has its entry by now, so that no later delivery starts it once more.
    fn record_retried_job(
        &self,
        retried_job: &str,
        record: &RetryRecord,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// Ends a job whose copy was started again and of which nobody has to hear any more: remembers the new job as
    /// [`Ledger::record_retried_job`] does, counts the occurrence of an open incident without an answer, and
    /// finishes the owner's entry. All at once, or nothing: where another invocation has the entry by now, or
    /// the incident isn't open any more.
    fn finish_started_again(
        &self,
        started: &StartedAgain<'_>,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<StartedAgainEnd>> + Send;

    /// What this job repeats, if it is a retry of ours.
    fn retry_of(
        &self,
        copy_job_id: &str,
    ) -> impl Future<Output = CallResult<Option<RetryRecord>>> + Send;
}
