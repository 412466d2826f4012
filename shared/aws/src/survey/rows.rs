//! Rows of AWS Backup's lists. An error names the row and the member that can't be used.

use copymend_diagnosis::BackupVault;
use copymend_diagnosis::advisor::JobKind;
use copymend_remediation::ports::Location;
use copymend_survey::{
    ListedCopyJob, ListedJob, ListedRecoveryPoint, ListedVault, PlanCreator, ProtectedResource,
};

use super::answers as lists;
use crate::backup::answers::{self, moment};
use crate::backup::copy_job;
use crate::member::{optional, required, text};

/// What can't be used of a row, with the row's name.
fn of(id: Option<&str>, why: impl Into<String>) -> String {
    let why = why.into();
    match id {
        Some(id) => format!("{id}: {why}"),
        None => why,
    }
}

fn creator(plan_id: Option<&str>, rule_id: Option<&str>) -> PlanCreator {
    PlanCreator {
        plan_id: text(plan_id),
        rule_id: text(rule_id),
    }
}

fn creator_of(creator_of: Option<&answers::Creator>) -> PlanCreator {
    creator_of.map_or_else(PlanCreator::default, |one| {
        creator(one.backup_plan_id.as_deref(), one.backup_rule_id.as_deref())
    })
}

pub(super) fn copy_job(row: &answers::CopyJob) -> Result<ListedCopyJob, String> {
    let read = || {
        let children = row.child_jobs_in_state.as_ref();
        let failed = children.and_then(|children| children.get("FAILED").copied());
        Ok(ListedCopyJob {
            job: copy_job::read(row)?,
            created: moment(row.creation_date),
            destination_recovery_point: optional(
                "DestinationRecoveryPointArn",
                row.destination_recovery_point_arn.as_deref(),
            )?,
            creator: creator_of(row.created_by.as_ref()),
            created_by_backup_job: text(row.created_by_backup_job_id.as_deref()),
            failed_children: failed.and_then(|many| many.try_into().ok()).unwrap_or(0),
        })
    };
    read().map_err(|why: String| of(row.copy_job_id.as_deref(), why))
}

pub(super) fn backup_job(row: &answers::BackupJob, at: &Location) -> Result<ListedJob, String> {
    let read = || {
        Ok(ListedJob {
            kind: JobKind::Backup,
            id: required("BackupJobId", row.backup_job_id.as_deref())?,
            account: optional("AccountId", row.account_id.as_deref())?.unwrap_or(at.account),
            region: at.region.clone(),
            state: required("State", row.state.as_deref())?,
            status_message: row.status_message.as_deref().unwrap_or_default().to_owned(),
            message_category: text(row.message_category.as_deref()),
            validation_status: None,
            resource: optional("ResourceArn", row.resource_arn.as_deref())?,
            resource_type: text(row.resource_type.as_deref()),
            vault: optional("BackupVaultArn", row.backup_vault_arn.as_deref())?,
            role: optional("IamRoleArn", row.iam_role_arn.as_deref())?,
            created: moment(row.creation_date),
            completed: moment(row.completion_date),
        })
    };
    read().map_err(|why: String| of(row.backup_job_id.as_deref(), why))
}

pub(super) fn restore_job(row: &answers::RestoreJob, at: &Location) -> Result<ListedJob, String> {
    let read = || {
        Ok(ListedJob {
            kind: JobKind::Restore,
            id: required("RestoreJobId", row.restore_job_id.as_deref())?,
            account: optional("AccountId", row.account_id.as_deref())?.unwrap_or(at.account),
            region: at.region.clone(),
            state: required("Status", row.status.as_deref())?,
            status_message: row.status_message.as_deref().unwrap_or_default().to_owned(),
            // The API has none for restore jobs.
            message_category: None,
            validation_status: text(row.validation_status.as_deref()),
            resource: optional("SourceResourceArn", row.source_resource_arn.as_deref())?,
            resource_type: text(row.resource_type.as_deref()),
            vault: optional("BackupVaultArn", row.backup_vault_arn.as_deref())?,
            role: optional("IamRoleArn", row.iam_role_arn.as_deref())?,
            created: moment(row.creation_date),
            completed: moment(row.completion_date),
        })
    };
    read().map_err(|why: String| of(row.restore_job_id.as_deref(), why))
}

