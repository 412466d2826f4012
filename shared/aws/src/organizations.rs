//! AWS Organizations.

use std::sync::Arc;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::EffectivePolicyType;
use copymend_diagnosis::Organization;
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallResult, Organizations};

use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::member::{optional, required, text};

const NO_ORGANIZATION: &str = "AWSOrganizationsNotInUseException";
const NO_POLICY: &str = "EffectivePolicyNotFoundException";

/// AWS Organizations, asked from inside the account. It is global: the SDK finds the endpoint of
/// the partition from the function's Region.
#[derive(Debug)]
pub struct AwsOrganizations {
    clients: Clients<Client>,
}

impl AwsOrganizations {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Client::new),
        }
    }

    async fn inside(
        &self,
        operation: &'static str,
        account: AccountId,
        partition: &str,
    ) -> CallResult<(Client, Call)> {
        let call = Call::new(operation, account.as_str());
        self.clients
            .of(call, Target::global(account, partition))
            .await
    }
}

impl Organizations for AwsOrganizations {
    async fn describe_organization(
        &self,
        account: AccountId,
        partition: &str,
    ) -> CallResult<Option<Organization>> {
        let (client, call) = self
            .inside("organizations:DescribeOrganization", account, partition)
            .await?;
        let Some(answer) = call
            .find(&[NO_ORGANIZATION], client.describe_organization().send())
            .await?
        else {
            return Ok(None);
        };
        let organization = answer
            .organization()
            .ok_or_else(|| call.unreadable("`Organization` is missing"))?;
        let read = || -> Result<Organization, String> {
            Ok(Organization {
                id: required("Id", organization.id())?,
                management_account: optional("MasterAccountId", organization.master_account_id())?,
            })
        };
        read().map(Some).map_err(|detail| call.unreadable(detail))
    }

    async fn effective_tag_policy(
        &self,
        account: AccountId,
        partition: &str,
    ) -> CallResult<Option<String>> {
        let (client, call) = self
            .inside("organizations:DescribeEffectivePolicy", account, partition)
            .await?;
        let request = client
            .describe_effective_policy()
            .policy_type(EffectivePolicyType::TagPolicy);
        let absent = &[NO_ORGANIZATION, NO_POLICY];
        let Some(answer) = call.find(absent, request.send()).await? else {
            return Ok(None);
        };
        answer
            .effective_policy()
            .and_then(|policy| text(policy.policy_content()))
            .map(Some)
            .ok_or_else(|| call.unreadable("`PolicyContent` is missing"))
    }
}
