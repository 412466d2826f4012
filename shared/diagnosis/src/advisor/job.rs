//! Failed backup and restore jobs: the event, and the proof that it told the truth.

use copymend_policy::{AccountId, Arn};
use serde::Serialize;
use serde_json::Value;

use crate::event::{Detail, EventError, envelope, job_id, region};
use crate::resource::{BackupVaultArn, KeyArn, RoleArn};
use crate::service_job::{BackupJob, RestoreJob};

/// The detail-type of a backup job's events.
pub const BACKUP_JOB_DETAIL_TYPE: &str = "Backup Job State Change";
/// The detail-type of a restore job's events.
pub const RESTORE_JOB_DETAIL_TYPE: &str = "Restore Job State Change";

/// The states in which a job has come to nothing (AWS Backup API reference, `DescribeBackupJob` and `DescribeRestoreJob`,
/// documented).
const UNSUCCESSFUL: [&str; 3] = ["FAILED", "ABORTED", "EXPIRED"];

/// Which kind of job it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum JobKind {
    /// A backup.
    #[serde(rename = "backup-job")]
    Backup,
    /// A restore.
    #[serde(rename = "restore-job")]
    Restore,
}

impl JobKind {
    /// `backup` or `restore`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Restore => "restore",
        }
    }

    /// The detail-type of its events.
    #[must_use]
    pub const fn detail_type(self) -> &'static str {
        match self {
            Self::Backup => BACKUP_JOB_DETAIL_TYPE,
            Self::Restore => RESTORE_JOB_DETAIL_TYPE,
        }
    }
}

/// What an event says of a backup or restore job. It is a hint, as every event is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEvent {
    /// The event's id; the job's where it has none.
    pub id: String,
    /// Which kind of job.
    pub kind: JobKind,
    /// The account that sent the event, as written.
    pub account: String,
    /// The Region that sent the event.
    pub region: String,
    /// The job's id.
    pub job_id: String,
    /// The state that the event reports. Backup jobs call it `state`, restore jobs `status`.
    pub state: String,
    /// The status message; empty where there is none.
    pub status_message: String,
    /// The job role.
    pub role: Option<RoleArn>,
    /// The resource of a backup, or the recovery point of a restore.
    pub resource: Option<Arn>,
    /// The kind of resource.
    pub resource_type: Option<String>,
}

impl JobEvent {
    /// Reads an event.
    pub fn from_json(event: &Value, kind: JobKind) -> Result<Self, EventError> {
        let envelope = envelope(event, kind.detail_type())?;
        let detail = Detail(&envelope.detail);
        let (id_field, resource_field) = match kind {
            JobKind::Backup => ("backupJobId", "resourceArn"),
            JobKind::Restore => ("restoreJobId", "recoveryPointArn"),
        };
        let job_id = job_id(id_field, detail.required(id_field)?)?;
        let state = detail
            .text("state")
            .or_else(|| detail.text("status"))
            .ok_or(EventError::MissingField { field: "state" })?;
        // It goes into commands and links, also for a job that nobody confirms.
        let region = region("region", envelope.region.as_deref().unwrap_or_default())?;
        Ok(Self {
            id: envelope.id.unwrap_or_else(|| job_id.clone()),
            kind,
            account: envelope.account.unwrap_or_default(),
            region,
            state: state.to_ascii_uppercase(),
            status_message: detail.text("statusMessage").unwrap_or_default().to_owned(),
            role: detail
                .text("iamRoleArn")
                .map(str::parse)
                .transpose()
                .map_err(|source| EventError::MalformedArn {
                    field: "iamRoleArn",
                    source,
                })?,
            resource: detail.optional_arn(resource_field)?,
            resource_type: detail.text("resourceType").map(ToOwned::to_owned),
            job_id,
        })
    }

    /// Whether the event reports that the job came to nothing.
    #[must_use]
    pub fn is_unsuccessful(&self) -> bool {
        UNSUCCESSFUL.contains(&self.state.as_str())
    }

    /// The job as the event alone tells it, for one that AWS Backup doesn't confirm.
    #[must_use]
    pub fn unconfirmed(&self) -> UnsuccessfulJob {
        UnsuccessfulJob {
            kind: self.kind,
            id: self.job_id.clone(),
            account: self.account.parse().ok(),
            region: self.region.clone(),
            state: self.state.clone(),
            message: self.status_message.clone(),
            role: self.role.clone(),
            resource: self.resource.clone(),
            resource_type: self.resource_type.clone(),
            vault: None,
            key: None,
        }
    }
}

