//! How many rounds of reads an investigation takes, one waiting for the other.

use std::collections::BTreeSet;

use copymend_diagnosis::Cause;
use copymend_remediation::settings::Mode;
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::{CallRecord, Sandbox};
use jiff::SignedDuration;

use super::breaks::BREAKS;
use super::scene::{Scene, event, handle, open_settings};
use crate::torture::Faulty;

/// The rounds in which AWS was read after the job was verified.
fn rounds(calls: &[CallRecord]) -> BTreeSet<u64> {
    let reads_aws = |call: &&CallRecord| {
        !call.operation.starts_with("ledger:") && !call.operation.starts_with("sns:")
    };
    calls
        .iter()
        .skip_while(|call| call.operation != "backup:DescribeCopyJob")
        .skip(1)
        .filter(reads_aws)
        .map(|call| call.round)
        .collect()
}

#[tokio::test]
async fn an_investigation_takes_two_rounds_of_parallel_reads_and_one_more_for_hidden_policies_or_keys()
 {
    let mut most = 0;
    for broken in BREAKS {
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        let sandbox = Sandbox::new(scene.load());
        handle(&sandbox, Mode::Observe).await;
        let calls = sandbox.calls().begun();
        let rounds = rounds(&calls).len();
        // The simulation is asked once more without the policies that are in the way. Into an
        // air-gapped vault, as where a resource control policy refuses, the job role uses the keys
        // itself: what it may do with them is asked once they are known.
        let takes_more = [
            Cause::ServiceControlPolicy,
            Cause::PermissionsBoundary,
            Cause::ResourceControlPolicy,
        ];
        let takes_more = takes_more.contains(&broken.cause);
        let expected = if takes_more { 3 } else { 2 };
        assert!(rounds <= expected, "{}: {calls:#?}", broken.cause);
        most = most.max(rounds);
    }
    assert_eq!(most, 3);
}

/// The same handler, on an environment that lets one call through at a time.
#[tokio::test]
async fn reads_that_wait_for_each_other_are_counted_as_rounds() {
    let mut scene = Scene::healthy();
    (BREAKS[0].apply)(&mut scene);
    let sandbox = Sandbox::new(scene.load());
    let invocation = Invocation {
        id: "rounds".to_owned(),
        deadline: sandbox.with_world(|world| world.time()) + SignedDuration::from_mins(1),
    };
    let one_at_a_time = Faulty::new(sandbox.clone()).one_at_a_time();
    CopyRemediator::new(one_at_a_time, open_settings(Mode::Observe))
        .handle(&event(&sandbox), &invocation)
        .await
        .unwrap();
    let calls = sandbox.calls().begun();
    let rounds = rounds(&calls).len();
    assert!(rounds > 15, "{rounds} rounds: {calls:#?}");
}

/// What one delivery costs: all its calls, and the rounds in which they wait for each other.
async fn cost(sandbox: &Sandbox, mode: Mode) -> (usize, usize) {
    let before = sandbox.calls().begun().len();
    handle(sandbox, mode).await;
    let calls = sandbox.calls().begun().split_off(before);
    let rounds: BTreeSet<u64> = calls.iter().map(|call| call.round).collect();
    (calls.len(), rounds.len())
}

/// How many calls an event costs, and in how many rounds: whoever changes one of them says why.
#[tokio::test]
async fn calls_and_rounds_of_an_event_are_as_they_were() {
    let mut costs = Vec::new();
    for cause in [
        Cause::DestinationVaultPolicy,
        Cause::SourceKeyPolicy,
        Cause::ServiceLinkedRole,
        Cause::JobRolePermission,
    ] {
        let broken = BREAKS.iter().find(|broken| broken.cause == cause).unwrap();
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        for mode in [Mode::Observe, Mode::Repair] {
            let sandbox = Sandbox::new(scene.load());
            let (calls, rounds) = cost(&sandbox, mode).await;
            costs.push(format!("{cause}, {mode}: {calls} calls in {rounds} rounds"));
            let (calls, rounds) = cost(&sandbox, mode).await;
            costs.push(format!(
                "{cause}, {mode}, handled before: {calls} calls in {rounds} rounds"
            ));
        }
    }
    insta::assert_snapshot!(costs.join("\n"));
}
