//! Worlds about keys and vaults of which an expert says how the copy ends, and what the product
//! should make of them.
//!
//! How AWS answers is the sandbox's part and holds. Where the product comes out otherwise, the
//! world stands in [`EXPECTED_FAILURES`] until it doesn't.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;
use copymend_sandbox::editor::{self, Backup, Draft, Shape, VaultKind};
use serde_json::json;

use crate::expert_worlds::{Demand, Expert};
use crate::matrix::scene::{DESTINATION, KEY, KEYS, POINT, Scene, VAULT, broken_rule, handle};

/// The worlds that the product comes out wrong of. One that comes out right fails the test until it
/// is taken out here.
const EXPECTED_FAILURES: &[&str] = &[];

/// Puts a world of the editor in place of the scene.
fn edited(scene: &mut Scene, shape: Shape, ways: &[&str]) {
    let mut draft = Draft::healthy(shape);
    for name in ways {
        let ways = editor::breaks();
        let way = ways.into_iter().find(|way| way.name == *name).unwrap();
        assert!(way.applies_to(shape), "{name}");
        way.make(&mut draft);
    }
    scene.0 = draft.json().clone();
}

const USUAL: Shape = Shape::USUAL;
const INTO: Shape = Shape {
    destination: VaultKind::AirGappedUnderCustomerKey,
    ..USUAL
};
const OUT_OF: Shape = Shape {
    source: VaultKind::AirGappedUnderCustomerKey,
    ..USUAL
};
const INSIDE: Shape = Shape {
    cross_account: false,
    ..USUAL
};

const fn nothing_helps(name: &'static str, cause: Cause, change: fn(&mut Scene)) -> Expert {
    Expert {
        name,
        change,
        rule: cause,
        put: None,
        cause,
        demand: Demand::TriesNothing,
    }
}

/// A grant on the vault would be of no use: its key can't be changed.
fn default_key_without_allow(scene: &mut Scene) {
    edited(
        scene,
        USUAL,
        &["vault-allow-missing", "vault-on-the-default-key"],
    );
}

fn key_outside_the_organization(scene: &mut Scene) {
    let key = "arn:aws:kms:us-east-1:567856785678:key/11111111-1111-4111-8111-111111111111";
    scene.set(POINT, "encryption_key_arn", json!(key));
    let keys = json!({"us-east-1": {"keys": {"11111111-1111-4111-8111-111111111111": {}}}});
    scene.set("/accounts/567856785678", "regions", keys);
}

fn vaults_key_of_another_account(scene: &mut Scene) {
    let key = "arn:aws:kms:eu-west-1:567856785678:key/44444444-4444-4444-8444-444444444444";
    scene.set(VAULT, "encryption_key_arn", json!(key));
    let keys = json!({"eu-west-1": {"keys": {"44444444-4444-4444-8444-444444444444": {}}}});
    scene.set("/accounts/567856785678", "regions", keys);
}

fn vaults_key_that_denies(scene: &mut Scene) {
    let key = format!("{DESTINATION}/regions/eu-west-1/keys/22222222-2222-4222-8222-222222222222");
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Owner", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::444455556666:root"}, "Action": "kms:*",
            "Resource": "*"},
        {"Sid": "PeopleOnly", "Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant", "Resource": "*"}]});
    scene.set(&key, "policy", policy);
}

fn key_and_vault(scene: &mut Scene) {
    edited(
        scene,
        USUAL,
        &["vault-allow-missing", "source-key-disabled"],
    );
}

fn default_vault(scene: &mut Scene) {
    let shape = Shape {
        backup: Backup::S3,
        ..USUAL
    };
    edited(scene, shape, &["default-vault"]);
}

fn images_second_key(scene: &mut Scene) {
    let shape = Shape {
        backup: Backup::Image,
        ..USUAL
    };
    edited(scene, shape, &["second-snapshots-key-admits-nobody"]);
}

/// The key admits the destination's service-linked role, which doesn't use it on this way.
fn only_the_linked_role(scene: &mut Scene) {
    edited(scene, INTO, &["source-key-admits-nobody"]);
    let role = "arn:aws:iam::444455556666:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup";
    scene.statements(KEY).push(
        json!({"Sid": "Linked", "Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:*",
        "Resource": "*"}),
    );
}

fn air_gapped_in_the_same_account(scene: &mut Scene) {
    let shape = Shape {
        destination: VaultKind::AirGapped,
        cross_region: false,
        ..INSIDE
    };
    edited(scene, shape, &["source-key-managed-by-aws"]);
}

