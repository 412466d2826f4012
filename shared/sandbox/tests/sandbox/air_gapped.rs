//! Each rule about logically air-gapped vaults alone decides.

use copymend_diagnosis::Cause;
use copymend_sandbox::{CopyFailure, NewCopy};
use serde_json::{Value, json};

use crate::small::{KEY, VAULT, copy, load, run, with, world};

const SOURCE: &str = "/accounts/111122223333";
const SOURCE_POINT: &str = "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0";
const SOURCE_KEY: &str =
    "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111";
const DESTINATION_VAULT: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr";
const VAULT_KEY: &str =
    "/accounts/444455556666/regions/eu-west-1/keys/22222222-2222-4222-8222-222222222222";
const SERVICE_LINKED_ROLE: &str =
    "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
const JOB_ROLE: &str = "arn:aws:iam::111122223333:role/BackupRole";
const NOT_USABLE: &str =
    "KMS key is either disabled or pending deletion or access to KMS key is denied";
const NOT_SHARED: &str =
    "Snapshots encrypted with the AWS managed key can't be shared. Specify another snapshot.";
const AIR_GAPPED: &str = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT";

/// The policy that AWS documents for the customer managed key of such a vault, for these
/// principals.
fn documented(owner: &str, principals: &[&str], via_backup: bool) -> Value {
    let root =
        json!({"Effect": "Allow", "Principal": {"AWS": owner}, "Action": "kms:*", "Resource": "*"});
    let mut key_use = json!({"Sid": "Use", "Effect": "Allow", "Principal": {"AWS": principals},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*"});
    let mut grant = json!({"Sid": "Grant", "Effect": "Allow", "Principal": {"AWS": principals},
        "Action": "kms:CreateGrant", "Resource": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}});
    if via_backup {
        let via = json!({"kms:ViaService": "backup.*.amazonaws.com"});
        key_use["Condition"] = json!({"StringLike": via});
        grant["Condition"]["StringLike"] = via;
    }
    json!({"Version": "2012-10-17", "Statement": [root, key_use, grant]})
}

/// A copy into an air-gapped vault with a customer managed key.
fn into() -> Value {
    let world = with(
        world(),
        &format!("{DESTINATION_VAULT}/vault_type"),
        json!(AIR_GAPPED),
    );
    let policy = documented("444455556666", &[JOB_ROLE], true);
    with(world, &format!("{VAULT_KEY}/policy"), policy)
}

/// A copy of an EBS backup out of an air-gapped vault with a customer managed key.
fn out_of() -> (Value, NewCopy) {
    let arn = "arn:aws:backup:us-east-1:111122223333:recovery-point:1f2e3d4c";
    let vault = "/accounts/111122223333/regions/us-east-1/vaults/prod";
    let world = with(world(), &format!("{vault}/vault_type"), json!(AIR_GAPPED));
    let world = with(world, &format!("{vault}/encryption_key_arn"), json!(KEY));
    let world = with(world, &format!("{SOURCE_POINT}/arn"), json!(arn));
    let both = documented("111122223333", &[JOB_ROLE, SERVICE_LINKED_ROLE], false);
    let mut copy = copy();
    copy.recovery_point = arn.parse().unwrap();
    (with(world, &format!("{SOURCE_KEY}/policy"), both), copy)
}

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

fn without(mut world: Value, pointer: &str, name: &str) -> Value {
    let members = world.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    members.shift_remove(name).unwrap();
    world
}

fn backup_of(arn: &str, resource: &str, kind: &str, key: Option<&str>) -> Value {
    let mut point = json!({"arn": arn, "resource_arn": resource, "resource_type": kind});
    if let Some(key) = key {
        point["encryption_key_arn"] = json!(key);
    }
    point
}

#[test]
fn the_vaults_own_key_admits_the_job_role_in_its_policy() {
    let world = into();
    passes(&world, copy());
    for statement in ["Use", "Grant"] {
        let mut less = world.clone();
        let policy = less.pointer_mut(&format!("{VAULT_KEY}/policy/Statement"));
        let statements = policy.unwrap().as_array_mut().unwrap();
        statements.retain(|one| one["Sid"] != statement);
        refused(&less, copy(), Cause::DestinationVaultKey, NOT_USABLE);
    }
    // The policy that KMS gives a key delegates to its own account alone.
    let default = without(world, VAULT_KEY, "policy");
    refused(&default, copy(), Cause::DestinationVaultKey, NOT_USABLE);
    // An AWS owned key has no policy that anybody could miss.
    let owned = without(default, DESTINATION_VAULT, "encryption_key_arn");
    passes(&owned, copy());
}

#[test]
fn a_deny_in_the_vaults_own_key_is_worded_as_one() {
    let mut world = into();
    let policy = world.pointer_mut(&format!("{VAULT_KEY}/policy/Statement"));
    policy.unwrap().as_array_mut().unwrap().push(
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*"}),
    );
    let key = "arn:aws:kms:eu-west-1:444455556666:key/22222222-2222-4222-8222-222222222222";
    let words = format!(
        "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: \
         kms:CreateGrant on resource: {key} with an explicit deny in a resource-based policy"
    );
    refused(&world, copy(), Cause::DestinationVaultKey, &words);
}

#[test]
fn the_job_role_may_describe_the_vaults_key_and_let_it_be_granted() {
    let role = format!("{SOURCE}/roles/BackupRole");
    let copying = json!({"Effect": "Allow", "Action": ["backup:CopyFromBackupVault", "backup:CopyIntoBackupVault"],
        "Resource": "*"});
    let with_kms = |actions: Value| {
        let kms = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
        let world = with(into(), &format!("{role}/managed_policies"), json!([]));
        let policies = json!({"own": {"Version": "2012-10-17", "Statement": [copying, kms]}});
        with(world, &format!("{role}/policies"), policies)
    };
    let key = "arn:aws:kms:eu-west-1:444455556666:key/22222222-2222-4222-8222-222222222222";
    let source = "kms:ReEncryptFrom";
    passes(
        &with_kms(json!(["kms:DescribeKey", "kms:CreateGrant", source])),
        copy(),
    );
    for (has, lacks) in [
        ("kms:CreateGrant", "kms:DescribeKey"),
        ("kms:DescribeKey", "kms:CreateGrant"),
    ] {
        let words = format!(
            "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: \
             {lacks} on resource: {key} because no identity-based policy allows the {lacks} action"
        );
        refused(
            &with_kms(json!([has, source])),
            copy(),
            Cause::JobRolePermission,
            &words,
        );
    }
}

#[test]
fn on_the_way_in_the_job_role_uses_the_source_key_and_the_destinations_role_does_not() {
    let policy = format!("{SOURCE_KEY}/policy");
    let only = |principal: &str| {
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"});
        let admin = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/KeyAdministrator"},
            "Action": "kms:PutKeyPolicy", "Resource": "*"});
        with(into(), &policy, json!({"Statement": [admin, statement]}))
    };
    passes(&only(JOB_ROLE), copy());
    refused(
        &only(SERVICE_LINKED_ROLE),
        copy(),
        Cause::SourceKeyPolicy,
        "Given key ID is not accessible",
    );
    // For a standard vault it is the other way round.
    let standard = |principal| {
        with(
            only(principal),
            &format!("{DESTINATION_VAULT}/vault_type"),
            json!("BACKUP_VAULT"),
        )
    };
    passes(&standard(SERVICE_LINKED_ROLE), copy());
    refused(
        &standard(JOB_ROLE),
        copy(),
        Cause::SourceKeyPolicy,
        "Given key ID is not accessible",
    );
}

