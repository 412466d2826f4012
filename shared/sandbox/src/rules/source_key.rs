//! The keys that protect the source backup.
//!
//! For types that AWS Backup doesn't manage fully it is the resource's key; an image has as many as
//! its snapshots have (documented: developer guide, "Encryption for backups": snapshots follow
//! Amazon EBS, images have no key of their own). Who uses it:
//!
//! | copy | user | label |
//! |---|---|---|
//! | to another account | the destination's `AWSServiceRoleForBackup` | documented: "Creating backup copies across AWS accounts"; seen in CloudTrail |
//! | inside the account | the job role | inferred: `AWSBackupServiceRolePolicyForBackup` has what such a copy calls |
//! | into a logically air-gapped vault | the job role | documented: "Logically air-gapped vault", key policy for copy and restore |
//! | out of one, under a customer managed key | the job role, and for a standard vault the destination's service-linked role too | documented: as before |
//!
//! For fully managed types it is the source vault's key. Which principal of the destination uses it
//! is unverified: here it is enough that the policy admits the service-linked role, the destination
//! account's root or, inside the account, the job role to AWS's published minimum.

use copymend_diagnosis::{Cause, KeyArn, KeyManager};

use super::key_use::{
    KeyRefusal, KeyUse, KeyUser, of_fully_managed, of_job_role, of_key_of_vault,
    of_service_linked_role,
};
use super::{Verdict, refused};
use crate::copies::NewCopy;
use crate::world::{Key, RecoveryPoint, Storage, Vault, World};

const NOT_ACCESSIBLE: &str = "Given key ID is not accessible";
const IMAGE_NOT_ACCESSIBLE: &str = "AMI snapshot copy failed with error: Given key ID is not accessible. You must have DescribeKey permissions on the default key";
const NOT_USABLE: &str =
    "KMS key is either disabled or pending deletion or access to KMS key is denied";
const NOT_FOUND: &str = "Given key ID does not exist";
/// One text for a key that is missing, disabled or out of reach.
const OF_DATABASES: &str = "The source snapshot KMS key does not exist, is not enabled or you do not have permissions to access it";

fn key_error(cause: Cause, message: &str) -> Verdict {
    Err(refused(cause, "KMS_KEY_ERROR", message))
}

pub(super) fn check(world: &World, copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let Some(destination) = copy.destination_vault.account_id() else {
        return Ok(());
    };
    let role_exists = world
        .account(destination)
        .is_some_and(|account| account.service_linked_role);
    let keys = point.keys();
    if copy.is_cross_account() && !role_exists {
        return if keys.is_empty() {
            // AWS's words are unverified; these are its most general ones.
            let message = "You are not authorized to perform this operation.";
            Err(refused(Cause::ServiceLinkedRole, "ACCESS_DENIED", message))
        } else {
            // Inferred: the missing role is no principal that could use the key.
            key_error(Cause::ServiceLinkedRole, inaccessible(point))
        };
    }
    let is_air_gapped = |vault| {
        world
            .vault(vault)
            .is_some_and(Vault::is_logically_air_gapped)
    };
    let route = Route {
        world,
        copy,
        point,
        from_air_gapped: is_air_gapped(&copy.source_vault),
        to_air_gapped: is_air_gapped(&copy.destination_vault),
    };
    route.unencrypted()?;
    keys.into_iter().try_for_each(|key| route.key(key))
}

/// AWS's words for a key that can't be used; they differ from service to service.
fn inaccessible(point: &RecoveryPoint) -> &'static str {
    match point.storage() {
        Storage::Rds => OF_DATABASES,
        Storage::AwsBackup => NOT_USABLE,
        Storage::Ec2 if point.is_image() => IMAGE_NOT_ACCESSIBLE,
        Storage::Ec2 | Storage::Fsx => NOT_ACCESSIBLE,
    }
}

/// Where a backup goes, with what decides about its keys.
struct Route<'a> {
    world: &'a World,
    copy: &'a NewCopy,
    point: &'a RecoveryPoint,
    from_air_gapped: bool,
    to_air_gapped: bool,
}

