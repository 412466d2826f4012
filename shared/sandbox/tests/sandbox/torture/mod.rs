//! One call goes wrong, whichever it is and however: after the event is delivered again, the end is
//! the same as without the fault.

mod applied;
mod approved;
mod channels;
mod digest;
mod faulty;
mod flood;
mod followed;
mod later;
mod lost_channels;
mod many_sources;
mod messages;
mod started;
mod storm;
mod undo;

use std::collections::BTreeMap;

use copymend_policy::PolicyDocument;
use copymend_remediation::ledger::{Ledger, RecordedSettings};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::Value;

pub(crate) use faulty::Faulty;
use faulty::{FAULTS, Fault, Killed};

/// A function's timeout.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);
/// How long after its start a dead invocation's entry holds at most.
const ENTRY: SignedDuration = SignedDuration::from_secs(200);

pub(crate) fn settings() -> Settings {
    Settings {
        mode: Mode::Repair,
        allowed_destinations: vec!["*".parse().unwrap()],
        // That of a third account is admitted where it is named.
        allowed_keys: ["*", "arn:aws:kms:*:222233334444:key/*"]
            .map(|entry| entry.parse().unwrap())
            .to_vec(),
        allowed_sources: vec!["*".parse().unwrap()],
        create_service_linked_role: true,
        source_retry_budget: 1_000_000,
        ..Settings::default()
    }
}

/// How a delivery ended.
enum Delivered {
    Answered(Box<Report>),
    Failed,
    Killed,
}

/// One delivery, in a task of its own, so that a death is noticed as Lambda notices it.
async fn deliver(environment: &Faulty, event: &Value, id: &str) -> Delivered {
    let now = environment.clock().now();
    let invocation = Invocation {
        id: id.to_owned(),
        deadline: now + TIMEOUT,
    };
    let remediator = CopyRemediator::new(environment.clone(), settings());
    let event = event.clone();
    let task = tokio::spawn(async move { remediator.handle(&event, &invocation).await });
    match task.await {
        Ok(Ok(report)) => Delivered::Answered(Box::new(report)),
        Ok(Err(HandlerError::Call(_))) => Delivered::Failed,
        Ok(Err(HandlerError::Event(error))) => panic!("{error}"),
        Ok(Err(HandlerError::Approval(error))) => panic!("{error}"),
        Err(death) => {
            let payload = death.into_panic();
            assert!(payload.is::<Killed>(), "it died of something else");
            Delivered::Killed
        }
    }
}

/// A policy: equal to one that means the same, since KMS answers its lists in another order each
/// time.
#[derive(Debug)]
struct Policy(PolicyDocument);

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.0.means_the_same_as(&other.0)
    }
}

/// What the world looks like at the end.
#[derive(Debug)]
struct End {
    /// What was written: a policy, or the service-linked role's name as it is.
    policies: BTreeMap<String, Result<Policy, String>>,
    policy_writes: usize,
    started_copies: usize,
    /// States of the copies that were started.
    copies: Vec<String>,
}

fn end(sandbox: &Sandbox) -> End {
    let mut policies = BTreeMap::new();
    let (mut policy_writes, mut started_copies, mut copies) = (0, 0, Vec::new());
    for write in sandbox.writes() {
        if write.operation == "backup:StartCopyJob" {
            started_copies += 1;
            copies.push(
                sandbox
                    .with_world(|world| world.copy_job(&write.after).unwrap().state().to_string()),
            );
        } else {
            policy_writes += 1;
            let written = PolicyDocument::parse(&write.after).map(Policy);
            let written = written.map_err(|_| write.after.clone());
            policies.insert(write.resource.clone(), written);
        }
    }
    End {
        policies,
        policy_writes,
        started_copies,
        copies,
    }
}

pub(crate) fn event_of(sandbox: &Sandbox, name: &str) -> Value {
    let id = sandbox.with_world(|world| {
        world
            .copy_jobs()
            .iter()
            .find(|job| job.name.as_deref() == Some(name))
            .map(|job| job.id.clone())
    });
    sandbox.event_for(&id.unwrap()).unwrap()
}

/// The default world, with a ledger whose last event was handled with other settings: people have
/// to hear of it, too.
async fn sandbox_after_other_settings() -> Sandbox {
    let sandbox = Sandbox::new(World::default_world());
    let others = RecordedSettings::from(&Settings::default());
    let ledger = sandbox.ledger().unwrap();
    // The first ones are recorded as they are.
    let now = sandbox.clock().now();
    let first = ledger.claim_settings_notice(&others, "before", now, now);
    assert_eq!(first.await.unwrap(), None);
    sandbox
}

fn tells_of_settings(report: &Report) -> bool {
    report
        .notes
        .iter()
        .any(|note| note.contains("COPYMEND_MODE is `repair`, it was `observe`"))
}

