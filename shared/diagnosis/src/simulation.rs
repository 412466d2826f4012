//! What IAM says that a principal may do: the policy simulator's answers, or the policies
//! themselves.

use std::fmt;

use copymend_policy::{AccountId, Arn, Authorization, PolicyDocument, Request, Verdict};
use serde::Serialize;

use crate::fact::{Fact, WhyUnknown};
use crate::resource::KeyArn;

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
    /// `AllowedByOrganizations`: the service control policies, with their conditions; a condition
    /// key that nobody told counts as absent (IAM user guide, "Testing IAM policies", documented
    /// since August 2026). Absent where the account is in no organization, or where these policies
    /// were left out.
    pub allowed_by_organizations: Option<bool>,
    /// `AllowedByPermissionsBoundary`; absent where the principal has no boundary.
    pub allowed_by_permissions_boundary: Option<bool>,
    /// How many statements decided (`MatchedStatements`).
    pub matched_statements: usize,
    /// Condition keys that the policies ask for and that nobody told the simulator
    /// (`MissingContextValues`). Those that only a service control policy asks for are not among
    /// them (IAM user guide, "Testing IAM policies", documented since August 2026).
    pub missing_context_values: Vec<String>,
    /// Whether the resource is in another account than the principal.
    pub is_cross_account: bool,
    /// What the principal's own policies say, from `EvalDecisionDetails`. Only a simulation across
    /// accounts tells it.
    pub identity_decision: Option<SimulatedDecision>,
    /// Who answers.
    pub told_by: ToldBy,
}

/// Who tells what a principal may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// IAM's policy simulator.
    Simulator,
    /// The principal's policies, read one by one because the simulator told nothing. Service
    /// control policies are not among them.
    Policies,
}

impl fmt::Display for ToldBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Simulator => "the policy simulator",
            Self::Policies => "the role's policies, read one by one",
        })
    }
}

/// What `iam:SimulatePrincipalPolicy` is asked: some actions on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// The role or user.
    pub principal: Arn,
    /// The actions.
    pub actions: Vec<&'static str>,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// Condition keys that are known, such as `aws:RequestedRegion`. By itself the simulator knows
    /// `aws:PrincipalAccount`, `aws:PrincipalOrgID` and `aws:PrincipalOrgPaths`, and the ids and
    /// types of the user or principal alone (IAM user guide, "Testing IAM policies", documented
    /// since August 2026).
    pub context: Vec<ContextKey>,
    /// Whether to leave the service control policies out (`PolicyExclusionList` with the policy
    /// type `scp`, IAM API reference, `SimulatePrincipalPolicy`, documented since July 2026).
    pub without_scps: bool,
    /// Whether to leave the principal's permissions boundary out, by simulating one that allows
    /// everything (seen in public code; an empty list doesn't do it).
    pub without_boundary: bool,
}

impl Simulation {
    /// Whether the resource is in another account than the principal. One whose ARN names no
    /// account, such as a snapshot's, counts as the principal's own (IAM API reference,
    /// `SimulatePrincipalPolicy`, `ResourceOwner`, documented).
    #[must_use]
    pub fn is_cross_account(&self) -> bool {
        self.resource.parse().is_ok_and(|resource: Arn| {
            !resource.account().is_empty() && resource.account() != self.principal.account()
        })
    }
}

/// A condition key that a simulation is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextKey {
    /// The key's name, such as `aws:ResourceTag/stage`.
    pub name: String,
    /// Its values.
    pub values: ContextValues,
}

/// The values of a condition key, all of them texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValues {
    /// Of a key with one value.
    One(String),
    /// Of a key with several values, such as `backup:CopyTargets`.
    Many(Vec<String>),
}

impl ContextKey {
    /// A key with one value.
    pub fn one(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            values: ContextValues::One(value.into()),
        }
    }

    /// A key with several values.
    pub fn many(name: impl Into<String>, values: impl IntoIterator<Item = String>) -> Self {
        Self {
            name: name.into(),
            values: ContextValues::Many(values.into_iter().collect()),
        }
    }

    /// The values, in order.
    #[must_use]
    pub fn values(&self) -> &[String] {
        match &self.values {
            ContextValues::One(value) => std::slice::from_ref(value),
            ContextValues::Many(values) => values,
        }
    }
}

/// What the simulator says of the calls that the job role makes on one key with its own permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedKey {
    /// The key.
    pub key: KeyArn,
    /// The answers, one a call, as the role is but without service control policies: those of AWS
    /// KMS's condition keys that depend on the service which calls can't be told, and the simulator
    /// takes such a key as absent where only a service control policy asks for it.
    pub actions: Fact<Vec<SimulatedAction>>,
}

impl SimulatedKey {
    /// Why nothing is known of it.
    pub(crate) const fn unknown(&self) -> Option<&WhyUnknown> {
        self.actions.unknown()
    }
}

