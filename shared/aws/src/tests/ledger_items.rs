//! The form of the table's items: those of the version before are read, new ones have a schema, and
//! a day where the index `by-day` needs one.

use copymend_remediation::ledger::{
    Admission, Change, ChangeState, CountedOfSource, Grounds, LastWrite, Ledger, Pause, Turns,
};
use copymend_remediation::ports::{CallErrorKind, Reads};
use copymend_remediation::settings::Deployment;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::wire::{Wire, ok, typed_error};
use super::{environment, parsed};
use crate::{AwsEnvironment, ReadWrite};

const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
const ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";
/// 2026-11-22T23:30:00Z.
const MILLISECONDS: i64 = 1_795_390_200_000;

fn written() -> Timestamp {
    parsed("2026-11-22T23:30:00Z")
}

async fn aws(wire: &Wire) -> AwsEnvironment<ReadWrite> {
    let settings = Deployment {
        ledger_table: Some("ledger".to_owned()),
        ..Deployment::default()
    };
    environment(wire, &settings).await
}

fn item(item: &Value) -> super::wire::Reply {
    ok(json!({ "Item": item }).to_string())
}

fn change() -> Change {
    Change {
        id: "job-1-1".to_owned(),
        resource: VAULT.to_owned(),
        grantee: ROLE.to_owned(),
        account: None,
        before: None,
        after: Some("{}".to_owned()),
        statements: vec!["{\"Sid\":\"CopymendCopyInto1\"}".to_owned()],
        at: written(),
        copy_job_id: "job-1".to_owned(),
        undoes: None,
        allows_again: false,
        made_by: None,
        grounds: Grounds::default(),
    }
}

#[tokio::test]
async fn a_change_of_the_version_before_is_read() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    wire.once(
        "GetItem",
        item(&json!({
            "pk": { "S": "change#job-1-1" },
            "change_id": { "S": "job-1-1" },
            "change_state": { "S": "written" },
            "policy_of": { "S": VAULT },
            "grantee": { "S": ROLE },
            "statements": { "L": [{ "S": "{\"Sid\":\"CopymendCopyInto1\"}" }] },
            "written_at": { "N": MILLISECONDS.to_string() },
            "copy_job_id": { "S": "job-1" },
            "expires_at": { "N": "1829950200" },
            "policy_after": { "S": "{}" }
        })),
    );
    let read = aws.ledger().unwrap().change("job-1-1").await.unwrap();
    assert_eq!(read, Some((change(), ChangeState::Written)));
}

#[tokio::test]
async fn a_policy_s_history_of_the_version_before_is_read() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    // Both items are asked for at once.
    let policy = json!({
        "pk": { "S": format!("policy#{VAULT}") },
        "sids": { "SS": ["CopymendCopyInto1"] },
        "last_write": { "N": MILLISECONDS.to_string() },
        "last_sids": { "SS": ["CopymendCopyInto1"] },
        "is_last_undo": { "BOOL": false },
        "expires_at": { "N": "1829950200" }
    });
    let writes = json!({
        "pk": { "S": format!("writes#{VAULT}#2026-11-22") },
        "occurrences": { "N": "1" }
    });
    let found = json!({ "Responses": { "ledger": [writes, policy] } });
    wire.once("BatchGetItem", ok(found.to_string()));
    let history = aws.ledger().unwrap().policy_history(VAULT, written());
    let history = history.await.unwrap();
    let sids = vec!["CopymendCopyInto1".to_owned()];
    assert_eq!((&history.sids, history.writes_today), (&sids, 1));
    assert_eq!((history.granted, history.refusals), (vec![], vec![]));
    let last = LastWrite {
        at: written(),
        sids,
        is_undo: false,
        change_id: None,
    };
    assert_eq!(history.last_write, Some(last));
    let sent = wire.sent("BatchGetItem").remove(0).json();
    assert_eq!(sent["RequestItems"]["ledger"]["ConsistentRead"], true);
}

