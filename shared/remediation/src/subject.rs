//! What a Report is about.

use crate::approval::ApprovalRequest;
use copymend_diagnosis::CopyJobEvent;
use copymend_diagnosis::advisor::{ApiCallEvent, JobKind, ServiceJob};
use serde::Serialize;

/// What was refused or failed. In JSON a copy is the Report's member `copy`; everything else is its
/// `subject`, which says its `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Subject {
    /// A copy.
    #[serde(rename = "copy")]
    Copy(CopySummary),
    /// A call of AWS Backup's API.
    #[serde(rename = "subject")]
    ApiCall(CallSummary),
    /// A backup job or a restore job.
    #[serde(rename = "subject")]
    Job(JobSummary),
}

/// The copy that failed, as the job or, unverified, as the event names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CopySummary {
    /// The copy job.
    pub copy_job_id: String,
    /// The account that the job ran in.
    pub account: String,
    /// The Region that the job ran in.
    pub region: String,
    /// The resource that was backed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The recovery point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<String>,
    /// The vault that the copy comes from.
    pub source_vault: String,
    /// The vault that the copy goes to.
    pub destination_vault: String,
    /// The job role.
    pub role: String,
}

impl CopySummary {
    /// What is known of a copy by the question to people alone.
    pub(crate) fn of_request(request: &ApprovalRequest) -> Self {
        Self {
            copy_job_id: request.copy_job_id.clone(),
            account: request.account.to_string(),
            region: request.region.clone(),
            resource: None,
            resource_type: None,
            recovery_point: None,
            source_vault: String::new(),
            destination_vault: request.resource.clone().unwrap_or_default(),
            role: String::new(),
        }
    }
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename = "api-call")]
pub struct CallSummary {
    /// The API operation, such as `CreateBackupVault`.
    pub operation: String,
    /// The account that was called.
    pub account: String,
    /// The Region that was called.
    pub region: String,
    /// The caller's ARN as CloudTrail writes it.
    pub caller: String,
    /// CloudTrail's error code.
    pub error_code: String,
    /// What the call was about, such as the vault's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

/// A backup job or restore job that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JobSummary {
    /// Which of the two: `backup-job` or `restore-job`.
    pub kind: JobKind,
    /// The job's id.
    pub job_id: String,
    /// The job's account.
    pub account: String,
    /// The job's Region.
    pub region: String,
    /// Its state, such as `FAILED`.
    pub state: String,
    /// The job role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The resource or, for a restore, the recovery point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The kind of resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The vault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
}

impl From<&CopyJobEvent> for CopySummary {
    fn from(event: &CopyJobEvent) -> Self {
        Self {
            copy_job_id: event.copy_job_id.clone(),
            account: event.account.clone(),
            region: event.region.clone(),
            resource: event.resource.as_ref().map(ToString::to_string),
            resource_type: event.resource_type.clone(),
            recovery_point: event
                .source_recovery_point
                .as_ref()
                .map(ToString::to_string),
            source_vault: event.source_vault.to_string(),
            destination_vault: event.destination_vault.to_string(),
            role: event.role.to_string(),
        }
    }
}

impl From<&ApiCallEvent> for CallSummary {
    fn from(call: &ApiCallEvent) -> Self {
        Self {
            operation: call.operation.clone(),
            account: call.account.to_string(),
            region: call.region.clone(),
            caller: call.caller.arn.clone(),
            error_code: call.error_code.clone().unwrap_or_default(),
            resource: call.vault().map(|vault| vault.to_string()),
        }
    }
}

impl JobSummary {
    /// A job, in the account that its event names.
    #[must_use]
    pub fn of(job: &ServiceJob, account: &str) -> Self {
        Self {
            kind: job.kind,
            job_id: job.id.clone(),
            account: account.to_owned(),
            region: job.region.clone(),
            state: job.state.clone(),
            role: job.role.as_ref().map(ToString::to_string),
            resource: job.resource.as_ref().map(ToString::to_string),
            resource_type: job.resource_type.clone(),
            vault: job.vault.as_ref().map(ToString::to_string),
        }
    }
}
