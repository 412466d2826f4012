//! Advice where nothing is misconfigured, or nothing is known: time, quotas, faults, states, unknown messages.

use super::case::{Case, advice, step};
use super::{Advice, page, state};

pub(super) fn concurrency(case: &Case<'_>) -> Advice {
    let region = case.source_region();
    let filter = case
        .resource()
        .map(|resource| format!(" --by-resource-arn {resource}"))
        .unwrap_or_default();
    advice(
        case.backup_owner(),
        [
            step(
                "See which copies run; AWS Backup runs one backup or copy job of a resource at a time",
                &format!("aws backup list-copy-jobs --by-state RUNNING --region {region}{filter}"),
            ),
            case.start_again_with("When they are done, start this copy again", ""),
            "If this recurs, let the backup plan copy less often, or at other hours than other plans.".to_owned(),
        ],
        page::COPIES,
    )
}

pub(super) fn quota(case: &Case<'_>) -> Advice {
    let region = case.source_region();
    advice(
        case.backup_owner(),
        [
            step(
                &format!(
                    "Compare the number in the message with the quotas of AWS Backup, in account {}; a quota on snapshots or images belongs \
                     to the resource's own service (ebs, ec2, rds)",
                    case.source_account()
                ),
                &format!(
                    "aws service-quotas list-service-quotas --service-code backup --region {region} --query \
                     'Quotas[].[QuotaCode,QuotaName,Value,Adjustable]' --output text"
                ),
            ),
            step(
                "Delete what is not needed any more, or ask for more, with QUOTA set to the quota's code and VALUE to what you need",
                &format!(
                    "aws service-quotas request-service-quota-increase --service-code backup --region {region} --quota-code $QUOTA \
                     --desired-value $VALUE"
                ),
            ),
            case.start_again(),
        ],
        page::QUOTAS,
    )
}

pub(super) fn transient(case: &Case<'_>) -> Advice {
    advice(
        case.backup_owner(),
        [
            case.start_again(),
            "If it fails in the same way an hour later, it is not passing: read the new message."
                .to_owned(),
        ],
        page::COPIES,
    )
}

pub(super) fn service_fault(case: &Case<'_>) -> Advice {
    advice(
        case.backup_owner(),
        [
            case.start_again(),
            format!(
                "If it fails again, open a case with AWS Support in account {}, and give it the job's id {}.",
                case.source_account(),
                case.event().copy_job_id
            ),
        ],
        page::TROUBLESHOOTING,
    )
}

pub(super) fn resource_state(case: &Case<'_>) -> Advice {
    let resource = match case.resource() {
        Some(resource) => format!("`{resource}`"),
        None => "the resource".to_owned(),
    };
    let (account, region) = (case.source_account(), case.source_region());
    let look = match state::show(case) {
        Some(command) => step(
            &format!(
                "Look at {resource}, in account {account}: it must be available, and nothing else may be changing it"
            ),
            &command,
        ),
        None => format!(
            "Look at {resource} in the console of its service, in account {account}, Region {region}: it must be available, and nothing \
             else may be changing it."
        ),
    };
    advice(
        case.backup_owner(),
        [
            look,
            case.start_again_with("Once it is available, start the copy again", ""),
        ],
        page::TROUBLESHOOTING,
    )
}

pub(super) fn schedule_window(case: &Case<'_>) -> Advice {
    let what = "Look up the maintenance window and the automated backup window of the resource";
    let look = match state::windows(case) {
        Some(command) => step(
            &format!("{what}, in account {}", case.source_account()),
            &command,
        ),
        None => format!(
            "{what}, in the console of its service, in account {}, Region {}.",
            case.source_account(),
            case.source_region()
        ),
    };
    advice(
        case.backup_owner(),
        [
            look,
            format!(
                "In the backup plan of account {}, start at least an hour before or after them; Amazon FSx needs three hours.",
                case.source_account()
            ),
            case.start_again_with("If the recovery point exists, start its copy again", ""),
        ],
        page::TROUBLESHOOTING,
    )
}

pub(super) fn unknown(case: &Case<'_>) -> Advice {
    advice(
        case.backup_owner(),
        [
            "Read the message in this report; it is there word for word. Copymend has no rule for it.".to_owned(),
            step("Look at the job (StatusMessage, MessageCategory)", &case.describe_job()),
            step(
                "Look for calls that were refused at that time",
                &format!(
                    "aws cloudtrail lookup-events --region {} --lookup-attributes AttributeKey=EventSource,AttributeValue=backup.amazonaws.com",
                    case.source_region()
                ),
            ),
            "Report the message to Copymend's maintainers, with ids replaced, so that the next release knows it.".to_owned(),
        ],
        page::JOBS,
    )
}
