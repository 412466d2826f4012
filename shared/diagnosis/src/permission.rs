//! One permission that a call or job needs, and whether it is there.

use copymend_policy::Layer;
use serde::Serialize;

/// Whether a permission is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PermissionState {
    /// It is.
    Allowed,
    /// No policy that has to allow it does.
    Missing,
    /// A policy denies it.
    Denied,
    /// It can't be told.
    Unknown,
}

/// One permission, held against the facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PermissionAnswer {
    /// The action, such as `backup:CreateBackupVault`.
    pub action: String,
    /// The resource's ARN, or `*`.
    pub resource: String,
    /// Whether it is there.
    pub state: PermissionState,
    /// The layers that are in the way.
    pub blocked_by: Vec<Layer>,
    /// What was seen, in one sentence.
    pub detail: String,
    /// Whether it rests on AWS's message alone, and no policy was looked at.
    #[serde(skip)]
    pub is_from_message: bool,
}

impl PermissionAnswer {
    /// Whether the permission isn't there, and this layer is in the way.
    pub(crate) fn is_stopped_by(&self, layer: Layer) -> bool {
        let is_absent = matches!(
            self.state,
            PermissionState::Missing | PermissionState::Denied
        );
        is_absent && self.blocked_by.contains(&layer)
    }
}
