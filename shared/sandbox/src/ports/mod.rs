//! The ports that read and write the world.

mod backup;
mod identities;
mod keys;
mod organizations;

use copymend_policy::AccountId;
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult};

use crate::calls::Write;
use crate::sandbox::Sandbox;
use crate::world::World;
use crate::writes::WriteError;

/// A call on its way: what it does to which resource.
struct Calling<'a> {
    sandbox: &'a Sandbox,
    operation: &'static str,
    resource: String,
}

impl Calling<'_> {
    fn error(&self, kind: CallErrorKind, detail: impl Into<String>) -> CallError {
        CallError {
            operation: self.operation,
            resource: self.resource.clone(),
            kind,
            detail: detail.into(),
        }
    }

    /// Reads the world, in an account that must exist: a role in any other can't be assumed.
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
        if account.is_none_or(|id| world.account(id).is_none()) {
            let detail = "AccessDenied: not authorized to perform sts:AssumeRole in this account";
            return Err(self.error(CallErrorKind::AccessDenied, detail));
        }
        Ok(read(&mut world))
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
        }
    }
}
