//! What the tests share: a sandbox with settings that let every repair pass, and the sample events.

use std::path::PathBuf;

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::PolicyDocument;
use copymend_remediation::ports::{Clock, Environment};
use copymend_remediation::report::Report;
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::{NewCopy, Sandbox, World, Write};
use serde_json::Value;

/// Settings that admit everything the default world has.
pub(crate) fn open_settings() -> Settings {
    Settings {
        mode: Mode::Repair,
        allowed_destinations: vec!["*".parse().unwrap()],
        allowed_keys: vec!["*".parse().unwrap()],
        allowed_sources: vec!["*".parse().unwrap()],
        ..Settings::default()
    }
}

pub(crate) fn sandbox() -> Sandbox {
    Sandbox::new(World::default_world())
}

/// A sandbox in which the copies of `source-key-policy` and `source-key-policy-rds` need the same key.
pub(crate) fn sandbox_with_one_key() -> Sandbox {
    let text = World::default_json();
    let key_of = |resource: &str| -> String {
        let world: Value = serde_json::from_str(text).unwrap();
        let points = &world["accounts"]["111122223333"]["regions"]["us-east-1"]["vaults"]["prod"];
        let points = points["recovery_points"].as_array().unwrap();
        let point = points
            .iter()
            .find(|point| point["resource_arn"] == resource)
            .unwrap();
        point["encryption_key_arn"].as_str().unwrap().to_owned()
    };
    let of = |event| key_of(sample(event)["detail"]["resourceArn"].as_str().unwrap());
    let (volume, database) = (of("source-key-policy"), of("source-key-policy-rds"));
    assert_ne!(volume, database);
    Sandbox::new(World::from_json(&text.replace(&database, &volume)).unwrap())
}

/// The name and content of each sample event, in order of name.
pub(crate) fn sample_events() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let mut events: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                name,
                serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap(),
            )
        })
        .collect();
    events.sort_by(|left, right| left.0.cmp(&right.0));
    events
}

pub(crate) fn sample(name: &str) -> Value {
    sample_events()
        .into_iter()
        .find(|(found, _)| found == name)
        .unwrap()
        .1
}

/// The destination vault of an event.
pub(crate) fn vault_of(event: &Value) -> BackupVaultArn {
    let vault = event["detail"]["destinationBackupVaultArn"].as_str();
    vault.unwrap().parse().unwrap()
}

/// Handles one event in this sandbox, as invocation `id`.
pub(crate) async fn handle_as(
    id: &str,
    sandbox: &Sandbox,
    settings: Settings,
    event: &Value,
) -> Result<Report, HandlerError> {
    let now = sandbox.clock().now();
    let invocation = Invocation {
        id: id.to_owned(),
        deadline: now + jiff::SignedDuration::from_secs(120),
    };
    CopyRemediator::new(sandbox.clone(), settings)
        .handle(event, &invocation)
        .await
}

pub(crate) async fn handle(sandbox: &Sandbox, settings: Settings, event: &Value) -> Report {
    handle_as("test", sandbox, settings, event).await.unwrap()
}

pub(crate) fn policy_writes(sandbox: &Sandbox) -> Vec<Write> {
    sandbox
        .writes()
        .into_iter()
        .filter(|write| write.operation != "backup:StartCopyJob")
        .collect()
}

/// Holds two texts to mean one policy. The texts of a key's policy differ: KMS answers its lists in another order each time.
pub(crate) fn assert_same_policy(one: Option<&str>, other: Option<&str>, place: &str) {
    match (one, other) {
        (Some(one), Some(other)) => {
            let read = |text| PolicyDocument::parse(text).unwrap();
            let is_same = read(one).means_the_same_as(&read(other));
            assert!(is_same, "{place}: {one}\nis not\n{other}");
        }
        (one, other) => assert_eq!(one, other, "{place}"),
    }
}

pub(crate) fn failed_guards(report: &Report) -> Vec<&'static str> {
    report
        .guards
        .iter()
        .filter(|guard| !guard.passed)
        .map(|guard| guard.name)
        .collect()
}

/// The event of the same copy once more, started now, with another role if one is given.
pub(crate) fn copied_again(sandbox: &Sandbox, event: &Value, role: Option<&str>) -> Value {
    let id = event["detail"]["copyJobId"].as_str().unwrap();
    let next = sandbox.with_world(|world| {
        let job = world.copy_job(id).unwrap().clone();
        let copy = NewCopy {
            id: None,
            name: None,
            recovery_point: job.recovery_point.clone(),
            source_vault: job.source_vault.clone(),
            destination_vault: job.destination_vault.clone(),
            role: role.map_or(job.role.clone(), |role| role.parse().unwrap()),
            lifecycle: job.lifecycle.clone(),
            created_by: job.created_by.clone(),
            created: job.created,
            resource: job.resource.clone(),
            resource_type: job.resource_type.clone(),
        };
        world.start_copy(copy).unwrap().id.clone()
    });
    sandbox.event_for(&next).unwrap()
}
