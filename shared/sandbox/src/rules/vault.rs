//! The destination vault: its policy and its lock.

use copymend_diagnosis::Cause;
use copymend_policy::{Decision, evaluate};

use super::calls::tagged;
use super::{Call, Verdict, refused};
use crate::copies::NewCopy;
use crate::world::World;

pub(super) fn exists(world: &World, copy: &NewCopy) -> Verdict {
    if world.vault(&copy.destination_vault).is_some() {
        return Ok(());
    }
    Err(refused(
        Cause::VaultNotFound,
        "RESOURCE_NOT_FOUND",
        format!(
            "Backup job failed because backup vault {} does not exist.",
            copy.destination_vault
        ),
    ))
}

/// The vault policy is checked against the job role, not against the service-linked role (documented: "Creating backup
/// copies across AWS accounts").
pub(super) fn policy(world: &World, copy: &NewCopy) -> Verdict {
    let (Some(vault), Some(account)) =
        (world.vault(&copy.destination_vault), copy.role.account_id())
    else {
        return exists(world, copy);
    };
    let call = Call {
        role: copy.role.as_str(),
        account,
        action: "backup:CopyIntoBackupVault",
        resource: copy.destination_vault.as_str(),
        owner: copy.destination_vault.account_id(),
    };
    let request = tagged(call.request(world, copy), &vault.tags);
    let decision = vault
        .policy
        .as_ref()
        .and_then(|policy| policy.document().ok())
        .map_or(Decision::ImplicitlyDenied, |policy| {
            evaluate(policy, &request)
        });
    match decision {
        Decision::Allowed { .. } => Ok(()),
        Decision::ExplicitlyDenied { .. } => Err(refused(
            Cause::DestinationVaultDeny,
            "ACCESS_DENIED",
            call.explicit("a resource-based policy"),
        )),
        Decision::ImplicitlyDenied | Decision::Unknown { .. } if !copy.is_cross_account() => Ok(()),
        Decision::ImplicitlyDenied | Decision::Unknown { .. } => Err(refused(
            Cause::DestinationVaultPolicy,
            "ACCESS_DENIED",
            "Access Denied trying to call AWS Backup service",
        )),
    }
}

/// The retention must lie within the vault's range; a copy that is kept for ever is longer than any (documented:
/// "AWS Backup Vault Lock").
pub(super) fn retention(world: &World, copy: &NewCopy) -> Verdict {
    let lock = world
        .vault(&copy.destination_vault)
        .and_then(|vault| vault.lock.as_ref());
    let Some(lock) = lock else {
        return Ok(());
    };
    let days = copy
        .lifecycle
        .as_ref()
        .and_then(|lifecycle| lifecycle.delete_after_days)
        .filter(|days| *days >= 0);
    let too_short = days.is_some_and(|days| lock.min_retention_days.is_some_and(|min| days < min));
    let too_long = lock
        .max_retention_days
        .is_some_and(|max| days.is_none_or(|days| days > max));
    if !too_short && !too_long {
        return Ok(());
    }
    Err(refused(
        Cause::RetentionOutOfRange,
        "INVALID_LIFECYCLE",
        "Copy job failed. The retention specified in the job is not within the range specified for the target Backup Vault.",
    ))
}
