//! Causes where nothing is misconfigured, or nothing is known: time, quotas, faults, states,
//! unknown messages.

use super::{ADMITTED, Entry, Pages, Remedy, Shown, console, page, rules};
use crate::advice::{Case, state, step};
use crate::messages::wording::SUCCESS;

pub(super) static CONCURRENCY: Entry = Entry {
    slug: "concurrency",
    title: "Too many copies run at once",
    happens: "AWS Backup or the resource's service runs a limited number of copies at a time.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "Too many jobs at once give the same text.",
    messages: rules! {
        // Documented: "There are too many copy jobs running for resource.", "… there was a running
        // job for the same resource." Seen: RDS "Cannot copy more than 5 snapshots across regions".
        Others 260 ["too many copy jobs|too many jobs running|too many backup jobs\
             |too many concurrent|too many running|too many snapshot copies\
             |running job for the same|job already running|job is already running\
             |copy is already running|another copy job|another job is|copy job is in progress\
             |copy already in progress|copy is already in progress|job already in progress\
             |job is already in progress|concurrent copy jobs|already being copied\
             |copy jobs are already|copies in progress|copy in progress|cannot copy more than"]
            => "Too many jobs ran for the resource at once.";
        Others 270 ["already in progress", "copy of|copies of"] not ["delet"]
            => "Too many jobs ran for the resource at once.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Retry,
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
        step!("See which copies run; AWS Backup runs one backup or copy job of a resource at a time";
            "aws backup list-copy-jobs --by-state RUNNING --region {region}{filter}"),
        case.start_again_with("When they are done, start this copy again"),
        "If this recurs, let the backup plan copy less often, or at other hours than other plans."
            .to_owned(),
    ]
}

