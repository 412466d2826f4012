//! What is known to be wrong.

use super::Known;

pub(super) const UNHELPFUL: Known = Known {
    usual: &[],
    rare: &[],
};
pub(super) const OBSERVED: Known = Known {
    usual: &[],
    rare: &[],
};
pub(super) const NOT_REPAIRED: Known = Known {
    usual: &[],
    rare: &[],
};
pub(super) const UNTRUE: Known = Known {
    usual: &[],
    rare: &[],
};
