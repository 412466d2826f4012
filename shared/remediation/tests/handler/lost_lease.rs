//! A lease that another invocation takes while one works: what the first one doesn't do any more.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use copymend_remediation::HandlerError;
use copymend_remediation::ledger::{ChangeState, Lease, Ledger};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::Outcome;
use copymend_sandbox::Sandbox;
use jiff::SignedDuration;

use crate::support::*;

const REPAIRS: [(&str, &str, &str); 2] = [
    (
        "destination-vault-policy",
        "backup:GetBackupVaultAccessPolicy",
        "backup:PutBackupVaultAccessPolicy",
    ),
    ("source-key-policy", "kms:GetKeyPolicy", "kms:PutKeyPolicy"),
];

/// How often a policy is read before it is put, the last time right before, without a fault.
async fn reads_before_the_put(event: &str, read: &str, put: &str) -> u32 {
    let (sandbox, event) = scene(event);
    must_repair(&sandbox, &event).await;
    let calls = sandbox.calls().begun();
    let before = calls.iter().take_while(|call| call.operation != put);
    let reads = before.filter(|call| call.operation == read).count();
    u32::try_from(reads).unwrap()
}

/// Another invocation whose clock is far ahead takes the lease. The ledger in memory answers at once.
fn take_the_lease(sandbox: &Sandbox, resource: &str) -> Lease {
    let later = sandbox.clock().now() + SignedDuration::from_mins(5);
    let until = later + SignedDuration::from_secs(30);
    let ledger = sandbox.ledger().unwrap();
    let mut taken = pin!(ledger.acquire_lease(resource, "another", later, until));
    let answer = match taken.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(taken) => Some(taken),
        Poll::Pending => None,
    };
    answer.unwrap().unwrap().unwrap()
}

/// The resource whose policy an event's repair writes.
async fn resource_of(event: &str) -> String {
    let (sandbox, event) = scene(event);
    must_repair(&sandbox, &event).await.changes[0]
        .resource
        .clone()
}

#[tokio::test]
async fn a_lease_that_is_lost_right_before_the_put_stops_it_and_the_event_is_delivered_again() {
    for (name, read, put) in REPAIRS {
        let last = reads_before_the_put(name, read, put).await;
        let resource = resource_of(name).await;
        let (sandbox, event) = scene(name);
        let (hooked, leased) = (sandbox.clone(), resource.clone());
        // The read under the lease: what comes after it is the intent and the last look.
        before_nth(&sandbox, read, last - 1, move |_| {
            take_the_lease(&hooked, &leased);
        });
        let error = deliver("first", &sandbox, &event).await.unwrap_err();
        let HandlerError::Call(error) = error else {
            panic!("{name}: {error}");
        };
        assert_eq!(error.kind, CallErrorKind::Throttled, "{name}: {error}");
        assert!(error.detail.contains("another lease"), "{name}: {error}");
        assert_eq!(sandbox.writes(), [], "{name}");
        assert_eq!(sandbox.calls().count(put), 0, "{name}");
        assert_eq!(told(&sandbox), 0, "{name}");
        // The other's lease is left alone: nobody gets it before it ends.
        let ledger = sandbox.ledger().unwrap();
        let now = sandbox.clock().now() + SignedDuration::from_mins(5);
        let taken = ledger.acquire_lease(&resource, "third", now, now).await;
        assert_eq!(taken.unwrap(), None, "{name}");
        wait(&sandbox, 7).await;
        let report = deliver("second", &sandbox, &event).await.unwrap();
        assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{name}");
        assert_eq!(policy_writes(&sandbox).len(), 1, "{name}");
        assert_eq!(told(&sandbox), 1, "{name}");
    }
}

/// What was put is in the policy. Its record waits for the next delivery: the other invocation may
/// have recorded a change of its own.
#[tokio::test]
async fn a_lease_that_is_lost_after_the_put_leaves_the_record_to_the_next_delivery() {
    for (name, read, put) in REPAIRS {
        let after_the_put = reads_before_the_put(name, read, put).await + 1;
        let resource = resource_of(name).await;
        let (sandbox, event) = scene(name);
        let (hooked, leased) = (sandbox.clone(), resource.clone());
        before_nth(&sandbox, read, after_the_put, move |_| {
            take_the_lease(&hooked, &leased);
        });
        deliver("first", &sandbox, &event).await.unwrap_err();
        assert_eq!(policy_writes(&sandbox).len(), 1, "{name}");
        let ledger = sandbox.ledger().unwrap();
        let now = sandbox.clock().now();
        let history = ledger.policy_history(&resource, now).await.unwrap();
        assert_eq!((history.sids, history.last_write), (Vec::new(), None));
        wait(&sandbox, 7).await;
        let report = deliver("second", &sandbox, &event).await.unwrap();
        assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{name}");
        assert_eq!(policy_writes(&sandbox).len(), 1, "{name}");
        let id = report.changes[0].id.clone().unwrap();
        let (_, state) = ledger.change(&id).await.unwrap().unwrap();
        assert_eq!(state, ChangeState::Written, "{name}");
        let now = sandbox.clock().now();
        let history = ledger.policy_history(&resource, now).await.unwrap();
        let last = history.last_write.and_then(|last| last.change_id);
        assert_eq!(last, Some(id), "{name}");
    }
}
