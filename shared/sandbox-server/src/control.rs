//! Routes that AWS doesn't have, below `/_sandbox/`: for `copymend sandbox event` and for tests.

use axum::Json;
use axum::extract::{Path, State};
use copymend_diagnosis::{BackupVaultArn, RoleArn};
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{Clock as _, Reads as _};
use copymend_sandbox::{BackupPlan, NewCopy};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::backup::wire;
use crate::delayed_retries::Kept;
use crate::error::AwsError;
use crate::server::App;

type Answer = Result<Json<Value>, AwsError>;

/// A copy that a test starts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    account: AccountId,
    region: String,
    recovery_point_arn: Arn,
    source_vault_name: String,
    destination_vault_arn: BackupVaultArn,
    iam_role_arn: RoleArn,
    #[serde(default)]
    created_by_plan: bool,
}

/// Starts a copy as a backup plan does, or on demand.
pub(crate) async fn start(State(app): State<App>, Json(start): Json<Start>) -> Answer {
    let partition = start.destination_vault_arn.partition().to_owned();
    let owner = format!("{}:{}", start.region, start.account);
    let source_vault: BackupVaultArn = format!(
        "arn:{partition}:backup:{owner}:backup-vault:{}",
        start.source_vault_name
    )
    .parse()
    .map_err(|error: copymend_policy::ArnError| AwsError::invalid(error.to_string()))?;
    let sandbox = app.sandbox();
    app.upstream()
        .refresh_copy(
            sandbox,
            &source_vault,
            &start.recovery_point_arn,
            &start.destination_vault_arn,
            &start.iam_role_arn,
        )
        .await?;
    let plan = "5c1d2e3f-0a1b-4c2d-8e3f-4a5b6c7d8e9f";
    let created_by = start
        .created_by_plan
        .then(|| format!("arn:{partition}:backup:{owner}:backup-plan:{plan}"));
    let created_by = created_by
        .and_then(|arn| arn.parse().ok())
        .map(|backup_plan_arn| BackupPlan {
            backup_plan_arn,
            backup_plan_id: plan.to_owned(),
            backup_plan_version: Some("MTExMTExMTEtMTExMS00".to_owned()),
            backup_rule_id: "0f1e2d3c-4b5a-4697-8877-665544332211".to_owned(),
        });
    let copy = NewCopy {
        id: None,
        name: None,
        recovery_point: start.recovery_point_arn,
        source_vault,
        destination_vault: start.destination_vault_arn,
        role: start.iam_role_arn,
        lifecycle: None,
        created_by,
        created: sandbox.clock().now(),
        resource: None,
        resource_type: None,
    };
    let id = sandbox.with_world(|world| world.start_copy(copy).map(|job| job.id.clone()));
    let id = id.ok_or_else(|| AwsError::invalid("the source vault's account is not a real one"))?;
    Ok(Json(json!({ "copy_job_id": id })))
}

/// Every copy job, oldest first.
pub(crate) async fn copies(State(app): State<App>) -> Json<Value> {
    let jobs: Vec<Value> = app
        .sandbox()
        .with_world(|world| world.copy_jobs().iter().map(wire::copy_job).collect());
    Json(jobs.into())
}

/// The EventBridge event of a copy job, by its id or its name in the world file.
pub(crate) async fn event(State(app): State<App>, Path(name): Path<String>) -> Answer {
    app.sandbox()
        .event_named(&name)
        .map(Json)
        .ok_or_else(|| AwsError::not_found(format!("there is no copy job `{name}`")))
}

/// The calls that write, oldest first.
pub(crate) async fn writes(State(app): State<App>) -> Json<Value> {
    Json(app.writes())
}

/// The messages of the queue of delayed retries that nobody took out, oldest first.
pub(crate) async fn delayed_retries(State(app): State<App>) -> Json<Value> {
    let messages: Vec<Value> = app.delayed_retries().iter().map(Kept::told).collect();
    Json(messages.into())
}

/// Takes the oldest of these messages out, as what Lambda hands the function; `null` where there is
/// none. It doesn't wait for the message's time.
pub(crate) async fn deliver(State(app): State<App>) -> Json<Value> {
    let message = app.delayed_retries().pop_front();
    Json(message.map_or(Value::Null, |message| message.delivered()))
}
