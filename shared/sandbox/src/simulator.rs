//! IAM's policy simulator as it is since August 2026, with what it can't do.

use copymend_diagnosis::{PrincipalPolicies, SimulatedAction, SimulatedDecision, ToldBy};
use copymend_policy::{
    AccountId, Arn, Decision, PolicyDocument, Request, evaluate_without_principal,
};
use copymend_remediation::ports::Simulation;

use crate::authority::{Authority, is_denied};
use crate::ids;
use crate::world::{PolicyText, World};

/// The condition keys that follow from a principal and that the simulator doesn't know unless it is
/// told (documented: IAM user guide, "Testing IAM policies", which names those that it fills in).
const NOT_FILLED_IN: [&str; 2] = ["aws:PrincipalArn", "aws:PrincipalIsAWSService"];

/// `SimulatePrincipalPolicy`: one answer an action. Nothing where there is no such principal.
pub(crate) fn simulate(world: &World, simulation: &Simulation) -> Option<Vec<SimulatedAction>> {
    let authority = Authority::of(world, &simulation.principal)?;
    let answers = simulation
        .actions
        .iter()
        .map(|action| one(world, &authority, simulation, action));
    Some(answers.collect())
}

/// The policies of a role or user, read one by one. Nothing where there is no such principal.
pub(crate) fn policies(world: &World, principal: &Arn) -> Option<PrincipalPolicies> {
    let Authority {
        service_control: _,
        identity,
        boundary,
    } = Authority::of(world, principal)?;
    Some(PrincipalPolicies { identity, boundary })
}

fn one(
    world: &World,
    authority: &Authority,
    simulation: &Simulation,
    action: &str,
) -> SimulatedAction {
    let filled_in = filled_in(
        world,
        &simulation.principal,
        Request::new(simulation.principal.as_str(), action, &simulation.resource),
    );
    let told = simulation.context.iter().fold(filled_in, |request, key| {
        request.with_context(&key.name, key.values().to_vec())
    });
    let not_told = NOT_FILLED_IN
        .iter()
        .filter(|key| told.context().values(key).is_none());
    let request = not_told
        .clone()
        .fold(told.clone(), |request, key| request.without_key(key));
    let mut answer = SimulatedAction {
        action: action.to_owned(),
        resource: simulation.resource.clone(),
        decision: SimulatedDecision::ImplicitDeny,
        allowed_by_organizations: authority
            .service_control
            .as_ref()
            .filter(|_| !simulation.without_scps)
            .map(|policies| !denied_by_organization(policies, &request)),
        allowed_by_permissions_boundary: None,
        matched_statements: 0,
        missing_context_values: Vec::new(),
        is_cross_account: simulation.is_cross_account(),
        identity_decision: None,
        told_by: ToldBy::Simulator,
    };
    // The simulation ends here, and an explicit Deny of the organization is told as an implicit one
    // (documented: IAM API reference, `EvaluationResult`; seen: aws/aws-sdk issue 102).
    if answer.allowed_by_organizations == Some(false) {
        return answer;
    }
    let identity = authority.identity(&request);
    // A boundary that allows everything takes the place of the principal's own.
    let boundary = if simulation.without_boundary {
        Some(Decision::Allowed { statement: 0 })
    } else {
        authority.boundary(&request)
    };
    let allowed = identity.iter().filter(|decision| decision.is_allowed());
    let denied = identity
        .iter()
        .chain(&boundary)
        .filter(|decision| is_denied(decision));
    answer.allowed_by_permissions_boundary = boundary.as_ref().map(Decision::is_allowed);
    (answer.decision, answer.matched_statements) = match (denied.count(), allowed.count()) {
        (0, 0) => (SimulatedDecision::ImplicitDeny, 0),
        (0, count) if boundary.as_ref().is_none_or(Decision::is_allowed) => {
            (SimulatedDecision::Allowed, count)
        }
        (0, count) => (SimulatedDecision::ImplicitDeny, count),
        (count, _) => (SimulatedDecision::ExplicitDeny, count),
    };
    if answer.is_cross_account {
        let (denied, allowed) = (
            identity.iter().any(is_denied),
            identity.iter().any(Decision::is_allowed),
        );
        across_accounts(world, &mut answer, denied, allowed);
    }
    let unknown = not_told
        .fold(told.clone(), |request, key| request.with_unknown(key))
        .with_other_keys_unknown();
    let boundary = authority
        .boundary
        .as_ref()
        .filter(|_| !simulation.without_boundary);
    answer.missing_context_values = missing(authority.identity.iter().chain(boundary), &unknown);
    answer
}

/// The condition keys that would decide and that nobody told.
fn missing<'p>(
    policies: impl Iterator<Item = &'p PolicyDocument>,
    request: &Request,
) -> Vec<String> {
    let mut keys: Vec<String> = policies
        .flat_map(|policy| match evaluate_without_principal(policy, request) {
            Decision::Unknown { keys } => keys,
            Decision::Allowed { .. }
            | Decision::ImplicitlyDenied
            | Decision::ExplicitlyDenied { .. } => Vec::new(),
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The other account must allow it too, and no policy of it can be passed for a role: what the
/// role's own policies allow is denied all the same, and only the details tell (documented: IAM API
/// reference, `EvaluationResult` and `SimulatePrincipalPolicy`; that the details come without a
/// resource policy is unverified, so a world may leave them out).
fn across_accounts(world: &World, answer: &mut SimulatedAction, denied: bool, allowed: bool) {
    if world.simulator_tells_identity_side() {
        answer.identity_decision = Some(match (denied, allowed) {
            (true, _) => SimulatedDecision::ExplicitDeny,
            (false, true) => SimulatedDecision::Allowed,
            (false, false) => SimulatedDecision::ImplicitDeny,
        });
    }
    if answer.decision == SimulatedDecision::Allowed {
        answer.decision = SimulatedDecision::ImplicitDeny;
        answer.matched_statements = 0;
    }
}

/// The condition keys that the simulator knows by itself: the principal's account and organization,
/// and ids and types of the user and principal (documented: IAM user guide, "Testing IAM
/// policies").
fn filled_in(world: &World, principal: &Arn, mut request: Request) -> Request {
    let is_user = principal.resource().starts_with("user/");
    let id = if is_user {
        ids::user_id(principal.as_str())
    } else {
        ids::role_id(principal.as_str())
    };
    request = request
        .with_context("aws:PrincipalAccount", [principal.account()])
        .with_context("aws:userid", [id])
        .with_context(
            "aws:PrincipalType",
            [if is_user { "User" } else { "AssumedRole" }],
        );
    let account: Option<AccountId> = principal.account().parse().ok();
    if let Some((account, organization)) =
        account.and_then(|id| Some((id, world.organization_of(id)?)))
    {
        request = request
            .with_context("aws:PrincipalOrgID", [organization.id.as_str()])
            .with_context("aws:PrincipalOrgPaths", organization.path_of(account));
    }
    request
}

/// Whether a service control policy denies it. Conditions count, and a key that nobody told is
/// absent (documented: IAM user guide, "Testing IAM policies", since August 2026).
fn denied_by_organization(policies: &[PolicyText], request: &Request) -> bool {
    policies
        .iter()
        .filter_map(|policy| policy.document().ok())
        .any(|policy| is_denied(&evaluate_without_principal(policy, request)))
}
