//! What the function's handler works with in this process: the two accounts, and a ledger in memory.

use copymend_aws::{
    AwsBackup, AwsCallers, AwsEnvironment, AwsIdentities, AwsImages, AwsKeys, AwsNotifier,
    AwsOrganizations, AwsResourceTags, ReadWrite, SqsDelayedRetries, SystemClock,
};
use copymend_policy::AccountId;
use copymend_remediation::ports::{Environment, Reads};
use copymend_sandbox::MemoryLedger;

/// The ledger needs to last no longer than the run: what a run changed is removed with the vaults.
#[derive(Debug)]
pub(crate) struct ProvingEnvironment {
    aws: AwsEnvironment<ReadWrite>,
    ledger: MemoryLedger,
}

impl ProvingEnvironment {
    pub(crate) fn new(aws: AwsEnvironment<ReadWrite>) -> Self {
        Self {
            aws,
            ledger: MemoryLedger::default(),
        }
    }
}

impl Reads for ProvingEnvironment {
    type Backup = AwsBackup<ReadWrite>;
    type Keys = AwsKeys<ReadWrite>;
    type Identities = AwsIdentities<ReadWrite>;
    type Organizations = AwsOrganizations;
    type Images = AwsImages;
    type ResourceTags = AwsResourceTags;
    type Notifier = AwsNotifier;
    type Ledger = MemoryLedger;
    type Clock = SystemClock;

    fn backup(&self) -> &Self::Backup {
        self.aws.backup()
    }

    fn keys(&self) -> &Self::Keys {
        self.aws.keys()
    }

    fn identities(&self) -> &Self::Identities {
        self.aws.identities()
    }

    fn organizations(&self) -> &AwsOrganizations {
        self.aws.organizations()
    }

    fn images(&self) -> Option<&AwsImages> {
        self.aws.images()
    }

    fn resource_tags(&self) -> Option<&AwsResourceTags> {
        self.aws.resource_tags()
    }

    fn organization_reader(&self) -> Option<AccountId> {
        self.aws.organization_reader()
    }

    fn notifier(&self) -> &AwsNotifier {
        self.aws.notifier()
    }

    fn ledger(&self) -> Option<&MemoryLedger> {
        Some(&self.ledger)
    }

    fn clock(&self) -> &SystemClock {
        self.aws.clock()
    }
}

impl Environment for ProvingEnvironment {
    type DelayedRetries = SqsDelayedRetries;
    type Callers = AwsCallers;

    /// There is no queue: a run itself waits until a denial is old enough.
    fn delayed_retries(&self) -> Option<&SqsDelayedRetries> {
        None
    }

    fn callers(&self) -> &AwsCallers {
        self.aws.callers()
    }
}
