//! The causes of a refused call or a failed, aborted or expired job, best first.

use copymend_policy::{AccountId, Layer};

use super::facts::{CallerFacts, JobFacts};
use super::job::ServiceJob;
use crate::assess::{Assessment, MESSAGE_ALONE, Verdict, found, not_checkable, ruled_out};
use crate::causes::{Cause, role};
use crate::messages::{AccessDenial, Explanation, PolicyType};
use crate::permission::{PermissionAnswer, PermissionState};

/// The cause that a layer is. `own` is what the policies of whoever is looked at are: the caller's
/// or the job role's.
const fn cause_of(layer: Layer, own: Cause) -> Cause {
    match layer {
        Layer::Identity => own,
        Layer::Boundary => Cause::PermissionsBoundary,
        Layer::Session => Cause::SessionPolicy,
        Layer::Scp => Cause::ServiceControlPolicy,
        Layer::Rcp => Cause::ResourceControlPolicy,
        Layer::Resource => Cause::KeyPolicy,
    }
}

/// The advisor's name of what a message suggests: its causes speak of copies.
const fn translated(cause: Cause, own: Cause) -> Cause {
    if matches!(cause, Cause::JobRolePermission) {
        own
    } else if matches!(cause, Cause::SourceKeyPolicy | Cause::SourceKeyDeny) {
        Cause::KeyPolicy
    } else {
        cause
    }
}

/// The layers in the order in which people should look at them.
const LAYERS: [Layer; 6] = [
    Layer::Identity,
    Layer::Boundary,
    Layer::Scp,
    Layer::Session,
    Layer::Rcp,
    Layer::Resource,
];

/// Adds what the service's own words say to the answers: the action that they name was refused,
/// whatever could be read.
pub(super) fn with_message(
    mut answers: Vec<PermissionAnswer>,
    explanation: &Explanation<'_>,
) -> Vec<PermissionAnswer> {
    let Some((denial, action)) = explanation.denial.as_ref().zip(explanation.action()) else {
        return answers;
    };
    let blocked_by: Vec<Layer> = named_layer(denial).into_iter().collect();
    let state = if denial.explicit {
        PermissionState::Denied
    } else {
        PermissionState::Missing
    };
    let detail = "AWS's message names it".to_owned();
    let known = answers
        .iter_mut()
        .find(|answer| answer.action.eq_ignore_ascii_case(action));
    if let Some(answer) = known {
        match answer.state {
            PermissionState::Unknown => {
                answer.state = state;
                if !blocked_by.is_empty() {
                    answer.blocked_by = blocked_by;
                }
                answer.detail = detail;
                answer.is_from_message = true;
            }
            // To allow it would not help, and somebody put the Deny there on purpose.
            PermissionState::Missing if denial.explicit => {
                answer.state = PermissionState::Denied;
                answer.blocked_by.extend(blocked_by);
                answer.detail = format!(
                    "{}; and AWS's message says that a policy denies it explicitly",
                    answer.detail
                );
            }
            PermissionState::Allowed => {
                answer.detail = format!(
                    "{}; but AWS's message names it: something else refused it, or it was granted since",
                    answer.detail
                );
            }
            PermissionState::Missing | PermissionState::Denied => {}
        }
    } else if is_action(action) {
        answers.push(PermissionAnswer {
            action: action.to_owned(),
            resource: denial.resource.unwrap_or("*").to_owned(),
            state,
            blocked_by,
            detail,
            is_from_message: true,
        });
    }
    answers
}

fn is_action(text: &str) -> bool {
    let plain = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let parts = text.split_once(':');
    text.len() <= 128 && parts.is_some_and(|(service, name)| plain(service) && plain(name))
}

/// The layer that a message names. The only resource policy that the advisor looks at is the key's:
/// that of a vault is no key policy.
fn named_layer(denial: &AccessDenial<'_>) -> Option<Layer> {
    let service = denial.action.and_then(|action| action.split_once(':'));
    let is_of_key = service.is_some_and(|(service, _)| service.eq_ignore_ascii_case("kms"))
        || denial.resource.is_some_and(|text| text.contains(":kms:"));
    denial
        .policy_type
        .and_then(layer_of)
        .filter(|layer| *layer != Layer::Resource || is_of_key)
}

const fn layer_of(policy_type: PolicyType) -> Option<Layer> {
    match policy_type {
        PolicyType::Identity => Some(Layer::Identity),
        PolicyType::Resource => Some(Layer::Resource),
        PolicyType::PermissionsBoundary => Some(Layer::Boundary),
        PolicyType::ServiceControl => Some(Layer::Scp),
        PolicyType::ResourceControl => Some(Layer::Rcp),
        PolicyType::Session => Some(Layer::Session),
        PolicyType::VpcEndpoint | PolicyType::RoleTrust => None,
    }
}

/// The causes of a refused call.
pub(super) fn weigh_call(
    answers: &[PermissionAnswer],
    facts: &CallerFacts,
    explanation: &Explanation<'_>,
) -> Vec<Assessment> {
    let own = Cause::CallerPermission;
    let candidates = layers(own, answers, facts, explanation.denial.as_ref());
    sorted(candidates, own, explanation)
}

