//! AWS IAM.

use copymend_diagnosis::{PrincipalPolicies, Role, SimulatedAction};
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{
    CallErrorKind, CallResult, Identities, IdentityWrites, Simulation,
};
use copymend_remediation::write::ApprovedServiceLinkedRole;

use crate::calls::Write;
use crate::managed;
use crate::sandbox::Sandbox;
use crate::simulator;
use crate::world::{SERVICE_LINKED_ROLE, World};

impl Identities for Sandbox {
    async fn get_role(
        &self,
        account: AccountId,
        _partition: &str,
        name: &str,
    ) -> CallResult<Option<Role>> {
        self.calling("iam:GetRole", &format!("{account}/{name}"))
            .in_account(Some(account), |world| role(world, account, name))
            .await
    }

    async fn simulate_principal_policy(
        &self,
        simulation: &Simulation,
    ) -> CallResult<Vec<SimulatedAction>> {
        let calling = self.calling("iam:SimulatePrincipalPolicy", &simulation.principal);
        calling
            .in_account(simulation.principal.account().parse().ok(), |world| {
                simulator::simulate(world, simulation)
            })
            .await?
            .ok_or_else(|| {
                let detail = format!("NoSuchEntity: {} cannot be found", simulation.principal);
                calling.error(CallErrorKind::Failed, detail)
            })
    }

    /// Here it is one call, under the name of the first that AWS needs.
    async fn principal_policies(&self, principal: &Arn) -> CallResult<Option<PrincipalPolicies>> {
        let operation = if principal.resource().starts_with("user/") {
            "iam:ListUserPolicies"
        } else {
            "iam:ListRolePolicies"
        };
        self.calling(operation, principal)
            .in_account(principal.account().parse().ok(), |world| {
                simulator::policies(world, principal)
            })
            .await
    }
}

fn role(world: &World, account: AccountId, name: &str) -> Option<Role> {
    let found = world.account(account)?;
    if name == SERVICE_LINKED_ROLE && found.service_linked_role {
        return Some(Role {
            arn: world.service_linked_role_arn(account).parse().ok()?,
            trust_policy: Some(managed::TRUST.to_owned()),
            permissions_boundary: None,
            created: None,
        });
    }
    let role = found.roles.get(name)?;
    let arn = format!(
        "arn:{}:iam::{account}:role{}{name}",
        found.partition, role.path
    );
    let trust = role
        .trust_policy
        .as_ref()
        .map(|policy| policy.as_str().to_owned());
    let boundary = role.permissions_boundary.as_ref();
    Some(Role {
        arn: arn.parse().ok()?,
        trust_policy: Some(trust.unwrap_or_else(|| managed::TRUST.to_owned())),
        permissions_boundary: boundary.map(|boundary| boundary.arn.to_string()),
        created: role.created,
    })
}

impl IdentityWrites for Sandbox {
    async fn create_service_linked_role(&self, role: &ApprovedServiceLinkedRole) -> CallResult<()> {
        let account = role.role().account();
        let calling = self.calling("iam:CreateServiceLinkedRole", &account);
        let made = calling.in_account(Some(account), |world| {
            let arn = world.service_linked_role_arn(account);
            world
                .account_mut(account)
                .map(|found| std::mem::replace(&mut found.service_linked_role, true))
                .map(|existed| (existed, arn))
        });
        match made.await? {
            Some((false, arn)) => {
                self.calls.record(Write {
                    operation: calling.operation,
                    resource: arn,
                    before: None,
                    after: SERVICE_LINKED_ROLE.to_owned(),
                });
                Ok(())
            }
            Some((true, _)) | None => Err(calling.error(
                CallErrorKind::Rejected,
                "InvalidInput: Service role name AWSServiceRoleForBackup has been taken in this account",
            )),
        }
    }
}
