use copymend_remediation::ledger::{
    Change, Count, CountedAs, Counting, Grounds, JobEntry, JobProgress, Lease, LeaseAfter, Ledger,
    Occurrence, RetryClaim,
};
use copymend_remediation::message::{Channel, Channels};
use copymend_remediation::ports::{CallErrorKind, Reads};
use copymend_remediation::settings::Deployment;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::wire::{Reply, Sent, Wire, json_error, ok, status, typed_error};
use super::{environment, parsed};
use crate::{AwsEnvironment, ReadWrite};

pub(super) fn now() -> Timestamp {
    parsed("2026-11-22T23:30:00Z")
}

pub(super) fn later() -> Timestamp {
    now() + SignedDuration::from_secs(300)
}

pub(super) async fn aws(wire: &Wire) -> AwsEnvironment<ReadWrite> {
    let settings = Deployment {
        ledger_table: Some("ledger".to_owned()),
        ..Deployment::default()
    };
    environment(wire, &settings).await
}

const OCCURRENCE: Count<'_> = Count {
    fingerprint: "f",
    copy_job_id: "job-1",
    outcome: "o",
    counting: Counting::First,
    is_due: false,
    is_quiet: false,
};

fn refused(item: &serde_json::Value) -> Reply {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": item
    });
    status(400, &body.to_string())
}

fn change() -> Change {
    Change {
        id: "job-1-1".to_owned(),
        resource: "arn:aws:kms:eu-west-1:111122223333:key/1".to_owned(),
        grantee: "444455556666".to_owned(),
        account: Some("444455556666".to_owned()),
        before: None,
        after: Some("{}".to_owned()),
        statements: vec!["{\"Sid\":\"a\"}".to_owned()],
        at: now(),
        copy_job_id: "job-1".to_owned(),
        undoes: None,
        allows_again: false,
        made_by: None,
        grounds: Grounds::default(),
    }
}

