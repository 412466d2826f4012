//! Taking a change back.

use copymend_diagnosis::BackupVaultArn;
use copymend_remediation::ledger::{Change, ChangeState, Ledger};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::undo::{Undo, UndoError, UndoRequest, undo};
use copymend_sandbox::Sandbox;

use crate::support::*;

const OTHERS: &str = r#"{"Sid":"Later","Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*"}"#;

async fn take_back(sandbox: &Sandbox, change: Option<&str>) -> Result<Undo, UndoError> {
    let request = UndoRequest {
        change,
        ..UndoRequest::default()
    };
    undo(sandbox, request, &invocation("undo", sandbox)).await
}

/// A repaired sandbox, the change's id, and the policy before.
async fn repaired(event: &str) -> (Sandbox, String, Option<String>) {
    let (sandbox, event) = scene_of_owner(event);
    let report = repair(&sandbox, &event).await;
    let change = &report.changes[0];
    (sandbox, change.id.clone().unwrap(), change.before.clone())
}

async fn recorded(sandbox: &Sandbox, id: &str) -> Change {
    let (change, _) = sandbox.ledger().unwrap().change(id).await.unwrap().unwrap();
    change
}

fn vault_policy(sandbox: &Sandbox, vault: &str) -> Option<String> {
    let vault: BackupVaultArn = vault.parse().unwrap();
    sandbox.with_world(|world| {
        let policy = world.vault(&vault).unwrap().policy.as_ref();
        policy.map(|policy| policy.as_str().to_owned())
    })
}

/// The policy, to which somebody else has added a statement.
fn with_others(policy: &str) -> String {
    let (head, tail) = policy.rsplit_once(']').unwrap();
    format!("{head},{OTHERS}]{tail}")
}

fn assert_only_others_are_left(sandbox: &Sandbox, resource: &str) {
    let left = vault_policy(sandbox, resource).unwrap();
    assert!(
        left.contains(OTHERS) && !left.contains("Copymend"),
        "{left}"
    );
}

fn put(sandbox: &Sandbox, vault: &str, policy: &str) {
    let vault: BackupVaultArn = vault.parse().unwrap();
    sandbox.with_world(|world| world.put_vault_policy(&vault, policy).unwrap());
}

#[tokio::test]
async fn an_undo_restores_the_policy_and_is_a_change_of_its_own() {
    for event in [
        "destination-vault-policy",
        "source-key-policy",
        "source-key-policy-rds",
    ] {
        let (sandbox, id, before) = repaired(event).await;
        let undone = take_back(&sandbox, Some(&id)).await.unwrap();
        let change = undone.change.unwrap();
        assert_same_policy(change.after.as_deref(), before.as_deref(), event);
        assert_eq!(change.undoes.as_deref(), Some(id.as_str()));
        let last = sandbox.writes().pop().unwrap();
        assert_eq!(
            last.after,
            change.after.clone().unwrap_or_default(),
            "{event}"
        );
        let ledger = sandbox.ledger().unwrap();
        let (_, state) = ledger.change(&id).await.unwrap().unwrap();
        assert_eq!(state, ChangeState::Undone);
        // The ledger takes none of them for one that somebody else removed.
        let history = ledger
            .policy_history(&change.resource, sandbox.clock().now())
            .await
            .unwrap();
        assert_eq!(history.sids, Vec::<String>::new());
        assert!(matches!(
            take_back(&sandbox, Some(&id)).await,
            Err(UndoError::AlreadyUndone(_))
        ));
        assert!(matches!(
            take_back(&sandbox, Some(&change.id)).await,
            Err(UndoError::IsUndo(_))
        ));
    }
}

#[tokio::test]
async fn the_last_change_is_taken_back_without_its_id() {
    let (sandbox, id, _) = repaired("destination-vault-policy").await;
    let undone = take_back(&sandbox, None).await.unwrap();
    assert_eq!(undone.undone.id, id);
}

