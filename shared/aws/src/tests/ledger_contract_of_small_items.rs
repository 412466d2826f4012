//! The part of the contract that is about the ledger's small items: the pause, the settings, the
//! retries, the messages that were left out.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ledger::{
    AfterChange, CountedOfSource, FURTHEST_TURN, Ledger, LeftOut, MessagesOf, Origin, Pause,
    RecordedSettings, RetryClaim, RetryClaimed, RetryRecord, SettingsNotice, ToldOfPlace,
    ToldRoute,
};
use copymend_remediation::ports::Location;
use jiff::SignedDuration;

use super::at;

pub(super) async fn pauses(ledger: &impl Ledger) {
    let pause = |reason: &str, until: Option<i64>| Pause {
        reason: reason.to_owned(),
        since: at(0),
        until: until.map(at),
        by: None,
    };
    assert_eq!(ledger.pause(at(0)).await.unwrap(), None);
    assert!(!ledger.lift_pause(None, at(2)).await.unwrap());
    let (for_ever, for_a_while) = (pause("audit", None), pause("a \"change\" freeze", Some(60)));
    ledger.set_pause(&for_ever).await.unwrap();
    assert_eq!(ledger.pause(at(1)).await.unwrap(), Some(for_ever));
    ledger.set_pause(&for_a_while).await.unwrap();
    assert_eq!(ledger.pause(at(59)).await.unwrap(), Some(for_a_while));
    assert_eq!(ledger.pause(at(60)).await.unwrap(), None, "it is over");
    assert!(ledger.lift_pause(None, at(2)).await.unwrap());
    assert_eq!(ledger.pause(at(1)).await.unwrap(), None);
}

/// Two at once, then two a second; none that would be later than is asked for; and after a silence
/// two at once again, as after a clock that was far ahead.
pub(super) async fn turns(ledger: &impl Ledger) {
    let milliseconds = SignedDuration::from_millis;
    let take = |now: i64, longest: i64| async move {
        let now = at(0) + milliseconds(now);
        let turn = ledger.take_turn(now, milliseconds(longest)).await.unwrap();
        turn.map(|turn| turn.duration_since(at(0)).as_millis())
    };
    let mut taken = Vec::new();
    for _ in 0..5 {
        taken.push(take(0, 1_500).await.unwrap());
    }
    assert_eq!(taken, [0, 0, 500, 1_000, 1_500]);
    assert_eq!(take(0, 1_500).await, None);
    assert_eq!(take(0, 1_500).await, None, "nothing was taken");
    assert_eq!(take(1_000, 1_500).await, Some(2_000));
    assert_eq!(take(0, 2_500).await, Some(2_500), "a clock that is late");
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(take(60_000, 0).await);
    }
    assert_eq!(taken, [Some(60_000), Some(60_000), None]);
    // As far ahead as a clock may be early: turns are kept apart. Further: that clock was wrong.
    let furthest = i64::try_from(FURTHEST_TURN.as_millis()).unwrap();
    let next = 600_000;
    assert_eq!(take(next - 500, 0).await, Some(i128::from(next - 500)));
    assert_eq!(take(next - furthest, 30_000).await, None);
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(take(next - furthest - 1, 0).await);
    }
    let anew = Some(i128::from(next - furthest - 1));
    assert_eq!(taken, [anew, anew, None], "one wrong clock stops nothing");
}

pub(super) async fn preflights(ledger: &impl Ledger) {
    let place = |region: &str| Location::new("111122223333".parse().unwrap(), region);
    let (here, there) = (place("eu-west-1"), place("eu-central-1"));
    assert_eq!(ledger.told_of_place(&here).await.unwrap(), None);
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let route = ToldRoute::new(
        "EBS from vault a to vault b",
        &["source-key-policy".to_owned()],
        &texts(&["rule"]),
        &texts(&["volume"]),
        "fedcba9876543210",
    );
    let first = ToldOfPlace {
        looked_at: Some(at(0)),
        routes: [("0123456789abcdef".to_owned(), route)].into(),
        more: 3,
        not_read: texts(&["backup:ListBackupPlans"]),
        passing: texts(&["backup:ListBackupVaults"]),
        is_left: true,
        left_is_told: true,
        goes_on_at: Some("0123456789abcdef".to_owned()),
    };
    let record = |at: Location, told: ToldOfPlace, seconds| async move {
        ledger
            .record_told_of_place(&at, &told, super::at(seconds))
            .await
            .unwrap();
    };
    record(here.clone(), first.clone(), 0).await;
    assert_eq!(ledger.told_of_place(&here).await.unwrap(), Some(first));
    assert_eq!(ledger.told_of_place(&there).await.unwrap(), None);
    let nothing = ToldOfPlace::default();
    record(here.clone(), nothing.clone(), 1).await;
    assert_eq!(ledger.told_of_place(&here).await.unwrap(), Some(nothing));
}

