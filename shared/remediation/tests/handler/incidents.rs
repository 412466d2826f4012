//! Incidents that end, copies whose events never came, and facts that were missing for a while.

use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::sweep::{SWEEP_DETAIL_TYPE, is_sweep};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::Sandbox;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn the_event_of_the_retried_copy_closes_the_incident_and_says_how_long_it_lasted() {
    let sandbox = sandbox();
    let report = repair(&sandbox, &sample("destination-vault-policy")).await;
    let retried = report.retried_job.unwrap();
    let event = sandbox.event_for(&retried).unwrap();
    assert_eq!(event["detail"]["state"], "COMPLETED");
    wait(&sandbox, 12).await;

    let closed = repair(&sandbox, &event).await;

    assert_eq!(closed.outcome, Outcome::Recovered);
    assert!(closed.verified);
    assert!(closed.notes[0].contains("12 minutes"), "{:?}", closed.notes);
    assert_eq!(sandbox.notifier().sent().len(), 2);
    // The same event again tells nothing new, and the next failure is a first one again.
    let again = repair(&sandbox, &event).await;
    assert_eq!(again.outcome, Outcome::Nothing);
    assert_eq!(sandbox.notifier().sent().len(), 2);
}

#[tokio::test]
async fn a_recovery_that_could_not_be_told_is_told_by_the_next_delivery() {
    let sandbox = sandbox();
    let report = repair(&sandbox, &sample("destination-vault-policy")).await;
    let event = sandbox.event_for(&report.retried_job.unwrap()).unwrap();
    sandbox.fail("sns:Publish", CallErrorKind::Unavailable);
    deliver("first", &sandbox, &event).await.unwrap_err();
    assert_eq!(sandbox.notifier().sent().len(), 1);
    sandbox.calls().mend("sns:Publish");

    let closed = deliver("second", &sandbox, &event).await.unwrap();

    assert_eq!(closed.outcome, Outcome::Recovered);
    assert_eq!(sandbox.notifier().sent().len(), 2);
}

#[tokio::test]
async fn a_copy_that_worked_and_was_no_retry_of_ours_is_let_be() {
    let sandbox = sandbox();
    let completed = sandbox.with_world(|world| {
        let mut jobs = world.copy_jobs().iter();
        jobs.find(|job| job.failure().is_none()).unwrap().id.clone()
    });
    let event = sandbox.event_for(&completed).unwrap();
    let report = repair(&sandbox, &event).await;
    assert_eq!(report.outcome, Outcome::Nothing);
    assert_eq!(sandbox.notifier().sent().len(), 0);
}

/// An event that claims success for a copy of ours that failed closes nothing.
#[tokio::test]
async fn a_forged_success_closes_no_incident() {
    let sandbox = sandbox();
    let two_steps = sandbox.event_for(TWO_STEPS).unwrap();
    let report = repair(&sandbox, &two_steps).await;
    let failed_again = report.retried_job.unwrap();
    let mut event = sandbox.event_for(&failed_again).unwrap();
    assert_eq!(event["detail"]["state"], "FAILED");
    event["detail"]["state"] = json!("COMPLETED");
    let report = repair(&sandbox, &event).await;
    assert_eq!(report.outcome, Outcome::Nothing);
    assert!(!report.verified);
    assert_eq!(sandbox.notifier().sent().len(), 1);
}

fn sweep_event(accounts: &Value) -> Value {
    json!({"source": "copymend", "detail-type": SWEEP_DETAIL_TYPE,
           "detail": {"accounts": accounts, "regions": ["us-east-1"], "hours": 720}})
}

