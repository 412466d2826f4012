//! An organization's backup policy as a document (Organizations user guide, "Backup policy syntax and
//! examples" and "Inheritance operators", documented).
//!
//! Values stand alone, as in an effective policy, or under the operators `@@assign`, `@@append` and
//! `@@remove`. What policies above and below this one set, it doesn't tell: that is said.

use std::collections::BTreeSet;

use copymend_diagnosis::Lifecycle;
use copymend_policy::AccountId;
use copymend_remediation::ports::Location;
use serde_json::Value;

use super::at::{At, DocumentError};
use super::document::stays_cold;
use super::planned::SelectingPlan;
use super::policy_values::{Reading, days, members_of, needed, text, truth};
use super::unique_keys::UniqueKeys;
use crate::listed::{
    BackupPlan, BackupRule, BackupSelection, CopyAction, SelectionCondition, TagComparison,
};

/// An organization's backup policy.
#[derive(Clone, Debug, PartialEq)]
pub struct BackupPolicy {
    value: Value,
    notes: Vec<String>,
    regions: BTreeSet<String>,
}

/// The elements of a plan.
const OF_PLAN: [&str; 6] = [
    "rules",
    "regions",
    "selections",
    "advanced_backup_settings",
    "backup_plan_tags",
    "scan_settings",
];
/// The elements of a rule.
const OF_RULE: [&str; 11] = [
    "schedule_expression",
    "target_backup_vault_name",
    "target_logically_air_gapped_backup_vault_arn",
    "start_backup_window_minutes",
    "complete_backup_window_minutes",
    "enable_continuous_backup",
    "lifecycle",
    "copy_actions",
    "recovery_point_tags",
    "index_actions",
    "scan_actions",
];
const OF_LIFECYCLE: [&str; 3] = [
    "move_to_cold_storage_after_days",
    "delete_after_days",
    "opt_in_to_archive_for_supported_resources",
];
const CONDITIONS: [(&str, TagComparison); 4] = [
    ("string_equals", TagComparison::Equals),
    ("string_not_equals", TagComparison::NotEquals),
    ("string_like", TagComparison::Like),
    ("string_not_like", TagComparison::NotLike),
];

impl BackupPolicy {
    pub(super) fn parse(text: &str) -> Result<Self, DocumentError> {
        let no_json = |error| DocumentError::of_whole(format!("it is no JSON: {error}"));
        let value: Value = serde_json::from_str(text).map_err(no_json)?;
        serde_json::from_str::<UniqueKeys>(text)
            .map_err(|error| DocumentError::of_whole(error.to_string()))?;
        // Read once as in any account, so that what is wrong is told before anything else is done.
        let reading = Reading::at(&anywhere()?);
        let plans = plans(&value, &reading)?;
        let regions = plans.into_iter().flat_map(|(regions, _)| regions).collect();
        let notes = reading.into_notes();
        Ok(Self {
            value,
            notes,
            regions,
        })
    }

    /// The plans that it makes in an account and Region.
    pub(super) fn plans_at(&self, at: &Location) -> Result<Vec<SelectingPlan>, DocumentError> {
        let plans = plans(&self.value, &Reading::at(at))?;
        let here = plans
            .into_iter()
            .filter(|(regions, _)| regions.contains(&at.region));
        Ok(here.map(|(_, plan)| plan).collect())
    }

    /// What it leaves open.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The Regions of its plans.
    pub(super) const fn regions(&self) -> &BTreeSet<String> {
        &self.regions
    }
}

fn anywhere() -> Result<Location, DocumentError> {
    let account: AccountId = "111122223333"
        .parse()
        .map_err(|_| DocumentError::of_whole("no account"))?;
    Ok(Location::new(account, "us-east-1"))
}

type InRegions = (BTreeSet<String>, SelectingPlan);

fn plans(value: &Value, reading: &Reading) -> Result<Vec<InRegions>, DocumentError> {
    let whole = At::whole(value);
    reading.only(&whole, &["plans"])?;
    let named = members_of(&whole.required("plans")?)?;
    named
        .iter()
        .map(|(name, at)| {
            reading.only(at, &OF_PLAN)?;
            let regions = needed(at, "regions")?;
            let rules = members_of(&needed(at, "rules")?)?;
            let rules = rules.iter().map(|(name, at)| rule(name, at, reading));
            let plan = BackupPlan {
                id: None,
                name: name.clone(),
                rules: rules.collect::<Result<_, _>>()?,
                scheduled_runs: Vec::new(),
            };
            let selections = selections(&needed(at, "selections")?, reading)?;
            let plan = SelectingPlan {
                plan,
                selections,
                has_every_selection: true,
            };
            Ok((reading.texts(&regions)?.into_iter().collect(), plan))
        })
        .collect()
}

