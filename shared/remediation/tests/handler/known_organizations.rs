//! An account's organization is read once a minute where nothing is ever written, and anew wherever a grant may
//! rest on it.

use copymend_remediation::CopyRemediator;
use copymend_remediation::agreement::Agreement;
use copymend_remediation::ports::{CallErrorKind, Clock as _, Location, Reads as _};
use copymend_remediation::report::Outcome;
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

/// A person's yes in observe mode lets a change be made: it doesn't rest on what an earlier plan has read.
#[tokio::test]
async fn a_change_that_a_person_agreed_to_rests_on_what_is_read_anew() {
    let sandbox = sandbox();
    let event = sample("destination-vault-policy");
    let remediator = CopyRemediator::new(sandbox.clone(), observing());
    let invocation = invocation("by-hand", &sandbox);
    remediator.handle(&event, &invocation).await.unwrap();
    let job = job_of(&event);
    let account = event["account"].as_str().unwrap().parse().unwrap();
    let location = Location::new(account, event["region"].as_str().unwrap());
    let before = sandbox.calls().count(READ);
    let planned = remediator.plan_of_job(&location, &job, &invocation).await;
    let planned = planned.unwrap();
    assert_eq!(sandbox.calls().count(READ), before + 2, "the plan");
    let now = sandbox.clock().now();
    let agreement = Agreement::to(planned.plan.unwrap(), Some("somebody".to_owned()), now);
    let applied = remediator
        .apply(&location, &job, &agreement, &invocation)
        .await;
    let applied = applied.unwrap();
    assert_eq!(applied.outcome, Outcome::RepairedAndRetried, "{applied:#?}");
    assert_eq!(sandbox.calls().count(READ), before + 4, "the change");
}
