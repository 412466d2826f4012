//! The ports that read and write the world.

mod backup;
mod callers;
mod guardrails;
mod identities;
mod images;
mod keys;
mod lists;
mod organizations;
mod role_policies;
mod tags;

pub use callers::Person;
pub use guardrails::RegionOptStatus;
pub use role_policies::RolePolicies;

use copymend_policy::AccountId;
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult};

use copymend_diagnosis::BackupVaultArn;
use copymend_remediation::ports::Clock;

use crate::calls::Write;
use crate::own_calls::{self, Asked};
use crate::sandbox::Sandbox;
use crate::world::World;
use crate::writes::WriteError;

/// A call on its way: what it does to which resource.
struct Calling<'a> {
    sandbox: &'a Sandbox,
    operation: &'static str,
    resource: String,
    /// The Region that is called, where the resource names none.
    region: Option<String>,
    /// The vault whose policy has a say in calls on a recovery point.
    vault: Option<BackupVaultArn>,
}

impl Calling<'_> {
    /// A call of AWS Backup in this Region.
    fn in_region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// A call on something in this vault.
    fn in_vault(mut self, vault: Option<BackupVaultArn>) -> Self {
        self.vault = vault;
        self
    }

    fn error(&self, kind: CallErrorKind, detail: impl Into<String>) -> CallError {
        CallError {
            operation: self.operation,
            resource: self.resource.clone(),
            kind,
            detail: detail.into(),
        }
    }

    /// AWS Backup doesn't say that a vault isn't there: it denies what is asked about it, whatever the
    /// caller may do (seen: aws/aws-sdk-js#2625, boto/boto3#2269,
    /// ansible-collections/amazon.aws#1436).
    fn no_such_vault(&self) -> CallError {
        let detail = "AccessDeniedException: Insufficient privileges to perform this action.";
        self.error(CallErrorKind::AccessDenied, detail)
    }

    /// Reads the world, in an account that must exist, as the role that Copymend has there and if
    /// AWS lets it: a role in any other can't be assumed.
    ///
    /// The call takes its time: others that are made side by side begin before it ends.
    async fn in_account<T>(
        &self,
        account: Option<AccountId>,
        read: impl FnOnce(&mut World) -> T,
    ) -> CallResult<T> {
        let mut running = self.sandbox.calls.begin(self.operation, &self.resource);
        tokio::task::yield_now().await;
        running.fault()?;
        self.sandbox.run_hook(self.operation);
        let mut world = self.sandbox.world();
        let Some(account) = account.filter(|id| world.account(*id).is_some()) else {
            let detail = "AccessDenied: not authorized to perform sts:AssumeRole in this account";
            return Err(self.error(CallErrorKind::AccessDenied, detail));
        };
        let asked = self.asked(&world, account);
        if let Some(words) = own_calls::refusal(&mut world, &asked) {
            return Err(self.error(CallErrorKind::AccessDenied, words));
        }
        Ok(read(&mut world))
    }

    /// What AWS is asked.
    fn asked(&self, world: &World, account: AccountId) -> Asked<'_> {
        let partition = world
            .account(account)
            .map_or("aws", |account| account.partition.as_str());
        Asked {
            account,
            action: self.operation,
            resource: own_calls::resource_of(world, self.operation, &self.resource, account),
            region: self
                .region
                .as_deref()
                .unwrap_or_else(|| own_calls::global_region(partition)),
            vault: self.vault.clone(),
            at: self.sandbox.clock.now(),
            keys: own_calls::keys_of(self.operation),
        }
    }

    /// The call reaches AWS, which refuses it whatever the world is like.
    async fn refused<T>(&self, kind: CallErrorKind, detail: &str) -> CallResult<T> {
        let mut running = self.sandbox.calls.begin(self.operation, &self.resource);
        tokio::task::yield_now().await;
        running.fault()?;
        Err(self.error(kind, detail))
    }

    fn written(&self, result: Result<Option<String>, WriteError>, after: &str) -> CallResult<()> {
        let before = result.map_err(|error| {
            let kind = if error.code == "AccessDeniedException" {
                CallErrorKind::AccessDenied
            } else {
                CallErrorKind::Rejected
            };
            self.error(kind, error.to_string())
        })?;
        self.sandbox.calls.record(Write {
            operation: self.operation,
            resource: self.resource.clone(),
            before,
            after: after.to_owned(),
        });
        Ok(())
    }
}

impl Sandbox {
    fn calling(&self, operation: &'static str, resource: &impl ToString) -> Calling<'_> {
        Calling {
            sandbox: self,
            operation,
            resource: resource.to_string(),
            region: None,
            vault: None,
        }
    }
}