#[test]
fn on_the_way_out_the_job_role_and_the_destinations_role_use_the_vaults_key() {
    let (world, copy) = out_of();
    passes(&world, copy.clone());
    let policy = format!("{SOURCE_KEY}/policy");
    // No delegation to the account, which would let the role's own policies speak for it.
    for left in [JOB_ROLE, SERVICE_LINKED_ROLE] {
        let mut one = documented("111122223333", &[left], false);
        one["Statement"].as_array_mut().unwrap().remove(0);
        let one = with(world.clone(), &policy, one);
        refused(
            &one,
            copy.clone(),
            Cause::SourceKeyPolicy,
            "Given key ID is not accessible",
        );
    }
}

#[test]
fn it_takes_no_backup_under_an_aws_managed_key_in_the_same_account_neither() {
    let managed = |world| {
        let world = with(world, &format!("{SOURCE_KEY}/manager"), json!("AWS"));
        with(world, &format!("{SOURCE_KEY}/alias"), json!("aws/ebs"))
    };
    refused(&managed(into()), copy(), Cause::AwsManagedKey, NOT_SHARED);
    let vault = "arn:aws:backup:us-east-1:111122223333:backup-vault:lag";
    let mut inside = copy();
    inside.destination_vault = vault.parse().unwrap();
    let with_vault = |kind: &str| {
        let key = (kind != AIR_GAPPED).then_some(
            "arn:aws:kms:us-east-1:111122223333:key/33333333-3333-4333-8333-333333333333",
        );
        let mut vault = json!({"vault_type": kind});
        if let Some(key) = key {
            vault["encryption_key_arn"] = json!(key);
        }
        let world = with(
            world(),
            &format!("{SOURCE}/regions/us-east-1/vaults/lag"),
            vault,
        );
        let keys = format!("{SOURCE}/regions/us-east-1/keys/33333333-3333-4333-8333-333333333333");
        with(world, &keys, json!({}))
    };
    passes(&with_vault(AIR_GAPPED), inside.clone());
    passes(&managed(with_vault("BACKUP_VAULT")), inside.clone());
    refused(
        &managed(with_vault(AIR_GAPPED)),
        inside.clone(),
        Cause::AwsManagedKey,
        NOT_SHARED,
    );
    // Fully managed types have no such limit.
    let arn = "arn:aws:backup:us-east-1:111122223333:recovery-point:1";
    let of_s3 = with(
        with_vault(AIR_GAPPED),
        SOURCE_POINT,
        backup_of(arn, "arn:aws:s3:::bucket", "S3", None),
    );
    inside.recovery_point = arn.parse().unwrap();
    passes(&of_s3, inside);
}

