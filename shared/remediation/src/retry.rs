//! Starting a failed copy again, within its budget.

use copymend_diagnosis::{Cause, Failure, Lifecycle};
use jiff::{SignedDuration, Timestamp};

use crate::claimed_message::ToBeTold;
use crate::done::Done;
use crate::handler::{CopyRemediator, HandlerError};
use crate::history::History;
use crate::ledger::{AfterChange, Ledger, Origin, RetryClaim, RetryClaimed, RetryRecord};
use crate::plan::Target;
use crate::ports::{
    BackupWrites, CallError, CallErrorKind, CallResult, Clock, Environment, Location, StartCopy,
};
use crate::report::Outcome;
use crate::settings::Settings;
use crate::write::ApprovedCopy;

/// A copy that was started again, or wasn't.
#[derive(Debug)]
pub(crate) enum Retried {
    /// The new job's id, which attempt it is, from 1, and what is to be remembered of it.
    Started {
        job: String,
        attempt: u32,
        record: RetryRecord,
    },
    /// The budget of this recovery point and destination is used up.
    BudgetUsedUp,
    /// The budget of the source account for this day is used up.
    SourceBudgetUsedUp,
    /// The job isn't ours to begin any more, or somebody paused Copymend since it was looked.
    NotNow,
}

/// What a retry follows.
#[derive(Debug)]
pub(crate) struct Following {
    /// Why the copy failed.
    pub cause: Cause,
    /// The change of ours that admits it by now.
    pub after_change: Option<AfterChange>,
}

/// Whether a copy that was started again after a change fails for a cause of its own: not the one
/// that was repaired, and not one that passes by itself. That is a new first attempt.
fn is_new_failure(after: &AfterChange, cause: Cause) -> bool {
    let repaired = Target::of_resource(&after.repaired).map(|target| target.cause());
    cause != Cause::Transient && repaired.is_some_and(|repaired| repaired != cause)
}

/// The copy that a failed job asks for, again: same role, same destination, same lifecycle.
/// `DeleteAfterEvent` is AWS Backup's to set: `StartCopyJob` refuses it (AWS Backup API reference,
/// `Lifecycle`, documented: "not valid as an input").
pub(crate) fn copy_of(failure: &Failure) -> StartCopy {
    let job = failure.job();
    let lifecycle = job.lifecycle.clone().map(|lifecycle| Lifecycle {
        delete_after_event: None,
        ..lifecycle
    });
    StartCopy {
        location: Location::new(job.account, &job.region),
        recovery_point: job.source_recovery_point.clone(),
        source_vault_name: job.source_vault.name().to_owned(),
        destination_vault: job.destination_vault.clone(),
        role: job.role.clone(),
        lifecycle: lifecycle.filter(|lifecycle| *lifecycle != Lifecycle::default()),
        idempotency_token: format!("copymend-{}", job.id),
    }
}

/// Why a copy could not be started again, for people. A call on a recovery point meets the access
/// policy of the vault that holds it, whose Deny binds this account's own roles too (AWS Backup,
/// "Vault access policies", documented).
pub(crate) fn why_not_started(error: &CallError, failure: &Failure) -> String {
    let is_refused =
        error.operation == "backup:StartCopyJob" && error.kind == CallErrorKind::AccessDenied;
    let vault = &failure.job().source_vault;
    if is_refused && error.detail.contains("resource-based policy") {
        format!(
            "{error}: the access policy of the source vault `{vault}` denies backup:StartCopyJob. Its owner put the Deny there; start the \
             copy with a role that it spares, or wait for the backup plan"
        )
    } else if is_refused {
        format!(
            "{error}: either the calling role lacks backup:StartCopyJob, or the access policy of the source vault `{vault}` denies it"
        )
    } else {
        error.to_string()
    }
}

/// Who started the copy that a failed job repeats, and the change that it was started after. A retry
/// keeps the origin of the copy that it repeats: one on demand never passes as one of a plan.
async fn repeated<L: Ledger>(
    ledger: &L,
    failure: &Failure,
    history: &History,
) -> CallResult<(Option<Origin>, Option<AfterChange>)> {
    let job = failure.job();
    if job.backup_plan.is_some() {
        return Ok((Some(Origin::BackupPlan), None));
    }
    let retry = match &history.retry {
        Some(known) => known.clone(),
        None => ledger.retry_of(&job.id).await?,
    };
    Ok(match retry {
        Some(retry) => (retry.origin, retry.after_change),
        None => (Some(Origin::OnDemand), None),
    })
}

