//! A job's entry in the ledger.

use crate::ledger::Occurrence;
use crate::message::Channels;

/// How a job stands in the ledger when its event arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEntry {
    /// Nobody handles it: it is ours now, until the time that was asked for.
    Started(JobProgress),
    /// Another invocation handles it.
    InProgress,
    /// It was handled; the outcome's slug.
    Done(String),
}

/// What an earlier delivery of the same event, which didn't come to its end, has left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobProgress {
    /// How the job was counted, so that it isn't counted twice.
    pub counted: Option<CountedAs>,
    /// Whether nobody knows whether it was counted: that delivery neither finished nor abandoned the job.
    pub is_count_unclear: bool,
    /// The change that was about to be written, so that it is found again.
    pub change_id: Option<String>,
    /// The channels on which people were told of what it was counted as.
    pub told: Channels,
    /// The job that its copy was started again as.
    pub retried_as: Option<String>,
}

impl JobProgress {
    /// Remembers how the job was counted. Of that, people were not told yet.
    pub fn remember(&mut self, counted: &CountedAs) {
        self.counted = Some(counted.clone());
        self.is_count_unclear = false;
        self.told.clear();
    }
}

/// How a job was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedAs {
    /// The incident.
    pub fingerprint: String,
    /// The outcome's slug at the time.
    pub outcome: String,
    /// How often the incident was seen then.
    pub occurrence: Occurrence,
}

/// How a job ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finish {
    /// The outcome's slug.
    pub outcome: String,
    /// The channels on which people were told about the job since it was counted.
    pub told: Channels,
    /// How the job was counted, where that isn't remembered with it yet.
    pub counted: Option<CountedAs>,
}

impl Finish {
    /// Of an entry that nothing was counted or told of.
    #[must_use]
    pub fn with(outcome: impl Into<String>) -> Self {
        Self {
            outcome: outcome.into(),
            ..Self::default()
        }
    }
}

/// What the owner of a job knows of its count when it gives the job up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountState {
    /// Nothing was counted, or what was counted is remembered with the job.
    Clear,
    /// Nobody knows whether it was counted.
    Unclear,
}
