//! A run by hand with the SAM CLI: nobody delivers the event again, so it is explained whatever AWS
//! says.

use copymend_diagnosis::Diagnosis;
use copymend_diagnosis::messages::explain;
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::settings::{Deployment, Settings};

use crate::advisor::event;
use crate::support::*;

const KINDS: [CallErrorKind; 4] = [
    CallErrorKind::Throttled,
    CallErrorKind::Timeout,
    CallErrorKind::Unavailable,
    CallErrorKind::AccessDenied,
];

fn local() -> Settings {
    Settings {
        deployment: Deployment {
            is_local_run: true,
            ..Deployment::default()
        },
        ..open_settings()
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_looked_up_is_explained_from_its_message() {
    for kind in KINDS {
        for (name, event) in sample_events() {
            if name == "documentation-sample" {
                // AWS's own sample names an account of 13 digits: nobody can be asked about it.
                continue;
            }
            let sandbox = sandbox().without_ledger();
            sandbox.fail("backup:DescribeCopyJob", kind);
            let report = handle(&sandbox, local(), &event).await;
            let message = event["detail"]["statusMessage"].as_str().unwrap_or("");
            let cause = Diagnosis::from_message(&explain(message)).cause();
            assert_eq!(report.diagnosis.cause, cause, "{name}");
            assert!(!report.verified, "{name}");
            let guard = &report.guards[0];
            assert_eq!(guard.guard.name(), "verified-failure");
            assert!(guard.detail.contains("backup:DescribeCopyJob"), "{guard:?}");
            assert_eq!(sandbox.writes(), [], "{name}");
            // Nothing else is asked of an AWS that doesn't answer; the message is for the log.
            let calls: Vec<_> = sandbox.calls().counts().into_keys().collect();
            assert_eq!(calls, ["backup:DescribeCopyJob", "sns:Publish"], "{name}");
        }
    }
}

#[tokio::test]
async fn a_real_job_is_investigated_as_ever() {
    for (name, event) in sample_events() {
        let by_hand = handle(&sandbox(), local(), &event).await;
        let delivered = handle(&sandbox(), open_settings(), &event).await;
        assert_eq!(
            serde_json::to_value(&by_hand).unwrap(),
            serde_json::to_value(&delivered).unwrap(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn deployed_the_same_event_asks_for_another_delivery() {
    let (_, event) = sample_events().swap_remove(0);
    let sandbox = sandbox();
    sandbox.fail("backup:DescribeCopyJob", CallErrorKind::Unavailable);
    let error = deliver("one", &sandbox, &event).await;
    assert_eq!(error.unwrap_err().error_type(), "CallFailed");
}

#[tokio::test]
async fn the_advisor_explains_a_job_that_cannot_be_looked_up() {
    let event = event("backup-job-s3");
    let sandbox = sandbox().without_ledger();
    sandbox.fail("backup:DescribeBackupJob", CallErrorKind::Unavailable);
    let invocation = invocation("test", &sandbox);
    let advisor = AccessAdvisor::new(
        sandbox.clone(),
        AdvisorSettings {
            deployment: local().deployment,
            ..AdvisorSettings::default()
        },
    );
    let advisory = advisor.handle(&event, &invocation).await.unwrap();
    assert!(!advisory.verified);
    assert_eq!(advisory.diagnosis.cause.slug(), "job-role-permission");
    let error = AccessAdvisor::new(sandbox, AdvisorSettings::default())
        .handle(&event, &invocation)
        .await
        .unwrap_err();
    assert_eq!(error.error_type(), "CallFailed");
}
