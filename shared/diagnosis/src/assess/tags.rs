//! The tags that the copy takes over.

use copymend_policy::Arn;

use super::{Finding, confirmed, not_checkable, ruled_out, unreadable};
use crate::assess::Verdict;
use crate::fact::Fact;
use crate::facts::{Facts, RecoveryPointTags, Tags};
use crate::job::Failure;
use crate::tag_policy::TagViolation;

/// The most user tags that a resource can have (AWS Backup, "Quotas", documented).
const MOST_TAGS: usize = 50;

fn user_tags(tags: &Tags) -> usize {
    tags.keys().filter(|key| !key.starts_with("aws:")).count()
}

/// The tags, or what to say without them.
fn known<'f>(failure: &Failure, facts: &'f Facts) -> Result<&'f Tags, Finding> {
    match &facts.recovery_point_tags {
        Fact::Unknown(why) => Err(unreadable(why)),
        Fact::Known(RecoveryPointTags::Tags(tags)) => Ok(tags),
        Fact::Known(RecoveryPointTags::NotApplicable) => Err(not_checkable(format!(
            "AWS Backup does not list the tags of `{}`, which belongs to another service",
            failure.job().source_recovery_point
        ))),
    }
}

pub(super) fn limit(failure: &Failure, facts: &Facts) -> Finding {
    match known(failure, facts) {
        Err(finding) => finding,
        Ok(tags) => {
            let text = format!("the recovery point has {} user tags", user_tags(tags));
            if user_tags(tags) > MOST_TAGS {
                confirmed(text)
            } else {
                // The resource's own tags may be more than the recovery point's.
                not_checkable(text)
            }
        }
    }
}

pub(super) fn policy(failure: &Failure, facts: &Facts) -> Finding {
    let policy = match &facts.tag_policy {
        Fact::Unknown(why) => return unreadable(why),
        Fact::Known(None) => {
            return ruled_out("no tag policy is in effect in the destination account");
        }
        Fact::Known(Some(policy)) => policy,
    };
    let tags = match known(failure, facts) {
        Err(finding) => return finding,
        Ok(tags) => tags,
    };
    let violations = policy.violations(tags);
    if violations.is_empty() {
        // The copy takes over tags of the resource too, which aren't read.
        return not_checkable(
            "the recovery point's tags comply with the tag policy in effect in the destination account; the resource's own are not read",
        );
    }
    let point = &failure.job().source_recovery_point;
    let verdict = if violations
        .iter()
        .any(|violation| is_enforced(violation, point))
    {
        Verdict::Confirmed
    } else {
        Verdict::NotCheckable
    };
    (verdict, violations.iter().map(sentence).collect())
}

/// Whether the policy is enforced for what the copy makes. That this is the type in the recovery point's ARN, such as
/// `ec2:snapshot`, is (inferred).
fn is_enforced(violation: &TagViolation, point: &Arn) -> bool {
    let resource = point.resource();
    let kind = resource.split(['/', ':']).next().unwrap_or(resource);
    violation.enforced_for.iter().any(|entry| {
        entry.split_once(':').is_some_and(|(service, enforced)| {
            service == point.service()
                && (enforced == kind || matches!(enforced, "*" | "ALL_SUPPORTED"))
        })
    })
}

fn sentence(violation: &TagViolation) -> String {
    let TagViolation {
        key,
        value,
        policy_key,
        allowed,
        enforced_for,
    } = violation;
    let what = if allowed.is_empty() {
        format!("the tag key `{key}` must be written `{policy_key}`")
    } else {
        format!(
            "the tag `{key}` has the value `{value}`; allowed are {}",
            allowed.join(", ")
        )
    };
    if enforced_for.is_empty() {
        format!("{what}; the tag policy is enforced for no resource type, so it only reports")
    } else {
        format!("{what}; enforced for {}", enforced_for.join(", "))
    }
}
