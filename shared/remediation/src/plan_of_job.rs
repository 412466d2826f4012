//! What a person asks for: the plan of one failed copy, and exactly that plan carried out.

use copymend_diagnosis::{CopyJobEvent, Failure, NotVerified, step_that_starts_again};
use serde_json::Value;

use crate::agreement::{Agreement, PlanHash};
use crate::decide::{Decision, Investigated, decide};
use crate::delivery::Delivery;
use crate::done::{Done, Findings};
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::incident::tell;
use crate::later::Arrival;
use crate::ledger::{JobProgress, Ledger};
use crate::ports::{CallError, Environment, Location, Reads};
use crate::report::{Outcome, Report};
use crate::show::{Case, Shown};

/// The plan of one failed copy.
#[derive(Clone, Debug)]
pub struct PlannedJob {
    /// What the handler makes of it. Nothing was written.
    pub report: Report,
    /// The step that starts the copy again, for whoever makes the change by hand.
    pub start: String,
    /// The hash of what would be done; none where nothing would.
    pub plan: Option<PlanHash>,
}

/// Why there is no plan of a copy.
#[derive(Debug, thiserror::Error)]
pub enum PlanOfJobError {
    /// AWS Backup has no such job there.
    #[error("AWS Backup knows no copy job `{}` in account {} and Region {}; it keeps jobs for 30 days", .id.escape_debug(), .location.account, .location.region)]
    NoSuchJob {
        /// The job.
        id: String,
        /// Where it was looked for.
        location: Location,
    },
    /// The job didn't fail.
    #[error("there is nothing to plan for copy job `{}`: {reason}", .id.escape_debug())]
    NotFailed {
        /// The job.
        id: String,
        /// What it is instead.
        reason: NotVerified,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The way of the handler ended.
    #[error(transparent)]
    Handler(#[from] HandlerError),
}

impl<E: Reads> CopyRemediator<E> {
    /// The plan for a failed copy, as the handler makes it in observe mode: with the ledger's guards where
    /// there is one, and without a trace in it. Nobody is told.
    pub async fn plan_of_job(
        &self,
        location: &Location,
        id: &str,
        invocation: &Invocation,
    ) -> Result<PlannedJob, PlanOfJobError> {
        let (event, failure) = self.failure_of(location, id).await?;
        let delivery = delivery(invocation, None);
        let mut history = self.remember(&failure, &delivery).await?;
        if let Some(ledger) = self.environment.ledger()
            && let Ok(Some(outcome)) = ledger.outcome_of_job(id).await
        {
            history
                .notes
                .push(format!("the function handled this job before: {outcome}"));
        }
        let facts = Box::pin(self.facts(&failure, invocation)).await;
        let investigated = Investigated::Whole(Box::new(facts));
        let diagnosis = investigated.diagnose(&failure);
        let decided = decide(
            &failure,
            &diagnosis,
            &investigated,
            &self.settings,
            &history,
        );
        let is_of_unlisted_source = decided.is_of_unlisted_source;
        let hash = match &decided.decision {
            Decision::Propose(plan) => Some(PlanHash::of(&failure, plan.as_deref())),
            Decision::Repair(_)
            | Decision::Retry
            | Decision::ReadAgain(_)
            | Decision::Resume(..)
            | Decision::Advise
            | Decision::Refuse(_)
            | Decision::Nothing => None,
        };
        let case = Case {
            failure: &failure,
            diagnosis: &diagnosis,
            investigated: &investigated,
            history: &history,
            invocation,
            arrival: Arrival {
                event: &Value::Null,
                delays: 0,
            },
        };
        let done: Done = match self.show(decided, &case).await {
            Shown::Done(done) | Shown::Planned(done) | Shown::Deed(done, _) => done,
        };
        let findings = Findings {
            event: &event,
            failure: Some(&failure),
            diagnosis: &diagnosis,
            unknown: investigated.unknown(),
            advice: self.advice(&event, &case, is_of_unlisted_source),
        };
        let report = Report::of(findings, self.settings.mode, done).owned(investigated.facts());
        let plan = hash.filter(|_| report.outcome == Outcome::Planned);
        Ok(PlannedJob {
            report,
            start: step_that_starts_again(&event, investigated.facts()),
            plan,
        })
    }

    async fn failure_of(
        &self,
        location: &Location,
        id: &str,
    ) -> Result<(CopyJobEvent, Failure), PlanOfJobError> {
        let Some(job) = self.ended_job(location, id).await? else {
            return Err(PlanOfJobError::NoSuchJob {
                id: id.to_owned(),
                location: location.clone(),
            });
        };
        let event = CopyJobEvent::of_job(job.id.clone(), &job);
        let failure = Failure::verify(&event, job);
        let failure = failure.map_err(|reason| PlanOfJobError::NotFailed {
            id: id.to_owned(),
            reason,
        })?;
        Ok((event, failure))
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// Carries out the plan that a person said yes to, and nothing else: everything is read again, and
    /// every guard is asked again. The agreement stands in for the mode, where what would be put is what was
    /// shown, and for the copy's age. People are told what came of it.
    pub async fn apply(
        &self,
        location: &Location,
        id: &str,
        agreement: &Agreement,
        invocation: &Invocation,
    ) -> Result<Report, PlanOfJobError> {
        let (event, failure) = self.failure_of(location, id).await?;
        let delivery = delivery(invocation, Some(agreement));
        let json = event.to_json();
        let arrival = Arrival {
            event: &json,
            delays: 0,
        };
        let verified = Ok(Box::new(failure));
        let report = Box::pin(self.report(&event, verified, &delivery, arrival)).await?;
        Ok(tell(self.environment.notifier(), report).await?)
    }
}

fn delivery<'d>(invocation: &'d Invocation, agreement: Option<&'d Agreement>) -> Delivery<'d> {
    Delivery {
        invocation,
        progress: JobProgress::default(),
        until: invocation.held_until(),
        agreement,
    }
}
