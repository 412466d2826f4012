//! What the tests share: a sandbox with settings that let every repair pass, and the sample events.

use std::path::PathBuf;

use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::PolicyDocument;
use copymend_remediation::ledger::{Again, Ledger, Pause};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::undo::{Undo, UndoError, UndoRequest, undo};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::{NewCopy, PolicyText, Sandbox, World, Write};
use jiff::SignedDuration;
use serde_json::Value;

/// Settings that admit everything the default world has.
pub(crate) fn open_settings() -> Settings {
    Settings {
        mode: Mode::Repair,
        allowed_destinations: vec!["*".parse().unwrap()],
        // That of a third account is admitted where it is named.
        allowed_keys: ["*", "arn:aws:kms:*:222233334444:key/*"]
            .map(|entry| entry.parse().unwrap())
            .to_vec(),
        allowed_sources: vec!["*".parse().unwrap()],
        ..Settings::default()
    }
}

/// The same, but for the mode.
pub(crate) fn observing() -> Settings {
    Settings {
        mode: Mode::Observe,
        ..open_settings()
    }
}

pub(crate) fn sandbox() -> Sandbox {
    Sandbox::new(World::default_world())
}

/// The sandbox and one of its sample events.
pub(crate) fn scene(event: &str) -> (Sandbox, Value) {
    (sandbox(), sample(event))
}

/// The same, where the owner of the destination vault has a policy of their own: an undo leaves that.
pub(crate) fn scene_of_owner(event: &str) -> (Sandbox, Value) {
    let (sandbox, event) = scene(event);
    sandbox.with_world(|world| {
        let vault = vault_of(&event);
        if world.vault(&vault).unwrap().policy.is_none() {
            world.put_vault_policy(&vault, FOREIGN).unwrap();
        }
    });
    (sandbox, event)
}

/// The default world with something changed.
pub(crate) fn sandbox_with(change: impl FnOnce(&mut Value)) -> Sandbox {
    let mut world: Value = serde_json::from_str(World::default_json()).unwrap();
    change(&mut world);
    Sandbox::new(World::from_json(&world.to_string()).unwrap())
}

/// Does something right before a call is made for the nth time from now.
pub(crate) fn before_nth(
    sandbox: &Sandbox,
    operation: &'static str,
    n: u32,
    act: impl FnOnce(&mut World) + Send + 'static,
) {
    let next = sandbox.clone();
    sandbox.before_next(operation, move |world| {
        if n <= 1 {
            act(world);
        } else {
            before_nth(&next, operation, n - 1, act);
        }
    });
}

/// A sandbox in which the copies of `source-key-policy` and `source-key-policy-rds` need the same
/// key.
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

/// An invocation that has two minutes left.
pub(crate) fn invocation(id: &str, sandbox: &Sandbox) -> Invocation {
    Invocation {
        id: id.to_owned(),
        deadline: sandbox.clock().now() + SignedDuration::from_secs(120),
    }
}

/// Handles one event in this sandbox, as invocation `id`.
pub(crate) async fn handle_as(
    id: &str,
    sandbox: &Sandbox,
    settings: Settings,
    event: &Value,
) -> Result<Report, HandlerError> {
    CopyRemediator::new(sandbox.clone(), settings)
        .handle(event, &invocation(id, sandbox))
        .await
}

pub(crate) async fn handle(sandbox: &Sandbox, settings: Settings, event: &Value) -> Report {
    handle_as("test", sandbox, settings, event).await.unwrap()
}

/// Handles one event with settings that admit everything.
pub(crate) async fn repair(sandbox: &Sandbox, event: &Value) -> Report {
    handle(sandbox, open_settings(), event).await
}

/// The same of an event that has to lead to a repair and a retry.
pub(crate) async fn must_repair(sandbox: &Sandbox, event: &Value) -> Report {
    let report = repair(sandbox, event).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
    report
}

/// The same, and the id of its change.
pub(crate) async fn repaired(sandbox: &Sandbox, event: &Value) -> String {
    let report = must_repair(sandbox, event).await;
    report.changes[0].id.clone().unwrap()
}

/// The same, as invocation `id`.
pub(crate) async fn deliver(
    id: &str,
    sandbox: &Sandbox,
    event: &Value,
) -> Result<Report, HandlerError> {
    handle_as(id, sandbox, open_settings(), event).await
}

pub(crate) fn policy_writes(sandbox: &Sandbox) -> Vec<Write> {
    sandbox
        .writes()
        .into_iter()
        .filter(|write| write.operation != "backup:StartCopyJob")
        .collect()
}

/// Holds two texts to mean one policy. The texts of a key's policy differ: KMS answers its lists in
/// another order each time.
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

/// The report names this guard as failed.
pub(crate) fn assert_fails(report: &Report, guard: &str) {
    assert!(failed_guards(report).contains(&guard), "{report:#?}");
}

pub(crate) fn failed_guards(report: &Report) -> Vec<&'static str> {
    report
        .guards
        .iter()
        .filter(|guard| !guard.passed)
        .map(|guard| guard.guard.name())
        .collect()
}

/// The event of the same copy once more, with another role if one is given.
pub(crate) fn copied_again(sandbox: &Sandbox, event: &Value, role: Option<&str>) -> Value {
    copied(sandbox, event, |copy| {
        if let Some(role) = role {
            copy.role = role.parse().unwrap();
        }
    })
}

