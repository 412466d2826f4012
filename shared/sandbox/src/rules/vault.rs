//! The destination vault: its policy and its lock.

use copymend_diagnosis::Cause;
use copymend_policy::Decision;

use super::calls::{call, not_denied_lately, says};
use super::{Verdict, refused};
use crate::call::Caller;
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

/// The vault policy is checked against the job role, not against the service-linked role
/// (documented: "Creating backup copies across AWS accounts").
pub(super) fn policy(world: &World, copy: &NewCopy) -> Verdict {
    let (Some(vault), Some(caller)) = (
        world.vault(&copy.destination_vault),
        Caller::job_role(world, &copy.role),
    ) else {
        return exists(world, copy);
    };
    let call = call(
        copy,
        &caller,
        "backup:CopyIntoBackupVault",
        copy.destination_vault.as_str(),
        copy.destination_vault.account_id(),
    );
    not_denied_lately(world, call)?;
    match says(vault.policy.as_ref(), &call.request(world)) {
        Decision::Allowed { .. } => Ok(()),
        Decision::ExplicitlyDenied { .. } => Err(call.refused(
            Cause::DestinationVaultDeny,
            "ACCESS_DENIED",
            call.explicit("a resource-based policy"),
        )),
        Decision::ImplicitlyDenied | Decision::Unknown { .. } if !copy.is_cross_account() => Ok(()),
        Decision::ImplicitlyDenied | Decision::Unknown { .. } => Err(call.refused(
            Cause::DestinationVaultPolicy,
            "ACCESS_DENIED",
            "Access Denied trying to call AWS Backup service",
        )),
    }
}

/// The retention must lie within the vault's range; a copy that is kept for ever is longer than any
/// (documented: "AWS Backup Vault Lock").
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
