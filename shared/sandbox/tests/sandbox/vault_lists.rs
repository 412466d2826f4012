//! Vaults are told by the lists of their accounts, once each, and one that isn't there is known not to
//! be.

use std::sync::Mutex;

use copymend_diagnosis::{Cause, Foreseen};
use copymend_remediation::ports::{CallErrorKind, Location};
use copymend_remediation::settings::Settings;
use copymend_sandbox::Sandbox;
use copymend_survey::preflight::{Preflight, WhichPlans, preflight};
use copymend_survey::scan::{Fold, Investigation, Scan, Scope, gather};
use serde_json::json;

use crate::matrix::scene::{COPY, POINT, SOURCE, Scene, VAULTS};

const LIST: &str = "backup:ListBackupVaults";
const DESCRIBE: &str = "backup:DescribeBackupVault";

/// The healthy copy, made by a plan.
fn scene() -> Scene {
    let mut scene = Scene::healthy();
    let job = scene.at(COPY).clone();
    let point = scene.at(POINT);
    point["created_by"] = job["created_by"].clone();
    point["iam_role_arn"] = job["iam_role_arn"].clone();
    let resource = point["resource_arn"].clone();
    let action = json!({"destination_vault_arn": job["destination_vault_arn"]});
    scene.at(&format!("{SOURCE}/regions/us-east-1"))["backup_plans"] = json!({"plan-1": {
        "rules": [{"id": "rule-1", "target_vault": "prod", "copy_actions": [action]}],
        "selections": {"all": {"iam_role_arn": job["iam_role_arn"], "resources": [resource]}},
    }});
    scene
}

/// The same without the destination vault.
fn without_vault() -> Scene {
    let mut scene = scene();
    let vaults = scene.at(VAULTS).as_object_mut().unwrap();
    vaults.remove("dr");
    scene
}

fn place() -> Location {
    Location::new("111122223333".parse().unwrap(), "us-east-1")
}

async fn looked(sandbox: &Sandbox) -> Preflight {
    let which = WhichPlans::default();
    preflight(sandbox, sandbox, &[place()], "aws", &which, &|_| {}).await
}

async fn scanned(sandbox: &Sandbox) -> Scan {
    let scope = Scope {
        places: vec![place()],
        since: "2026-10-05T00:00:00Z".parse().unwrap(),
        with_jobs: false,
    };
    let settings = Settings::default();
    let fold = Mutex::new(Fold::new(scope.since, true));
    let investigation = Some(Investigation {
        environment: sandbox,
        settings: &settings,
    });
    gather(sandbox, &scope, investigation, &fold, &|_| {}).await;
    let now = "2026-11-02T06:00:00Z".parse().unwrap();
    fold.into_inner().unwrap().finish(&scope, true, now, None)
}

fn sandbox(scene: &Scene) -> Sandbox {
    Sandbox::new(scene.load()).reading_tags(true)
}

fn in_the_way(found: &Preflight) -> Vec<Cause> {
    match &found.routes[0].foreseen {
        Foreseen::WillFail { in_the_way, .. } => {
            in_the_way.iter().map(|found| found.cause).collect()
        }
        Foreseen::CannotBeKnown { .. } | Foreseen::WillPass { .. } => Vec::new(),
    }
}

#[tokio::test]
async fn each_list_is_read_once_and_no_vault_is_asked_about() {
    let sandbox = sandbox(&scene());
    let found = looked(&sandbox).await;
    assert_eq!(found.counts(), [1, 0, 0], "{found:?}");
    // The source's account and Region, and the destination's.
    assert_eq!(sandbox.calls().count(LIST), 2);
    assert_eq!(sandbox.calls().count(DESCRIBE), 0);
}

#[tokio::test]
async fn a_vault_that_no_list_has_does_not_exist() {
    let sandbox = sandbox(&without_vault());
    let found = looked(&sandbox).await;
    assert_eq!(in_the_way(&found), [Cause::VaultNotFound], "{found:?}");
    let scan = scanned(&sandbox).await;
    let [incident] = scan.incidents.as_slice() else {
        panic!("{scan:?}")
    };
    assert_eq!(
        (incident.cause, incident.confirmed),
        (Cause::VaultNotFound, true)
    );
    assert_eq!(sandbox.calls().count(DESCRIBE), 0);
}

#[tokio::test]
async fn where_the_list_is_refused_the_vault_is_asked_about_and_its_refusal_proves_nothing() {
    for kind in [CallErrorKind::AccessDenied, CallErrorKind::Throttled] {
        let whole = sandbox(&scene());
        whole.fail(LIST, kind);
        let found = looked(&whole).await;
        assert_eq!(found.counts(), [1, 0, 0], "{found:?}");
        assert_eq!(whole.calls().count(DESCRIBE), 2);

        let missing = sandbox(&without_vault());
        missing.fail(LIST, kind);
        let found = looked(&missing).await;
        assert_eq!(found.counts(), [0, 0, 1], "{found:?}");
        let scan = scanned(&missing).await;
        assert!(!scan.incidents[0].confirmed, "{scan:?}");
    }
}
