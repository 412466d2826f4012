//! Whether a message leaves something to do for a person.

use copymend_diagnosis::{Assessment, Verdict};

use crate::approval::Reply;
use crate::report::{Outcome, Report};

impl Outcome {
    /// Whether it leaves something to do for a person, whatever else a report says.
    #[must_use]
    pub const fn leaves_something_to_do(self) -> bool {
        match self {
            Self::Repaired | Self::Planned | Self::Advised | Self::Refused | Self::Failed => true,
            Self::RepairedAndRetried
            | Self::Retried
            | Self::RetryPlanned
            | Self::Recovered
            | Self::Nothing
            | Self::AlreadyHandled => false,
        }
    }
}

impl Report {
    /// Whether a person has something to do, or to decide, now: nothing that Copymend has begun takes
    /// care of it. What is started again and may fail once more needs nobody yet.
    ///
    /// A grant is told at once all the same: it changes an owner's policy.
    #[must_use]
    pub fn needs_action(&self) -> bool {
        // The copy fails again for what else is confirmed.
        let fails_again = !self.also_confirmed().is_empty();
        fails_again || (self.outcome.leaves_something_to_do() && !self.is_refused_by_a_person())
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
