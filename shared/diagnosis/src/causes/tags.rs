//! The tags that the copy takes over.

use copymend_policy::Arn;

use super::{ADMITTED, Entry, Pages, Remedy, Shown, console, page, rules};
use crate::advice::{Case, is_plain_tag, list, lower_first, quoted, step};
use crate::assess::{Checked, Finding, Verdict, confirmed, not_checkable, ruled_out};
use crate::fact::Fact;
use crate::facts::{Facts, Organization, RecoveryPointTags, Tags};
use crate::job::BackupCopy;
use crate::messages::wording::SUCCESS;
use crate::tag_policy::TagViolation;

pub(super) static POLICY: Entry = Entry {
    slug: "tag-policy",
    title: "The tags break the organization's tag policy",
    happens: "The copy takes over the tags of the backup, and one of them breaks a tag policy that is enforced for what the \
        copy creates.",
    found: "The tags of the recovery point are compared with the tag policy in effect in the destination account. \
        AWS Backup tells them only of recovery points whose ARN is its own (arn:aws:backup); those of snapshots and \
        images are not read.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "The tag policy does not allow the specified value for the following tag
        // key". First, because a tag key is free text.
        First 10 ["tag policy|tag policies|tagpolic", "does not allow|not allowed|violates|violated\
             |violation|not compliant|not comply|noncompliant|non-compliant|prevents|rejected\
             |tagpolicyexception|tagpolicyerror|enforce|denied by|blocked by"]
            => "The message names the tag policy of the organization.";
        // Documented: "We are unable to copy resource tags to your backup because of the Internal
        // Failure."
        First 20 ["copy resource tags|copy tags|copy the resource tags|copy the tags\
             |copying resource tags", "internal failure|internal error|internalfailure"]
            or [ServiceFault]
            => "The tags could not be copied; above all a tag policy of the organization causes this text.";
        Weak 70 ["tag policy|copy resource tags|copy the tags|tag_copy_error",
            "unable to|fail|could not|cannot|denied|error"] not [SUCCESS]
            or [TagLimit, JobRolePermission] => "The tags could not be copied.";
    },
    shown: Shown::ByFacts(220, policy, is_policy_open),
    families: &[],
    remedy: Remedy::Advise,
    who: |case| {
        format!(
            "{}. If the tag policy should change: {}",
            case.backup_owner(),
            lower_first(&case.organization_owner())
        )
    },
    steps: policy_steps,
    console: |case| console::organization(case, "policies/tag-policy"),
    page: Pages::One(page::TAG_POLICIES),
};

pub(super) static LIMIT: Entry = Entry {
    slug: "tag-limit",
    title: "The copy would have more than 50 tags",
    happens: "The copy takes over the tags of the backup and of the resource, and gets those of the backup plan. A resource \
        may have 50 tags.",
    found: "The tags of the recovery point are counted, where its ARN is AWS Backup's own (arn:aws:backup). Those of \
        snapshots and images, and of the resource, are not read.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "The resultant tag set must not have more than 50 user tags.", pattern "More
        // than 50 tags specified".
        First 300 ["user tags|tags specified|number of tags|resultant tag set|tags per resource\
             |0 tags|0 user-defined tags|limit for tags|limit of tags|tags on a resource\
             |tags for a resource", "more than|exceed|too many|at most|maximum|limit|cannot have"]
            => "The copy would have more tags than AWS allows.";
        First 310 ["toomanytags|too many tags|taglimitexceeded|tag limit exceeded\
             |tag limit has been|exceeds the tag limit|exceeded the tag limit"]
            => "The copy would have more tags than AWS allows.";
    },
    shown: Shown::ByFacts(210, limit, |_, facts| {
        facts.known_recovery_point_tags().is_none()
    }),
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: limit_steps,
    console: console::source_vault,
    page: Pages::One(page::QUOTAS),
};

/// The most user tags that a resource can have (AWS Backup, "Quotas", documented).
const MOST_TAGS: usize = 50;

fn user_tags(tags: &Tags) -> usize {
    tags.keys().filter(|key| !key.starts_with("aws:")).count()
}

