//! The few colours of the terminal view.

use anstyle::{AnsiColor, Style};
use copymend_remediation::report::Outcome;

pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const STRONG: Style = Style::new().bold();

/// The mark of an outcome, and its colour.
pub(super) const fn of_outcome(outcome: Outcome) -> (&'static str, Style) {
    match outcome {
        Outcome::RepairedAndRetried | Outcome::Repaired | Outcome::Retried | Outcome::Recovered => {
            ("✓", GOOD)
        }
        Outcome::Planned | Outcome::Advised => ("!", WARN),
        Outcome::Refused | Outcome::Failed => ("✗", BAD),
        Outcome::RetryPlanned => ("→", WARN),
        Outcome::Nothing | Outcome::AlreadyHandled => ("·", DIM),
    }
}

/// Paints, or leaves text as it is.
pub(super) struct Paint(pub(super) super::Style);

impl Paint {
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        match self.0 {
            super::Style::Plain => text.to_owned(),
            super::Style::Coloured => format!("{style}{text}{style:#}"),
        }
    }
}
