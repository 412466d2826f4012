//! Service and resource control policies with their ids, as AWS Organizations tells them.

use copymend_diagnosis::ControlPolicyKind;

use super::{Organization, OrganizationPolicy};
use crate::ids;

/// Attached everywhere beside the policies of a world (documented: Organizations
/// `orgs_manage_policies_scps` and `orgs_manage_policies_rcps`).
const FULL_ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
const FULL_ACCESS_OF_PRINCIPALS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

const KINDS: [ControlPolicyKind; 2] = [ControlPolicyKind::Service, ControlPolicyKind::Resource];

/// A service or resource control policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlPolicy {
    /// The id, such as `p-FullAWSAccess`.
    pub id: String,
    /// The name, for people.
    pub name: String,
    /// Which of the two it is.
    pub kind: ControlPolicyKind,
    /// The policy as it was written.
    pub text: String,
    /// Whether AWS made it.
    pub is_aws_managed: bool,
}

impl ControlPolicy {
    fn full_access(kind: ControlPolicyKind) -> Self {
        let (name, text) = match kind {
            ControlPolicyKind::Service => ("FullAWSAccess", FULL_ACCESS_OF_PRINCIPALS),
            ControlPolicyKind::Resource => ("RCPFullAWSAccess", FULL_ACCESS),
        };
        Self {
            id: format!("p-{name}"),
            name: name.to_owned(),
            kind,
            text: text.to_owned(),
            is_aws_managed: true,
        }
    }

    /// The policy at a place of an organization's list.
    fn of(
        organization: &Organization,
        kind: ControlPolicyKind,
        (place, policy): (usize, &OrganizationPolicy),
    ) -> Self {
        let place = place.to_string();
        let parts = [&organization.id, kind.as_str(), &place, &policy.name];
        Self {
            id: format!("p-{}", ids::short(&parts)),
            name: policy.name.clone(),
            kind,
            text: policy.policy.as_str().to_owned(),
            is_aws_managed: false,
        }
    }
}

impl Organization {
    /// The policies of a kind that are attached to an account, a unit or the root itself, in no
    /// order that AWS promises. Nothing where the organization has no such target.
    #[must_use]
    pub fn control_policies_of(
        &self,
        target: &str,
        kind: ControlPolicyKind,
    ) -> Option<Vec<ControlPolicy>> {
        if !self.has_target(target) {
            return None;
        }
        let attached = self.control_policies(kind).iter().enumerate();
        let attached = attached
            .filter(|(_, policy)| policy.targets.iter().any(|one| one == target))
            .map(|policy| ControlPolicy::of(self, kind, policy));
        let everywhere = ControlPolicy::full_access(kind);
        Some(std::iter::once(everywhere).chain(attached).collect())
    }

    /// The policy with an id.
    #[must_use]
    pub fn control_policy(&self, id: &str) -> Option<ControlPolicy> {
        KINDS.into_iter().find_map(|kind| {
            let own = self.control_policies(kind).iter().enumerate();
            own.map(|policy| ControlPolicy::of(self, kind, policy))
                .chain([ControlPolicy::full_access(kind)])
                .find(|policy| policy.id == id)
        })
    }

    const fn control_policies(&self, kind: ControlPolicyKind) -> &Vec<OrganizationPolicy> {
        match kind {
            ControlPolicyKind::Service => &self.service_control_policies,
            ControlPolicyKind::Resource => &self.resource_control_policies,
        }
    }

    /// Whether it is an account of the organization, a unit above one, or the root.
    fn has_target(&self, target: &str) -> bool {
        let members = self.member_accounts.keys().copied();
        members.chain([self.management_account]).any(|account| {
            let path = self.path_of(account).unwrap_or_default();
            account.as_str() == target
                // The first part is the organization.
                || path.split('/').skip(1).any(|part| !part.is_empty() && part == target)
        })
    }
}
