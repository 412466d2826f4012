//! What goes wrong inside AWS, or where a world has no rule: only AWS's message tells (documented:
//! AWS Backup developer guide, "Reasons for problematic jobs"; the two denials follow IAM's
//! access-denied grammar).

use copymend_diagnosis::Cause;
use serde_json::json;

use super::super::healthy::COPY;
use super::super::shape::Backup;
use super::{Break, Draft, Place, Shape, always};

macro_rules! faults {
    ($($name:literal, $cause:ident, $applies:expr, $message:literal;)*) => {
        pub(super) const WAYS: &[Break] = &[$(Break {
            name: $name,
            cause: Cause::$cause,
            is_rule: false,
            places: &[Place::Fault],
            applies: $applies,
            make: |draft| set(draft, $message),
            mend: |draft| draft.restore(&faults()),
        },)*];
    };
}

faults! {
    "session-policy", SessionPolicy, always, "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: ec2:CopySnapshot on resource: arn:aws:ec2:us-east-1::snapshot/snap-0123456789abcdef0 because no session policy allows the ec2:CopySnapshot action";
    "endpoint-policy", VpcEndpointPolicy, always, "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: backup:StartCopyJob on resource: arn:aws:ec2:us-east-1::snapshot/snap-0123456789abcdef0 because no VPC endpoint policy allows the backup:StartCopyJob action";
    "too-many-copies-at-once", Concurrency, always, "There are too many copy jobs running for resource.";
    "quota-used-up", Quota, always, "Maximum allowed in-progress snapshots for a single volume exceeded.";
    "token-expired", Transient, always, "Token expired. Try again.";
    "internal-error", ServiceFault, always, "An internal error occurred.";
    "fatal-error", ServiceFault, always, "Copy job encountered a fatal error. Please contact AWS Support for further assistance.";
    "resource-in-another-state", ResourceState, always, "Instance is not in state available";
    "maintenance-window", ScheduleWindow, always, "Backup job could not start because it is either inside or too close to the weekly maintenance window configured";
    "marketplace-image", Licensing, across_images, "Images from AWS Marketplace cannot be copied to another AWS account.";
    "image-not-allowed", AllowedAmis, across_images, "Source AMI ami-0123456789abcdef0 not found in Region.";
    "share-revoked", ShareRevoked, across_images, "You do not have permission to access the storage of this ami.";
    "share-not-cleaned-up", ShareCleanup, always, "Failed to unshare snapshot";
    "option-group-needed", OptionGroup, of_rds, "The snapshot requires a target option group with the following options: TDE.";
    "region-not-enabled", RegionOptIn, always, "The AWS Access Key Id needs a subscription for the service";
    "continuous-backup", ContinuousBackup, of_s3, "Bucket my-bucket already has continuous backup enabled for another vault Backup job failed.";
}

fn across_images(shape: Shape) -> bool {
    shape.backup == Backup::Image && shape.cross_account
}

fn of_rds(shape: Shape) -> bool {
    shape.backup == Backup::Rds
}

fn of_s3(shape: Shape) -> bool {
    shape.backup == Backup::S3
}

fn set(draft: &mut Draft, message: &str) {
    draft.set(&faults(), json!([{"message": message}]));
}

fn faults() -> String {
    format!("{COPY}/faults")
}
