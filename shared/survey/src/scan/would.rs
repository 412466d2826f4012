//! What Copymend would do, in a sentence.

use copymend_diagnosis::{Advice, Cause, CopyJobEvent, Remedy, Repairable, advise};
use copymend_remediation::decide::Decision;
use copymend_remediation::outlook::Outlook;
use copymend_remediation::plan::{Plan, Target};

use super::incidents::{Act, Would};
use crate::listed::ListedCopyJob;

/// What the handler would decide.
pub(crate) fn of_outlook(outlook: &Outlook, message: &str) -> Would {
    let would = of_decision(&outlook.decided.decision, outlook);
    match (would.act, outlook.cause()) {
        (Act::Advise, Cause::Unknown) => unknown(message),
        (Act::Repair | Act::Retry | Act::Advise | Act::Refuse | Act::Nothing, _) => would,
    }
}

fn of_decision(decision: &Decision, outlook: &Outlook) -> Would {
    match decision {
        Decision::Repair(plan) => repair(Some(plan)),
        Decision::Propose(plan) => repair(plan.as_deref()),
        Decision::Retry | Decision::Resume(..) => Would::new(Act::Retry, "start the copy again"),
        Decision::ReadAgain(decision) => of_decision(decision, outlook),
        Decision::Refuse(_) => refuse(outlook),
        Decision::Advise => match outlook.decided.guards.iter().find(|guard| !guard.passed) {
            Some(_) => refuse(outlook),
            None => first_step(&outlook.advice, 0),
        },
        Decision::Nothing => Would::new(Act::Nothing, "nothing: its children are handled"),
    }
}

fn repair(plan: Option<&Plan>) -> Would {
    let Some(plan) = plan else {
        return Would::new(Act::Retry, "start the copy again");
    };
    let what = match &plan.target {
        Target::VaultPolicy(_) => "add a statement to the vault's policy, and start the copy again",
        Target::KeyPolicy(_) => "add a statement to the key's policy, and start the copy again",
        Target::ServiceLinkedRole(_) => {
            "make AWS Backup's service-linked role, and start the copy again"
        }
    };
    Would::new(Act::Repair, what)
}

/// The guards that forbid it, and what people can do instead.
fn refuse(outlook: &Outlook) -> Would {
    let failed = outlook.decided.guards.iter().filter(|guard| !guard.passed);
    let reasons: Vec<String> = failed
        .map(|guard| format!("{} ({})", guard.guard.name(), guard.detail))
        .collect();
    let reasons = if reasons.is_empty() {
        "no change can be planned".to_owned()
    } else {
        reasons.join("; ")
    };
    Would::new(Act::Refuse, &format!("nothing by itself: {reasons}"))
}

/// What the cause that a message names leads to, if the facts confirm it.
pub(super) fn of_message(cause: Cause, row: &ListedCopyJob) -> Would {
    match cause.remedy() {
        Remedy::Repair(repairable) => {
            let what = match repairable {
                Repairable::VaultPolicy => "the vault's policy",
                Repairable::KeyPolicy => "the source key's policy",
                Repairable::ServiceLinkedRole => "the service-linked role",
            };
            Would::new(
                Act::Repair,
                &format!("repair {what}, if the facts confirm the cause"),
            )
        }
        Remedy::Retry => Would::new(Act::Retry, "start the copy again"),
        // The advice for what has no rule is to read the message.
        Remedy::Advise if cause == Cause::Unknown => unknown(&row.job.status_message),
        Remedy::Advise => {
            let event = CopyJobEvent::of_job(String::new(), &row.job);
            // The first step of what isn't verified is to look at the job.
            first_step(&advise(cause, &event, None), 1)
        }
    }
}

/// A message that no rule knows speaks for itself.
pub(super) fn unknown(message: &str) -> Would {
    let text = if message.is_empty() {
        "look at the job: AWS gives no message".to_owned()
    } else {
        format!("read what AWS says: {message}")
    };
    Would::new(Act::Advise, &text)
}

fn first_step(advice: &Advice, place: usize) -> Would {
    let step = advice.steps.get(place).or(advice.steps.first());
    Would::new(Act::Advise, step.map_or("", String::as_str))
}
