//! What the ledger remembers of a copy: an input of every decision about it.

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{Cause, Failure, KeyArn};
use jiff::Timestamp;

use crate::agreement::Agreement;
use crate::grantee::grantee;
use crate::guards::StartedBy;
use crate::handler::{CopyRemediator, Delivery, HandlerError};
use crate::ledger::{
    BeforeWrite, Change, ChangeState, CountedRetries, JobProgress, Ledger, Pause, RetryRecord,
};
use crate::pause::{ask_for_pause, asked_for};
use crate::plan::Target;
use crate::ports::{Backup, CallError, CallErrorKind, CallResult, Clock, Location, Reads};
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
    /// What the job repeats, where that is on record; none where that can't be read.
    pub retry: Option<Option<RetryRecord>>,
    /// The retries of the copy so far, where they were read.
    pub retries: Option<CountedRetries>,
    /// What was written to the destination vault's policy before, where that was read.
    pub writes: Option<BeforeWrite>,
    /// Whether an owner may keep Copymend away from the key that the copy is under, as far as is known.
    pub has_opted_out_key: bool,
    /// A change that an earlier delivery of this event wrote, or was about to write.
    pub intended: Option<(Change, ChangeState)>,
    /// The job that an earlier delivery of this event started the copy again as.
    pub retried_as: Option<String>,
    /// A repair for another copy of the same grantee, after this one had failed.
    pub earlier_repair: Option<EarlierRepair>,
    /// Whether a person asks for it now, and no event.
    pub is_asked_by_a_person: bool,
    /// The person's yes to a plan, where there is one.
    pub agreement: Option<Agreement>,
    /// What people should know of it, a sentence each.
    pub notes: Vec<String>,
}

/// A repair that admits this copy, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierRepair {
    /// What it was written to.
    pub target: Target,
    /// When.
    pub at: Timestamp,
    /// The change. Absent where an earlier version recorded it.
    pub change_id: Option<String>,
}

impl<E: Reads> CopyRemediator<E> {
    /// Asks the ledger what it remembers. An error that may pass asks for another delivery.
    pub(crate) async fn remember(
        &self,
        failure: &Failure,
        delivery: &Delivery<'_>,
    ) -> Result<History, HandlerError> {
        let mut history = History {
            now: self.environment.clock().now(),
            started_by: match failure.job().backup_plan {
                Some(_) => StartedBy::BackupPlan,
                None => StartedBy::Someone,
            },
            pause: None,
            retry: None,
            retries: delivery
                .recalled
                .as_ref()
                .and_then(|known| known.recalled.retries.clone()?.ok()),
            writes: delivery
                .recalled
                .as_ref()
                .and_then(|known| known.recalled.writes.clone()),
            has_opted_out_key: delivery
                .recalled
                .as_ref()
                .is_none_or(|known| known.recalled.has_opted_out_key),
            intended: None,
            retried_as: delivery.progress.retried_as.clone(),
            earlier_repair: None,
            is_asked_by_a_person: delivery.is_asked_by_a_person,
            agreement: delivery.agreement.cloned(),
            notes: Vec::new(),
        };
        let ledger = self.environment.ledger();
        let Some(ledger) = ledger.filter(|_| !failure.job().is_parent) else {
            return Ok(history);
        };
        let known = delivery.recalled.as_ref().map(|known| &known.recalled);
        let retry = async {
            match (&failure.job().backup_plan, known) {
                (Some(_), _) => Ok(None),
                (None, Some(known)) => known.retry.clone(),
                (None, None) => ledger.retry_of(&failure.job().id).await,
            }
        };
        let pause = async {
            match known {
                Some(known) => asked_for(known.pause.clone()),
                None => ask_for_pause(&self.environment, ledger).await,
            }
        };
        let recorded = async {
            match &delivery.progress.change_id {
                Some(id) => ledger.change(id).await,
                None => Ok(None),
            }
        };
        let (retry, pause, recorded, earlier_repair) = tokio::join!(
            retry,
            pause,
            recorded,
            self.earlier_repair(ledger, failure, delivery),
        );
        let retry_record = match retry {
            Ok(retry) => Some(retry),
            Err(error) if error.may_pass() => return Err(HandlerError::Call(error)),
            Err(error) => {
                history.notes.push(error.to_string());
                None
            }
        };
        if let Some(Some(retry)) = &retry_record {
            let original = &retry.original_job;
            history.started_by = StartedBy::OwnRetry(retry.origin);
            history
                .notes
                .push(format!("this copy was our own retry of job {original}"));
        }
        history.pause = Some(pause?);
        history.retry = retry_record;
        history.intended = recorded?.filter(|(_, state)| *state != ChangeState::Undone);
        history.earlier_repair = earlier_repair;
        Ok(history)
    }

    /// Only asked for a first delivery that may write. Where the ledger doesn't tell, the copy is
    /// investigated, which is always safe.
    async fn earlier_repair(
        &self,
        ledger: &E::Ledger,
        failure: &Failure,
        delivery: &Delivery<'_>,
    ) -> Option<EarlierRepair> {
        let job = failure.job();
        let completed = job.completed?;
        let is_first = delivery.progress == JobProgress::default();
        if !is_first || self.settings.mode != Mode::Repair || !failure.copy().is_cross_account() {
            return None;
        }
        let explanation = explain(&job.status_message);
        let suggests = |cause| explanation.candidates.iter().any(|one| one.cause == cause);
        let known = delivery.recalled.as_ref().map(|known| &known.recalled);
        let (target, admitted) = if suggests(Cause::DestinationVaultPolicy) {
            let target = Target::VaultPolicy(job.destination_vault.clone());
            let grantee = grantee(&target, failure, &self.settings);
            let admitted = match known {
                Some(known) => known.admission.clone(),
                None => ledger.admitted_at(target.as_str(), &grantee).await,
            };
            (target, admitted)
        } else if suggests(Cause::SourceKeyPolicy) {
            let last = match known {
                Some(known) => Some(known.key_admission.as_ref().ok()?.as_ref()?),
                None => None,
            };
            // No key of the account was changed since: which one it is need not be known.
            if last.is_some_and(|last| last.admission.at < completed) {
                return None;
            }
            let key = self.key_of(failure).await.ok()??;
            let target = Target::KeyPolicy(key.clone());
            let grantee = grantee(&target, failure, &self.settings);
            self.last_keys.remember(job.account, &grantee, &key);
            let admitted = match last.filter(|last| last.key == key.as_str()) {
                Some(last) => Ok(Some(last.admission.clone())),
                None => ledger.admitted_at(target.as_str(), &grantee).await,
            };
            (target, admitted)
        } else {
            return None;
        };
        let admission = admitted.ok()?.filter(|one| one.at >= completed)?;
        Some(EarlierRepair {
            target,
            at: admission.at,
            change_id: admission.change_id,
        })
    }

    /// The key that the recovery point names, if it is encrypted. An error where that can't be
    /// read.
    pub(crate) async fn key_of(&self, failure: &Failure) -> CallResult<Option<KeyArn>> {
        let job = failure.job();
        let location = Location::new(job.account, &job.region);
        let vault = job.source_vault.name();
        let backup = self.environment.backup();
        let point = &job.source_recovery_point;
        let found = backup.describe_recovery_point(&location, vault, point);
        let Some(found) = found.await? else {
            return Err(CallError::new(
                "find the key",
                point.as_str(),
                CallErrorKind::Failed,
                "the recovery point does not exist",
            ));
        };
        Ok(found.encryption_key)
    }
}
