//! One need held against all policies that are known.

use std::sync::LazyLock;

use copymend_policy::{
    AccountId, Answer, Arn, Authorization, Layer, PolicyDocument, Request, Verdict,
};

use super::facts::KeyInUse;
use super::needs::Need;
use crate::fact::Fact;
use crate::facts::SimulatedFact;
use crate::permission::{PermissionAnswer, PermissionState};
use crate::simulation::{PrincipalPolicies, Simulated, SimulatedAction};

/// What a layer says that is known to allow, or to deny, without its text being known.
static ALLOWS: LazyLock<Vec<PolicyDocument>> = LazyLock::new(|| stand_in("Allow"));
static DENIES: LazyLock<Vec<PolicyDocument>> = LazyLock::new(|| stand_in("Deny"));

fn stand_in(effect: &str) -> Vec<PolicyDocument> {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"*","Resource":"*"}}]}}"#
    );
    // INVARIANT: the text is a policy. Without one the layer would allow nothing, which is the safe side.
    PolicyDocument::parse(&text).into_iter().collect()
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Principal<'p> {
    /// The role or user.
    pub(super) entity: &'p Arn,
    /// The ARN that the request carries: a role's session, or the entity itself.
    pub(super) acting_as: &'p str,
}

/// What is known of the principal's own policies, of its boundary and of the organization's.
pub(super) enum Own<'f> {
    /// The simulator's answer.
    Simulated(&'f SimulatedFact, &'f SimulatedAction),
    /// The policies themselves. Service control policies are not known then.
    Policies(&'f PrincipalPolicies),
    /// Neither.
    Unknown(String),
}

#[derive(Default)]
struct Layers {
    identity: Vec<PolicyDocument>,
    boundary: Option<Vec<PolicyDocument>>,
    scps: Vec<Vec<PolicyDocument>>,
}

fn identity_of(meaning: Simulated) -> Vec<PolicyDocument> {
    match meaning {
        Simulated::DeniedByIdentity => DENIES.clone(),
        Simulated::NotByIdentity => Vec::new(),
        // What another layer hides is taken to allow: it is named once that layer is out of the way.
        Simulated::Allowed
        | Simulated::NotByOrganization
        | Simulated::NotByBoundary
        | Simulated::Unclear => ALLOWS.clone(),
    }
}

fn simulated_layers(fact: &SimulatedFact, action: &SimulatedAction) -> Option<Layers> {
    let meaning = action.meaning();
    let identity = identity_of(meaning);
    Some(match meaning {
        Simulated::Unclear => return None,
        Simulated::Allowed | Simulated::DeniedByIdentity | Simulated::NotByIdentity => Layers {
            identity,
            ..Layers::default()
        },
        Simulated::NotByOrganization => {
            let behind = match &fact.without_scps {
                Some(Fact::Known(without)) => behind_scps(fact, without),
                Some(Fact::Unknown(_)) | None => Layers {
                    identity,
                    ..Layers::default()
                },
            };
            Layers {
                scps: vec![Vec::new()],
                ..behind
            }
        }
        Simulated::NotByBoundary => behind_scps(fact, action),
    })
}

/// The principal's own policies and its boundary, from an answer in which no service control policy is in the way.
fn behind_scps(fact: &SimulatedFact, action: &SimulatedAction) -> Layers {
    let meaning = action.meaning();
    if meaning != Simulated::NotByBoundary {
        return Layers {
            identity: identity_of(meaning),
            ..Layers::default()
        };
    }
    Layers {
        identity: match &fact.without_boundary {
            Some(Fact::Known(without)) => identity_of(without.meaning()),
            Some(Fact::Unknown(_)) | None => identity_of(meaning),
        },
        boundary: Some(Vec::new()),
        ..Layers::default()
    }
}

