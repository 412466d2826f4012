//! A copy that an earlier repair admits, of which people hear or not: whichever call goes wrong, it is started
//! once, and what people have to hear of is told.

use std::sync::Arc;
use std::time::Duration;

use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::Sandbox;
use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::faulty::{FAULTS, Fault, Faulty};
use super::storm::stormy;
use super::{Delivered, ENTRY, deliver, end, settings};

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

/// All faults, and a lost answer whose call was sent again and throttled then.
fn faults() -> impl Iterator<Item = Fault> {
    let others = [Fault::AnswerLost(CallErrorKind::Throttled)];
    FAULTS.into_iter().chain(others)
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
        for fault in faults() {
            if let Err(error) = row(count, told, number, fault).await {
                wrong.push(error);
            }
        }
    }
    let rows = made.len() * faults().count();
    assert!(
        wrong.is_empty(),
        "{} of {rows} went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    println!(
        "event {count} of a storm: {} calls x {} faults",
        made.len(),
        faults().count()
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

/// Each of these storms reads, claims and ends with so many events at one moment.
#[tokio::test]
async fn each_number_is_told_once_however_many_events_there_are_at_one_moment() {
    for at_once in [1, 2, 5, 13, 34, 55] {
        let told = lockstep(130, at_once).await;
        let with = |digits: usize| {
            let counts = told.iter().flatten().map(ToString::to_string);
            counts.filter(|count| count.len() == digits).count()
        };
        assert_eq!((with(2), with(3)), (1, 1), "{at_once} at once: {told:?}");
        assert_eq!(told.len(), 3, "{at_once} at once: {told:?}");
    }
}

/// The numbers that people were told.
async fn lockstep(count: usize, at_once: usize) -> Vec<Option<u64>> {
    let (sandbox, ids) = stormy(count);
    let environment = Faulty::new(sandbox.clone())
        .with_still_clock()
        .one_at_a_time();
    let gate = Arc::new(Semaphore::new(at_once));
    let (first, others) = ids.split_first().unwrap();
    handled(&environment, first, "first")
        .await
        .unwrap()
        .unwrap();
    sandbox.clock().sleep(Duration::from_mins(1)).await;
    let tasks: Vec<_> = others
        .iter()
        .map(|id| {
            let (gate, environment, id) = (Arc::clone(&gate), environment.clone(), id.clone());
            tokio::spawn(async move {
                let _place = gate.acquire().await.unwrap();
                handled(&environment, &id, "first").await.unwrap().unwrap()
            })
        })
        .collect();
    for task in tasks {
        let report = task.await.unwrap();
        assert_eq!(report.outcome, Outcome::Retried, "{:?}", report.notes);
    }
    assert_eq!(end(&sandbox).started_copies, count);
    let sent = sandbox.notifier().sent();
    sent.iter().map(|sent| sent.report.occurrences).collect()
}

fn handled(
    environment: &Faulty,
    id: &str,
    delivery: &str,
) -> JoinHandle<Result<Report, HandlerError>> {
    let event = environment.sandbox().event_for(id).unwrap();
    let remediator = CopyRemediator::new(environment.clone(), settings());
    let invocation = Invocation {
        id: format!("{delivery}-{id}"),
        deadline: environment.clock().now() + SignedDuration::from_hours(24),
    };
    tokio::spawn(async move { remediator.handle(&event, &invocation).await })
}

/// Ten events read the incident at nine at one moment, AWS Backup throttles all their starts, and all are
/// delivered again: one of them has claimed the message, and tells it.
#[tokio::test]
async fn of_many_that_are_delivered_again_one_tells() {
    let (sandbox, ids) = stormy(19);
    let environment = Faulty::new(sandbox.clone())
        .with_still_clock()
        .one_at_a_time();
    let (before, contenders) = ids.split_at(9);
    for id in before {
        handled(&environment, id, "first").await.unwrap().unwrap();
    }
    sandbox.clock().sleep(Duration::from_mins(1)).await;
    let told = sandbox.notifier().sent().len();
    sandbox.fail("backup:StartCopyJob", CallErrorKind::Throttled);
    let tasks: Vec<_> = contenders
        .iter()
        .map(|id| handled(&environment, id, "first"))
        .collect();
    for task in tasks {
        assert!(task.await.unwrap().is_err());
    }
    sandbox.calls().mend("backup:StartCopyJob");
    for id in contenders {
        sandbox.clock().sleep(Duration::from_mins(1)).await;
        let report = handled(&environment, id, "second").await.unwrap().unwrap();
        assert_eq!(report.outcome, Outcome::Retried, "{:?}", report.notes);
    }
    let sent = sandbox.notifier().sent();
    let numbers: Vec<_> = sent
        .iter()
        .skip(told)
        .map(|sent| sent.report.occurrences)
        .collect();
    assert_eq!(numbers.len(), 1, "{numbers:?}");
}
