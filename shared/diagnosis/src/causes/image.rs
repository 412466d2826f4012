//! Images and snapshots: what may be copied of them, and how AWS Backup shares them for a copy.

use super::{ADMITTED, Entry, Pages, Remedy, Shown, console, page, rules};
use crate::advice::{Case, step};

pub(super) static LICENSING: Entry = Entry {
    slug: "licensing",
    title: "The licence of the image forbids the copy",
    happens: "The instance runs an image from AWS Marketplace, which cannot be copied to another account.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "Images from AWS Marketplace cannot be copied to another AWS account."
        First 150 ["marketplace", "cannot|can not|not be copied|not allowed|not permitted\
             |not eligible|not supported|accept terms|need to subscribe|not subscribed\
             |must subscribe|restricted|unable to"]
            => "The image comes from AWS Marketplace and cannot go to another account.";
        // Seen: EC2 on images with billing or product codes.
        First 160 ["billing product|billingproduct|billing code|product code", "cannot|can not\
             |not be copied|not allowed|not permitted|not supported|not authorized\
             |not have permission|unable to|failed"]
            => "The image carries a billing or product code that forbids the copy.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: licensing,
    console: console::source_vault,
    page: Pages::One(page::FEATURES),
};

fn licensing(case: &Case<'_>) -> Vec<String> {
    vec![
            "The instance runs an image from AWS Marketplace, which cannot be copied to another account.".to_owned(),
            "Assign the instance's EBS volumes to the backup plan instead of the instance. AWS may refuse the root volume as well; data \
             volumes can be copied."
                .to_owned(),
            format!(
                "For the instance itself, subscribe to the product in account {}, and start from its image there.",
                case.account()
            ),
    ]
}

pub(super) static ALLOWED_AMIS: Entry = Entry {
    slug: "allowed-amis",
    title: "The Allowed AMIs setting hides the image",
    happens: "The destination account allows images of some providers alone, and the source account is none of them.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "The Allowed AMIs setting hides images in the same way.",
    messages: rules! {
        // Documented setting; the wording is inferred.
        Others 330 ["allowed amis|allowed-amis|allowed images|imageallowlist",
            "not|blocked|den|prevent"] => "The message names the Allowed AMIs setting.";
        // Seen: EC2's error code for an image that cannot be seen.
        Others 340 ["invalidamiid|ami is not available"] not ["invalidamiid.unavailable"]
            or [SourceNotFound]
            => "The image cannot be seen; above all the Allowed AMIs setting hides images.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| {
        let (account, region) = (case.account(), case.region());
        format!("An EC2 administrator of the destination account {account}, Region {region}")
    },
    steps: allowed_amis,
    console: |case| console::there(case, "ec2", "Settings:"),
    page: Pages::One(page::ALLOWED_AMIS),
};

fn allowed_amis(case: &Case<'_>) -> Vec<String> {
    let region = case.region();
    vec![
        step!("Look at the setting; a declarative policy of the organization may manage it";
            "aws ec2 get-allowed-images-settings --region {region}"),
        format!(
            "Add account {} to its image providers, and keep the others: EC2 console, Settings, Allowed AMIs.",
            case.source_account()
        ),
        case.start_again(),
    ]
}

pub(super) static SHARE_REVOKED: Entry = Entry {
    slug: "share-revoked",
    title: "The temporary sharing of the image or snapshot was taken back",
    happens: "While it copies, AWS Backup shares the image or the snapshot with the destination account. Someone \
        took that back, for example an automation that undoes all sharing.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "You do not have permission to access the storage of this ami."
        First 170 ["access the storage of", "not have|denied|cannot|unable to|not authorized"]
            => "The temporary sharing that AWS Backup needs was taken back.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: share_revoked,
    console: |case| {
        console::here(
            case,
            "cloudtrailv2",
            "/events?EventName=ModifySnapshotAttribute",
        )
    },
    page: Pages::One(page::ACROSS_ACCOUNTS),
};

