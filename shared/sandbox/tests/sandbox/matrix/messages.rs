//! Causes that only a message tells: AWS's words for them, printed although every rule that can be
//! checked lets the copy pass.

use copymend_diagnosis::Cause;
use serde_json::json;

use super::scene::{COPY, Scene};

/// One message for every cause that rests on the message alone.
pub(crate) const MESSAGES: [(Cause, &str); 16] = [
    (
        Cause::SessionPolicy,
        "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: backup:CopyIntoBackupVault on resource: arn:aws:backup:eu-west-1:444455556666:backup-vault:dr because no session policy allows the backup:CopyIntoBackupVault action",
    ),
    (
        Cause::VpcEndpointPolicy,
        "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: backup:CopyIntoBackupVault on resource: arn:aws:backup:eu-west-1:444455556666:backup-vault:dr because no VPC endpoint policy allows the backup:CopyIntoBackupVault action",
    ),
    (
        Cause::Concurrency,
        "There are too many copy jobs running for resource.",
    ),
    (
        Cause::Quota,
        "Subscriber limit exceeded: You have reached the maximum concurrent number of backups, which is 300. Wait until other jobs finish, and try again. You can also reach out to Support to request a quota increase.",
    ),
    (Cause::Transient, "Token expired. Try again."),
    (Cause::ServiceFault, "An internal error occurred."),
    (Cause::ResourceState, "Instance is not in state available"),
    (
        Cause::ScheduleWindow,
        "Backup job could not start because it is either inside or too close to the weekly maintenance window configured",
    ),
    (
        Cause::Licensing,
        "Images from AWS Marketplace cannot be copied to another AWS account.",
    ),
    (
        Cause::AllowedAmis,
        "Source AMI ami-0123456789abcdef0 not found in Region.",
    ),
    (
        Cause::ShareRevoked,
        "You do not have permission to access the storage of this ami.",
    ),
    (Cause::ShareCleanup, "Failed to unshare snapshot"),
    (
        Cause::OptionGroup,
        "The snapshot requires a target option group with the following options: TDE.",
    ),
    (
        Cause::RegionOptIn,
        "The AWS Access Key Id needs a subscription for the service",
    ),
    (
        Cause::ContinuousBackup,
        "Bucket my-bucket already has continuous backup enabled for another vault Backup job failed.",
    ),
    (Cause::Unknown, "Abort signal detected"),
];

/// Messages of causes that can be checked in part: what refused here is none of the things that are
/// looked at.
pub(crate) const BEYOND_THE_CHECKS: [(Cause, &str); 8] = [
    (
        Cause::JobRolePermission,
        "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no identity-based policy allows the kms:Decrypt action",
    ),
    (
        Cause::JobRolePermission,
        "You are not authorized to perform this operation.",
    ),
    (
        Cause::JobRolePermission,
        "You are not authorized to perform this operation. Encoded authorization failure message: 4dZ8mVQ0gQ",
    ),
    (
        Cause::JobRolePermission,
        "Access denied exception while trying to list tags",
    ),
    (
        Cause::JobRolePermission,
        "Customer credential miss permission to get bucket versioning for bucket.",
    ),
    (
        Cause::PermissionsBoundary,
        "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: ec2:CopySnapshot on resource: arn:aws:ec2:eu-west-1::snapshot/* because no permissions boundary allows the ec2:CopySnapshot action",
    ),
    // The simulator leaves out service control policies with conditions.
    (
        Cause::ServiceControlPolicy,
        "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: backup:CopyIntoBackupVault on resource: arn:aws:backup:eu-west-1:444455556666:backup-vault:dr with an explicit deny in a service control policy",
    ),
    // A feature table may be older than the service.
    (
        Cause::UnsupportedResourceType,
        "Feature is not supported for provided resource type.",
    ),
];

/// Lets the copy fail with a message once every rule has let it pass.
pub(crate) fn fail_with(scene: &mut Scene, message: &str) {
    scene.set(COPY, "faults", json!([{ "message": message }]));
}
