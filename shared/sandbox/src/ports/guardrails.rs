//! What stands over accounts: control policies, and the Regions that they have enabled.

use copymend_diagnosis::ControlPolicyKind;
use copymend_policy::AccountId;
use copymend_remediation::GuardrailReads;
use copymend_remediation::ports::{CallErrorKind, CallResult};

use super::Calling;
use crate::rules;
use crate::sandbox::Sandbox;
use crate::world::{ControlPolicy, Organization, World};

/// A Region, as an account has it (Account Management API reference, `GetRegionOptStatus`,
/// documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionOptStatus {
    /// Every account has it.
    EnabledByDefault,
    /// The account has opted in to it.
    Enabled,
    /// The account has not opted in to it.
    Disabled,
}

impl RegionOptStatus {
    /// The status as AWS names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EnabledByDefault => "ENABLED_BY_DEFAULT",
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }

    const fn is_usable(self) -> bool {
        match self {
            Self::EnabledByDefault | Self::Enabled => true,
            Self::Disabled => false,
        }
    }
}

impl Calling<'_> {
    /// A read of the organization's policies, which AWS answers the management account and
    /// delegated administrators (Organizations API reference, documented); a world knows none of
    /// these.
    async fn of_management<T>(
        &self,
        reader: AccountId,
        read: impl FnOnce(&Organization) -> Option<T>,
        absent: &str,
    ) -> CallResult<T> {
        let manages = |world: &World| {
            let organization = world.organization_of(reader)?;
            Some(organization.management_account == reader)
        };
        let manages = manages(&self.sandbox.world());
        let refused = match manages {
            Some(true) => None,
            Some(false) => Some((
                CallErrorKind::AccessDenied,
                "AccessDeniedException: You don't have permissions to access this resource.",
            )),
            None => Some((
                CallErrorKind::Failed,
                "AWSOrganizationsNotInUseException: Your account is not a member of an organization.",
            )),
        };
        if let Some((kind, words)) = refused {
            return self.refused(kind, words).await;
        }
        let found = self
            .in_account(Some(reader), |world| {
                world.organization_of(reader).and_then(read)
            })
            .await?;
        found.ok_or_else(|| self.error(CallErrorKind::Failed, absent))
    }
}

impl Sandbox {
    /// `ListPoliciesForTarget`, asked in `reader`.
    pub async fn list_policies_for_target(
        &self,
        reader: AccountId,
        target: &str,
        kind: ControlPolicyKind,
    ) -> CallResult<Vec<ControlPolicy>> {
        let calling = self.calling("organizations:ListPoliciesForTarget", &target);
        let read = |organization: &Organization| organization.control_policies_of(target, kind);
        let absent = "TargetNotFoundException: You specified a target that doesn't exist.";
        calling.of_management(reader, read, absent).await
    }

    /// `DescribePolicy`, asked in `reader`.
    pub async fn describe_policy(&self, reader: AccountId, id: &str) -> CallResult<ControlPolicy> {
        let calling = self.calling("organizations:DescribePolicy", &id);
        let read = |organization: &Organization| organization.control_policy(id);
        let absent = "PolicyNotFoundException: You specified a policy that doesn't exist.";
        calling.of_management(reader, read, absent).await
    }

    /// `GetRegionOptStatus`, asked in the account itself.
    pub async fn region_opt_status(
        &self,
        account: AccountId,
        region: &str,
    ) -> CallResult<RegionOptStatus> {
        self.calling("account:GetRegionOptStatus", &region)
            .in_account(Some(account), |world| {
                match (
                    rules::is_opt_in(region),
                    rules::is_region_enabled(world, account, region),
                ) {
                    (false, _) => RegionOptStatus::EnabledByDefault,
                    (true, true) => RegionOptStatus::Enabled,
                    (true, false) => RegionOptStatus::Disabled,
                }
            })
            .await
    }
}

impl GuardrailReads for Sandbox {
    async fn policies_for_target(
        &self,
        reader: AccountId,
        target: &str,
        kind: ControlPolicyKind,
        _partition: &str,
    ) -> CallResult<Vec<String>> {
        let attached = self.list_policies_for_target(reader, target, kind).await?;
        Ok(attached.into_iter().map(|policy| policy.id).collect())
    }

    async fn policy_text(
        &self,
        reader: AccountId,
        policy: &str,
        _partition: &str,
    ) -> CallResult<String> {
        Ok(self.describe_policy(reader, policy).await?.text)
    }

    async fn is_region_enabled(
        &self,
        account: AccountId,
        region: &str,
        _partition: &str,
    ) -> CallResult<bool> {
        let status = self.region_opt_status(account, region).await?;
        Ok(status.is_usable())
    }
}
