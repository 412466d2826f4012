//! What is put off comes back, and nothing is done twice.

use std::time::Duration;

use copymend_remediation::later::{DelayedRetry, MOST_DELAYS};
use copymend_remediation::ledger::Ledger;
use copymend_remediation::ports::{CallErrorKind, Clock, Environment, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};

use super::faulty::{FAULTS, Fault, Faulty};
use super::{Delivered, ENTRY, deliver, end, event_of};

/// How long the queue hides a message that was not deleted.
const HIDDEN: Duration = Duration::from_mins(12);

/// The default world at the time at which a copy failed ten seconds ago, with a queue.
fn soon_after(name: &str) -> (Sandbox, Value) {
    let world = World::default_world();
    let failed = world.copy_job_named(name).unwrap().completed;
    let sandbox = Sandbox::new(world).at(failed).with_delayed_retries();
    sandbox.clock().advance(Duration::from_secs(10));
    let event = event_of(&sandbox, name);
    (sandbox, event)
}

/// Delivers an input as its source does: again while it isn't answered.
async fn until_answered(environment: &Faulty, input: &Value, id: &str) -> Option<Report> {
    for delivery in 0..4 {
        match deliver(environment, input, &format!("{id}-{delivery}")).await {
            Delivered::Answered(report) if !report.awaits_another_delivery() => {
                return Some(*report);
            }
            Delivered::Answered(_) | Delivered::Failed | Delivered::Killed => {
                environment
                    .clock()
                    .sleep(ENTRY.unsigned_abs().max(HIDDEN))
                    .await;
            }
        }
    }
    None
}

/// Delivers the event, and then what comes back until the queue is empty.
async fn all(environment: &Faulty, sandbox: &Sandbox, event: &Value) -> Vec<Report> {
    let mut reports: Vec<_> = until_answered(environment, event, "event")
        .await
        .into_iter()
        .collect();
    for message in 0..20 {
        let queue = sandbox.delayed_retries().unwrap();
        let Some(due) = queue.due_times().into_iter().min() else {
            return reports;
        };
        if due > sandbox.clock().now() {
            sandbox.clock().set(due);
        }
        let input = queue.receive().unwrap();
        reports.extend(until_answered(environment, &input, &format!("message-{message}")).await);
    }
    panic!("the queue never gets empty: {reports:#?}");
}

fn outcomes(reports: &[Report]) -> Vec<&'static str> {
    reports.iter().map(|report| report.outcome.slug()).collect()
}

#[tokio::test]
async fn a_repair_right_after_the_denial_writes_at_once_and_starts_the_copy_later() {
    let (sandbox, event) = soon_after("destination-vault-policy");
    let environment = Faulty::new(sandbox.clone());
    let reports = all(&environment, &sandbox, &event).await;
    assert_eq!(
        outcomes(&reports),
        ["retry-planned", "repaired-and-retried"]
    );
    assert!(reports[0].changes[0].applied);
    assert!(reports[0].not_before.is_some());
    let found = end(&sandbox);
    assert_eq!(
        (found.policy_writes, found.copies),
        (1, vec!["COMPLETED".to_owned()])
    );
    // One message: that the copy is started again was told with the change.
    let sent = sandbox.notifier().sent();
    let told: Vec<_> = sent.iter().map(|sent| sent.report.outcome).collect();
    assert_eq!(told, [Outcome::RetryPlanned]);
}

