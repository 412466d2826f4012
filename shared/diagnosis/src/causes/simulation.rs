//! What the policy simulator, or the role's policies, say of the job role, layer by layer.

use super::job_role_keys::{may_be_under_service_control, may_have_boundary};
use super::key_simulation::at_keys;
use crate::assess::{
    Checked, Finding, Verdict, confirmed, depends_on, not_checkable, ruled_out, unreadable,
};
use crate::fact::Fact;
use crate::facts::{Facts, SimulatedFact};
use crate::job::BackupCopy;
use crate::simulation::{Simulated, SimulatedAction, ToldBy};

/// Which of the three layers an answer of the simulator blames.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Identity,
    Boundary,
    Organization,
}

/// Whether a layer lets the job role make the two calls of a copy.
pub(super) fn may_copy(layer: Layer, copy: &BackupCopy, facts: &Facts) -> Checked {
    // Where GetRole told nothing, the simulation of exactly this role still does.
    let named = &copy.role;
    if layer == Layer::Organization && !may_be_under_service_control(copy, facts) {
        return Err(ruled_out(
            "no service control policy binds the source account: it is its organization's management account, or in none",
        ));
    }
    if layer == Layer::Boundary && !may_have_boundary(copy, facts) {
        return Err(ruled_out("the job role has no permissions boundary"));
    }
    let is_missing = matches!(&facts.job_role, Fact::Known(found)
        if found.as_ref().is_none_or(|role| role.arn != *named));
    if is_missing {
        return Err(not_checkable(
            "without the job role nothing can be simulated",
        ));
    }
    let findings: Vec<Finding> = facts
        .job_role_access
        .actions()
        .into_iter()
        .map(|fact| one_action(layer, fact))
        .collect();
    let with = |verdict| findings.iter().filter(move |(found, _)| *found == verdict);
    let verdict = [Verdict::Confirmed, Verdict::NotCheckable]
        .into_iter()
        .find(|verdict| with(*verdict).next().is_some())
        .unwrap_or(Verdict::RuledOut);
    let evidence = with(verdict).flat_map(|(_, evidence)| evidence.iter().cloned());
    let finding: Finding = (verdict, evidence.collect());
    // What is open at a key is said of what lets the two calls of AWS Backup pass: `open_at_keys`.
    Ok(match at_keys(layer, copy, facts) {
        Some(at_keys) if at_keys.0 == Verdict::Confirmed => worse_of_both(finding, at_keys),
        Some(_) | None => finding,
    })
}

/// What is shown by both is shown by all that shows it.
fn worse_of_both(of_backup: Finding, mut at_keys: Finding) -> Finding {
    if of_backup.0 == Verdict::Confirmed {
        let (verdict, mut evidence) = of_backup;
        evidence.append(&mut at_keys.1);
        (verdict, evidence)
    } else {
        at_keys
    }
}

fn one_action(layer: Layer, fact: &SimulatedFact) -> Finding {
    match (layer, &fact.as_is, fact.behind_scps()) {
        // Nobody but the simulator tells of service control policies.
        (Layer::Organization, Fact::Unknown(why), _)
        | (Layer::Identity | Layer::Boundary, _, Some(Fact::Unknown(why)))
        | (Layer::Identity | Layer::Boundary, Fact::Unknown(why), None) => unreadable(why),
        (Layer::Organization, Fact::Known(as_is), _) => organization(fact, as_is),
        (Layer::Identity | Layer::Boundary, Fact::Known(as_is), None) => not_checkable(format!(
            "the simulation of {} ends at the service control policies",
            as_is.action
        )),
        (Layer::Identity, _, Some(Fact::Known(action))) => identity(fact, action),
        (Layer::Boundary, _, Some(Fact::Known(action))) => boundary(action),
    }
}

pub(super) fn blocked(what: &str, action: &SimulatedAction) -> Finding {
    confirmed(format!("{}: {what} {}", action.told_by, call(action)))
}

pub(super) fn may_call(action: &SimulatedAction) -> Finding {
    let said = match action.told_by {
        ToldBy::Simulator => "the policy simulator says that the job role may call",
        ToldBy::Policies => "the job role's policies, read one by one, allow",
    };
    ruled_out(format!("{said} {}", call(action)))
}

