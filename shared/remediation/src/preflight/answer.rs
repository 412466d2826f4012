//! What the function answers to the event.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What became of a preflight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreflightState {
    /// People were told.
    Told,
    /// There was nothing that people don't know.
    NothingNew,
    /// No topic is set, so that nobody was told.
    NoTopic,
    /// Another invocation is at it.
    Running,
}

/// The answer to the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreflightAnswer {
    /// What became of it.
    pub preflight: PreflightState,
    /// When it was looked.
    pub at: Timestamp,
    /// How many accounts and Regions there were to look at.
    pub places: usize,
    /// How many plans were read.
    pub plans: usize,
    /// How many routes will fail, of those that were judged.
    pub will_fail: usize,
    /// Of how many it can't be known.
    pub cannot_be_known: usize,
    /// How many will pass.
    pub will_pass: usize,
    /// How many are known to fail, those included that this run could not judge.
    pub known_to_fail: u64,
    /// How many of them are new.
    pub new: usize,
    /// How many fail for other causes than before.
    pub changed: usize,
    /// How many don't fail any more.
    pub over: usize,
    /// Of how many the causes are gone that people were told of, while it can't be known whether their
    /// copies will pass.
    #[serde(default)]
    pub cleared: usize,
    /// What could not be read, now or since earlier: account, Region and call.
    pub not_read: Vec<String>,
    /// The accounts and Regions that the time didn't suffice for.
    pub left: Vec<String>,
    /// What else is to be said, such as what the ledger refused.
    pub notes: Vec<String>,
}

impl PreflightAnswer {
    /// An answer that counts nothing.
    #[must_use]
    pub const fn blank(preflight: PreflightState, at: Timestamp) -> Self {
        Self {
            preflight,
            at,
            places: 0,
            plans: 0,
            will_fail: 0,
            cannot_be_known: 0,
            will_pass: 0,
            known_to_fail: 0,
            new: 0,
            changed: 0,
            over: 0,
            cleared: 0,
            not_read: Vec::new(),
            left: Vec::new(),
            notes: Vec::new(),
        }
    }
}
