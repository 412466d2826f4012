//! Each rule about the destination vault's key, the keys of images, keys in opt-in Regions and the
//! source vault alone decides.

use copymend_diagnosis::Cause;
use copymend_sandbox::{CopyFailure, NewCopy, World};
use serde_json::{Value, json};

use crate::small::{KEY, POINT, VAULT, copy, key_policy, run, with, world};

const SOURCE: &str = "/accounts/111122223333";
const SOURCE_VAULT: &str = "/accounts/111122223333/regions/us-east-1/vaults/prod";
const SOURCE_POINT: &str = "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0";
const SOURCE_KEYS: &str = "/accounts/111122223333/regions/us-east-1/keys";
const DESTINATION: &str = "/accounts/444455556666/regions/eu-west-1";
const VAULT_KEY: &str =
    "arn:aws:kms:eu-west-1:444455556666:key/22222222-2222-4222-8222-222222222222";
const JOB_ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";
const SERVICE_LINKED_ROLE: &str =
    "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
const DEFAULT_KEY: &str = "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. The contents of this vault cannot be copied. Only the contents of a Backup vault encrypted by an AWS KMS key may be copied.";
const NOT_USABLE: &str =
    "KMS key is either disabled or pending deletion or access to KMS key is denied";
const IMAGE_KEY: &str = "AMI snapshot copy failed with error: Given key ID is not accessible. You must have DescribeKey permissions on the default key";

fn failure(world: &Value, copy: NewCopy) -> Option<CopyFailure> {
    run(world, copy).failure().cloned()
}

#[track_caller]
fn refused(world: &Value, copy: NewCopy, cause: Cause, words: &str) {
    let failure = failure(world, copy).expect("the copy is refused");
    assert_eq!(
        (failure.cause, failure.message.as_str()),
        (Some(cause), words)
    );
}

#[track_caller]
fn passes(world: &Value, copy: NewCopy) {
    assert_eq!(failure(world, copy), None);
}

fn denied(principal: &str, action: &str, resource: &str) -> String {
    format!(
        "User: {principal} is not authorized to perform: {action} on resource: {resource} with an explicit deny in a resource-based policy"
    )
}

/// A vault of the source's account and Region, and the copy to it.
fn inside(vault: &Value) -> (Value, NewCopy) {
    let world = with(
        world(),
        &format!("{SOURCE}/regions/us-east-1/vaults/other"),
        vault.clone(),
    );
    let mut copy = copy();
    copy.destination_vault = "arn:aws:backup:us-east-1:111122223333:backup-vault:other"
        .parse()
        .unwrap();
    (world, copy)
}

fn of_type(world: Value, mut copy: NewCopy, kind: &str) -> (Value, NewCopy) {
    let (arn, resource, key) = match kind {
        "S3" => (
            "arn:aws:backup:us-east-1:111122223333:recovery-point:1",
            "arn:aws:s3:::bucket",
            None,
        ),
        "Aurora" => (
            "arn:aws:rds:us-east-1:111122223333:cluster-snapshot:awsbackup:job-1",
            "arn:aws:rds:us-east-1:111122223333:cluster:sales",
            None,
        ),
        _ => (
            POINT,
            "arn:aws:ec2:us-east-1:111122223333:volume/vol-1",
            Some(KEY),
        ),
    };
    copy.recovery_point = arn.parse().unwrap();
    let mut point = json!({"arn": arn, "resource_arn": resource, "resource_type": kind});
    if let Some(key) = key {
        point["encryption_key_arn"] = json!(key);
    }
    (with(world, SOURCE_POINT, point), copy)
}

