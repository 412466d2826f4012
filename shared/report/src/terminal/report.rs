//! The view of a Report.

use copymend_remediation::report::{DecisionKind, Outcome, PolicyChange, Report};

use super::fold::fold;
use super::paint::{BAD, DIM, GOOD, STRONG, of_outcome};
use super::view::{ITEMS, View};
use crate::text::{at_most, exact, inline};
use crate::words::Standing;
use crate::{approval, subject, words};

/// A diff's nested lines are joined up to this width.
const DIFF_WIDTH: usize = 110;
/// How many lines of a diff are shown.
const DIFF_LINES: usize = 80;

impl View {
    pub(super) fn report(&mut self, report: &Report) {
        let permissions = report.permissions.as_deref().unwrap_or_default();
        self.headline(report);
        self.subject(report);
        if subject::has_cause(report) {
            self.diagnosis(&report.diagnosis, permissions);
        }
        self.permissions(permissions);
        self.policy(report.policy.as_ref());
        if let Some(answered) = approval::answered(report) {
            self.prose("answer", &answered);
        }
        if let Some(owner) = &report.managed_by {
            self.prose("owner", &words::owner(owner));
        }
        for (change, standing) in words::changes(report) {
            self.change(change, standing);
        }
        self.guards(report);
        if report.outcome == Outcome::RetryPlanned {
            self.prose("later", &words::deed(report));
        }
        self.notes(report);
        self.what_to_do(report);
    }

    fn headline(&mut self, report: &Report) {
        let (mark, colour) = of_outcome(report.outcome);
        let outcome = self.paint.paint(
            colour,
            &format!(
                "{mark} {}",
                words::outcome(report.outcome, report.is_confirmed())
            ),
        );
        let mut parts = vec![outcome];
        if subject::has_cause(report) {
            parts.push(self.paint.paint(STRONG, report.diagnosis.cause.slug()));
        }
        parts.extend(subject::place_of(report));
        self.line(&parts.join("  "));
    }

    fn change(&mut self, change: &PolicyChange, standing: Standing) {
        let id = change
            .id
            .as_ref()
            .map(|id| format!(", change {}", inline(id)))
            .unwrap_or_default();
        let [_, of_policy, of_role] = standing.words();
        if words::is_role(change) {
            let role = inline(&change.resource);
            self.row("change", &format!("{of_role} {role}{id}"));
            return;
        }
        let policy = words::policy_of(&change.resource);
        self.row("change", &format!("{of_policy} {policy}{id}"));
        let diff = copymend_policy::diff(change.before.as_deref(), &change.after);
        let painted = fold(&diff, DIFF_WIDTH).into_iter().map(|line| {
            let line = exact(&line);
            let colour = match line.chars().next() {
                Some('+') => GOOD,
                Some('-') => BAD,
                Some(_) | None => DIM,
            };
            self.paint.paint(colour, &line)
        });
        for line in at_most(painted.collect(), DIFF_LINES, " lines") {
            self.row("", &line);
        }
    }

    fn guards(&mut self, report: &Report) {
        if report.guards.is_empty() {
            return;
        }
        let passed = report.guards.iter().filter(|guard| guard.passed).count();
        let asked = report.guards.len();
        let count = if passed == asked {
            self.paint.paint(GOOD, &format!("✓ all {asked} passed"))
        } else {
            format!("{passed} of {asked} passed")
        };
        self.row("guards", &count);
        for guard in report.guards.iter().filter(|guard| !guard.passed) {
            let mark = self.paint.paint(BAD, "✗");
            self.item(
                "",
                &mark,
                &format!("{}: {}", guard.guard.name(), inline(&guard.detail)),
            );
        }
    }

    /// The notes; the one on the copy that was started again has a label of its own.
    fn notes(&mut self, report: &Report) {
        let job = report.retried_job.as_deref().unwrap_or_default();
        let is_on_job = |note: &&String| !job.is_empty() && note.contains(job);
        match report.notes.iter().find(is_on_job) {
            Some(note) => self.prose("retried", &inline(note)),
            None if job.is_empty() => {}
            None => self.prose("retried", &format!("as job {}", inline(job))),
        }
        for note in report
            .notes
            .iter()
            .filter(|note| !is_on_job(note))
            .take(ITEMS)
        {
            self.prose("note", &inline(note));
        }
    }

    fn what_to_do(&mut self, report: &Report) {
        for (number, other) in (1_usize..).zip(words::also_confirmed(report)) {
            let label = if number == 1 { "left" } else { "" };
            self.item(label, &format!("{number}."), &other);
        }
        if let Some(question) = approval::question(report) {
            self.prose("to do", &format!("Say yes or no until {}:", question.until));
            self.row("", &question.approve);
            self.row("", &question.refuse);
            return;
        }
        let Some(advice) = &report.advice else {
            return;
        };
        match (report.outcome, report.decision) {
            // The change stands above; its steps by hand are in the e-mail and in the JSON.
            (Outcome::Planned, DecisionKind::Repair) => {
                self.prose("to do", "Set COPYMEND_MODE=repair, and Copymend writes this change and starts the copy again.");
            }
            (Outcome::Planned, _) => {
                self.prose(
                    "to do",
                    "Set COPYMEND_MODE=repair, and Copymend starts the copy again.",
                );
            }
            (Outcome::Refused, _) if !report.refused_changes.is_empty() => {
                self.who(advice);
                self.prose(
                    "to do",
                    "If this copy should be allowed, correct what the failed guards name, or make the change by hand.",
                );
                self.links(advice);
            }
            (
                Outcome::Retried
                | Outcome::RetryPlanned
                | Outcome::Recovered
                | Outcome::Nothing
                | Outcome::AlreadyHandled,
                _,
            ) => {}
            (
                Outcome::RepairedAndRetried
                | Outcome::Repaired
                | Outcome::Advised
                | Outcome::Refused
                | Outcome::Failed,
                _,
            ) => {
                let above = report.policy.as_ref().map(ToString::to_string);
                self.advice(advice, above.as_deref());
            }
        }
    }
}
