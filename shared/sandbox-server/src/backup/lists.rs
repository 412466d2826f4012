//! AWS Backup's lists of jobs, vaults, resources and recovery points (documented: AWS Backup API
//! reference, the operation of each function's name). The page is taken out of the world first, and
//! written down once the world is free again.

use axum::Json;
use axum::extract::{Path, Query, State};
use copymend_policy::Arn;
use copymend_sandbox::{BackupJob, CopyJob, Listed, RecoveryPoint, RestoreJob, World};
use serde_json::{Value, json};

use super::operations::{Answer, Parameters, own_account, vault_arn};
use super::query::ListQuery;
use super::wire;
use crate::caller::Caller;
use crate::error::AwsError;
use crate::server::App;

const COPY_JOB_STATES: [&str; 5] = ["CREATED", "RUNNING", "COMPLETED", "FAILED", "PARTIAL"];
const BACKUP_JOB_STATES: [&str; 9] = [
    "CREATED",
    "PENDING",
    "RUNNING",
    "ABORTING",
    "ABORTED",
    "COMPLETED",
    "FAILED",
    "EXPIRED",
    "PARTIAL",
];
const RESTORE_JOB_STATUSES: [&str; 5] = ["PENDING", "RUNNING", "COMPLETED", "ABORTED", "FAILED"];
const VAULT_TYPES: [&str; 3] = [
    "BACKUP_VAULT",
    "LOGICALLY_AIR_GAPPED_BACKUP_VAULT",
    "RESTORE_ACCESS_BACKUP_VAULT",
];

/// Refuses a call as AWS refuses it of Copymend.
pub(super) fn allowed(
    app: &App,
    caller: &Caller,
    operation: &str,
    resource: Option<&Arn>,
) -> Result<(), AwsError> {
    match app.sandbox().refusal_at(operation, &caller.0, resource) {
        None => Ok(()),
        Some(words) => Err(AwsError::of_words(&words)),
    }
}

/// A page's answer.
pub(super) fn answer<T>(
    caller: &Caller,
    query: &ListQuery,
    list: &str,
    page: Listed<T>,
    write: impl FnMut(T) -> Value,
) -> Json<Value> {
    let items: Vec<Value> = page.items.into_iter().map(write).collect();
    let mut members = serde_json::Map::new();
    members.insert(list.to_owned(), items.into());
    if let Some(token) = query.token(caller, page.next) {
        members.insert("NextToken".to_owned(), token.into());
    }
    Json(members.into())
}

/// The same page with things of its own, so that the world can go on.
fn owned<T: Clone>(page: Listed<&T>) -> Listed<T> {
    Listed {
        items: page.items.into_iter().cloned().collect(),
        next: page.next,
    }
}

fn is(wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| found == Some(wanted))
}

fn arn(arn: Option<&Arn>) -> Option<&str> {
    arn.map(Arn::as_str)
}

pub(crate) async fn list_copy_jobs(
    State(app): State<App>,
    caller: Caller,
    Query(parameters): Parameters,
) -> Answer {
    const KNOWN: [&str; 12] = [
        "resourceArn",
        "state",
        "createdBefore",
        "createdAfter",
        "resourceType",
        "destinationVaultArn",
        "accountId",
        "completeBefore",
        "completeAfter",
        "parentJobId",
        "messageCategory",
        "sourceRecoveryPointArn",
    ];
    allowed(&app, &caller, "backup:ListCopyJobs", None)?;
    let query = ListQuery::of("ListCopyJobs", &caller, parameters, &KNOWN)?;
    let state = query.one_of("state", &COPY_JOB_STATES)?;
    let resource_type = query.resource_type()?;
    let account = query.account(&caller)?;
    let (created, complete) = (query.span("created")?, query.span("complete")?);
    let admits = |job: &CopyJob| {
        is(state, Some(job.state().as_str()))
            && created.has(Some(job.created))
            && complete.has(Some(job.completed))
            && is(query.text("resourceArn"), arn(job.resource.as_ref()))
            && is(resource_type, job.resource_type.as_deref())
            && is(
                query.text("destinationVaultArn"),
                Some(job.destination_vault.as_str()),
            )
            && job.account == account
            && is(query.text("parentJobId"), job.parent.as_deref())
            && is(query.text("messageCategory"), wire::message_category(job))
            && is(
                query.text("sourceRecoveryPointArn"),
                Some(job.recovery_point.as_str()),
            )
    };
    let page = app.sandbox().with_world(|world| {
        let (account, region) = (caller.account(), caller.region());
        owned(world.page_of_copy_jobs(account, region, admits, query.from, query.size))
    });
    Ok(answer(&caller, &query, "CopyJobs", page, |job| {
        wire::copy_job(&job)
    }))
}

