//! What the access advisor works with, on AWS.

use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_remediation::advisor::AdvisorSettings;
use copymend_remediation::ports::AdvisorEnvironment;

use crate::accounts::{Accounts, MemberRole};
use crate::{
    AwsBackup, AwsIdentities, AwsKeys, DynamoLedger, ReadOnly, SnsNotifier, SystemClock, config,
};

/// Everything that the access advisor needs, on AWS. Its adapters have no writes:
///
/// ```compile_fail,E0277
/// use copymend_aws::AwsAdvisorEnvironment;
/// use copymend_remediation::ports::{AdvisorEnvironment, BackupWrites};
///
/// fn write<B: BackupWrites>() {}
/// write::<<AwsAdvisorEnvironment as AdvisorEnvironment>::Backup>();
/// ```
///
/// ```compile_fail,E0277
/// use copymend_aws::AwsAdvisorEnvironment;
/// use copymend_remediation::ports::{AdvisorEnvironment, KeyWrites};
///
/// fn write<K: KeyWrites>() {}
/// write::<<AwsAdvisorEnvironment as AdvisorEnvironment>::Keys>();
/// ```
#[derive(Debug)]
pub struct AwsAdvisorEnvironment {
    backup: AwsBackup<ReadOnly>,
    keys: AwsKeys<ReadOnly>,
    identities: AwsIdentities<ReadOnly>,
    notifier: SnsNotifier,
    ledger: Option<DynamoLedger>,
    clock: SystemClock,
}

impl AwsAdvisorEnvironment {
    /// The environment with what the process's environment says, as [`AwsEnvironment::load`](crate::AwsEnvironment::load)
    /// does it.
    pub async fn load(settings: &AdvisorSettings) -> Self {
        Self::new(config::load_for(settings.is_local_run).await, settings)
    }

    /// The environment with an SDK configuration of your own. It should carry an HTTP client: otherwise every service's
    /// client makes one.
    #[must_use]
    pub fn new(config: SdkConfig, settings: &AdvisorSettings) -> Self {
        let member_role = MemberRole {
            setting: settings.member_role.clone(),
            external_id: settings.external_id.clone(),
        };
        let accounts = Arc::new(Accounts::of(config, member_role, settings.is_local_run));
        Self {
            notifier: SnsNotifier::new(accounts.own_config(), settings.topic_arn.as_deref()),
            ledger: settings
                .ledger_table
                .as_deref()
                .map(|table| DynamoLedger::new(accounts.own_config(), table)),
            backup: AwsBackup::new(Arc::clone(&accounts)),
            keys: AwsKeys::new(Arc::clone(&accounts)),
            identities: AwsIdentities::new(accounts),
            clock: SystemClock,
        }
    }
}

impl AdvisorEnvironment for AwsAdvisorEnvironment {
    type Backup = AwsBackup<ReadOnly>;
    type Keys = AwsKeys<ReadOnly>;
    type Identities = AwsIdentities<ReadOnly>;
    type Notifier = SnsNotifier;
    type Ledger = DynamoLedger;
    type Clock = SystemClock;

    fn backup(&self) -> &AwsBackup<ReadOnly> {
        &self.backup
    }

    fn keys(&self) -> &AwsKeys<ReadOnly> {
        &self.keys
    }

    fn identities(&self) -> &AwsIdentities<ReadOnly> {
        &self.identities
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
