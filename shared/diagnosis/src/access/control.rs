//! What all layers together answer to the calls of the job role: the organization's policies, its
//! own, its boundary and the key's policy.

use copymend_policy::{
    Answer, Authorization, Layer, PolicyDocument, Request, Verdict as PolicyVerdict,
};

use super::keys::{JobRoleCall, calls_of_job_role};
use super::{
    COPY_FROM_BACKUP_VAULT, COPY_INTO_BACKUP_VAULT, Circumstances, copy_from_request, vault_request,
};
use crate::causes::{is_bound, may_be_under_service_control};
use crate::fact::Fact;
use crate::facts::{Facts, KeyFacts};
use crate::guardrails::{ControlPolicies, Guardrails};
use crate::job::BackupCopy;
use crate::simulation::PrincipalPolicies;

/// The path of the destination's account in its organization, in a list (AWS Backup, service
/// authorization reference, documented).
const COPY_TARGET_PATHS: &str = "backup:CopyTargetOrgPaths";
/// A policy that lets everything pass, so that other layers alone decide.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// What the service control policies answer to the two calls of AWS Backup: the action with the
/// verdict.
pub(crate) fn under_service_control(
    policies: &ControlPolicies,
    destination_path: Option<&Fact<String>>,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<(&'static str, PolicyVerdict)> {
    let from = copy_from_request(copy, facts);
    let from = match destination_path.and_then(Fact::known) {
        Some(path) => from.with_context(COPY_TARGET_PATHS, [path.as_str()]),
        None => from.with_unknown(COPY_TARGET_PATHS),
    };
    let into = vault_request(&copy.role, copy, facts);
    let identity: Vec<PolicyDocument> = PolicyDocument::parse(EVERYTHING).into_iter().collect();
    let decide = |request: Request| {
        let request = request.with_other_keys_unknown();
        let circumstances = Circumstances::of_job_role(&copy.role, copy, facts);
        let request = circumstances.timed(&request, policies.levels.iter().flatten());
        Authorization {
            request,
            // The vault's own account has its say elsewhere.
            resource_account: copy.account,
            identity: identity.clone(),
            boundary: None,
            session: None,
            scps: policies.levels.clone(),
            rcps: Vec::new(),
            resource_policy: None,
        }
        .decide()
        .decision
    };
    vec![
        (COPY_FROM_BACKUP_VAULT, decide(from)),
        (COPY_INTO_BACKUP_VAULT, decide(into)),
    ]
}

/// What all layers answer to one call of the job role on a key.
pub(crate) struct KeyCallAnswer {
    pub(crate) action: &'static str,
    /// Whether the copy is known to make the call.
    pub(crate) is_certain: bool,
    /// The answers, one for each Region and service that the call may come through.
    pub(crate) answers: Vec<Answer>,
    /// The layers that couldn't be read.
    pub(crate) unread: Vec<Layer>,
}

/// What all layers answer to the calls of the job role on one of its keys.
pub(crate) fn job_role_at_key(
    key: &KeyFacts,
    guardrails: &Guardrails,
    copy: &BackupCopy,
    facts: &Facts,
) -> Vec<KeyCallAnswer> {
    let calls = calls_of_job_role(key, copy, facts);
    let calls = calls.into_iter();
    calls
        .map(|call| answers(&call, key, guardrails, copy, facts))
        .collect()
}

fn answers(
    call: &JobRoleCall,
    key: &KeyFacts,
    guardrails: &Guardrails,
    copy: &BackupCopy,
    facts: &Facts,
) -> KeyCallAnswer {
    let mut unread = Vec::new();
    let own = match &guardrails.job_role_policies {
        Some(Fact::Known(Some(policies))) => policies.clone(),
        Some(Fact::Known(None) | Fact::Unknown(_)) | None => {
            unread.extend([Layer::Identity, Layer::Boundary]);
            PrincipalPolicies::default()
        }
    };
    let PrincipalPolicies {
        mut identity,
        boundary,
    } = own;
    let mut boundary: Option<Vec<PolicyDocument>> = boundary.map(|boundary| vec![boundary]);
    if !call.needs_own_permission {
        // Only what denies it counts.
        let everything = || PolicyDocument::parse(EVERYTHING).ok();
        identity.extend(everything());
        if let Some(boundary) = &mut boundary {
            boundary.extend(everything());
        }
    }
    let scps = match &guardrails.service_control {
        None if !may_be_under_service_control(copy, facts) => Vec::new(),
        Some(Fact::Known(policies)) => policies.levels.clone(),
        Some(Fact::Unknown(_)) | None => {
            unread.push(Layer::Scp);
            Vec::new()
        }
    };
    let owner = key.arn.account_id();
    let of_owner = owner.and_then(|owner| guardrails.resource_control.get(&owner));
    let rcps = match of_owner {
        None if !is_bound(key) => Vec::new(),
        Some(Fact::Known(policies)) => policies.levels.clone(),
        Some(Fact::Unknown(_)) | None => {
            unread.push(Layer::Rcp);
            Vec::new()
        }
    };
    let resource_policy = match (&key.policy, key.other_policies().next()) {
        (Fact::Known(policy), None) if key.policy_names.known().is_some() => Some(policy.clone()),
        (Fact::Known(_) | Fact::Unknown(_), _) => {
            unread.push(Layer::Resource);
            None
        }
    };
    let circumstances = Circumstances::of_job_role(&copy.role, copy, facts);
    let requests = call.requests.iter();
    let answers = requests.map(|request| {
        let policies = identity
            .iter()
            .chain(boundary.iter().flatten())
            .chain(scps.iter().flatten())
            .chain(rcps.iter().flatten())
            .chain(&resource_policy);
        Authorization {
            request: circumstances.timed(request, policies),
            resource_account: owner.unwrap_or(copy.account),
            identity: identity.clone(),
            boundary: boundary.clone(),
            session: None,
            scps: scps.clone(),
            rcps: rcps.clone(),
            resource_policy: resource_policy.clone(),
        }
        .decide()
    });
    KeyCallAnswer {
        action: call.action,
        is_certain: call.is_certain,
        answers: answers.collect(),
        unread,
    }
}
