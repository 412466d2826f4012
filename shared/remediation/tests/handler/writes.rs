//! How a policy is written when others write too.

use copymend_diagnosis::KeyArn;
use copymend_remediation::ledger::{ChangeState, Ledger};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::Outcome;
use copymend_remediation::settings::Settings;
use copymend_sandbox::{PolicyText, Sandbox};

use crate::support::*;

/// The last write holds the other's statement and ours.
fn assert_both_are_there(sandbox: &Sandbox) {
    let after = policy_writes(sandbox).pop().unwrap().after;
    let is_there = |sid| after.contains(sid);
    assert!(
        is_there("Foreign") && is_there("CopymendCopyInto"),
        "{after}"
    );
}

const READ: &str = "backup:GetBackupVaultAccessPolicy";

#[tokio::test]
async fn a_write_that_is_refused_is_reported_and_not_recorded() {
    let sandbox = sandbox();
    sandbox.fail(
        "backup:PutBackupVaultAccessPolicy",
        CallErrorKind::AccessDenied,
    );
    let report = repair(&sandbox, &sample("destination-vault-policy")).await;
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.retried_job.is_none());
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn a_call_that_may_work_later_asks_for_another_delivery() {
    for kind in [
        CallErrorKind::Throttled,
        CallErrorKind::Timeout,
        CallErrorKind::Unavailable,
    ] {
        for operation in [
            "backup:DescribeCopyJob",
            "ledger:BeginJob",
            "ledger:AcquireLease",
            "backup:PutBackupVaultAccessPolicy",
        ] {
            let sandbox = sandbox();
            sandbox.fail(operation, kind);
            let event = sample("destination-vault-policy");
            let error = deliver("one", &sandbox, &event).await.unwrap_err();
            assert_eq!(error.error_type(), "CallFailed", "{operation} {kind:?}");
            assert_eq!(sandbox.writes(), []);
            sandbox.calls().mend(operation);
            let report = deliver("two", &sandbox, &event).await.unwrap();
            assert_eq!(report.outcome, Outcome::RepairedAndRetried);
        }
    }
}

#[tokio::test]
async fn a_message_that_was_not_sent_is_sent_by_the_next_delivery_and_the_policy_is_written_once() {
    let sandbox = sandbox();
    sandbox.fail("sns:Publish", CallErrorKind::Failed);
    let event = sample("destination-vault-policy");
    assert!(deliver("one", &sandbox, &event).await.is_err());
    sandbox.calls().mend("sns:Publish");
    deliver("two", &sandbox, &event).await.unwrap();
    assert_eq!(policy_writes(&sandbox).len(), 1);
    assert_eq!(sandbox.notifier().sent().len(), 1);
}

/// Someone else writes between our read and our put: their statement must not be lost.
#[tokio::test]
async fn a_statement_that_someone_else_adds_meanwhile_is_kept() {
    let (sandbox, event) = scene("destination-vault-policy-2");
    let vault = vault_of(&event);
    // The investigation reads the policy first; the second read is the one under the lease.
    before_nth(&sandbox, READ, 2, move |world| {
        world.put_vault_policy(&vault, FOREIGN).unwrap();
    });
    must_repair(&sandbox, &event).await;
    assert_both_are_there(&sandbox);
}

/// The policy is planned, asked about and recorded; only then somebody else writes. Nothing is put
/// over it.
#[tokio::test]
async fn a_statement_that_someone_else_adds_right_before_the_write_is_never_overwritten() {
    let (sandbox, event) = scene("destination-vault-policy-2");
    let vault = vault_of(&event);
    before_nth(&sandbox, READ, 3, move |world| {
        world.put_vault_policy(&vault, FOREIGN).unwrap();
    });
    must_repair(&sandbox, &event).await;
    let writes = policy_writes(&sandbox);
    assert_eq!(writes.len(), 1, "{writes:#?}");
    assert_eq!(writes[0].before.as_deref(), Some(FOREIGN));
    assert!(writes[0].after.contains("Foreign"));
}

#[tokio::test]
async fn a_ledger_that_cannot_tell_whose_retry_failed_asks_for_another_delivery() {
    let sandbox = sandbox();
    let two_steps = sandbox.event_for(TWO_STEPS).unwrap();
    let first = repair(&sandbox, &two_steps).await;
    let event = sandbox.event_for(&first.retried_job.unwrap()).unwrap();
    sandbox.fail("ledger:RetryOf", CallErrorKind::Throttled);
    deliver("first", &sandbox, &event).await.unwrap_err();
    sandbox.calls().mend("ledger:RetryOf");
    let report = deliver("second", &sandbox, &event).await.unwrap();
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
}

