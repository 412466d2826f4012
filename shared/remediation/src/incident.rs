//! Counting an incident and telling people of it: the same for a copy's Report and for an Advisory.

use crate::handler::HandlerError;
use crate::ledger::{Counting, JobProgress, Ledger, Occurrence};
use crate::ports::{CallResult, Clock, Notifier};
use crate::report::Outcome;

/// What is counted under an incident, and told.
pub(crate) trait Counted: Sized {
    /// What it is counted under: the same for the same cause on the same resource for the same source.
    fn fingerprint(&self) -> String;

    /// How it ended.
    fn outcome(&self) -> Outcome;

    /// Takes down how often the incident was seen.
    fn occurred(&mut self, count: u64);

    /// Takes down what else people should know.
    fn note(&mut self, note: String);
}

/// Counts the incident, and tells people where it is worth telling.
///
/// A delivery that goes on where an earlier one stopped neither counts nor tells twice. Where it ends otherwise than what
/// the earlier one recorded, such as a repair after facts that could not be read, that is news, and is told. Where nobody
/// knows whether the earlier one counted, people are told: rather one message too many than none.
pub(crate) async fn count_and_tell<L, N, C, R>(
    ledger: &L,
    notifier: &N,
    clock: &C,
    job_id: &str,
    progress: &JobProgress,
    mut told: R,
) -> Result<R, HandlerError>
where
    L: Ledger,
    N: Notifier<R>,
    C: Clock,
    R: Counted,
{
    if !told.outcome().is_told() {
        return Ok(told);
    }
    let fingerprint = told.fingerprint();
    let before = progress
        .counted
        .as_ref()
        .filter(|counted| counted.fingerprint == fingerprint);
    let same = before.filter(|counted| !told.outcome().is_news_after(&counted.outcome));
    let (occurrence, is_due) = match (same, before) {
        (Some(_), _) if progress.told => {
            told.note("people were told by an earlier delivery".to_owned());
            return Ok(told);
        }
        // The same number leads to the same message.
        (Some(counted), _) => {
            let occurrence = counted.occurrence.clone();
            let is_due = occurrence.is_worth_telling(told.outcome());
            (Ok(occurrence), is_due)
        }
        // Whoever was told of the other outcome hears of this one.
        (None, Some(_)) => {
            let occurrence =
                count(ledger, clock, job_id, &fingerprint, &told, Counting::Again).await;
            let is_changed = |occurrence: &Occurrence| occurrence.is_changed_by(told.outcome());
            let is_due = progress.told || occurrence.as_ref().is_ok_and(is_changed);
            (occurrence, is_due)
        }
        (None, None) => {
            let occurrence =
                count(ledger, clock, job_id, &fingerprint, &told, Counting::First).await;
            let is_worth = |occurrence: &Occurrence| occurrence.is_worth_telling(told.outcome());
            let is_due = progress.is_count_unclear || occurrence.as_ref().is_ok_and(is_worth);
            (occurrence, is_due)
        }
    };
    match occurrence {
        Ok(occurrence) => {
            told.occurred(occurrence.count);
            if !is_due {
                return Ok(told);
            }
        }
        // Rather one message too many than none.
        Err(error) => told.note(format!("the incident was not counted: {error}")),
    }
    let told = tell(notifier, told).await?;
    if let Err(error) = ledger.record_told(job_id).await {
        tracing::warn!(%error, "it was not recorded that people were told");
    }
    Ok(told)
}

async fn count<L: Ledger, C: Clock, R: Counted>(
    ledger: &L,
    clock: &C,
    job_id: &str,
    fingerprint: &str,
    counted: &R,
    counting: Counting,
) -> CallResult<Occurrence> {
    let outcome = counted.outcome().slug();
    ledger
        .count_occurrence(fingerprint, job_id, outcome, counting, clock.now())
        .await
}

/// Tells people, unless there is nothing to tell.
pub(crate) async fn tell<N, R>(notifier: &N, told: R) -> Result<R, HandlerError>
where
    N: Notifier<R>,
    R: Counted,
{
    if !told.outcome().is_told() {
        return Ok(told);
    }
    match notifier.notify(&told).await {
        Ok(_) => Ok(told),
        Err(error) => Err(HandlerError::Call(error)),
    }
}
