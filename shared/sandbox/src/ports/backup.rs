//! AWS Backup.

use std::sync::PoisonError;

use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::{BackupVault, BackupVaultArn, CopyJob, RecoveryPoint, Tags};
use copymend_policy::Arn;
use copymend_remediation::ports::{
    Backup, BackupWrites, CallErrorKind, CallResult, Clock, Location, StartCopy,
};
use copymend_remediation::write::{ApprovedCopy, ApprovedVaultPolicy};
use jiff::Timestamp;

use crate::calls::Write;
use crate::copies::NewCopy;
use crate::own_calls;
use crate::sandbox::Sandbox;
use crate::world::World;

/// The ARN of a vault in an account and Region.
pub(super) fn vault_arn(world: &World, location: &Location, name: &str) -> Option<BackupVaultArn> {
    let Location { account, region } = location;
    let partition = &world.account(*account)?.partition;
    format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}")
        .parse()
        .ok()
}

impl From<&crate::copies::CopyJob> for CopyJob {
    fn from(job: &crate::copies::CopyJob) -> Self {
        Self {
            id: job.id.clone(),
            account: job.account,
            region: job.region.clone(),
            state: job.state(),
            status_message: job.status_message().to_owned(),
            message_category: job.failure().map(|failure| failure.category.clone()),
            source_vault: job.source_vault.clone(),
            source_recovery_point: job.recovery_point.clone(),
            destination_vault: job.destination_vault.clone(),
            role: job.role.clone(),
            resource: job.resource.clone(),
            resource_type: job.resource_type.clone(),
            backup_plan: job
                .created_by
                .as_ref()
                .map(|plan| plan.backup_plan_arn.to_string()),
            lifecycle: job.lifecycle.clone(),
            parent_job_id: job.parent.clone(),
            is_parent: job.is_parent(),
            completed: Some(job.completed),
            size_bytes: Some(job.size_in_bytes),
        }
    }
}

impl Backup for Sandbox {
    async fn describe_copy_job(
        &self,
        location: &Location,
        copy_job_id: &str,
    ) -> CallResult<Option<CopyJob>> {
        self.calling("backup:DescribeCopyJob", &copy_job_id)
            .in_region(&location.region)
            .in_account(Some(location.account), |world| {
                world
                    .copy_job(copy_job_id)
                    .filter(|job| job.account == location.account && job.region == location.region)
                    .map(Into::into)
            })
            .await
    }

    async fn list_failed_copy_jobs(
        &self,
        location: &Location,
        since: Timestamp,
    ) -> CallResult<Vec<String>> {
        self.calling("backup:ListCopyJobs", &location.account)
            .in_region(&location.region)
            .in_account(Some(location.account), |world| {
                let mut failed: Vec<_> = world
                    .copy_jobs()
                    .iter()
                    .filter(|job| job.account == location.account && job.region == location.region)
                    .filter(|job| job.failure().is_some() && job.completed >= since)
                    .map(|job| (job.completed, job.id.clone()))
                    .collect();
                // As AWS Backup lists them: the newest first.
                failed.sort_by(|one, other| other.cmp(one));
                failed.into_iter().map(|(_, id)| id).collect()
            })
            .await
    }

    async fn describe_recovery_point(
        &self,
        location: &Location,
        vault_name: &str,
        recovery_point: &Arn,
    ) -> CallResult<Option<RecoveryPoint>> {
        self.calling("backup:DescribeRecoveryPoint", recovery_point)
            .in_vault(self.vault_of(location, vault_name))
            .in_account(Some(location.account), |world| {
                let vault = vault_arn(world, location, vault_name)?;
                let point = world.recovery_point(&vault, recovery_point)?;
                Some(RecoveryPoint {
                    encryption_key: point.encryption_key_arn.clone(),
                    is_encrypted: Some(point.is_encrypted()),
                    status: Some(point.status.clone()),
                })
            })
            .await
    }

