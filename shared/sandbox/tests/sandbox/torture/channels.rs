//! Every channel hears a message once, whichever call goes wrong: one that fails is tried again alone.
//!
//! Twice only what nobody can tell of: whose answer was lost, or where the process died before it was
//! recorded.

use std::collections::BTreeMap;

use copymend_remediation::message::Channel;
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_sandbox::Sandbox;

use super::faulty::{FAULTS, Fault, Faulty};
use super::{Delivered, ENTRY, deliver, event_of, sandbox_after_other_settings};

const CHANNELS: [Channel; 3] = [Channel::Topic, Channel::Chat, Channel::ReportBus];

async fn scene() -> (Sandbox, Faulty) {
    let sandbox = sandbox_after_other_settings().await;
    sandbox.notifier().set_channels(CHANNELS);
    let environment = Faulty::new(sandbox.clone());
    (sandbox, environment)
}

/// How often each channel took each message.
fn taken(sandbox: &Sandbox) -> BTreeMap<(Channel, String), usize> {
    let mut taken = BTreeMap::new();
    for message in sandbox.notifier().taken() {
        *taken.entry(message).or_default() += 1;
    }
    taken
}

/// The call of a channel.
fn call_of(channel: Channel) -> &'static str {
    match channel {
        Channel::Topic | Channel::Log => "notify",
        Channel::Chat => "notify_chat",
        Channel::ReportBus => "notify_report_bus",
    }
}

async fn until_it_ends(environment: &Faulty, name: &str) -> Result<(), String> {
    let event = event_of(environment.sandbox(), name);
    for delivery in 0..4 {
        let delivered = deliver(environment, &event, &format!("delivery-{delivery}")).await;
        if let Delivered::Answered(report) = &delivered
            && !report.awaits_another_delivery()
        {
            return Ok(());
        }
        environment.clock().sleep(ENTRY.unsigned_abs()).await;
    }
    Err("it never came to an end".to_owned())
}

/// What a channel may hear twice: where nobody can tell whether it took the message.
fn may_be_heard_twice(channel: Channel, call: &str, fault: Fault) -> bool {
    match fault {
        Fault::AnswerLost(_) => call == call_of(channel),
        // All of them are under way at once, and none is recorded yet.
        Fault::KilledBefore | Fault::KilledAfter => {
            call.starts_with("notify") || (call == "finish_job" && fault == Fault::KilledBefore)
        }
        Fault::Refused(_) => call == "record_told",
    }
}

async fn with_fault(name: &str, number: usize, fault: Fault) -> Result<(), String> {
    let (sandbox, environment) = scene().await;
    environment.break_call(number, fault);
    let ended = until_it_ends(&environment, name).await;
    let made = environment.made();
    let call = made.get(number).copied().unwrap_or("none");
    let place = format!("{name}, call {number} ({call}), {fault:?}");
    ended.map_err(|error| format!("{place}: {error}"))?;
    let taken = taken(&sandbox);
    let messages: std::collections::BTreeSet<&String> = taken.keys().map(|(_, id)| id).collect();
    if messages.is_empty() {
        return Err(format!("{place}: nobody was told"));
    }
    for channel in CHANNELS {
        for message in &messages {
            let times = taken
                .get(&(channel, (*message).clone()))
                .copied()
                .unwrap_or_default();
            // What is denied for good is left to the other channels.
            let is_denied =
                call == call_of(channel) && fault == Fault::Refused(CallErrorKind::AccessDenied);
            let least = usize::from(!is_denied);
            let most = if is_denied {
                0
            } else if may_be_heard_twice(channel, call, fault) {
                2
            } else {
                1
            };
            if !(least..=most).contains(&times) {
                return Err(format!(
                    "{place}: {channel} heard {message} {times} times: {taken:?}"
                ));
            }
        }
    }
    Ok(())
}

async fn torture(name: &str) {
    let (sandbox, environment) = scene().await;
    until_it_ends(&environment, name).await.unwrap();
    assert_eq!(taken(&sandbox).len(), 3, "one message on three channels");
    let calls = environment.made().len();
    let mut wrong = Vec::new();
    for number in 0..calls {
        for fault in FAULTS {
            if let Err(error) = with_fault(name, number, fault).await {
                wrong.push(error);
            }
        }
    }
    let count = calls * FAULTS.len();
    assert!(
        wrong.is_empty(),
        "{} of {count} went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!("{name}: {calls} calls x {} faults", FAULTS.len());
}

#[tokio::test]
async fn each_channel_hears_of_a_repair_once() {
    torture("destination-vault-policy").await;
}

#[tokio::test]
async fn each_channel_hears_once_what_people_must_do() {
    torture("aws-managed-key").await;
}

/// A channel whose failure may pass is the only one that is tried again.
#[tokio::test]
async fn a_channel_that_fails_is_tried_again_alone() {
    for failing in CHANNELS {
        let (sandbox, environment) = scene().await;
        let event = event_of(&sandbox, "aws-managed-key");
        let undisturbed = Faulty::new(sandbox_after_other_settings().await);
        undisturbed.sandbox().notifier().set_channels(CHANNELS);
        until_it_ends(&undisturbed, "aws-managed-key")
            .await
            .unwrap();
        let number = undisturbed
            .made()
            .iter()
            .position(|call| *call == call_of(failing))
            .unwrap();
        environment.break_call(number, Fault::Refused(CallErrorKind::Throttled));
        let first = deliver(&environment, &event, "first").await;
        assert!(matches!(first, Delivered::Failed), "{failing}");
        let heard = |channel: Channel| {
            let taken = sandbox.notifier().taken();
            taken.iter().filter(|(on, _)| *on == channel).count()
        };
        for channel in CHANNELS {
            assert_eq!(
                heard(channel),
                usize::from(channel != failing),
                "{failing}: {channel}"
            );
        }
        let before = environment.made().len();
        let again = deliver(&environment, &event, "again").await;
        assert!(matches!(again, Delivered::Answered(_)), "{failing}");
        let sends = environment.made().split_off(before).into_iter();
        let sends: Vec<&str> = sends.filter(|call| call.starts_with("notify")).collect();
        assert_eq!(sends, [call_of(failing)], "{failing}");
        for channel in CHANNELS {
            assert_eq!(heard(channel), 1, "{failing}: {channel}");
        }
    }
}
