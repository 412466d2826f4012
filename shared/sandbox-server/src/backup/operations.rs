//! The operations of AWS Backup that are served. Vaults are reached by the account that owns them
//! alone.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use copymend_diagnosis::BackupVaultArn;
use copymend_policy::Arn;
use copymend_remediation::ports::{Backup as _, StartCopy};
use copymend_sandbox::{Vault, World};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wire;
use crate::caller::Caller;
use crate::error::AwsError;
use crate::server::App;

pub(super) type Answer = Result<Json<Value>, AwsError>;
pub(super) type Parameters = Query<BTreeMap<String, String>>;

/// The caller's vault of that name.
pub(super) fn vault_arn(
    world: &World,
    caller: &Caller,
    name: &str,
) -> Result<BackupVaultArn, AwsError> {
    let partition = world
        .account(caller.account())
        .map_or("aws", |account| account.partition.as_str());
    let (account, region) = (caller.account(), caller.region());
    format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}")
        .parse()
        .map_err(|_| AwsError::invalid("Invalid backup vault name"))
}

pub(super) fn in_vault<T>(
    app: &App,
    caller: &Caller,
    name: &str,
    read: impl FnOnce(&BackupVaultArn, &Vault) -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    app.sandbox().with_world(|world| {
        let arn = vault_arn(world, caller, name)?;
        let vault = world.vault(&arn).ok_or_else(AwsError::no_such_vault)?;
        read(&arn, vault)
    })
}

/// A vault of another account can't be reached, whatever its policy says (documented: "Vault access
/// policies").
pub(super) fn own_account(
    caller: &Caller,
    parameters: &BTreeMap<String, String>,
) -> Result<(), AwsError> {
    match parameters.get("backupVaultAccountId") {
        Some(account) if account != caller.account().as_str() => Err(AwsError::denied(
            "Insufficient privileges to perform this action: the vault belongs to another account",
        )),
        Some(_) | None => Ok(()),
    }
}

pub(crate) async fn describe_copy_job(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    app.sandbox().with_world(|world| {
        let job = world
            .copy_job(&id)
            .filter(|job| job.account == caller.account() && job.region == caller.region())
            .ok_or_else(|| AwsError::not_found(format!("Could not find copy job {id}")))?;
        Ok(Json(json!({ "CopyJob": wire::copy_job(job) })))
    })
}

/// `DescribeBackupJob`, where the job ran.
pub(crate) async fn describe_backup_job(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    app.sandbox().with_world(|world| {
        let job = world
            .backup_job(caller.account(), caller.region(), &id)
            .ok_or_else(|| AwsError::not_found(format!("Could not find backup job {id}")))?;
        Ok(Json(wire::backup_job(job)))
    })
}

/// `DescribeRestoreJob`, where the job ran.
pub(crate) async fn describe_restore_job(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    app.sandbox().with_world(|world| {
        let job = world
            .restore_job(caller.account(), caller.region(), &id)
            .ok_or_else(|| AwsError::not_found(format!("Could not find restore job {id}")))?;
        Ok(Json(wire::restore_job(job)))
    })
}

pub(crate) async fn start_copy_job(State(app): State<App>, caller: Caller, body: Bytes) -> Answer {
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let result = start(&app, &caller, input.clone()).await;
    app.record(&caller, "StartCopyJob", &input, &result);
    result
}

async fn start(app: &App, caller: &Caller, input: Value) -> Answer {
    let input: wire::StartCopyJob = serde_json::from_value(input)
        .map_err(|error| AwsError::new("MissingParameterValueException", error.to_string()))?;
    let invalid = |error: copymend_policy::ArnError| AwsError::invalid(error.to_string());
    let copy = StartCopy {
        location: caller.0.clone(),
        recovery_point: input.recovery_point_arn.parse().map_err(invalid)?,
        source_vault_name: input.source_backup_vault_name,
        destination_vault: input
            .destination_backup_vault_arn
            .parse()
            .map_err(invalid)?,
        role: input.iam_role_arn.parse().map_err(invalid)?,
        lifecycle: input.lifecycle.map(Into::into),
        // A call without a token is a call of its own.
        idempotency_token: input.idempotency_token.unwrap_or_else(|| {
            format!(
                "none-{}",
                app.sandbox().with_world(|world| world.copy_jobs().len())
            )
        }),
    };
    if copy.role.account_id() != Some(caller.account()) {
        return Err(AwsError::denied("Cross-account pass role is not allowed."));
    }
    let source_vault = app
        .sandbox()
        .with_world(|world| vault_arn(world, caller, &copy.source_vault_name))?;
    app.upstream()
        .refresh_copy(
            app.sandbox(),
            &source_vault,
            &copy.recovery_point,
            &copy.destination_vault,
            &copy.role,
        )
        .await?;
    let id = app.sandbox().start_copy(&copy).await?;
    let created = app
        .sandbox()
        .with_world(|world| world.copy_job(&id).map(|job| job.created.as_second()));
    Ok(Json(wire::present(
        json!({"CopyJobId": id, "CreationDate": created, "IsParent": false}),
    )))
}

