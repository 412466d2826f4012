//! The tags that the copy takes over.

use copymend_diagnosis::Cause;
use copymend_policy::{Arn, wildcard_matches};

use super::{Verdict, refused};
use crate::copies::NewCopy;
use crate::world::{RecoveryPoint, TagRule, World};

/// At most fifty user tags (documented: "Quotas"), and none that the tag policy forbids which is in
/// effect in the destination account (seen). A policy stops what it is enforced for (documented:
/// Organizations "Tag policy syntax").
pub(super) fn check(world: &World, copy: &NewCopy, point: &RecoveryPoint) -> Verdict {
    let is_of_user = |key: &&String| !key.starts_with("aws:");
    if point.tags.keys().filter(is_of_user).count() > 50 {
        return Err(refused(
            Cause::TagLimit,
            "LIMIT_EXCEEDED",
            "The resultant tag set must not have more than 50 user tags.",
        ));
    }
    let organization = copy
        .destination_vault
        .account_id()
        .and_then(|id| world.organization_of(id));
    let rules = organization.map(|organization| &organization.tag_policies);
    let violation = point
        .tags
        .iter()
        .filter(|(key, _)| is_of_user(key))
        .find(|(key, value)| {
            let mut rules = rules.into_iter().flatten();
            rules
                .find(|(governed, _)| governed.eq_ignore_ascii_case(key))
                .is_some_and(|(governed, rule)| {
                    !(governed == *key && admits(rule, value))
                        && is_enforced(&rule.enforced_for, &point.arn)
                })
        });
    match violation {
        None => Ok(()),
        // AWS's words for a key in the wrong letter case are unverified.
        Some((key, _)) => Err(refused(
            Cause::TagPolicy,
            "TAG_COPY_ERROR",
            format!(
                "The tag policy does not allow the specified value for the following tag key: '{key}'."
            ),
        )),
    }
}

/// Whether a rule admits a value: every one where it names none (documented: Organizations "Tag
/// policy syntax").
fn admits(rule: &TagRule, value: &str) -> bool {
    rule.values.is_empty()
        || rule
            .values
            .iter()
            .any(|admitted| wildcard_matches(admitted, value))
}

/// Whether a policy is enforced for a copy of this recovery point. That the copy counts as the type
/// in its ARN, such as `ec2:snapshot`, is inferred.
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
