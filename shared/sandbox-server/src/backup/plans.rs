//! Backup plans and their selections (documented: AWS Backup API reference, the operation of each
//! function's name). They are read only.

use axum::Json;
use axum::extract::{Path, Query, State};
use copymend_policy::Arn;
use copymend_remediation::ports::{Clock as _, Reads as _};
use copymend_sandbox::{Listed, Plan, PlanSelection, SelectedTag};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::lists::{allowed, answer};
use super::operations::{Answer, Parameters};
use super::query::ListQuery;
use super::wire::{self, present};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::server::App;

/// The most runs that AWS foresees (documented: `GetBackupPlan`, `MaxScheduledRunsPreview`).
const MOST_RUNS: usize = 10;

fn no_plan(id: &str) -> AwsError {
    AwsError::not_found(format!("Failed reading Backup plan with provided ID {id}"))
}

/// The plan's ARN.
fn plan_arn(app: &App, caller: &Caller, id: &str) -> Result<Arn, AwsError> {
    let (account, region) = (caller.account(), caller.region());
    let arn = app
        .sandbox()
        .with_world(|world| world.backup_plan_arn(account, region, id));
    arn.ok_or_else(|| no_plan(id))
}

/// Reads the caller's plan of this id, if the caller may.
fn in_plan<T>(
    app: &App,
    caller: &Caller,
    operation: &str,
    id: &str,
    read: impl FnOnce(&Plan) -> Result<T, AwsError>,
) -> Result<(Arn, T), AwsError> {
    let arn = plan_arn(app, caller, id)?;
    allowed(app, caller, operation, Some(&arn))?;
    let (account, region) = (caller.account(), caller.region());
    let found = app.sandbox().with_world(|world| {
        let plan = world.backup_plan(account, region, id);
        plan.ok_or_else(|| no_plan(id)).and_then(read)
    })?;
    Ok((arn, found))
}

/// `ListBackupPlans`. A world has no deleted ones.
pub(crate) async fn list_backup_plans(
    State(app): State<App>,
    caller: Caller,
    Query(parameters): Parameters,
) -> Answer {
    allowed(&app, &caller, "backup:ListBackupPlans", None)?;
    let known = ["includeDeleted"];
    let query = ListQuery::of("ListBackupPlans", &caller, parameters, &known)?;
    query.one_of("includeDeleted", &["true", "false"])?;
    let (account, region) = (caller.account(), caller.region());
    let page = app.sandbox().with_world(|world| {
        let page = world.page_of_backup_plans(account, region, query.from, query.size);
        let write = |(id, plan): (&str, &Plan)| {
            present(json!({
                "BackupPlanArn": world.backup_plan_arn(account, region, id),
                "BackupPlanId": id,
                "BackupPlanName": plan.name(id),
                "VersionId": wire::PLAN_VERSION,
            }))
        };
        Listed {
            items: page.items.into_iter().map(write).collect(),
            next: page.next,
        }
    });
    Ok(answer(
        &caller,
        &query,
        "BackupPlansList",
        page,
        |plan: Value| plan,
    ))
}

/// `GetBackupPlan`, of its one version.
pub(crate) async fn get_backup_plan(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(parameters): Parameters,
) -> Answer {
    let runs = match parameters.get("MaxScheduledRunsPreview") {
        None => 0,
        Some(text) => text
            .parse()
            .ok()
            .filter(|runs| *runs <= MOST_RUNS)
            .ok_or_else(|| {
                AwsError::invalid(format!(
                    "Invalid MaxScheduledRunsPreview `{text}`: it must be between 0 and {MOST_RUNS}"
                ))
            })?,
    };
    if let Some(version) = parameters.get("versionId")
        && version != wire::PLAN_VERSION
    {
        return Err(no_plan(&id));
    }
    let now = app.sandbox().clock().now();
    let (arn, plan) = in_plan(&app, &caller, "backup:GetBackupPlan", &id, |plan| {
        Ok(plan.clone())
    })?;
    let mut answer = json!({
        "BackupPlan": {
            "BackupPlanName": plan.name(&id),
            "Rules": plan.rules.iter().map(wire::rule).collect::<Vec<_>>(),
        },
        "BackupPlanId": id,
        "BackupPlanArn": arn,
        "VersionId": wire::PLAN_VERSION,
    });
    if runs > 0
        && let Some(members) = answer.as_object_mut()
    {
        let runs = plan.next_runs(now, runs);
        members.insert("ScheduledRunsPreview".to_owned(), foreseen(&plan, &runs));
    }
    Ok(Json(answer))
}

