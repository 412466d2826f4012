//! On which channels people were told, in a job's item.

use copymend_remediation::ledger::{JobEntry, JobProgress, Ledger};
use copymend_remediation::message::{Channel, Channels};
use copymend_remediation::ports::Reads;
use serde_json::json;

use super::dynamo::{aws, later, now};
use super::wire::{Wire, ok};

#[tokio::test]
async fn each_channel_has_its_mark_and_those_of_a_later_version_are_left_alone() {
    let wire = Wire::default();
    let aws = aws(&wire).await;
    let left = json!({ "Attributes": {
        "job_state": { "S": "in-progress" },
        "told_on": { "SS": ["carrier-pigeon", "topic"] }
    }});
    wire.once("UpdateItem", ok(left.to_string()))
        .once("UpdateItem", ok("{}"));
    let ledger = aws.ledger().unwrap();
    let begun = ledger.begin_job("job-1", "me", now(), later()).await;
    let topic = Channels::from([Channel::Topic]);
    let progress = JobProgress {
        told: topic.clone(),
        ..JobProgress::default()
    };
    assert_eq!(begun.unwrap(), JobEntry::Started(progress));
    ledger.record_told("job-1", "me", &topic).await.unwrap();
    let sent = wire.sent("UpdateItem")[1].json();
    assert_eq!(sent["UpdateExpression"], "ADD told_on :channels");
    assert_eq!(
        sent["ExpressionAttributeValues"][":channels"]["SS"],
        json!(["topic"])
    );
}
