//! Causes where nothing is misconfigured, or nothing is known: time, quotas, faults, states, unknown messages.

use super::{ADMITTED, Entry, Pages, Remedy, console, message_alone, page};
use crate::advice::{Case, state, step};

pub(super) static CONCURRENCY: Entry = Entry {
    slug: "concurrency",
    title: "Too many copies run at once",
    happens: "AWS Backup or the resource's service runs a limited number of copies at a time.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "Too many jobs at once give the same text.",
    rank: None,
    families: &[],
    deny: None,
    remedy: Remedy::Retry,
    check: message_alone,
    unread: |_| false,
    who: |case| case.backup_owner(),
    steps: concurrency,
    console: console::job,
    page: Pages::One(page::COPIES),
};

fn concurrency(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    let filter = case
        .resource()
        .map(|resource| format!(" --by-resource-arn {resource}"))
        .unwrap_or_default();
    vec![
        step(
            "See which copies run; AWS Backup runs one backup or copy job of a resource at a time",
            &format!("aws backup list-copy-jobs --by-state RUNNING --region {region}{filter}"),
        ),
        case.start_again_with("When they are done, start this copy again", ""),
        "If this recurs, let the backup plan copy less often, or at other hours than other plans."
            .to_owned(),
    ]
}

pub(super) static QUOTA: Entry = Entry {
    slug: "quota",
    title: "A service quota is used up",
    happens: "The account has as many recovery points, snapshots or images as its quota allows.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "A used-up quota gives the same text.",
    rank: None,
    families: &[],
    deny: None,
    remedy: Remedy::Advise,
    check: message_alone,
    unread: |_| false,
    who: |case| case.backup_owner(),
    steps: quota,
    console: console::quotas,
    page: Pages::One(page::QUOTAS),
};

fn quota(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    vec![
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
    ]
}

pub(super) static TRANSIENT: Entry = Entry {
    slug: "transient",
    title: "A passing condition",
    happens: "AWS answered with a condition that passes by itself, such as a timeout or throttling.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "A passing condition gives the same text.",
    rank: None,
    families: &[],
    deny: None,
    remedy: Remedy::Retry,
    check: message_alone,
    unread: |_| false,
    who: |case| case.backup_owner(),
    steps: transient,
    console: console::job,
    page: Pages::One(page::COPIES),
};

fn transient(case: &Case<'_>) -> Vec<String> {
    vec![
        case.start_again(),
        "If it fails in the same way an hour later, it is not passing: read the new message."
            .to_owned(),
    ]
}

pub(super) static SERVICE_FAULT: Entry = Entry {
    slug: "service-fault",
    title: "A fault inside an AWS service",
    happens: "A service of AWS failed for a reason of its own.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "A fault inside the service gives the same text.",
    rank: None,
    families: &[],
    deny: None,
    remedy: Remedy::Retry,
    check: message_alone,
    unread: |_| false,
    who: |case| case.backup_owner(),
    steps: service_fault,
    console: console::job,
    page: Pages::One(page::TROUBLESHOOTING),
};

fn service_fault(case: &Case<'_>) -> Vec<String> {
    vec![
        case.start_again(),
        format!(
            "If it fails again, open a case with AWS Support in account {}, and give it the job's id {}.",
            case.source_account(),
            case.event().copy_job_id
        ),
    ]
}

pub(super) static RESOURCE_STATE: Entry = Entry {
    slug: "resource-state",
    title: "The resource was not in a state that allows this",
    happens: "The resource was being created, changed or deleted when the job ran.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "A resource in another state gives the same text.",
    rank: None,
    families: &[],
    deny: None,
    remedy: Remedy::Retry,
    check: message_alone,
    unread: |_| false,
    who: |case| case.backup_owner(),
    steps: resource_state,
    console: console::job,
    page: Pages::One(page::TROUBLESHOOTING),
};

fn resource_state(case: &Case<'_>) -> Vec<String> {
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
    vec![
        look,
        case.start_again_with("Once it is available, start the copy again", ""),
    ]
}

pub(super) static SCHEDULE_WINDOW: Entry = Entry {
    slug: "schedule-window",
    title: "The job met a maintenance or backup window",
    happens: "The job began within a maintenance window or an automated backup window of the resource, or too shortly before one.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    rank: None,
    families: &[],
    deny: None,
    remedy: Remedy::Advise,
    check: message_alone,
    unread: |_| false,
    who: |case| case.backup_owner(),
    steps: schedule_window,
    console: console::source_vault,
    page: Pages::One(page::TROUBLESHOOTING),
};

fn schedule_window(case: &Case<'_>) -> Vec<String> {
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
    vec![
        look,
        format!(
            "In the backup plan of account {}, start at least an hour before or after them; Amazon FSx needs three hours.",
            case.source_account()
        ),
        case.start_again_with("If the recovery point exists, start its copy again", ""),
    ]
}

pub(super) static UNKNOWN: Entry = Entry {
    slug: "unknown",
    title: "The cause is not known",
    happens: "The message says nothing that Copymend knows, or the facts exclude everything that it suggests.",
    found: "It is what is left.",
    also: ADMITTED,
    rank: None,
    families: &[],
    deny: None,
    remedy: Remedy::Advise,
    check: message_alone,
    unread: |_| false,
    who: |case| case.backup_owner(),
    steps: unknown,
    console: console::job,
    page: Pages::One(page::JOBS),
};

fn unknown(case: &Case<'_>) -> Vec<String> {
    vec![
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
    ]
}
