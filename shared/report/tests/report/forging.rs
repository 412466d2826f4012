//! Text that others wrote can't pass for ours.

use copymend_diagnosis::UnknownReason;
use copymend_remediation::message::Message;
use copymend_remediation::report::{Report, Subject};
use copymend_report::{Notice, Style, chat, email, json, terminal};
use serde_json::json as value;

use crate::samples::{self, advisories};

/// Nothing but printable characters and line breaks of ours.
fn assert_visible(text: &str) {
    for character in text.chars() {
        let plain = character == '\n' || !character.escape_debug().to_string().starts_with("\\u");
        assert!(
            plain && character != '\r' && character != '\t',
            "{character:?} in {text}"
        );
    }
}

/// Nothing that a viewer makes a link of, but to AWS's own pages.
fn assert_no_link_but_ours(name: &str, text: &str) {
    for link in text.split_whitespace().filter(|word| word.contains("://")) {
        assert!(
            link.starts_with("https://docs.aws.amazon.com/")
                || link.starts_with("https://us-east-1.console.aws.amazon.com/")
                || link.starts_with("https://eu-west-1.console.aws.amazon.com/")
                || ["file://policy.json", "file://metadata.json"].contains(&link),
            "{name}: {link}"
        );
    }
    assert!(!text.contains("www."), "{name}: {text}");
}

/// The heading that a forger would like to bring.
const fn heading(report: &Report) -> &'static str {
    match report.subject {
        Subject::Copy(_) => "WHAT IS LEFT TO DO",
        Subject::ApiCall(_) | Subject::Job(_) => "WHAT TO DO",
    }
}

fn count(body: &str, start: &str) -> usize {
    body.lines().filter(|line| line.starts_with(start)).count()
}

