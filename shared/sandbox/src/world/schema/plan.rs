//! Backup plans.

use std::collections::BTreeMap;

use copymend_diagnosis::{BackupVaultArn, Lifecycle, RoleArn};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::job::LifecycleInput;
use super::unique::unique;

/// A backup plan of an account and Region. Nothing in a world runs by it: it is what AWS Backup
/// tells of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `BackupPlanName`; the plan's id unless said otherwise.
    #[serde(default)]
    pub name: Option<String>,
    /// The rules.
    #[serde(default)]
    pub rules: Vec<PlanRule>,
    /// What the plan backs up, by the selections' ids.
    #[serde(default, deserialize_with = "unique")]
    pub selections: BTreeMap<String, PlanSelection>,
}

/// A rule of a backup plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRule {
    /// `RuleId`.
    pub id: String,
    /// `RuleName`; the rule's id unless said otherwise.
    #[serde(default)]
    pub name: Option<String>,
    /// `TargetBackupVaultName`: a vault of the plan's account and Region.
    pub target_vault: String,
    /// `TargetLogicallyAirGappedBackupVaultArn`.
    #[serde(default)]
    pub target_air_gapped_vault_arn: Option<BackupVaultArn>,
    /// `ScheduleExpression`; every day at 5:00 UTC unless said otherwise, as in AWS.
    #[serde(default)]
    pub schedule: Option<String>,
    /// When AWS Backup says that it runs next. Unless said otherwise it follows from a schedule that
    /// is a time of every day, and isn't told for others.
    #[serde(default)]
    pub next_runs: Vec<Timestamp>,
    /// `EnableContinuousBackup`.
    #[serde(default)]
    pub continuous: bool,
    /// `Lifecycle` of the backups; they are kept for ever unless said otherwise.
    #[serde(default, deserialize_with = "lifecycle")]
    pub lifecycle: Option<Lifecycle>,
    /// `CopyActions`.
    #[serde(default)]
    pub copy_actions: Vec<PlanCopyAction>,
}

/// A copy that a rule makes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanCopyAction {
    /// `DestinationBackupVaultArn`.
    pub destination_vault_arn: BackupVaultArn,
    /// `Lifecycle`; the source's unless said otherwise.
    #[serde(default, deserialize_with = "lifecycle")]
    pub lifecycle: Option<Lifecycle>,
}

/// What a plan backs up, and as whom.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSelection {
    /// `SelectionName`; the selection's id unless said otherwise.
    #[serde(default)]
    pub name: Option<String>,
    /// `IamRoleArn`.
    pub iam_role_arn: RoleArn,
    /// `Resources`: ARNs, which may hold `*`.
    #[serde(default)]
    pub resources: Vec<String>,
    /// `NotResources`: ARNs, which may hold `*`.
    #[serde(default)]
    pub not_resources: Vec<String>,
    /// `ListOfTags`: a resource with one of them is selected.
    #[serde(default)]
    pub tags: Vec<SelectedTag>,
    /// `Conditions`: a resource must meet all of them.
    #[serde(default)]
    pub conditions: SelectionConditions,
}

/// The conditions of a selection, by how they compare.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectionConditions {
    /// `StringEquals`.
    #[serde(default)]
    pub string_equals: Vec<SelectedTag>,
    /// `StringNotEquals`.
    #[serde(default)]
    pub string_not_equals: Vec<SelectedTag>,
    /// `StringLike`.
    #[serde(default)]
    pub string_like: Vec<SelectedTag>,
    /// `StringNotLike`.
    #[serde(default)]
    pub string_not_like: Vec<SelectedTag>,
}

/// A tag that a selection compares.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectedTag {
    /// The bare key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// A [`Lifecycle`] whose fields all exist.
pub(super) fn lifecycle<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Lifecycle>, D::Error> {
    Option::<LifecycleInput>::deserialize(deserializer).map(|input| input.map(Into::into))
}
