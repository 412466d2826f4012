//! Fifty functions repair one vault for fifty source accounts at the same time.

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::PolicyDocument;
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::settings::Settings;
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::faulty::Faulty;
use super::settings;

const SOURCES: usize = 50;
const DESTINATION: &str = "444455556666";
const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
const OLD: &str = r#"{ "Version" : "2012-10-17", "Statement" : [ {"Sid":"Old one","Effect":"Deny","Principal":"*","Action":"backup:DeleteRecoveryPoint","Resource":"*"} ] }"#;

fn account(number: usize) -> String {
    format!("{:012}", 100_000_000_000_usize + number)
}

/// A job's id, by its source and its number there.
fn job(source: usize, copy: usize) -> String {
    format!("11111111-2222-4333-{copy:04}-{source:012}")
}

fn world(copies: usize) -> World {
    let mut accounts = serde_json::Map::new();
    let mut members = serde_json::Map::new();
    let mut jobs = Vec::new();
    members.insert(DESTINATION.to_owned(), json!("o-exampleorgid/r-ab12/"));
    accounts.insert("999988887777".to_owned(), json!({}));
    accounts.insert(
        DESTINATION.to_owned(),
        json!({"regions": {"eu-west-1": {
            "vaults": {"dr": {
                "encryption_key_arn": format!("arn:aws:kms:eu-west-1:{DESTINATION}:key/22222222-2222-4222-8222-222222222222"),
                "policy": OLD
            }},
            "keys": {"22222222-2222-4222-8222-222222222222": {}}
        }}}),
    );
    for number in 0..SOURCES {
        let account = account(number);
        let point = format!("arn:aws:ec2:us-east-1::snapshot/snap-{number:017x}");
        members.insert(account.clone(), json!("o-exampleorgid/r-ab12/"));
        accounts.insert(
            account.clone(),
            json!({
                "roles": {"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}},
                "regions": {"us-east-1": {"vaults": {"prod": {"recovery_points": [{
                    "arn": point,
                    "resource_arn": format!("arn:aws:ec2:us-east-1:{account}:volume/vol-0123456789abcdef0"),
                    "resource_type": "EBS"
                }]}}}}
            }),
        );
        jobs.extend((0..copies).map(|copy| json!({
            "id": job(number, copy),
            "recovery_point_arn": point,
            "source_vault_arn": format!("arn:aws:backup:us-east-1:{account}:backup-vault:prod"),
            "destination_vault_arn": VAULT,
            "iam_role_arn": format!("arn:aws:iam::{account}:role/BackupRole"),
            "creation_date": "2026-11-01T03:00:00Z",
            "created_by": {
                "backup_plan_arn": format!("arn:aws:backup:us-east-1:{account}:backup-plan:plan"),
                "backup_plan_id": "plan",
                "backup_rule_id": "rule"
            }
        })));
    }
    let world: Value = json!({
        "organizations": [{
            "id": "o-exampleorgid",
            "management_account": "999988887777",
            "cross_account_backup_enabled": true,
            "member_accounts": members
        }],
        "accounts": accounts,
        "copy_jobs": jobs
    });
    World::from_json(&world.to_string()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_statement_is_lost_when_fifty_accounts_are_admitted_at_once() {
    let sandbox = Sandbox::new(world(1));
    let environment = Faulty::new(sandbox.clone()).with_still_clock();
    let mut tasks = Vec::new();
    for number in 0..SOURCES {
        let event = sandbox.event_for(&job(number, 0)).unwrap();
        let remediator = CopyRemediator::new(environment.clone(), settings());
        let invocation = Invocation {
            id: format!("function-{number}"),
            deadline: sandbox.clock().now() + SignedDuration::from_mins(15),
        };
        tasks.push(tokio::spawn(async move {
            remediator.handle(&event, &invocation).await.unwrap()
        }));
    }
    for task in tasks {
        let report = task.await.unwrap();
        assert_eq!(report.outcome.slug(), "repaired-and-retried", "{report:#?}");
    }
    let vault: BackupVaultArn = VAULT.parse().unwrap();
    let text = sandbox.with_world(|world| {
        world
            .vault(&vault)
            .unwrap()
            .policy
            .as_ref()
            .unwrap()
            .as_str()
            .to_owned()
    });
    let policy = PolicyDocument::parse(&text).unwrap();
    let old = PolicyDocument::parse(OLD).unwrap();
    let statements = policy.statements();
    assert_eq!(statements.len(), SOURCES + 1);
    assert_eq!(
        statements[0].as_str(),
        old.statements()[0].as_str(),
        "the old statement stays byte for byte"
    );
    let sids: BTreeSet<_> = statements
        .iter()
        .filter_map(copymend_policy::Statement::sid)
        .collect();
    assert_eq!(sids.len(), SOURCES + 1);
    for number in 0..SOURCES {
        assert!(text.contains(&account(number)), "{}", account(number));
    }
}

/// Every grant is told once, however many copies wait for it.
async fn every_grant_is_told_once(copies: usize) {
    let sandbox = Sandbox::new(world(copies));
    let environment = Faulty::new(sandbox.clone()).with_still_clock();
    // All copies of an account are of one backup.
    let settings = Settings {
        retry_budget: u32::MAX,
        ..settings()
    };
    let remediator = CopyRemediator::new(environment, settings);
    for copy in 0..copies {
        for number in 0..SOURCES {
            let event = sandbox.event_for(&job(number, copy)).unwrap();
            let invocation = Invocation {
                id: format!("{number}-{copy}"),
                deadline: sandbox.clock().now() + SignedDuration::from_mins(15),
            };
            let report = remediator.handle(&event, &invocation).await.unwrap();
            assert!(report.retried_job.is_some(), "{report:#?}");
        }
    }
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for sent in sandbox.notifier().sent() {
        for change in sent.report.changes.iter().filter(|change| change.applied) {
            *told.entry(change.grantee.clone().unwrap()).or_default() += 1;
        }
    }
    assert_eq!(told.len(), SOURCES, "{told:?}");
    assert!(told.values().all(|times| *times == 1), "{told:?}");
    let policies = sandbox
        .writes()
        .iter()
        .filter(|write| write.operation == "backup:PutBackupVaultAccessPolicy")
        .count();
    assert_eq!(policies, SOURCES);
    println!(
        "{} copies of {SOURCES} grantees: {policies} grants, each told once",
        copies * SOURCES
    );
}

#[tokio::test]
async fn every_grant_of_two_hundred_copies_is_told_once() {
    every_grant_is_told_once(4).await;
}

#[tokio::test]
#[ignore = "ten thousand events take a while in a debug build: `make torture` runs it"]
async fn every_grant_of_ten_thousand_copies_is_told_once() {
    every_grant_is_told_once(200).await;
}
