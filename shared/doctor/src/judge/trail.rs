//! The trails, which bring refused calls to the access advisor and puts to the audit.

use crate::facts::{Facts, LoggedCalls, Trail};
use crate::finding::{Finding, Part};
use crate::kinds::{NO_TRAIL, NO_TRAIL_FOR_AUDIT, TRAIL_OF_WRITES_ONLY};

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let trails = match &facts.trails {
        Ok(trails) => trails,
        Err(error) => return vec![Finding::unknown(Part::Trail, error)],
    };
    let logs = |wanted: LoggedCalls| {
        let mut trails = trails.iter();
        trails.find(|trail| {
            matches!(trail.is_logging, Ok(true)) && trail.logs.as_ref().ok() == Some(&wanted)
        })
    };
    let has_advisor = facts.deployed.has_advisor();
    if let Some(trail) = logs(LoggedCalls::All) {
        let found = format!("The trail {} logs management events.", trail.name);
        return vec![Finding::fine(Part::Trail, found)];
    }
    // One that can't be asked may be the one that logs.
    let unknown: Vec<Finding> = trails.iter().filter_map(unknown).collect();
    if !unknown.is_empty() {
        return unknown;
    }
    let finding = match (logs(LoggedCalls::Writes), has_advisor) {
        (Some(trail), true) => Finding::of(
            &TRAIL_OF_WRITES_ONLY,
            format!("The trail {} logs calls that write alone.", trail.name),
        ),
        (Some(trail), false) => Finding::fine(
            Part::Trail,
            format!("The trail {} logs calls that write.", trail.name),
        ),
        (None, true) => Finding::of(&NO_TRAIL, none(trails)),
        (None, false) => Finding::of(&NO_TRAIL_FOR_AUDIT, none(trails)),
    };
    vec![finding]
}

fn unknown(trail: &Trail) -> Option<Finding> {
    let ((Err(error), _) | (Ok(true), Err(error))) = (&trail.is_logging, &trail.logs) else {
        return None;
    };
    Some(Finding::unknown(Part::Trail, error))
}

fn none(trails: &[Trail]) -> String {
    if trails.is_empty() {
        return "No trail logs this Region.".to_owned();
    }
    let told = trails.iter().map(|trail| {
        let is_off = matches!(trail.is_logging, Ok(false));
        let why = if is_off {
            "is switched off"
        } else {
            "logs no management events"
        };
        format!("{} {why}", trail.name)
    });
    format!("{}.", told.collect::<Vec<_>>().join("; "))
}
