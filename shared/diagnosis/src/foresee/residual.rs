//! What may stop a copy that every rule lets pass.
//!
//! | residual | a copy may pass in spite of it | because |
//! |---|---|---|
//! | `passing-conditions` | yes | whether there is room at that time, and whether a service works then, nobody knows beforehand |
//! | `calls-beside-the-rules` | yes | session policies and VPC endpoint policies come with a call, and can't be read from outside |
//! | `image-settings` | yes | Allowed AMIs, licences and sharing of an image are told by AWS's message alone |
//! | `option-group` | yes | whether a snapshot of Amazon RDS needs an option group is told by AWS's message alone |
//! | `continuous-backup` | yes | whether another vault has a continuous backup is told by AWS's message alone |
//! | `tags-of-the-resource` | yes | the backup's own tags were read and are in order; the copy takes over the resource's, too |
//! | `feature-table` | yes | AWS's feature table lists the copy as supported; an engine or a storage tier may still exclude it |
//! | `other-backups` | yes | the newest backup of a route was judged; those of its other resources may bear other tags, or be images with other keys |
//! | `simulated-service-control` | yes, for the two calls of AWS Backup | the policy simulator lets them pass; it takes condition keys that it isn't told as absent (documented) |
//!
//! Everything else that is open leaves a copy unknown, above all a policy that was not read.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::causes::{Cause, keys_in_opt_in_regions};
use crate::fact::{UnknownReason, WhyUnknown};
use crate::facts::Facts;
use crate::features::{CopySupport, PlannedCopy, support_of};
use crate::job::BackupCopy;

/// What may stop a copy that every rule lets pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Residual {
    /// A quota, too many copies at once, a maintenance window, a fault of a service.
    PassingConditions,
    /// A session policy or the policy of a VPC endpoint.
    CallsBesideTheRules,
    /// The account's Allowed AMIs, the licence of an image, and its sharing.
    ImageSettings,
    /// An option group at the destination.
    OptionGroup,
    /// A continuous backup in another vault.
    ContinuousBackup,
    /// The tags of the resource, which the copy takes over beside the backup's.
    TagsOfTheResource,
    /// What AWS's feature table doesn't tell of an engine or a storage tier.
    FeatureTable,
    /// Service control policies that the policy simulator alone has judged.
    SimulatedServiceControl,
    /// The backups of the other resources of a route, for which the newest one speaks. Who foresees
    /// copies together names it.
    OtherBackups,
}

impl Residual {
    /// A stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::PassingConditions => "passing-conditions",
            Self::CallsBesideTheRules => "calls-beside-the-rules",
            Self::ImageSettings => "image-settings",
            Self::OptionGroup => "option-group",
            Self::ContinuousBackup => "continuous-backup",
            Self::TagsOfTheResource => "tags-of-the-resource",
            Self::FeatureTable => "feature-table",
            Self::SimulatedServiceControl => "simulated-service-control",
            Self::OtherBackups => "other-backups",
        }
    }

    /// What it is, in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::PassingConditions => {
                "whether there is room for the copy when it starts, and whether AWS's services work then, can't be foreseen"
            }
            Self::CallsBesideTheRules => {
                "session policies and policies of VPC endpoints can't be read"
            }
            Self::ImageSettings => {
                "the Allowed AMIs setting, the licence of the image and its sharing are not read"
            }
            Self::OptionGroup => {
                "whether the snapshot needs an option group at the destination is not read"
            }
            Self::ContinuousBackup => {
                "whether another vault holds a continuous backup of the resource is not read"
            }
            Self::TagsOfTheResource => {
                "the copy takes over the tags of the resource too, which are not read"
            }
            Self::FeatureTable => {
                "AWS's feature table lists the copy as supported; an engine or a storage tier may still exclude it"
            }
            Self::SimulatedServiceControl => {
                "the service control policies were not read; the policy simulator judged them, and takes condition keys that it isn't told as absent"
            }
            Self::OtherBackups => {
                "the newest backup speaks for all resources of the route: the tags of the others' backups, and the keys of other images, are not read"
            }
        }
    }
}

