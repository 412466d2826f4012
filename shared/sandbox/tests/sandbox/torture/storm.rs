//! Many copies fail in one night for one reason.

use std::sync::Arc;

use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::{NewCopy, Sandbox, World};
use jiff::SignedDuration;
use tokio::sync::Semaphore;

use super::faulty::Faulty;
use super::settings;

/// A world with `count` copies that failed for want of one vault statement.
pub(super) fn stormy(count: usize) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new(World::default_world());
    let created = sandbox.clock().now();
    let ids = sandbox.with_world(|world| {
        let (template, points) = {
            let job = world
                .copy_jobs()
                .iter()
                .find(|job| job.name.as_deref() == Some("destination-vault-policy"))
                .unwrap()
                .clone();
            let point = world
                .recovery_point(&job.source_vault, &job.recovery_point)
                .unwrap()
                .clone();
            let points: Vec<_> = (0..count)
                .map(|number| {
                    let mut point = point.clone();
                    point.arn = format!("arn:aws:ec2:us-east-1::snapshot/snap-{number:017x}")
                        .parse()
                        .unwrap();
                    point
                })
                .collect();
            (job, points)
        };
        let arns: Vec<_> = points.iter().map(|point| point.arn.clone()).collect();
        world
            .vault_mut(&template.source_vault)
            .unwrap()
            .recovery_points
            .extend(points);
        arns.into_iter()
            .map(|recovery_point| {
                world
                    .start_copy(NewCopy {
                        id: None,
                        name: None,
                        recovery_point,
                        source_vault: template.source_vault.clone(),
                        destination_vault: template.destination_vault.clone(),
                        role: template.role.clone(),
                        lifecycle: None,
                        created_by: template.created_by.clone(),
                        created: created - SignedDuration::from_mins(30),
                        resource: None,
                        resource_type: None,
                    })
                    .unwrap()
                    .id
                    .clone()
            })
            .collect()
    });
    (sandbox, ids)
}

const AT_ONCE: usize = 50;

async fn storm(count: usize) {
    let (sandbox, ids) = stormy(count);
    let environment = Faulty::new(sandbox.clone()).with_still_clock();
    let gate = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = Vec::new();
    for id in &ids {
        let event = sandbox.event_for(id).unwrap();
        let remediator = CopyRemediator::new(environment.clone(), settings());
        let gate = Arc::clone(&gate);
        let invocation = Invocation {
            id: format!("storm-{id}"),
            deadline: sandbox.clock().now() + SignedDuration::from_hours(24),
        };
        tasks.push(tokio::spawn(async move {
            let _place = gate.acquire().await.unwrap();
            tokio::task::yield_now().await;
            remediator.handle(&event, &invocation).await.unwrap()
        }));
    }
    let mut outcomes = std::collections::BTreeMap::new();
    for task in tasks {
        let report = task.await.unwrap();
        *outcomes.entry(report.outcome.slug()).or_insert(0_usize) += 1;
        let failed: Vec<_> = report.guards.iter().filter(|guard| !guard.passed).collect();
        assert!(failed.is_empty(), "{failed:?}, notes {:?}", report.notes);
    }
    let writes = sandbox.writes();
    let policy_writes = writes
        .iter()
        .filter(|write| write.operation != "backup:StartCopyJob")
        .count();
    let mut started: Vec<_> = writes
        .iter()
        .filter(|write| write.operation == "backup:StartCopyJob")
        .map(|write| write.after.clone())
        .collect();
    assert_eq!(policy_writes, 1, "{outcomes:?}");
    assert_eq!(
        started.len(),
        count,
        "every copy exactly once: {outcomes:?}"
    );
    started.sort();
    started.dedup();
    assert_eq!(started.len(), count);
    sandbox.with_world(|world| {
        for job in &started {
            assert_eq!(world.copy_job(job).unwrap().state().as_str(), "COMPLETED");
        }
    });
    let messages = sandbox.notifier().sent().len();
    assert!(messages <= 5, "{messages} messages for {outcomes:?}");
    println!("{count} events, {AT_ONCE} at once: {outcomes:?}, {messages} messages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_failures_for_one_reason_are_one_incident() {
    storm(1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "ten thousand events take a while in a debug build: `make torture` runs it"]
async fn ten_thousand_failures_for_one_reason_are_one_incident() {
    storm(10_000).await;
}

/// Calls of AWS, the ledger left out, for an event that finds its incident handled.
#[tokio::test]
async fn an_event_that_finds_its_incident_handled_makes_five_calls_besides_its_own_retry() {
    let (sandbox, ids) = stormy(2);
    let environment = Faulty::new(sandbox.clone());
    for (place, id) in ids.iter().enumerate() {
        let before = environment.made().len();
        let event = sandbox.event_for(id).unwrap();
        let invocation = Invocation {
            id: format!("event-{place}"),
            deadline: sandbox.clock().now() + SignedDuration::from_mins(2),
        };
        let remediator = CopyRemediator::new(environment.clone(), settings());
        let report = remediator.handle(&event, &invocation).await.unwrap();
        let made = environment.made().split_off(before);
        let of_aws: Vec<_> = made
            .into_iter()
            .filter(|name| {
                name.starts_with("describe_")
                    || name.starts_with("get_")
                    || name.starts_with("list_")
                    || name.starts_with("simulate_")
                    || name.starts_with("effective_")
                    || name.starts_with("is_")
                    || name.starts_with("put_")
            })
            .collect();
        if place == 0 {
            assert_eq!(report.outcome.slug(), "repaired-and-retried");
        } else {
            assert_eq!(report.outcome.slug(), "retried");
            assert!(of_aws.len() <= 5, "{of_aws:?}");
        }
    }
}