/// What an answer of the simulator means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Simulated {
    /// Identity policies, boundary and service control policies allow it.
    Allowed,
    /// The service control policies don't, with the condition keys that the simulator was told. The
    /// simulation ends there: what the principal's own policies say takes a simulation without them
    /// (IAM API reference, `EvaluationResult`, documented).
    NotByOrganization,
    /// The permissions boundary doesn't. What the identity policies say takes a simulation without
    /// the boundary.
    NotByBoundary,
    /// An identity policy denies it.
    DeniedByIdentity,
    /// No identity policy allows it.
    NotByIdentity,
    /// The simulator can't tell: a condition key is missing, a statement allows what it says is
    /// denied, or the resource is in another account and it doesn't say what the principal's own
    /// policies make of it.
    Unclear,
}

impl SimulatedAction {
    /// What the answer means for the principal.
    ///
    /// On a resource of another account both sides must allow, and for a role no resource policy
    /// can be passed (IAM API reference, `EvaluationResult` and `SimulatePrincipalPolicy`,
    /// documented): a denial says nothing about the principal there, unless the identity side of
    /// the details does.
    ///
    /// A denial that comes with statements that decided, but that neither a Deny, the boundary nor
    /// the organization explains, is not believed (inferred).
    #[must_use]
    pub fn meaning(&self) -> Simulated {
        if self.decision == SimulatedDecision::Allowed {
            Simulated::Allowed
        } else if self.allowed_by_organizations == Some(false) {
            Simulated::NotByOrganization
        } else if self.allowed_by_permissions_boundary == Some(false) {
            Simulated::NotByBoundary
        } else if self.is_cross_account {
            self.meaning_across_accounts()
        } else if self.decision == SimulatedDecision::ExplicitDeny {
            Simulated::DeniedByIdentity
        } else {
            self.not_allowed()
        }
    }

    fn meaning_across_accounts(&self) -> Simulated {
        match (self.identity_decision, self.decision) {
            (Some(SimulatedDecision::ExplicitDeny), _)
            | (None, SimulatedDecision::ExplicitDeny) => Simulated::DeniedByIdentity,
            (Some(SimulatedDecision::Allowed), SimulatedDecision::ImplicitDeny) => {
                Simulated::Allowed
            }
            (Some(SimulatedDecision::ImplicitDeny), SimulatedDecision::ImplicitDeny) => {
                self.not_allowed()
            }
            (None, SimulatedDecision::ImplicitDeny | SimulatedDecision::Allowed)
            | (Some(_), SimulatedDecision::ExplicitDeny | SimulatedDecision::Allowed) => {
                Simulated::Unclear
            }
        }
    }

    fn not_allowed(&self) -> Simulated {
        let contradicts = self.identity_decision.is_none() && self.matched_statements > 0;
        if contradicts || !self.missing_context_values.is_empty() {
            Simulated::Unclear
        } else {
            Simulated::NotByIdentity
        }
    }
}

/// A request with these condition keys and those that follow from who asks. Keys that aren't stated
/// are unknown.
pub(crate) fn request(
    principal: &str,
    action: &str,
    resource: &str,
    context: &[ContextKey],
) -> Request {
    let request = Request::new(principal, action, resource);
    context
        .iter()
        .fold(request, |request, key| {
            request.with_context(&key.name, key.values().to_vec())
        })
        .with_other_keys_unknown()
}

/// The policies of a role or user, read one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrincipalPolicies {
    /// Inline and attached policies, those of a user's groups included.
    pub identity: Vec<PolicyDocument>,
    /// The permissions boundary, if there is one.
    pub boundary: Option<PolicyDocument>,
}

impl PrincipalPolicies {
    /// What the policies answer to a question for the simulator, an answer an action: the
    /// principal's own side alone, without service control policies and resource policies. A
    /// condition key that the simulator isn't told is unknown here, never absent: an answer that
    /// depends on one is [`Simulated::Unclear`].
    #[must_use]
    pub fn answers(&self, question: &Simulation) -> Vec<SimulatedAction> {
        let Some(account) = question.principal.account_id() else {
            return Vec::new();
        };
        let actions = question.actions.iter();
        actions
            .map(|action| self.answer(question, action, account))
            .collect()
    }

