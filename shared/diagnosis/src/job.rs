//! A copy job as AWS Backup describes it, and the proof that an event told the truth about it.

use std::fmt;
use std::str::FromStr;

use copymend_policy::{AccountId, Arn};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::CopyJobEvent;
use crate::resource::{BackupVaultArn, RoleArn};

/// The states of a copy job (AWS Backup API reference, `CopyJob`, documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CopyJobState {
    /// Waiting to run.
    Created,
    /// Running.
    Running,
    /// Done.
    Completed,
    /// Failed.
    Failed,
    /// A parent job of which some children failed.
    Partial,
}

impl CopyJobState {
    /// The state as AWS Backup writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Partial => "PARTIAL",
        }
    }
}

impl fmt::Display for CopyJobState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for CopyJobState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [
            Self::Created,
            Self::Running,
            Self::Completed,
            Self::Failed,
            Self::Partial,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or(())
    }
}

/// How long the copy is kept. Days; `-1` for `delete_after_days` means for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", default)]
pub struct Lifecycle {
    /// Days until the copy moves to cold storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_to_cold_storage_after_days: Option<i64>,
    /// Days until the copy is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_after_days: Option<i64>,
    /// Whether supported resources move to an archive tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opt_in_to_archive_for_supported_resources: Option<bool>,
    /// The event after which the copy is deleted, such as `DELETE_AFTER_COPY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete_after_event: Option<String>,
}

impl Lifecycle {
    /// As an option of `aws backup start-copy-job`, after a space; nothing where it says nothing
    /// that `StartCopyJob` takes, which has no `DeleteAfterEvent` (AWS Backup API reference,
    /// `StartCopyJob`, documented).
    #[must_use]
    pub fn as_option(&self) -> String {
        let days = |name: &str, days: Option<i64>| days.map(|days| format!("{name}={days}"));
        let parts: Vec<String> = [
            days(
                "MoveToColdStorageAfterDays",
                self.move_to_cold_storage_after_days,
            ),
            days("DeleteAfterDays", self.delete_after_days),
            self.opt_in_to_archive_for_supported_resources
                .map(|opted| format!("OptInToArchiveForSupportedResources={opted}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() {
            return String::new();
        }
        format!(" --lifecycle {}", parts.join(","))
    }
}

/// A copy job as `DescribeCopyJob` answers it, reduced to what a diagnosis, a repair and a retry
/// need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyJob {
    /// The job's id.
    pub id: String,
    /// The account that owns the job: the source account.
    pub account: AccountId,
    /// The Region that the job runs in: the source Region.
    pub region: String,
    /// Its state.
    pub state: CopyJobState,
    /// Its message; empty where there is none.
    pub status_message: String,
    /// AWS's category of the message. A free string in the API model.
    pub message_category: Option<String>,
    /// The vault that the copy comes from.
    pub source_vault: BackupVaultArn,
    /// The recovery point that is copied.
    pub source_recovery_point: Arn,
    /// The vault that the copy goes to.
    pub destination_vault: BackupVaultArn,
    /// The job role.
    pub role: RoleArn,
    /// The resource that was backed up.
    pub resource: Option<Arn>,
    /// The kind of resource, such as `EBS`.
    pub resource_type: Option<String>,
    /// The backup plan that started the job. Absent for a copy that was started on demand.
    pub backup_plan: Option<String>,
    /// The lifecycle that the copy should have.
    pub lifecycle: Option<Lifecycle>,
    /// The parent of a composite job's child.
    pub parent_job_id: Option<String>,
    /// Whether this is the parent of a composite job.
    pub is_parent: bool,
    /// When the job ended (`CompletionDate`).
    pub completed: Option<Timestamp>,
    /// Its size (`BackupSizeInBytes`).
    pub size_bytes: Option<u64>,
}

/// A copy: what is copied, from where, to where, by whom. It need not have been tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupCopy {
    /// The account that the copy runs in: the source account.
    pub account: AccountId,
    /// The Region that the copy runs in: the source Region.
    pub region: String,
    /// The vault that the copy comes from.
    pub source_vault: BackupVaultArn,
    /// The recovery point that is copied.
    pub source_recovery_point: Arn,
    /// The vault that the copy goes to.
    pub destination_vault: BackupVaultArn,
    /// The account that owns the destination vault.
    pub destination_account: AccountId,
    /// The job role.
    pub role: RoleArn,
    /// The resource that was backed up.
    pub resource: Option<Arn>,
    /// The kind of resource, such as `EBS`.
    pub resource_type: Option<String>,
    /// The lifecycle that the copy should have.
    pub lifecycle: Option<Lifecycle>,
    /// When a job that made it ended; `None` where it was never tried.
    pub tried_at: Option<Timestamp>,
}