#[tokio::test]
async fn other_items_of_the_version_before_are_read() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    wire.once("GetItem", item(&json!({ "pk": { "S": "retried#new" }, "original_job": { "S": "old" }, "expires_at": { "N": "1" } })))
        .once("GetItem", item(&json!({ "pk": { "S": "last-change" }, "change_id": { "S": "job-1-1" }, "expires_at": { "N": "1" } })))
        .once("GetItem", item(&json!({ "written_at": { "N": MILLISECONDS.to_string() }, "expires_at": { "N": "1" } })))
        .once("GetItem", item(&json!({ "job_state": { "S": "done" }, "outcome": { "S": "retried" } })));
    assert_eq!(
        ledger
            .retry_of("new")
            .await
            .unwrap()
            .map(|retry| (retry.original_job, retry.origin)),
        // A version before this one did not say who started it.
        Some(("old".to_owned(), None))
    );
    assert_eq!(
        ledger.last_change().await.unwrap().as_deref(),
        Some("job-1-1")
    );
    let admitted = ledger.admitted_at(VAULT, ROLE).await.unwrap();
    let before = Admission {
        at: written(),
        change_id: None,
    };
    assert_eq!(admitted, Some(before));
    let outcome = ledger.outcome_of_job("job-1").await.unwrap();
    assert_eq!(outcome.as_deref(), Some("retried"));
}

/// What a later version wrote may mean what this one doesn't know, such as a refusal of another
/// kind.
#[tokio::test]
async fn items_of_a_later_version_are_unreadable() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    for schema in [json!({ "N": "3" }), json!({ "S": "two" })] {
        wire.always(
            "GetItem",
            item(&json!({ "schema": schema, "original_job": { "S": "old" } })),
        );
        let policy = json!({ "pk": { "S": format!("policy#{VAULT}") }, "schema": schema });
        let found = json!({ "Responses": { "ledger": [policy] } });
        wire.once("BatchGetItem", ok(found.to_string()));
        let kinds = [
            ledger
                .policy_history(VAULT, written())
                .await
                .unwrap_err()
                .kind,
            ledger.pause(written()).await.unwrap_err().kind,
            ledger.change("job-1-1").await.unwrap_err().kind,
            ledger.retry_of("new").await.unwrap_err().kind,
        ];
        assert_eq!(kinds, [CallErrorKind::Unreadable; 4]);
    }
}

