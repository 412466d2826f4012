//! The sections of a Report's e-mail, in the order in which people need them.

use copymend_remediation::report::{DecisionKind, Outcome, PolicyChange, Report, Subject};
use copymend_remediation::settings::Mode;

use super::body::Body;
use super::parts::{self, WHOLE_POLICY};
use crate::text::{at_most, exact, inline};
use crate::{approval, subject, words};

/// How much of a diff is shown, in bytes.
const DIFF_BYTES: usize = 40_000;

pub(super) fn headline(body: &mut Body, report: &Report) {
    let outcome = words::outcome(report.outcome, report.is_confirmed());
    body.line(&format!("Copymend: {outcome}"));
    body.line("");
    if subject::has_cause(report) {
        body.line(&format!("{}.", report.diagnosis.cause.title()));
    }
    match subject::what_happened(&report.subject) {
        None => body.line(&words::deed(report)),
        Some(what_happened) => {
            body.line(&what_happened);
            if !report.is_confirmed() {
                body.line(
                    "AWS Backup did not confirm this event: check the job before you change anything.",
                );
            }
        }
    }
}

/// Said first: whoever reads no further must know that the change doesn't last.
pub(super) fn owner(body: &mut Body, report: &Report) {
    if let Some(answered) = approval::answered(report) {
        body.line("");
        body.line(&answered);
    }
    if let Some(owner) = &report.managed_by {
        body.line("");
        body.line(&words::owner(owner));
    }
}

pub(super) fn changes(body: &mut Body, report: &Report) {
    for (change, standing) in words::changes(report) {
        let [heading, ..] = standing.words();
        one_change(body, heading, change);
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
    let lines: Vec<String> = diff.lines().map(exact).collect();
    let mut room = DIFF_BYTES;
    let fitting = lines.iter().take_while(|line| {
        room = room.saturating_sub(line.len());
        room > 0
    });
    let fitting = fitting.count();
    for line in at_most(lines, fitting, WHOLE_POLICY) {
        body.indented(&line);
    }
}

pub(super) fn left_to_do(body: &mut Body, report: &Report) {
    body.heading(match report.subject {
        Subject::Copy(_) => "What is left to do",
        Subject::ApiCall(_) | Subject::Job(_) => "What to do",
    });
    if report.changes.iter().any(|change| change.applied) {
        body.line("  If infrastructure as code owns this policy, add the statements there too: its next run would remove them.");
    }
    if let Some(question) = approval::question(report) {
        body.line(&format!(
            "  Say yes or no until {}; no answer means no:",
            question.until
        ));
        body.line("");
        body.line(&format!("    {}", question.approve));
        body.line(&format!("    {}", question.refuse));
        body.line("");
        body.line("  Each shows the plan first. Or by hand:");
    }
    let others = words::also_confirmed(report);
    if !others.is_empty() {
        body.line("  Confirmed as well, in the order in which it must be put right; until then the copy fails again:");
        for (number, other) in (1_usize..).zip(&others) {
            body.line(&format!("  {number}. {other}"));
        }
    }
    let Some(advice) = &report.advice else {
        if others.is_empty() {
            body.line(without_advice(report.outcome));
        }
        return;
    };
    if let Some(preface) = preface(report).filter(|_| approval::question(report).is_none()) {
        body.line(&format!("  {preface}"));
    }
    let above = report.policy.as_ref().map(ToString::to_string);
    parts::advice(body, advice, above.as_deref());
}

const fn without_advice(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::RepairedAndRetried => {
            "  Nothing else. If the new copy fails as well, Copymend reports that."
        }
        Outcome::Repaired => "  Start the copy again, or wait for the backup plan's next one.",
        Outcome::Recovered => "  Nothing. The copy is there.",
        Outcome::RetryPlanned => "  Nothing now. If the copy fails again, Copymend reports that.",
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
fn preface(report: &Report) -> Option<&'static str> {
    match (report.outcome, report.decision) {
        (Outcome::Planned, DecisionKind::Repair) => Some(
            "Set COPYMEND_MODE=repair, and Copymend does this itself from the next failure on. By hand:",
        ),
        (Outcome::Planned, _) => {
            Some("Set COPYMEND_MODE=repair, and Copymend starts such copies again itself. By hand:")
        }
        (Outcome::Retried | Outcome::RetryPlanned, _) => {
            Some("Nothing now. If the new copy fails as well:")
        }
        (Outcome::Refused, _) if approval::is_refused(report) => {
            Some("A person refused this. If the copy should be made after all:")
        }
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
    for guard in failed.into_iter().chain(passed) {
        let mark = if guard.passed { "ok" } else { "NO" };
        let detail = inline(&guard.detail);
        body.line(&format!("  {mark}  {}: {detail}", guard.guard.name()));
    }
}

pub(super) fn footer(body: &mut Body, report: &Report) {
    let who = match report.mode {
        Some(Mode::Observe) => "Copymend, observe mode: Copymend writes nothing",
        Some(Mode::Approve) => "Copymend, approve mode: Copymend writes what a person approves",
        Some(Mode::Repair) => "Copymend, repair mode",
        None => "Copymend's access advisor, which changes nothing",
    };
    body.line("");
    body.line("--");
    body.line(&format!("{who}. Event {}.", inline(&report.event)));
}