pub(super) static QUOTA: Entry = Entry {
    slug: "quota",
    title: "A service quota is used up",
    happens: "The account has as many recovery points, snapshots or images as its quota allows, or as many backups \
        run at once.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "A used-up quota gives the same text.",
    messages: rules! {
        // Documented: "Image creation throttled due to maximum number of concurrent snapshots on an
        // EBS volume."
        Others 280 ["maximum number of concurrent|maximum concurrent number|maximum allowed\
             |cannot create more than|reached your quota|reached the quota|reached your limit\
             |reached the limit|reached the maximum|reached your maximum|exceeded your quota\
             |exceeded the quota|exceeds the quota|exceed the quota|exceeds your quota\
             |quota exceeded|exceeded quota|quotaexceeded|quota has been|quota of \
             |exceeded the limit|exceeds the limit|exceed the limit|exceeded your limit\
             |can have at most|exceeded the maximum number|exceeds the maximum number\
             |exceed the maximum number|resourcelimitexceeded|snapshotlimitexceeded\
             |request a quota increase|request a service quota|maximum number of snapshots\
             |maximum number of images|maximum number of recovery points|maximum number of backups\
             |maximum supported backups|account limit|limit has been reached|limit was reached\
             |limit reached|in-progress snapshots"]
            not ["user tags|tags specified|resultant tag set|number of tags|0 tags|retention\
                 |rate has been exceeded|tags per resource"] => "A quota is used up.";
        // Documented: "Subscriber limit exceeded", "… limit exceeded.", LIMIT_EXCEEDED.
        Others 300 ["limit exceeded|limitexceeded"]
            not ["request limit exceeded|requestlimitexceeded|rate limit|tag limit exceeded\
                 |taglimitexceeded"] => "A quota is used up.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: quota,
    console: console::quotas,
    page: Pages::One(page::QUOTAS),
};

fn quota(case: &Case<'_>) -> Vec<String> {
    let region = case.source_region();
    vec![
        step!("Compare the number in the message with the quotas of AWS Backup, in account {}; a quota on snapshots or images \
             belongs to the resource's own service (ebs, ec2, rds)", case.source_account();
            "aws service-quotas list-service-quotas --service-code backup --region {region} --query \
             'Quotas[].[QuotaCode,QuotaName,Value,Adjustable]' --output text"),
        step!("Delete what is not needed any more, or ask for more, with QUOTA set to the quota's code and VALUE to what you \
             need";
            "aws service-quotas request-service-quota-increase --service-code backup --region {region} --quota-code $QUOTA \
             --desired-value $VALUE"),
        case.start_again(),
    ]
}

pub(super) static TRANSIENT: Entry = Entry {
    slug: "transient",
    title: "A passing condition",
    happens: "AWS answered with a condition that passes by itself, such as a timeout or throttling.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: "A passing condition gives the same text.",
    messages: rules! {
        // Seen in every service: throttling. Documented: "Token expired. Try again."
        Others 290 ["rate exceeded|throttlingexception|throttling exception|throttled|throttling:\
             |request limit exceeded|requestlimitexceeded|rate limit|too many requests\
             |toomanyrequests|rate has been exceeded|slow down|reduce your request rate\
             |please reduce your request|slowdown:|token expired|token has expired\
             |token included in the request is expired|expiredtoken|expired token|requestexpired\
             |request has expired|provisionedthroughputexceeded|connection timed out\
             |connection reset|read timed out|request timed out|requesttimeout|request timeout\
             |operation timed out|connect timed out|temporarily unavailable|temporary failure\
             |transient error|concurrentmodification"] not ["vss|maximum number of concurrent"]
            => "A passing condition, such as throttling or an expired token.";
        // Documented pattern "resource not found" and its kin without a noun are read by `missing`.
        // What is left:
        Weak 60 ["try again later|retry later|please retry"] not [SUCCESS]
            => "The message asks to try again later.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Retry,
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
    messages: rules! {
        // Documented: "An internal error occurred.", "Copy job encountered a fatal error."
        Others 310 ["internal error occurred|an internal error|internal service error\
             |internal failure|internalfailure|internal server error|internalservererror\
             |internalserverexception|internalserviceerror|internalserviceexception\
             |kmsinternalexception|a fatal error|service unavailable|serviceunavailable\
             |service is unavailable|service is currently unavailable\
             |service is temporarily unavailable|dependencytimeout|dependency timeout\
             |unexpected internal|internal service failure|unexpected error occurred\
             |due to an internal"] => "A fault inside an AWS service.";
        // Seen: "We encountered an internal error. InternalError". On the launch of an instance,
        // EC2 calls a refused key Client.InternalError.
        Others 320 ["internalerror"] not ["client.internalerror"]
            => "A fault inside an AWS service.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Retry,
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
    messages: rules! {
        // Documented text, meaning inferred: the recovery point is there but not usable, or gone.
        First 30 ["copy resource tags|copy tags|copy the resource tags|copy the tags\
             |copying resource tags", "is unavailable|is not available"] or [SourceNotFound]
            => "The tags could not be copied because a recovery point was not available.";
        // Documented patterns: "Instance is not in state", "not in the available state", "Cannot
        // snapshot volume".
        Others 360 ["is not in state|not in the available state|not in available state\
             |not in an available state|not in state available|not in the correct state\
             |not in a valid state|in an invalid state|is in invalid state|cannot snapshot volume\
             |incorrectstate|incorrect state|invaliddbsnapshotstate|invaliddbinstancestate\
             |invaliddbclusterstate|invaliddbclustersnapshotstate|invalid db instance state\
             |invalid db snapshot state|must be in the available state|must be in available state\
             |must be available|must be in state|is being deleted|is currently being\
             |is currently in state|not in a state|is still creating|is still being created\
             |creating state|'creating' state|\"creating\" state|pending state|'pending' state\
             |\"pending\" state|copying state|'copying' state|\"copying\" state|deleting state\
             |'deleting' state|\"deleting\" state|in state creating|in state deleting\
             |in state expired|in state partial|in state pending|recovery point is unavailable\
             |recovery point is not available|snapshot is not available|snapshot is not completed\
             |snapshot is in pending|because it is not online|is not in completed state\
             |is not in the completed state"] not ["vss|kmsinvalidstate|copy resource tags"]
            => "The resource was not in a state that allows this.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Retry,
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
        Some(command) => {
            step!("Look at {resource}, in account {account}: it must be available, and nothing else may be changing it";
            "{command}")
        }
        None => format!(
            "Look at {resource} in the console of its service, in account {account}, Region {region}: it must be available, and nothing \
             else may be changing it."
        ),
    };
    vec![
        look,
        case.start_again_with("Once it is available, start the copy again"),
    ]
}

pub(super) static SCHEDULE_WINDOW: Entry = Entry {
    slug: "schedule-window",
    title: "The job met a maintenance or backup window",
    happens: "The job began within a maintenance window or an automated backup window of the resource, or too shortly before one.",
    found: "The message alone tells; Copymend reads nothing that could show or exclude it.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "… inside or too close to the weekly maintenance window configured", "…
        // automated backup window …".
        First 340 ["maintenance window|backup window|maintenance-window", "could not start\
             |too close|inside|cannot start|overlap|conflict|during the|within the"]
            => "The job met a maintenance or backup window.";
        // Documented: "Backup job expired before completion."; JOB_EXPIRED. The start or completion
        // window had passed.
        First 350 ["job expired before|job has expired before|job expired because"]
            => "The job was not done within its window.";
    },
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: schedule_window,
    console: console::source_vault,
    page: Pages::One(page::TROUBLESHOOTING),
};

fn schedule_window(case: &Case<'_>) -> Vec<String> {
    let what = "Look up the maintenance window and the automated backup window of the resource";
    let (account, region) = (case.source_account(), case.source_region());
    let look = match state::windows(case) {
        Some(command) => step!("{what}, in account {account}"; "{command}"),
        None => {
            format!("{what}, in the console of its service, in account {account}, Region {region}.")
        }
    };
    vec![
        look,
        format!(
            "In the backup plan of account {account}, start at least an hour before or after them; Amazon FSx needs three hours."
        ),
        case.start_again_with("If the recovery point exists, start its copy again"),
    ]
}

pub(super) static UNKNOWN: Entry = Entry {
    slug: "unknown",
    title: "The cause is not known",
    happens: "The message says nothing that Copymend knows, or the facts exclude everything that it suggests.",
    found: "It is what is left.",
    also: ADMITTED,
    messages: &[],
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: unknown,
    console: console::job,
    page: Pages::One(page::JOBS),
};

fn unknown(case: &Case<'_>) -> Vec<String> {
    vec![
            "Read the message in this report; it is there word for word. Copymend has no rule for it, or the facts that could be \
             read exclude what it suggests: look at what is not among them."
                .to_owned(),
            step("Look at the job (StatusMessage, MessageCategory)", &case.describe_job()),
            step!("Look for calls that were refused at that time";
                "aws cloudtrail lookup-events --region {} --lookup-attributes \
                 AttributeKey=EventSource,AttributeValue=backup.amazonaws.com", case.source_region()),
            "Report the message to Copymend's maintainers, with ids replaced, so that the next release knows it.".to_owned(),
    ]
}
