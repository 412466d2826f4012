//! A copy that was started again isn't started once more, whatever ends the delivery after it, and
//! however late the next one comes.

use copymend_remediation::ledger::{Ledger, Pause};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::Report;
use copymend_sandbox::Sandbox;

use super::faulty::{FAULTS, Fault, Faulty};
use super::{Delivered, ENTRY, deliver, end, event_of, sandbox_after_other_settings};

/// Two deliveries, the first with this call broken: the sandbox, how the first one ended, and the
/// Report of the second. In between AWS Backup forgets the token, and somebody pauses Copymend.
async fn twice(name: &str, number: usize, fault: Fault) -> (Sandbox, Option<Report>) {
    let sandbox = sandbox_after_other_settings().await;
    let environment = Faulty::new(sandbox.clone());
    let event = event_of(&sandbox, name);
    environment.break_call(number, fault);
    let first = deliver(&environment, &event, "first").await;
    if matches!(&first, Delivered::Answered(report) if !report.awaits_another_delivery()) {
        return (sandbox, None);
    }
    assert_eq!(end(&sandbox).started_copies, 1);
    environment.clock().sleep(ENTRY.unsigned_abs()).await;
    sandbox.forget_tokens();
    let pause = Pause {
        reason: "a change freeze".to_owned(),
        since: sandbox.clock().now(),
        until: None,
        by: None,
    };
    sandbox.ledger().unwrap().set_pause(&pause).await.unwrap();
    match deliver(&environment, &event, "second").await {
        Delivered::Answered(report) => (sandbox, Some(*report)),
        Delivered::Failed | Delivered::Killed => panic!("{name}, call {number}: no second report"),
    }
}

#[tokio::test]
async fn a_copy_that_was_started_is_reported_by_the_next_delivery_and_not_started_again() {
    for (name, outcome) in [
        ("transient", "retried"),
        ("destination-vault-policy", "repaired-and-retried"),
        ("source-key-policy", "repaired-and-retried"),
    ] {
        let sandbox = sandbox_after_other_settings().await;
        let environment = Faulty::new(sandbox.clone());
        let event = event_of(&sandbox, name);
        deliver(&environment, &event, "only").await;
        let made = environment.made();
        let recorded = made.iter().position(|call| *call == "record_retried_job");
        let recorded = recorded.unwrap();
        let mut rows = 0;
        for (number, call) in made.iter().enumerate().skip(recorded) {
            for fault in FAULTS {
                let is_recorded = matches!(fault, Fault::AnswerLost(_) | Fault::KilledAfter);
                if number == recorded && !is_recorded {
                    continue;
                }
                let place = format!("{name}, call {number} ({call}), {fault:?}");
                let (sandbox, report) = twice(name, number, fault).await;
                let found = end(&sandbox);
                assert_eq!(found.started_copies, 1, "{place}");
                assert!(!sandbox.notifier().sent().is_empty(), "{place}");
                let Some(report) = report else {
                    continue;
                };
                if report.outcome.slug() == "already-handled" {
                    continue;
                }
                rows += 1;
                assert_eq!(report.outcome.slug(), outcome, "{place}: {report:#?}");
                let started = sandbox.writes().into_iter();
                let job = started
                    .filter(|write| write.operation == "backup:StartCopyJob")
                    .map(|write| write.after)
                    .next();
                assert_eq!(report.retried_job, job, "{place}");
                let retry = sandbox.ledger().unwrap().retry_of(&job.unwrap()).await;
                assert!(retry.unwrap().is_some(), "{place}");
            }
        }
        assert!(rows > 4, "{name}: {rows} rows");
        println!("{name}: {rows} rows");
    }
}
