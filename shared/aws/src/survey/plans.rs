//! Backup plans and selections. "Empty" is "missing" here.

use copymend_survey::{
    BackupPlan, BackupRule, BackupSelection, CopyAction, ListedBackupPlan, ListedSelection,
    ScheduledRun, SelectionCondition, TagComparison,
};

use super::answers;
use crate::backup::answers::moment;
use crate::backup::copy_job::read_lifecycle;
use crate::member::{optional, required, text};

/// What stands before a tag's key in `Conditions` (AWS Backup API reference, `Conditions`,
/// documented).
const RESOURCE_TAG: &str = "aws:ResourceTag/";

pub(super) fn listed(row: &answers::BackupPlanRow) -> Result<ListedBackupPlan, String> {
    Ok(ListedBackupPlan {
        id: required("BackupPlanId", row.backup_plan_id.as_deref())?,
        name: text(row.backup_plan_name.as_deref()).unwrap_or_default(),
    })
}

pub(super) fn listed_selection(
    row: &answers::BackupSelectionRow,
) -> Result<ListedSelection, String> {
    let id: String = required("SelectionId", row.selection_id.as_deref())?;
    let role = optional("IamRoleArn", row.iam_role_arn.as_deref())
        .map_err(|why| format!("{id}: {why}"))?;
    Ok(ListedSelection {
        name: text(row.selection_name.as_deref()).unwrap_or_default(),
        role,
        id,
    })
}

pub(super) fn plan(answer: &answers::GetBackupPlan) -> Result<BackupPlan, String> {
    let plan = answer
        .backup_plan
        .as_ref()
        .ok_or_else(|| "`BackupPlan` is missing".to_owned())?;
    Ok(BackupPlan {
        id: text(answer.backup_plan_id.as_deref()),
        name: plan.backup_plan_name.clone().unwrap_or_default(),
        rules: plan
            .rules
            .iter()
            .flatten()
            .map(|one| {
                let name = one.rule_name.as_deref().unwrap_or_default();
                rule(one).map_err(|why| format!("rule `{name}`: {why}"))
            })
            .collect::<Result<_, _>>()?,
        // A run without a time or a rule says nothing.
        scheduled_runs: answer
            .scheduled_runs_preview
            .iter()
            .flatten()
            .filter_map(|run| {
                Some(ScheduledRun {
                    at: moment(run.execution_time)?,
                    rule_id: text(run.rule_id.as_deref())?,
                })
            })
            .collect(),
    })
}

fn rule(rule: &answers::BackupRule) -> Result<BackupRule, String> {
    Ok(BackupRule {
        id: text(rule.rule_id.as_deref()),
        name: rule.rule_name.clone().unwrap_or_default(),
        target_vault: required(
            "TargetBackupVaultName",
            rule.target_backup_vault_name.as_deref(),
        )?,
        air_gapped_target: optional(
            "TargetLogicallyAirGappedBackupVaultArn",
            rule.target_logically_air_gapped_backup_vault_arn.as_deref(),
        )?,
        schedule: text(rule.schedule_expression.as_deref()),
        lifecycle: rule.lifecycle.as_ref().and_then(read_lifecycle),
        is_continuous: rule.enable_continuous_backup.unwrap_or(false),
        copy_actions: rule
            .copy_actions
            .iter()
            .flatten()
            .map(|action| {
                Ok(CopyAction {
                    destination_vault: required(
                        "DestinationBackupVaultArn",
                        action.destination_backup_vault_arn.as_deref(),
                    )?,
                    lifecycle: action.lifecycle.as_ref().and_then(read_lifecycle),
                })
            })
            .collect::<Result<_, String>>()?,
    })
}

pub(super) fn selection(answer: &answers::GetBackupSelection) -> Result<BackupSelection, String> {
    let selection = answer
        .backup_selection
        .as_ref()
        .ok_or_else(|| "`BackupSelection` is missing".to_owned())?;
    let mut conditions = Vec::new();
    if let Some(given) = &selection.conditions {
        for (comparison, given) in [
            (TagComparison::Equals, &given.string_equals),
            (TagComparison::NotEquals, &given.string_not_equals),
            (TagComparison::Like, &given.string_like),
            (TagComparison::NotLike, &given.string_not_like),
        ] {
            for one in given.iter().flatten() {
                conditions.push(condition(
                    comparison,
                    one.condition_key.as_deref(),
                    one.condition_value.as_deref(),
                )?);
            }
        }
    }
    Ok(BackupSelection {
        name: selection.selection_name.clone().unwrap_or_default(),
        role: required("IamRoleArn", selection.iam_role_arn.as_deref())?,
        resources: selection.resources.clone().unwrap_or_default(),
        not_resources: selection.not_resources.clone().unwrap_or_default(),
        tags: selection
            .list_of_tags
            .iter()
            .flatten()
            .map(|tag| {
                let kind = tag.condition_type.as_deref().unwrap_or_default();
                if kind != "STRINGEQUALS" {
                    return Err(format!("`ConditionType` is `{kind}`"));
                }
                let (key, value) = (&tag.condition_key, &tag.condition_value);
                condition(TagComparison::Equals, key.as_deref(), value.as_deref())
            })
            .collect::<Result<_, _>>()?,
        conditions,
    })
}

fn condition(
    comparison: TagComparison,
    key: Option<&str>,
    value: Option<&str>,
) -> Result<SelectionCondition, String> {
    let key: String = required("ConditionKey", key)?;
    Ok(SelectionCondition {
        comparison,
        key: key
            .strip_prefix(RESOURCE_TAG)
            .map_or(key.clone(), ToOwned::to_owned),
        // A tag may have an empty value.
        value: value
            .ok_or_else(|| "`ConditionValue` is missing".to_owned())?
            .to_owned(),
    })
}