/// The causes of a failed, aborted or expired job.
pub(super) fn weigh_job(
    job: &ServiceJob,
    answers: &[PermissionAnswer],
    facts: &JobFacts,
    explanation: &Explanation<'_>,
) -> Vec<Assessment> {
    let own = Cause::JobRolePermission;
    let why = "every job needs a role that AWS Backup can assume";
    let of_role = |cause, checked| Assessment::of(cause, why, found(checked));
    let mut candidates = Vec::new();
    if let Some(named) = &job.role {
        let account = job.account.as_ref().map_or("", AccountId::as_str);
        let trust = role::trust(named, account, &facts.role);
        candidates.extend([
            of_role(Cause::JobRoleMissing, role::missing(named, &facts.role)),
            of_role(Cause::JobRoleTrust, trust),
        ]);
    }
    let denial = explanation.denial.as_ref();
    candidates.extend(layers(own, answers, &facts.caller, denial));
    sorted(candidates, own, explanation)
}

/// What each layer's answers add up to.
fn layers(
    own: Cause,
    answers: &[PermissionAnswer],
    facts: &CallerFacts,
    denial: Option<&AccessDenial<'_>>,
) -> Vec<Assessment> {
    let uses_key = answers
        .iter()
        .any(|answer| answer.action.starts_with("kms:"));
    let unread_key_policy = facts.unread_key_policy().filter(|_| uses_key);
    let sentences = |are: &dyn Fn(&PermissionAnswer) -> bool| -> Vec<String> {
        let found = answers.iter().filter(|answer| are(answer));
        found
            .map(|found| format!("{} on `{}`: {}", found.action, found.resource, found.detail))
            .collect()
    };
    // That a message names an action says nothing of the policies that could not be read.
    let unknown =
        sentences(&|answer| answer.state == PermissionState::Unknown || answer.is_from_message);
    let named = denial.and_then(named_layer);
    let one = |layer: Layer| {
        let in_the_way = sentences(&|answer| answer.is_stopped_by(layer));
        let (verdict, evidence) = if !in_the_way.is_empty() {
            (Verdict::Confirmed, in_the_way)
        } else if let (Layer::Resource, Some(why)) = (layer, &unread_key_policy) {
            not_checkable(format!("the key policy was not looked at: {why}"))
        } else if layer == Layer::Scp && unknown.is_empty() && !facts.is_simulated() {
            not_checkable("service control policies could not be looked at")
        } else if unknown.is_empty() && !answers.is_empty() && is_looked_at(layer) {
            ruled_out("it is in the way of no permission that was looked at")
        } else {
            (Verdict::NotCheckable, unknown.clone())
        };
        // What nobody named and nobody can look at is not worth a line.
        if verdict == Verdict::NotCheckable && evidence.is_empty() && named != Some(layer) {
            return None;
        }
        let why = match verdict {
            _ if named == Some(layer) => "AWS's message names this kind of policy",
            Verdict::NotCheckable => "this kind of policy can refuse it too",
            Verdict::Confirmed | Verdict::RuledOut => {
                "all kinds of policies that can refuse it were looked at"
            }
        };
        let cause = cause_of(layer, own);
        Some(Assessment::of(cause, why, (verdict, evidence)))
    };
    LAYERS.into_iter().filter_map(one).collect()
}

/// Session policies and resource control policies can't be read from outside.
const fn is_looked_at(layer: Layer) -> bool {
    match layer {
        Layer::Identity | Layer::Boundary | Layer::Scp | Layer::Resource => true,
        Layer::Session | Layer::Rcp => false,
    }
}

fn sorted(
    mut candidates: Vec<Assessment>,
    own: Cause,
    explanation: &Explanation<'_>,
) -> Vec<Assessment> {
    let suggested = explanation.candidates.iter();
    let proposed: Vec<Cause> = suggested
        .map(|suggested| translated(suggested.cause, own))
        .collect();
    for (cause, suggested) in proposed.iter().zip(&explanation.candidates) {
        if candidates.iter().all(|known| known.cause != *cause) {
            let finding = not_checkable(MESSAGE_ALONE);
            candidates.push(Assessment::of(*cause, suggested.why, finding));
        }
    }
    let named: Vec<Cause> = explanation
        .named
        .iter()
        .map(|cause| translated(*cause, own))
        .collect();
    let mut candidates: Vec<Assessment> = candidates
        .into_iter()
        .map(|one| {
            if named.contains(&one.cause) {
                one.against_the_message()
            } else {
                one
            }
        })
        .collect();
    let class = |assessment: &Assessment| match assessment.verdict {
        Verdict::Confirmed => u8::from(proposed.first() != Some(&assessment.cause)),
        Verdict::NotCheckable if assessment.cause == Cause::Unknown => 4,
        Verdict::NotCheckable if proposed.contains(&assessment.cause) => 2,
        Verdict::NotCheckable => 3,
        Verdict::RuledOut => 5,
    };
    candidates.sort_by_key(class);
    let first = candidates.first();
    if first.is_none_or(|first| first.verdict == Verdict::RuledOut) {
        let why = "everything that could be looked at allows it";
        candidates.insert(0, Assessment::unchecked(Cause::Unknown, why));
    }
    candidates
}