impl fmt::Display for Residual {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

impl Serialize for Residual {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.slug())
    }
}

/// What stands beside every verdict on such a copy, since AWS's message alone tells of it.
pub(super) fn of_every_copy(copy: &BackupCopy) -> Vec<Residual> {
    let mut residuals = vec![Residual::PassingConditions, Residual::CallsBesideTheRules];
    let point = &copy.source_recovery_point;
    if point.service() == "ec2" && point.resource().starts_with("image/") {
        residuals.push(Residual::ImageSettings);
    }
    if point.service() == "rds" {
        residuals.push(Residual::OptionGroup);
    }
    if point.service() == "backup" || point.service() == "rds" {
        residuals.push(Residual::ContinuousBackup);
    }
    residuals
}

/// What a cause that can't be excluded leaves.
pub(super) enum Left {
    /// The copy can't be known.
    Open,
    /// Nothing: everybody who may use a key is admitted, or AWS owns it.
    Nothing,
    /// This, and the copy may pass in spite of it.
    Beside(Residual),
}

/// What a cause that can't be excluded leaves.
pub(super) fn of(cause: Cause, copy: &BackupCopy, facts: &Facts) -> Left {
    let is_read = || !cause.entry().is_unread(copy, facts);
    let of_aws = facts.is_source_key_owned_by_aws(copy);
    let is = |one| cause == one;
    if is(Cause::TagLimit) {
        let are_known = facts.known_recovery_point_tags().is_some() || has_no_tags(facts);
        return beside(are_known, Residual::TagsOfTheResource);
    }
    if is(Cause::TagPolicy) {
        let complies = is_read() || (facts.tag_policy.known().is_some() && has_no_tags(facts));
        return beside(complies, Residual::TagsOfTheResource);
    }
    if is(Cause::UnsupportedResourceType) {
        let is_listed = (is_read() || of_aws) && is_listed(copy, facts);
        return beside(is_listed, Residual::FeatureTable);
    }
    // That an account has enabled the Regions that its vaults are in is inferred.
    let uses_no_other_region =
        is(Cause::RegionOptIn) && keys_in_opt_in_regions(copy, facts).is_empty();
    let is_settled =
        (is(Cause::DestinationVaultKey) || is(Cause::SourceKeyPolicy) || is(Cause::SourceKeyDeny))
            && is_read();
    if uses_no_other_region || is_settled || (of_aws && cause.is_of_source_key()) {
        Left::Nothing
    } else {
        Left::Open
    }
}

const fn beside(may_pass: bool, residual: Residual) -> Left {
    if may_pass {
        Left::Beside(residual)
    } else {
        Left::Open
    }
}

/// Whether the backup exists, and the API of tags was asked and doesn't name it: it names what has
/// tags, and knows the snapshots, images and backups of every service that AWS Backup uses (Resource
/// Groups Tagging API reference, `GetResources`, and "Supported services", documented), so that it has
/// none (inferred).
fn has_no_tags(facts: &Facts) -> bool {
    let exists = facts.recovery_point.known().is_some_and(Option::is_some);
    let is_not_named = |why: &WhyUnknown| why.reason == UnknownReason::NotRead;
    exists
        && facts
            .recovery_point_tags
            .unknown()
            .is_some_and(is_not_named)
}

/// Whether AWS's feature table lists the copy as supported.
fn is_listed(copy: &BackupCopy, facts: &Facts) -> bool {
    copy.resource_type.as_ref().is_some_and(|resource_type| {
        support_of(&PlannedCopy {
            resource_type,
            recovery_point: &copy.source_recovery_point,
            resource: copy.resource.as_ref(),
            source_vault: &copy.source_vault,
            destination_vault: &copy.destination_vault,
            logically_air_gapped: facts.is_into_air_gapped_vault(),
        }) == CopySupport::Supported
    })
}
