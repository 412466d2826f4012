//! IAM's policy simulator, with what it can't do.

use copymend_diagnosis::{PrincipalPolicies, SimulatedAction, SimulatedDecision};
use copymend_policy::{Arn, Decision, PolicyDocument, Request, evaluate_without_principal};
use copymend_remediation::ports::Simulation;
use serde_json::Value;

use crate::authority::{Authority, is_denied};
use crate::world::{PolicyText, World};

/// The condition keys that follow from a principal. The simulator knows what it is told, and nobody tells it these
/// (unverified: whether it finds some by itself).
const KEYS_OF_PRINCIPAL: [&str; 5] = [
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalType",
    "aws:PrincipalIsAWSService",
    "aws:username",
];

/// `SimulatePrincipalPolicy`: one answer an action. Nothing where there is no such principal.
pub(crate) fn simulate(world: &World, simulation: &Simulation) -> Option<Vec<SimulatedAction>> {
    let authority = Authority::of(world, &simulation.principal)?;
    let answers = simulation
        .actions
        .iter()
        .map(|action| one(&authority, simulation, action));
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

fn one(authority: &Authority, simulation: &Simulation, action: &str) -> SimulatedAction {
    let told = simulation.context.iter().fold(
        Request::new(simulation.principal.as_str(), action, &simulation.resource),
        |request, (key, value)| request.with_context(key, [value.as_str()]),
    );
    let not_told = KEYS_OF_PRINCIPAL
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
            .map(|policies| !denied_by_organization(policies, &request)),
        allowed_by_permissions_boundary: None,
        matched_statements: 0,
        missing_context_values: Vec::new(),
    };
    // The simulation ends here, and an explicit Deny of the organization is told as an implicit one (documented: IAM API
    // reference, `EvaluationResult`; seen: aws/aws-sdk issue 102).
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

/// Whether a service control policy denies it, by the simulator's lights: it doesn't evaluate policies with conditions
/// (documented: IAM user guide, "Testing IAM policies"), and refuses what a Deny would deny without them (seen: aws/aws-sdk
/// issue 102).
fn denied_by_organization(policies: &[PolicyText], request: &Request) -> bool {
    policies
        .iter()
        .filter_map(|policy| without_conditions(policy.as_str()))
        .any(|policy| is_denied(&evaluate_without_principal(&policy, request)))
}

fn without_conditions(policy: &str) -> Option<PolicyDocument> {
    let mut policy: Value = serde_json::from_str(policy).ok()?;
    let statements = policy.get_mut("Statement")?;
    let statements = if statements.is_array() {
        statements.as_array_mut()?.as_mut_slice()
    } else {
        std::slice::from_mut(statements)
    };
    for statement in statements {
        statement.as_object_mut()?.remove("Condition");
    }
    PolicyDocument::parse(&policy.to_string()).ok()
}
