//! The function's own handler, in this process, on the run's failed copy.

use copymend_diagnosis::{BackupVaultArn, CopyJob, KeyArn, RoleArn};
use copymend_remediation::ledger::Again;
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::Report;
use copymend_remediation::settings::{AllowedSource, ArnPattern, Mode, Settings};
use copymend_remediation::undo::{UndoRequest, undo};
use copymend_remediation::{CopyRemediator, Invocation};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::end::End;
use super::environment::ProvingEnvironment;

/// How long a Lambda function of ours may take.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(120);

/// The event of a failed copy on demand, as AWS Backup documents it (developer guide, "Monitoring
/// AWS Backup events using Amazon EventBridge"). It is made here: no event reaches this machine.
pub(crate) fn event_of(job: &CopyJob, now: Timestamp) -> Value {
    let ended = job.completed.unwrap_or(now);
    json!({
        "version": "0",
        "id": job.id,
        "detail-type": "Copy Job State Change",
        "source": "aws.backup",
        "account": job.account,
        "time": ended,
        "region": job.region,
        "resources": [job.source_recovery_point],
        "detail": {
            "copyJobId": job.id,
            "backupSizeInBytes": job.size_bytes.unwrap_or_default(),
            "completionDate": ended,
            "iamRoleArn": job.role,
            "resourceArn": job.resource,
            "resourceType": job.resource_type,
            "sourceBackupVaultArn": job.source_vault,
            "destinationBackupVaultArn": job.destination_vault,
            "destinationRecoveryPointArn": {},
            "state": job.state.as_str(),
            "statusMessage": job.status_message,
        },
    })
}

/// Settings that admit the run's vault, its key and its job role, and nothing else.
pub(crate) fn settings(
    role: &RoleArn,
    vault: &BackupVaultArn,
    key: Option<&KeyArn>,
) -> Result<Settings, End> {
    let failed = |why: &dyn std::fmt::Display| End::Failed(format!("the function's lists: {why}"));
    let vaults: ArnPattern = vault.as_str().parse().map_err(|why| failed(&why))?;
    let keys: Vec<ArnPattern> = key
        .map(|key| key.as_str().parse())
        .transpose()
        .map_err(|why| failed(&why))?
        .into_iter()
        .collect();
    // A comma would end the entry.
    let source = format!("{}>{vault}", role.as_str().replace(',', "?"));
    let source: AllowedSource = source.parse().map_err(|why| failed(&why))?;
    Ok(Settings {
        mode: Mode::Repair,
        allowed_destinations: vec![vaults],
        allowed_sources: vec![source],
        allowed_keys: keys,
        // The run's copy is no plan's.
        allow_on_demand: true,
        ..Settings::default()
    })
}

/// The handler with its ledger.
pub(crate) struct Function {
    remediator: CopyRemediator<ProvingEnvironment>,
    run: String,
}

impl Function {
    pub(crate) fn new(environment: ProvingEnvironment, settings: Settings, run: &str) -> Self {
        Self {
            remediator: CopyRemediator::new(environment, settings),
            run: run.to_owned(),
        }
    }

    pub(crate) const fn environment(&self) -> &ProvingEnvironment {
        self.remediator.environment()
    }

    fn invocation(&self, what: &str) -> Invocation {
        let now = self.environment().clock().now();
        Invocation {
            id: format!("prove-{}-{what}", self.run),
            deadline: now.saturating_add(TIMEOUT).unwrap_or(now),
        }
    }

    /// What the function makes of a failed copy.
    pub(crate) async fn handle(&self, job: &CopyJob) -> Result<Report, End> {
        let event = event_of(job, self.environment().clock().now());
        let invocation = self.invocation(&job.id);
        let handled = Box::pin(self.remediator.handle(&event, &invocation)).await;
        handled.map_err(|error| End::Failed(format!("the function's handler: {error}")))
    }

    /// Takes a change back.
    pub(crate) async fn undo(&self, change: &str) -> Result<(), End> {
        let request = UndoRequest {
            change: Some(change),
            again: Again::Allowed,
            asked_by: None,
        };
        let invocation = self.invocation("undo");
        let undone = Box::pin(undo(self.environment(), request, &invocation)).await;
        undone
            .map(|_| ())
            .map_err(|error| End::Failed(error.to_string()))
    }
}
