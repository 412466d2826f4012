//! Causes that can't be excluded, because a read told nothing.

use crate::cause::Cause;
use crate::facts::{Facts, SourceKey};

/// Whether a read that a cause of a vault's or a key's message rests on told nothing.
pub(crate) fn is_unread(cause: Cause, facts: &Facts) -> bool {
    match cause {
        Cause::OrganizationMembership => {
            facts.source_organization.unknown().is_some()
                || facts.destination_organization.unknown().is_some()
        }
        Cause::VaultNotFound => facts.destination_vault.unknown().is_some(),
        Cause::DestinationVaultDeny | Cause::DestinationVaultPolicy => {
            facts.vault_policy.unknown().is_some()
        }
        Cause::DestinationVaultKey => facts.vault_key.unknown().is_some(),
        Cause::ServiceLinkedRole => facts.service_linked_role.unknown().is_some(),
        Cause::AwsManagedKey
        | Cause::KeyNotFound
        | Cause::SourceKeyState
        | Cause::SourceKeyDeny
        | Cause::SourceKeyPolicy => match &facts.source_key {
            SourceKey::NotEncrypted => false,
            SourceKey::Unknown(_) => true,
            SourceKey::Key(key) => {
                key.key.unknown().is_some()
                    || key.policy.unknown().is_some()
                    || key.policy_names.unknown().is_some()
            }
        },
        Cause::CrossAccountBackupDisabled
        | Cause::UnsupportedResourceType
        | Cause::JobRolePermission
        | Cause::JobRoleTrust
        | Cause::JobRoleMissing
        | Cause::PermissionsBoundary
        | Cause::ServiceControlPolicy
        | Cause::ResourceControlPolicy
        | Cause::SessionPolicy
        | Cause::VpcEndpointPolicy
        | Cause::TagPolicy
        | Cause::TagLimit
        | Cause::RetentionOutOfRange
        | Cause::Concurrency
        | Cause::Quota
        | Cause::Transient
        | Cause::ServiceFault
        | Cause::ResourceState
        | Cause::ScheduleWindow
        | Cause::SourceNotFound
        | Cause::Licensing
        | Cause::AllowedAmis
        | Cause::ShareRevoked
        | Cause::ShareCleanup
        | Cause::OptionGroup
        | Cause::RegionOptIn
        | Cause::ContinuousBackup
        | Cause::CallerPermission
        | Cause::KeyPolicy
        | Cause::Unknown => false,
    }
}
