//! What is known to be wrong, and to be put right.

use super::Known;

/// Writes that don't help: what stops the copy then isn't read, or isn't said.
pub(super) const UNHELPFUL: Known = Known {
    usual: &[],
    rare: &[
        "of no use: destination-vault-policy is repaired, then job-role-permission stops the copy",
        "of no use: destination-vault-policy is repaired, then resource-control-policy stops the copy",
        "of no use: service-linked-role is repaired, then resource-control-policy stops the copy",
    ],
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
    usual: &[
        "not named: boundary-denies-copies, behind a missing role",
        "not named: boundary-without-copies, behind a missing role",
        "not named: control-policy-on-tags-of-vaults",
        "not named: control-policy-on-tags-of-vaults, behind a missing role",
        "not named: control-policy-on-targets-of-copies",
        "not named: control-policy-on-targets-of-copies, behind a missing role",
        "not named: control-policy-on-the-unit",
        "not named: control-policy-on-the-unit, behind a missing role",
        "not named: resource-control-policy-on-keys",
        "not named: resource-control-policy-on-keys, behind a missing role",
        "not named: role-is-denied-the-copy, behind a missing role",
        "not named: role-may-not-copy-into-vaults, behind a missing role",
        "not named: role-may-not-use-keys",
        "not named: role-trusts-another-account, behind a missing role",
        "not named: role-trusts-another-service, behind a missing role",
        "not named: role-without-policies, behind a missing role",
        "wrongly ruled out: role-may-not-use-keys",
        "wrongly ruled out: role-trusts-another-account, behind a missing role",
        "wrongly ruled out: role-trusts-another-service, behind a missing role",
    ],
    rare: &["not named: role-may-not-use-keys, behind a missing role"],
};
