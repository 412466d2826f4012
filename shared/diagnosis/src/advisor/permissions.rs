//! Each need held against all policies that are known.

use std::sync::LazyLock;

use copymend_policy::{AccountId, Answer, Arn, Authorization, Layer, PolicyDocument, Verdict};

use super::facts::{CallerAccess, CallerFacts, KeyInUse};
use super::needs::Need;
use crate::fact::Fact;
use crate::facts::SimulatedFact;
use crate::permission::{PermissionAnswer, PermissionState};
use crate::simulation::{ContextKey, Simulated, SimulatedAction, request};

/// What a layer says that is known to allow, or to deny, without its text being known.
static ALLOWS: LazyLock<Vec<PolicyDocument>> = LazyLock::new(|| stand_in("Allow"));
static DENIES: LazyLock<Vec<PolicyDocument>> = LazyLock::new(|| stand_in("Deny"));

fn stand_in(effect: &str) -> Vec<PolicyDocument> {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"*","Resource":"*"}}]}}"#
    );
    // INVARIANT: the text is a policy. Without one the layer would allow nothing, which is the safe
    // side.
    PolicyDocument::parse(&text).into_iter().collect()
}

/// The principal's own policies, its boundary and the organization's, as far as they are known.
struct Layers {
    identity: Vec<PolicyDocument>,
    boundary: Option<Vec<PolicyDocument>>,
    scps: Vec<Vec<PolicyDocument>>,
    /// Whether these are the policies themselves. Service control policies are not known then.
    are_read: bool,
}

impl Layers {
    /// What is known of a principal, or why nothing is.
    fn of(
        access: &CallerAccess,
        simulated: Option<&SimulatedFact>,
        entity: &Arn,
    ) -> Result<Self, String> {
        if let Some(fact) = simulated
            && let Fact::Known(action) = &fact.as_is
        {
            return Self::simulated(fact, action);
        }
        let as_is = simulated.and_then(|fact| fact.as_is.unknown());
        match &access.policies {
            Some(Fact::Known(Some(policies))) => Ok(Self {
                identity: policies.identity.clone(),
                boundary: policies.boundary.clone().map(|boundary| vec![boundary]),
                scps: Vec::new(),
                are_read: true,
            }),
            Some(Fact::Known(None)) => Err(format!("`{entity}` does not exist")),
            Some(Fact::Unknown(why)) => Err(why.to_string()),
            None => Err(as_is.map_or_else(|| "it was not asked".to_owned(), ToString::to_string)),
        }
    }

    /// What the simulator says. What another layer hides is taken to allow: it is named once that
    /// layer is out of the way.
    fn simulated(fact: &SimulatedFact, action: &SimulatedAction) -> Result<Self, String> {
        let keys = &action.missing_context_values;
        if action.meaning() == Simulated::Unclear {
            return Err(if keys.is_empty() {
                "the policy simulator cannot tell".to_owned()
            } else {
                depends_on(keys)
            });
        }
        let is_bounded = fact.meaning_behind_scps() == Some(Simulated::NotByBoundary);
        Ok(Self {
            identity: match fact.own_policies() {
                Some(Simulated::DeniedByIdentity) => DENIES.clone(),
                Some(Simulated::NotByIdentity) => Vec::new(),
                Some(
                    Simulated::Allowed
                    | Simulated::NotByOrganization
                    | Simulated::NotByBoundary
                    | Simulated::Unclear,
                )
                | None => ALLOWS.clone(),
            },
            boundary: is_bounded.then(Vec::new),
            scps: fact
                .is_refused_by_organization()
                .then(Vec::new)
                .into_iter()
                .collect(),
            are_read: false,
        })
    }
}

fn depends_on(keys: &[String]) -> String {
    let keys = keys.join(", ");
    format!("it depends on condition keys that cannot be known from outside: {keys}")
}

/// The answer to each need, in the order of the needs.
///
/// `entity` is the role or user; `acting_as` the ARN that the request carried, such as a role's
/// session. Without an entity nothing can be told.
pub(super) fn permissions(
    needs: &[Need],
    entity: Option<&Arn>,
    acting_as: &str,
    facts: &CallerFacts,
) -> Vec<PermissionAnswer> {
    let one = |(index, need): (usize, &Need)| {
        let entity =
            entity.ok_or("the caller is no IAM role or user whose policies can be looked at")?;
        let simulated = facts.access.simulated.get(index);
        let layers = Layers::of(&facts.access, simulated, entity)?;
        answer(need, entity, acting_as, layers, facts.key.as_ref())
    };
    needs
        .iter()
        .enumerate()
        .map(|need| {
            one(need)
                .unwrap_or_else(|why| need.1.answered(PermissionState::Unknown, Vec::new(), why))
        })
        .collect()
}