impl<E: Environment> CopyRemediator<E> {
    /// Reports the copy that an earlier delivery of this event started, and makes up for its record
    /// where that delivery came no further. Nothing is started, counted or asked.
    pub(crate) async fn started_before(
        &self,
        mut done: Done,
        (failure, history): (&Failure, &History),
        ledger: &E::Ledger,
        started: &str,
    ) -> Result<Done, HandlerError> {
        if ledger.retry_of(started).await?.is_none() {
            let (origin, _) = repeated(ledger, failure, history).await?;
            let record = RetryRecord {
                original_job: failure.job().id.clone(),
                origin,
                after_change: done.after_change.take(),
            };
            let now = self.environment.clock().now();
            ledger.record_retried_job(started, &record, now).await?;
        }
        done.outcome = if done.outcome == Outcome::Repaired {
            Outcome::RepairedAndRetried
        } else {
            Outcome::Retried
        };
        done.retried_job = Some(started.to_owned());
        Ok(done.with_note(format!(
            "an earlier delivery of this event started the copy again as job {started}"
        )))
    }
}

/// A retry that is about to be started.
pub(crate) struct Retry<'r, E: Environment> {
    pub(crate) environment: &'r E,
    pub(crate) ledger: &'r E::Ledger,
    pub(crate) settings: &'r Settings,
    pub(crate) failure: &'r Failure,
    pub(crate) history: &'r History,
    /// Who begins the job with it, and until when it is his, where it isn't begun yet.
    pub(crate) begin: Option<(&'r str, Timestamp)>,
    /// The message that is claimed with it.
    pub(crate) message: Option<&'r ToBeTold>,
}

/// A pause that was read longer ago than this is read once more before a copy is started (our own): as long as one
/// attempt of a call may take.
const PAUSE_STANDS: SignedDuration = SignedDuration::from_secs(5);

impl<E: Environment> Retry<'_, E> {
    /// Whether somebody paused Copymend while reads and the claim took their time. What can't be read counts as
    /// paused: the whole way asks again, and tells why.
    async fn is_paused_since(&self) -> bool {
        let now = self.environment.clock().now();
        if now.duration_since(self.history.now) < PAUSE_STANDS {
            return false;
        }
        !matches!(self.ledger.pause(now).await, Ok(None))
    }

    /// Counts the retry, and claims the message where there is room for it.
    async fn claim(&self, mut claim: RetryClaim<'_>, now: Timestamp) -> CallResult<RetryClaimed> {
        let claimed = self.ledger.claim_retry(&claim, now).await;
        if let Some(message) = self.message {
            message.remember(&claimed);
        }
        match claimed? {
            RetryClaimed::NoRoomForMessage => {
                claim.message = None;
                self.ledger.claim_retry(&claim, now).await
            }
            claimed @ (RetryClaimed::Attempt(_)
            | RetryClaimed::BudgetUsedUp
            | RetryClaimed::SourceBudgetUsedUp
            | RetryClaimed::NotFree) => Ok(claimed),
        }
    }

    /// Starts the copy again. The token is made of the failed job's id, so a redelivered event starts
    /// nothing twice. That it is started has to be remembered then.
    pub(crate) async fn start(
        &self,
        copy: &ApprovedCopy,
        following: Following,
    ) -> CallResult<Retried> {
        let now = self.environment.clock().now();
        let job = self.failure.job();
        let (origin, after_change) = repeated(self.ledger, self.failure, self.history).await?;
        let after_change = after_change.filter(|after| is_new_failure(after, following.cause));
        let claim = RetryClaim {
            failed_job: &job.id,
            recovery_point: &job.source_recovery_point,
            destination: &job.destination_vault,
            budget: self.settings.retry_budget,
            anew_after: after_change.as_ref().map(|after| after.change_id.as_str()),
            source: job.account,
            source_budget: self.settings.source_retry_budget,
            known: self.history.retries.as_ref(),
            begin: self.begin,
            message: self.message.map(ToBeTold::claim),
        };
        // For the account another delivery of the same event counts once more: rather one retry too few.
        let claimed = self.claim(claim, now).await?;
        let attempt = match claimed {
            RetryClaimed::Attempt(attempt) => attempt,
            RetryClaimed::BudgetUsedUp => return Ok(Retried::BudgetUsedUp),
            RetryClaimed::SourceBudgetUsedUp => return Ok(Retried::SourceBudgetUsedUp),
            RetryClaimed::NotFree | RetryClaimed::NoRoomForMessage => return Ok(Retried::NotNow),
        };
        if self.begin.is_some() && self.is_paused_since().await {
            return Ok(Retried::NotNow);
        }
        let new_job = self.environment.backup().start_copy_job(copy).await?;
        Ok(Retried::Started {
            job: new_job,
            attempt,
            record: RetryRecord {
                original_job: job.id.clone(),
                origin,
                after_change: following.after_change,
            },
        })
    }
}
