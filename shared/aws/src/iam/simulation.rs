//! `SimulatePrincipalPolicy`.

use copymend_diagnosis::{SimulatedAction, SimulatedDecision, ToldBy};
use copymend_remediation::ports::{CallResult, ContextKey, ContextValues, Simulation};

use super::account::{Account, form};
use crate::error::Call;
use crate::signed::query::Form;
use crate::signed::xml::Element;

pub(super) const OPERATION: &str = "iam:SimulatePrincipalPolicy";
const ACTION: &str = "SimulatePrincipalPolicy";

const BOUNDARY: &str = "PermissionsBoundaryDecisionDetail";

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
    let results = client.pages(&call, ACTION, question(simulation), |page| {
        page.members("EvaluationResults").cloned().collect()
    });
    let results: Vec<Element> = results.await?;
    simulation
        .actions
        .iter()
        .map(|action| {
            let result = results
                .iter()
                .find(|result| {
                    let name = result.text("EvalActionName");
                    name.is_some_and(|name| name.eq_ignore_ascii_case(action))
                })
                .ok_or_else(|| call.unreadable(format!("there is no answer to `{action}`")))?;
            read(&call, action, simulation, result)
        })
        .collect()
}

/// A union of the query protocol names which of its members it is: `PolicyExclusionList` does (IAM API
/// reference, `SimulatePrincipalPolicy` and `PolicyIdentifier`, documented; botocore writes it so).
fn question(simulation: &Simulation) -> Form {
    let principal = ("PolicySourceArn", simulation.principal.as_str());
    let mut form = form(ACTION, &[principal]);
    form.list("ActionNames", simulation.actions.iter().copied());
    form.list("ResourceArns", [simulation.resource.as_str()]);
    if simulation.without_scps {
        form.set("PolicyExclusionList.member.1.PolicyType", "scp");
    }
    for (number, key) in (1_usize..).zip(&simulation.context) {
        let entry = format!("ContextEntries.member.{number}");
        form.set(&format!("{entry}.ContextKeyName"), &key.name);
        let values = key.values().iter().map(String::as_str);
        form.list(&format!("{entry}.ContextKeyValues"), values);
        form.set(&format!("{entry}.ContextKeyType"), kind_of(key));
    }
    if simulation.without_boundary {
        form.list("PermissionsBoundaryPolicyInputList", [ALLOWS_EVERYTHING]);
    }
    form
}

const fn kind_of(key: &ContextKey) -> &'static str {
    match key.values {
        ContextValues::One(_) => "string",
        ContextValues::Many(_) => "stringList",
    }
}

/// Reads one answer. Only one resource was asked about, so the members beside its own entry are
/// about it as well: AWS says in some answers more there (IAM API reference, `EvaluationResult`,
/// documented).
fn read(
    call: &Call,
    action: &str,
    simulation: &Simulation,
    result: &Element,
) -> CallResult<SimulatedAction> {
    let resource = &simulation.resource;
    let own = result
        .members("ResourceSpecificResults")
        .find(|own| own.text("EvalResourceName") == Some(resource.as_str()));
    let (name, said) = match own {
        Some(own) => ("EvalResourceDecision", own),
        None => ("EvalDecision", result),
    };
    let decision = said.text(name).unwrap_or_default();
    let boundary = own
        .and_then(|own| own.child(BOUNDARY))
        .or_else(|| result.child(BOUNDARY));
    let mut missing: Vec<String> = result
        .members("ResourceSpecificResults")
        .chain([result])
        .flat_map(|said| said.members("MissingContextValues"))
        .map(|name| name.own_text().to_owned())
        .collect();
    missing.sort_unstable();
    missing.dedup();
    Ok(SimulatedAction {
        action: action.to_owned(),
        resource: resource.clone(),
        decision: read_decision(decision)
            .ok_or_else(|| call.unreadable(format!("`{name}` of `{action}` is `{decision}`")))?,
        allowed_by_organizations: result
            .child("OrganizationsDecisionDetail")
            .map(|detail| detail.is_true("AllowedByOrganizations")),
        allowed_by_permissions_boundary: boundary
            .map(|detail| detail.is_true("AllowedByPermissionsBoundary")),
        matched_statements: said.members("MatchedStatements").count(),
        missing_context_values: missing,
        is_cross_account: simulation.is_cross_account(),
        identity_decision: own
            .and_then(identity_side)
            .or_else(|| identity_side(result)),
        told_by: ToldBy::Simulator,
    })
}

/// What the principal's own policies say, where the details tell it: across accounts only (IAM API
/// reference, `EvaluationResult`, documented).
fn identity_side(said: &Element) -> Option<SimulatedDecision> {
    let is_identity_side = |name: &str| {
        let name: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        IDENTITY_SIDE.contains(&name.as_str())
    };
    let mut told = said
        .all("EvalDecisionDetails", "entry")
        .filter(|entry| entry.text("key").is_some_and(is_identity_side))
        .map(|entry| read_decision(entry.text("value").unwrap_or_default()));
    // Two entries that could be meant tell nothing.
    let first = told.next()??;
    told.all(|other| other == Some(first)).then_some(first)
}

fn read_decision(decision: &str) -> Option<SimulatedDecision> {
    match decision {
        "allowed" => Some(SimulatedDecision::Allowed),
        "explicitDeny" => Some(SimulatedDecision::ExplicitDeny),
        "implicitDeny" => Some(SimulatedDecision::ImplicitDeny),
        _ => None,
    }
}
