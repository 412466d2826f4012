//! A yes carried out, and a no kept.

use jiff::Timestamp;

use super::answer::{Answering, ApprovalAnswer, ApprovalResult};
use super::look::location;
use super::{Answered, ApprovalRequest, ApprovalRequests, RequestState};
use crate::agreement::Agreement;
use crate::handler::{CopyRemediator, HandlerError};
use crate::ledger::Ledger;
use crate::message::SentOnce;
use crate::plan_of_job::{Consent, PlanOfJobError};
use crate::ports::{Clock, Environment};
use crate::report::{Outcome, Report};

/// A yes that is being carried out.
struct Taking<'t> {
    answering: &'t Answering<'t>,
    request: &'t ApprovalRequest,
    before: &'t RequestState,
    taken: &'t RequestState,
    answered: &'t Answered,
    /// Who approved the plan first, where an invocation that carried it out died.
    first: Option<&'t Answered>,
}

impl Taking<'_> {
    /// The request as this invocation holds it until then.
    fn in_progress(&self, until: Timestamp) -> RequestState {
        RequestState::InProgress {
            answered: self.first.unwrap_or(self.answered).clone(),
            owner: self.answering.invocation.id.clone(),
            until,
        }
    }
}

/// What came of carrying a plan out.
enum CameOf {
    /// It is over, with this outcome on record.
    Ended(String, Box<ApprovalAnswer>),
    /// Nothing was done, and it can be answered again.
    Freed(Box<ApprovalAnswer>),
}

impl<E: Environment> CopyRemediator<E> {
    pub(super) async fn refuse(
        &self,
        answering: &Answering<'_>,
        ledger: &E::Ledger,
        request: &ApprovalRequest,
        state: RequestState,
        (answered, allow_again): (Answered, bool),
    ) -> Result<ApprovalAnswer, HandlerError> {
        let refusal = request.refusal();
        let (answered, is_told) = match state {
            RequestState::Refused {
                answered: first,
                is_told,
            } => {
                if allow_again
                    && let (Some(refusal), Some(resource)) = (&refusal, &request.resource)
                {
                    let now = self.environment.clock().now();
                    ledger
                        .lift_refusal(resource, refusal, Some(&answered.by), now)
                        .await?;
                    let why = format!(
                        "{} had refused the plan at {}; the same may be asked again now",
                        first.by, first.at
                    );
                    return Ok(ApprovalAnswer {
                        answered: Some(first),
                        ..answering.ends(ApprovalResult::Refused, Some(why))
                    });
                }
                (first, is_told)
            }
            before @ (RequestState::Waiting
            | RequestState::InProgress { .. }
            | RequestState::Done { .. }) => {
                let after = RequestState::Refused {
                    answered: answered.clone(),
                    is_told: false,
                };
                let refusal = refusal.as_ref().filter(|_| !allow_again);
                if !ledger
                    .answer_request(request, &before, &after, refusal)
                    .await?
                {
                    return Ok(answering.not_accepted(
                        "somebody else answered the plan at the same time: ask again what came of it",
                    ));
                }
                (answered, false)
            }
        };
        let mut answer = ApprovalAnswer {
            answered: Some(answered.clone()),
            ..answering.ends(ApprovalResult::Refused, None)
        };
        if is_told {
            answer.why = Some(format!(
                "{} refused the plan at {}",
                answered.by, answered.at
            ));
            return Ok(answer);
        }
        let report = self
            .report_of_refusal(request, &answered, answering.invocation)
            .await;
        let told = |is_told| RequestState::Refused {
            answered: answered.clone(),
            is_told,
        };
        match self
            .tell_of_answer(request, &report, answering.invocation)
            .await?
        {
            SentOnce::Now | SentOnce::Before => {
                ledger
                    .answer_request(request, &told(false), &told(true), None)
                    .await?;
            }
            // Whoever tells it also writes down that it is told.
            SentOnce::ByAnother => {}
        }
        answer.report = Some(Box::new(report));
        Ok(answer)
    }

