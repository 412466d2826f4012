//! The ports: what the handler needs from the outside. Each is narrow, and each has an
//! implementation on the AWS SDK and one in memory.
//!
//! Every method names the account and Region it works in; an implementation finds the credentials.
//! Reads answer `None` only where AWS states absence; everything else that goes wrong is a
//! [`CallError`].

use std::fmt;
use std::time::Duration;

use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::{
    BackupVault, BackupVaultArn, CopyJob, Key, KeyAliasArn, KeyArn, Organization,
    PrincipalPolicies, RecoveryPoint, Role, RoleArn, SimulatedAction, Tags, UnknownReason,
    WhyUnknown,
};
pub use copymend_diagnosis::{ContextKey, ContextValues, Simulation};
use copymend_policy::{AccountId, Arn};
use jiff::Timestamp;
use serde::Serialize;

pub use crate::approval::Callers;
use crate::later::DelayedRetry;
use crate::ledger::Ledger;
use crate::message::{Channel, Channels, Message};
use crate::write::{
    ApprovedCopy, ApprovedKeyPolicy, ApprovedServiceLinkedRole, ApprovedVaultPolicy,
};

/// Where a call goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Location {
    /// The account that owns what is read or written.
    pub account: AccountId,
    /// The Region.
    pub region: String,
}

impl Location {
    /// A Region of an account.
    #[must_use]
    pub fn new(account: AccountId, region: &str) -> Self {
        Self {
            account,
            region: region.to_owned(),
        }
    }
}

/// What kind of failure a call met. The services don't declare access denied and throttling, so
/// adapters find them by error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallErrorKind {
    /// Refused for lack of permission. Never retried, never read as absence.
    AccessDenied,
    /// Throttled, also after the adapter's own retries.
    Throttled,
    /// No answer in time.
    Timeout,
    /// The service had a fault of its own (a status from 500), or could not be reached.
    Unavailable,
    /// The answer can't be understood.
    Unreadable,
    /// The request itself was refused, such as a policy that the service rejects.
    Rejected,
    /// Another error.
    Failed,
}

/// A call that failed: what was being done to which resource, and what the service said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CallError {
    /// The operation, such as `kms:GetKeyPolicy`.
    pub operation: &'static str,
    /// The resource.
    pub resource: String,
    /// The kind of failure.
    pub kind: CallErrorKind,
    /// The service's error code and words.
    pub detail: String,
}

impl fmt::Display for CallError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().into_unknown().fmt(formatter)
    }
}

impl CallError {
    /// A failure that no service reported, such as a lease that can't be had.
    pub(crate) fn new(
        operation: &'static str,
        resource: &str,
        kind: CallErrorKind,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            operation,
            resource: resource.to_owned(),
            kind,
            detail: detail.into(),
        }
    }

    /// Whether the same call may well work a little later.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self.kind {
            CallErrorKind::Throttled | CallErrorKind::Timeout | CallErrorKind::Unavailable => true,
            CallErrorKind::AccessDenied
            | CallErrorKind::Unreadable
            | CallErrorKind::Rejected
            | CallErrorKind::Failed => false,
        }
    }

    /// The failure as the reason why a fact isn't known.
    #[must_use]
    pub fn into_unknown(self) -> WhyUnknown {
        WhyUnknown {
            operation: self.operation.to_owned(),
            resource: self.resource,
            reason: match self.kind {
                CallErrorKind::AccessDenied => UnknownReason::AccessDenied,
                CallErrorKind::Throttled => UnknownReason::Throttled,
                CallErrorKind::Timeout => UnknownReason::Timeout,
                CallErrorKind::Unavailable => UnknownReason::Unavailable,
                CallErrorKind::Unreadable => UnknownReason::Unreadable,
                CallErrorKind::Rejected | CallErrorKind::Failed => UnknownReason::Failed,
            },
            detail: self.detail,
        }
    }
}

/// The answer of a call.
pub type CallResult<T> = Result<T, CallError>;

/// A copy to start again, from a failed job: what is asked of AWS Backup. Whether it may be is for
/// [`ApprovedCopy`] to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartCopy {
    /// Where the source is.
    pub location: Location,
    /// The recovery point.
    pub recovery_point: Arn,
    /// The source vault's name.
    pub source_vault_name: String,
    /// The destination vault.
    pub destination_vault: BackupVaultArn,
    /// The job role.
    pub role: RoleArn,
    /// The lifecycle of the failed job.
    pub lifecycle: Option<copymend_diagnosis::Lifecycle>,
    /// Makes a repeated call start one copy only.
    pub idempotency_token: String,
}

