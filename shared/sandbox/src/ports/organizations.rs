//! AWS Organizations.

use copymend_diagnosis::Organization;
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallResult, Organizations};

use crate::sandbox::Sandbox;

impl Organizations for Sandbox {
    async fn describe_organization(
        &self,
        account: AccountId,
        _partition: &str,
    ) -> CallResult<Option<Organization>> {
        self.calling("organizations:DescribeOrganization", &account)
            .in_account(Some(account), |world| {
                world
                    .organization_of(account)
                    .map(|organization| Organization {
                        id: organization.id.clone(),
                        management_account: Some(organization.management_account),
                    })
            })
            .await
    }

    async fn effective_tag_policy(
        &self,
        account: AccountId,
        _partition: &str,
    ) -> CallResult<Option<String>> {
        self.calling("organizations:DescribeEffectivePolicy", &account)
            .in_account(Some(account), |world| {
                world.organization_of(account)?.effective_tag_policy()
            })
            .await
    }
}
