//! The use of one customer managed key for a copy: who calls, what is called, and which policy stands in the way.

use copymend_diagnosis::{Cause, KeyArn};
use copymend_policy::{AccountId, Authorization, Layer, PolicyDocument, Request, Verdict};

use super::calls::tagged;
use super::{Call, refused, regions};
use crate::authority::Authority;
use crate::copies::{CopyFailure, NewCopy};
use crate::managed;
use crate::world::{Key, Storage, World};

/// Attached everywhere beside the service control policies of the world (documented: Organizations `orgs_manage_policies_scps`).
const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// Who calls AWS KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyUser {
    /// The job role, in the source account.
    JobRole,
    /// `AWSServiceRoleForBackup` of the destination account.
    ServiceLinkedRole,
    /// Any principal of the destination account that the account itself admits.
    DestinationRoot,
}

/// One call on a key.
#[derive(Clone, Debug)]
pub(super) struct KeyCall {
    action: &'static str,
    /// The service, with its Region, that passes the call on: `kms:ViaService` without AWS's suffix.
    via: Option<String>,
    /// Whether the user's own policies must allow the call too. AWS asks less of them than of the key's policy.
    needs_own_permission: bool,
}

/// Why a key can't be used.
#[derive(Clone, Debug)]
pub(super) enum KeyRefusal {
    /// Something other than the key's policy refuses.
    Elsewhere(CopyFailure),
    /// A Deny of the key's policy, in AWS's words.
    Denied(String),
    /// The key's policy doesn't admit the user.
    NotAdmitted,
    /// The user's account isn't enabled in the key's Region.
    RegionNotEnabled,
}

/// What the destination's service-linked role calls on the key of a backup that it copies: what its managed policy lets it do, less
/// `kms:ListGrants`, whose absence alone is not known to stop a copy (inferred). Which Region `kms:ViaService` names is unverified:
/// both must be allowed here.
pub(super) fn of_service_linked_role(storage: Storage, copy: &NewCopy) -> Vec<KeyCall> {
    let actions = [
        "kms:ReEncryptFrom",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:CreateGrant",
    ];
    in_both_regions(storage, copy, &actions)
}

/// What the job role calls on the key of a backup that it copies itself: what `AWSBackupServiceRolePolicyForBackup` lets it do with
/// snapshots of Amazon EBS, and elsewhere the grant that the service asks for (inferred).
pub(super) fn of_job_role(storage: Storage, copy: &NewCopy) -> Vec<KeyCall> {
    match storage {
        Storage::Ec2 => in_both_regions(storage, copy, &["kms:ReEncryptFrom", "kms:CreateGrant"]),
        Storage::Rds | Storage::Fsx => in_both_regions(storage, copy, &["kms:CreateGrant"]),
        Storage::AwsBackup => of_key_of_vault(copy.source_vault.region()),
    }
}

fn in_both_regions(storage: Storage, copy: &NewCopy, actions: &[&'static str]) -> Vec<KeyCall> {
    let regions = [copy.source_vault.region(), copy.destination_vault.region()];
    let mut calls = vec![KeyCall::direct("kms:DescribeKey")];
    for action in actions {
        calls.extend(regions.map(|region| KeyCall::through(action, storage.service(), region)));
    }
    calls
}

/// What is called on the destination vault's key, so that a copy can be encrypted with it: what the managed policies of the two roles let
/// them do there (inferred).
pub(super) fn of_copy(storage: Storage, user: KeyUser, region: &str) -> Vec<KeyCall> {
    let actions: &[&'static str] = match (storage, user) {
        (Storage::Ec2, KeyUser::JobRole) => &[
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptTo",
            "kms:CreateGrant",
        ],
        (Storage::Ec2 | Storage::Rds | Storage::Fsx, KeyUser::ServiceLinkedRole) => {
            &["kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant"]
        }
        (Storage::Rds | Storage::Fsx, KeyUser::JobRole) => &["kms:CreateGrant"],
        // AWS Backup has a grant on the vault's key since the vault was made.
        (Storage::AwsBackup, _) | (_, KeyUser::DestinationRoot) => return Vec::new(),
    };
    let through = actions
        .iter()
        .map(|action| KeyCall::through(action, storage.service(), region));
    std::iter::once(KeyCall::direct("kms:DescribeKey"))
        .chain(through)
        .collect()
}

/// What the policy of a logically air-gapped vault's own customer managed key must admit the job role to "for all copy scenarios", and
/// what of it the role's own policies must allow (documented: developer guide, "Logically air-gapped vault", key policy for copy and
/// restore, and "IAM Role" below it).
pub(super) fn of_key_of_vault(region: &str) -> Vec<KeyCall> {
    let admitted = [
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
    ];
    let owned = ["kms:DescribeKey", "kms:CreateGrant"];
    let admitted = admitted.map(|action| KeyCall {
        needs_own_permission: false,
        ..KeyCall::through(action, "backup", region)
    });
    let owned = owned.map(|action| KeyCall::through(action, "backup", region));
    owned.into_iter().chain(admitted).collect()
}

/// What the key of a fully managed backup must admit: AWS's published minimum (documented: developer guide, "AWS Backup permissions,
/// grants, and deny statements").
pub(super) fn of_fully_managed(region: &str) -> Vec<KeyCall> {
    let through = ["kms:GenerateDataKey", "kms:Decrypt", "kms:CreateGrant"];
    let through = through.map(|action| KeyCall::through(action, "backup", region));
    std::iter::once(KeyCall::direct("kms:DescribeKey"))
        .chain(through)
        .collect()
}

impl KeyCall {
    const fn direct(action: &'static str) -> Self {
        Self {
            action,
            via: None,
            needs_own_permission: true,
        }
    }

    fn through(action: &'static str, service: &str, region: &str) -> Self {
        Self {
            action,
            via: Some(format!("{service}.{region}")),
            needs_own_permission: true,
        }
    }
}

/// A key and who uses it.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeyUse<'a> {
    pub(super) world: &'a World,
    pub(super) copy: &'a NewCopy,
    pub(super) arn: &'a KeyArn,
    pub(super) key: &'a Key,
    pub(super) user: KeyUser,
}

