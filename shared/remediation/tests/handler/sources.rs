//! Whose copies may lead to a grant or a retry: what an attacker who may start copies in some
//! account can't get.

use copymend_policy::VaultScope;
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::Settings;
use copymend_sandbox::{PolicyText, Sandbox};
use jiff::SignedDuration;

use crate::support::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";

fn assert_refused(report: &Report, sandbox: &Sandbox, place: &str) {
    assert_eq!(failed_guards(report), ["source-allowed"], "{place}");
    assert_eq!(report.outcome, Outcome::Refused, "{place}");
    assert_eq!(sandbox.writes(), [], "{place}");
    // Nobody finds a statement for that role to paste.
    assert_eq!(report.refused_changes, [], "{place}");
    let advice = report.advice.as_ref().unwrap();
    let steps = advice.steps.join("\n");
    assert!(
        !steps.contains("\"Statement\"") && !steps.contains("Effect"),
        "{steps}"
    );
    assert!(steps.contains("started the copy"), "{steps}");
    assert!(steps.contains("exists"), "{steps}");
}

#[tokio::test]
async fn a_copy_of_no_listed_route_gets_no_grant() {
    for event in ["destination-vault-policy", "source-key-policy"] {
        for entries in [
            &[][..],
            // Another role, another account, another destination account.
            &["arn:aws:iam::111122223333:role/Other"],
            &["777788889999"],
            &["111122223333>arn:aws:backup:*:777788889999:backup-vault:*"],
            &[
                "arn:aws:iam::111122223333:role/BackupRole>arn:aws:backup:*:444455556666:backup-vault:prod",
            ],
        ] {
            let sandbox = sandbox();
            let report = handle(&sandbox, only(entries), &sample(event)).await;
            assert_refused(&report, &sandbox, &format!("{event}, {entries:?}"));
        }
        let entry = format!("{ROLE}>{}", vault_of(&sample(event)));
        for entries in [&["111122223333"][..], &[entry.as_str()], &["*"]] {
            let report = handle(&sandbox(), only(entries), &sample(event)).await;
            assert_eq!(
                report.outcome,
                Outcome::RepairedAndRetried,
                "{event}, {entries:?}"
            );
        }
    }
}

