//! The scan for programs.

use serde::Serialize;

use super::incidents::{Incident, Scan, Stopped};
use crate::not_read::NotRead;

/// The document. Members are added, never renamed.
#[derive(Serialize)]
struct Document<'s> {
    scan: u8,
    since: String,
    until: String,
    places: usize,
    facts: bool,
    jobs: u64,
    incidents: &'s [Incident],
    not_read: &'s [NotRead],
    unreadable: &'s [String],
    unreadable_count: u64,
    notes: &'s [String],
    stopped: Option<Stopped>,
}

/// One line of JSON.
pub fn json(scan: &Scan) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Document {
        scan: 1,
        since: scan.since.to_string(),
        until: scan.until.to_string(),
        places: scan.places,
        facts: scan.with_facts,
        jobs: scan.jobs(),
        incidents: &scan.incidents,
        not_read: &scan.not_read,
        unreadable: &scan.unreadable,
        unreadable_count: scan.unreadable_count,
        notes: &scan.notes,
        stopped: scan.stopped,
    })
}

impl Scan {
    /// How many jobs the incidents hold.
    #[must_use]
    pub fn jobs(&self) -> u64 {
        self.incidents.iter().map(|incident| incident.count).sum()
    }
}