#[tokio::test]
async fn what_others_wrote_since_stays() {
    let (sandbox, id, _) = repaired("destination-vault-policy").await;
    let resource = {
        let change = recorded(&sandbox, &id).await;
        change.resource
    };
    let ours = vault_policy(&sandbox, &resource).unwrap();
    let theirs = with_others(&ours);
    put(&sandbox, &resource, &theirs);
    take_back(&sandbox, Some(&id)).await.unwrap();
    assert_only_others_are_left(&sandbox, &resource);
}

#[tokio::test]
async fn a_statement_that_somebody_changed_is_left_alone() {
    let (sandbox, id, _) = repaired("destination-vault-policy").await;
    let change = recorded(&sandbox, &id).await;
    let changed = vault_policy(&sandbox, &change.resource)
        .unwrap()
        .replace("ArnEquals", "ArnLike");
    put(&sandbox, &change.resource, &changed);
    assert!(matches!(
        take_back(&sandbox, Some(&id)).await,
        Err(UndoError::Edit { .. })
    ));
    assert_eq!(vault_policy(&sandbox, &change.resource), Some(changed));
}

#[tokio::test]
async fn statements_that_are_gone_already_need_no_write() {
    let (sandbox, id, _) = repaired("destination-vault-policy-2").await;
    let change = recorded(&sandbox, &id).await;
    let foreign = format!(r#"{{"Version":"2012-10-17","Statement":[{OTHERS}]}}"#);
    put(&sandbox, &change.resource, &foreign);
    let writes = sandbox.writes().len();
    let undone = take_back(&sandbox, Some(&id)).await.unwrap();
    assert_eq!(undone.change, None);
    assert_eq!(sandbox.writes().len(), writes);
}

/// The policy is restored, and only the ledger's answer fails: asked for again, the undo records
/// what is done already, and a later repair isn't taken for a fight with whoever removed the
/// statement.
#[tokio::test]
async fn an_undo_that_was_not_recorded_is_recorded_by_the_next() {
    for event in ["destination-vault-policy", "source-key-policy"] {
        let (sandbox, id, before) = repaired(event).await;
        sandbox.fail("ledger:ConfirmChange", CallErrorKind::Throttled);
        let error = take_back(&sandbox, Some(&id)).await.unwrap_err();
        assert!(matches!(error, UndoError::NotRecorded { .. }), "{error}");
        let written = sandbox.writes().pop().unwrap().after;
        let written = Some(written.as_str()).filter(|text| !text.is_empty());
        assert_same_policy(written, before.as_deref(), event);
        sandbox.calls().mend("ledger:ConfirmChange");
        // Until then the policy of a key might only be read late.
        wait(&sandbox, 1).await;
        let writes = sandbox.writes().len();
        take_back(&sandbox, Some(&id)).await.unwrap();
        assert_eq!(sandbox.writes().len(), writes, "{event}");
        let ledger = sandbox.ledger().unwrap();
        let (change, state) = ledger.change(&id).await.unwrap().unwrap();
        assert_eq!(state, ChangeState::Undone);
        let now = sandbox.clock().now();
        let history = ledger.policy_history(&change.resource, now).await.unwrap();
        assert_eq!(history.sids, Vec::<String>::new());
        let admitted = ledger.admitted_at(&change.resource, &change.grantee).await;
        assert_eq!(admitted, Ok(None));
    }
}

/// Read, then recorded; only then somebody else writes. Nothing is put over it.
#[tokio::test]
async fn what_others_write_right_before_the_put_stays() {
    let (sandbox, id, _) = repaired("destination-vault-policy").await;
    let resource = sandbox.writes()[0].resource.clone();
    let ours = vault_policy(&sandbox, &resource).unwrap();
    let theirs = with_others(&ours);
    let vault: BackupVaultArn = resource.parse().unwrap();
    before_nth(
        &sandbox,
        "backup:GetBackupVaultAccessPolicy",
        2,
        move |world| {
            world.put_vault_policy(&vault, &theirs).unwrap();
        },
    );
    take_back(&sandbox, Some(&id)).await.unwrap();
    assert_only_others_are_left(&sandbox, &resource);
}

/// Two services use one key; what one of them needs doesn't go with the other's change.
#[tokio::test]
async fn the_change_of_one_service_takes_nothing_from_another() {
    let sandbox = sandbox_with_one_key();
    let mut ids = Vec::new();
    for event in ["source-key-policy", "source-key-policy-rds"] {
        let report = repair(&sandbox, &sample(event)).await;
        ids.push(report.changes[0].id.clone().unwrap());
    }
    let key = sandbox.writes()[0].resource.parse().unwrap();
    let of_key = || {
        sandbox.with_world(|world| {
            let policy = world.key(&key).unwrap().policy.as_ref();
            policy.unwrap().as_str().to_owned()
        })
    };
    let both = of_key();
    take_back(&sandbox, Some(&ids[0])).await.unwrap();
    let left = of_key();
    for purpose in ["Describe", "Use", "Grant"] {
        let (ec2, rds) = (
            format!("Copymend{purpose}444455556666Ec2"),
            format!("Copymend{purpose}444455556666Rds"),
        );
        assert!(both.contains(&ec2) && both.contains(&rds), "{both}");
        assert!(!left.contains(&ec2) && left.contains(&rds), "{left}");
    }
}

/// Read before it shows the repair, a key's policy looks as if the statements were gone. Recorded
/// as such, they would stay in force, and nobody would know whose they are.
#[tokio::test]
async fn an_undo_does_not_take_a_late_read_for_statements_that_are_gone() {
    let (sandbox, id, before) = repaired("source-key-policy").await;
    let change = recorded(&sandbox, &id).await;
    let key = change.resource.parse().unwrap();
    set_key_policy(&sandbox, &key, before.as_deref());
    let error = take_back(&sandbox, Some(&id)).await.unwrap_err();
    assert!(
        error.to_string().contains("try again in a minute"),
        "{error}"
    );
    set_key_policy(&sandbox, &key, change.after.as_deref());
    let undone = take_back(&sandbox, Some(&id)).await.unwrap();
    let after = undone.change.unwrap().after;
    assert_same_policy(after.as_deref(), before.as_deref(), "after a late read");
}

/// AWS takes no policy without a statement, and Copymend deletes none: people are told how. Once they
/// did, the undo is recorded.
#[tokio::test]
async fn a_policy_that_ours_is_the_last_of_is_not_deleted() {
    let (sandbox, id, _) = repaired("destination-vault-policy-2").await;
    let change = recorded(&sandbox, &id).await;
    let only_ours = format!(
        "{{ \"Version\": \"2012-10-17\", \"Statement\": [ {} ] }}",
        change.statements[0]
    );
    put(&sandbox, &change.resource, &only_ours);
    let writes = sandbox.writes().len();
    let error = take_back(&sandbox, Some(&id)).await.unwrap_err();
    assert!(matches!(error, UndoError::LastStatement(_)), "{error}");
    let vault: BackupVaultArn = change.resource.parse().unwrap();
    let command = format!(
        "`aws backup delete-backup-vault-access-policy --region {} --backup-vault-name {}` in account {}",
        vault.arn().region(),
        vault.name(),
        vault.arn().account()
    );
    assert!(error.to_string().contains(&command), "{error}");
    assert_eq!(vault_policy(&sandbox, &change.resource), Some(only_ours));
    assert_eq!(sandbox.writes().len(), writes);
    let ledger = sandbox.ledger().unwrap();
    let (_, state) = ledger.change(&id).await.unwrap().unwrap();
    assert_eq!(state, ChangeState::Written);
    sandbox.with_world(|world| world.vault_mut(&vault).unwrap().policy = None);
    assert_eq!(take_back(&sandbox, Some(&id)).await.unwrap().change, None);
    assert_eq!(sandbox.writes().len(), writes);
    let (_, state) = ledger.change(&id).await.unwrap().unwrap();
    assert_eq!(state, ChangeState::Undone);
}

/// Somebody else takes the last statement of theirs out right before the put.
#[tokio::test]
async fn a_policy_that_ours_becomes_the_last_of_is_not_put() {
    let (sandbox, id, _) = repaired("destination-vault-policy").await;
    let change = recorded(&sandbox, &id).await;
    let only_ours = format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        change.statements[0]
    );
    let (vault, text): (BackupVaultArn, _) = (change.resource.parse().unwrap(), only_ours.clone());
    let read = "backup:GetBackupVaultAccessPolicy";
    before_nth(&sandbox, read, 2, move |world| {
        world.put_vault_policy(&vault, &text).unwrap();
    });
    let error = take_back(&sandbox, Some(&id)).await.unwrap_err();
    assert!(matches!(error, UndoError::LastStatement(_)), "{error}");
    assert_eq!(vault_policy(&sandbox, &change.resource), Some(only_ours));
}

