//! The key of the destination vault.

use copymend_diagnosis::{Cause, KeyManager};

use super::key_use::{KeyRefusal, KeyUse, KeyUser, of_copy, of_key_of_vault};
use super::{Refusal, Verdict, refused};
use crate::copies::NewCopy;
use crate::world::{Key, RecoveryPoint, Storage, Vault, World};

/// The name of the vault that AWS Backup makes in every account and Region.
const DEFAULT_VAULT: &str = "Default";
const DEFAULT_KEY: &str = "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. The contents of this vault cannot be copied. Only the contents of a Backup vault encrypted by an AWS KMS key may be copied.";
const OF_STORAGE_GATEWAY: &str = "UnsupportedOperation : Storage Gateway backup copies require a user-created backup vault and key at destination.";
const NOT_FOUND: &str = "Given key ID does not exist";
const NOT_USABLE: &str =
    "KMS key is either disabled or pending deletion or access to KMS key is denied";

fn key_error(message: impl Into<String>) -> Refusal {
    refused(Cause::DestinationVaultKey, "KMS_KEY_ERROR", message)
}

/// The key that the copy is encrypted with: copies are, even of what isn't encrypted itself, less
/// clusters of Aurora, DocumentDB and Neptune (documented: "Encryption for backups in AWS Backup").
/// A logically air-gapped vault may use a key that AWS owns (documented: "Logically air-gapped
/// vault").
pub(super) fn check(world: &World, copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let Some(vault) = world.vault(&copy.destination_vault) else {
        return super::vault::exists(world, copy);
    };
    // "The destination vault cannot be the default vault. This is because the default vault is
    // encrypted with a key that cannot be shared with other accounts" (documented: "Creating backup
    // copies across AWS accounts", security considerations). The words are AWS's for such a key;
    // that they are the ones for this vault is inferred.
    if copy.is_cross_account() && copy.destination_vault.name() == DEFAULT_VAULT {
        return Err(refused(
            Cause::DestinationVaultKey,
            "ACCESS_DENIED",
            DEFAULT_KEY,
        ));
    }
    let Some(arn) = vault
        .encryption_key_arn
        .as_ref()
        .filter(|_| !vault.has_aws_owned_key())
    else {
        return Ok(());
    };
    let stays_plain = !point.is_encrypted() && point.is_database_cluster();
    if stays_plain && !copy.is_cross_account() {
        return Ok(());
    }
    let Some(key) = world.key(arn) else {
        return Err(key_error(NOT_FOUND));
    };
    if key.manager == KeyManager::Aws {
        return of_aws(world, copy, point, key);
    }
    if key.state != "Enabled" {
        return Err(key_error(NOT_USABLE));
    }
    Ok(())
}

/// For a type that isn't fully managed "a Backup managed key cannot be used. Instead, a CMK or
/// Amazon EBS KMS key (`aws/ebs`) must be used to avoid copy job failure" (documented: "Encryption
/// for a backup copy to a different account or AWS Region"); to another account only a customer
/// managed key (documented: "Creating backup copies across AWS accounts"). That the first holds
/// within one Region of one account too is inferred. What leaves a logically air-gapped vault needs
/// a customer managed key (documented: "Logically air-gapped vault").
fn of_aws(world: &World, copy: &NewCopy, point: &RecoveryPoint, key: &Key) -> Verdict {
    let storage = point.storage();
    let is_of_service = match (&key.alias, storage) {
        (Some(alias), Storage::Ec2) => alias == "aws/ebs",
        (Some(alias), Storage::Rds) => alias == "aws/rds",
        (Some(alias), Storage::Fsx) => alias == "aws/fsx",
        (Some(_) | None, _) => false,
    };
    let from_air_gapped = world
        .vault(&copy.source_vault)
        .is_some_and(Vault::is_logically_air_gapped);
    let passes = match storage {
        Storage::AwsBackup => true,
        Storage::Ec2 | Storage::Rds | Storage::Fsx => !copy.is_cross_account() && is_of_service,
    };
    if passes && !from_air_gapped {
        return Ok(());
    }
    Err(if point.is_storage_gateway() {
        refused(
            Cause::DestinationVaultKey,
            "UNSUPPORTED_OPERATION",
            OF_STORAGE_GATEWAY,
        )
    } else {
        refused(Cause::DestinationVaultKey, "ACCESS_DENIED", DEFAULT_KEY)
    })
}

/// The destination's service-linked role encrypts a copy from another account (documented:
/// "Creating backup copies across AWS accounts"), the job role one inside the account (inferred),
/// and the job role uses the customer managed key of a logically air-gapped vault "for all copy
/// scenarios" (documented: "Logically air-gapped vault"). So the key's policy must admit them,
/// whoever owns the key; a vault's key may be of another account (documented: the same page
/// recommends it). AWS's words are its list's; which one goes with which trouble of this key is
/// inferred.
pub(super) fn uses(world: &World, copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let stays_plain = !point.is_encrypted() && point.is_database_cluster();
    let vault = world
        .vault(&copy.destination_vault)
        .filter(|vault| !vault.has_aws_owned_key() && !stays_plain);
    let Some((vault, arn)) =
        vault.and_then(|vault| Some((vault, vault.encryption_key_arn.as_ref()?)))
    else {
        return Ok(());
    };
    let Some(key) = world
        .key(arn)
        .filter(|key| key.manager == KeyManager::Customer)
    else {
        return Ok(());
    };
    let region = copy.destination_vault.region();
    let is_air_gapped = vault.is_logically_air_gapped();
    let user = if is_air_gapped || !copy.is_cross_account() {
        KeyUser::JobRole
    } else {
        KeyUser::ServiceLinkedRole
    };
    let calls = if is_air_gapped {
        of_key_of_vault(region)
    } else {
        of_copy(point.storage(), user, region)
    };
    let using = KeyUse {
        world,
        copy,
        arn,
        key,
        user,
    };
    match using.may(&calls) {
        Ok(()) => Ok(()),
        Err(KeyRefusal::Elsewhere(refusal)) => Err(refusal),
        Err(KeyRefusal::Denied(words, call)) => Err(key_error(words).by(Some(call))),
        Err(KeyRefusal::NotAdmitted(call)) => Err(key_error(NOT_USABLE).by(call)),
        Err(KeyRefusal::RegionNotEnabled) => {
            Err(refused(Cause::RegionOptIn, "KMS_KEY_ERROR", NOT_USABLE))
        }
    }
}
