//! What the hub's preflight reads with.

use std::sync::Arc;

use copymend_remediation::settings::Deployment;

use super::AwsLists;
use crate::access::ReadOnly;
use crate::accounts::{Accounts, MemberRole};
use crate::environment::AwsEnvironment;
use crate::pace::Pace;

/// The lists and the ports that a preflight reads with, as a function's settings have them. None of
/// them can write anything but the function's own ledger.
#[derive(Debug)]
pub struct Surveying {
    /// AWS Backup's lists.
    pub lists: AwsLists,
    /// The ports.
    pub environment: AwsEnvironment<ReadOnly>,
}

impl<Access> AwsEnvironment<Access> {
    /// What a preflight reads with: the same accounts through the same role, within AWS's rates.
    /// Made when an event asks for it, since few do.
    #[must_use]
    pub fn surveying(&self, deployment: &Deployment) -> Surveying {
        let member_role = MemberRole {
            setting: deployment.member_role.clone(),
            external_id: deployment.external_id.clone(),
            ..MemberRole::default()
        };
        let pace = Arc::new(Pace::new(None));
        let config = self.config().clone();
        let accounts = Accounts::of(config, member_role, deployment.is_local_run);
        let accounts = Arc::new(accounts.paced(Arc::clone(&pace)));
        Surveying {
            environment: AwsEnvironment::in_accounts(Arc::clone(&accounts), deployment),
            lists: AwsLists::new(accounts, pace),
        }
    }
}
