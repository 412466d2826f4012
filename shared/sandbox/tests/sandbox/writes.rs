//! Writes as AWS takes or refuses them.

use copymend_sandbox::World;
use serde_json::json;

use crate::small::{KEY, VAULT, allow_copy, load, owner, world};

fn put_vault(policy: &str) -> Result<Option<String>, &'static str> {
    load(&world())
        .put_vault_policy(&VAULT.parse().unwrap(), policy)
        .map_err(|error| error.code)
}

fn put_key(policy: &str) -> Result<Option<String>, &'static str> {
    load(&world())
        .put_key_policy(&KEY.parse().unwrap(), policy)
        .map_err(|error| error.code)
}

fn admitting(principal: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal},
        "Action": "backup:CopyIntoBackupVault", "Resource": "*"}]})
    .to_string()
}

#[test]
fn a_vault_policy_is_stored_byte_for_byte_and_the_one_before_is_answered() {
    let mut world = load(&world());
    let vault = VAULT.parse().unwrap();
    let before = world
        .vault(&vault)
        .unwrap()
        .policy
        .as_ref()
        .unwrap()
        .as_str()
        .to_owned();
    let text = format!(" {}\n", admitting("111122223333"));
    assert_eq!(world.put_vault_policy(&vault, &text).unwrap(), Some(before));
    assert_eq!(
        world
            .vault(&vault)
            .unwrap()
            .policy
            .as_ref()
            .unwrap()
            .as_str(),
        text
    );
}

#[test]
fn a_vault_policy_with_a_wildcard_action_an_unknown_principal_or_no_sense_is_refused() {
    let mut wildcard = allow_copy();
    wildcard["Action"] = json!("backup:Copy*");
    assert_eq!(
        put_vault(&json!({"Statement": [wildcard]}).to_string()),
        Err("InvalidParameterValueException")
    );
    for principal in [
        "arn:aws:iam::111122223333:role/Nobody",
        "arn:aws:iam::121212121212:role/Nobody",
        "arn:aws-cn:iam::111122223333:root",
        "AROAEXAMPLEEXAMPLE123",
        "arn:aws:iam::111122223333:user/nobody",
    ] {
        assert_eq!(
            put_vault(&admitting(principal)),
            Err("InvalidParameterValueException"),
            "{principal}"
        );
    }
    for refused in ["", "{}", "[]", "{\"Statement\":[]}", "no JSON"] {
        assert_eq!(
            put_vault(refused),
            Err("InvalidParameterValueException"),
            "{refused}"
        );
    }
    for principal in [
        "*",
        "111122223333",
        "arn:aws:iam::121212121212:root",
        "arn:aws:iam::111122223333:role/BackupRole",
    ] {
        assert!(put_vault(&admitting(principal)).is_ok(), "{principal}");
    }
}

#[test]
fn a_key_policy_that_is_too_large_malformed_or_names_nobody_is_refused() {
    let policy = |sid: &str| json!({"Statement": [owner()], "Id": sid}).to_string();
    let room = 32_768 - policy("").len();
    assert!(put_key(&policy(&"a".repeat(room))).is_ok());
    assert_eq!(
        put_key(&policy(&"a".repeat(room + 1))),
        Err("LimitExceededException")
    );
    assert_eq!(
        put_key(&policy("\u{0433}")),
        Err("MalformedPolicyDocumentException")
    );
    assert!(put_key(&policy("\u{00fc}")).is_ok());
    assert_eq!(put_key("{"), Err("MalformedPolicyDocumentException"));
    assert_eq!(
        put_key(&admitting("arn:aws:iam::444455556666:role/Nobody")),
        Err("MalformedPolicyDocumentException")
    );
}

