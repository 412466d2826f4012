//! Whether a message leaves something to do for a person.

use copymend_diagnosis::{Assessment, Verdict};

use crate::approval::Reply;
use crate::report::{Outcome, Report};

impl Report {
    /// Whether a person has something to do, or to decide, now: nothing that Copymend has begun takes
    /// care of it. What is started again and may fail once more needs nobody yet.
    ///
    /// A grant is told at once all the same: it changes an owner's policy.
    #[must_use]
    pub fn needs_action(&self) -> bool {
        match self.outcome {
            // The copy fails again for what else is confirmed.
            Outcome::RepairedAndRetried => !self.also_confirmed().is_empty(),
            Outcome::Repaired | Outcome::Planned | Outcome::Advised | Outcome::Failed => true,
            Outcome::Refused => !self.is_refused_by_a_person(),
            Outcome::Retried
            | Outcome::RetryPlanned
            | Outcome::Recovered
            | Outcome::Nothing
            | Outcome::AlreadyHandled => false,
        }
    }

    /// What else is confirmed beside the cause that was repaired, in the order in which it must be put
    /// right. Nothing where no policy was repaired: then the advice is about the first.
    #[must_use]
    pub fn also_confirmed(&self) -> Vec<&Assessment> {
        if !matches!(
            self.outcome,
            Outcome::RepairedAndRetried | Outcome::Repaired
        ) {
            return Vec::new();
        }
        let candidates = self.diagnosis.candidates.iter();
        let mut others: Vec<_> = candidates
            .filter(|other| {
                other.verdict == Verdict::Confirmed && other.cause != self.diagnosis.cause
            })
            .collect();
        others.sort_by_key(|other| other.cause.place_in_repair());
        others
    }

    /// Whether a person refused the plan.
    #[must_use]
    pub fn is_refused_by_a_person(&self) -> bool {
        let approval = self.approval.as_ref();
        approval.is_some_and(|approval| approval.reply == Some(Reply::Refuse))
    }
}
