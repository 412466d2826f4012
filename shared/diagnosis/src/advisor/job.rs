//! Failed backup and restore jobs: the event, and the proof that it told the truth.

use copymend_policy::{AccountId, Arn};
use serde::Serialize;
use serde_json::Value;

use crate::event::{Detail, EventError, envelope, job_id, region};
use crate::resource::{BackupVaultArn, KeyArn, RoleArn};

/// The detail-type of a backup job's events.
pub const BACKUP_JOB_DETAIL_TYPE: &str = "Backup Job State Change";
/// The detail-type of a restore job's events.
pub const RESTORE_JOB_DETAIL_TYPE: &str = "Restore Job State Change";

/// The states of a job that did not do what it should (AWS Backup API reference,
/// `DescribeBackupJob` and `DescribeRestoreJob`, documented).
const UNSUCCESSFUL: [&str; 3] = ["FAILED", "ABORTED", "EXPIRED"];

/// Which kind of job it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// A backup or restore job, as AWS Backup describes it or, unconfirmed, as an event tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceJob {
    /// Which kind of job.
    pub kind: JobKind,
    /// The job's id.
    pub id: String,
    /// The account that owns the job, if it is a real one.
    pub account: Option<AccountId>,
    /// The Region that the job ran in.
    pub region: String,
    /// `State`, such as `FAILED`. Restore jobs call it `Status`.
    pub state: String,
    /// `StatusMessage`, word for word; empty where there is none.
    pub status_message: String,
    /// The job role.
    pub role: Option<RoleArn>,
    /// The resource of a backup, or the recovery point of a restore.
    pub resource: Option<Arn>,
    /// The kind of resource, such as `S3`.
    pub resource_type: Option<String>,
    /// The vault. No event tells it.
    pub vault: Option<BackupVaultArn>,
    /// The key that the backup is encrypted with, where AWS Backup tells it.
    pub encryption_key: Option<KeyArn>,
}

impl ServiceJob {
    /// Whether the job failed, expired or was aborted.
    #[must_use]
    pub fn is_unsuccessful(&self) -> bool {
        UNSUCCESSFUL.contains(&self.state.as_str())
    }
}

/// What an event says of a backup or restore job. It is a hint, as every event is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEvent {
    /// The event's id; the job's where it has none.
    pub id: String,
    /// The account that sent the event, as written.
    pub account: String,
    /// The job, as the event alone tells it.
    pub job: ServiceJob,
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
        let account = envelope.account.unwrap_or_default();
        Ok(Self {
            id: envelope.id.unwrap_or_else(|| job_id.clone()),
            job: ServiceJob {
                kind,
                id: job_id,
                account: account.parse().ok(),
                // It goes into commands and links, also for a job that nobody confirms.
                region: region("region", envelope.region.as_deref().unwrap_or_default())?,
                state: state.to_ascii_uppercase(),
                status_message: detail.text("statusMessage").unwrap_or_default().to_owned(),
                role: detail.optional_arn("iamRoleArn")?,
                resource: detail.optional_arn(resource_field)?,
                resource_type: detail.text("resourceType").map(ToOwned::to_owned),
                vault: None,
                encryption_key: None,
            },
            account,
        })
    }

    /// The job as AWS Backup describes it; `None` if it differs from the event or was not
    /// unsuccessful.
    #[must_use]
    pub fn confirmed_by(&self, described: ServiceJob) -> Option<ServiceJob> {
        let same = described.id == self.job.id
            && described
                .account
                .is_some_and(|account| account.as_str() == self.account)
            && (self.job.role.is_none() || self.job.role == described.role);
        (same && described.is_unsuccessful()).then_some(described)
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
        assert!(event.job.is_unsuccessful());
        let job = ServiceJob {
            status_message: "m".to_owned(),
            ..event.job.clone()
        };
        assert!(event.confirmed_by(job.clone()).is_some());
        for other in [
            ServiceJob {
                state: "COMPLETED".to_owned(),
                ..job.clone()
            },
            ServiceJob {
                account: "444455556666".parse().ok(),
                ..job.clone()
            },
            ServiceJob { role: None, ..job },
        ] {
            assert_eq!(event.confirmed_by(other), None);
        }
    }
}
