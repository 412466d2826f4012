//! Backup and restore jobs, and the access advisor on the sandbox.

use copymend_remediation::Invocation;
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::ports::{Backup, Location, Reads};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::small::{KEY, POINT, ROLE, SOURCE_VAULT, load, with, world};

fn with_jobs() -> Value {
    let mut world = world();
    world["backup_jobs"] = json!([{
        "id": "backup-1", "account": "111122223333", "region": "us-east-1", "state": "FAILED",
        "status_message": "Access denied exception while trying to list tags", "iam_role_arn": ROLE,
        "vault_arn": SOURCE_VAULT, "encryption_key_arn": KEY,
        "resource_arn": "arn:aws:ec2:us-east-1:111122223333:volume/vol-1", "resource_type": "EBS"
    }]);
    world["restore_jobs"] = json!([{
        "id": "restore-1", "account": "111122223333", "region": "us-east-1", "status": "ABORTED",
        "recovery_point_arn": POINT, "vault_arn": SOURCE_VAULT
    }]);
    world
}

fn at(region: &str) -> Location {
    Location {
        account: "111122223333".parse().unwrap(),
        region: region.to_owned(),
    }
}

#[tokio::test]
async fn jobs_are_described_where_they_ran() {
    let sandbox = Sandbox::new(load(&with_jobs()));
    let here = at("us-east-1");
    let backup = sandbox.describe_backup_job(&here, "backup-1").await;
    let backup = backup.unwrap().unwrap();
    assert_eq!(backup.state, "FAILED");
    assert_eq!(backup.role.unwrap().as_str(), ROLE);
    assert_eq!(backup.vault.unwrap().as_str(), SOURCE_VAULT);
    assert_eq!(backup.encryption_key.unwrap().as_str(), KEY);
    assert_eq!(backup.resource_type.as_deref(), Some("EBS"));
    let restore = sandbox.describe_restore_job(&here, "restore-1").await;
    let restore = restore.unwrap().unwrap();
    assert_eq!(restore.state, "ABORTED");
    assert_eq!(restore.resource.unwrap().as_str(), POINT);
    assert_eq!(restore.role, None);
    for (region, id) in [("eu-west-1", "backup-1"), ("us-east-1", "restore-1")] {
        let found = sandbox.describe_backup_job(&at(region), id).await;
        assert_eq!(found.unwrap(), None, "{id} in {region}");
    }
}

#[test]
fn a_job_in_a_state_that_does_not_exist_or_with_an_id_of_another_is_refused() {
    for (pointer, value, words) in [
        ("/backup_jobs/0/state", json!("BROKEN"), "backup_jobs[0]"),
        (
            "/restore_jobs/0/status",
            json!("EXPIRED"),
            "restore_jobs[0]",
        ),
        (
            "/backup_jobs/0/color",
            json!("red"),
            "unknown field `color`",
        ),
    ] {
        let world = with(with_jobs(), pointer, value).to_string();
        let error = World::from_json(&world).unwrap_err().to_string();
        assert!(error.contains(words), "{pointer}: {error}");
    }
    let mut twice = with_jobs();
    let job = twice["backup_jobs"][0].clone();
    twice["backup_jobs"].as_array_mut().unwrap().push(job);
    let error = World::from_json(&twice.to_string()).unwrap_err();
    assert!(error.to_string().contains("appears twice"), "{error}");
}

/// The advisor and the remediator share the ledger and the notifier; the advisor writes nothing
/// else.
#[tokio::test]
async fn the_access_advisor_confirms_a_job_and_tells_once() {
    let mut world = with_jobs();
    world["accounts"]["111122223333"]["roles"]["BackupRole"]["managed_policies"] = json!([]);
    let sandbox = Sandbox::new(load(&world));
    let event = json!({
        "version": "0", "id": "event-1", "detail-type": "Backup Job State Change", "source": "aws.backup",
        "account": "111122223333", "time": "2026-11-02T05:00:00Z", "region": "us-east-1", "resources": [],
        "detail": {"backupJobId": "backup-1", "state": "FAILED", "iamRoleArn": ROLE, "resourceType": "EBS",
            "statusMessage": "Access denied exception while trying to list tags"}
    });
    let invocation = |id: &str| Invocation {
        id: id.to_owned(),
        deadline: sandbox.with_world(|world| world.time()) + SignedDuration::from_mins(1),
    };
    let advisor = AccessAdvisor::new(sandbox.clone(), AdvisorSettings::default());
    let advisory = advisor.handle(&event, &invocation("one")).await.unwrap();
    assert!(advisory.verified, "{advisory:#?}");
    assert_eq!(advisory.diagnosis.cause.slug(), "job-role-permission");
    advisor.handle(&event, &invocation("two")).await.unwrap();
    let notifier = Reads::notifier(&sandbox);
    let sent = notifier.sent().into_iter().map(|sent| sent.report);
    assert_eq!(sent.collect::<Vec<_>>(), [advisory]);
    assert_eq!(sandbox.writes(), []);
}