async fn sweep(sandbox: &Sandbox, event: &Value) -> copymend_remediation::sweep::Swept {
    let invocation = Invocation {
        id: "sweep".to_owned(),
        deadline: sandbox.clock().now() + SignedDuration::from_hours(1),
    };
    CopyRemediator::new(sandbox.clone(), open_settings())
        .sweep(event, &invocation)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_sweep_takes_up_what_no_event_has_brought_and_nothing_else() {
    let sandbox = sandbox();
    let known = sample("destination-vault-policy");
    repair(&sandbox, &known).await;
    let event = sweep_event(&json!(["111122223333"]));
    assert!(is_sweep(&event) && !is_sweep(&known));

    let first = sweep(&sandbox, &event).await;

    assert_eq!(first.errors, Vec::<String>::new());
    assert!(first.found > 10, "{}", first.found);
    assert_eq!(
        first.reports.len() + 1,
        first.found,
        "all but the one that was handled"
    );
    assert_eq!(first.handled_before, 1);
    assert_eq!(first.outcomes.values().sum::<usize>(), first.reports.len());
    assert!(first.reports.iter().all(|report| report.verified));
    let again = sweep(&sandbox, &event).await;
    let taken_up_again: Vec<_> = again
        .reports
        .iter()
        .map(Report::copy_job_id)
        .filter(|id| {
            first
                .reports
                .iter()
                .any(|report| report.copy_job_id() == *id)
        })
        .collect();
    assert_eq!(taken_up_again, Vec::<Option<&str>>::new());
}

#[tokio::test]
async fn a_sweep_says_which_account_it_cannot_reach() {
    let swept = sweep(&sandbox(), &sweep_event(&json!(["121212121212"]))).await;
    assert_eq!(swept.found, 0);
    assert_eq!(swept.errors.len(), 1);
}

/// A fact that could not be read for a passing reason is named, and the event counts as not
/// handled.
#[tokio::test]
async fn an_event_whose_facts_were_throttled_is_taken_up_by_the_next_delivery() {
    for operation in [
        "backup:GetBackupVaultAccessPolicy",
        "organizations:DescribeOrganization",
    ] {
        let sandbox = sandbox();
        sandbox.fail(operation, CallErrorKind::Throttled);
        let event = sample("destination-vault-policy");
        let first = deliver("one", &sandbox, &event).await.unwrap();
        assert!(first.awaits_another_delivery(), "{operation}");
        assert_eq!(policy_writes(&sandbox), []);
        sandbox.calls().mend(operation);
        let second = deliver("two", &sandbox, &event).await.unwrap();
        assert_eq!(second.outcome, Outcome::RepairedAndRetried, "{operation}");
        // What it looked like first was told, and so is what came of it.
        let told: Vec<_> = sandbox
            .notifier()
            .sent()
            .into_iter()
            .map(|sent| sent.report.outcome)
            .collect();
        assert_eq!(told, [first.outcome, Outcome::RepairedAndRetried]);
        let third = deliver("three", &sandbox, &event).await.unwrap();
        assert_eq!(third.outcome, Outcome::AlreadyHandled);
    }
}

/// The event of the end is ahead of what `DescribeCopyJob` answers.
#[tokio::test]
async fn a_job_that_still_seems_to_run_is_read_again() {
    let (sandbox, event) = scene("destination-vault-policy");
    let id = job_of(&event);
    sandbox.with_world(|world| world.set_running(&id, true));
    let job = id.clone();
    before_nth(&sandbox, "backup:DescribeCopyJob", 2, move |world| {
        world.set_running(&job, false);
    });
    must_repair(&sandbox, &event).await;

    // One that goes on running is no failure.
    let running = crate::support::sandbox();
    running.with_world(|world| world.set_running(&id, true));
    let report = handle(&running, open_settings(), &event).await;
    assert_eq!(report.outcome, Outcome::Refused);
    assert_eq!(failed_guards(&report), ["verified-failure"]);
    assert_eq!(running.writes(), []);
}

/// The service-linked role is made only where its own switch is on, and the copy works then.
#[tokio::test]
async fn a_missing_service_linked_role_is_made_where_the_switch_allows_it() {
    let event = sample("service-linked-role");
    let off = sandbox();
    let report = handle(&off, open_settings(), &event).await;
    assert_eq!(report.diagnosis.cause.slug(), "service-linked-role");
    assert_eq!(report.outcome, Outcome::Advised);
    assert_eq!(off.writes(), []);

    let on = with_role_creation();
    let observed = sandbox();
    let planning = Settings {
        mode: Mode::Observe,
        ..on.clone()
    };
    let report = handle(&observed, planning, &event).await;
    assert_eq!(report.outcome, Outcome::Planned);
    assert_eq!(observed.writes(), []);

    let sandbox = sandbox();
    let report = handle(&sandbox, on.clone(), &event).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
    let made: Vec<_> = sandbox
        .writes()
        .into_iter()
        .map(|write| write.operation)
        .collect();
    assert_eq!(made, ["iam:CreateServiceLinkedRole", "backup:StartCopyJob"]);
    let retried = report.retried_job.unwrap();
    let state = sandbox.with_world(|world| world.copy_job(&retried).unwrap().state());
    assert_eq!(state.as_str(), "COMPLETED");

    let closed = crate::support::sandbox();
    let no_destination = Settings {
        allowed_destinations: Vec::new(),
        ..on
    };
    let report = handle(&closed, no_destination, &event).await;
    assert_eq!(failed_guards(&report), ["destination-allowed"]);
    assert_eq!(closed.writes(), []);
}