pub(crate) async fn list_backup_jobs(
    State(app): State<App>,
    caller: Caller,
    Query(parameters): Parameters,
) -> Answer {
    const KNOWN: [&str; 11] = [
        "resourceArn",
        "state",
        "backupVaultName",
        "createdBefore",
        "createdAfter",
        "resourceType",
        "accountId",
        "completeAfter",
        "completeBefore",
        "parentJobId",
        "messageCategory",
    ];
    allowed(&app, &caller, "backup:ListBackupJobs", None)?;
    let query = ListQuery::of("ListBackupJobs", &caller, parameters, &KNOWN)?;
    let state = query.one_of("state", &BACKUP_JOB_STATES)?;
    let resource_type = query.resource_type()?;
    let account = query.account(&caller)?;
    let (created, complete) = (query.span("created")?, query.span("complete")?);
    let admits = |job: &BackupJob| {
        let vault = job
            .vault_arn
            .as_ref()
            .map(copymend_diagnosis::BackupVaultArn::name);
        is(state, Some(&job.state))
            && created.has(job.creation_date)
            && complete.has(job.completion_date)
            && is(query.text("resourceArn"), arn(job.resource_arn.as_ref()))
            && is(resource_type, job.resource_type.as_deref())
            && is(query.text("backupVaultName"), vault)
            && job.account == account
            && is(query.text("parentJobId"), job.parent_job_id.as_deref())
            && is(
                query.text("messageCategory"),
                job.message_category.as_deref(),
            )
    };
    let page = app.sandbox().with_world(|world| {
        let (account, region) = (caller.account(), caller.region());
        owned(world.page_of_backup_jobs(account, region, admits, query.from, query.size))
    });
    Ok(answer(&caller, &query, "BackupJobs", page, |job| {
        wire::backup_job(&job)
    }))
}

pub(crate) async fn list_restore_jobs(
    State(app): State<App>,
    caller: Caller,
    Query(parameters): Parameters,
) -> Answer {
    const KNOWN: [&str; 9] = [
        "accountId",
        "resourceType",
        "createdBefore",
        "createdAfter",
        "status",
        "completeBefore",
        "completeAfter",
        "restoreTestingPlanArn",
        "parentJobId",
    ];
    allowed(&app, &caller, "backup:ListRestoreJobs", None)?;
    let query = ListQuery::of("ListRestoreJobs", &caller, parameters, &KNOWN)?;
    let status = query.one_of("status", &RESTORE_JOB_STATUSES)?;
    let resource_type = query.resource_type()?;
    let account = query.account(&caller)?;
    let (created, complete) = (query.span("created")?, query.span("complete")?);
    let admits = |job: &RestoreJob| {
        is(status, Some(&job.status))
            && created.has(job.creation_date)
            && complete.has(job.completion_date)
            && is(resource_type, job.resource_type.as_deref())
            && job.account == account
            && is(query.text("parentJobId"), job.parent_job_id.as_deref())
            && is(
                query.text("restoreTestingPlanArn"),
                arn(job.restore_testing_plan_arn.as_ref()),
            )
    };
    let page = app.sandbox().with_world(|world| {
        let (account, region) = (caller.account(), caller.region());
        owned(world.page_of_restore_jobs(account, region, admits, query.from, query.size))
    });
    Ok(answer(&caller, &query, "RestoreJobs", page, |job| {
        wire::restore_job(&job)
    }))
}

