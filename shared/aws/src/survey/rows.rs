//! Rows of AWS Backup's lists. An error names the row and the member that can't be used.

use aws_sdk_backup::types;
use aws_smithy_types::DateTime;
use copymend_diagnosis::BackupVault;
use copymend_diagnosis::advisor::JobKind;
use copymend_remediation::ports::Location;
use copymend_survey::{
    ListedCopyJob, ListedJob, ListedRecoveryPoint, ListedVault, PlanCreator, ProtectedResource,
};
use jiff::Timestamp;

use crate::copy_job;
use crate::member::{optional, required, text};

/// What can't be used of a row, with the row's name.
fn of(id: Option<&str>, why: impl Into<String>) -> String {
    let why = why.into();
    match id {
        Some(id) => format!("{id}: {why}"),
        None => why,
    }
}

pub(super) fn moment(time: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_millisecond(time?.to_millis().ok()?).ok()
}

fn creator(plan_id: Option<&str>, rule_id: Option<&str>) -> PlanCreator {
    PlanCreator {
        plan_id: text(plan_id),
        rule_id: text(rule_id),
    }
}

fn creator_of(creator_of: Option<&types::RecoveryPointCreator>) -> PlanCreator {
    creator_of.map_or_else(PlanCreator::default, |one| {
        creator(one.backup_plan_id(), one.backup_rule_id())
    })
}

pub(super) fn copy_job(row: &types::CopyJob) -> Result<ListedCopyJob, String> {
    let read = || {
        let failed = row
            .child_jobs_in_state()
            .and_then(|children| children.get(&types::CopyJobState::Failed))
            .copied();
        Ok(ListedCopyJob {
            job: copy_job::read(row)?,
            created: moment(row.creation_date()),
            destination_recovery_point: optional(
                "DestinationRecoveryPointArn",
                row.destination_recovery_point_arn(),
            )?,
            creator: creator_of(row.created_by()),
            created_by_backup_job: text(row.created_by_backup_job_id()),
            failed_children: failed.and_then(|many| many.try_into().ok()).unwrap_or(0),
        })
    };
    read().map_err(|why: String| of(row.copy_job_id(), why))
}

pub(super) fn backup_job(row: &types::BackupJob, at: &Location) -> Result<ListedJob, String> {
    let read = || {
        Ok(ListedJob {
            kind: JobKind::Backup,
            id: required("BackupJobId", row.backup_job_id())?,
            account: optional("AccountId", row.account_id())?.unwrap_or(at.account),
            region: at.region.clone(),
            state: required("State", row.state().map(types::BackupJobState::as_str))?,
            status_message: row.status_message().unwrap_or_default().to_owned(),
            message_category: text(row.message_category()),
            validation_status: None,
            resource: optional("ResourceArn", row.resource_arn())?,
            resource_type: text(row.resource_type()),
            vault: optional("BackupVaultArn", row.backup_vault_arn())?,
            role: optional("IamRoleArn", row.iam_role_arn())?,
            created: moment(row.creation_date()),
            completed: moment(row.completion_date()),
        })
    };
    read().map_err(|why: String| of(row.backup_job_id(), why))
}

pub(super) fn restore_job(
    row: &types::RestoreJobsListMember,
    at: &Location,
) -> Result<ListedJob, String> {
    let read = || {
        Ok(ListedJob {
            kind: JobKind::Restore,
            id: required("RestoreJobId", row.restore_job_id())?,
            account: optional("AccountId", row.account_id())?.unwrap_or(at.account),
            region: at.region.clone(),
            state: required("Status", row.status().map(types::RestoreJobStatus::as_str))?,
            status_message: row.status_message().unwrap_or_default().to_owned(),
            // The API has none for restore jobs.
            message_category: None,
            validation_status: text(
                row.validation_status()
                    .map(types::RestoreValidationStatus::as_str),
            ),
            resource: optional("SourceResourceArn", row.source_resource_arn())?,
            resource_type: text(row.resource_type()),
            vault: optional("BackupVaultArn", row.backup_vault_arn())?,
            role: optional("IamRoleArn", row.iam_role_arn())?,
            created: moment(row.creation_date()),
            completed: moment(row.completion_date()),
        })
    };
    read().map_err(|why: String| of(row.restore_job_id(), why))
}

pub(super) fn vault(row: &types::BackupVaultListMember) -> Result<ListedVault, String> {
    let read = || {
        Ok(ListedVault {
            arn: required("BackupVaultArn", row.backup_vault_arn())?,
            facts: BackupVault {
                encryption_key: optional("EncryptionKeyArn", row.encryption_key_arn())?,
                encryption_key_type: text(
                    row.encryption_key_type()
                        .map(types::EncryptionKeyType::as_str),
                ),
                vault_type: text(row.vault_type().map(types::VaultType::as_str)),
                locked: row.locked(),
                min_retention_days: row.min_retention_days(),
                max_retention_days: row.max_retention_days(),
            },
            recovery_points: row.number_of_recovery_points().try_into().unwrap_or(0),
        })
    };
    read().map_err(|why: String| of(row.backup_vault_name(), why))
}

pub(super) fn protected_resource(
    row: &types::ProtectedResource,
) -> Result<ProtectedResource, String> {
    let read = || {
        Ok(ProtectedResource {
            arn: required("ResourceArn", row.resource_arn())?,
            resource_type: required("ResourceType", row.resource_type())?,
            last_backup: moment(row.last_backup_time()),
            last_vault: optional("LastBackupVaultArn", row.last_backup_vault_arn())?,
            last_recovery_point: optional("LastRecoveryPointArn", row.last_recovery_point_arn())?,
        })
    };
    read().map_err(|why: String| of(row.resource_arn(), why))
}

pub(super) fn recovery_point(
    row: &types::RecoveryPointByBackupVault,
    at: &Location,
    vault_name: &str,
) -> Result<ListedRecoveryPoint, String> {
    let read = || {
        let arn: copymend_policy::Arn = required("RecoveryPointArn", row.recovery_point_arn())?;
        let vault = match optional("BackupVaultArn", row.backup_vault_arn())? {
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
        let lifecycle = row.calculated_lifecycle();
        Ok(ListedRecoveryPoint {
            arn,
            vault,
            source_vault: optional("SourceBackupVaultArn", row.source_backup_vault_arn())?,
            resource: optional("ResourceArn", row.resource_arn())?,
            resource_type: text(row.resource_type()),
            status: required(
                "Status",
                row.status().map(types::RecoveryPointStatus::as_str),
            )?,
            created: moment(row.creation_date()),
            moves_to_cold_storage_at: moment(
                lifecycle.and_then(types::CalculatedLifecycle::move_to_cold_storage_at),
            ),
            deleted_at: moment(lifecycle.and_then(types::CalculatedLifecycle::delete_at)),
            creator: creator_of(row.created_by()),
            encryption_key: optional("EncryptionKeyArn", row.encryption_key_arn())?,
            parent: optional("ParentRecoveryPointArn", row.parent_recovery_point_arn())?,
            is_parent: row.is_parent(),
            role: optional("IamRoleArn", row.iam_role_arn())?,
        })
    };
    read().map_err(|why: String| of(row.recovery_point_arn(), why))
}
