//! What people should do about a cause: who, where, and in which order.

mod case;
pub(crate) mod console;
mod hops;
pub(crate) mod page;
#[cfg(test)]
pub(crate) mod samples;
mod source;
pub(crate) mod standing;
pub(crate) mod state;
mod steps;
pub(crate) mod stored;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_steps;
mod text;
#[cfg(test)]
mod words;

use serde::Serialize;

use crate::causes::Cause;
use crate::event::CopyJobEvent;
use crate::facts::Facts;
use crate::job::{BackupCopy, CopyJobState};
pub(crate) use case::{Case, owner_of_key, step};
pub(crate) use hops::{through_own_key, two_hops};
pub use source::advise_unlisted_source;
pub(crate) use steps::{add_each, step};
pub use stored::steps_after_refused_put;
pub(crate) use text::{is_plain, is_plain_tag, list, lower_first, quoted, shown, word};

/// Steps for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Advice {
    /// Who must act, in which account and Region.
    pub who: String,
    /// What to do, in order. A step is a sentence; a command or a JSON text to paste follows on
    /// lines of its own.
    pub steps: Vec<String>,
    /// AWS's page on it.
    pub page: &'static str,
    /// The page of the AWS console to start from. Absent where no partition's console is known or a
    /// name can't be trusted in a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
}

/// The advice for a cause. `facts` are absent for an event that could not be verified: then the
/// first step is to check the job, and no statement to paste is offered.
///
/// Names and ARNs come from types that refuse control characters. What goes into a command is
/// checked once more, so that an event can forge neither a line nor a command.
#[must_use]
pub fn advise(cause: Cause, event: &CopyJobEvent, facts: Option<&Facts>) -> Advice {
    let copy = Case::new(event, facts);
    let entry = cause.entry();
    let mut steps = (entry.steps)(&copy);
    if !copy.is_verified() {
        steps.insert(0, copy.check_the_job());
    }
    Advice {
        who: (entry.who)(&copy),
        steps,
        page: entry.page.of(&copy),
        console: (entry.console)(&copy),
    }
}

/// The step that starts a failed copy again, by whoever does by hand what Copymend would.
#[must_use]
pub fn step_that_starts_again(event: &CopyJobEvent, facts: Option<&Facts>) -> String {
    Case::new(event, facts).start_again()
}

/// The advice for what stands in the way of a copy that a plan will make. The plan makes it by itself,
/// so that no step starts it.
#[must_use]
pub fn advise_planned(cause: Cause, copy: &BackupCopy, facts: &Facts) -> Advice {
    let event = CopyJobEvent {
        id: None,
        account: copy.account.to_string(),
        region: copy.region.clone(),
        copy_job_id: String::new(),
        state: CopyJobState::Created,
        status_message: String::new(),
        role: copy.role.clone(),
        source_vault: copy.source_vault.clone(),
        destination_vault: copy.destination_vault.clone(),
        resource: copy.resource.clone(),
        resource_type: copy.resource_type.clone(),
        source_recovery_point: Some(copy.source_recovery_point.clone()),
    };
    let mut advice = advise(cause, &event, Some(facts));
    advice.steps.retain(|step| {
        !OF_A_COPY_THAT_WAS_TRIED
            .iter()
            .any(|words| step.contains(words))
    });
    advice
}

/// Words of steps that make sense only once a copy was tried.
const OF_A_COPY_THAT_WAS_TRIED: [&str; 4] = [
    "aws backup start-copy-job",
    "then Actions, Copy.",
    "that the message names",
    "If the message names",
];
