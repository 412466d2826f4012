//! The shape of the terminal view, and the parts that need not know what it is about.

use copymend_diagnosis::{Advice, PermissionAnswer, PermissionState, Verdict};
use copymend_remediation::report::DiagnosisReport;
use serde_json::Value;

use super::Style;
use super::paint::{BAD, DIM, GOOD, Paint, STRONG, WARN};
use crate::text::{at_most, command as command_line, inline, inline_up_to, wrap};
use crate::{json, link, needs, words};

/// Prose is wrapped at this width, behind the labels.
const WIDTH: usize = 100;
const LABEL: usize = 9;
/// How much of a message is shown, in characters.
const MESSAGE: usize = 300;
/// How many permissions, and how many lines of a policy, are shown.
const LINES: usize = 80;
/// How many items of a list are shown.
pub(super) const ITEMS: usize = 20;

/// The view as it grows.
pub(super) struct View {
    pub(super) paint: Paint,
    text: String,
}

impl View {
    pub(super) fn new(style: Style) -> Self {
        Self {
            paint: Paint(style),
            text: String::new(),
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A labelled line.
    pub(super) fn row(&mut self, label: &str, text: &str) {
        let label = self.paint.paint(DIM, &format!("{label:<LABEL$}"));
        self.line(&format!("  {label} {text}"));
    }

    /// A labelled text, wrapped.
    pub(super) fn prose(&mut self, label: &str, text: &str) {
        for (label, line) in std::iter::once(label)
            .chain(std::iter::repeat(""))
            .zip(wrap(text, WIDTH))
        {
            self.row(label, &line);
        }
    }

    /// A marked item below a label, wrapped behind its mark.
    pub(super) fn item(&mut self, label: &str, mark: &str, text: &str) {
        self.item_behind(label, mark, 1, text);
    }

    /// The same with a mark that is `width` characters wide.
    pub(super) fn item_behind(&mut self, label: &str, mark: &str, width: usize, text: &str) {
        let indent = " ".repeat(width + 1);
        let marks = std::iter::once(format!("{mark} ")).chain(std::iter::repeat(indent));
        let labels = std::iter::once(label).chain(std::iter::repeat(""));
        for ((label, mark), line) in labels.zip(marks).zip(wrap(text, WIDTH - width - 1)) {
            self.row(label, &format!("{mark}{line}"));
        }
    }

    /// What the service said.
    pub(super) fn message(&mut self, message: &str) {
        let message = inline_up_to(message, MESSAGE);
        if !message.is_empty() {
            self.prose("message", &format!("\"{message}\""));
        }
    }

    /// The cause with its evidence, the other candidates, and what could not be read. What the list
    /// of `permissions` says already isn't said again.
    pub(super) fn diagnosis(
        &mut self,
        diagnosis: &DiagnosisReport,
        permissions: &[PermissionAnswer],
    ) {
        let first = diagnosis.candidates.first().map(|first| first.verdict);
        let certainty = match first {
            Some(Verdict::Confirmed) => "confirmed",
            Some(Verdict::NotCheckable | Verdict::RuledOut) | None => "not confirmed",
        };
        let title = diagnosis.cause.title();
        self.prose("cause", &format!("{title} ({certainty})."));
        let mut candidates = diagnosis.candidates.iter();
        if let Some(first) = candidates.next() {
            let evidence = if first.evidence.is_empty() {
                std::slice::from_ref(&first.why)
            } else {
                first.evidence.as_slice()
            };
            let told = evidence
                .iter()
                .filter(|seen| !needs::is_listed(permissions, seen))
                .take(ITEMS)
                .map(|seen| inline(seen))
                .filter(|seen| !seen.is_empty());
            for seen in told {
                let mark = self.paint.paint(DIM, "·");
                self.item("", &mark, &seen);
            }
        }
        let others: Vec<String> = candidates
            .map(|other| format!("{} ({})", other.cause, words::verdict(other.verdict)))
            .collect();
        if !others.is_empty() {
            self.prose("others", &others.join(", "));
        }
        for why in diagnosis.unknown.iter().take(ITEMS) {
            self.prose("unknown", &inline(&why.to_string()));
        }
    }

    /// The permissions that are needed, one by one.
    pub(super) fn permissions(&mut self, answers: &[PermissionAnswer]) {
        if answers.is_empty() {
            return;
        }
        self.row("needs", &needs::count(answers));
        for answer in needs::in_order(answers).into_iter().take(LINES) {
            let colour = match answer.state {
                PermissionState::Missing | PermissionState::Denied => BAD,
                PermissionState::Unknown => WARN,
                PermissionState::Allowed => GOOD,
            };
            let mark = self.paint.paint(colour, needs::mark(answer.state));
            self.item_behind("", &mark, 2, &needs::line(answer, inline));
        }
    }

    /// The policy to attach to a caller or job role.
    pub(super) fn policy(&mut self, policy: Option<&Value>) {
        let Some(policy) = policy else {
            return;
        };
        self.row("policy", "to attach, ready to paste");
        let lines = json::policy(policy);
        let painted = lines.iter().map(|line| self.paint.paint(GOOD, line));
        for line in at_most(painted.collect(), LINES, " lines") {
            self.row("", &line);
        }
    }

    /// Who must act, the steps, and where to look. A line that repeats `above`, a text that is
    /// shown already, only points there.
    pub(super) fn advice(&mut self, advice: &Advice, above: Option<&str>) {
        self.who(advice);
        let labels = std::iter::once("to do").chain(std::iter::repeat(""));
        for ((number, step), label) in (1_usize..).zip(&advice.steps).zip(labels) {
            let mut lines = step.lines();
            let number = number.to_string();
            let sentence = inline(lines.next().unwrap_or_default());
            self.item_behind(label, &number, number.len(), &sentence);
            for command in lines {
                let command = if above == Some(command) {
                    "(the policy shown above)".to_owned()
                } else {
                    self.paint.paint(STRONG, &command_line(command))
                };
                self.row("", &format!("    {command}"));
            }
        }
        self.links(advice);
    }

    /// Who must act.
    pub(super) fn who(&mut self, advice: &Advice) {
        self.prose("who", &format!("{}.", inline(&advice.who)));
    }

    /// The page of the console to start from, and AWS's page.
    pub(super) fn links(&mut self, advice: &Advice) {
        let console = advice.console.as_deref().and_then(link::console);
        for link in console.into_iter().chain([advice.page]) {
            let link = self.paint.paint(DIM, link);
            self.row("", &link);
        }
    }
}
