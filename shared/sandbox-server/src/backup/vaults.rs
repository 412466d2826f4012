//! Making, listing and deleting vaults (documented: AWS Backup API reference, the operation of each
//! function's name).

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use copymend_diagnosis::{KeyArn, Tags};
use serde::Deserialize;
use serde_json::{Value, json};

use super::operations::{Answer, in_vault, vault_arn};
use crate::caller::Caller;
use crate::error::AwsError;
use crate::server::App;

/// The characters of a vault's name (documented: `^[a-zA-Z0-9\-\_]{2,50}$`).
fn is_vault_name(name: &str) -> bool {
    (2..=50).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct CreateVault {
    backup_vault_tags: Tags,
    encryption_key_arn: Option<KeyArn>,
}

/// `CreateBackupVault`.
pub(crate) async fn create_vault(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    body: Bytes,
) -> Answer {
    let input: Value = serde_json::from_slice(&body).unwrap_or_default();
    let result = create(&app, &caller, &name, &input);
    app.record(&caller, "CreateBackupVault", &input, &result);
    result
}

fn create(app: &App, caller: &Caller, name: &str, input: &Value) -> Answer {
    if !is_vault_name(name) {
        return Err(AwsError::invalid("Invalid backup vault name"));
    }
    let input: CreateVault = serde_json::from_value(input.clone())
        .map_err(|error| AwsError::invalid(error.to_string()))?;
    let sandbox = app.sandbox();
    let created = sandbox.with_world(|world| {
        let arn = vault_arn(world, caller, name)?;
        let is_new = world.make_vault(&arn, input.encryption_key_arn, input.backup_vault_tags);
        is_new.then_some(arn).ok_or_else(|| {
            AwsError::new(
                "AlreadyExistsException",
                "Backup vault with the same name already exists",
            )
        })
    })?;
    Ok(Json(json!({
        "BackupVaultName": name,
        "BackupVaultArn": created,
        "CreationDate": app.now().as_second(),
    })))
}

/// `DeleteBackupVault`. A vault that holds backups isn't deleted (documented: AWS Backup developer
/// guide, "Deleting a backup vault").
pub(crate) async fn delete_vault(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<(), AwsError> {
    let is_empty = |arn: &_, vault: &copymend_sandbox::Vault| {
        if vault.recovery_points.is_empty() {
            return Ok(Clone::clone(arn));
        }
        Err(AwsError::new(
            "InvalidRequestException",
            format!(
                "Backup vault cannot be deleted because it contains recovery points: {}",
                vault.recovery_points.len()
            ),
        ))
    };
    let result = in_vault(&app, &caller, &name, is_empty)
        .map(|arn| app.sandbox().with_world(|world| world.remove_vault(&arn)));
    let input = json!({ "BackupVaultName": name });
    app.record(&caller, "DeleteBackupVault", &input, &result);
    result
}
