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
use copymend_policy::{AccountId, Decision, Request, evaluate, evaluate_without_principal};

use super::{Call, Verdict, refused};
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
        let role = self.world.service_linked_role_arn(self.destination);
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
        let mut answers = Vec::new();
        for (action, via_service) in calls {
            for region in [
                self.copy.source_vault.region(),
                self.copy.destination_vault.region(),
            ] {
                let call = self.call(&role, action);
                let endpoint = format!("{service}.{region}.amazonaws.com");
                let request = self.request(call, via_service.then_some(endpoint));
                answers.push((call, self.both_sides(&request)));
            }
        }
        let is_denied = |decision: &Decision| matches!(decision, Decision::ExplicitlyDenied { .. });
        if let Some((call, _)) = answers.iter().find(|(_, decision)| is_denied(decision)) {
            return key_error(
                Cause::SourceKeyDeny,
                &call.explicit("a resource-based policy"),
            );
        }
        if answers.iter().all(|(_, decision)| decision.is_allowed()) {
            return Ok(());
        }
        key_error(Cause::SourceKeyPolicy, inaccessible(point))
    }

    fn may_decrypt(&self) -> Verdict {
        let partition = self.copy.destination_vault.partition();
        let root = format!("arn:{partition}:iam::{}:root", self.destination);
        let role = self.world.service_linked_role_arn(self.destination);
        let actions = [
            "kms:DescribeKey",
            "kms:GenerateDataKey",
            "kms:Decrypt",
            "kms:CreateGrant",
        ];
        let decisions = |principal: &str| -> Vec<Decision> {
            actions
                .iter()
                .map(|action| {
                    let endpoint =
                        format!("backup.{}.amazonaws.com", self.copy.source_vault.region());
                    let via_service = (*action != "kms:DescribeKey").then_some(endpoint);
                    self.policy(&self.request(self.call(principal, action), via_service))
                })
                .collect()
        };
        let of_role = decisions(&role);
        let denied = actions
            .iter()
            .zip(&of_role)
            .find(|(_, decision)| matches!(decision, Decision::ExplicitlyDenied { .. }));
        if let Some((action, _)) = denied {
            let message = self.call(&role, action).explicit("a resource-based policy");
            return key_error(Cause::SourceKeyDeny, &message);
        }
        let admitted = [of_role, decisions(&root)]
            .iter()
            .any(|decisions| decisions.iter().all(Decision::is_allowed));
        if admitted {
            Ok(())
        } else {
            key_error(Cause::SourceKeyPolicy, NOT_USABLE)
        }
    }

    fn call<'c>(&'c self, principal: &'c str, action: &'c str) -> Call<'c> {
        Call {
            role: principal,
            account: self.destination,
            action,
            resource: self.arn.as_str(),
            owner: self.arn.account_id(),
        }
    }

    /// The condition keys of KMS (documented: KMS `conditions-kms`).
    fn request(&self, call: Call<'_>, via_service: Option<String>) -> Request {
        let mut request = call
            .request(self.world, self.copy)
            .with_context("kms:CallerAccount", [self.destination.as_str()]);
        for (key, value) in &self.key.tags {
            request = request.with_context(&format!("aws:ResourceTag/{key}"), [value.as_str()]);
        }
        if let Some(alias) = &self.key.alias {
            request = request.with_context("kms:ResourceAliases", [format!("alias/{alias}")]);
        }
        request = request.with_context(
            "aws:ViaAWSService",
            [if via_service.is_some() {
                "true"
            } else {
                "false"
            }],
        );
        if let Some(via_service) = via_service {
            request = request.with_context("kms:ViaService", [via_service]);
        }
        if call.action == "kms:CreateGrant" {
            request = request.with_context("kms:GrantIsForAWSResource", ["true"]);
        }
        request
    }

    /// Across accounts both sides must allow: the key policy, and what the service-linked role may do at all
    /// (documented: IAM `reference_policies_evaluation-logic-cross-account`). A key policy that names the role itself, or
    /// the whole of the role's own account, is no different here.
    fn both_sides(&self, request: &Request) -> Decision {
        let own = managed::service_linked_role().map_or(Decision::ImplicitlyDenied, |policy| {
            evaluate_without_principal(policy, request)
        });
        let decision = self.policy(request);
        if decision.is_allowed() && !own.is_allowed() {
            return Decision::ImplicitlyDenied;
        }
        decision
    }

    fn policy(&self, request: &Request) -> Decision {
        self.key
            .policy
            .as_ref()
            .and_then(|policy| policy.document().ok())
            .map_or(Decision::ImplicitlyDenied, |policy| {
                evaluate(policy, request)
            })
    }
}
