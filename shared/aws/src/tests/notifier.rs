use std::collections::BTreeMap;

use copymend_diagnosis::Cause;
use copymend_diagnosis::advisor::JobKind;
use copymend_remediation::ledger::{LeftOut, MessagesOf};
use copymend_remediation::message::{Channel, Channels, Message};
use copymend_remediation::ports::{CallErrorKind, Notifier, Reads};
use copymend_remediation::preflight::PreflightNews;
use copymend_remediation::report::{
    CopySummary, DiagnosisReport, JobSummary, Outcome, Report, Subject,
};
use copymend_remediation::settings::{Deployment, Mode};
use copymend_remediation::test_message::TestMessage;
use copymend_report::{Email, Notice};
use serde_json::{Value, json};

use super::wire::{Sent, Wire, ok, xml_error};
use super::{advisor_environment, environment, parsed};
use crate::notifier::{json_structure, subject};

fn report_on(subject: Subject, cause: Cause, outcome: Outcome) -> Report {
    let blank = Report::blank("event-1".to_owned(), subject, "Access Denied");
    Report {
        verified: true,
        diagnosis: DiagnosisReport {
            cause,
            ..blank.diagnosis
        },
        outcome,
        ..blank
    }
}

pub(super) fn report() -> Report {
    let copy = CopySummary {
        copy_job_id: "job-1".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        resource: None,
        resource_type: None,
        recovery_point: None,
        source_vault: "arn:aws:backup:eu-west-1:111122223333:backup-vault:source".to_owned(),
        destination_vault: "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr".to_owned(),
        role: "arn:aws:iam::111122223333:role/BackupRole".to_owned(),
    };
    let cause = Cause::DestinationVaultPolicy;
    report_on(Subject::Copy(copy), cause, Outcome::Planned)
}

pub(super) fn advisory() -> Report {
    let job = JobSummary {
        kind: JobKind::Backup,
        job_id: "job-2".to_owned(),
        account: "111122223333".to_owned(),
        region: "eu-west-1".to_owned(),
        state: "FAILED".to_owned(),
        role: Some("arn:aws:iam::111122223333:role/BackupRole".to_owned()),
        resource: Some("arn:aws:s3:::bucket".to_owned()),
        resource_type: Some("S3".to_owned()),
        vault: None,
    };
    report_on(
        Subject::Job(job),
        Cause::JobRolePermission,
        Outcome::Advised,
    )
}

pub(super) const PUBLISHED: &str =
    "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";

/// The parameters of a request of the query protocol.
pub(super) fn parameters(sent: &Sent) -> BTreeMap<String, String> {
    let decoded = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            bytes.push(match byte {
                b'+' => b' ',
                b'%' => {
                    let digits = [rest.next().unwrap(), rest.next().unwrap()];
                    u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                }
                other => other,
            });
        }
        String::from_utf8(bytes).unwrap()
    };
    let pairs = sent.body.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (decoded(name), decoded(value))
    });
    pairs.collect()
}

/// What each protocol gets.
fn structure(sent: &Sent) -> Value {
    let parameters = parameters(sent);
    assert_eq!(parameters["MessageStructure"], "json");
    serde_json::from_str(&parameters["Message"]).unwrap()
}

pub(super) fn attributes(sent: &Sent) -> BTreeMap<String, String> {
    let parameters = parameters(sent);
    let entries = parameters
        .iter()
        .filter(|(name, _)| name.ends_with(".Name"));
    let pairs = entries.map(|(entry, name)| {
        let value = entry.replace(".Name", ".Value.StringValue");
        (name.clone(), parameters[&value].clone())
    });
    pairs.collect()
}

#[tokio::test]
async fn a_report_goes_to_the_topics_own_region_with_its_attributes() {
    let wire = Wire::default();
    let settings = Deployment {
        topic_arn: Some("arn:aws:sns:us-east-2:111122223333:backups".to_owned()),
        ..Deployment::default()
    };
    let aws = environment(&wire, &settings).await;
    wire.once("Publish", ok("<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"))
        .once("Publish", xml_error(403, "AuthorizationError", "no"));
    assert_eq!(
        aws.notifier()
            .send(Message::Report(&report()), Channel::Topic)
            .await,
        Ok(())
    );
    let sent = wire.sent("Publish").remove(0);
    assert!(sent.uri.contains("sns.us-east-2."), "{}", sent.uri);
    for part in [
        "TopicArn=arn%3Aaws%3Asns%3Aus-east-2%3A111122223333%3Abackups",
        "StringValue=destination-vault-policy",
        "StringValue=planned",
        "StringValue=job-1%2Fplanned",
        "Subject=",
    ] {
        assert!(sent.body.contains(part), "{part} in {}", sent.body);
    }
    let denied = aws
        .notifier()
        .send(Message::Report(&report()), Channel::Topic)
        .await
        .unwrap_err();
    assert_eq!(denied.kind, CallErrorKind::AccessDenied);
    assert_eq!(denied.operation, "sns:Publish");
}

