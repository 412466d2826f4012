//! `SimulatePrincipalPolicy`.

use std::collections::HashMap;

use aws_sdk_iam::types::{
    ContextEntry, ContextKeyTypeEnum, EvaluationResult, OrganizationsDecisionDetail,
    PermissionsBoundaryDecisionDetail, PolicyEvaluationDecisionType, PolicyIdentifier,
    PolicyIdentifierPolicyType, ResourceSpecificResult,
};
use copymend_diagnosis::{SimulatedAction, SimulatedDecision, ToldBy};
use copymend_remediation::ports::{CallResult, ContextKey, ContextValues, Simulation};

use super::account::Account;
use super::exclusion::NamesPolicyType;
use crate::error::Call;
use crate::pages;

pub(super) const OPERATION: &str = "iam:SimulatePrincipalPolicy";

/// A boundary that is in nobody's way. It takes the place of the principal's own (IAM API
/// reference, `SimulatePrincipalPolicy`, documented).
const ALLOWS_EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The names under which `EvalDecisionDetails` holds what the principal's own policies say, in
/// small letters and without anything between the words. AWS documents that each policy type has an
/// entry, not its name (unverified): an entry under another name is passed over, and then the
/// answer says nothing about the principal.
const IDENTITY_SIDE: [&str; 4] = [
    "identitybasedpolicy",
    "identitypolicy",
    "identity",
    "iampolicy",
];

/// Asks the simulator: one answer an action, in the order asked.
pub(super) async fn simulate(
    iam: Account<'_>,
    simulation: &Simulation,
) -> CallResult<Vec<SimulatedAction>> {
    let (client, call) = iam.call(OPERATION, simulation.principal.as_str()).await?;
    let actions = simulation.actions.iter().copied().map(str::to_owned);
    let request = client
        .simulate_principal_policy()
        .policy_source_arn(simulation.principal.as_str())
        .set_action_names(Some(actions.collect()))
        .resource_arns(&simulation.resource)
        .set_policy_exclusion_list(simulation.without_scps.then(|| {
            vec![PolicyIdentifier::PolicyType(
                PolicyIdentifierPolicyType::Scp,
            )]
        }))
        .set_context_entries(Some(simulation.context.iter().map(context_entry).collect()))
        .set_permissions_boundary_policy_input_list(
            simulation
                .without_boundary
                .then(|| vec![ALLOWS_EVERYTHING.to_owned()]),
        );
    let results = pages::all(
        &call,
        |from| {
            let request = request.clone().set_marker(from).customize();
            request.interceptor(NamesPolicyType).send()
        },
        |page| {
            let next = pages::marker(page.is_truncated, page.marker());
            (page.evaluation_results.unwrap_or_default(), next)
        },
    )
    .await?;
    simulation
        .actions
        .iter()
        .map(|action| {
            let result = results
                .iter()
                .find(|result| result.eval_action_name().eq_ignore_ascii_case(action))
                .ok_or_else(|| call.unreadable(format!("there is no answer to `{action}`")))?;
            read(&call, action, simulation, result)
        })
        .collect()
}

fn context_entry(key: &ContextKey) -> ContextEntry {
    ContextEntry::builder()
        .context_key_name(&key.name)
        .set_context_key_values(Some(key.values().to_vec()))
        .context_key_type(match &key.values {
            ContextValues::One(_) => ContextKeyTypeEnum::String,
            ContextValues::Many(_) => ContextKeyTypeEnum::StringList,
        })
        .build()
}

/// Reads one answer. Only one resource was asked about, so the members beside its own entry are
/// about it as well: AWS says in some answers more there (IAM API reference, `EvaluationResult`,
/// documented).
fn read(
    call: &Call,
    action: &str,
    simulation: &Simulation,
    result: &EvaluationResult,
) -> CallResult<SimulatedAction> {
    let resource = &simulation.resource;
    let own = result
        .resource_specific_results()
        .iter()
        .find(|own| own.eval_resource_name() == resource.as_str());
    let (name, decision, statements) = match own {
        Some(own) => (
            "EvalResourceDecision",
            own.eval_resource_decision(),
            own.matched_statements(),
        ),
        None => (
            "EvalDecision",
            result.eval_decision(),
            result.matched_statements(),
        ),
    };
    let boundary = own
        .and_then(|own| own.permissions_boundary_decision_detail())
        .or_else(|| result.permissions_boundary_decision_detail());
    let mut missing: Vec<String> = result
        .resource_specific_results()
        .iter()
        .flat_map(ResourceSpecificResult::missing_context_values)
        .chain(result.missing_context_values())
        .cloned()
        .collect();
    missing.sort_unstable();
    missing.dedup();
    Ok(SimulatedAction {
        action: action.to_owned(),
        resource: resource.clone(),
        decision: read_decision(decision).ok_or_else(|| {
            call.unreadable(format!("`{name}` of `{action}` is `{}`", decision.as_str()))
        })?,
        allowed_by_organizations: result
            .organizations_decision_detail()
            .map(OrganizationsDecisionDetail::allowed_by_organizations),
        allowed_by_permissions_boundary: boundary
            .map(PermissionsBoundaryDecisionDetail::allowed_by_permissions_boundary),
        matched_statements: statements.len(),
        missing_context_values: missing,
        is_cross_account: simulation.is_cross_account(),
        identity_decision: own
            .and_then(|own| identity_side(own.eval_decision_details()))
            .or_else(|| identity_side(result.eval_decision_details())),
        told_by: ToldBy::Simulator,
    })
}

/// What the principal's own policies say, where the details tell it: across accounts only (IAM API
/// reference, `EvaluationResult`, documented).
fn identity_side(
    details: Option<&HashMap<String, PolicyEvaluationDecisionType>>,
) -> Option<SimulatedDecision> {
    let is_identity_side = |name: &str| {
        let name: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        IDENTITY_SIDE.contains(&name.as_str())
    };
    let mut told = details?
        .iter()
        .filter(|(name, _)| is_identity_side(name))
        .map(|(_, decision)| read_decision(decision));
    // Two entries that could be meant tell nothing.
    let first = told.next()??;
    told.all(|other| other == Some(first)).then_some(first)
}

fn read_decision(decision: &PolicyEvaluationDecisionType) -> Option<SimulatedDecision> {
    match decision.as_str() {
        "allowed" => Some(SimulatedDecision::Allowed),
        "explicitDeny" => Some(SimulatedDecision::ExplicitDeny),
        "implicitDeny" => Some(SimulatedDecision::ImplicitDeny),
        _ => None,
    }
}
