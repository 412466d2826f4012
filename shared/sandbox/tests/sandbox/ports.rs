//! The ports over the world.

use copymend_remediation::ports::{
    Backup, CallErrorKind, Clock, Identities, Keys, Location, Organizations, Reads, StartCopy,
};
use copymend_sandbox::{Sandbox, World};

use serde_json::json;

use crate::small::{KEY, POINT, ROLE, SOURCE_VAULT, VAULT, load, with, world};

fn location(account: &str) -> Location {
    Location {
        account: account.parse().unwrap(),
        region: "us-east-1".to_owned(),
    }
}

fn start(token: &str) -> StartCopy {
    StartCopy {
        location: location("111122223333"),
        recovery_point: POINT.parse().unwrap(),
        source_vault_name: "prod".to_owned(),
        destination_vault: VAULT.parse().unwrap(),
        role: ROLE.parse().unwrap(),
        lifecycle: None,
        idempotency_token: token.to_owned(),
    }
}

#[tokio::test]
async fn reads_answer_what_is_in_the_world() {
    let sandbox = Sandbox::new(load(&world()));
    let vault = VAULT.parse().unwrap();
    let found = sandbox
        .describe_backup_vault(&vault)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.locked, found.vault_type.as_deref()),
        (Some(false), Some("BACKUP_VAULT"))
    );
    let nowhere = VAULT.replace("vault:dr", "vault:x").parse().unwrap();
    // As AWS Backup does: it doesn't tell which vaults there are.
    let denied = [
        sandbox.describe_backup_vault(&nowhere).await.map(|_| ()),
        sandbox
            .get_backup_vault_access_policy(&nowhere)
            .await
            .map(|_| ()),
    ];
    for answer in denied {
        assert_eq!(answer.unwrap_err().kind, CallErrorKind::AccessDenied);
    }
    let source: copymend_diagnosis::BackupVaultArn = SOURCE_VAULT.parse().unwrap();
    assert_eq!(
        sandbox
            .get_backup_vault_access_policy(&source)
            .await
            .unwrap(),
        None
    );
    let (source, point) = (location("111122223333"), POINT.parse().unwrap());
    let point = sandbox
        .describe_recovery_point(&source, "prod", &point)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (point.is_encrypted, point.encryption_key),
        (Some(true), Some(KEY.parse().unwrap()))
    );
    assert!(
        sandbox
            .describe_key(&KEY.parse().unwrap())
            .await
            .unwrap()
            .unwrap()
            .is_enabled()
    );
    let role = sandbox
        .get_role(
            "444455556666".parse().unwrap(),
            "aws",
            "AWSServiceRoleForBackup",
        )
        .await
        .unwrap();
    assert_eq!(
        role.unwrap().arn.path(),
        "/aws-service-role/backup.amazonaws.com/"
    );
    let organization = sandbox
        .describe_organization("111122223333".parse().unwrap(), "aws")
        .await
        .unwrap();
    assert_eq!(organization.unwrap().id, "o-exampleorgid");
}

#[tokio::test]
async fn tags_and_the_names_of_key_policies_are_read() {
    let mut world = world();
    let keys = "/accounts/111122223333/regions/us-east-1/keys";
    let key = world
        .pointer_mut(&format!("{keys}/11111111-1111-4111-8111-111111111111"))
        .unwrap();
    key["other_policies"] = json!(["AWS_RAM"]);
    let own = "arn:aws:backup:us-east-1:111122223333:recovery-point:1";
    let points = "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points";
    world.pointer_mut(points).unwrap().as_array_mut().unwrap().push(json!({
        "arn": own, "resource_arn": "arn:aws:s3:::documents", "resource_type": "S3", "tags": {"Stage": "prod"}
    }));
    let sandbox = Sandbox::new(load(&world));
    let names = sandbox.list_key_policies(&KEY.parse().unwrap()).await;
    assert_eq!(names.unwrap(), ["default", "AWS_RAM"]);
    let here = location("111122223333");
    // The tags of a snapshot are EC2's.
    let tags = sandbox
        .list_recovery_point_tags(&here, &POINT.parse().unwrap())
        .await;
    assert_eq!(tags.unwrap_err().kind, CallErrorKind::Rejected);
    let tags = sandbox
        .list_recovery_point_tags(&here, &own.parse().unwrap())
        .await;
    assert_eq!(tags.unwrap()["Stage"], "prod");
    // Absence is no answer to either call.
    let gone = "arn:aws:backup:us-east-1:111122223333:recovery-point:2"
        .parse()
        .unwrap();
    let tags = sandbox.list_recovery_point_tags(&here, &gone).await;
    assert_eq!(tags.unwrap_err().kind, CallErrorKind::Failed);
    let gone = KEY.replace("key/1", "key/9").parse().unwrap();
    let names = sandbox.list_key_policies(&gone).await;
    assert_eq!(names.unwrap_err().kind, CallErrorKind::Failed);
}