    async fn describe_backup_vault(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<BackupVault>> {
        let calling = self.calling("backup:DescribeBackupVault", vault);
        let described = calling
            .in_account(vault.account_id(), |world| {
                world.vault(vault).map(|found| found.facts(world))
            })
            .await?;
        described.map(Some).ok_or_else(|| calling.no_such_vault())
    }

    async fn get_backup_vault_access_policy(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<String>> {
        let calling = self.calling("backup:GetBackupVaultAccessPolicy", vault);
        let policy = calling
            .in_account(vault.account_id(), |world| {
                let policy = world.vault(vault)?.policy.as_ref();
                Some(policy.map(|policy| policy.as_str().to_owned()))
            })
            .await?;
        policy.ok_or_else(|| calling.no_such_vault())
    }

    async fn list_vault_tags(&self, vault: &BackupVaultArn) -> CallResult<Tags> {
        let calling = self.calling("backup:ListTags", vault);
        calling
            .in_account(vault.account_id(), |world| {
                world.vault(vault).map(|found| found.tags.clone())
            })
            .await?
            .ok_or_else(|| {
                calling.error(
                    CallErrorKind::Failed,
                    "ResourceNotFoundException: no such vault",
                )
            })
    }

    /// Only recovery points whose ARN is AWS Backup's own (documented: API reference, `ListTags`;
    /// the words are unverified).
    async fn list_recovery_point_tags(
        &self,
        location: &Location,
        recovery_point: &Arn,
    ) -> CallResult<Tags> {
        let calling = self.calling("backup:ListTags", recovery_point);
        if recovery_point.service() != "backup" {
            return calling
                .refused(
                    CallErrorKind::Rejected,
                    "InvalidParameterValueException: the resource is not one that AWS Backup tags",
                )
                .await;
        }
        calling
            .in_account(Some(location.account), |world| {
                let region = world
                    .account(location.account)?
                    .regions
                    .get(&location.region)?;
                let mut vaults = region.vaults.values();
                vaults
                    .find_map(|vault| vault.recovery_point(recovery_point.as_str()))
                    .map(|point| point.tags.clone())
            })
            .await?
            .ok_or_else(|| {
                calling.error(
                    CallErrorKind::Failed,
                    "ResourceNotFoundException: no such recovery point",
                )
            })
    }

    async fn describe_backup_job(
        &self,
        location: &Location,
        backup_job_id: &str,
    ) -> CallResult<Option<ServiceJob>> {
        self.calling("backup:DescribeBackupJob", &backup_job_id)
            .in_region(&location.region)
            .in_account(Some(location.account), |world| {
                world
                    .backup_job(location.account, &location.region, backup_job_id)
                    .map(Into::into)
            })
            .await
    }

    async fn describe_restore_job(
        &self,
        location: &Location,
        restore_job_id: &str,
    ) -> CallResult<Option<ServiceJob>> {
        self.calling("backup:DescribeRestoreJob", &restore_job_id)
            .in_region(&location.region)
            .in_account(Some(location.account), |world| {
                world
                    .restore_job(location.account, &location.region, restore_job_id)
                    .map(Into::into)
            })
            .await
    }

    /// Only the management account may read it (documented: API reference,
    /// `DescribeGlobalSettings`).
    async fn is_cross_account_backup_enabled(&self, location: &Location) -> CallResult<bool> {
        let calling = self
            .calling("backup:DescribeGlobalSettings", &location.account)
            .in_region(&location.region);
        calling
            .in_account(Some(location.account), |world| {
                let organization = world.organization_of(location.account)?;
                (organization.management_account == location.account)
                    .then_some(organization.cross_account_backup_enabled)
            })
            .await?
            .ok_or_else(|| {
                let detail = "AccessDeniedException: only the management account can read the global settings";
                calling.error(CallErrorKind::AccessDenied, detail)
            })
    }
}

impl BackupWrites for Sandbox {
    async fn put_backup_vault_access_policy(&self, change: &ApprovedVaultPolicy) -> CallResult<()> {
        let vault = change.resource();
        let calling = self.calling("backup:PutBackupVaultAccessPolicy", vault);
        let result = calling.in_account(vault.account_id(), |world| {
            world.put_vault_policy(vault, change.policy())
        });
        let result = result.await?;
        calling.written(result, change.policy())
    }

    async fn start_copy_job(&self, copy: &ApprovedCopy) -> CallResult<String> {
        self.start_copy(copy.copy()).await
    }
}

impl Sandbox {
    /// The copy runs at once. Continuous backups can't be copied on demand, and `DeleteAfterEvent`
    /// is "not valid as an input" (documented: API reference, `StartCopyJob` and `Lifecycle`). The
    /// source vault's policy may deny the call (documented: "Vault access policies"), and the
    /// caller must be allowed to pass the job role.
    ///
    /// # Errors
    ///
    /// What AWS Backup refuses.
    pub async fn start_copy(&self, copy: &StartCopy) -> CallResult<String> {
        let calling = self
            .calling("backup:StartCopyJob", &copy.recovery_point)
            .in_region(&copy.location.region)
            .in_vault(self.vault_of(&copy.location, &copy.source_vault_name));
        let created = self.clock.now();
        let started = calling
            .in_account(Some(copy.location.account), |world| {
                let passing = own_calls::passing_role(&copy.role, created);
                if let Some(words) = passing.and_then(|asked| own_calls::refusal(world, &asked)) {
                    return Err((CallErrorKind::AccessDenied, words));
                }
                self.start_once(world, copy, created)
                    .map_err(|words| (CallErrorKind::Rejected, words.to_owned()))
            })
            .await?;
        let (id, is_new) = started.map_err(|(kind, detail)| calling.error(kind, detail))?;
        if is_new {
            self.calls.record(Write {
                operation: calling.operation,
                resource: copy.destination_vault.to_string(),
                before: None,
                after: id.clone(),
            });
        }
        Ok(id)
    }

    fn vault_of(&self, location: &Location, name: &str) -> Option<BackupVaultArn> {
        self.with_world(|world| vault_arn(world, location, name))
    }

    /// Starts a copy, unless its token has started one. Answers the job's id and whether it is new.
    fn start_once(
        &self,
        world: &mut World,
        copy: &StartCopy,
        created: Timestamp,
    ) -> Result<(String, bool), &'static str> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let Location { account, region } = &copy.location;
        let token = format!("{account}/{region}/{}", copy.idempotency_token);
        if let Some(job) = tokens.get(&token) {
            return Ok((job.clone(), false));
        }
        let source_vault = vault_arn(world, &copy.location, &copy.source_vault_name)
            .filter(|vault| world.vault(vault).is_some())
            .ok_or("ResourceNotFoundException: no such backup vault")?;
        let event = copy.lifecycle.as_ref();
        if event.is_some_and(|lifecycle| lifecycle.delete_after_event.is_some()) {
            return Err(
                "InvalidParameterValueException: DeleteAfterEvent is not valid as an input",
            );
        }
        if copy.recovery_point.resource().contains(":continuous:") {
            return Err("InvalidRequestException: a continuous backup cannot be copied on demand");
        }
        let job = world.start_copy(NewCopy {
            id: None,
            name: None,
            recovery_point: copy.recovery_point.clone(),
            source_vault,
            destination_vault: copy.destination_vault.clone(),
            role: copy.role.clone(),
            lifecycle: copy.lifecycle.clone(),
            created_by: None,
            created,
            resource: None,
            resource_type: None,
        });
        let id = job
            .ok_or("InvalidParameterValueException: no such account")?
            .id
            .clone();
        tokens.insert(token, id.clone());
        Ok((id, true))
    }
}
