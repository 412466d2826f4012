//! IAM of one account.

use aws_sdk_iam::Client;
use copymend_policy::Arn;
use copymend_remediation::ports::CallResult;

use crate::accounts::{Clients, Target};
use crate::error::Call;

/// IAM of one account.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account<'a> {
    clients: &'a Clients<Client>,
    target: Target<'a>,
}

impl<'a> Account<'a> {
    pub(super) const fn new(clients: &'a Clients<Client>, target: Target<'a>) -> Self {
        Self { clients, target }
    }

    /// The account of a principal.
    pub(super) fn of(
        clients: &'a Clients<Client>,
        operation: &'static str,
        principal: &'a Arn,
    ) -> CallResult<Self> {
        let call = Call::new(operation, principal.as_str());
        Ok(Self::new(clients, Target::account_of(&call, principal)?))
    }

    /// A client for the account, and the call of an operation on a resource.
    pub(super) async fn call(
        self,
        operation: &'static str,
        resource: &str,
    ) -> CallResult<(Client, Call)> {
        self.clients
            .of(Call::new(operation, resource), self.target)
            .await
    }
}