/// The tags, or what to say without them.
fn known<'f>(copy: &BackupCopy, facts: &'f Facts) -> Result<&'f Tags, Finding> {
    match facts.recovery_point_tags.read()? {
        RecoveryPointTags::Tags(tags) => Ok(tags),
        RecoveryPointTags::NotApplicable => Err(not_checkable(format!(
            "AWS Backup does not list the tags of `{}`, which belongs to another service",
            copy.source_recovery_point
        ))),
    }
}

fn limit(copy: &BackupCopy, facts: &Facts) -> Checked {
    let count = user_tags(known(copy, facts)?);
    let text = format!("the recovery point has {count} user tags");
    Ok(if count > MOST_TAGS {
        confirmed(text)
    } else {
        // The resource's own tags may be more than the recovery point's.
        not_checkable(text)
    })
}

fn policy(copy: &BackupCopy, facts: &Facts) -> Checked {
    let none = || ruled_out("no tag policy is in effect in the destination account");
    let policy = facts.tag_policy.read()?.as_ref();
    if policy.is_none() && is_of_another_organization(copy, facts) {
        return Err(not_checkable(
            "the destination account is not in the source's organization, whose tag policies would bind it",
        ));
    }
    let policy = policy.ok_or_else(none)?;
    let violations = policy.violations(known(copy, facts)?);
    if violations.is_empty() {
        // The copy takes over tags of the resource too, which aren't read.
        return Err(not_checkable(
            "the recovery point's tags comply with the tag policy in effect in the destination account; the resource's own are not read",
        ));
    }
    let point = &copy.source_recovery_point;
    let enforced = |violation: &TagViolation| is_enforced_for(&violation.enforced_for, point);
    let verdict = if violations.iter().any(enforced) {
        Verdict::Confirmed
    } else {
        Verdict::NotCheckable
    };
    Ok((verdict, violations.iter().map(sentence).collect()))
}

/// Whether the destination account must change its organization first, so that what binds it then
/// isn't known.
fn is_of_another_organization(copy: &BackupCopy, facts: &Facts) -> bool {
    let id = |organization: &Fact<Option<Organization>>| {
        let organization = organization.known()?.as_ref();
        Some(organization.map(|organization| organization.id.clone()))
    };
    let source = id(&facts.source_organization);
    let destination = id(&facts.destination_organization);
    copy.is_cross_account() && destination.is_some() && source != destination
}

/// Whether a tag may break the policy for all that was read.
fn is_policy_open(copy: &BackupCopy, facts: &Facts) -> bool {
    let tags = facts.known_recovery_point_tags();
    match &facts.tag_policy {
        Fact::Known(_) if is_of_another_organization(copy, facts) => {
            tags.is_none_or(|tags| user_tags(tags) > 0)
        }
        Fact::Known(None) => false,
        Fact::Known(Some(policy)) => {
            tags.is_none()
                && policy
                    .is_enforced(|entries| is_enforced_for(entries, &copy.source_recovery_point))
        }
        Fact::Unknown(_) => tags.is_none_or(|tags| user_tags(tags) > 0),
    }
}

