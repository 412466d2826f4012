//! The key of the destination vault.

use copymend_diagnosis::{Cause, KeyManager};

use super::calls::{call, not_denied_lately, says};
use super::{Verdict, refused};
use crate::authority::is_denied;
use crate::call::{Call, Caller};
use crate::copies::NewCopy;
use crate::world::{RecoveryPoint, Vault, World};

/// What the job role calls on the key of a logically air-gapped vault: the part of AWS's list (documented: "Logically
/// air-gapped vaults", section on customer managed keys) that `AWSBackupServiceRolePolicyForBackup` knows.
const CALLS_OF_JOB_ROLE: [&str; 4] = [
    "kms:DescribeKey",
    "kms:ReEncryptTo",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:CreateGrant",
];

/// A copy to another account needs a vault with a customer managed key, unless AWS Backup manages the type fully
/// (documented: "Encryption for backups in AWS Backup"). A logically air-gapped vault may use an AWS owned key (documented).
pub(super) fn check(world: &World, copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let Some(vault) = world.vault(&copy.destination_vault) else {
        return super::vault::exists(world, copy);
    };
    if !point.is_encrypted() && !copy.is_cross_account() {
        return Ok(());
    }
    let Some(arn) = &vault.encryption_key_arn else {
        return Ok(());
    };
    if vault.has_aws_owned_key() {
        return Ok(());
    }
    let refuse = |message: &str| {
        Err(refused(
            Cause::DestinationVaultKey,
            "KMS_KEY_ERROR",
            message,
        ))
    };
    match world.key(arn) {
        None => refuse("Given key ID does not exist"),
        Some(key) if key.manager == KeyManager::Aws => {
            if !copy.is_cross_account() || point.is_fully_managed() {
                return Ok(());
            }
            Err(refused(
                Cause::DestinationVaultKey,
                "ACCESS_DENIED",
                "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. The contents of this vault cannot be copied. Only the contents of a Backup vault encrypted by an AWS KMS key may be copied.",
            ))
        }
        Some(key) if key.state != "Enabled" => {
            refuse("KMS key is either disabled or pending deletion or access to KMS key is denied")
        }
        Some(_) => Ok(()),
    }
}

/// The source's job role uses the customer managed key of a logically air-gapped vault "in all copy scenarios" (documented:
/// "Logically air-gapped vaults"), so the organization's resource control policies can stop it. The key's own policy and the
/// role's are left out: which calls they must admit isn't known.
pub(super) fn of_air_gapped_vault(world: &World, copy: &NewCopy) -> Verdict {
    let key = world
        .vault(&copy.destination_vault)
        .filter(|vault| vault.is_logically_air_gapped() && !vault.has_aws_owned_key())
        .and_then(|vault: &Vault| vault.encryption_key_arn.as_ref());
    let (Some(key), Some(caller)) = (key, Caller::job_role(world, &copy.role)) else {
        return Ok(());
    };
    let is_customers = world
        .key(key)
        .is_some_and(|key| key.manager == KeyManager::Customer);
    for action in CALLS_OF_JOB_ROLE {
        let call = call(copy, &caller, action, key.as_str(), key.account_id());
        not_denied_lately(world, call)?;
        if is_customers && is_denied_by_resource_control(world, call) {
            return Err(call.refused(
                Cause::ResourceControlPolicy,
                "ACCESS_DENIED",
                call.explicit("a resource control policy"),
            ));
        }
    }
    Ok(())
}

/// Resource control policies bind the resources of an organization's accounts, less the management account, whoever calls,
/// less service-linked roles. They cover AWS KMS, but neither AWS Backup nor AWS managed keys (documented: Organizations
/// `orgs_manage_policies_rcps`).
fn is_denied_by_resource_control(world: &World, call: Call<'_>) -> bool {
    let Some((owner, organization)) = call
        .owner
        .and_then(|id| Some((id, world.organization_of(id)?)))
    else {
        return false;
    };
    let request = call.request(world);
    organization
        .binding(&organization.resource_control_policies, owner)
        .any(|policy| is_denied(&says(Some(policy), &request)))
}