impl Route<'_> {
    /// A logically air-gapped vault takes no unencrypted clusters of Aurora, DocumentDB and Neptune
    /// (documented: "Logically air-gapped vault", considerations). AWS's words are inferred: those
    /// for a type that the vault doesn't take.
    fn unencrypted(&self) -> Verdict {
        let refuses = self.to_air_gapped && self.point.is_database_cluster();
        if !refuses || self.point.is_encrypted() {
            return Ok(());
        }
        Err(refused(
            Cause::UnsupportedResourceType,
            "UNSUPPORTED_OPERATION",
            super::features::NOT_IN_AIR_GAPPED_VAULT,
        ))
    }

    fn key(&self, arn: &KeyArn) -> Verdict {
        let of_databases = self.point.storage() == Storage::Rds;
        let Some(key) = self.world.key(arn) else {
            let message = if of_databases {
                OF_DATABASES
            } else {
                NOT_FOUND
            };
            return Err(refused(Cause::KeyNotFound, "RESOURCE_NOT_FOUND", message));
        };
        if key.manager == KeyManager::Aws {
            return self.of_aws();
        }
        if key.state != "Enabled" {
            let message = if of_databases {
                OF_DATABASES
            } else {
                NOT_USABLE
            };
            return key_error(Cause::SourceKeyState, message);
        }
        self.of_customer(arn, key)
    }

    /// The policy of an AWS managed key can't be changed, so no other account can use it
    /// (documented: developer guide, "Encryption"); nor does a logically air-gapped vault take what
    /// is under one, in the same account neither (documented: "Logically air-gapped vault",
    /// compatible encryption). Fully managed types have neither limit.
    fn of_aws(&self) -> Verdict {
        let leaves = self.copy.is_cross_account() || self.to_air_gapped;
        if !leaves || self.point.is_fully_managed() {
            return Ok(());
        }
        Err(refused(
            Cause::AwsManagedKey,
            "ACCESS_DENIED",
            "Snapshots encrypted with the AWS managed key can't be shared. Specify another snapshot.",
        ))
    }

    fn of_customer(&self, arn: &KeyArn, key: &Key) -> Verdict {
        let using = |user| KeyUse {
            world: self.world,
            copy: self.copy,
            arn,
            key,
            user,
        };
        let storage = self.point.storage();
        let of_role = of_service_linked_role(storage, self.copy);
        if self.from_air_gapped {
            let region = self.copy.source_vault.region();
            self.verdict(using(KeyUser::JobRole).may(&of_key_of_vault(region)))?;
            let by_role = using(KeyUser::ServiceLinkedRole);
            return match (self.to_air_gapped, storage) {
                (true, _) => Ok(()),
                (false, Storage::AwsBackup) => {
                    self.verdict(by_role.is_admitted(&of_key_of_vault(region)))
                }
                (false, Storage::Ec2 | Storage::Rds | Storage::Fsx) => {
                    self.verdict(by_role.may(&of_role))
                }
            };
        }
        let by_job_role = self.to_air_gapped || !self.copy.is_cross_account();
        match (by_job_role, storage) {
            (_, Storage::AwsBackup) if !self.to_air_gapped => {
                let calls = of_fully_managed(self.copy.source_vault.region());
                self.may_decrypt(|user| using(user).is_admitted(&calls))
            }
            (true, _) => {
                self.verdict(using(KeyUser::JobRole).may(&of_job_role(storage, self.copy)))
            }
            (false, _) => self.verdict(using(KeyUser::ServiceLinkedRole).may(&of_role)),
        }
    }

    fn verdict(&self, answer: Result<(), KeyRefusal>) -> Verdict {
        match answer {
            Ok(()) => Ok(()),
            Err(KeyRefusal::Elsewhere(refusal)) => Err(refusal),
            Err(KeyRefusal::Denied(words, call)) => {
                Err(refused(Cause::SourceKeyDeny, "KMS_KEY_ERROR", words).by(Some(call)))
            }
            Err(KeyRefusal::NotAdmitted(call)) => {
                let words = inaccessible(self.point);
                Err(refused(Cause::SourceKeyPolicy, "KMS_KEY_ERROR", words).by(call))
            }
            // AWS's words are inferred: the user has no more of the key than one that the policy
            // doesn't admit.
            Err(KeyRefusal::RegionNotEnabled) => {
                key_error(Cause::RegionOptIn, inaccessible(self.point))
            }
        }
    }

    /// Which of the destination's principals uses the key isn't known, so one that is admitted is
    /// enough; a Deny that meets the service-linked role stops the copy (both unverified).
    fn may_decrypt(&self, using: impl Fn(KeyUser) -> Result<(), KeyRefusal>) -> Verdict {
        let of_role = using(KeyUser::ServiceLinkedRole);
        if matches!(
            of_role,
            Err(KeyRefusal::Denied(..) | KeyRefusal::Elsewhere(_))
        ) {
            return self.verdict(of_role);
        }
        let of_root = using(KeyUser::DestinationRoot);
        let of_job_role = (!self.copy.is_cross_account()).then(|| using(KeyUser::JobRole));
        let others = std::iter::once(of_root).chain(of_job_role);
        let is_admitted = of_role.is_ok() || others.into_iter().any(|answer| answer.is_ok());
        if is_admitted {
            Ok(())
        } else {
            self.verdict(of_role)
        }
    }
}