/// AWS Backup, read only.
pub trait Backup: Send + Sync {
    /// `DescribeCopyJob`; `None` where there is no such job.
    fn describe_copy_job(
        &self,
        location: &Location,
        copy_job_id: &str,
    ) -> impl Future<Output = CallResult<Option<CopyJob>>> + Send;

    /// `ListCopyJobs`: the ids of copy jobs that failed and ended at `since` or later, newest
    /// first.
    fn list_failed_copy_jobs(
        &self,
        location: &Location,
        since: Timestamp,
    ) -> impl Future<Output = CallResult<Vec<String>>> + Send;

    /// `DescribeRecoveryPoint`; `None` where there is no such recovery point.
    fn describe_recovery_point(
        &self,
        location: &Location,
        vault_name: &str,
        recovery_point: &Arn,
    ) -> impl Future<Output = CallResult<Option<RecoveryPoint>>> + Send;

    /// `DescribeBackupVault` in the vault's own account and Region; `None` where there is no such
    /// vault.
    fn describe_backup_vault(
        &self,
        vault: &BackupVaultArn,
    ) -> impl Future<Output = CallResult<Option<BackupVault>>> + Send;

    /// `GetBackupVaultAccessPolicy`, as text; `None` where the vault has no policy.
    fn get_backup_vault_access_policy(
        &self,
        vault: &BackupVaultArn,
    ) -> impl Future<Output = CallResult<Option<String>>> + Send;

    /// `ListTags` of a vault.
    fn list_vault_tags(
        &self,
        vault: &BackupVaultArn,
    ) -> impl Future<Output = CallResult<Tags>> + Send;

    /// `ListTags` of a recovery point, in the account and Region of its vault. AWS Backup takes
    /// only recovery points whose ARN is its own, `arn:aws:backup:…` (API reference, `ListTags`,
    /// documented), and refuses any other.
    fn list_recovery_point_tags(
        &self,
        location: &Location,
        recovery_point: &Arn,
    ) -> impl Future<Output = CallResult<Tags>> + Send;

    /// `DescribeBackupJob`; `None` where there is no such job.
    fn describe_backup_job(
        &self,
        location: &Location,
        backup_job_id: &str,
    ) -> impl Future<Output = CallResult<Option<ServiceJob>>> + Send;

    /// `DescribeRestoreJob`; `None` where there is no such job.
    fn describe_restore_job(
        &self,
        location: &Location,
        restore_job_id: &str,
    ) -> impl Future<Output = CallResult<Option<ServiceJob>>> + Send;

    /// `DescribeGlobalSettings`: whether cross-account backup is on. AWS Backup refuses it in
    /// member accounts (seen).
    fn is_cross_account_backup_enabled(
        &self,
        location: &Location,
    ) -> impl Future<Output = CallResult<bool>> + Send;
}

/// The writes of AWS Backup.
pub trait BackupWrites: Backup {
    /// `PutBackupVaultAccessPolicy`. Takes nothing but a change that passed every guard.
    fn put_backup_vault_access_policy(
        &self,
        change: &ApprovedVaultPolicy,
    ) -> impl Future<Output = CallResult<()>> + Send;

    /// `StartCopyJob`; answers the new job's id. Takes nothing but a copy that passed every guard.
    fn start_copy_job(
        &self,
        copy: &ApprovedCopy,
    ) -> impl Future<Output = CallResult<String>> + Send;
}

/// AWS KMS, read only, in the account and Region that own the key.
pub trait Keys: Send + Sync {
    /// `DescribeKey`; `None` where there is no such key.
    fn describe_key(&self, key: &KeyArn) -> impl Future<Output = CallResult<Option<Key>>> + Send;

