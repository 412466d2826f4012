//! A digest whose calls go wrong: another delivery tells it, once.

use copymend_remediation::digest::{DIGEST_DETAIL_TYPE, DigestState};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::json;

use super::faulty::{FAULTS, Fault, Faulty};
use super::{ENTRY, TIMEOUT, event_of, settings};

/// One incident and one change on record, and nothing that is told by the way.
async fn on_record() -> Faulty {
    let sandbox = Sandbox::new(World::default_world());
    let event = event_of(&sandbox, "destination-vault-policy");
    let remediator = CopyRemediator::new(sandbox.clone(), settings());
    let invocation = Invocation {
        id: "repair".to_owned(),
        deadline: sandbox.clock().now() + TIMEOUT,
    };
    remediator.handle(&event, &invocation).await.unwrap();
    sandbox.clock().sleep(ENTRY.unsigned_abs()).await;
    Faulty::new(sandbox)
}

/// What one delivery answers; `None` where it failed or died.
async fn deliver(environment: &Faulty, id: &str) -> Option<DigestState> {
    let remediator = CopyRemediator::new(environment.clone(), settings());
    let invocation = Invocation {
        id: id.to_owned(),
        deadline: environment.clock().now() + TIMEOUT,
    };
    let task = tokio::spawn(async move {
        let event = json!({"source": "copymend", "detail-type": DIGEST_DETAIL_TYPE});
        remediator.send_digest(&event, &invocation).await
    });
    match task.await {
        Ok(Ok(answer)) => Some(answer.digest),
        Ok(Err(HandlerError::Call(_))) => None,
        Ok(Err(error)) => panic!("{error}"),
        Err(_death) => None,
    }
}

async fn with_fault(number: usize, fault: Fault) -> Result<(), String> {
    let environment = on_record().await;
    environment.break_call(number, fault);
    let mut ends = Vec::new();
    for delivery in 0..4 {
        let end = deliver(&environment, &format!("delivery-{delivery}")).await;
        ends.push(end);
        if end.is_some() {
            break;
        }
        environment.clock().sleep(ENTRY.unsigned_abs()).await;
    }
    let call = environment.made().get(number).copied().unwrap_or("none");
    let place = format!("call {number} ({call}), {fault:?}, deliveries {ends:?}");
    if ends.last().copied().flatten().is_none() {
        return Err(format!("{place}: it never came to an end"));
    }
    let digests = environment.sandbox().notifier().digests();
    // Between publishing and recording it nobody can tell whether it was published.
    let between = match fault {
        Fault::KilledAfter | Fault::AnswerLost(_) => call == "notify_digest",
        Fault::KilledBefore => call == "finish_job",
        Fault::Refused(_) => false,
    };
    match digests.as_slice() {
        [digest] if digest.repaired.count == 1 => Ok(()),
        [_, _] if between => Ok(()),
        several => Err(format!("{place}: {} digests", several.len())),
    }
}

#[tokio::test]
async fn a_digest_survives_every_fault_of_every_call() {
    let environment = on_record().await;
    let before = environment.made().len();
    let end = deliver(&environment, "first").await;
    assert_eq!(end, Some(DigestState::Sent));
    let calls = environment.made().len() - before;
    assert!(calls >= 8, "{:?}", environment.made());
    let mut wrong = Vec::new();
    for number in 0..calls {
        for fault in FAULTS {
            // What is forbidden stays forbidden on the next delivery, too, where it is a read.
            if fault == Fault::Refused(CallErrorKind::AccessDenied) {
                continue;
            }
            if let Err(error) = with_fault(number, fault).await {
                wrong.push(error);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("digest: {calls} calls x {} faults", FAULTS.len() - 1);
}

/// What failed is tried again on the channel that failed, and a week's digest tells no day twice.
#[tokio::test]
async fn the_next_digest_begins_where_the_last_one_ended() {
    let environment = on_record().await;
    assert_eq!(deliver(&environment, "one").await, Some(DigestState::Sent));
    assert_eq!(
        deliver(&environment, "two").await,
        Some(DigestState::SentBefore)
    );
    let week = SignedDuration::from_hours(7 * 24);
    environment.clock().sleep(week.unsigned_abs()).await;
    assert_eq!(
        deliver(&environment, "three").await,
        Some(DigestState::Sent)
    );
    let digests = environment.sandbox().notifier().digests();
    let [first, second] = digests.as_slice() else {
        panic!("{digests:#?}");
    };
    assert_eq!((first.repaired.count, second.repaired.count), (1, 0));
    assert!(second.since > first.since && second.since < first.at);
}
