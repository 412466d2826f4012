//! People hear of every grant, of every copy that stays failed, and of settings that changed.

use copymend_remediation::ports::{CallErrorKind, Reads};
use copymend_remediation::report::Outcome;
use copymend_remediation::settings::{Mode, Settings};
use copymend_sandbox::Sandbox;
use serde_json::json;

use crate::support::*;

/// Repaired, retried, recovered (the incident is closed). Then the event of a copy that had failed
/// before the repair arrives, and a guard keeps it from being started again. Somebody must hear:
/// the copy stays failed.
async fn late_twin_that_is_refused(
    name: &str,
    settings: Settings,
    prepare: impl AsyncFnOnce(&Sandbox),
) {
    let (sandbox, event) = scene(name);
    let twin = copied_again(&sandbox, &event, None);
    let report = must_repair(&sandbox, &event).await;
    let recovered = sandbox.event_for(&report.retried_job.unwrap()).unwrap();
    assert_eq!(
        repair(&sandbox, &recovered).await.outcome,
        Outcome::Recovered
    );
    // So that the notice of changed settings doesn't hide what is looked at.
    sandbox.fail("ledger:ClaimSettingsNotice", CallErrorKind::AccessDenied);
    prepare(&sandbox).await;
    let before = told(&sandbox);
    let report = handle_as("twin", &sandbox, settings, &twin).await.unwrap();
    assert_eq!(report.retried_job, None, "{report:#?}");
    assert!(!failed_guards(&report).is_empty() || report.outcome == Outcome::Advised);
    assert_eq!(
        told(&sandbox),
        before + 1,
        "{name}: nobody hears of a failed copy that nobody starts again: {:?} {:?}",
        report.outcome,
        report.guards
    );
}

#[tokio::test]
async fn silent_late_copy_whose_source_is_no_longer_listed() {
    late_twin_that_is_refused(
        "destination-vault-policy",
        only(&["777788889999"]),
        async |_| {},
    )
    .await;
}

#[tokio::test]
async fn silent_late_copy_while_paused() {
    late_twin_that_is_refused(
        "destination-vault-policy",
        open_settings(),
        async |sandbox| pause(sandbox, None).await,
    )
    .await;
}

#[tokio::test]
async fn silent_late_copy_whose_budget_is_used_up() {
    let settings = Settings {
        retry_budget: 1,
        ..open_settings()
    };
    late_twin_that_is_refused("destination-vault-policy", settings, async |_| {}).await;
}

#[tokio::test]
async fn silent_late_copy_of_a_key_whose_source_is_no_longer_listed() {
    late_twin_that_is_refused(
        "source-key-policy",
        only(&["777788889999"]),
        async |sandbox| wait(sandbox, 2).await,
    )
    .await;
}