#[tokio::test]
async fn a_pause_of_the_wrong_shape_is_not_absent() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    let since = json!({ "N": MILLISECONDS.to_string() });
    for broken in [
        json!({ "pk": { "S": "pause" } }),
        json!({ "reason": { "S": "x" } }),
        json!({ "reason": { "N": "1" }, "since": since }),
        json!({ "reason": { "S": "x" }, "since": since, "until": { "S": "tomorrow" } }),
    ] {
        wire.once("GetItem", item(&broken));
        let error = ledger.pause(written()).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable, "{broken}");
    }
    wire.once("GetItem", ok("{}"));
    assert_eq!(ledger.pause(written()).await, Ok(None));
    wire.once("GetItem", ok("{}"))
        .always("TransactWriteItems", ok("{}"));
    let pause = Pause {
        reason: "x".to_owned(),
        since: written(),
        until: None,
        by: None,
    };
    ledger.set_pause(&pause).await.unwrap();
    let sent = wire.sent("TransactWriteItems").remove(0).json();
    let puts = sent["TransactItems"].as_array().unwrap();
    let keys: Vec<_> = puts
        .iter()
        .map(|put| &put["Put"]["Item"]["pk"]["S"])
        .collect();
    assert_eq!(keys, ["pause", "paused#2026-11-22T23:30:00.000Z"]);
    for put in puts {
        assert_eq!(put["Put"]["Item"]["schema"]["N"], "2");
    }
    // A pause can be set and ended also where the one before can't be read.
    wire.once(
        "GetItem",
        item(&json!({ "pk": { "S": "pause" }, "schema": { "N": "3" } })),
    );
    ledger.set_pause(&pause).await.unwrap();
    wire.once(
        "GetItem",
        item(&json!({ "pk": { "S": "pause" }, "schema": { "N": "3" } })),
    )
    .once("DeleteItem", ok(r#"{"Attributes":{"pk":{"S":"pause"}}}"#));
    assert_eq!(ledger.lift_pause(None, written()).await, Ok(true));
    for sent in wire.sent("GetItem") {
        assert_eq!(sent.json()["ConsistentRead"], true);
    }
}

/// Nothing of what may stand in a policy, and no refusal, has a time to live.
#[tokio::test]
async fn changes_and_refusals_do_not_expire_while_they_count() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    wire.always("TransactWriteItems", ok("{}"))
        .always("PutItem", ok("{}"))
        .always("UpdateItem", ok("{}"));
    let change = Change {
        account: Some("111122223333".to_owned()),
        ..change()
    };
    let sids = ["CopymendCopyInto1".to_owned()];
    ledger.intend_change(&change, "me", None).await.unwrap();
    ledger.confirm_change(&change, &sids, None).await.unwrap();
    let undo = Change {
        id: "undo-1".to_owned(),
        undoes: Some(change.id.clone()),
        ..change.clone()
    };
    ledger.confirm_change(&undo, &sids, None).await.unwrap();
    let transactions: Vec<Value> = wire
        .sent("TransactWriteItems")
        .iter()
        .map(|sent| sent.json()["TransactItems"].clone())
        .collect();
    let intended = &transactions[0][1]["Put"]["Item"];
    let written = &transactions[1][0]["Put"]["Item"];
    for item in [intended, written] {
        assert_eq!(item.get("expires_at"), None, "{item}");
        assert_eq!(item["schema"]["N"], "2");
        assert_eq!(item["day"]["S"], "2026-11-22");
        assert_eq!(item["at"]["S"], "2026-11-22T23:30:00.000Z");
    }
    let updates = |number: usize, key: &str| {
        let items = transactions[number].as_array().unwrap();
        let update = items.iter().find(|item| {
            let pk = item["Update"]["Key"]["pk"]["S"].as_str();
            pk.is_some_and(|pk| pk.starts_with(key))
        });
        update.unwrap()["Update"].clone()
    };
    let history = updates(1, "policy#");
    let expression = history["UpdateExpression"].as_str().unwrap();
    assert!(
        expression.contains("REMOVE expires_at ADD sids :sids, granted :granted"),
        "{expression}"
    );
    let granted = &history["ExpressionAttributeValues"][":granted"]["SS"][0];
    assert_eq!(*granted, format!("CopymendCopyInto1 111122223333 {ROLE}"));

    let history = updates(2, "policy#");
    let expression = history["UpdateExpression"].as_str().unwrap();
    assert!(
        expression.ends_with("DELETE sids :sids, granted :granted ADD refusals :refusals"),
        "{expression}"
    );
    let refusal = updates(2, "refusal#");
    assert_eq!(refusal["Key"]["pk"]["S"], format!("refusal#{VAULT}#{ROLE}"));
    let expression = refusal["UpdateExpression"].as_str().unwrap();
    assert!(!expression.contains("expires_at"), "{expression}");
    // What was undone may go some day.
    let undone = updates(2, "change#");
    let expression = undone["UpdateExpression"].as_str().unwrap();
    assert!(expression.contains("expires_at"), "{expression}");
}

/// Whoever asks for a lease while its holder's transaction checks it doesn't get it.
#[tokio::test]
async fn a_lease_in_a_transaction_is_held() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    wire.once(
        "PutItem",
        typed_error("TransactionConflictException", "busy"),
    );
    let ledger = aws.ledger().unwrap();
    let taken = ledger
        .acquire_lease("r", "me", super::dynamo::now(), super::dynamo::later())
        .await;
    assert_eq!(taken.unwrap(), None);
}

/// A claim of another event is on the item at this moment: nothing was done, and it passes within milliseconds.
#[tokio::test]
async fn a_turn_and_a_count_that_meet_a_claim_are_asked_for_again() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let ledger = aws.ledger().unwrap();
    let conflict = || typed_error("TransactionConflictException", "busy");
    wire.once("UpdateItem", conflict());
    wire.once("UpdateItem", conflict());
    let next = json!({ "Attributes": { "next_turn": { "N": MILLISECONDS.to_string() } } });
    wire.once("UpdateItem", ok(next.to_string()));
    let turn = ledger.take_turn(written(), SignedDuration::ZERO).await;
    assert_eq!(turn, Ok(Some(written())));
    wire.once("UpdateItem", conflict());
    wire.once("UpdateItem", ok("{}"));
    let account = parsed("111122223333");
    let what = CountedOfSource::Messages;
    let counted = ledger.count_of_source(what, account, 9, written()).await;
    assert_eq!(counted, Ok(true));
}
