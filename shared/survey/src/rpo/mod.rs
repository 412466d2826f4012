//! The age of the newest good copy of everything that should have one.
//!
//! A copy should be in the vaults that a plan's rule copies to, for each resource of which the rule made a
//! recovery point in the last 30 days; in the logically air-gapped vault that a rule targets; and
//! wherever copies of a resource have arrived. What is there is told by the recovery points of these
//! vaults, which carry the creation date of their source. Copy jobs, which AWS keeps for 30 days, only
//! add where copies arrived and which of them are gone.

mod exclusion;
mod gather;
mod gathered;
mod judge;
mod measure;
mod names;
mod objective;
mod steps;
mod tags;
mod told;

pub use exclusion::{Exclusion, InvalidExclusion};
pub use gather::{Progress, gather};
pub use gathered::{BACKED_UP_WITHIN, Gathered, NotRead};
pub use judge::{Findings, Place, State, VaultSummary, judge};
pub use measure::measure;
pub use objective::{Age, InvalidObjective, Objective, Objectives};
pub use steps::steps;
pub use tags::gather_tags;
pub use told::{NOT_PLANNED, Shown, foot, place_of, span, summary, text, write_json};
