//! What nobody may take from another owner: a job's entry, a lease, and the last change of a
//! policy.

use copymend_remediation::ledger::{
    Admission, Change, ChangeState, CountState, CountedAs, Counting, Finish, JobEntry, JobProgress,
    Lease, LeaseAfter, Ledger, Occurrence, RetryRecord,
};
use copymend_remediation::message::{Channel, Channels};
use copymend_remediation::ports::CallErrorKind;

use super::{at, change, count, new, occurrence_of, sids};

/// A person takes an entry that is done, but none that somebody has.
pub(super) async fn taken(ledger: &impl Ledger) {
    let take = |owner, now| ledger.take_job("taken", owner, at(now), at(now + 60));
    assert_eq!(ledger.progress_of_job("taken").await.unwrap(), None);
    let nothing = Some(JobProgress::default());
    assert_eq!(take("a", 0).await.unwrap(), nothing, "a new one");
    assert_eq!(ledger.progress_of_job("taken").await.unwrap(), nothing);
    assert_eq!(take("b", 1).await.unwrap(), None, "`a` has it");
    assert_eq!(take("a", 2).await.unwrap(), nothing, "the same owner");
    let begin = |owner, now| ledger.begin_job("taken", owner, at(now), at(now + 60));
    assert_eq!(begin("event", 3).await.unwrap(), JobEntry::InProgress);
    let finish = async |owner, outcome: &str, now| {
        let finish = Finish::with(outcome);
        let finished = ledger.finish_job("taken", owner, &finish, at(now)).await;
        finished.unwrap();
    };
    finish("a", "planned", 4).await;
    let done = JobEntry::Done("planned".to_owned());
    assert_eq!(begin("event", 5).await.unwrap(), done);
    let record = RetryRecord {
        original_job: "taken".to_owned(),
        origin: None,
        after_change: None,
    };
    ledger
        .record_retried_job("again", &record, at(6))
        .await
        .unwrap();
    let retried = Some(JobProgress {
        retried_as: Some("again".to_owned()),
        ..JobProgress::default()
    });
    assert_eq!(ledger.progress_of_job("taken").await.unwrap(), retried);
    assert_eq!(
        take("b", 7).await.unwrap(),
        retried,
        "what is done is taken"
    );
    assert_eq!(take("a", 8).await.unwrap(), None);
    assert_eq!(take("a", 68).await.unwrap(), retried, "its time is over");
    ledger
        .abandon_job("taken", "a", CountState::Clear)
        .await
        .unwrap();
    assert_eq!(take("c", 69).await.unwrap(), retried);
    finish("c", "repaired", 70).await;
    let outcome = ledger.outcome_of_job("taken").await.unwrap();
    assert_eq!(outcome.as_deref(), Some("repaired"));
}

