//! What every implementation of `Ledger` must do. Names nothing of DynamoDB, so that it can run
//! against any.

use copymend_remediation::ledger::{
    Admission, Change, ChangeState, Count, CountState, CountedAs, Counting, Finish, Granted,
    Grounds, JobEntry, JobProgress, LastWrite, Ledger, Occurrence, PolicyHistory, Refusal,
};
use jiff::{SignedDuration, Timestamp};

#[path = "ledger_contract_of_approvals.rs"]
mod approvals;
#[path = "ledger_contract_at_once.rs"]
mod at_once;
#[path = "ledger_contract_of_claimed_messages.rs"]
mod claimed_messages;
#[path = "ledger_contract_of_records.rs"]
mod of_records;
#[path = "ledger_contract_of_owners.rs"]
mod owners;
#[path = "ledger_contract_of_small_items.rs"]
mod small_items;

use approvals::approvals;
use at_once::{budgets, lease_given_back, recalled, started_again};
use claimed_messages::claimed_messages;
use of_records::on_record;
use owners::{leases, progress, records, taken};
use small_items::{left_out, pauses, preflights, retries, settings, sources, turns};

/// Runs the whole contract on an empty ledger. Panics where it is broken.
pub(crate) async fn ledger_contract(ledger: &impl Ledger) {
    jobs(ledger).await;
    incidents(ledger).await;
    quiet_incidents(ledger).await;
    leases(ledger).await;
    progress(ledger).await;
    taken(ledger).await;
    history(ledger).await;
    records(ledger).await;
    refusals(ledger).await;
    pauses(ledger).await;
    settings(ledger).await;
    retries(ledger).await;
    sources(ledger).await;
    budgets(ledger).await;
    recalled(ledger).await;
    started_again(ledger).await;
    lease_given_back(ledger).await;
    left_out(ledger).await;
    turns(ledger).await;
    preflights(ledger).await;
    approvals(ledger).await;
    on_record(ledger).await;
    claimed_messages(ledger).await;
}

pub(super) fn at(seconds: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_secs(seconds)
}

fn new() -> JobEntry {
    JobEntry::Started(JobProgress::default())
}

/// A job whose owner neither finished nor abandoned it.
fn unclear() -> JobEntry {
    JobEntry::Started(JobProgress {
        is_count_unclear: true,
        ..JobProgress::default()
    })
}

async fn jobs(ledger: &impl Ledger) {
    let begin = |owner, now, until| ledger.begin_job("job", owner, at(now), at(until));
    assert_eq!(begin("a", 0, 60).await.unwrap(), new());
    assert_eq!(begin("b", 1, 61).await.unwrap(), JobEntry::InProgress);
    // The same request, sent again by the SDK, or delivered again after a death.
    assert_eq!(begin("a", 0, 60).await.unwrap(), unclear());
    assert_eq!(
        begin("b", 60, 120).await.unwrap(),
        unclear(),
        "its time is over"
    );
    let abandon = |owner, count| ledger.abandon_job("job", owner, count);
    abandon("a", CountState::Clear).await.unwrap();
    assert_eq!(
        begin("c", 61, 121).await.unwrap(),
        JobEntry::InProgress,
        "`a` doesn't own it"
    );
    abandon("b", CountState::Unclear).await.unwrap();
    assert_eq!(begin("c", 62, 122).await.unwrap(), unclear());
    abandon("c", CountState::Clear).await.unwrap();
    assert_eq!(begin("c", 62, 122).await.unwrap(), new());
    let finish = async |owner, outcome: &str| {
        let finish = Finish::with(outcome);
        ledger.finish_job("job", owner, &finish, at(63)).await
    };
    finish("b", "failed").await.unwrap();
    assert_eq!(
        begin("d", 64, 124).await.unwrap(),
        JobEntry::InProgress,
        "`c` has it"
    );
    finish("c", "retried").await.unwrap();
    finish("c", "advised").await.unwrap();
    let done = JobEntry::Done("retried".to_owned());
    assert_eq!(begin("d", 1_000, 1_060).await.unwrap(), done);
    abandon("c", CountState::Clear).await.unwrap();
    assert_eq!(
        begin("c", 1_001, 1_061).await.unwrap(),
        done,
        "done is done"
    );
    let never_begun = ledger.abandon_job("never begun", "a", CountState::Clear);
    never_begun.await.unwrap();
}

