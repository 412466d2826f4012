//! The Advisory: what the access advisor answers, and what people read once it is rendered.

use copymend_diagnosis::{Advice, PermissionAnswer};
use serde::Serialize;
use serde_json::Value;

use crate::report::{DecisionKind, DiagnosisReport, GuardResult, Outcome, PolicyChange};

/// What the advisor found out about one event. It has the fields of a [`Report`](crate::report::Report) that other
/// programs rely on; those that stand for writes are always empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advisory {
    /// The event's id.
    pub event: String,
    /// What was refused or failed.
    pub subject: Subject,
    /// Whether AWS confirms it. A refused call can't be looked up by its id, so it never is.
    pub verified: bool,
    /// The service's words, untouched.
    pub message: String,
    /// The causes, best first.
    pub diagnosis: DiagnosisReport,
    /// The permissions that the call or job needs, one by one.
    pub permissions: Vec<PermissionAnswer>,
    /// `advise` or `nothing`.
    pub decision: DecisionKind,
    /// Always empty: nothing is written, so nothing is guarded.
    pub guards: Vec<GuardResult>,
    /// Always empty.
    pub changes: Vec<PolicyChange>,
    /// `advised`, `nothing` or `already-handled`.
    pub outcome: Outcome,
    /// Always absent.
    pub retried_job: Option<String>,
    /// What people should do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// The least-privilege policy to attach to the caller or job role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    /// What else people should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How often this was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<u64>,
}

/// What was refused or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Subject {
    /// A call of AWS Backup's API.
    ApiCall(CallSummary),
    /// A backup job.
    BackupJob(JobSummary),
    /// A restore job.
    RestoreJob(JobSummary),
}

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

/// A failed job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobSummary {
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
