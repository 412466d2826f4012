//! Copies that a repair for another copy admits, at a number of which people hear: the message is claimed with
//! the retry, and told once, whatever fails in between.

use copymend_diagnosis::Cause;
use copymend_policy::AccountId;
use copymend_remediation::incident::fingerprint;
use copymend_remediation::ledger::{Count, CountedOfSource, Counting, Ledger, Turns};
use copymend_remediation::message::Channel;
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::Outcome;
use copymend_remediation::settings::{Messages, Settings};
use copymend_sandbox::Sandbox;
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::*;

/// A repaired vault, an incident that was seen nine times, and other copies that failed before.
struct Scene {
    sandbox: Sandbox,
    /// The copy that the repair was for.
    first: Value,
    twins: Vec<Value>,
    incident: String,
}

/// With retries for so many copies of one recovery point.
fn settings() -> Settings {
    Settings {
        retry_budget: 9,
        ..open_settings()
    }
}

async fn scene_before_the_tenth(twins: usize, settings: Settings) -> Scene {
    let (sandbox, first) = scene("destination-vault-policy");
    let twins: Vec<_> = (0..twins)
        .map(|_| copied_again(&sandbox, &first, None))
        .collect();
    let report = handle(&sandbox, settings, &first).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
    let change = report.changes.first().unwrap();
    let (cause, grantee) = (Cause::DestinationVaultPolicy, change.grantee.as_deref());
    let incident = fingerprint(cause, &change.resource, "111122223333", grantee);
    for number in 2..=9 {
        let other = format!("other-{number}");
        assert_eq!(count(&sandbox, &incident, &other, Counting::First), number);
    }
    // Nobody waits for a turn any more.
    wait(&sandbox, 1).await;
    Scene {
        sandbox,
        first,
        twins,
        incident,
    }
}

async fn before_the_tenth() -> (Sandbox, Value) {
    let mut scene = scene_before_the_tenth(1, open_settings()).await;
    (scene.sandbox, scene.twins.remove(0))
}

/// Counts a job of an incident.
fn count(sandbox: &Sandbox, incident: &str, job: &str, counting: Counting) -> u64 {
    let count = Count {
        fingerprint: incident,
        copy_job_id: job,
        outcome: "retried",
        counting,
        is_due: false,
        is_quiet: false,
    };
    let (ledger, now) = (sandbox.ledger().unwrap(), sandbox.clock().now());
    let counted = ledger.count_occurrence(count, now).now_or_never();
    counted.unwrap().unwrap().count
}

fn ledger_calls(sandbox: &Sandbox, from: usize) -> Vec<&'static str> {
    let begun = sandbox.calls().begun();
    let since = begun.iter().skip(from).map(|call| call.operation);
    since
        .filter(|operation| operation.starts_with("ledger:"))
        .collect()
}

const WITH_THREE_CALLS: [&str; 3] = [
    "ledger:Recall",
    "ledger:ClaimRetry",
    "ledger:FinishStartedAgain",
];

fn starts(sandbox: &Sandbox) -> usize {
    let writes = sandbox.writes();
    let starts = writes
        .iter()
        .filter(|write| write.operation == "backup:StartCopyJob");
    starts.count()
}

#[tokio::test]
async fn the_tenth_is_told_and_asks_the_ledger_three_times() {
    let (sandbox, twin) = before_the_tenth().await;
    let (before, from) = (told(&sandbox), sandbox.calls().begun().len());
    let report = repair(&sandbox, &twin).await;
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
    assert_eq!(report.occurrences, Some(10));
    assert_eq!(ledger_calls(&sandbox, from), WITH_THREE_CALLS);
    assert_eq!(told(&sandbox), before + 1);
    let message = sandbox.notifier().sent().pop().unwrap();
    assert_eq!(message.report.occurrences, Some(10), "as people read it");
    // Its turn is taken, and it counts for the account's budget.
    let (ledger, now) = (sandbox.ledger().unwrap(), sandbox.clock().now());
    let turns = [SignedDuration::ZERO; 2].map(|longest| ledger.take_turn(now, longest));
    let mut taken = 0;
    for turn in turns {
        taken += usize::from(turn.await.unwrap().is_some());
    }
    assert!(taken < 2, "two turns at once are all that there are");
    let again = repair(&sandbox, &twin).await;
    assert_eq!(again.outcome, Outcome::AlreadyHandled);
    assert_eq!(told(&sandbox), before + 1);
}

