//! AWS Backup.

mod backups;
mod lists;
mod operations;
mod plans;
mod query;
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
    let routes: [(&str, MethodRouter<App>); 19] = [
        (
            "/copy-jobs",
            get(lists::list_copy_jobs).put(operations::start_copy_job),
        ),
        ("/copy-jobs/{id}", get(operations::describe_copy_job)),
        (
            "/backup-jobs",
            get(lists::list_backup_jobs).put(backups::start_backup_job),
        ),
        ("/backup-jobs/{id}", get(operations::describe_backup_job)),
        ("/restore-jobs", get(lists::list_restore_jobs)),
        ("/restore-jobs/{id}", get(operations::describe_restore_job)),
        ("/backup-vaults", get(lists::list_vaults)),
        (
            "/backup-vaults/{name}",
            get(operations::describe_vault)
                .put(vaults::create_vault)
                .delete(vaults::delete_vault),
        ),
        ("/backup-vaults/{name}/access-policy", policy),
        (
            "/backup-vaults/{name}/recovery-points",
            get(lists::list_recovery_points),
        ),
        (
            "/backup-vaults/{name}/recovery-points/{arn}",
            get(operations::describe_recovery_point).delete(backups::delete_recovery_point),
        ),
        ("/resources", get(lists::list_protected_resources)),
        ("/backup/plans", get(plans::list_backup_plans)),
        ("/backup/plans/{id}", get(plans::get_backup_plan)),
        (
            "/backup/plans/{id}/selections",
            get(plans::list_backup_selections),
        ),
        (
            "/backup/plans/{id}/selections/{selection}",
            get(plans::get_backup_selection),
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
