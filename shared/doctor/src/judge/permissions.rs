//! What the functions' roles may do, permission by permission.

use copymend_diagnosis::{SimulatedAction, SimulatedDecision};
use copymend_remediation::ports::CallError;

use super::or_fine;
use crate::facts::{Facts, RoleFacts};
use crate::finding::{Finding, Part};
use crate::kinds::{PERMISSION_MISSING, ROLE_MISSING};
use crate::needs::Need;

/// The simulator's words for a principal that isn't there (IAM API reference,
/// `SimulatePrincipalPolicy`, documented).
const NO_SUCH_ENTITY: &str = "NoSuchEntity";

pub(super) fn judge(facts: &Facts) -> Vec<Finding> {
    facts.roles.iter().flat_map(of_role).collect()
}

fn of_role(role: &RoleFacts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (need, answer) in &role.needs {
        let finding = match answer {
            Err(error) if error.detail.starts_with(NO_SUCH_ENTITY) => {
                let found = format!("The role {} does not exist.", role.arn);
                return vec![Finding::of(&ROLE_MISSING, found)];
            }
            Err(error) => Some(not_simulated(error)),
            Ok(answer) => missing(role, need, answer),
        };
        // One refused simulation is like another.
        findings.extend(finding.filter(|finding| !findings.contains(finding)));
    }
    or_fine(Part::Permissions, findings, || {
        let number = role.needs.len();
        format!(
            "{} has each of the {number} permissions that it needs.",
            role.logical
        )
    })
}

fn not_simulated(error: &CallError) -> Finding {
    Finding::unknown(Part::Permissions, error)
}

fn missing(role: &RoleFacts, need: &Need, answer: &SimulatedAction) -> Option<Finding> {
    let why = match answer.decision {
        SimulatedDecision::Allowed => return None,
        SimulatedDecision::ExplicitDeny => "a policy denies it",
        SimulatedDecision::ImplicitDeny if answer.allowed_by_organizations == Some(false) => {
            "a service control policy does not allow it"
        }
        SimulatedDecision::ImplicitDeny
            if answer.allowed_by_permissions_boundary == Some(false) =>
        {
            "its permissions boundary does not allow it"
        }
        SimulatedDecision::ImplicitDeny => "no policy allows it",
    };
    let Need {
        action, resource, ..
    } = need;
    Some(Finding::of(
        &PERMISSION_MISSING,
        format!(
            "{} may not call {action} on {resource}: {why}.",
            role.logical
        ),
    ))
}