    /// The key that an alias stands for; `None` where there is no such alias, or where it is one of
    /// AWS's own that has no key yet. For an alias of a customer it is `DescribeKey`, whose
    /// permission is that on the key (AWS KMS API reference, `DescribeKey`, documented). For one of
    /// AWS's own it is `ListAliases`: `DescribeKey` would make the AWS managed key where there is
    /// none yet (the same page, documented), and this port reads only.
    fn key_of_alias(
        &self,
        alias: &KeyAliasArn,
    ) -> impl Future<Output = CallResult<Option<KeyArn>>> + Send;

    /// `GetKeyPolicy` of the policy named `default`, as text; `None` where there is no such key.
    fn get_key_policy(
        &self,
        key: &KeyArn,
    ) -> impl Future<Output = CallResult<Option<String>>> + Send;

    /// `ListKeyPolicies`: the names of the key's policies. Beside `default` a key may carry one of
    /// AWS RAM's.
    fn list_key_policies(
        &self,
        key: &KeyArn,
    ) -> impl Future<Output = CallResult<Vec<String>>> + Send;

    /// `ListResourceTags`.
    fn list_key_tags(&self, key: &KeyArn) -> impl Future<Output = CallResult<Tags>> + Send;
}

/// The write of AWS KMS.
pub trait KeyWrites: Keys {
    /// `PutKeyPolicy`, never with the lockout check bypassed. Takes nothing but a change that
    /// passed every guard.
    fn put_key_policy(
        &self,
        change: &ApprovedKeyPolicy,
    ) -> impl Future<Output = CallResult<()>> + Send;
}

/// AWS IAM, read only.
pub trait Identities: Send + Sync {
    /// `GetRole` by name in the role's own account; `None` where there is no such role. The answer
    /// carries the real path.
    fn get_role(
        &self,
        account: AccountId,
        partition: &str,
        name: &str,
    ) -> impl Future<Output = CallResult<Option<Role>>> + Send;

    /// `SimulatePrincipalPolicy`, in the principal's own account: one answer an action, in the
    /// order asked.
    fn simulate_principal_policy(
        &self,
        simulation: &Simulation,
    ) -> impl Future<Output = CallResult<Vec<SimulatedAction>>> + Send;

    /// The identity policies of a role or user, its groups' included, and its permissions boundary,
    /// read one by one; `None` where there is no such principal. It takes several rounds of calls:
    /// for what a simulation can't tell.
    fn principal_policies(
        &self,
        principal: &Arn,
    ) -> impl Future<Output = CallResult<Option<PrincipalPolicies>>> + Send;
}

/// The write of AWS IAM.
pub trait IdentityWrites: Identities {
    /// `CreateServiceLinkedRole` for `backup.amazonaws.com`, and for no other service.
    fn create_service_linked_role(
        &self,
        role: &ApprovedServiceLinkedRole,
    ) -> impl Future<Output = CallResult<()>> + Send;
}

/// AWS Organizations.
pub trait Organizations: Send + Sync {
    /// `DescribeOrganization` from inside the account; `None` where the account is in no
    /// organization.
    fn describe_organization(
        &self,
        account: AccountId,
        partition: &str,
    ) -> impl Future<Output = CallResult<Option<Organization>>> + Send;

    /// `DescribeEffectivePolicy` for `TAG_POLICY`, from inside the account: the policy's text;
    /// `None` where no tag policy is in effect.
    fn effective_tag_policy(
        &self,
        account: AccountId,
        partition: &str,
    ) -> impl Future<Output = CallResult<Option<String>>> + Send;

    /// `ListParents` up to the root, asked in `reader`: the root's id, then those of the units,
    /// the account's own last. AWS answers the management account and delegated administrators
    /// alone (Organizations API reference, `ListParents`, documented).
    fn list_parents(
        &self,
        reader: AccountId,
        account: AccountId,
        partition: &str,
    ) -> impl Future<Output = CallResult<Vec<String>>> + Send;
}

/// AWS Resource Groups Tagging API, read only.
pub trait ResourceTags: Send + Sync {
    /// `GetResources`: the tags of one resource, in the account and Region that own it. `None`
    /// where the answer doesn't name it: it has no tags then, or doesn't exist, or isn't one that
    /// the API knows (API reference, `GetResources`, documented: it answers what is tagged).
    fn tags_of(
        &self,
        location: &Location,
        resource: &Arn,
    ) -> impl Future<Output = CallResult<Option<Tags>>> + Send;
}