/// Whether the policy is enforced for what the copy makes. That this is the type in the recovery
/// point's ARN, such as `ec2:snapshot`, is (inferred).
fn is_enforced_for(enforced_for: &[String], point: &Arn) -> bool {
    let resource = point.resource();
    let kind = resource.split(['/', ':']).next().unwrap_or(resource);
    enforced_for.iter().any(|entry| {
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

fn list_tags(case: &Case<'_>) -> String {
    let (account, region) = (case.source_account(), case.source_region());
    match case.recovery_point() {
        Some(point) => step!("List the tags of the recovery point, in account {account}";
            "{}", aws(case, &list_tags_of(point))),
        None => format!(
            "List the tags of the recovery point: open vault `{}` in the AWS Backup console of account {account}, Region {region}.",
            case.source_vault()
        ),
    }
}

/// AWS Backup lists the tags only of recovery points whose ARN is its own; the others' are their
/// own service's (AWS Backup API reference, `ListTags`, documented).
fn list_tags_of(arn: &Arn) -> String {
    match (arn.service(), arn.resource().rsplit('/').next()) {
        ("backup", _) => format!("backup list-tags --resource-arn {arn}"),
        ("ec2", Some(id)) => format!("ec2 describe-tags --filters Name=resource-id,Values={id}"),
        ("rds", _) => format!("rds list-tags-for-resource --resource-name {arn}"),
        ("fsx", _) => format!("fsx list-tags-for-resource --resource-arn {arn}"),
        (_, _) => format!("resourcegroupstaggingapi get-resources --resource-arn-list {arn}"),
    }
}

fn known_tags<'c>(case: &Case<'c>) -> Option<&'c Tags> {
    case.facts()?.known_recovery_point_tags()
}

/// The tags that break the policy, where both are known.
fn violations(case: &Case<'_>) -> Vec<TagViolation> {
    let policy = case
        .facts()
        .and_then(|facts| facts.tag_policy.known()?.as_ref());
    match (policy, known_tags(case)) {
        (Some(policy), Some(tags)) => policy.violations(tags),
        (_, _) => Vec::new(),
    }
}

/// Sets a tag. AWS Backup tags only the backups that it manages fully; others are tagged by their
/// own service (AWS Backup, "Add or remove tags on existing recovery points", documented).
fn set_tag(arn: &Arn, key: &str, value: &str) -> String {
    match (arn.service(), arn.resource().rsplit('/').next()) {
        ("backup", _) => format!("backup tag-resource --resource-arn {arn} --tags {key}={value}"),
        ("ec2", Some(id)) => {
            format!("ec2 create-tags --resources {id} --tags Key={key},Value={value}")
        }
        (_, _) => format!(
            "resourcegroupstaggingapi tag-resources --resource-arn-list {arn} --tags {key}={value}"
        ),
    }
}

/// Takes a tag away. See [`set_tag`].
fn remove_tag(arn: &Arn, key: &str) -> String {
    match (arn.service(), arn.resource().rsplit('/').next()) {
        ("backup", _) => format!("backup untag-resource --resource-arn {arn} --tag-key-list {key}"),
        ("ec2", Some(id)) => format!("ec2 delete-tags --resources {id} --tags Key={key}"),
        (_, _) => format!(
            "resourcegroupstaggingapi untag-resources --resource-arn-list {arn} --tag-keys {key}"
        ),
    }
}

/// A command of the AWS CLI in the Region that the copy comes from.
fn aws(case: &Case<'_>, command: &str) -> String {
    format!("aws {command} --region {}", case.source_region())
}

/// The recovery point and the resource, where a command can carry them.
fn tagged<'c>(case: &Case<'c>) -> impl Iterator<Item = &'c Arn> {
    [case.recovery_point(), case.resource()]
        .into_iter()
        .flatten()
}

/// What is wrong with one tag, word for word from the policy in effect.
fn what(violation: &TagViolation) -> String {
    let TagViolation {
        key,
        value,
        policy_key,
        allowed,
        enforced_for,
    } = violation;
    let quoted_list = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
        list(&texts)
    };
    let mut sentences = vec![format!(
        "The tag {} has the value {}.",
        quoted(key),
        quoted(value)
    )];
    if key != policy_key {
        sentences.push(format!(
            "The tag policy writes the key {}.",
            quoted(policy_key)
        ));
    }
    if !allowed.is_empty() {
        let any = if allowed.iter().any(|value| value.contains('*')) {
            "; `*` stands for any text"
        } else {
            ""
        };
        sentences.push(format!(
            "The tag policy allows {}{any}.",
            quoted_list(allowed)
        ));
    }
    sentences.push(if enforced_for.is_empty() {
        "The policy is enforced for no resource type, so it only reports: this tag alone does not stop the copy.".to_owned()
    } else {
        format!(
            "The policy is enforced for {}, so a copy with this tag is refused there.",
            quoted_list(enforced_for)
        )
    });
    sentences.join(" ")
}

