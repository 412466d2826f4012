//! What failed: the failed and partial copies of many accounts and Regions, and, where they are asked
//! for, the backup and restore jobs that did not do what they should, by incident.
//!
//! [`Fold`] takes pages as they come, in any order, and keeps no rows: what is alike is counted together.
//! [`gather`] reads the pages, and with [`Investigation`] what the copies' routes show. [`Scan`] is what
//! people and programs get; what lies behind an incident, for who opens it, is in [`Details`](crate::Details).

mod fold;
mod gather;
mod incidents;
mod json;
mod routes;
mod tally;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod would;

pub use fold::Fold;
pub use gather::{Investigation, Progress, Scope, gather};
pub use incidents::{Act, Example, Incident, Scan, Stopped, Would};
pub use json::json;
pub use text::{day, foot, how_sure, name_of_cause, text, would_do};

/// AWS keeps backup jobs for 30 days (AWS Backup API reference, `ListBackupJobs`, documented); that it
/// is as long for copy and restore jobs is inferred.
pub const MOST_DAYS: u8 = 30;