#[tokio::test]
async fn a_planned_retry_survives_every_fault_of_every_call() {
    for name in [
        "destination-vault-policy",
        "source-key-policy",
        "concurrency",
    ] {
        let (sandbox, event) = soon_after(name);
        let environment = Faulty::new(sandbox.clone());
        all(&environment, &sandbox, &event).await;
        let (calls, expected) = (environment.made().len(), end(&sandbox));
        let sends = environment
            .made()
            .iter()
            .filter(|call| **call == "send")
            .count();
        assert_eq!(sends, 1);
        let mut wrong = Vec::new();
        for number in 0..calls {
            for fault in FAULTS {
                let (sandbox, event) = soon_after(name);
                let environment = Faulty::new(sandbox.clone());
                environment.break_call(number, fault);
                let reports = all(&environment, &sandbox, &event).await;
                let found = end(&sandbox);
                let is_denied = fault == Fault::Refused(CallErrorKind::AccessDenied);
                let same = found.policies == expected.policies
                    && found.started_copies == 1
                    && found.copies == expected.copies;
                let told = sandbox.notifier().sent().len();
                if told == 0 || found.started_copies > 1 || (!same && !is_denied) {
                    let call = environment.made().get(number).copied();
                    wrong.push(format!(
                        "{name}, call {number} {call:?}, {fault:?}: {:?}, {told} messages, {found:?}",
                        outcomes(&reports)
                    ));
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "{} rows: {}",
            wrong.len(),
            wrong.join("\n")
        );
        println!("{name}: {calls} calls x {} faults", FAULTS.len());
    }
}

#[tokio::test]
async fn what_comes_too_early_is_put_back_and_a_second_message_does_nothing() {
    let (sandbox, event) = soon_after("destination-vault-policy");
    let environment = Faulty::new(sandbox.clone());
    let report = until_answered(&environment, &event, "event").await.unwrap();
    let not_before = report.not_before.unwrap();
    let message = DelayedRetry::new(event, not_before, 1);
    let input = json!({"Records": [{"eventSource": "aws:sqs", "body": message.to_body()}]});
    let early = until_answered(&environment, &input, "early").await.unwrap();
    assert_eq!(
        (early.outcome, early.not_before),
        (Outcome::RetryPlanned, Some(not_before))
    );
    assert_eq!(end(&sandbox).started_copies, 0);
    // The first message, and the one that was put back.
    assert_eq!(sandbox.delayed_retries().unwrap().due_times().len(), 2);
    sandbox.clock().set(not_before);
    let first = until_answered(&environment, &input, "first").await.unwrap();
    let second = until_answered(&environment, &input, "second")
        .await
        .unwrap();
    assert_eq!(
        outcomes(&[first, second]),
        ["repaired-and-retried", "already-handled"]
    );
    assert_eq!(end(&sandbox).started_copies, 1);
}

#[tokio::test]
async fn throttled_facts_are_read_again_later_and_a_bounded_number_of_times() {
    let (sandbox, event) = soon_after("destination-vault-policy");
    sandbox.fail(
        "backup:GetBackupVaultAccessPolicy",
        CallErrorKind::Throttled,
    );
    let environment = Faulty::new(sandbox.clone());
    let mut input = event;
    for _ in 0..MOST_DELAYS {
        let Delivered::Answered(report) = deliver(&environment, &input, "again").await else {
            panic!("it is put off");
        };
        assert_eq!(report.outcome, Outcome::RetryPlanned);
        assert!(sandbox.notifier().sent().is_empty());
        sandbox.clock().set(report.not_before.unwrap());
        input = sandbox.delayed_retries().unwrap().receive().unwrap();
    }
    let Delivered::Answered(report) = deliver(&environment, &input, "last").await else {
        panic!("it is decided at once");
    };
    assert_eq!(report.outcome, Outcome::Advised);
    assert_eq!(sandbox.notifier().sent().len(), 1);
    assert!(sandbox.delayed_retries().unwrap().due_times().is_empty());
}

#[tokio::test]
async fn only_what_was_throttled_is_read_again_at_once() {
    let sandbox = Sandbox::new(World::default_world());
    sandbox.fail(
        "backup:GetBackupVaultAccessPolicy",
        CallErrorKind::Throttled,
    );
    let event = event_of(&sandbox, "destination-vault-policy");
    let environment = Faulty::new(sandbox.clone());
    let _ = deliver(&environment, &event, "one").await;
    let made = environment.made();
    let count = |name: &str| made.iter().filter(|call| **call == name).count();
    // Of both vaults, twice.
    assert_eq!(count("get_backup_vault_access_policy"), 4);
    assert_eq!(count("describe_recovery_point"), 1);
    assert_eq!(count("list_vault_tags"), 1);
    assert_eq!(count("describe_backup_vault"), 2);
}

#[tokio::test]
async fn too_many_copies_and_used_up_quotas_wait_for_minutes() {
    for name in ["concurrency", "quota"] {
        let sandbox = Sandbox::new(World::default_world()).with_delayed_retries();
        let environment = Faulty::new(sandbox.clone());
        let event = event_of(&sandbox, name);
        let start = sandbox.clock().now();
        let reports = all(&environment, &sandbox, &event).await;
        assert_eq!(outcomes(&reports), ["retry-planned", "retried"], "{name}");
        let waits = reports[0]
            .not_before
            .unwrap()
            .duration_since(start)
            .as_secs();
        assert!((60..=302).contains(&waits), "{name}: {waits}");
        assert_eq!(sandbox.notifier().sent().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn an_event_that_another_invocation_holds_and_that_cannot_wait_in_the_queue_is_delivered_again()
 {
    let (sandbox, event) = soon_after("destination-vault-policy");
    let job = event["detail"]["copyJobId"].as_str().unwrap();
    let now = sandbox.clock().now();
    // The other one has died.
    let until = now + ENTRY;
    let ledger = sandbox.ledger().unwrap();
    ledger.begin_job(job, "dead", now, until).await.unwrap();
    sandbox.fail("sqs:SendMessage", CallErrorKind::Throttled);
    let environment = Faulty::new(sandbox.clone());
    assert!(matches!(
        deliver(&environment, &event, "one").await,
        Delivered::Failed
    ));
    assert_eq!(end(&sandbox).started_copies, 0);
    sandbox
        .clock()
        .set(until + jiff::SignedDuration::from_secs(1));
    let report = until_answered(&environment, &event, "two").await.unwrap();
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
    assert_eq!(end(&sandbox).started_copies, 1);
}
