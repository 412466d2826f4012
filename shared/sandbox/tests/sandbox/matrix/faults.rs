//! One read fails: the diagnosis is never confidently wrong, says what it doesn't know, and nothing
//! is written that needs it.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::settings::Mode;
use copymend_sandbox::{Sandbox, World};

use super::breaks::{BREAKS, Break};
use super::messages::{MESSAGES, fail_with};
use super::scene::{Scene, VAULT, handle};

const KINDS: [CallErrorKind; 3] = [
    CallErrorKind::AccessDenied,
    CallErrorKind::Throttled,
    CallErrorKind::Timeout,
];

/// The reads that each repair's guards rest on. Any other may fail, and the repair is made all the
/// same.
const RESTS_ON: [(Cause, &[&str]); 3] = [
    (
        Cause::DestinationVaultPolicy,
        &[
            // Its key, its type and its lock may stand in the way.
            "backup:DescribeBackupVault",
            "backup:GetBackupVaultAccessPolicy",
            "backup:ListTags",
            "iam:GetRole",
            "organizations:DescribeOrganization",
        ],
    ),
    (
        Cause::SourceKeyPolicy,
        &[
            // Whether either vault is logically air-gapped: other principals would need the key
            // then.
            "backup:DescribeBackupVault",
            "backup:DescribeRecoveryPoint",
            "backup:ListTags",
            "iam:GetRole",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:ListKeyPolicies",
            "kms:ListResourceTags",
            "organizations:DescribeOrganization",
        ],
    ),
    (
        Cause::ServiceLinkedRole,
        &[
            "backup:ListTags",
            "iam:GetRole",
            "organizations:DescribeOrganization",
        ],
    ),
];

const WRITES: [&str; 4] = [
    "backup:PutBackupVaultAccessPolicy",
    "backup:StartCopyJob",
    "iam:CreateServiceLinkedRole",
    "kms:PutKeyPolicy",
];

/// What was written, without what the writes held.
fn written(sandbox: &Sandbox) -> Vec<&'static str> {
    sandbox
        .writes()
        .iter()
        .map(|write| write.operation)
        .collect()
}

/// The reads of a run without faults, after the job was verified, and what that run writes.
async fn without_faults(world: &World) -> (Vec<String>, Vec<&'static str>) {
    let sandbox = Sandbox::new(world.clone());
    handle(&sandbox, Mode::Repair).await;
    let reads = sandbox
        .calls()
        .counts()
        .into_keys()
        .filter(|operation| {
            let is_own = operation.starts_with("ledger:") || operation.starts_with("sns:");
            !is_own
                && !WRITES.contains(&operation.as_str())
                && operation != "backup:DescribeCopyJob"
        })
        .collect();
    (reads, written(&sandbox))
}

async fn check(cause: Cause, world: &World, also_rests_on: &[&str]) {
    let (reads, writes) = without_faults(world).await;
    assert!(reads.len() >= 10, "{cause}: {reads:?}");
    let rests_on = RESTS_ON
        .iter()
        .find(|(repaired, _)| *repaired == cause)
        .map(|(_, reads)| *reads);
    let repairs = writes.iter().any(|write| *write != "backup:StartCopyJob");
    assert_eq!(rests_on.is_some(), repairs, "{cause}: {writes:?}");
    assert_eq!(writes.is_empty(), !repairs && !cause.is_retryable());
    for read in &reads {
        for kind in KINDS {
            let fault = format!("{cause}, {read} {kind:?}");
            let sandbox = Sandbox::new(world.clone());
            sandbox.fail(read, kind);
            let report = handle(&sandbox, Mode::Repair).await;
            assert!(report.verified, "{fault}");
            for candidate in &report.diagnosis.candidates {
                assert!(
                    candidate.verdict != Verdict::Confirmed || candidate.cause == cause,
                    "{fault}: {candidate:#?}"
                );
                assert!(
                    candidate.verdict != Verdict::RuledOut || candidate.cause != cause,
                    "{fault}: {candidate:#?}"
                );
            }
            assert!(
                report
                    .diagnosis
                    .unknown
                    .iter()
                    .any(|why| why.operation == *read),
                "{fault}: {:#?}",
                report.diagnosis.unknown
            );
            // The vault's tags say whether its owner lets Copymend act: nothing is started again
            // without them.
            let needed = rests_on.is_some_and(|reads| reads.contains(&read.as_str()))
                || also_rests_on.contains(&read.as_str())
                || cause.is_retryable() && read == "backup:ListTags";
            let expected = if needed { &[][..] } else { &writes };
            assert_eq!(written(&sandbox), expected, "{fault}: {report:#?}");
        }
    }
}

async fn check_all(breaks: &[Break]) {
    for broken in breaks {
        let mut scene = Scene::healthy();
        (broken.apply)(&mut scene);
        check(broken.cause, &scene.load(), &[]).await;
    }
}

#[tokio::test]
async fn a_read_that_fails_never_misleads_about_roles_and_organizations() {
    check_all(&BREAKS[..9]).await;
}

#[tokio::test]
async fn a_read_that_fails_never_misleads_about_vaults_and_resources() {
    check_all(&BREAKS[9..16]).await;
}

#[tokio::test]
async fn a_read_that_fails_never_misleads_about_keys_and_tags() {
    check_all(&BREAKS[16..]).await;
}

/// A copy is started again for its message; nothing else is done about these.
#[tokio::test]
async fn a_read_that_fails_never_misleads_about_what_only_a_message_tells() {
    for (cause, message) in MESSAGES {
        let mut scene = Scene::healthy();
        fail_with(&mut scene, message);
        check(cause, &scene.load(), &[]).await;
    }
}

/// AWS Backup answers alike for a vault without a policy and for no vault at all, so it must be
/// known that there is one.
#[tokio::test]
async fn the_repair_of_a_vault_without_a_policy_rests_on_the_vault_too() {
    let mut scene = Scene::healthy();
    scene.remove(VAULT, "policy");
    let world = scene.load();
    check(
        Cause::DestinationVaultPolicy,
        &world,
        &["backup:DescribeBackupVault"],
    )
    .await;
}
