//! A person says yes to a plan, and the world changes before it is carried out: what is put is what was
//! shown, or nothing.

mod said;

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::PolicyDocument;
use copymend_remediation::agreement::{Agreement, PlanHash};
use copymend_remediation::ledger::{ChangeState, Ledger, Pause};
use copymend_remediation::message::Channel;
use copymend_remediation::ports::{CallErrorKind, Clock, Location, Reads};
use copymend_remediation::report::{Outcome, PolicyChange, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, Invocation, PlanOfJobError, PlannedJob};
use copymend_sandbox::{PolicyText, Sandbox, World};
use jiff::SignedDuration;

use super::faulty::{Act, FAULTS, Fault, Faulty, Killed};
use super::{ENTRY, TIMEOUT, settings};

const PERSON: &str = "arn:aws:sts::444455556666:assumed-role/BackupOwner/mary";
/// Copies that a statement repairs, in a vault's policy and in a key's.
const REPAIRED: [&str; 4] = [
    "destination-vault-policy",
    "destination-vault-policy-2",
    "source-key-policy",
    "source-key-policy-multi-region",
];

fn observing() -> Settings {
    Settings {
        mode: Mode::Observe,
        ..settings()
    }
}

fn invocation(environment: &Faulty, id: &str) -> Invocation {
    Invocation {
        id: id.to_owned(),
        deadline: environment.clock().now() + TIMEOUT,
    }
}

fn job_of(sandbox: &Sandbox, name: &str) -> (Location, String) {
    sandbox.with_world(|world| {
        let job = world.copy_job_named(name).unwrap();
        let vault = job.source_vault.clone();
        (
            Location::new(vault.account_id().unwrap(), vault.region()),
            job.id.clone(),
        )
    })
}

async fn planned(environment: &Faulty, name: &str, settings: Settings) -> PlannedJob {
    let (location, job) = job_of(environment.sandbox(), name);
    CopyRemediator::new(environment.clone(), settings)
        .plan_of_job(&location, &job, &invocation(environment, "plan"))
        .await
        .unwrap()
}

async fn apply(
    environment: &Faulty,
    name: &str,
    plan: PlanHash,
    id: &str,
) -> Result<Report, PlanOfJobError> {
    let (location, job) = job_of(environment.sandbox(), name);
    let agreement = Agreement::to(plan, Some(PERSON.to_owned()), environment.clock().now());
    CopyRemediator::new(environment.clone(), observing())
        .apply(&location, &job, &agreement, &invocation(environment, id))
        .await
}

fn healthy() -> (Sandbox, Faulty) {
    let sandbox = Sandbox::new(World::default_world());
    let environment = Faulty::new(sandbox.clone());
    (sandbox, environment)
}

fn means_the_same(one: &str, other: &str) -> bool {
    let read = |text| PolicyDocument::parse(text).unwrap();
    read(one).means_the_same_as(&read(other))
}

/// What was put that wasn't shown.
fn put_otherwise(sandbox: &Sandbox, shown: &PolicyChange) -> Vec<String> {
    let writes = sandbox.writes().into_iter();
    writes
        .filter(|write| write.operation != "backup:StartCopyJob")
        .filter(|write| {
            write.resource != shown.resource || !means_the_same(&write.after, &shown.after)
        })
        .map(|write| format!("{} of {}: {}", write.operation, write.resource, write.after))
        .collect()
}

#[tokio::test]
async fn a_plan_writes_nothing_and_its_apply_writes_just_that() {
    for name in REPAIRED {
        let (sandbox, environment) = healthy();
        let first = planned(&environment, name, observing()).await;
        let again = planned(&environment, name, observing()).await;
        assert_eq!(
            first.report.outcome,
            Outcome::Planned,
            "{name}: {:#?}",
            first.report
        );
        assert_eq!(first.plan, again.plan, "{name}");
        assert_eq!(sandbox.writes(), [], "{name}");
        assert!(sandbox.notifier().sent().is_empty());
        let plan = first.plan.unwrap();
        let report = apply(&environment, name, plan, "apply").await.unwrap();
        assert_eq!(
            report.outcome,
            Outcome::RepairedAndRetried,
            "{name}: {report:#?}"
        );
        let [shown] = first.report.changes.as_slice() else {
            panic!("{name}");
        };
        assert_eq!(
            put_otherwise(&sandbox, shown),
            Vec::<String>::new(),
            "{name}"
        );
        assert_eq!(report.changes[0].added, shown.added);
        let ledger = sandbox.ledger().unwrap();
        let change = report.changes[0].id.as_deref().unwrap();
        let (change, state) = ledger.change(change).await.unwrap().unwrap();
        assert_eq!(state, ChangeState::Written);
        assert_eq!(change.made_by.as_deref(), Some(PERSON));
        let sent = sandbox.notifier().sent();
        assert_eq!(sent.len(), 1, "people are told of what a person did");
        // The yes is used up: the copy is under way, by a job of its own.
        let writes = sandbox.writes();
        let second = apply(&environment, name, plan, "second").await;
        let started = report.retried_job.clone().unwrap();
        assert!(
            matches!(&second, Err(PlanOfJobError::StartedAgain { started: job, .. }) if *job == started),
            "{name}: {second:?}"
        );
        assert_eq!(sandbox.writes(), writes, "{name}");
    }
}

