//! What IAM says that a principal may do: the policy simulator's answers, or the policies themselves.

use copymend_policy::PolicyDocument;
use serde::Serialize;

/// The simulator's decision (IAM API reference, `EvaluationResult`, documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimulatedDecision {
    /// `allowed`.
    Allowed,
    /// `explicitDeny`.
    ExplicitDeny,
    /// `implicitDeny`.
    ImplicitDeny,
}

/// The simulator's answer to one action on one resource, from `iam:SimulatePrincipalPolicy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedAction {
    /// The action, such as `backup:CopyIntoBackupVault`.
    pub action: String,
    /// The resource that was asked about.
    pub resource: String,
    /// `EvalDecision`.
    pub decision: SimulatedDecision,
    /// `AllowedByOrganizations`; absent where the account is in no organization.
    pub allowed_by_organizations: Option<bool>,
    /// `AllowedByPermissionsBoundary`; absent where the principal has no boundary.
    pub allowed_by_permissions_boundary: Option<bool>,
    /// How many statements decided (`MatchedStatements`).
    pub matched_statements: usize,
    /// Condition keys that the policies ask for and that nobody told the simulator (`MissingContextValues`).
    pub missing_context_values: Vec<String>,
}

/// What an answer of the simulator means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Simulated {
    /// Identity policies, boundary and service control policies allow it.
    Allowed,
    /// The service control policies don't. The simulation ends there: what the principal's own policies say is not told
    /// (IAM API reference, `EvaluationResult`, documented).
    NotByOrganization,
    /// The permissions boundary doesn't. What the identity policies say takes a simulation without the boundary.
    NotByBoundary,
    /// An identity policy denies it.
    DeniedByIdentity,
    /// No identity policy allows it.
    NotByIdentity,
    /// The simulator can't tell: a condition key is missing, or a statement allows what it says is denied.
    Unclear,
}

impl SimulatedAction {
    /// What the answer means.
    ///
    /// A denial that comes with statements that decided, but that neither a Deny, the boundary nor the organization explains,
    /// is not believed: the resource is in another account, and the simulator knows no policy of it (inferred).
    #[must_use]
    pub fn meaning(&self) -> Simulated {
        if self.decision == SimulatedDecision::Allowed {
            Simulated::Allowed
        } else if self.allowed_by_organizations == Some(false) {
            Simulated::NotByOrganization
        } else if self.allowed_by_permissions_boundary == Some(false) {
            Simulated::NotByBoundary
        } else if self.decision == SimulatedDecision::ExplicitDeny {
            Simulated::DeniedByIdentity
        } else if !self.missing_context_values.is_empty() || self.matched_statements > 0 {
            Simulated::Unclear
        } else {
            Simulated::NotByIdentity
        }
    }
}

/// The policies of a role or user, read one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalPolicies {
    /// Inline and attached policies, those of a user's groups included.
    pub identity: Vec<PolicyDocument>,
    /// The permissions boundary, if there is one.
    pub boundary: Option<PolicyDocument>,
}
