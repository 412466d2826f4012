//! The guards of a planned change.

use copymend_diagnosis::Fact;
use copymend_diagnosis::access::{Access, ORGANIZATION_PATHS};
use copymend_policy::{KEY_POLICY_MAX_BYTES, check_size};

use super::{Act, Answer, Question, not_known};
use crate::plan::{PlanError, Target};

pub(super) fn policy_known(question: &Question<'_>) -> Answer {
    Some(match question.plan? {
        Err(error @ PlanError::PolicyNotRead(_)) => (false, error.to_string()),
        Ok(_) | Err(_) => (true, "the policy was read".to_owned()),
    })
}

pub(super) fn statement_fits(question: &Question<'_>) -> Answer {
    match question.plan? {
        Ok(_) => Some((true, "the statements can be added".to_owned())),
        Err(error @ (PlanError::NoRepair(_) | PlanError::Grant(_) | PlanError::Edit(_))) => {
            Some((false, error.to_string()))
        }
        // Other guards tell.
        Err(
            PlanError::PolicyNotRead(_)
            | PlanError::OrganizationNotKnown
            | PlanError::ServiceNotKnown(_),
        ) => None,
    }
}

pub(super) fn no_explicit_deny(question: &Question<'_>) -> Answer {
    Some(match &question.edit()?.access_before {
        Access::Denied {
            action, statement, ..
        } => (
            false,
            format!("statement {} denies {action}", statement.saturating_add(1)),
        ),
        Access::Unknown { keys } => not_known(
            "whether a statement of the policy matches the copy",
            depends_on(keys),
        ),
        Access::Allowed | Access::Missing { .. } => (true, "no Deny matches the copy".to_owned()),
    })
}

pub(super) fn evaluation_flips(question: &Question<'_>) -> Answer {
    let edit = question.edit()?;
    Some(match (&edit.access_before, &edit.access_after) {
        (Access::Missing { actions }, Access::Allowed) => (
            true,
            format!("denied before, allowed after: {}", actions.join(", ")),
        ),
        (_, Access::Unknown { keys }) if keys.iter().any(|key| is_path(key)) => not_known(
            ADMITS,
            format!(
                "the source account's {ORGANIZATION_PATHS} was not read{}",
                match question.facts.and_then(|facts| facts.source_organization_path.as_ref()) {
                    None => ", as OrganizationReader (COPYMEND_ORGANIZATION_READER) names no account to ask in".to_owned(),
                    Some(Fact::Known(path)) => format!(", though it is {path}"),
                    Some(Fact::Unknown(why)) => format!(": {why}"),
                }
            ),
        ),
        (Access::Allowed, _) => (false, "the policy allows the copy already".to_owned()),
        (Access::Unknown { keys }, _) => {
            not_known("whether the policy allows the copy already", depends_on(keys))
        }
        (Access::Missing { .. }, Access::Unknown { keys }) => not_known(ADMITS, depends_on(keys)),
        (Access::Missing { .. } | Access::Denied { .. }, _) => (
            false,
            "our statements would not make the copy legal".to_owned(),
        ),
    })
}

const ADMITS: &str = "whether the statement would admit the copy";

fn depends_on(keys: &[String]) -> String {
    format!("it depends on what cannot be read: {}", keys.join(", "))
}

fn is_path(key: &str) -> bool {
    key.eq_ignore_ascii_case(ORGANIZATION_PATHS)
}

pub(super) fn only_adds(question: &Question<'_>) -> Answer {
    Some(match &question.edit()?.proof {
        Ok(certificate) => {
            let certificate = certificate.to_string();
            (true, certificate.lines().collect::<Vec<_>>().join("; "))
        }
        Err(error) => (false, error.to_string()),
    })
}

/// AWS documents no limit of a vault's policy. This one is ours (inferred from AWS KMS's): a policy
/// that is longer is for its owner to look at.
const VAULT_POLICY_MAX_BYTES: usize = 32_768;

pub(super) fn size_limit(question: &Question<'_>) -> Answer {
    let edit = question.edit()?;
    let bytes = edit.after.as_str().len();
    Some(match question.target()? {
        Target::VaultPolicy(_) | Target::KeyPolicy(_) => {
            let most = match question.act {
                Act::KeyPolicy => KEY_POLICY_MAX_BYTES,
                Act::VaultPolicy | Act::ServiceLinkedRole | Act::Retry => VAULT_POLICY_MAX_BYTES,
            };
            match check_size(&edit.after, most) {
                Ok(()) => (true, format!("{bytes} of {most} bytes")),
                Err(error) => (false, error.to_string()),
            }
        }
        Target::ServiceLinkedRole(_) => return None,
    })
}