impl KeyUse<'_> {
    /// Whether every call is allowed, by the key's policy and by what stands over the user (documented: IAM
    /// `reference_policies_evaluation-logic`, KMS `key-policy-default` and `key-policy-modifying-external-accounts`).
    pub(super) fn may(&self, calls: &[KeyCall]) -> Result<(), KeyRefusal> {
        let Some(account) = self.account() else {
            return Err(KeyRefusal::NotAdmitted);
        };
        let is_foreign = self.arn.account_id() != Some(account);
        if is_foreign && !regions::is_enabled(self.world, account, self.arn.region()) {
            return Err(KeyRefusal::RegionNotEnabled);
        }
        let role = self.role(account);
        let Some(authority) = role
            .parse()
            .ok()
            .and_then(|role| Authority::of(self.world, &role))
            .or_else(|| self.beyond_the_world())
        else {
            return Err(KeyRefusal::NotAdmitted);
        };
        let refusals = calls
            .iter()
            .filter_map(|call| self.refusal(call, &role, account, &authority));
        let mut refusals: Vec<KeyRefusal> = refusals.collect();
        // Where several calls are refused, AWS names a Deny rather than nothing in particular (inferred).
        refusals.sort_by_key(|refusal| match refusal {
            KeyRefusal::Elsewhere(_) => 0,
            KeyRefusal::Denied(_) => 1,
            KeyRefusal::RegionNotEnabled => 2,
            KeyRefusal::NotAdmitted => 3,
        });
        refusals.into_iter().next().map_or(Ok(()), Err)
    }

    /// As [`Self::may`], where the key's policy alone decides.
    pub(super) fn is_admitted(&self, calls: &[KeyCall]) -> Result<(), KeyRefusal> {
        let calls: Vec<KeyCall> = calls
            .iter()
            .map(|call| KeyCall {
                needs_own_permission: false,
                ..call.clone()
            })
            .collect();
        self.may(&calls)
    }

    fn account(&self) -> Option<AccountId> {
        match self.user {
            KeyUser::JobRole => self.copy.role.account_id(),
            KeyUser::ServiceLinkedRole | KeyUser::DestinationRoot => {
                self.copy.destination_vault.account_id()
            }
        }
    }

    fn role(&self, account: AccountId) -> String {
        match self.user {
            KeyUser::JobRole => self.copy.role.to_string(),
            KeyUser::ServiceLinkedRole => self.world.service_linked_role_arn(account),
            KeyUser::DestinationRoot => {
                let partition = self.copy.destination_vault.partition();
                format!("arn:{partition}:iam::{account}:root")
            }
        }
    }

    /// The authority of what isn't one of the world's roles. A missing service-linked role is a cause of its own, which other rules find.
    fn beyond_the_world(&self) -> Option<Authority> {
        let identity = match self.user {
            KeyUser::JobRole => return None,
            KeyUser::ServiceLinkedRole => managed::service_linked_role()
                .into_iter()
                .cloned()
                .collect(),
            KeyUser::DestinationRoot => Vec::new(),
        };
        Some(Authority {
            service_control: None,
            identity,
            boundary: None,
        })
    }

    fn refusal(
        &self,
        key_call: &KeyCall,
        role: &str,
        account: AccountId,
        authority: &Authority,
    ) -> Option<KeyRefusal> {
        let call = Call {
            role,
            account,
            action: key_call.action,
            resource: self.arn.as_str(),
            owner: self.arn.account_id(),
        };
        let answer = self
            .authorization(key_call, call, authority)
            .map(|authorization| authorization.decide());
        let Some(answer) = answer else {
            return Some(KeyRefusal::NotAdmitted);
        };
        let explicit = match answer.decision {
            Verdict::Allowed => return None,
            Verdict::ExplicitlyDenied => true,
            // Nothing is unknown here.
            Verdict::ImplicitlyDenied | Verdict::Unknown { .. } => false,
        };
        let by = |layer| answer.blocked_by.contains(&layer);
        let elsewhere = |cause, article: &str, policy_type: &str| {
            let words = if explicit {
                call.explicit(&format!("{article} {policy_type}"))
            } else {
                call.no(policy_type)
            };
            Some(KeyRefusal::Elsewhere(refused(
                cause,
                "ACCESS_DENIED",
                words,
            )))
        };
        if by(Layer::Rcp) {
            return elsewhere(Cause::ResourceControlPolicy, "a", "resource control policy");
        }
        if by(Layer::Resource) {
            return Some(if explicit {
                KeyRefusal::Denied(call.explicit("a resource-based policy"))
            } else {
                KeyRefusal::NotAdmitted
            });
        }
        if !explicit && !key_call.needs_own_permission {
            return None;
        }
        if by(Layer::Scp) {
            elsewhere(Cause::ServiceControlPolicy, "a", "service control policy")
        } else if by(Layer::Boundary) && !by(Layer::Identity) {
            elsewhere(Cause::PermissionsBoundary, "a", "permissions boundary")
        } else if self.user == KeyUser::JobRole {
            elsewhere(Cause::JobRolePermission, "an", "identity-based policy")
        } else {
            // What AWS's own role may not do at all, no policy can let it do.
            Some(KeyRefusal::NotAdmitted)
        }
    }

    fn authorization(
        &self,
        key_call: &KeyCall,
        call: Call<'_>,
        authority: &Authority,
    ) -> Option<Authorization> {
        let owner = self.arn.account_id()?;
        let document = |policy: &crate::world::PolicyText| policy.document().ok().cloned();
        let service_control = authority.service_control.as_ref().and_then(|policies| {
            let full_access = PolicyDocument::parse(FULL_ACCESS).ok()?;
            let level = policies.iter().filter_map(document);
            Some(std::iter::once(full_access).chain(level).collect())
        });
        let resource_control = self.world.organization_of(owner).map(|organization| {
            organization
                .binding(&organization.resource_control_policies, owner)
                .filter_map(document)
                .collect()
        });
        Some(Authorization {
            request: self.request(key_call, call),
            resource_account: owner,
            identity: authority.identity.clone(),
            boundary: authority.boundary.clone().map(|boundary| vec![boundary]),
            session: None,
            scps: service_control.into_iter().collect(),
            rcps: resource_control.into_iter().collect(),
            resource_policy: self.key.policy.as_ref().and_then(document),
        })
    }

    /// The condition keys of KMS (documented: KMS `conditions-kms`). What the encryption context holds is documented for Amazon EBS and
    /// for AWS Backup (managed policy `AWSBackupServiceRolePolicyForBackup`; developer guide, "Encryption").
    fn request(&self, key_call: &KeyCall, call: Call<'_>) -> Request {
        let via_service = if key_call.via.is_some() {
            "true"
        } else {
            "false"
        };
        let mut request = tagged(call.request(self.world, self.copy), &self.key.tags)
            .with_context("kms:CallerAccount", [call.account.as_str()])
            .with_context("aws:ViaAWSService", [via_service]);
        if let Some(alias) = &self.key.alias {
            request = request.with_context("kms:ResourceAliases", [format!("alias/{alias}")]);
        }
        if let Some(via) = &key_call.via {
            request = request.with_context("kms:ViaService", [format!("{via}.amazonaws.com")]);
            let context = match via.split('.').next() {
                Some("ec2") => Some("aws:ebs:id"),
                Some("backup") => Some("aws:backup:backup-vault"),
                Some(_) | None => None,
            };
            if let Some(context) = context {
                request = request.with_context("kms:EncryptionContextKeys", [context]);
            }
        }
        if call.action == "kms:CreateGrant" {
            request = request.with_context("kms:GrantIsForAWSResource", ["true"]);
        }
        request
    }
}
