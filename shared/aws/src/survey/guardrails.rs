//! What stands over accounts: the organization's policies, and the Regions that they have enabled.

use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_organizations::types::PolicyType;
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
use crate::organizations::AwsOrganizations;
use crate::pages;
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
    error: crate::tags::error,
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
        let (client, call) = self.clients.of(call, target).await?;
        let answer: String = call.send(region_opt_status(&client, region)).await?;
        let status: RegionOptStatus =
            serde_json::from_str(&answer).map_err(|error| call.unreadable(error.to_string()))?;
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
        let (client, call) = self.inside(LIST_POLICIES, reader, partition).await?;
        let filter = match kind {
            ControlPolicyKind::Service => PolicyType::ServiceControlPolicy,
            ControlPolicyKind::Resource => PolicyType::ResourceControlPolicy,
        };
        let list = |from| {
            client
                .list_policies_for_target()
                .target_id(target)
                .filter(filter.clone())
                .set_next_token(from)
                .send()
        };
        let listed = pages::all(&call, list, |answer| {
            let next = pages::token(answer.next_token());
            let policies = answer.policies.unwrap_or_default();
            (policies, next)
        })
        .await?;
        let ids = listed
            .iter()
            .map(|policy| text(policy.id()).ok_or_else(|| call.unreadable("`Id` is missing")));
        ids.collect()
    }

    async fn text_of_policy(
        &self,
        reader: AccountId,
        policy: &str,
        partition: &str,
    ) -> CallResult<String> {
        let (client, call) = self.inside(DESCRIBE_POLICY, reader, partition).await?;
        let request = client.describe_policy().policy_id(policy);
        let answer = call.send(request.send()).await?;
        let content = answer.policy().and_then(|policy| text(policy.content()));
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
