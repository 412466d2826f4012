//! All needs of a call or job, held against the facts.

use copymend_policy::{Arn, Layer};

use super::access::{Own, Principal, answer};
use super::facts::CallerFacts;
use super::needs::Need;
use crate::fact::Fact;
use crate::permission::{PermissionAnswer, PermissionState};

/// The answer to each need, in the order of the needs.
///
/// `entity` is the role or user; `acting_as` the ARN that the request carried, such as a role's session. Without an entity
/// nothing can be told.
#[must_use]
pub fn permissions(
    needs: &[Need],
    entity: Option<&Arn>,
    acting_as: &str,
    facts: &CallerFacts,
) -> Vec<PermissionAnswer> {
    let one = |(index, need): (usize, &Need)| {
        let Some(entity) = entity else {
            return need
                .unknown("the caller is no IAM role or user whose policies can be looked at");
        };
        let simulated = facts.access.simulated.get(index);
        let own = match (simulated, &facts.access.policies) {
            (Some(fact), _) if fact.as_is.known().is_some() => match &fact.as_is {
                Fact::Known(action) => Own::Simulated(fact, action),
                Fact::Unknown(why) => Own::Unknown(why.to_string()),
            },
            (_, Some(Fact::Known(Some(policies)))) => Own::Policies(policies),
            (_, Some(Fact::Known(None))) => Own::Unknown(format!("`{entity}` does not exist")),
            (_, Some(Fact::Unknown(why))) => Own::Unknown(why.to_string()),
            (Some(fact), None) => Own::Unknown(
                fact.as_is
                    .unknown()
                    .map_or_else(String::new, ToString::to_string),
            ),
            (None, None) => Own::Unknown("it was not asked".to_owned()),
        };
        let principal = Principal { entity, acting_as };
        answer(need, principal, &own, facts.key.as_ref())
    };
    needs.iter().enumerate().map(one).collect()
}

impl Need {
    /// The answer to it, from what was looked at.
    pub(super) fn answered(
        &self,
        state: PermissionState,
        blocked_by: Vec<Layer>,
        detail: impl Into<String>,
    ) -> PermissionAnswer {
        PermissionAnswer {
            action: self.action.to_owned(),
            resource: self.resource.clone(),
            state,
            blocked_by,
            detail: detail.into(),
            is_from_message: false,
        }
    }

    /// Why it can't be told.
    pub(super) fn unknown(&self, why: impl Into<String>) -> PermissionAnswer {
        self.answered(PermissionState::Unknown, Vec::new(), why)
    }
}
