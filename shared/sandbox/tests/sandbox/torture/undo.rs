//! One call of an undo goes wrong: asked for again, it ends as without the fault.

use copymend_policy::PolicyDocument;
use copymend_remediation::Invocation;
use copymend_remediation::ledger::{Again, ChangeState, Ledger};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::undo::{Undo, UndoError, UndoRequest, undo};
use copymend_sandbox::{Sandbox, World};
use tokio::task::JoinError;

use super::faulty::{FAULTS, Faulty};
use super::{Delivered, ENTRY, TIMEOUT, deliver, event_of};

/// A repaired world, and the change that is to be taken back.
async fn repaired(name: &str) -> (Sandbox, Faulty, String, Option<String>) {
    let sandbox = Sandbox::new(World::default_world());
    let environment = Faulty::new(sandbox.clone());
    let event = event_of(&sandbox, name);
    let Delivered::Answered(report) = deliver(&environment, &event, "repair").await else {
        panic!("{name} is not repaired");
    };
    let change = &report.changes[0];
    (
        sandbox,
        environment,
        change.id.clone().unwrap(),
        change.before.clone(),
    )
}

async fn take_back(
    environment: &Faulty,
    change: &str,
    again: Again,
    attempt: usize,
) -> Result<Result<Undo, UndoError>, JoinError> {
    let invocation = Invocation {
        id: format!("undo-{attempt}"),
        deadline: environment.clock().now() + TIMEOUT,
    };
    let (environment, change) = (environment.clone(), change.to_owned());
    tokio::spawn(async move {
        let request = UndoRequest {
            change: Some(&change),
            again,
            asked_by: None,
        };
        undo(&environment, request, &invocation).await
    })
    .await
}

/// What stands in the way of a later repair, or of a statement being gone.
async fn what_is_left(sandbox: &Sandbox, change: &str, before: Option<&str>) -> Result<(), String> {
    let ledger = sandbox.ledger().unwrap();
    let (recorded, state) = ledger.change(change).await.unwrap().unwrap();
    if state != ChangeState::Undone {
        return Err(format!("the change is {state:?}"));
    }
    let now = sandbox.clock().now();
    let history = ledger
        .policy_history(&recorded.resource, now)
        .await
        .unwrap();
    if !history.sids.is_empty() {
        return Err(format!("the ledger still has {:?}", history.sids));
    }
    let admitted = ledger
        .admitted_at(&recorded.resource, &recorded.grantee)
        .await
        .unwrap();
    if admitted.is_some() {
        return Err("the grantee still counts as admitted".to_owned());
    }
    let refused: Vec<_> = history.refusals.iter().map(|one| &one.change_id).collect();
    if refused != [change] {
        return Err(format!("refused are {refused:?}"));
    }
    let policy = sandbox.with_world(|world| {
        let of_vault = recorded.resource.parse().ok();
        let of_key = recorded.resource.parse().ok();
        let policy = match (of_vault, of_key) {
            (Some(vault), _) => world.vault(&vault).unwrap().policy.as_ref(),
            (None, Some(key)) => world.key(&key).unwrap().policy.as_ref(),
            (None, None) => panic!("{} is neither", recorded.resource),
        };
        policy.map(|policy| policy.as_str().to_owned())
    });
    let is_as_before = match (policy.as_deref(), before) {
        (Some(policy), Some(before)) => {
            let read = |text| PolicyDocument::parse(text).unwrap();
            read(policy).means_the_same_as(&read(before))
        }
        (policy, before) => policy == before,
    };
    if !is_as_before {
        return Err(format!("the policy is {policy:?}"));
    }
    Ok(())
}

async fn torture(name: &str) {
    let (_, environment, change, _) = repaired(name).await;
    let from = environment.made().len();
    take_back(&environment, &change, Again::Refused, 0)
        .await
        .unwrap()
        .unwrap();
    let calls = environment.made().len() - from;
    assert!(calls > 8, "an undo has {calls} calls");
    let mut wrong = Vec::new();
    for number in 0..calls {
        for fault in FAULTS {
            let (sandbox, environment, change, before) = repaired(name).await;
            let repair = environment.made().len();
            environment.break_call(number, fault);
            let mut ends = Vec::new();
            for attempt in 0..3 {
                let ended = match take_back(&environment, &change, Again::Refused, attempt).await {
                    Ok(Ok(_)) => "done".to_owned(),
                    Ok(Err(UndoError::AlreadyUndone(_))) => "undone before".to_owned(),
                    Ok(Err(error)) => format!("error: {error}"),
                    Err(_) => "killed".to_owned(),
                };
                let is_over = ended == "done" || ended == "undone before";
                ends.push(ended);
                if is_over {
                    break;
                }
                environment.clock().sleep(ENTRY.unsigned_abs()).await;
            }
            let call = environment.made().get(repair + number).copied();
            let left = what_is_left(&sandbox, &change, before.as_deref()).await;
            if let Err(left) = left {
                wrong.push(format!(
                    "call {number} ({call:?}), {fault:?}, {ends:?}: {left}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    println!("undo of {name}: {calls} calls x {} faults", FAULTS.len());
}

#[tokio::test]
async fn an_undo_of_a_vault_s_policy_survives_every_fault_of_every_call() {
    torture("destination-vault-policy-2").await;
}

#[tokio::test]
async fn an_undo_of_a_key_policy_survives_every_fault_of_every_call() {
    torture("source-key-policy").await;
}

/// A repaired world whose change was undone: its grantee is refused.
async fn undone() -> (Sandbox, Faulty, String) {
    let (sandbox, environment, change, _) = repaired("destination-vault-policy-2").await;
    take_back(&environment, &change, Again::Refused, 0)
        .await
        .unwrap()
        .unwrap();
    (sandbox, environment, change)
}

#[tokio::test]
async fn what_lets_a_grantee_in_again_survives_every_fault_of_every_call() {
    let (_, environment, change) = undone().await;
    let from = environment.made().len();
    take_back(&environment, &change, Again::Allowed, 1)
        .await
        .unwrap()
        .unwrap();
    let calls = environment.made().len() - from;
    assert_eq!(environment.made().last(), Some(&"lift_refusal"));
    for number in 0..calls {
        for fault in FAULTS {
            let (sandbox, environment, change) = undone().await;
            environment.break_call(number, fault);
            let mut is_done = false;
            for attempt in 1..3 {
                let ended = take_back(&environment, &change, Again::Allowed, attempt).await;
                is_done = matches!(ended, Ok(Ok(_)));
                if is_done {
                    break;
                }
            }
            assert!(is_done, "call {number}, {fault:?}");
            let ledger = sandbox.ledger().unwrap();
            let (recorded, _) = ledger.change(&change).await.unwrap().unwrap();
            let now = sandbox.clock().now();
            let history = ledger.policy_history(&recorded.resource, now).await;
            assert_eq!(history.unwrap().refusals, [], "call {number}, {fault:?}");
            let lifted = ledger.lifted(&recorded.resource);
            assert_eq!(lifted.len(), 1, "call {number}, {fault:?}");
        }
    }
    println!(
        "lifting of a refusal: {calls} calls x {} faults",
        FAULTS.len()
    );
}
