//! What is asked at once, and what is done at once or not at all.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ledger::{
    Admission, Change, ChangeState, Count, CountState, CountedAs, CountedOfSource, CountedRetries,
    Counting, Finish, JobEntry, JobProgress, LeaseAfter, Ledger, MessagesOf, OF_ALL_ACCOUNTS,
    Occurrence, Origin, RecallAsked, Recalled, RecalledIncident, RecalledJob, RecordedSettings,
    RetryClaim, RetryClaimed, RetryRecord, StartedAgain, StartedAgainEnd,
};
use copymend_remediation::message::{Channel, Channels};

use super::{at, change, count, new, occurrence_of, sids};

const POINT: &str = "arn:aws:ec2:us-east-1::snapshot/snap-at-once";
const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:at-once";
const ROLE: &str = "arn:aws:iam::222233334444:role/AtOnce";
const KEY: &str = "arn:aws:kms:us-east-1:222233334444:key/at-once";
const KEY_GRANTEE: &str = "444455556666/least-privilege/ec2";
const KEY_INCIDENT: &str = "source-key-policy#at-once";
const INCIDENT: &str = "destination-vault-policy#at-once";

fn source() -> AccountId {
    "222233334444".parse().unwrap()
}

fn asked(job: &str) -> RecallAsked {
    RecallAsked {
        copy_job_id: job.to_owned(),
        source: source(),
        recovery_point: Some(POINT.parse().unwrap()),
        destination: VAULT.parse().unwrap(),
        grantee: ROLE.to_owned(),
        fingerprint: INCIDENT.to_owned(),
        key_grantee: Some(KEY_GRANTEE.to_owned()),
        key_fingerprint: Some(KEY_INCIDENT.to_owned()),
        wants_writes: true,
    }
}

async fn ask(ledger: &impl Ledger, job: &str, owner: &str, seconds: i64) -> Recalled {
    ledger
        .recall(&asked(job), owner, at(seconds))
        .await
        .unwrap()
}

/// A claim of one retry, with what else it needs.
struct Claim<'c> {
    job: &'c str,
    budget: u32,
    source_budget: u32,
    known: Option<&'c CountedRetries>,
    begin: Option<&'c str>,
}

async fn claim(ledger: &impl Ledger, of: Claim<'_>, seconds: i64) -> RetryClaimed {
    let (point, vault): (Arn, BackupVaultArn) = (POINT.parse().unwrap(), VAULT.parse().unwrap());
    let claim = RetryClaim {
        failed_job: of.job,
        recovery_point: &point,
        destination: &vault,
        budget: of.budget,
        anew_after: None,
        source: source(),
        source_budget: of.source_budget,
        known: of.known,
        begin: of.begin.map(|owner| (owner, at(seconds + 60))),
        message: None,
    };
    ledger.claim_retry(&claim, at(seconds)).await.unwrap()
}

