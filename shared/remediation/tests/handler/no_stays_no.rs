//! What somebody took back, narrowed or deleted is not granted again, whatever way a copy comes.

use copymend_policy::VaultScope;
use copymend_remediation::ledger::{Again, Change, Grounds, Ledger};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::Outcome;
use copymend_remediation::settings::Settings;
use copymend_remediation::undo::UndoError;
use copymend_sandbox::PolicyText;
use jiff::SignedDuration;
use serde_json::json;

use crate::support::*;

/// What AWS's read may be late by is ten minutes. A person who deletes the role after five said no,
/// too.
#[tokio::test]
async fn a_service_linked_role_deleted_within_ten_minutes_is_not_made_again() {
    let (sandbox, event) = scene("service-linked-role");
    let report = handle(&sandbox, with_role_creation(), &event).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
    wait(&sandbox, 5).await;
    let account = vault_of(&event).account_id().unwrap();
    sandbox.with_world(|world| world.account_mut(account).unwrap().service_linked_role = false);
    let writes = sandbox.writes().len();
    let next = copied_again(&sandbox, &event, None);
    let report = handle(&sandbox, with_role_creation(), &next).await;
    assert_eq!(
        sandbox.writes().len(),
        writes,
        "{:?}: made again",
        report.outcome
    );
}

/// A record of the version before has Sids without grantee's account. Its statement is removed by
/// hand.
#[tokio::test]
async fn a_statement_of_an_older_version_that_was_removed_counts_as_taken_back() {
    let (sandbox, event) = scene("destination-vault-policy");
    let ledger = sandbox.ledger().unwrap();
    let change = Change {
        id: "old-1".to_owned(),
        resource: vault_of(&event).to_string(),
        grantee: "arn:aws:iam::111122223333:role/BackupRole".to_owned(),
        account: None,
        before: None,
        after: None,
        statements: Vec::new(),
        at: sandbox.clock().now() - SignedDuration::from_hours(48),
        copy_job_id: "old".to_owned(),
        undoes: None,
        allows_again: false,
        made_by: None,
        grounds: Grounds::default(),
    };
    ledger.intend_change(&change, "nobody", None).await.unwrap();
    ledger
        .confirm_change(&change, &["CopymendOldStatement".to_owned()], None)
        .await
        .unwrap();
    // The policy doesn't hold CopymendOldStatement: somebody removed it. Another role of that
    // account asks.
    let report = repair(&sandbox, &copied_again(&sandbox, &event, Some(OTHER_ROLE))).await;
    assert_eq!(policy_writes(&sandbox), [], "{:?}", report.outcome);
}

/// Somebody narrows ours with a condition on the caller's tags, which can't be known from here.
#[tokio::test]
async fn a_statement_narrowed_by_what_cannot_be_known_refuses_the_account() {
    let (sandbox, event) = scene("destination-vault-policy");
    repair(&sandbox, &event).await;
    edit_ours_of_vault(&sandbox, &event, |statement| {
        statement["Condition"]["StringEquals"]["aws:PrincipalTag/team"] = json!("nobody");
    });
    let writes = policy_writes(&sandbox).len();
    let report = repair(&sandbox, &copied_again(&sandbox, &event, Some(OTHER_ROLE))).await;
    assert_eq!(
        policy_writes(&sandbox).len(),
        writes,
        "{:?}",
        report.outcome
    );
}

/// The statement for the whole account is narrowed to nobody, its Sid left. Then the scope becomes
/// `role`.
#[tokio::test]
async fn an_account_statement_narrowed_by_hand_refuses_its_roles_too() {
    for scope in [VaultScope::Account, VaultScope::Organization] {
        let (sandbox, event) = scene("destination-vault-policy");
        let wide = Settings {
            vault_scope: scope,
            ..open_settings()
        };
        let report = handle(&sandbox, wide, &event).await;
        assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
        edit_ours_of_vault(&sandbox, &event, |statement| {
            statement["Condition"]["StringEquals"]["aws:PrincipalArn"] =
                json!("arn:aws:iam::111122223333:role/Nobody");
        });
        let writes = policy_writes(&sandbox).len();
        let report = repair(&sandbox, &copied_again(&sandbox, &event, None)).await;
        assert_eq!(
            policy_writes(&sandbox).len(),
            writes,
            "{scope}: {:?}",
            report.outcome
        );
    }
}