/// People heard of the settings, or the next event will tell them.
async fn check_settings_notice(sandbox: &Sandbox) -> Result<(), String> {
    let sent = sandbox.notifier().sent();
    let told = sent.iter().any(|sent| tells_of_settings(&sent.report));
    let later = sandbox.clock().now() + TIMEOUT + TIMEOUT;
    let due = sandbox
        .ledger()
        .unwrap()
        .claim_settings_notice(&RecordedSettings::from(&settings()), "later", later, later)
        .await
        .unwrap()
        .is_some_and(|notice| !notice.is_anothers);
    if told || due {
        Ok(())
    } else {
        Err("nobody heard that the settings changed, and nobody will".to_owned())
    }
}

/// The calls of the repair path without a fault, and its end.
async fn without_fault(name: &str) -> (usize, End) {
    let sandbox = sandbox_after_other_settings().await;
    let environment = Faulty::new(sandbox.clone());
    let event = event_of(&sandbox, name);
    let Delivered::Answered(report) = deliver(&environment, &event, "first").await else {
        panic!("{name} fails without a fault");
    };
    assert_eq!(report.outcome.slug(), "repaired-and-retried", "{report:#?}");
    assert_eq!(sandbox.notifier().sent().len(), 1);
    assert!(tells_of_settings(&report), "{report:#?}");
    (environment.made().len(), end(&sandbox))
}

/// One row of the torture: this call, this fault.
async fn with_fault(name: &str, number: usize, fault: Fault, expected: &End) -> Result<(), String> {
    let sandbox = sandbox_after_other_settings().await;
    let environment = Faulty::new(sandbox.clone());
    let event = event_of(&sandbox, name);
    environment.break_call(number, fault);
    let mut ends = Vec::new();
    let mut last = None;
    for delivery in 0..4 {
        let delivered = deliver(&environment, &event, &format!("delivery-{delivery}")).await;
        let again = match &delivered {
            Delivered::Answered(report) => {
                ends.push(report.outcome.slug());
                report.awaits_another_delivery()
            }
            Delivered::Failed => {
                ends.push("error");
                true
            }
            Delivered::Killed => {
                ends.push("killed");
                true
            }
        };
        last = Some(delivered);
        if !again {
            break;
        }
        environment.clock().sleep(ENTRY.unsigned_abs()).await;
    }
    let call = environment.made().get(number).copied().unwrap_or("none");
    let place = format!("{name}, call {number} ({call}), {fault:?}, deliveries {ends:?}");
    if !matches!(last, Some(Delivered::Answered(_))) {
        return Err(format!("{place}: it never came to an end"));
    }
    let found = end(&sandbox);
    let denied = fault == Fault::Refused(CallErrorKind::AccessDenied);
    if denied && found.policy_writes == 0 && found.started_copies == 0 {
        // What is forbidden stays forbidden: nothing is done, and people hear of it.
        return if sandbox.notifier().sent().is_empty() {
            Err(format!("{place}: nothing was done and nobody was told"))
        } else {
            Ok(())
        };
    }
    let same = found.policies == expected.policies
        && found.copies == expected.copies
        && found.started_copies == expected.started_copies;
    if !same && !denied {
        return Err(format!("{place}: {found:#?} instead of {expected:#?}"));
    }
    for (resource, policy) in &found.policies {
        if Some(policy) != expected.policies.get(resource) {
            return Err(format!("{place}: the policy of {resource} is another one"));
        }
    }
    check_settings_notice(&sandbox)
        .await
        .map_err(|error| format!("{place}: {error}"))?;
    let sent = sandbox.notifier().sent();
    let ids: Vec<_> = sent
        .iter()
        .map(|sent| (sent.report.copy_job_id(), sent.report.outcome))
        .collect();
    // Between publishing and recording it nobody can tell whether it was published.
    let between = match fault {
        Fault::KilledAfter | Fault::AnswerLost(_) => call == "notify",
        Fault::KilledBefore => call == "finish_job",
        Fault::Refused(_) => false,
    };
    match ids.as_slice() {
        [] => Err(format!("{place}: the message was lost")),
        [_] => Ok(()),
        [first, second] if between && first == second => Ok(()),
        // The read after the put was denied: people hear how it looks, and then what came of it.
        [(_, Outcome::Failed), (_, Outcome::RepairedAndRetried)] if denied => Ok(()),
        several => Err(format!("{place}: messages {several:?}")),
    }
}

async fn torture(name: &str) {
    let (calls, expected) = without_fault(name).await;
    assert!(calls > 15, "the repair path has {calls} calls");
    let mut wrong = Vec::new();
    for number in 0..calls {
        for fault in FAULTS {
            if let Err(error) = with_fault(name, number, fault, &expected).await {
                wrong.push(error);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} went wrong:\n{}",
        wrong.len(),
        calls * FAULTS.len(),
        wrong.join("\n")
    );
    println!("{name}: {calls} calls x {} faults", FAULTS.len());
}

#[tokio::test]
async fn a_vault_repair_survives_every_fault_of_every_call() {
    torture("destination-vault-policy").await;
}

#[tokio::test]
async fn a_key_repair_survives_every_fault_of_every_call() {
    torture("source-key-policy").await;
}

#[tokio::test]
async fn a_service_linked_role_survives_every_fault_of_every_call() {
    torture("service-linked-role").await;
}