#[tokio::test]
async fn a_policy_that_is_replaced_before_the_read_back_is_read_and_written_again() {
    let (sandbox, event) = scene("destination-vault-policy-2");
    let vault = vault_of(&event);
    let hooked = sandbox.clone();
    let target = vault.clone();
    sandbox.before_next("backup:PutBackupVaultAccessPolicy", move |_| {
        hooked.before_next(READ, move |world| {
            world.put_vault_policy(&target, FOREIGN).unwrap();
        });
    });
    let report = must_repair(&sandbox, &event).await;
    let notes = report.notes.join("\n");
    assert!(notes.contains("someone else"), "{notes}");
    assert_both_are_there(&sandbox);
}

/// Somebody edits on top of what was just written: it is found at the read-back, our statement is
/// still there, and the ledger learns that it was written.
#[tokio::test]
async fn an_edit_right_after_the_write_leaves_ours_recorded() {
    let (sandbox, event) = scene("destination-vault-policy-2");
    let vault = vault_of(&event);
    let resource = vault.to_string();
    let hooked = sandbox.clone();
    sandbox.before_next("backup:PutBackupVaultAccessPolicy", move |_| {
        hooked.before_next(READ, move |world| {
            let ours = world.vault(&vault).unwrap().policy.as_ref().unwrap();
            let (head, tail) = ours.as_str().rsplit_once(']').unwrap();
            let later = r#"{"Sid":"Later","Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*"}"#;
            let both = format!("{head},{later}]{tail}");
            world.put_vault_policy(&vault, &both).unwrap();
        });
    });
    let report = must_repair(&sandbox, &event).await;
    assert_eq!(policy_writes(&sandbox).len(), 1);
    let ledger = sandbox.ledger().unwrap();
    let id = report.changes[0].id.as_deref().unwrap();
    let (_, state) = ledger.change(id).await.unwrap().unwrap();
    assert_eq!(state, ChangeState::Written);
    let now = sandbox.clock().now();
    let history = ledger.policy_history(&resource, now).await.unwrap();
    assert_eq!(history.sids, report.changes[0].added);
}

/// The put works, but the reads after it are late. It isn't put again from a text that may lack
/// what others wrote; people hear how things stand, and the next delivery sees it and goes on.
#[tokio::test]
async fn a_key_policy_that_is_read_late_is_not_put_again() {
    let (sandbox, event) = scene("source-key-policy");
    let planned = handle(&sandbox.clone().without_ledger(), observing(), &event).await;
    let key: KeyArn = planned.changes[0].resource.parse().unwrap();
    let before = PolicyText::new(planned.changes[0].before.clone().unwrap());
    let (hooked, late) = (sandbox.clone(), key.clone());
    sandbox.before_next("kms:PutKeyPolicy", move |_| {
        hooked.before_next("kms:GetKeyPolicy", move |world| {
            world.key_mut(&late).unwrap().policy = Some(before);
        });
    });
    let first = deliver("one", &sandbox, &event).await.unwrap();
    assert_eq!(first.outcome, Outcome::Failed, "{first:#?}");
    let [change] = &first.changes[..] else {
        panic!("{first:#?}");
    };
    assert!(!change.applied && change.id.is_some());
    let [written] = &policy_writes(&sandbox)[..] else {
        panic!("{:#?}", policy_writes(&sandbox));
    };
    set_key_policy(&sandbox, &key, Some(&written.after));
    let report = deliver("two", &sandbox, &event).await.unwrap();
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
    assert_eq!(policy_writes(&sandbox).len(), 1);
}

/// A policy that is read late lacks what another repair wrote a moment ago. Written anew from that,
/// it would lose it.
#[tokio::test]
async fn no_repair_starts_from_a_policy_that_lacks_a_recent_one() {
    let sandbox = sandbox_with_one_key();
    let first = repair(&sandbox, &sample("source-key-policy")).await;
    let change = &first.changes[0];
    let key: KeyArn = change.resource.parse().unwrap();
    let set = |text: &str| set_key_policy(&sandbox, &key, Some(text));
    set(change.before.as_deref().unwrap());
    let event = sample("source-key-policy-rds");
    let error = deliver("late", &sandbox, &event).await.unwrap_err();
    assert_eq!(error.error_type(), "CallFailed", "{error}");
    assert_eq!(policy_writes(&sandbox).len(), 1);
    set(&change.after);
    let second = deliver("in time", &sandbox, &event).await.unwrap();
    assert_eq!(second.outcome, Outcome::RepairedAndRetried);
    for sid in change.added.iter().chain(&second.changes[0].added) {
        assert!(second.changes[0].after.contains(sid), "{sid}");
    }
}

