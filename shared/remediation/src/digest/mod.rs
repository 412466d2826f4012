//! The digest: one message that says what happened since the last one, and what needs a person.

mod answer;
mod kept;
mod made;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use answer::{DigestAnswer, DigestState};
pub use kept::keep_copy_ages;

use crate::ledger::Pause;
use crate::self_check::is_own;
use crate::settings::Mode;

pub(crate) use answer::id_of;

/// The detail-type of the event that asks for a digest.
pub const DIGEST_DETAIL_TYPE: &str = "Copymend Digest";

/// So many of each kind are told one by one. The others are counted.
pub const MOST_OF_EACH: usize = 10;

/// Whether an event asks for a digest.
#[must_use]
pub fn is_digest(event: &Value) -> bool {
    is_own(event, DIGEST_DETAIL_TYPE)
}

/// What happened since the last digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Digest {
    /// When it was made.
    pub at: Timestamp,
    /// It tells of what happened from this moment on.
    pub since: Timestamp,
    /// The function's mode.
    pub mode: Mode,
    /// The pause in force.
    pub pause: Option<Pause>,
    /// Plans that wait for a yes or no.
    pub questions: Part<OpenQuestion>,
    /// Plans that nobody answered in time: no answer means no.
    pub unanswered: u64,
    /// What fails, and wasn't seen before.
    pub new: Part<Failing>,
    /// What fails, and was seen before already.
    pub still_failing: Part<Failing>,
    /// Copies that were started again, and of which it isn't known yet whether they worked.
    pub under_way: Part<Failing>,
    /// The policies and roles that Copymend changed.
    pub repaired: Part<Changed>,
    /// The changes that were taken back.
    pub undone: Part<Changed>,
    /// Who isn't admitted again, because a person said so.
    pub refused: Part<Refused>,
    /// Incidents that are over: a copy that was started again worked.
    pub recovered: Part<Recovered>,
    /// How many incidents fail for each cause, by its slug, new ones and others.
    pub causes: BTreeMap<String, u64>,
    /// How many incidents fail for each source account.
    pub accounts: BTreeMap<String, u64>,
    /// The vaults with the oldest copies, where they are measured.
    pub oldest_copies: Option<OldestCopies>,
    /// Where there was more than a digest reads: nothing before this moment was read.
    pub read_from: Option<Timestamp>,
    /// How many records could not be read.
    pub unreadable: u64,
}

impl Digest {
    /// How many things wait for a person: incidents, questions, and a pause.
    #[must_use]
    pub fn needs_a_person(&self) -> u64 {
        let failing = self.new.count.saturating_add(self.still_failing.count);
        failing
            .saturating_add(self.questions.count)
            .saturating_add(u64::from(self.pause.is_some()))
    }

    /// Whether nothing at all happened, and nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let happened = [
            self.unanswered,
            self.under_way.count,
            self.repaired.count,
            self.undone.count,
            self.refused.count,
            self.recovered.count,
        ];
        self.needs_a_person() == 0 && happened.iter().all(|count| *count == 0)
    }
}

/// How many there are, and the first of them, [`MOST_OF_EACH`] at most, the most important first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Part<T> {
    /// How many.
    pub count: u64,
    /// The first.
    pub first: Vec<T>,
}

impl<T> Part<T> {
    /// The first of these, which come in order.
    fn of(all: Vec<T>) -> Self {
        Self {
            count: u64::try_from(all.len()).unwrap_or(u64::MAX),
            first: all.into_iter().take(MOST_OF_EACH).collect(),
        }
    }
}

/// A plan that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenQuestion {
    /// The plan's id.
    pub plan: String,
    /// The vault, key or role that would be changed; none where the copy is only started again.
    pub resource: Option<String>,
    /// The source account.
    pub account: String,
    /// Until when it can be answered.
    pub expires_at: Timestamp,
}

/// What fails for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "FailingIncident"))]
pub struct Failing {
    /// The cause's slug.
    pub cause: String,
    /// The vault, key or role; for a call or job that isn't a copy what it is counted under.
    pub resource: String,
    /// The source account, where it is a copy's.
    pub account: Option<String>,
    /// Whether AWS Backup confirmed it.
    pub is_confirmed: bool,
    /// How often it was seen since it began.
    pub count: u64,
    /// What became of it last: an outcome's slug.
    pub outcome: String,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// When it was seen last.
    pub last_seen: Timestamp,
}

/// A change of a policy, or an undo of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Changed {
    /// The change's id; for an undo that of the change that it took back.
    pub id: String,
    /// The vault, key or role.
    pub resource: String,
    /// Whom it admits, or admitted.
    pub grantee: String,
    /// When.
    pub at: Timestamp,
    /// Who did it, where a person did.
    pub made_by: Option<String>,
    /// Whether it is only known that it was about to be written.
    pub is_unclear: bool,
}

/// Somebody who isn't admitted again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refused {
    /// The vault or key; none where a copy was only to be started again.
    pub resource: Option<String>,
    /// Who isn't admitted.
    pub grantee: Option<String>,
    /// Who said so, where it is on record.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// An incident that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Recovered {
    /// The cause's slug.
    pub cause: String,
    /// The vault, key or role.
    pub resource: String,
    /// The source account, where it is a copy's.
    pub account: Option<String>,
    /// How often it had been seen.
    pub count: u64,
    /// When it was over.
    pub at: Timestamp,
}

/// The vaults with the oldest copies, as the schedule measured them last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OldestCopies {
    /// As of when.
    pub at: Timestamp,
    /// How old the newest good copy may be, in seconds.
    pub objective_seconds: Option<i64>,
    /// The worst vaults first, three at most.
    pub vaults: Vec<OldestCopy>,
}

/// The copies in a vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OldestCopy {
    /// The vault's ARN.
    pub vault: String,
    /// The age of the oldest newest good copy in seconds; nothing where no resource has a good one.
    pub worst_age_seconds: Option<i64>,
    /// Of how many resources the newest good copy is older than the objective, or there is none.
    pub over_objective: u64,
}
