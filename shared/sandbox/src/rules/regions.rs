//! Regions that an account must enable first.

use copymend_policy::AccountId;

use super::feature_table::OPT_IN;
use crate::world::World;

/// Whether accounts must enable a Region first.
pub(crate) fn is_opt_in(region: &str) -> bool {
    OPT_IN.contains(&region)
}

/// Whether an account is enabled in a Region. Permissions on a key of another account have an
/// effect only where the caller's account is enabled in the key's Region (documented: KMS
/// `key-policy-modifying-external-accounts`). An account that isn't in the world, or that names
/// none, has enabled them all.
pub(crate) fn is_enabled(world: &World, account: AccountId, region: &str) -> bool {
    let enabled = world
        .account(account)
        .and_then(|account| account.enabled_opt_in_regions.as_ref());
    !is_opt_in(region)
        || enabled.is_none_or(|enabled| enabled.iter().any(|enabled| enabled == region))
}
