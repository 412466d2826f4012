//! Backup plans and selections. The SDK makes an empty string of a required member that AWS leaves
//! out, so that "empty" is "missing" here.

use aws_sdk_backup::operation::get_backup_plan::GetBackupPlanOutput;
use aws_sdk_backup::operation::get_backup_selection::GetBackupSelectionOutput;
use aws_sdk_backup::types;
use copymend_survey::{
    BackupPlan, BackupRule, BackupSelection, CopyAction, ListedBackupPlan, ListedSelection,
    ScheduledRun, SelectionCondition, TagComparison,
};

use super::rows::moment;
use crate::copy_job::read_lifecycle;
use crate::member::{optional, required, text};

/// What stands before a tag's key in `Conditions` (AWS Backup API reference, `Conditions`,
/// documented).
const RESOURCE_TAG: &str = "aws:ResourceTag/";

pub(super) fn listed(row: &types::BackupPlansListMember) -> Result<ListedBackupPlan, String> {
    Ok(ListedBackupPlan {
        id: required("BackupPlanId", row.backup_plan_id())?,
        name: text(row.backup_plan_name()).unwrap_or_default(),
    })
}

pub(super) fn listed_selection(
    row: &types::BackupSelectionsListMember,
) -> Result<ListedSelection, String> {
    let id: String = required("SelectionId", row.selection_id())?;
    let role = optional("IamRoleArn", row.iam_role_arn()).map_err(|why| format!("{id}: {why}"))?;
    Ok(ListedSelection {
        name: text(row.selection_name()).unwrap_or_default(),
        role,
        id,
    })
}

pub(super) fn plan(answer: &GetBackupPlanOutput) -> Result<BackupPlan, String> {
    let plan = answer
        .backup_plan()
        .ok_or_else(|| "`BackupPlan` is missing".to_owned())?;
    Ok(BackupPlan {
        id: text(answer.backup_plan_id()),
        name: plan.backup_plan_name().to_owned(),
        rules: plan
            .rules()
            .iter()
            .map(|one| rule(one).map_err(|why| format!("rule `{}`: {why}", one.rule_name())))
            .collect::<Result<_, _>>()?,
        // A run without a time or a rule says nothing.
        scheduled_runs: answer
            .scheduled_runs_preview()
            .iter()
            .filter_map(|run| {
                Some(ScheduledRun {
                    at: moment(run.execution_time())?,
                    rule_id: text(run.rule_id())?,
                })
            })
            .collect(),
    })
}

fn rule(rule: &types::BackupRule) -> Result<BackupRule, String> {
    Ok(BackupRule {
        id: text(rule.rule_id()),
        name: rule.rule_name().to_owned(),
        target_vault: required(
            "TargetBackupVaultName",
            Some(rule.target_backup_vault_name()),
        )?,
        air_gapped_target: optional(
            "TargetLogicallyAirGappedBackupVaultArn",
            rule.target_logically_air_gapped_backup_vault_arn(),
        )?,
        schedule: text(rule.schedule_expression()),
        lifecycle: rule.lifecycle().and_then(read_lifecycle),
        is_continuous: rule.enable_continuous_backup().unwrap_or(false),
        copy_actions: rule
            .copy_actions()
            .iter()
            .map(|action| {
                Ok(CopyAction {
                    destination_vault: required(
                        "DestinationBackupVaultArn",
                        Some(action.destination_backup_vault_arn()),
                    )?,
                    lifecycle: action.lifecycle().and_then(read_lifecycle),
                })
            })
            .collect::<Result<_, String>>()?,
    })
}

pub(super) fn selection(answer: &GetBackupSelectionOutput) -> Result<BackupSelection, String> {
    let selection = answer
        .backup_selection()
        .ok_or_else(|| "`BackupSelection` is missing".to_owned())?;
    let mut conditions = Vec::new();
    if let Some(given) = selection.conditions() {
        for (comparison, given) in [
            (TagComparison::Equals, given.string_equals()),
            (TagComparison::NotEquals, given.string_not_equals()),
            (TagComparison::Like, given.string_like()),
            (TagComparison::NotLike, given.string_not_like()),
        ] {
            for one in given {
                conditions.push(condition(
                    comparison,
                    one.condition_key(),
                    one.condition_value(),
                )?);
            }
        }
    }
    Ok(BackupSelection {
        name: selection.selection_name().to_owned(),
        role: required("IamRoleArn", Some(selection.iam_role_arn()))?,
        resources: selection.resources().to_vec(),
        not_resources: selection.not_resources().to_vec(),
        tags: selection
            .list_of_tags()
            .iter()
            .map(|tag| {
                let kind = tag.condition_type();
                if *kind != types::ConditionType::Stringequals {
                    return Err(format!("`ConditionType` is `{}`", kind.as_str()));
                }
                let (key, value) = (tag.condition_key(), tag.condition_value());
                condition(TagComparison::Equals, Some(key), Some(value))
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
