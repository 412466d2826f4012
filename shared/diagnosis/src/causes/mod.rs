//! The causes of a failed copy. Each is one entry, which tells everything about it.

mod backup;
mod call;
mod control_policy;
mod entry;
mod image;
mod image_keys;
mod job_role_keys;
mod key;
mod key_policy;
pub(crate) mod key_policy_steps;
mod key_simulation;
mod organization;
mod passing;
mod permission;
mod resource_type;
pub(crate) mod role;
mod service_linked_role;
mod simulation;
mod source_vault;
mod tags;
mod vault;
pub(crate) mod vault_policy;

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::advice::{console, page};
use crate::messages::rules;
pub(crate) use entry::{ADMITTED, Entry, Family, Pages, Shown, always, never};
pub use entry::{Remedy, Repairable};
pub use image_keys::{led_by_key_in_the_way, other_keys_in_the_way};
pub use job_role_keys::keys_of_job_role;
pub(crate) use job_role_keys::{
    bound_key_owners, is_bound, may_be_under_service_control, open_at_keys, uses_open_key,
};
pub(crate) use organization::keys_in_opt_in_regions;
pub(crate) use vault::is_of_no_use;

macro_rules! causes {
    ($($(#[$doc:meta])* $name:ident => $entry:path;)*) => {
        /// Why a copy job failed. The slug is the name that other programs rely on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause {
            $($(#[$doc])* $name,)*
        }

        impl Cause {
            /// Every cause, in the order of the requirements.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// All about the cause. A cause without an entry doesn't compile.
            pub(crate) const fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$name => &$entry,)*
                }
            }
        }
    };
}

causes! {
    /// The destination vault's access policy doesn't allow `backup:CopyIntoBackupVault` to the
    /// source.
    DestinationVaultPolicy => vault_policy::POLICY;
    /// A Deny in the destination vault's access policy matches the copy.
    DestinationVaultDeny => vault_policy::DENY;
    /// A Deny in the source vault's access policy matches the copy.
    SourceVaultDeny => source_vault::DENY;
    /// The customer managed key of the source backup doesn't admit the destination account.
    SourceKeyPolicy => key_policy::POLICY;
    /// A Deny in the source key's policy matches.
    SourceKeyDeny => key_policy::DENY;
    /// The source key is disabled, pending deletion or pending import.
    SourceKeyState => key::STATE;
    /// The source key doesn't exist.
    KeyNotFound => key::NOT_FOUND;
    /// The backup is encrypted with an AWS managed key, whose policy can't be changed.
    AwsManagedKey => key::AWS_MANAGED;
    /// The destination vault uses the default service key, or no usable key.
    DestinationVaultKey => vault::KEY;
    /// The two accounts aren't in the same organization.
    OrganizationMembership => organization::MEMBERSHIP;
    /// Cross-account backup is off in the management account.
    CrossAccountBackupDisabled => organization::FEATURE_OFF;
    /// This resource type can't do this copy.
    UnsupportedResourceType => resource_type::UNSUPPORTED;
    /// The job role lacks an action.
    JobRolePermission => permission::PERMISSION;
    /// AWS Backup can't assume the job role.
    JobRoleTrust => role::TRUST;
    /// The job role doesn't exist.
    JobRoleMissing => role::MISSING;
    /// A permissions boundary blocks the call.
    PermissionsBoundary => permission::BOUNDARY;
    /// A service control policy blocks the call.
    ServiceControlPolicy => control_policy::SERVICE;
    /// A resource control policy blocks the call.
    ResourceControlPolicy => control_policy::RESOURCE;
    /// A session policy blocks the call.
    SessionPolicy => call::SESSION;
    /// A VPC endpoint policy blocks the call.
    VpcEndpointPolicy => call::ENDPOINT;
    /// `AWSServiceRoleForBackup` is missing in the destination account.
    ServiceLinkedRole => service_linked_role::MISSING;
    /// The tags break the organization's tag policy.
    TagPolicy => tags::POLICY;
    /// The copy would have more than fifty tags.
    TagLimit => tags::LIMIT;
    /// The retention of the copy is outside the range of the vault lock.
    RetentionOutOfRange => vault::RETENTION;
    /// Too many copies run at once.
    Concurrency => passing::CONCURRENCY;
    /// A service quota is used up.
    Quota => passing::QUOTA;
    /// A passing condition.
    Transient => passing::TRANSIENT;
    /// A fault inside an AWS service.
    ServiceFault => passing::SERVICE_FAULT;
    /// The resource wasn't in a state that allows it.
    ResourceState => passing::RESOURCE_STATE;
    /// The job met a maintenance or backup window.
    ScheduleWindow => passing::SCHEDULE_WINDOW;
    /// The vault doesn't exist.
    VaultNotFound => vault::NOT_FOUND;
    /// The recovery point or its resource doesn't exist.
    SourceNotFound => backup::SOURCE_NOT_FOUND;
    /// An image from AWS Marketplace can't be copied to another account.
    Licensing => image::LICENSING;
    /// The account's Allowed AMIs setting hides the image.
    AllowedAmis => image::ALLOWED_AMIS;
    /// Someone took back the temporary sharing that AWS Backup needs.
    ShareRevoked => image::SHARE_REVOKED;
    /// AWS Backup could not take back its temporary sharing.
    ShareCleanup => image::SHARE_CLEANUP;
    /// The snapshot needs an option group at the destination.
    OptionGroup => image::OPTION_GROUP;
    /// The account isn't enabled in the Region.
    RegionOptIn => organization::REGION_OPT_IN;
    /// Continuous backups stand in the way.
    ContinuousBackup => backup::CONTINUOUS;
    /// The caller of an AWS Backup operation lacks a permission. Never the cause of a failed copy:
    /// a copy's job role is no caller.
    CallerPermission => permission::CALLER;
    /// The policy of the key that a call or job uses doesn't let the caller or the job role use it.
    KeyPolicy => key_policy::CALL;
    /// None of these.
    Unknown => passing::UNKNOWN;
}

