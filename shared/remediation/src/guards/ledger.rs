//! The guards that rest on the ledger: a pause, what was written before, the lease.

use jiff::{SignedDuration, Timestamp};

use super::{Answer, Question, not_known};
use crate::ledger::Lease;
use crate::plan::sids;
use crate::ports::{CallError, CallErrorKind, CallResult};

/// A write must be read back before the function's time is over. Both take well under a second when
/// nothing is slow.
pub const TIME_FOR_A_WRITE: SignedDuration = SignedDuration::from_secs(5);

/// A pause that can't be read isn't absent.
pub(super) fn not_paused(question: &Question<'_>) -> Answer {
    Some(match question.history.pause.as_ref()? {
        Ok(None) => (true, "nobody paused Copymend".to_owned()),
        Ok(Some(pause)) => {
            let until = pause
                .until
                .map_or_else(String::new, |until| format!(" until {until}"));
            (
                false,
                format!(
                    "paused since {}{until}: {}; `copymend resume` ends it",
                    pause.since, pause.reason
                ),
            )
        }
        Err(error) => not_known("whether Copymend is paused", error),
    })
}

pub(super) fn sid_not_removed(question: &Question<'_>) -> Answer {
    let edit = question.edit()?;
    let history = match question.writes? {
        Ok(history) => history,
        Err(error) => return Some(not_known("what was written to this policy before", error)),
    };
    let gone: Vec<String> = sids(&edit.added)
        .into_iter()
        .filter(|sid| history.sids.contains(sid) && !edit.has_before(sid))
        .collect();
    Some(if gone.is_empty() {
        (true, "nobody removed a statement of ours".to_owned())
    } else {
        (
            false,
            format!(
                "someone removed {} since we wrote it: infrastructure as code may own this policy, so add the statement there",
                gone.join(", ")
            ),
        )
    })
}

pub(super) fn write_budget(question: &Question<'_>) -> Answer {
    question.edit()?;
    let history = match question.writes? {
        Ok(history) => history,
        Err(error) => {
            return Some(not_known(
                "how often this policy was written to today",
                error,
            ));
        }
    };
    let (writes, allowed) = (history.writes_today, question.settings.write_budget);
    Some((
        writes < allowed,
        format!("{writes} of {allowed} writes to this policy today"),
    ))
}

pub(super) fn source_write_budget(question: &Question<'_>) -> Answer {
    question.edit()?;
    let writes = match question.source_writes? {
        Ok(writes) => *writes,
        Err(error) => {
            return Some(not_known(
                "how often policies were written for the source account today",
                error,
            ));
        }
    };
    let allowed = question.settings.source_write_budget;
    let source = question.failure.job().account;
    Some((
        writes < allowed,
        format!("{writes} of {allowed} writes of policies for account {source} today"),
    ))
}

pub(super) fn lease(question: &Question<'_>) -> Answer {
    let (lease, _) = question.lease?;
    Some(is_held(lease, question.now))
}

pub(super) fn time_left(question: &Question<'_>) -> Answer {
    let (_, deadline) = question.lease?;
    Some(is_left(deadline, question.now))
}

fn is_held(lease: Option<&Lease>, now: Timestamp) -> (bool, String) {
    if lease.is_some_and(|lease| lease.until().duration_since(now) >= TIME_FOR_A_WRITE) {
        (true, "held".to_owned())
    } else {
        let detail = "someone else is changing this policy, or no ledger keeps leases";
        (false, detail.to_owned())
    }
}

fn is_left(deadline: Timestamp, now: Timestamp) -> (bool, String) {
    let left = deadline.duration_since(now);
    (
        left >= TIME_FOR_A_WRITE,
        format!("{} seconds are left to write and read back", left.as_secs()),
    )
}

/// Whether the lease holds and enough time is left. Where not, another delivery is asked for: a
/// lease that ran out is nobody's refusal.
pub(crate) fn lease_holds(lease: &Lease, now: Timestamp, deadline: Timestamp) -> CallResult<()> {
    for (passed, detail) in [is_held(Some(lease), now), is_left(deadline, now)] {
        if !passed {
            let kind = CallErrorKind::Throttled;
            let operation = "write under the lease";
            return Err(CallError::new(operation, lease.resource(), kind, detail));
        }
    }
    Ok(())
}