/// The facts don't confirm the cause of this copy. The report still holds no statement for a role
/// that nobody listed.
#[tokio::test]
async fn a_cause_that_is_not_confirmed_brings_no_statement_for_an_unlisted_role() {
    let sandbox = sandbox();
    let event = sandbox.event_for(BY_PATH).unwrap();
    let report = handle(&sandbox, only(&["777788889999"]), &event).await;
    assert_eq!(failed_guards(&report), ["source-allowed"]);
    let steps = report.advice.unwrap().steps.join("\n");
    assert!(
        !steps.contains("Effect") && !steps.contains("policy.json"),
        "{steps}"
    );
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn a_wide_scope_needs_everyone_whom_it_admits_to_be_listed() {
    for (scope, entries) in [
        (VaultScope::Organization, &["111122223333"][..]),
        (VaultScope::Organization, &[ROLE]),
        (VaultScope::Account, &[ROLE]),
    ] {
        let settings = Settings {
            vault_scope: scope,
            ..only(entries)
        };
        let sandbox = sandbox();
        let report = handle(&sandbox, settings, &sample("destination-vault-policy")).await;
        assert_refused(&report, &sandbox, &format!("{scope} with {entries:?}"));
    }
    for (scope, entries) in [
        (VaultScope::Organization, &["*"][..]),
        (VaultScope::Account, &[ROLE, "111122223333"]),
    ] {
        let settings = Settings {
            vault_scope: scope,
            ..only(entries)
        };
        let report = handle(&sandbox(), settings, &sample("destination-vault-policy")).await;
        assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{scope}");
    }
}

#[tokio::test]
async fn a_copy_of_no_listed_route_is_not_started_again() {
    for event in ["concurrency", "transient", "service-fault"] {
        let sandbox = sandbox();
        let report = handle(&sandbox, only(&["777788889999"]), &sample(event)).await;
        assert_eq!(failed_guards(&report), ["source-allowed"], "{event}");
        assert_eq!(sandbox.writes(), [], "{event}");
    }
}

/// A second copy of a grantee that was admitted before needs no investigation, but its route must
/// still be listed.
#[tokio::test]
async fn the_way_of_an_admitted_grantee_asks_for_the_source_too() {
    let (sandbox, event) = scene("destination-vault-policy");
    // The same plan's copy of the same backup, which fails as the first one did.
    let twin = copied_again(&sandbox, &event, None);
    must_repair(&sandbox, &event).await;
    let before = sandbox.writes().len();
    let report = handle_as("two", &sandbox, only(&["777788889999"]), &twin)
        .await
        .unwrap();
    assert_ne!(report.outcome, Outcome::Retried);
    assert_eq!(sandbox.writes().len(), before);
}

#[tokio::test]
async fn an_old_failure_is_explained_and_nothing_more() {
    for (event, outcome) in [
        ("destination-vault-policy", Outcome::Refused),
        ("source-key-policy", Outcome::Refused),
        ("concurrency", Outcome::Advised),
    ] {
        for (hours, is_recent) in [(-30, false), (71, true), (73, false), (24 * 365, false)] {
            let base = sandbox();
            let job = job_of(&sample(event));
            let failed = base.with_world(|world| world.copy_job(&job).unwrap().completed);
            let sandbox = base.at(failed + SignedDuration::from_hours(hours));
            let report = repair(&sandbox, &sample(event)).await;
            if is_recent {
                assert!(report.retried_job.is_some(), "{event} after {hours} hours");
                continue;
            }
            assert_eq!(failed_guards(&report), ["failure-is-recent"], "{event}");
            assert_eq!(report.outcome, outcome, "{event}");
            assert_eq!(sandbox.writes(), [], "{event}");
        }
    }
}

#[tokio::test]
async fn the_owners_tag_stops_retries_too() {
    let event = sample("concurrency");
    let sandbox = sandbox();
    opt_out_of_vault(&sandbox, &event);
    let report = repair(&sandbox, &event).await;
    assert_eq!(failed_guards(&report), ["not-opted-out"]);
    assert_eq!(sandbox.writes(), []);
}

/// A retry keeps its origin: a copy on demand never passes as one of a plan.
#[tokio::test]
async fn a_retry_of_a_copy_on_demand_stays_on_demand() {
    let sandbox = sandbox();
    let event = sandbox.event_for(ON_DEMAND).unwrap();
    let key = key_of(&sandbox, &event);
    // Somebody closes the key before the copy is started again, so that it fails once more.
    sandbox.before_next("backup:StartCopyJob", move |world| {
        world.key_mut(&key).unwrap().policy = Some(PolicyText::new(CLOSED));
    });
    let admitting = Settings {
        allow_on_demand: true,
        ..open_settings()
    };
    let report = handle(&sandbox, admitting.clone(), &event).await;
    let retried = report.retried_job.clone().unwrap();
    let again = sandbox.event_for(&retried).unwrap();
    let writes = sandbox.writes().len();
    let report = deliver("two", &sandbox, &again).await.unwrap();
    assert_fails(&report, "started-by-backup-plan");
    assert_eq!(sandbox.writes().len(), writes);
    // Where copies on demand are admitted, so is their retry.
    let report = handle_as("three", &sandbox, admitting, &again)
        .await
        .unwrap();
    assert_ne!(report.outcome, Outcome::Refused);
}

#[tokio::test]
async fn every_applied_change_is_told() {
    let sandbox = sandbox();
    let now = Reads::clock(&sandbox).now();
    let report = repair(&sandbox, &sample("destination-vault-policy")).await;
    let change = &report.changes[0];
    assert!(change.applied && change.id.is_some());
    assert_eq!(change.grantee.as_deref(), Some(ROLE), "at {now}");
    assert_eq!(policy_writes(&sandbox).len(), 1);
    assert_eq!(sandbox.notifier().sent().len(), 1);
}