pub(super) fn call(action: &SimulatedAction) -> String {
    format!("{} on `{}`", action.action, action.resource)
}

/// The simulator evaluates service control policies with their conditions, and takes a key that it
/// isn't told as absent (IAM user guide, "Testing IAM policies", documented since August 2026). So
/// a refusal counts only where it was told every key of the call that these policies of AWS's
/// examples ask for.
fn organization(fact: &SimulatedFact, action: &SimulatedAction) -> Finding {
    match action.meaning() {
        Simulated::NotByOrganization if fact.not_told.is_empty() => blocked(
            "the organization's service control policies do not allow",
            action,
        ),
        Simulated::NotByOrganization => not_checkable(format!(
            "the policy simulator: the organization's service control policies do not allow {}, as far as it could be told; not known \
             are the condition keys {}",
            call(action),
            fact.not_told.join(", ")
        )),
        Simulated::Allowed => may_call(action),
        Simulated::NotByBoundary | Simulated::DeniedByIdentity | Simulated::NotByIdentity => {
            ruled_out(format!("no service control policy stops {}", action.action))
        }
        Simulated::Unclear if action.allowed_by_organizations == Some(true) => {
            ruled_out(format!("no service control policy stops {}", action.action))
        }
        Simulated::Unclear => unclear(action),
    }
}

fn boundary(action: &SimulatedAction) -> Finding {
    let does_not_stop = || {
        ruled_out(format!(
            "the permissions boundary does not stop {}",
            action.action
        ))
    };
    match action.meaning() {
        // A Deny that depends on a key which nobody told the simulator may apply all the same.
        Simulated::Allowed if !action.missing_context_values.is_empty() => unclear(action),
        Simulated::Allowed => may_call(action),
        Simulated::NotByBoundary => blocked(
            "the permissions boundary of the job role does not allow",
            action,
        ),
        Simulated::DeniedByIdentity | Simulated::NotByIdentity => does_not_stop(),
        Simulated::Unclear
            if action.allowed_by_permissions_boundary == Some(true)
                && action.missing_context_values.is_empty() =>
        {
            does_not_stop()
        }
        Simulated::NotByOrganization | Simulated::Unclear => unclear(action),
    }
}

fn identity(fact: &SimulatedFact, action: &SimulatedAction) -> Finding {
    match action.meaning() {
        Simulated::Allowed if !action.missing_context_values.is_empty() => unclear(action),
        Simulated::Allowed => may_call(action),
        Simulated::NotByBoundary => behind_the_boundary(fact, action),
        Simulated::DeniedByIdentity => blocked("a policy of the job role denies", action),
        Simulated::NotByIdentity => blocked("no policy of the job role allows", action),
        Simulated::NotByOrganization | Simulated::Unclear => unclear(action),
    }
}

/// What the role's own policies say where its boundary is in the way: a second simulation tells.
fn behind_the_boundary(fact: &SimulatedFact, action: &SimulatedAction) -> Finding {
    match &fact.without_boundary {
        None => not_checkable(format!(
            "the permissions boundary stops {} before the role's own policies count",
            action.action
        )),
        Some(Fact::Unknown(why)) => unreadable(why),
        Some(Fact::Known(without)) => match without.meaning() {
            Simulated::Allowed => ruled_out(format!(
                "without its permissions boundary the job role may call {}",
                action.action
            )),
            Simulated::DeniedByIdentity | Simulated::NotByIdentity => confirmed(format!(
                "{}: also without its permissions boundary, the job role's policies do not allow {}",
                action.told_by,
                call(action)
            )),
            Simulated::NotByOrganization | Simulated::NotByBoundary | Simulated::Unclear => {
                unclear(without)
            }
        },
    }
}

pub(super) fn unclear(action: &SimulatedAction) -> Finding {
    let keys = &action.missing_context_values;
    let is_silent = action.is_cross_account && action.identity_decision.is_none();
    if !keys.is_empty() {
        depends_on(&action.action, keys)
    } else if is_silent {
        not_checkable(format!(
            "the policy simulator knows no policy of another account, and does not say what the role's own policies make of {}",
            call(action)
        ))
    } else {
        not_checkable(format!(
            "the policy simulator cannot tell about {}",
            call(action)
        ))
    }
}
