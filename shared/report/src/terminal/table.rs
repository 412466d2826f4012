//! The table that several events end with: one line each.

use std::fmt::Write as _;

use copymend_diagnosis::{CopyJobState, KeyArn};
use copymend_remediation::report::{DecisionKind, Outcome, PolicyChange, Report};

use super::paint::{BAD, Paint, STRONG, of_outcome};
use crate::text::inline_up_to;
use crate::{subject, words};

/// The titles of the columns.
const TITLES: [&str; 4] = ["event", "cause", "what Copymend did", "result"];
/// No cell needs more characters.
const CELL: usize = 120;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    event: String,
    cause: String,
    deed: String,
    result: String,
    tone: anstyle::Style,
}

impl Row {
    /// The line of a Report, under the name that the reader knows the event by. `copy` is the state
    /// of the copy that was started again, where it is known.
    #[must_use]
    pub fn of_report(event: &str, report: &Report, copy: Option<CopyJobState>) -> Self {
        let (result, tone) = result(report, copy);
        Self {
            event: event.to_owned(),
            cause: if subject::has_cause(report) {
                report.diagnosis.cause.slug().to_owned()
            } else {
                String::new()
            },
            deed: deed(report),
            result,
            tone,
        }
    }

    /// The line of an event that was not handled, for this reason.
    #[must_use]
    pub fn of_error(event: &str, reason: &str) -> Self {
        Self {
            event: event.to_owned(),
            cause: String::new(),
            deed: "nothing".to_owned(),
            result: reason.to_owned(),
            tone: BAD,
        }
    }

    fn cells(&self) -> [String; 4] {
        [&self.event, &self.cause, &self.deed, &self.result].map(|cell| inline_up_to(cell, CELL))
    }
}

/// The table of these lines, with its titles. Ends with a line break.
#[must_use]
pub fn table(rows: &[Row], style: super::Style) -> String {
    let paint = Paint(style);
    let titles = TITLES.map(str::to_owned);
    let all: Vec<([String; 4], anstyle::Style)> = std::iter::once((titles, STRONG))
        .chain(rows.iter().map(|row| (row.cells(), row.tone)))
        .collect();
    let width = |column: usize| {
        all.iter()
            .filter_map(|(cells, _)| cells.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let (event, cause, deed) = (width(0), width(1), width(2));
    let mut text = String::new();
    for (cells, tone) in &all {
        let [first, second, third, last] = cells;
        let last = paint.paint(*tone, last);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{first:event$}  {second:cause$}  {third:deed$}  {last}"
        );
    }
    text
}

/// What Copymend did or would do, in a few words.
fn deed(report: &Report) -> String {
    let change = report.changes.first();
    let deed = match report.outcome {
        Outcome::RepairedAndRetried | Outcome::Repaired => {
            return repair("repaired", "created", change);
        }
        Outcome::Planned if change.is_some() => {
            return repair("would repair", "would create", change);
        }
        Outcome::RetryPlanned if change.is_some_and(|change| change.applied) => {
            return repair("repaired", "created", change);
        }
        Outcome::RetryPlanned => "put it off",
        Outcome::Planned => "would start the copy again",
        Outcome::Retried => "started the copy again",
        Outcome::Advised => "explained what to do",
        Outcome::Refused if report.verified => "refused to act",
        Outcome::Refused | Outcome::Nothing | Outcome::AlreadyHandled => "nothing",
        Outcome::Failed if report.decision == DecisionKind::Retry => {
            "tried to start the copy again"
        }
        Outcome::Failed => "tried a repair",
        Outcome::Recovered => "noted the recovery",
    };
    deed.to_owned()
}

fn repair(repaired: &str, created: &str, change: Option<&PolicyChange>) -> String {
    let Some(change) = change else {
        return format!("{repaired} what was missing");
    };
    if words::is_role(change) {
        format!("{created} the service-linked role")
    } else if change.resource.parse::<KeyArn>().is_ok() {
        format!("{repaired} the key policy")
    } else {
        format!("{repaired} the vault policy")
    }
}

fn result(report: &Report, copy: Option<CopyJobState>) -> (String, anstyle::Style) {
    let outcome = words::outcome(report.outcome, report.is_confirmed()).to_owned();
    let (_, tone) = of_outcome(report.outcome);
    let text = match report.outcome {
        Outcome::RepairedAndRetried | Outcome::Retried => match copy {
            Some(CopyJobState::Failed) => return ("copy failed again".to_owned(), BAD),
            Some(CopyJobState::Partial) => return ("copy partly failed".to_owned(), BAD),
            Some(CopyJobState::Completed) => "copy completed".to_owned(),
            Some(CopyJobState::Created | CopyJobState::Running) | None => {
                "copy started again".to_owned()
            }
        },
        Outcome::Repaired => "copy not started again".to_owned(),
        Outcome::Refused if report.verified => {
            format!("{outcome}: {}", words::failed_guards(report))
        }
        Outcome::Refused => "event and AWS Backup disagree".to_owned(),
        Outcome::RetryPlanned => format!("{outcome}: {}", words::after(report)),
        Outcome::Planned
        | Outcome::Advised
        | Outcome::Recovered
        | Outcome::Failed
        | Outcome::Nothing
        | Outcome::AlreadyHandled => outcome,
    };
    (text, tone)
}
