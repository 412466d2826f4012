//! A write that may happen: the only thing that the writing ports take.

use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::{AccountId, PolicyDocument};

/// A policy that passed every guard. Only [`crate::guards`] makes one, so an unguarded write doesn't compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved<R> {
    resource: R,
    after: PolicyDocument,
}

/// An approved vault access policy.
pub type ApprovedVaultPolicy = Approved<BackupVaultArn>;
/// An approved key policy.
pub type ApprovedKeyPolicy = Approved<KeyArn>;

impl<R> Approved<R> {
    pub(crate) const fn new(resource: R, after: PolicyDocument) -> Self {
        Self { resource, after }
    }

    /// The vault or key.
    #[must_use]
    pub const fn resource(&self) -> &R {
        &self.resource
    }

    /// The whole policy to write.
    #[must_use]
    pub fn policy(&self) -> &str {
        self.after.as_str()
    }
}

/// That a vault shall have no access policy any more. Only an approved undo makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedNoVaultPolicy {
    vault: BackupVaultArn,
}

impl ApprovedNoVaultPolicy {
    pub(crate) const fn new(vault: BackupVaultArn) -> Self {
        Self { vault }
    }

    /// The vault.
    #[must_use]
    pub const fn vault(&self) -> &BackupVaultArn {
        &self.vault
    }
}

/// That `AWSServiceRoleForBackup` shall be made in an account. Only the guarded repair makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedServiceLinkedRole {
    account: AccountId,
    partition: String,
}

impl ApprovedServiceLinkedRole {
    pub(crate) fn approve(account: AccountId, partition: &str, passed: bool) -> Option<Self> {
        passed.then(|| Self {
            account,
            partition: partition.to_owned(),
        })
    }

    /// The account.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The account's partition.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }
}
