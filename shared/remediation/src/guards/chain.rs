//! What else stands in the way of the copy.

use copymend_diagnosis::{Cause, Fact, Facts, Remedy, Verdict, obstacles, other_keys_in_the_way};

use super::{Act, Answer, Guard, Question, Stage, not_known, result};
use crate::plan::plan;

/// Whether the repair helps: nothing else that is confirmed stops the copy, but what Copymend would
/// repair next under the same settings. Each event repairs what its own message names; the next
/// failure is the evidence for the next repair.
pub(super) fn nothing_else_in_the_way(question: &Question<'_>) -> Answer {
    let facts = question.facts?;
    let own = question.act.cause()?;
    if let Fact::Unknown(why) = &facts.destination_vault
        && question.act != Act::ServiceLinkedRole
    {
        let what = "whether the destination vault's key, type and lock let the copy in";
        return Some(not_known(what, why));
    }
    let confirmed: Vec<Cause> = obstacles(question.failure.copy(), facts)
        .into_iter()
        .filter(|obstacle| obstacle.verdict == Verdict::Confirmed)
        .map(|obstacle| obstacle.cause)
        .collect();
    let (mut next, mut in_the_way) = (Vec::new(), Vec::new());
    for cause in confirmed.iter().filter(|cause| **cause != own) {
        match cause.remedy() {
            Remedy::Repair(_) => match why_not_repaired(*cause, &confirmed, question, facts) {
                None => next.push(cause.slug()),
                Some(guard) => {
                    in_the_way.push(format!("{cause} ({} forbids its repair)", guard.name()));
                }
            },
            Remedy::Advise => in_the_way.push(cause.to_string()),
            Remedy::Retry => {}
        }
    }
    let other_keys = other_keys_in_the_way(question.failure.copy(), facts);
    in_the_way.extend(
        other_keys
            .into_iter()
            .map(|key| format!("`{}`, the key of another snapshot of the image", key.arn)),
    );
    Some(if !in_the_way.is_empty() {
        (
            false,
            format!("the copy would still fail: {}", in_the_way.join(", ")),
        )
    } else if next.is_empty() {
        (true, "nothing else is known to stop the copy".to_owned())
    } else {
        (
            true,
            format!(
                "repaired next, once the copy fails for it: {}",
                next.join(", ")
            ),
        )
    })
}

/// The guard that would forbid the repair of another cause; none where each passes. What is
/// confirmed tells what is put right before it.
fn why_not_repaired(
    cause: Cause,
    confirmed: &[Cause],
    question: &Question<'_>,
    facts: &Facts,
) -> Option<Guard> {
    let planned = plan(cause, question.failure, facts, question.settings);
    let question = Question {
        act: Act::about(cause),
        plan: Some(planned.as_ref()),
        ..*question
    };
    let is_created_before = confirmed.contains(&Cause::ServiceLinkedRole);
    question
        .act
        .checklist()
        .filter(|guard| matches!(guard.entry().stage, Stage::Copy | Stage::Change))
        // The mode is the same for each, what stands in the way is being asked, and the role is
        // created before the key's policy names it.
        .filter(|guard| !matches!(guard, Guard::Mode | Guard::NothingElseInTheWay))
        .filter(|guard| !(is_created_before && *guard == Guard::ServiceLinkedRole))
        .find(|guard| result(*guard, &question).is_some_and(|answer| !answer.passed))
}