#[tokio::test]
async fn an_alias_leads_to_the_key_of_its_own_account_and_region() {
    let keys = "/accounts/111122223333/regions/us-east-1/keys";
    let key = format!("{keys}/11111111-1111-4111-8111-111111111111/alias");
    let sandbox = Sandbox::new(load(&with(world(), &key, json!("team/backup"))));
    let found = async |region: &str, account: &str, name: &str| {
        let alias = format!("arn:aws:kms:{region}:{account}:alias/{name}");
        let found = sandbox.key_of_alias(&alias.parse().unwrap()).await;
        found.map(|key| key.map(|key| key.to_string()))
    };
    let here = found("us-east-1", "111122223333", "team/backup").await;
    assert_eq!(here, Ok(Some(KEY.to_owned())));
    for (region, account, name) in [
        ("us-east-1", "111122223333", "backup"),
        ("eu-west-1", "111122223333", "team/backup"),
        ("us-east-1", "444455556666", "team/backup"),
    ] {
        assert_eq!(found(region, account, name).await, Ok(None));
    }
    let nowhere = found("us-east-1", "123123123123", "team/backup").await;
    assert_eq!(nowhere.unwrap_err().kind, CallErrorKind::AccessDenied);
}

/// Calls that are made side by side are of one round; one that waits for another is of the next.
#[tokio::test]
async fn calls_know_their_round() {
    let sandbox = Sandbox::new(load(&world()));
    let (key, vault) = (KEY.parse().unwrap(), VAULT.parse().unwrap());
    let vault_key = async {
        sandbox.describe_backup_vault(&vault).await.unwrap();
        sandbox.list_key_tags(&key).await.unwrap();
    };
    let _ = tokio::join!(
        vault_key,
        sandbox.describe_key(&key),
        sandbox.get_key_policy(&key)
    );
    let rounds: Vec<_> = sandbox
        .calls()
        .begun()
        .into_iter()
        .map(|call| (call.operation, call.round))
        .collect();
    assert_eq!(
        rounds,
        [
            ("backup:DescribeBackupVault", 1),
            ("kms:DescribeKey", 1),
            ("kms:GetKeyPolicy", 1),
            ("kms:ListResourceTags", 2)
        ]
    );
}

#[tokio::test]
async fn an_account_outside_the_world_refuses_everything() {
    let sandbox = Sandbox::new(load(&world()));
    let vault = VAULT
        .replace("444455556666", "121212121212")
        .parse()
        .unwrap();
    assert_eq!(
        sandbox
            .describe_backup_vault(&vault)
            .await
            .unwrap_err()
            .kind,
        CallErrorKind::AccessDenied
    );
}

#[tokio::test]
async fn only_the_management_account_reads_the_global_settings() {
    let sandbox = Sandbox::new(load(&world()));
    assert!(
        sandbox
            .is_cross_account_backup_enabled(&location("999988887777"))
            .await
            .unwrap()
    );
    let error = sandbox
        .is_cross_account_backup_enabled(&location("111122223333"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::AccessDenied);
}

#[tokio::test]
async fn a_copy_runs_at_once_and_a_token_starts_one_only() {
    let sandbox = Sandbox::new(load(&world()));
    let first = sandbox.start_copy(&start("t")).await.unwrap();
    assert_eq!(sandbox.start_copy(&start("t")).await.unwrap(), first);
    assert_ne!(sandbox.start_copy(&start("u")).await.unwrap(), first);
    let job = sandbox
        .describe_copy_job(&location("111122223333"), &first)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.backup_plan, None);
    assert_eq!(sandbox.writes().len(), 2);
    let elsewhere = sandbox
        .describe_copy_job(&location("444455556666"), &first)
        .await
        .unwrap();
    assert_eq!(elsewhere, None, "a job is seen where it ran");
}

#[tokio::test]
async fn continuous_backups_are_not_copied_on_demand() {
    let sandbox = Sandbox::new(load(&world()));
    let mut copy = start("t");
    copy.recovery_point = "arn:aws:backup:us-east-1:111122223333:recovery-point:continuous:x-1"
        .parse()
        .unwrap();
    assert_eq!(
        sandbox.start_copy(&copy).await.unwrap_err().kind,
        CallErrorKind::Rejected
    );
}

#[tokio::test]
async fn calls_are_counted_and_can_be_made_to_fail() {
    let sandbox = Sandbox::new(load(&world()));
    let key = KEY.parse().unwrap();
    sandbox
        .calls()
        .fail_call("kms:GetKeyPolicy", 2, CallErrorKind::Throttled);
    assert!(sandbox.get_key_policy(&key).await.is_ok());
    assert_eq!(
        sandbox.get_key_policy(&key).await.unwrap_err().kind,
        CallErrorKind::Throttled
    );
    assert!(sandbox.get_key_policy(&key).await.is_ok());
    sandbox.fail("kms:GetKeyPolicy", CallErrorKind::AccessDenied);
    assert!(sandbox.get_key_policy(&key).await.is_err());
    sandbox.calls().mend("kms:GetKeyPolicy");
    assert!(sandbox.get_key_policy(&key).await.is_ok());
    assert_eq!(sandbox.calls().count("kms:GetKeyPolicy"), 5);
}

#[tokio::test]
async fn someone_else_can_act_between_two_calls() {
    let sandbox = Sandbox::new(load(&world()));
    let vault: copymend_diagnosis::BackupVaultArn = VAULT.parse().unwrap();
    let theirs = vault.clone();
    sandbox.before_next("backup:GetBackupVaultAccessPolicy", move |world| {
        world.vault_mut(&theirs).unwrap().policy = None;
    });
    assert_eq!(
        sandbox
            .get_backup_vault_access_policy(&vault)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn the_clock_moves_only_when_asked() {
    let sandbox = Sandbox::new(World::default_world());
    let before = sandbox.clock().now();
    assert_eq!(sandbox.clock().now(), before);
    sandbox
        .clock()
        .sleep(std::time::Duration::from_secs(90))
        .await;
    assert_eq!(sandbox.clock().now().duration_since(before).as_secs(), 90);
}
