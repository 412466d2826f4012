//! What becomes of a copy that a plan will make, from what can be read before it runs.
//!
//! The rules are those that a failed copy is held against. A cause that the facts show will stop the
//! copy. It will pass where every rule was judged from what was read. What no read can tell and what
//! AWS's rules don't make a cause of is named beside the verdict as a [`Residual`]; everything else
//! that is open leaves the copy unknown.

mod layers;
mod residual;

use serde::Serialize;

use crate::assess::{Assessment, Verdict};
use crate::causes::{Cause, may_be_under_service_control};
use crate::fact::Fact;
use crate::facts::Facts;
use crate::guardrails::Guardrails;
use crate::job::BackupCopy;
use residual::Left;
pub use residual::Residual;

/// What will become of a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Foreseen {
    /// Every rule lets it pass.
    WillPass {
        /// What may stop it all the same, and can't be seen beforehand.
        residuals: Vec<Residual>,
    },
    /// Something stands in the way.
    WillFail {
        /// All that is shown to stand in the way, in the order in which it must be put right.
        in_the_way: Vec<Assessment>,
        /// What could not be looked at, or depends on what can't be known.
        open: Vec<Assessment>,
    },
    /// Nothing is shown to stand in the way, and something may.
    CannotBeKnown {
        /// What may, in the same order, each with why it isn't known.
        open: Vec<Assessment>,
    },
}

impl Foreseen {
    /// A stable name: `will-pass`, `will-fail` or `cannot-be-known`.
    #[must_use]
    pub const fn slug(&self) -> &'static str {
        match self {
            Self::WillPass { .. } => "will-pass",
            Self::WillFail { .. } => "will-fail",
            Self::CannotBeKnown { .. } => "cannot-be-known",
        }
    }

    /// The same in a table.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::WillPass { .. } => "WILL PASS",
            Self::WillFail { .. } => "WILL FAIL",
            Self::CannotBeKnown { .. } => "CAN'T BE KNOWN",
        }
    }
}

/// Why a cause is considered.
const LOOKED_AT: &str = "every rule of a copy is held against what was read";

/// Holds every rule against what was read of a copy that has not been tried.
#[must_use]
pub fn foresee(copy: &BackupCopy, facts: &Facts, guardrails: &Guardrails) -> Foreseen {
    let (mut in_the_way, mut open) = (Vec::new(), Vec::new());
    let mut residuals: Vec<Residual> = residual::of_every_copy(copy);
    let are_read = matches!(&guardrails.service_control, Some(Fact::Known(_)));
    if may_be_under_service_control(copy, facts) && !are_read {
        residuals.push(Residual::SimulatedServiceControl);
    }
    let layers = layers::Layers::of(copy, facts, guardrails);
    for cause in Cause::in_order_of_repair() {
        let finding = cause.entry().check(copy, facts);
        let finding = layers.weigh(cause, finding);
        let assessment = Assessment::of(cause, LOOKED_AT, finding);
        match assessment.verdict {
            Verdict::Confirmed => in_the_way.push(assessment),
            Verdict::RuledOut => {}
            Verdict::NotCheckable => match residual::of(cause, copy, facts) {
                Left::Beside(residual) => residuals.push(residual),
                Left::Nothing => {}
                Left::Open => open.push(assessment),
            },
        }
    }
    residuals.sort_unstable();
    residuals.dedup();
    if !in_the_way.is_empty() {
        Foreseen::WillFail { in_the_way, open }
    } else if !open.is_empty() {
        Foreseen::CannotBeKnown { open }
    } else {
        Foreseen::WillPass { residuals }
    }
}