/// A retry is counted for the copy and for its account, or for neither; with it the job is begun, where
/// nobody has it.
pub(super) async fn budgets(ledger: &impl Ledger) {
    let of = |job, budget, source_budget| Claim {
        job,
        budget,
        source_budget,
        known: None,
        begin: Some("a"),
    };
    let claimed = claim(ledger, of("b-1", 2, 0), 0).await;
    assert_eq!(claimed, RetryClaimed::SourceBudgetUsedUp);
    assert_eq!(
        ask(ledger, "b-1", "b", 0).await.job,
        Ok(RecalledJob::Free(JobProgress::default()))
    );
    let retries = ask(ledger, "b-1", "b", 0).await.retries.unwrap().unwrap();
    assert_eq!(retries, CountedRetries::default(), "all or nothing");
    assert_eq!(
        claim(ledger, of("b-1", 2, 2), 1).await,
        RetryClaimed::Attempt(1)
    );
    // The job is begun with it.
    let begun = ask(ledger, "b-1", "b", 2).await;
    assert_eq!(begun.job, Ok(RecalledJob::InProgress));
    let retries = begun.retries.unwrap().unwrap();
    assert_eq!(retries.jobs, ["b-1"]);
    let unclear = JobProgress {
        is_count_unclear: true,
        ..JobProgress::default()
    };
    assert_eq!(
        ask(ledger, "b-1", "a", 2).await.job,
        Ok(RecalledJob::Free(unclear))
    );
    for other in ["a", "b"] {
        let again = Claim {
            begin: Some(other),
            ..of("b-1", 2, 2)
        };
        assert_eq!(
            claim(ledger, again, 3).await,
            RetryClaimed::NotFree,
            "{other}"
        );
    }
    // What was read is used, and isn't believed where others came in between.
    for known in [&retries, &CountedRetries::default()] {
        let first = Claim {
            known: Some(known),
            begin: None,
            ..of("b-2", 1, 9)
        };
        assert_eq!(claim(ledger, first, 4).await, RetryClaimed::BudgetUsedUp);
    }
    let stale = Claim {
        known: Some(&CountedRetries::default()),
        ..of("b-2", 2, 2)
    };
    assert_eq!(claim(ledger, stale, 5).await, RetryClaimed::Attempt(2));
    let over = of("b-3", 3, 2);
    assert_eq!(
        claim(ledger, over, 6).await,
        RetryClaimed::SourceBudgetUsedUp
    );
    // Counted for the copy before, it counts for the account once more.
    let again = Claim {
        begin: None,
        ..of("b-1", 2, 3)
    };
    assert!(matches!(
        claim(ledger, again, 7).await,
        RetryClaimed::Attempt(1 | 2)
    ));
    let used_up = ledger.count_of_source(CountedOfSource::Retries, source(), 3, at(7));
    assert!(!used_up.await.unwrap());
    // A job that is done isn't begun.
    let finish = Finish::with("retried");
    ledger.finish_job("b-1", "a", &finish, at(8)).await.unwrap();
    let done = of("b-1", 9, 9);
    assert_eq!(claim(ledger, done, 9).await, RetryClaimed::NotFree);
    // A budget for the writes of an account stops the intent of one.
    let intend = async |id: &str, budget| {
        let change = Change {
            resource: VAULT.to_owned(),
            ..change(id, "b-job", 0)
        };
        let intended = ledger.intend_change(&change, "a", Some((source(), budget)));
        intended.await.unwrap()
    };
    assert!(intend("b-c-1", 1).await);
    assert!(!intend("b-c-2", 1).await);
    assert!(
        ledger.change("b-c-2").await.unwrap().is_none(),
        "nothing of it"
    );
    let known = ledger.before_write(VAULT, source(), at(0)).await.unwrap();
    assert_eq!(known.source_writes, Ok(1));
    assert_eq!(known.history.unwrap().writes_today, 1);
    assert_eq!(known.pause, Ok(None));
}

/// One question tells what many would.
pub(super) async fn recalled(ledger: &impl Ledger) {
    let other = "arn:aws:ec2:us-east-1::snapshot/snap-never";
    let never = RecallAsked {
        recovery_point: Some(other.parse().unwrap()),
        wants_writes: false,
        ..asked("never")
    };
    let nothing = ledger.recall(&never, "a", at(0)).await.unwrap();
    assert_eq!(nothing.job, Ok(RecalledJob::Free(JobProgress::default())));
    assert_eq!(nothing.retry, Ok(None));
    assert_eq!(nothing.admission, Ok(None));
    assert_eq!(nothing.incident, Ok(None));
    assert_eq!(nothing.retries, Some(Ok(CountedRetries::default())));
    assert_eq!((nothing.messages, nothing.left_out_since), (Some(0), None));
    assert!(nothing.writes.is_none(), "it was not asked");
    assert!(!nothing.has_opted_out_key);
    ledger
        .record_opted_out_key("777788889999".parse().unwrap(), at(0))
        .await
        .unwrap();
    assert!(
        !ask(ledger, "never", "a", 0).await.has_opted_out_key,
        "of another account"
    );
    assert_eq!(nothing.key_admission, Ok(None));
    assert_eq!(nothing.key_incident, Ok(None));
    recalled_of_a_job(ledger).await;
    recalled_of_a_key(ledger).await;
}

