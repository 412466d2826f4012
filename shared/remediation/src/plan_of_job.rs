//! What a person asks for: the plan of one failed copy, and exactly that plan carried out.

use std::time::Duration;

use copymend_diagnosis::{CopyJobEvent, Failure, NotVerified, step_that_starts_again};
use jiff::SignedDuration;
use serde_json::Value;

use crate::agreement::{Agreement, PlanHash};
use crate::approval::{Answered, Approval, ApprovalRequest, Reply};
use crate::decide::{Decided, Investigated, decide};
use crate::delivery::Delivery;
use crate::done::{Done, Findings};
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::incident::record_retry;
use crate::later::Arrival;
use crate::ledger::{CountState, Finish, JobProgress, Ledger};
use crate::message::{Message, send_at_once};
use crate::ports::{CallError, Clock, Environment, Location, Reads};
use crate::report::Report;
use crate::show::{Case, Organizations, Shown};

/// So often an agreed plan is gone on with after a call that failed for a reason that passes.
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_secs(2);
const TIME_FOR_A_TRY: SignedDuration = SignedDuration::from_secs(40);

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
    /// The copy was started again before.
    #[error("copy job `{}` was started again as job `{}`: where that failed, plan that one", .id.escape_debug(), .started.escape_debug())]
    StartedAgain {
        /// The job.
        id: String,
        /// The job that it was started again as.
        started: String,
    },
    /// The function handles the job right now.
    #[error("the function handles copy job `{}` right now: try again in some minutes", .0.escape_debug())]
    HandledNow(String),
    /// Nothing is carried out without a ledger.
    #[error("no ledger: without one nothing is carried out (COPYMEND_LEDGER_TABLE)")]
    NoLedger,
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
        self.planned(location, id, invocation, |decided, _| decided)
            .await
    }

    /// The same, with a last word on what was decided.
    async fn planned(
        &self,
        location: &Location,
        id: &str,
        invocation: &Invocation,
        last: impl FnOnce(Decided, &Case<'_>) -> Decided,
    ) -> Result<PlannedJob, PlanOfJobError> {
        let (event, failure) = self.failure_of(location, id).await?;
        if let Some(ledger) = self.environment.ledger() {
            refuse_started(ledger, id).await?;
        }
        let delivery = delivery(invocation, None, JobProgress::default());
        let mut history = self.remember(&failure, &delivery).await?;
        if let Some(ledger) = self.environment.ledger()
            && let Ok(Some(outcome)) = ledger.outcome_of_job(id).await
        {
            history
                .notes
                .push(format!("the function handled this job before: {outcome}"));
        }
        let organizations = Organizations::ReadAnew;
        let facts = Box::pin(self.facts(&failure, invocation, organizations, None)).await;
        let investigated = Investigated::Whole(Box::new(facts));
        let diagnosis = investigated.diagnose(&failure);
        let decided = decide(
            &failure,
            &diagnosis,
            &investigated,
            &self.settings,
            &history,
        );
        let case = Case {
            failure: &failure,
            diagnosis: &diagnosis,
            investigated: &investigated,
            history: &history,
            invocation,
            arrival: Arrival {
                event: &Value::Null,
                delays: 0,
                ahead: None,
            },
            begin: None,
            message: None,
        };
        let decided = last(decided, &case);
        let is_of_unlisted_source = decided.is_of_unlisted_source;
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
        Ok(PlannedJob {
            plan: report.plan,
            report,
            start: step_that_starts_again(&event, investigated.facts()),
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
    /// The plan as people are asked about it: what the function would make of its event now, with its
    /// queue of delayed retries.
    pub(crate) async fn plan_to_answer(
        &self,
        location: &Location,
        id: &str,
        invocation: &Invocation,
    ) -> Result<PlannedJob, PlanOfJobError> {
        self.planned(location, id, invocation, |decided, case| {
            self.with_a_queue(
                decided,
                case.failure,
                case.diagnosis,
                case.investigated,
                case.history,
                case.arrival,
            )
        })
        .await
    }

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
        let consent = Consent {
            agreement,
            request: None,
            resumed: None,
        };
        self.apply_with(location, id, &consent, invocation).await
    }

    pub(crate) async fn apply_with(
        &self,
        location: &Location,
        id: &str,
        consent: &Consent<'_>,
        invocation: &Invocation,
    ) -> Result<Report, PlanOfJobError> {
        let agreement = consent.agreement;
        let ledger = self.environment.ledger().ok_or(PlanOfJobError::NoLedger)?;
        let (event, failure) = self.failure_of(location, id).await?;
        refuse_started(ledger, id).await?;
        let clock = self.environment.clock();
        let json = event.to_json();
        let mut before = None;
        let mut tries = 0;
        let mut report = loop {
            let until = invocation.held_until();
            let taken = ledger.take_job(id, &invocation.id, clock.now(), until);
            let Some(mut progress) = taken.await? else {
                return Err(PlanOfJobError::HandledNow(id.to_owned()));
            };
            // What earlier deliveries left isn't what the person was shown. What this one left, before a
            // call failed, is.
            if tries == 0
                && !consent
                    .covers(ledger, progress.change_id.as_deref())
                    .await?
            {
                before = progress.change_id.take();
            }
            progress.change_id = progress.change_id.filter(|id| before.as_ref() != Some(id));
            let count = if progress.is_count_unclear {
                CountState::Unclear
            } else {
                CountState::Clear
            };
            let delivery = delivery(invocation, Some(agreement), progress);
            let arrival = Arrival {
                event: &json,
                delays: 0,
                ahead: None,
            };
            let verified = Ok(Box::new(failure.clone()));
            let reported = async {
                let mut report =
                    Box::pin(self.report(&event, verified, &delivery, arrival)).await?;
                record_retry(&self.environment, &mut report).await?;
                Ok(report)
            };
            let reported = reported.await;
            tries += 1;
            let left = invocation.deadline.duration_since(clock.now());
            match reported {
                Ok(report) => break report,
                Err(HandlerError::Call(error))
                    if error.may_pass() && tries < TRIES && left > TIME_FOR_A_TRY =>
                {
                    clock.sleep(BETWEEN_TRIES).await;
                }
                Err(error) => {
                    if let Err(error) = ledger.abandon_job(id, &invocation.id, count).await {
                        tracing::warn!(%error, "the job's entry was not freed and ends by itself");
                    }
                    return Err(error.into());
                }
            }
        };
        report.approval = consent.approval();
        let outcome = report.outcome.slug();
        let closed = ledger
            .finish_job(id, &invocation.id, &Finish::with(outcome), clock.now())
            .await;
        if let Err(error) = closed {
            tracing::warn!(%error, "the job's entry was not closed");
        }
        if !report.outcome.is_told() {
            return Ok(report);
        }
        let message = Message::Report(&report);
        let untold = send_at_once(&self.environment, message, invocation.deadline).await;
        // The last note says why something wasn't done.
        report.notes.splice(0..0, untold);
        Ok(report)
    }
}

/// A person's yes, and the question that it answers, where one was asked.
pub(crate) struct Consent<'c> {
    pub(crate) agreement: &'c Agreement,
    pub(crate) request: Option<&'c ApprovalRequest>,
    /// Who approved the plan first, where an invocation that carried it out died.
    pub(crate) resumed: Option<&'c Answered>,
}

impl Consent<'_> {
    /// Whether a change that an earlier invocation left is what was agreed to.
    async fn covers<L: Ledger>(&self, ledger: &L, change: Option<&str>) -> Result<bool, CallError> {
        let (Some(first), Some(id)) = (self.resumed, change) else {
            return Ok(false);
        };
        let change = ledger.change(id).await?;
        Ok(change.is_some_and(|(change, _)| first.made(&change)))
    }

    fn approval(&self) -> Option<Approval> {
        let answered = self.resumed.cloned().or_else(|| {
            Some(Answered {
                by: self.agreement.by()?.to_owned(),
                at: self.agreement.at(),
            })
        })?;
        Some(match self.request {
            Some(request) => Approval::answered(request, Reply::Approve, &answered),
            None => Approval::of(self.agreement.plan().id(), Reply::Approve, &answered),
        })
    }
}

/// A copy that was started again has a job of its own, which tells how it went.
async fn refuse_started<L: Ledger>(ledger: &L, id: &str) -> Result<(), PlanOfJobError> {
    let progress = ledger.progress_of_job(id).await?;
    match progress.and_then(|progress| progress.retried_as) {
        Some(started) => Err(PlanOfJobError::StartedAgain {
            id: id.to_owned(),
            started,
        }),
        None => Ok(()),
    }
}

fn delivery<'d>(
    invocation: &'d Invocation,
    agreement: Option<&'d Agreement>,
    progress: JobProgress,
) -> Delivery<'d> {
    Delivery {
        invocation,
        progress,
        recalled: None,
        until: invocation.held_until(),
        is_asked_by_a_person: true,
        agreement,
    }
}
