//! The causes of a refused call or a job that came to nothing, best first.

use copymend_policy::Layer;

use super::facts::{CallerFacts, JobFacts};
use super::job::UnsuccessfulJob;
use crate::assess::{Assessment, Verdict};
use crate::causes::{Cause, role};
use crate::messages::{AccessDenial, Explanation, PolicyType};
use crate::permission::{PermissionAnswer, PermissionState};

/// Whose permissions are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Caller,
    JobRole,
}

impl Whose {
    const fn own_cause(self) -> Cause {
        match self {
            Self::Caller => Cause::CallerPermission,
            Self::JobRole => Cause::JobRolePermission,
        }
    }

    const fn cause(self, layer: Layer) -> Cause {
        match layer {
            Layer::Identity => self.own_cause(),
            Layer::Boundary => Cause::PermissionsBoundary,
            Layer::Session => Cause::SessionPolicy,
            Layer::Scp => Cause::ServiceControlPolicy,
            Layer::Rcp => Cause::ResourceControlPolicy,
            Layer::Resource => Cause::KeyPolicy,
        }
    }

    /// The advisor's name of what a message suggests: its causes speak of copies.
    const fn translated(self, cause: Cause) -> Cause {
        if matches!(cause, Cause::JobRolePermission) {
            self.own_cause()
        } else if matches!(cause, Cause::SourceKeyPolicy | Cause::SourceKeyDeny) {
            Cause::KeyPolicy
        } else {
            cause
        }
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

/// Adds what the service's own words say to the answers: the action that they name was refused, whatever could be read.
#[must_use]
pub fn with_message(
    mut answers: Vec<PermissionAnswer>,
    explanation: &Explanation<'_>,
) -> Vec<PermissionAnswer> {
    let Some(denial) = &explanation.denial else {
        return answers;
    };
    let Some(action) = denial.action else {
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
    text.split_once(':').is_some_and(|(service, name)| {
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        plain(service) && plain(name) && text.len() <= 128
    })
}

/// The layer that a message names. The only resource policy that the advisor looks at is the key's: that of a vault is no
/// key policy.
fn named_layer(denial: &AccessDenial<'_>) -> Option<Layer> {
    let of_key = |text: Option<&str>| text.is_some_and(|text| text.contains(":kms:"));
    let is_of_key = denial.action.is_some_and(|action| {
        let service = action.split_once(':').map(|(service, _)| service);
        service.is_some_and(|service| service.eq_ignore_ascii_case("kms"))
    }) || of_key(denial.resource);
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
#[must_use]
pub fn weigh_call(
    answers: &[PermissionAnswer],
    facts: &CallerFacts,
    explanation: &Explanation<'_>,
) -> Vec<Assessment> {
    sorted(
        layers(Whose::Caller, answers, facts, explanation.denial.as_ref()),
        Whose::Caller,
        explanation,
    )
}

/// The causes of a job that came to nothing.
#[must_use]
pub fn weigh_job(
    job: &UnsuccessfulJob,
    answers: &[PermissionAnswer],
    facts: &JobFacts,
    explanation: &Explanation<'_>,
) -> Vec<Assessment> {
    let mut candidates = Vec::new();
    if let Some(named) = &job.role {
        let account = job
            .account
            .as_ref()
            .map_or("", copymend_policy::AccountId::as_str);
        for (cause, (verdict, evidence)) in [
            (Cause::JobRoleMissing, role::missing(named, &facts.role)),
            (
                Cause::JobRoleTrust,
                role::trust(named, account, &facts.role),
            ),
        ] {
            candidates.push(Assessment {
                cause,
                verdict,
                why: "every job needs a role that AWS Backup can assume".to_owned(),
                evidence,
            });
        }
    }
    candidates.extend(layers(
        Whose::JobRole,
        answers,
        &facts.caller,
        explanation.denial.as_ref(),
    ));
    sorted(candidates, Whose::JobRole, explanation)
}

/// What each layer's answers add up to.
fn layers(
    whose: Whose,
    answers: &[PermissionAnswer],
    facts: &CallerFacts,
    denial: Option<&AccessDenial<'_>>,
) -> Vec<Assessment> {
    let uses_key = answers
        .iter()
        .any(|answer| answer.action.starts_with("kms:"));
    let unread_key_policy = facts.unread_key_policy().filter(|_| uses_key);
    let sentence = |answer: &PermissionAnswer| {
        format!(
            "{} on `{}`: {}",
            answer.action, answer.resource, answer.detail
        )
    };
    // That a message names an action says nothing of the policies that could not be read.
    let unknown: Vec<String> = answers
        .iter()
        .filter(|answer| answer.state == PermissionState::Unknown || answer.is_from_message)
        .map(sentence)
        .collect();
    let one = |layer: Layer| {
        let in_the_way: Vec<String> = answers
            .iter()
            .filter(|answer| {
                matches!(
                    answer.state,
                    PermissionState::Missing | PermissionState::Denied
                ) && answer.blocked_by.contains(&layer)
            })
            .map(sentence)
            .collect();
        let (verdict, evidence) = if !in_the_way.is_empty() {
            (Verdict::Confirmed, in_the_way)
        } else if let (Layer::Resource, Some(why)) = (layer, &unread_key_policy) {
            let sentence = format!("the key policy was not looked at: {why}");
            (Verdict::NotCheckable, vec![sentence])
        } else if layer == Layer::Scp && unknown.is_empty() && !facts.is_simulated() {
            let sentence = "service control policies could not be looked at".to_owned();
            (Verdict::NotCheckable, vec![sentence])
        } else if unknown.is_empty() && !answers.is_empty() && is_looked_at(layer) {
            (
                Verdict::RuledOut,
                vec!["it is in the way of no permission that was looked at".to_owned()],
            )
        } else {
            (Verdict::NotCheckable, unknown.clone())
        };
        let named = denial.and_then(named_layer) == Some(layer);
        Assessment {
            cause: whose.cause(layer),
            verdict,
            why: match verdict {
                _ if named => "AWS's message names this kind of policy".to_owned(),
                Verdict::NotCheckable => "this kind of policy can refuse it too".to_owned(),
                Verdict::Confirmed | Verdict::RuledOut => {
                    "all kinds of policies that can refuse it were looked at".to_owned()
                }
            },
            evidence,
        }
    };
    LAYERS
        .into_iter()
        .map(one)
        // What nobody named and nobody can look at is not worth a line.
        .filter(|assessment| {
            assessment.verdict != Verdict::NotCheckable
                || !assessment.evidence.is_empty()
                || denial
                    .and_then(named_layer)
                    .is_some_and(|layer| whose.cause(layer) == assessment.cause)
        })
        .collect()
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
    whose: Whose,
    explanation: &Explanation<'_>,
) -> Vec<Assessment> {
    let proposed: Vec<Cause> = explanation
        .candidates
        .iter()
        .map(|candidate| whose.translated(candidate.cause))
        .collect();
    for candidate in &explanation.candidates {
        let cause = whose.translated(candidate.cause);
        if candidates.iter().all(|known| known.cause != cause) {
            candidates.push(Assessment {
                cause,
                verdict: Verdict::NotCheckable,
                why: candidate.why.to_owned(),
                evidence: vec!["rests on the message alone".to_owned()],
            });
        }
    }
    let is_named = |cause: Cause| proposed.first() == Some(&cause);
    let class = |assessment: &Assessment| match assessment.verdict {
        Verdict::Confirmed if is_named(assessment.cause) => 0_u8,
        Verdict::Confirmed => 1,
        Verdict::NotCheckable if assessment.cause == Cause::Unknown => 4,
        Verdict::NotCheckable if proposed.contains(&assessment.cause) => 2,
        Verdict::NotCheckable => 3,
        Verdict::RuledOut => 5,
    };
    candidates.sort_by_key(class);
    if candidates
        .first()
        .is_none_or(|first| first.verdict == Verdict::RuledOut)
    {
        candidates.insert(
            0,
            Assessment {
                cause: Cause::Unknown,
                verdict: Verdict::NotCheckable,
                why: "everything that could be looked at allows it".to_owned(),
                evidence: Vec::new(),
            },
        );
    }
    candidates
}
