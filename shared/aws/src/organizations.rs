//! AWS Organizations.

use std::sync::Arc;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::EffectivePolicyType;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use copymend_diagnosis::Organization;
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallResult, Organizations};

use crate::accounts::{Accounts, Clients, Target};
use crate::copy_job::{optional, required, text};
use crate::error::Call;

const ABSENT: &str = "AWSOrganizationsNotInUseException";
/// What `DescribeEffectivePolicy` answers where no tag policy is in effect.
const NO_POLICY: [&str; 2] = [ABSENT, "EffectivePolicyNotFoundException"];

/// AWS Organizations, asked from inside the account. It is global: the SDK finds the endpoint of the partition from the
/// function's Region.
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
}

impl Organizations for AwsOrganizations {
    async fn describe_organization(
        &self,
        account: AccountId,
        partition: &str,
    ) -> CallResult<Option<Organization>> {
        let target = Target {
            account,
            partition: Some(partition),
            region: None,
        };
        let (client, call) = self
            .clients
            .of(
                Call::new("organizations:DescribeOrganization", account.as_str()),
                target,
            )
            .await?;
        let Some(answer) = call
            .find(ABSENT, client.describe_organization().send())
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
        let target = Target {
            account,
            partition: Some(partition),
            region: None,
        };
        let (client, call) = self
            .clients
            .of(
                Call::new("organizations:DescribeEffectivePolicy", account.as_str()),
                target,
            )
            .await?;
        let request = client
            .describe_effective_policy()
            .policy_type(EffectivePolicyType::TagPolicy);
        let answer = match call.try_send(request.send()).await {
            Ok(answer) => answer,
            Err(error)
                if error
                    .as_service_error()
                    .and_then(ProvideErrorMetadata::code)
                    .is_some_and(|code| NO_POLICY.contains(&code)) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(call.failed(&error)),
        };
        answer
            .effective_policy()
            .and_then(|policy| text(policy.policy_content()))
            .ok_or_else(|| call.unreadable("`PolicyContent` is missing"))
            .map(Some)
    }
}
