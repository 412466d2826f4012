use copymend_report::{Email, email};

use crate::samples;

fn text(email: &Email) -> String {
    format!("Subject: {}\n\n{}", email.subject, email.body)
}

#[test]
fn the_email_of_a_repair() {
    insta::assert_snapshot!(text(&email(&samples::repaired())));
}

#[test]
fn the_email_of_a_plan_in_observe_mode() {
    insta::assert_snapshot!(text(&email(&samples::planned())));
}

#[test]
fn the_email_of_a_refusal() {
    insta::assert_snapshot!(text(&email(&samples::refused())));
}

#[test]
fn the_email_of_advice() {
    insta::assert_snapshot!(text(&email(&samples::advised())));
}

#[test]
fn the_email_of_an_unverified_event() {
    insta::assert_snapshot!(text(&email(&samples::unverified(samples::VAULT_MESSAGE))));
}

#[test]
fn the_email_of_a_failed_write() {
    insta::assert_snapshot!(text(&email(&samples::failed())));
}

#[test]
fn every_subject_is_one_that_sns_accepts() {
    let mut report = samples::repaired();
    for name in [
        "v",
        "a-rather-long-vault-name-with-fifty-characters-0123",
        &"x".repeat(100),
    ] {
        report.copy.destination_vault =
            format!("arn:aws:backup:eu-central-1:444455556666:backup-vault:{name}");
        let subject = email(&report).subject;
        assert!(subject.len() <= 100, "{subject}");
        assert!(
            subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{subject}"
        );
        assert!(
            subject.starts_with("[Copymend] repaired: destination-vault-policy for vault "),
            "{subject}"
        );
    }
}

#[test]
fn failed_guards_come_first() {
    let body = email(&samples::refused()).body;
    let last_failed = body.rfind("\n  NO  ").unwrap();
    let first_passed = body.find("\n  ok  ").unwrap();
    assert!(last_failed < first_passed);
}
