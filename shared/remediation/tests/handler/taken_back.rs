//! What was taken back, by an undo or by hand, is not written again, whatever asks for it.

use copymend_policy::{KeyProfile, VaultScope};
use copymend_remediation::ledger::{Again, Ledger};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Deployment, Mode, Settings};
use copymend_remediation::undo::UndoError;
use copymend_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::support::*;

/// A repaired sandbox, its event and the change's id.
async fn repaired(name: &str, settings: Settings) -> (Sandbox, Value, String) {
    let (sandbox, event) = scene_of_owner(name);
    let report = handle(&sandbox, settings, &event).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
    (sandbox, event, report.changes[0].id.clone().unwrap())
}

fn assert_refused(report: &Report, guards: &[&str]) {
    assert_eq!(failed_guards(report), guards, "{report:#?}");
    assert_eq!(report.outcome, Outcome::Refused);
    assert_eq!(report.changes, []);
    // The plan is shown all the same.
    assert_eq!(report.refused_changes.len(), 1);
}

#[tokio::test]
async fn an_undone_change_is_made_again_by_no_event() {
    for name in ["destination-vault-policy", "source-key-policy"] {
        let (sandbox, event, id) = repaired(name, open_settings()).await;
        take_back(&sandbox, &id, Again::Refused).await.unwrap();
        let writes = sandbox.writes().len();

        let again = repair(&sandbox, &event).await;
        assert_eq!(again.outcome, Outcome::AlreadyHandled);

        let next = copied_again(&sandbox, &event, None);
        let report = repair(&sandbox, &next).await;
        assert_refused(&report, &["not-taken-back"]);
        let guards = report.guards.iter();
        let named = guards.filter(|guard| guard.guard.name() == "not-taken-back");
        let [guard] = named.collect::<Vec<_>>()[..] else {
            panic!("{:#?}", report.guards);
        };
        assert!(guard.detail.contains(&id), "{}", guard.detail);
        assert_eq!(sandbox.writes().len(), writes, "{name}");

        let next = copied_again(&sandbox, &event, None);
        let report = handle(&sandbox, observing(), &next).await;
        assert_eq!(failed_guards(&report), ["mode", "not-taken-back"]);
    }
}

/// The first delivery died after the put, so its event is delivered again after the undo, and its
/// job knows its change.
#[tokio::test]
async fn a_redelivery_that_knows_its_change_does_not_go_on_after_the_undo() {
    for name in ["destination-vault-policy", "source-key-policy"] {
        let (sandbox, event) = scene_of_owner(name);
        sandbox.fail("backup:StartCopyJob", CallErrorKind::Throttled);
        deliver("first", &sandbox, &event).await.unwrap_err();
        sandbox.calls().mend("backup:StartCopyJob");
        let ledger = sandbox.ledger().unwrap();
        let id = ledger.last_change().await.unwrap().unwrap();
        take_back(&sandbox, &id, Again::Refused).await.unwrap();
        let writes = sandbox.writes().len();

        let report = deliver("second", &sandbox, &event).await.unwrap();
        assert_refused(&report, &["not-taken-back"]);
        assert_eq!(sandbox.writes().len(), writes, "{name}");
    }
}

#[tokio::test]
async fn an_undo_refuses_its_grantee_and_no_other_role() {
    let (sandbox, event, id) = repaired("destination-vault-policy", open_settings()).await;
    take_back(&sandbox, &id, Again::Refused).await.unwrap();
    let other = copied_again(&sandbox, &event, Some(OTHER_ROLE));
    must_repair(&sandbox, &other).await;
}

/// A statement for the whole account or organization would admit the refused role with the rest.
#[tokio::test]
async fn a_wider_statement_does_not_let_a_refused_grantee_in() {
    let (sandbox, event, id) = repaired("destination-vault-policy", open_settings()).await;
    take_back(&sandbox, &id, Again::Refused).await.unwrap();
    for vault_scope in [VaultScope::Account, VaultScope::Organization] {
        let settings = Settings {
            vault_scope,
            ..open_settings()
        };
        let next = copied_again(&sandbox, &event, Some(OTHER_ROLE));
        let report = handle(&sandbox, settings, &next).await;
        assert_refused(&report, &["not-taken-back"]);
    }
    let (sandbox, event, id) = repaired("source-key-policy", open_settings()).await;
    take_back(&sandbox, &id, Again::Refused).await.unwrap();
    let settings = Settings {
        key_profile: KeyProfile::Documented,
        ..open_settings()
    };
    let next = copied_again(&sandbox, &event, None);
    let report = handle(&sandbox, settings, &next).await;
    assert_refused(&report, &["not-taken-back"]);
}