/// The key's owner narrows what admitted one service, its Sid left: the destination account was
/// taken back from.
#[tokio::test]
async fn a_key_statement_narrowed_by_hand_refuses_the_account_s_other_services() {
    let sandbox = sandbox_with_one_key();
    let report = must_repair(&sandbox, &sample("source-key-policy")).await;
    wait(&sandbox, 2).await;
    let key = report.changes[0].resource.parse().unwrap();
    sandbox.with_world(|world| {
        let key = world.key_mut(&key).unwrap();
        let edited = with_ours_edited(key.policy.as_ref().unwrap().as_str(), |statement| {
            statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] = json!("999999999999");
        });
        key.policy = Some(PolicyText::new(edited));
    });
    let writes = policy_writes(&sandbox).len();
    let report = repair(&sandbox, &sample("source-key-policy-rds")).await;
    assert_eq!(
        policy_writes(&sandbox).len(),
        writes,
        "{:?} {:?}",
        report.outcome,
        report.changes.iter().map(|c| &c.added).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn no_undo_of_an_undo_and_no_event_brings_back_what_was_undone() {
    for name in ["destination-vault-policy", "source-key-policy"] {
        let (sandbox, event) = scene_of_owner(name);
        let twin = copied_again(&sandbox, &event, None);
        let id = repaired(&sandbox, &event).await;
        wait(&sandbox, 2).await;
        let done = take_back(&sandbox, &id, Again::Refused).await.unwrap();
        let undo_id = done.change.unwrap().id;
        for again in [Again::Refused, Again::Allowed] {
            assert!(matches!(
                take_back(&sandbox, &undo_id, again).await,
                Err(UndoError::IsUndo(_))
            ));
        }
        let writes = sandbox.writes().len();
        wait(&sandbox, 2).await;
        let report = repair(&sandbox, &twin).await;
        assert_eq!(sandbox.writes().len(), writes, "{name}: {report:#?}");
        for vault_scope in [
            VaultScope::Role,
            VaultScope::Account,
            VaultScope::Organization,
        ] {
            let settings = Settings {
                vault_scope,
                ..open_settings()
            };
            let report = handle(&sandbox, settings, &copied_again(&sandbox, &event, None)).await;
            assert_eq!(report.outcome, Outcome::Refused, "{name} {vault_scope}");
        }
        assert_eq!(sandbox.writes().len(), writes, "{name}");
        // Lifted once, and only by a person.
        take_back(&sandbox, &id, Again::Allowed).await.unwrap();
        let report = repair(&sandbox, &copied_again(&sandbox, &event, None)).await;
        assert_eq!(
            report.outcome,
            Outcome::RepairedAndRetried,
            "{name}: {report:#?}"
        );
        // And undone again, it is refused again.
        wait(&sandbox, 2).await;
        let id = report.changes[0].id.clone().unwrap();
        take_back(&sandbox, &id, Again::Refused).await.unwrap();
        wait(&sandbox, 2).await;
        let report = repair(&sandbox, &copied_again(&sandbox, &event, None)).await;
        assert_eq!(failed_guards(&report), ["not-taken-back"], "{name}");
    }
}

/// An undo refuses a grantee and no other role, whatever the roles' paths are called.
#[tokio::test]
async fn an_undo_of_a_role_in_a_path_named_documented_refuses_no_other_role() {
    let (sandbox, event) = scene_of_owner("destination-vault-policy");
    sandbox.with_world(|world| {
        let account = world.account_mut("111122223333".parse().unwrap()).unwrap();
        let role = account.roles.get("BackupRole").unwrap().clone();
        for name in ["One", "Two"] {
            let mut role = role.clone();
            role.path = "/documented/".to_owned();
            account.roles.insert(name.to_owned(), role);
        }
    });
    let [one, two] = ["One", "Two"].map(|name| {
        let role = format!("arn:aws:iam::111122223333:role/documented/{name}");
        copied_again(&sandbox, &event, Some(&role))
    });
    let report = must_repair(&sandbox, &one).await;
    let id = report.changes[0].id.as_ref().unwrap();
    take_back(&sandbox, id, Again::Refused).await.unwrap();
    let report = repair(&sandbox, &two).await;
    assert_eq!(
        report.outcome,
        Outcome::RepairedAndRetried,
        "{:?}",
        report.guards.iter().find(|g| !g.passed)
    );
}

/// What the guard tells people to do about a narrowed statement must work.
#[tokio::test]
async fn a_narrowed_statement_can_be_settled_as_the_guard_says() {
    let (sandbox, event) = scene("destination-vault-policy");
    let id = repaired(&sandbox, &event).await;
    edit_ours_of_vault(&sandbox, &event, |statement| {
        statement["Condition"]["ArnEquals"]["aws:PrincipalArn"] =
            json!("arn:aws:iam::111122223333:role/Nobody");
    });
    let other = copied_again(&sandbox, &event, Some(OTHER_ROLE));
    let report = repair(&sandbox, &other).await;
    let guard = report
        .guards
        .iter()
        .find(|guard| guard.guard.name() == "not-taken-back")
        .unwrap();
    assert!(
        !guard.passed && guard.detail.contains("undo --allow-again"),
        "{guard:?}"
    );
    assert!(
        guard.detail.contains("the statement is deleted"),
        "{guard:?}"
    );
    remove_vault_policy(&sandbox, &event);
    take_back(&sandbox, &id, Again::Allowed).await.unwrap();
    let next = copied_again(&sandbox, &event, Some(OTHER_ROLE));
    must_repair(&sandbox, &next).await;
}

/// Removed by hand while the retry chain of an old grantee goes on: nothing is written, and people
/// hear why.
#[tokio::test]
async fn a_key_statement_removed_by_hand_is_not_written_by_a_late_twin_s_retry() {
    let (sandbox, event) = scene("source-key-policy");
    let twin = copied_again(&sandbox, &event, None);
    let key = key_of(&sandbox, &event);
    let before = sandbox.with_world(|world| world.key(&key).unwrap().policy.clone());
    repair(&sandbox, &event).await;
    wait(&sandbox, 2).await;
    sandbox.with_world(|world| world.key_mut(&key).unwrap().policy = before);
    let (writes, sent) = (policy_writes(&sandbox).len(), told(&sandbox));
    let report = repair(&sandbox, &twin).await;
    let retried = sandbox.event_for(&report.retried_job.unwrap()).unwrap();
    let report = repair(&sandbox, &retried).await;
    assert_fails(&report, "not-taken-back");
    assert_eq!(
        (policy_writes(&sandbox).len(), told(&sandbox)),
        (writes, sent + 1)
    );
}
