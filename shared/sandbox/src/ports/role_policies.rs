//! The policies of a role one by one, as IAM tells them.

use copymend_policy::AccountId;
use copymend_remediation::ports::CallResult;

use crate::managed;
use crate::sandbox::Sandbox;
use crate::world::{Role, World};

/// The policies of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolePolicies {
    /// The inline policies, by name, as they were written.
    pub inline: Vec<(String, String)>,
    /// The ARNs of the attached ones.
    pub attached: Vec<String>,
}

impl Sandbox {
    /// The policies of a role, asked for by one of IAM's operations on roles, such as
    /// `iam:ListRolePolicies`; `None` where there is no such role.
    pub async fn role_policies(
        &self,
        operation: &'static str,
        account: AccountId,
        name: &str,
    ) -> CallResult<Option<RolePolicies>> {
        let arn = {
            let world = self.world();
            arn_of(&world, account, name)
        };
        self.calling(operation, &arn)
            .in_account(Some(account), |world| {
                let found = world.account(account)?;
                let role: &Role = found.roles.get(name)?;
                let inline = role.policies.iter();
                let attached = role.managed_policies.iter();
                Some(RolePolicies {
                    inline: inline
                        .map(|(name, policy)| (name.clone(), policy.as_str().to_owned()))
                        .collect(),
                    attached: attached
                        .map(|name| managed::arn(name, &found.partition))
                        .collect(),
                })
            })
            .await
    }

    /// A policy with an ARN of its own: one of AWS's, or a permissions boundary of the account. Asked
    /// for by `iam:GetPolicy` or `iam:GetPolicyVersion`.
    pub async fn managed_policy(
        &self,
        operation: &'static str,
        account: AccountId,
        arn: &str,
    ) -> CallResult<Option<String>> {
        self.calling(operation, &arn)
            .in_account(Some(account), |world| {
                let found = world.account(account)?;
                let boundaries = found
                    .roles
                    .values()
                    .filter_map(|role| role.permissions_boundary.as_ref());
                let mut own = boundaries.filter(|boundary| boundary.arn.as_str() == arn);
                if let Some(boundary) = own.next() {
                    return Some(boundary.policy.as_str().to_owned());
                }
                let policy = managed::policy(arn, &found.partition)?;
                (managed::arn(arn, &found.partition) == arn).then(|| policy.as_str().to_owned())
            })
            .await
    }
}

fn arn_of(world: &World, account: AccountId, name: &str) -> String {
    let found = world.account(account);
    let partition = found.map_or("aws", |found| found.partition.as_str());
    let path = found
        .and_then(|found| found.roles.get(name))
        .map_or("/", |role| role.path.as_str());
    format!("arn:{partition}:iam::{account}:role{path}{name}")
}
