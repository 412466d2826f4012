//! What a day and a copy may cost: the source account's budget of retries, and the size of a copy.

use std::time::Duration;

use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::Settings;
use copymend_sandbox::Sandbox;
use serde_json::Value;

use crate::support::*;

const GIB: u64 = 1 << 30;

fn started(sandbox: &Sandbox) -> u64 {
    sandbox.calls().count("backup:StartCopyJob")
}

fn retries_a_day(most: u32) -> Settings {
    Settings {
        source_retry_budget: most,
        ..open_settings()
    }
}

fn at_most(bytes: u64) -> Settings {
    Settings {
        retry_max_bytes: Some(bytes),
        ..open_settings()
    }
}

fn notes(report: &Report) -> String {
    report.notes.join("\n")
}

#[tokio::test]
async fn a_source_account_whose_retries_of_the_day_are_used_up_starts_nothing() {
    let sandbox = sandbox();
    let first = handle(&sandbox, retries_a_day(1), &sample("transient")).await;
    assert_eq!(first.outcome, Outcome::Retried, "{first:#?}");
    let second = handle(&sandbox, retries_a_day(1), &sample("concurrency")).await;
    assert_eq!(second.outcome, Outcome::Advised, "{second:#?}");
    assert_eq!(second.retried_job, None);
    let used_up = "the 1 retries of a day for account 111122223333 are used up";
    assert!(notes(&second).contains(used_up), "{second:#?}");
    assert!(second.advice.is_some(), "people have to start it");
    assert_eq!((started(&sandbox), told(&sandbox)), (1, 2));
    // A repair is written, and its copy is for people to start.
    let third = handle(
        &sandbox,
        retries_a_day(1),
        &sample("destination-vault-policy"),
    )
    .await;
    assert_eq!(third.outcome, Outcome::Repaired, "{third:#?}");
    assert!(notes(&third).contains(used_up), "{third:#?}");
    assert_eq!((policy_writes(&sandbox).len(), started(&sandbox)), (1, 1));
    // The next day has a budget of its own.
    sandbox.clock().sleep(Duration::from_hours(24)).await;
    let settings = Settings {
        max_age_hours: 72,
        ..retries_a_day(1)
    };
    let fourth = handle(&sandbox, settings, &sample("service-fault")).await;
    assert_eq!(fourth.outcome, Outcome::Retried, "{fourth:#?}");
    assert_eq!(started(&sandbox), 2);
}

#[tokio::test]
async fn no_retry_at_all_is_a_budget_too() {
    let sandbox = sandbox();
    let report = handle(&sandbox, retries_a_day(0), &sample("transient")).await;
    assert_eq!(report.outcome, Outcome::Advised, "{report:#?}");
    assert!(notes(&report).contains("the 0 retries of a day"));
    assert_eq!(started(&sandbox), 0);
}

fn size_of(event: &Value) -> u64 {
    event["detail"]["backupSizeInBytes"].as_u64().unwrap()
}

#[tokio::test]
async fn a_copy_that_is_too_large_is_not_started_again() {
    for name in ["transient", "concurrency"] {
        let event = sample(name);
        let size = size_of(&event);
        assert!(size > GIB, "{name}");
        let small = sandbox();
        let report = handle(&small, at_most(size - 1), &event).await;
        assert_eq!(failed_guards(&report), ["copy-size"], "{name}");
        assert_eq!(report.outcome, Outcome::Advised, "{name}");
        assert!(report.advice.is_some(), "{name}");
        assert_eq!((started(&small), told(&small)), (0, 1), "{name}");
        let report = handle(&sandbox(), at_most(size), &event).await;
        assert_eq!(report.outcome, Outcome::Retried, "{name}: {report:#?}");
    }
}

/// The grant costs nothing: only the copy is left to people.
#[tokio::test]
async fn a_policy_is_repaired_for_a_copy_that_is_too_large() {
    let (sandbox, event) = scene("destination-vault-policy");
    let report = handle(&sandbox, at_most(size_of(&event) - 1), &event).await;
    assert_eq!(report.outcome, Outcome::Repaired, "{report:#?}");
    assert_fails(&report, "copy-size");
    assert!(notes(&report).contains("a guard does not let it"));
    assert_eq!((policy_writes(&sandbox).len(), started(&sandbox)), (1, 0));
}

#[tokio::test]
async fn a_copy_of_unknown_size_is_too_large_where_there_is_a_limit() {
    let event = sample("transient");
    let point = event["detail"]["resourceArn"].as_str().unwrap().to_owned();
    let without_size = || {
        sandbox_with(|world| {
            let vaults = &mut world["accounts"]["111122223333"]["regions"]["us-east-1"]["vaults"];
            let mut found = 0;
            for point_of in vaults["prod"]["recovery_points"].as_array_mut().unwrap() {
                if point_of["resource_arn"] == point.as_str() {
                    point_of["size_in_bytes"] = 0.into();
                    found += 1;
                }
            }
            assert!(found > 0, "no recovery point of {point}");
        })
    };
    let sandbox = without_size();
    let report = handle(&sandbox, at_most(u64::MAX), &event).await;
    assert_eq!(failed_guards(&report), ["copy-size"], "{report:#?}");
    let detail = &report
        .guards
        .iter()
        .find(|guard| !guard.passed)
        .unwrap()
        .detail;
    assert!(detail.contains("AWS Backup does not say"), "{detail}");
    assert_eq!((started(&sandbox), told(&sandbox)), (0, 1));
    let report = repair(&without_size(), &event).await;
    assert_eq!(report.outcome, Outcome::Retried, "{report:#?}");
}
