//! A denial is remembered for a minute after the refused call.

use copymend_diagnosis::{Cause, CopyJobState};
use copymend_policy::Arn;
use copymend_sandbox::{CopyJob, NewCopy, Sandbox, World};
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;

use crate::small::{KEY, VAULT, allow_copy, copy, key_policy, load, owner, with, world};

const VAULT_POLICY: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr/policy";

fn after(job: &CopyJob, seconds: i64) -> NewCopy {
    NewCopy {
        created: job.completed + SignedDuration::from_secs(seconds),
        ..NewCopy::again(job)
    }
}

/// A world in which the copy was just refused, and its policy has been put right.
fn mended(pointer: &str, broken: serde_json::Value, mend: impl Fn(&mut World)) -> (World, CopyJob) {
    let mut world = load(&with(world(), pointer, broken));
    let refused = world.start_copy(copy()).unwrap().clone();
    assert_eq!(refused.state(), CopyJobState::Failed);
    mend(&mut world);
    (world, refused)
}

#[test]
fn a_copy_started_within_a_minute_is_refused_as_before_although_the_vaults_policy_was_put_right() {
    let policy = json!({"Version": "2012-10-17", "Statement": [allow_copy()]}).to_string();
    let nobody = json!({"Version": "2012-10-17", "Statement": []});
    let (mut world, refused) = mended(VAULT_POLICY, nobody, |world| {
        world
            .put_vault_policy(&VAULT.parse().unwrap(), &policy)
            .unwrap();
    });
    for seconds in [0, 30, 59] {
        let job = world.start_copy(after(&refused, seconds)).unwrap();
        let failure = job.failure().unwrap();
        assert_eq!(failure.cause, Some(Cause::DestinationVaultPolicy));
        assert_eq!(
            failure.message,
            "Access Denied trying to call AWS Backup service"
        );
    }
    // It counts from the refused call, not from the last answer.
    let job = world.start_copy(after(&refused, 60)).unwrap();
    assert_eq!(job.failure(), None);
}

#[test]
fn so_is_one_that_the_source_key_refused() {
    let key =
        "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111/policy";
    let closed = json!({"Version": "2012-10-17", "Statement": [owner()]});
    let (mut world, refused) = mended(key, closed, |world| {
        world
            .put_key_policy(&KEY.parse().unwrap(), &key_policy().to_string())
            .unwrap();
    });
    let job = world.start_copy(after(&refused, 59)).unwrap();
    assert_eq!(job.failure().unwrap().cause, Some(Cause::SourceKeyPolicy));
    let job = world.start_copy(after(&refused, 60)).unwrap();
    assert_eq!(job.failure(), None);
}

#[test]
fn another_principal_or_resource_is_not_refused() {
    let mut changed = with(
        world(),
        VAULT_POLICY,
        json!({"Version": "2012-10-17", "Statement": []}),
    );
    let vaults = "/accounts/444455556666/regions/eu-west-1/vaults";
    let other = changed.pointer(&format!("{vaults}/dr")).unwrap().clone();
    changed = with(changed, &format!("{vaults}/second"), other);
    let roles = "/accounts/111122223333/roles";
    let role = changed
        .pointer(&format!("{roles}/BackupRole"))
        .unwrap()
        .clone();
    changed = with(changed, &format!("{roles}/Second"), role);
    let mut world = load(&changed);
    let refused = world.start_copy(copy()).unwrap().clone();
    let policy = json!({"Version": "2012-10-17", "Statement": [allow_copy()]}).to_string();
    let second = VAULT.replace(":dr", ":second");
    for vault in [VAULT, &second] {
        world
            .put_vault_policy(&vault.parse().unwrap(), &policy)
            .unwrap();
    }
    let by_another_role = NewCopy {
        role: "arn:aws:iam::111122223333:role/Second".parse().unwrap(),
        ..after(&refused, 1)
    };
    let to_another_vault = NewCopy {
        destination_vault: second.parse().unwrap(),
        ..after(&refused, 1)
    };
    for copy in [by_another_role, to_another_vault] {
        assert_eq!(world.start_copy(copy).unwrap().failure(), None);
    }
    assert!(
        world
            .start_copy(after(&refused, 1))
            .unwrap()
            .failure()
            .is_some()
    );
}

#[test]
fn copymends_own_calls_are_remembered_too() {
    let denied = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*",
        "Action": "backup:PutBackupVaultAccessPolicy", "Resource": "*"}]});
    let sandbox = Sandbox::new(load(&with(world(), VAULT_POLICY, denied)));
    let vault: Arn = VAULT.parse().unwrap();
    let put = || sandbox.refusal("backup:PutBackupVaultAccessPolicy", &vault);
    let words = put().unwrap();
    sandbox.with_world(|world| world.vault_mut(&VAULT.parse().unwrap()).unwrap().policy = None);
    assert_eq!(put(), Some(words));
    // Another action is none of it.
    assert_eq!(
        sandbox.refusal("backup:GetBackupVaultAccessPolicy", &vault),
        None
    );
    let clock = copymend_remediation::ports::Reads::clock(&sandbox).clone();
    clock.advance(Duration::from_secs(59));
    assert!(put().is_some());
    clock.advance(Duration::from_secs(1));
    assert_eq!(put(), None);
}
