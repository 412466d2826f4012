//! Where the queue of delayed retries refuses a message, what was decided at first still counts.

use copymend_remediation::ports::{CallErrorKind, Environment};
use copymend_remediation::report::{DecisionKind, Outcome, Report};
use copymend_sandbox::Sandbox;
use serde_json::Value;

use crate::support::*;

fn queue_refuses(sandbox: &Sandbox) {
    sandbox.fail("sqs:SendMessage", CallErrorKind::AccessDenied);
}

/// The report without a queue, and the one with a queue that refuses, of an event with a read that
/// is throttled.
async fn both(name: &str, throttled: &str) -> (Sandbox, Report, Report) {
    let event = sample(name);
    let (without, with) = (sandbox(), sandbox().with_delayed_retries());
    for sandbox in [&without, &with] {
        sandbox.fail(throttled, CallErrorKind::Throttled);
    }
    queue_refuses(&with);
    let expected = repair(&without, &event).await;
    let report = repair(&with, &event).await;
    (with, expected, report)
}

fn refused_note(report: &Report) -> bool {
    let mut notes = report.notes.iter();
    notes.any(|note| note.contains("the event was not put off") && note.contains("sqs:SendMessage"))
}

#[tokio::test]
async fn a_refusal_is_told_with_the_change_that_it_stopped() {
    let (sandbox, expected, report) = both("destination-vault-policy", "backup:ListTags").await;
    assert_eq!(expected.decision, DecisionKind::Refuse, "{expected:#?}");
    assert_eq!(expected.refused_changes.len(), 1);
    assert_eq!(
        (report.decision, report.outcome),
        (DecisionKind::Refuse, Outcome::Refused),
        "{report:#?}"
    );
    assert_eq!(report.refused_changes, expected.refused_changes);
    assert_eq!(failed_guards(&report), failed_guards(&expected));
    assert!(refused_note(&report), "{report:#?}");
    assert!(sandbox.delayed_retries().unwrap().due_times().is_empty());
    assert_eq!((sandbox.writes(), told(&sandbox)), (Vec::new(), 1));
}

#[tokio::test]
async fn advice_is_told_as_it_was_decided_at_first() {
    let read = "backup:GetBackupVaultAccessPolicy";
    let (sandbox, expected, report) = both("destination-vault-policy", read).await;
    assert_eq!(expected.outcome, Outcome::Advised, "{expected:#?}");
    assert_eq!(
        (report.decision, report.outcome, &report.advice),
        (expected.decision, expected.outcome, &expected.advice)
    );
    assert!(refused_note(&report), "{report:#?}");
    assert_eq!((sandbox.writes(), told(&sandbox)), (Vec::new(), 1));
}

fn started(report: &Report, event: &Value) {
    assert_eq!(report.outcome, Outcome::Retried, "{event}: {report:#?}");
    let mut notes = report.notes.iter();
    assert!(notes.any(|note| note.contains("the copy was not put off until")));
}

/// What only has to wait is started at once.
#[tokio::test]
async fn a_copy_that_cannot_wait_is_started_at_once() {
    for name in ["concurrency", "quota"] {
        let sandbox = sandbox().with_delayed_retries();
        queue_refuses(&sandbox);
        let event = sample(name);
        let report = repair(&sandbox, &event).await;
        started(&report, &event);
        assert_eq!(sandbox.calls().count("backup:StartCopyJob"), 1, "{name}");
        assert_eq!(told(&sandbox), 1, "{name}");
        let again = deliver("again", &sandbox, &event).await.unwrap();
        assert_eq!(again.outcome, Outcome::AlreadyHandled, "{name}");
    }
}
