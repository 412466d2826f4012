//! What looks like one cause and is another, and what can't be told at all.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;
use serde_json::{Value, json};

use super::breaks::BREAKS;
use super::messages::fail_with;
use super::scene::{
    COPY, DESTINATION, KEY, ORGANIZATION, POINT, ROLE, Scene, VAULT, broken_rule, handle, named,
};

fn break_by(scene: &mut Scene, cause: Cause) {
    let broken = BREAKS.iter().find(|broken| broken.cause == cause).unwrap();
    (broken.apply)(scene);
}

async fn report(scene: &Scene) -> Report {
    handle(&Sandbox::new(scene.load()), Mode::Repair).await
}

fn verdict(report: &Report, cause: Cause) -> Option<Verdict> {
    report
        .diagnosis
        .candidates
        .iter()
        .find(|candidate| candidate.cause == cause)
        .map(|candidate| candidate.verdict)
}

fn control_policy(condition: &Value) -> Value {
    json!([{"name": "conditional", "targets": ["r-ab12"], "policy": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "backup:*", "Resource": "*", "Condition": condition}]}}])
}

/// The simulator refuses whatever a Deny with a condition could deny; this one doesn't deny this
/// copy.
#[tokio::test]
async fn a_false_denial_of_the_simulator_is_not_believed_where_something_else_explains_the_message()
{
    let other_region = json!({"StringNotEquals": {"aws:SourceIdentity": "nobody"}, "StringEquals": {"aws:PrincipalType": "User"}});
    for cause in [
        Cause::DestinationVaultPolicy,
        Cause::SourceKeyPolicy,
        Cause::RetentionOutOfRange,
    ] {
        let mut scene = Scene::healthy();
        scene.set(
            ORGANIZATION,
            "service_control_policies",
            control_policy(&other_region),
        );
        break_by(&mut scene, cause);
        assert_eq!(broken_rule(&scene.load()), Some(cause));
        assert_eq!(named(&report(&scene).await), [cause]);
    }
}

#[tokio::test]
async fn a_service_control_policy_with_a_condition_is_found() {
    let mut scene = Scene::healthy();
    let this_account = json!({"StringEquals": {"aws:PrincipalAccount": "111122223333"}});
    scene.set(
        ORGANIZATION,
        "service_control_policies",
        control_policy(&this_account),
    );
    assert_eq!(
        broken_rule(&scene.load()),
        Some(Cause::ServiceControlPolicy)
    );
    assert_eq!(named(&report(&scene).await), [Cause::ServiceControlPolicy]);
}

/// Nobody told the simulator the key on which this Deny rests.
#[tokio::test]
async fn a_permission_that_rests_on_an_unknown_key_is_neither_shown_nor_excluded() {
    let mut scene = Scene::healthy();
    scene.set(
        ROLE,
        "policies",
        json!({"by time": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "backup:CopyIntoBackupVault",
            "Resource": "*", "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}}]}}),
    );
    assert_eq!(broken_rule(&scene.load()), Some(Cause::JobRolePermission));
    let report = report(&scene).await;
    assert_eq!(named(&report), [Cause::JobRolePermission]);
    assert_eq!(
        verdict(&report, Cause::JobRolePermission),
        Some(Verdict::NotCheckable)
    );
}

#[tokio::test]
async fn a_role_of_the_same_name_under_another_path_is_another_role() {
    let mut scene = Scene::healthy();
    scene.set(ROLE, "path", json!("/service-role/"));
    assert_eq!(broken_rule(&scene.load()), Some(Cause::JobRoleMissing));
    assert_eq!(named(&report(&scene).await), [Cause::JobRoleMissing]);
}

fn trust(key: &str, value: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "backup.amazonaws.com"},
        "Action": "sts:AssumeRole", "Condition": {"StringLike": {key: value}}}]})
}

/// AWS Backup states the account; which resource it states isn't documented for copies.
#[tokio::test]
async fn a_trust_policy_with_a_condition_is_held_against_what_aws_backup_states() {
    for (key, value, verdict_of_trust) in [
        ("aws:SourceAccount", "999988887777", Verdict::Confirmed),
        (
            "aws:SourceArn",
            "arn:aws:backup:eu-west-1:111122223333:*",
            Verdict::NotCheckable,
        ),
    ] {
        let mut scene = Scene::healthy();
        scene.set(ROLE, "trust_policy", trust(key, value));
        assert_eq!(broken_rule(&scene.load()), Some(Cause::JobRoleTrust));
        let report = report(&scene).await;
        assert_eq!(named(&report), [Cause::JobRoleTrust]);
        assert_eq!(
            verdict(&report, Cause::JobRoleTrust),
            Some(verdict_of_trust)
        );
    }
    let mut scene = Scene::healthy();
    scene.set(
        ROLE,
        "trust_policy",
        trust("aws:SourceAccount", "111122223333"),
    );
    assert_eq!(broken_rule(&scene.load()), None);
}

/// A copy without a retention is kept for ever.
#[tokio::test]
async fn a_copy_that_names_no_retention_can_be_too_long_for_the_vault() {
    let mut scene = Scene::healthy();
    scene.remove(COPY, "lifecycle");
    scene.set(VAULT, "lock", json!({"max_retention_days": 365}));
    assert_eq!(broken_rule(&scene.load()), Some(Cause::RetentionOutOfRange));
    assert_eq!(named(&report(&scene).await), [Cause::RetentionOutOfRange]);
}

