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
    let own = facts.deployed.account.as_str();
    let unknown: Vec<Finding> = trails
        .iter()
        .filter_map(|trail| unknown(trail, own))
        .collect();
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

fn unknown(trail: &Trail, own: &str) -> Option<Finding> {
    let ((Err(error), _) | (Ok(true), Err(error))) = (&trail.is_logging, &trail.logs) else {
        return None;
    };
    // A trail of the organization is described in every account of it, and tells of itself in its own
    // alone (AWS CloudTrail user guide, "Creating a trail for an organization", documented).
    let owner = trail.arn.split(':').nth(4).unwrap_or_default();
    if !owner.is_empty() && owner != own {
        let Trail { name, arn, .. } = trail;
        return Some(Finding::not_from_here(
            Part::Trail,
            format!(
                "This can't be told from here: {name} is the organization's trail, of account {owner}."
            ),
            format!(
                "Ask those who run account {owner} whether it logs management events that read and write: \
                 aws cloudtrail get-trail-status --name {arn}, get-event-selectors --trail-name {arn}."
            ),
        ));
    }
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
