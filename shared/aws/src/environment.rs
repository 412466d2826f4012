//! What the copy remediator works with, on AWS.

use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_remediation::ports::{CallResult, Environment};
use copymend_remediation::settings::Settings;

use crate::accounts::{Accounts, MemberRole};
use crate::error::Call;
use crate::{
    AwsBackup, AwsIdentities, AwsKeys, AwsOrganizations, DeadLetterQueue, DynamoLedger, ReadWrite,
    SnsNotifier, SystemClock, config,
};

/// Everything that the copy remediator needs, on AWS.
#[derive(Debug)]
pub struct AwsEnvironment {
    backup: AwsBackup<ReadWrite>,
    keys: AwsKeys<ReadWrite>,
    identities: AwsIdentities<ReadWrite>,
    organizations: AwsOrganizations,
    notifier: SnsNotifier,
    ledger: Option<DynamoLedger>,
    clock: SystemClock,
    config: SdkConfig,
}

impl AwsEnvironment {
    /// The environment with what the process's environment says: Region, credentials, `AWS_ENDPOINT_URL` and
    /// `AWS_ENDPOINT_URL_<SERVICE>`. Calls no service that needs credentials.
    pub async fn load(settings: &Settings) -> Self {
        Self::new(config::load_for(settings.is_local_run).await, settings)
    }

    /// The environment with an SDK configuration of your own. It should carry an HTTP client: otherwise every service's
    /// client makes one.
    #[must_use]
    pub fn new(config: SdkConfig, settings: &Settings) -> Self {
        let member_role = MemberRole {
            setting: settings.member_role.clone(),
            external_id: settings.external_id.clone(),
        };
        let accounts = Arc::new(Accounts::of(config, member_role, settings.is_local_run));
        Self {
            config: accounts.own_config().clone(),
            notifier: SnsNotifier::new(accounts.own_config(), settings.topic_arn.as_deref()),
            ledger: settings
                .ledger_table
                .as_deref()
                .map(|table| DynamoLedger::new(accounts.own_config(), table)),
            backup: AwsBackup::new(Arc::clone(&accounts)),
            keys: AwsKeys::new(Arc::clone(&accounts)),
            identities: AwsIdentities::new(Arc::clone(&accounts)),
            organizations: AwsOrganizations::new(accounts),
            clock: SystemClock,
        }
    }
}

impl AwsEnvironment {
    /// Who the credentials belong to: the ARN that `sts:GetCallerIdentity` answers, which needs no permission.
    pub async fn caller(&self) -> CallResult<Option<String>> {
        let client = aws_sdk_sts::Client::new(&self.config);
        let request = client.get_caller_identity();
        let answer = Call::new("sts:GetCallerIdentity", "*")
            .send(request.send())
            .await?;
        Ok(answer.arn)
    }

    /// A dead-letter queue in the function's own account.
    #[must_use]
    pub fn dead_letter_queue(&self, queue_url: &str) -> DeadLetterQueue {
        DeadLetterQueue::new(&self.config, queue_url)
    }
}

impl Environment for AwsEnvironment {
    type Backup = AwsBackup<ReadWrite>;
    type Keys = AwsKeys<ReadWrite>;
    type Identities = AwsIdentities<ReadWrite>;
    type Organizations = AwsOrganizations;
    type Notifier = SnsNotifier;
    type Ledger = DynamoLedger;
    type Clock = SystemClock;

    fn backup(&self) -> &AwsBackup<ReadWrite> {
        &self.backup
    }

    fn keys(&self) -> &AwsKeys<ReadWrite> {
        &self.keys
    }

    fn identities(&self) -> &AwsIdentities<ReadWrite> {
        &self.identities
    }

    fn organizations(&self) -> &AwsOrganizations {
        &self.organizations
    }

    fn notifier(&self) -> &SnsNotifier {
        &self.notifier
    }

    fn ledger(&self) -> Option<&DynamoLedger> {
        self.ledger.as_ref()
    }

    fn clock(&self) -> &SystemClock {
        &self.clock
    }
}
