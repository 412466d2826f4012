//! What stands over a planned copy beside its own facts: the organization's policies, the job role's
//! policies in full, and which Regions an account has enabled.

use std::collections::BTreeMap;

use copymend_policy::{AccountId, PolicyDocument};

use crate::causes::{
    bound_key_owners, keys_in_opt_in_regions, keys_of_job_role, may_be_under_service_control,
};
use crate::fact::{Fact, WhyUnknown};
use crate::facts::Facts;
use crate::job::BackupCopy;
use crate::simulation::PrincipalPolicies;

/// Service or resource control policies over an account: one list a level, root first, with AWS's own
/// `FullAWSAccess` where it is attached. No level at all where none binds the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlPolicies {
    /// The levels.
    pub levels: Vec<Vec<PolicyDocument>>,
}

/// Which control policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ControlPolicyKind {
    /// Service control policies, which bind the principals of an account.
    Service,
    /// Resource control policies, which bind the resources of an account.
    Resource,
}

impl ControlPolicyKind {
    /// The kind as AWS Organizations names it (Organizations API reference, `PolicyType`,
    /// documented).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "SERVICE_CONTROL_POLICY",
            Self::Resource => "RESOURCE_CONTROL_POLICY",
        }
    }
}

/// What was read. A diagnosis of a failed copy needs none of it, since AWS's message tells more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guardrails {
    /// The job role's policies, read one by one; `None` inside where there is no such role. Not asked
    /// where it uses no key.
    pub job_role_policies: Option<Fact<Option<PrincipalPolicies>>>,
    /// The service control policies over the source account. Not asked where none binds it.
    pub service_control: Option<Fact<ControlPolicies>>,
    /// The resource control policies over the accounts that own keys of the job role.
    pub resource_control: BTreeMap<AccountId, Fact<ControlPolicies>>,
    /// The destination account's path in its organization, the value of `backup:CopyTargetOrgPaths`.
    pub destination_path: Option<Fact<String>>,
    /// Whether accounts have enabled Regions that each account must enable first.
    pub regions: BTreeMap<(AccountId, String), Fact<bool>>,
}

/// What is worth reading for a copy, by its facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardrailQuestions {
    /// Whether the job role's policies matter in full.
    pub job_role_policies: bool,
    /// The account whose service control policies matter.
    pub service_control: Option<AccountId>,
    /// The accounts whose resource control policies matter.
    pub resource_control: Vec<AccountId>,
    /// The account whose path in its organization matters.
    pub path_of: Option<AccountId>,
    /// The accounts and Regions that must be enabled.
    pub regions: Vec<(AccountId, String)>,
}

impl GuardrailQuestions {
    /// What is worth reading.
    #[must_use]
    pub fn of(copy: &BackupCopy, facts: &Facts) -> Self {
        let bound = may_be_under_service_control(copy, facts);
        let mut regions: Vec<(AccountId, String)> = keys_in_opt_in_regions(copy, facts)
            .iter()
            .map(|key| (key.user, key.region.to_owned()))
            .collect();
        regions.sort();
        regions.dedup();
        Self {
            job_role_policies: !keys_of_job_role(copy, facts).is_empty(),
            service_control: bound.then_some(copy.account),
            resource_control: bound_key_owners(copy, facts),
            path_of: bound.then_some(copy.destination_account),
            regions,
        }
    }
}

impl Guardrails {
    /// Every read that told nothing.
    pub fn unknown(&self) -> impl Iterator<Item = &WhyUnknown> {
        let Self {
            job_role_policies,
            service_control,
            resource_control,
            destination_path,
            regions,
        } = self;
        [
            job_role_policies.as_ref().and_then(Fact::unknown),
            service_control.as_ref().and_then(Fact::unknown),
            destination_path.as_ref().and_then(Fact::unknown),
        ]
        .into_iter()
        .flatten()
        .chain(resource_control.values().filter_map(Fact::unknown))
        .chain(regions.values().filter_map(Fact::unknown))
    }
}
