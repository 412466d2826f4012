use copymend_remediation::report::Report;
use copymend_report::{Style, terminal};

use crate::samples;

/// The views of the samples that this is true of.
fn views(of: impl Fn(&Report) -> bool) -> String {
    let samples = samples::all().into_iter();
    let views: Vec<String> = samples
        .filter(|(_, report)| of(report))
        .map(|(_, report)| terminal(&report, Style::Plain))
        .collect();
    views.join("\n")
}

#[test]
fn the_terminal_view_of_every_outcome() {
    insta::assert_snapshot!(views(|report| report.copy_job_id().is_some()));
}

#[test]
fn the_terminal_view_of_every_answer_of_the_access_advisor() {
    insta::assert_snapshot!(views(|report| report.copy_job_id().is_none()));
}

#[test]
fn colours_change_nothing_but_colours() {
    for (name, report) in samples::all() {
        let expected = terminal(&report, Style::Plain);
        let coloured = terminal(&report, Style::Coloured);
        assert!(coloured.contains("\u{1b}["), "{name}");
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(plain, expected, "{name}");
    }
}

#[test]
fn every_coloured_line_ends_without_colour() {
    for (name, report) in samples::all() {
        for line in terminal(&report, Style::Coloured).lines() {
            if let Some((_, last)) = line.rsplit_once("\u{1b}[") {
                assert!(last.starts_with("0m"), "{name}: {line:?}");
            }
        }
    }
}