#[tokio::test]
async fn what_may_be_admitted_again_is_repaired_again() {
    // At the undo.
    let (sandbox, event, id) = repaired("destination-vault-policy", open_settings()).await;
    let undone = take_back(&sandbox, &id, Again::Allowed).await.unwrap();
    assert_eq!((undone.again, undone.lifted), (Again::Allowed, Vec::new()));
    assert!(undone.change.unwrap().allows_again);
    let next = copied_again(&sandbox, &event, None);
    let report = must_repair(&sandbox, &next).await;

    // Later.
    let id = report.changes[0].id.clone().unwrap();
    let undone = take_back(&sandbox, &id, Again::Refused).await.unwrap();
    let undo = undone.change.unwrap();
    assert_eq!(undo.made_by.as_deref(), Some(SOMEBODY));
    assert!(matches!(
        take_back(&sandbox, &id, Again::Refused).await,
        Err(UndoError::AlreadyUndone(_))
    ));
    let writes = sandbox.writes().len();
    let lifted = take_back(&sandbox, &id, Again::Allowed).await.unwrap();
    assert_eq!(lifted.change, None);
    assert_eq!(lifted.lifted.len(), 1);
    assert_eq!(sandbox.writes().len(), writes);
    let on_record = sandbox.ledger().unwrap().lifted(&undo.resource);
    let now = sandbox.clock().now();
    let by = Some(SOMEBODY.to_owned());
    assert_eq!(on_record, [(lifted.lifted[0].clone(), now, by)]);
    let next = copied_again(&sandbox, &event, None);
    must_repair(&sandbox, &next).await;
}

/// The vault's policy without any statement of ours, as somebody put it.
fn remove_by_hand(sandbox: &Sandbox, event: &Value) {
    sandbox.with_world(|world| world.put_vault_policy(&vault_of(event), FOREIGN).unwrap());
}

#[tokio::test]
async fn a_removal_by_hand_refuses_every_role_of_the_account() {
    let (sandbox, event, id) = repaired("destination-vault-policy", open_settings()).await;
    remove_by_hand(&sandbox, &event);
    let writes = policy_writes(&sandbox).len();
    let next = copied_again(&sandbox, &event, Some(OTHER_ROLE));
    let report = repair(&sandbox, &next).await;
    assert_refused(&report, &["not-taken-back"]);
    let next = copied_again(&sandbox, &event, None);
    let report = repair(&sandbox, &next).await;
    assert_refused(&report, &["not-taken-back", "sid-not-removed"]);
    assert_eq!(policy_writes(&sandbox).len(), writes);

    // Somebody settles it: what is gone is taken back, and its grantee may be admitted again.
    take_back(&sandbox, &id, Again::Allowed).await.unwrap();
    let next = copied_again(&sandbox, &event, Some(OTHER_ROLE));
    must_repair(&sandbox, &next).await;
}

/// Somebody says the same with a statement of their own: nobody was taken back anything.
#[tokio::test]
async fn a_statement_that_somebody_said_otherwise_takes_nothing_back() {
    let (sandbox, event, _) = repaired("destination-vault-policy", open_settings()).await;
    edit_ours_of_vault(&sandbox, &event, |statement| {
        statement["Sid"] = json!("OurOwn");
    });
    let next = copied_again(&sandbox, &event, Some(OTHER_ROLE));
    must_repair(&sandbox, &next).await;
}