/// That these are the words for this vault is inferred.
#[test]
fn the_default_vault_takes_no_copy_from_another_account() {
    let vault = world()
        .pointer(&format!("{DESTINATION}/vaults/dr"))
        .unwrap()
        .clone();
    let named = |name: &str, vault: &Value| {
        let mut copy = copy();
        copy.destination_vault = VAULT.replace(":dr", &format!(":{name}")).parse().unwrap();
        of_type(
            with(
                world(),
                &format!("{DESTINATION}/vaults/{name}"),
                vault.clone(),
            ),
            copy,
            "S3",
        )
    };
    let mut on_default_key = vault.clone();
    on_default_key
        .as_object_mut()
        .unwrap()
        .shift_remove("encryption_key_arn");
    for vault in [vault, on_default_key] {
        let (world, copy) = named("Other", &vault);
        passes(&world, copy);
        let (world, copy) = named("Default", &vault);
        refused(&world, copy, Cause::DestinationVaultKey, DEFAULT_KEY);
    }
    let (world, mut copy) = inside(&json!({}));
    let world = with(
        world,
        &format!("{SOURCE}/regions/us-east-1/vaults/Default"),
        json!({}),
    );
    copy.destination_vault = "arn:aws:backup:us-east-1:111122223333:backup-vault:Default"
        .parse()
        .unwrap();
    let (world, copy) = of_type(world, copy, "S3");
    passes(&world, copy);
}

#[test]
fn the_default_key_takes_only_fully_managed_types_in_the_same_account_neither() {
    let (on_default_key, copy) = inside(&json!({}));
    refused(
        &on_default_key,
        copy.clone(),
        Cause::DestinationVaultKey,
        DEFAULT_KEY,
    );
    // What isn't encrypted would be encrypted with it, too.
    let (mut plain, _) = inside(&json!({}));
    plain
        .pointer_mut(SOURCE_POINT)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .shift_remove("encryption_key_arn");
    refused(
        &plain,
        copy.clone(),
        Cause::DestinationVaultKey,
        DEFAULT_KEY,
    );
    // Fully managed types, and clusters that stay unencrypted.
    for kind in ["S3", "Aurora"] {
        let (world, copy) = of_type(on_default_key.clone(), copy.clone(), kind);
        passes(&world, copy);
    }
    let (world, of_gateway) = of_type(on_default_key, copy.clone(), "Storage Gateway");
    refused(
        &world,
        of_gateway,
        Cause::DestinationVaultKey,
        "UnsupportedOperation : Storage Gateway backup copies require a user-created backup vault and key at destination.",
    );
    // The managed key of the service that owns the resource, and a customer managed one.
    let key = "arn:aws:kms:us-east-1:111122223333:key/33333333-3333-4333-8333-333333333333";
    let (world, _) = inside(&json!({"encryption_key_arn": key}));
    for key in [json!({"manager": "AWS", "alias": "aws/ebs"}), json!({})] {
        let world = with(
            world.clone(),
            &format!("{SOURCE_KEYS}/33333333-3333-4333-8333-333333333333"),
            key,
        );
        passes(&world, copy.clone());
    }
    let of_rds = json!({"manager": "AWS", "alias": "aws/rds"});
    let world = with(
        world,
        &format!("{SOURCE_KEYS}/33333333-3333-4333-8333-333333333333"),
        of_rds,
    );
    refused(&world, copy, Cause::DestinationVaultKey, DEFAULT_KEY);
}

fn statement(principal: &str, actions: &Value) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"})
}

#[test]
fn the_vaults_key_admits_the_service_linked_role_of_its_account() {
    let policy = format!("{DESTINATION}/keys/22222222-2222-4222-8222-222222222222/policy");
    let needed = [
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:CreateGrant",
    ];
    let admits = |actions: &Value| {
        let statements = json!({"Statement": [statement(SERVICE_LINKED_ROLE, actions)]});
        with(world(), &policy, statements)
    };
    passes(&admits(&json!(needed)), copy());
    for left_out in needed {
        let rest: Vec<&str> = needed
            .into_iter()
            .filter(|action| *action != left_out)
            .collect();
        refused(
            &admits(&json!(rest)),
            copy(),
            Cause::DestinationVaultKey,
            NOT_USABLE,
        );
    }
    let mut denying = admits(&json!(needed));
    let statements = denying.pointer_mut(&format!("{policy}/Statement")).unwrap();
    statements.as_array_mut().unwrap().push(
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*"}),
    );
    let session = "arn:aws:sts::444455556666:assumed-role/AWSServiceRoleForBackup/AWSBackup-AWSServiceRoleForBackup";
    let words = denied(session, "kms:CreateGrant", VAULT_KEY);
    refused(&denying, copy(), Cause::DestinationVaultKey, &words);
    // What AWS Backup manages fully rests on the grant that the vault has had since it was made.
    let (world, copy) = of_type(admits(&json!(["kms:DescribeKey"])), copy(), "S3");
    passes(&world, copy);
}

