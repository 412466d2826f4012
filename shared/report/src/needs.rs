//! The words for the permissions that a call or job needs, one by one.

use copymend_diagnosis::{PermissionAnswer, PermissionState};
use copymend_policy::Layer;

use crate::text::{inline, sentence};

/// The mark before a permission, two characters wide.
pub(crate) const fn mark(state: PermissionState) -> &'static str {
    match state {
        PermissionState::Allowed => "ok",
        PermissionState::Missing | PermissionState::Denied => "NO",
        PermissionState::Unknown => "??",
    }
}

/// The permissions with those that are not there first, then those that can't be told.
pub(crate) fn in_order(answers: &[PermissionAnswer]) -> Vec<&PermissionAnswer> {
    let mut answers: Vec<&PermissionAnswer> = answers.iter().collect();
    answers.sort_by_key(|answer| match answer.state {
        PermissionState::Missing | PermissionState::Denied => 0_u8,
        PermissionState::Unknown => 1,
        PermissionState::Allowed => 2,
    });
    answers
}

/// `kms:Decrypt on arn:…: own policies and key policy. No policy of the caller allows it.`
/// `shown` makes a text of others harmless.
pub(crate) fn line(answer: &PermissionAnswer, shown: impl Fn(&str) -> String) -> String {
    let what = format!("{} on {}", inline(&answer.action), inline(&answer.resource));
    let detail = shown(&answer.detail);
    if answer.state == PermissionState::Allowed && detail == "allowed" {
        return what;
    }
    let layers: Vec<&str> = answer.blocked_by.iter().copied().map(layer).collect();
    match (layers.is_empty(), detail.is_empty()) {
        (true, true) => what,
        (true, false) => format!("{what}: {detail}"),
        (false, true) => format!("{what}: {}", layers.join(", ")),
        (false, false) => format!("{what}: {}. {}", layers.join(", "), sentence(&detail)),
    }
}

/// Whether a sentence of the evidence says what stands in the list of the permissions already.
pub(crate) fn is_listed(answers: &[PermissionAnswer], evidence: &str) -> bool {
    answers.iter().any(|answer| {
        evidence
            .strip_prefix(answer.action.as_str())
            .and_then(|rest| rest.strip_prefix(" on `"))
            .and_then(|rest| rest.strip_prefix(answer.resource.as_str()))
            .and_then(|rest| rest.strip_prefix("`: "))
            .is_some_and(|detail| detail == answer.detail)
    })
}

/// What stands in place of such sentences.
pub(crate) const LISTED: &str = "See the list of the permissions.";

/// A kind of policy that is in the way.
const fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Identity => "own policies",
        Layer::Boundary => "permissions boundary",
        Layer::Session => "session policy",
        Layer::Scp => "service control policy",
        Layer::Rcp => "resource control policy",
        Layer::Resource => "key policy",
    }
}

/// How many of the permissions are not there or can't be told, in a few words.
pub(crate) fn count(answers: &[PermissionAnswer]) -> String {
    let with = |wanted: &[PermissionState]| {
        answers
            .iter()
            .filter(|answer| wanted.contains(&answer.state))
            .count()
    };
    let missing = with(&[PermissionState::Missing, PermissionState::Denied]);
    let unknown = with(&[PermissionState::Unknown]);
    let of = format!("{missing} of {} missing or denied", answers.len());
    if unknown == 0 {
        of
    } else {
        format!("{of}, {unknown} unknown")
    }
}