#[tokio::test]
async fn an_advisory_goes_out_as_a_report_does() {
    let wire = Wire::default();
    let settings = Deployment {
        topic_arn: Some("arn:aws:sns:us-east-2:111122223333:backups".to_owned()),
        ..Deployment::default()
    };
    let aws = advisor_environment(&wire, &settings).await;
    wire.once("Publish", ok("<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"))
        .once("Publish", xml_error(403, "AuthorizationError", "no"));
    let advisory = advisory();
    assert_eq!(
        aws.notifier()
            .send(Message::Report(&advisory), Channel::Topic)
            .await,
        Ok(())
    );
    let sent = wire.sent("Publish").remove(0);
    assert!(sent.uri.contains("sns.us-east-2."), "{}", sent.uri);
    for part in [
        "TopicArn=arn%3Aaws%3Asns%3Aus-east-2%3A111122223333%3Abackups",
        "StringValue=job-role-permission",
        "StringValue=advised",
        "StringValue=event-1%2Fjob-role-permission%2Fadvised",
        "Subject=",
    ] {
        assert!(sent.body.contains(part), "{part} in {}", sent.body);
    }
    // What people read is what the report crate wrote, and programs read the rest.
    let email = copymend_report::email(&advisory);
    let structure = structure(&sent);
    assert_eq!(structure["email"], email.body);
    assert_eq!(structure["sms"], email.subject);
    let notice: Value = serde_json::from_str(structure["default"].as_str().unwrap()).unwrap();
    assert_eq!(notice["version"], "1");
    assert_eq!(notice["report"], json!(advisory));
    let expected: BTreeMap<String, String> = [
        ("account", "111122223333"),
        ("cause", "job-role-permission"),
        ("message_id", "event-1/job-role-permission/advised"),
        ("needs-action", "yes"),
        ("outcome", "advised"),
        ("severity", "high"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    assert_eq!(attributes(&sent), expected);
    let denied = aws
        .notifier()
        .send(Message::Report(&advisory), Channel::Topic)
        .await
        .unwrap_err();
    assert_eq!(denied.kind, CallErrorKind::AccessDenied);
    assert_eq!(denied.operation, "sns:Publish");
}

#[tokio::test]
async fn a_summary_goes_out_with_an_id_of_its_own() {
    let wire = Wire::default();
    let settings = Deployment {
        topic_arn: Some("arn:aws:sns:us-east-2:111122223333:backups".to_owned()),
        ..Deployment::default()
    };
    let aws = environment(&wire, &settings).await;
    wire.once("Publish", ok("<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"));
    let left_out = LeftOut {
        of: MessagesOf {
            account: "111122223333".parse().unwrap(),
            is_confirmed: false,
        },
        count: 12,
        causes: [("unknown".to_owned(), 12)].into(),
        copy_jobs: ["https://evil.example".to_owned()].into(),
        first_at: parsed("2026-11-22T12:10:00Z"),
        last_at: parsed("2026-11-22T12:59:00Z"),
    };
    assert_eq!(
        aws.notifier()
            .send(Message::LeftOut(&left_out), Channel::Topic)
            .await,
        Ok(())
    );
    let sent = wire.sent("Publish").remove(0);
    // The order of the attributes is no matter.
    let body = format!("{}&", sent.body.replace("%20", "+"));
    // Where a line is folded is no matter.
    let body = body.replace("%5Cn++2026", "+2026");
    for part in [
        "StringValue=left-out&",
        "StringValue=left-out-unverified-111122223333%2F1795349400",
        "Subject=%5BCopymend%5D+12+unverified+messages+left+out+for+account+111122223333",
        "12+messages+about+copies+of+account+111122223333+were+left+out+between+2026-11-22+12%3A10+and+2026-11-22+12%3A59+UTC.",
        "they+may+be+made+up",
        "unknown%3A+12",
        // A made-up id is no link.
        "https%5B%3A%5D%2F%2Fevil",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
}

#[tokio::test]
async fn a_test_message_says_that_the_way_works_and_a_days_have_one_id() {
    let wire = Wire::default();
    let topic = "arn:aws:sns:eu-central-1:111122223333:copymend";
    let settings = Deployment {
        topic_arn: Some(topic.to_owned()),
        ..Deployment::default()
    };
    let aws = environment(&wire, &settings).await;
    wire.once("Publish", ok("<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"));
    let message = TestMessage {
        at: parsed("2026-11-29T09:00:00Z"),
        mode: Mode::Repair,
        topic: Some(topic.to_owned()),
    };
    assert_eq!(
        aws.notifier()
            .send(Message::Test(&message), Channel::Topic)
            .await,
        Ok(())
    );
    let body = wire.sent("Publish").remove(0).body.replace("%20", "+");
    for part in [
        "StringValue=test-message",
        "StringValue=test-message%2F2026-11-29",
        "Subject=%5BCopymend%5D+test+message",
        "Nothing+has+happened",
        "mode%3A+repair",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
}

#[tokio::test]
async fn what_a_preflight_found_carries_the_id_of_its_run() {
    let wire = Wire::default();
    let topic = "arn:aws:sns:eu-west-1:111122223333:copymend";
    let settings = Deployment {
        topic_arn: Some(topic.to_owned()),
        ..Deployment::default()
    };
    let aws = environment(&wire, &settings).await;
    wire.once("Publish", ok("<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"));
    let news = PreflightNews {
        id: "request-1".to_owned(),
        at: parsed("2026-11-29T06:00:00Z"),
        mode: Mode::Observe,
        is_first: true,
        places: 1,
        plans: 2,
        will_fail: 0,
        cannot_be_known: 0,
        will_pass: 3,
        known_to_fail: 0,
        causes: Vec::new(),
        new: Vec::new(),
        changed: Vec::new(),
        over: Vec::new(),
        cleared: Vec::new(),
        more: Vec::new(),
        not_read: Vec::new(),
        left: Vec::new(),
        notes: Vec::new(),
    };
    assert_eq!(
        aws.notifier()
            .send(Message::Preflight(&news), Channel::Topic)
            .await,
        Ok(())
    );
    let body = wire.sent("Publish").remove(0).body.replace("%20", "+");
    for part in [
        "StringValue=preflight",
        "StringValue=preflight%2Frequest-1",
        "Subject=%5BCopymend%5D+preflight%3A+0+routes",
        "2+plans+in+1+account+and+Region",
    ] {
        assert!(body.contains(part), "{part} in {body}");
    }
}

#[tokio::test]
async fn without_a_topic_nobody_is_told() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let log = (Message::Report(&report()), Channel::Log);
    assert_eq!(aws.notifier().send(log.0, log.1).await, Ok(()));
    assert_eq!(aws.notifier().channels(), Channels::from([Channel::Log]));
    let aws = advisor_environment(&wire, &Deployment::default()).await;
    let log = (Message::Report(&advisory()), Channel::Log);
    assert_eq!(aws.notifier().send(log.0, log.1).await, Ok(()));
    assert_eq!(aws.notifier().channels(), Channels::from([Channel::Log]));
}

#[test]
fn a_subject_is_short_ascii_on_one_line() {
    assert_eq!(subject("  a\r\nb\tc\u{7}d "), "a b c d");
    assert_eq!(subject("Köln → Rom"), "K?ln ? Rom");
    let long = subject(&"ä ".repeat(300));
    assert_eq!(long.len(), 100);
    assert!(long.ends_with("..."));
}

/// An e-mail beside the JSON of a report with this message.
fn structure_of(email: &str, message: &str) -> (String, Value) {
    let report = Report {
        message: message.to_owned(),
        ..report()
    };
    let email = Email {
        subject: "a subject".to_owned(),
        body: email.to_owned(),
    };
    let notice = Notice::of(Message::Report(&report));
    let structure = json_structure(email, &notice);
    let read = serde_json::from_str(&structure).unwrap();
    (structure, read)
}

#[test]
fn what_does_not_fit_is_cut_and_says_so() {
    let most = 262_144 - 2_048;
    let (_, short) = structure_of("short ä\n", "Access Denied");
    assert_eq!(short["email"], "short ä\n");
    for (email, message) in [
        ("ä\n\"".repeat(90_000), "Access Denied".to_owned()),
        ("ä".repeat(100_000), "\"\u{202e}".repeat(60_000)),
        ("e-mail".to_owned(), "\\\"".repeat(200_000)),
    ] {
        let (structure, read) = structure_of(&email, &message);
        assert!(structure.len() <= most, "{}", structure.len());
        let kept = read["email"].as_str().unwrap();
        let beginning = kept.trim_end_matches(
            "\n\n[The message is longer than Amazon SNS takes. The function's answer holds the whole report.]\n",
        );
        assert!(email.starts_with(beginning));
        assert!(kept.len() > 60_000 || kept == email);
        let notice: Value = serde_json::from_str(read["default"].as_str().unwrap()).unwrap();
        assert!(notice["title"].is_string());
        let is_whole = notice["report"]["message"] == message;
        assert_eq!(notice.get("cut").is_none(), is_whole);
    }
}
