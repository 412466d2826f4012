//! The queues: what waits in them, and whether they take it.

use super::{or_fine, present};
use crate::deployed::Deployed;
use crate::facts::{Facts, Mapping, Named, Queue, RuleFacts};
use crate::finding::{Finding, Part};
use crate::kinds::{
    DEAD_LETTERS_WAITING, DELAYED_RETRIES_LOST, DELAYED_RETRIES_OFF, QUEUE_MISSING,
    QUEUE_REFUSES_RULE,
};
use crate::policies::{Asked, allows};

/// The queue whose messages come back to the function.
const DELAYED: &str = "DelayedRetries";
/// The queue of what was not handled.
const DEAD_LETTERS: &str = "DeadLetters";

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    let queues = facts.queues.iter().flat_map(|named| of_queue(facts, named));
    queues.chain(mappings(facts)).collect()
}

fn of_queue(facts: &Facts, named: &Named<Queue>) -> Vec<Finding> {
    let queue = match present(named, Part::Queues, &QUEUE_MISSING) {
        Ok(queue) => queue,
        Err(finding) => return vec![finding],
    };
    let Named { logical, id, .. } = named;
    let mut findings = Vec::new();
    if logical != DELAYED && queue.waiting > 0 {
        findings.push(Finding::of(
            &DEAD_LETTERS_WAITING,
            format!(
                "Messages that wait in {logical} ({id}): about {}.",
                queue.waiting
            ),
        ));
    }
    let kept_in = facts.deployed.queue_arn(DEAD_LETTERS);
    if logical == DELAYED && queue.dead_letters != kept_in {
        let to = queue.dead_letters.as_deref().unwrap_or("nowhere");
        findings.push(Finding::of(
            &DELAYED_RETRIES_LOST,
            format!("What {logical} ({id}) hands out too often goes to {to}."),
        ));
    }
    findings.extend(refused_rules(&facts.deployed, logical, queue, &facts.rules));
    or_fine(Part::Queues, findings, || {
        if logical == DELAYED {
            format!(
                "{logical} is there. Messages in it: about {}.",
                queue.waiting
            )
        } else {
            format!("{logical} is empty, and takes what its rules cannot deliver.")
        }
    })
}

/// The rules whose dead letters the queue's policy doesn't take.
fn refused_rules(
    deployed: &Deployed,
    logical: &str,
    queue: &Queue,
    rules: &[RuleFacts],
) -> Vec<Finding> {
    let Some(arn) = deployed.queue_arn(logical) else {
        return Vec::new();
    };
    let policy = queue.policy.as_deref().unwrap_or_default();
    let refused = rules.iter().filter_map(|facts| {
        let rule = facts.rule.found.as_ref().ok()?.as_ref()?;
        let mut targets = facts.targets.as_ref().ok()?.iter();
        targets.find(|target| target.dead_letters.as_deref() == Some(&arn))?;
        let asked = Asked {
            action: "sqs:SendMessage",
            resource: &arn,
            service: "events.amazonaws.com",
            source: &rule.arn,
        };
        let found = format!(
            "The policy of {logical} does not let {} send its dead letters.",
            facts.rule.logical
        );
        (!allows(policy, &asked)).then(|| Finding::of(&QUEUE_REFUSES_RULE, found))
    });
    refused.collect()
}

fn mappings(facts: &Facts) -> Vec<Finding> {
    let mappings = facts.mappings.iter();
    mappings
        .map(
            |named| match present(named, Part::Queues, &DELAYED_RETRIES_OFF) {
                Err(finding) => finding,
                Ok(Mapping { state, .. }) if !is_on(state) => Finding::of(
                    &DELAYED_RETRIES_OFF,
                    format!("The event source mapping {} is {state}.", named.logical),
                ),
                Ok(Mapping {
                    state,
                    most_at_once,
                }) => {
                    let most = most_at_once.map_or_else(
                        || "without a limit of its own".to_owned(),
                        |most| format!("at most {most} at once"),
                    );
                    let found = format!("What is put off comes back ({state}), {most}.");
                    Finding::fine(Part::Queues, found)
                }
            },
        )
        .collect()
}

/// States in which a mapping delivers, or soon does (Lambda API reference,
/// `EventSourceMappingConfiguration`, `State`, documented).
fn is_on(state: &str) -> bool {
    matches!(state, "Enabled" | "Creating" | "Enabling" | "Updating")
}
