//! Text that others wrote can't pass for ours.

use copymend_diagnosis::UnknownReason;
use copymend_report::{Style, email, json, terminal};

use crate::samples;

/// Nothing but printable characters and line breaks of ours.
pub(crate) fn assert_visible(text: &str) {
    for character in text.chars() {
        let plain = character == '\n' || !character.escape_debug().to_string().starts_with("\\u");
        assert!(
            plain && character != '\r' && character != '\t',
            "{character:?} in {text}"
        );
    }
}

#[test]
fn a_message_cannot_add_a_header_or_a_section() {
    let message =
        "Access Denied\r\nSubject: all is well\r\n\r\nWHAT IS LEFT TO DO\n  1. Approve everything";
    let email = email(&samples::unverified(message));
    assert!(!email.subject.contains("well"));
    for line in email
        .body
        .lines()
        .filter(|line| line.contains("all is well") || line.contains("Approve"))
    {
        assert!(line.starts_with("> "), "{line}");
    }
    assert_eq!(
        email
            .body
            .lines()
            .filter(|line| line.starts_with("WHAT IS LEFT TO DO"))
            .count(),
        1
    );
    insta::assert_snapshot!(email.body.split_once("THE JOB'S MESSAGE").unwrap().1);
}

#[test]
fn a_message_cannot_bring_a_link() {
    let message = "Approve here https://evil.example/approve or HTTP://EVIL.example or www.evil.example or evil.example/x";
    let report = samples::unverified(message);
    for text in [email(&report).body, terminal(&report, Style::Plain)] {
        let links: Vec<&str> = text
            .split_whitespace()
            .filter(|word| word.contains("://"))
            .collect();
        assert!(!links.is_empty());
        for link in links {
            assert!(
                link.starts_with("https://docs.aws.amazon.com/")
                    || link.starts_with("https://us-east-1.console.aws.amazon.com/")
                    || link == "file://policy.json",
                "{link}"
            );
        }
        assert!(!text.contains("www."), "{text}");
    }
    assert!(
        email(&report)
            .body
            .contains("https[:]//evil[.]example/approve")
    );
}

#[test]
fn a_long_line_keeps_its_mark_where_a_mail_client_would_wrap_it() {
    let message = format!("{} WHAT IS LEFT TO DO: approve", "padding ".repeat(40));
    let body = email(&samples::unverified(&message)).body;
    for line in body.lines().filter(|line| line.contains("padding")) {
        assert!(line.starts_with("> ") && line.len() <= 98, "{line}");
    }
}

#[test]
fn a_message_cannot_steer_a_terminal_or_turn_text_around() {
    let message = "\u{1b}[2J\u{1b}[1;1H\u{1b}]8;;https://evil.example\u{7}ok\u{1b}]8;;\u{7} \u{9b}31m \u{202e}desrever\u{202c} \
                   a\u{200b}b \u{2066}x\u{2069} \u{feff} \u{ad} \u{e0041} \0 \u{8}";
    let report = samples::unverified(message);
    assert_visible(&email(&report).body);
    assert_visible(&terminal(&report, Style::Plain));
    let line = json(&report);
    assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    insta::assert_snapshot!(
        email(&report)
            .body
            .split_once("THE JOB'S MESSAGE")
            .unwrap()
            .1
    );
}

#[test]
fn every_other_text_is_bounded_and_stays_on_its_line() {
    let evil = "x\r\n\u{1b}[31mWHAT IS LEFT TO DO\n> y \u{202e} https://evil.example";
    let mut report = samples::refused();
    report.event = evil.to_owned();
    report.retried_job = Some(evil.to_owned());
    report.notes = vec![evil.to_owned()];
    let copy = samples::copy_of(&mut report);
    copy.account = evil.to_owned();
    copy.region = evil.to_owned();
    copy.copy_job_id = evil.to_owned();
    copy.resource = Some(evil.to_owned());
    copy.resource_type = Some(evil.to_owned());
    copy.recovery_point = Some(evil.to_owned());
    copy.source_vault = evil.to_owned();
    copy.destination_vault = evil.to_owned();
    copy.role = evil.to_owned();
    report.guards[3].detail = evil.to_owned();
    report.diagnosis.candidates[0].evidence = vec![evil.to_owned()];
    report.diagnosis.candidates[0].why = evil.to_owned();
    report.diagnosis.unknown = vec![samples::why(evil, evil, UnknownReason::Failed, evil)];
    let change = &mut report.refused_changes[0];
    change.resource = evil.to_owned();
    change.added = vec![evil.to_owned()];
    change.id = Some(evil.to_owned());
    change.before = Some(format!("not JSON {evil}"));
    change.after = change
        .after
        .replace("o-exampleorgid", "https://evil.example \u{202e}");
    let advice = report.advice.as_mut().unwrap();
    advice.who = evil.to_owned();
    advice.steps = vec![evil.to_owned()];
    advice.console = Some("https://evil.example/#.console.aws.amazon.com/".to_owned());
    let email = email(&report);
    let view = terminal(&report, Style::Plain);
    assert!(
        email.subject.is_ascii() && !email.subject.contains("evil"),
        "{}",
        email.subject
    );
    for text in [&email.body, &view] {
        assert_visible(text);
        assert!(!text.contains("https://evil"), "{text}");
    }
    let headings = email
        .body
        .lines()
        .filter(|line| line.starts_with("WHAT IS LEFT TO DO"));
    assert_eq!(headings.count(), 1, "{}", email.body);
}

#[test]
fn a_megabyte_is_cut_and_the_cut_is_said() {
    let long = "\u{202e}".repeat(1_048_576);
    let mut report = samples::unverified(&long);
    report.notes = vec![long.clone(); 50];
    samples::copy_of(&mut report).role.clone_from(&long);
    report.diagnosis.candidates[0].evidence = vec![long.clone(); 100];
    report
        .changes
        .push(copymend_remediation::report::PolicyChange {
            resource: long.clone(),
            before: None,
            after: format!("[{}1]", "\"\u{202e}\",".repeat(100_000)),
            added: vec![long.clone()],
            certificate: None,
            applied: false,
            id: None,
            grantee: None,
        });
    let email = email(&report);
    assert!(email.subject.len() <= 100);
    assert!(email.body.len() < 262_144, "{}", email.body.len());
    assert!(email.body.contains("more characters"));
    assert!(
        email
            .body
            .contains("more lines; the function's answer holds the whole policy")
    );
    assert!(terminal(&report, Style::Plain).len() < 1_000_000);
    let quoted = samples::unverified(&"x ".repeat(524_288));
    assert!(
        copymend_report::email(&quoted)
            .body
            .contains("[1044576 more characters were cut.]")
    );
}
