//! AWS IAM.

use std::sync::Arc;

use aws_sdk_iam::Client;
use copymend_diagnosis::Role;
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallResult, Roles};

use crate::accounts::{Accounts, Clients, Target};
use crate::copy_job::{required, text};
use crate::error::Call;
use crate::percent;

const ABSENT: &str = "NoSuchEntity";

/// AWS IAM. It is global: the SDK finds the endpoint of the partition from the function's Region.
#[derive(Debug)]
pub struct AwsRoles {
    clients: Clients<Client>,
}

impl AwsRoles {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Client::new),
        }
    }
}

impl Roles for AwsRoles {
    async fn get_role(
        &self,
        account: AccountId,
        partition: &str,
        name: &str,
    ) -> CallResult<Option<Role>> {
        let target = Target {
            account,
            partition: Some(partition),
            region: None,
        };
        let resource = format!("arn:{partition}:iam::{account}:role/{name}");
        let (client, call) = self
            .clients
            .of(Call::new("iam:GetRole", resource), target)
            .await?;
        let request = client.get_role().role_name(name);
        let Some(answer) = call.find(ABSENT, request.send()).await? else {
            return Ok(None);
        };
        let role = answer
            .role()
            .ok_or_else(|| call.unreadable("`Role` is missing"))?;
        Ok(Some(Role {
            arn: required("Arn", Some(role.arn())).map_err(|detail| call.unreadable(detail))?,
            trust_policy: role.assume_role_policy_document().and_then(policy_text),
            permissions_boundary: role
                .permissions_boundary()
                .and_then(|boundary| text(boundary.permissions_boundary_arn())),
        }))
    }
}

/// IAM answers policies URL-encoded (RFC 3986); a plain one, which can't start with an escape, is left alone.
fn policy_text(document: &str) -> Option<String> {
    if document.trim_start().starts_with('{') {
        return Some(document.to_owned());
    }
    text(percent::decode(document)?.as_str().into())
}
