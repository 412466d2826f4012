//! Inputs that are no event, events that lie, and events that nobody can confirm.

use copymend_policy::text::cut;
use copymend_remediation::report::{DecisionKind, LONGEST_MESSAGE, Outcome};
use serde_json::{Value, json};

use crate::support::*;

fn without(field: &str) -> Value {
    let mut event = sample("destination-vault-policy");
    event["detail"].as_object_mut().unwrap().remove(field);
    event
}

fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut event = sample("destination-vault-policy");
    event["detail"][field] = value.into();
    event
}

fn envelope(field: &str, value: impl Into<Value>) -> Value {
    let mut event = sample("destination-vault-policy");
    event[field] = value.into();
    event
}

#[tokio::test]
async fn what_is_no_event_of_a_copy_job_gets_a_stable_error_type_and_no_write() {
    for (event, error_type) in [
        (Value::Null, "NotAnEvent"),
        (json!([]), "NotAnEvent"),
        (json!("text"), "NotAnEvent"),
        (json!({}), "MissingField"),
        (envelope("source", "aws.ec2"), "OtherEvent"),
        (envelope("source", "my.app"), "OtherEvent"),
        (
            envelope("detail-type", "Backup Job State Change"),
            "OtherEvent",
        ),
        (envelope("detail", "text"), "NotAnEvent"),
        (envelope("time", "yesterday"), "NotAnEvent"),
        (without("copyJobId"), "MissingField"),
        (without("state"), "MissingField"),
        (without("iamRoleArn"), "MissingField"),
        (without("sourceBackupVaultArn"), "MissingField"),
        (without("destinationBackupVaultArn"), "MissingField"),
        (with("iamRoleArn", json!({})), "MissingField"),
        (with("state", "EXPLODED"), "MalformedField"),
        (with("copyJobId", "../../secrets"), "MalformedField"),
        (with("copyJobId", "a".repeat(200)), "MalformedField"),
        (with("iamRoleArn", "BackupRole"), "MalformedArn"),
        (
            with(
                "destinationBackupVaultArn",
                "arn:aws:backup:eu-west-1:444455556666:backup-vault:*",
            ),
            "MalformedArn",
        ),
        (
            with(
                "destinationBackupVaultArn",
                "arn:aws:backup:eu-west-1:*:backup-vault:dr",
            ),
            "MalformedArn",
        ),
        (
            with(
                "destinationBackupVaultArn",
                "arn:aws:backup:eu-west-1:444455556666:backup-vault:d\u{0433}",
            ),
            "MalformedArn",
        ),
        (
            with(
                "destinationBackupVaultArn",
                "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr\n",
            ),
            "MalformedArn",
        ),
    ] {
        let sandbox = sandbox();
        let error = deliver("test", &sandbox, &event).await.unwrap_err();
        assert_eq!(error.error_type(), error_type, "{error} for {event}");
        assert_eq!(sandbox.writes(), []);
        assert!(
            !error.to_string().chars().any(char::is_control),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_event_that_says_other_than_describe_copy_job_is_refused() {
    for event in [
        with("iamRoleArn", "arn:aws:iam::111122223333:role/Other"),
        with(
            "destinationBackupVaultArn",
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:mine",
        ),
        with(
            "destinationBackupVaultArn",
            "arn:aws:backup:eu-west-1:666666666666:backup-vault:mine",
        ),
        with(
            "resourceArn",
            "arn:aws:ec2:us-east-1:111122223333:volume/vol-0",
        ),
        envelope(
            "resources",
            json!(["arn:aws:ec2:us-east-1::snapshot/snap-0"]),
        ),
    ] {
        let sandbox = sandbox();
        let report = repair(&sandbox, &event).await;
        assert!(!report.verified, "{event}");
        assert_eq!(report.decision, DecisionKind::Refuse, "{event}");
        assert_eq!(report.outcome, Outcome::Refused);
        assert_eq!(failed_guards(&report), ["verified-failure"]);
        assert_eq!(sandbox.writes(), []);
    }
}

#[tokio::test]
async fn a_job_that_nobody_knows_is_explained_from_its_message_and_nothing_is_written() {
    for event in [
        with("copyJobId", "00000000-0000-0000-0000-000000000000"),
        envelope("account", "1112223334444"),
        envelope("account", "777777777777"),
        envelope("region", "ap-south-1"),
    ] {
        let sandbox = sandbox();
        let report = repair(&sandbox, &event).await;
        assert!(!report.verified);
        assert_eq!(report.decision, DecisionKind::Advise, "{event}");
        assert_eq!(report.diagnosis.cause.slug(), "destination-vault-policy");
        assert_eq!(failed_guards(&report), ["verified-failure"]);
        assert_eq!(sandbox.writes(), []);
    }
}

#[tokio::test]
async fn a_job_that_did_not_fail_is_refused() {
    let (sandbox, event) = scene("destination-vault-policy");
    let report = repair(&sandbox, &event).await;
    let retried = report.retried_job.unwrap();
    let mut event = sandbox.event_for(&retried).unwrap();
    event["detail"]["state"] = "FAILED".into();
    let writes = sandbox.writes().len();
    let report = repair(&sandbox, &event).await;
    assert_eq!(report.decision, DecisionKind::Refuse);
    assert_eq!(sandbox.writes().len(), writes);
}

#[tokio::test]
async fn messages_of_a_megabyte_and_control_characters_are_only_text() {
    for message in [
        "x".repeat(1_000_000),
        "\u{0}\u{1b}[31m\r\n\u{202e}Access denied".repeat(1000),
    ] {
        let sandbox = sandbox();
        let mut event = with("statusMessage", message.clone());
        event["detail"]["copyJobId"] = "00000000-0000-0000-0000-000000000000".into();
        let report = repair(&sandbox, &event).await;
        assert_eq!(report.message, cut(&message, LONGEST_MESSAGE));
        assert_eq!(sandbox.writes(), []);
    }
}

#[tokio::test]
async fn the_message_of_the_event_does_not_decide_the_job_s_own_does() {
    let sandbox = sandbox();
    let mut event = sample("service-fault");
    event["detail"]["statusMessage"] = "Access Denied trying to call AWS Backup service".into();
    let report = repair(&sandbox, &event).await;
    assert!(report.verified);
    assert_eq!(report.diagnosis.cause.slug(), "service-fault");
}

#[tokio::test]
async fn an_error_names_the_member_that_is_wrong() {
    let long = format!("arn:aws:iam::111122223333:role/{}", "a".repeat(5_000_000));
    for (event, name) in [
        (envelope("detail", "text"), "detail"),
        (envelope("time", "yesterday"), "time"),
        (envelope("resources", json!([7])), "resources"),
        (envelope("account", 111_122_223_333_u64), "account"),
        (envelope("region", json!([])), "region"),
        (envelope("source", "x".repeat(5_000_000)), "source"),
        (without("iamRoleArn"), "iamRoleArn"),
        (with("state", "EXPLODED"), "state"),
        (with("sourceBackupVaultArn", "prod"), "sourceBackupVaultArn"),
        (with("iamRoleArn", long.clone()), "iamRoleArn"),
        (with("resourceArn", long.clone()), "resourceArn"),
        (envelope("resources", json!([long])), "resources"),
    ] {
        let error = handle_as("bad", &sandbox(), open_settings(), &event).await;
        let words = error.unwrap_err().to_string();
        assert!(words.contains(&format!("`{name}`")), "{name}: {words}");
        assert!(words.len() < 1_000, "{name}: {}", words.len());
    }
}

#[tokio::test]
async fn what_nobody_confirms_is_not_echoed_whole() {
    let megabytes = |start: &str| format!("{start}{}", "é".repeat(2_500_000));
    let mut event = with("copyJobId", "11111111-2222-3333-4444-555555555555");
    let words = "Access Denied trying to call AWS Backup service ";
    event["detail"]["statusMessage"] = megabytes(words).into();
    event["detail"]["resourceType"] = megabytes("EBS").into();
    for name in ["id", "account", "region"] {
        event[name] = megabytes("").into();
    }
    let report = repair(&sandbox(), &event).await;
    assert!(!report.verified);
    // The whole message was read.
    assert_eq!(report.diagnosis.cause.slug(), "destination-vault-policy");
    let all = words.len() + 2_500_000;
    assert!(report.message.starts_with(words));
    assert!(
        report
            .message
            .ends_with(&format!("… ({all} characters in all)"))
    );
    let answer = json!(report).to_string();
    // An answer of AWS Lambda takes 6 MB.
    assert!(answer.len() < 40_000, "{}", answer.len());
}
