//! The use of one customer managed key for a copy: who calls, what is called, and which policy
//! stands in the way.

use copymend_diagnosis::{Cause, KeyArn};
use copymend_policy::{AccountId, Authorization, Layer, PolicyDocument, Request, Verdict};

use super::calls::{call, not_denied_lately};
use super::{Refusal, regions};
use crate::authority::Authority;
use crate::call::{Call, Caller};
use crate::copies::NewCopy;
use crate::denials::RefusedCall;
use crate::managed;
use crate::world::{Key, PolicyText, Storage, World};

/// Attached everywhere beside the service control policies of the world (documented: Organizations
/// `orgs_manage_policies_scps`).
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
    /// The service that passes the call on, and its Region.
    via: Option<(&'static str, String)>,
    /// Whether the user's own policies must allow the call too. AWS asks less of them than of the
    /// key's policy.
    needs_own_permission: bool,
}

/// Why a key can't be used.
#[derive(Clone, Debug)]
pub(super) enum KeyRefusal {
    /// Something other than the key's policy refuses.
    Elsewhere(Refusal),
    /// A Deny of the key's policy, in AWS's words.
    Denied(String, RefusedCall),
    /// The key's policy doesn't admit the user to this call; to none where the user isn't known.
    NotAdmitted(Option<RefusedCall>),
    /// The user's account isn't enabled in the key's Region.
    RegionNotEnabled,
}

/// What the destination's service-linked role calls on the key of a backup that it copies: what its
/// managed policy lets it do, less `kms:ListGrants`, whose absence alone is not known to stop a
/// copy (inferred). Which Region `kms:ViaService` names is unverified: both must be allowed here.
pub(super) fn of_service_linked_role(storage: Storage, copy: &NewCopy) -> Vec<KeyCall> {
    let actions = [
        "kms:ReEncryptFrom",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:CreateGrant",
    ];
    in_both_regions(storage, copy, &actions)
}

/// What the job role calls on the key of a backup that it copies itself: what
/// `AWSBackupServiceRolePolicyForBackup` lets it do with snapshots of Amazon EBS, and elsewhere the
/// grant that the service asks for (inferred).
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

/// What is called on the destination vault's key, so that a copy can be encrypted with it: what the
/// managed policies of the two roles let them do there (inferred).
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

/// What the policy of a logically air-gapped vault's own customer managed key must admit the job
/// role to "for all copy scenarios", and what of it the role's own policies must allow (documented:
/// developer guide, "Logically air-gapped vault", key policy for copy and restore, and "IAM Role"
/// below it).
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

