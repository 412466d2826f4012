//! From what was read to what is wrong.

mod alarms;
mod functions;
mod ledger;
mod permissions;
mod queues;
mod rules;
mod self_check;
mod settings;
mod topics;
mod trail;

use crate::facts::{Facts, Found, Named};
use crate::finding::{Finding, Part};
use crate::kinds::{Kind, STACK_BROKEN, STACK_BUSY};

/// What was found, part by part.
#[must_use]
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = vec![stack(facts)];
    findings.extend(functions::judge(facts));
    findings.extend(permissions::judge(facts));
    findings.extend(rules::judge(facts));
    findings.extend(queues::judge(facts));
    findings.extend(topics::judge(facts));
    findings.extend(alarms::judge(facts));
    findings.extend(ledger::judge(facts));
    findings.extend(trail::judge(facts));
    findings.extend(settings::judge(&facts.deployed));
    findings.extend(self_check::judge(facts));
    // Stable, so that the order within a part stays.
    findings.sort_by_key(|finding| finding.part);
    findings
}

fn stack(facts: &Facts) -> Finding {
    let (name, status) = (&facts.deployed.name, &facts.deployed.status);
    let found = format!("The stack {name} is {status}.");
    if status.ends_with("_IN_PROGRESS") {
        Finding::of(&STACK_BUSY, found)
    } else if matches!(
        status.as_str(),
        "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE"
    ) {
        Finding::fine(Part::Stack, found)
    } else {
        Finding::of(&STACK_BROKEN, found)
    }
}

/// The findings of a part; that all is well, where there are none.
pub(crate) fn or_fine(
    part: Part,
    findings: Vec<Finding>,
    fine: impl FnOnce() -> String,
) -> Vec<Finding> {
    if findings.is_empty() {
        vec![Finding::fine(part, fine())]
    } else {
        findings
    }
}

/// What is there, or the finding that it isn't, or that nobody knows.
pub(crate) fn present<'f, T>(
    named: &'f Named<T>,
    part: Part,
    missing: &Kind,
) -> Result<&'f T, Finding> {
    let Named { logical, id, found } = named;
    there(found, part, missing, || {
        format!("{logical} ({id}) is part of the stack, and AWS says that there is no such thing.")
    })
}

fn there<'f, T>(
    found: &'f Found<T>,
    part: Part,
    missing: &Kind,
    says: impl FnOnce() -> String,
) -> Result<&'f T, Finding> {
    match found {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(Finding::of(missing, says())),
        Err(error) => Err(Finding::unknown(part, error)),
    }
}
