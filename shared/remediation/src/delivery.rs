//! One delivery of an event: the way that all handlers share, from the event's entry in the ledger
//! to the message to people.

use jiff::{SignedDuration, Timestamp};

use crate::agreement::Agreement;
use crate::handler::{HandlerError, Invocation};
use crate::incident::{Telling, count_and_tell, tell};
use crate::ledger::{JobEntry, JobProgress, Ledger};
use crate::ports::{Clock, Reads};
use crate::report::{Outcome, Report};

/// An event's entry in the ledger outlives the invocation by this much: enough for clocks that
/// differ.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// One delivery of an event: the invocation, and what earlier deliveries left.
pub(crate) struct Delivery<'d> {
    pub(crate) invocation: &'d Invocation,
    pub(crate) progress: JobProgress,
    /// How long what it holds in the ledger is its own.
    pub(crate) until: Timestamp,
    /// Whether a person asks for it now, and no event.
    pub(crate) is_asked_by_a_person: bool,
    /// The person's yes to a plan, where there is one.
    pub(crate) agreement: Option<&'d Agreement>,
}

impl Invocation {
    /// How long what it holds in the ledger is its own.
    #[must_use]
    pub fn held_until(&self) -> Timestamp {
        let deadline = self.deadline;
        deadline.saturating_add(GRACE).unwrap_or(deadline)
    }
}

/// Handles an event once, however often it is delivered: begins its entry in the ledger, has it
/// answered, counts the incident and tells people, and closes the entry. `repeated` makes the
/// Report where an earlier delivery has handled it, with the outcome of that, or handles it now. `telling`
/// says of what people are told.
pub(crate) async fn handle_once<E: Reads>(
    environment: &E,
    invocation: &Invocation,
    id: &str,
    telling: Telling,
    answer: impl AsyncFnOnce(&Delivery<'_>) -> Result<Report, HandlerError>,
    repeated: impl FnOnce(Option<String>) -> Report,
) -> Result<Report, HandlerError> {
    let clock = environment.clock();
    let mut delivery = Delivery {
        invocation,
        progress: JobProgress::default(),
        until: invocation.held_until(),
        is_asked_by_a_person: false,
        agreement: None,
    };
    let Some(ledger) = environment.ledger() else {
        let report = answer(&delivery).await?;
        return tell(environment.notifier(), report).await;
    };
    let entry = ledger
        .begin_job(id, &invocation.id, clock.now(), delivery.until)
        .await?;
    delivery.progress = match entry {
        JobEntry::Started(progress) => progress,
        JobEntry::InProgress => return Ok(repeated(None)),
        JobEntry::Done(outcome) => return Ok(repeated(Some(outcome))),
    };
    let told = match answer(&delivery).await {
        Ok(report) => {
            let told = count_and_tell(
                environment,
                ledger,
                (id, &invocation.id),
                &delivery.progress,
                telling,
                report,
            );
            Box::pin(told).await
        }
        Err(error) => Err(error),
    };
    let closed = match &told {
        Ok(report)
            if !report.awaits_another_delivery() && report.outcome != Outcome::RetryPlanned =>
        {
            ledger
                .finish_job(id, &invocation.id, report.outcome.slug(), clock.now())
                .await
        }
        Ok(_) | Err(_) => ledger.abandon_job(id, &invocation.id).await,
    };
    if let Err(error) = closed {
        tracing::warn!(%error, "the event's entry was not closed");
    }
    told.map(|mut report| {
        // A question that wasn't kept can't be answered.
        if report.request.take().is_some() {
            report.approval = None;
        }
        report
    })
}
