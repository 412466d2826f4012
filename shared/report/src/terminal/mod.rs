//! The view for a terminal: compact, aligned, in colours where wanted.

mod fold;
mod paint;

use copymend_diagnosis::{Advice, BackupVaultArn, Verdict};
use copymend_remediation::report::{Decision, Outcome, PolicyChange, Report};

use crate::text::{command as command_line, exact, inline, inline_up_to, wrap};
use crate::words;
use fold::fold;
use paint::{BAD, DIM, GOOD, Paint, STRONG, WARN};

/// Whether the view is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// Prose is wrapped at this width, behind the labels.
const WIDTH: usize = 100;
const LABEL: usize = 9;
/// A diff's nested lines are joined up to this width.
const DIFF_WIDTH: usize = 110;
/// How many lines of a diff are shown.
const DIFF_LINES: usize = 80;
/// How much of the job's message is shown, in characters.
const MESSAGE: usize = 300;
/// How many items of a list are shown.
const ITEMS: usize = 20;

/// The view of a Report. Ends with a line break.
#[must_use]
pub fn terminal(report: &Report, style: Style) -> String {
    let mut view = View {
        paint: Paint(style),
        text: String::new(),
    };
    view.headline(report);
    view.copy(report);
    view.cause(report);
    for change in &report.changes {
        view.change(
            change,
            if change.applied {
                "written to"
            } else {
                "planned for"
            },
        );
    }
    for change in &report.refused_changes {
        view.change(change, "refused for");
    }
    view.guards(report);
    view.notes(report);
    view.what_to_do(report);
    view.text
}

struct View {
    paint: Paint,
    text: String,
}

impl View {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A labelled line.
    fn row(&mut self, label: &str, text: &str) {
        let label = self.paint.paint(DIM, &format!("{label:<LABEL$}"));
        self.line(&format!("  {label} {text}"));
    }

    /// A labelled text, wrapped.
    fn prose(&mut self, label: &str, text: &str) {
        for (label, line) in std::iter::once(label)
            .chain(std::iter::repeat(""))
            .zip(wrap(text, WIDTH))
        {
            self.row(label, &line);
        }
    }

    /// A marked item below a label, wrapped behind its mark.
    fn item(&mut self, label: &str, mark: &str, text: &str) {
        let indent = " ".repeat(2);
        let marks = std::iter::once(format!("{mark} ")).chain(std::iter::repeat(indent));
        let labels = std::iter::once(label).chain(std::iter::repeat(""));
        for ((label, mark), line) in labels.zip(marks).zip(wrap(text, WIDTH - 2)) {
            self.row(label, &format!("{mark}{line}"));
        }
    }

    fn headline(&mut self, report: &Report) {
        let (mark, colour) = match report.outcome {
            Outcome::RepairedAndRetried | Outcome::Repaired | Outcome::Retried => ("✓", GOOD),
            Outcome::Planned | Outcome::Advised => ("!", WARN),
            Outcome::Refused | Outcome::Failed => ("✗", BAD),
            Outcome::Nothing | Outcome::AlreadyHandled => ("·", DIM),
        };
        let outcome = self
            .paint
            .paint(colour, &format!("{mark} {}", words::outcome(report)));
        let cause = self.paint.paint(STRONG, report.diagnosis.cause.slug());
        let vault = report.copy.destination_vault.parse::<BackupVaultArn>();
        let place = vault.map_or_else(
            |_| String::new(),
            |vault| format!("  {} ({})", vault.name(), vault.arn().account()),
        );
        self.line(&format!("{outcome}  {cause}{place}"));
    }

    fn copy(&mut self, report: &Report) {
        let copy = &report.copy;
        let what = match (&copy.resource, &copy.resource_type) {
            (Some(resource), Some(kind)) => {
                format!("{} {}", inline_up_to(kind, 50), words::short(resource))
            }
            (Some(resource), None) => words::short(resource),
            (None, Some(kind)) => inline_up_to(kind, 50),
            (None, None) => "a backup".to_owned(),
        };
        self.row(
            "copy",
            &format!(
                "{what}: {} → {}",
                place(&copy.source_vault),
                place(&copy.destination_vault)
            ),
        );
        let again = match report.occurrences {
            Some(count @ 2..) => format!(", seen {count} times"),
            Some(_) | None => String::new(),
        };
        let verified = if report.verified {
            "verified"
        } else {
            "not verified"
        };
        self.row(
            "job",
            &format!("{}, {verified}{again}", inline(&copy.copy_job_id)),
        );
        let message = inline_up_to(&report.message, MESSAGE);
        if !message.is_empty() {
            self.prose("message", &format!("\"{message}\""));
        }
    }