/// A policy can hold what can't be stored any more: it stays as it is until somebody changes it.
#[test]
fn a_policy_with_a_deleted_principal_is_there_and_cannot_be_stored_with_anything_added() {
    for dead in [
        "AROA1234567890EXAMPLE",
        "AIDA1234567890EXAMPLE",
        "arn:aws:iam::111122223333:role/Deleted",
        "121212121212",
        "arn:aws:iam::121212121212:root",
        "arn:aws:iam::121212121212:role/Any",
    ] {
        for element in ["Principal", "NotPrincipal"] {
            let effect = if element == "Principal" {
                "Allow"
            } else {
                "Deny"
            };
            let old = json!({"Sid": "Old", "Effect": effect, element: {"AWS": [dead, "111122223333"]},
                "Action": "backup:CopyIntoBackupVault", "Resource": "*"});
            let mut changed = world();
            changed["closed_accounts"] = json!(["121212121212"]);
            let regions = &mut changed["accounts"]["444455556666"]["regions"];
            regions["eu-west-1"]["vaults"]["dr"]["policy"] = json!({"Statement": [old]});
            let mut world = load(&changed);
            let added = json!({"Statement": [old, allow_copy()]}).to_string();
            let error = world
                .put_vault_policy(&VAULT.parse().unwrap(), &added)
                .unwrap_err();
            assert_eq!(error.code, "InvalidParameterValueException");
            assert_eq!(
                error.message,
                format!("Provided principal is not valid: {dead}")
            );
            let error = world
                .put_key_policy(&KEY.parse().unwrap(), &added)
                .unwrap_err();
            assert_eq!(error.code, "MalformedPolicyDocumentException");
            let without = json!({"Statement": [allow_copy()]}).to_string();
            assert!(
                world
                    .put_vault_policy(&VAULT.parse().unwrap(), &without)
                    .is_ok()
            );
        }
    }
}

#[test]
fn an_account_that_is_there_is_not_closed() {
    let mut world = world();
    world["closed_accounts"] = json!(["444455556666"]);
    let error = World::from_json(&world.to_string())
        .unwrap_err()
        .to_string();
    assert!(error.contains("`closed_accounts`"), "{error}");
}

#[test]
fn not_principal_with_allow_cannot_be_stored() {
    let policy = |effect: &str| {
        json!({"Statement": [{"Effect": effect, "NotPrincipal": {"AWS": "111122223333"},
            "Action": "backup:CopyIntoBackupVault", "Resource": "*"}]})
        .to_string()
    };
    assert_eq!(
        put_vault(&policy("Allow")),
        Err("InvalidParameterValueException")
    );
    assert_eq!(
        put_key(&policy("Allow")),
        Err("MalformedPolicyDocumentException")
    );
    assert!(put_vault(&policy("Deny")).is_ok());
    assert!(put_key(&policy("Deny")).is_ok());
}

#[test]
fn a_service_linked_role_is_a_principal_only_while_it_exists() {
    let mut world = load(&world());
    let (key, account) = (KEY.parse().unwrap(), "444455556666".parse().unwrap());
    let policy = admitting(&world.service_linked_role_arn(account));
    assert!(world.put_key_policy(&key, &policy).is_ok());
    world.account_mut(account).unwrap().service_linked_role = false;
    assert!(world.put_key_policy(&key, &policy).is_err());
    assert!(world.create_service_linked_role(account));
    assert!(!world.create_service_linked_role(account));
    assert!(world.put_key_policy(&key, &policy).is_ok());
}

#[test]
fn aws_managed_keys_keep_their_policy() {
    let mut world = World::default_world();
    let managed: Vec<_> = world
        .keys()
        .into_iter()
        .filter(|(_, key)| key.manager == copymend_diagnosis::KeyManager::Aws)
        .map(|(arn, _)| arn)
        .collect();
    assert!(!managed.is_empty());
    for arn in managed {
        let policy = world
            .key(&arn)
            .unwrap()
            .policy
            .as_ref()
            .unwrap()
            .as_str()
            .to_owned();
        assert_eq!(
            world.put_key_policy(&arn, &policy).unwrap_err().code,
            "AccessDeniedException"
        );
    }
}

/// Repairs write the whole policy back, so nothing that is in it may be refused.
#[test]
fn every_policy_of_the_default_world_can_be_written_back() {
    let mut world = World::default_world();
    let vaults: Vec<_> = world
        .copy_jobs()
        .iter()
        .map(|job| job.destination_vault.clone())
        .collect();
    for vault in vaults {
        let policy = world.vault(&vault).and_then(|vault| vault.policy.clone());
        if let Some(policy) = policy {
            assert_eq!(
                world.put_vault_policy(&vault, policy.as_str()),
                Ok(Some(policy.as_str().to_owned())),
                "{vault}"
            );
        }
    }
    let keys: Vec<_> = world
        .keys()
        .into_iter()
        .map(|(arn, key)| (arn, key.clone()))
        .collect();
    for (arn, key) in keys {
        if key.manager == copymend_diagnosis::KeyManager::Customer
            && !key.state.starts_with("Pending")
        {
            world
                .put_key_policy(&arn, key.policy.unwrap().as_str())
                .unwrap_or_else(|error| panic!("{arn}: {error}"));
        }
    }
}