#[tokio::test]
async fn a_job_is_taken_by_one_conditional_update_that_keeps_its_progress() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let left = json!({ "Attributes": {
        "job_state": { "S": "in-progress" },
        "is_count_unclear": { "BOOL": true },
        "counted": { "N": "3" },
        "counted_as": { "S": "retried" },
        "incident": { "S": "f" },
        "counted_after": { "S": "advised" },
        "counted_since": { "N": "2" },
        "change_id": { "S": "c-1" },
        "told": { "BOOL": true },
        "retried_as": { "S": "job-2" }
    }});
    wire.once("UpdateItem", ok("{}"))
        .once("UpdateItem", ok(left.to_string()));
    let ledger = aws.ledger().unwrap();
    let begin = || ledger.begin_job("job-1", "me", now(), later());
    assert_eq!(
        begin().await.unwrap(),
        JobEntry::Started(JobProgress::default())
    );
    assert_eq!(
        begin().await.unwrap(),
        JobEntry::Started(JobProgress {
            counted: Some(CountedAs {
                fingerprint: "f".to_owned(),
                outcome: "retried".to_owned(),
                occurrence: Occurrence {
                    count: 3,
                    previous_outcome: Some("advised".to_owned()),
                    since: 2,
                },
            }),
            is_count_unclear: true,
            change_id: Some("c-1".to_owned()),
            told: Channels::from(Channel::ALL),
            retried_as: Some("job-2".to_owned()),
        })
    );
    let sent = wire.sent("UpdateItem")[0].json();
    assert_eq!(sent["Key"]["pk"]["S"], "job#job-1");
    let values = &sent["ExpressionAttributeValues"];
    assert_eq!(values[":until"]["N"], later().as_millisecond().to_string());
    assert_eq!(
        values[":expires"]["N"],
        (now().as_second() + 30 * 86_400).to_string()
    );
    // What earlier deliveries left, and not that it is begun.
    assert_eq!(sent["ReturnValues"], "ALL_OLD");
    assert_eq!(sent["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    // The ledger is the function's own: who we are needn't be known.
    assert!(wire.sent("GetCallerIdentity").is_empty());
}

#[tokio::test]
async fn a_job_of_someone_else_is_told_by_the_item_that_refused() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    wire.once(
        "UpdateItem",
        refused(&json!({ "job_state": { "S": "done" }, "outcome": { "S": "retried" } })),
    )
    .once(
        "UpdateItem",
        refused(&json!({ "job_state": { "S": "in-progress" } })),
    )
    .once(
        "UpdateItem",
        refused(&json!({ "job_state": { "S": "new-state" } })),
    )
    // Endpoints that don't know the option answer without the item.
    .once(
        "UpdateItem",
        typed_error("ConditionalCheckFailedException", "no"),
    )
    .once(
        "GetItem",
        ok(r#"{"Item":{"job_state":{"S":"done"},"outcome":{"S":"advised"}}}"#),
    )
    .once(
        "UpdateItem",
        typed_error("ConditionalCheckFailedException", "no"),
    )
    .once("GetItem", ok("{}"));
    let begin = || ledger.begin_job("job-1", "me", now(), later());
    assert_eq!(begin().await.unwrap(), JobEntry::Done("retried".to_owned()));
    assert_eq!(begin().await.unwrap(), JobEntry::InProgress);
    assert_eq!(begin().await.unwrap_err().kind, CallErrorKind::Unreadable);
    assert_eq!(begin().await.unwrap(), JobEntry::Done("advised".to_owned()));
    assert_eq!(wire.sent("GetItem")[0].json()["ConsistentRead"], true);
    assert_eq!(begin().await.unwrap(), JobEntry::InProgress);
}

#[tokio::test(start_paused = true)]
async fn errors_of_the_table_are_told_apart() {
    use CallErrorKind::{AccessDenied, Failed, Throttled};
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    for (code, kind) in [
        ("AccessDeniedException", AccessDenied),
        ("ProvisionedThroughputExceededException", Throttled),
        ("ResourceNotFoundException", Failed),
    ] {
        wire.always("PutItem", typed_error(code, "no"))
            .always("UpdateItem", typed_error(code, "no"))
            .always("GetItem", typed_error(code, "no"))
            .always("BatchGetItem", typed_error(code, "no"))
            .always("TransactWriteItems", typed_error(code, "no"));
        let begun = ledger.begin_job("job-1", "me", now(), later()).await;
        assert_eq!(begun.unwrap_err().kind, kind);
        let leased = ledger.acquire_lease("r", "me", now(), later()).await;
        assert_eq!(leased.unwrap_err().kind, kind);
        assert_eq!(
            ledger.policy_history("r", now()).await.unwrap_err().kind,
            kind
        );
        assert_eq!(ledger.retry_of("job-1").await.unwrap_err().kind, kind);
        assert_eq!(
            ledger
                .confirm_change(&change(), &[], None)
                .await
                .unwrap_err()
                .kind,
            kind
        );
    }
}

fn cancelled(code: &str, item: &serde_json::Value) -> Reply {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{ "Code": code, "Item": item }, { "Code": "None" }, { "Code": "None" }]
    });
    status(400, &body.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_change_is_recorded_once_whatever_happens_on_the_way() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    let none = json!({});
    wire.once(
        "TransactWriteItems",
        cancelled("TransactionConflict", &none),
    )
    .once("TransactWriteItems", ok("{}"));
    ledger
        .confirm_change(&change(), &["a".to_owned()], None)
        .await
        .unwrap();
    let sent = wire.sent("TransactWriteItems");
    assert_eq!(sent.len(), 2);
    let items = sent[0].json()["TransactItems"].clone();
    assert_eq!(
        items[1]["Update"]["Key"]["pk"]["S"],
        "policy#arn:aws:kms:eu-west-1:111122223333:key/1"
    );
    // The answer of an earlier attempt was lost: what is stored is what we want.
    let stored = items[0]["Put"]["Item"].clone();
    wire.once(
        "TransactWriteItems",
        cancelled("ConditionalCheckFailed", &stored),
    );
    ledger
        .confirm_change(&change(), &["a".to_owned()], None)
        .await
        .unwrap();
    wire.once(
        "TransactWriteItems",
        cancelled("ConditionalCheckFailed", &stored),
    );
    let other = Change {
        after: Some("{ }".to_owned()),
        ..change()
    };
    let error = ledger.confirm_change(&other, &[], None).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Rejected);
    wire.always(
        "TransactWriteItems",
        cancelled("TransactionConflict", &none),
    );
    let error = ledger
        .confirm_change(&change(), &[], None)
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Throttled);
}

/// The transaction itself says whether the lease is still ours: it isn't read before.
#[tokio::test]
async fn a_change_is_recorded_under_its_lease_in_one_transaction() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    let lease = Lease::recorded(change().resource, "me".to_owned(), later());
    wire.once("TransactWriteItems", ok("{}"));
    ledger
        .confirm_change(
            &change(),
            &["a".to_owned()],
            Some((&lease, LeaseAfter::Kept)),
        )
        .await
        .unwrap();
    let sent = wire.sent("TransactWriteItems").remove(0).json();
    let items = sent["TransactItems"].as_array().unwrap();
    let checks: Vec<_> = items
        .iter()
        .filter_map(|item| item.get("ConditionCheck"))
        .collect();
    let [check] = checks[..] else {
        panic!("{items:?}");
    };
    assert_eq!(
        check["Key"]["pk"]["S"],
        "lease#arn:aws:kms:eu-west-1:111122223333:key/1"
    );
    assert_eq!(
        check["ExpressionAttributeValues"][":owner"],
        json!({ "S": "me" })
    );
    assert!(wire.sent("GetItem").is_empty());
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [
            { "Code": "None" }, { "Code": "None" }, { "Code": "ConditionalCheckFailed" }, { "Code": "None" }
        ]
    });
    wire.once("TransactWriteItems", status(400, &body.to_string()));
    let kept = Some((&lease, LeaseAfter::Kept));
    let error = ledger.confirm_change(&change(), &[], kept).await;
    assert_eq!(error.unwrap_err(), lease.lost());
    // Or it gives the lease back.
    wire.once("TransactWriteItems", ok("{}"));
    let given_back = Some((&lease, LeaseAfter::GivenBack));
    ledger
        .confirm_change(&change(), &["a".to_owned()], given_back)
        .await
        .unwrap();
    let sent = wire.sent("TransactWriteItems").pop().unwrap().json();
    let delete = &sent["TransactItems"][2]["Delete"];
    assert_eq!(delete["Key"], check["Key"]);
    assert_eq!(
        delete["ConditionExpression"],
        "held_by = :owner AND held_until = :until"
    );
}

