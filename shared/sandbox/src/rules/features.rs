//! Which resource types can be copied where, by AWS Backup's own page: see
//! [`super::feature_table`].

use copymend_diagnosis::Cause;

use super::feature_table::{Journey, row};
use super::{Verdict, refused};
use crate::copies::NewCopy;
use crate::world::{RecoveryPoint, Vault, World};

/// AWS's words for a type that a logically air-gapped vault doesn't take (documented: "Primary
/// backups to logically air-gapped vaults").
pub(super) const NOT_IN_AIR_GAPPED_VAULT: &str = "Backup job completed successfully to the target backup vault. This resource type is not supported by logically air-gapped backup vault.";

/// Copies stay inside a partition (documented: the page's footnotes 2 and 4). A type that the page
/// doesn't know is let pass.
pub(super) fn check(world: &World, copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let air_gapped = world
        .vault(&copy.destination_vault)
        .is_some_and(Vault::is_logically_air_gapped);
    let journey = Journey {
        from: copy.source_vault.region(),
        to: copy.destination_vault.region(),
        cross_account: copy.is_cross_account(),
    };
    let row = row(&point.resource_type, &point.arn, &point.resource_arn);
    let same_partition = copy.source_vault.partition() == copy.destination_vault.partition();
    let message = if !same_partition || row.is_some_and(|row| journey.is_excluded(row)) {
        if copy.is_cross_region() {
            format!(
                "Copy job from {} to {} cannot be initiated for {} resources. Feature is not supported for provided resource type.",
                copy.source_vault.region(),
                copy.destination_vault.region(),
                point.resource_type
            )
        } else {
            "Feature is not supported for provided resource type.".to_owned()
        }
    } else if air_gapped && row.is_some_and(|row| !journey.may_enter_air_gapped_vault(row)) {
        NOT_IN_AIR_GAPPED_VAULT.to_owned()
    } else {
        return Ok(());
    };
    Err(refused(
        Cause::UnsupportedResourceType,
        "UNSUPPORTED_OPERATION",
        message,
    ))
}
