//! What the policy simulator says of the calls of AWS KMS that the job role makes with its own
//! permissions.

use super::job_role_keys::{JobRoleKey, of};
use super::simulation::{Layer, blocked, call, may_call, unclear};
use crate::access::is_certain_call_of_job_role;
use crate::assess::{Finding, Verdict, not_checkable, ruled_out, unreadable};
use crate::fact::Fact;
use crate::facts::{Facts, KeyFacts};
use crate::job::BackupCopy;
use crate::resource::KeyArn;
use crate::simulation::{Simulated, SimulatedAction};

const NOT_ASKED: &str =
    "the calls of AWS KMS that the job role makes with its own permissions were not simulated";
const NOT_CERTAIN: &str = "that this copy makes the call is inferred";

/// What a layer lets the job role do with the keys that it uses itself; nothing where it uses none.
pub(super) fn at_keys(layer: Layer, copy: &BackupCopy, facts: &Facts) -> Option<Finding> {
    let findings: Vec<Finding> = of(copy, facts)
        .into_iter()
        .flat_map(|key| match key {
            JobRoleKey::Known(key) => at_key(layer, key, copy, facts),
            JobRoleKey::Open => vec![not_checkable(NOT_ASKED)],
        })
        .collect();
    let verdict = [Verdict::Confirmed, Verdict::NotCheckable, Verdict::RuledOut]
        .into_iter()
        .find(|verdict| findings.iter().any(|(found, _)| found == verdict))?;
    let mut evidence: Vec<String> = findings
        .into_iter()
        .filter(|(found, _)| *found == verdict)
        .flat_map(|(_, evidence)| evidence)
        .collect();
    evidence.dedup();
    Some((verdict, evidence))
}

fn at_key(layer: Layer, key: &KeyFacts, copy: &BackupCopy, facts: &Facts) -> Vec<Finding> {
    let mut simulated = facts.job_role_keys.iter();
    let told = simulated.find(|simulated| simulated.key == key.arn);
    match (layer, told.map(|told| &told.actions)) {
        // The simulator takes condition keys that it isn't told as absent, and those of AWS KMS that
        // depend on the calling service can't be told.
        (Layer::Organization, _) | (Layer::Identity | Layer::Boundary, None) => {
            vec![not_checkable(NOT_ASKED)]
        }
        (Layer::Identity | Layer::Boundary, Some(Fact::Unknown(why))) => vec![unreadable(why)],
        (Layer::Identity | Layer::Boundary, Some(Fact::Known(actions))) => actions
            .iter()
            .map(|action| {
                let is_certain = is_certain_call_of_job_role(&action.action, &key.arn, copy, facts);
                one_call(layer, action, &key.arn, is_certain, copy)
            })
            .collect(),
    }
}

fn one_call(
    layer: Layer,
    action: &SimulatedAction,
    key: &KeyArn,
    is_certain: bool,
    copy: &BackupCopy,
) -> Finding {
    if !action.missing_context_values.is_empty() {
        return unclear(action);
    }
    let refused = |what: &str| {
        if is_certain {
            blocked(what, action)
        } else {
            not_checkable(format!(
                "{}: {what} {}; {NOT_CERTAIN}",
                action.told_by,
                call(action)
            ))
        }
    };
    match (layer, action.meaning()) {
        (_, Simulated::Allowed) => may_call(action),
        (Layer::Boundary, Simulated::NotByBoundary) => {
            refused("the permissions boundary of the job role does not allow")
        }
        (Layer::Boundary, Simulated::DeniedByIdentity | Simulated::NotByIdentity) => ruled_out(
            format!("the permissions boundary does not stop {}", action.action),
        ),
        (Layer::Identity, Simulated::DeniedByIdentity) => {
            refused("a policy of the job role denies")
        }
        // A key's policy that names a role of its own account needs no policy of the role (AWS KMS,
        // "Key policies", documented), and the simulator isn't told a key's policy.
        (Layer::Identity, Simulated::NotByIdentity) if key.account_id() == Some(copy.account) => {
            not_checkable(format!(
                "{}: no policy of the job role allows {}; the key's policy may allow it all the same",
                action.told_by,
                call(action)
            ))
        }
        (Layer::Identity, Simulated::NotByIdentity) => refused("no policy of the job role allows"),
        (Layer::Identity, Simulated::NotByBoundary) => not_checkable(format!(
            "the permissions boundary stops {} before the role's own policies count",
            action.action
        )),
        (Layer::Identity | Layer::Boundary, Simulated::NotByOrganization | Simulated::Unclear)
        | (Layer::Organization, _) => unclear(action),
    }
}
