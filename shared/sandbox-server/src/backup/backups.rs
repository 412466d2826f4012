//! Backing up a volume, and deleting backups (documented: AWS Backup API reference, the operation of
//! each function's name).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use copymend_diagnosis::{BackupVaultArn, RoleArn, Tags};
use copymend_policy::Arn;
use copymend_sandbox::{BackupJob, RecoveryPoint};
use serde::Deserialize;
use serde_json::{Value, json};

use super::operations::{Answer, in_vault, vault_arn};
use super::wire;
use crate::caller::Caller;
use crate::ec2_volumes::Volume;
use crate::error::AwsError;
use crate::server::App;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartBackup {
    backup_vault_name: String,
    resource_arn: Arn,
    iam_role_arn: RoleArn,
    #[serde(default)]
    idempotency_token: Option<String>,
    #[serde(default)]
    recovery_point_tags: Tags,
}

/// `StartBackupJob`, of an EBS volume alone. The backup is done at once.
pub(crate) async fn start_backup_job(
    State(app): State<App>,
    caller: Caller,
    body: Bytes,
) -> Answer {
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let result = start(&app, &caller, input.clone()).await;
    app.record(&caller, "StartBackupJob", &input, &result);
    result
}

async fn start(app: &App, caller: &Caller, input: Value) -> Answer {
    let input: StartBackup = serde_json::from_value(input)
        .map_err(|error| AwsError::new("MissingParameterValueException", error.to_string()))?;
    let token = input
        .idempotency_token
        .as_ref()
        .map(|token| format!("{}/{}/{token}", caller.account(), caller.region()));
    if let Some(job) = token.as_ref().and_then(|token| app.backup_of(token)) {
        return describe(app, caller, &job);
    }
    let role = &input.iam_role_arn;
    if role.account_id() != Some(caller.account()) {
        return Err(AwsError::denied("Cross-account pass role is not allowed."));
    }
    app.upstream().refresh_role(app.sandbox(), role).await?;
    let is_role = app.sandbox().with_world(|world| world.role(role).is_some());
    if !is_role {
        return Err(AwsError::invalid(format!(
            "IAM Role {role} cannot be assumed by AWS Backup"
        )));
    }
    let volume = volume(app, caller, &input.resource_arn).await?;
    let partition = input.resource_arn.partition().to_owned();
    let snapshot = format!("arn:{partition}:ec2:{}::snapshot/snap-", caller.region());
    let now = app.now();
    let done = app.sandbox().with_world(|world| {
        let vault = vault_arn(world, caller, &input.backup_vault_name)?;
        let job = BackupJob {
            id: String::new(),
            account: caller.account(),
            region: caller.region().to_owned(),
            state: "COMPLETED".to_owned(),
            status_message: String::new(),
            iam_role_arn: Some(input.iam_role_arn.clone()),
            vault_arn: Some(vault),
            encryption_key_arn: volume.key.clone(),
            resource_arn: Some(input.resource_arn.clone()),
            resource_type: Some("EBS".to_owned()),
            recovery_point_arn: None,
            creation_date: Some(now),
            completion_date: Some(now),
            message_category: Some("SUCCESS".to_owned()),
            parent_job_id: None,
            created_by: None,
        };
        let made = world.make_backup(job, &snapshot, |arn| RecoveryPoint {
            arn,
            resource_arn: input.resource_arn.clone(),
            resource_type: "EBS".to_owned(),
            encryption_key_arn: volume.key.clone(),
            snapshots: Vec::new(),
            encrypted: Some(volume.key.is_some()),
            size_in_bytes: volume.size_in_bytes,
            tags: input.recovery_point_tags.clone(),
            status: "COMPLETED".to_owned(),
            creation_date: Some(now),
            created_by: None,
            iam_role_arn: Some(input.iam_role_arn.clone()),
            source_vault_arn: None,
            lifecycle: None,
            delete_at: None,
            move_to_cold_storage_at: None,
            parent_recovery_point_arn: None,
            is_parent: false,
        });
        made.ok_or_else(|| {
            let name = &input.backup_vault_name;
            AwsError::not_found(format!("Backup vault {name} does not exist"))
        })
    })?;
    if let Some(token) = token {
        app.remember_backup(token, &done.id);
    }
    describe(app, caller, &done.id)
}

/// The answer of `StartBackupJob`.
fn describe(app: &App, caller: &Caller, id: &str) -> Answer {
    app.sandbox().with_world(|world| {
        let job = world
            .backup_job(caller.account(), caller.region(), id)
            .ok_or_else(|| AwsError::not_found(format!("Could not find backup job {id}")))?;
        Ok(Json(wire::present(json!({
            "BackupJobId": job.id,
            "RecoveryPointArn": job.recovery_point_arn,
            "CreationDate": job.creation_date.map(jiff::Timestamp::as_second),
            "IsParent": false,
        }))))
    })
}

/// The caller's volume of this ARN.
async fn volume(app: &App, caller: &Caller, arn: &Arn) -> Result<Volume, AwsError> {
    let id = arn
        .resource()
        .strip_prefix("volume/")
        .filter(|_| arn.service() == "ec2" && arn.region() == caller.region());
    let Some(id) = id.filter(|_| arn.account() == caller.account().as_str()) else {
        return Err(AwsError::invalid(format!(
            "the sandbox backs up EBS volumes of the caller's alone, not {arn}"
        )));
    };
    let found = Volume::read(app.upstream(), caller.account(), caller.region(), id).await?;
    found.ok_or_else(|| AwsError::not_found(format!("The resource {arn} does not exist")))
}

/// `DeleteRecoveryPoint`. It is gone at once.
pub(crate) async fn delete_recovery_point(
    State(app): State<App>,
    caller: Caller,
    Path((name, arn)): Path<(String, String)>,
) -> Result<(), AwsError> {
    let result = delete(&app, &caller, &name, &arn);
    let input = json!({"BackupVaultName": name, "RecoveryPointArn": arn});
    app.record(&caller, "DeleteRecoveryPoint", &input, &result);
    result
}

fn delete(app: &App, caller: &Caller, name: &str, arn: &str) -> Result<(), AwsError> {
    let vault: BackupVaultArn = in_vault(app, caller, name, |arn, _| Ok(arn.clone()))?;
    let point: Arn = arn
        .parse()
        .map_err(|_| AwsError::invalid(format!("`{arn}` is not an ARN")))?;
    let was_there = app
        .sandbox()
        .with_world(|world| world.remove_recovery_point(&vault, &point));
    was_there
        .then_some(())
        .ok_or_else(|| AwsError::not_found("Cannot find recovery point."))
}
