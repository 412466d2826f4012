//! Putting an event off: when, and how it comes back.

use copymend_diagnosis::{Cause, CopyJobEvent, Diagnosis, Failure};
use jiff::Timestamp;

use crate::decide::{Decided, Decision, Investigated, retry_or_advise};
use crate::done::Done;
use crate::guards::{Act, Question};
use crate::handler::{CopyRemediator, HandlerError};
use crate::history::History;
use crate::later::{Arrival, DelayedRetry};
use crate::ports::{CallError, CallErrorKind, CallResult, Clock, DelayedRetries, Environment};
use crate::report::{DecisionKind, Outcome, Report};
use crate::settings::Mode;
use crate::show::Case;

impl<E: Environment> CopyRemediator<E> {
    /// Whether anything is put off: only what may be started, and only where there is a queue.
    pub(crate) fn may_put_off(&self) -> bool {
        self.settings.mode == Mode::Repair && self.has_a_queue()
    }

    /// Whether anything could be put off, if the mode let it.
    fn has_a_queue(&self) -> bool {
        self.environment.ledger().is_some() && self.environment.delayed_retries().is_some()
    }

    /// Sends the event to the queue, once more put off.
    pub(crate) async fn put_off(
        &self,
        arrival: Arrival<'_>,
        not_before: Timestamp,
    ) -> CallResult<()> {
        let delays = arrival.delays.saturating_add(1);
        let message = DelayedRetry::new(arrival.event.clone(), not_before, delays);
        self.send(&message).await
    }

    async fn send(&self, message: &DelayedRetry) -> CallResult<()> {
        let Some(queue) = self.environment.delayed_retries() else {
            return Err(CallError::new(
                "sqs:SendMessage",
                "DelayedRetries",
                CallErrorKind::Unavailable,
                "COPYMEND_DELAYED_RETRIES_QUEUE_URL names no queue",
            ));
        };
        let now = self.environment.clock().now();
        queue.send(message, message.delay_from(now)).await
    }

    /// What is decided where there is a queue. A used-up quota may have room later. What could not
    /// be read for a passing reason is read later, before people are told that it can't be.
    pub(crate) fn with_a_queue(
        &self,
        decided: Decided,
        failure: &Failure,
        diagnosis: &Diagnosis,
        investigated: &Investigated,
        history: &History,
        arrival: Arrival<'_>,
    ) -> Decided {
        let is_open = matches!(decided.decision, Decision::Advise | Decision::Refuse(_));
        if !is_open || decided.is_of_unlisted_source || !self.has_a_queue() {
            return decided;
        }
        let unknown = investigated.unknown();
        if self.may_put_off()
            && !arrival.is_the_last()
            && unknown.iter().any(|why| why.reason.may_pass())
        {
            return Decided {
                decision: Decision::ReadAgain(Box::new(decided.decision)),
                ..decided
            };
        }
        if diagnosis.cause() == Cause::Quota && matches!(decided.decision, Decision::Advise) {
            return retry_or_advise(&Question {
                facts: investigated.facts(),
                ..Question::of(Act::Retry, failure, &self.settings, history)
            });
        }
        decided
    }

    /// What could not be read is read again later. Where the queue refuses the event, what was
    /// decided without it is carried out.
    pub(crate) async fn read_again(
        &self,
        done: Done,
        otherwise: Decided,
        case: &Case<'_>,
    ) -> Result<Done, HandlerError> {
        let now = self.environment.clock().now();
        let not_before = case.arrival.until(&case.failure.job().id, now);
        let sent = self.put_off(case.arrival, not_before).await;
        match sent {
            Ok(()) => Ok(Done {
                outcome: Outcome::RetryPlanned,
                not_before: Some(not_before),
                needs_advice: false,
                ..done
            }),
            Err(error) if error.may_pass() => Err(HandlerError::Call(error)),
            Err(error) => {
                let done = Box::pin(self.carry_out(otherwise, case)).await?;
                Ok(done.with_note(format!("the event was not put off: {error}")))
            }
        }
    }

    /// Observe mode says that the copy would not be started at once. In approve mode it waits for a
    /// person, and then for nothing.
    pub(crate) fn would_wait(&self, done: Done, case: &Case<'_>) -> Done {
        if self.settings.mode == Mode::Approve {
            return done;
        }
        let now = self.environment.clock().now();
        let not_before = case.start_not_before(now);
        if self.environment.delayed_retries().is_none() || not_before <= now {
            return done;
        }
        done.with_note(format!(
            "in repair mode the copy would be started again after {not_before}, not at once"
        ))
    }

    /// A delivery that a passing error ended is put off, instead of failing: a storm outlasts the
    /// two further attempts of Lambda.
    pub(crate) async fn put_off_after(
        &self,
        error: CallError,
        event: &CopyJobEvent,
        arrival: Arrival<'_>,
    ) -> Result<Report, HandlerError> {
        if !error.may_pass() || arrival.is_the_last() || !self.may_put_off() {
            return Err(HandlerError::Call(error));
        }
        let now = self.environment.clock().now();
        let not_before = arrival.until(&event.copy_job_id, now);
        if self.put_off(arrival, not_before).await.is_err() {
            return Err(HandlerError::Call(error));
        }
        Ok(self.waiting(event, not_before, error.to_string()))
    }

    /// An event that another invocation is handling waits for how that ends: it may be dead. An
    /// event that can't be put off any more fails, so that whoever delivered it delivers it again.
    pub(crate) async fn wait_for_another(
        &self,
        event: &CopyJobEvent,
        arrival: Arrival<'_>,
    ) -> Result<Report, HandlerError> {
        let note = "another invocation handles this job";
        if arrival.is_the_last() {
            return Err(HandlerError::Call(CallError::new(
                "ledger:BeginJob",
                event.copy_job_id.as_str(),
                CallErrorKind::Unavailable,
                note,
            )));
        }
        let now = self.environment.clock().now();
        let not_before = arrival.until(&event.copy_job_id, now);
        self.put_off(arrival, not_before).await?;
        Ok(self.waiting(event, not_before, note.to_owned()))
    }

    /// A message that came too early goes back. Nothing else is done.
    pub(crate) async fn put_back(
        &self,
        message: &DelayedRetry,
        event: &CopyJobEvent,
    ) -> Result<Report, HandlerError> {
        self.send(message).await?;
        let note = "the queue delivered this event too early; it was put back".to_owned();
        Ok(self.waiting(event, message.not_before, note))
    }

    fn waiting(&self, event: &CopyJobEvent, not_before: Timestamp, note: String) -> Report {
        let done = Done {
            needs_advice: false,
            not_before: Some(not_before),
            ..Done::new(DecisionKind::Nothing, Outcome::RetryPlanned)
        };
        self.explained(event, done.with_note(note))
    }
}
