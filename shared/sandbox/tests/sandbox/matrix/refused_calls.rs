//! Calls that AWS would refuse: they are not made, or the report says what refused them.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::Mode;
use copymend_sandbox::{Sandbox, World};
use serde_json::{Value, json};

use super::breaks::BREAKS;
use super::scene::{COPY, KEY, POINT, SOURCE, Scene, VAULT, handle, named};

/// A recovery point of a type that AWS Backup manages fully.
const OWN_POINT: &str = "arn:aws:backup:us-east-1:111122223333:recovery-point:1";

fn break_by(scene: &mut Scene, cause: Cause) {
    let broken = BREAKS.iter().find(|broken| broken.cause == cause).unwrap();
    (broken.apply)(scene);
}

fn broken(cause: Cause) -> Scene {
    let mut scene = Scene::healthy();
    break_by(&mut scene, cause);
    scene
}

/// The resources that an operation was called on.
fn asked(sandbox: &Sandbox, operation: &str) -> Vec<String> {
    let calls = sandbox.calls().begun().into_iter();
    calls
        .filter(|call| call.operation == operation)
        .map(|call| call.resource)
        .collect()
}

fn passed(report: &Report, guard: &str) -> (bool, String) {
    let found = report
        .guards
        .iter()
        .find(|found| found.guard.name() == guard);
    let found = found.unwrap_or_else(|| panic!("{guard} in {:#?}", report.guards));
    (found.passed, found.detail.clone())
}

#[tokio::test]
async fn tags_are_asked_of_aws_backup_only_for_its_own_recovery_points() {
    let scene = broken(Cause::DestinationVaultPolicy);
    let sandbox = Sandbox::new(scene.load());
    let report = handle(&sandbox, Mode::Observe).await;
    assert_eq!(
        asked(&sandbox, "backup:ListTags"),
        ["arn:aws:backup:eu-west-1:444455556666:backup-vault:dr"]
    );
    // That they can't be asked for is no unknown.
    assert_eq!(report.diagnosis.unknown, []);

    for cause in [Cause::TagLimit, Cause::TagPolicy] {
        let mut scene = broken(cause);
        break_by(&mut scene, Cause::DestinationVaultPolicy);
        scene.set(POINT, "arn", json!(OWN_POINT));
        scene.set(POINT, "resource_arn", json!("arn:aws:s3:::documents"));
        scene.set(POINT, "resource_type", json!("S3"));
        scene.set(COPY, "recovery_point_arn", json!(OWN_POINT));
        scene.destination_organization()["tag_policies"]["Stage"] = json!(["prod", "test-*"]);
        let sandbox = Sandbox::new(scene.load());
        let report = handle(&sandbox, Mode::Observe).await;
        let mut asked = asked(&sandbox, "backup:ListTags");
        asked.sort();
        let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
        assert_eq!(asked, [vault, OWN_POINT]);
        assert_eq!(named(&report), [Cause::DestinationVaultPolicy, cause]);
    }
}

#[tokio::test]
async fn the_global_settings_are_asked_for_in_the_management_account_alone() {
    let scene = broken(Cause::DestinationVaultPolicy);
    let sandbox = Sandbox::new(scene.load());
    handle(&sandbox, Mode::Observe).await;
    let operation = "backup:DescribeGlobalSettings";
    assert_eq!(asked(&sandbox, operation), ["999988887777"]);

    let sandbox = Sandbox::new(scene.load());
    sandbox.fail(
        "organizations:DescribeOrganization",
        copymend_remediation::ports::CallErrorKind::AccessDenied,
    );
    handle(&sandbox, Mode::Observe).await;
    assert_eq!(asked(&sandbox, operation), ["111122223333"]);
}

#[tokio::test]
async fn a_key_that_aws_owns_is_not_described() {
    let mut scene = broken(Cause::DestinationVaultPolicy);
    scene.set(VAULT, "encryption_key_type", json!("AWS_OWNED_KMS_KEY"));
    let sandbox = Sandbox::new(scene.load());
    let report = handle(&sandbox, Mode::Observe).await;
    let owned = "arn:aws:kms:eu-west-1:444455556666:key/22222222-2222-4222-8222-222222222222";
    let described = asked(&sandbox, "kms:DescribeKey");
    assert!(!described.is_empty() && !described.contains(&owned.to_owned()));
    assert_eq!(report.diagnosis.unknown, []);
    assert_eq!(report.diagnosis.cause, Cause::DestinationVaultPolicy);
}

