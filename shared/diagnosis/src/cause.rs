//! The causes of a failed copy, each with a stable slug.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident = $slug:literal, $title:literal;)*) => {
        /// Why a copy job failed. The slug is the name that other programs rely on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause {
            $($(#[$doc])* $name,)*
        }

        impl Cause {
            /// Every cause, in the order of the requirements.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable name, such as `destination-vault-policy`.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self {
                    $(Self::$name => $slug,)*
                }
            }

            /// One line for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)*
                }
            }
        }
    };
}

causes! {
    /// The destination vault's access policy doesn't allow `backup:CopyIntoBackupVault` to the source.
    DestinationVaultPolicy = "destination-vault-policy", "The destination vault's access policy does not admit the source";
    /// A Deny in the destination vault's access policy matches the copy.
    DestinationVaultDeny = "destination-vault-deny", "The destination vault's access policy denies the copy";
    /// The customer managed key of the source backup doesn't admit the destination account.
    SourceKeyPolicy = "source-key-policy", "The key policy of the source backup does not admit the destination account";
    /// A Deny in the source key's policy matches.
    SourceKeyDeny = "source-key-deny", "The key policy of the source backup denies the copy";
    /// The source key is disabled, pending deletion or pending import.
    SourceKeyState = "source-key-state", "The key of the source backup is not enabled";
    /// The source key doesn't exist.
    KeyNotFound = "key-not-found", "The key does not exist";
    /// The backup is encrypted with an AWS managed key, whose policy can't be changed.
    AwsManagedKey = "aws-managed-key", "The backup is encrypted with an AWS managed key, which cannot be shared";
    /// The destination vault uses the default service key, or no usable key.
    DestinationVaultKey = "destination-vault-key", "The destination vault has no key that this copy can use";
    /// The two accounts aren't in the same organization.
    OrganizationMembership = "organization-membership", "The accounts are not in the same organization";
    /// Cross-account backup is off in the management account.
    CrossAccountBackupDisabled = "cross-account-backup-disabled", "Cross-account backup is off in the organization";
    /// This resource type can't do this copy.
    UnsupportedResourceType = "unsupported-resource-type", "This resource type does not support this copy";
    /// The job role lacks an action.
    JobRolePermission = "job-role-permission", "The job role lacks a permission";
    /// AWS Backup can't assume the job role.
    JobRoleTrust = "job-role-trust", "AWS Backup cannot assume the job role";
    /// The job role doesn't exist.
    JobRoleMissing = "job-role-missing", "The job role does not exist";
    /// A permissions boundary blocks the call.
    PermissionsBoundary = "permissions-boundary", "A permissions boundary blocks the call";
    /// A service control policy blocks the call.
    ServiceControlPolicy = "service-control-policy", "A service control policy blocks the call";
    /// A resource control policy blocks the call.
    ResourceControlPolicy = "resource-control-policy", "A resource control policy blocks the call";
    /// A session policy blocks the call.
    SessionPolicy = "session-policy", "A session policy blocks the call";
    /// A VPC endpoint policy blocks the call.
    VpcEndpointPolicy = "vpc-endpoint-policy", "A VPC endpoint policy blocks the call";
    /// `AWSServiceRoleForBackup` is missing in the destination account.
    ServiceLinkedRole = "service-linked-role", "AWSServiceRoleForBackup is missing in the destination account";
    /// The tags break the organization's tag policy.
    TagPolicy = "tag-policy", "The tags break the organization's tag policy";
    /// The copy would have more than fifty tags.
    TagLimit = "tag-limit", "The copy would have more than 50 tags";
    /// The retention of the copy is outside the range of the vault lock.
    RetentionOutOfRange = "retention-out-of-range", "The retention is outside the destination vault's range";
    /// Too many copies run at once.
    Concurrency = "concurrency", "Too many copies run at once";
    /// A service quota is used up.
    Quota = "quota", "A service quota is used up";
    /// A passing condition.
    Transient = "transient", "A passing condition";
    /// A fault inside an AWS service.
    ServiceFault = "service-fault", "A fault inside an AWS service";
    /// The resource wasn't in a state that allows it.
    ResourceState = "resource-state", "The resource was not in a state that allows this";
    /// The job met a maintenance or backup window.
    ScheduleWindow = "schedule-window", "The job met a maintenance or backup window";
    /// The vault doesn't exist.
    VaultNotFound = "vault-not-found", "The backup vault does not exist";
    /// The recovery point or its resource doesn't exist.
    SourceNotFound = "source-not-found", "The recovery point or its resource does not exist";
    /// An image from AWS Marketplace can't be copied to another account.
    Licensing = "licensing", "The licence of the image forbids the copy";
    /// The account's Allowed AMIs setting hides the image.
    AllowedAmis = "allowed-amis", "The Allowed AMIs setting hides the image";
    /// Someone took back the temporary sharing that AWS Backup needs.
    ShareRevoked = "share-revoked", "The temporary sharing of the image or snapshot was taken back";
    /// AWS Backup could not take back its temporary sharing.
    ShareCleanup = "share-cleanup", "The temporary sharing could not be taken back";
    /// The snapshot needs an option group at the destination.
    OptionGroup = "option-group", "The snapshot needs an option group at the destination";
    /// The account isn't enabled in the Region.
    RegionOptIn = "region-opt-in", "The account is not enabled in the Region";
    /// Continuous backups stand in the way.
    ContinuousBackup = "continuous-backup", "A continuous backup stands in the way";
    /// The caller of an AWS Backup operation lacks a permission. Never the cause of a failed copy: a copy's job role is no caller.
    CallerPermission = "caller-permission", "The caller lacks a permission";
    /// The policy of the key that a call or job uses doesn't let the caller or the job role use it.
    KeyPolicy = "key-policy", "The key policy does not let the caller or the job role use the key";
    /// None of these.
    Unknown = "unknown", "The cause is not known";
}

impl Cause {
    /// Whether Copymend has a repair for this cause. Every guard still stands before the repair.
    #[must_use]
    pub const fn is_repairable(self) -> bool {
        matches!(
            self,
            Self::DestinationVaultPolicy | Self::SourceKeyPolicy | Self::ServiceLinkedRole
        )
    }

    /// Whether the copy may be started again although nothing was repaired.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Concurrency | Self::Transient | Self::ServiceFault | Self::ResourceState
        )
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

/// A text that is no cause's slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the slug of a cause")]
pub struct UnknownSlug(String);

impl FromStr for Cause {
    type Err = UnknownSlug;

    fn from_str(slug: &str) -> Result<Self, UnknownSlug> {
        Self::ALL
            .iter()
            .copied()
            .find(|cause| cause.slug() == slug)
            .ok_or_else(|| UnknownSlug(slug.to_owned()))
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
