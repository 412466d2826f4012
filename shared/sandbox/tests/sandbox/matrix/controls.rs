//! The three service control policies that AWS recommends for copies (AWS Backup, "Creating backup
//! copies across AWS accounts", "Security considerations"), kept by the copy and broken by it; and
//! what the policy simulator can't tell.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::Mode;
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};

use super::breaks::BREAKS;
use super::scene::{ORGANIZATION, ROLE, Scene, VAULT, broken_rule, handle};

const DESTINATION_VAULT: &str = "arn:aws:backup:*:444455556666:backup-vault:d*";
const DESTINATION_PATH: &str = "o-exampleorgid/r-ab12/ou-ab12-22222222/*";

fn by_vault(vault: &str) -> Value {
    json!({"Sid": "DenyCopyFromBackupVault", "Effect": "Deny", "Action": "backup:CopyFromBackupVault",
        "Resource": "arn:aws:ec2:*:*:snapshot/*",
        "Condition": {"ForAllValues:ArnNotLike": {"backup:CopyTargets": [vault, "arn:aws:backup:us-east-1:123456789012:backup-vault:fort-knox"]}}})
}

fn by_path(path: &str) -> Value {
    json!({"Effect": "Deny", "Action": "backup:CopyFromBackupVault", "Resource": "*",
        "Condition": {"ForAllValues:StringNotLike": {"backup:CopyTargetOrgPaths": [path]}}})
}

fn by_tag(tag: &str) -> Value {
    json!({"Effect": "Deny", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
        "Condition": {"Null": {format!("aws:ResourceTag/{tag}"): "true"}}})
}

fn by_region(region: &str) -> Value {
    json!({"Effect": "Deny", "NotAction": ["iam:*"], "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", region]},
            "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Breakglass"}}})
}

/// The usual copy under policies, into a vault that is tagged.
fn under(statements: &[Value]) -> Scene {
    let mut scene = Scene::healthy();
    let policies: Vec<Value> = statements
        .iter()
        .map(|statement| {
            json!({"name": "copies", "targets": ["r-ab12"],
                "policy": {"Version": "2012-10-17", "Statement": [statement]}})
        })
        .collect();
    scene.set(ORGANIZATION, "service_control_policies", policies.into());
    scene.set(VAULT, "tags", json!({"DestinationBackupVault": "yes"}));
    scene
}

fn all_kept() -> [Value; 4] {
    [
        by_vault(DESTINATION_VAULT),
        by_path(DESTINATION_PATH),
        by_tag("DestinationBackupVault"),
        by_region("eu-west-1"),
    ]
}

fn break_by(scene: &mut Scene, cause: Cause) {
    let broken = BREAKS.iter().find(|broken| broken.cause == cause).unwrap();
    (broken.apply)(scene);
}

fn verdict(report: &Report, cause: Cause) -> Option<Verdict> {
    let mut candidates = report.diagnosis.candidates.iter();
    candidates
        .find(|candidate| candidate.cause == cause)
        .map(|candidate| candidate.verdict)
}

#[tokio::test]
async fn policies_that_the_copy_keeps_are_not_blamed_and_stop_no_repair() {
    assert_eq!(broken_rule(&under(&all_kept()).load()), None);
    for cause in [Cause::DestinationVaultPolicy, Cause::SourceKeyPolicy] {
        let mut scene = under(&all_kept());
        break_by(&mut scene, cause);
        assert_eq!(broken_rule(&scene.load()), Some(cause));
        let sandbox = Sandbox::new(scene.load());
        let report = handle(&sandbox, Mode::Repair).await;
        assert_eq!(report.diagnosis.cause, cause);
        assert_ne!(
            verdict(&report, Cause::ServiceControlPolicy),
            Some(Verdict::Confirmed)
        );
        assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
        let retried = report.retried_job.unwrap();
        sandbox.with_world(|world: &mut World| {
            assert_eq!(world.copy_job(&retried).unwrap().failure(), None);
        });
    }
}

/// The path of the destination's account is not known. So the simulator, which takes it as absent,
/// is not believed where nothing else shows such a policy.
#[tokio::test]
async fn a_policy_on_paths_is_never_confirmed_by_the_simulator_alone() {
    let mut scene = under(&[by_path(DESTINATION_PATH)]);
    break_by(&mut scene, Cause::DestinationVaultPolicy);
    let report = handle(&Sandbox::new(scene.load()), Mode::Observe).await;
    assert_eq!(report.diagnosis.cause, Cause::DestinationVaultPolicy);
    let scp = verdict(&report, Cause::ServiceControlPolicy);
    assert_ne!(scp, Some(Verdict::Confirmed));
}

#[tokio::test]
async fn each_policy_that_the_copy_breaks_is_blamed() {
    for broken in [
        by_vault("arn:aws:backup:*:444455556666:backup-vault:other"),
        by_path("o-exampleorgid/r-ab12/ou-ab12-33333333/*"),
        by_tag("ApprovedBackupVault"),
        by_region("eu-central-1"),
    ] {
        let mut statements = all_kept().to_vec();
        statements.push(broken.clone());
        let scene = under(&statements);
        assert_eq!(
            broken_rule(&scene.load()),
            Some(Cause::ServiceControlPolicy),
            "{broken}"
        );
        let sandbox = Sandbox::new(scene.load());
        let report = handle(&sandbox, Mode::Repair).await;
        assert_eq!(report.diagnosis.cause, Cause::ServiceControlPolicy);
        assert_eq!(
            verdict(&report, Cause::ServiceControlPolicy),
            Some(Verdict::Confirmed),
            "{broken}"
        );
        assert_eq!(sandbox.writes(), []);
    }
}

/// The simulation ends at the service control policies; it is asked once more without them.
#[tokio::test]
async fn what_a_service_control_policy_hides_is_named_too() {
    for hidden in [Cause::JobRolePermission, Cause::PermissionsBoundary] {
        let mut scene = under(&[by_tag("ApprovedBackupVault")]);
        break_by(&mut scene, hidden);
        let report = handle(&Sandbox::new(scene.load()), Mode::Observe).await;
        assert_eq!(verdict(&report, hidden), Some(Verdict::Confirmed));
    }
}

/// AWS doesn't document whether the details come without a resource policy: then a denial says
/// nothing about the role.
#[tokio::test]
async fn a_denial_on_another_accounts_vault_is_not_the_roles_fault_without_the_details() {
    let silent = |scene: &Scene| {
        let mut world = scene.load();
        world.set_simulator_tells_identity_side(false);
        Sandbox::new(world)
    };
    let mut scene = Scene::healthy();
    break_by(&mut scene, Cause::DestinationVaultPolicy);
    let sandbox = silent(&scene);
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(report.diagnosis.cause, Cause::DestinationVaultPolicy);
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);

    let mut scene = Scene::healthy();
    scene.set(ROLE, "managed_policies", json!([]));
    scene.set(
        ROLE,
        "policies",
        json!({"from": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "backup:CopyFromBackupVault", "Resource": "*"}]}}),
    );
    let (told, not_told) = (
        handle(&Sandbox::new(scene.load()), Mode::Observe).await,
        handle(&silent(&scene), Mode::Observe).await,
    );
    for (report, expected) in [
        (told, Verdict::Confirmed),
        (not_told, Verdict::NotCheckable),
    ] {
        assert_eq!(report.diagnosis.cause, Cause::JobRolePermission);
        assert_eq!(verdict(&report, Cause::JobRolePermission), Some(expected));
    }
}
