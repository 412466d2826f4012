//! Facts that a setting must let be read: the tags of snapshots and images, and where the source
//! account is in its organization.

use copymend_diagnosis::{BackupCopy, Fact, Organization, RecoveryPointTags, UnknownReason};
use copymend_policy::Arn;

use crate::investigate::{fact, unknown};
use crate::ports::{Backup, CallResult, Location, Organizations, Reads, ResourceTags};

/// AWS Backup lists the tags only of recovery points whose ARN is its own (AWS Backup API
/// reference, `ListTags`, documented).
pub(crate) async fn read_recovery_point_tags<E: Reads>(
    environment: &E,
    copy: &BackupCopy,
    source: &Location,
) -> Fact<RecoveryPointTags> {
    let point = &copy.source_recovery_point;
    if point.service() != "backup" {
        return match environment.resource_tags() {
            None => Fact::Known(RecoveryPointTags::NotApplicable),
            Some(tags) => read_resource_tags(tags, point, source).await,
        };
    }
    let answer = environment.backup().list_recovery_point_tags(source, point);
    fact(answer.await.map(RecoveryPointTags::Tags))
}

/// The tags of a snapshot or image. That the answer doesn't name it may mean that it has none, and
/// that it is known by another name.
async fn read_resource_tags<T: ResourceTags>(
    tags: &T,
    point: &Arn,
    source: &Location,
) -> Fact<RecoveryPointTags> {
    match tags.tags_of(source, point).await {
        Ok(Some(tags)) => Fact::Known(RecoveryPointTags::Tags(tags)),
        Ok(None) => Fact::Unknown(unknown(
            "tag:GetResources",
            point.as_str(),
            UnknownReason::NotRead,
            "the answer does not name it: it has no tags, or is not known there",
        )),
        Err(error) => Fact::Unknown(error.into_unknown()),
    }
}

/// The root and units above the source account; nothing where no account is named to ask in.
pub(crate) async fn read_parents<E: Reads>(
    environment: &E,
    copy: &BackupCopy,
) -> Option<CallResult<Vec<String>>> {
    let reader = environment.organization_reader()?;
    let partition = copy.destination_vault.partition();
    let organizations = environment.organizations();
    Some(
        organizations
            .list_parents(reader, copy.account, partition)
            .await,
    )
}

/// `o-…/r-…/ou-…/` with a slash at its end (IAM, "Global condition keys", `aws:PrincipalOrgPaths`,
/// documented).
pub(crate) fn path_of(
    organization: &Fact<Option<Organization>>,
    parents: Option<CallResult<Vec<String>>>,
) -> Option<Fact<String>> {
    let id = match organization {
        Fact::Known(None) => return None,
        Fact::Known(Some(organization)) => Ok(&organization.id),
        Fact::Unknown(why) => Err(why.clone()),
    };
    // A slash stands at the end, too.
    let end = String::new();
    Some(match (parents?, id) {
        (Ok(parents), Ok(id)) => {
            let parts = std::iter::once(id).chain(&parents).chain(Some(&end));
            Fact::Known(parts.map(String::as_str).collect::<Vec<_>>().join("/"))
        }
        (Err(error), _) => Fact::Unknown(error.into_unknown()),
        (Ok(_), Err(why)) => Fact::Unknown(why),
    })
}
