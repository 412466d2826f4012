//! What every implementation of `Ledger` must do. Names nothing of DynamoDB, so that it can run against any.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::Arn;
use copymend_remediation::ledger::{Change, JobEntry, Ledger};
use jiff::{SignedDuration, Timestamp};

/// Runs the whole contract on an empty ledger. Panics where it is broken.
pub(super) async fn ledger_contract(ledger: &impl Ledger) {
    jobs(ledger).await;
    incidents(ledger).await;
    leases(ledger).await;
    history(ledger).await;
    retries(ledger).await;
}

fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_secs(seconds)
}

async fn jobs(ledger: &impl Ledger) {
    let begin = |owner, now, until| ledger.begin_job("job", owner, at(now), at(until));
    assert_eq!(begin("a", 0, 60).await.unwrap(), JobEntry::Started);
    assert_eq!(begin("b", 1, 61).await.unwrap(), JobEntry::InProgress);
    // The same request, sent again by the SDK.
    assert_eq!(begin("a", 0, 60).await.unwrap(), JobEntry::Started);
    assert_eq!(
        begin("b", 60, 120).await.unwrap(),
        JobEntry::Started,
        "its time is over"
    );
    ledger.abandon_job("job", "a").await.unwrap();
    assert_eq!(
        begin("c", 61, 121).await.unwrap(),
        JobEntry::InProgress,
        "`a` doesn't own it"
    );
    ledger.abandon_job("job", "b").await.unwrap();
    assert_eq!(begin("c", 62, 122).await.unwrap(), JobEntry::Started);
    ledger.finish_job("job", "retried", at(63)).await.unwrap();
    let done = JobEntry::Done("retried".to_owned());
    assert_eq!(begin("d", 1_000, 1_060).await.unwrap(), done);
    ledger.abandon_job("job", "c").await.unwrap();
    assert_eq!(
        begin("c", 1_001, 1_061).await.unwrap(),
        done,
        "done is done"
    );
    ledger.abandon_job("never begun", "a").await.unwrap();
}

async fn incidents(ledger: &impl Ledger) {
    let mut seen = Vec::new();
    for (outcome, now) in [("refused", 0), ("refused", 1), ("repaired", 2)] {
        let occurrence = ledger
            .record_occurrence("incident", outcome, at(now))
            .await
            .unwrap();
        seen.push((occurrence.count, occurrence.previous_outcome));
    }
    let refused = Some("refused".to_owned());
    assert_eq!(seen, [(1, None), (2, refused.clone()), (3, refused)]);
    let other = ledger
        .record_occurrence("other", "refused", at(3))
        .await
        .unwrap();
    assert_eq!((other.count, other.previous_outcome), (1, None));
}

async fn leases(ledger: &impl Ledger) {
    let resource = "arn:aws:backup:eu-west-1:111122223333:backup-vault:leased";
    let acquire = |owner, now, until| ledger.acquire_lease(resource, owner, at(now), at(until));
    let first = acquire("a", 0, 60).await.unwrap().unwrap();
    assert_eq!(
        (first.resource(), first.owner(), first.until()),
        (resource, "a", at(60))
    );
    assert_eq!(acquire("b", 59, 100).await.unwrap(), None);
    assert_eq!(
        acquire("a", 59, 100).await.unwrap(),
        None,
        "not even by the same owner"
    );
    let second = acquire("b", 60, 120).await.unwrap().unwrap();
    ledger.release_lease(first).await.unwrap();
    assert_eq!(
        acquire("c", 61, 121).await.unwrap(),
        None,
        "a late release frees nobody's lease"
    );
    ledger.release_lease(second).await.unwrap();
    let third = acquire("c", 62, 122).await.unwrap().unwrap();
    let others = ledger
        .acquire_lease("another", "a", at(62), at(122))
        .await
        .unwrap();
    assert!(others.is_some());
    ledger.release_lease(third).await.unwrap();
}

async fn history(ledger: &impl Ledger) {
    let resource = "arn:aws:kms:eu-west-1:111122223333:key/1";
    let change = |id: &str, seconds| Change {
        id: id.to_owned(),
        resource: resource.to_owned(),
        before: Some("{\"Statement\": [ ]}".to_owned()),
        after: "{\"Statement\": [ {} ]}".to_owned(),
        added: vec!["{}".to_owned()],
        at: at(seconds),
        copy_job_id: "job".to_owned(),
    };
    let read = |seconds| async move {
        let mut history = ledger.policy_history(resource, at(seconds)).await.unwrap();
        history.sids.sort();
        (history.sids, history.writes_today)
    };
    assert_eq!(read(0).await, (Vec::new(), 0));
    let sids = |sids: &[&str]| sids.iter().map(|sid| (*sid).to_owned()).collect::<Vec<_>>();
    ledger
        .record_change(&change("1", 0), &sids(&["x", "y"]))
        .await
        .unwrap();
    ledger
        .record_change(&change("2", 1), &sids(&["y", "z"]))
        .await
        .unwrap();
    assert_eq!(read(2).await, (sids(&["x", "y", "z"]), 2));
    // A lease on the resource leaves its history alone.
    let lease = ledger
        .acquire_lease(resource, "a", at(2), at(60))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read(3).await, (sids(&["x", "y", "z"]), 2));
    ledger.release_lease(lease).await.unwrap();
    assert_eq!(read(4).await, (sids(&["x", "y", "z"]), 2));
    // 12:00 plus twelve hours is the next day.
    assert_eq!(read(12 * 3_600 - 1).await.1, 2);
    assert_eq!(read(12 * 3_600).await, (sids(&["x", "y", "z"]), 0));
    ledger
        .record_change(&change("3", 12 * 3_600), &[])
        .await
        .unwrap();
    assert_eq!(read(12 * 3_600 + 1).await, (sids(&["x", "y", "z"]), 1));
}

async fn retries(ledger: &impl Ledger) {
    let point: Arn = "arn:aws:ec2:eu-west-1::snapshot/snap-1".parse().unwrap();
    let vault = |name: &str| -> BackupVaultArn {
        format!("arn:aws:backup:eu-west-1:444455556666:backup-vault:{name}")
            .parse()
            .unwrap()
    };
    let (here, there) = (vault("here"), vault("there"));
    assert_eq!(
        ledger.count_retry(&point, &here, 0, at(0)).await.unwrap(),
        None
    );
    assert_eq!(
        ledger.count_retry(&point, &here, 2, at(0)).await.unwrap(),
        Some(1)
    );
    assert_eq!(
        ledger.count_retry(&point, &here, 2, at(1)).await.unwrap(),
        Some(2)
    );
    assert_eq!(
        ledger.count_retry(&point, &here, 2, at(2)).await.unwrap(),
        None
    );
    assert_eq!(
        ledger.count_retry(&point, &there, 2, at(3)).await.unwrap(),
        Some(1)
    );
    assert_eq!(
        ledger.count_retry(&point, &here, 3, at(4)).await.unwrap(),
        Some(3)
    );

    assert_eq!(ledger.retry_of("new").await.unwrap(), None);
    ledger
        .record_retried_job("new", "old", at(0))
        .await
        .unwrap();
    assert_eq!(
        ledger.retry_of("new").await.unwrap(),
        Some("old".to_owned())
    );
    assert_eq!(ledger.retry_of("old").await.unwrap(), None);
}
