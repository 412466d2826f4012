//! `events/` and the default world belong together.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use copymend_diagnosis::{Cause, CopyJobEvent, CopyJobState, Failure};
use copymend_remediation::later::DelayedRetry;
use copymend_sandbox::{Sandbox, World, delivery_of_copy, event_of};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

fn files() -> BTreeMap<String, String> {
    fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .filter(|(_, text)| {
            let event: Value = serde_json::from_str(text).unwrap();
            event["detail-type"] == "Copy Job State Change"
        })
        .collect()
}

/// Causes that no copy has: those of refused calls, and of backup and restore jobs.
const NOT_OF_COPIES: [Cause; 2] = [Cause::CallerPermission, Cause::KeyPolicy];

/// The only event that no world can confirm.
const SAMPLE: &str = "documentation-sample";

#[test]
fn every_event_is_what_the_default_world_makes_of_its_copy() {
    let world = World::default_world();
    let mut expected: BTreeMap<String, String> = world
        .copy_jobs()
        .iter()
        .filter_map(|job| {
            let event = serde_json::to_string_pretty(&event_of(job)).unwrap() + "\n";
            job.failure().and(Some((job.name.clone()?, event)))
        })
        .collect();
    let mut found = files();
    assert!(found.remove(SAMPLE).is_some());
    for (name, event) in &found {
        assert_eq!(
            Some(event),
            expected.remove(name).as_ref(),
            "events/{name}.json; write it with `cargo run -p copymend-sandbox --example events`"
        );
    }
    assert!(
        expected.is_empty(),
        "events without a file: {:?}",
        expected.keys()
    );
}

#[test]
fn the_delivery_of_what_was_put_off_is_what_the_queue_makes_of_its_copy() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../events/delayed/concurrency.json"
    );
    let world = World::default_world();
    let job = world.copy_job_named("concurrency").unwrap();
    let delivery = delivery_of_copy(job);
    let expected = serde_json::to_string_pretty(&delivery).unwrap() + "\n";
    assert_eq!(fs::read_to_string(path).unwrap(), expected);
    let message = DelayedRetry::in_queue_event(&delivery).unwrap().unwrap();
    assert_eq!((message.event, message.delays), (event_of(job), 1));
    assert!(message.not_before > job.completed && message.not_before < world.time());
}

#[test]
fn every_event_is_verified_by_the_job_that_failed() {
    let world = World::default_world();
    for (name, text) in files() {
        let event = CopyJobEvent::from_json(&serde_json::from_str(&text).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        if name == SAMPLE {
            assert!(
                event.source_vault.name().contains('/')
                    && event.source_vault.account_id().is_none()
            );
            continue;
        }
        let job = world.copy_job(&event.copy_job_id).unwrap();
        assert_eq!(job.state(), CopyJobState::Failed, "{name}");
        assert_eq!(job.status_message(), event.status_message, "{name}");
        Failure::verify(&event, job.into()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn every_cause_has_an_event_and_the_broken_rule_is_the_one_in_its_name() {
    let files = files();
    for cause in Cause::ALL {
        let of_copies = !NOT_OF_COPIES.contains(cause);
        assert_eq!(files.contains_key(cause.slug()), of_copies, "{cause}");
    }
    for job in World::default_world().copy_jobs() {
        if let (Some(name), Some(cause)) =
            (&job.name, job.failure().and_then(|failure| failure.cause))
            && name != "on-demand"
        {
            assert!(name.starts_with(cause.slug()), "{name} fails by {cause}");
        }
    }
}

#[test]
fn starting_the_copy_of_an_event_again_fails_again_unless_the_fault_passes() {
    let mut world = World::default_world();
    let jobs: Vec<_> = world.copy_jobs().to_vec();
    for job in jobs {
        let again = copymend_sandbox::NewCopy {
            created_by: None,
            created: world.time(),
            ..copymend_sandbox::NewCopy::again(&job)
        };
        let passes = matches!(
            job.name.as_deref(),
            Some("concurrency" | "transient" | "service-fault" | "resource-state")
        );
        let second = world.start_copy(again).unwrap();
        let expected = if passes { "" } else { job.status_message() };
        assert_eq!(second.status_message(), expected, "{:?}", job.name);
    }
}

#[test]
fn an_event_has_the_shape_of_awss_own() {
    let sandbox = Sandbox::new(World::default_world());
    let id = |name: &str| {
        sandbox.with_world(|world| {
            world
                .copy_jobs()
                .iter()
                .find(|job| job.name.as_deref() == Some(name))
                .unwrap()
                .id
                .clone()
        })
    };
    let event = sandbox.event_for(&id("destination-vault-policy")).unwrap();
    assert_eq!(
        event["detail"]["destinationRecoveryPointArn"],
        serde_json::json!({})
    );
    assert!(event["detail"]["createdBy"]["backupPlanRuleId"].is_string());
    assert!(event["detail"]["backupSizeInBytes"].is_u64());
    let on_demand = sandbox.event_for(&id("on-demand")).unwrap();
    assert_eq!(on_demand["detail"].get("createdBy"), None::<&Value>);
    let healthy = sandbox.with_world(|world| world.copy_jobs()[0].id.clone());
    assert!(
        sandbox.event_for(&healthy).unwrap()["detail"]["destinationRecoveryPointArn"].is_string()
    );
    assert_eq!(sandbox.event_for("nope"), None);
}