/// Somebody narrows our statement and leaves its Sid: its grantee isn't admitted any more, and that
/// counts.
#[tokio::test]
async fn a_statement_that_somebody_narrowed_refuses_every_role_of_the_account() {
    let (sandbox, event, _) = repaired("destination-vault-policy", open_settings()).await;
    edit_ours_of_vault(&sandbox, &event, |statement| {
        statement["Condition"] = json!({ "StringEquals": { "aws:PrincipalArn": "arn:aws:iam::111122223333:role/Nobody" } });
    });
    let writes = policy_writes(&sandbox).len();
    // For the role itself not even a statement can be planned: its Sid is taken.
    for (role, guard) in [
        (Some(OTHER_ROLE), "not-taken-back"),
        (None, "statement-fits"),
    ] {
        let next = copied_again(&sandbox, &event, role);
        let report = repair(&sandbox, &next).await;
        assert_eq!(report.outcome, Outcome::Refused);
        assert_eq!(failed_guards(&report), [guard]);
        assert_eq!(policy_writes(&sandbox).len(), writes);
    }
}

/// The service-linked role that somebody deleted isn't created again.
#[tokio::test]
async fn a_service_linked_role_that_somebody_deleted_is_not_created_again() {
    let settings = with_role_creation();
    let (sandbox, event, _) = repaired("service-linked-role", settings.clone()).await;
    let account = vault_of(&event).account_id().unwrap();
    let delete = || {
        sandbox.with_world(|world| {
            world.account_mut(account).unwrap().service_linked_role = false;
        });
    };
    wait(&sandbox, 60).await;
    delete();
    let writes = sandbox.writes().len();
    for mode in [Mode::Repair, Mode::Observe] {
        let settings = Settings {
            mode,
            ..settings.clone()
        };
        let next = copied_again(&sandbox, &event, None);
        let report = handle(&sandbox, settings, &next).await;
        assert_eq!(report.outcome, Outcome::Refused, "{report:#?}");
        assert_fails(&report, "not-taken-back");
        assert_eq!(sandbox.writes().len(), writes);
    }
}

/// One key, two services: what admitted the first was removed by hand, so the second is for the
/// key's owner too.
#[tokio::test]
async fn a_removal_by_hand_from_a_key_refuses_every_service_of_the_account() {
    let sandbox = sandbox_with_one_key();
    let first = repair(&sandbox, &sample("source-key-policy")).await;
    let change = &first.changes[0];
    let (before, key) = (change.before.clone().unwrap(), change.resource.clone());
    // A key's policy may be read late for a while.
    wait(&sandbox, 2).await;
    set_key_policy(&sandbox, &key.parse().unwrap(), Some(&before));
    let writes = policy_writes(&sandbox).len();
    let other = sample("source-key-policy-rds");
    let report = repair(&sandbox, &other).await;
    assert_refused(&report, &["not-taken-back"]);
    assert_eq!(policy_writes(&sandbox).len(), writes);
}

/// A history that can't be read is no history without refusals.
#[tokio::test]
async fn refusals_that_cannot_be_read_refuse() {
    let sandbox = sandbox();
    sandbox.fail("ledger:PolicyHistory", CallErrorKind::Unreadable);
    let event = sample("destination-vault-policy");
    let report = repair(&sandbox, &event).await;
    assert_eq!(
        failed_guards(&report),
        ["not-taken-back", "sid-not-removed", "write-budget"]
    );
    assert_eq!(sandbox.writes(), []);
}

/// A change keeps what it was decided on, and an undo who asked for it.
#[tokio::test]
async fn a_change_keeps_what_it_was_decided_on() {
    let settings = Settings {
        deployment: Deployment {
            external_id: Some("only-for-the-function".to_owned()),
            ..Deployment::default()
        },
        ..open_settings()
    };
    let (sandbox, event) = scene("destination-vault-policy");
    let report = handle(&sandbox, settings.clone(), &event).await;
    let id = report.changes[0].id.clone().unwrap();
    let (change, _) = sandbox
        .ledger()
        .unwrap()
        .change(&id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(change.account.as_deref(), Some("111122223333"));
    assert_eq!(change.grounds.settings_hash, Some(settings.hash()));
    assert_eq!(change.grounds.settings["COPYMEND_MODE"], "repair");
    assert!(change.grounds.program_version.is_some());
    let text = serde_json::to_string(&change).unwrap();
    assert!(!text.contains("only-for-the-function"), "{text}");
}
