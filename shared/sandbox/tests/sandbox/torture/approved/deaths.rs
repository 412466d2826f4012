//! Whatever dies while a plan is asked about and answered.

use super::super::faulty::{FAULTS, Fault, Killed};
use super::*;

/// How many calls an approved plan makes, from the answer on.
pub(super) async fn calls_of(name: &str) -> usize {
    let (_, environment) = scene();
    let plan = asked(&environment, name).await;
    let before = environment.made().len();
    let _ = answer(&environment, &plan, Reply::Approve, &owner(), "yes")
        .await
        .unwrap();
    environment.made().len() - before
}

#[tokio::test]
async fn an_invocation_that_dies_anywhere_is_gone_on_with_and_everything_is_done_once() {
    let mut wrong = Vec::new();
    for name in REPAIRED {
        for number in 0..calls_of(name).await {
            for fault in FAULTS {
                let (sandbox, environment) = scene();
                let plan = asked(&environment, name).await;
                let told = sandbox.notifier().sent().len();
                let made = environment.made().len();
                environment.break_call(number, fault);
                let mut last = None;
                // The first answer meets the fault; the next ones go on, once the dead one's time is over.
                for (attempt, who) in [owner(), second_owner(), owner()].iter().enumerate() {
                    let (inner, plan, who) = (environment.clone(), plan.clone(), who.clone());
                    let task = tokio::spawn(async move {
                        answer(
                            &inner,
                            &plan,
                            Reply::Approve,
                            &who,
                            &format!("yes-{attempt}"),
                        )
                        .await
                    });
                    match task.await {
                        Ok(answered) => last = Some(answered),
                        Err(death) => assert!(death.into_panic().is::<Killed>()),
                    }
                    environment.clock().sleep(ENTRY.unsigned_abs()).await;
                }
                let call = environment.made().get(made + number).copied();
                let what = format!("{name}, {fault:?} at call {number} ({call:?})");
                let writes = sandbox.writes();
                let puts = writes
                    .iter()
                    .filter(|write| write.operation != "backup:StartCopyJob")
                    .count();
                let starts = writes.len() - puts;
                if puts > 1 || starts > 1 {
                    wrong.push(format!("{what}: {puts} puts, {starts} copies"));
                }
                let ended = last.unwrap();
                let is_over =
                    matches!(&ended, Ok(answer) if answer.result != ApprovalResult::Shown);
                if !is_over {
                    wrong.push(format!("{what}: {ended:?}"));
                }
                // A fault that passes leaves nothing half done.
                let passes = match fault {
                    Fault::Refused(kind) | Fault::AnswerLost(kind) => {
                        kind != CallErrorKind::AccessDenied
                    }
                    Fault::KilledBefore | Fault::KilledAfter => true,
                };
                if passes && (puts, starts) != (1, 1) {
                    wrong.push(format!("{what}: {puts} puts, {starts} copies; {ended:?}"));
                }
                if passes && starts == 1 && sandbox.notifier().sent().len() == told {
                    wrong.push(format!("{what}: nobody was told"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_no_that_dies_anywhere_is_a_no_in_the_end_and_is_told() {
    let (_, environment) = scene();
    let plan = asked(&environment, VAULT).await;
    let before = environment.made().len();
    let _ = answer(&environment, &plan, Reply::Refuse, &owner(), "no")
        .await
        .unwrap();
    let calls = environment.made().len() - before;
    let mut wrong = Vec::new();
    for number in 0..calls {
        for fault in FAULTS {
            let (sandbox, environment) = scene();
            let plan = asked(&environment, VAULT).await;
            let told = sandbox.notifier().sent().len();
            environment.break_call(number, fault);
            for attempt in 0..3 {
                let (inner, plan) = (environment.clone(), plan.clone());
                let task = tokio::spawn(async move {
                    answer(
                        &inner,
                        &plan,
                        Reply::Refuse,
                        &owner(),
                        &format!("no-{attempt}"),
                    )
                    .await
                });
                match task.await {
                    Ok(_) => {}
                    Err(death) => assert!(death.into_panic().is::<Killed>()),
                }
            }
            let call = environment.made().get(number).copied();
            let what = format!("{fault:?} at call {number} ({call:?})");
            if !sandbox.writes().is_empty() {
                wrong.push(format!("{what}: written"));
            }
            let next = fails_anew(&environment, VAULT, "next").await;
            if !matches!(&next, Ok(report) if report.outcome == Outcome::Refused) {
                wrong.push(format!("{what}: {next:?}"));
            }
            if sandbox.notifier().sent().len() < told + 1 {
                wrong.push(format!("{what}: nobody was told"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn an_event_that_dies_while_it_asks_asks_in_the_end_and_what_it_asks_can_be_answered() {
    let (_, environment) = scene();
    let _ = asked(&environment, VAULT).await;
    let calls = environment.made().len();
    let mut wrong = Vec::new();
    for number in 0..calls {
        for fault in FAULTS {
            let (sandbox, environment) = scene();
            environment.break_call(number, fault);
            let mut plan = None;
            for attempt in 0..3 {
                let inner = environment.clone();
                let task =
                    tokio::spawn(
                        async move { fails(&inner, VAULT, &format!("event-{attempt}")).await },
                    );
                match task.await {
                    Ok(Ok(report)) => plan = report.approval.map(|approval| approval.plan).or(plan),
                    Ok(Err(_)) => {}
                    Err(death) => assert!(death.into_panic().is::<Killed>()),
                }
                environment.clock().sleep(ENTRY.unsigned_abs()).await;
            }
            let what = format!(
                "{fault:?} at call {number} ({:?})",
                environment.made().get(number)
            );
            assert_eq!(sandbox.writes(), [], "{what}");
            if sandbox.notifier().sent().is_empty() {
                wrong.push(format!("{what}: nobody was told"));
            }
            if let Some(plan) = plan {
                let done = answer(&environment, &plan, Reply::Approve, &owner(), "yes").await;
                if !matches!(&done, Ok(done) if done.result == ApprovalResult::CarriedOut) {
                    wrong.push(format!("{what}: {done:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