fn share_revoked(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    vec![
            step!("While it copies, AWS Backup shares the image and its snapshots with the destination account. Find who took \
                 that back";
                "aws cloudtrail lookup-events --region {region} --lookup-attributes \
                 AttributeKey=EventName,AttributeValue=ModifySnapshotAttribute"),
            "Except calls that AWS Backup makes (invokedBy is backup.amazonaws.com) from the automation that takes sharing back."
                .to_owned(),
            case.start_again(),
    ]
}

pub(super) static SHARE_CLEANUP: Entry = Entry {
    slug: "share-cleanup",
    title: "The temporary sharing could not be taken back",
    happens: "AWS Backup shared the image or the snapshot for the copy and could not take that back afterwards. The copy may \
        be whole.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "Failed to unshare snapshot".
        First 180 ["failed to unshare|unable to unshare|could not unshare|cannot unshare\
             |failed to un-share|error unsharing"]
            => "AWS Backup could not take back its temporary sharing.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: share_cleanup,
    console: console::snapshot,
    page: Pages::One(page::ACROSS_ACCOUNTS),
};

fn share_cleanup(case: &Case<'_>) -> Vec<String> {
    let (account, region) = (case.account(), case.source_region());
    let id = case
        .recovery_point()
        .filter(|point| point.service() == "ec2")
        .and_then(|point| point.resource().split_once('/'));
    let unshare = match id {
        Some(("snapshot", id)) => {
            step!("The copy may be whole, but the snapshot is still shared. Stop sharing it";
            "aws ec2 modify-snapshot-attribute --region {region} --snapshot-id {id} --attribute createVolumePermission \
             --operation-type remove --user-ids {account}")
        }
        Some(("image", id)) => {
            step!("The copy may be whole, but the image is still shared. Stop sharing it";
            "aws ec2 modify-image-attribute --region {region} --image-id {id} --attribute launchPermission --operation-type \
             remove --user-ids {account}")
        }
        Some(_) | None => format!(
            "The copy may be whole, but its source is still shared with account {account}. Stop sharing it, in the console of its \
             service in account {}, Region {region}.",
            case.source_account()
        ),
    };
    vec![
        unshare,
        format!(
            "Find what keeps AWS Backup from doing so: the role `{}` needs ec2:ModifySnapshotAttribute and \
                 ec2:ModifyImageAttribute, and no policy of the organization may deny them.",
            case.role()
        ),
        step(
            "See whether the copy is there; start it again only if it is not",
            &case.describe_job(),
        ),
    ]
}

pub(super) static OPTION_GROUP: Entry = Entry {
    slug: "option-group",
    title: "The snapshot needs an option group at the destination",
    happens: "The snapshot has a persistent option, such as TDE, and the destination has no option group with it.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "The snapshot requires a target option group with the following options: …".
        First 260 ["option group", "target option group|requires|required|must specify|must be\
             |does not exist|not found|persistent|incompatible|following options|not available in\
             |need to specify"] => "The snapshot needs an option group at the destination.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| format!("The owner of the databases: account {}", case.account()),
    steps: option_group,
    console: |case| console::there(case, "rds", "option-groups-list:"),
    page: Pages::One(page::ACROSS_REGIONS),
};

fn option_group(case: &Case<'_>) -> Vec<String> {
    let region = case.region();
    vec![
            step!("The snapshot has a persistent option, such as TDE. See whether account {}, Region {region}, has an option \
                 group with it", case.account();
                "aws rds describe-option-groups --region {region}"),
            "Create the same option group there by hand: same engine, same version, same options.".to_owned(),
            case.start_again(),
            "If AWS Backup still refuses, copy the snapshot with Amazon RDS itself (aws rds copy-db-snapshot with \
             --option-group-name): AWS Backup passes no option group on."
                .to_owned(),
    ]
}
