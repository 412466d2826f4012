//! What stands over accounts: the organization's policies, and the Regions that they have enabled.

use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_diagnosis::ControlPolicyKind;
use copymend_policy::AccountId;
use copymend_remediation::GuardrailReads;
use copymend_remediation::ports::CallResult;
use serde::Deserialize;
use serde_json::json;

use crate::accounts::{Accounts, Clients, Target};
use crate::environment::AwsEnvironment;
use crate::error::Call;
use crate::member::text;
use crate::organizations::{AwsOrganizations, ask};
use crate::pages;
use crate::signed::json::read;
use crate::signed::{Answering, Line, Protocol, Service, send_to};

const LIST_POLICIES: &str = "organizations:ListPoliciesForTarget";
const DESCRIBE_POLICY: &str = "organizations:DescribePolicy";
const REGION_STATUS: &str = "account:GetRegionOptStatus";

const ACCOUNT: Service = Service {
    prefix: "account",
    id: "Account",
    name: "AWS Account Management",
};
const PROTOCOL: Protocol = Protocol {
    headers: &[("content-type", "application/json")],
    target: None,
    error: crate::signed::json::error,
};

/// AWS Account Management, asked from inside an account.
#[derive(Debug)]
pub(crate) struct AwsAccountManagement {
    clients: Clients<SdkConfig>,
}

fn region_opt_status(config: &SdkConfig, region: &str) -> Answering {
    let body = json!({ "RegionName": region }).to_string();
    let line = Line::post("/getRegionOptStatus".to_owned());
    send_to(config, ACCOUNT, PROTOCOL, "GetRegionOptStatus", line, body)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RegionOptStatus {
    region_opt_status: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ListPoliciesForTarget {
    next_token: Option<String>,
    policies: Option<Vec<PolicySummary>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PolicySummary {
    id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DescribePolicy {
    policy: Option<Policy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Policy {
    content: Option<String>,
}

/// The statuses of a Region that can be used (Account Management API reference, `GetRegionOptStatus`,
/// documented). One that is being enabled or disabled is not yet or no longer one.
const USABLE: [&str; 2] = ["ENABLED", "ENABLED_BY_DEFAULT"];
const NOT_USABLE: [&str; 3] = ["ENABLING", "DISABLING", "DISABLED"];

/// The Region that answers for a partition (AWS General Reference, "AWS Account Management endpoints",
/// documented for `aws` and `aws-cn`).
fn home(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("us-east-1"),
        "aws-cn" => Some("cn-northwest-1"),
        _ => None,
    }
}

impl AwsAccountManagement {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Clone::clone),
        }
    }

    async fn is_enabled(
        &self,
        account: AccountId,
        region: &str,
        partition: &str,
    ) -> CallResult<bool> {
        let call = Call::new(REGION_STATUS, region);
        let target = Target {
            region: home(partition),
            ..Target::global(account, partition)
        };
        let (config, call) = self.clients.of(call, target).await?;
        let answer = call.send(region_opt_status(&config, region)).await?;
        let status: RegionOptStatus = read(&call, &answer)?;
        match status.region_opt_status.as_str() {
            status if USABLE.contains(&status) => Ok(true),
            status if NOT_USABLE.contains(&status) => Ok(false),
            status => Err(call.unreadable(format!("`RegionOptStatus` is {status}"))),
        }
    }
}

impl AwsOrganizations {
    async fn ids_of_policies(
        &self,
        reader: AccountId,
        target: &str,
        kind: ControlPolicyKind,
        partition: &str,
    ) -> CallResult<Vec<String>> {
        let (config, call) = self.inside(LIST_POLICIES, reader, partition).await?;
        let filter = match kind {
            ControlPolicyKind::Service => "SERVICE_CONTROL_POLICY",
            ControlPolicyKind::Resource => "RESOURCE_CONTROL_POLICY",
        };
        let list = |from: Option<&str>| {
            let mut body = json!({ "TargetId": target, "Filter": filter });
            if let (Some(from), Some(body)) = (from, body.as_object_mut()) {
                body.insert("NextToken".to_owned(), from.into());
            }
            ask(&config, "ListPoliciesForTarget", &body)
        };
        let listed = pages::of(&call, list, |page| {
            let page: ListPoliciesForTarget = read(&call, page)?;
            let next = pages::token(page.next_token.as_deref());
            Ok((page.policies.unwrap_or_default(), next))
        })
        .await?;
        let ids = listed.iter().map(|policy| {
            text(policy.id.as_deref()).ok_or_else(|| call.unreadable("`Id` is missing"))
        });
        ids.collect()
    }

    async fn text_of_policy(
        &self,
        reader: AccountId,
        policy: &str,
        partition: &str,
    ) -> CallResult<String> {
        let (config, call) = self.inside(DESCRIBE_POLICY, reader, partition).await?;
        let body = json!({ "PolicyId": policy });
        let answer = call.send(ask(&config, "DescribePolicy", &body)).await?;
        let answer: DescribePolicy = read(&call, &answer)?;
        let content = answer
            .policy
            .and_then(|policy| text(policy.content.as_deref()));
        content.ok_or_else(|| call.unreadable("`Content` is missing"))
    }
}

impl<Access: Send + Sync> GuardrailReads for AwsEnvironment<Access> {
    async fn policies_for_target(
        &self,
        reader: AccountId,
        target: &str,
        kind: ControlPolicyKind,
        partition: &str,
    ) -> CallResult<Vec<String>> {
        let organizations = self.organizations_of_aws();
        organizations
            .ids_of_policies(reader, target, kind, partition)
            .await
    }

    async fn policy_text(
        &self,
        reader: AccountId,
        policy: &str,
        partition: &str,
    ) -> CallResult<String> {
        let organizations = self.organizations_of_aws();
        organizations
            .text_of_policy(reader, policy, partition)
            .await
    }

    async fn is_region_enabled(
        &self,
        account: AccountId,
        region: &str,
        partition: &str,
    ) -> CallResult<bool> {
        let management = self.account_management();
        management.is_enabled(account, region, partition).await
    }
}
