use copymend_report::{Style, terminal};

use crate::samples;

#[test]
fn the_terminal_view_of_every_outcome() {
    let views: Vec<String> = samples::all()
        .into_iter()
        .map(|(_, report)| terminal(&report, Style::Plain))
        .collect();
    insta::assert_snapshot!(views.join("\n"));
}

#[test]
fn colours_change_nothing_but_colours() {
    for (name, report) in samples::all() {
        let coloured = terminal(&report, Style::Coloured);
        assert!(coloured.contains("\u{1b}["), "{name}");
        let mut plain = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once("\u{1b}[") {
            plain.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(plain, terminal(&report, Style::Plain), "{name}");
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