pub(super) async fn settings(ledger: &impl Ledger) {
    let settings = |hash: &str| RecordedSettings {
        hash: hash.to_owned(),
        values: [("COPYMEND_MODE".to_owned(), format!("mode of {hash}"))].into(),
    };
    let claim = |hash: &'static str, owner: &'static str, now, until| async move {
        ledger
            .claim_settings_notice(&settings(hash), owner, at(now), at(until))
            .await
            .unwrap()
    };
    assert_eq!(claim("1", "a", 0, 60).await, None, "the first ones");
    assert_eq!(claim("1", "b", 1, 61).await, None);
    let notice = |before: &str, is_anothers| {
        let before = settings(before);
        Some(SettingsNotice {
            before,
            is_anothers,
        })
    };
    assert_eq!(claim("2", "a", 2, 62).await, notice("1", false));
    assert_eq!(claim("2", "b", 3, 63).await, notice("1", true), "`a` tells");
    assert_eq!(claim("2", "a", 4, 64).await, notice("1", false), "again");
    assert_eq!(
        claim("2", "b", 64, 124).await,
        notice("1", false),
        "`a` died"
    );
    assert_eq!(claim("1", "c", 65, 125).await, None, "the same as recorded");
    ledger.record_settings(&settings("2"), "a").await.unwrap();
    assert_eq!(
        claim("2", "c", 66, 126).await,
        notice("1", true),
        "`b` took the notice over, so `a` records nothing"
    );
    ledger.record_settings(&settings("2"), "b").await.unwrap();
    assert_eq!(claim("2", "c", 66, 126).await, None);
    // Nobody holds the next notice.
    assert_eq!(claim("3", "c", 67, 127).await, notice("2", false));
}

pub(super) async fn retries(ledger: &impl Ledger) {
    let point: Arn = "arn:aws:ec2:eu-west-1::snapshot/snap-1".parse().unwrap();
    let vault = |name: &str| -> BackupVaultArn {
        format!("arn:aws:backup:eu-west-1:444455556666:backup-vault:{name}")
            .parse()
            .unwrap()
    };
    let (here, there) = (vault("here"), vault("there"));
    let source = "333322221111".parse().unwrap();
    let claim = |vault: &BackupVaultArn, job, budget, anew_after, seconds| {
        let (point, vault) = (point.clone(), vault.clone());
        async move {
            let claim = RetryClaim {
                failed_job: job,
                recovery_point: &point,
                destination: &vault,
                budget,
                anew_after,
                source,
                source_budget: 100,
                known: None,
                begin: None,
                message: None,
            };
            match ledger.claim_retry(&claim, at(seconds)).await.unwrap() {
                RetryClaimed::Attempt(attempt) => Some(attempt),
                RetryClaimed::BudgetUsedUp => None,
                other @ (RetryClaimed::SourceBudgetUsedUp
                | RetryClaimed::NotFree
                | RetryClaimed::NoRoomForMessage) => {
                    panic!("{other:?}")
                }
            }
        }
    };
    let count = |vault: &BackupVaultArn, job: &'static str, budget, seconds| {
        claim(vault, job, budget, None, seconds)
    };
    assert_eq!(count(&here, "1", 0, 0).await, None);
    assert_eq!(count(&here, "1", 2, 0).await, Some(1));
    assert_eq!(count(&here, "1", 2, 0).await, Some(1), "the same job again");
    assert_eq!(count(&here, "2", 2, 1).await, Some(2));
    assert_eq!(count(&here, "3", 2, 2).await, None);
    assert!(
        count(&here, "2", 2, 2).await.is_some(),
        "it was counted before"
    );
    assert_eq!(count(&there, "3", 2, 3).await, Some(1));
    assert_eq!(count(&here, "3", 3, 4).await, Some(3));

    let anew = |job: &'static str, change: &'static str| claim(&there, job, 2, Some(change), 5);
    assert_eq!(count(&there, "4", 2, 4).await, Some(2));
    assert_eq!(anew("5", "a").await, Some(1), "after a change");
    assert_eq!(anew("5", "a").await, Some(1), "delivered again");
    assert_eq!(anew("6", "a").await, Some(2), "once for each change");
    assert_eq!(anew("7", "a").await, None);
    assert_eq!(anew("7", "b").await, Some(1));
    assert_eq!(anew("8", "a").await, Some(2), "not by turns either");
    assert_eq!(anew("9", "b").await, None);

    assert_eq!(ledger.retry_of("new").await.unwrap(), None);
    let after = AfterChange {
        change_id: "change".to_owned(),
        repaired: here.to_string(),
    };
    for (origin, after_change) in [
        (None, None),
        (Some(Origin::BackupPlan), Some(after)),
        (Some(Origin::OnDemand), None),
    ] {
        let record = RetryRecord {
            original_job: "old".to_owned(),
            origin,
            after_change,
        };
        ledger
            .record_retried_job("new", &record, at(0))
            .await
            .unwrap();
        assert_eq!(ledger.retry_of("new").await.unwrap(), Some(record));
    }
    assert_eq!(ledger.retry_of("old").await.unwrap(), None);
}

