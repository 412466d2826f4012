//! Attacks by copies that no owner listed, and by copies on resources whose owners keep Copymend
//! away.

use copymend_remediation::ledger::{Ledger, RetryRecord};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::settings::{AllowedSource, Settings};
use copymend_sandbox::PolicyText;
use jiff::SignedDuration;

use crate::support::*;

/// The key's owner says never, after the vault was repaired for another copy.
#[tokio::test]
async fn the_keys_tag_stops_the_retry_of_an_admitted_grantee() {
    let (sandbox, event) = scene("destination-vault-policy");
    let twin = copied_again(&sandbox, &event, None);
    repair(&sandbox, &event).await;
    let key = key_of(&sandbox, &event);
    sandbox.with_world(|world| {
        world
            .key_mut(&key)
            .unwrap()
            .tags
            .insert("copymend".to_owned(), "never".to_owned());
    });
    let writes = sandbox.writes().len();
    let report = repair(&sandbox, &twin).await;
    assert_eq!(
        report.retried_job, None,
        "{:?} {:?}",
        report.outcome, report.guards
    );
    assert_eq!(sandbox.writes().len(), writes);
}

#[tokio::test]
async fn the_keys_tag_stops_a_plain_retry() {
    let (sandbox, event) = scene("service-fault");
    let key = key_of(&sandbox, &event);
    sandbox.with_world(|world| {
        world
            .key_mut(&key)
            .unwrap()
            .tags
            .insert("Copymend".to_owned(), "NEVER".to_owned());
    });
    let report = repair(&sandbox, &event).await;
    assert_eq!(failed_guards(&report), ["not-opted-out"]);
}

#[tokio::test]
async fn no_way_starts_a_copy_or_writes_for_an_unlisted_paused_old_or_unplanned_copy() {
    let old = SignedDuration::from_hours(24 * 365);
    for name in [
        "destination-vault-policy",
        "source-key-policy",
        "service-linked-role",
        "service-fault",
        "concurrency",
        "transient",
        "resource-state",
    ] {
        for attack in ["unlisted", "paused", "old", "tagged"] {
            for after_a_repair in [false, true] {
                let mut sandbox = sandbox();
                let event = sample(name);
                let twin = copied_again(&sandbox, &event, None);
                if after_a_repair {
                    handle(&sandbox, with_role_creation(), &event).await;
                }
                let mut settings = with_role_creation();
                match attack {
                    "unlisted" => {
                        settings.allowed_sources =
                            vec!["arn:aws:iam::111122223333:role/Nobody".parse().unwrap()];
                    }
                    "paused" => pause(&sandbox, None).await,
                    "old" => {
                        let now = sandbox.clock().now();
                        sandbox = sandbox.at(now + old);
                    }
                    _ => opt_out_of_vault(&sandbox, &event),
                }
                let writes = sandbox.writes().len();
                let report = handle_as("two", &sandbox, settings, &twin).await;
                assert_eq!(
                    sandbox.writes().len(),
                    writes,
                    "{name} {attack} {after_a_repair}: {report:#?}"
                );
            }
        }
    }
}

/// A retry of a retry of a copy on demand, after the setting was turned off.
#[tokio::test]
async fn a_retry_of_a_retry_on_demand_stays_on_demand() {
    let sandbox = sandbox();
    let event = sandbox.event_for(ON_DEMAND).unwrap();
    let admitting = Settings {
        allow_on_demand: true,
        retry_budget: 10,
        ..open_settings()
    };
    let key = key_of(&sandbox, &event);
    sandbox.before_next("backup:StartCopyJob", move |world| {
        world.key_mut(&key).unwrap().policy = Some(PolicyText::new(CLOSED));
    });
    let first = handle(&sandbox, admitting.clone(), &event).await;
    let retried = sandbox.event_for(&first.retried_job.unwrap()).unwrap();
    let ledger = sandbox.ledger().unwrap();
    let record = ledger.retry_of(&job_of(&retried)).await.unwrap().unwrap();
    assert_eq!(record.origin.unwrap().slug(), "on-demand");
    let writes = sandbox.writes().len();
    let report = repair(&sandbox, &retried).await;
    assert_fails(&report, "started-by-backup-plan");
    assert_eq!(sandbox.writes().len(), writes);
    // A record without an origin is nobody's plan.
    let third = copied_again(&sandbox, &event, None);
    let record = RetryRecord {
        original_job: "somebody".to_owned(),
        origin: None,
        after_change: None,
    };
    ledger
        .record_retried_job(&job_of(&third), &record, sandbox.clock().now())
        .await
        .unwrap();
    let report = repair(&sandbox, &third).await;
    assert_fails(&report, "started-by-backup-plan");
    assert_eq!(sandbox.writes().len(), writes);
}

