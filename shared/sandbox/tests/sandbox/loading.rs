//! What is a world, and what isn't.

use copymend_sandbox::World;
use serde_json::{Value, json};

use crate::small::{POINT, SOURCE_VAULT, VAULT, load, with, world};

fn refused(world: &Value) -> String {
    World::from_json(&world.to_string())
        .unwrap_err()
        .to_string()
}

#[test]
fn fields_that_do_not_exist_are_refused_at_every_level() {
    for pointer in [
        "/color",
        "/organizations/0/color",
        "/accounts/111122223333/color",
        "/accounts/111122223333/roles/BackupRole/color",
        "/accounts/111122223333/regions/us-east-1/color",
        "/accounts/111122223333/regions/us-east-1/vaults/prod/color",
        "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0/color",
    ] {
        let error = refused(&with(world(), pointer, json!("red")));
        assert!(
            error.contains("unknown field `color`") && error.contains("line 1 column"),
            "{pointer}: {error}"
        );
    }
}

#[test]
fn values_that_cannot_be_are_refused_and_the_error_says_where() {
    let vault = "/accounts/444455556666/regions/eu-west-1/vaults/dr";
    for (pointer, value, words) in [
        (
            "/organizations/0/id",
            json!("exampleorg"),
            "organizations[0].id",
        ),
        (
            "/organizations/0/member_accounts/111122223333",
            json!("r-ab12"),
            "organizations[0].member_accounts.111122223333",
        ),
        ("/accounts/12345", json!({}), "twelve digits"),
        (
            "/accounts/999988887777/partition",
            json!("mars"),
            "accounts.999988887777.partition",
        ),
        (
            &format!("{vault}/encryption_key_arn"),
            json!("alias/x"),
            "ARN",
        ),
        (
            &format!("{vault}/vault_type"),
            json!("BOX"),
            "vaults.dr.vault_type",
        ),
        (
            &format!("{vault}/policy"),
            json!({"Statement": [{"Effect": "Perhaps"}]}),
            "accounts.444455556666.regions.eu-west-1.vaults.dr.policy",
        ),
        (
            "/accounts/444455556666/regions/eu-west-1/keys/22222222-2222-4222-8222-222222222222/state",
            json!("On"),
            "state",
        ),
        (
            "/accounts/111122223333/roles/BackupRole/managed_policies",
            json!(["AdministratorAccess"]),
            "roles.BackupRole.managed_policies",
        ),
        (
            "/accounts/111122223333/roles/BackupRole/path",
            json!("service-role"),
            "roles.BackupRole",
        ),
        (
            "/accounts/111122223333/users",
            json!(["alice", {"name": "bob", "managed_policies": ["AdministratorAccess"]}]),
            "users[1].managed_policies",
        ),
        (
            "/accounts/111122223333/users",
            json!([{"name": "bob", "color": "red"}]),
            "unknown field `color`",
        ),
        (
            "/accounts/111122223333/users",
            json!(["/"]),
            "is not a user's name",
        ),
        (
            "/organizations/0/tag_policies",
            json!({"Stage": {"values": ["x"], "enforced_for": ["snapshot"]}}),
            "organizations[0].tag_policies.Stage.enforced_for",
        ),
        (
            "/organizations/0/tag_policies",
            json!({"Stage": {"value": ["x"]}}),
            "a list of values, or an object",
        ),
        (
            "/organizations/0/resource_control_policies",
            json!([{"name": "x", "targets": ["r-ab12"], "policy": {"Statement": [
                {"Effect": "Deny", "Action": "kms:*", "Resource": "*"}]}}]),
            "organizations[0].resource_control_policies[0].policy",
        ),
    ] {
        let error = refused(&with(world(), pointer, value));
        assert!(error.contains(words), "{pointer}: {error}");
    }
    let twice = world().to_string().replacen(
        "\"999988887777\":{}",
        "\"999988887777\":{},\"999988887777\":{}",
        1,
    );
    assert!(
        World::from_json(&twice)
            .unwrap_err()
            .to_string()
            .contains("appears twice")
    );
    assert!(World::from_json("no JSON").is_err());
}

#[test]
fn a_partition_that_is_none_and_a_negative_retention_are_refused() {
    let lock = "/accounts/444455556666/regions/eu-west-1/vaults/dr/lock";
    for (pointer, value, words) in [
        (
            "/accounts/999988887777/partition",
            json!("aws-moon"),
            "`aws-moon` is not a partition",
        ),
        (
            lock,
            json!({"min_retention_days": -7}),
            "a retention of -7 days is none, at `accounts.444455556666.regions.eu-west-1.vaults.dr.lock`",
        ),
    ] {
        let error = refused(&with(world(), pointer, value));
        assert!(error.contains(words), "{pointer}: {error}");
    }
}

#[test]
fn a_policy_is_kept_byte_for_byte_as_text_and_as_an_object() {
    let text = "{ \"Statement\" : [ ],\n\t\"Version\":\"2012-10-17\" }";
    let world = world().to_string();
    let policy = r#"{"Statement":[{"Action":"backup:CopyIntoBackupVault","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Resource":"*"}],"Version":"2012-10-17"}"#;
    let policy = if world.contains(policy) {
        policy.to_owned()
    } else {
        json!({"Version": "2012-10-17", "Statement": [crate::small::allow_copy()]}).to_string()
    };
    assert!(world.contains(&policy));
    for written in [text.to_owned(), json!(text).to_string()] {
        let world = World::from_json(&world.replacen(&policy, &written, 1)).unwrap();
        let vault = world.vault(&VAULT.parse().unwrap()).unwrap();
        assert_eq!(vault.policy.as_ref().unwrap().as_str(), text);
    }
}

#[test]
fn a_file_cannot_say_how_a_copy_ended() {
    let job = json!({"id": "1", "recovery_point_arn": POINT, "source_vault_arn": SOURCE_VAULT, "destination_vault_arn": VAULT,
        "iam_role_arn": crate::small::ROLE, "creation_date": "2026-11-01T03:00:00Z"});
    let world = with(world(), "/copy_jobs", json!([job]));
    let lifecycle = |days: i64| json!({ "delete_after_days": days });
    assert!(
        refused(&with(
            world.clone(),
            "/copy_jobs/0/lifecycle",
            lifecycle(-35)
        ))
        .contains("-35 days are no retention"),
        "-1 alone stands for ever"
    );
    assert!(load(&world).copy_job("1").unwrap().failure().is_none());
    assert!(
        refused(&with(world, "/copy_jobs/0/state", json!("FAILED")))
            .contains("unknown field `state`")
    );
}

#[test]
fn vaults_without_a_key_get_the_default_one() {
    let world = load(&world());
    let vault = world.vault(&SOURCE_VAULT.parse().unwrap()).unwrap();
    let key = vault.encryption_key_arn.as_ref().unwrap();
    assert_eq!(world.key(key).unwrap().alias.as_deref(), Some("aws/backup"));
}

#[test]
fn the_world_in_the_documentation_does_what_the_documentation_says() {
    let page = include_str!("../../../../docs/world.md");
    let (_, example) = page.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let world = World::from_json(example).unwrap();
    assert_eq!(
        world.copy_jobs()[0].status_message(),
        "Access Denied trying to call AWS Backup service"
    );
}