async fn recalled_of_a_job(ledger: &impl Ledger) {
    let begun = ledger.begin_job("r-1", "a", at(0), at(60)).await.unwrap();
    assert_eq!(begun, new());
    assert_eq!(
        ask(ledger, "r-1", "b", 1).await.job,
        Ok(RecalledJob::InProgress)
    );
    assert!(matches!(
        ask(ledger, "r-1", "b", 60).await.job,
        Ok(RecalledJob::Free(_))
    ));
    let first = count(
        ledger,
        occurrence_of(INCIDENT, "r-1", "repaired", Counting::First),
        "a",
        1,
    )
    .await;
    let granted = Change {
        resource: VAULT.to_owned(),
        grantee: ROLE.to_owned(),
        ..change("r-change", "r-1", 1)
    };
    ledger.intend_change(&granted, "a", None).await.unwrap();
    ledger
        .confirm_change(&granted, &sids(&["r"]), None)
        .await
        .unwrap();
    let record = RetryRecord {
        original_job: "r-1".to_owned(),
        origin: Some(Origin::BackupPlan),
        after_change: None,
    };
    ledger
        .record_retried_job("r-2", &record, at(2))
        .await
        .unwrap();
    let messages = MessagesOf {
        account: source(),
        is_confirmed: true,
    };
    ledger
        .leave_out(messages, "unknown", "r-1", at(3))
        .await
        .unwrap();
    for (what, account) in [
        (CountedOfSource::Messages, source()),
        (
            CountedOfSource::AllMessages,
            OF_ALL_ACCOUNTS.parse().unwrap(),
        ),
    ] {
        assert!(
            ledger
                .count_of_source(what, account, 100, at(3))
                .await
                .unwrap()
        );
    }

    recalled_of_its_retry(ledger, record).await;
    // What earlier deliveries left is told as they would be told.
    let of_first = ask(ledger, "r-1", "a", 4).await;
    let left = JobProgress {
        counted: Some(CountedAs {
            fingerprint: INCIDENT.to_owned(),
            outcome: "repaired".to_owned(),
            occurrence: first,
        }),
        change_id: Some("r-change".to_owned()),
        retried_as: Some("r-2".to_owned()),
        ..JobProgress::default()
    };
    assert_eq!(of_first.job, Ok(RecalledJob::Free(left)));
    let finish = Finish {
        told: Channels::from([Channel::Topic]),
        ..Finish::with("repaired-and-retried")
    };
    ledger.finish_job("r-1", "a", &finish, at(5)).await.unwrap();
    let done = RecalledJob::Done("repaired-and-retried".to_owned());
    assert_eq!(ask(ledger, "r-1", "b", 6).await.job, Ok(done));
    let kept = ledger.progress_of_job("r-1").await.unwrap().unwrap();
    assert_eq!(kept.told, Channels::from([Channel::Topic]));
    assert!(kept.counted.is_some());
}

async fn recalled_of_its_retry(ledger: &impl Ledger, record: RetryRecord) {
    let known = ask(ledger, "r-2", "a", 4).await;
    assert_eq!(known.retry, Ok(Some(record)));
    let admission = Admission {
        at: at(1),
        change_id: Some("r-change".to_owned()),
    };
    assert_eq!(known.admission, Ok(Some(admission)));
    let incident = RecalledIncident {
        count: 1,
        since: 1,
        outcome: Some("repaired".to_owned()),
    };
    assert_eq!(known.incident, Ok(Some(incident)));
    assert_eq!(
        (known.messages, known.left_out_since),
        (Some(1), Some(at(3)))
    );
    assert!(known.messages_of_all.is_some_and(|all| all >= 1));
    assert_eq!(known.writes.unwrap().history.unwrap().sids, sids(&["r"]));
}

