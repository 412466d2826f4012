//! What is read of a place, and the copies that its plans will make.

use std::collections::{BTreeMap, BTreeSet};

use copymend_policy::Arn;
use copymend_remediation::ports::Location;
use serde::Serialize;

use super::newest::NewestBackups;
use super::route::{Route, RouteKey, RuleName};
use crate::listed::{BackupPlan, BackupSelection, ListedVault, ProtectedResource};

/// A plan with what it selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectingPlan {
    /// The plan.
    pub plan: BackupPlan,
    /// Its selections.
    pub selections: Vec<BackupSelection>,
    /// Whether these are all: one that could not be read may take anything.
    pub has_every_selection: bool,
}

/// What was read of an account and Region.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where it is.
    pub at: Location,
    /// The partition, such as `aws`.
    pub partition: String,
    /// The plans.
    pub plans: Vec<SelectingPlan>,
    /// The vaults by name; nothing where they could not be read.
    pub vaults: Option<BTreeMap<String, ListedVault>>,
    /// Whether these are all: a row that can't be understood may be that of any vault.
    pub has_every_vault: bool,
    /// The resources that have had a backup; nothing where they could not be read.
    pub protected: Option<BTreeMap<Arn, ProtectedResource>>,
    /// The newest backups of the rules' vaults.
    pub newest: NewestBackups,
}

/// A rule that will make no copy, because a vault that it names doesn't exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotMaterialised {
    /// Where the plan is.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// The rule.
    pub rule: RuleName,
    /// What is missing, in a sentence.
    pub what: String,
}

/// Why nothing is foreseen of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyUnseen {
    /// The selection names it, and no backup of it is known.
    NeverBackedUp,
    /// A pattern of the selection takes it, and the rule made no backup of it in 30 days.
    ByPattern,
    /// The selection takes resources by their tags: which they are isn't read.
    ByTags,
    /// The plan has several job roles, and none of them made its backup.
    RoleNotKnown,
    /// The rule backed it up, no selection that was read takes it, and one could not be read.
    SelectionNotRead,
}

impl WhyUnseen {
    /// The reason in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NeverBackedUp => "named by its ARN, and no backup of it is known",
            Self::ByPattern => {
                "taken by a pattern, and this rule made no backup of it in the last 30 days"
            }
            Self::ByTags => {
                "what the selection takes by tags is seen only once this rule has backed it up"
            }
            Self::RoleNotKnown => {
                "the plan has several job roles, and none of them made its newest backup"
            }
            Self::SelectionNotRead => {
                "this rule backed it up of late, and a selection that may take it could not be read"
            }
        }
    }
}

/// Resources of which nothing can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Where the plan is.
    pub account: String,
    /// Its Region.
    pub region: String,
    /// The rule.
    pub rule: RuleName,
    /// The reason.
    pub why: WhyUnseen,
    /// The resources; none of what tags take, which isn't read.
    pub resources: BTreeSet<String>,
}

/// The copies that the plans of a place will make.
#[derive(Clone, Debug, Default)]
pub struct PlannedCopies {
    /// By the ways that they go.
    pub routes: BTreeMap<RouteKey, Route>,
    /// The rules that will make none.
    pub not_materialised: Vec<NotMaterialised>,
    /// What nothing can be known of.
    pub unseen: Vec<Unseen>,
    /// AWS's own plans that were left out.
    pub skipped: Vec<String>,
    /// Rules that make no copies.
    pub rules_without_copies: u64,
}
