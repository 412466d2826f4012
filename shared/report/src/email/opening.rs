//! How an e-mail opens: what happened to what, why, and what was done.

use copymend_remediation::report::{DecisionKind, Outcome, Report, Subject};

use super::body::Body;
use super::unread::Unread;
use crate::text::inline;
use crate::{approval, subject, words};

pub(super) fn opening(body: &mut Body, report: &Report, unread: &Unread<'_>) {
    body.line(&what_happened(report));
    body.gap();
    why(body, report);
    match report.subject {
        Subject::Copy(_) => deed(body, report, unread),
        Subject::ApiCall(_) | Subject::Job(_) => {}
    }
    if !report.is_confirmed() {
        body.line(
            "AWS Backup did not confirm this event: check the job before you change anything.",
        );
    }
    if let Some(answered) = approval::answered(report) {
        body.line(&format!("Answer: {answered}"));
    }
    if let Some(owner) = &report.managed_by {
        body.line(&words::owner(owner));
    }
}

fn what_happened(report: &Report) -> String {
    match &report.subject {
        Subject::Copy(copy) => format!("The {} {}.", subject::copy(copy), end_of_copy(report)),
        Subject::ApiCall(call) => format!(
            "The call {} was refused in account {}, Region {}.",
            inline(&call.operation),
            inline(&call.account),
            inline(&call.region)
        ),
        Subject::Job(job) => format!(
            "The {} of {} {} in account {}, Region {}.",
            job.kind.name(),
            subject::job(job),
            subject::ended(&job.state),
            inline(&job.account),
            inline(&job.region)
        ),
    }
}

/// What became of a copy.
fn end_of_copy(report: &Report) -> &'static str {
    match report.outcome {
        Outcome::RepairedAndRetried => "failed; Copymend repaired it",
        Outcome::Repaired => "failed; it is repaired, not restarted",
        Outcome::Retried => "failed; it is started again",
        Outcome::RetryPlanned => "failed; Copymend takes it up again later",
        Outcome::Planned if approval::question(report).is_some() => {
            "failed; Copymend asks for a yes or no"
        }
        Outcome::Planned if report.decision == DecisionKind::Repair => {
            "failed; Copymend could repair it"
        }
        Outcome::Planned => "failed; Copymend could start it again",
        Outcome::Advised if report.verified => "failed; a person must act",
        Outcome::Advised => "is said to have failed",
        Outcome::Refused if report.is_refused_by_a_person() => {
            "failed; a person refused its repair"
        }
        Outcome::Refused => "failed; its repair was refused",
        Outcome::Failed if report.decision == DecisionKind::Retry => {
            "failed, and could not be started again"
        }
        Outcome::Failed => "failed, and so did its repair",
        Outcome::Recovered => "works again",
        Outcome::Nothing => "needs nothing",
        Outcome::AlreadyHandled => "was handled before",
    }
}

/// The cause in a sentence; the causes in order where there are several.
fn why(body: &mut Body, report: &Report) {
    if !subject::has_cause(report) {
        return;
    }
    let causes = words::causes_in_order(report);
    if causes.len() > 1 {
        body.line("Why, in the order in which it must be put right:");
        for (number, cause) in (1_usize..).zip(causes) {
            body.numbered(number, &format!("{}.", cause.title()));
        }
        return;
    }
    let certainty = if words::is_cause_confirmed(&report.diagnosis) {
        ""
    } else {
        ", read from the message and not confirmed"
    };
    let title = report.diagnosis.cause.title();
    body.line(&format!("Why{certainty}: {title}."));
}

fn deed(body: &mut Body, report: &Report, unread: &Unread<'_>) {
    if report.outcome == Outcome::Advised {
        body.line("Copymend changed nothing.");
    } else {
        body.line(&words::deed(report));
    }
    let refused = report.outcome == Outcome::Refused && !report.is_refused_by_a_person();
    let failed = report.guards.iter().find(|guard| !guard.passed);
    if let Some(guard) = failed.filter(|_| refused && report.verified) {
        body.line(&format!(
            "Guard {}: {}.",
            guard.guard.name(),
            unread.inline(&guard.detail).trim_end_matches('.')
        ));
    }
}
