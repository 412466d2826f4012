//! AWS Organizations.

use copymend_diagnosis::Organization;
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallErrorKind, CallResult, Organizations};

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

    async fn list_parents(
        &self,
        reader: AccountId,
        account: AccountId,
        _partition: &str,
    ) -> CallResult<Vec<String>> {
        let place = {
            let world = self.world();
            let organization = world.organization_of(account);
            organization.map(|found| (found.management_account, found.path_of(account)))
        };
        let calling = self.calling("organizations:ListParents", &account);
        // A world knows no delegated administrators.
        let Some((_, Some(path))) = place.filter(|(management, _)| *management == reader) else {
            let words =
                "AccessDeniedException: You don't have permissions to access this resource.";
            return calling.refused(CallErrorKind::AccessDenied, words).await;
        };
        calling
            .in_account(Some(reader), |_| {
                let parts = path.split('/').skip(1).filter(|part| !part.is_empty());
                parts.map(ToOwned::to_owned).collect()
            })
            .await
    }
}
