//! Where the policy simulator doesn't answer, the job role's policies are read one by one.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;
use serde_json::json;

use super::breaks::BREAKS;
use super::scene::{ROLE, Scene, excludes, handle, named};

const SIMULATE: &str = "iam:SimulatePrincipalPolicy";
const POLICIES: &str = "iam:ListRolePolicies";
const KINDS: [CallErrorKind; 4] = [
    CallErrorKind::AccessDenied,
    CallErrorKind::Throttled,
    CallErrorKind::Unreadable,
    CallErrorKind::Failed,
];

fn broken(cause: Cause) -> Scene {
    let mut scene = Scene::healthy();
    let broken = BREAKS.iter().find(|broken| broken.cause == cause).unwrap();
    (broken.apply)(&mut scene);
    scene
}

/// A world whose simulator doesn't answer.
fn without_simulator(scene: &Scene, kind: CallErrorKind) -> Sandbox {
    let sandbox = Sandbox::new(scene.load());
    sandbox.fail(SIMULATE, kind);
    sandbox
}

fn found(report: &Report, cause: Cause) -> (Verdict, String) {
    let candidates = &mut report.diagnosis.candidates.iter();
    let candidate = candidates.find(|candidate| candidate.cause == cause);
    let candidate = candidate.unwrap_or_else(|| panic!("{cause} in {report:#?}"));
    (candidate.verdict, candidate.evidence.join("; "))
}

#[tokio::test]
async fn a_permission_that_the_role_lacks_is_confirmed_from_its_policies() {
    for kind in KINDS {
        let sandbox = without_simulator(&broken(Cause::JobRolePermission), kind);
        let report = handle(&sandbox, Mode::Repair).await;
        assert_eq!(named(&report), [Cause::JobRolePermission], "{kind:?}");
        let (verdict, evidence) = found(&report, Cause::JobRolePermission);
        assert_eq!(verdict, Verdict::Confirmed, "{kind:?}");
        assert!(
            evidence.contains("the role's policies, read one by one: no policy of the job role"),
            "{evidence}"
        );
        let steps = report.advice.unwrap().steps.join("\n");
        assert!(
            steps.contains("By the role's policies, read one by one, no policy of the role allows"),
            "{steps}"
        );
        // That the simulator didn't answer is told all the same: it alone knows service control
        // policies.
        assert_eq!(report.diagnosis.unknown[0].operation, SIMULATE);
        assert_eq!(sandbox.writes(), []);
    }
}

#[tokio::test]
async fn a_deny_and_a_boundary_are_confirmed_from_the_policies_too() {
    let deny = json!({"no copies": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "backup:CopyIntoBackupVault", "Resource": "*"}]}});
    let mut denied = Scene::healthy();
    denied.set(ROLE, "policies", deny);
    for (scene, cause, words) in [
        (
            denied,
            Cause::JobRolePermission,
            "a policy of the job role denies",
        ),
        (
            broken(Cause::PermissionsBoundary),
            Cause::PermissionsBoundary,
            "the permissions boundary of the job role does not allow",
        ),
    ] {
        let sandbox = without_simulator(&scene, CallErrorKind::AccessDenied);
        let report = handle(&sandbox, Mode::Repair).await;
        assert_eq!(named(&report), [cause]);
        let (verdict, evidence) = found(&report, cause);
        assert_eq!(verdict, Verdict::Confirmed, "{evidence}");
        assert!(evidence.contains(words), "{evidence}");
        assert_eq!(sandbox.writes(), []);
    }
}

#[tokio::test]
async fn a_role_whose_policies_allow_the_copy_is_not_blamed_and_service_control_policies_stay_open()
{
    for kind in KINDS {
        let sandbox = without_simulator(&broken(Cause::DestinationVaultPolicy), kind);
        let report = handle(&sandbox, Mode::Repair).await;
        assert_eq!(named(&report), [Cause::DestinationVaultPolicy], "{kind:?}");
        assert!(excludes(&report, Cause::JobRolePermission), "{kind:?}");
        let (_, evidence) = found(&report, Cause::JobRolePermission);
        assert!(
            evidence.contains("the job role's policies, read one by one, allow"),
            "{evidence}"
        );
        let (verdict, _) = found(&report, Cause::ServiceControlPolicy);
        assert_eq!(verdict, Verdict::NotCheckable);
        assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{kind:?}");
    }
}

#[tokio::test]
async fn what_neither_the_simulator_nor_the_policies_tell_is_neither_shown_nor_excluded() {
    let sandbox = without_simulator(
        &broken(Cause::JobRolePermission),
        CallErrorKind::AccessDenied,
    );
    sandbox.fail(POLICIES, CallErrorKind::AccessDenied);
    let report = handle(&sandbox, Mode::Repair).await;
    let (verdict, evidence) = found(&report, Cause::JobRolePermission);
    assert_eq!(verdict, Verdict::NotCheckable);
    assert!(evidence.contains(SIMULATE), "{evidence}");
    let unread = report.diagnosis.unknown.iter();
    let of_policies = unread.filter(|why| why.operation == POLICIES);
    assert_eq!(of_policies.count(), 1, "{report:#?}");

    // The time of the call is not known from outside.
    let mut scene = Scene::healthy();
    let deny = json!({"by time": {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "backup:CopyIntoBackupVault", "Resource": "*",
            "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}}]}});
    scene.set(ROLE, "policies", deny);
    let sandbox = without_simulator(&scene, CallErrorKind::AccessDenied);
    let report = handle(&sandbox, Mode::Repair).await;
    let (verdict, evidence) = found(&report, Cause::JobRolePermission);
    assert_eq!(verdict, Verdict::NotCheckable);
    assert!(evidence.contains("aws:CurrentTime"), "{evidence}");
    assert_eq!(sandbox.writes(), []);
}

#[tokio::test]
async fn the_policies_are_not_read_where_the_simulator_answers_or_there_is_no_role() {
    for cause in [Cause::JobRolePermission, Cause::JobRoleMissing] {
        let sandbox = Sandbox::new(broken(cause).load());
        let report = handle(&sandbox, Mode::Repair).await;
        assert_eq!(named(&report), [cause]);
        assert_eq!(sandbox.calls().count(POLICIES), 0, "{cause}");
    }
}