#[tokio::test]
async fn the_destination_vaults_key_is_not_mistaken_for_the_source_key() {
    let keys = format!("{DESTINATION}/regions/eu-west-1/keys");
    let key = "22222222-2222-4222-8222-222222222222";
    let mut disabled = Scene::healthy();
    disabled.set(&format!("{keys}/{key}"), "state", json!("Disabled"));
    let mut gone = Scene::healthy();
    gone.remove(&keys, key);
    for scene in [disabled, gone] {
        assert_eq!(broken_rule(&scene.load()), Some(Cause::DestinationVaultKey));
        assert_eq!(named(&report(&scene).await), [Cause::DestinationVaultKey]);
    }
}

/// AWS's words for this one name nobody: "You are not authorized to perform this operation."
#[tokio::test]
async fn a_missing_service_linked_role_is_found_without_a_key_too() {
    let mut scene = Scene::healthy();
    scene.remove(POINT, "encryption_key_arn");
    break_by(&mut scene, Cause::ServiceLinkedRole);
    assert_eq!(broken_rule(&scene.load()), Some(Cause::ServiceLinkedRole));
    let report = report(&scene).await;
    assert_eq!(report.diagnosis.cause, Cause::ServiceLinkedRole);
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
}

#[tokio::test]
async fn a_second_policy_of_the_key_leaves_open_what_it_allows() {
    let mut scene = Scene::healthy();
    break_by(&mut scene, Cause::SourceKeyPolicy);
    scene.set(KEY, "other_policies", json!(["AWS_RAM"]));
    let sandbox = Sandbox::new(scene.load());
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(named(&report), [Cause::SourceKeyPolicy]);
    assert_eq!(
        verdict(&report, Cause::SourceKeyPolicy),
        Some(Verdict::NotCheckable)
    );
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn nothing_is_added_to_a_policy_while_a_deny_stands() {
    for (deny, policy) in [
        (Cause::DestinationVaultDeny, Cause::DestinationVaultPolicy),
        (Cause::SourceKeyDeny, Cause::SourceKeyPolicy),
    ] {
        let mut scene = Scene::healthy();
        break_by(&mut scene, deny);
        break_by(&mut scene, policy);
        let sandbox = Sandbox::new(scene.load());
        let report = handle(&sandbox, Mode::Repair).await;
        assert_eq!(report.outcome, Outcome::Advised);
        assert_eq!(named(&report), [deny, policy]);
        assert_eq!(sandbox.writes(), []);
    }
}

/// A tag policy stops what it is enforced for, and nothing else.
#[tokio::test]
async fn a_tag_policy_that_is_not_enforced_for_the_copy_is_not_blamed() {
    for enforced_for in [json!([]), json!(["ec2:instance", "s3:bucket"])] {
        let mut scene = Scene::healthy();
        scene.set(
            ORGANIZATION,
            "tag_policies",
            json!({"Stage": {"values": ["test"], "enforced_for": enforced_for}}),
        );
        assert_eq!(broken_rule(&scene.load()), None, "the copy works");
        fail_with(
            &mut scene,
            "There are too many copy jobs running for resource.",
        );
        assert_eq!(named(&report(&scene).await), [Cause::Concurrency]);
    }
}

#[tokio::test]
async fn a_type_that_only_an_air_gapped_vault_refuses_is_named() {
    let mut scene = Scene::healthy();
    let arn = json!("arn:aws:rds:us-east-1:111122223333:snapshot:awsbackup:job-1");
    scene.set(POINT, "arn", arn.clone());
    scene.set(
        POINT,
        "resource_arn",
        json!("arn:aws:rds:us-east-1:111122223333:db:sales"),
    );
    scene.set(POINT, "resource_type", json!("RDS"));
    scene.set(COPY, "recovery_point_arn", arn);
    assert_eq!(broken_rule(&scene.load()), None);
    scene.set(
        VAULT,
        "vault_type",
        json!("LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),
    );
    scene.remove(VAULT, "encryption_key_arn");
    assert_eq!(
        broken_rule(&scene.load()),
        Some(Cause::UnsupportedResourceType)
    );
    assert_eq!(
        named(&report(&scene).await),
        [Cause::UnsupportedResourceType]
    );
}

/// The copy fails no more, so the facts exclude everything. Nothing shows that a policy changed
/// since it failed, so nobody says so; and where the role can't be looked at, it may be that.
#[tokio::test]
async fn a_copy_is_not_started_again_as_long_as_the_service_linked_role_may_be_missing() {
    let mut scene = Scene::healthy();
    fail_with(&mut scene, "Given key ID is not accessible");
    let sandbox = Sandbox::new(scene.load());
    let sure = handle(&sandbox, Mode::Repair).await;
    assert_eq!(sure.diagnosis.cause, Cause::Unknown);
    assert_eq!(sure.outcome, Outcome::Advised);
    assert_eq!(sandbox.writes(), []);

    let sandbox = Sandbox::new(scene.load());
    sandbox.fail(
        "iam:GetRole",
        copymend_remediation::ports::CallErrorKind::AccessDenied,
    );
    let unsure = handle(&sandbox, Mode::Repair).await;
    assert_eq!(unsure.diagnosis.cause, Cause::ServiceLinkedRole);
    assert_eq!(
        verdict(&unsure, Cause::ServiceLinkedRole),
        Some(Verdict::NotCheckable)
    );
    assert_eq!(sandbox.writes(), []);
}

/// Where `GetRole` is refused, the simulation of exactly this role tells.
#[tokio::test]
async fn the_simulator_tells_about_a_role_that_cannot_be_read() {
    let mut scene = Scene::healthy();
    break_by(&mut scene, Cause::JobRolePermission);
    let sandbox = Sandbox::new(scene.load());
    sandbox.fail(
        "iam:GetRole",
        copymend_remediation::ports::CallErrorKind::AccessDenied,
    );
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(
        verdict(&report, Cause::JobRolePermission),
        Some(Verdict::Confirmed)
    );
}
