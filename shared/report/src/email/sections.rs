//! The sections of a Report's e-mail, in the order in which people need them.

use copymend_remediation::report::{Guard, PolicyChange, Report};
use copymend_remediation::settings::Mode;

use super::body::Body;
use super::parts::WHOLE_POLICY;
use super::unread::Unread;
use crate::text::{at_most, exact, inline};
use crate::words;

/// How much of a diff is shown, in bytes.
const DIFF_BYTES: usize = 40_000;

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
    body.gap();
    let diff = copymend_policy::diff(change.before.as_deref(), &change.after);
    let lines: Vec<String> = diff.lines().map(exact).collect();
    let mut room = DIFF_BYTES;
    let fitting = lines.iter().take_while(|line| {
        room = room.saturating_sub(line.len());
        room > 0
    });
    let fitting = fitting.count();
    for line in at_most(lines, fitting, WHOLE_POLICY) {
        body.exactly(&line);
    }
}

pub(super) fn guards(body: &mut Body, report: &Report, unread: &Unread<'_>) {
    if report.guards.is_empty() {
        return;
    }
    body.heading("Guards");
    let (passed, failed): (Vec<_>, Vec<_>) = report.guards.iter().partition(|guard| guard.passed);
    for guard in failed.into_iter().chain(passed) {
        let mark = if guard.passed { "ok" } else { "NO" };
        let detail = if guard.guard == Guard::OnlyAdds {
            counts_of_proof(&guard.detail)
        } else {
            &guard.detail
        };
        let detail = unread.inline(detail);
        body.marked(mark, &format!("{}: {detail}", guard.guard.name()));
    }
}

/// A proof without what it proves, which stands with the change.
fn counts_of_proof(detail: &str) -> &str {
    detail.split_once("; ").map_or(detail, |(counts, _)| counts)
}

pub(super) fn footer(body: &mut Body, report: &Report) {
    let who = match report.mode {
        Some(Mode::Observe) => "Copymend, observe mode: Copymend writes nothing",
        Some(Mode::Approve) => "Copymend, approve mode: Copymend writes what a person approves",
        Some(Mode::Repair) => "Copymend, repair mode",
        None => "Copymend's access advisor, which changes nothing",
    };
    body.gap();
    body.line("--");
    body.line(&format!("{who}. Event {}.", inline(&report.event)));
}