/// Counts an occurrence, and remembers it with the job.
async fn count(ledger: &impl Ledger, count: Count<'_>, owner: &str, seconds: i64) -> Occurrence {
    let (fingerprint, outcome) = (count.fingerprint.to_owned(), count.outcome.to_owned());
    let job = count.copy_job_id;
    let occurrence = ledger.count_occurrence(count, at(seconds)).await.unwrap();
    let counted = CountedAs {
        fingerprint,
        outcome,
        occurrence: occurrence.clone(),
    };
    ledger.record_count(job, owner, &counted).await.unwrap();
    occurrence
}

const fn occurrence_of<'c>(
    fingerprint: &'c str,
    copy_job_id: &'c str,
    outcome: &'c str,
    counting: Counting,
) -> Count<'c> {
    Count {
        fingerprint,
        copy_job_id,
        outcome,
        counting,
        is_due: false,
        is_quiet: false,
    }
}

async fn incidents(ledger: &impl Ledger) {
    let mut seen = Vec::new();
    for (job, outcome, now) in [
        ("i-1", "refused", 0),
        ("i-2", "refused", 1),
        ("i-3", "retried", 2),
    ] {
        ledger
            .begin_job(job, "a", at(now), at(now + 60))
            .await
            .unwrap();
        let of = occurrence_of("incident", job, outcome, Counting::First);
        let occurrence = count(ledger, of, "a", now).await;
        seen.push((
            occurrence.count,
            occurrence.previous_outcome,
            occurrence.since,
        ));
    }
    let refused = Some("refused".to_owned());
    assert_eq!(
        seen,
        [(1, None, 0), (2, refused.clone(), 1), (3, refused, 2)]
    );
    let of = occurrence_of("other", "i-4", "refused", Counting::First);
    let other = count(ledger, of, "a", 3).await;
    assert_eq!((other.count, other.previous_outcome), (1, None));

    let closed = ledger.close_incident("i-2").await.unwrap().unwrap();
    assert_eq!((closed.count, closed.first_seen), (3, at(0)));
    assert_eq!(closed.fingerprint, "incident");
    assert_eq!(
        ledger.close_incident("i-1").await.unwrap(),
        None,
        "it is closed"
    );
    assert_eq!(
        ledger.close_incident("i-2").await.unwrap().as_ref(),
        Some(&closed),
        "another delivery of the same job tells people"
    );
    // It happens again before the incident is forgotten: people believe that it is over.
    let of = occurrence_of("incident", "i-2", "retried", Counting::First);
    let after_the_end = count(ledger, of, "a", 4).await;
    assert_eq!(
        (after_the_end.count, after_the_end.previous_outcome),
        (4, None)
    );
    let closed = ledger.close_incident("i-2").await.unwrap().unwrap();
    ledger.forget_incident(&closed, "i-1", at(4)).await.unwrap();
    assert!(ledger.close_incident("i-2").await.unwrap().is_some());
    ledger.forget_incident(&closed, "i-2", at(4)).await.unwrap();
    assert_eq!(ledger.close_incident("i-2").await.unwrap(), None);
    assert_eq!(ledger.close_incident("never begun").await.unwrap(), None);
    // Counted before, and forgotten since: it begins anew, and the next one is the second.
    let mut counts = Vec::new();
    for counting in [Counting::Again, Counting::First] {
        let of = occurrence_of("incident", "i-1", "refused", counting);
        let occurrence = count(ledger, of, "a", 5).await;
        counts.push((occurrence.count, occurrence.previous_outcome));
    }
    assert_eq!(counts, [(1, None), (2, Some("refused".to_owned()))]);
}

/// People know of an incident that was counted otherwise than quietly, until it is forgotten.
async fn quiet_incidents(ledger: &impl Ledger) {
    let begin = async |job: &str| {
        let begun = ledger.begin_job(job, "a", at(0), at(60)).await;
        begun.unwrap();
    };
    let of = |is_quiet: bool, job: &'static str| Count {
        is_quiet,
        ..occurrence_of("quiet", job, "retried", Counting::First)
    };
    for (known, counts) in [
        (false, &[(true, "q-1"), (true, "q-2")][..]),
        (true, &[(true, "q-3"), (false, "q-4"), (true, "q-5")]),
        (false, &[(true, "q-6")]),
    ] {
        for (is_quiet, job) in counts {
            begin(job).await;
            count(ledger, of(*is_quiet, job), "a", 1).await;
        }
        let job = counts.last().unwrap().1;
        let closed = ledger.close_incident(job).await.unwrap().unwrap();
        assert_eq!(closed.is_known, known, "{counts:?}");
        ledger.forget_incident(&closed, job, at(2)).await.unwrap();
    }
}

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