    pub(super) async fn approve(
        &self,
        answering: &Answering<'_>,
        ledger: &E::Ledger,
        request: &ApprovalRequest,
        before: RequestState,
        answered: Answered,
    ) -> Result<ApprovalAnswer, HandlerError> {
        let invocation = answering.invocation;
        // Who approved it first has approved it: whoever goes on where that invocation died may.
        let first = match &before {
            RequestState::InProgress { answered, .. } => Some(answered.clone()),
            RequestState::Waiting | RequestState::Done { .. } | RequestState::Refused { .. } => {
                None
            }
        };
        let taken = RequestState::InProgress {
            answered: first.clone().unwrap_or_else(|| answered.clone()),
            owner: invocation.id.clone(),
            until: invocation.held_until(),
        };
        if !ledger
            .answer_request(request, &before, &taken, None)
            .await?
        {
            return Ok(answering.not_accepted(
                "somebody else answered the plan at the same time: ask again what came of it",
            ));
        }
        let agreement = Agreement::to(request.plan, Some(answered.by.clone()), answered.at);
        let consent = Consent {
            agreement: &agreement,
            request: Some(request),
            resumed: first.as_ref(),
        };
        let applied = Box::pin(self.apply_with(
            &location(request),
            &request.copy_job_id,
            &consent,
            invocation,
        ))
        .await;
        let taking = Taking {
            answering,
            request,
            before: &before,
            taken: &taken,
            answered: &answered,
            first: first.as_ref(),
        };
        let (after, answer) = match Box::pin(self.came_of(&taking, ledger, applied)).await? {
            CameOf::Ended(after, answer) => (after, *answer),
            CameOf::Freed(answer) => return Ok(*answer),
        };
        let done = RequestState::Done {
            answered: first.clone().unwrap_or_else(|| answered.clone()),
            outcome: after,
        };
        // What was done is done, also where this isn't on record.
        if let Err(error) = ledger.answer_request(request, &taken, &done, None).await {
            tracing::warn!(%error, "what came of the plan was not recorded with it");
        }
        if answer.result != ApprovalResult::NotCarriedOut {
            return Ok(answer);
        }
        let planned = self
            .plan_to_answer(&location(request), &request.copy_job_id, invocation)
            .await;
        match planned {
            Ok(planned) => {
                let report = answer.report.clone();
                let asked = self.asked_anew(answer, planned, answering).await?;
                Ok(ApprovalAnswer { report, ..asked })
            }
            Err(_) => Ok(answer),
        }
    }

    /// What came of the plan. An error leaves it free to be gone on with.
    async fn came_of(
        &self,
        taking: &Taking<'_>,
        ledger: &E::Ledger,
        applied: Result<Report, PlanOfJobError>,
    ) -> Result<CameOf, HandlerError> {
        let ends = |result, why: Option<String>| ApprovalAnswer {
            answered: Some(taking.answered.clone()),
            ..taking.answering.ends(result, why)
        };
        Ok(match applied {
            Ok(report) => {
                let outcome = report.outcome;
                let result = result_of(outcome);
                let why = (result == ApprovalResult::NotCarriedOut).then(|| why_not(&report));
                let answer = ApprovalAnswer {
                    report: Some(Box::new(report)),
                    ..ends(result, why)
                };
                CameOf::Ended(outcome.slug().to_owned(), Box::new(answer))
            }
            Err(PlanOfJobError::StartedAgain { started, id }) => {
                let why = format!("the copy of job {id} was started again as job {started}");
                if let Some(first) = taking.first {
                    let report = self
                        .report_of_interrupted(
                            taking.request,
                            first,
                            &started,
                            taking.answering.invocation,
                        )
                        .await?;
                    self.tell_of_answer(taking.request, &report, taking.answering.invocation)
                        .await?;
                }
                let result = match taking.first {
                    Some(_) => ApprovalResult::CarriedOut,
                    None => ApprovalResult::NotCarriedOut,
                };
                CameOf::Ended(why.clone(), Box::new(ends(result, Some(why))))
            }
            Err(error @ PlanOfJobError::HandledNow(_)) => {
                // Nothing was done: the answer can be given again.
                ledger
                    .answer_request(taking.request, taking.taken, taking.before, None)
                    .await?;
                CameOf::Freed(Box::new(taking.answering.not_accepted(error.to_string())))
            }
            Err(
                error @ (PlanOfJobError::NoSuchJob { .. }
                | PlanOfJobError::NotFailed { .. }
                | PlanOfJobError::NoLedger),
            ) => {
                let why = error.to_string();
                CameOf::Ended(
                    why.clone(),
                    Box::new(ends(ApprovalResult::NotCarriedOut, Some(why))),
                )
            }
            Err(
                PlanOfJobError::Call(error) | PlanOfJobError::Handler(HandlerError::Call(error)),
            ) => {
                // Something may have been written. Nobody has it any more, so that it can be approved
                // again to go on.
                let free = taking.in_progress(self.environment.clock().now());
                let freed = ledger
                    .answer_request(taking.request, taking.taken, &free, None)
                    .await;
                if let Err(error) = freed {
                    tracing::warn!(%error, "the plan was not freed and is free after the invocation's time");
                }
                return Err(HandlerError::Call(error));
            }
            Err(PlanOfJobError::Handler(
                error @ (HandlerError::Event(_) | HandlerError::Approval(_)),
            )) => return Err(error),
        })
    }
}

const fn result_of(outcome: Outcome) -> ApprovalResult {
    match outcome {
        Outcome::RepairedAndRetried
        | Outcome::Repaired
        | Outcome::Retried
        | Outcome::RetryPlanned => ApprovalResult::CarriedOut,
        Outcome::Planned
        | Outcome::Advised
        | Outcome::Refused
        | Outcome::Failed
        | Outcome::Recovered
        | Outcome::Nothing
        | Outcome::AlreadyHandled => ApprovalResult::NotCarriedOut,
    }
}

fn why_not(report: &Report) -> String {
    let failed = report.guards.iter().find(|guard| !guard.passed);
    let guard = failed.map(|guard| format!("{}: {}", guard.guard.name(), guard.detail));
    let note = report.notes.last().cloned();
    guard
        .or(note)
        .unwrap_or_else(|| format!("it ended as {}", report.outcome.slug()))
}