/// The next one is no news.
#[tokio::test]
async fn after_the_tenth_nobody_hears_of_the_eleventh() {
    let Scene { sandbox, twins, .. } = scene_before_the_tenth(2, settings()).await;
    let before = told(&sandbox);
    for (twin, occurrences) in twins.iter().zip([10, 11]) {
        let from = sandbox.calls().begun().len();
        let report = handle(&sandbox, settings(), twin).await;
        assert_eq!(report.occurrences, Some(occurrences), "{report:#?}");
        assert_eq!(ledger_calls(&sandbox, from), WITH_THREE_CALLS);
        assert_eq!(told(&sandbox), before + 1);
    }
}

/// Somebody else has the turn: it is told as any message, and once.
#[tokio::test]
async fn without_a_turn_it_is_told_as_any_message() {
    let (sandbox, twin) = before_the_tenth().await;
    let (ledger, now) = (sandbox.ledger().unwrap(), sandbox.clock().now());
    let longest = SignedDuration::from_secs(60);
    for _ in 0..3 {
        ledger.take_turn(now, longest).await.unwrap().unwrap();
    }
    let before = told(&sandbox);
    let from = sandbox.calls().begun().len();
    let report = repair(&sandbox, &twin).await;
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
    assert_eq!(report.occurrences, Some(10));
    assert_eq!(told(&sandbox), before + 1);
    let asked = ledger_calls(&sandbox, from);
    assert!(asked.contains(&"ledger:TakeTurn"), "{asked:?}");
    assert_eq!(starts(&sandbox), 2, "the repair's, and this one");
}

/// What a call between the claim and the end does to the message: another delivery tells it.
#[tokio::test]
async fn whatever_fails_another_delivery_tells() {
    for operation in ["backup:StartCopyJob", "sns:Publish"] {
        let (sandbox, twin) = before_the_tenth().await;
        let before = told(&sandbox);
        let copies = starts(&sandbox);
        sandbox.fail(operation, CallErrorKind::Throttled);
        let failed = deliver("first", &sandbox, &twin).await;
        assert!(failed.is_err(), "{operation}: {failed:#?}");
        assert_eq!(told(&sandbox), before, "{operation}");
        sandbox.calls().mend(operation);
        let report = deliver("second", &sandbox, &twin).await.unwrap();
        assert_eq!(report.outcome, Outcome::Retried, "{operation}: {report:#?}");
        assert_eq!(told(&sandbox), before + 1, "{operation}: {report:#?}");
        assert_eq!(starts(&sandbox), copies + 1, "{operation}");
        let again = deliver("third", &sandbox, &twin).await.unwrap();
        assert_eq!(again.outcome, Outcome::AlreadyHandled, "{operation}");
        assert_eq!(told(&sandbox), before + 1, "{operation}");
    }
}

/// One channel took it: another delivery tells the other one alone.
#[tokio::test]
async fn a_channel_that_took_it_is_not_told_again() {
    let (sandbox, twin) = before_the_tenth().await;
    let channels = [Channel::Topic, Channel::ReportBus];
    sandbox.notifier().set_channels(channels);
    sandbox.fail("events:PutEvents", CallErrorKind::Throttled);
    let taken = sandbox.notifier().taken().len();
    let failed = deliver("first", &sandbox, &twin).await;
    assert!(failed.is_err(), "{failed:#?}");
    sandbox.calls().mend("events:PutEvents");
    let report = deliver("second", &sandbox, &twin).await.unwrap();
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
    let taken: Vec<_> = sandbox.notifier().taken().split_off(taken);
    let on: Vec<_> = taken.iter().map(|(channel, _)| *channel).collect();
    assert_eq!(on, channels, "{taken:?}");
}

