//! The backup of a run's volume, and its copy (AWS Backup API reference, the operations named here,
//! documented).

use aws_sdk_backup::types::{BackupJobState, Lifecycle};
use copymend_diagnosis::{BackupVaultArn, CopyJob, CopyJobState, RoleArn};
use copymend_policy::Arn;
use copymend_remediation::ports::CallResult;

use super::{ProvingAccount, RunId, TAG};
use crate::backup::answers::DescribeCopyJob;
use crate::backup::copy_job;
use crate::backup::request::{Path, get};
use crate::member::{optional, required, text};
use crate::signed::json::read;

const ABSENT: &[&str] = &["ResourceNotFoundException"];

/// Both the backup and its copy expire by themselves after so many days, should nobody remove them.
const KEPT_DAYS: i64 = 1;

/// How a backup job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupProgress {
    /// AWS's word for it, such as `COMPLETED`.
    pub state: String,
    /// Its message, where it has one.
    pub message: Option<String>,
    /// The recovery point.
    pub recovery_point: Option<Arn>,
}

/// A copy to start.
#[derive(Clone, Copy, Debug)]
pub struct CopyOf<'c> {
    /// The recovery point.
    pub recovery_point: &'c Arn,
    /// Where to.
    pub destination: &'c BackupVaultArn,
    /// The job role.
    pub role: &'c RoleArn,
}

fn lifecycle() -> Lifecycle {
    Lifecycle::builder().delete_after_days(KEPT_DAYS).build()
}

impl ProvingAccount {
    /// `StartBackupJob` of a volume into the run's vault; answers the job's id. The run's id is the
    /// token: a repetition starts nothing.
    pub async fn start_backup(
        &self,
        run: &RunId,
        volume: &Arn,
        role: &RoleArn,
    ) -> CallResult<String> {
        let call = self.call("backup:StartBackupJob", volume.as_str());
        let request = self
            .backup
            .start_backup_job()
            .backup_vault_name(run.name())
            .resource_arn(volume.as_str())
            .iam_role_arn(role.as_str())
            .idempotency_token(run.name())
            .recovery_point_tags(TAG, run.as_str())
            .lifecycle(lifecycle());
        let answer = call.send(request.send()).await?;
        text(answer.backup_job_id()).ok_or_else(|| call.unreadable("`BackupJobId` is missing"))
    }

    /// `DescribeBackupJob`; `None` where there is no such job, or not yet.
    pub async fn backup_progress(&self, job: &str) -> CallResult<Option<BackupProgress>> {
        let call = self.call("backup:DescribeBackupJob", job);
        let request = self.backup.describe_backup_job().backup_job_id(job);
        let Some(answer) = call.find(ABSENT, request.send()).await? else {
            return Ok(None);
        };
        let progress = BackupProgress {
            state: required("State", answer.state().map(BackupJobState::as_str))
                .map_err(|detail| call.unreadable(detail))?,
            message: text(answer.status_message()),
            recovery_point: optional("RecoveryPointArn", answer.recovery_point_arn())
                .map_err(|detail| call.unreadable(detail))?,
        };
        Ok(Some(progress))
    }

    /// `StartCopyJob` from the run's vault; answers the job's id. The run's id is the token.
    pub async fn start_copy(&self, run: &RunId, copy: CopyOf<'_>) -> CallResult<String> {
        let call = self.call("backup:StartCopyJob", copy.recovery_point.as_str());
        let request = self
            .backup
            .start_copy_job()
            .recovery_point_arn(copy.recovery_point.as_str())
            .source_backup_vault_name(run.name())
            .destination_backup_vault_arn(copy.destination.as_str())
            .iam_role_arn(copy.role.as_str())
            .idempotency_token(run.name())
            .lifecycle(lifecycle());
        let answer = call.send(request.send()).await?;
        text(answer.copy_job_id()).ok_or_else(|| call.unreadable("`CopyJobId` is missing"))
    }

    /// `DescribeCopyJob`; `None` where there is no such job, or not yet.
    pub async fn copy(&self, job: &str) -> CallResult<Option<CopyJob>> {
        let call = self.call("backup:DescribeCopyJob", job);
        let path = Path::of(&["copy-jobs", job]);
        let request = get(&self.config, "DescribeCopyJob", path);
        let Some(answer) = call.find(ABSENT, request).await? else {
            return Ok(None);
        };
        let answer: DescribeCopyJob = read(&call, &answer)?;
        let job = answer
            .copy_job
            .ok_or_else(|| call.unreadable("`CopyJob` is missing"))?;
        copy_job::read(&job)
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    /// `ListBackupJobs` into the run's vault: their ids and AWS's words for their states.
    pub async fn backups_of(&self, run: &RunId) -> CallResult<Vec<(String, String)>> {
        let call = self.call("backup:ListBackupJobs", run.name());
        let request = self
            .backup
            .list_backup_jobs()
            .by_backup_vault_name(run.name());
        let answer = call.send(request.send()).await?;
        let jobs = answer.backup_jobs().iter();
        jobs.map(|job| {
            let id = text(job.backup_job_id())
                .ok_or_else(|| call.unreadable("`BackupJobId` is missing"))?;
            let state = required("State", job.state().map(BackupJobState::as_str))
                .map_err(|detail| call.unreadable(detail))?;
            Ok((id, state))
        })
        .collect()
    }

    /// `ListCopyJobs` into a vault: the ids and states of all copies from here, newest first.
    pub async fn copies_into(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Vec<(String, CopyJobState)>> {
        let call = self.call("backup:ListCopyJobs", vault.as_str());
        let request = self
            .backup
            .list_copy_jobs()
            .by_destination_vault_arn(vault.as_str());
        let answer = call.send(request.send()).await?;
        let jobs = answer.copy_jobs().iter();
        jobs.map(|job| {
            let id =
                text(job.copy_job_id()).ok_or_else(|| call.unreadable("`CopyJobId` is missing"))?;
            let state = job
                .state()
                .and_then(|state| state.as_str().parse().ok())
                .ok_or_else(|| call.unreadable("`State` is missing or unknown"))?;
            Ok((id, state))
        })
        .collect()
    }
}
