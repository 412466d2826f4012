//! An account's organization is read once a minute where nothing is ever written, and anew wherever a grant may
//! rest on it.

use copymend_remediation::CopyRemediator;
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::settings::{Mode, Settings};
use copymend_sandbox::Sandbox;

use crate::support::*;

const READ: &str = "organizations:DescribeOrganization";

/// How often organizations are read for each of two events in one process, the second so many minutes later.
async fn reads(sandbox: &Sandbox, mode: Mode, minutes: u64) -> [u64; 2] {
    let settings = Settings {
        mode,
        ..open_settings()
    };
    let remediator = CopyRemediator::new(sandbox.clone(), settings);
    let mut counts = [0; 2];
    for (count, name) in counts
        .iter_mut()
        .zip(["destination-vault-policy", "source-key-policy"])
    {
        let before = sandbox.calls().count(READ);
        let event = sample(name);
        remediator
            .handle(&event, &invocation(name, sandbox))
            .await
            .unwrap();
        *count = sandbox.calls().count(READ) - before;
        sandbox.calls().mend(READ);
        wait(sandbox, minutes).await;
    }
    counts
}

#[tokio::test]
async fn where_nothing_is_written_an_organization_is_read_once_a_minute() {
    let [first, second] = reads(&sandbox(), Mode::Observe, 0).await;
    assert_eq!((first, second), (2, 0));
    let [_, second] = reads(&sandbox(), Mode::Observe, 1).await;
    assert_eq!(second, 2, "after a minute it is read anew");
}

#[tokio::test]
async fn where_a_grant_may_rest_on_it_it_is_read_anew() {
    for mode in [Mode::Repair, Mode::Approve] {
        let [first, second] = reads(&sandbox(), mode, 0).await;
        assert_eq!(first, 2, "{mode:?}");
        assert!(second >= 2, "{mode:?}: {second}");
    }
}

#[tokio::test]
async fn what_could_not_be_read_is_not_remembered() {
    let sandbox = sandbox();
    sandbox.fail(READ, CallErrorKind::AccessDenied);
    let [_, second] = reads(&sandbox, Mode::Observe, 0).await;
    assert_eq!(second, 2);
}