#[tokio::test]
async fn items_of_the_wrong_shape_are_unreadable() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    wire.always(
        "GetItem",
        ok(r#"{"Item":{"original_job":{"N":"1"},"jobs":{"N":"1.5"}}}"#),
    )
    .always(
        "BatchGetItem",
        ok(r#"{"Responses":{"ledger":[{"pk":{"S":"policy#r"},"sids":{"S":"x"}}]}}"#),
    )
    .always(
        "UpdateItem",
        ok(r#"{"Attributes":{"occurrences":{"S":"x"}}}"#),
    );
    let kind = CallErrorKind::Unreadable;
    assert_eq!(
        ledger.policy_history("r", now()).await.unwrap_err().kind,
        kind
    );
    assert_eq!(ledger.retry_of("job-1").await.unwrap_err().kind, kind);
    assert_eq!(ledger.change("c").await.unwrap_err().kind, kind);
    assert_eq!(
        ledger
            .count_occurrence(OCCURRENCE, now())
            .await
            .unwrap_err()
            .kind,
        kind
    );
    let (point, vault) = (
        parsed("arn:aws:ec2:eu-west-1::snapshot/snap-1"),
        parsed("arn:aws:backup:eu-west-1:111122223333:backup-vault:dr"),
    );
    let claim = RetryClaim {
        failed_job: "job-1",
        recovery_point: &point,
        destination: &vault,
        budget: 3,
        anew_after: None,
        source: parsed("111122223333"),
        source_budget: 3,
        known: None,
        begin: None,
        message: None,
    };
    let counted = ledger.claim_retry(&claim, now()).await;
    assert_eq!(counted.unwrap_err().kind, kind);
}

/// Were it sent again, the second answer would say that the incident is known already, and nobody
/// would be told of it.
#[tokio::test]
async fn a_count_whose_answer_is_lost_is_not_sent_again() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    wire.always("UpdateItem", status(500, "{}"));
    let counted = aws
        .ledger()
        .unwrap()
        .count_occurrence(OCCURRENCE, now())
        .await;
    assert_eq!(counted.unwrap_err().kind, CallErrorKind::Unavailable);
    let sent: Vec<_> = wire.sent("UpdateItem").iter().map(Sent::json).collect();
    let keys: Vec<_> = sent.iter().map(|sent| &sent["Key"]["pk"]["S"]).collect();
    assert_eq!(keys, ["incident#f"]);
}

/// A throttled count was surely not done.
#[tokio::test(start_paused = true)]
async fn a_throttled_count_is_sent_again() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    wire.once(
        "UpdateItem",
        json_error(400, "ThrottlingException", "slowly"),
    )
    .once(
        "UpdateItem",
        ok(r#"{"Attributes":{"occurrences":{"N":"4"},"outcome":{"S":"o"}}}"#),
    );
    let counted = aws
        .ledger()
        .unwrap()
        .count_occurrence(OCCURRENCE, now())
        .await;
    assert_eq!(counted.unwrap().count, 5);
}

#[tokio::test]
async fn a_table_given_by_its_arn_is_called_in_its_own_region() {
    let wire = Wire::default();
    let arn = "arn:aws:dynamodb:us-east-2:111122223333:table/ledger";
    let settings = Deployment {
        ledger_table: Some(arn.to_owned()),
        ..Deployment::default()
    };
    let aws = environment(&wire, &settings).await;
    wire.once("GetItem", ok("{}"));
    assert_eq!(aws.ledger().unwrap().retry_of("job-1").await, Ok(None));
    let sent = wire.sent("GetItem").remove(0);
    assert!(
        sent.uri.contains(".us-east-2.amazonaws.com"),
        "{}",
        sent.uri
    );
    assert_eq!(sent.json()["TableName"], arn);
}