/// The same, with the copy started now.
pub(crate) fn copied_now(sandbox: &Sandbox, event: &Value) -> Value {
    let now = sandbox.clock().now();
    copied(sandbox, event, |copy| copy.created = now)
}

fn copied(sandbox: &Sandbox, event: &Value, change: impl FnOnce(&mut NewCopy)) -> Value {
    let next = sandbox.with_world(|world| {
        let mut copy = NewCopy::again(world.copy_job(&job_of(event)).unwrap());
        change(&mut copy);
        world.start_copy(copy).unwrap().id.clone()
    });
    sandbox.event_for(&next).unwrap()
}

pub(crate) const OTHER_ROLE: &str =
    "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole";
/// Who asks for an undo.
pub(crate) const SOMEBODY: &str = "arn:aws:iam::111122223333:user/somebody";
/// A policy of somebody else's.
pub(crate) const FOREIGN: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Foreign","Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*"}]}"#;
/// A key's policy that admits its own account alone.
pub(crate) const CLOSED: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
/// Jobs of the default world that have no sample event.
pub(crate) const TWO_STEPS: &str = "B9654796-BCC5-55EF-A6CC-C65BFE03C250";
pub(crate) const BY_PATH: &str = "8557A323-F907-58C6-A096-CFED4AAD49BF";
pub(crate) const ON_DEMAND: &str = "02EF8250-6E06-545B-A060-1D77B734AE72";

pub(crate) fn only(entries: &[&str]) -> Settings {
    Settings {
        allowed_sources: entries.iter().map(|entry| entry.parse().unwrap()).collect(),
        ..open_settings()
    }
}

pub(crate) fn with_role_creation() -> Settings {
    Settings {
        create_service_linked_role: true,
        ..open_settings()
    }
}

pub(crate) async fn take_back(
    sandbox: &Sandbox,
    change: &str,
    again: Again,
) -> Result<Undo, UndoError> {
    let request = UndoRequest {
        change: Some(change),
        again,
        asked_by: Some(SOMEBODY),
    };
    undo(sandbox, request, &invocation("undo", sandbox)).await
}

pub(crate) async fn wait(sandbox: &Sandbox, minutes: u64) {
    let time = std::time::Duration::from_mins(minutes);
    sandbox.clock().sleep(time).await;
}

pub(crate) async fn pause(sandbox: &Sandbox, until_in: Option<i64>) {
    let since = sandbox.clock().now();
    let pause = Pause {
        reason: "a change freeze".to_owned(),
        since,
        until: until_in.map(|seconds| since + SignedDuration::from_secs(seconds)),
        by: None,
    };
    sandbox.ledger().unwrap().set_pause(&pause).await.unwrap();
}

pub(crate) fn told(sandbox: &Sandbox) -> usize {
    sandbox.notifier().sent().len()
}

pub(crate) fn job_of(event: &Value) -> String {
    event["detail"]["copyJobId"].as_str().unwrap().to_owned()
}

/// The key of an event's recovery point.
pub(crate) fn key_of(sandbox: &Sandbox, event: &Value) -> KeyArn {
    sandbox.with_world(|world| {
        let job = world.copy_job(&job_of(event)).unwrap();
        let point = world.recovery_point(&job.source_vault, &job.recovery_point);
        point.unwrap().encryption_key_arn.clone().unwrap()
    })
}

/// A policy with every statement of ours edited.
pub(crate) fn with_ours_edited(policy: &str, edit: impl Fn(&mut Value)) -> String {
    let mut policy: Value = serde_json::from_str(policy).unwrap();
    let mut edited = 0;
    for statement in policy["Statement"].as_array_mut().unwrap() {
        let sid = statement["Sid"].as_str();
        if sid.is_some_and(|sid| sid.starts_with("Copymend")) {
            edit(statement);
            edited += 1;
        }
    }
    assert!(edited > 0, "{policy}");
    policy.to_string()
}

/// Edits every statement of ours in the vault's policy.
pub(crate) fn edit_ours_of_vault(sandbox: &Sandbox, event: &Value, edit: impl Fn(&mut Value)) {
    let vault = vault_of(event);
    sandbox.with_world(|world| {
        let policy = world.vault(&vault).unwrap().policy.as_ref().unwrap();
        let edited = with_ours_edited(policy.as_str(), edit);
        world.put_vault_policy(&vault, &edited).unwrap();
    });
}

/// Puts the key's policy, whatever it was; `None` for none.
pub(crate) fn set_key_policy(sandbox: &Sandbox, key: &KeyArn, policy: Option<&str>) {
    sandbox.with_world(|world| {
        world.key_mut(key).unwrap().policy = policy.map(PolicyText::new);
    });
}

/// The owner of the vault keeps Copymend away.
pub(crate) fn opt_out_of_vault(sandbox: &Sandbox, event: &Value) {
    sandbox.with_world(|world| {
        let tags = &mut world.vault_mut(&vault_of(event)).unwrap().tags;
        tags.insert("copymend".to_owned(), "never".to_owned());
    });
}

pub(crate) fn remove_vault_policy(sandbox: &Sandbox, event: &Value) {
    sandbox.with_world(|world| world.vault_mut(&vault_of(event)).unwrap().policy = None);
}
