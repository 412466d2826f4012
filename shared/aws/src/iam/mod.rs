//! AWS IAM.

mod account;
mod document;
mod holder;
mod policies;
mod simulation;

use std::marker::PhantomData;
use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_diagnosis::{PrincipalPolicies, Role, SimulatedAction};
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{CallResult, Identities, IdentityWrites, Simulation};
use copymend_remediation::write::ApprovedServiceLinkedRole;

use crate::access::ReadWrite;
use crate::accounts::{Accounts, Clients, Target};
use crate::config;
use crate::member::{optional, required, text};
use account::{Account, result};

/// Nothing of that name is there.
const ABSENT: &str = "NoSuchEntity";

/// AWS IAM. It is global: its endpoint is that of the partition of the function's Region.
/// `Access` is [`ReadOnly`](crate::ReadOnly) or [`ReadWrite`].
#[derive(Debug)]
pub struct AwsIdentities<Access> {
    clients: Clients<SdkConfig>,
    access: PhantomData<fn() -> Access>,
}

impl<Access> AwsIdentities<Access> {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, config::iam),
            access: PhantomData,
        }
    }
}

impl IdentityWrites for AwsIdentities<ReadWrite> {
    async fn create_service_linked_role(&self, role: &ApprovedServiceLinkedRole) -> CallResult<()> {
        let target = Target::global(role.role().account(), role.role().partition());
        let iam = Account::new(&self.clients, target);
        let (client, call) = iam
            .call(
                "iam:CreateServiceLinkedRole",
                role.role().account().as_str(),
            )
            .await?;
        let service = ("AWSServiceName", "backup.amazonaws.com");
        let request = client.ask("CreateServiceLinkedRole", &[service]);
        call.send(request).await?;
        Ok(())
    }
}

impl<Access> Identities for AwsIdentities<Access> {
    async fn get_role(
        &self,
        account: AccountId,
        partition: &str,
        name: &str,
    ) -> CallResult<Option<Role>> {
        let iam = Account::new(&self.clients, Target::global(account, partition));
        let resource = format!("arn:{partition}:iam::{account}:role/{name}");
        let (client, call) = iam.call("iam:GetRole", &resource).await?;
        let request = client.ask("GetRole", &[("RoleName", name)]);
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let role = result(&call, &answer, "GetRole")?
            .into_child("Role")
            .ok_or_else(|| call.unreadable("`Role` is missing"))?;
        let boundary = role.child("PermissionsBoundary");
        let read = || {
            Ok(Role {
                arn: required("Arn", role.text("Arn"))?,
                trust_policy: role
                    .text("AssumeRolePolicyDocument")
                    .and_then(document::decoded),
                permissions_boundary: boundary
                    .and_then(|boundary| text(boundary.text("PermissionsBoundaryArn"))),
                created: optional("CreateDate", role.text("CreateDate"))?,
            })
        };
        read()
            .map(Some)
            .map_err(|detail: String| call.unreadable(detail))
    }

    // This one and the next are boxed: what they hold at once is large, and every future that
    // awaits them would carry it along.
    async fn simulate_principal_policy(
        &self,
        simulation: &Simulation,
    ) -> CallResult<Vec<SimulatedAction>> {
        let iam = Account::of(&self.clients, simulation::OPERATION, &simulation.principal)?;
        Box::pin(simulation::simulate(iam, simulation)).await
    }

    async fn principal_policies(&self, principal: &Arn) -> CallResult<Option<PrincipalPolicies>> {
        let iam = Account::of(&self.clients, policies::OPERATION, principal)?;
        Box::pin(policies::read(iam, principal)).await
    }
}