fn unencrypted_cluster(scene: &mut Scene) {
    let shape = Shape {
        backup: Backup::Aurora,
        cross_region: false,
        ..INTO
    };
    edited(
        scene,
        shape,
        &["unencrypted-cluster-into-an-air-gapped-vault"],
    );
}

fn out_of_one_onto_the_default_key(scene: &mut Scene) {
    let shape = Shape {
        backup: Backup::S3,
        ..OUT_OF
    };
    edited(scene, shape, &["vault-on-the-default-key"]);
}

fn key_in_an_opt_in_region(scene: &mut Scene) {
    let shape = Shape {
        opt_in_region: true,
        ..USUAL
    };
    edited(
        scene,
        shape,
        &["destination-not-enabled-in-the-keys-region"],
    );
}

const EXPERTS: [Expert; 18] = [
    Expert {
        rule: Cause::DestinationVaultPolicy,
        ..nothing_helps(
            "a vault on the default key, without an Allow",
            Cause::DestinationVaultKey,
            default_key_without_allow,
        )
    },
    nothing_helps(
        "a source key of an account outside the organization",
        Cause::SourceKeyPolicy,
        key_outside_the_organization,
    ),
    nothing_helps(
        "an image whose second snapshot's key isn't shared",
        Cause::SourceKeyPolicy,
        images_second_key,
    ),
    nothing_helps(
        "an air-gapped vault's key that doesn't admit the job role",
        Cause::DestinationVaultKey,
        |scene| edited(scene, INTO, &["vault-key-admits-nobody"]),
    ),
    nothing_helps(
        "a source vault that denies copies from it",
        Cause::SourceVaultDeny,
        |scene| edited(scene, USUAL, &["source-vault-denies-copies-from-it"]),
    ),
    nothing_helps(
        "a vault without an Allow, and a disabled key",
        Cause::DestinationVaultPolicy,
        key_and_vault,
    ),
    nothing_helps(
        "an air-gapped vault of the same account, and a key of Amazon EBS",
        Cause::AwsManagedKey,
        air_gapped_in_the_same_account,
    ),
    nothing_helps(
        "the default vault of another account",
        Cause::DestinationVaultKey,
        default_vault,
    ),
    nothing_helps(
        "a vault on the default key in the same account",
        Cause::DestinationVaultKey,
        |scene| edited(scene, INSIDE, &["vault-on-the-default-key"]),
    ),
    nothing_helps(
        "a vault's key of another account that isn't shared",
        Cause::DestinationVaultKey,
        vaults_key_of_another_account,
    ),
    nothing_helps(
        "a vault's key whose policy denies grants",
        Cause::DestinationVaultKey,
        vaults_key_that_denies,
    ),
    nothing_helps(
        "a vault's key that admits another role",
        Cause::DestinationVaultKey,
        |scene| edited(scene, USUAL, &["vault-key-admits-another-role"]),
    ),
    nothing_helps(
        "a source key that admits the service-linked role alone, into an air-gapped vault",
        Cause::SourceKeyPolicy,
        only_the_linked_role,
    ),
    nothing_helps(
        "an air-gapped vault's key that admits the job role alone, on the way out",
        Cause::SourceKeyPolicy,
        |scene| {
            edited(
                scene,
                OUT_OF,
                &["air-gapped-vaults-key-admits-the-job-role-alone"],
            );
        },
    ),
    nothing_helps(
        "a source key that doesn't admit the job role, inside one account",
        Cause::SourceKeyPolicy,
        |scene| edited(scene, INSIDE, &["source-key-admits-nobody"]),
    ),
    nothing_helps(
        "an unencrypted cluster into an air-gapped vault",
        Cause::UnsupportedResourceType,
        unencrypted_cluster,
    ),
    nothing_helps(
        "a fully managed backup out of an air-gapped vault onto the default key",
        Cause::DestinationVaultKey,
        out_of_one_onto_the_default_key,
    ),
    nothing_helps(
        "a source key in an opt-in Region where the destination isn't enabled",
        Cause::RegionOptIn,
        key_in_an_opt_in_region,
    ),
];

#[test]
fn aws_answers_the_copy_as_an_expert_says() {
    for expert in &EXPERTS {
        let rule = expert.sandbox().with_world(|world| broken_rule(world));
        assert_eq!(rule, Some(expert.rule), "{}", expert.name);
    }
}

