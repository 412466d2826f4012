//! The keys that the job role uses for a copy, and what that leaves open.
//!
//! The calls of AWS KMS that the job role makes rest on the same layers as its calls of AWS Backup, and
//! on resource control policies, which no simulator
//! judges (Organizations, "Resource control policies", documented: they cover AWS KMS, and not AWS
//! Backup).

use copymend_policy::AccountId;

use super::key_simulation::at_keys;
use super::simulation::Layer;
use super::{Cause, Family};
use crate::access::{KeyUser, users_of_source_key};
use crate::assess::{Assessment, Verdict};
use crate::fact::Fact;
use crate::facts::{Facts, ImageKeys, KeyFacts, KeyManager, SourceKey, VaultKey};
use crate::job::BackupCopy;

/// A key that the job role uses, or may use.
#[derive(Clone, Copy)]
pub(super) enum JobRoleKey<'f> {
    /// This one.
    Known(&'f KeyFacts),
    /// Which one isn't known, or it must be another one before the copy can complete.
    Open,
}

/// The customer managed keys that the job role uses for this copy, as far as anybody can tell.
pub(super) fn of<'f>(copy: &BackupCopy, facts: &'f Facts) -> Vec<JobRoleKey<'f>> {
    let mut keys = Vec::new();
    let uses_source_key = users_of_source_key(copy, facts)
        .iter()
        .any(|(user, _)| *user == KeyUser::JobRole);
    if uses_source_key {
        keys.extend(source_keys(copy, facts));
    }
    // The key of the copy: inside an account (inferred), and wherever the vault is logically
    // air-gapped (AWS Backup, "Logically air-gapped vaults", documented).
    if !copy.is_cross_account() || facts.enters_air_gapped_vault() != Some(false) {
        keys.extend(vault_key(copy, facts));
    }
    keys
}

fn source_keys<'f>(copy: &BackupCopy, facts: &'f Facts) -> Vec<JobRoleKey<'f>> {
    let first = match &facts.source_key {
        // A backup that must be encrypted before it can be copied has a key then.
        SourceKey::NotEncrypted => {
            is_shown(Cause::UnsupportedResourceType, copy, facts).then_some(JobRoleKey::Open)
        }
        SourceKey::Unknown(_) => (!is_owned_by_aws(copy, facts)).then_some(JobRoleKey::Open),
        SourceKey::Key(key) => counts(key, Cause::AwsManagedKey, copy, facts),
    };
    let others = match &facts.image_keys {
        ImageKeys::NotApplicable | ImageKeys::Unknown(_) => Vec::new(),
        ImageKeys::Others(keys) => keys.iter().map(JobRoleKey::Known).collect(),
    };
    first.into_iter().chain(others).collect()
}

/// Whether the backup lies in a logically air-gapped vault under a key that AWS owns.
fn is_owned_by_aws(copy: &BackupCopy, facts: &Facts) -> bool {
    let vault = facts.source_vault.known().and_then(Option::as_ref);
    facts.leaves_air_gapped_vault(copy) == Some(true)
        && vault.is_some_and(|vault| vault.describable_key().is_none())
}

fn vault_key<'f>(copy: &BackupCopy, facts: &'f Facts) -> Option<JobRoleKey<'f>> {
    let is_there = matches!(&facts.destination_vault, Fact::Known(Some(_)));
    match &facts.vault_key {
        VaultKey::None if is_there && !is_shown(Cause::DestinationVaultKey, copy, facts) => None,
        VaultKey::None | VaultKey::Unknown(_) => Some(JobRoleKey::Open),
        VaultKey::Key(key) => counts(key, Cause::DestinationVaultKey, copy, facts),
    }
}

/// A key, unless it is AWS's own and nothing shows that it has to be another one.
fn counts<'f>(
    key: &'f KeyFacts,
    cause: Cause,
    copy: &BackupCopy,
    facts: &Facts,
) -> Option<JobRoleKey<'f>> {
    let described = key.key.known().and_then(Option::as_ref);
    if described.is_none_or(|key| key.manager == KeyManager::Customer) {
        return Some(JobRoleKey::Known(key));
    }
    is_shown(cause, copy, facts).then_some(JobRoleKey::Open)
}

fn is_shown(cause: Cause, copy: &BackupCopy, facts: &Facts) -> bool {
    cause.entry().check(copy, facts).0 == Verdict::Confirmed
}