/// What the key of a fully managed backup must admit: AWS's published minimum (documented:
/// developer guide, "AWS Backup permissions, grants, and deny statements").
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

    fn through(action: &'static str, service: &'static str, region: &str) -> Self {
        Self {
            action,
            via: Some((service, region.to_owned())),
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
    /// Whether every call is allowed, by the key's policy and by what stands over the user
    /// (documented: IAM `reference_policies_evaluation-logic`, KMS `key-policy-default` and
    /// `key-policy-modifying-external-accounts`).
    pub(super) fn may(&self, calls: &[KeyCall]) -> Result<(), KeyRefusal> {
        let Some((caller, account)) = self.caller() else {
            return Err(KeyRefusal::NotAdmitted(None));
        };
        let is_foreign = self.arn.account_id() != Some(account);
        if is_foreign && !regions::is_enabled(self.world, account, self.arn.region()) {
            return Err(KeyRefusal::RegionNotEnabled);
        }
        let authority = caller
            .principal()
            .parse()
            .ok()
            .and_then(|role| Authority::of(self.world, &role))
            .or_else(|| self.beyond_the_world());
        let Some(authority) = authority else {
            return Err(KeyRefusal::NotAdmitted(None));
        };
        let mut refusals: Vec<KeyRefusal> = calls
            .iter()
            .filter_map(|key_call| self.refusal(key_call, &caller, &authority))
            .collect();
        // Where several calls are refused, AWS names a Deny rather than nothing in particular
        // (inferred).
        refusals.sort_by_key(|refusal| match refusal {
            KeyRefusal::Elsewhere(_) => 0,
            KeyRefusal::Denied(..) => 1,
            KeyRefusal::RegionNotEnabled => 2,
            KeyRefusal::NotAdmitted(_) => 3,
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

    fn caller(&self) -> Option<(Caller, AccountId)> {
        let destination = self.copy.destination_vault.account_id();
        match self.user {
            KeyUser::JobRole => Some((
                Caller::job_role(self.world, &self.copy.role)?,
                self.copy.role.account_id()?,
            )),
            KeyUser::ServiceLinkedRole => {
                let caller = Caller::service_linked_role(self.world, destination?);
                Some((caller, destination?))
            }
            KeyUser::DestinationRoot => {
                let partition = self.copy.destination_vault.partition();
                Some((Caller::root(partition, destination?), destination?))
            }
        }
    }

    /// The authority of what isn't one of the world's roles. A missing service-linked role is a
    /// cause of its own, which other rules find.
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
        caller: &Caller,
        authority: &Authority,
    ) -> Option<KeyRefusal> {
        let endpoint = key_call.via.as_ref();
        let endpoint =
            endpoint.map(|(service, region)| format!("{service}.{region}.amazonaws.com"));
        let (key, owner) = (self.arn.as_str(), self.arn.account_id());
        let call = Call {
            via_service: endpoint.as_deref(),
            ..call(self.copy, caller, key_call.action, key, owner)
        };
        if let Err(remembered) = not_denied_lately(self.world, call) {
            return Some(KeyRefusal::Elsewhere(remembered));
        }
        let not_admitted = || Some(KeyRefusal::NotAdmitted(Some(call.to_remember())));
        let Some(authorization) = self.authorization(key_call, call, authority) else {
            return not_admitted();
        };
        let answer = authorization.decide();
        let by = |layer| answer.blocked_by.contains(&layer);
        let explicit = match answer.decision {
            Verdict::Allowed => return None,
            Verdict::ExplicitlyDenied => true,
            Verdict::ImplicitlyDenied => false,
            // Only one thing is unknown here, and counts as a Deny: see `calls::says`.
            Verdict::Unknown { .. } => by(Layer::Resource) || by(Layer::Rcp),
        };
        let elsewhere = |cause, article: &str, policy_type: &str| {
            let words = if explicit {
                call.explicit(&format!("{article} {policy_type}"))
            } else {
                call.no(policy_type)
            };
            Some(KeyRefusal::Elsewhere(call.refused(
                cause,
                "ACCESS_DENIED",
                words,
            )))
        };
        if by(Layer::Rcp) {
            return elsewhere(Cause::ResourceControlPolicy, "a", "resource control policy");
        }
        if by(Layer::Resource) && explicit {
            let words = call.explicit("a resource-based policy");
            return Some(KeyRefusal::Denied(words, call.to_remember()));
        }
        if by(Layer::Resource) {
            return not_admitted();
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
            not_admitted()
        }
    }

    fn authorization(
        &self,
        key_call: &KeyCall,
        call: Call<'_>,
        authority: &Authority,
    ) -> Option<Authorization> {
        let owner = self.arn.account_id()?;
        let document = |policy: &PolicyText| policy.document().ok().cloned();
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

    /// What the encryption context holds is documented for Amazon EBS and for AWS Backup (managed
    /// policy `AWSBackupServiceRolePolicyForBackup`; developer guide, "Encryption").
    fn request(&self, key_call: &KeyCall, call: Call<'_>) -> Request {
        let request = call.request(self.world);
        match key_call.via.as_ref().map(|(service, _)| *service) {
            Some("ec2") => request.with_context("kms:EncryptionContextKeys", ["aws:ebs:id"]),
            Some("backup") => {
                request.with_context("kms:EncryptionContextKeys", ["aws:backup:backup-vault"])
            }
            Some(_) | None => request,
        }
    }
}
