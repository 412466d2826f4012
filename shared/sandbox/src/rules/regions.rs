//! Regions that an account must enable first.

use copymend_policy::AccountId;

use crate::world::World;

/// The Regions that need opt-in (documented: AWS General Reference, "Managing AWS Regions"; read in 2026).
pub(crate) const OPT_IN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// Whether an account is enabled in a Region. Permissions on a key of another account have an effect only where the caller's account is
/// enabled in the key's Region (documented: KMS `key-policy-modifying-external-accounts`). An account that isn't in the world, or that
/// names none, has enabled them all.
pub(super) fn is_enabled(world: &World, account: AccountId, region: &str) -> bool {
    let enabled = world
        .account(account)
        .and_then(|account| account.enabled_opt_in_regions.as_ref());
    !OPT_IN.contains(&region)
        || enabled.is_none_or(|enabled| enabled.iter().any(|enabled| enabled == region))
}
