//! AWS Organizations.

use std::sync::Arc;

use aws_sdk_organizations::Client;
use aws_sdk_organizations::types::{EffectivePolicyType, ParentType};
use copymend_diagnosis::Organization;
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallResult, Organizations};

use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::member::{optional, required, text};

const NO_ORGANIZATION: &str = "AWSOrganizationsNotInUseException";
/// Units are nested five deep at most below the root (Organizations user guide, "Quotas",
/// documented). More than twice as many are no answer.
const DEEPEST: usize = 12;
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

    pub(crate) async fn inside(
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

    async fn list_parents(
        &self,
        reader: AccountId,
        account: AccountId,
        partition: &str,
    ) -> CallResult<Vec<String>> {
        let (client, call) = self
            .inside("organizations:ListParents", reader, partition)
            .await?;
        let mut places = vec![account.to_string()];
        let mut child = account.to_string();
        loop {
            let answer = call
                .send(client.list_parents().child_id(&child).send())
                .await?;
            // A child has one parent (API reference, `ListParents`, documented).
            let [parent] = answer.parents() else {
                return Err(call.unreadable(format!("`{child}` has not one parent")));
            };
            let id: String =
                required("Id", parent.id()).map_err(|detail| call.unreadable(detail))?;
            if places.contains(&id) || places.len() > DEEPEST {
                return Err(call.unreadable("the parents do not end at a root"));
            }
            places.push(id.clone());
            match parent.r#type() {
                Some(ParentType::Root) => break,
                Some(ParentType::OrganizationalUnit) => child = id,
                other => {
                    let words = format!("`Type` is {other:?}");
                    return Err(call.unreadable(words));
                }
            }
        }
        // From the root down, without the account itself.
        Ok(places.into_iter().skip(1).rev().collect())
    }
}