/// What one delivery did is there for the next.
pub(super) async fn progress(ledger: &impl Ledger) {
    let begin = |owner, now| ledger.begin_job("resumed", owner, at(now), at(now + 60));
    assert_eq!(begin("a", 0).await.unwrap(), new());
    let counted = |owner, outcome, counting, now| {
        let of = occurrence_of("resumed-incident", "resumed", outcome, counting);
        count(ledger, of, owner, now)
    };
    let first = || counted("a", "advised", Counting::First, 1);
    let occurrence = first().await;
    let change = Change {
        resource: "arn:aws:kms:eu-west-1:111122223333:key/resumed".to_owned(),
        ..change("resumed-change", "resumed", 1)
    };
    ledger.intend_change(&change, "a", None).await.unwrap();
    let (topic, log) = (
        Channels::from([Channel::Topic]),
        Channels::from([Channel::Log]),
    );
    let nobody = Channels::new();
    let left = |outcome: &str, occurrence: &Occurrence, told: &Channels| JobProgress {
        counted: Some(CountedAs {
            fingerprint: "resumed-incident".to_owned(),
            outcome: outcome.to_owned(),
            occurrence: occurrence.clone(),
        }),
        is_count_unclear: false,
        change_id: Some("resumed-change".to_owned()),
        told: told.clone(),
        retried_as: None,
    };
    let clear = JobEntry::Started;
    // Its owner neither finished nor abandoned it.
    let unclear = |left: JobProgress| {
        JobEntry::Started(JobProgress {
            is_count_unclear: true,
            ..left
        })
    };
    ledger
        .abandon_job("resumed", "a", CountState::Clear)
        .await
        .unwrap();
    assert_eq!(
        begin("b", 2).await.unwrap(),
        clear(left("advised", &occurrence, &nobody))
    );
    // What an invocation does that lost the entry: it counts, and `b` remembers what it was told.
    first().await;
    ledger.record_told("resumed", "a", &topic).await.unwrap();
    let others = Change {
        id: "change-of-a".to_owned(),
        ..change.clone()
    };
    ledger.intend_change(&others, "a", None).await.unwrap();
    ledger
        .abandon_job("resumed", "b", CountState::Clear)
        .await
        .unwrap();
    assert_eq!(
        begin("b", 2).await.unwrap(),
        clear(left("advised", &occurrence, &nobody))
    );
    ledger.record_told("resumed", "b", &topic).await.unwrap();
    assert_eq!(
        begin("c", 62).await.unwrap(),
        unclear(left("advised", &occurrence, &topic))
    );
    // Each channel has a mark of its own.
    ledger.record_told("resumed", "c", &log).await.unwrap();
    ledger
        .abandon_job("resumed", "c", CountState::Clear)
        .await
        .unwrap();
    assert_eq!(
        begin("c", 62).await.unwrap(),
        clear(left("advised", &occurrence, &(&topic | &log)))
    );
    // It ends otherwise now: not counted again, but people don't know that yet.
    let again = counted("c", "retried", Counting::Again, 63).await;
    assert_eq!(
        (again.count, again.previous_outcome.as_deref()),
        (2, Some("advised"))
    );
    ledger
        .abandon_job("resumed", "c", CountState::Clear)
        .await
        .unwrap();
    assert_eq!(
        begin("d", 64).await.unwrap(),
        clear(left("retried", &again, &nobody))
    );
    ledger
        .record_told("never begun", "a", &topic)
        .await
        .unwrap();
    ends(ledger).await;
}

/// A job that was started again ends, and stays as it is.
async fn ends(ledger: &impl Ledger) {
    let begin = |owner, now| ledger.begin_job("resumed", owner, at(now), at(now + 60));
    started_again(ledger, "resumed", "d").await;
    assert_eq!(ledger.outcome_of_job("resumed").await.unwrap(), None);
    let finish = Finish::with("retried");
    let finished = ledger.finish_job("resumed", "d", &finish, at(63));
    finished.await.unwrap();
    let done = JobEntry::Done("retried".to_owned());
    assert_eq!(begin("e", 64).await.unwrap(), done);
    let outcome = ledger.outcome_of_job("resumed").await.unwrap();
    assert_eq!(outcome.as_deref(), Some("retried"));
    assert_eq!(ledger.outcome_of_job("never begun").await.unwrap(), None);
}

/// What its copy was started again as is known to the next delivery, whoever began the job.
async fn started_again(ledger: &impl Ledger, job: &str, owner: &str) {
    let retry = RetryRecord {
        original_job: job.to_owned(),
        origin: None,
        after_change: None,
    };
    ledger
        .record_retried_job("started", &retry, at(64))
        .await
        .unwrap();
    let of_nobody = RetryRecord {
        original_job: "never begun".to_owned(),
        ..retry.clone()
    };
    ledger
        .record_retried_job("another", &of_nobody, at(64))
        .await
        .unwrap();
    ledger
        .abandon_job(job, owner, CountState::Clear)
        .await
        .unwrap();
    let JobEntry::Started(progress) = ledger.begin_job(job, owner, at(65), at(125)).await.unwrap()
    else {
        panic!("it is free");
    };
    assert_eq!(progress.retried_as.as_deref(), Some("started"));
    assert_eq!(ledger.retry_of("started").await.unwrap(), Some(retry));
    assert_eq!(
        ledger.retry_of("another").await.unwrap(),
        Some(of_nobody),
        "a job without an entry"
    );
    let without_entry = ledger.begin_job("never begun", "a", at(64), at(64));
    assert_eq!(without_entry.await.unwrap(), new());
    ledger
        .abandon_job("never begun", "a", CountState::Clear)
        .await
        .unwrap();
}