/// A policy that lacks our own statement because it is read late is read again, before anybody is
/// blamed for removing it.
#[tokio::test]
async fn a_late_read_is_no_removal() {
    let (sandbox, event) = scene("source-key-policy");
    let first = repair(&sandbox, &event).await;
    let change = first.changes[0].clone();
    let key: KeyArn = change.resource.parse().unwrap();
    set_key_policy(&sandbox, &key, change.before.as_deref());
    let event = copied_now(&sandbox, &event);
    // The investigation and the first look read late; the next read is in time.
    before_nth(&sandbox, "kms:GetKeyPolicy", 3, move |world| {
        world.key_mut(&key).unwrap().policy = Some(PolicyText::new(change.after));
    });
    let report = repair(&sandbox, &event).await;
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
    assert_eq!(policy_writes(&sandbox).len(), 1);
}

/// The owner allowed a part, and took it back later: the second change adds that part, and nothing
/// that the first one added.
#[tokio::test]
async fn a_change_records_what_it_adds_and_no_more() {
    let (sandbox, event) = scene("source-key-policy");
    let planned = handle(&sandbox, observing(), &event).await;
    let key: KeyArn = planned.changes[0].resource.parse().unwrap();
    let before = planned.changes[0].before.clone().unwrap();
    let (head, tail) = before.rsplit_once(']').unwrap();
    let describe = r#"{"Sid":"Ours to give","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"kms:DescribeKey","Resource":"*"}"#;
    let set = |text: &str| set_key_policy(&sandbox, &key, Some(text));
    set(&format!("{head},{describe}]{tail}"));
    let event = copied_again(&sandbox, &event, None);
    let first = repair(&sandbox, &event).await;
    assert_eq!(
        first.changes[0].added,
        ["CopymendUse444455556666Ec2", "CopymendGrant444455556666Ec2"]
    );
    set(&first.changes[0].after.replace(&format!("{describe},"), ""));
    let event = copied_now(&sandbox, &event);
    let report = repair(&sandbox, &event).await;
    assert_eq!(
        report.changes[0].added,
        ["CopymendDescribe444455556666Ec2"],
        "{report:#?}"
    );
}

/// What a key's policy admits through one service says nothing of another.
#[tokio::test]
async fn a_repair_for_one_service_is_none_for_another() {
    let sandbox = sandbox_with_one_key();
    for event in ["source-key-policy", "source-key-policy-rds"] {
        let report = must_repair(&sandbox, &sample(event)).await;
        assert_eq!(report.changes.len(), 1, "{event}: {:?}", report.notes);
    }
}

/// The second copy needs no repair, but no retry is left for it: then people have to be told what
/// to do.
#[tokio::test]
async fn a_copy_without_a_retry_left_comes_with_advice() {
    let (sandbox, event) = scene("destination-vault-policy");
    let settings = || Settings {
        retry_budget: 0,
        ..open_settings()
    };
    let second = copied_again(&sandbox, &event, None);
    let first = handle(&sandbox, settings(), &event).await;
    assert_eq!(first.outcome, Outcome::Repaired);
    let report = handle(&sandbox, settings(), &second).await;
    assert_eq!(report.outcome, Outcome::Advised, "{report:#?}");
    assert!(report.advice.is_some());
    assert_eq!(policy_writes(&sandbox).len(), 1);
}

/// Infrastructure as code took our statement out again: writing it back would be a fight.
#[tokio::test]
async fn a_statement_of_ours_that_someone_removed_is_not_written_again() {
    let (sandbox, event) = scene("destination-vault-policy");
    let vault = vault_of(&event);
    must_repair(&sandbox, &event).await;
    sandbox.with_world(|world| world.put_vault_policy(&vault, FOREIGN).unwrap());
    let next = copied_again(&sandbox, &event, None);
    let writes = policy_writes(&sandbox).len();
    let report = repair(&sandbox, &next).await;
    assert_eq!(
        failed_guards(&report),
        ["not-taken-back", "sid-not-removed"]
    );
    assert_eq!(report.outcome, Outcome::Refused);
    assert_eq!(policy_writes(&sandbox).len(), writes);
    // What was changed is told, whether something is written or not.
    let observed = copied_again(&sandbox, &event, None);
    let observed = handle(&sandbox, observing(), &observed).await;
    for report in [report, observed] {
        let told = |note: &String| {
            note.contains("since our last recorded change") && note.contains("removed `Copymend")
        };
        assert!(report.notes.iter().any(told), "{report:#?}");
    }
}

#[tokio::test]
async fn an_investigation_asks_each_thing_once() {
    let sandbox = sandbox();
    let settings = Settings::default();
    handle(&sandbox, settings, &sample("source-key-policy")).await;
    let mut asked = std::collections::BTreeMap::new();
    for call in sandbox.calls().begun() {
        *asked.entry((call.operation, call.resource)).or_insert(0) += 1;
    }
    assert!(asked.len() > 15, "{asked:?}");
    for ((operation, resource), count) in asked {
        // One simulation for each of the two actions of a copy.
        let most = if operation == "iam:SimulatePrincipalPolicy" {
            2
        } else {
            1
        };
        assert!(count <= most, "{operation} on {resource}: {count} times");
    }
}
