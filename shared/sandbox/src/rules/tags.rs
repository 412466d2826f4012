//! The tags that the copy takes over.

use copymend_diagnosis::{Cause, TagPolicy};
use copymend_policy::Arn;

use super::{Verdict, refused};
use crate::copies::NewCopy;
use crate::world::{Organization, RecoveryPoint, World};

/// At most fifty user tags (documented: "Quotas"), and none that the tag policy forbids which is in effect in the
/// destination account (seen). A policy stops what it is enforced for (documented: Organizations "Tag policy syntax").
pub(super) fn check(world: &World, copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let is_of_user = |key: &&String| !key.starts_with("aws:");
    if point.tags.keys().filter(is_of_user).count() > 50 {
        return Err(refused(
            Cause::TagLimit,
            "LIMIT_EXCEEDED",
            "The resultant tag set must not have more than 50 user tags.",
        ));
    }
    let policy = copy
        .destination_vault
        .account_id()
        .and_then(|id| world.organization_of(id))
        .and_then(Organization::effective_tag_policy)
        .and_then(|text| TagPolicy::parse(&text).ok());
    let violation = policy.and_then(|policy| {
        let mut violations = policy.violations(&point.tags).into_iter();
        violations.find(|violation| is_enforced(&violation.enforced_for, &point.arn))
    });
    match violation {
        None => Ok(()),
        // AWS's words for a key in the wrong letter case are unverified.
        Some(violation) => Err(refused(
            Cause::TagPolicy,
            "TAG_COPY_ERROR",
            format!(
                "The tag policy does not allow the specified value for the following tag key: '{}'.",
                violation.key
            ),
        )),
    }
}

/// Whether a policy is enforced for a copy of this recovery point. That the copy counts as the type in its ARN, such as
/// `ec2:snapshot`, is inferred.
fn is_enforced(enforced_for: &[String], point: &Arn) -> bool {
    let resource = point.resource();
    let kind = resource.split(['/', ':']).next().unwrap_or(resource);
    enforced_for.iter().any(|entry| {
        entry.split_once(':').is_some_and(|(service, enforced)| {
            service == point.service()
                && (enforced == kind || matches!(enforced, "*" | "ALL_SUPPORTED"))
        })
    })
}
