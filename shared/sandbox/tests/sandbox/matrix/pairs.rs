//! Every pair of causes that can coexist: both are named, in the order in which they must be put
//! right.

use std::collections::BTreeSet;

use copymend_diagnosis::Cause;
use copymend_remediation::settings::Mode;
use copymend_sandbox::Sandbox;

use super::breaks::{BREAKS, Break};
use super::messages::{MESSAGES, fail_with};
use super::scene::{Scene, broken_rule, excludes, handle, named};

/// Why two causes aren't both named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Why {
    /// They can't both be there.
    Contradict(&'static str),
    /// The first keeps the second out of sight, so that the second must not be excluded.
    Hidden(&'static str),
}

type Entry = (&'static [Cause], &'static [Cause], Why);

/// The pairs of which the first is put right before the second. What isn't in here is visible.
const EXCEPTIONS: &[Entry] = &[
    (
        &[Cause::JobRoleMissing],
        &[
            Cause::JobRoleTrust,
            Cause::JobRolePermission,
            Cause::PermissionsBoundary,
        ],
        Why::Contradict("a role that doesn't exist has no policies"),
    ),
    (
        &[Cause::SourceNotFound],
        &[
            Cause::UnsupportedResourceType,
            Cause::AwsManagedKey,
            Cause::KeyNotFound,
            Cause::SourceKeyState,
            Cause::SourceKeyDeny,
            Cause::SourceKeyPolicy,
            Cause::TagLimit,
            Cause::TagPolicy,
        ],
        Why::Contradict("a recovery point that doesn't exist has no type, no key and no tags"),
    ),
    (
        &[Cause::VaultNotFound],
        &[
            Cause::DestinationVaultDeny,
            Cause::DestinationVaultPolicy,
            Cause::DestinationVaultKey,
            Cause::RetentionOutOfRange,
            Cause::ResourceControlPolicy,
        ],
        Why::Contradict("a vault that doesn't exist has no policy, no key and no lock"),
    ),
    (
        &[Cause::DestinationVaultKey],
        &[Cause::ResourceControlPolicy],
        Why::Contradict("a logically air-gapped vault never uses an AWS managed key"),
    ),
    (
        &[Cause::ResourceControlPolicy],
        &[Cause::SourceKeyDeny, Cause::SourceKeyPolicy],
        Why::Contradict(
            "into a logically air-gapped vault the job role uses the source key, not the service-linked role",
        ),
    ),
    (
        &[Cause::AwsManagedKey],
        &[
            Cause::KeyNotFound,
            Cause::SourceKeyState,
            Cause::SourceKeyDeny,
            Cause::SourceKeyPolicy,
        ],
        Why::Contradict("nobody deletes, disables or changes an AWS managed key"),
    ),
    (
        &[Cause::KeyNotFound],
        &[
            Cause::SourceKeyState,
            Cause::SourceKeyDeny,
            Cause::SourceKeyPolicy,
        ],
        Why::Contradict("a key that doesn't exist has no state and no policy"),
    ),
    (
        &[Cause::JobRoleMissing],
        &[Cause::ServiceControlPolicy],
        Why::Hidden("without the role nothing can be simulated"),
    ),
    (
        &[Cause::JobRoleTrust, Cause::SourceVaultDeny],
        &[Cause::ServiceControlPolicy],
        Why::Hidden(
            "the simulator refuses too much, so it isn't believed where something else explains the message",
        ),
    ),
    (
        &[
            Cause::JobRoleMissing,
            Cause::JobRoleTrust,
            Cause::SourceVaultDeny,
            Cause::ServiceControlPolicy,
            Cause::JobRolePermission,
            Cause::PermissionsBoundary,
            Cause::VaultNotFound,
            Cause::OrganizationMembership,
            Cause::CrossAccountBackupDisabled,
            Cause::UnsupportedResourceType,
            Cause::DestinationVaultDeny,
            Cause::DestinationVaultPolicy,
            Cause::DestinationVaultKey,
            Cause::RetentionOutOfRange,
            Cause::ResourceControlPolicy,
            Cause::ServiceLinkedRole,
            Cause::AwsManagedKey,
            Cause::KeyNotFound,
            Cause::SourceKeyState,
            Cause::SourceKeyDeny,
            Cause::SourceKeyPolicy,
        ],
        &[Cause::TagLimit, Cause::TagPolicy],
        Why::Hidden("AWS Backup doesn't list the tags of a snapshot, which is EC2's"),
    ),
    (
        &[
            Cause::JobRoleMissing,
            Cause::JobRoleTrust,
            Cause::SourceVaultDeny,
            Cause::ServiceControlPolicy,
            Cause::JobRolePermission,
            Cause::PermissionsBoundary,
            Cause::SourceNotFound,
        ],
        &[Cause::VaultNotFound],
        Why::Hidden("AWS Backup denies what is asked about a vault that doesn't exist"),
    ),
    (
        &[Cause::VaultNotFound],
        &[Cause::SourceKeyDeny, Cause::SourceKeyPolicy],
        Why::Hidden("who uses the source key depends on the kind of the vault, which is gone"),
    ),
    (
        &[Cause::TagLimit],
        &[Cause::TagPolicy],
        Why::Hidden("AWS Backup doesn't list the tags of a snapshot, which is EC2's"),
    ),
    (
        &[
            Cause::JobRoleMissing,
            Cause::JobRoleTrust,
            Cause::SourceVaultDeny,
            Cause::ServiceControlPolicy,
            Cause::JobRolePermission,
            Cause::PermissionsBoundary,
            Cause::SourceNotFound,
            Cause::OrganizationMembership,
            Cause::CrossAccountBackupDisabled,
            Cause::UnsupportedResourceType,
            Cause::DestinationVaultDeny,
            Cause::DestinationVaultPolicy,
            Cause::RetentionOutOfRange,
        ],
        &[Cause::ResourceControlPolicy],
        Why::Hidden("only the message tells, and AWS prints the first thing that is wrong"),
    ),
];

fn exception(first: Cause, second: Cause) -> Option<Why> {
    EXCEPTIONS
        .iter()
        .find(|(firsts, seconds, _)| firsts.contains(&first) && seconds.contains(&second))
        .map(|(_, _, why)| *why)
}

async fn check(first: &Break, second: &Break) {
    let pair = format!("{} and {}", first.cause, second.cause);
    let why = exception(first.cause, second.cause);
    if matches!(why, Some(Why::Contradict(_))) {
        return;
    }
    let mut scene = Scene::healthy();
    (first.apply)(&mut scene);
    (second.apply)(&mut scene);
    let world = scene.load();
    assert_eq!(broken_rule(&world), Some(first.cause), "{pair}");
    let report = handle(&Sandbox::new(world), Mode::Observe).await;
    let candidates = &report.diagnosis.candidates;
    if let Some(why) = why {
        assert_eq!(named(&report), [first.cause], "{pair}: {candidates:#?}");
        assert!(!excludes(&report, second.cause), "{pair}, {why:?}");
    } else if [first.cause, second.cause] == [Cause::VaultNotFound, Cause::OrganizationMembership] {
        // Nothing but the message shows it, and accounts of two organizations explain any message.
        assert_eq!(named(&report), [second.cause], "{pair}: {candidates:#?}");
        assert!(!excludes(&report, first.cause), "{pair}");
    } else {
        let mut both = [first.cause, second.cause];
        // A vault's key can't be changed: where it is of no use, no grant on the vault is.
        if both == [Cause::DestinationVaultPolicy, Cause::DestinationVaultKey] {
            both.reverse();
        }
        assert_eq!(named(&report), both, "{pair}: {candidates:#?}");
    }
}

#[tokio::test]
async fn two_causes_at_once_are_both_named_in_the_order_of_repair() {
    for (number, first) in BREAKS.iter().enumerate() {
        for second in &BREAKS[number + 1..] {
            check(first, second).await;
        }
    }
}

#[test]
fn every_exception_is_a_pair_in_the_order_of_repair_and_stands_there_once() {
    let place = |cause| BREAKS.iter().position(|broken| broken.cause == cause);
    let mut seen = BTreeSet::new();
    for (firsts, seconds, why) in EXCEPTIONS {
        for first in *firsts {
            for second in *seconds {
                assert!(place(*first).unwrap() < place(*second).unwrap(), "{why:?}");
                assert!(seen.insert((first, second)), "{first} and {second} twice");
            }
        }
    }
    let hidden = seen
        .iter()
        .filter(|(first, second)| matches!(exception(**first, **second), Some(Why::Hidden(_))));
    assert_eq!((seen.len(), hidden.count()), (94, 68));
}

/// AWS prints one message, the one of the first thing that is wrong. What stands behind it can't be
/// seen, nor excluded.
#[tokio::test]
async fn a_cause_that_only_its_message_tells_is_hidden_behind_any_other() {
    for broken in &BREAKS {
        for (cause, message) in MESSAGES {
            let mut scene = Scene::healthy();
            fail_with(&mut scene, message);
            (broken.apply)(&mut scene);
            let world = scene.load();
            assert_eq!(broken_rule(&world), Some(broken.cause));
            let report = handle(&Sandbox::new(world), Mode::Observe).await;
            assert_eq!(named(&report), [broken.cause], "{cause}");
            assert!(!excludes(&report, cause), "{cause} behind {}", broken.cause);
        }
    }
}