/// A report of each kind, with this message.
fn with_message(message: &str) -> [(&'static str, Report); 3] {
    [
        ("copy", samples::unverified(message)),
        ("call", advisories::refused_call(message)),
        ("restore", advisories::unverified_restore(message)),
    ]
}

#[test]
fn a_message_cannot_add_a_header_or_a_section() {
    let message =
        "Access Denied\r\nSubject: all is well\r\n\r\nWHAT IS LEFT TO DO\n  1. Approve everything";
    for (name, report) in with_message(message) {
        let message = message.replace("WHAT IS LEFT TO DO", heading(&report));
        let email = email(&Report {
            message,
            ..report.clone()
        });
        assert!(!email.subject.contains("well"), "{name}");
        let forged = ["all is well", "Approve"];
        let lines = email.body.lines();
        for line in lines.filter(|line| forged.iter().any(|text| line.contains(text))) {
            assert!(line.starts_with("> "), "{name}: {line}");
        }
        assert_eq!(count(&email.body, heading(&report)), 1, "{name}");
    }
    let body = email(&samples::unverified(message)).body;
    insta::assert_snapshot!(body.split_once("THE JOB'S MESSAGE").unwrap().1);
}

#[test]
fn a_message_cannot_bring_a_link() {
    let message = "Approve here https://evil.example/approve or HTTP://EVIL.example or www.evil.example or evil.example/x";
    for (name, report) in samples::all().into_iter().chain(with_message(message)) {
        for text in [email(&report).body, terminal(&report, Style::Plain)] {
            assert_no_link_but_ours(name, &text);
        }
    }
    for (_, report) in with_message(message) {
        let body = email(&report).body;
        assert!(body.contains("https://docs.aws.amazon.com/"), "{body}");
        assert!(body.contains("https[:]//evil[.]example/approve"), "{body}");
    }
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

/// A report in which every text is somebody else's.
fn poisoned(mut report: Report) -> Report {
    let text = format!(
        "x\r\n\u{1b}[31m{}\n> y \u{202e} https://evil.example www.evil.example",
        heading(&report)
    );
    let evil = || text.clone();
    report.event = evil();
    report.message = evil();
    report.retried_job = Some(evil());
    report.notes = vec![evil()];
    match &mut report.subject {
        Subject::Copy(copy) => {
            copy.account = evil();
            copy.region = evil();
            copy.copy_job_id = evil();
            copy.resource = Some(evil());
            copy.resource_type = Some(evil());
            copy.recovery_point = Some(evil());
            copy.source_vault = evil();
            copy.destination_vault = evil();
            copy.role = evil();
        }
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
    for guard in &mut report.guards {
        guard.detail = evil();
    }
    for answer in report.permissions.iter_mut().flatten() {
        answer.action = evil();
        answer.resource = evil();
        answer.detail = evil();
    }
    for candidate in &mut report.diagnosis.candidates {
        candidate.why = evil();
        candidate.evidence = vec![evil()];
    }
    report.diagnosis.unknown = vec![samples::why(&text, &text, UnknownReason::Failed, &text)];
    report.policy = Some(value!({ &text: [&text], "Statement": [{"Resource": &text}] }));
    let changes = report.changes.iter_mut();
    for change in changes.chain(&mut report.refused_changes) {
        change.resource = evil();
        change.added = vec![evil()];
        change.id = Some(evil());
        change.before = Some(format!("not JSON {text}"));
        let organization = "https://evil.example \u{202e}";
        change.after = change.after.replace("o-exampleorgid", organization);
    }
    if let Some(advice) = &mut report.advice {
        advice.who = evil();
        advice.steps = vec![evil(), format!("Save this:\n{}", value!({ &text: &text }))];
        advice.console = Some("https://evil.example/#.console.aws.amazon.com/".to_owned());
    }
    report
}

#[test]
fn no_text_brings_a_line_a_link_or_a_colour() {
    for (name, report) in samples::all() {
        let report = poisoned(report);
        let email = email(&report);
        let subject = &email.subject;
        assert!(
            subject.len() <= 100 && subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{name}: {subject}"
        );
        assert!(!subject.contains("evil"), "{name}: {subject}");
        for text in [&email.body, &terminal(&report, Style::Plain)] {
            assert_visible(text);
            assert!(
                !text.contains("https://evil") && !text.contains("www.evil"),
                "{name}: {text}"
            );
        }
        let body = &email.body;
        assert_eq!(count(body, heading(&report)), 1, "{name}: {body}");
        let message = body.split_once("MESSAGE, WORD FOR WORD").unwrap().1;
        assert_eq!(count(body, ">"), count(message, ">"), "{name}: {body}");
    }
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
    // The report holds the beginning and says how long the message was; the mail quotes less.
    assert!(quoted.message.ends_with("… (1048576 characters in all)"));
    let body = copymend_report::email(&quoted).body;
    assert!(body.contains("more characters were cut.]"), "{body}");
    assert!(body.len() < 10_000, "{}", body.len());
}

#[test]
fn a_megabyte_of_the_access_advisor_is_cut_too() {
    let long = "\u{202e}".repeat(1_048_576);
    let mut advisory = advisories::refused_call(&long);
    let mut answer = advisory.permissions.unwrap()[0].clone();
    answer.resource = long.chars().take(10_000).collect();
    advisory.permissions = Some(vec![answer; 1_000]);
    advisory.notes = vec![long.clone(); 50];
    advisory.policy =
        Some(value!({ "Statement": vec![long.chars().take(5_000).collect::<String>(); 1_000] }));
    let email = email(&advisory);
    assert!(email.body.len() < 262_144, "{}", email.body.len());
    assert!(email.body.contains("more characters"));
    assert!(email.body.contains("[900 more]"));
    let view = terminal(&advisory, Style::Plain);
    assert!(view.len() < 1_000_000, "{}", view.len());
    assert!(view.contains("more lines]"));
}

/// A bucket may be named as a host: whoever reads the first lines must not be led there.
#[test]
fn a_name_that_others_chose_is_no_link_on_the_first_lines() {
    let mut report = samples::unverified("Access Denied");
    let Subject::Copy(copy) = &mut report.subject else {
        panic!("a copy");
    };
    copy.resource = Some("arn:aws:s3:::sign-in.aws.evil.example".to_owned());
    copy.resource_type = Some("S3".to_owned());
    let email = email(&report);
    let first: Vec<&str> = email.body.lines().take(10).collect();
    let first = first.join("\n");
    assert!(first.contains("sign-in[.]aws[.]evil[.]example"), "{first}");
    assert!(!first.contains("evil.example"), "{first}");
    assert!(email.body.contains("arn:aws:s3:::sign-in.aws.evil.example"));
    let message = Message::Report(&report);
    let chat = chat(message, &Notice::of(message));
    let chat: serde_json::Value = serde_json::from_str(&chat).unwrap();
    let text = format!(
        "{} {}",
        chat["content"]["title"], chat["content"]["description"]
    );
    assert!(
        text.contains("evil[.]example") && !text.contains("evil.example"),
        "{text}"
    );
}