/// Writes and retries are counted of each source account and each UTC day, each for itself.
pub(super) async fn sources(ledger: &impl Ledger) {
    use CountedOfSource::{Retries, Writes};
    let [one, other]: [AccountId; 2] =
        ["111122223333", "444455556666"].map(|account| account.parse().unwrap());
    let count = |what, source, budget, seconds| async move {
        let counted = ledger.count_of_source(what, source, budget, at(seconds));
        counted.await.unwrap()
    };
    let read = |source, seconds| async move {
        let known = ledger.before_write("any", source, at(seconds)).await;
        known.unwrap().source_writes.unwrap()
    };
    assert_eq!(read(one, 0).await, 0);
    assert!(!count(Writes, one, 0, 0).await);
    assert!(count(Writes, one, 2, 0).await);
    assert!(count(Writes, one, 2, 1).await);
    assert!(!count(Writes, one, 2, 2).await, "used up");
    assert_eq!(read(one, 3).await, 2, "what is refused isn't counted");
    assert_eq!(read(other, 3).await, 0);
    assert!(count(Writes, other, 2, 3).await);
    assert!(count(Retries, one, 1, 3).await, "each for itself");
    assert!(!count(Retries, one, 1, 3).await);
    // 12:00 plus twelve hours is the next day.
    assert_eq!(read(one, 12 * 3_600 - 1).await, 2);
    assert_eq!(read(one, 12 * 3_600).await, 0);
    assert!(count(Writes, one, 2, 12 * 3_600).await);
}

/// Messages are counted by the hour, those of events that nobody confirms for themselves, and what
/// was left out is summed up once, after its hour.
pub(super) async fn left_out(ledger: &impl Ledger) {
    let of = |account: &str, is_confirmed| MessagesOf {
        account: account.parse().unwrap(),
        is_confirmed,
    };
    let one = of("555555555555", true);
    let [unverified, other] = [of("555555555555", false), of("666666666666", true)];
    let count = |what, seconds| async move {
        let counted = ledger.count_of_source(what, one.account, 1, at(seconds));
        counted.await.unwrap()
    };
    assert!(count(CountedOfSource::Messages, 0).await);
    assert!(!count(CountedOfSource::Messages, 3_599).await, "used up");
    assert!(count(CountedOfSource::UnverifiedMessages, 3_599).await);
    assert!(count(CountedOfSource::Messages, 3_600).await, "a new hour");

    let leave_out = |of, cause: &'static str, job: String, seconds| async move {
        let left_out = ledger.leave_out(of, cause, &job, at(seconds));
        left_out.await.unwrap()
    };
    let claim = |of, owner: &'static str, now, until| async move {
        let claimed = ledger.claim_left_out(of, owner, at(now), at(until));
        claimed.await.unwrap()
    };
    let forget = |of, owner: &'static str| async move {
        ledger.forget_left_out(of, owner).await.unwrap();
    };
    assert_eq!(claim(one, "a", 0, 60).await, None, "nothing was left out");
    for number in 0..7 {
        let cause = ["unknown", "destination-vault-deny"][usize::from(number > 4)];
        assert!(leave_out(one, cause, format!("job-{number}"), i64::from(number)).await);
    }
    assert!(leave_out(unverified, "unknown", "made-up".to_owned(), 2).await);
    let expected = LeftOut {
        of: one,
        count: 7,
        causes: [("unknown", 5), ("destination-vault-deny", 2)]
            .map(|(cause, count)| (cause.to_owned(), count))
            .into(),
        copy_jobs: (0..5).map(|number| format!("job-{number}")).collect(),
        first_at: at(0),
        last_at: at(6),
    };
    let (hour, until) = (3_600, 3_660);
    assert_eq!(claim(one, "a", 3_599, until).await, None, "the hour lasts");
    assert_eq!(claim(other, "a", hour, until).await, None);
    let claimed = claim(one, "a", hour, until).await;
    assert_eq!(claimed, Some(expected.clone()));
    assert_eq!(claim(one, "b", hour + 1, until).await, None, "`a` has it");
    let again = claim(one, "a", hour + 1, until).await;
    assert_eq!(again, Some(expected.clone()), "`a` again");
    let held = leave_out(one, "unknown", "job-7".to_owned(), hour + 2).await;
    assert!(!held, "nothing is added while somebody sums up");
    forget(one, "b").await;
    let claimed = claim(one, "b", until, until + 60).await;
    assert_eq!(claimed, Some(expected.clone()), "`a` died");
    // What is added after a claim ended is not forgotten by whoever had it.
    assert!(leave_out(one, "unknown", "job-7".to_owned(), until + 60).await);
    forget(one, "b").await;
    let claimed = claim(one, "c", until + 61, until + 120).await.unwrap();
    assert_eq!((claimed.count, claimed.copy_jobs), (8, expected.copy_jobs));
    assert_eq!(claimed.last_at, at(until + 60));
    forget(one, "c").await;
    assert_eq!(claim(one, "c", 9_000, 9_060).await, None, "forgotten");
    let claimed = claim(unverified, "c", 9_000, 9_060).await.unwrap();
    assert_eq!(claimed.count, 1);
    forget(unverified, "c").await;
}