fn rule(name: &str, at: &At<'_>, reading: &Reading) -> Result<BackupRule, DocumentError> {
    reading.only(at, &OF_RULE)?;
    let air_gapped = at.member("target_logically_air_gapped_backup_vault_arn")?;
    let copy_actions = match at.member("copy_actions")? {
        Some(actions) => members_of(&actions)?
            .iter()
            .map(|(key, at)| copy_action(key, at, reading))
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(BackupRule {
        id: None,
        name: name.to_owned(),
        target_vault: text(&needed(at, "target_backup_vault_name")?)?,
        air_gapped_target: air_gapped
            .map(|at| reading.arn(&at, &["$account", "$region"]))
            .transpose()?,
        schedule: Some(text(&needed(at, "schedule_expression")?)?),
        lifecycle: lifecycle(at, reading)?,
        is_continuous: at
            .member("enable_continuous_backup")?
            .map(|at| truth(&at))
            .transpose()?
            .unwrap_or(false),
        copy_actions,
    })
}

fn copy_action(key: &str, at: &At<'_>, reading: &Reading) -> Result<CopyAction, DocumentError> {
    reading.only(at, &["target_backup_vault_arn", "lifecycle"])?;
    let destination_vault = if let Some(target) = at.member("target_backup_vault_arn")? {
        reading.arn(&target, &["$account"])?
    } else {
        // AWS takes the key in lower case then (documented: the same page).
        let lower = key.to_lowercase();
        if lower != key {
            reading.note(format!(
                "{}: without `target_backup_vault_arn` AWS takes the key in lower case, `{lower}`",
                at.path
            ));
        }
        reading.resolved(at, &lower, &["$account"])?
    };
    Ok(CopyAction {
        destination_vault,
        lifecycle: lifecycle(at, reading)?,
    })
}

fn lifecycle(at: &At<'_>, reading: &Reading) -> Result<Option<Lifecycle>, DocumentError> {
    let Some(at) = at.member("lifecycle")? else {
        return Ok(None);
    };
    reading.only(&at, &OF_LIFECYCLE)?;
    let days = |name: &str| {
        let found = at.member(name)?;
        found.map(|at| days(&at)).transpose()
    };
    let cold = days("move_to_cold_storage_after_days")?;
    let deleted = days("delete_after_days")?;
    stays_cold(&at, cold, deleted)?;
    Ok(Some(Lifecycle {
        move_to_cold_storage_after_days: cold,
        delete_after_days: deleted,
        opt_in_to_archive_for_supported_resources: at
            .member("opt_in_to_archive_for_supported_resources")?
            .map(|at| truth(&at))
            .transpose()?,
        delete_after_event: None,
    }))
}

/// `tags` or `resources`, "two mutually exclusive elements" (documented: the same page).
fn selections(at: &At<'_>, reading: &Reading) -> Result<Vec<BackupSelection>, DocumentError> {
    reading.only(at, &["tags", "resources"])?;
    match (at.member("tags")?, at.member("resources")?) {
        (Some(tags), None) => {
            let named = members_of(&tags)?;
            let named = named.iter();
            named.map(|(name, at)| by_tag(name, at, reading)).collect()
        }
        (None, Some(resources)) => {
            let named = members_of(&resources)?;
            let named = named.iter();
            named.map(|(name, at)| by_type(name, at, reading)).collect()
        }
        (Some(_), Some(_)) => Err(at.wrong("`tags` and `resources` exclude each other")),
        (None, None) => Err(at.wrong("it has neither `tags` nor `resources`")),
    }
}

fn by_tag(name: &str, at: &At<'_>, reading: &Reading) -> Result<BackupSelection, DocumentError> {
    reading.only(at, &["iam_role_arn", "tag_key", "tag_value", "conditions"])?;
    let key = text(&needed(at, "tag_key")?)?;
    let values = reading.texts(&needed(at, "tag_value")?)?;
    let tags = values.into_iter().map(|value| SelectionCondition {
        comparison: TagComparison::Equals,
        key: key.clone(),
        value,
    });
    Ok(BackupSelection {
        name: name.to_owned(),
        role: reading.arn(&needed(at, "iam_role_arn")?, &["$account"])?,
        resources: Vec::new(),
        not_resources: Vec::new(),
        tags: tags.collect(),
        conditions: conditions(at, reading)?,
    })
}

fn by_type(name: &str, at: &At<'_>, reading: &Reading) -> Result<BackupSelection, DocumentError> {
    const KNOWN: [&str; 4] = [
        "iam_role_arn",
        "resource_types",
        "not_resource_types",
        "conditions",
    ];
    reading.only(at, &KNOWN)?;
    let without = at.member("not_resource_types")?;
    Ok(BackupSelection {
        name: name.to_owned(),
        role: reading.arn(&needed(at, "iam_role_arn")?, &["$account"])?,
        // Both are ARNs with wildcards, or `*`.
        resources: reading.texts(&needed(at, "resource_types")?)?,
        not_resources: without
            .map(|at| reading.texts(&at))
            .transpose()?
            .unwrap_or_default(),
        tags: Vec::new(),
        conditions: conditions(at, reading)?,
    })
}

fn conditions(at: &At<'_>, reading: &Reading) -> Result<Vec<SelectionCondition>, DocumentError> {
    /// What the keys begin with (documented: the same page).
    const RESOURCE_TAG: &str = "aws:ResourceTag/";
    let Some(all) = at.member("conditions")? else {
        return Ok(Vec::new());
    };
    reading.only(&all, &CONDITIONS.map(|(name, _)| name))?;
    let mut found = Vec::new();
    for (name, comparison) in CONDITIONS {
        let Some(of_kind) = all.member(name)? else {
            continue;
        };
        for (_, at) in members_of(&of_kind)? {
            reading.only(&at, &["condition_key", "condition_value"])?;
            let key = text(&needed(&at, "condition_key")?)?;
            found.push(SelectionCondition {
                comparison,
                key: key.strip_prefix(RESOURCE_TAG).unwrap_or(&key).to_owned(),
                value: text(&needed(&at, "condition_value")?)?,
            });
        }
    }
    Ok(found)
}
