//! AWS Backup.

mod backups;
mod operations;
mod vaults;
pub(crate) mod wire;

use axum::Router;
use axum::routing::{MethodRouter, get};

use crate::error::AwsError;
use crate::server::App;

/// The operations. What isn't among them is refused and not passed on: vaults and jobs are in the
/// sandbox alone. SDKs differ in whether they end a path with a slash.
pub(crate) fn router(app: App) -> Router {
    let policy = get(operations::get_vault_policy)
        .put(operations::put_vault_policy)
        .delete(operations::delete_vault_policy);
    let routes: [(&str, MethodRouter<App>); 13] = [
        (
            "/copy-jobs",
            get(operations::list_copy_jobs).put(operations::start_copy_job),
        ),
        ("/copy-jobs/{id}", get(operations::describe_copy_job)),
        (
            "/backup-jobs",
            get(backups::list_backup_jobs).put(backups::start_backup_job),
        ),
        ("/backup-jobs/{id}", get(operations::describe_backup_job)),
        ("/restore-jobs/{id}", get(operations::describe_restore_job)),
        ("/backup-vaults", get(vaults::list_vaults)),
        (
            "/backup-vaults/{name}",
            get(operations::describe_vault)
                .put(vaults::create_vault)
                .delete(vaults::delete_vault),
        ),
        ("/backup-vaults/{name}/access-policy", policy),
        (
            "/backup-vaults/{name}/recovery-points",
            get(backups::list_recovery_points),
        ),
        (
            "/backup-vaults/{name}/recovery-points/{arn}",
            get(operations::describe_recovery_point).delete(backups::delete_recovery_point),
        ),
        ("/tags/{arn}", get(operations::list_tags)),
        ("/global-settings", get(operations::global_settings)),
        ("/account-settings", get(operations::region_settings)),
    ];
    routes
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| {
            router
                .route(path, methods.clone())
                .route(&format!("{path}/"), methods)
        })
        .fallback(|| async {
            AwsError::new(
                "UnknownOperationException",
                "the sandbox's AWS Backup doesn't have this operation",
            )
        })
        .with_state(app)
}