/// The end fails after people were told: nobody hears of it twice.
#[tokio::test]
async fn an_end_that_fails_tells_nobody_twice() {
    for kind in [CallErrorKind::Throttled, CallErrorKind::AccessDenied] {
        let (sandbox, twin) = before_the_tenth().await;
        let before = told(&sandbox);
        sandbox.fail("ledger:FinishStartedAgain", kind);
        let report = repair(&sandbox, &twin).await;
        assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
        assert_eq!(told(&sandbox), before + 1, "{kind:?}");
        let again = repair(&sandbox, &twin).await;
        assert_eq!(again.outcome, Outcome::AlreadyHandled, "{kind:?}");
        assert_eq!(told(&sandbox), before + 1, "{kind:?}");
    }
}

/// A start that is refused for good is news of its own, and told once.
#[tokio::test]
async fn a_start_that_is_denied_is_told_once() {
    let (sandbox, twin) = before_the_tenth().await;
    let before = told(&sandbox);
    sandbox.fail("backup:StartCopyJob", CallErrorKind::AccessDenied);
    let report = repair(&sandbox, &twin).await;
    assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
    assert_eq!(told(&sandbox), before + 1);
}

/// The account's messages of this hour are used up: a summary tells of it.
#[tokio::test]
async fn one_message_too_many_is_left_to_the_summary() {
    let (sandbox, twin) = before_the_tenth().await;
    let (ledger, now) = (sandbox.ledger().unwrap(), sandbox.clock().now());
    let account: AccountId = "111122223333".parse().unwrap();
    let budget = open_settings().source_message_budget;
    let what = CountedOfSource::Messages;
    while ledger
        .count_of_source(what, account, budget, now)
        .await
        .unwrap()
    {}
    let before = told(&sandbox);
    let report = repair(&sandbox, &twin).await;
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
    assert_eq!(told(&sandbox), before);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("SourceMessageBudget")),
        "{report:#?}"
    );
}

/// Where people asked not to hear of it, no message is claimed.
#[tokio::test]
async fn who_wants_no_message_gets_none() {
    for messages in [Messages::NeedsAction, Messages::AfterLastRetry] {
        let settings = Settings {
            messages,
            ..open_settings()
        };
        let Scene { sandbox, twins, .. } = scene_before_the_tenth(1, settings.clone()).await;
        let (before, from) = (told(&sandbox), sandbox.calls().begun().len());
        let report = handle(&sandbox, settings, &twins[0]).await;
        assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
        assert_eq!(told(&sandbox), before);
        assert_eq!(ledger_calls(&sandbox, from), WITH_THREE_CALLS);
        // The number is still to be told: nobody looked.
        let account = "111122223333".parse().unwrap();
        let ledger = sandbox.ledger().unwrap();
        let what = CountedOfSource::Messages;
        let now = sandbox.clock().now();
        let first = ledger.count_of_source(what, account, 2, now).await;
        assert_eq!(first, Ok(true), "no message was counted for this one");
    }
}

/// The incident is over, or another job of it ends otherwise, while the message is on its way: nobody hears of
/// the number twice. What fails after the end is news.
#[tokio::test]
async fn what_others_do_in_between_tells_nobody_twice() {
    for closes in [true, false] {
        let scene = scene_before_the_tenth(2, settings()).await;
        let Scene {
            sandbox,
            first,
            twins,
            incident,
        } = scene;
        let before = told(&sandbox);
        let (other, original) = (sandbox.clone(), job_of(&first));
        sandbox.before_next("backup:StartCopyJob", move |_| {
            if closes {
                let closed = other.ledger().unwrap().close_incident(&original);
                assert!(closed.now_or_never().unwrap().unwrap().is_some());
            } else {
                assert_eq!(count(&other, &incident, "other-3", Counting::Again), 9);
            }
        });
        for (number, twin) in twins.iter().enumerate() {
            let id = format!("delivery-{number}");
            let report = handle_as(&id, &sandbox, settings(), twin).await.unwrap();
            assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
        }
        let more = if closes { 2 } else { 1 };
        assert_eq!(told(&sandbox), before + more, "closes: {closes}");
    }
}

