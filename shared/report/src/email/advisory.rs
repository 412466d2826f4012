//! The e-mail on what the access advisor found out.

use copymend_remediation::advisor::{Advisory, CallSummary, JobSummary, Subject};
use copymend_remediation::report::Outcome;

use super::body::Body;
use super::parts::{self, vault};
use crate::text::inline;
use crate::{json, needs, words};

/// How many permissions are shown. No call or job needs as many.
const PERMISSIONS: usize = 100;
/// How many lines of a policy are shown.
const POLICY_LINES: usize = 400;

pub(super) fn body(advisory: &Advisory) -> Body {
    let mut body = Body::default();
    headline(&mut body, advisory);
    subject(&mut body, advisory);
    parts::notes(&mut body, &advisory.notes);
    permissions(&mut body, advisory);
    policy(&mut body, advisory);
    what_to_do(&mut body, advisory);
    parts::evidence(&mut body, &advisory.diagnosis, &advisory.permissions);
    parts::message(&mut body, whose(&advisory.subject), &advisory.message);
    parts::unknown(
        &mut body,
        &advisory.diagnosis,
        "What could not be read may be in the way as well.",
    );
    body.line("");
    body.line("--");
    body.line(&format!(
        "Copymend's access advisor, which changes nothing. Event {}.",
        inline(&advisory.event)
    ));
    body
}

fn headline(body: &mut Body, advisory: &Advisory) {
    let outcome = words::outcome(advisory.outcome, needs::is_confirmed(advisory));
    body.line(&format!("Copymend: {outcome}"));
    body.line("");
    if advisory.outcome == Outcome::Advised {
        body.line(&format!("{}.", advisory.diagnosis.cause.title()));
    }
    body.line(&needs::what_happened(&advisory.subject));
    if !needs::is_confirmed(advisory) {
        body.line(
            "AWS Backup did not confirm this event: check the job before you change anything.",
        );
    }
}

const fn whose(subject: &Subject) -> &'static str {
    match subject {
        Subject::ApiCall(_) => "the call",
        Subject::BackupJob(_) | Subject::RestoreJob(_) => "the job",
    }
}

fn subject(body: &mut Body, advisory: &Advisory) {
    match &advisory.subject {
        Subject::ApiCall(of) => {
            body.heading("The call that was refused");
            call(body, of);
        }
        Subject::BackupJob(of) => {
            body.heading("The backup job that came to nothing");
            job(body, of, "Resource");
        }
        Subject::RestoreJob(of) => {
            body.heading("The restore job that came to nothing");
            job(body, of, "Recovery point");
        }
    }
    let verified = match (&advisory.subject, advisory.verified) {
        (Subject::ApiCall(_), _) => {
            "a call cannot be looked up; what follows was read from IAM and AWS KMS"
        }
        (Subject::BackupJob(_) | Subject::RestoreJob(_), true) => {
            "yes, AWS Backup says that this job ended so"
        }
        (Subject::BackupJob(_) | Subject::RestoreJob(_), false) => "no, AWS Backup does not say so",
    };
    body.field("Verified", verified);
    if advisory.outcome == Outcome::Advised {
        body.field(
            "Cause",
            &format!(
                "{}, {}",
                advisory.diagnosis.cause,
                words::certainty(&advisory.diagnosis)
            ),
        );
    }
    if let Some(count @ 2..) = advisory.occurrences {
        body.field("Seen", &format!("{count} times"));
    }
}

fn place(body: &mut Body, account: &str, region: &str) {
    body.field(
        "Place",
        &format!("account {}, Region {}", inline(account), inline(region)),
    );
}

fn call(body: &mut Body, call: &CallSummary) {
    body.field("Operation", &inline(&call.operation));
    body.field("Caller", &needs::caller(&call.caller));
    if let Some(resource) = &call.resource {
        body.field("On", &vault(resource));
    }
    place(body, &call.account, &call.region);
    if !call.error_code.is_empty() {
        body.field("Error code", &inline(&call.error_code));
    }
}

fn job(body: &mut Body, job: &JobSummary, resource_label: &str) {
    if let Some(resource) = &job.resource {
        let kind = job.resource_type.as_ref();
        let kind = kind
            .map(|kind| format!(" ({})", inline(kind)))
            .unwrap_or_default();
        body.field(resource_label, &format!("{}{kind}", inline(resource)));
    }
    if let Some(of) = &job.vault {
        body.field("Vault", &vault(of));
    }
    body.field(
        "Job",
        &format!("{}, {}", inline(&job.job_id), inline(&job.state)),
    );
    if let Some(role) = &job.role {
        body.field("Job role", &inline(role));
    }
    place(body, &job.account, &job.region);
}

fn permissions(body: &mut Body, advisory: &Advisory) {
    let answers = &advisory.permissions;
    if answers.is_empty() {
        return;
    }
    body.heading("The permissions, one by one");
    body.line(&format!("  {}.", needs::count(answers)));
    for answer in needs::in_order(answers).into_iter().take(PERMISSIONS) {
        body.line(&format!(
            "  {}  {}",
            needs::mark(answer.state),
            needs::line(answer)
        ));
    }
    let cut = answers.len().saturating_sub(PERMISSIONS);
    if cut > 0 {
        body.line(&format!("  [{cut} more]"));
    }
}

fn policy(body: &mut Body, advisory: &Advisory) {
    let Some(policy) = &advisory.policy else {
        return;
    };
    body.heading("The policy to attach");
    body.line("  The least that is missing, ready to paste. Check its resources before you do.");
    body.line("");
    let lines = json::policy(policy);
    for line in lines.iter().take(POLICY_LINES) {
        body.indented(line);
    }
    let cut = lines.len().saturating_sub(POLICY_LINES);
    if cut > 0 {
        body.indented(&format!(
            "[{cut} more lines; the function's answer holds the whole policy]"
        ));
    }
}

fn what_to_do(body: &mut Body, advisory: &Advisory) {
    body.heading("What to do");
    match &advisory.advice {
        Some(advice) => {
            let above = advisory.policy.as_ref().map(ToString::to_string);
            parts::advice(body, advice, above.as_deref());
        }
        None => body.line("  Nothing that Copymend knows of."),
    }
}