/// Whether a resource control policy may bind the account of one of these keys. None binds the
/// management account, or an account outside an organization (Organizations, "Resource control
/// policies", documented).
pub(super) fn may_be_under_resource_control(copy: &BackupCopy, facts: &Facts) -> bool {
    let must_change = is_shown(Cause::OrganizationMembership, copy, facts);
    of(copy, facts).into_iter().any(|key| match key {
        JobRoleKey::Open => true,
        JobRoleKey::Known(key) => match &key.organization {
            Fact::Known(None) => must_change,
            Fact::Known(Some(_)) | Fact::Unknown(_) => is_bound(key),
        },
    })
}

/// The accounts that own keys of the job role and that resource control policies may bind.
pub(crate) fn bound_key_owners(copy: &BackupCopy, facts: &Facts) -> Vec<AccountId> {
    let mut owners: Vec<AccountId> = of(copy, facts)
        .into_iter()
        .filter_map(|key| match key {
            JobRoleKey::Known(key) => is_bound(key).then(|| key.arn.account_id()).flatten(),
            JobRoleKey::Open => None,
        })
        .collect();
    owners.sort();
    owners.dedup();
    owners
}

/// Whether the job role uses a key of which it isn't known which one it is.
pub(crate) fn uses_open_key(copy: &BackupCopy, facts: &Facts) -> bool {
    let keys = of(copy, facts);
    keys.iter().any(|key| matches!(key, JobRoleKey::Open))
}

/// Whether a resource control policy may bind the account of a key that is in no need of another
/// organization.
pub(crate) fn is_bound(key: &KeyFacts) -> bool {
    match &key.organization {
        Fact::Known(None) => false,
        Fact::Known(Some(organization)) => {
            organization.management_account.is_none()
                || organization.management_account != key.arn.account_id()
        }
        Fact::Unknown(_) => true,
    }
}

/// Whether service control policies may bind the job role. None bind the management account, or an
/// account outside an organization (Organizations, "Service control policies", documented).
pub(crate) fn may_be_under_service_control(copy: &BackupCopy, facts: &Facts) -> bool {
    match &facts.source_organization {
        Fact::Known(None) => copy.is_cross_account(),
        Fact::Known(Some(organization)) => organization.management_account != Some(copy.account),
        Fact::Unknown(_) => true,
    }
}

/// Whether the job role may have a permissions boundary.
pub(super) fn may_have_boundary(copy: &BackupCopy, facts: &Facts) -> bool {
    match &facts.job_role {
        Fact::Known(Some(role)) if role.arn == copy.role => role.permissions_boundary.is_some(),
        Fact::Known(_) | Fact::Unknown(_) => true,
    }
}

/// Whether a layer may have a say at all in what the job role does.
fn may_bind_job_role(cause: Cause, copy: &BackupCopy, facts: &Facts) -> bool {
    (cause != Cause::PermissionsBoundary || may_have_boundary(copy, facts))
        && (cause != Cause::ServiceControlPolicy || may_be_under_service_control(copy, facts))
}

/// The customer managed keys that the job role uses itself for this copy, as far as they are known,
/// each once.
#[must_use]
pub fn keys_of_job_role<'f>(copy: &BackupCopy, facts: &'f Facts) -> Vec<&'f KeyFacts> {
    let mut keys: Vec<&KeyFacts> = Vec::new();
    for key in of(copy, facts) {
        match key {
            JobRoleKey::Known(key) if keys.iter().all(|known| known.arn != key.arn) => {
                keys.push(key);
            }
            JobRoleKey::Known(_) | JobRoleKey::Open => {}
        }
    }
    keys
}

/// What is left of a layer that lets the job role make the two calls of AWS Backup: it may refuse
/// the use of a key.
pub(crate) fn open_at_keys(assessment: Assessment, copy: &BackupCopy, facts: &Facts) -> Assessment {
    let layer = if assessment.cause == Cause::JobRolePermission {
        Layer::Identity
    } else if assessment.cause == Cause::PermissionsBoundary {
        Layer::Boundary
    } else {
        Layer::Organization
    };
    let may_bind = assessment.cause.is_in(Family::Simulated)
        && may_bind_job_role(assessment.cause, copy, facts);
    if assessment.verdict != Verdict::RuledOut || !may_bind {
        return assessment;
    }
    let Some((verdict, at_keys)) = at_keys(layer, copy, facts) else {
        return assessment;
    };
    let mut evidence = assessment.evidence;
    evidence.extend(at_keys);
    Assessment {
        verdict,
        evidence,
        ..assessment
    }
}
