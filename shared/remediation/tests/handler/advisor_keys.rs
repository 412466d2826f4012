//! The key that a refused call needs: named, behind an alias, or the account's own.

use copymend_diagnosis::{Cause, KeyManager, PermissionState, UnknownReason};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::report::Report;
use copymend_sandbox::{Key, PolicyText, Sandbox};
use serde_json::Value;

use crate::advisor::{advise, causes, event, give, seven, with_state};
use crate::support::*;

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/be647c92-a410-5da8-8dcc-d0d242b097a0";
const ANY_KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/*";

/// The sample event with another key, or with none.
fn with_key(key: Option<&str>) -> Value {
    let mut event = event("create-backup-vault");
    let parameters = &mut event["detail"]["requestParameters"];
    match key {
        Some(key) => parameters["encryptionKeyArn"] = key.into(),
        None => {
            parameters
                .as_object_mut()
                .unwrap()
                .remove("encryptionKeyArn");
        }
    }
    event
}

/// What the permissions on the key were asked on.
fn asked_on(advisory: &Report) -> Vec<&str> {
    let mut resources: Vec<&str> = advisory
        .permissions
        .iter()
        .flatten()
        .filter(|permission| permission.action.starts_with("kms:"))
        .map(|permission| permission.resource.as_str())
        .collect();
    resources.dedup();
    resources
}

fn rounds(sandbox: &Sandbox) -> u64 {
    let calls = sandbox.calls().begun();
    calls.iter().map(|call| call.round).max().unwrap()
}

#[tokio::test]
async fn a_key_behind_an_alias_is_looked_at_like_one_that_is_named() {
    let named = advise(&sandbox().without_ledger(), &event("create-backup-vault")).await;
    for alias in [
        "alias/shared-with-backup",
        "arn:aws:kms:us-east-1:111122223333:alias/shared-with-backup",
    ] {
        let sandbox = sandbox().without_ledger();
        let advisory = advise(&sandbox, &with_key(Some(alias))).await;
        assert_eq!(asked_on(&advisory), [KEY], "{alias}");
        assert_eq!(advisory.permissions, named.permissions, "{alias}");
        assert_eq!(advisory.policy, named.policy, "{alias}");
        assert_eq!(advisory.diagnosis.unknown, [], "{alias}");
        assert!(advisory.notes[0].contains(KEY), "{:?}", advisory.notes);
        assert_eq!(sandbox.calls().count("kms:GetKeyPolicy"), 1);
        // The alias first, then the key; the rest goes beside them, and the message comes last.
        let notified = rounds(&sandbox);
        assert_eq!(notified, 3, "{:#?}", sandbox.calls().begun());
    }
}

#[tokio::test]
async fn the_policy_of_the_key_behind_an_alias_can_be_the_cause() {
    let sandbox = sandbox();
    give(&sandbox, "all", &seven());
    sandbox.with_world(|world| {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/KeyAdministrator"},"Action":"kms:*","Resource":"*"},{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/copymend/CopymendMember"},"Action":["kms:DescribeKey","kms:GetKeyPolicy","kms:ListKeyPolicies"],"Resource":"*"}]}"#;
        world.key_mut(&KEY.parse().unwrap()).unwrap().policy = Some(PolicyText::new(policy));
    });
    let advisory = advise(&sandbox, &with_key(Some("alias/shared-with-backup"))).await;
    assert_eq!(advisory.diagnosis.cause, Cause::KeyPolicy);
    assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 5);
    let who = advisory.advice.unwrap().who;
    assert!(who.contains(KEY), "{who}");
}

#[tokio::test]
async fn the_alias_of_another_account_leads_to_a_key_of_that_account() {
    let sandbox = sandbox();
    give(&sandbox, "all", &seven());
    let alias = "arn:aws:kms:eu-west-1:444455556666:alias/dr";
    let advisory = advise(&sandbox, &with_key(Some(alias))).await;
    let key = "arn:aws:kms:eu-west-1:444455556666:key/c2a9f30d-c355-5eb3-91f0-3eb3b44f6402";
    assert_eq!(asked_on(&advisory), [key]);
    assert_eq!(advisory.diagnosis.cause, Cause::KeyPolicy);
    let who = advisory.advice.unwrap().who;
    assert!(who.contains("account 444455556666"), "{who}");
}

#[tokio::test]
async fn an_alias_that_cannot_be_read_is_named_and_leaves_the_key_open() {
    let sandbox = sandbox();
    sandbox.fail("kms:DescribeKey", CallErrorKind::AccessDenied);
    let advisory = advise(&sandbox, &with_key(Some("alias/shared-with-backup"))).await;
    assert_eq!(asked_on(&advisory), [ANY_KEY]);
    assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 7);
    let [why] = advisory.diagnosis.unknown.as_slice() else {
        panic!("{:?}", advisory.diagnosis.unknown);
    };
    assert_eq!(why.operation, "kms:DescribeKey");
    assert!(why.resource.ends_with(":alias/shared-with-backup"));
    assert_eq!(why.reason, UnknownReason::AccessDenied);
    assert_eq!(advisory.diagnosis.cause, Cause::CallerPermission);
    let causes = causes(&advisory);
    assert!(
        causes.contains(&"key-policy NotCheckable".to_owned()),
        "what was not read is not ruled out: {causes:?}"
    );
    assert!(
        advisory.notes[0].contains("could not be read"),
        "{:?}",
        advisory.notes
    );
    assert_eq!(sandbox.calls().count("kms:GetKeyPolicy"), 0);
}

#[tokio::test]
async fn an_alias_that_kms_does_not_know_is_said_to_be_unknown() {
    let sandbox = sandbox();
    let advisory = advise(&sandbox, &with_key(Some("alias/no-such-alias"))).await;
    assert_eq!(asked_on(&advisory), [ANY_KEY]);
    assert_eq!(advisory.diagnosis.unknown, []);
    assert!(
        advisory.notes[0].contains("AWS KMS knows no such alias"),
        "{:?}",
        advisory.notes
    );
}

/// Where neither the simulator nor the alias answers, the policies are read beside, not after.
#[tokio::test]
async fn an_alias_costs_no_round_more_where_the_simulator_tells_nothing() {
    let sandbox = sandbox().without_ledger();
    sandbox.fail("iam:SimulatePrincipalPolicy", CallErrorKind::AccessDenied);
    let advisory = advise(&sandbox, &with_key(Some("alias/shared-with-backup"))).await;
    assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 7);
    assert_eq!(asked_on(&advisory), [KEY]);
    assert_eq!(rounds(&sandbox), 3, "{:#?}", sandbox.calls().begun());
}

#[tokio::test]
async fn without_a_key_the_accounts_own_key_for_aws_backup_is_looked_at() {
    let own = "arn:aws:kms:us-east-1:111122223333:key/00000000-aaaa-4aaa-8aaa-000000000000";
    let sandbox = sandbox();
    sandbox.with_world(|world| {
        // In the manner of AWS's own policies: open to the account through the service, and no
        // more.
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:CreateGrant","kms:Decrypt","kms:DescribeKey","kms:Encrypt","kms:GenerateDataKey*","kms:ReEncrypt*"],"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"111122223333","kms:ViaService":"backup.us-east-1.amazonaws.com"}}}]}"#;
        let key = Key {
            alias: Some("aws/backup".to_owned()),
            manager: KeyManager::Aws,
            ..Key::customer_managed(policy, "Enabled")
        };
        // Another may be there already, from a vault without a key.
        let arn = "arn:aws:kms:us-east-1:111122223333:alias/aws/backup";
        if let Some(other) = world.key_of_alias(&arn.parse().unwrap()) {
            world.remove_key(&other);
        }
        world.set_key(&own.parse().unwrap(), key);
    });
    let advisory = advise(&sandbox, &with_key(None)).await;
    assert_eq!(asked_on(&advisory), [own]);
    // What the policy doesn't hold is the caller's own affair: nobody could add it there.
    assert_eq!(
        with_state(&advisory, PermissionState::Missing),
        [
            "backup:CreateBackupVault",
            "backup-storage:MountCapsule",
            "kms:RetireGrant"
        ]
    );
    assert_eq!(advisory.diagnosis.cause, Cause::CallerPermission);
    assert!(advisory.notes[0].contains(own), "{:?}", advisory.notes);
    // Describing the alias could make the key.
    assert_eq!(sandbox.calls().count("kms:ListAliases"), 1);
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn without_a_key_and_without_one_for_aws_backup_every_key_is_asked_about() {
    for fault in [None, Some(CallErrorKind::AccessDenied)] {
        let sandbox = sandbox();
        sandbox.with_world(|world| {
            let arn = "arn:aws:kms:us-east-1:111122223333:alias/aws/backup";
            if let Some(key) = world.key_of_alias(&arn.parse().unwrap()) {
                world.remove_key(&key);
            }
        });
        if let Some(kind) = fault {
            sandbox.fail("kms:ListAliases", kind);
        }
        let advisory = advise(&sandbox, &with_key(None)).await;
        assert_eq!(asked_on(&advisory), [ANY_KEY]);
        assert_eq!(with_state(&advisory, PermissionState::Missing).len(), 7);
        let unknown: Vec<_> = advisory
            .diagnosis
            .unknown
            .iter()
            .map(|why| why.operation.as_str())
            .collect();
        let expected: &[&str] = if fault.is_some() {
            &["kms:ListAliases"]
        } else {
            &[]
        };
        assert_eq!(unknown, expected);
    }
}
