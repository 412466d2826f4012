//! How a policy is written when others write too.

use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::report::Outcome;

use crate::support::{handle, handle_as, open_settings, policy_writes, sample, sandbox};

#[tokio::test]
async fn a_write_that_is_refused_is_reported_and_not_recorded() {
    let sandbox = sandbox();
    sandbox.fail("backup:PutBackupVaultAccessPolicy", CallErrorKind::AccessDenied);
    let report = handle(&sandbox, open_settings(), &sample("destination-vault-policy")).await;
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.retried_job.is_none());
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn a_call_that_may_work_later_asks_for_another_delivery() {
    let sandbox = sandbox();
    sandbox.fail("backup:DescribeCopyJob", CallErrorKind::Throttled);
    let event = sample("destination-vault-policy");
    let error = handle_as("one", &sandbox, open_settings(), &event).await.unwrap_err();
    assert_eq!(error.error_type(), "CallFailed");
    sandbox.calls().mend("backup:DescribeCopyJob");
    let report = handle_as("two", &sandbox, open_settings(), &event).await.unwrap();
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
}

#[tokio::test]
async fn a_message_that_was_not_sent_is_sent_by_the_next_delivery_and_the_policy_is_written_once() {
    let sandbox = sandbox();
    sandbox.fail("sns:Publish", CallErrorKind::Failed);
    let event = sample("destination-vault-policy");
    assert!(handle_as("one", &sandbox, open_settings(), &event).await.is_err());
    sandbox.calls().mend("sns:Publish");
    handle_as("two", &sandbox, open_settings(), &event).await.unwrap();
    assert_eq!(policy_writes(&sandbox).len(), 1);
    use copymend_remediation::ports::Environment;
    assert_eq!(sandbox.notifier().sent().len(), 1);
}