pub(super) async fn leases(ledger: &impl Ledger) {
    let resource = "arn:aws:backup:eu-west-1:111122223333:backup-vault:leased";
    let acquire = |owner, now, until| ledger.acquire_lease(resource, owner, at(now), at(until));
    let first = acquire("a", 0, 60).await.unwrap().unwrap();
    assert_eq!(
        (first.resource(), first.owner(), first.until()),
        (resource, "a", at(60))
    );
    assert_eq!(acquire("b", 59, 100).await.unwrap(), None);
    // The same request, sent again by the SDK or delivered again under the same id.
    let first = acquire("a", 1, 60).await.unwrap().unwrap();
    assert!(ledger.is_leased(&first).await.unwrap());
    assert_eq!(
        acquire("b", 89, 149).await.unwrap(),
        None,
        "the clock of `a` may be 30 seconds behind"
    );
    let second = acquire("b", 90, 150).await.unwrap().unwrap();
    assert!(!ledger.is_leased(&first).await.unwrap(), "it is another's");
    assert!(ledger.is_leased(&second).await.unwrap());
    ledger.release_lease(first).await.unwrap();
    assert_eq!(
        acquire("c", 91, 151).await.unwrap(),
        None,
        "a late release frees nobody's lease"
    );
    ledger.release_lease(second.clone()).await.unwrap();
    assert!(!ledger.is_leased(&second).await.unwrap(), "it is nobody's");
    let third = acquire("c", 92, 152).await.unwrap().unwrap();
    let again = acquire("c", 93, 153).await.unwrap().unwrap();
    assert!(
        !ledger.is_leased(&third).await.unwrap(),
        "another of the same owner"
    );
    let third = again;
    let others = ledger
        .acquire_lease("another", "a", at(62), at(122))
        .await
        .unwrap();
    assert!(others.is_some());
    ledger.release_lease(third).await.unwrap();
}

const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:recorded";
const ROLE: &str = "arn:aws:iam::111122223333:role/Recorded";

fn of_vault(id: &str, seconds: i64) -> Change {
    Change {
        resource: VAULT.to_owned(),
        grantee: ROLE.to_owned(),
        account: Some("111122223333".to_owned()),
        ..change(id, "recorded-job", seconds)
    }
}

fn undo_of(undone: &Change, id: &str, seconds: i64) -> Change {
    Change {
        undoes: Some(undone.id.clone()),
        after: None,
        ..of_vault(id, seconds)
    }
}

/// What the ledger says of the vault: its Sids, the ids of the last write, of the admission and of
/// the last change of all.
async fn said(ledger: &impl Ledger) -> (Vec<String>, String, Option<Admission>, Option<String>) {
    let mut history = ledger.policy_history(VAULT, at(0)).await.unwrap();
    history.sids.sort();
    let last = history.last_write.and_then(|last| last.change_id);
    let admitted = ledger.admitted_at(VAULT, ROLE).await.unwrap();
    (
        history.sids,
        last.unwrap_or_default(),
        admitted,
        ledger.last_change().await.unwrap(),
    )
}

