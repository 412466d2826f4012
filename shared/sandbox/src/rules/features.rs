//! Which resource types can be copied where (documented: AWS Backup developer guide, "Feature availability by resource").

use copymend_diagnosis::Cause;

use super::{Verdict, refused};
use crate::copies::NewCopy;
use crate::world::RecoveryPoint;

/// Types without any copy. Redshift has no row in AWS's table, so that it is one of them is inferred.
const NEVER: &[&str] = &["Redshift", "Redshift Serverless"];
/// Types that can be copied to another Region, but not to another account.
const CROSS_REGION_ONLY: &[&str] = &["CloudFormation"];

pub(super) fn check(copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let is_one_of = |types: &[&str]| {
        types
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&point.resource_type))
    };
    let cross_account = copy.is_cross_account();
    // DynamoDB without advanced features, and FSx for ONTAP, whose backups are of volumes.
    let is_basic_table = point.arn.service() == "dynamodb";
    let is_ontap = point.resource_arn.service() == "fsx"
        && point.resource_arn.resource().starts_with("volume/");
    // No copies between accounts in China, and none between partitions.
    let leaves_china = cross_account && copy.source_vault.partition() == "aws-cn";
    let leaves_partition = copy.source_vault.partition() != copy.destination_vault.partition();
    let unsupported = is_basic_table
        || is_ontap
        || leaves_china
        || leaves_partition
        || is_one_of(NEVER)
        || (cross_account && is_one_of(CROSS_REGION_ONLY));
    if !unsupported {
        return Ok(());
    }
    let message = if copy.is_cross_region() {
        format!(
            "Copy job from {} to {} cannot be initiated for {} resources. Feature is not supported for provided resource type.",
            copy.source_vault.region(),
            copy.destination_vault.region(),
            point.resource_type
        )
    } else {
        "Feature is not supported for provided resource type.".to_owned()
    };
    Err(refused(
        Cause::UnsupportedResourceType,
        "UNSUPPORTED_OPERATION",
        message,
    ))
}
