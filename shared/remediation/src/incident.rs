//! Counting an incident and telling people of it: the same for a copy's Report and for an Advisory.

use crate::handler::HandlerError;
use crate::ledger::{Count, Counting, JobProgress, Ledger};
use crate::ports::{Clock, Notifier};
use crate::report::Outcome;

/// What is counted under an incident, and told.
pub(crate) trait Counted: Sized {
    /// What it is counted under: the same for the same cause on the same resource for the same source.
    fn fingerprint(&self) -> String;

    /// How it ended.
    fn outcome(&self) -> Outcome;

    /// Whether it gave a grant.
    fn is_grant(&self) -> bool {
        false
    }

    /// Whether people hear of it however often the incident was seen: a grant was given.
    fn is_always_told(&self) -> bool {
        false
    }

    /// Whether the report of a change of ours tells people of this, too: then the first occurrence need not.
    fn is_told_by_its_change(&self) -> bool {
        false
    }

    /// Takes down how often the incident was seen.
    fn occurred(&mut self, count: u64);

    /// Takes down what else people should know.
    fn note(&mut self, note: String);
}

/// Whether people were told by this very delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Now,
    NotNow,
}

/// Counts the incident, and tells people where it is worth telling. Answers whether it did.
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
) -> Result<(R, Told), HandlerError>
where
    L: Ledger,
    N: Notifier<R>,
    C: Clock,
    R: Counted,
{
    if !told.outcome().is_told() {
        return Ok((told, Told::NotNow));
    }
    let fingerprint = told.fingerprint();
    let before = progress
        .counted
        .as_ref()
        .filter(|counted| counted.fingerprint == fingerprint);
    // A grant is news also where the copy had been started again without one.
    let same = before.filter(|counted| {
        !told.outcome().is_news_after(&counted.outcome)
            && (!told.is_grant() || Outcome::is_of_a_repair(&counted.outcome))
    });
    let occurrence = match same {
        Some(_) if progress.told => {
            told.note("people were told by an earlier delivery".to_owned());
            return Ok((told, Told::NotNow));
        }
        // The same number leads to the same message.
        Some(counted) => Ok(counted.occurrence.clone()),
        None => {
            let count = Count {
                fingerprint: &fingerprint,
                copy_job_id: job_id,
                outcome: told.outcome().slug(),
                counting: match before {
                    Some(_) => Counting::Again,
                    None => Counting::First,
                },
                // Whoever was told of another outcome hears of this one.
                is_due: progress.told || progress.is_count_unclear,
            };
            ledger.count_occurrence(count, clock.now()).await
        }
    };
    match occurrence {
        Ok(occurrence) => {
            told.occurred(occurrence.count);
            let is_due = match before {
                // A number that was passed before is no news.
                Some(_) if same.is_none() => occurrence.is_changed_by(told.outcome()),
                Some(_) | None if occurrence.count <= 1 && told.is_told_by_its_change() => false,
                Some(_) | None => occurrence.is_worth_telling(told.outcome()),
            };
            if !is_due && !told.is_always_told() {
                return Ok((told, Told::NotNow));
            }
        }
        // Rather one message too many than none.
        Err(error) => told.note(format!("the incident was not counted: {error}")),
    }
    let told = tell(notifier, told).await?;
    if let Err(error) = ledger.record_told(job_id).await {
        tracing::warn!(%error, "it was not recorded that people were told");
    }
    Ok((told, Told::Now))
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