fn change(id: &str, job: &str, seconds: i64) -> Change {
    Change {
        id: id.to_owned(),
        resource: KEY.to_owned(),
        grantee: "444455556666".to_owned(),
        account: Some("444455556666".to_owned()),
        before: Some("{\"Statement\": [ ]}".to_owned()),
        after: Some("{\"Statement\": [ {} ]}".to_owned()),
        statements: vec!["{}".to_owned()],
        at: at(seconds),
        copy_job_id: job.to_owned(),
        undoes: None,
        allows_again: false,
        made_by: None,
        grounds: Grounds {
            program_version: Some("0.1.0".to_owned()),
            settings_hash: Some("abc".to_owned()),
            settings: [("COPYMEND_MODE".to_owned(), "repair".to_owned())].into(),
            admitted_by: vec!["COPYMEND_ALLOWED_KEYS: *".to_owned()],
            guards: vec!["not-paused: nothing is paused".to_owned()],
        },
    }
}

fn sids(sids: &[&str]) -> Vec<String> {
    sids.iter().map(|sid| (*sid).to_owned()).collect()
}

async fn history(ledger: &impl Ledger) {
    let read = |seconds| async move {
        let mut history = ledger.policy_history(KEY, at(seconds)).await.unwrap();
        history.sids.sort();
        (history.sids, history.writes_today)
    };
    let write = |id: &'static str, seconds, added: &'static [&'static str]| async move {
        let change = change(id, "job", seconds);
        ledger.intend_change(&change, "a", None).await.unwrap();
        let added = sids(added);
        let confirm = || ledger.confirm_change(&change, &added, None);
        confirm().await.unwrap();
        // Recorded again, by a delivery that resumed.
        confirm().await.unwrap();
    };
    let admitted = || ledger.admitted_at(KEY, "444455556666");
    assert_eq!(read(0).await, (Vec::new(), 0));
    assert_eq!(ledger.change("1").await.unwrap(), None);
    let intended = change("0", "job", 0);
    ledger.intend_change(&intended, "a", None).await.unwrap();
    assert_eq!(
        ledger.change("0").await.unwrap(),
        Some((intended, ChangeState::Intended))
    );
    assert_eq!(
        read(0).await,
        (Vec::new(), 1),
        "an intent counts, as its put may fail"
    );
    assert_eq!(admitted().await.unwrap(), None);

    write("1", 0, &["x", "y"]).await;
    write("2", 1, &["y", "z"]).await;
    assert_eq!(read(2).await, (sids(&["x", "y", "z"]), 3));
    let last_write = ledger.policy_history(KEY, at(2)).await.unwrap().last_write;
    let mut last_write = last_write.unwrap();
    last_write.sids.sort();
    assert_eq!(
        last_write,
        LastWrite {
            at: at(1),
            sids: sids(&["y", "z"]),
            is_undo: false,
            change_id: Some("2".to_owned()),
        }
    );
    let of = |at, id: &str| Admission {
        at,
        change_id: Some(id.to_owned()),
    };
    assert_eq!(admitted().await.unwrap(), Some(of(at(1), "2")));
    assert_eq!(
        ledger.admitted_at(KEY, "777788889999").await.unwrap(),
        None,
        "another grantee"
    );
    assert_eq!(ledger.last_change().await.unwrap().as_deref(), Some("2"));
    assert_eq!(
        ledger.change("2").await.unwrap(),
        Some((change("2", "job", 1), ChangeState::Written))
    );
    // A lease on the resource leaves its history alone.
    let lease = ledger
        .acquire_lease(KEY, "a", at(2), at(60))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read(3).await, (sids(&["x", "y", "z"]), 3));
    ledger.release_lease(lease).await.unwrap();
    // 12:00 plus twelve hours is the next day.
    assert_eq!(read(12 * 3_600 - 1).await.1, 3);
    assert_eq!(read(12 * 3_600).await, (sids(&["x", "y", "z"]), 0));

    let undo = Change {
        undoes: Some("2".to_owned()),
        after: None,
        ..change("undo-2", "job", 12 * 3_600)
    };
    ledger.intend_change(&undo, "a", None).await.unwrap();
    let taken_out = sids(&["y", "z"]);
    let undone = ledger.confirm_change(&undo, &taken_out, None);
    undone.await.unwrap();
    assert_eq!(read(12 * 3_600 + 1).await, (sids(&["x"]), 1));
    let history = ledger.policy_history(KEY, at(12 * 3_600)).await.unwrap();
    let undone = history.last_write.map(|last| (last.at, last.is_undo));
    assert_eq!(undone, Some((at(12 * 3_600), true)));
    assert_eq!(admitted().await.unwrap(), None);
    let (_, state) = ledger.change("2").await.unwrap().unwrap();
    assert_eq!(state, ChangeState::Undone);
    assert_eq!(
        ledger.change("undo-2").await.unwrap(),
        Some((undo, ChangeState::Written))
    );
    let last = || ledger.last_change();
    assert_eq!(last().await.unwrap().as_deref(), Some("undo-2"));
    // Written before, and recorded only now.
    let late = change("0", "job", 0);
    ledger
        .confirm_change(&late, &sids(&["w"]), None)
        .await
        .unwrap();
    assert_eq!(last().await.unwrap().as_deref(), Some("undo-2"));
}

