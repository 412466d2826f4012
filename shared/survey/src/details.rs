//! What lies behind an incident or a route, for who opens it.

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{Advice, Assessment, Cause, CopyJob, CopyJobEvent, Diagnosis, advise};
use copymend_remediation::decide::Decision;
use copymend_remediation::outlook::Outlook;

/// What an incident rests on, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The causes that were considered, the likeliest first, with what was seen of each.
    pub candidates: Vec<Assessment>,
    /// The reads that told nothing, each in a sentence.
    pub unknown: Vec<String>,
    /// What people should do; nothing where the message speaks for itself.
    pub advice: Option<Advice>,
    /// What Copymend would change, or may not.
    pub change: Option<Change>,
}

/// What Copymend would write, or may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The vault, key or role.
    pub resource: String,
    /// The policy before, byte for byte; absent where there is none.
    pub before: Option<String>,
    /// The policy after, or the role.
    pub after: String,
    /// Whether it is a role that is created, instead of a policy.
    pub is_role: bool,
    /// Whether a guard forbids it.
    pub is_refused: bool,
}

impl Details {
    /// What the facts show.
    pub(crate) fn of_outlook(outlook: &Outlook) -> Self {
        Self {
            candidates: outlook.diagnosis.candidates().to_vec(),
            unknown: outlook.unknown.iter().map(ToString::to_string).collect(),
            advice: Some(outlook.advice.clone()),
            change: Change::of_outlook(outlook),
        }
    }

    /// What the message alone suggests.
    pub(crate) fn of_message(cause: Cause, job: &CopyJob) -> Self {
        let explanation = explain(&job.status_message);
        let diagnosis = Diagnosis::from_message(&explanation);
        let event = CopyJobEvent::of_job(String::new(), job);
        Self {
            candidates: diagnosis.candidates().to_vec(),
            unknown: Vec::new(),
            advice: Some(advise(cause, &event, None)),
            change: None,
        }
    }
}

impl Change {
    /// The change of what would be decided; nothing where none is planned.
    pub(crate) fn of_outlook(outlook: &Outlook) -> Option<Self> {
        let decision = &outlook.decided.decision;
        let plan = outlook.plan()?;
        Some(Self {
            resource: plan.target.as_str().to_owned(),
            before: plan.before(),
            after: plan.after(),
            is_role: plan.edit.is_none(),
            is_refused: is_refused(decision),
        })
    }
}

fn is_refused(decision: &Decision) -> bool {
    match decision {
        Decision::Refuse(_) => true,
        Decision::ReadAgain(decision) => is_refused(decision),
        Decision::Repair(_)
        | Decision::Propose(_)
        | Decision::Retry
        | Decision::Resume(..)
        | Decision::Advise
        | Decision::Nothing => false,
    }
}
