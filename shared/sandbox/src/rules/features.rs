//! Which resource types can be copied where: AWS Backup's feature table, the one that the diagnosis has too.

use copymend_diagnosis::Cause;
use copymend_diagnosis::features::{CopySupport, PlannedCopy, support_of};

use super::{Verdict, refused};
use crate::copies::NewCopy;
use crate::world::{RecoveryPoint, Vault, World};

/// AWS's words for a type that a logically air-gapped vault doesn't take (documented: "Primary backups to logically air-gapped vaults").
pub(super) const NOT_IN_AIR_GAPPED_VAULT: &str = "Backup job completed successfully to the target backup vault. This resource type is not supported by logically air-gapped backup vault.";

pub(super) fn check(world: &World, copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let logically_air_gapped = world
        .vault(&copy.destination_vault)
        .is_some_and(Vault::is_logically_air_gapped);
    let supports = |logically_air_gapped| {
        let planned = PlannedCopy {
            resource_type: &point.resource_type,
            recovery_point: &point.arn,
            resource: Some(&point.resource_arn),
            source_vault: &copy.source_vault,
            destination_vault: &copy.destination_vault,
            logically_air_gapped,
        };
        match support_of(&planned) {
            CopySupport::Unsupported(_) => false,
            CopySupport::Supported | CopySupport::NotListed => true,
        }
    };
    let message = if !supports(false) {
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
    } else if !supports(logically_air_gapped) {
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
