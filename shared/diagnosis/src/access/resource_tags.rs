//! The tags of a resource as the condition key `aws:ResourceTag`.

use copymend_policy::{Arn, Request};

use crate::fact::Fact;
use crate::facts::{Facts, Tags};
use crate::job::BackupCopy;

const RESOURCE_TAG: &str = "aws:ResourceTag/";

/// What the names of tags begin with that AWS itself sets and nobody else can (AWS General Reference,
/// "Tagging AWS resources", documented). Whether `aws:ResourceTag` has them is not documented
/// (unverified), so where a resource has such a tag, the key is not known.
const RESERVED_TAGS: &str = "aws:";

/// The service of recovery points that AWS Backup tags itself: of these, `aws:ResourceTag` is a
/// condition key (service authorization reference, "Actions, resources, and condition keys for AWS
/// Backup", documented). Whether the tags of a snapshot or an image, which are its own service's,
/// are in the request for `backup:CopyFromBackupVault` is not documented (unverified).
const TAGGED_BY_AWS_BACKUP: &str = "backup";

/// Whether it is documented that a tag of this name can be asked for by `aws:ResourceTag`.
#[must_use]
pub fn is_condition_tag(name: &str) -> bool {
    let start = name.get(..RESERVED_TAGS.len());
    !start.is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_TAGS))
}

/// Whether the tags of a recovery point are documented to be in the requests to AWS Backup about it.
#[must_use]
pub fn has_condition_tags(recovery_point: &Arn) -> bool {
    recovery_point.service() == TAGGED_BY_AWS_BACKUP
}

/// The request about a resource with these tags. Without an answer, all of them are unknown.
pub(super) fn with_resource_tags(request: Request, tags: &Fact<Tags>) -> Request {
    match tags {
        Fact::Known(tags) => with_tags(request, tags),
        Fact::Unknown(_) => request,
    }
}

/// The request about the recovery point of a copy.
pub(super) fn with_tags_of_recovery_point(
    request: Request,
    copy: &BackupCopy,
    facts: &Facts,
) -> Request {
    match facts.known_recovery_point_tags() {
        Some(tags) if has_condition_tags(&copy.source_recovery_point) => with_tags(request, tags),
        Some(_) | None => request,
    }
}

/// All tags of the resource are known, so that the key of any other is absent (IAM, "Global
/// condition keys", `aws:ResourceTag`, documented).
fn with_tags(request: Request, tags: &Tags) -> Request {
    let request = request.without_other_keys_under(RESOURCE_TAG);
    tags.iter().fold(request, |request, (name, value)| {
        let key = format!("{RESOURCE_TAG}{name}");
        if is_condition_tag(name) {
            request.with_context(&key, [value.as_str()])
        } else {
            request.with_unknown(&key)
        }
    })
}