/// What others do to the policy: each makes another plan of it.
fn acts(resource: &str) -> Vec<(&'static str, Act)> {
    let statement = |sid: &str, effect: &str, action: &str| {
        format!(
            r#"{{"Sid":"{sid}","Effect":"{effect}","Principal":{{"AWS":"*"}},"Action":"{action}","Resource":"*","Condition":{{"StringEquals":{{"aws:PrincipalAccount":"999999999999"}}}}}}"#
        )
    };
    let vault: Option<BackupVaultArn> = resource.parse().ok();
    let action = if vault.is_some() {
        "backup:CopyIntoBackupVault"
    } else {
        "kms:Decrypt"
    };
    let mut acts: Vec<(&'static str, Act)> = Vec::new();
    let everybody = format!(
        r#"{{"Sid":"Everybody","Effect":"Allow","Principal":{{"AWS":"*"}},"Action":"{}","Resource":"*"}}"#,
        if vault.is_some() { action } else { "kms:*" }
    );
    for (what, statement) in [
        ("what admits the copy", everybody),
        ("an allow", statement("Others", "Allow", action)),
        ("a deny", statement("OthersDeny", "Deny", action)),
    ] {
        let resource = resource.to_owned();
        acts.push((
            what,
            Box::new(move |world| edit(world, &resource, |policy| with(policy, &statement))),
        ));
    }
    let tagged = resource.to_owned();
    acts.push((
        "the owner's tag",
        Box::new(move |world| tag(world, &tagged)),
    ));
    acts
}

fn with(policy: Option<&str>, statement: &str) -> String {
    match policy {
        None => format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#),
        Some(policy) => {
            let mut value: serde_json::Value = serde_json::from_str(policy).unwrap();
            let statements = value["Statement"].as_array_mut().unwrap();
            statements.push(serde_json::from_str(statement).unwrap());
            value.to_string()
        }
    }
}

fn edit(world: &mut World, resource: &str, change: impl Fn(Option<&str>) -> String) {
    if let Ok(vault) = resource.parse() {
        let vault = world.vault_mut(&vault).unwrap();
        let text = change(vault.policy.as_ref().map(PolicyText::as_str));
        vault.policy = Some(PolicyText::new(text));
    } else {
        let key = world.key_mut(&resource.parse().unwrap()).unwrap();
        let text = change(key.policy.as_ref().map(PolicyText::as_str));
        key.policy = Some(PolicyText::new(text));
    }
}

fn tag(world: &mut World, resource: &str) {
    let tags = match resource.parse() {
        Ok(vault) => &mut world.vault_mut(&vault).unwrap().tags,
        Err(_) => &mut world.key_mut(&resource.parse().unwrap()).unwrap().tags,
    };
    tags.insert("copymend".to_owned(), "never".to_owned());
}

#[tokio::test]
async fn whatever_changes_before_any_call_nothing_is_put_that_was_not_shown() {
    let mut wrong = Vec::new();
    let mut refused = 0;
    for name in REPAIRED {
        let (_, environment) = healthy();
        let plan = planned(&environment, name, observing()).await;
        let from = environment.made().len();
        apply(&environment, name, plan.plan.unwrap(), "apply")
            .await
            .unwrap();
        let calls = environment.made().len() - from;
        let shown = &plan.report.changes[0];
        for number in 0..calls {
            for place in 0..acts(&shown.resource).len() {
                let (what, act) = acts(&shown.resource).swap_remove(place);
                let (sandbox, environment) = healthy();
                environment.before_call(number, act);
                let ended = apply(&environment, name, plan.plan.unwrap(), "apply").await;
                let call = environment.made().get(number).copied();
                let put = put_otherwise(&sandbox, shown);
                let Ok(report) = ended else {
                    wrong.push(format!(
                        "{name}, {what} before call {number} ({call:?}): {ended:?}"
                    ));
                    continue;
                };
                if !put.is_empty() {
                    wrong.push(format!(
                        "{name}, {what} before call {number} ({call:?}): put {put:#?}"
                    ));
                }
                let writes = sandbox.writes();
                let nothing = writes
                    .iter()
                    .all(|write| write.operation == "backup:StartCopyJob");
                if nothing && !writes.is_empty() {
                    wrong.push(format!(
                        "{name}, {what} before call {number} ({call:?}): started without what was shown"
                    ));
                }
                if nothing {
                    refused += 1;
                    if report.changes.iter().any(|change| change.applied) {
                        wrong.push(format!(
                            "{name}, {what} before call {number}: reported as written"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        refused > 100,
        "only {refused} were refused: the world changes too late"
    );
}

#[tokio::test]
async fn a_process_that_dies_while_it_applies_leaves_what_was_shown_or_nothing() {
    let mut wrong = Vec::new();
    for name in ["destination-vault-policy", "source-key-policy"] {
        let (_, environment) = healthy();
        let plan = planned(&environment, name, observing()).await;
        let from = environment.made().len();
        apply(&environment, name, plan.plan.unwrap(), "apply")
            .await
            .unwrap();
        let calls = environment.made().len() - from;
        let shown = &plan.report.changes[0];
        for number in 0..calls {
            for fault in FAULTS {
                let (sandbox, environment) = healthy();
                environment.break_call(number, fault);
                for attempt in 0..3 {
                    let (inner, hash) = (environment.clone(), plan.plan.unwrap());
                    let task = tokio::spawn(async move {
                        apply(&inner, name, hash, &format!("apply-{attempt}")).await
                    });
                    match task.await {
                        Ok(Ok(_) | Err(_)) => {}
                        Err(death) => assert!(death.into_panic().is::<Killed>()),
                    }
                    environment.clock().sleep(ENTRY.unsigned_abs()).await;
                }
                let call = environment.made().get(number).copied();
                let put = put_otherwise(&sandbox, shown);
                if !put.is_empty() {
                    wrong.push(format!(
                        "{name}, {fault:?} at call {number} ({call:?}): {put:#?}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_guard_but_mode_and_age_stands_at_an_apply() {
    let name = "destination-vault-policy";
    // Paused since.
    let (sandbox, environment) = healthy();
    let plan = planned(&environment, name, observing()).await.plan.unwrap();
    let pause = Pause {
        reason: "audit".to_owned(),
        since: environment.clock().now(),
        until: None,
        by: None,
    };
    sandbox.ledger().unwrap().set_pause(&pause).await.unwrap();
    let report = apply(&environment, name, plan, "apply").await.unwrap();
    assert_eq!(report.outcome, Outcome::Refused, "{report:#?}");
    assert_eq!(sandbox.writes(), []);

    // No list admits it.
    let (sandbox, environment) = healthy();
    let (location, job) = job_of(&sandbox, name);
    let agreement = Agreement::to(plan, None, environment.clock().now());
    let unlisted = Settings {
        allowed_destinations: Vec::new(),
        ..observing()
    };
    let report = CopyRemediator::new(environment.clone(), unlisted.clone())
        .apply(
            &location,
            &job,
            &agreement,
            &invocation(&environment, "apply"),
        )
        .await
        .unwrap();
    assert_eq!(report.outcome, Outcome::Refused, "{report:#?}");
    assert_eq!(sandbox.writes(), []);
    let without = planned(&environment, name, unlisted).await;
    assert_eq!(
        without.plan, None,
        "what is refused has no plan to say yes to"
    );
}

#[tokio::test]
async fn a_yes_stands_in_for_the_age_while_the_recovery_point_exists() {
    let name = "destination-vault-policy";
    for exists in [true, false] {
        let (sandbox, environment) = healthy();
        let old = SignedDuration::from_hours(24 * 20).unsigned_abs();
        environment.clock().sleep(old).await;
        let event = super::event_of(&sandbox, name);
        let of_the_function = super::deliver(&environment, &event, "event").await;
        assert!(
            matches!(&of_the_function, super::Delivered::Answered(report) if report.outcome == Outcome::Refused),
            "too old for the function"
        );
        assert_eq!(sandbox.writes(), []);
        let plan = planned(&environment, name, observing()).await.plan.unwrap();
        if !exists {
            sandbox.with_world(|world| {
                let job = world.copy_job_named(name).unwrap();
                let (vault, point) = (job.source_vault.clone(), job.recovery_point.clone());
                let vault = world.vault_mut(&vault).unwrap();
                vault.recovery_points.retain(|one| one.arn != point);
            });
        }
        let report = apply(&environment, name, plan, "apply").await.unwrap();
        if exists {
            assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
        } else {
            assert_eq!(sandbox.writes(), [], "{report:#?}");
        }
    }
}

#[tokio::test]
async fn a_copy_that_only_has_to_be_started_again_is_a_plan_too() {
    let name = "transient";
    let (sandbox, environment) = healthy();
    let plan = planned(&environment, name, observing()).await;
    assert_eq!(plan.report.outcome, Outcome::Planned, "{:#?}", plan.report);
    let other = planned(&environment, "destination-vault-policy", observing()).await;
    // Another copy's yes is none.
    let report = apply(&environment, name, other.plan.unwrap(), "wrong")
        .await
        .unwrap();
    assert_eq!(sandbox.writes(), [], "{report:#?}");
    let report = apply(&environment, name, plan.plan.unwrap(), "apply")
        .await
        .unwrap();
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
}

#[tokio::test]
async fn what_was_put_is_told_and_gone_on_with_whatever_call_fails_once() {
    let mut wrong = Vec::new();
    let passing = FAULTS.into_iter().filter(|fault| match fault {
        Fault::Refused(kind) | Fault::AnswerLost(kind) => {
            !matches!(kind, CallErrorKind::AccessDenied)
        }
        Fault::KilledBefore | Fault::KilledAfter => false,
    });
    let passing: Vec<Fault> = passing.collect();
    for name in ["destination-vault-policy", "source-key-policy"] {
        let (_, environment) = healthy();
        let plan = planned(&environment, name, observing()).await.plan.unwrap();
        let from = environment.made().len();
        apply(&environment, name, plan, "apply").await.unwrap();
        let calls = environment.made().len() - from;
        for number in 0..calls {
            for fault in passing.iter().copied() {
                let (sandbox, environment) = healthy();
                environment.break_call(number, fault);
                let applied = apply(&environment, name, plan, "apply").await;
                let call = environment.made().get(number).copied();
                let is_put = !sandbox.writes().is_empty();
                let is_told = applied
                    .as_ref()
                    .is_ok_and(|report| !report.changes.is_empty());
                let is_started = applied
                    .as_ref()
                    .is_ok_and(|report| report.retried_job.is_some());
                if is_put && !(is_told && is_started) {
                    wrong.push(format!(
                        "{name}, {fault:?} at call {number} ({call:?}): {applied:?}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn people_who_cannot_be_told_hide_nothing_of_what_was_done() {
    let (sandbox, environment) = healthy();
    let name = "destination-vault-policy";
    let plan = planned(&environment, name, observing()).await.plan.unwrap();
    sandbox.fail("sns:Publish", CallErrorKind::AccessDenied);
    let report = apply(&environment, name, plan, "apply").await.unwrap();
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("people were not told")),
        "{report:#?}"
    );
}

#[tokio::test]
async fn a_channel_that_is_lost_is_named_where_people_were_told_on_another() {
    let name = "destination-vault-policy";
    let channels = [Channel::Topic, Channel::Chat, Channel::ReportBus];
    for kind in [CallErrorKind::AccessDenied, CallErrorKind::Throttled] {
        for lost in channels {
            let (sandbox, environment) = healthy();
            sandbox.notifier().set_channels(channels);
            let plan = planned(&environment, name, observing()).await.plan.unwrap();
            environment.lose(&[lost], kind);
            let report = apply(&environment, name, plan, "apply").await.unwrap();
            assert_eq!(report.outcome, Outcome::RepairedAndRetried);
            let notes = report.notes.iter();
            let said: Vec<_> = notes
                .filter(|note| note.starts_with("people were not told"))
                .collect();
            let expected = format!("people were not told on the channel {lost}: ");
            assert!(
                matches!(said.as_slice(), [note] if note.starts_with(&expected)),
                "{lost} {kind:?}: {said:?}"
            );
            let taken = sandbox.notifier().taken().into_iter();
            let taken: Vec<Channel> = taken.map(|(channel, _)| channel).collect();
            let others = channels.into_iter().filter(|channel| *channel != lost);
            assert_eq!(taken, others.collect::<Vec<_>>(), "{lost} {kind:?}");
        }
    }
}
