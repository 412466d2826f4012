//! What is put off by a sweep, and what observe mode says of it.

use std::time::Duration;

use copymend_remediation::CopyRemediator;
use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::{CallErrorKind, Environment, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::Settings;
use copymend_remediation::sweep::Swept;
use copymend_sandbox::{Sandbox, World, Write};
use serde_json::{Value, json};

use crate::support::*;

/// The default world with a queue.
fn with_a_queue() -> Sandbox {
    sandbox().with_delayed_retries()
}

/// The same, ten seconds after a copy had failed.
fn soon_after(name: &str) -> Sandbox {
    let world = World::default_world();
    let failed = world.copy_job_named(name).unwrap().completed;
    let sandbox = Sandbox::new(world).at(failed).with_delayed_retries();
    sandbox.clock().advance(Duration::from_secs(10));
    sandbox
}

fn queued(sandbox: &Sandbox) -> usize {
    sandbox.delayed_retries().unwrap().due_times().len()
}

/// Sweeps the account and Region of the samples, as invocation `id`.
async fn sweep(id: &str, sandbox: &Sandbox, settings: Settings) -> Swept {
    let event = json!({
        "source": "copymend", "detail-type": "Copymend Sweep",
        "detail": {"accounts": ["111122223333"], "regions": ["us-east-1"]},
    });
    let remediator = CopyRemediator::new(sandbox.clone(), settings);
    let swept = remediator.sweep(&event, &invocation(id, sandbox)).await;
    swept.unwrap()
}

fn outcome_of(swept: &Swept, event: &Value) -> Option<Outcome> {
    let job = event["detail"]["copyJobId"].as_str();
    let of_job = |report: &&Report| report.copy_job_id() == job;
    swept
        .reports
        .iter()
        .find(of_job)
        .map(|report| report.outcome)
}

/// Takes the messages out once all of them are due.
fn deliveries(sandbox: &Sandbox) -> Vec<Value> {
    let queue = sandbox.delayed_retries().unwrap();
    let due = queue.due_times().into_iter().max().unwrap();
    sandbox.clock().set(due);
    std::iter::from_fn(|| queue.receive()).collect()
}

fn is_about(delivery: &Value, event: &Value) -> bool {
    let message = DelayedRetry::in_queue_event(delivery).unwrap().unwrap();
    message.event["detail"]["copyJobId"] == event["detail"]["copyJobId"]
}

/// How many copies there are of what the event's copy was to copy, itself included.
fn copies_of(sandbox: &Sandbox, event: &Value) -> usize {
    let point = event["resources"][0].as_str().unwrap();
    sandbox.with_world(|world| {
        let jobs = world.copy_jobs().iter();
        jobs.filter(|job| job.recovery_point.as_str() == point)
            .count()
    })
}

/// How often people were told of the event's copy.
fn told_of(sandbox: &Sandbox, event: &Value) -> usize {
    let job = event["detail"]["copyJobId"].as_str();
    let sent = sandbox.notifier().sent();
    let of_job = sent.iter().filter(|sent| sent.report.copy_job_id() == job);
    of_job.count()
}

#[tokio::test]
async fn a_sweep_puts_off_what_an_event_would_and_its_message_starts_the_copy() {
    let sandbox = with_a_queue();
    let swept = sweep("sweep", &sandbox, open_settings()).await;
    assert_eq!((swept.errors.as_slice(), swept.left), (&[][..], 0));
    let planned = swept.outcomes["retry-planned"];
    assert!(planned >= 2);
    assert_eq!(queued(&sandbox), planned);
    let (concurrency, quota) = (sample("concurrency"), sample("quota"));
    for event in [&concurrency, &quota] {
        assert_eq!(outcome_of(&swept, event), Some(Outcome::RetryPlanned));
    }

    let delivery = deliveries(&sandbox)
        .into_iter()
        .find(|delivery| is_about(delivery, &concurrency))
        .unwrap();
    let before = sandbox.writes().len();
    let report = deliver("message", &sandbox, &delivery).await.unwrap();
    // The event that the sweep made is confirmed as any other.
    assert!(report.verified, "{report:#?}");
    assert_eq!(report.outcome, Outcome::Retried);
    assert_eq!(sandbox.writes().len(), before + 1);
}

#[tokio::test]
async fn sweeps_before_the_time_has_come_start_nothing_and_tell_nobody_again() {
    let sandbox = with_a_queue();
    let event = sample("concurrency");
    sweep("first", &sandbox, open_settings()).await;
    assert_eq!(
        (copies_of(&sandbox, &event), told_of(&sandbox, &event)),
        (1, 1)
    );
    let second = sweep("second", &sandbox, open_settings()).await;
    assert_eq!(outcome_of(&second, &event), Some(Outcome::RetryPlanned));
    assert_eq!(
        (copies_of(&sandbox, &event), told_of(&sandbox, &event)),
        (1, 1)
    );
    // The messages of both come back, and one of them does something.
    let mut outcomes = Vec::new();
    for (place, delivery) in deliveries(&sandbox).iter().enumerate() {
        if is_about(delivery, &event) {
            let report = deliver(&format!("message-{place}"), &sandbox, delivery).await;
            outcomes.push(report.unwrap().outcome);
        }
    }
    assert_eq!(outcomes, [Outcome::Retried, Outcome::AlreadyHandled]);
    // It is handled now: the next sweep passes it over.
    let third = sweep("third", &sandbox, open_settings()).await;
    assert_eq!(outcome_of(&third, &event), None);
}

#[tokio::test]
async fn a_sweep_puts_off_what_it_cannot_read_now() {
    let sandbox = with_a_queue();
    let event = sample("destination-vault-policy");
    sandbox.fail(
        "backup:GetBackupVaultAccessPolicy",
        CallErrorKind::Throttled,
    );
    let swept = sweep("sweep", &sandbox, open_settings()).await;
    assert_eq!(outcome_of(&swept, &event), Some(Outcome::RetryPlanned));
    assert_eq!(copies_of(&sandbox, &event), 1);
    let is_of_vault = |write: &Write| write.operation == "backup:PutBackupVaultAccessPolicy";
    assert!(!sandbox.writes().iter().any(is_of_vault));
    sandbox.calls().mend("backup:GetBackupVaultAccessPolicy");
    let delivery = deliveries(&sandbox)
        .into_iter()
        .find(|delivery| is_about(delivery, &event))
        .unwrap();
    let report = deliver("message", &sandbox, &delivery).await.unwrap();
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
}

#[tokio::test]
async fn a_sweep_whose_queue_refuses_goes_on_and_says_so() {
    let sandbox = with_a_queue();
    sandbox.fail("sqs:SendMessage", CallErrorKind::Throttled);
    let event = sample("concurrency");
    let swept = sweep("sweep", &sandbox, open_settings()).await;
    assert_eq!(queued(&sandbox), 0);
    assert_eq!(outcome_of(&swept, &event), None);
    let job = event["detail"]["copyJobId"].as_str().unwrap();
    let is_named = |error: &String| error.contains(job) && error.contains("sqs:SendMessage");
    assert!(swept.errors.iter().any(is_named), "{:?}", swept.errors);
    // The other copies are handled all the same.
    assert!(swept.outcomes["repaired-and-retried"] > 0);
    // The next sweep takes it up.
    sandbox.calls().mend("sqs:SendMessage");
    let swept = sweep("next", &sandbox, open_settings()).await;
    assert_eq!(outcome_of(&swept, &event), Some(Outcome::RetryPlanned));
}

#[tokio::test]
async fn observe_mode_says_what_would_wait_and_sends_nothing() {
    for (name, sandbox) in [
        ("concurrency", with_a_queue()),
        ("quota", with_a_queue()),
        (
            "destination-vault-policy",
            soon_after("destination-vault-policy"),
        ),
        ("source-key-policy", soon_after("source-key-policy")),
    ] {
        let report = handle(&sandbox, observing(), &sample(name)).await;
        assert_eq!(report.outcome, Outcome::Planned, "{name}: {report:#?}");
        assert_eq!(report.not_before, None, "{name}");
        let says = |note: &String| {
            note.starts_with("in repair mode the copy would be started again after ")
                && note.ends_with(", not at once")
        };
        let said = report.notes.iter().filter(|note| says(note)).count();
        assert_eq!(said, 1, "{name}: {:?}", report.notes);
        assert_eq!(queued(&sandbox), 0, "{name}");
        assert_eq!(sandbox.calls().count("sqs:SendMessage"), 0, "{name}");
        assert_eq!(sandbox.writes(), [], "{name}");
    }
}

#[tokio::test]
async fn observe_mode_says_nothing_of_waiting_where_nothing_would_wait() {
    for (name, sandbox) in [
        // No queue.
        ("concurrency", sandbox()),
        // The denial is long ago.
        ("destination-vault-policy", with_a_queue()),
    ] {
        let report = handle(&sandbox, observing(), &sample(name)).await;
        assert_eq!(report.outcome, Outcome::Planned, "{name}");
        let says = report.notes.iter().any(|note| note.contains("not at once"));
        assert!(!says, "{name}: {:?}", report.notes);
    }
}

#[tokio::test]
async fn observe_mode_puts_nothing_off_that_it_cannot_read() {
    let sandbox = with_a_queue();
    sandbox.fail(
        "backup:GetBackupVaultAccessPolicy",
        CallErrorKind::Throttled,
    );
    let report = handle(&sandbox, observing(), &sample("destination-vault-policy")).await;
    assert_eq!(report.outcome, Outcome::Advised);
    assert!(
        report
            .diagnosis
            .unknown
            .iter()
            .any(|why| why.reason.may_pass())
    );
    sandbox.fail("backup:DescribeCopyJob", CallErrorKind::Throttled);
    let failed = handle_as("two", &sandbox, observing(), &sample("quota")).await;
    assert!(failed.is_err(), "Lambda delivers it again");
    assert_eq!(sandbox.calls().count("sqs:SendMessage"), 0);
}

#[tokio::test]
async fn a_sweep_in_observe_mode_puts_nothing_off() {
    let sandbox = with_a_queue();
    let swept = sweep("sweep", &sandbox, observing()).await;
    assert_eq!(
        outcome_of(&swept, &sample("concurrency")),
        Some(Outcome::Planned)
    );
    assert_eq!(outcome_of(&swept, &sample("quota")), Some(Outcome::Planned));
    assert_eq!(sandbox.calls().count("sqs:SendMessage"), 0);
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn what_was_put_off_before_the_mode_was_changed_is_only_planned() {
    let sandbox = with_a_queue();
    repair(&sandbox, &sample("concurrency")).await;
    let [delivery] = &deliveries(&sandbox)[..] else {
        panic!("one message");
    };
    let report = handle_as("later", &sandbox, observing(), delivery)
        .await
        .unwrap();
    assert_eq!(report.outcome, Outcome::Planned);
    assert_eq!(sandbox.writes(), []);
    assert_eq!(queued(&sandbox), 0);
}
