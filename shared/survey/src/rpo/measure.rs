//! The ages of the newest good copies as the hub measures them by schedule.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use copymend_diagnosis::BackupVaultArn;
use copymend_remediation::copy_age::{CopyAgeAnswer, CopyAgeState, MOST_VAULTS, VaultAge};
use copymend_remediation::ports::{Clock, Location};
use copymend_remediation::settings::Age;
use copymend_remediation::{HandlerError, Invocation};
use jiff::SignedDuration;
use serde_json::Value;

use super::gather::{Progress, gather_until};
use super::gathered::Gathered;
use super::judge::{Findings, State, judge};
use super::objective::{Objective, Objectives};
use crate::asked::places_of;
use crate::lists::Lists;

/// So much time is kept to judge what was read and to print it.
const TIME_TO_TELL: SignedDuration = SignedDuration::from_secs(15);

/// Measures the copies of the accounts and Regions that an event names, until little time is left. Of a
/// vault of which not all is known nothing is said but that. It reads, and writes nothing.
///
/// # Errors
/// What the event doesn't say.
pub async fn measure<L: Lists, C: Clock>(
    lists: &L,
    clock: &C,
    objective: Option<Age>,
    event: &Value,
    invocation: &Invocation,
) -> Result<CopyAgeAnswer, HandlerError> {
    let places: Vec<Location> = places_of(event)?.into_iter().map(|(at, _)| at).collect();
    let now = clock.now();
    let Some(objective) = objective else {
        return Ok(CopyAgeAnswer::blank(CopyAgeState::NoObjective, now));
    };
    let deadline = invocation.deadline;
    let stop = deadline.checked_sub(TIME_TO_TELL).unwrap_or(deadline);
    let last = Mutex::new(Progress::default());
    let tell = |progress| *last.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    let gathered = Box::pin(gather_until(clock.until(stop), lists, &places, now, &tell)).await;
    let objectives = Objectives::new(vec![Objective::of_everything(objective)]);
    let findings = judge(&gathered, &objectives, &[]);
    let Progress {
        vaults, of_vaults, ..
    } = *last.lock().unwrap_or_else(PoisonError::into_inner);
    let state = if gathered.is_cut() {
        CopyAgeState::TimeWasOver
    } else {
        CopyAgeState::Measured
    };
    let mut answer = CopyAgeAnswer {
        objective_seconds: Some(objective.seconds()),
        places: places.len(),
        vaults_read: vaults,
        of_vaults,
        ..CopyAgeAnswer::blank(state, now)
    };
    take(&mut answer, &gathered, &findings);
    Ok(answer)
}

/// Takes in what was found of each vault.
fn take(answer: &mut CopyAgeAnswer, gathered: &Gathered, findings: &Findings) {
    let open = open_vaults(gathered, findings);
    for summary in &findings.vaults {
        let vault = summary.vault.to_string();
        if open.contains(&summary.vault) || !gathered.is_whole(&summary.vault) {
            answer.not_whole.push(vault);
        } else if answer.vaults.len() < MOST_VAULTS {
            answer.vaults.push(VaultAge {
                vault,
                worst_age_seconds: summary.worst_age,
                over_objective: summary.missed,
            });
        } else {
            answer.left_out.push(vault);
        }
    }
    let not_read = findings.not_read.iter();
    answer
        .not_read
        .extend(not_read.map(|one| format!("{}: {}", one.what, one.why)));
}

/// The vaults with a copy of which it can't be known how it stands, or with one from an account of which
/// something could not be read: other resources of it may have none.
fn open_vaults<'f>(gathered: &Gathered, findings: &'f Findings) -> BTreeSet<&'f BackupVaultArn> {
    let places = findings.places.iter();
    places
        .filter(|place| {
            place.state == State::Unknown || gathered.is_unread(place.resource.account())
        })
        .map(|place| &place.vault)
        .collect()
}