pub(super) fn vault(row: &answers::BackupVault) -> Result<ListedVault, String> {
    let read = || {
        Ok(ListedVault {
            arn: required("BackupVaultArn", row.backup_vault_arn.as_deref())?,
            facts: BackupVault {
                encryption_key: optional("EncryptionKeyArn", row.encryption_key_arn.as_deref())?,
                encryption_key_type: text(row.encryption_key_type.as_deref()),
                vault_type: text(row.vault_type.as_deref()),
                locked: row.locked,
                min_retention_days: row.min_retention_days,
                max_retention_days: row.max_retention_days,
            },
            recovery_points: row
                .number_of_recovery_points
                .and_then(|many| many.try_into().ok())
                .unwrap_or(0),
        })
    };
    read().map_err(|why: String| of(row.backup_vault_name.as_deref(), why))
}

pub(super) fn protected_resource(
    row: &lists::ProtectedResource,
) -> Result<ProtectedResource, String> {
    let read = || {
        Ok(ProtectedResource {
            arn: required("ResourceArn", row.resource_arn.as_deref())?,
            resource_type: required("ResourceType", row.resource_type.as_deref())?,
            last_backup: moment(row.last_backup_time),
            last_vault: optional("LastBackupVaultArn", row.last_backup_vault_arn.as_deref())?,
            last_recovery_point: optional(
                "LastRecoveryPointArn",
                row.last_recovery_point_arn.as_deref(),
            )?,
        })
    };
    read().map_err(|why: String| of(row.resource_arn.as_deref(), why))
}

pub(super) fn recovery_point(
    row: &lists::RecoveryPoint,
    at: &Location,
    vault_name: &str,
) -> Result<ListedRecoveryPoint, String> {
    let read = || {
        let arn: copymend_policy::Arn =
            required("RecoveryPointArn", row.recovery_point_arn.as_deref())?;
        let vault = match optional("BackupVaultArn", row.backup_vault_arn.as_deref())? {
            Some(vault) => vault,
            None => format!(
                "arn:{}:backup:{}:{}:backup-vault:{vault_name}",
                arn.partition(),
                at.region,
                at.account
            )
            .parse()
            .map_err(|error| format!("`BackupVaultArn` is missing, and what was asked: {error}"))?,
        };
        let lifecycle = row.calculated_lifecycle.as_ref();
        Ok(ListedRecoveryPoint {
            arn,
            vault,
            source_vault: optional(
                "SourceBackupVaultArn",
                row.source_backup_vault_arn.as_deref(),
            )?,
            resource: optional("ResourceArn", row.resource_arn.as_deref())?,
            resource_type: text(row.resource_type.as_deref()),
            status: required("Status", row.status.as_deref())?,
            created: moment(row.creation_date),
            moves_to_cold_storage_at: moment(
                lifecycle.and_then(|lifecycle| lifecycle.move_to_cold_storage_at),
            ),
            deleted_at: moment(lifecycle.and_then(|lifecycle| lifecycle.delete_at)),
            creator: creator_of(row.created_by.as_ref()),
            encryption_key: optional("EncryptionKeyArn", row.encryption_key_arn.as_deref())?,
            parent: optional(
                "ParentRecoveryPointArn",
                row.parent_recovery_point_arn.as_deref(),
            )?,
            is_parent: row.is_parent.unwrap_or_default(),
            role: optional("IamRoleArn", row.iam_role_arn.as_deref())?,
        })
    };
    read().map_err(|why: String| of(row.recovery_point_arn.as_deref(), why))
}
