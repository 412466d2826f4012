//! One delivery of an event: the way that all handlers share, from the event's entry in the ledger
//! to the message to people.

use jiff::{SignedDuration, Timestamp};

use crate::agreement::Agreement;
use crate::handler::{HandlerError, Invocation};
use crate::incident::{
    Telling, count_and_record, count_and_tell, record_retry, record_settings, tell,
};
use crate::ledger::{
    Count, CountState, CountedAs, Finish, JobEntry, JobProgress, Ledger, Occurrence,
};
use crate::message::Channels;
use crate::ports::{CallResult, Clock, Reads};
use crate::recall::Recollection;
use crate::report::{Outcome, Report};

/// An event's entry in the ledger outlives the invocation by this much: enough for clocks that
/// differ.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// One delivery of an event: the invocation, and what earlier deliveries left.
pub(crate) struct Delivery<'d> {
    pub(crate) invocation: &'d Invocation,
    pub(crate) progress: JobProgress,
    /// What the ledger was asked for when the event arrived, where it was.
    pub(crate) recalled: Option<Recollection>,
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
/// says of what people are told, `recalled` what the ledger was asked for before.
pub(crate) async fn handle_once<E: Reads>(
    environment: &E,
    invocation: &Invocation,
    (id, recalled): (&str, Option<Recollection>),
    telling: Telling,
    answer: impl AsyncFnOnce(&Delivery<'_>) -> Result<Report, HandlerError>,
    repeated: impl FnOnce(Option<String>) -> Report,
) -> Result<Report, HandlerError> {
    let clock = environment.clock();
    let mut delivery = Delivery {
        invocation,
        progress: JobProgress::default(),
        recalled,
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
    let told = answer(&delivery).await;
    conclude(environment, ledger, id, &delivery, telling, told).await
}

/// Counts the incident and tells people of what an event came to, and closes its entry.
pub(crate) async fn conclude<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    id: &str,
    delivery: &Delivery<'_>,
    telling: Telling,
    answered: Result<Report, HandlerError>,
) -> Result<Report, HandlerError> {
    let invocation = delivery.invocation;
    let mut ending = Ending::after(&delivery.progress);
    let told = match answered {
        Ok(report) => {
            let who = (id, invocation.id.as_str());
            let telling = (telling, delivery);
            let told = count_and_tell(environment, ledger, who, telling, report, &mut ending);
            Box::pin(told).await
        }
        Err(error) => Err(error),
    };
    close(environment, ledger, id, delivery, told, ending).await
}

/// Counts what people were told of already where its incident goes on, and closes the event's entry.
pub(crate) async fn conclude_told<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    (count, occurrence): (Count<'_>, Option<&Occurrence>),
    delivery: &Delivery<'_>,
    told: Channels,
    mut report: Report,
) -> Result<Report, HandlerError> {
    let mut ending = Ending::after(&delivery.progress);
    ending.told = told;
    let answered = match occurrence {
        None => record_retry(environment, &mut report).await,
        Some(occurrence) => {
            let counting = count_and_record(environment, ledger, count, &mut report, &mut ending);
            let counted = counting.await;
            if !matches!(counted, Ok(Ok(_))) {
                // Rather one occurrence too few than a message too many.
                ending.count_as(count, occurrence.clone());
            }
            counted.map(|counted| {
                if let Err(error) = counted {
                    let note = format!("the incident was not counted: {error}");
                    report.notes.push(note);
                }
            })
        }
    };
    let answered = match answered {
        Ok(()) => Ok(report),
        Err(error) => Err(error.into()),
    };
    let id = count.copy_job_id;
    close(environment, ledger, id, delivery, answered, ending).await
}

/// Closes an event's entry, or gives it up where another delivery has to go on.
pub(crate) async fn close<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    id: &str,
    delivery: &Delivery<'_>,
    told: Result<Report, HandlerError>,
    ending: Ending,
) -> Result<Report, HandlerError> {
    let invocation = delivery.invocation;
    let is_told_of_settings = ending.is_told_of_settings;
    let closed = match &told {
        Ok(report)
            if !report.awaits_another_delivery() && report.outcome != Outcome::RetryPlanned =>
        {
            let finish = Finish {
                outcome: report.outcome.slug().to_owned(),
                told: ending.told,
                counted: ending.counted,
            };
            let now = environment.clock().now();
            let finished = ledger.finish_job(id, &invocation.id, &finish, now).await;
            if let (Err(_), Some(counted)) = (&finished, &finish.counted)
                && let Err(error) = ledger.record_count(id, &invocation.id, counted).await
            {
                // Its recovery won't be told.
                tracing::warn!(%error, "it was not recorded how the event was counted");
            }
            finished
        }
        Ok(_) | Err(_) => ending.abandon(ledger, id, &invocation.id).await,
    };
    if let Err(error) = closed {
        tracing::warn!(%error, "the event's entry was not closed");
    }
    // Last: whoever dies in between has people told of the settings once more, and of nothing else.
    if let (true, Ok(report)) = (is_told_of_settings, &told) {
        record_settings(ledger, &invocation.id, report).await;
    }
    told.map(|mut report| {
        // A question that wasn't kept can't be answered.
        if report.request.take().is_some() {
            report.approval = None;
        }
        report
    })
}

/// What is not remembered with a job yet: it goes with its end.
#[derive(Debug)]
pub(crate) struct Ending {
    /// How it was counted.
    pub(crate) counted: Option<CountedAs>,
    /// The channels on which people were told.
    pub(crate) told: Channels,
    /// Whether it is known how it was counted.
    pub(crate) count: CountState,
    /// Whether people were told of the settings that changed.
    pub(crate) is_told_of_settings: bool,
}

impl Ending {
    /// After what earlier deliveries left.
    pub(crate) fn after(progress: &JobProgress) -> Self {
        Self {
            counted: None,
            told: Channels::new(),
            count: if progress.is_count_unclear {
                CountState::Unclear
            } else {
                CountState::Clear
            },
            is_told_of_settings: false,
        }
    }

    /// Has the job remembered as counted like this.
    pub(crate) fn count_as(&mut self, count: Count<'_>, occurrence: Occurrence) {
        self.counted = Some(CountedAs {
            fingerprint: count.fingerprint.to_owned(),
            outcome: count.outcome.to_owned(),
            occurrence,
        });
        self.count = CountState::Clear;
    }

    /// Remembers how it was counted.
    pub(crate) async fn record_count<L: Ledger>(
        &mut self,
        ledger: &L,
        (id, owner): (&str, &str),
    ) -> CallResult<()> {
        let Some(counted) = &self.counted else {
            return Ok(());
        };
        let recorded = ledger.record_count(id, owner, counted).await;
        if recorded.is_ok() {
            self.counted = None;
        }
        recorded
    }

    /// Gives the job up, with everything that another delivery has to know.
    async fn abandon<L: Ledger>(mut self, ledger: &L, id: &str, owner: &str) -> CallResult<()> {
        let counted = self.record_count(ledger, (id, owner)).await;
        let told = if self.told.is_empty() {
            Ok(())
        } else {
            ledger.record_told(id, owner, &self.told).await
        };
        let count = match &counted {
            Ok(()) => self.count,
            Err(_) => CountState::Unclear,
        };
        let abandoned = ledger.abandon_job(id, owner, count).await;
        counted.and(told).and(abandoned)
    }
}
