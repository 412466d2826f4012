//! What is known to be wrong, and to be put right.

use super::Known;

/// Writes that don't help: what stops the copy then isn't read, or isn't said.
pub(super) const UNHELPFUL: Known = Known {
    usual: &[],
    rare: &[],
};

/// What observe mode doesn't foresee.
pub(super) const OBSERVED: Known = Known {
    usual: &[],
    rare: &[],
};

/// What could be repaired, and isn't.
pub(super) const NOT_REPAIRED: Known = Known {
    usual: &[],
    rare: &[],
};

/// Verdicts that aren't true.
pub(super) const UNTRUE: Known = Known {
    usual: &[],
    rare: &[],
};

/// What is foreseen of planned copies and doesn't come true.
pub(super) const FORESEEN: Known = Known {
    usual: &[],
    rare: &[],
};