/// The words are inferred.
#[test]
fn it_takes_no_unencrypted_clusters() {
    let words = "Backup job completed successfully to the target backup vault. This resource type is not supported by logically air-gapped backup vault.";
    let arn = "arn:aws:rds:us-east-1:111122223333:cluster-snapshot:awsbackup:job-1";
    for kind in ["Aurora", "DocumentDB", "Neptune"] {
        let resource = "arn:aws:rds:us-east-1:111122223333:cluster:sales";
        let mut copy = copy();
        copy.recovery_point = arn.parse().unwrap();
        let plain = backup_of(arn, resource, kind, None);
        refused(
            &with(into(), SOURCE_POINT, plain.clone()),
            copy.clone(),
            Cause::UnsupportedResourceType,
            words,
        );
        // A standard vault does, and so is what is encrypted.
        passes(&with(world(), SOURCE_POINT, plain), copy.clone());
        let encrypted = backup_of(arn, resource, kind, Some(KEY));
        passes(&with(into(), SOURCE_POINT, encrypted), copy);
    }
    // Other types are encrypted on the way.
    let plain = without(into(), SOURCE_POINT, "encryption_key_arn");
    passes(&plain, copy());
}

#[test]
fn what_lies_in_it_has_an_arn_of_aws_backup_and_is_not_fully_managed_by_that() {
    let key = "arn:aws:kms:eu-west-1:444455556666:key/22222222-2222-4222-8222-222222222222";
    let mut json = into();
    let roles =
        json!({"BackupRole": {"managed_policies": ["AWSBackupServiceRolePolicyForBackup"]}});
    json["accounts"]["444455556666"]["roles"] = roles;
    json["accounts"]["444455556666"]["regions"]["eu-west-1"]["vaults"]["own"] =
        json!({"encryption_key_arn": key});
    json["accounts"]["444455556666"]["regions"]["eu-west-1"]["vaults"]["default"] = json!({});
    let mut world = load(&json);
    let job = world.start_copy(copy()).unwrap();
    let arn = job.destination_recovery_point().unwrap().clone();
    let prefix = "arn:aws:backup:eu-west-1:444455556666:recovery-point:";
    assert!(arn.as_str().starts_with(prefix), "{arn}");
    let stored = world.recovery_point(&VAULT.parse().unwrap(), &arn).unwrap();
    assert!(!stored.is_fully_managed());
    assert_eq!(stored.keys()[0].as_str(), key);

    let mut onward = copy();
    onward.source_vault = VAULT.parse().unwrap();
    onward.recovery_point = arn;
    onward.role = "arn:aws:iam::444455556666:role/BackupRole".parse().unwrap();
    onward.destination_vault = VAULT.replace(":dr", ":default").parse().unwrap();
    let job = world.start_copy(onward.clone()).unwrap();
    assert_eq!(
        job.failure().unwrap().cause,
        Some(Cause::DestinationVaultKey)
    );
    onward.destination_vault = VAULT.replace(":dr", ":own").parse().unwrap();
    let job = world.start_copy(onward).unwrap();
    assert_eq!(job.status_message(), "");
    let copied = job.destination_recovery_point().unwrap().as_str();
    assert!(
        copied.starts_with("arn:aws:ec2:eu-west-1::snapshot/snap-"),
        "{copied}"
    );
}

