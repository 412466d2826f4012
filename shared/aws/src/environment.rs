//! What Copymend's functions work with, on AWS.

use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_diagnosis::RoleArn;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{CallResult, Environment, Reads};
use copymend_remediation::settings::Deployment;

use crate::accounts::{Accounts, Identity, MemberRole};
use crate::{
    AwsBackup, AwsCallers, AwsIdentities, AwsImages, AwsKeys, AwsNotifier, AwsOrganizations,
    AwsResourceTags, DeadLetterQueue, DynamoLedger, ReadWrite, SqsDelayedRetries, SystemClock,
    config,
};

/// Everything that a function needs, on AWS: the copy remediator with
/// [`ReadWrite`](crate::ReadWrite), the access advisor with [`ReadOnly`](crate::ReadOnly). What
/// only reads can't write, and is no environment for what does:
///
/// ```
/// use copymend_aws::{AwsEnvironment, ReadWrite};
/// use copymend_remediation::ports::Environment;
///
/// fn write<E: Environment>() {}
/// write::<AwsEnvironment<ReadWrite>>();
/// ```
///
/// ```compile_fail,E0277
/// use copymend_aws::{AwsEnvironment, ReadOnly};
/// use copymend_remediation::ports::Environment;
///
/// fn write<E: Environment>() {}
/// write::<AwsEnvironment<ReadOnly>>();
/// ```
///
/// ```compile_fail,E0277
/// use copymend_aws::{AwsEnvironment, ReadOnly};
/// use copymend_remediation::ports::{BackupWrites, Reads};
///
/// fn write<B: BackupWrites>() {}
/// write::<<AwsEnvironment<ReadOnly> as Reads>::Backup>();
/// ```
///
/// ```compile_fail,E0277
/// use copymend_aws::{AwsEnvironment, ReadOnly};
/// use copymend_remediation::ports::{KeyWrites, Reads};
///
/// fn write<K: KeyWrites>() {}
/// write::<<AwsEnvironment<ReadOnly> as Reads>::Keys>();
/// ```
///
/// ```compile_fail,E0277
/// use copymend_aws::{AwsEnvironment, ReadOnly};
/// use copymend_remediation::ports::{IdentityWrites, Reads};
///
/// fn write<I: IdentityWrites>() {}
/// write::<<AwsEnvironment<ReadOnly> as Reads>::Identities>();
/// ```
#[derive(Debug)]
pub struct AwsEnvironment<Access> {
    backup: AwsBackup<Access>,
    keys: AwsKeys<Access>,
    identities: AwsIdentities<Access>,
    organizations: AwsOrganizations,
    #[cfg(feature = "survey")]
    account_management: crate::survey::AwsAccountManagement,
    #[cfg(feature = "doctor")]
    policy_writers: crate::policy_writer::PolicyWriters,
    images: Option<AwsImages>,
    resource_tags: Option<AwsResourceTags>,
    organization_reader: Option<AccountId>,
    notifier: AwsNotifier,
    ledger: Option<DynamoLedger>,
    delayed_retries: Option<SqsDelayedRetries>,
    callers: AwsCallers,
    clock: SystemClock,
    config: SdkConfig,
    accounts: Arc<Accounts>,
    /// The role that a deployed function calls with.
    function_role: Option<RoleArn>,
    /// Whether it is no run by hand.
    believes_its_arn: bool,
}

/// The account in the function ARN that Lambda's runtime interface emulator makes up (seen: aws-lambda-runtime-interface-emulator,
/// `lambda/rapidcore/standalone`).
const EMULATED_ACCOUNT: &str = "012345678912";

impl<Access> AwsEnvironment<Access> {
    /// The environment of a function, as its environment variables have it: Region, credentials,
    /// `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`. No file is read, and nothing is called.
    #[must_use]
    pub fn of_function(deployment: &Deployment) -> Self {
        Self::new(config::of_function(), deployment)
    }

    /// The environment of a command, with what the process's environment and the shared configuration
    /// say: Region, credentials, `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`. Calls no service
    /// that needs credentials.
    #[cfg(feature = "doctor")]
    pub async fn load(deployment: &Deployment) -> Self {
        Self::new(crate::Whose::default().config().await, deployment)
    }

    /// The environment with a person's credentials.
    #[cfg(feature = "doctor")]
    pub async fn load_as(whose: crate::Whose<'_>, deployment: &Deployment) -> Self {
        Self::new(whose.config().await, deployment)
    }

