//! A pause stops repairs, retries and the making of the service-linked role, and says so.

use copymend_remediation::ledger::Ledger;
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::Outcome;
use copymend_remediation::settings::{Mode, Settings};

use crate::support::*;

const REPAIRS_AND_RETRIES: [&str; 4] = [
    "destination-vault-policy",
    "source-key-policy",
    "service-linked-role",
    "service-fault",
];

#[tokio::test]
async fn a_pause_stops_every_write_and_every_retry() {
    for name in REPAIRS_AND_RETRIES {
        let sandbox = sandbox();
        pause(&sandbox, None).await;
        let report = handle(&sandbox, with_role_creation(), &sample(name)).await;
        assert_eq!(failed_guards(&report), ["not-paused"], "{name}");
        let guard = report.guards.iter().find(|guard| !guard.passed).unwrap();
        assert!(guard.detail.contains("a change freeze"), "{}", guard.detail);
        assert_eq!(report.retried_job, None);
        assert_eq!(sandbox.writes(), [], "{name}");
    }
}

#[tokio::test]
async fn a_pause_is_shown_in_observe_mode_too() {
    for name in REPAIRS_AND_RETRIES {
        let sandbox = sandbox();
        pause(&sandbox, None).await;
        let observed = Settings {
            mode: Mode::Observe,
            ..with_role_creation()
        };
        let report = handle(&sandbox, observed, &sample(name)).await;
        assert_eq!(failed_guards(&report), ["mode", "not-paused"], "{name}");
    }
}

#[tokio::test]
async fn what_is_resumed_or_over_is_no_pause() {
    for name in REPAIRS_AND_RETRIES {
        let resumed = sandbox();
        pause(&resumed, None).await;
        assert!(
            resumed
                .ledger()
                .unwrap()
                .lift_pause(None, resumed.clock().now())
                .await
                .unwrap()
        );
        let over = sandbox();
        pause(&over, Some(30)).await;
        over.clock().sleep(std::time::Duration::from_secs(30)).await;
        for sandbox in [resumed, over] {
            let report = handle(&sandbox, with_role_creation(), &sample(name)).await;
            assert!(
                [Outcome::RepairedAndRetried, Outcome::Retried].contains(&report.outcome),
                "{name}: {report:#?}"
            );
        }
    }
}

/// It is asked again under the lease, and once more before the copy is started.
#[tokio::test]
async fn a_pause_that_comes_meanwhile_stops_what_is_not_done_yet() {
    for (reading, outcome, writes) in [(2, Outcome::Refused, 0), (3, Outcome::Repaired, 1)] {
        for name in ["destination-vault-policy", "source-key-policy"] {
            let sandbox = sandbox();
            let calls = sandbox.calls();
            calls.fail_call("ledger:Pause", reading, CallErrorKind::Unreadable);
            let report = handle(&sandbox, with_role_creation(), &sample(name)).await;
            assert_eq!(failed_guards(&report), ["not-paused"], "{name}");
            assert_eq!(report.outcome, outcome, "{name}: {report:#?}");
            assert_eq!(report.retried_job, None);
            assert_eq!(sandbox.writes().len(), writes, "{name}");
        }
    }
    let sandbox = sandbox();
    let calls = sandbox.calls();
    calls.fail_call("ledger:Pause", 2, CallErrorKind::Unreadable);
    let event = sample("service-linked-role");
    let report = handle(&sandbox, with_role_creation(), &event).await;
    assert_eq!(failed_guards(&report), ["not-paused"]);
    assert_eq!(report.outcome, Outcome::Refused);
    assert_eq!(sandbox.writes(), []);
}

/// Unknown never permits: an item that can't be understood refuses, a read that may work later asks
/// for another delivery.
#[tokio::test]
async fn a_pause_that_cannot_be_read_permits_nothing() {
    for name in REPAIRS_AND_RETRIES {
        for kind in [CallErrorKind::Unreadable, CallErrorKind::AccessDenied] {
            let sandbox = sandbox();
            sandbox.fail("ledger:Pause", kind);
            let report = handle(&sandbox, with_role_creation(), &sample(name)).await;
            assert_eq!(failed_guards(&report), ["not-paused"], "{name}");
            assert_eq!(sandbox.writes(), [], "{name}");
        }
        let sandbox = sandbox();
        sandbox.fail("ledger:Pause", CallErrorKind::Throttled);
        let delivered = handle_as("test", &sandbox, with_role_creation(), &sample(name)).await;
        assert!(delivered.is_err(), "{name}");
        assert_eq!(sandbox.writes(), [], "{name}");
    }
}