#[test]
fn the_vaults_key_may_belong_to_another_account_that_admits_the_role() {
    let third = "arn:aws:kms:eu-west-1:222233334444:key/44444444-4444-4444-8444-444444444444";
    let world = with(
        world(),
        &format!("{DESTINATION}/vaults/dr/encryption_key_arn"),
        json!(third),
    );
    let shared = |policy: Option<Value>| {
        let key = policy.map_or_else(
            || json!({}),
            |policy| json!({"policy": {"Statement": [policy]}}),
        );
        let keys = json!({"44444444-4444-4444-8444-444444444444": key});
        let account = json!({"regions": {"eu-west-1": {"keys": keys}}});
        with(world.clone(), "/accounts/222233334444", account)
    };
    passes(
        &shared(Some(statement(
            "arn:aws:iam::444455556666:root",
            &json!("kms:*"),
        ))),
        copy(),
    );
    refused(
        &shared(None),
        copy(),
        Cause::DestinationVaultKey,
        NOT_USABLE,
    );
}

/// Who uses the keys of such a copy is inferred.
#[test]
fn inside_one_account_the_job_role_uses_both_keys() {
    let key = "33333333-3333-4333-8333-333333333333";
    let arn = format!("arn:aws:kms:us-east-1:111122223333:key/{key}");
    let (world, copy) = inside(&json!({"encryption_key_arn": arn}));
    let world = with(world, &format!("{SOURCE_KEYS}/{key}"), json!({}));
    passes(&world, copy.clone());
    let for_role = json!({"Statement": [statement(JOB_ROLE, &json!("kms:*"))]});
    let for_others = json!({"Statement": [statement(SERVICE_LINKED_ROLE, &json!("kms:*"))]});
    let source = format!("{SOURCE_KEYS}/11111111-1111-4111-8111-111111111111/policy");
    let destination = format!("{SOURCE_KEYS}/{key}/policy");
    for (policy, cause, words) in [
        (
            source,
            Cause::SourceKeyPolicy,
            "Given key ID is not accessible",
        ),
        (destination, Cause::DestinationVaultKey, NOT_USABLE),
    ] {
        passes(
            &with(world.clone(), &policy, for_role.clone()),
            copy.clone(),
        );
        refused(
            &with(world.clone(), &policy, for_others.clone()),
            copy.clone(),
            cause,
            words,
        );
    }
}

#[test]
fn every_snapshot_of_an_image_needs_its_key() {
    let second = "arn:aws:kms:us-east-1:111122223333:key/33333333-3333-4333-8333-333333333333";
    let image = "arn:aws:ec2:us-east-1::image/ami-0123456789abcdef0";
    let mut copy = copy();
    copy.recovery_point = image.parse().unwrap();
    let snapshots = json!([{"encryption_key_arn": KEY}, {"encryption_key_arn": second}, {}]);
    let point = json!({"arn": image, "resource_arn": "arn:aws:ec2:us-east-1:111122223333:instance/i-1",
        "resource_type": "EC2", "encryption_key_arn": KEY, "snapshots": snapshots});
    let world = with(world(), SOURCE_POINT, point);
    let with_second = |key| {
        with(
            world.clone(),
            &format!("{SOURCE_KEYS}/33333333-3333-4333-8333-333333333333"),
            key,
        )
    };
    passes(&with_second(json!({"policy": key_policy()})), copy.clone());
    for (key, cause, words) in [
        (json!({}), Cause::SourceKeyPolicy, IMAGE_KEY),
        (
            json!({"policy": key_policy(), "state": "Disabled"}),
            Cause::SourceKeyState,
            NOT_USABLE,
        ),
        (
            json!({"manager": "AWS", "alias": "aws/ebs"}),
            Cause::AwsManagedKey,
            "Snapshots encrypted with the AWS managed key can't be shared. Specify another snapshot.",
        ),
    ] {
        refused(&with_second(key), copy.clone(), cause, words);
    }
    refused(
        &world,
        copy,
        Cause::KeyNotFound,
        "Given key ID does not exist",
    );
}