impl BackupCopy {
    /// Whether source and destination are different accounts.
    #[must_use]
    pub fn is_cross_account(&self) -> bool {
        self.account != self.destination_account
    }

    /// Whether source and destination are different Regions.
    #[must_use]
    pub fn is_cross_region(&self) -> bool {
        self.region != self.destination_vault.region()
    }
}

impl TryFrom<&CopyJob> for BackupCopy {
    type Error = NotVerified;

    /// The copy that a job makes. The job runs where its source is: an answer that breaks this is
    /// not one to act on.
    fn try_from(job: &CopyJob) -> Result<Self, NotVerified> {
        for (what, owner) in [
            ("source vault", job.source_vault.account_id()),
            ("job role", job.role.account_id()),
        ] {
            if owner != Some(job.account) {
                return Err(NotVerified::ForeignSource {
                    what,
                    job_account: job.account,
                });
            }
        }
        let destination_account = job.destination_vault.account_id().ok_or_else(|| {
            NotVerified::NoDestinationAccount {
                vault: job.destination_vault.clone(),
            }
        })?;
        Ok(Self {
            account: job.account,
            region: job.region.clone(),
            source_vault: job.source_vault.clone(),
            source_recovery_point: job.source_recovery_point.clone(),
            destination_vault: job.destination_vault.clone(),
            destination_account,
            role: job.role.clone(),
            resource: job.resource.clone(),
            resource_type: job.resource_type.clone(),
            lifecycle: job.lifecycle.clone(),
            tried_at: job.completed,
        })
    }
}

/// A failed copy job that AWS Backup itself has confirmed. The only way to make one is
/// [`Failure::verify`], so that no write can follow from an event alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    job: CopyJob,
    copy: BackupCopy,
}

impl Failure {
    /// Compares the event with the job that AWS Backup describes.
    pub fn verify(event: &CopyJobEvent, job: CopyJob) -> Result<Self, NotVerified> {
        let differs = |field, event: &str, job: &str| {
            if event == job {
                Ok(())
            } else {
                Err(NotVerified::Differs {
                    field,
                    event: event.to_owned(),
                    job: job.to_owned(),
                })
            }
        };
        differs("copyJobId", &event.copy_job_id, &job.id)?;
        differs("account", &event.account, job.account.as_str())?;
        differs("region", &event.region, &job.region)?;
        differs("iamRoleArn", event.role.as_str(), job.role.as_str())?;
        differs(
            "sourceBackupVaultArn",
            event.source_vault.as_str(),
            job.source_vault.as_str(),
        )?;
        differs(
            "destinationBackupVaultArn",
            event.destination_vault.as_str(),
            job.destination_vault.as_str(),
        )?;
        if let Some(recovery_point) = &event.source_recovery_point {
            differs(
                "resources",
                recovery_point.as_str(),
                job.source_recovery_point.as_str(),
            )?;
        }
        if let (Some(event), Some(job)) = (&event.resource, &job.resource) {
            differs("resourceArn", event.as_str(), job.as_str())?;
        }
        if job.state != CopyJobState::Failed {
            return Err(NotVerified::NotFailed { state: job.state });
        }
        let copy = BackupCopy::try_from(&job)?;
        Ok(Self { job, copy })
    }

    /// The job as AWS Backup describes it.
    #[must_use]
    pub const fn job(&self) -> &CopyJob {
        &self.job
    }

    /// The copy that failed.
    #[must_use]
    pub const fn copy(&self) -> &BackupCopy {
        &self.copy
    }
}

/// Why an event isn't believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotVerified {
    /// The event and the job disagree.
    #[error("the event names `{event}` as {field}, but DescribeCopyJob answers `{job}`")]
    Differs {
        /// The field of the event.
        field: &'static str,
        /// What the event says.
        event: String,
        /// What AWS Backup says.
        job: String,
    },
    /// The job didn't fail, or no longer counts as failed.
    #[error("DescribeCopyJob answers state {state}, not FAILED")]
    NotFailed {
        /// The state that AWS Backup reports.
        state: CopyJobState,
    },
    /// The job's own source lies in another account.
    #[error("the {what} is not in the job's account {job_account}")]
    ForeignSource {
        /// What lies elsewhere.
        what: &'static str,
        /// The job's account.
        job_account: AccountId,
    },
    /// The destination vault's ARN holds no real account id.
    #[error("the destination vault `{vault}` names no real account")]
    NoDestinationAccount {
        /// The vault.
        vault: BackupVaultArn,
    },
}