    fn cause(&mut self, report: &Report) {
        self.prose(
            "cause",
            &format!(
                "{} ({}).",
                report.diagnosis.cause.title(),
                if report
                    .diagnosis
                    .candidates
                    .first()
                    .is_some_and(|first| first.verdict == Verdict::Confirmed)
                {
                    "confirmed"
                } else {
                    "not confirmed"
                }
            ),
        );
        let mut candidates = report.diagnosis.candidates.iter();
        if let Some(first) = candidates.next() {
            let evidence = if first.evidence.is_empty() {
                std::slice::from_ref(&first.why)
            } else {
                first.evidence.as_slice()
            };
            for seen in evidence
                .iter()
                .take(ITEMS)
                .map(|seen| inline(seen))
                .filter(|seen| !seen.is_empty())
            {
                let mark = self.paint.paint(DIM, "·");
                self.item("", &mark, &seen);
            }
        }
        let others: Vec<String> = candidates
            .map(|candidate| {
                format!(
                    "{} ({})",
                    candidate.cause,
                    words::verdict(candidate.verdict)
                )
            })
            .collect();
        if !others.is_empty() {
            self.prose("also", &others.join(", "));
        }
        for why in report.diagnosis.unknown.iter().take(ITEMS) {
            self.prose("unknown", &inline(&why.to_string()));
        }
    }

    fn change(&mut self, change: &PolicyChange, verb: &str) {
        let id = change
            .id
            .as_ref()
            .map(|id| format!(", change {}", inline(id)))
            .unwrap_or_default();
        self.row(
            "change",
            &format!("{verb} {}{id}", words::policy_of(&change.resource)),
        );
        let diff = copymend_policy::diff(change.before.as_deref(), &change.after);
        let lines = fold(&diff, DIFF_WIDTH);
        for line in lines.iter().take(DIFF_LINES) {
            let line = exact(line);
            let colour = match line.chars().next() {
                Some('+') => GOOD,
                Some('-') => BAD,
                Some(_) | None => DIM,
            };
            let line = self.paint.paint(colour, &line);
            self.row("", &line);
        }
        let cut = lines.len().saturating_sub(DIFF_LINES);
        if cut > 0 {
            self.row("", &format!("[{cut} more lines]"));
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
                &format!("{}: {}", guard.name, inline(&guard.detail)),
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
        let Some(advice) = &report.advice else {
            return;
        };
        match (report.outcome, report.decision) {
            // The change stands above; its steps by hand are in the e-mail and in the JSON.
            (Outcome::Planned, Decision::Repair) => {
                self.prose("to do", "Set COPYMEND_MODE=repair, and Copymend writes this change and starts the copy again.");
            }
            (Outcome::Planned, _) => {
                self.prose(
                    "to do",
                    "Set COPYMEND_MODE=repair, and Copymend starts the copy again.",
                );
            }
            (Outcome::Refused, _) if !report.refused_changes.is_empty() => {
                self.prose(
                    "to do",
                    &format!(
                        "{}. If this copy should be allowed, set right what the guards name, or make the change by hand.",
                        inline(&advice.who)
                    ),
                );
                let page = self.paint.paint(DIM, advice.page);
                self.row("", &page);
            }
            (Outcome::Retried | Outcome::Nothing | Outcome::AlreadyHandled, _) => {}
            (
                Outcome::RepairedAndRetried
                | Outcome::Repaired
                | Outcome::Advised
                | Outcome::Refused
                | Outcome::Failed,
                _,
            ) => self.advice(advice),
        }
    }

    fn advice(&mut self, advice: &Advice) {
        self.prose("to do", &format!("{}.", inline(&advice.who)));
        for (number, step) in (1..).zip(&advice.steps) {
            let mut lines = step.lines();
            self.item(
                "",
                &format!("{number}"),
                &inline(lines.next().unwrap_or_default()),
            );
            for command in lines {
                let command = self.paint.paint(STRONG, &command_line(command));
                self.row("", &format!("    {command}"));
            }
        }
        let page = self.paint.paint(DIM, advice.page);
        self.row("", &page);
    }
}

/// A vault's account, Region and name.
fn place(vault: &str) -> String {
    match vault.parse::<BackupVaultArn>() {
        Ok(vault) => format!(
            "{} in {} {}",
            vault.name(),
            vault.arn().account(),
            vault.region()
        ),
        Err(_) => inline(vault),
    }
}
