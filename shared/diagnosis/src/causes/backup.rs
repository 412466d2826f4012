//! The backup that is copied.

use super::{ADMITTED, Entry, Pages, Remedy, Shown, console, never, page, rules};
use crate::advice::{Case, step};
use crate::assess::{Checked, confirmed, ruled_out};
use crate::facts::Facts;
use crate::job::BackupCopy;

pub(super) static SOURCE_NOT_FOUND: Entry = Entry {
    slug: "source-not-found",
    title: "The recovery point or its resource does not exist",
    happens: "The recovery point was deleted, or it expired before it was copied.",
    found: "AWS Backup describes the recovery point, or says that there is none.",
    also: "A recovery point or resource that is gone gives the same text.",
    messages: rules! {
        // Seen: error codes of resources that are gone.
        Others 370 ["invalidsnapshot.notfound:|dbsnapshotnotfound|dbclustersnapshotnotfound\
             |invalidvolume.notfound:|filesystemnotfound|backupnotfound"]
            => "The snapshot or its resource is gone.";
    },
    shown: Shown::ByFacts(60, source_not_found, never),
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: source_not_found_steps,
    console: console::source_vault,
    page: Pages::One(page::COPIES),
};

fn source_not_found(copy: &BackupCopy, facts: &Facts) -> Checked {
    Ok(match facts.recovery_point.read()? {
        None => confirmed(format!("`{}` does not exist", copy.source_recovery_point)),
        Some(_) => ruled_out("the recovery point exists"),
    })
}

fn source_not_found_steps(case: &Case<'_>) -> Vec<String> {
    vec![
            case.look_at_recovery_point("Check whether the recovery point exists, and its Status"),
            "If it was deleted, back the resource up again; the backup plan copies that backup.".to_owned(),
            "If it expired before it was copied, keep backups longer in the source vault: a copy must start before its source expires."
                .to_owned(),
    ]
}

pub(super) static CONTINUOUS: Entry = Entry {
    slug: "continuous-backup",
    title: "A continuous backup stands in the way",
    happens: "A continuous backup cannot be copied on demand, and a resource can have one in one vault alone.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    messages: rules! {
        // Documented: AWS Backup makes no copies of continuous backups on demand; "Bucket … already
        // has continuous backup enabled for another vault".
        First 190 ["continuous backup|continuous recovery point|point-in-time recovery|pitr",
            "already has|already enabled|not be copied|cannot copy|not support|unable to copy\
             |on demand|on-demand|not allowed|unsupported"]
            => "A continuous backup stands in the way.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: continuous,
    console: console::source_vault,
    page: Pages::One(page::POINT_IN_TIME),
};

fn continuous(case: &Case<'_>) -> Vec<String> {
    let (account, region) = (case.source_account(), case.source_region());
    let look = match case.resource() {
        Some(resource) => {
            step!("List the backups of the resource, in account {account}; it may have one continuous backup, in \
             one vault";
            "aws backup list-recovery-points-by-resource --region {region} --resource-arn {resource}")
        }
        None => format!(
            "List the backups of the resource in the AWS Backup console of account {account}, Region {region}; it may have one \
             continuous backup, in one vault."
        ),
    };
    vec![
            look,
            "Let one backup plan alone make continuous backups of this resource, and turn them off in the others.".to_owned(),
            "A continuous backup cannot be copied on demand, so nothing was started again. A copy action of the plan copies it as a \
             snapshot."
                .to_owned(),
    ]
}