/// The first delivery only started the copy again, since somebody else's statement admitted it
/// meanwhile, which the ledger couldn't record; it was told and died before the job's entry was
/// closed. Redelivered, it writes: that is an applied change, and must be told.
#[tokio::test]
async fn an_applied_change_of_a_redelivery_is_told() {
    let (sandbox, event) = scene("destination-vault-policy");
    let vault = vault_of(&event);
    let open = json!({"Version":"2012-10-17","Statement":[{"Sid":"Temporary","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"backup:CopyIntoBackupVault","Resource":"*"}]});
    let to_open = vault.clone();
    // After the facts' own read of the policy, before the one under the lease.
    sandbox.before_next("iam:SimulatePrincipalPolicy", move |world| {
        world.put_vault_policy(&to_open, &open.to_string()).unwrap();
    });
    let unanswered = ["ledger:RecordRetriedJob", "ledger:FinishJob"];
    for call in unanswered {
        sandbox.fail(call, CallErrorKind::AccessDenied);
    }
    let first = deliver("first", &sandbox, &event).await.unwrap();
    assert_eq!(first.outcome, Outcome::Retried, "{first:#?}");
    assert_eq!(told(&sandbox), 1);
    for call in unanswered {
        sandbox.calls().mend(call);
    }
    wait(&sandbox, 10).await;
    remove_vault_policy(&sandbox, &event);
    let second = deliver("second", &sandbox, &event).await.unwrap();
    assert!(
        second.changes.iter().any(|change| change.applied),
        "{second:#?}"
    );
    assert_eq!(
        told(&sandbox),
        2,
        "an applied change nobody hears of: {:?}",
        second.notes
    );
}

#[tokio::test]
async fn each_grantee_s_grant_is_told_and_a_redelivery_tells_nothing_twice() {
    let (sandbox, event) = scene("destination-vault-policy");
    let first = copied_again(&sandbox, &event, None);
    let second = copied_again(&sandbox, &event, Some(OTHER_ROLE));
    let third = copied_again(&sandbox, &event, None);
    for (number, event) in [&first, &second].into_iter().enumerate() {
        must_repair(&sandbox, event).await;
        assert_eq!(told(&sandbox), number + 1);
        repair(&sandbox, event).await;
        assert_eq!(told(&sandbox), number + 1);
    }
    let report = repair(&sandbox, &third).await;
    assert_eq!((report.outcome, told(&sandbox)), (Outcome::Retried, 2));
    assert_eq!(policy_writes(&sandbox).len(), 2);
}

/// The role was made, then IAM's read-back is denied: still a change that was applied, for the
/// record and for people.
#[tokio::test]
async fn a_role_that_was_made_is_a_change_although_its_read_back_fails() {
    let (sandbox, event) = scene("service-linked-role");
    let reads = {
        let probe = crate::support::sandbox();
        let observe = Settings {
            mode: Mode::Observe,
            ..with_role_creation()
        };
        handle(&probe, observe, &event).await;
        probe.calls().count("iam:GetRole")
    };
    sandbox
        .calls()
        .fail_call("iam:GetRole", reads + 1, CallErrorKind::AccessDenied);
    let report = handle(&sandbox, with_role_creation(), &event).await;
    let made = sandbox
        .writes()
        .iter()
        .any(|write| write.operation == "iam:CreateServiceLinkedRole");
    assert!(made, "{report:#?}");
    assert!(
        !report.changes.is_empty(),
        "the role was made, and the report names no change: {:?} {:?}",
        report.outcome,
        report.notes
    );
}

/// Another invocation held the notice and died. Under the changed settings a grant is given, and
/// then they are put back.
#[tokio::test]
async fn settings_that_were_in_force_for_a_grant_are_told_although_they_were_put_back() {
    let sandbox = sandbox();
    let narrow = only(&["777788889999"]);
    handle(&sandbox, narrow.clone(), &sample("service-fault")).await;
    // The notice is claimed, and the delivery doesn't come to its end.
    sandbox
        .calls()
        .fail_call("sns:Publish", 1, CallErrorKind::Throttled);
    deliver("dies", &sandbox, &sample("unknown"))
        .await
        .unwrap_err();
    let report = deliver("grants", &sandbox, &sample("destination-vault-policy"))
        .await
        .unwrap();
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
    handle_as("back", &sandbox, narrow, &sample("source-key-policy"))
        .await
        .unwrap();
    let is_told = sandbox.notifier().sent().iter().any(|sent| {
        sent.report
            .notes
            .iter()
            .any(|note| note.contains("the settings changed"))
    });
    assert!(
        is_told,
        "nobody heard that the list of sources was open while a grant was given"
    );
}

/// An unverified event must not use up the notice unheard.
#[tokio::test]
async fn an_unverified_event_does_not_use_up_the_notice() {
    let sandbox = sandbox();
    let observe = observing();
    handle(&sandbox, observe, &sample("service-fault")).await;
    for number in 0..3 {
        let mut forged = sample("destination-vault-policy");
        forged["detail"]["copyJobId"] =
            json!(format!("00000000-0000-0000-0000-00000000000{number}"));
        repair(&sandbox, &forged).await;
    }
    let count = sandbox
        .notifier()
        .sent()
        .iter()
        .filter(|sent| {
            sent.report
                .notes
                .iter()
                .any(|note| note.contains("the settings changed"))
        })
        .count();
    assert_eq!(count, 1);
}

/// A pause that is over in the past stops nothing; one that ends during the event still stops what
/// was asked before.
#[tokio::test]
async fn a_pause_until_a_time_in_the_past_stops_nothing() {
    let sandbox = sandbox();
    pause(&sandbox, Some(-1)).await;
    must_repair(&sandbox, &sample("destination-vault-policy")).await;
}

/// A copy that another copy's repair admits, and that can't be started again: people read the whole
/// of it.
#[tokio::test]
async fn an_admitted_copy_that_is_not_started_again_is_investigated_after_all() {
    for name in ["destination-vault-policy", "source-key-policy"] {
        let (sandbox, event) = scene(name);
        let twin = copied_again(&sandbox, &event, None);
        must_repair(&sandbox, &event).await;
        sandbox.fail("backup:StartCopyJob", CallErrorKind::AccessDenied);
        let report = repair(&sandbox, &twin).await;
        assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
        assert!(report.advice.is_some(), "{name}");
        assert!(
            report
                .diagnosis
                .candidates
                .iter()
                .any(|candidate| !candidate.evidence.is_empty()),
            "{name}: the facts were not read"
        );
        assert_eq!(sandbox.notifier().sent().len(), 2, "{name}");
    }
}