/// A backup or restore job that came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsuccessfulJob {
    /// Which kind of job.
    pub kind: JobKind,
    /// The job's id.
    pub id: String,
    /// The job's account, if it is a real one.
    pub account: Option<AccountId>,
    /// The job's Region.
    pub region: String,
    /// Its state.
    pub state: String,
    /// Its message, word for word.
    pub message: String,
    /// The job role.
    pub role: Option<RoleArn>,
    /// The resource of a backup, or the recovery point of a restore.
    pub resource: Option<Arn>,
    /// The kind of resource.
    pub resource_type: Option<String>,
    /// The vault.
    pub vault: Option<BackupVaultArn>,
    /// The key of the backup, where AWS Backup tells it.
    pub key: Option<KeyArn>,
}

impl UnsuccessfulJob {
    /// The job as AWS Backup describes it; `None` if it differs from the event or didn't come to nothing.
    #[must_use]
    pub fn of_backup(event: &JobEvent, job: BackupJob) -> Option<Self> {
        let same = job.id == event.job_id
            && job.account.as_str() == event.account
            && (event.role.is_none() || event.role == job.role);
        (same && UNSUCCESSFUL.contains(&job.state.as_str())).then(|| Self {
            kind: JobKind::Backup,
            id: job.id,
            account: Some(job.account),
            region: event.region.clone(),
            state: job.state,
            message: job.status_message,
            role: job.role,
            resource: job.resource,
            resource_type: job.resource_type,
            vault: job.vault,
            key: job.encryption_key,
        })
    }

    /// As [`Self::of_backup`], for a restore job.
    #[must_use]
    pub fn of_restore(event: &JobEvent, job: RestoreJob) -> Option<Self> {
        let same = job.id == event.job_id
            && job.account.as_str() == event.account
            && (event.role.is_none() || event.role == job.role);
        (same && UNSUCCESSFUL.contains(&job.status.as_str())).then(|| Self {
            kind: JobKind::Restore,
            id: job.id,
            account: Some(job.account),
            region: event.region.clone(),
            state: job.status,
            message: job.status_message,
            role: job.role,
            resource: job.recovery_point,
            resource_type: job.resource_type,
            vault: job.vault,
            key: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_region_that_would_forge_a_command_or_a_link_is_refused() {
        for region in ["evil.example/?", "us-east-1\nrm -rf /", "us east", ""] {
            let event = json!({
                "id": "e", "source": "aws.backup", "detail-type": BACKUP_JOB_DETAIL_TYPE, "account": "111122223333",
                "region": region, "time": "2026-11-01T00:00:00Z", "resources": [],
                "detail": {"backupJobId": "4DD9", "state": "FAILED"}
            });
            let error = JobEvent::from_json(&event, JobKind::Backup).unwrap_err();
            assert_eq!(error.error_type(), "MalformedField", "{region}");
        }
    }

    #[test]
    fn a_restore_jobs_state_is_called_status() {
        let event = json!({
            "id": "e", "source": "aws.backup", "detail-type": RESTORE_JOB_DETAIL_TYPE, "account": "111122223333",
            "region": "us-east-1", "time": "2026-11-01T00:00:00Z", "resources": [],
            "detail": {"restoreJobId": "4DD9", "status": "FAILED", "statusMessage": "Access Denied", "resourceType": "S3",
                       "iamRoleArn": "arn:aws:iam::111122223333:role/Restore", "createdResourceArn": {}}
        });
        let event = JobEvent::from_json(&event, JobKind::Restore).unwrap();
        assert!(event.is_unsuccessful());
        let job = RestoreJob {
            id: "4DD9".to_owned(),
            account: "111122223333".parse().unwrap(),
            status: "FAILED".to_owned(),
            status_message: "m".to_owned(),
            role: event.role.clone(),
            recovery_point: None,
            vault: None,
            resource_type: Some("S3".to_owned()),
        };
        assert!(UnsuccessfulJob::of_restore(&event, job.clone()).is_some());
        for other in [
            RestoreJob {
                status: "COMPLETED".to_owned(),
                ..job.clone()
            },
            RestoreJob {
                account: "444455556666".parse().unwrap(),
                ..job.clone()
            },
            RestoreJob { role: None, ..job },
        ] {
            assert_eq!(UnsuccessfulJob::of_restore(&event, other), None);
        }
    }
}
