//! Looking at a plan that waits: how it stands, and what it is by now.

use super::answer::{Answering, ApprovalAnswer, ApprovalResult};
use super::{Answered, ApprovalRequest, ApprovalRequests, RequestState};
use crate::guards::Guard;
use crate::handler::{CopyRemediator, HandlerError};
use crate::plan_of_job::{PlanOfJobError, PlannedJob};
use crate::ports::{CallError, Clock, Environment, Location};
use crate::report::Report;

impl<E: Environment> CopyRemediator<E> {
    /// The plan as it is now, if it is still the one that people were asked about.
    pub(super) async fn show_request(
        &self,
        answering: &Answering<'_>,
        request: &ApprovalRequest,
        state: &RequestState,
    ) -> Result<ApprovalAnswer, HandlerError> {
        let shown = |report: Option<Box<Report>>| ApprovalAnswer {
            hash: Some(request.hash),
            expires_at: Some(request.expires_at),
            report,
            ..answering.ends(ApprovalResult::Shown, None)
        };
        match self.standing(request, state) {
            Standing::Open => {}
            // The policy may hold the change by now, so that there is nothing to compare.
            Standing::Interrupted(first) => {
                return Ok(ApprovalAnswer {
                    why: Some(format!(
                        "{} approved it at {}, and the invocation that carried it out did not come to its end: approve it again to go on",
                        first.by, first.at
                    )),
                    ..shown(None)
                });
            }
            Standing::Closed(why) => {
                let is_refused = matches!(state, RequestState::Refused { .. });
                return Ok(ApprovalAnswer {
                    // The refusal can be lifted.
                    hash: is_refused.then_some(request.hash),
                    ..answering.not_accepted(why)
                });
            }
        }
        let location = location(request);
        let planned = self
            .plan_to_answer(&location, &request.copy_job_id, answering.invocation)
            .await;
        Ok(match planned {
            Ok(planned) if planned.plan == Some(request.plan) => {
                shown(Some(Box::new(planned.report)))
            }
            Ok(planned) => {
                if let Some(why) = not_now(&planned) {
                    ApprovalAnswer {
                        // It can be refused.
                        hash: Some(request.hash),
                        report: Some(Box::new(planned.report)),
                        ..answering.not_accepted(why)
                    }
                } else {
                    let why = "something that the plan rests on has changed since people were asked: it can't be approved any more";
                    self.seen_anew(answering.not_accepted(why), planned, request)
                        .await?
                }
            }
            Err(error) => answering.not_accepted(passing(error)?),
        })
    }

    /// How a request stands.
    pub(super) fn standing(&self, request: &ApprovalRequest, state: &RequestState) -> Standing {
        let now = self.environment.clock().now();
        match state {
            RequestState::Waiting if now >= request.expires_at => Standing::Closed(format!(
                "nobody answered the plan until {}: no answer means no, and people are asked again when the copy fails again",
                request.expires_at
            )),
            RequestState::Waiting => Standing::Open,
            RequestState::InProgress {
                answered, until, ..
            } if now >= *until => Standing::Interrupted(answered.clone()),
            RequestState::InProgress {
                answered, until, ..
            } => Standing::Closed(format!(
                "{} approved the plan at {}, and it is being carried out: ask again after {until}",
                answered.by, answered.at
            )),
            RequestState::Done { answered, outcome } => Standing::Closed(format!(
                "{} approved the plan at {}; what came of it: {outcome}",
                answered.by, answered.at
            )),
            RequestState::Refused { answered, .. } => Standing::Closed(format!(
                "{} refused the plan at {}",
                answered.by, answered.at
            )),
        }
    }

    /// The answer with what people are asked instead, where there is a plan: the person who reads it
    /// knows of it, so that nobody else is told.
    pub(super) async fn asked_anew(
        &self,
        answer: ApprovalAnswer,
        planned: PlannedJob,
        answering: &Answering<'_>,
    ) -> Result<ApprovalAnswer, HandlerError> {
        let report = self.asking(planned.report, answering.invocation);
        self.kept_anew(answer, report).await
    }

    /// The same where somebody only looks, who may be anybody who may invoke the alias: however often
    /// that happens, there is one other plan, and it ends when the first one does.
    async fn seen_anew(
        &self,
        answer: ApprovalAnswer,
        planned: PlannedJob,
        before: &ApprovalRequest,
    ) -> Result<ApprovalAnswer, HandlerError> {
        let report = self.asking_instead(planned.report, before);
        self.kept_anew(answer, report).await
    }

    async fn kept_anew(
        &self,
        answer: ApprovalAnswer,
        mut report: Report,
    ) -> Result<ApprovalAnswer, HandlerError> {
        let request = report.request.take();
        if let (Some(request), Some(ledger)) = (&request, self.environment.ledger()) {
            ledger.keep_request(request, false).await?;
        }
        Ok(ApprovalAnswer {
            plan_now: request.map(|request| request.id()),
            report: Some(Box::new(report)),
            ..answer
        })
    }
}

/// Why a plan would not be carried out now, where a guard says no that may say yes later.
fn not_now(planned: &PlannedJob) -> Option<String> {
    let mut failed = planned
        .report
        .guards
        .iter()
        .filter(|guard| !guard.passed && guard.guard != Guard::Mode);
    let guard = failed.next().filter(|_| planned.plan.is_none())?;
    Some(format!(
        "as things are it would not be carried out: {}: {}",
        guard.guard.name(),
        guard.detail
    ))
}

/// Whether a request can be answered.
pub(super) enum Standing {
    Open,
    /// It was approved by this person, and nobody carries it out.
    Interrupted(Answered),
    /// It can't, for this reason.
    Closed(String),
}

pub(super) fn location(request: &ApprovalRequest) -> Location {
    Location::new(request.account, &request.region)
}

/// Why a job has no plan; an error that passes stays one.
fn passing(error: PlanOfJobError) -> Result<String, HandlerError> {
    let may_pass = |error: &CallError| error.may_pass();
    match error {
        PlanOfJobError::Call(error) | PlanOfJobError::Handler(HandlerError::Call(error))
            if may_pass(&error) =>
        {
            Err(HandlerError::Call(error))
        }
        other @ (PlanOfJobError::NoSuchJob { .. }
        | PlanOfJobError::NotFailed { .. }
        | PlanOfJobError::StartedAgain { .. }
        | PlanOfJobError::HandledNow(_)
        | PlanOfJobError::NoLedger
        | PlanOfJobError::Call(_)
        | PlanOfJobError::Handler(_)) => Ok(other.to_string()),
    }
}
