//! The topic of chats, and the bus.

use copymend_remediation::message::{Channel, Channels, Message};
use copymend_remediation::ports::{CallErrorKind, Notifier, Reads};
use copymend_remediation::settings::Deployment;
use serde_json::{Value, json};

use super::notifier::{PUBLISHED, advisory, attributes, parameters, report};
use super::wire::{Wire, ok, typed_error};
use super::{advisor_environment, environment};

fn everywhere() -> Deployment {
    Deployment {
        topic_arn: Some("arn:aws:sns:us-east-2:111122223333:backups".to_owned()),
        chat_topic_arn: Some("arn:aws:sns:us-west-2:111122223333:chats".to_owned()),
        report_bus: Some("arn:aws:events:eu-north-1:111122223333:event-bus/reports".to_owned()),
        ..Deployment::default()
    }
}

#[tokio::test]
async fn each_channel_is_in_its_own_region() {
    let wire = Wire::default();
    let aws = environment(&wire, &everywhere()).await;
    let channels = Channels::from([Channel::Topic, Channel::Chat, Channel::ReportBus]);
    assert_eq!(aws.notifier().channels(), channels);
    wire.always("Publish", ok(PUBLISHED)).always(
        "PutEvents",
        ok(r#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#),
    );
    let report = report();
    for channel in channels {
        let sent = aws.notifier().send(Message::Report(&report), channel).await;
        assert_eq!(sent, Ok(()), "{channel}");
    }
    let published = wire.sent("Publish");
    assert!(published[0].uri.contains("sns.us-east-2."));
    let chat = &published[1];
    assert!(chat.uri.contains("sns.us-west-2."), "{}", chat.uri);
    let told = parameters(chat);
    assert_eq!(told.get("MessageStructure"), None);
    assert_eq!(told.get("Subject"), None);
    let notification: Value = serde_json::from_str(&told["Message"]).unwrap();
    assert_eq!(notification["source"], "custom");
    assert_eq!(attributes(chat), attributes(&published[0]));

    let put = wire.sent("PutEvents").remove(0);
    assert!(put.uri.contains("events.eu-north-1."), "{}", put.uri);
    assert!(
        put.authorization
            .contains("/eu-north-1/events/aws4_request"),
        "{}",
        put.authorization
    );
    let entries = put.json()["Entries"].as_array().unwrap().clone();
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(entry["Source"], "copymend.report");
    assert_eq!(entry["DetailType"], "Copymend Report");
    assert_eq!(
        entry["EventBusName"],
        "arn:aws:events:eu-north-1:111122223333:event-bus/reports"
    );
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["report"], json!(report));
    assert_eq!(entry["Resources"], detail["resources"]);
}

/// An entry that failed comes with the status of a success.
#[tokio::test]
async fn an_event_that_the_bus_did_not_take_is_an_error() {
    for (answer, kind) in [
        (
            r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"m"}]}"#,
            CallErrorKind::Throttled,
        ),
        (
            r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure","ErrorMessage":"m"}]}"#,
            CallErrorKind::Unavailable,
        ),
        (
            r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"AccessDeniedException","ErrorMessage":"m"}]}"#,
            CallErrorKind::AccessDenied,
        ),
        (
            r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"MalformedDetail","ErrorMessage":"m"}]}"#,
            CallErrorKind::Failed,
        ),
        (r#"{"FailedEntryCount":1}"#, CallErrorKind::Failed),
        ("<html>", CallErrorKind::Unreadable),
    ] {
        let wire = Wire::default();
        let aws = environment(&wire, &everywhere()).await;
        wire.once("PutEvents", ok(answer));
        let report = report();
        let sent = aws
            .notifier()
            .send(Message::Report(&report), Channel::ReportBus);
        let error = sent.await.unwrap_err();
        assert_eq!(
            (error.kind, error.operation),
            (kind, "events:PutEvents"),
            "{answer}"
        );
    }
    let wire = Wire::default();
    let aws = environment(&wire, &everywhere()).await;
    wire.once("PutEvents", typed_error("AccessDeniedException", "no"));
    let report = report();
    let sent = aws
        .notifier()
        .send(Message::Report(&report), Channel::ReportBus);
    assert_eq!(sent.await.unwrap_err().kind, CallErrorKind::AccessDenied);
}

#[tokio::test]
async fn a_bus_without_an_arn_is_in_the_functions_region() {
    let wire = Wire::default();
    let settings = Deployment {
        report_bus: Some("default".to_owned()),
        ..Deployment::default()
    };
    let aws = advisor_environment(&wire, &settings).await;
    assert_eq!(
        aws.notifier().channels(),
        Channels::from([Channel::ReportBus])
    );
    wire.once("PutEvents", ok(r#"{"FailedEntryCount":0}"#));
    let advisory = advisory();
    let sent = aws
        .notifier()
        .send(Message::Report(&advisory), Channel::ReportBus);
    assert_eq!(sent.await, Ok(()));
    let put = wire.sent("PutEvents").remove(0);
    assert!(put.uri.contains("events.eu-west-1."), "{}", put.uri);
    assert_eq!(put.json()["Entries"][0]["EventBusName"], "default");
}
