//! What the ledger knows of copies that were started again, and of the changes before.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::{AccountId, Arn};
use jiff::Timestamp;

use crate::ledger::{Count, CountedRetries, Occurrence};
use crate::message::Channels;

/// Who started the copy that a retry repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A backup plan.
    BackupPlan,
    /// Someone, on demand.
    OnDemand,
}

impl Origin {
    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::BackupPlan => "backup-plan",
            Self::OnDemand => "on-demand",
        }
    }

    /// The origin of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::BackupPlan, Self::OnDemand]
            .into_iter()
            .find(|origin| origin.slug() == slug)
    }
}

/// A copy that was started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRecord {
    /// The failed job that it repeats.
    pub original_job: String,
    /// Who started the first copy of the chain. Absent where an earlier version recorded the retry,
    /// or nobody could tell.
    pub origin: Option<Origin>,
    /// The change of ours that the copy was started again after, if it was.
    pub after_change: Option<AfterChange>,
}

/// A change of ours that a copy was started again after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterChange {
    /// The change.
    pub change_id: String,
    /// What it repaired: the ARN of the vault, the key or the role.
    pub repaired: String,
}

/// That a policy was changed to admit a grantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// When.
    pub at: Timestamp,
    /// The change. Absent where an earlier version recorded it.
    pub change_id: Option<String>,
}

/// The key of an account that was changed last to admit a grantee. One that was taken back since may still
/// stand here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAdmission {
    /// The key.
    pub key: String,
    /// When, and by which change.
    pub admission: Admission,
}

/// A retry that is about to be started.
#[derive(Clone, Debug)]
pub struct RetryClaim<'c> {
    /// The failed job.
    pub failed_job: &'c str,
    /// The recovery point that is copied.
    pub recovery_point: &'c Arn,
    /// Where to.
    pub destination: &'c BackupVaultArn,
    /// How many retries a copy has.
    pub budget: u32,
    /// The change after which the copy's count begins anew.
    pub anew_after: Option<&'c str>,
    /// The source account.
    pub source: AccountId,
    /// How many retries the account has in one UTC day.
    pub source_budget: u32,
    /// The copy's retries as they were read, so that they aren't read once more.
    pub known: Option<&'c CountedRetries>,
    /// Who begins the job with it, and until when it is his.
    pub begin: Option<(&'c str, Timestamp)>,
    /// The message about it, where people have to hear of it.
    pub message: Option<MessageClaim<'c>>,
}

/// A message about a copy that is started again, because its incident was seen so often. It is about a confirmed
/// event of the claim's source account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageClaim<'c> {
    /// The incident.
    pub fingerprint: &'c str,
    /// The occurrence as it is expected to be counted. Nobody else tells of the numbers up to it.
    pub occurrence: &'c Occurrence,
    /// How many messages the account has in an hour.
    pub budget: u32,
    /// How many all accounts together have.
    pub budget_of_all: u32,
    /// Whether it takes a turn: it does where it goes to a channel that too many messages a second
    /// would close.
    pub takes_turn: bool,
}

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClaimed {
    /// It is counted: the attempt's number, from 1.
    Attempt(u32),
    /// The copy's budget is used up.
    BudgetUsedUp,
    /// The account's budget is used up.
    SourceBudgetUsedUp,
    /// The job isn't free any more, or has been begun before.
    NotFree,
    /// There is no message to claim, whatever of the rest could be: a budget of messages is used up, its turn isn't
    /// now, or somebody else looked at the incident meanwhile.
    NoRoomForMessage,
}

/// A copy that was started again, and of which nobody has to hear any more.
#[derive(Clone, Debug)]
pub struct StartedAgain<'s> {
    /// The invocation.
    pub owner: &'s str,
    /// The new job.
    pub retried_job: &'s str,
    /// What it repeats.
    pub record: &'s RetryRecord,
    /// The occurrence.
    pub count: Count<'s>,
    /// The occurrence as it is expected to be counted. Others may be counted at the same time.
    pub occurrence: &'s Occurrence,
    /// The channels on which people were told of it.
    pub told: &'s Channels,
}

/// What became of the end of a copy that was started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartedAgainEnd {
    /// It is remembered, counted and finished.
    Finished,
    /// Another invocation has the job by now: nothing is done.
    TakenOver,
    /// The incident isn't open any more: nothing is done, and people may have to hear of it.
    IncidentOver,
}