/// Amazon EC2, read only.
pub trait Images: Send + Sync {
    /// The keys that an image's snapshots are under, each once, by `DescribeImages` and
    /// `DescribeSnapshots`; `None` where there is no such image.
    fn image_keys(
        &self,
        location: &Location,
        image: &Arn,
    ) -> impl Future<Output = CallResult<Option<Vec<KeyArn>>>> + Send;
}

/// Tells people.
pub trait Notifier: Send + Sync {
    /// Where messages go: at least to the log.
    fn channels(&self) -> Channels;

    /// Sends a message on one of these channels.
    fn send(
        &self,
        message: Message<'_>,
        channel: Channel,
    ) -> impl Future<Output = CallResult<()>> + Send;
}

/// The queue of events that are put off.
pub trait DelayedRetries: Send + Sync {
    /// `SendMessage`: the message comes back after this time, 900 seconds at most.
    fn send(
        &self,
        message: &DelayedRetry,
        delay: Duration,
    ) -> impl Future<Output = CallResult<()>> + Send;
}

/// Time, injected.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Waits. The sandbox only moves its own clock.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Ends at this time, to stop what goes on beside it. The sandbox looks at its own clock
    /// whenever it is asked, and doesn't move it.
    fn until(&self, at: Timestamp) -> impl Future<Output = ()> + Send;
}

/// What a handler needs from the outside to find out and to tell. None of its ports can write
/// anything but the function's own ledger, so that whoever has nothing else, such as the [access
/// advisor](crate::advisor), can't compile a write:
///
/// ```compile_fail,E0599
/// use copymend_remediation::ports::{BackupWrites, Reads};
/// use copymend_remediation::write::ApprovedCopy;
///
/// async fn start<E: Reads>(environment: &E, copy: &ApprovedCopy) {
///     let _ = environment.backup().start_copy_job(copy).await;
/// }
/// ```
pub trait Reads: Send + Sync {
    /// AWS Backup.
    type Backup: Backup;
    /// AWS KMS.
    type Keys: Keys;
    /// AWS IAM.
    type Identities: Identities;
    /// AWS Organizations.
    type Organizations: Organizations;
    /// Amazon EC2.
    type Images: Images;
    /// AWS Resource Groups Tagging API.
    type ResourceTags: ResourceTags;
    /// The way to people.
    type Notifier: Notifier;
    /// The memory between events.
    type Ledger: Ledger;
    /// The time.
    type Clock: Clock;

    /// AWS Backup.
    fn backup(&self) -> &Self::Backup;
    /// AWS KMS.
    fn keys(&self) -> &Self::Keys;
    /// AWS IAM.
    fn identities(&self) -> &Self::Identities;
    /// AWS Organizations.
    fn organizations(&self) -> &Self::Organizations;
    /// Amazon EC2; `None` where the settings don't let images be read.
    fn images(&self) -> Option<&Self::Images>;
    /// AWS Resource Groups Tagging API; `None` where the settings don't let tags be read there.
    fn resource_tags(&self) -> Option<&Self::ResourceTags>;
    /// The account in which the places of accounts in their organization are asked; `None` where no
    /// setting names one.
    fn organization_reader(&self) -> Option<AccountId>;
    /// The way to people.
    fn notifier(&self) -> &Self::Notifier;
    /// The memory between events; `None` where no table is set. Without one nothing is written, and
    /// every event is told.
    fn ledger(&self) -> Option<&Self::Ledger>;
    /// The time.
    fn clock(&self) -> &Self::Clock;

    /// Makes an account ready to be asked, where that takes a call, such as the one that assumes a role there:
    /// what is asked next doesn't wait for it then. What fails here fails again where it is needed, and is
    /// told there.
    fn make_ready(&self, _account: AccountId, _partition: &str) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// What the copy remediator needs: [`Reads`] whose ports can write, too.
pub trait Environment:
    Reads<Backup: BackupWrites, Keys: KeyWrites, Identities: IdentityWrites>
{
    /// The queue of delayed retries.
    type DelayedRetries: DelayedRetries;
    /// Who answers plans, by what AWS STS says.
    type Callers: Callers;

    /// The queue of delayed retries; `None` where none is set. Then everything is done at once.
    fn delayed_retries(&self) -> Option<&Self::DelayedRetries>;
    /// Who answers plans.
    fn callers(&self) -> &Self::Callers;
}
