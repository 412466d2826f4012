//! What the functions' roles may do, permission by permission.

use copymend_diagnosis::{SimulatedAction, SimulatedDecision};
use copymend_policy::AccountId;
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
    let own = facts.deployed.account;
    let roles = facts.roles.iter();
    roles.flat_map(|role| of_role(role, own)).collect()
}

fn of_role(role: &RoleFacts, own: AccountId) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (need, answer) in &role.needs {
        let finding = match answer {
            Err(error) if error.detail.starts_with(NO_SUCH_ENTITY) => {
                let found = format!("The role {} does not exist.", role.arn);
                return vec![Finding::of(&ROLE_MISSING, found)];
            }
            Err(error) => Some(not_simulated(error)),
            Ok(answer) if is_of_another_account(need, own) && is_open(answer) => {
                Some(not_from_here(role, need))
            }
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

/// Such as the key of a platform's own account.
fn is_of_another_account(need: &Need, own: AccountId) -> bool {
    let owner = need.resource.split(':').nth(4).unwrap_or_default();
    owner
        .parse::<AccountId>()
        .is_ok_and(|account| account != own)
}

/// Whether a denial says nothing of the role: a resource of another account has to admit it too, and
/// its policy can't be shown to the simulator (IAM API reference, `EvaluationResult`, documented; the
/// effect is unverified).
fn is_open(answer: &SimulatedAction) -> bool {
    answer.decision == SimulatedDecision::ImplicitDeny
        && answer.identity_decision.is_none()
        && answer.allowed_by_organizations != Some(false)
        && answer.allowed_by_permissions_boundary != Some(false)
}

fn not_from_here(role: &RoleFacts, need: &Need) -> Finding {
    let Need {
        action, resource, ..
    } = need;
    Finding::not_from_here(
        Part::Permissions,
        format!(
            "This can't be told: whether {} may call {action} on {resource}, which another account owns.",
            role.logical
        ),
        "Ask its owner whether its policy admits the role, and look at the role's own policies."
            .to_owned(),
    )
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
