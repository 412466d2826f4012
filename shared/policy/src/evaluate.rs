//! Evaluation of one policy.

use crate::context::Request;
use crate::document::PolicyDocument;
use crate::statement::{Effect, Statement};
use crate::truth::Truth;

/// What a policy says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed {
        /// The first statement that allows it, counted from 0.
        statement: usize,
    },
    /// Nothing allows it and nothing denies it.
    ImplicitlyDenied,
    /// A statement denies it.
    ExplicitlyDenied {
        /// The first statement that denies it, counted from 0.
        statement: usize,
    },
    /// It depends on condition keys that are unknown.
    Unknown {
        /// The keys that would decide, as the request named them, or else the policy; sorted, each
        /// once.
        keys: Vec<String>,
    },
}

impl Decision {
    /// A stable name: `allowed`, `implicitly-denied`, `explicitly-denied` or `unknown`.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allowed",
            Self::ImplicitlyDenied => "implicitly-denied",
            Self::ExplicitlyDenied { .. } => "explicitly-denied",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The statement that decided, if one did.
    #[must_use]
    pub fn statement(&self) -> Option<usize> {
        match self {
            Self::Allowed { statement } | Self::ExplicitlyDenied { statement } => Some(*statement),
            Self::ImplicitlyDenied | Self::Unknown { .. } => None,
        }
    }

    /// Whether the policy allows the request for sure.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    fn unknown(mut keys: Vec<String>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self::Unknown { keys }
    }
}

/// What `policy`, attached to the requested resource, says to the request. No other policy is
/// looked at.
///
/// An explicit deny wins; otherwise one statement that allows is enough; otherwise it is an
/// implicit deny (documented: IAM `reference_policies_evaluation-logic`). The answer is
/// [`Decision::Unknown`] only where an unknown key decides. A statement without `Principal` matches
/// no one, one without `Action` or `Resource` matches nothing (documented: KMS
/// `key-policy-overview`).
#[must_use]
pub fn evaluate(policy: &PolicyDocument, request: &Request) -> Decision {
    decide(policy.statements(), |statement| statement.applies(request))
}

/// As [`evaluate`], for a policy attached to the principal, an organization or a session: there is
/// no `Principal` to match.
#[must_use]
pub fn evaluate_without_principal(policy: &PolicyDocument, request: &Request) -> Decision {
    decide(policy.statements(), |statement| {
        statement.applies_to_any_principal(request)
    })
}

/// As [`evaluate`], for a role's trust policy: its statements have no `Resource` (documented: IAM
/// `id_roles_create_for-service`; one that has is refused by IAM), because the role is the only
/// one.
#[must_use]
pub fn evaluate_trust_policy(policy: &PolicyDocument, request: &Request) -> Decision {
    decide(policy.statements(), |statement| {
        statement.applies_to_own_role(request)
    })
}

pub(crate) fn decide(statements: &[Statement], applies: impl Fn(&Statement) -> Truth) -> Decision {
    let mut allowed = None;
    let mut may_deny = Vec::new();
    let mut may_allow = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        match (statement.effect(), applies(statement)) {
            (_, Truth::No) => {}
            (Effect::Deny, Truth::Yes) => return Decision::ExplicitlyDenied { statement: index },
            (Effect::Allow, Truth::Yes) => allowed = allowed.or(Some(index)),
            (Effect::Deny, Truth::Unknown(keys)) => may_deny.extend(keys),
            (Effect::Allow, Truth::Unknown(keys)) => may_allow.extend(keys),
        }
    }
    match allowed {
        Some(statement) if may_deny.is_empty() => Decision::Allowed { statement },
        Some(_) => Decision::unknown(may_deny),
        None if may_allow.is_empty() && may_deny.is_empty() => Decision::ImplicitlyDenied,
        None => {
            may_allow.extend(may_deny);
            Decision::unknown(may_allow)
        }
    }
}
