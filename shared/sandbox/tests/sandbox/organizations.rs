//! Policies of the organization: on tags, and on resources.

use copymend_diagnosis::{Cause, TagPolicy};
use copymend_remediation::ports::Organizations;
use copymend_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::small::{POINT, ROLE, copy, load, run, with, world};

const DESTINATION_VAULT: &str = "/accounts/444455556666/regions/eu-west-1/vaults/dr";
const SOURCE_POINT: &str = "/accounts/111122223333/regions/us-east-1/vaults/prod/recovery_points/0";
const VAULT_KEY: &str =
    "arn:aws:kms:eu-west-1:444455556666:key/22222222-2222-4222-8222-222222222222";

async fn effective(world: &Value, account: &str) -> Option<String> {
    Sandbox::new(load(world))
        .effective_tag_policy(account.parse().unwrap(), "aws")
        .await
        .unwrap()
}

#[tokio::test]
async fn the_effective_tag_policy_is_written_as_aws_writes_it() {
    let rules = json!({
        "CostCenter": {"values": ["100", "2*"], "enforced_for": ["ec2:snapshot"]},
        "Owner": {}
    });
    let world = with(world(), "/organizations/0/tag_policies", rules);
    let text = effective(&world, "444455556666").await.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({"tags": {
            "costcenter": {"tag_key": "CostCenter", "tag_value": ["100", "2*"], "enforced_for": ["ec2:snapshot"]},
            "owner": {"tag_key": "Owner"}
        }})
    );
    let policy = TagPolicy::parse(&text).unwrap();
    let tags = [("CostCenter".to_owned(), "300".to_owned())].into();
    assert_eq!(policy.violations(&tags)[0].enforced_for, ["ec2:snapshot"]);
}

#[tokio::test]
async fn without_rules_or_without_an_organization_there_is_no_tag_policy() {
    assert_eq!(effective(&world(), "444455556666").await, None);
    let rules = json!({"Owner": ["x"]});
    let mut outside = with(world(), "/organizations/0/tag_policies", rules);
    outside["accounts"]["777766665555"] = json!({});
    assert_eq!(effective(&outside, "777766665555").await, None);
    assert!(effective(&outside, "999988887777").await.is_some());
}

#[test]
fn a_tag_policy_stops_the_types_that_it_is_enforced_for() {
    for (enforced_for, stops) in [
        (json!(["ec2:snapshot"]), true),
        (json!(["ec2:*"]), true),
        (json!(["ec2:ALL_SUPPORTED"]), true),
        (json!(["ec2:instance", "rds:*"]), false),
        (json!([]), false),
    ] {
        let rules = json!({"Stage": {"values": ["prod"], "enforced_for": enforced_for}});
        let world = with(world(), "/organizations/0/tag_policies", rules);
        for (tags, complies) in [
            (json!({"Stage": "prod"}), true),
            (json!({"Stage": "test"}), false),
            (json!({"stage": "prod"}), false),
            (json!({"Other": "x", "aws:stage": "x"}), true),
        ] {
            let world = with(world.clone(), &format!("{SOURCE_POINT}/tags"), tags.clone());
            let cause = run(&world, copy())
                .failure()
                .and_then(|failure| failure.cause);
            let expected = (stops && !complies).then_some(Cause::TagPolicy);
            assert_eq!(cause, expected, "{enforced_for} {tags}");
        }
    }
}

/// The policy of an air-gapped vault's key must admit the job role.
fn air_gapped() -> Value {
    let key = "/accounts/444455556666/regions/eu-west-1/keys/22222222-2222-4222-8222-222222222222";
    let open = json!({"Effect": "Allow", "Principal": {"AWS": ["111122223333", "444455556666"]}, "Action": "kms:*",
        "Resource": "*"});
    let world = with(
        world(),
        &format!("{key}/policy"),
        json!({"Version": "2012-10-17", "Statement": [open]}),
    );
    with(
        world,
        &format!("{DESTINATION_VAULT}/vault_type"),
        json!("LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),
    )
}

fn controlled(world: Value, targets: &Value, statement: &Value) -> Value {
    with(
        world,
        "/organizations/0/resource_control_policies",
        json!([{"name": "x", "targets": targets, "policy": {"Version": "2012-10-17", "Statement": [statement]}}]),
    )
}

fn deny(action: &str) -> Value {
    json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"})
}

#[test]
fn a_resource_control_policy_stops_the_job_roles_use_of_an_air_gapped_vaults_key() {
    let world = controlled(air_gapped(), &json!(["r-ab12"]), &deny("kms:*"));
    let failure = run(&world, copy()).failure().unwrap().clone();
    assert_eq!(failure.cause, Some(Cause::ResourceControlPolicy));
    assert_eq!(
        failure.message,
        format!(
            "User: arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole is not authorized to perform: kms:DescribeKey on resource: {VAULT_KEY} with an explicit deny in a resource control policy"
        )
    );
    let others = json!({"Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": VAULT_KEY,
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}});
    let admitted = controlled(air_gapped(), &json!(["r-ab12"]), &others);
    assert!(run(&admitted, copy()).failure().is_none());
}

#[test]
fn a_resource_control_policy_leaves_alone_what_it_does_not_cover() {
    let everywhere = json!(["r-ab12"]);
    // Service-linked roles, the only ones that use a key for a standard vault; and the policies of
    // AWS Backup.
    let standard = controlled(world(), &everywhere, &deny("kms:*"));
    let vaults = controlled(world(), &everywhere, &deny("backup:*"));
    // Resources of other accounts, and of the management account. The job role uses the source key
    // too, which is another matter.
    let mut vaults_key = deny("kms:*");
    vaults_key["Resource"] = json!(VAULT_KEY);
    let source = controlled(air_gapped(), &json!(["111122223333"]), &vaults_key);
    let mut management = controlled(air_gapped(), &everywhere, &vaults_key);
    management["organizations"][0]["management_account"] = json!("444455556666");
    // A vault with an AWS owned key.
    let mut owned = controlled(air_gapped(), &everywhere, &vaults_key);
    let vault = owned.pointer_mut(DESTINATION_VAULT).unwrap();
    vault
        .as_object_mut()
        .unwrap()
        .shift_remove("encryption_key_arn");
    for world in [standard, vaults, source, management, owned] {
        let job = run(&world, copy());
        assert_eq!(job.status_message(), "", "{POINT}");
    }
}

#[test]
fn a_resource_control_policy_stops_the_job_roles_use_of_the_source_key_on_its_way_into_such_a_vault()
 {
    let world = controlled(air_gapped(), &json!(["111122223333"]), &deny("kms:*"));
    let failure = run(&world, copy()).failure().unwrap().clone();
    assert_eq!(failure.cause, Some(Cause::ResourceControlPolicy));
    assert!(
        failure.message.contains(crate::small::KEY),
        "{}",
        failure.message
    );
}