#[test]
fn only_an_image_has_snapshots_of_its_own() {
    let world = with(
        world(),
        &format!("{SOURCE_POINT}/snapshots"),
        json!([{"encryption_key_arn": KEY}]),
    );
    let error = World::from_json(&world.to_string())
        .unwrap_err()
        .to_string();
    assert!(error.contains("recovery_points[0].snapshots"), "{error}");
}

/// AWS's words are inferred.
#[test]
fn a_key_in_an_opt_in_region_serves_only_accounts_that_are_enabled_there() {
    let key = "arn:aws:kms:eu-south-1:111122223333:key/11111111-1111-4111-8111-111111111111";
    let point = "arn:aws:ec2:eu-south-1::snapshot/snap-0123456789abcdef0";
    let vault = "arn:aws:backup:eu-south-1:111122223333:backup-vault:prod";
    let mut world = world();
    let text = world["accounts"]["111122223333"]["regions"].to_string();
    let moved = text.replace("us-east-1", "eu-south-1");
    world["accounts"]["111122223333"]["regions"] = serde_json::from_str(&moved).unwrap();
    assert!(moved.contains(key));
    let mut copy = copy();
    copy.recovery_point = point.parse().unwrap();
    copy.source_vault = vault.parse().unwrap();
    let enabled = |regions: Value| {
        with(
            world.clone(),
            "/accounts/444455556666/enabled_opt_in_regions",
            regions,
        )
    };
    passes(&world, copy.clone());
    passes(&enabled(json!(["af-south-1", "eu-south-1"])), copy.clone());
    refused(
        &enabled(json!(["af-south-1"])),
        copy.clone(),
        Cause::RegionOptIn,
        "Given key ID is not accessible",
    );
    // A Region that needs no opt-in, and a key of the account itself.
    passes(
        &with(
            crate::small::world(),
            "/accounts/444455556666/enabled_opt_in_regions",
            json!([]),
        ),
        crate::small::copy(),
    );
    let error = World::from_json(&enabled(json!(["eu-west-1"])).to_string())
        .unwrap_err()
        .to_string();
    assert!(error.contains("enabled_opt_in_regions"), "{error}");
}

#[test]
fn the_source_vault_may_deny_the_copy_and_needs_no_allow() {
    let policy = |effect: &str, action: &str, condition: &Value| {
        let statement = json!({"Effect": effect, "Principal": "*", "Action": action, "Resource": "*", "Condition": condition});
        with(
            world(),
            &format!("{SOURCE_VAULT}/policy"),
            json!({"Version": "2012-10-17", "Statement": [statement]}),
        )
    };
    let always = json!({});
    passes(
        &policy("Allow", "backup:DescribeRecoveryPoint", &always),
        copy(),
    );
    passes(
        &policy("Deny", "backup:DeleteRecoveryPoint", &always),
        copy(),
    );
    let session = "arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole";
    let words = denied(session, "backup:CopyFromBackupVault", POINT);
    refused(
        &policy("Deny", "backup:CopyFromBackupVault", &always),
        copy(),
        Cause::SourceVaultDeny,
        &words,
    );
    // One that lets copies go to these vaults alone.
    let elsewhere = |vault: &str| json!({"ForAllValues:ArnNotLike": {"backup:CopyTargets": vault}});
    passes(
        &policy("Deny", "backup:CopyFromBackupVault", &elsewhere(VAULT)),
        copy(),
    );
    refused(
        &policy(
            "Deny",
            "backup:CopyFromBackupVault",
            &elsewhere("arn:aws:backup:*:*:backup-vault:cab-*"),
        ),
        copy(),
        Cause::SourceVaultDeny,
        &words,
    );
}
