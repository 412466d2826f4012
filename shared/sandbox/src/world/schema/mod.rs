//! The JSON of a world. `docs/world.md` describes it for people.

mod copymend;
mod identity;
mod job;
mod organization;
mod plan;
mod policy_text;
mod resource;
mod unique;

use std::collections::BTreeMap;

use copymend_policy::AccountId;
use jiff::Timestamp;
use serde::Deserialize;

pub use copymend::Copymend;
pub use identity::{PermissionsBoundary, Role, User};
pub(crate) use job::CopyJobInput;
pub use job::{BackupJob, BackupPlan, Fault, RestoreJob};
pub use organization::{Organization, OrganizationPolicy, TagRule};
pub use plan::{Plan, PlanCopyAction, PlanRule, PlanSelection, SelectedTag, SelectionConditions};
pub use policy_text::PolicyText;
pub(crate) use resource::backup_vault;
pub use resource::{Key, Lock, RecoveryPoint, Region, Snapshot, Vault};
use unique::unique;

/// A whole world file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorldFile {
    /// For people.
    #[serde(default)]
    #[expect(dead_code, reason = "read by people, not by the sandbox")]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) time: Option<Timestamp>,
    /// As whom Copymend calls; an administrator of every account unless said otherwise.
    #[serde(default)]
    pub(crate) copymend: Option<Copymend>,
    /// The name of the sessions that AWS Backup opens of roles; `AWSBackup-` and the role's name
    /// unless said otherwise.
    #[serde(default)]
    pub(crate) session_name: Option<String>,
    /// Accounts that don't exist any more.
    #[serde(default)]
    pub(crate) closed_accounts: Vec<AccountId>,
    #[serde(default)]
    pub(crate) organizations: Vec<Organization>,
    #[serde(deserialize_with = "unique")]
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    #[serde(default)]
    pub(crate) copy_jobs: Vec<CopyJobInput>,
    #[serde(default)]
    pub(crate) backup_jobs: Vec<BackupJob>,
    #[serde(default)]
    pub(crate) restore_jobs: Vec<RestoreJob>,
}

/// An account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The name, for people.
    #[serde(default)]
    pub name: Option<String>,
    /// The partition; `aws` unless said otherwise.
    #[serde(default = "aws")]
    pub partition: String,
    /// Whether `AWSServiceRoleForBackup` exists. It does unless said otherwise.
    #[serde(default = "yes")]
    pub service_linked_role: bool,
    /// The IAM roles by name.
    #[serde(default, deserialize_with = "unique")]
    pub roles: BTreeMap<String, Role>,
    /// The IAM users.
    #[serde(default)]
    pub users: Vec<User>,
    /// The Regions that need opt-in and are enabled in this account; all of them unless said
    /// otherwise.
    #[serde(default)]
    pub enabled_opt_in_regions: Option<Vec<String>>,
    /// The Regions by code.
    #[serde(default, deserialize_with = "unique")]
    pub regions: BTreeMap<String, Region>,
}

fn aws() -> String {
    "aws".to_owned()
}

const fn yes() -> bool {
    true
}
