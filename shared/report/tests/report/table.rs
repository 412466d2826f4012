use copymend_diagnosis::CopyJobState;
use copymend_remediation::report::Report;
use copymend_report::{Row, Style, table};

use crate::samples;

/// A line of every sample.
fn rows() -> Vec<Row> {
    let completed = |report: &Report| report.copy_job_id().map(|_| CopyJobState::Completed);
    samples::all()
        .iter()
        .map(|(name, report)| Row::of_report(name, report, completed(report)))
        .chain([Row::of_error("text", "NotAnEvent")])
        .collect()
}

#[test]
fn the_table_of_every_outcome() {
    insta::assert_snapshot!(table(&rows(), Style::Plain));
}

#[test]
fn how_the_copy_ended_that_was_started_again_is_told_where_it_is_known() {
    let report = samples::repaired();
    let states = [
        None,
        Some(CopyJobState::Created),
        Some(CopyJobState::Running),
        Some(CopyJobState::Completed),
        Some(CopyJobState::Partial),
        Some(CopyJobState::Failed),
    ];
    let rows: Vec<Row> = states
        .into_iter()
        .map(|state| Row::of_report("event", &report, state))
        .collect();
    let table = table(&rows, Style::Plain);
    let results: Vec<&str> = table
        .lines()
        .skip(1)
        .map(|line| line.rsplit("  ").next().unwrap())
        .collect();
    assert_eq!(
        results,
        [
            "copy started again",
            "copy started again",
            "copy started again",
            "copy completed",
            "copy partly failed",
            "copy failed again"
        ]
    );
}

#[test]
fn colours_do_not_move_the_columns() {
    let plain = table(&rows(), Style::Plain);
    let coloured = table(&rows(), Style::Coloured);
    assert!(coloured.contains("\u{1b}["));
    for (plain, coloured) in plain.lines().zip(coloured.lines()) {
        let (before, _) = coloured.split_once('\u{1b}').unwrap();
        assert!(plain.starts_with(before), "{plain}");
    }
}

#[test]
fn a_name_cannot_add_a_line_or_a_colour() {
    let row = Row::of_error("a\nb\u{1b}[31mc\u{202e}", &"x".repeat(10_000));
    let table = table(&[row], Style::Plain);
    assert_eq!(table.lines().count(), 2);
    assert!(!table.contains(['\u{1b}', '\u{202e}']), "{table}");
    assert!(table.len() < 500);
}