/// A change is recorded by whoever holds the lease, or by a later delivery as what it is: earlier
/// than what was written since.
pub(super) async fn records(ledger: &impl Ledger) {
    let later = 100_000;
    let lease = |owner, seconds: i64| async move {
        let taken = ledger.acquire_lease(VAULT, owner, at(seconds), at(seconds + 30));
        taken.await.unwrap().unwrap()
    };
    let record = |change: Change, added: &'static [&'static str], lease: Option<Lease>| async move {
        let lease = lease.as_ref().map(|lease| (lease, LeaseAfter::Kept));
        ledger.confirm_change(&change, &sids(added), lease).await
    };
    let admission = |id: &str, seconds| Admission {
        at: at(seconds),
        change_id: Some(id.to_owned()),
    };
    let first = lease("a", later).await;
    // Two that were put and not recorded, and one that was.
    let (old, older) = (of_vault("l-1", later + 1), of_vault("l-0", later));
    ledger.intend_change(&old, "a", None).await.unwrap();
    ledger.intend_change(&older, "a", None).await.unwrap();
    let written = of_vault("l-2", later + 2);
    ledger.intend_change(&written, "a", None).await.unwrap();
    record(written.clone(), &["m"], Some(first.clone()))
        .await
        .unwrap();
    let recorded = (
        sids(&["m"]),
        "l-2".to_owned(),
        Some(admission("l-2", later + 2)),
        Some("l-2".to_owned()),
    );
    assert_eq!(said(ledger).await, recorded);

    // `b` holds it by now, then nobody: neither `a` nor an earlier lease of `b` records anything.
    let second = lease("b", later + 90).await;
    let third = lease("b", later + 91).await;
    for lost in [&first, &second] {
        let error = record(old.clone(), &["k"], Some(lost.clone()))
            .await
            .unwrap_err();
        assert_eq!(error, lost.lost());
        assert!(error.may_pass(), "{error}");
    }
    ledger.release_lease(third.clone()).await.unwrap();
    let released = record(old.clone(), &["k"], Some(third)).await;
    assert!(released.is_err(), "nobody holds it");
    let undo = undo_of(&written, "undo-l-2", later + 200);
    let undone = record(undo.clone(), &["m"], Some(first.clone())).await;
    assert!(undone.is_err(), "nobody holds it");
    assert_eq!(said(ledger).await, recorded);
    let state = |id| async move { ledger.change(id).await.unwrap().map(|(_, state)| state) };
    assert_eq!(state("l-1").await, Some(ChangeState::Intended));
    assert_eq!(state("l-2").await, Some(ChangeState::Written));
    assert_eq!(state("undo-l-2").await, None);
    // What was recorded before is recorded, whoever holds the lease.
    record(written.clone(), &["m"], Some(first)).await.unwrap();

    // A later delivery records what an earlier one put: its Sids stand, and the later change stays
    // the last one.
    record(old.clone(), &["k"], None).await.unwrap();
    assert_eq!(state("l-1").await, Some(ChangeState::Written));
    let recorded = (sids(&["k", "m"]), recorded.1, recorded.2, recorded.3);
    assert_eq!(said(ledger).await, recorded);
    record(old.clone(), &["k"], None).await.unwrap();
    assert_eq!(said(ledger).await, recorded);
    // An undo without a lease isn't one of the last write: nothing of it.
    let late = undo_of(&old, "undo-l-1", later + 1);
    let error = record(late, &["k"], None).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Rejected);
    assert_eq!(said(ledger).await, recorded);
    assert_eq!(state("l-1").await, Some(ChangeState::Written));

    // Whoever holds the lease writes last, whatever its clock says.
    let held = lease("c", later + 300).await;
    record(older, &["n"], Some(held.clone())).await.unwrap();
    let last = Some("l-2".to_owned());
    let written_last = (sids(&["k", "m", "n"]), "l-0".to_owned());
    let (known, by, admitted, of_all) = said(ledger).await;
    assert_eq!((known, by), written_last);
    assert_eq!((admitted, of_all), (Some(admission("l-0", later)), last));
    record(undo, &["m"], Some(held)).await.unwrap();
    let (known, by, admitted, _) = said(ledger).await;
    assert_eq!((known, by), (sids(&["k", "n"]), "undo-l-2".to_owned()));
    assert_eq!(admitted, None);
    // As late as the last write, and later.
    for (id, seconds) in [("l-3", 200), ("l-4", 201)] {
        record(of_vault(id, later + seconds), &["k"], None)
            .await
            .unwrap();
        let (_, by, admitted, of_all) = said(ledger).await;
        assert_eq!((by.as_str(), of_all.as_deref()), (id, Some(id)));
        assert_eq!(admitted, Some(admission(id, later + seconds)));
    }
}