/// The answer to one need.
pub(super) fn answer(
    need: &Need,
    principal: Principal<'_>,
    own: &Own<'_>,
    key: Option<&KeyInUse>,
) -> PermissionAnswer {
    let layers = match own {
        Own::Simulated(fact, action) => match simulated_layers(fact, action) {
            Some(layers) => layers,
            None if action.missing_context_values.is_empty() => {
                return need.unknown("the policy simulator cannot tell");
            }
            None => {
                return need.unknown(format!(
                    "it depends on condition keys that cannot be known from outside: {}",
                    action.missing_context_values.join(", ")
                ));
            }
        },
        Own::Policies(policies) => Layers {
            identity: policies.identity.clone(),
            boundary: policies.boundary.clone().map(|boundary| vec![boundary]),
            scps: Vec::new(),
        },
        Own::Unknown(why) => return need.unknown(why),
    };
    let Some(account) = principal.entity.account_id() else {
        return need.unknown("the principal's ARN names no real account");
    };
    let key = key.filter(|_| need.key_use.is_some());
    let policy = key.map(|key| &key.policy);
    let owner = key.and_then(|key| key.arn.account_id()).unwrap_or(account);
    let mut authorization = Authorization {
        request: request(need, principal, account, owner),
        resource_account: owner,
        identity: layers.identity,
        boundary: layers.boundary,
        session: None,
        scps: layers.scps,
        rcps: Vec::new(),
        resource_policy: match policy {
            Some(Fact::Known(policy)) => Some(policy.clone()),
            // The policy isn't known: the other layers are looked at as if it delegated to the account.
            Some(Fact::Unknown(_)) | None => delegation(need, principal, account),
        },
    };
    let mut answer = authorization.decide();
    // Nobody can add to AWS's own policy of a key, and it is open to its account through the service alone. What it doesn't
    // hold, such as `kms:RetireGrant`, is left to the caller's own policies, as AWS Backup's list of permissions has it.
    if answer.decision == Verdict::ImplicitlyDenied
        && answer.blocked_by.contains(&Layer::Resource)
        && owner == account
        && key.is_some_and(KeyInUse::is_aws_managed)
    {
        authorization.resource_policy = delegation(need, principal, account);
        answer = authorization.decide();
    }
    let mut found = as_answer(need, &answer);
    if need.stands_in
        && found.state == PermissionState::Missing
        && found.blocked_by == [Layer::Identity]
    {
        found.state = PermissionState::Unknown;
        "its own policies do not allow it on every resource, and it is not known which one was used"
            .clone_into(&mut found.detail);
    }
    if let Own::Policies(_) = own
        && found.state == PermissionState::Allowed
    {
        "the policies allow it; service control policies could not be looked at"
            .clone_into(&mut found.detail);
    }
    if let Some(Fact::Unknown(why)) = policy
        && found.state == PermissionState::Allowed
    {
        return need.unknown(format!(
            "its own policies allow it, but the key policy could not be read: {why}"
        ));
    }
    found
}

fn delegation(need: &Need, principal: Principal<'_>, account: AccountId) -> Option<PolicyDocument> {
    need.key_use.as_ref()?;
    let partition = principal.entity.partition();
    PolicyDocument::parse(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:{partition}:iam::{account}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
    ))
    .ok()
}

/// The request with the keys that follow from the call. That AWS Backup calls KMS in the caller's name, as
/// `backup.REGION.amazonaws.com` and for an AWS resource, is taken from the conditions of `AWSBackupFullAccess`
/// (documented). Keys that aren't stated are unknown.
fn request(need: &Need, principal: Principal<'_>, account: AccountId, owner: AccountId) -> Request {
    let entity = principal.entity;
    let kind = if entity.resource().starts_with("user/") {
        "User"
    } else {
        "AssumedRole"
    };
    let mut request = Request::new(principal.acting_as, need.action, &need.resource)
        .with_context("aws:PrincipalArn", [entity.as_str()])
        .with_context("aws:PrincipalAccount", [account.as_str()])
        .with_context("aws:PrincipalType", [kind])
        .with_context("aws:ResourceAccount", [owner.as_str()])
        .with_context("aws:SecureTransport", ["true"]);
    if need.action == "iam:PassRole" {
        request = request.with_context("iam:PassedToService", ["backup.amazonaws.com"]);
    }
    if let Some(key_use) = &need.key_use {
        request = request
            .with_context("kms:CallerAccount", [account.as_str()])
            .with_context("kms:ViaService", [key_use.via_service.as_str()])
            .with_context(
                "kms:EncryptionContextKeys",
                [key_use.encryption_context_key],
            );
        if need.action == "kms:CreateGrant" {
            request = request.with_context("kms:GrantIsForAWSResource", ["true"]);
        }
    }
    request.with_other_keys_unknown()
}

fn as_answer(need: &Need, answer: &Answer) -> PermissionAnswer {
    let (state, detail) = match &answer.decision {
        Verdict::Allowed => (PermissionState::Allowed, "allowed".to_owned()),
        Verdict::ImplicitlyDenied => (
            PermissionState::Missing,
            sentence(&answer.blocked_by, |layer| match layer {
                Layer::Identity => "none of its own policies allows it",
                Layer::Boundary => "the permissions boundary does not allow it",
                Layer::Session => "the session policy does not allow it",
                Layer::Scp => "the service control policies do not allow it",
                Layer::Rcp => "a resource control policy does not allow it",
                Layer::Resource => {
                    "the key policy admits neither it nor, by delegation, its account"
                }
            }),
        ),
        Verdict::ExplicitlyDenied => (
            PermissionState::Denied,
            sentence(&answer.blocked_by, |layer| match layer {
                Layer::Identity => "one of its own policies denies it",
                Layer::Boundary => "the permissions boundary denies it",
                Layer::Session => "the session policy denies it",
                Layer::Scp => "a service control policy denies it",
                Layer::Rcp => "a resource control policy denies it",
                Layer::Resource => "the key policy denies it",
            }),
        ),
        Verdict::Unknown { keys } => (
            PermissionState::Unknown,
            format!(
                "it depends on condition keys that cannot be known from outside: {}",
                keys.join(", ")
            ),
        ),
    };
    need.answered(state, answer.blocked_by.clone(), detail)
}

fn sentence(layers: &[Layer], words: impl Fn(Layer) -> &'static str) -> String {
    let words: Vec<&str> = layers.iter().copied().map(words).collect();
    words.join("; ")
}
