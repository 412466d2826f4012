//! Every sample event: the right cause, and a repair where there is one.

use copymend_diagnosis::{Cause, CopyJobState};
use copymend_policy::PolicyDocument;
use copymend_remediation::ports::Reads;
use copymend_remediation::report::{DecisionKind, Outcome};
use copymend_remediation::settings::Settings;

use copymend_sandbox::Sandbox;

use crate::support::*;

/// The cause that an event is named after: the longest slug that its name starts with.
fn named_cause(name: &str) -> Option<Cause> {
    Cause::ALL
        .iter()
        .copied()
        .filter(|cause| name.starts_with(cause.slug()))
        .max_by_key(|cause| cause.slug().len())
}

#[tokio::test]
async fn every_sample_event_gets_the_cause_it_is_named_after() {
    let mut seen = 0;
    for (name, event) in sample_events() {
        let Some(cause) = named_cause(&name) else {
            continue;
        };
        let report = handle(&sandbox(), Settings::default(), &event).await;
        assert!(report.verified, "{name}: {:?}", report.notes);
        assert_eq!(
            report.diagnosis.cause, cause,
            "{name}: {:#?}",
            report.diagnosis
        );
        seen += 1;
    }
    assert!(
        seen >= 30,
        "only {seen} sample events are named after a cause"
    );
}

#[tokio::test]
async fn observe_mode_writes_nothing_and_plans_the_full_change() {
    for (name, event) in sample_events() {
        let settings = observing();
        let sandbox = sandbox();
        let report = handle(&sandbox, settings, &event).await;
        assert_eq!(sandbox.writes(), [], "{name}");
        if report.decision == DecisionKind::Repair {
            assert_eq!(report.outcome, Outcome::Planned, "{name}");
            assert_eq!(report.changes.len(), 1, "{name}");
            assert!(!report.changes[0].applied);
        }
    }
}

#[tokio::test]
async fn repair_mode_repairs_the_two_repairable_causes_and_the_copy_succeeds() {
    let mut repaired = 0;
    for (name, event) in sample_events() {
        let repairable = matches!(
            named_cause(&name),
            Some(Cause::DestinationVaultPolicy | Cause::SourceKeyPolicy)
        );
        if !repairable {
            continue;
        }
        let sandbox = sandbox();
        let job = event["detail"]["copyJobId"].as_str().unwrap();
        assert_eq!(state_of(&sandbox, job), CopyJobState::Failed, "{name}");

        let report = repair(&sandbox, &event).await;
        assert_eq!(
            report.outcome,
            Outcome::RepairedAndRetried,
            "{name}: {report:#?}"
        );
        let retried = report.retried_job.as_deref().unwrap();
        assert_eq!(
            state_of(&sandbox, retried),
            CopyJobState::Completed,
            "{name}"
        );

        let writes = policy_writes(&sandbox);
        assert_eq!(writes.len(), 1, "{name}");
        // What was read last: KMS answers a policy's lists in another order each time.
        let before = report.changes[0].before.as_deref();
        let before = before.map(|text| PolicyDocument::parse(text).unwrap());
        let old: Vec<String> = before.as_ref().map(statements).unwrap_or_default();
        let after = PolicyDocument::parse(&writes[0].after).unwrap();
        let new = statements(&after);
        assert_eq!(
            new[..old.len()],
            old[..],
            "{name}: an old statement changed"
        );
        assert!(new.len() > old.len(), "{name}");
        for statement in &after.statements()[old.len()..] {
            assert!(statement.sid().unwrap().starts_with("Copymend"), "{name}");
        }
        assert_same_policy(
            before.as_ref().map(PolicyDocument::as_str),
            writes[0].before.as_deref(),
            &name,
        );
        assert!(report.changes[0].certificate.is_some(), "{name}");
        assert_eq!(report.changes[0].after, writes[0].after);
        repaired += 1;
    }
    assert!(repaired >= 4, "only {repaired} repairable sample events");
}

fn state_of(sandbox: &Sandbox, job: &str) -> CopyJobState {
    sandbox.with_world(|world| world.copy_job(job).unwrap().state())
}

fn statements(policy: &PolicyDocument) -> Vec<String> {
    policy
        .statements()
        .iter()
        .map(|statement| statement.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn repair_mode_writes_no_policy_for_any_other_cause() {
    for (name, event) in sample_events() {
        if matches!(
            named_cause(&name),
            Some(Cause::DestinationVaultPolicy | Cause::SourceKeyPolicy)
        ) {
            continue;
        }
        let sandbox = sandbox();
        let report = repair(&sandbox, &event).await;
        assert_eq!(policy_writes(&sandbox), [], "{name}");
        assert_eq!(report.changes, [], "{name}");
        if report.decision != DecisionKind::Retry {
            assert_eq!(sandbox.writes(), [], "{name}");
        }
    }
}

#[tokio::test]
async fn the_same_event_twice_leads_to_one_write_one_retry_and_one_message() {
    let (sandbox, event) = scene("destination-vault-policy");
    must_repair(&sandbox, &event).await;
    let second = repair(&sandbox, &event).await;
    assert_eq!(second.outcome, Outcome::AlreadyHandled);
    assert_eq!(sandbox.writes().len(), 2, "{:?}", sandbox.writes());
    assert_eq!(sandbox.notifier().sent().len(), 1);
}
