//! What the policies' edits and the real handler make of the default world.

use std::collections::BTreeMap;

use copymend_diagnosis::Cause;
use copymend_policy::{
    KeyGrant, KeyProfile, PolicyDocument, VaultGrant, VaultScope, ViaService, append,
};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::{CopyJob, NewCopy, Sandbox, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::small::{KEY, VAULT, copy, load, owner, with, world};

fn failed() -> Vec<CopyJob> {
    let jobs = World::default_world().copy_jobs().to_vec();
    jobs.into_iter()
        .filter(|job| job.name.is_some() && job.failure().is_some())
        .collect()
}

fn again(job: &CopyJob) -> NewCopy {
    NewCopy {
        created_by: None,
        // AWS remembers a denial for a minute.
        created: job.completed + SignedDuration::from_mins(1),
        ..NewCopy::again(job)
    }
}

fn cause(job: &CopyJob) -> Option<Cause> {
    job.failure().and_then(|failure| failure.cause)
}

#[test]
fn the_smallest_vault_statement_mends_each_vault_policy() {
    for job in failed()
        .iter()
        .filter(|job| cause(job) == Some(Cause::DestinationVaultPolicy))
    {
        let mut world = World::default_world();
        let source = job.account;
        let grant = VaultGrant {
            partition: job.role.partition().to_owned(),
            source_account: source,
            role_arn: job.role.arn().clone(),
            scope: VaultScope::Role,
            organization_id: world
                .organization_of(source)
                .map(|organization| organization.id.clone()),
            organization_paths: Vec::new(),
        };
        let vault = &job.destination_vault;
        let before = world.vault(vault).unwrap().policy.clone();
        let before = before.map(|policy| PolicyDocument::parse(policy.as_str()).unwrap());
        let after = append(before.as_ref(), &grant.statements().unwrap()).unwrap();
        world.put_vault_policy(vault, after.as_str()).unwrap();
        assert!(
            world.start_copy(again(job)).unwrap().failure().is_none(),
            "{:?}",
            job.name
        );
    }
}

#[test]
fn either_key_profile_mends_each_key_policy() {
    for job in failed()
        .iter()
        .filter(|job| cause(job) == Some(Cause::SourceKeyPolicy))
    {
        for profile in [KeyProfile::LeastPrivilege, KeyProfile::Documented] {
            let mut world = World::default_world();
            let grant = KeyGrant {
                partition: job.role.partition().to_owned(),
                destination_account: job.destination_vault.account_id().unwrap(),
                profile,
                organization_id: Some("o-exampleorgid".to_owned()),
                via_services: vec![match job.recovery_point.service() {
                    "rds" => ViaService::Rds,
                    "fsx" => ViaService::Fsx,
                    _ => ViaService::Ec2,
                }],
            };
            let point = world
                .recovery_point(&job.source_vault, &job.recovery_point)
                .unwrap();
            let key = point.encryption_key_arn.clone().unwrap();
            let before =
                PolicyDocument::parse(world.key(&key).unwrap().policy.as_ref().unwrap().as_str())
                    .unwrap();
            let after = append(Some(&before), &grant.statements().unwrap()).unwrap();
            world.put_key_policy(&key, after.as_str()).unwrap();
            assert!(
                world.start_copy(again(job)).unwrap().failure().is_none(),
                "{:?} {profile}",
                job.name
            );
        }
    }
}

async fn handle(sandbox: &Sandbox, job: &CopyJob) -> Report {
    handle_within(sandbox, job, Settings::default().retry_budget).await
}

async fn handle_within(sandbox: &Sandbox, job: &CopyJob, retry_budget: u32) -> Report {
    let settings = Settings {
        retry_budget,
        mode: Mode::Repair,
        allowed_destinations: vec!["*".parse().unwrap()],
        // That of a third account is admitted where it is named.
        allowed_keys: ["*", "arn:aws:kms:*:222233334444:key/*"]
            .map(|entry| entry.parse().unwrap())
            .to_vec(),
        allowed_sources: vec!["*".parse().unwrap()],
        ..Settings::default()
    };
    let handler = CopyRemediator::new(sandbox.clone(), settings);
    let deadline = sandbox.with_world(|world| world.time()) + SignedDuration::from_mins(1);
    let invocation = Invocation {
        id: format!("test-{}", job.id),
        deadline,
    };
    let event: Value = sandbox.event_for(&job.id).unwrap();
    handler.handle(&event, &invocation).await.unwrap()
}

fn resources(world: &World) -> BTreeMap<String, Option<String>> {
    let keys = world.keys();
    let keys = keys
        .iter()
        .map(|(arn, key)| (arn.to_string(), key.policy.clone()));
    let vaults = world.accounts().iter().flat_map(|(id, account)| {
        account.regions.iter().flat_map(move |(region, resources)| {
            resources
                .vaults
                .iter()
                .map(move |(name, vault)| (format!("{id}/{region}/{name}"), vault.policy.clone()))
        })
    });
    keys.chain(vaults)
        .map(|(name, policy)| (name, policy.map(|policy| policy.as_str().to_owned())))
        .collect()
}

#[tokio::test]
async fn the_handler_repairs_the_two_policies_and_writes_nothing_else() {
    for job in failed() {
        let sandbox = Sandbox::new(World::default_world());
        let before = sandbox.with_world(|world| resources(world));
        let report = handle(&sandbox, &job).await;
        let after = sandbox.with_world(|world| resources(world));
        let changed = before
            .iter()
            .filter(|(name, policy)| after[*name] != **policy)
            .count();
        let name = job.name.as_deref().unwrap();
        assert!(report.verified, "{name}");
        let repairable = matches!(
            cause(&job),
            Some(Cause::DestinationVaultPolicy | Cause::SourceKeyPolicy)
        );
        assert_eq!(changed, usize::from(repairable), "{name}: {report:#?}");
        if repairable {
            assert_eq!(
                report.outcome,
                Outcome::RepairedAndRetried,
                "{name}: {report:#?}"
            );
            let retried = report.retried_job.unwrap();
            let failure =
                sandbox.with_world(|world| world.copy_job(&retried).unwrap().failure().cloned());
            assert_eq!(failure, None, "{name}");
        }
    }
}

#[tokio::test]
async fn the_handler_finds_the_cause_that_the_event_is_named_after() {
    let mut wrong = Vec::new();
    for job in failed() {
        let sandbox = Sandbox::new(World::default_world());
        let report = handle(&sandbox, &job).await;
        let name = job.name.clone().unwrap();
        let found = report.diagnosis.cause.slug();
        if !name.starts_with(found) && name != "on-demand" {
            wrong.push(format!("{name}: {found}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A copy that fails at the vault's policy, and at the key's then.
fn closed_twice() -> (Sandbox, CopyJob) {
    let vault = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Owner", "Effect": "Deny",
        "Principal": "*", "Action": "backup:DeleteRecoveryPoint", "Resource": "*"}]});
    let key = json!({"Version": "2012-10-17", "Statement": [owner()]});
    let closed = with(
        world(),
        "/accounts/444455556666/regions/eu-west-1/vaults/dr/policy",
        vault,
    );
    let closed = with(
        closed,
        "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111/policy",
        key,
    );
    let sandbox = Sandbox::new(load(&closed));
    let planned = NewCopy {
        created_by: failed().into_iter().find_map(|job| job.created_by),
        ..copy()
    };
    let job = sandbox.with_world(|world| world.start_copy(planned).unwrap().clone());
    (sandbox, job)
}

/// Handles a copy and every retry of it; the reports, and the last job.
async fn handle_chain(sandbox: &Sandbox, mut job: CopyJob) -> (Vec<Report>, CopyJob) {
    let mut reports = Vec::new();
    while job.failure().is_some() && reports.len() < 20 {
        let report = handle_within(sandbox, &job, 1).await;
        let retried = report.retried_job.clone();
        reports.push(report);
        let Some(retried) = retried else { break };
        job = sandbox.with_world(|world| world.copy_job(&retried).unwrap().clone());
    }
    (reports, job)
}

/// A failure of another cause after our change is a new first attempt.
#[tokio::test]
async fn a_chain_of_two_causes_is_mended_within_a_budget_of_one_retry() {
    let (sandbox, job) = closed_twice();
    let (reports, last) = handle_chain(&sandbox, job).await;
    let ends: Vec<_> = reports
        .iter()
        .map(|report| (report.diagnosis.cause, report.outcome))
        .collect();
    assert_eq!(
        ends,
        [
            (Cause::DestinationVaultPolicy, Outcome::RepairedAndRetried),
            (Cause::SourceKeyPolicy, Outcome::RepairedAndRetried),
        ],
        "{reports:#?}"
    );
    assert_eq!(last.failure(), None);
}

/// Before each retry somebody closes both policies again.
#[tokio::test]
async fn a_chain_whose_causes_alternate_ends() {
    let (sandbox, job) = closed_twice();
    let (vault, key) = (VAULT.parse().unwrap(), KEY.parse().unwrap());
    let before = sandbox.with_world(|world| {
        let vault = world.vault(&vault).unwrap().policy.clone().unwrap();
        (vault, world.key_mut(&key).unwrap().policy.clone())
    });
    let close = move |world: &mut World, turn: usize| {
        if turn.is_multiple_of(2) {
            world.key_mut(&key).unwrap().policy = before.1.clone();
        } else {
            world.put_vault_policy(&vault, before.0.as_str()).unwrap();
        }
    };
    let mut job = job;
    let mut reports = Vec::new();
    for turn in 0..20 {
        let close = close.clone();
        sandbox.before_next("backup:StartCopyJob", move |world| close(world, turn));
        let report = handle_within(&sandbox, &job, 1).await;
        let retried = report.retried_job.clone();
        reports.push(report);
        let Some(retried) = retried else { break };
        job = sandbox.with_world(|world| world.copy_job(&retried).unwrap().clone());
        assert!(job.failure().is_some(), "{reports:#?}");
    }
    assert_eq!(reports.len(), 3, "{reports:#?}");
    assert_eq!(reports[2].outcome, Outcome::Refused, "{reports:#?}");
}