    fn answer(&self, question: &Simulation, action: &str, account: AccountId) -> SimulatedAction {
        let principal = question.principal.as_str();
        let request = request(principal, action, &question.resource, &question.context);
        let boundary = self.boundary.as_ref();
        let boundary = boundary.filter(|_| !question.without_boundary);
        let answer = |identity: &[PolicyDocument]| {
            Authorization {
                request: request.clone(),
                // The other side of a resource in another account is not asked for.
                resource_account: account,
                identity: identity.to_vec(),
                boundary: None,
                session: None,
                scps: Vec::new(),
                rcps: Vec::new(),
                resource_policy: None,
            }
            .decide()
            .decision
        };
        // Each by itself, as if it were all the principal has.
        let identity = answer(&self.identity);
        let boundary = boundary.map(|boundary| answer(std::slice::from_ref(boundary)));
        let both = || std::iter::once(&identity).chain(&boundary);
        let mut missing_context_values = Vec::new();
        for verdict in both() {
            if let Verdict::Unknown { keys } = verdict {
                missing_context_values.extend(keys.iter().cloned());
            }
        }
        let is_allowed = |verdict: &Verdict| *verdict == Verdict::Allowed;
        let decision = if both().all(is_allowed) {
            SimulatedDecision::Allowed
        } else if missing_context_values.is_empty()
            && both().any(|verdict| *verdict == Verdict::ExplicitlyDenied)
        {
            SimulatedDecision::ExplicitDeny
        } else {
            // What hangs on an unknown key is no denial, and no permission.
            SimulatedDecision::ImplicitDeny
        };
        SimulatedAction {
            action: action.to_owned(),
            resource: question.resource.clone(),
            decision,
            allowed_by_organizations: None,
            allowed_by_permissions_boundary: match &boundary {
                None | Some(Verdict::Unknown { .. }) => None,
                Some(verdict) => Some(is_allowed(verdict)),
            },
            matched_statements: 0,
            missing_context_values,
            is_cross_account: false,
            identity_decision: None,
            told_by: ToldBy::Policies,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECISIONS: [SimulatedDecision; 3] = [
        SimulatedDecision::Allowed,
        SimulatedDecision::ExplicitDeny,
        SimulatedDecision::ImplicitDeny,
    ];

    fn across_accounts(
        decision: SimulatedDecision,
        identity_decision: Option<SimulatedDecision>,
    ) -> SimulatedAction {
        SimulatedAction {
            action: "backup:CopyIntoBackupVault".to_owned(),
            resource: "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr".to_owned(),
            decision,
            allowed_by_organizations: Some(true),
            allowed_by_permissions_boundary: None,
            matched_statements: 0,
            missing_context_values: Vec::new(),
            is_cross_account: true,
            identity_decision,
            told_by: ToldBy::Simulator,
        }
    }

    #[test]
    fn a_denial_in_another_account_says_nothing_about_the_role_unless_its_own_side_is_told() {
        let implicit = SimulatedDecision::ImplicitDeny;
        let silent = across_accounts(implicit, None);
        assert_eq!(silent.meaning(), Simulated::Unclear);
        for (told, meaning) in [
            (SimulatedDecision::Allowed, Simulated::Allowed),
            (SimulatedDecision::ImplicitDeny, Simulated::NotByIdentity),
            (SimulatedDecision::ExplicitDeny, Simulated::DeniedByIdentity),
        ] {
            assert_eq!(across_accounts(implicit, Some(told)).meaning(), meaning);
        }
        let here = SimulatedAction {
            is_cross_account: false,
            ..silent
        };
        assert_eq!(here.meaning(), Simulated::NotByIdentity);
    }

    #[test]
    fn nothing_but_a_told_denial_of_its_own_side_blames_the_role_in_another_account() {
        for decision in DECISIONS {
            for told in [None].into_iter().chain(DECISIONS.map(Some)) {
                let blames_the_role = matches!(
                    across_accounts(decision, told).meaning(),
                    Simulated::DeniedByIdentity | Simulated::NotByIdentity
                );
                let is_told = decision != SimulatedDecision::Allowed
                    && matches!(
                        told,
                        Some(SimulatedDecision::ExplicitDeny | SimulatedDecision::ImplicitDeny)
                    );
                let is_explicit = decision == SimulatedDecision::ExplicitDeny && told.is_none();
                assert!(
                    !blames_the_role || is_told || is_explicit,
                    "{decision:?} {told:?}"
                );
            }
        }
    }

    #[test]
    fn a_missing_condition_key_leaves_the_own_side_open() {
        let mut action = across_accounts(
            SimulatedDecision::ImplicitDeny,
            Some(SimulatedDecision::ImplicitDeny),
        );
        action.missing_context_values = vec!["aws:SourceIp".to_owned()];
        assert_eq!(action.meaning(), Simulated::Unclear);
    }

    #[test]
    fn service_control_policies_and_the_boundary_come_before_the_own_side() {
        let mut action = across_accounts(
            SimulatedDecision::ImplicitDeny,
            Some(SimulatedDecision::Allowed),
        );
        action.allowed_by_permissions_boundary = Some(false);
        assert_eq!(action.meaning(), Simulated::NotByBoundary);
        action.allowed_by_organizations = Some(false);
        assert_eq!(action.meaning(), Simulated::NotByOrganization);
    }
}
