//! Objectives for resources with a tag.

use copymend_remediation::ports::CallErrorKind;
use copymend_survey::rpo::State;
use serde_json::{Value, json};

use crate::small::{SOURCE, backup, copy, found, sandbox, states, volume, world};

const READ: &str = "tag:GetResources";
const YESTERDAY: &str = "2026-11-01T05:00:00Z";
const LAST_WEEK: &str = "2026-10-25T05:00:00Z";

/// Two volumes that are copied daily, of which one is tagged, and one whose copies stopped.
fn tagged() -> Value {
    let backups = ["a", "b", "c"].map(|name| backup(name, YESTERDAY));
    let copies = [("a", YESTERDAY), ("b", YESTERDAY), ("c", LAST_WEEK)];
    let copies = copies.map(|(name, day)| copy(name, day));
    let mut world = world(backups.to_vec(), copies.to_vec());
    world["accounts"][SOURCE]["regions"]["us-east-1"]["resource_tags"] =
        json!({volume("a"): {"tier": "gold"}, volume("b"): {"tier": "Gold", "stage": "prod"}});
    world
}

#[tokio::test]
async fn a_tag_of_the_resource_says_how_old_its_copy_may_be() {
    let sandbox = sandbox(&tagged());
    let findings = found(&sandbox, &["26h", "tag=tier=gold:2h"], &[]).await;
    let expected = [("c", State::Late), ("a", State::Late), ("b", State::InTime)];
    assert_eq!(states(&findings), expected, "{findings:?}");
    assert_eq!(
        sandbox.calls().count(READ),
        1,
        "one call an account and Region"
    );
    let findings = found(&sandbox, &["tag=stage=prod:26h"], &[]).await;
    assert_eq!(findings.missed(), 0);
    let of_tag: Vec<_> = findings
        .places
        .iter()
        .filter(|place| place.objective.is_some())
        .collect();
    assert_eq!(of_tag.len(), 1);
    assert_eq!(of_tag[0].resource.as_str(), volume("b"));
}

#[tokio::test]
async fn without_an_objective_for_a_tag_no_tags_are_read() {
    let sandbox = sandbox(&tagged());
    found(&sandbox, &["26h", "type=EBS:4h"], &[]).await;
    assert_eq!(sandbox.calls().count(READ), 0);
}

#[tokio::test]
async fn tags_that_cannot_be_read_leave_open_what_depends_on_them() {
    let sandbox = sandbox(&tagged());
    sandbox.fail(READ, CallErrorKind::AccessDenied);
    let findings = found(&sandbox, &["26h", "tag=tier=gold:2h"], &[]).await;
    // What is late by every objective is late.
    let expected = [
        ("c", State::Late),
        ("a", State::Unknown),
        ("b", State::Unknown),
    ];
    let mut states = states(&findings);
    states.sort_by_key(|(name, state)| (*state, *name));
    assert_eq!(states, expected, "{findings:?}");
    assert_eq!(findings.missed(), 1);
    assert!(findings.places[1].detail.contains(READ), "{findings:?}");
    assert!(findings.not_read[0].what.contains(SOURCE), "{findings:?}");
    // A shorter objective for the type holds whatever the tags are.
    let findings = found(&sandbox, &["type=EBS:26h", "tag=tier=gold:8d"], &[]).await;
    assert_eq!(findings.places[1].state, State::InTime, "{findings:?}");
}

#[tokio::test]
async fn a_bucket_is_asked_about_where_its_backups_are() {
    let mut world = tagged();
    let bucket = "arn:aws:s3:::invoices";
    for pointer in [
        format!("/accounts/{SOURCE}/regions/us-east-1/vaults/prod/recovery_points/0"),
        "/accounts/444455556666/regions/eu-west-1/vaults/dr/recovery_points/0".to_owned(),
    ] {
        let point = world.pointer_mut(&pointer).unwrap();
        point["resource_arn"] = json!(bucket);
        point["resource_type"] = json!("S3");
    }
    world["accounts"][SOURCE]["regions"]["us-east-1"]["resource_tags"][bucket] =
        json!({"tier": "gold"});
    let findings = found(&sandbox(&world), &["26h", "tag=tier=gold:2h"], &[]).await;
    let place = findings
        .places
        .iter()
        .find(|place| place.resource.as_str() == bucket)
        .unwrap();
    assert_eq!((place.state, place.is_missed()), (State::Late, true));
}
