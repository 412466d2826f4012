//! A Deny with `NotPrincipal`, as IAM documents it.

use copymend_diagnosis::Cause;
use serde_json::{Value, json};

use crate::small::{ROLE, allow_copy, broken, copy, key_policy, run, with, world};

const VAULT_POLICY: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr/policy";
const SOURCE_POLICY: &str = "/accounts/111122223333/regions/us-east-1/vaults/prod/policy";
const BOUNDARY: &str = "/accounts/111122223333/roles/BackupRole/permissions_boundary";
const ROOT: &str = "arn:aws:iam::111122223333:root";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole";

fn sparing(principals: &Value, action: &str) -> Value {
    json!({"Effect": "Deny", "NotPrincipal": {"AWS": principals}, "Action": action, "Resource": "*"})
}

fn boundary() -> Value {
    json!({"arn": "arn:aws:iam::111122223333:policy/B", "policy": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]}})
}

#[test]
fn it_spares_whom_it_names_with_account_role_and_session_unless_the_role_has_a_boundary() {
    let policy = json!({"Version": "2012-10-17", "Statement": [allow_copy(),
        sparing(&json!([ROOT, ROLE, SESSION]), "backup:CopyIntoBackupVault")]});
    let spared = with(world(), VAULT_POLICY, policy);
    assert!(run(&spared, copy()).failure().is_none());
    let bounded = run(&with(spared, BOUNDARY, boundary()), copy());
    let failure = bounded.failure().unwrap();
    assert_eq!(failure.cause, Some(Cause::DestinationVaultDeny));
    assert!(
        failure
            .message
            .ends_with("with an explicit deny in a resource-based policy")
    );
    // The boundary alone stops nothing.
    assert!(
        run(&with(world(), BOUNDARY, boundary()), copy())
            .failure()
            .is_none()
    );
}

/// AWS says that the account "might" be denied. Here it is.
#[test]
fn it_denies_a_role_that_it_names_without_its_account() {
    for named in [
        json!(ROLE),
        json!(ROOT),
        json!([ROOT, ROLE]),
        json!([ROLE, "arn:aws:iam::999988887777:root"]),
    ] {
        let policy = json!({"Version": "2012-10-17", "Statement": [allow_copy(),
            sparing(&named, "backup:CopyIntoBackupVault")]});
        let (message, cause) = broken(VAULT_POLICY, policy);
        assert_eq!(cause, Some(Cause::DestinationVaultDeny));
        assert!(message.ends_with("with an explicit deny in a resource-based policy"));
    }
}

#[test]
fn it_counts_in_the_source_vault_and_in_the_key_too() {
    let policy = |named: Value| json!({"Version": "2012-10-17", "Statement": [sparing(&named, "backup:CopyFromBackupVault")]});
    let named = with(world(), SOURCE_POLICY, policy(json!([ROOT, ROLE, SESSION])));
    assert!(run(&named, copy()).failure().is_none());
    assert!(
        broken(SOURCE_POLICY, policy(json!([ROLE])))
            .0
            .contains("backup:CopyFromBackupVault")
    );
    let bounded = run(&with(named, BOUNDARY, boundary()), copy());
    assert!(bounded.failure().is_some());

    let key =
        "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111/policy";
    let linked = "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
    let with_deny = |named: Value| {
        let mut policy = key_policy();
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.push(sparing(&named, "kms:ReEncryptFrom"));
        policy
    };
    let session = "arn:aws:sts::444455556666:assumed-role/AWSServiceRoleForBackup/AWSBackup-AWSServiceRoleForBackup";
    let spared = with_deny(json!([
        linked,
        session,
        "arn:aws:iam::444455556666:root",
        ROOT
    ]));
    assert!(run(&with(world(), key, spared), copy()).failure().is_none());
    assert_eq!(
        broken(key, with_deny(json!([linked, ROOT]))).1,
        Some(Cause::SourceKeyDeny)
    );
}
