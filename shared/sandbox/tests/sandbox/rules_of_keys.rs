//! Each rule about keys alone decides.

use copymend_diagnosis::Cause;
use serde_json::json;

use crate::small::{KEY, broken, copy, key_policy, owner, run, with, world};

const DESTINATION_VAULT: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr";
const SOURCE_POINT: &str = "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0";
const SOURCE_KEY: &str =
    "/accounts/111122223333/regions/us-east-1/keys/11111111-1111-4111-8111-111111111111";

#[test]
fn the_destination_vault_needs_a_usable_key_of_its_owner() {
    let mut default = world();
    default
        .pointer_mut(DESTINATION_VAULT)
        .unwrap()
        .as_object_mut()
        .unwrap()
        .remove("encryption_key_arn");
    let failure = run(&default, copy()).failure().unwrap().clone();
    assert_eq!(failure.cause, Some(Cause::DestinationVaultKey));
    assert!(
        failure
            .message
            .contains("encrypted with the default Backup service managed key")
    );
    let state =
        "/accounts/444455556666/regions/eu-west-1/keys/22222222-2222-4222-8222-222222222222/state";
    assert_eq!(
        broken(state, json!("Disabled")).1,
        Some(Cause::DestinationVaultKey)
    );
}

#[test]
fn the_service_linked_role_must_exist_in_the_destination() {
    let (message, cause) = broken("/accounts/444455556666/service_linked_role", json!(false));
    assert_eq!(cause, Some(Cause::ServiceLinkedRole));
    assert_eq!(message, "Given key ID is not accessible");
}

#[test]
fn the_key_policy_must_allow_every_call_of_the_service_linked_role() {
    let policy = format!("{SOURCE_KEY}/policy");
    for statement in 1..4 {
        let mut without = key_policy();
        without["Statement"]
            .as_array_mut()
            .unwrap()
            .remove(statement);
        let (message, cause) = broken(&policy, without);
        assert_eq!(
            (message.as_str(), cause),
            (
                "Given key ID is not accessible",
                Some(Cause::SourceKeyPolicy)
            )
        );
    }
    let root = json!({"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "kms:*", "Resource": "*"});
    let world = with(world(), &policy, json!({"Statement": [owner(), root]}));
    assert!(
        run(&world, copy()).failure().is_none(),
        "the account's root stands for its roles"
    );
    for via in [
        "backup.*.amazonaws.com",
        "rds.*.amazonaws.com",
        "ec2.us-east-1.amazonaws.com",
    ] {
        let mut narrow = key_policy();
        narrow["Statement"][2]["Condition"]["StringLike"]["kms:ViaService"] = json!(via);
        assert_eq!(
            broken(&policy, narrow).1,
            Some(Cause::SourceKeyPolicy),
            "{via}"
        );
    }
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*",
        "Condition": {"StringNotEquals": {"kms:CallerAccount": "111122223333"}}});
    let mut denied = key_policy();
    denied["Statement"].as_array_mut().unwrap().push(deny);
    let (message, cause) = broken(&policy, denied);
    assert_eq!(cause, Some(Cause::SourceKeyDeny));
    assert_eq!(
        message,
        format!(
            "User: arn:aws:sts::444455556666:assumed-role/AWSServiceRoleForBackup/AWSBackup-AWSServiceRoleForBackup is not authorized to perform: kms:CreateGrant on resource: {KEY} with an explicit deny in a resource-based policy"
        )
    );
}

#[test]
fn the_key_must_exist_be_enabled_and_be_the_customers() {
    for state in ["Disabled", "PendingDeletion", "PendingImport"] {
        let (message, cause) = broken(&format!("{SOURCE_KEY}/state"), json!(state));
        assert_eq!(
            message,
            "KMS key is either disabled or pending deletion or access to KMS key is denied"
        );
        assert_eq!(cause, Some(Cause::SourceKeyState));
    }
    assert_eq!(
        broken("/accounts/111122223333/regions/us-east-1/keys", json!({})),
        (
            "Given key ID does not exist".to_owned(),
            Some(Cause::KeyNotFound)
        )
    );
    assert_eq!(
        broken(&format!("{SOURCE_KEY}/manager"), json!("AWS")),
        (
            "Snapshots encrypted with the AWS managed key can't be shared. Specify another snapshot.".to_owned(),
            Some(Cause::AwsManagedKey)
        )
    );
}

#[test]
fn databases_word_every_trouble_with_the_key_alike() {
    let arn = "arn:aws:rds:us-east-1:111122223333:snapshot:awsbackup:job-1";
    let point = json!({"arn": arn, "resource_arn": "arn:aws:rds:us-east-1:111122223333:db:x", "resource_type": "RDS", "encryption_key_arn": KEY});
    let of_rds = with(world(), SOURCE_POINT, point);
    let mut copy = copy();
    copy.recovery_point = arn.parse().unwrap();
    // The policy admits the role through ec2 alone.
    let failure = run(&of_rds, copy.clone()).failure().unwrap().clone();
    assert_eq!(failure.cause, Some(Cause::SourceKeyPolicy));
    let disabled = with(of_rds, &format!("{SOURCE_KEY}/state"), json!("Disabled"));
    let state = run(&disabled, copy).failure().unwrap().clone();
    assert_eq!(state.cause, Some(Cause::SourceKeyState));
    assert_eq!(state.message, failure.message);
}

#[test]
fn a_fully_managed_type_uses_the_vaults_key() {
    let arn = "arn:aws:backup:us-east-1:111122223333:recovery-point:1";
    let point = json!({"arn": arn, "resource_arn": "arn:aws:s3:::bucket", "resource_type": "S3"});
    let mut of_s3 = with(world(), SOURCE_POINT, point);
    let mut copy = copy();
    copy.recovery_point = arn.parse().unwrap();
    // The vault's key is AWS's own: nothing to share, and the destination may use its own as well.
    assert!(run(&of_s3, copy.clone()).failure().is_none());
    of_s3 = with(
        of_s3,
        "/accounts/111122223333/regions/us-east-1/vaults/prod/encryption_key_arn",
        json!(KEY),
    );
    assert_eq!(
        run(&of_s3, copy.clone()).failure().unwrap().cause,
        Some(Cause::SourceKeyPolicy)
    );
    let root = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
        "Action": ["kms:DescribeKey", "kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"], "Resource": "*"});
    let shared = with(
        of_s3,
        &format!("{SOURCE_KEY}/policy"),
        json!({"Statement": [owner(), root]}),
    );
    assert!(run(&shared, copy).failure().is_none());
}