    /// The Region of the credentials' own calls; none where nothing names one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(AsRef::as_ref)
    }

    /// The environment with an SDK configuration of your own. It should carry an HTTP client:
    /// otherwise every service's client makes one.
    #[must_use]
    pub fn new(config: SdkConfig, deployment: &Deployment) -> Self {
        let member_role = MemberRole {
            setting: deployment.member_role.clone(),
            external_id: deployment.external_id.clone(),
            ..MemberRole::default()
        };
        let accounts = Accounts::of(config, member_role, deployment.is_local_run);
        Self::in_accounts(Arc::new(accounts), deployment)
    }

    /// The environment with an SDK configuration for its own account, and one for each of these
    /// others.
    #[cfg(feature = "proving")]
    pub(crate) fn of_accounts(
        config: SdkConfig,
        others: impl IntoIterator<Item = (AccountId, SdkConfig)>,
        deployment: &Deployment,
    ) -> Self {
        let accounts = Accounts::new(config, MemberRole::default()).with_others(others);
        Self::in_accounts(Arc::new(accounts), deployment)
    }

    pub(crate) fn in_accounts(accounts: Arc<Accounts>, deployment: &Deployment) -> Self {
        Self {
            config: accounts.own_config().clone(),
            notifier: AwsNotifier::new(accounts.own_config(), deployment),
            ledger: deployment
                .ledger_table
                .as_deref()
                .map(|table| DynamoLedger::new(accounts.own_config(), table)),
            delayed_retries: deployment
                .delayed_retries_queue_url
                .as_deref()
                .map(|queue| SqsDelayedRetries::new(accounts.own_config(), queue)),
            callers: AwsCallers::new(accounts.own_config().clone()),
            backup: AwsBackup::new(Arc::clone(&accounts)),
            keys: AwsKeys::new(Arc::clone(&accounts)),
            identities: AwsIdentities::new(Arc::clone(&accounts)),
            images: deployment
                .read_images
                .then(|| AwsImages::new(Arc::clone(&accounts))),
            resource_tags: deployment
                .read_tags
                .then(|| AwsResourceTags::new(Arc::clone(&accounts))),
            organization_reader: deployment.organization_reader,
            #[cfg(feature = "doctor")]
            policy_writers: crate::policy_writer::PolicyWriters::new(Arc::clone(&accounts)),
            #[cfg(feature = "survey")]
            account_management: crate::survey::AwsAccountManagement::new(Arc::clone(&accounts)),
            organizations: AwsOrganizations::new(Arc::clone(&accounts)),
            accounts,
            function_role: deployment.function_role.clone(),
            believes_its_arn: !deployment.is_local_run,
            clock: SystemClock,
        }
    }

    #[cfg(feature = "survey")]
    pub(crate) const fn config(&self) -> &SdkConfig {
        &self.config
    }

    #[cfg(feature = "survey")]
    pub(crate) const fn organizations_of_aws(&self) -> &AwsOrganizations {
        &self.organizations
    }

    #[cfg(feature = "survey")]
    pub(crate) const fn account_management(&self) -> &crate::survey::AwsAccountManagement {
        &self.account_management
    }

    /// Who last wrote the policy of a vault or key, by AWS CloudTrail in its account and Region; `None` where
    /// nobody did in the 90 days that it keeps.
    #[cfg(feature = "doctor")]
    pub async fn last_writer(
        &self,
        resource: &str,
    ) -> CallResult<Option<copymend_remediation::ownership::LastWriter>> {
        self.policy_writers.last(resource).await
    }

    /// Learns from the ARN that an event was handed to the function by in which account and partition it
    /// runs, so that AWS STS need not be asked. It isn't believed in a run by hand, where it is the one that
    /// Lambda's runtime interface emulator makes up, and where the settings name the function's role in another
    /// account or partition.
    pub fn invoked_as(&self, function_arn: &str) {
        let Ok(function) = function_arn.parse::<Arn>() else {
            return;
        };
        let (account, partition) = (function.account_id(), function.partition());
        let is_believed = self.believes_its_arn
            && function.service() == "lambda"
            && account.is_some_and(|account| account.as_str() != EMULATED_ACCOUNT);
        let role = self.function_role.as_ref().map(RoleArn::arn);
        let agrees =
            role.is_none_or(|role| role.account_id() == account && role.partition() == partition);
        if let (true, true, Some(account)) = (is_believed, agrees, account) {
            self.accounts.know(Identity {
                account,
                partition: partition.to_owned(),
            });
        }
    }

    /// Who the credentials belong to: the ARN that `sts:GetCallerIdentity` answers, which needs no
    /// permission.
    pub async fn caller(&self) -> CallResult<Option<String>> {
        crate::sts::caller(&self.config).await
    }

    /// A dead-letter queue in the function's own account.
    #[must_use]
    pub fn dead_letter_queue(&self, queue_url: &str) -> DeadLetterQueue {
        DeadLetterQueue::new(&self.config, queue_url)
    }
}

impl<Access: Send + Sync> Reads for AwsEnvironment<Access> {
    type Backup = AwsBackup<Access>;
    type Keys = AwsKeys<Access>;
    type Identities = AwsIdentities<Access>;
    type Organizations = AwsOrganizations;
    type Images = AwsImages;
    type ResourceTags = AwsResourceTags;
    type Notifier = AwsNotifier;
    type Ledger = DynamoLedger;
    type Clock = SystemClock;

    fn backup(&self) -> &AwsBackup<Access> {
        &self.backup
    }

    fn keys(&self) -> &AwsKeys<Access> {
        &self.keys
    }

    fn identities(&self) -> &AwsIdentities<Access> {
        &self.identities
    }

    fn organizations(&self) -> &AwsOrganizations {
        &self.organizations
    }

    fn images(&self) -> Option<&AwsImages> {
        self.images.as_ref()
    }

    fn resource_tags(&self) -> Option<&AwsResourceTags> {
        self.resource_tags.as_ref()
    }

    fn organization_reader(&self) -> Option<AccountId> {
        self.organization_reader
    }

    fn notifier(&self) -> &AwsNotifier {
        &self.notifier
    }

    fn ledger(&self) -> Option<&DynamoLedger> {
        self.ledger.as_ref()
    }

    fn clock(&self) -> &SystemClock {
        &self.clock
    }

    async fn make_ready(&self, account: AccountId, partition: &str) {
        self.accounts.make_ready(account, partition).await;
    }
}

impl Environment for AwsEnvironment<ReadWrite> {
    type DelayedRetries = SqsDelayedRetries;
    type Callers = AwsCallers;

    fn delayed_retries(&self) -> Option<&SqsDelayedRetries> {
        self.delayed_retries.as_ref()
    }

    fn callers(&self) -> &AwsCallers {
        &self.callers
    }
}
