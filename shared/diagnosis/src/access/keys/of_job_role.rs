//! Every call of AWS KMS that the job role makes for a copy, or may make.

use copymend_policy::{Request, ViaService};

use super::{
    KeyUser, is_certain_call_of_job_role, own_calls_of_job_role, source_key_use,
    users_of_source_key, vault_key_use,
};
use crate::facts::{Facts, ImageKeys, KeyFacts, SourceKey};
use crate::job::BackupCopy;

/// A call that the job role makes on a key, or may make.
pub(in crate::access) struct JobRoleCall {
    pub(in crate::access) action: &'static str,
    /// The request, one for each Region and service that `kms:ViaService` may name.
    pub(in crate::access) requests: Vec<Request>,
    /// Whether the copy is known to make it, and not inferred to.
    pub(in crate::access) is_certain: bool,
    /// Whether the role's own policies must allow it, and not only the key's.
    pub(in crate::access) needs_own_permission: bool,
}

/// Every call that the job role makes on one of its keys, or may make.
pub(in crate::access) fn calls_of_job_role(
    key: &KeyFacts,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<JobRoleCall> {
    let of_vault = facts
        .vault_key
        .facts()
        .is_some_and(|of_vault| of_vault.arn == key.arn);
    let is_of_backup = |other: &KeyFacts| other.arn == key.arn;
    let of_source = match &facts.source_key {
        SourceKey::Key(of_source) => is_of_backup(of_source),
        SourceKey::NotEncrypted | SourceKey::Unknown(_) => false,
    } || match &facts.image_keys {
        ImageKeys::Others(keys) => keys.iter().any(is_of_backup),
        ImageKeys::NotApplicable | ImageKeys::Unknown(_) => false,
    };
    let source = of_source
        .then(|| source_key_use(KeyUser::JobRole, &key.arn, &key.tags, copy, facts))
        .filter(|_| {
            let mut users = users_of_source_key(copy, facts).into_iter();
            users.any(|(user, _)| user == KeyUser::JobRole)
        });
    let vault = of_vault
        .then(|| vault_key_use(&key.arn, &key.tags, copy, facts))
        .filter(|using| using.user == KeyUser::JobRole);
    let own = own_calls_of_job_role(&key.arn, copy, facts);
    let mut calls = Vec::new();
    for using in source.into_iter().chain(vault) {
        let named: Vec<&str> = using.calls.iter().map(|(action, _)| *action).collect();
        let more = own
            .iter()
            .filter(|action| !named.contains(action))
            .map(|action| (*action, true));
        for call in using.calls.iter().copied().chain(more) {
            calls.push(JobRoleCall {
                action: call.0,
                requests: using
                    .requests(call)
                    .into_iter()
                    .map(|request| match using.service {
                        // Documented for Amazon EBS: AWS managed policy
                        // AWSBackupServiceRolePolicyForBackup.
                        Some(ViaService::Ec2) if call.1 => {
                            request.with_context("kms:EncryptionContextKeys", ["aws:ebs:id"])
                        }
                        Some(_) | None => request,
                    })
                    .collect(),
                is_certain: is_certain_call_of_job_role(call.0, &key.arn, copy, facts),
                needs_own_permission: own.contains(&call.0),
            });
        }
    }
    calls
}