#[tokio::test]
async fn the_product_comes_out_as_an_expert_demands_less_the_expected_failures() {
    let mut wrong = Vec::new();
    let mut complaints = Vec::new();
    for expert in &EXPERTS {
        for mode in [Mode::Observe, Mode::Repair] {
            if let Some(complaint) = expert.complaint(mode).await {
                complaints.push(format!("{} ({mode}): {complaint}", expert.name));
                wrong.push(expert.name);
            }
        }
    }
    wrong.dedup();
    assert_eq!(wrong, EXPECTED_FAILURES, "{complaints:#?}");
}

fn verdict_on_key_policy(report: &copymend_remediation::report::Report) -> (Verdict, String) {
    let mut candidates = report.diagnosis.candidates.iter();
    let found = candidates
        .find(|candidate| candidate.cause == Cause::SourceKeyPolicy)
        .unwrap();
    (found.verdict, found.evidence.join("; "))
}

fn image_under_two_keys() -> Scene {
    let mut scene = Scene::healthy();
    images_second_key(&mut scene);
    scene
}

#[tokio::test]
async fn a_key_of_an_image_that_was_not_read_is_not_ruled_out() {
    let sandbox = Sandbox::new(image_under_two_keys().load());
    let report = handle(&sandbox, Mode::Repair).await;
    let (verdict, evidence) = verdict_on_key_policy(&report);
    assert_eq!(verdict, Verdict::NotCheckable, "{evidence}");
    assert!(
        evidence.contains("several snapshots under several keys"),
        "{evidence}"
    );
    assert_eq!(sandbox.calls().count("ec2:DescribeImages"), 0);
    assert_eq!(sandbox.calls().count("backup:StartCopyJob"), 0);
}

#[tokio::test]
async fn a_key_of_another_snapshot_is_named_and_repaired_where_images_are_read() {
    let sandbox = Sandbox::new(image_under_two_keys().load()).reading_images(true);
    let named = sandbox.with_world(|world| {
        let job = world.copy_jobs().last().unwrap().clone();
        let point = world.recovery_point(&job.source_vault, &job.recovery_point);
        point.unwrap().encryption_key_arn.clone().unwrap()
    });
    let report = handle(&sandbox, Mode::Repair).await;
    let (verdict, evidence) = verdict_on_key_policy(&report);
    assert_eq!(verdict, Verdict::Confirmed, "{evidence}");
    assert!(!evidence.contains(named.as_str()), "{evidence}");
    let writes = sandbox.writes();
    assert_eq!(writes[0].operation, "kms:PutKeyPolicy", "{report:#?}");
    assert_ne!(writes[0].resource, named.as_str());
    let state = sandbox.with_world(|world| world.copy_jobs().last().unwrap().state());
    assert_eq!(state, copymend_diagnosis::CopyJobState::Completed);
}

#[tokio::test]
async fn nothing_is_written_where_two_keys_of_an_image_stand_in_the_way() {
    let mut scene = image_under_two_keys();
    let mut draft_keys = scene.0.pointer(KEYS).unwrap().as_object().unwrap().clone();
    for key in draft_keys.values_mut() {
        let statements = key["policy"]["Statement"].as_array_mut();
        if let Some(statements) = statements {
            statements.truncate(1);
        }
    }
    scene.set(
        "/accounts/111122223333/regions/us-east-1",
        "keys",
        json!(draft_keys),
    );
    let sandbox = Sandbox::new(scene.load()).reading_images(true);
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(report.diagnosis.cause, Cause::SourceKeyPolicy);
    assert_eq!(verdict_on_key_policy(&report).0, Verdict::Confirmed);
    assert!(sandbox.writes().is_empty(), "{:?}", sandbox.writes());
}

#[tokio::test]
async fn a_refused_read_of_an_image_is_no_absence() {
    let sandbox = Sandbox::new(image_under_two_keys().load()).reading_images(true);
    sandbox.fail("ec2:DescribeSnapshots", CallErrorKind::AccessDenied);
    let report = handle(&sandbox, Mode::Repair).await;
    assert_eq!(report.diagnosis.cause, Cause::SourceKeyPolicy);
    let (verdict, evidence) = verdict_on_key_policy(&report);
    assert_eq!(verdict, Verdict::NotCheckable, "{evidence}");
    assert!(sandbox.writes().is_empty());
}