#[test]
fn what_leaves_it_is_encrypted_with_a_customer_managed_key_whatever_its_type() {
    let arn = "arn:aws:backup:us-east-1:111122223333:recovery-point:1";
    let mut copy = copy();
    copy.recovery_point = arn.parse().unwrap();
    let of_s3 = |vault_type: &str| {
        let point = backup_of(arn, "arn:aws:s3:::bucket", "S3", None);
        let world = with(world(), SOURCE_POINT, point);
        let vault = "/accounts/111122223333/regions/us-east-1/vaults/prod/vault_type";
        with(world, vault, json!(vault_type))
    };
    passes(&of_s3(AIR_GAPPED), copy.clone());
    let to_default =
        |vault_type| without(of_s3(vault_type), DESTINATION_VAULT, "encryption_key_arn");
    passes(&to_default("BACKUP_VAULT"), copy.clone());
    refused(
        &to_default(AIR_GAPPED),
        copy,
        Cause::DestinationVaultKey,
        "Copy job failed because the destination Backup vault is encrypted with the default Backup service managed key. The contents of this vault cannot be copied. Only the contents of a Backup vault encrypted by an AWS KMS key may be copied.",
    );
}

#[test]
fn a_key_of_a_third_account_can_be_the_vaults() {
    let third = "arn:aws:kms:eu-west-1:222233334444:key/44444444-4444-4444-8444-444444444444";
    let world = with(
        into(),
        &format!("{DESTINATION_VAULT}/encryption_key_arn"),
        json!(third),
    );
    let keys = |policy: &Value| {
        let key = json!({"44444444-4444-4444-8444-444444444444": {"policy": policy}});
        with(
            world.clone(),
            "/accounts/222233334444",
            json!({"regions": {"eu-west-1": {"keys": key}}}),
        )
    };
    passes(
        &keys(&documented("222233334444", &[JOB_ROLE], true)),
        copy(),
    );
    refused(
        &keys(&documented("222233334444", &["222233334444"], true)),
        copy(),
        Cause::DestinationVaultKey,
        NOT_USABLE,
    );
}