/// The answer to one need, or why it can't be told.
fn answer(
    need: &Need,
    entity: &Arn,
    acting_as: &str,
    layers: Layers,
    key: Option<&KeyInUse>,
) -> Result<PermissionAnswer, String> {
    let account = entity
        .account_id()
        .ok_or("the principal's ARN names no real account")?;
    let key = key.filter(|_| need.key_use.is_some());
    let policy = key.map(|key| &key.policy);
    let owner = key.and_then(|key| key.arn.account_id()).unwrap_or(account);
    let mut context = need.context(entity);
    context.push(ContextKey::one("aws:ResourceAccount", owner.as_str()));
    if need.key_use.is_some() {
        context.push(ContextKey::one("kms:CallerAccount", account.as_str()));
    }
    let mut authorization = Authorization {
        request: request(acting_as, need.action, &need.resource, &context),
        resource_account: owner,
        identity: layers.identity,
        boundary: layers.boundary,
        session: None,
        scps: layers.scps,
        rcps: Vec::new(),
        resource_policy: match policy {
            Some(Fact::Known(policy)) => Some(policy.clone()),
            // The policy isn't known: the other layers are looked at as if it delegated to the
            // account.
            Some(Fact::Unknown(_)) | None => delegation(need, entity, account),
        },
    };
    let mut answer = authorization.decide();
    // Nobody can add to AWS's own policy of a key, and it is open to its account through the
    // service alone. What it doesn't hold, such as `kms:RetireGrant`, is left to the caller's own
    // policies, as AWS Backup's list of permissions has it.
    if answer.decision == Verdict::ImplicitlyDenied
        && answer.blocked_by.contains(&Layer::Resource)
        && owner == account
        && key.is_some_and(KeyInUse::is_aws_managed)
    {
        authorization.resource_policy = delegation(need, entity, account);
        answer = authorization.decide();
    }
    if answer.decision == Verdict::Allowed
        && let Some(Fact::Unknown(why)) = policy
    {
        return Err(format!(
            "its own policies allow it, but the key policy could not be read: {why}"
        ));
    }
    Ok(in_words(need, answer, layers.are_read))
}

fn delegation(need: &Need, entity: &Arn, account: AccountId) -> Option<PolicyDocument> {
    need.key_use.as_ref()?;
    let partition = entity.partition();
    PolicyDocument::parse(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:{partition}:iam::{account}:root"}},"Action":"kms:*","Resource":"*"}}]}}"#
    ))
    .ok()
}

fn in_words(need: &Need, answer: Answer, are_read: bool) -> PermissionAnswer {
    let all = |words: fn(Layer) -> &'static str| {
        let words: Vec<&str> = answer.blocked_by.iter().copied().map(words).collect();
        words.join("; ")
    };
    let (state, detail) = match &answer.decision {
        Verdict::Allowed if are_read => (
            PermissionState::Allowed,
            "the policies allow it; service control policies could not be looked at".to_owned(),
        ),
        Verdict::Allowed => (PermissionState::Allowed, "allowed".to_owned()),
        Verdict::ImplicitlyDenied if need.stands_in && answer.blocked_by == [Layer::Identity] => (
            PermissionState::Unknown,
            "its own policies do not allow it on every resource, and it is not known which one was used"
                .to_owned(),
        ),
        Verdict::ImplicitlyDenied => (PermissionState::Missing, all(not_allowed)),
        Verdict::ExplicitlyDenied => (PermissionState::Denied, all(denied)),
        Verdict::Unknown { keys } => (PermissionState::Unknown, depends_on(keys)),
    };
    need.answered(state, answer.blocked_by, detail)
}

const fn not_allowed(layer: Layer) -> &'static str {
    match layer {
        Layer::Identity => "none of its own policies allows it",
        Layer::Boundary => "the permissions boundary does not allow it",
        Layer::Session => "the session policy does not allow it",
        Layer::Scp => "the service control policies do not allow it",
        Layer::Rcp => "a resource control policy does not allow it",
        Layer::Resource => "the key policy admits neither it nor, by delegation, its account",
    }
}

const fn denied(layer: Layer) -> &'static str {
    match layer {
        Layer::Identity => "one of its own policies denies it",
        Layer::Boundary => "the permissions boundary denies it",
        Layer::Session => "the session policy denies it",
        Layer::Scp => "a service control policy denies it",
        Layer::Rcp => "a resource control policy denies it",
        Layer::Resource => "the key policy denies it",
    }
}