/// The commands that set one tag right on the recovery point and on the resource. None where a name
/// can't stand in a command.
fn correct(case: &Case<'_>, violation: &TagViolation) -> Option<String> {
    let TagViolation {
        key,
        value,
        policy_key,
        allowed,
        enforced_for,
    } = violation;
    let chosen = if allowed.is_empty() {
        value
    } else {
        allowed.iter().find(|allowed| !allowed.contains('*'))?
    };
    let texts = [key, policy_key, chosen];
    if !texts.into_iter().all(|text| is_plain_tag(text)) {
        return None;
    }
    let mut commands = Vec::new();
    for arn in tagged(case) {
        if key != policy_key {
            commands.push(aws(case, &remove_tag(arn, key)));
        }
        commands.push(aws(case, &set_tag(arn, policy_key, chosen)));
    }
    let what_for = if enforced_for.is_empty() {
        "To comply all the same, set it right on the recovery point and on the resource."
    } else {
        "Set it right on the recovery point, so that this copy works, and on the resource, so that the next backups do."
    };
    let sentence = format!(
        "{what_for} With the value `{chosen}`, in account {}",
        case.source_account()
    );
    (!commands.is_empty()).then(|| step(&sentence, &commands.join("\n")))
}

fn policy_steps(case: &Case<'_>) -> Vec<String> {
    let mut violations = violations(case);
    // Those that stop a copy first.
    violations.sort_by_key(|violation| violation.enforced_for.is_empty());
    let mut steps = Vec::new();
    for violation in &violations {
        steps.push(what(violation));
        steps.extend(correct(case, violation));
    }
    if violations.is_empty() {
        let no_policy = case
            .facts()
            .is_some_and(|facts| matches!(facts.tag_policy, Fact::Known(None)));
        if no_policy {
            steps.push(format!(
                "No tag policy is in effect in account {}. AWS words other faults of tagging in the same way: see that the job role may \
                 read and set tags, and start the copy again.",
                case.account()
            ));
        }
        steps.extend([
            step!("See which values the tag policy allows, in account {} and in account {}", case.account(),
                case.source_account();
                "aws organizations describe-effective-policy --policy-type TAG_POLICY --query EffectivePolicy.PolicyContent \
                 --output text"),
            list_tags(case),
            "Compare keys, their upper and lower case, and values. Correct the tag on the resource and on the recovery point.".to_owned(),
        ]);
    }
    steps.extend([
        format!(
            "If the backup plan of account {} adds the tag (Tags added to recovery points), correct it there as well. If the value should \
             be allowed, the administrator of the organization adds it to the tag policy.",
            case.source_account()
        ),
        case.start_again(),
    ]);
    steps
}

fn limit_steps(case: &Case<'_>) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(tags) = known_tags(case) {
        let count = user_tags(tags);
        let over = count.saturating_sub(MOST_TAGS);
        steps.push(if over > 0 {
            format!(
                "The recovery point has {count} tags that count; {MOST_TAGS} are allowed. Remove at least {over}. Tags that begin with \
                 aws: do not count."
            )
        } else {
            format!(
                "The recovery point has {count} tags that count, and {MOST_TAGS} are allowed, so the copy would get too many from the \
                 resource and from the backup plan together. Tags that begin with aws: do not count."
            )
        });
    } else {
        steps.push(format!(
            "A copy may have {MOST_TAGS} tags. Tags that begin with aws: do not count."
        ));
    }
    steps.push(list_tags(case));
    let commands: Vec<String> = tagged(case)
        .map(|arn| aws(case, &remove_tag(arn, "$KEY")))
        .collect();
    if commands.is_empty() {
        steps.push("Remove some from the recovery point and from the resource.".to_owned());
    } else {
        steps.push(step(
            "Remove some from the recovery point and from the resource, with KEY set to a tag's key",
            &commands.join("\n"),
        ));
    }
    steps.extend([
        format!(
            "If the backup plan of account {} adds tags (Tags added to recovery points), remove some there.",
            case.source_account()
        ),
        case.start_again(),
    ]);
    steps
}