async fn recalled_of_a_key(ledger: &impl Ledger) {
    let settings = RecordedSettings {
        hash: "at-once".to_owned(),
        values: [("COPYMEND_MODE".to_owned(), "repair".to_owned())].into(),
    };
    let notice = ledger
        .claim_settings_notice(&settings, "a", at(7), at(67))
        .await
        .unwrap();
    let recorded = ask(ledger, "r-1", "b", 7).await.settings.unwrap();
    assert_eq!(recorded, notice.map(|notice| notice.before));
    let of_key = Change {
        resource: KEY.to_owned(),
        grantee: KEY_GRANTEE.to_owned(),
        ..change("r-key", "r-1", 6)
    };
    ledger.confirm_change(&of_key, &[], None).await.unwrap();
    let counted = occurrence_of(KEY_INCIDENT, "r-2", "repaired", Counting::First);
    count(ledger, counted, "a", 6).await;
    let known = ask(ledger, "r-2", "a", 7).await;
    let last = known.key_admission.unwrap().unwrap();
    assert_eq!((last.key.as_str(), last.admission.at), (KEY, at(6)));
    assert_eq!(last.admission.change_id.as_deref(), Some("r-key"));
    assert_eq!(known.key_incident.unwrap().unwrap().count, 1);
    let undo = Change {
        id: "undo-r-key".to_owned(),
        undoes: Some("r-key".to_owned()),
        at: at(7),
        ..of_key
    };
    ledger.confirm_change(&undo, &[], None).await.unwrap();
    assert_eq!(ask(ledger, "r-2", "a", 8).await.key_admission, Ok(None));
    ledger.record_opted_out_key(source(), at(7)).await.unwrap();
    assert!(ask(ledger, "r-1", "b", 7).await.has_opted_out_key);
    // One that is closed is news when it is seen again.
    ledger.close_incident("r-1").await.unwrap().unwrap();
    let closed = ask(ledger, "r-2", "a", 8).await.incident.unwrap().unwrap();
    assert_eq!((closed.count, closed.outcome), (1, None));
}

