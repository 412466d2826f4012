//! What the job role may do with the keys that it uses itself, by the policy simulator.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::report::Report;
use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;
use copymend_sandbox::editor::{self, Backup, Draft, Shape, VaultKind};
use serde_json::{Value, json};

use crate::matrix::scene::{ROLE, Scene, handle};

const SIMULATE: &str = "iam:SimulatePrincipalPolicy";

/// A copy of an FSx file system into an air-gapped vault: the job role uses both keys.
const INTO_AIR_GAPPED: Shape = Shape {
    backup: Backup::Fsx,
    destination: VaultKind::AirGappedUnderCustomerKey,
    ..Shape::USUAL
};

/// A world of this shape in which the vault admits nobody, so that a copy to another account fails.
fn scene(shape: Shape) -> Scene {
    let mut draft = Draft::healthy(shape);
    if shape.cross_account {
        let mut ways = editor::breaks().into_iter();
        let way = ways.find(|way| way.name == "vault-without-policy");
        way.unwrap().make(&mut draft);
    }
    Scene(draft.json().clone())
}

/// Gives the role these permissions alone, on everything.
fn allow(scene: &mut Scene, actions: &Value) {
    scene.set(ROLE, "managed_policies", json!([]));
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    scene.set(ROLE, "policies", json!({"own": policy}));
}

async fn report(scene: &Scene) -> (Report, u64) {
    let sandbox = Sandbox::new(scene.load());
    let report = handle(&sandbox, Mode::Observe).await;
    let asked = sandbox.calls().counts().get(SIMULATE).copied();
    (report, asked.unwrap_or_default())
}

fn verdict(report: &Report, cause: Cause) -> Option<Verdict> {
    let mut candidates = report.diagnosis.candidates.iter();
    candidates
        .find(|candidate| candidate.cause == cause)
        .map(|candidate| candidate.verdict)
}

const COPIES: [&str; 2] = ["backup:CopyFromBackupVault", "backup:CopyIntoBackupVault"];

#[tokio::test]
async fn a_role_that_may_use_its_keys_is_not_blamed() {
    let (report, asked) = report(&scene(INTO_AIR_GAPPED)).await;
    let told = verdict(&report, Cause::JobRolePermission);
    assert!(
        matches!(told, None | Some(Verdict::RuledOut)),
        "{report:#?}"
    );
    // One question for each of the two calls of AWS Backup, and one for each key.
    assert_eq!(asked, 4);
}

#[tokio::test]
async fn a_role_that_may_not_use_a_key_of_another_account_is_blamed() {
    for missing in ["kms:DescribeKey", "kms:CreateGrant"] {
        let mut scene = scene(INTO_AIR_GAPPED);
        let actions: Vec<&str> = COPIES
            .into_iter()
            .chain(["kms:DescribeKey", "kms:CreateGrant"])
            .filter(|action| *action != missing)
            .collect();
        allow(&mut scene, &json!(actions));
        let (report, _) = report(&scene).await;
        let candidates = &report.diagnosis.candidates;
        let blamed = candidates
            .iter()
            .find(|one| one.cause == Cause::JobRolePermission)
            .unwrap();
        assert_eq!(blamed.verdict, Verdict::Confirmed);
        let evidence = blamed.evidence.join("\n");
        assert!(evidence.contains(missing), "{evidence}");
        assert!(evidence.contains(":444455556666:key/"), "{evidence}");
        assert!(!evidence.contains(":111122223333:key/"), "{evidence}");
    }
}

#[tokio::test]
async fn a_boundary_and_a_deny_at_a_key_are_told_apart() {
    let mut scene_of_boundary = scene(INTO_AIR_GAPPED);
    let boundary = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "backup:*", "Resource": "*"}]});
    scene_of_boundary.set(
        ROLE,
        "permissions_boundary",
        json!({"arn": "arn:aws:iam::111122223333:policy/Limit", "policy": boundary}),
    );
    let (told, asked) = report(&scene_of_boundary).await;
    let of_boundary = verdict(&told, Cause::PermissionsBoundary);
    assert_eq!(of_boundary, Some(Verdict::Confirmed));
    let of_role = verdict(&told, Cause::JobRolePermission);
    assert_eq!(of_role, Some(Verdict::NotCheckable));
    assert_eq!(asked, 4);

    let mut scene_of_deny = scene(INTO_AIR_GAPPED);
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "kms:CreateGrant", "Resource": "*"}]});
    scene_of_deny.set(ROLE, "policies", json!({"deny": deny}));
    let (told, _) = report(&scene_of_deny).await;
    let of_role = verdict(&told, Cause::JobRolePermission);
    assert_eq!(of_role, Some(Verdict::Confirmed));
}

/// In its own account a key's policy that names the role is enough.
#[tokio::test]
async fn a_key_of_the_roles_own_account_is_not_checkable_where_the_role_lacks_it() {
    let shape = Shape {
        cross_account: false,
        backup: Backup::Fsx,
        ..Shape::USUAL
    };
    let mut scene = scene(shape);
    allow(&mut scene, &json!(COPIES));
    let message = "You are not authorized to perform this operation.";
    crate::matrix::messages::fail_with(&mut scene, message);
    let (report, _) = report(&scene).await;
    let told = verdict(&report, Cause::JobRolePermission);
    assert_eq!(told, Some(Verdict::NotCheckable), "{report:#?}");
}

#[tokio::test]
async fn a_simulator_that_does_not_answer_tells_nothing_of_keys() {
    let sandbox = Sandbox::new(scene(INTO_AIR_GAPPED).load());
    sandbox.fail(SIMULATE, CallErrorKind::Throttled);
    let report = handle(&sandbox, Mode::Observe).await;
    let told = verdict(&report, Cause::JobRolePermission);
    assert_eq!(told, Some(Verdict::NotCheckable), "{report:#?}");
}

/// Only where the job role uses a key does a message come from it.
#[tokio::test]
async fn no_key_is_asked_about_that_the_role_does_not_use() {
    let (_, asked) = report(&scene(Shape::USUAL)).await;
    assert_eq!(asked, 2);
}
