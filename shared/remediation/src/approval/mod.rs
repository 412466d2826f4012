//! Plans that wait for a person: kept in the ledger for a limited time, and answered once.

mod answer;
mod ask;
mod carried_out;
mod identity;
mod input;
mod lift;
mod look;
mod reply;

use copymend_policy::AccountId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use answer::{ApprovalAnswer, ApprovalResult};
pub use identity::{
    CallerIdentity, Callers, FreshIdentity, IdentityNotUsable, SIGNED_FOR, SIGNED_HEADER,
    SignedIdentity, SignedWords,
};
pub use input::{ApprovalInput, Asked, InvalidApproval, is_approval, is_for_approvals};

pub use lift::allow_again;

use crate::agreement::PlanHash;
use crate::ledger::Refusal;
use crate::plan::Target;
use crate::ports::CallResult;

/// The alias of the function that takes answers, and nothing else.
pub const ALIAS: &str = "approvals";

/// Whether a person says yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Carry the plan out.
    Approve,
    /// Don't, and don't ask again.
    Refuse,
}

impl Reply {
    /// The command's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Refuse => "refuse",
        }
    }
}

/// A plan that people were asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// The hash of the plan as it was asked about this once. Its short name is the request's id: no
    /// two requests have the same one, also where they are about the same plan.
    pub hash: PlanHash,
    /// The hash of what would be put.
    pub plan: PlanHash,
    /// The failed copy job.
    pub copy_job_id: String,
    /// Its account, which is the source's.
    pub account: AccountId,
    /// Its Region.
    pub region: String,
    /// The vault, key or role that would be changed; none where the copy is only started again.
    pub resource: Option<String>,
    /// Whom the change would admit, in the ledger's words.
    pub grantee: Option<String>,
    /// What the copy is counted under: while a question about it is open, people aren't asked again.
    pub incident: String,
    /// Since when people are asked.
    pub asked_at: Timestamp,
    /// From when on no answer means no.
    pub expires_at: Timestamp,
}

impl ApprovalRequest {
    /// The short name that people type.
    #[must_use]
    pub fn id(&self) -> String {
        self.hash.id()
    }

    /// The account that the grantee belongs to: the source account for a vault, the destination
    /// account for a key.
    #[must_use]
    pub fn grantee_account(&self) -> Option<&str> {
        let grantee = self.grantee.as_deref()?;
        match Target::of_resource(self.resource.as_deref()?)? {
            Target::VaultPolicy(_) => Some(self.account.as_str()),
            Target::KeyPolicy(_) => grantee.split('/').next(),
            Target::ServiceLinkedRole(_) => None,
        }
    }

    /// The refusal that a no leaves, if something would have been granted.
    fn refusal(&self) -> Option<Refusal> {
        Some(Refusal {
            change_id: Refusal::of_plan(&self.id()),
            grantee: self.grantee.clone()?,
        })
    }
}

/// Who answered, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answered {
    /// The ARN by which AWS knows the person.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How far a request has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum RequestState {
    /// Nobody answered.
    Waiting,
    /// It was approved, and an invocation carries it out.
    InProgress {
        /// The first who approved it.
        answered: Answered,
        /// The invocation.
        owner: String,
        /// Until when it has it. Later the invocation is dead, and the plan is approved once more to
        /// go on.
        until: Timestamp,
    },
    /// It was approved, and this came of it.
    Done {
        /// Who approved it.
        answered: Answered,
        /// The report's outcome, or why there is none.
        outcome: String,
    },
    /// It was refused.
    Refused {
        /// By whom.
        answered: Answered,
        /// Whether people were told.
        is_told: bool,
    },
}

impl RequestState {
    /// Who answered it, if somebody did.
    #[must_use]
    pub const fn answered(&self) -> Option<&Answered> {
        match self {
            Self::Waiting => None,
            Self::InProgress { answered, .. }
            | Self::Done { answered, .. }
            | Self::Refused { answered, .. } => Some(answered),
        }
    }

    /// Whether the question is still a reason not to ask about another copy of the incident: nobody has
    /// answered it, or it is being carried out. A no to a grant is kept by its refusal, so that what is
    /// planned all the same is asked about. A no to starting a copy again leaves none, and lasts as long
    /// as the question would have.
    #[must_use]
    pub const fn holds_back(&self, request: &ApprovalRequest) -> bool {
        match self {
            Self::Waiting | Self::InProgress { .. } => true,
            Self::Done { .. } => false,
            Self::Refused { .. } => request.grantee.is_none(),
        }
    }
}

/// The plans that people were asked about, in the ledger.
pub trait ApprovalRequests: Send + Sync {
    /// Keeps a request, waiting for an answer, and remembers that it is open for its incident. With
    /// `only_if_none_is_open` it is kept only where no request of another job is open for the incident
    /// at the time that this one was asked ([`RequestState::holds_back`]). Answers whether it is kept.
    fn keep_request(
        &self,
        request: &ApprovalRequest,
        only_if_none_is_open: bool,
    ) -> impl Future<Output = CallResult<bool>> + Send;

    /// Forgets a request that people were not told of, unless it was answered: it is no open question.
    fn withdraw_request(
        &self,
        request: &ApprovalRequest,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// The request of this id, in any case and with or without its lines; `None` where there is none,
    /// or no more. Read consistently.
    fn request(
        &self,
        id: &str,
    ) -> impl Future<Output = CallResult<Option<(ApprovalRequest, RequestState)>>> + Send;

    /// Puts another state in the place of one that was read, unless somebody else did so since: then
    /// `false`. A refusal that goes with it is in force together with the state, or not at all.
    fn answer_request(
        &self,
        request: &ApprovalRequest,
        before: &RequestState,
        after: &RequestState,
        refusal: Option<&Refusal>,
    ) -> impl Future<Output = CallResult<bool>> + Send;
}

/// What a report says of the question to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Approval {
    /// The plan's id.
    pub plan: String,
    /// Until when it can be answered; none where it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The function to answer to, by its name, and its Region.
    #[serde(skip)]
    pub function: Option<(String, String)>,
    /// What was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// By whom, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
}

/// An id as the ledger keeps it: without lines, in capital letters. `None` where it can be none.
#[must_use]
pub fn plain_id(typed: &str) -> Option<String> {
    let plain: String = typed
        .trim()
        .chars()
        .filter(|sign| *sign != '-')
        .map(|sign| sign.to_ascii_uppercase())
        .collect();
    let fits = plain.len() == PlanHash::DIGITS_OF_ID
        && plain.bytes().all(|digit| digit.is_ascii_alphanumeric());
    fits.then_some(plain)
}
