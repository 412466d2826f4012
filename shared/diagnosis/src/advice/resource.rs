//! Advice on what is copied: its image, its snapshot, and the recovery point itself.

use super::case::{Case, advice, step};
use super::{Advice, page};

pub(super) fn licensing(case: &Case<'_>) -> Advice {
    advice(
        case.backup_owner(),
        [
            "The instance runs an image from AWS Marketplace, which cannot be copied to another account.".to_owned(),
            "Assign the instance's EBS volumes to the backup plan instead of the instance. AWS may refuse the root volume as well; data \
             volumes can be copied."
                .to_owned(),
            format!(
                "For the instance itself, subscribe to the product in account {}, and start from its image there.",
                case.account()
            ),
        ],
        page::FEATURES,
    )
}

pub(super) fn allowed_amis(case: &Case<'_>) -> Advice {
    let (account, region) = (case.account(), case.region());
    advice(
        format!("An EC2 administrator of the destination account {account}, Region {region}"),
        [
            step(
                "Look at the setting; a declarative policy of the organization may manage it",
                &format!("aws ec2 get-allowed-images-settings --region {region}"),
            ),
            format!(
                "Add account {} to its image providers, and keep the others: EC2 console, Settings, Allowed AMIs.",
                case.source_account()
            ),
            case.start_again(),
        ],
        page::ALLOWED_AMIS,
    )
}

pub(super) fn share_revoked(case: &Case<'_>) -> Advice {
    let region = case.source_region();
    advice(
        case.backup_owner(),
        [
            step(
                "While it copies, AWS Backup shares the image and its snapshots with the destination account. Find who took that back",
                &format!(
                    "aws cloudtrail lookup-events --region {region} --lookup-attributes \
                     AttributeKey=EventName,AttributeValue=ModifySnapshotAttribute"
                ),
            ),
            "Except calls that AWS Backup makes (invokedBy is backup.amazonaws.com) from the automation that takes sharing back."
                .to_owned(),
            case.start_again(),
        ],
        page::ACROSS_ACCOUNTS,
    )
}

pub(super) fn share_cleanup(case: &Case<'_>) -> Advice {
    let (account, region) = (case.account(), case.source_region());
    let id = case
        .recovery_point()
        .filter(|point| point.service() == "ec2")
        .and_then(|point| point.resource().split_once('/'));
    let unshare = match id {
        Some(("snapshot", id)) => step(
            "The copy may be whole, but the snapshot is still shared. Stop sharing it",
            &format!(
                "aws ec2 modify-snapshot-attribute --region {region} --snapshot-id {id} --attribute createVolumePermission \
                 --operation-type remove --user-ids {account}"
            ),
        ),
        Some(("image", id)) => step(
            "The copy may be whole, but the image is still shared. Stop sharing it",
            &format!(
                "aws ec2 modify-image-attribute --region {region} --image-id {id} --attribute launchPermission \
                 --operation-type remove --user-ids {account}"
            ),
        ),
        Some(_) | None => format!(
            "The copy may be whole, but its source is still shared with account {account}. Stop sharing it, in the console of its \
             service in account {}, Region {region}.",
            case.source_account()
        ),
    };
    advice(
        case.backup_owner(),
        [
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
        ],
        page::ACROSS_ACCOUNTS,
    )
}

pub(super) fn option_group(case: &Case<'_>) -> Advice {
    let region = case.region();
    advice(
        format!("The owner of the databases: account {}", case.account()),
        [
            step(
                &format!(
                    "The snapshot has a persistent option, such as TDE. See whether account {}, Region {region}, has an option group \
                     with it",
                    case.account()
                ),
                &format!("aws rds describe-option-groups --region {region}"),
            ),
            "Create the same option group there by hand: same engine, same version, same options.".to_owned(),
            case.start_again(),
            "If AWS Backup still refuses, copy the snapshot with Amazon RDS itself (aws rds copy-db-snapshot with \
             --option-group-name): AWS Backup passes no option group on."
                .to_owned(),
        ],
        page::ACROSS_REGIONS,
    )
}

pub(super) fn continuous(case: &Case<'_>) -> Advice {
    let (account, region) = (case.source_account(), case.source_region());
    let look = match case.resource() {
        Some(resource) => step(
            &format!(
                "List the backups of the resource, in account {account}; it may have one continuous backup, in one vault"
            ),
            &format!(
                "aws backup list-recovery-points-by-resource --region {region} --resource-arn {resource}"
            ),
        ),
        None => format!(
            "List the backups of the resource in the AWS Backup console of account {account}, Region {region}; it may have one \
             continuous backup, in one vault."
        ),
    };
    advice(
        case.backup_owner(),
        [
            look,
            "Let one backup plan alone make continuous backups of this resource, and turn them off in the others.".to_owned(),
            "A continuous backup cannot be copied on demand, so nothing was started again. A copy action of the plan copies it as a \
             snapshot."
                .to_owned(),
        ],
        page::POINT_IN_TIME,
    )
}

pub(super) fn not_found(case: &Case<'_>) -> Advice {
    advice(
        case.backup_owner(),
        [
            case.look_at_recovery_point("Check whether the recovery point exists, and its Status"),
            "If it was deleted, back the resource up again; the backup plan copies that backup.".to_owned(),
            "If it expired before it was copied, keep backups longer in the source vault: a copy must start before its source expires."
                .to_owned(),
        ],
        page::COPIES,
    )
}