/// AWS Backup writes it into jobs, and `StartCopyJob` refuses it.
#[tokio::test]
async fn a_copy_is_started_again_without_the_event_that_deletes_it() {
    let mut scene = broken(Cause::DestinationVaultPolicy);
    scene.set(
        COPY,
        "lifecycle",
        json!({"delete_after_days": 35, "delete_after_event": "DELETE_AFTER_COPY"}),
    );
    let sandbox = Sandbox::new(scene.load());
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried, "{report:#?}");
    let job = report.retried_job.unwrap();
    sandbox.with_world(|world: &mut World| {
        let lifecycle = world.copy_job(&job).unwrap().lifecycle.clone().unwrap();
        assert_eq!(lifecycle.delete_after_days, Some(35));
        assert_eq!(lifecycle.delete_after_event, None);
    });
}

#[tokio::test]
async fn a_source_vault_that_denies_the_retry_is_named() {
    let mut scene = broken(Cause::DestinationVaultPolicy);
    let deny: Value = json!({"Effect": "Deny", "Principal": "*", "Action": "backup:StartCopyJob", "Resource": "*"});
    scene.set(
        &format!("{SOURCE}/regions/us-east-1/vaults/prod"),
        "policy",
        json!({"Version": "2012-10-17", "Statement": [deny]}),
    );
    let sandbox = Sandbox::new(scene.load());
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(report.outcome, Outcome::Repaired);
    assert_eq!(report.retried_job, None);
    let policy = "the access policy of the source vault \
                  `arn:aws:backup:us-east-1:111122223333:backup-vault:prod` denies backup:StartCopyJob";
    let told = report.notes.iter().any(|note| note.contains(policy));
    assert!(told, "{:#?}", report.notes);
}

#[tokio::test]
async fn a_key_is_not_repaired_for_copies_into_or_out_of_an_air_gapped_vault() {
    let source = format!("{SOURCE}/regions/us-east-1/vaults/prod");
    for (pointer, which) in [(VAULT, "destination"), (source.as_str(), "source")] {
        let mut scene = broken(Cause::SourceKeyPolicy);
        scene.set(
            pointer,
            "vault_type",
            json!("LOGICALLY_AIR_GAPPED_BACKUP_VAULT"),
        );
        if which == "destination" {
            // The job role uses this key.
            let others = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "kms:*", "Resource": "*",
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/BackupRole"}}});
            scene.set(
                KEY,
                "policy",
                json!({"Version": "2012-10-17", "Statement": [others]}),
            );
            // A key of the vault's own would have to admit the job role, too.
            scene.remove(pointer, "encryption_key_arn");
        }
        let sandbox = Sandbox::new(scene.load());
        let report = handle(&sandbox, Mode::Repair).await;
        assert_eq!(report.diagnosis.cause, Cause::SourceKeyPolicy);
        let (passed, detail) = passed(&report, "key-principal-known");
        assert!(!passed && detail.contains(&format!("the {which} vault is logically air-gapped")));
        assert_eq!(sandbox.writes(), []);
    }
    // An ordinary pair of vaults is repaired, and one whose type can't be read isn't.
    let sandbox = Sandbox::new(broken(Cause::SourceKeyPolicy).load());
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(report.outcome, Outcome::RepairedAndRetried);
    let sandbox = Sandbox::new(broken(Cause::SourceKeyPolicy).load());
    sandbox.fail(
        "backup:DescribeBackupVault",
        copymend_remediation::ports::CallErrorKind::AccessDenied,
    );
    let report = handle(&sandbox, Mode::Repair).await;
    // Were it air-gapped, the job role would use the key, which admits it.
    let first = report.diagnosis.candidates.first().unwrap();
    assert_eq!(first.cause, Cause::SourceKeyPolicy);
    assert_eq!(first.verdict, Verdict::NotCheckable);
    assert_eq!(sandbox.writes(), []);
}

/// The tags of a snapshot are EC2's: AWS Backup can't tell whether they break the tag policy, and
/// the message does.
#[tokio::test]
async fn a_tag_policy_on_a_snapshot_is_named_by_the_message() {
    for cause in [Cause::TagPolicy, Cause::TagLimit] {
        let report = handle(&Sandbox::new(broken(cause).load()), Mode::Observe).await;
        assert_eq!(report.diagnosis.cause, cause);
        let first = report.diagnosis.candidates.first().unwrap();
        assert_eq!(first.verdict, Verdict::NotCheckable);
    }
}