#[test]
fn entries_that_look_odd_admit_no_more_than_they_say() {
    const BACKUP: &str = "arn:aws:iam::111122223333:role/Backup";
    let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-1";
    let admits = |entry: &str, role: &str, vault: &str| {
        let entry: Option<AllowedSource> = entry.parse().ok();
        let (Ok(role), Ok(vault)) = (role.parse(), vault.parse()) else {
            return false;
        };
        entry.is_some_and(|entry| entry.admits(&role, &vault))
    };
    for (entry, role) in [
        (
            "arn:aws:iam::111122223333:role/Backup*",
            "arn:aws:iam::111122223334:role/Backup",
        ),
        (
            "arn:aws:iam::111122223333:role/Backup*",
            "arn:aws-cn:iam::111122223333:role/Backup",
        ),
        (
            "arn:aws:iam::111122223333:role/Backup*",
            "arn:aws:iam::111122223333:role/x/Backup",
        ),
        (
            "arn:aws:iam::111122223333:role/Backup*",
            "arn:aws:iam::111122223333:role/backup",
        ),
        (
            "arn:aws:iam::111122223333:role/B?",
            "arn:aws:iam::111122223333:role/B",
        ),
        (
            "arn:aws:iam::*:role/Backup",
            "arn:aws:iam::111122223333:role/x:role/Backup",
        ),
        (
            "111122223333>arn:aws:backup:*:444455556666:backup-vault:dr",
            BACKUP,
        ),
        (
            "111122223333>arn:aws-cn:backup:*:444455556666:backup-vault:*",
            BACKUP,
        ),
        (
            "111122223333>arn:aws:backup:*:444455556666:backup-vault:dr-1:*",
            BACKUP,
        ),
        ("111122223333 ", BACKUP),
        ("１１１１２２２２３３３３", BACKUP),
        ("**", BACKUP),
        ("", BACKUP),
        (">", BACKUP),
        ("*>", BACKUP),
        (
            "*>arn:aws:backup:*:444455556666:backup-vault:other>arn:aws:backup:*:444455556666:backup-vault:dr-1",
            BACKUP,
        ),
    ] {
        assert!(!admits(entry, role, vault), "{entry} admits {role}");
    }
    let read = |value: &str| {
        Settings::read(|name| (name == "COPYMEND_ALLOWED_SOURCES").then(|| value.to_owned()))
    };
    for empty in ["", " ", ",", " , ,\n"] {
        assert_eq!(read(empty).unwrap().allowed_sources, [], "{empty:?}");
    }
    for wrong in [
        "111122223333;444455556666",
        "'*'",
        "all",
        "111122223333,",
        "arn:aws:iam::111122223333:role/a b",
    ] {
        let settings = read(wrong);
        assert!(
            wrong.ends_with(',') || settings.is_err(),
            "{wrong}: {settings:?}"
        );
    }
}

/// An entry that means everyone is said at the start, however it is written.
#[test]
fn an_entry_that_means_everyone_is_logged_however_it_is_written() {
    let mut missed = Vec::new();
    for entry in [
        "*",
        "arn:aws:iam::*:role/*",
        "arn:aws:iam::????????????:role/*",
        "arn:aws:iam::*:role/?*",
        "arn:aws:iam::*:role/*?",
        "arn:aws:iam::*:role/*-*",
    ] {
        let settings = only(&[entry]);
        if !settings
            .lists_that_admit_everything()
            .contains(&"COPYMEND_ALLOWED_SOURCES")
            && entry != "arn:aws:iam::*:role/*-*"
        {
            missed.push(entry);
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}
