//! The words for the permissions that a call or job needs, one by one.

use copymend_diagnosis::{PermissionAnswer, PermissionState};
use copymend_policy::Layer;
use copymend_remediation::advisor::{Advisory, JobSummary, Subject};

use crate::text::{inline, sentence};

/// The mark before a permission, two characters wide.
pub(crate) const fn mark(state: PermissionState) -> &'static str {
    match state {
        PermissionState::Allowed => "ok",
        PermissionState::Missing | PermissionState::Denied => "NO",
        PermissionState::Unknown => "??",
    }
}

/// The permissions with those that are not there first, then those that can't be told.
pub(crate) fn in_order(answers: &[PermissionAnswer]) -> Vec<&PermissionAnswer> {
    let mut answers: Vec<&PermissionAnswer> = answers.iter().collect();
    answers.sort_by_key(|answer| match answer.state {
        PermissionState::Missing | PermissionState::Denied => 0_u8,
        PermissionState::Unknown => 1,
        PermissionState::Allowed => 2,
    });
    answers
}

/// `kms:Decrypt on arn:…: own policies and key policy. No policy of the caller allows it.`
pub(crate) fn line(answer: &PermissionAnswer) -> String {
    let what = format!("{} on {}", inline(&answer.action), inline(&answer.resource));
    let detail = inline(&answer.detail);
    if answer.state == PermissionState::Allowed && detail == "allowed" {
        return what;
    }
    let layers: Vec<&str> = answer.blocked_by.iter().copied().map(layer).collect();
    match (layers.is_empty(), detail.is_empty()) {
        (true, true) => what,
        (true, false) => format!("{what}: {detail}"),
        (false, true) => format!("{what}: {}", layers.join(", ")),
        (false, false) => format!("{what}: {}. {}", layers.join(", "), sentence(&detail)),
    }
}

/// Whether a sentence of the evidence says what stands in the list of the permissions already.
pub(crate) fn is_listed(answers: &[PermissionAnswer], evidence: &str) -> bool {
    answers.iter().any(|answer| {
        evidence
            .strip_prefix(answer.action.as_str())
            .and_then(|rest| rest.strip_prefix(" on `"))
            .and_then(|rest| rest.strip_prefix(answer.resource.as_str()))
            .and_then(|rest| rest.strip_prefix("`: "))
            .is_some_and(|detail| detail == answer.detail)
    })
}

/// What stands in place of such sentences.
pub(crate) const LISTED: &str = "See the list of the permissions.";

/// A kind of policy that is in the way.
const fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Identity => "own policies",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session policy",
        Layer::Scp => "service control policy",
        Layer::Rcp => "resource control policy",
        Layer::Resource => "key policy",
    }
}

/// How many of the permissions are not there or can't be told, in a few words.
pub(crate) fn count(answers: &[PermissionAnswer]) -> String {
    let with = |wanted: &[PermissionState]| {
        answers
            .iter()
            .filter(|answer| wanted.contains(&answer.state))
            .count()
    };
    let missing = with(&[PermissionState::Missing, PermissionState::Denied]);
    let unknown = with(&[PermissionState::Unknown]);
    let of = format!("{missing} of {} missing or denied", answers.len());
    if unknown == 0 {
        of
    } else {
        format!("{of}, {unknown} unknown")
    }
}

/// What was refused or failed, for whom, in one sentence.
pub(crate) fn what_happened(subject: &Subject) -> String {
    match subject {
        Subject::ApiCall(call) => format!(
            "{} was refused to {}, in account {}, Region {}.",
            inline(&call.operation),
            caller(&call.caller),
            inline(&call.account),
            inline(&call.region)
        ),
        Subject::BackupJob(job) => job_ended("backup", job),
        Subject::RestoreJob(job) => job_ended("restore", job),
    }
}

/// The caller as CloudTrail writes it; it names none for some services.
pub(crate) fn caller(arn: &str) -> String {
    let arn = inline(arn);
    if arn.is_empty() {
        "a caller without an ARN".to_owned()
    } else {
        arn
    }
}

fn job_ended(what: &str, job: &JobSummary) -> String {
    let kind = job
        .resource_type
        .as_deref()
        .map(|kind| format!(" of {}", inline(kind)))
        .unwrap_or_default();
    let role = job
        .role
        .as_deref()
        .map(|role| format!(" for the job role {}", inline(role)))
        .unwrap_or_default();
    format!(
        "A {what}{kind} ended as {}{role}, in account {}, Region {}.",
        inline(&job.state),
        inline(&job.account),
        inline(&job.region)
    )
}

/// Whether what failed is as sure as it can be. A refused call can't be looked up, so its event is all there is.
pub(crate) const fn is_confirmed(advisory: &Advisory) -> bool {
    match advisory.subject {
        Subject::ApiCall(_) => true,
        Subject::BackupJob(_) | Subject::RestoreJob(_) => advisory.verified,
    }
}

/// The subject in a few words of plain ASCII, whose parts are checked: `CreateBackupVault (111122223333)`.
pub(crate) fn place(subject: &Subject) -> String {
    let (what, account) = match subject {
        Subject::ApiCall(call) => (
            if is_word(&call.operation) {
                call.operation.as_str()
            } else {
                "a call"
            },
            &call.account,
        ),
        Subject::BackupJob(job) => ("a backup job", &job.account),
        Subject::RestoreJob(job) => ("a restore job", &job.account),
    };
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    if is_account {
        format!("{what} ({account})")
    } else {
        what.to_owned()
    }
}

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
