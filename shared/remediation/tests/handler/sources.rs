//! Whose copies may lead to a grant or a retry: what an attacker who may start copies in some account can't get.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::VaultScope;
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{AllowedSource, Settings};
use copymend_sandbox::{NewCopy, PolicyText, Sandbox};
use jiff::SignedDuration;

use crate::support::{
    failed_guards, handle, handle_as, open_settings, policy_writes, sample, sandbox, vault_of,
};

const ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";

fn only(entries: &[&str]) -> Settings {
    let entries = entries.iter().map(|entry| entry.parse().unwrap());
    Settings {
        allowed_sources: entries.collect::<Vec<AllowedSource>>(),
        ..open_settings()
    }
}

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

/// The facts don't confirm the cause of this copy. The report still holds no statement for a role that nobody listed.
#[tokio::test]
async fn a_cause_that_is_not_confirmed_brings_no_statement_for_an_unlisted_role() {
    const BY_PATH: &str = "8557A323-F907-58C6-A096-CFED4AAD49BF";
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

/// A second copy of a grantee that was admitted before needs no investigation, but its route must still be listed.
#[tokio::test]
async fn the_way_of_an_admitted_grantee_asks_for_the_source_too() {
    let sandbox = sandbox();
    let event = sample("destination-vault-policy");
    // The same plan's copy of the same backup, which fails as the first one did.
    let twin = sandbox.with_world(|world| {
        let job = event["detail"]["copyJobId"].as_str().unwrap();
        let job = world.copy_job(job).unwrap().clone();
        let copy = NewCopy {
            id: None,
            name: None,
            recovery_point: job.recovery_point,
            source_vault: job.source_vault,
            destination_vault: job.destination_vault,
            role: job.role,
            lifecycle: None,
            created_by: job.created_by,
            created: job.created,
            resource: None,
            resource_type: None,
        };
        world.start_copy(copy).unwrap().id.clone()
    });
    let report = handle(&sandbox, open_settings(), &event).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
    let before = sandbox.writes().len();
    let twin = sandbox.event_for(&twin).unwrap();
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
            let job = sample(event)["detail"]["copyJobId"]
                .as_str()
                .unwrap()
                .to_owned();
            let failed = base.with_world(|world| world.copy_job(&job).unwrap().completed);
            let sandbox = base.at(failed + SignedDuration::from_hours(hours));
            let report = handle(&sandbox, open_settings(), &sample(event)).await;
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
    let vault: BackupVaultArn = vault_of(&event);
    sandbox.with_world(|world| {
        let tags = &mut world.vault_mut(&vault).unwrap().tags;
        tags.insert("copymend".to_owned(), "never".to_owned());
    });
    let report = handle(&sandbox, open_settings(), &event).await;
    assert_eq!(failed_guards(&report), ["not-opted-out"]);
    assert_eq!(sandbox.writes(), []);
}

/// A job of the default world that has no sample event.
const ON_DEMAND: &str = "02EF8250-6E06-545B-A060-1D77B734AE72";

/// A retry keeps its origin: a copy on demand never passes as one of a plan.
#[tokio::test]
async fn a_retry_of_a_copy_on_demand_stays_on_demand() {
    let sandbox = sandbox();
    let event = sandbox.event_for(ON_DEMAND).unwrap();
    let job = event["detail"]["copyJobId"].as_str().unwrap();
    let key = sandbox.with_world(|world| {
        let job = world.copy_job(job).unwrap();
        let point = world.recovery_point(&job.source_vault, &job.recovery_point);
        point.unwrap().encryption_key_arn.clone().unwrap()
    });
    // Somebody closes the key before the copy is started again, so that it fails once more.
    sandbox.before_next("backup:StartCopyJob", move |world| {
        let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
        world.key_mut(&key).unwrap().policy = Some(PolicyText::new(text));
    });
    let admitting = Settings {
        allow_on_demand: true,
        ..open_settings()
    };
    let report = handle(&sandbox, admitting.clone(), &event).await;
    let retried = report.retried_job.clone().unwrap();
    let again = sandbox.event_for(&retried).unwrap();
    let writes = sandbox.writes().len();
    let report = handle_as("two", &sandbox, open_settings(), &again)
        .await
        .unwrap();
    assert!(
        failed_guards(&report).contains(&"started-by-backup-plan"),
        "{report:#?}"
    );
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
    let report = handle(
        &sandbox,
        open_settings(),
        &sample("destination-vault-policy"),
    )
    .await;
    let change = &report.changes[0];
    assert!(change.applied && change.id.is_some());
    assert_eq!(change.grantee.as_deref(), Some(ROLE), "at {now}");
    assert_eq!(policy_writes(&sandbox).len(), 1);
    assert_eq!(sandbox.notifier().sent().len(), 1);
}
