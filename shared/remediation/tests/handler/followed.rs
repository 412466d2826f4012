//! Copies that a repair for another copy admits: the ledger is asked three times, and whatever doesn't fit
//! goes the whole way.

use copymend_remediation::ledger::{CountedOfSource, Ledger, RecordedSettings};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::Outcome;
use copymend_remediation::settings::Settings;

use crate::support::*;

/// A repaired vault, and another copy that failed before.
async fn repaired_and_twin() -> (copymend_sandbox::Sandbox, serde_json::Value) {
    let (sandbox, event) = scene("destination-vault-policy");
    let twin = copied_again(&sandbox, &event, None);
    must_repair(&sandbox, &event).await;
    (sandbox, twin)
}

fn ledger_calls(sandbox: &copymend_sandbox::Sandbox, from: usize) -> Vec<&'static str> {
    let begun = sandbox.calls().begun();
    let since = begun.iter().skip(from).map(|call| call.operation);
    since
        .filter(|operation| operation.starts_with("ledger:"))
        .collect()
}

#[tokio::test]
async fn the_ledger_is_asked_three_times_and_nothing_is_investigated() {
    let (sandbox, twin) = repaired_and_twin().await;
    let from = sandbox.calls().begun().len();
    let report = repair(&sandbox, &twin).await;
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
    assert_eq!(report.occurrences, Some(2));
    let asked = [
        "ledger:Recall",
        "ledger:ClaimRetry",
        "ledger:FinishStartedAgain",
    ];
    assert_eq!(ledger_calls(&sandbox, from), asked);
    let begun = sandbox.calls().begun();
    assert!(
        begun
            .iter()
            .skip(from)
            .all(|call| !call.operation.starts_with("iam:")),
        "{begun:#?}"
    );
    // Once more it is handled, and remembered.
    let again = repair(&sandbox, &twin).await;
    assert_eq!(again.outcome, Outcome::AlreadyHandled);
    let ledger = sandbox.ledger().unwrap();
    let started = report.retried_job.unwrap();
    let retry = ledger.retry_of(&started).await.unwrap().unwrap();
    assert_eq!(retry.original_job, job_of(&twin));
}

/// Whatever happens to the end, the new job is remembered at once: its own failure is no copy on demand.
#[tokio::test]
async fn an_end_that_fails_takes_its_parts_one_by_one() {
    for kind in [
        CallErrorKind::Throttled,
        CallErrorKind::AccessDenied,
        CallErrorKind::Timeout,
    ] {
        let (sandbox, twin) = repaired_and_twin().await;
        sandbox.fail("ledger:FinishStartedAgain", kind);
        let told = sandbox.notifier().sent().len();
        let report = repair(&sandbox, &twin).await;
        assert_eq!(report.outcome, Outcome::Retried, "{kind:?}: {report:#?}");
        assert_eq!(report.occurrences, Some(2), "{kind:?}");
        assert_eq!(sandbox.notifier().sent().len(), told, "{kind:?}");
        let ledger = sandbox.ledger().unwrap();
        let started = report.retried_job.unwrap();
        assert!(
            ledger.retry_of(&started).await.unwrap().is_some(),
            "{kind:?}"
        );
        let again = repair(&sandbox, &twin).await;
        assert_eq!(again.outcome, Outcome::AlreadyHandled, "{kind:?}");
    }
}

/// A retry of the incident worked meanwhile, and people heard that it is over: that it goes on is news.
#[tokio::test]
async fn an_incident_that_is_over_is_told_anew() {
    let (sandbox, event) = scene("destination-vault-policy");
    let twin = copied_again(&sandbox, &event, None);
    must_repair(&sandbox, &event).await;
    let ledger = sandbox.ledger().unwrap();
    let closed = ledger.close_incident(&job_of(&event)).await.unwrap();
    assert!(closed.is_some());
    let told = sandbox.notifier().sent().len();
    let report = repair(&sandbox, &twin).await;
    assert_eq!(report.outcome, Outcome::Retried);
    assert_eq!(sandbox.notifier().sent().len(), told + 1, "{report:#?}");
}

/// Without a queue a throttled read sends the copy the whole way, which tells what could not be read.
#[tokio::test]
async fn a_throttled_read_ends_in_a_report_where_nothing_can_be_put_off() {
    let (sandbox, twin) = repaired_and_twin().await;
    sandbox.fail(
        "backup:GetBackupVaultAccessPolicy",
        CallErrorKind::Throttled,
    );
    let from = sandbox.calls().begun().len();
    let delivered = handle_as("throttled", &sandbox, open_settings(), &twin).await;
    let asked = ledger_calls(&sandbox, from);
    assert!(asked.contains(&"ledger:BeginJob"), "{asked:?}");
    if let Ok(report) = delivered {
        assert_ne!(report.outcome, Outcome::AlreadyHandled, "{report:#?}");
    }
}

/// A start that is refused for good is told, and not tried over and over.
#[tokio::test]
async fn a_start_that_is_denied_is_told_and_counted_within_its_budget() {
    let (sandbox, twin) = repaired_and_twin().await;
    sandbox.fail("backup:StartCopyJob", CallErrorKind::AccessDenied);
    let writes = sandbox.writes().len();
    let before = sandbox.calls().count("backup:StartCopyJob");
    let report = repair(&sandbox, &twin).await;
    assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
    assert_eq!(sandbox.writes().len(), writes);
    let tried = sandbox.calls().count("backup:StartCopyJob") - before;
    assert!(tried <= 2, "{tried}");
}

/// People have to hear of changed settings first, so the copy goes the whole way.
#[tokio::test]
async fn changed_settings_are_told() {
    let (sandbox, twin) = repaired_and_twin().await;
    let settings = Settings {
        retry_budget: 4,
        ..open_settings()
    };
    let report = handle(&sandbox, settings.clone(), &twin).await;
    assert!(report.changed_settings.is_some(), "{report:#?}");
    let later = sandbox.clock().now();
    let ledger = sandbox.ledger().unwrap();
    let known = RecordedSettings::from(&settings);
    let notice = ledger.claim_settings_notice(&known, "later", later, later);
    assert_eq!(notice.await.unwrap(), None);
}

/// The account's budget of retries holds for these copies, too.
#[tokio::test]
async fn the_account_s_budget_of_retries_holds() {
    let (sandbox, twin) = repaired_and_twin().await;
    let settings = open_settings();
    let ledger = sandbox.ledger().unwrap();
    let (source, now) = ("111122223333".parse().unwrap(), sandbox.clock().now());
    let what = CountedOfSource::Retries;
    while ledger
        .count_of_source(what, source, settings.source_retry_budget, now)
        .await
        .unwrap()
    {}
    let report = handle(&sandbox, settings, &twin).await;
    assert_eq!(report.retried_job, None, "{report:#?}");
    assert_eq!(report.outcome, Outcome::Advised);
}
