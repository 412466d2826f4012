//! What stands over accounts: control policies, and the Regions that they have enabled.

use copymend_diagnosis::ControlPolicyKind;
use copymend_policy::AccountId;
use copymend_remediation::GuardrailReads;
use copymend_remediation::ports::{CallErrorKind, CallResult};

use crate::rules;
use crate::sandbox::Sandbox;

/// Attached everywhere beside the policies of a world (documented: Organizations
/// `orgs_manage_policies_scps` and `orgs_manage_policies_rcps`).
const FULL_ACCESS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
const FULL_ACCESS_OF_PRINCIPALS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

impl GuardrailReads for Sandbox {
    async fn control_policies(
        &self,
        reader: AccountId,
        account: AccountId,
        kind: ControlPolicyKind,
        _partition: &str,
    ) -> CallResult<Vec<Vec<String>>> {
        let management = {
            let world = self.world();
            let organization = world.organization_of(account);
            organization.map(|found| found.management_account)
        };
        let calling = self.calling("organizations:ListPoliciesForTarget", &account);
        // A world knows no delegated administrators.
        if management != Some(reader) {
            let words =
                "AccessDeniedException: You don't have permissions to access this resource.";
            return calling.refused(CallErrorKind::AccessDenied, words).await;
        }
        calling
            .in_account(Some(reader), |world| {
                let Some(organization) = world.organization_of(account) else {
                    return Vec::new();
                };
                let (policies, everything) = match kind {
                    ControlPolicyKind::Service => (
                        &organization.service_control_policies,
                        FULL_ACCESS_OF_PRINCIPALS,
                    ),
                    ControlPolicyKind::Resource => {
                        (&organization.resource_control_policies, FULL_ACCESS)
                    }
                };
                let path = organization.path_of(account).unwrap_or_default();
                let parents = path.split('/').skip(1).filter(|part| !part.is_empty());
                parents
                    .chain([account.as_str()])
                    .map(|target| {
                        let attached = policies
                            .iter()
                            .filter(|policy| policy.targets.iter().any(|one| one == target))
                            .map(|policy| policy.policy.as_str().to_owned());
                        std::iter::once(everything.to_owned())
                            .chain(attached)
                            .collect()
                    })
                    .collect()
            })
            .await
    }

    async fn is_region_enabled(
        &self,
        account: AccountId,
        region: &str,
        _partition: &str,
    ) -> CallResult<bool> {
        self.calling("account:GetRegionOptStatus", &region)
            .in_account(Some(account), |world| {
                rules::is_region_enabled(world, account, region)
            })
            .await
    }
}
