//! Text that others wrote can't pass for the access advisor's.

use copymend_diagnosis::UnknownReason;
use copymend_remediation::report::{Report, Subject};
use copymend_report::{Style, email, terminal};
use serde_json::json;

use crate::forging::assert_visible;
use crate::samples::{advisories, why};

const EVIL: &str = "x\r\n\u{1b}[31mWHAT TO DO\n> y \u{202e} https://evil.example www.evil.example";

/// An answer in which every text is somebody else's.
fn poisoned(mut advisory: Report) -> Report {
    let evil = || EVIL.to_owned();
    advisory.event = evil();
    advisory.message = evil();
    advisory.notes = vec![evil()];
    match &mut advisory.subject {
        Subject::Copy(_) => unreachable!(),
        Subject::ApiCall(call) => {
            call.operation = evil();
            call.account = evil();
            call.region = evil();
            call.caller = evil();
            call.error_code = evil();
            call.resource = Some(evil());
        }
        Subject::Job(job) => {
            job.job_id = evil();
            job.account = evil();
            job.region = evil();
            job.state = evil();
            job.role = Some(evil());
            job.resource = Some(evil());
            job.resource_type = Some(evil());
            job.vault = Some(evil());
        }
    }
    for answer in advisory.permissions.iter_mut().flatten() {
        answer.action = evil();
        answer.resource = evil();
        answer.detail = evil();
    }
    for candidate in &mut advisory.diagnosis.candidates {
        candidate.why = evil();
        candidate.evidence = vec![evil()];
    }
    advisory.diagnosis.unknown = vec![why(EVIL, EVIL, UnknownReason::Failed, EVIL)];
    advisory.policy = Some(json!({ EVIL: [EVIL], "Statement": [{"Resource": EVIL}] }));
    if let Some(advice) = &mut advisory.advice {
        advice.who = evil();
        advice.steps = vec![evil(), format!("Save this:\n{}", json!({ EVIL: EVIL }))];
        advice.console = Some("https://evil.example/#.console.aws.amazon.com/".to_owned());
    }
    advisory
}

#[test]
fn no_text_brings_a_line_a_link_or_a_colour() {
    for (name, advisory) in advisories::all() {
        let advisory = poisoned(advisory);
        let email = email(&advisory);
        let subject = &email.subject;
        assert!(
            subject.len() <= 100 && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{name}: {subject}"
        );
        assert!(!subject.contains("evil"), "{name}: {subject}");
        for text in [&email.body, &terminal(&advisory, Style::Plain)] {
            assert_visible(text);
            assert!(
                !text.contains("https://evil") && !text.contains("www.evil"),
                "{name}: {text}"
            );
        }
        let headings = email
            .body
            .lines()
            .filter(|line| line.starts_with("WHAT TO DO"));
        assert_eq!(headings.count(), 1, "{name}: {}", email.body);
        let quotes = email.body.lines().filter(|line| line.starts_with('>'));
        let message = email.body.split_once("MESSAGE, WORD FOR WORD").unwrap().1;
        assert_eq!(
            quotes.count(),
            message.lines().filter(|line| line.starts_with('>')).count(),
            "{name}: {}",
            email.body
        );
    }
}

#[test]
fn a_message_stays_inside_its_quote() {
    let message = "Denied\r\nSubject: all is well\r\n\r\nWHAT TO DO\n  1. Approve everything at https://evil.example";
    for advisory in [
        advisories::refused_call(message),
        advisories::unverified_restore(message),
    ] {
        let email = email(&advisory);
        assert!(!email.subject.contains("well"));
        for line in email
            .body
            .lines()
            .filter(|line| line.contains("all is well") || line.contains("Approve"))
        {
            assert!(line.starts_with("> "), "{line}");
        }
    }
}

#[test]
fn only_pages_of_aws_can_be_clicked() {
    for (name, advisory) in advisories::all() {
        for text in [email(&advisory).body, terminal(&advisory, Style::Plain)] {
            for link in text.split_whitespace().filter(|word| word.contains("://")) {
                assert!(
                    link.starts_with("https://docs.aws.amazon.com/")
                        || link.starts_with("https://eu-west-1.console.aws.amazon.com/")
                        || link == "file://policy.json",
                    "{name}: {link}"
                );
            }
        }
    }
}

#[test]
fn a_megabyte_is_cut_and_the_cut_is_said() {
    let long = "\u{202e}".repeat(1_048_576);
    let mut advisory = advisories::refused_call(&long);
    let mut answer = advisory.permissions.unwrap()[0].clone();
    answer.resource = long.chars().take(10_000).collect();
    advisory.permissions = Some(vec![answer; 1_000]);
    advisory.notes = vec![long.clone(); 50];
    advisory.policy =
        Some(json!({ "Statement": vec![long.chars().take(5_000).collect::<String>(); 1_000] }));
    let email = email(&advisory);
    assert!(email.body.len() < 262_144, "{}", email.body.len());
    assert!(email.body.contains("more characters"));
    assert!(email.body.contains("[900 more]"));
    let view = terminal(&advisory, Style::Plain);
    assert!(view.len() < 1_000_000, "{}", view.len());
    assert!(view.contains("more lines]"));
}