/// The statements may be in the policy or not: until the lease ends, nobody else writes it.
#[tokio::test]
async fn an_undo_keeps_its_lease_after_a_put_that_cannot_be_seen() {
    for (event, put) in [
        ("source-key-policy", "kms:PutKeyPolicy"),
        (
            "destination-vault-policy",
            "backup:PutBackupVaultAccessPolicy",
        ),
    ] {
        let (sandbox, id, _) = repaired(event).await;
        let resource = recorded(&sandbox, &id).await.resource;
        sandbox.fail(put, CallErrorKind::Timeout);
        take_back(&sandbox, Some(&id)).await.unwrap_err();
        let ledger = sandbox.ledger().unwrap();
        let now = sandbox.clock().now();
        let other = ledger.acquire_lease(&resource, "another", now, now).await;
        assert_eq!(other, Ok(None), "{event}");
        sandbox.calls().mend(put);
        wait(&sandbox, 2).await;
        take_back(&sandbox, Some(&id)).await.unwrap();
        let now = sandbox.clock().now();
        let other = ledger.acquire_lease(&resource, "another", now, now).await;
        assert!(other.unwrap().is_some(), "{event}");
    }
}

/// Nobody's role is deleted: people are told what AWS asks for first.
#[tokio::test]
async fn a_service_linked_role_is_not_deleted() {
    let sandbox = sandbox();
    let report = handle(
        &sandbox,
        with_role_creation(),
        &sample("service-linked-role"),
    )
    .await;
    let id = report.changes[0].id.clone().unwrap();
    let writes = sandbox.writes().len();
    let error = take_back(&sandbox, Some(&id)).await.unwrap_err();
    assert!(matches!(error, UndoError::ServiceLinkedRole(_)), "{error}");
    let words = error.to_string();
    for part in [
        "`aws iam delete-service-linked-role --role-name AWSServiceRoleForBackup`",
        "first all recovery points have to be deleted, then all vaults",
        "creates the role again",
    ] {
        assert!(words.contains(part), "{words}");
    }
    assert_eq!(sandbox.writes().len(), writes);
}

