//! How often an incident was seen.

use serde::{Deserialize, Serialize};

use crate::report::Outcome;

/// Whether a job is counted for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// It is one occurrence more.
    First,
    /// It was counted in this incident by an earlier delivery, and ends otherwise now.
    Again,
}

/// An occurrence of an incident, to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count<'c> {
    /// The incident.
    pub fingerprint: &'c str,
    /// The job that is counted.
    pub copy_job_id: &'c str,
    /// The outcome's slug.
    pub outcome: &'c str,
    /// Whether it is one more.
    pub counting: Counting,
    /// Whether people have to hear of it, whatever the incident's outcome was: then none is
    /// answered or remembered.
    pub is_due: bool,
    /// Whether people aren't told of it at once, whatever the count: then they don't know of the
    /// incident by it.
    pub is_quiet: bool,
}

/// How often an incident was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// This time included.
    pub count: u64,
    /// The outcome that was recorded before; none for the first, and for one after the incident was
    /// closed.
    pub previous_outcome: Option<String>,
    /// The count up to which it was looked whether people are to be told: those who are counted while
    /// their copies are started again, several at once, don't look. Whoever looks before his copy is counted is
    /// ahead of the count.
    #[serde(default)]
    pub since: u64,
}

impl Occurrence {
    /// Whether the outcome is another one than the incident had. In a storm one event repairs and
    /// the others only start their copies again. Both are good news, and no change.
    #[must_use]
    pub fn is_changed_by(&self, outcome: Outcome) -> bool {
        self.previous_outcome
            .as_deref()
            .is_none_or(|recorded| outcome.is_news_after(recorded))
    }

    /// Whether people are told: at the first occurrence, when what they are told changes, and once 10, 100,
    /// 1,000 and so on are reached.
    #[must_use]
    pub fn is_worth_telling(&self, outcome: Outcome) -> bool {
        let mut milestone = 10_u64;
        while milestone <= self.since {
            milestone = milestone.saturating_mul(10);
        }
        self.count <= 1 || self.is_changed_by(outcome) || milestone <= self.count
    }
}
