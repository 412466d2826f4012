//! The key that protects the source backup.
//!
//! For types that AWS Backup doesn't manage fully it is the resource's key, and the destination account's
//! `AWSServiceRoleForBackup` uses it (documented: "Creating backup copies across AWS accounts"; seen in CloudTrail). The
//! calls are those that the role's managed policy lets it make, less `kms:ListGrants`, whose absence alone is not known to
//! stop a copy (inferred). Which Region `kms:ViaService` names is unverified: both must be allowed here.
//!
//! For fully managed types it is the source vault's key. Which principal of the destination uses it is unverified: here it
//! is enough that the policy admits the service-linked role or the destination account's root to AWS's published minimum.

use copymend_diagnosis::{Cause, KeyArn, KeyManager};
use copymend_policy::{AccountId, Decision, Request, evaluate_without_principal};

use super::calls::{call, not_denied_lately, says};
use super::{Verdict, refused};
use crate::authority::is_denied;
use crate::call::{Call, Caller};
use crate::copies::NewCopy;
use crate::managed;
use crate::world::{Key, RecoveryPoint, World};

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
    let arn = point
        .encryption_key_arn
        .as_ref()
        .filter(|_| point.is_encrypted());
    let Some(arn) = arn else {
        if copy.is_cross_account() && !role_exists {
            // AWS's words are unverified; these are its most general ones.
            let message = "You are not authorized to perform this operation.";
            return Err(refused(Cause::ServiceLinkedRole, "ACCESS_DENIED", message));
        }
        return Ok(());
    };
    if copy.is_cross_account() && !role_exists {
        // Inferred: the missing role is no principal that could use the key.
        return key_error(Cause::ServiceLinkedRole, inaccessible(point));
    }
    let of_databases = point.arn.service() == "rds";
    let Some(key) = world.key(arn) else {
        let message = if of_databases {
            OF_DATABASES
        } else {
            NOT_FOUND
        };
        return Err(refused(Cause::KeyNotFound, "RESOURCE_NOT_FOUND", message));
    };
    if key.manager == KeyManager::Aws {
        if !copy.is_cross_account() || point.is_fully_managed() {
            return Ok(());
        }
        return Err(refused(
            Cause::AwsManagedKey,
            "ACCESS_DENIED",
            "Snapshots encrypted with the AWS managed key can't be shared. Specify another snapshot.",
        ));
    }
    if key.state != "Enabled" {
        return key_error(
            Cause::SourceKeyState,
            if of_databases {
                OF_DATABASES
            } else {
                NOT_USABLE
            },
        );
    }
    let user = KeyUser {
        world,
        copy,
        destination,
        arn,
        key,
    };
    if point.is_fully_managed() {
        user.may_decrypt()
    } else {
        user.may_reencrypt(point)
    }
}

/// AWS's words for a key that the destination can't use; they differ from service to service.
fn inaccessible(point: &RecoveryPoint) -> &'static str {
    match point.arn.service() {
        "rds" => OF_DATABASES,
        "backup" => NOT_USABLE,
        _ if point.arn.resource().starts_with("image/") => IMAGE_NOT_ACCESSIBLE,
        _ => NOT_ACCESSIBLE,
    }
}

/// The destination account's use of the source key.
struct KeyUser<'a> {
    world: &'a World,
    copy: &'a NewCopy,
    destination: AccountId,
    arn: &'a KeyArn,
    key: &'a Key,
}

impl KeyUser<'_> {
    fn may_reencrypt(&self, point: &RecoveryPoint) -> Verdict {
        let role = Caller::service_linked_role(self.world, self.destination);
        let service = match point.arn.service() {
            "rds" => "rds",
            "fsx" => "fsx",
            _ => "ec2",
        };
        let calls = [
            ("kms:DescribeKey", false),
            ("kms:ReEncryptFrom", true),
            ("kms:GenerateDataKeyWithoutPlaintext", true),
            ("kms:CreateGrant", true),
        ];
        let endpoints = [&self.copy.source_vault, &self.copy.destination_vault]
            .map(|vault| format!("{service}.{}.amazonaws.com", vault.region()));
        let mut answers = Vec::new();
        for (action, via_service) in calls {
            for endpoint in &endpoints {
                let call = Call {
                    via_service: via_service.then_some(endpoint.as_str()),
                    ..self.call(&role, action)
                };
                not_denied_lately(self.world, call)?;
                answers.push((call, self.both_sides(&call.request(self.world))));
            }
        }
        if let Some((call, _)) = answers.iter().find(|(_, decision)| is_denied(decision)) {
            return Err(call.refused(
                Cause::SourceKeyDeny,
                "KMS_KEY_ERROR",
                call.explicit("a resource-based policy"),
            ));
        }
        match answers.iter().find(|(_, decision)| !decision.is_allowed()) {
            None => Ok(()),
            Some((call, _)) => {
                let words = inaccessible(point);
                Err(call.refused(Cause::SourceKeyPolicy, "KMS_KEY_ERROR", words))
            }
        }
    }

    fn may_decrypt(&self) -> Verdict {
        let role = Caller::service_linked_role(self.world, self.destination);
        let root = Caller::root(self.copy.destination_vault.partition(), self.destination);
        let endpoint = format!("backup.{}.amazonaws.com", self.copy.source_vault.region());
        let calls = |caller| {
            [
                "kms:DescribeKey",
                "kms:GenerateDataKey",
                "kms:Decrypt",
                "kms:CreateGrant",
            ]
            .map(|action| Call {
                via_service: (action != "kms:DescribeKey").then_some(endpoint.as_str()),
                ..self.call(caller, action)
            })
        };
        let policy = self.key.policy.as_ref();
        let answer = |call: Call<'_>| says(policy, &call.request(self.world));
        let of_role = calls(&role);
        for call in of_role {
            not_denied_lately(self.world, call)?;
            if is_denied(&answer(call)) {
                let words = call.explicit("a resource-based policy");
                return Err(call.refused(Cause::SourceKeyDeny, "KMS_KEY_ERROR", words));
            }
        }
        let is_refused = |call: &Call<'_>| !answer(*call).is_allowed();
        let by_root = calls(&root).iter().any(is_refused);
        match of_role.into_iter().find(is_refused).filter(|_| by_root) {
            None => Ok(()),
            Some(call) => Err(call.refused(Cause::SourceKeyPolicy, "KMS_KEY_ERROR", NOT_USABLE)),
        }
    }

    fn call<'c>(&'c self, caller: &'c Caller, action: &'c str) -> Call<'c> {
        let (key, owner) = (self.arn.as_str(), self.arn.account_id());
        call(self.copy, caller, action, key, owner)
    }

    /// Across accounts both sides must allow: the key policy, and what the service-linked role may do at all
    /// (documented: IAM `reference_policies_evaluation-logic-cross-account`). A key policy that names the role itself, or
    /// the whole of the role's own account, is no different here.
    fn both_sides(&self, request: &Request) -> Decision {
        let own = managed::service_linked_role().map_or(Decision::ImplicitlyDenied, |policy| {
            evaluate_without_principal(policy, request)
        });
        let decision = says(self.key.policy.as_ref(), request);
        if decision.is_allowed() && !own.is_allowed() {
            return Decision::ImplicitlyDenied;
        }
        decision
    }
}
