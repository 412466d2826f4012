//! AWS Organizations.

use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_diagnosis::Organization;
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallResult, Organizations};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::member::{optional, required, text};
use crate::signed::json::{error, read};
use crate::signed::{Answering, Protocol, Service, send};

const SERVICE: Service = Service {
    prefix: "organizations",
    id: "Organizations",
    name: "AWS Organizations",
};
const PROTOCOL: Protocol = Protocol {
    headers: &[("content-type", "application/x-amz-json-1.1")],
    target: Some("AWSOrganizationsV20161128"),
    error,
};

const NO_ORGANIZATION: &str = "AWSOrganizationsNotInUseException";
/// Units are nested five deep at most below the root (Organizations user guide, "Quotas",
/// documented). More than twice as many are no answer.
const DEEPEST: usize = 12;
const NO_POLICY: &str = "EffectivePolicyNotFoundException";

pub(crate) fn ask(config: &SdkConfig, action: &'static str, body: &Value) -> Answering {
    send(config, SERVICE, PROTOCOL, action, body.to_string())
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeOrganization {
    organization: Option<Described>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Described {
    id: Option<String>,
    master_account_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribeEffectivePolicy {
    effective_policy: Option<EffectivePolicy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EffectivePolicy {
    policy_content: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListParents {
    parents: Option<Vec<Parent>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Parent {
    id: Option<String>,
    r#type: Option<String>,
}

/// AWS Organizations, asked from inside the account. It is global: its endpoint is that of the partition
/// of the function's Region.
#[derive(Debug)]
pub struct AwsOrganizations {
    clients: Clients<SdkConfig>,
}

impl AwsOrganizations {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Clone::clone),
        }
    }

    pub(crate) async fn inside(
        &self,
        operation: &'static str,
        account: AccountId,
        partition: &str,
    ) -> CallResult<(SdkConfig, Call)> {
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
        let (config, call) = self
            .inside("organizations:DescribeOrganization", account, partition)
            .await?;
        let request = ask(&config, "DescribeOrganization", &json!({}));
        let Some(answer) = call.find(&[NO_ORGANIZATION], request).await? else {
            return Ok(None);
        };
        let answer: DescribeOrganization = read(&call, &answer)?;
        let organization = answer
            .organization
            .ok_or_else(|| call.unreadable("`Organization` is missing"))?;
        let read = || -> Result<Organization, String> {
            Ok(Organization {
                id: required("Id", organization.id.as_deref())?,
                management_account: optional(
                    "MasterAccountId",
                    organization.master_account_id.as_deref(),
                )?,
            })
        };
        read().map(Some).map_err(|detail| call.unreadable(detail))
    }

    async fn effective_tag_policy(
        &self,
        account: AccountId,
        partition: &str,
    ) -> CallResult<Option<String>> {
        let (config, call) = self
            .inside("organizations:DescribeEffectivePolicy", account, partition)
            .await?;
        let body = json!({ "PolicyType": "TAG_POLICY" });
        let request = ask(&config, "DescribeEffectivePolicy", &body);
        let absent = &[NO_ORGANIZATION, NO_POLICY];
        let Some(answer) = call.find(absent, request).await? else {
            return Ok(None);
        };
        let answer: DescribeEffectivePolicy = read(&call, &answer)?;
        answer
            .effective_policy
            .and_then(|policy| text(policy.policy_content.as_deref()))
            .map(Some)
            .ok_or_else(|| call.unreadable("`PolicyContent` is missing"))
    }

    async fn list_parents(
        &self,
        reader: AccountId,
        account: AccountId,
        partition: &str,
    ) -> CallResult<Vec<String>> {
        let (config, call) = self
            .inside("organizations:ListParents", reader, partition)
            .await?;
        let mut places = vec![account.to_string()];
        let mut child = account.to_string();
        loop {
            let request = ask(&config, "ListParents", &json!({ "ChildId": child }));
            let answer: ListParents = read(&call, &call.send(request).await?)?;
            // A child has one parent (API reference, `ListParents`, documented).
            let [parent] = answer.parents.as_deref().unwrap_or_default() else {
                return Err(call.unreadable(format!("`{child}` has not one parent")));
            };
            let id: String =
                required("Id", parent.id.as_deref()).map_err(|detail| call.unreadable(detail))?;
            if places.contains(&id) || places.len() > DEEPEST {
                return Err(call.unreadable("the parents do not end at a root"));
            }
            places.push(id.clone());
            match parent.r#type.as_deref() {
                Some("ROOT") => break,
                Some("ORGANIZATIONAL_UNIT") => child = id,
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