/// The incident can't be counted at all: people were told a moment ago.
#[tokio::test]
async fn what_cannot_be_counted_is_told_once() {
    let (sandbox, twin) = before_the_tenth().await;
    let before = told(&sandbox);
    for operation in ["ledger:FinishStartedAgain", "ledger:CountOccurrence"] {
        sandbox.fail(operation, CallErrorKind::Throttled);
    }
    let report = repair(&sandbox, &twin).await;
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
    let is_said = |note: &String| note.contains("not counted");
    assert!(report.notes.iter().any(is_said), "{report:#?}");
    assert_eq!(told(&sandbox), before + 1);
    let again = repair(&sandbox, &twin).await;
    assert_eq!(again.outcome, Outcome::AlreadyHandled);
    assert_eq!(told(&sandbox), before + 1);
}

/// Who has found no room for a message has claimed none: that the start fails makes it no news.
#[tokio::test]
async fn who_claimed_nothing_tells_nothing_more() {
    let Scene { sandbox, twins, .. } = scene_before_the_tenth(2, settings()).await;
    let before = told(&sandbox);
    {
        let (ledger, now) = (sandbox.ledger().unwrap(), sandbox.clock().now());
        for _ in 0..3 {
            let longest = SignedDuration::from_secs(60);
            ledger.take_turn(now, longest).await.unwrap().unwrap();
        }
    }
    sandbox.fail("backup:StartCopyJob", CallErrorKind::Throttled);
    let failed = handle_as("first", &sandbox, settings(), &twins[0]).await;
    assert!(failed.is_err(), "{failed:#?}");
    sandbox.calls().mend("backup:StartCopyJob");
    wait(&sandbox, 1).await;
    let report = handle_as("other", &sandbox, settings(), &twins[1]).await;
    assert_eq!(report.unwrap().occurrences, Some(10));
    assert_eq!(told(&sandbox), before + 1, "of the tenth");
    let report = handle_as("second", &sandbox, settings(), &twins[0]).await;
    assert_eq!(report.unwrap().outcome, Outcome::Retried);
    assert_eq!(told(&sandbox), before + 1, "the eleventh is no news");
}

/// Nothing can be written any more once people were told, and then it can: another delivery ends the job, and tells
/// nobody.
#[tokio::test]
async fn what_cannot_be_recorded_at_all_is_told_once() {
    let (sandbox, twin) = before_the_tenth().await;
    let before = told(&sandbox);
    let copies = starts(&sandbox);
    let operations = [
        "ledger:FinishStartedAgain",
        "ledger:CountOccurrence",
        "ledger:RecordRetriedJob",
    ];
    for operation in operations {
        sandbox.fail(operation, CallErrorKind::Throttled);
    }
    let failed = deliver("first", &sandbox, &twin).await;
    assert!(failed.is_err(), "{failed:#?}");
    assert_eq!(told(&sandbox), before + 1);
    for operation in operations {
        sandbox.calls().mend(operation);
    }
    let report = deliver("second", &sandbox, &twin).await.unwrap();
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
    assert_eq!(told(&sandbox), before + 1, "{report:#?}");
    assert_eq!(starts(&sandbox), copies + 1);
    let ledger = sandbox.ledger().unwrap();
    let started = report.retried_job.unwrap();
    assert!(ledger.retry_of(&started).await.unwrap().is_some());
}