fn foreseen(plan: &Plan, runs: &[(Timestamp, &str)]) -> Value {
    let is_continuous = |id: &str| {
        plan.rules
            .iter()
            .any(|rule| rule.id == id && rule.continuous)
    };
    runs.iter()
        .map(|(at, rule)| {
            let kind = if is_continuous(rule) {
                "CONTINUOUS"
            } else {
                "SNAPSHOTS"
            };
            json!({"ExecutionTime": at.as_second(), "RuleId": rule, "RuleExecutionType": kind})
        })
        .collect()
}

/// `ListBackupSelections`.
pub(crate) async fn list_backup_selections(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(parameters): Parameters,
) -> Answer {
    let query = ListQuery::of("ListBackupSelections", &caller, parameters, &[])?;
    let operation = "backup:ListBackupSelections";
    let (_, page) = in_plan(&app, &caller, operation, &id, |plan| {
        let page = plan.page_of_selections(query.from, query.size);
        let write = |(selection_id, selection): (&str, &PlanSelection)| {
            json!({
                "SelectionId": selection_id,
                "SelectionName": selection.name.as_deref().unwrap_or(selection_id),
                "BackupPlanId": id,
                "IamRoleArn": selection.iam_role_arn,
            })
        };
        Ok(Listed {
            items: page.items.into_iter().map(write).collect(),
            next: page.next,
        })
    })?;
    Ok(answer(
        &caller,
        &query,
        "BackupSelectionsList",
        page,
        |found: Value| found,
    ))
}

/// `GetBackupSelection`.
pub(crate) async fn get_backup_selection(
    State(app): State<App>,
    caller: Caller,
    Path((id, selection_id)): Path<(String, String)>,
) -> Answer {
    let operation = "backup:GetBackupSelection";
    let (_, selection) = in_plan(&app, &caller, operation, &id, |plan| {
        let found = plan.selections.get(&selection_id);
        found.cloned().ok_or_else(|| {
            AwsError::not_found(format!("Cannot find selection with ID {selection_id}"))
        })
    })?;
    Ok(Json(json!({
        "BackupPlanId": id,
        "SelectionId": selection_id,
        "BackupSelection": selected(&selection_id, &selection),
    })))
}

fn selected(id: &str, selection: &PlanSelection) -> Value {
    let of_tag = |tag: &SelectedTag| {
        json!({
            "ConditionType": "STRINGEQUALS",
            "ConditionKey": tag.key,
            "ConditionValue": tag.value,
        })
    };
    let conditions = &selection.conditions;
    let conditions: Map<String, Value> = [
        ("StringEquals", &conditions.string_equals),
        ("StringNotEquals", &conditions.string_not_equals),
        ("StringLike", &conditions.string_like),
        ("StringNotLike", &conditions.string_not_like),
    ]
    .into_iter()
    .map(|(name, tags)| {
        let write = |tag: &SelectedTag| {
            let key = format!("aws:ResourceTag/{}", tag.key);
            json!({"ConditionKey": key, "ConditionValue": tag.value})
        };
        (name.to_owned(), tags.iter().map(write).collect())
    })
    .collect();
    json!({
        "SelectionName": selection.name.as_deref().unwrap_or(id),
        "IamRoleArn": selection.iam_role_arn,
        "Resources": selection.resources,
        "NotResources": selection.not_resources,
        "ListOfTags": selection.tags.iter().map(of_tag).collect::<Vec<_>>(),
        "Conditions": conditions,
    })
}