pub(crate) async fn describe_vault(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    Query(parameters): Parameters,
) -> Answer {
    own_account(&caller, &parameters)?;
    app.sandbox().with_world(|world| {
        let arn = vault_arn(world, &caller, &name)?;
        let vault = world.vault(&arn).ok_or_else(AwsError::no_such_vault)?;
        Ok(Json(wire::vault(&arn, vault, world)))
    })
}

pub(crate) async fn describe_recovery_point(
    State(app): State<App>,
    caller: Caller,
    Path((name, arn)): Path<(String, String)>,
    Query(parameters): Parameters,
) -> Answer {
    own_account(&caller, &parameters)?;
    in_vault(&app, &caller, &name, |vault_arn, vault| {
        let point = vault
            .recovery_point(&arn)
            .ok_or_else(|| AwsError::not_found("Cannot find recovery point."))?;
        Ok(Json(wire::recovery_point(vault_arn.as_str(), &name, point)))
    })
}

pub(crate) async fn get_vault_policy(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Answer {
    in_vault(&app, &caller, &name, |arn, vault| {
        let policy = vault.policy.as_ref().ok_or_else(|| {
            AwsError::not_found(format!(
                "Failed reading policy: no access policy is attached to {name}"
            ))
        })?;
        Ok(Json(
            json!({"BackupVaultName": name, "BackupVaultArn": arn, "Policy": policy.as_str()}),
        ))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutPolicy {
    #[serde(default)]
    policy: Option<String>,
}

pub(crate) async fn put_vault_policy(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<(), AwsError> {
    let body: Option<PutPolicy> = serde_json::from_slice(&body).ok();
    let policy = body.and_then(|body| body.policy);
    let result = match &policy {
        None => Err(AwsError::new(
            "MissingParameterValueException",
            "Policy is missing",
        )),
        Some(policy) => app.sandbox().with_world(|world| {
            let arn = vault_arn(world, &caller, &name)?;
            world.vault(&arn).ok_or_else(AwsError::no_such_vault)?;
            world
                .put_vault_policy(&arn, policy)
                .map(|_before| ())
                .map_err(|error| AwsError::new(error.code, error.message))
        }),
    };
    let input = json!({"BackupVaultName": name, "Policy": policy});
    app.record(&caller, "PutBackupVaultAccessPolicy", &input, &result);
    result
}

pub(crate) async fn delete_vault_policy(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<(), AwsError> {
    let result = in_vault(&app, &caller, &name, |arn, _| Ok(arn.clone())).map(|arn| {
        app.sandbox().with_world(|world| {
            if let Some(vault) = world.vault_mut(&arn) {
                vault.policy = None;
            }
        });
    });
    app.record(
        &caller,
        "DeleteBackupVaultAccessPolicy",
        &json!({"BackupVaultName": name}),
        &result,
    );
    result
}

pub(crate) async fn list_tags(
    State(app): State<App>,
    caller: Caller,
    Path(arn): Path<String>,
) -> Answer {
    let parsed: Arn = arn
        .parse()
        .map_err(|_| AwsError::invalid(format!("`{arn}` is not an ARN")))?;
    let owner = parsed.account();
    if !owner.is_empty() && owner != caller.account().as_str() {
        return Err(AwsError::denied("the resource belongs to another account"));
    }
    app.sandbox().with_world(|world| {
        let of_vault = arn
            .parse()
            .ok()
            .and_then(|arn| world.vault(&arn))
            .map(|vault| &vault.tags);
        let regions = world
            .account(caller.account())
            .map(|account| &account.regions);
        let of_point = || {
            regions?
                .get(caller.region())?
                .vaults
                .values()
                .find_map(|vault| vault.recovery_point(parsed.as_str()))
                .map(|point| &point.tags)
        };
        let tags = of_vault
            .or_else(of_point)
            .ok_or_else(|| AwsError::not_found(format!("{arn} does not exist")))?;
        Ok(Json(json!({ "Tags": tags })))
    })
}

pub(crate) async fn global_settings(State(app): State<App>, caller: Caller) -> Answer {
    let on = app
        .sandbox()
        .is_cross_account_backup_enabled(&caller.0)
        .await?;
    Ok(Json(
        json!({"GlobalSettings": {"isCrossAccountBackupEnabled": on.to_string()}}),
    ))
}

/// Every type is on: what a Region's opt-in means for a copy's destination is not known.
pub(crate) async fn region_settings(_caller: Caller) -> Answer {
    let types = [
        "Aurora", "DynamoDB", "EBS", "EC2", "EFS", "FSx", "RDS", "S3",
    ];
    let on: BTreeMap<&str, bool> = types.into_iter().map(|name| (name, true)).collect();
    Ok(Json(
        json!({"ResourceTypeOptInPreference": on, "ResourceTypeManagementPreference": {}}),
    ))
}
