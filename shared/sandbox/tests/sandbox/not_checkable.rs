//! A report names as not checkable what may stop this copy and wasn't read, and nothing else.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;
use copymend_sandbox::editor::{self, Backup, Draft, Shape, VaultKind};

use crate::matrix::scene::{Scene, handle};

/// What is named beside the vault's policy for a copy of this shape.
async fn named(shape: Shape) -> Vec<Cause> {
    let mut draft = Draft::healthy(shape);
    let ways = editor::breaks();
    let way = ways
        .into_iter()
        .find(|way| way.name == "vault-without-policy");
    way.unwrap().make(&mut draft);
    let scene = Scene(draft.json().clone());
    let report = handle(&Sandbox::new(scene.load()), Mode::Observe).await;
    assert_eq!(report.diagnosis.cause, Cause::DestinationVaultPolicy);
    let candidates = report.diagnosis.candidates.iter();
    candidates
        .filter(|one| one.verdict == Verdict::NotCheckable)
        .map(|one| one.cause)
        .collect()
}

#[tokio::test]
async fn what_was_read_is_not_named() {
    let usual = Shape::USUAL;
    let of = |backup| Shape { backup, ..usual };
    assert_eq!(named(of(Backup::S3)).await, []);
    // The tags of a snapshot aren't read.
    assert_eq!(named(of(Backup::Ebs)).await, [Cause::TagLimit]);
    assert_eq!(named(of(Backup::PlainEbs)).await, [Cause::TagLimit]);
    assert_eq!(named(of(Backup::Aurora)).await, [Cause::TagLimit]);
    let into = Shape {
        destination: VaultKind::AirGapped,
        ..usual
    };
    // The job role uses the key of the backup, which nobody simulates.
    let of_job_role = [
        Cause::ResourceControlPolicy,
        Cause::TagLimit,
        Cause::JobRolePermission,
        Cause::ServiceControlPolicy,
    ];
    assert_eq!(named(into).await, of_job_role);
    let out_of = Shape {
        source: VaultKind::AirGapped,
        ..usual
    };
    assert_eq!(named(out_of).await, []);
}

#[tokio::test]
async fn what_may_be_at_a_key_that_was_not_read_is_named() {
    let image = Shape {
        backup: Backup::Image,
        ..Shape::USUAL
    };
    let of_other_keys = [
        Cause::AwsManagedKey,
        Cause::KeyNotFound,
        Cause::SourceKeyState,
        Cause::SourceKeyDeny,
        Cause::SourceKeyPolicy,
        Cause::TagLimit,
    ];
    let mut found = named(image).await;
    found.sort_by_key(|cause| of_other_keys.iter().position(|other| other == cause));
    assert_eq!(found, of_other_keys);
}

#[tokio::test]
async fn a_region_that_nobody_asked_about_is_named_where_a_key_of_another_account_is() {
    let opt_in = Shape {
        opt_in_region: true,
        ..Shape::USUAL
    };
    let expected = [Cause::RegionOptIn, Cause::TagLimit];
    assert_eq!(named(opt_in).await, expected);
    let into = Shape {
        destination: VaultKind::AirGappedUnderCustomerKey,
        ..opt_in
    };
    let of_job_role = [
        Cause::RegionOptIn,
        Cause::ResourceControlPolicy,
        Cause::TagLimit,
        Cause::JobRolePermission,
        Cause::ServiceControlPolicy,
    ];
    assert_eq!(named(into).await, of_job_role);
    // The account's own vault is there.
    let inside = Shape {
        cross_region: false,
        ..opt_in
    };
    assert_eq!(named(inside).await, [Cause::TagLimit]);
}
