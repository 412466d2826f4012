//! What the ledger remembers of a copy: an input of every decision about it.

use copymend_diagnosis::{Diagnosis, Facts, Failure, SourceKey};
use copymend_policy::service_linked_role_arn;
use jiff::Timestamp;

use crate::decide::act_about;
use crate::guards::{Act, StartedBy};
use crate::handler::{CopyRemediator, Delivery, HandlerError};
use crate::ledger::{Change, Ledger, Pause, PolicyHistory};
use crate::pause::ask_for_pause;
use crate::ports::{CallResult, Clock, Environment};
use crate::settings::Mode;

/// What the ledger remembers of a copy.
#[derive(Clone, Debug)]
pub struct History {
    /// When it was asked.
    pub now: Timestamp,
    /// Who started the copy.
    pub started_by: StartedBy,
    /// The pause in force. Absent without a ledger, where nothing is written anyway.
    pub pause: Option<CallResult<Option<Pause>>>,
    /// A change that an earlier delivery of this event wrote, and that is in the policy.
    pub unfinished: Option<Change>,
    /// What was written to the resource before, in observe mode. In repair mode it is read under the lease.
    pub writes: Option<CallResult<PolicyHistory>>,
    /// What people should know of it, a sentence each.
    pub notes: Vec<String>,
}

impl<E: Environment> CopyRemediator<E> {
    /// Asks the ledger what it remembers. An error that may pass asks for another delivery.
    pub(crate) async fn history(
        &self,
        failure: &Failure,
        diagnosis: &Diagnosis,
        facts: &Facts,
        delivery: &Delivery<'_>,
    ) -> Result<History, HandlerError> {
        let mut history = self.history_of_the_copy(failure).await?;
        if failure.job().is_parent {
            return Ok(history);
        }
        history.unfinished = self.unfinished_change(delivery, failure, facts).await?;
        let (Mode::Observe, Some(ledger)) = (self.settings.mode, self.environment.ledger()) else {
            return Ok(history);
        };
        if let Some(resource) = resource_of(diagnosis, failure, facts) {
            history.writes = Some(ledger.policy_history(&resource, history.now).await);
        }
        Ok(history)
    }

    /// Who started the copy, and whether somebody paused Copymend.
    pub(crate) async fn history_of_the_copy(
        &self,
        failure: &Failure,
    ) -> Result<History, HandlerError> {
        let now = self.environment.clock().now();
        let mut history = History {
            now,
            started_by: StartedBy::Someone,
            pause: None,
            unfinished: None,
            writes: None,
            notes: Vec::new(),
        };
        let job = failure.job();
        if job.backup_plan.is_some() {
            history.started_by = StartedBy::BackupPlan;
        }
        let Some(ledger) = self.environment.ledger().filter(|_| !job.is_parent) else {
            return Ok(history);
        };
        if job.backup_plan.is_none() {
            match ledger.retry_of(&job.id).await {
                Ok(Some(retry)) => {
                    let original = retry.original_job;
                    let note = format!("this copy was our own retry of job {original}");
                    history.notes.push(note);
                    history.started_by = StartedBy::OwnRetry(retry.origin);
                }
                Ok(None) => {}
                Err(error) if error.may_pass() => return Err(HandlerError::Call(error)),
                Err(error) => history.notes.push(error.to_string()),
            }
        }
        let pause = ask_for_pause(&self.environment, ledger).await;
        history.pause = Some(pause.map_err(HandlerError::Call)?);
        Ok(history)
    }
}

/// What a repair of the diagnosed cause would write to.
fn resource_of(diagnosis: &Diagnosis, failure: &Failure, facts: &Facts) -> Option<String> {
    let vault = &failure.job().destination_vault;
    match (act_about(diagnosis.cause()), &facts.source_key) {
        _ if diagnosis.confirmed_cause().is_none() => None,
        (Act::VaultPolicy, _) => Some(vault.to_string()),
        (Act::KeyPolicy, SourceKey::Key(key)) => Some(key.arn.to_string()),
        (Act::ServiceLinkedRole, _) => Some(service_linked_role_arn(
            vault.partition(),
            failure.destination_account(),
        )),
        (Act::KeyPolicy, SourceKey::NotEncrypted | SourceKey::Unknown(_)) | (Act::Retry, _) => None,
    }
}
