//! A copy that an earlier repair admits, of which people hear or not: whichever call goes wrong, it is started
//! once, and what people have to hear of is told.

use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_sandbox::Sandbox;
use jiff::SignedDuration;
use serde_json::Value;

use super::faulty::{FAULTS, Fault, Faulty};
use super::storm::stormy;
use super::{Delivered, ENTRY, deliver, end};

/// A storm of which all events but the last are handled, and its last event.
async fn before_the_last(count: usize) -> (Sandbox, Value) {
    let (sandbox, ids) = stormy(count);
    let environment = Faulty::new(sandbox.clone());
    let (last, others) = ids.split_last().unwrap();
    for id in others {
        let event = sandbox.event_for(id).unwrap();
        let delivered = deliver(&environment, &event, id).await;
        assert!(matches!(delivered, Delivered::Answered(_)), "{id}");
    }
    // Whoever had a turn has sent the message.
    environment
        .clock()
        .sleep(SignedDuration::from_mins(1).unsigned_abs())
        .await;
    let event = sandbox.event_for(last).unwrap();
    (sandbox, event)
}

/// One row: this call of the last event, this fault.
async fn row(count: usize, told: usize, number: usize, fault: Fault) -> Result<(), String> {
    let (sandbox, event) = before_the_last(count).await;
    let before = sandbox.notifier().sent().len();
    let environment = Faulty::new(sandbox.clone());
    environment.break_call(number, fault);
    let (mut ends, mut is_over) = (Vec::new(), false);
    for delivery in 0..4 {
        let delivered = deliver(&environment, &event, &format!("delivery-{delivery}")).await;
        is_over = match &delivered {
            Delivered::Answered(report) => {
                ends.push(report.outcome.slug());
                !report.awaits_another_delivery()
            }
            Delivered::Failed => {
                ends.push("error");
                false
            }
            Delivered::Killed => {
                ends.push("killed");
                false
            }
        };
        if is_over {
            break;
        }
        environment.clock().sleep(ENTRY.unsigned_abs()).await;
    }
    let call = environment.made().get(number).copied().unwrap_or("none");
    let place = format!("{count} events, call {number} ({call}), {fault:?}, deliveries {ends:?}");
    let found = end(&sandbox);
    if !is_over {
        return Err(format!("{place}: it never came to an end"));
    }
    if found.policy_writes != 1 || found.started_copies > count {
        return Err(format!("{place}: {found:#?}"));
    }
    let sent = sandbox.notifier().sent().len() - before;
    let denied = fault == Fault::Refused(CallErrorKind::AccessDenied);
    if found.started_copies < count {
        // What is forbidden stays forbidden, and people hear of it.
        return if denied && sent == 1 {
            Ok(())
        } else {
            Err(format!("{place}: not started, {sent} messages"))
        };
    }
    // Nobody knows whether a delivery that died has told people, or counted.
    let most = match fault {
        Fault::KilledBefore | Fault::KilledAfter => told + 1,
        Fault::AnswerLost(_) if call == "notify" => told + 1,
        // That a call is denied may be news.
        Fault::Refused(_) if denied => told.max(1),
        Fault::AnswerLost(_) | Fault::Refused(_) => told,
    };
    if sent < told || sent > most {
        return Err(format!(
            "{place}: {sent} messages, {told} to {most} are right"
        ));
    }
    Ok(())
}

async fn torture(count: usize, told: usize) {
    let (sandbox, event) = before_the_last(count).await;
    let before = sandbox.notifier().sent().len();
    let environment = Faulty::new(sandbox.clone());
    deliver(&environment, &event, "only").await;
    assert_eq!(sandbox.notifier().sent().len() - before, told);
    let made = environment.made();
    let asked = made
        .iter()
        .filter(|call| ["recall", "claim_retry", "finish_started_again"].contains(call));
    assert_eq!(asked.count(), 3, "{made:?}");
    let mut wrong = Vec::new();
    for number in 0..made.len() {
        for fault in FAULTS {
            if let Err(error) = row(count, told, number, fault).await {
                wrong.push(error);
            }
        }
    }
    let rows = made.len() * FAULTS.len();
    assert!(
        wrong.is_empty(),
        "{} of {rows} went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!(
        "event {count} of a storm: {} calls x {} faults",
        made.len(),
        FAULTS.len()
    );
}

#[tokio::test]
async fn the_second_event_of_a_storm_survives_every_fault_of_every_call() {
    torture(2, 0).await;
}

#[tokio::test]
async fn the_tenth_event_of_a_storm_of_which_people_hear_does_as_well() {
    torture(10, 1).await;
}