const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:refused";
const ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";
const OTHER_ROLE: &str = "arn:aws:iam::111122223333:role/service-role/Another";

/// An undo refuses its grantee, at once and for ever, and one read of the resource shows it.
async fn refusals(ledger: &impl Ledger) {
    let change = |id: &str, grantee: &str, seconds| Change {
        resource: VAULT.to_owned(),
        grantee: grantee.to_owned(),
        account: Some("111122223333".to_owned()),
        ..change(id, "refused-job", seconds)
    };
    let undo_of = |change: &Change, allows_again, seconds| Change {
        id: format!("undo-{}-{seconds}", change.id),
        undoes: Some(change.id.clone()),
        after: None,
        at: at(seconds),
        allows_again,
        made_by: Some("arn:aws:iam::111122223333:user/somebody".to_owned()),
        ..change.clone()
    };
    let read = |seconds| async move {
        let mut history = ledger.policy_history(VAULT, at(seconds)).await.unwrap();
        history.granted.sort();
        history.refusals.sort();
        history
    };
    let record = |change: Change, added: &'static [&'static str]| async move {
        ledger.intend_change(&change, "a", None).await.unwrap();
        ledger
            .confirm_change(&change, &sids(added), None)
            .await
            .unwrap();
        ledger
            .confirm_change(&change, &sids(added), None)
            .await
            .unwrap();
    };
    let granted = |sid: &str, grantee: &str| Granted {
        sid: sid.to_owned(),
        account: "111122223333".to_owned(),
        grantee: grantee.to_owned(),
    };
    let refusal = |change: &str, grantee: &str| Refusal {
        change_id: change.to_owned(),
        grantee: grantee.to_owned(),
    };
    let (one, other) = (change("r-1", ROLE, 0), change("r-2", OTHER_ROLE, 1));
    record(one.clone(), &["a"]).await;
    record(other.clone(), &["b", "c"]).await;
    // Written by a version that didn't keep the account.
    let old = Change {
        account: None,
        ..change("r-3", "organization", 2)
    };
    record(old.clone(), &["d"]).await;
    let history = read(3).await;
    assert_eq!(
        history.granted,
        [
            granted("a", ROLE),
            granted("b", OTHER_ROLE),
            granted("c", OTHER_ROLE)
        ]
    );
    assert_eq!(history.refusals, []);

    record(undo_of(&one, false, 4), &["a"]).await;
    record(undo_of(&other, false, 5), &["b", "c"]).await;
    record(undo_of(&old, true, 6), &["d"]).await;
    let years = 20 * 365 * 24 * 3_600;
    for seconds in [7, years] {
        let PolicyHistory {
            sids,
            granted,
            refusals,
            ..
        } = read(seconds).await;
        assert_eq!((sids, granted), (Vec::new(), Vec::new()));
        assert_eq!(
            refusals,
            [refusal("r-1", ROLE), refusal("r-2", OTHER_ROLE)],
            "the third undo lets its grantee in again"
        );
    }
    let (kept, _) = ledger.change("undo-r-3-6").await.unwrap().unwrap();
    assert_eq!(kept, undo_of(&old, true, 6));

    let by = Some("arn:aws:iam::111122223333:user/owner");
    for _ in 0..2 {
        ledger
            .lift_refusal(VAULT, &refusal("r-1", ROLE), by, at(8))
            .await
            .unwrap();
    }
    assert_eq!(read(9).await.refusals, [refusal("r-2", OTHER_ROLE)]);
    ledger
        .lift_refusal("never written", &refusal("r-9", ROLE), None, at(8))
        .await
        .unwrap();
    // Refused once more.
    let again = change("r-4", ROLE, 10);
    record(again.clone(), &["a"]).await;
    record(undo_of(&again, false, 11), &["a"]).await;
    let refused = read(12).await.refusals;
    assert_eq!(refused, [refusal("r-2", OTHER_ROLE), refusal("r-4", ROLE)]);
}