impl Cause {
    /// The stable name, such as `destination-vault-policy`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.entry().slug
    }

    /// One line for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.entry().title
    }

    /// How the cause comes about, in a sentence or two.
    #[must_use]
    pub const fn happens(self) -> &'static str {
        self.entry().happens
    }

    /// How Copymend finds it, in a sentence or two.
    #[must_use]
    pub const fn found(self) -> &'static str {
        self.entry().found
    }

    /// Whether facts can show it. Else the message alone tells.
    #[must_use]
    pub const fn is_shown_by_facts(self) -> bool {
        self.entry().rank().is_some()
    }

    /// What Copymend can do about it.
    #[must_use]
    pub const fn remedy(self) -> Remedy {
        self.entry().remedy
    }

    /// Whether Copymend has a repair for this cause. Every guard still stands before the repair.
    #[must_use]
    pub fn is_repairable(self) -> bool {
        matches!(self.remedy(), Remedy::Repair(_))
    }

    /// Whether the copy may be started again although nothing was repaired.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        self.remedy() == Remedy::Retry
    }

    /// Whether the copy found no room: too many ran at once, or a quota was used up. There may be room
    /// minutes later, with nothing repaired (inferred).
    #[must_use]
    pub const fn is_lack_of_room(self) -> bool {
        matches!(self, Self::Concurrency | Self::Quota)
    }

    pub(crate) fn is_in(self, family: Family) -> bool {
        self.entry().families.contains(&family)
    }

    /// The cause that it is instead where a Deny decides.
    pub(crate) fn denied(self) -> Option<Self> {
        self.entry().families.iter().find_map(|family| {
            if let Family::UnlessDenied(deny) = family {
                Some(*deny)
            } else {
                None
            }
        })
    }

    /// Whether a Deny is the cause.
    pub(crate) fn is_deny(self) -> bool {
        static DENIES: LazyLock<Vec<Cause>> = LazyLock::new(|| {
            Cause::ALL
                .iter()
                .filter_map(|cause| cause.denied())
                .collect()
        });
        DENIES.contains(&self)
    }

    /// Whether it is about the key of the source backup.
    pub(crate) fn is_of_source_key(self) -> bool {
        image_keys::OF_KEYS.contains(&self)
    }

    /// Its place in the order in which causes must be put right; the last where no fact shows it.
    #[must_use]
    pub fn place_in_repair(self) -> usize {
        let mut ranked = Self::in_order_of_repair().into_iter();
        ranked.position(|cause| cause == self).unwrap_or(usize::MAX)
    }

    /// The causes that facts can show, in the order in which they must be put right.
    pub(crate) fn in_order_of_repair() -> Vec<Self> {
        let mut ranked: Vec<Self> = Self::ALL.to_vec();
        ranked.retain(|cause| cause.is_shown_by_facts());
        ranked.sort_by_key(|cause| cause.entry().rank());
        ranked
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

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Cause {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cause".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let all: Vec<&str> = Self::ALL.iter().map(|cause| cause.slug()).collect();
        schemars::json_schema!({
            "description": "Why it failed: docs/causes.md.",
            "type": "string",
            "enum": all
        })
    }
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_causes_have_one_slug_or_one_rank() {
        for cause in Cause::ALL {
            let entry = cause.entry();
            let alike = |other: &&Cause| {
                let other = other.entry();
                other.slug == entry.slug || (other.rank().is_some() && other.rank() == entry.rank())
            };
            assert_eq!(Cause::ALL.iter().filter(alike).count(), 1, "{cause}");
        }
    }

    #[test]
    fn an_entry_is_written_in_sentences() {
        for cause in Cause::ALL {
            let entry = cause.entry();
            for text in [entry.happens, entry.found, entry.also] {
                assert!(
                    text.ends_with('.') && !text.contains("  "),
                    "{cause}: {text}"
                );
            }
            assert!(!entry.title.ends_with('.'), "{cause}");
        }
    }

    #[test]
    fn what_can_be_repaired_can_be_shown_by_facts() {
        for cause in Cause::ALL.iter().filter(|cause| cause.is_repairable()) {
            assert!(cause.is_shown_by_facts(), "{cause}");
        }
    }
}
