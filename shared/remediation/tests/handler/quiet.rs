//! Of what people are told at once, by `COPYMEND_MESSAGES`.

use copymend_remediation::ports::Reads;
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Messages, Settings};
use copymend_sandbox::Sandbox;
use serde_json::Value;

use crate::support::*;

fn telling(messages: Messages) -> Settings {
    Settings {
        messages,
        retry_budget: 2,
        ..open_settings()
    }
}

/// The outcomes of which people were told.
fn heard(sandbox: &Sandbox) -> Vec<Outcome> {
    let sent = sandbox.notifier().sent().into_iter();
    sent.map(|sent| sent.report.outcome).collect()
}

async fn handle_all(sandbox: &Sandbox, messages: Messages, events: &[Value]) -> Vec<Report> {
    let mut reports = Vec::new();
    for event in events {
        reports.push(handle(sandbox, telling(messages), event).await);
    }
    reports
}

/// The event of the copy that a report started again.
fn next(sandbox: &Sandbox, report: &Report) -> Value {
    sandbox
        .event_for(report.retried_job.as_ref().unwrap())
        .unwrap()
}

/// A copy that AWS Backup fails for a moment, until its retries are used up.
async fn until_the_last_retry(messages: Messages) -> (Sandbox, Vec<Outcome>) {
    let sandbox = sandbox_with(|world| {
        let jobs = world["copy_jobs"].as_array_mut().unwrap().iter_mut();
        for job in jobs.filter(|job| job["name"] == "service-fault") {
            job["faults"][0]["attempts"] = 10.into();
        }
    });
    let mut event = sample("service-fault");
    let mut outcomes = Vec::new();
    loop {
        let report = handle(&sandbox, telling(messages), &event).await;
        outcomes.push(report.outcome);
        if report.retried_job.is_none() {
            break;
        }
        event = next(&sandbox, &report);
    }
    (sandbox, outcomes)
}

#[tokio::test]
async fn people_hear_when_the_last_retry_has_failed_and_not_before() {
    let expected = [Outcome::Retried, Outcome::Retried, Outcome::Advised];
    for (messages, told) in [
        (Messages::All, &[Outcome::Retried, Outcome::Advised][..]),
        (Messages::AfterLastRetry, &[Outcome::Advised]),
        (Messages::NeedsAction, &[Outcome::Advised]),
    ] {
        let (sandbox, outcomes) = until_the_last_retry(messages).await;
        assert_eq!(outcomes, expected, "{messages}");
        assert_eq!(heard(&sandbox), told, "{messages}");
    }
}

/// A recovery is news to those alone who know of the failure.
#[tokio::test]
async fn a_recovery_of_what_nobody_was_told_of_is_not_told() {
    for (messages, told) in [
        (Messages::All, &[Outcome::Retried, Outcome::Recovered][..]),
        (Messages::AfterLastRetry, &[]),
        (Messages::NeedsAction, &[]),
    ] {
        let sandbox = sandbox();
        let event = sample("service-fault");
        let first = handle_all(&sandbox, messages, &[event]).await;
        let worked = next(&sandbox, &first[0]);
        let recovered = handle_all(&sandbox, messages, std::slice::from_ref(&worked)).await;
        assert_eq!(recovered[0].outcome, Outcome::Recovered);
        assert_eq!(heard(&sandbox), told, "{messages}");
        let again = handle_all(&sandbox, messages, &[worked]).await;
        assert_eq!(again[0].outcome, Outcome::Nothing, "the incident is over");
    }
}

/// A grant changes an owner's policy: people hear of it at once, and of its end where they want to.
#[tokio::test]
async fn a_grant_is_told_at_once_whatever_is_chosen() {
    let granted = Outcome::RepairedAndRetried;
    for (messages, told) in [
        (Messages::All, &[granted, Outcome::Recovered][..]),
        (Messages::AfterLastRetry, &[granted, Outcome::Recovered]),
        (Messages::NeedsAction, &[granted]),
    ] {
        let sandbox = sandbox();
        let event = sample("destination-vault-policy");
        let first = handle_all(&sandbox, messages, &[event]).await;
        let worked = next(&sandbox, &first[0]);
        handle_all(&sandbox, messages, &[worked]).await;
        assert_eq!(heard(&sandbox), told, "{messages}");
    }
}

/// What needs a person is told at once, whatever is chosen.
#[tokio::test]
async fn what_needs_a_person_is_told_at_once() {
    for messages in Messages::ALL {
        let sandbox = sandbox();
        let report = handle(&sandbox, telling(messages), &sample("aws-managed-key")).await;
        assert!(report.needs_action());
        assert_eq!(heard(&sandbox), [Outcome::Advised], "{messages}");
    }
}
