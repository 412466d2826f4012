//! The sections of a Report's e-mail, in the order in which people need them.

use copymend_remediation::report::{DecisionKind, Outcome, PolicyChange, Report};
use copymend_remediation::settings::Mode;

use super::body::Body;
use super::parts::{self, vault};
use crate::text::{exact, inline};
use crate::words;

/// How much of a diff is shown, in bytes.
const DIFF_BYTES: usize = 40_000;

pub(super) fn headline(body: &mut Body, report: &Report) {
    body.line(&format!(
        "Copymend: {}",
        words::outcome(report.outcome, report.verified)
    ));
    body.line("");
    body.line(&format!("{}.", report.diagnosis.cause.title()));
    body.line(&words::deed(report));
}

pub(super) fn copy(body: &mut Body, report: &Report) {
    let copy = &report.copy;
    body.heading("The copy that failed");
    if let Some(resource) = &copy.resource {
        let kind = copy.resource_type.as_ref();
        let kind = kind
            .map(|kind| format!(" ({})", inline(kind)))
            .unwrap_or_default();
        body.field("Resource", &format!("{}{kind}", inline(resource)));
    }
    if let Some(point) = &copy.recovery_point {
        body.field("Recovery point", &inline(point));
    }
    body.field("From", &vault(&copy.source_vault));
    body.field("To", &vault(&copy.destination_vault));
    body.field(
        "Job",
        &format!(
            "{}, account {}, Region {}",
            inline(&copy.copy_job_id),
            inline(&copy.account),
            inline(&copy.region)
        ),
    );
    body.field("Job role", &inline(&copy.role));
    body.field(
        "Verified",
        if report.verified {
            "yes, AWS Backup says that this job failed"
        } else {
            "no, so nothing was changed"
        },
    );
    body.field(
        "Cause",
        &format!(
            "{}, {}",
            report.diagnosis.cause,
            words::certainty(&report.diagnosis)
        ),
    );
    if let Some(job) = &report.retried_job {
        body.field("Started again", &format!("as job {}", inline(job)));
    }
    if let Some(count @ 2..) = report.occurrences {
        body.field("Seen", &format!("{count} times"));
    }
}

pub(super) fn changes(body: &mut Body, report: &Report) {
    for change in &report.changes {
        let heading = if change.applied {
            "The change, written and read back"
        } else if report.outcome == Outcome::Planned {
            "The change that Copymend would make"
        } else if change.id.is_some() {
            "The change, put, but not seen in the policy"
        } else {
            "The change, not written"
        };
        one_change(body, heading, change);
    }
    for change in &report.refused_changes {
        one_change(body, "The change that was refused", change);
    }
}

fn one_change(body: &mut Body, heading: &str, change: &PolicyChange) {
    body.heading(heading);
    body.field("Policy of", &inline(&change.resource));
    body.field(
        "Adds",
        &format!(
            "{}: {}",
            words::statements(change.added.len()),
            inline(&change.added.join(", "))
        ),
    );
    if let Some(certificate) = &change.certificate {
        for line in certificate.to_string().lines() {
            body.field("Proved", &inline(line));
        }
    }
    if change.before.is_none() {
        body.field("Before", "no policy");
    }
    if let Some(id) = &change.id {
        body.field(
            "Change id",
            &format!("{} (keep it: the change can be undone by it)", inline(id)),
        );
    }
    body.line("");
    let diff = copymend_policy::diff(change.before.as_deref(), &change.after);
    let mut room = DIFF_BYTES;
    let mut lines = diff.lines();
    for line in lines.by_ref() {
        let line = exact(line);
        room = room.saturating_sub(line.len());
        if room == 0 {
            break;
        }
        body.indented(&line);
    }
    let cut = if room == 0 { lines.count() + 1 } else { 0 };
    if cut > 0 {
        body.indented(&format!(
            "[{cut} more lines; the function's answer holds the whole policy]"
        ));
    }
}

pub(super) fn left_to_do(body: &mut Body, report: &Report) {
    body.heading("What is left to do");
    if report.changes.iter().any(|change| change.applied) {
        body.line("  If infrastructure as code owns this policy, add the statements there too: its next run would remove them.");
    }
    let Some(advice) = &report.advice else {
        body.line(without_advice(report.outcome));
        return;
    };
    if let Some(preface) = preface(report) {
        body.line(&format!("  {preface}"));
    }
    parts::advice(body, advice, None);
}

const fn without_advice(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::RepairedAndRetried => {
            "  Nothing else. If the new copy fails as well, Copymend reports that."
        }
        Outcome::Repaired => "  Start the copy again, or wait for the backup plan's next one.",
        Outcome::Recovered => "  Nothing. The copy is there.",
        Outcome::Retried
        | Outcome::Planned
        | Outcome::Advised
        | Outcome::Refused
        | Outcome::Failed
        | Outcome::Nothing
        | Outcome::AlreadyHandled => "  Nothing that Copymend knows of.",
    }
}

/// What stands before the steps.
const fn preface(report: &Report) -> Option<&'static str> {
    match (report.outcome, report.decision) {
        (Outcome::Planned, DecisionKind::Repair) => Some(
            "Set COPYMEND_MODE=repair, and Copymend does this itself from the next failure on. By hand:",
        ),
        (Outcome::Planned, _) => {
            Some("Set COPYMEND_MODE=repair, and Copymend starts such copies again itself. By hand:")
        }
        (Outcome::Retried, _) => Some("Nothing now. If the new copy fails as well:"),
        (Outcome::Refused, _) => Some(
            "A guard refused this on purpose. Decide first whether this copy should be allowed; if so:",
        ),
        (
            Outcome::RepairedAndRetried
            | Outcome::Repaired
            | Outcome::Advised
            | Outcome::Failed
            | Outcome::Recovered
            | Outcome::Nothing
            | Outcome::AlreadyHandled,
            _,
        ) => None,
    }
}

pub(super) fn guards(body: &mut Body, report: &Report) {
    if report.guards.is_empty() {
        return;
    }
    body.heading("Guards");
    let (passed, failed): (Vec<_>, Vec<_>) = report.guards.iter().partition(|guard| guard.passed);
    for guard in failed {
        body.line(&format!(
            "  NO  {}: {}",
            guard.guard.name(),
            inline(&guard.detail)
        ));
    }
    for guard in passed {
        body.line(&format!(
            "  ok  {}: {}",
            guard.guard.name(),
            inline(&guard.detail)
        ));
    }
}

pub(super) fn footer(body: &mut Body, report: &Report) {
    let mode = match report.mode {
        Mode::Observe => "observe mode: Copymend writes nothing",
        Mode::Repair => "repair mode",
    };
    body.line("");
    body.line("--");
    body.line(&format!(
        "Copymend, {mode}. Event {}.",
        inline(&report.event)
    ));
}
