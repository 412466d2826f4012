//! Why a cause is named as the second or a later candidate.

use crate::Cause;

/// One sentence for a cause that the wording admits but does not point at.
pub(super) const fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::DestinationVaultPolicy => {
            "The same text appears when the vault's access policy admits nobody."
        }
        Cause::DestinationVaultDeny => "A Deny in the vault's access policy gives the same text.",
        Cause::SourceKeyPolicy => {
            "A key policy that does not admit the destination account gives the same text."
        }
        Cause::SourceKeyDeny => "A Deny in the key policy gives the same text.",
        Cause::SourceKeyState => "A key that is disabled or pending deletion gives the same text.",
        Cause::KeyNotFound => "A key that does not exist gives the same text.",
        Cause::AwsManagedKey => "A backup under an AWS managed key gives the same text.",
        Cause::DestinationVaultKey => "The key may be that of the destination vault.",
        Cause::JobRolePermission => "A job role that lacks the permission gives the same text.",
        Cause::JobRoleTrust => "A role that AWS Backup may not assume gives the same text.",
        Cause::JobRoleMissing => "A role that does not exist gives the same text.",
        Cause::PermissionsBoundary => "A permissions boundary can refuse it too.",
        Cause::ServiceControlPolicy => {
            "A service control policy of the organization can refuse it too."
        }
        Cause::ResourceControlPolicy => {
            "A resource control policy of the organization can refuse it too."
        }
        Cause::SourceNotFound => "A recovery point or resource that is gone gives the same text.",
        Cause::AllowedAmis => "The Allowed AMIs setting hides images in the same way.",
        Cause::RegionOptIn => "A Region that is not enabled gives the same text.",
        Cause::Quota => "A used-up quota gives the same text.",
        Cause::Concurrency => "Too many jobs at once give the same text.",
        Cause::Transient => "A passing condition gives the same text.",
        Cause::ServiceFault => "A fault inside the service gives the same text.",
        Cause::ResourceState => "A resource in another state gives the same text.",
        Cause::OrganizationMembership
        | Cause::CrossAccountBackupDisabled
        | Cause::UnsupportedResourceType
        | Cause::SessionPolicy
        | Cause::VpcEndpointPolicy
        | Cause::ServiceLinkedRole
        | Cause::TagPolicy
        | Cause::TagLimit
        | Cause::RetentionOutOfRange
        | Cause::ScheduleWindow
        | Cause::VaultNotFound
        | Cause::Licensing
        | Cause::ShareRevoked
        | Cause::ShareCleanup
        | Cause::OptionGroup
        | Cause::ContinuousBackup
        | Cause::CallerPermission
        | Cause::KeyPolicy
        | Cause::Unknown => "The wording admits this too.",
    }
}
