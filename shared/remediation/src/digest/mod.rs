//! The digest: one message that says what happened since the last one, and what needs a person.

mod answer;
mod kept;
mod made;
mod refusals;

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
    /// What needs a person, was seen last before this digest begins, and isn't known to be put right.
    pub not_seen_again: Part<Failing>,
    /// Copies that were started again, or put off until later, and of which it isn't known yet
    /// whether they worked.
    pub under_way: Part<Failing>,
    /// The policies and roles that Copymend changed.
    pub repaired: Part<Changed>,
    /// The changes that were taken back.
    pub undone: Part<Changed>,
    /// What people said no to: in this time, or earlier where copies failed for it in this time.
    pub refused: Part<Refused>,
    /// Incidents that are over: a copy that was started again worked.
    pub recovered: Part<Recovered>,
    /// How many incidents fail for each cause, by its slug, new ones and others, also
    /// those that weren't seen again.
    pub causes: BTreeMap<String, u64>,
    /// How many incidents fail for each source account.
    pub accounts: BTreeMap<String, u64>,
    /// The vaults with the oldest copies, where they are measured.
    pub oldest_copies: Option<OldestCopies>,
    /// Where there was more than a digest reads: not all from before this moment was read.
    pub read_from: Option<Timestamp>,
    /// How many records could not be read.
    pub unreadable: u64,
    /// What else there is to know of this digest, such as that the event asked for days that can't be.
    pub notes: Vec<String>,
}

impl Digest {
    /// How many incidents wait for a person, seen again or not.
    #[must_use]
    pub const fn failing(&self) -> u64 {
        let seen = self.new.count.saturating_add(self.still_failing.count);
        seen.saturating_add(self.not_seen_again.count)
    }

    /// Of how many vaults the copies are older than the objective, or there is none, as far as they
    /// are measured.
    #[must_use]
    pub fn vaults_too_old(&self) -> u64 {
        self.oldest_copies
            .as_ref()
            .map_or(0, OldestCopies::vaults_too_old)
    }

    /// How many things wait for a person: incidents, questions, vaults whose copies are too old, and a
    /// pause.
    #[must_use]
    pub fn needs_a_person(&self) -> u64 {
        self.failing()
            .saturating_add(self.questions.count)
            .saturating_add(self.vaults_too_old())
            .saturating_add(u64::from(self.pause.is_some()))
    }

    /// Whether nothing at all happened, nothing waits, and all was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let happened = [
            self.unanswered,
            self.under_way.count,
            self.repaired.count,
            self.undone.count,
            self.refused.count,
            self.recovered.count,
            self.unreadable,
            u64::from(self.read_from.is_some()),
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
    /// Whom a change would admit, where there is one.
    pub grantee: Option<String>,
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

/// What a person said no to: somebody who isn't admitted again, or a copy that isn't started again.
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
    /// Whether copies failed for it after that, in the time that the digest tells of.
    pub is_failing_since: bool,
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
    /// Whom a change would admit, where there is one.
    pub grantee: Option<String>,
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
    /// How many vaults have a copy that is too old, also those that aren't named. Nothing where the
    /// version that measured them did not count them.
    #[serde(default)]
    pub vaults_too_old: Option<u64>,
}

impl OldestCopies {
    /// How many vaults have a copy that is too old, as far as it is known.
    #[must_use]
    pub fn vaults_too_old(&self) -> u64 {
        let named = self.vaults.iter().filter(|of| of.is_too_old()).count();
        let named = u64::try_from(named).unwrap_or(u64::MAX);
        self.vaults_too_old.unwrap_or(named).max(named)
    }
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

impl OldestCopy {
    /// Whether a person should look: a copy is older than the objective, or there is no good one.
    #[must_use]
    pub const fn is_too_old(&self) -> bool {
        self.over_objective > 0 || self.worst_age_seconds.is_none()
    }
}
