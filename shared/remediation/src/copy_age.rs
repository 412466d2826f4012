//! The ages of the newest good copies, which the hub measures by schedule: the event that asks for it,
//! and the answer. What there is is found out by who has AWS Backup's lists.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::self_check::is_own;

/// The detail-type of the event that asks for the ages of copies.
pub const COPY_AGE_DETAIL_TYPE: &str = "Copymend Copy Age";

/// Metrics are sent of so many vaults at most, those first of which most copies are over the objective,
/// then those with the oldest: Amazon CloudWatch bills each value of a dimension as a metric (CloudWatch
/// pricing, documented), and a vault has two.
pub const MOST_VAULTS: usize = 20;

/// Whether an event asks for the ages of copies.
#[must_use]
pub fn is_copy_age(event: &Value) -> bool {
    is_own(event, COPY_AGE_DETAIL_TYPE)
}

/// What became of a look at the ages of copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyAgeState {
    /// All was looked at, as far as it could be read.
    Measured,
    /// The time was over first. What is measured all the same is known as a whole.
    TimeWasOver,
    /// No objective is set, so that nothing was looked at.
    NoObjective,
}

/// The copies in a vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultAge {
    /// The vault's ARN.
    pub vault: String,
    /// The age of the oldest newest good copy in seconds; nothing where no resource has a good one.
    pub worst_age_seconds: Option<i64>,
    /// Of how many resources the newest good copy is older than the objective, or there is none.
    pub over_objective: u64,
}

/// The answer to the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyAgeAnswer {
    /// What became of it.
    pub copy_age: CopyAgeState,
    /// As of when.
    pub at: Timestamp,
    /// How old the newest good copy may be, in seconds.
    pub objective_seconds: Option<i64>,
    /// How many accounts and Regions there were to look at.
    pub places: usize,
    /// How many vaults were read.
    pub vaults_read: u64,
    /// How many vaults there were to read, as far as the accounts and Regions were listed.
    pub of_vaults: u64,
    /// The vaults of which metrics are sent.
    pub vaults: Vec<VaultAge>,
    /// Vaults beyond [`MOST_VAULTS`], of which none are.
    pub left_out: Vec<String>,
    /// Vaults of which none are because not all is known of what should be in them.
    pub not_whole: Vec<String>,
    /// What could not be read, and why.
    pub not_read: Vec<String>,
}

impl CopyAgeAnswer {
    /// An answer that measured nothing.
    #[must_use]
    pub const fn blank(copy_age: CopyAgeState, at: Timestamp) -> Self {
        Self {
            copy_age,
            at,
            objective_seconds: None,
            places: 0,
            vaults_read: 0,
            of_vaults: 0,
            vaults: Vec::new(),
            left_out: Vec::new(),
            not_whole: Vec::new(),
            not_read: Vec::new(),
        }
    }
}
