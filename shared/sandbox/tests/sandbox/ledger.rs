//! The ledger in memory behaves as the table does.

use copymend_remediation::ledger::{Change, JobEntry, Ledger};
use copymend_sandbox::MemoryLedger;
use jiff::{SignedDuration, Timestamp};

use crate::small::{POINT, VAULT};

fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-02T23:30:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minutes)
}

#[tokio::test]
async fn a_job_is_handled_by_one_invocation_at_a_time() {
    let ledger = MemoryLedger::default();
    assert_eq!(
        ledger.begin_job("j", "a", at(0), at(5)).await.unwrap(),
        JobEntry::Started
    );
    assert_eq!(
        ledger.begin_job("j", "b", at(4), at(9)).await.unwrap(),
        JobEntry::InProgress
    );
    assert_eq!(
        ledger.begin_job("j", "b", at(5), at(10)).await.unwrap(),
        JobEntry::Started,
        "its time is over"
    );
    ledger.abandon_job("j", "a").await.unwrap();
    assert_eq!(
        ledger.begin_job("j", "c", at(6), at(11)).await.unwrap(),
        JobEntry::InProgress,
        "a has it no more"
    );
    ledger.abandon_job("j", "b").await.unwrap();
    assert_eq!(
        ledger.begin_job("j", "c", at(6), at(11)).await.unwrap(),
        JobEntry::Started
    );
    ledger.finish_job("j", "advised", at(7)).await.unwrap();
    assert_eq!(
        ledger.begin_job("j", "d", at(99), at(100)).await.unwrap(),
        JobEntry::Done("advised".to_owned())
    );
    let later = at(0) + SignedDuration::from_hours(24 * 91);
    assert_eq!(
        ledger.begin_job("j", "d", later, later).await.unwrap(),
        JobEntry::Started,
        "forgotten"
    );
}

#[tokio::test]
async fn a_lease_is_held_until_it_ends_or_is_given_back_by_its_holder() {
    let ledger = MemoryLedger::default();
    let first = ledger
        .acquire_lease("vault", "a", at(0), at(5))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        ledger
            .acquire_lease("vault", "b", at(4), at(9))
            .await
            .unwrap(),
        None
    );
    assert!(
        ledger
            .acquire_lease("other", "b", at(4), at(9))
            .await
            .unwrap()
            .is_some()
    );
    let second = ledger
        .acquire_lease("vault", "b", at(5), at(10))
        .await
        .unwrap()
        .unwrap();
    ledger.release_lease(first).await.unwrap();
    assert_eq!(
        ledger
            .acquire_lease("vault", "c", at(6), at(11))
            .await
            .unwrap(),
        None,
        "b still has it"
    );
    ledger.release_lease(second).await.unwrap();
    assert!(
        ledger
            .acquire_lease("vault", "c", at(6), at(11))
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn incidents_and_retries_are_counted() {
    let ledger = MemoryLedger::default();
    let first = ledger
        .record_occurrence("f", "advised", at(0))
        .await
        .unwrap();
    assert_eq!((first.count, first.previous_outcome), (1, None));
    let second = ledger
        .record_occurrence("f", "refused", at(1))
        .await
        .unwrap();
    assert_eq!(
        (second.count, second.previous_outcome.as_deref()),
        (2, Some("advised"))
    );
    let (point, vault) = (POINT.parse().unwrap(), VAULT.parse().unwrap());
    for expected in [Some(1), Some(2), None, None] {
        assert_eq!(
            ledger.count_retry(&point, &vault, 2, at(0)).await.unwrap(),
            expected
        );
    }
    ledger
        .record_retried_job("new", "old", at(0))
        .await
        .unwrap();
    assert_eq!(
        ledger.retry_of("new").await.unwrap().as_deref(),
        Some("old")
    );
    assert_eq!(ledger.retry_of("old").await.unwrap(), None);
}

#[tokio::test]
async fn changes_are_remembered_and_counted_by_utc_day() {
    let ledger = MemoryLedger::default();
    let change = |id: &str, at| Change {
        id: id.to_owned(),
        resource: VAULT.to_owned(),
        before: None,
        after: "{}".to_owned(),
        added: Vec::new(),
        at,
        copy_job_id: "job".to_owned(),
    };
    for (id, minutes) in [("1", 0), ("2", 10), ("3", 60)] {
        ledger
            .record_change(&change(id, at(minutes)), &["CopymendX".to_owned()])
            .await
            .unwrap();
    }
    let history = ledger.policy_history(VAULT, at(20)).await.unwrap();
    assert_eq!(
        (history.writes_today, history.sids),
        (2, vec!["CopymendX".to_owned()])
    );
    assert_eq!(
        ledger
            .policy_history(VAULT, at(61))
            .await
            .unwrap()
            .writes_today,
        1,
        "the next day"
    );
    assert_eq!(ledger.changes().len(), 3);
}