/// A copy that was started again and that nobody has to hear of: remembered, counted and ended at once,
/// by whoever has the job.
pub(super) async fn started_again(ledger: &impl Ledger) {
    let incident = "destination-vault-policy#started-again";
    let begin = async |job: &str, owner: &str| {
        let begun = ledger.begin_job(job, owner, at(0), at(60)).await;
        begun.unwrap()
    };
    begin("s-1", "a").await;
    count(
        ledger,
        occurrence_of(incident, "s-1", "repaired-and-retried", Counting::First),
        "a",
        1,
    )
    .await;
    let end = async |job: &str, owner: &str, new_job: &str, expected: u64| {
        let record = RetryRecord {
            original_job: job.to_owned(),
            origin: Some(Origin::BackupPlan),
            after_change: None,
        };
        let occurrence = Occurrence {
            count: expected,
            previous_outcome: Some("retried".to_owned()),
            since: 1,
        };
        let started = StartedAgain {
            owner,
            retried_job: new_job,
            record: &record,
            count: Count {
                fingerprint: incident,
                copy_job_id: job,
                outcome: "retried",
                counting: Counting::First,
                is_due: false,
                is_quiet: false,
            },
            occurrence: &occurrence,
            told: &Channels::new(),
        };
        ledger.finish_started_again(&started, at(2)).await.unwrap()
    };
    let counted = async || {
        let asked = RecallAsked {
            fingerprint: incident.to_owned(),
            ..asked("any")
        };
        let known = ledger.recall(&asked, "a", at(3)).await.unwrap();
        known.incident.unwrap().unwrap()
    };
    begin("s-2", "a").await;
    let taken_over = end("s-2", "b", "s-2-again", 2).await;
    assert_eq!(taken_over, StartedAgainEnd::TakenOver);
    assert_eq!(counted().await.count, 1, "`b` doesn't have it");
    assert_eq!(ledger.retry_of("s-2-again").await.unwrap(), None);
    for number in 2..=12 {
        let (job, new_job) = (format!("s-{number}"), format!("s-{number}-again"));
        begin(&job, "a").await;
        let finished = end(&job, "a", &new_job, number).await;
        assert_eq!(finished, StartedAgainEnd::Finished);
        let done = JobEntry::Done("retried".to_owned());
        assert_eq!(begin(&job, "b").await, done);
        let retry = ledger.retry_of(&new_job).await.unwrap().unwrap();
        assert_eq!(retry.original_job, job);
        let kept = ledger.progress_of_job(&job).await.unwrap().unwrap();
        assert_eq!(kept.retried_as.as_deref(), Some(new_job.as_str()));
        assert_eq!(kept.counted.unwrap().occurrence.count, number);
    }
    // Nobody looked since the first, so the next one who is counted aloud does.
    let open = counted().await;
    assert_eq!((open.count, open.since), (12, 1));
    assert_eq!(open.outcome.as_deref(), Some("retried"));
    begin("s-13", "a").await;
    let aloud = occurrence_of(incident, "s-13", "retried", Counting::First);
    let aloud = count(ledger, aloud, "a", 3).await;
    assert_eq!((aloud.count, aloud.since), (13, 1));
    assert_eq!((counted().await.count, counted().await.since), (13, 13));
    // Its retry closes the incident, as any.
    let closed = ledger.close_incident("s-12").await.unwrap().unwrap();
    assert_eq!((closed.count, closed.is_known), (13, true));
    // Closed or forgotten it is news when it is seen again: nothing of it is done here.
    begin("s-14", "a").await;
    for _ in 0..2 {
        let over = end("s-14", "a", "s-14-again", 14).await;
        assert_eq!(over, StartedAgainEnd::IncidentOver);
        assert_eq!(ledger.retry_of("s-14-again").await.unwrap(), None);
        let still = begin("s-14", "b").await;
        assert_eq!(still, JobEntry::InProgress);
        ledger
            .forget_incident(&closed, "s-12", at(4))
            .await
            .unwrap();
    }
    ledger
        .abandon_job("s-13", "a", CountState::Clear)
        .await
        .unwrap();
}

/// A lease is given back with the record of the change that it was for, or stays where nothing is recorded.
pub(super) async fn lease_given_back(ledger: &impl Ledger) {
    let change = Change {
        resource: VAULT.to_owned(),
        ..change("g-1", "g-job", 200_000)
    };
    let take = async |owner: &str, seconds: i64| {
        let taken = ledger
            .acquire_lease(VAULT, owner, at(seconds), at(seconds + 30))
            .await;
        taken.unwrap()
    };
    let lease = take("a", 200_000).await.unwrap();
    ledger.intend_change(&change, "a", None).await.unwrap();
    let given_back = Some((&lease, LeaseAfter::GivenBack));
    ledger
        .confirm_change(&change, &sids(&["g"]), given_back)
        .await
        .unwrap();
    assert!(!ledger.is_leased(&lease).await.unwrap());
    let next = take("b", 200_001).await.expect("it is free at once");
    // Recorded before, in a call whose answer was lost: another one has the lease by now, and keeps it.
    ledger
        .confirm_change(&change, &sids(&["g"]), given_back)
        .await
        .unwrap();
    assert!(ledger.is_leased(&next).await.unwrap());
    let late = Change {
        id: "g-2".to_owned(),
        ..change.clone()
    };
    let lost = ledger
        .confirm_change(&late, &sids(&["g"]), given_back)
        .await;
    assert_eq!(lost.unwrap_err(), lease.lost());
    assert_eq!(ledger.change("g-2").await.unwrap(), None);
    let (_, state) = ledger.change("g-1").await.unwrap().unwrap();
    assert_eq!(state, ChangeState::Written);
    ledger.release_lease(next).await.unwrap();
}
