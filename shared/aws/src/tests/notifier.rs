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

use super::wire::{Wire, ok, xml_error};
use super::{advisor_environment, environment, parsed};
use crate::sns::{message, subject};

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

fn report() -> Report {
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

fn advisory() -> Report {
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
    // What people read is what the report crate wrote, up to the escapes of the wire.
    let email = copymend_report::email(&advisory);
    for word in email
        .body
        .split_whitespace()
        .filter(|word| word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    {
        assert!(sent.body.contains(word), "{word} in {}", sent.body);
    }
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
    let body = body.replace("%0A++2026", "+2026");
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
    let without = environment(&wire, &Deployment::default()).await;
    assert_eq!(
        without.notifier().channels(),
        Channels::from([Channel::Log])
    );
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
    let without = environment(&wire, &Deployment::default()).await;
    assert_eq!(
        without.notifier().channels(),
        Channels::from([Channel::Log])
    );
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

#[test]
fn a_message_is_cut_on_a_characters_boundary_and_says_so() {
    assert_eq!(message("short ä".to_owned()), "short ä");
    let cut = message("ä".repeat(200_000));
    assert!(cut.len() <= 262_144 - 2_048);
    assert!(cut.ends_with("holds the whole report.]\n"));
}