/// Vaults that others share aren't part of a world: `shared` leaves none.
pub(crate) async fn list_vaults(
    State(app): State<App>,
    caller: Caller,
    Query(parameters): Parameters,
) -> Answer {
    allowed(&app, &caller, "backup:ListBackupVaults", None)?;
    let known = ["vaultType", "shared"];
    let query = ListQuery::of("ListBackupVaults", &caller, parameters, &known)?;
    let kind = query.one_of("vaultType", &VAULT_TYPES)?;
    let are_shared = query.one_of("shared", &["true", "false"])? == Some("true");
    let page = app.sandbox().with_world(|world| {
        let page = world.page_of_vaults(
            caller.account(),
            caller.region(),
            |vault| !are_shared && is(kind, Some(&vault.vault_type)),
            query.from,
            query.size,
        );
        Listed {
            items: page
                .items
                .into_iter()
                .map(|(arn, vault)| wire::vault(&arn, vault, world))
                .collect(),
            next: page.next,
        }
    });
    Ok(answer(&caller, &query, "BackupVaultList", page, |vault| {
        vault
    }))
}

pub(crate) async fn list_protected_resources(
    State(app): State<App>,
    caller: Caller,
    Query(parameters): Parameters,
) -> Answer {
    allowed(&app, &caller, "backup:ListProtectedResources", None)?;
    let query = ListQuery::of("ListProtectedResources", &caller, parameters, &[])?;
    let page = app.sandbox().with_world(|world| {
        world.page_of_protected_resources(caller.account(), caller.region(), query.from, query.size)
    });
    Ok(answer(&caller, &query, "Results", page, |found| {
        wire::present(json!({
            "ResourceArn": found.resource,
            "ResourceType": found.resource_type,
            "LastBackupTime": wire::second(found.last_backup),
            "LastBackupVaultArn": found.last_vault,
            "LastRecoveryPointArn": found.last_recovery_point,
        }))
    }))
}

/// `ListRecoveryPointsByBackupVault`.
pub(crate) async fn list_recovery_points(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Query(parameters): Parameters,
) -> Answer {
    const OPERATION: &str = "ListRecoveryPointsByBackupVault";
    const KNOWN: [&str; 7] = [
        "backupVaultAccountId",
        "resourceArn",
        "resourceType",
        "backupPlanId",
        "createdBefore",
        "createdAfter",
        "parentRecoveryPointArn",
    ];
    own_account(&caller, &parameters)?;
    let sandbox = app.sandbox();
    let vault = sandbox.with_world(|world: &mut World| vault_arn(world, &caller, &name))?;
    let action = "backup:ListRecoveryPointsByBackupVault";
    allowed(&app, &caller, action, Some(vault.arn()))?;
    let query = ListQuery::of(OPERATION, &caller, parameters, &KNOWN)?;
    let resource_type = query.resource_type()?;
    let created = query.span("created")?;
    let admits = |point: &RecoveryPoint| {
        let plan = point.created_by.as_ref();
        created.has(point.creation_date)
            && is(query.text("resourceArn"), Some(point.resource_arn.as_str()))
            && is(resource_type, Some(&point.resource_type))
            && is(
                query.text("backupPlanId"),
                plan.map(|plan| plan.backup_plan_id.as_str()),
            )
            && is(
                query.text("parentRecoveryPointArn"),
                arn(point.parent_recovery_point_arn.as_ref()),
            )
    };
    let page = sandbox.with_world(|world| {
        let found = world.vault(&vault).ok_or_else(AwsError::no_such_vault)?;
        let page = found.page_of_recovery_points(admits, query.from, query.size);
        Ok::<_, AwsError>((owned(page), found.vault_type.clone()))
    });
    let (page, vault_type) = page?;
    Ok(answer(&caller, &query, "RecoveryPoints", page, |point| {
        wire::listed_recovery_point(vault.as_str(), &name, &vault_type, &point)
    }))
}