/// A change that was never put, while another one wrote the same statements: those are the other's.
#[tokio::test]
async fn an_intent_takes_nothing_from_the_change_that_was_written() {
    let (sandbox, id, _) = repaired("destination-vault-policy").await;
    let ledger = sandbox.ledger().unwrap();
    let (change, _) = ledger.change(&id).await.unwrap().unwrap();
    let intent = Change {
        id: "only-intended".to_owned(),
        ..change.clone()
    };
    ledger.intend_change(&intent, "nobody", None).await.unwrap();
    let written = vault_policy(&sandbox, &change.resource);
    assert!(matches!(
        take_back(&sandbox, Some("only-intended")).await,
        Err(UndoError::WrittenByAnother(_))
    ));
    assert_eq!(vault_policy(&sandbox, &change.resource), written);
    take_back(&sandbox, Some(&id)).await.unwrap();
}

#[tokio::test]
async fn unknown_changes_and_failing_calls_are_errors() {
    let sandbox = sandbox();
    assert!(matches!(
        take_back(&sandbox, None).await,
        Err(UndoError::NoChange)
    ));
    assert!(matches!(
        take_back(&sandbox, Some("nothing")).await,
        Err(UndoError::NoSuchChange(_))
    ));
    let (sandbox, id, _) = repaired("source-key-policy").await;
    sandbox.fail("kms:GetKeyPolicy", CallErrorKind::AccessDenied);
    let writes = sandbox.writes().len();
    assert!(matches!(
        take_back(&sandbox, Some(&id)).await,
        Err(UndoError::Call(_))
    ));
    assert_eq!(sandbox.writes().len(), writes);
}
