use copymend_report::{Style, terminal};

use crate::samples::{self, advisories};

#[test]
fn the_terminal_view_of_every_outcome() {
    let views: Vec<String> = samples::all()
        .into_iter()
        .map(|(_, report)| terminal(&report, Style::Plain))
        .collect();
    insta::assert_snapshot!(views.join("\n"));
}

#[test]
fn the_terminal_view_of_every_answer_of_the_access_advisor() {
    let views: Vec<String> = advisories::all()
        .into_iter()
        .map(|(_, advisory)| terminal(&advisory, Style::Plain))
        .collect();
    insta::assert_snapshot!(views.join("\n"));
}

/// Every view, plain and coloured.
fn views() -> Vec<(&'static str, String, String)> {
    let reports = samples::all().into_iter().map(|(name, report)| {
        (
            name,
            terminal(&report, Style::Plain),
            terminal(&report, Style::Coloured),
        )
    });
    let advisories = advisories::all().into_iter().map(|(name, advisory)| {
        (
            name,
            terminal(&advisory, Style::Plain),
            terminal(&advisory, Style::Coloured),
        )
    });
    reports.chain(advisories).collect()
}

#[test]
fn colours_change_nothing_but_colours() {
    for (name, expected, coloured) in views() {
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
    for (name, _, coloured) in views() {
        for line in coloured.lines() {
            if let Some((_, last)) = line.rsplit_once("\u{1b}[") {
                assert!(last.starts_with("0m"), "{name}: {line:?}");
            }
        }
    }
}
