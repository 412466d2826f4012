//! Answering: who may, what is left of the plan, and what comes of it.

use copymend_diagnosis::RoleArn;
use copymend_policy::AccountId;
use jiff::Timestamp;
use serde::Serialize;

use super::ask::to_the_millisecond;
use super::{
    Answered, ApprovalInput, ApprovalRequest, ApprovalRequests, Asked, CallerIdentity, Callers,
    Reply, RequestState, SignedWords, plain_id,
};
use crate::agreement::{Agreement, PlanHash};
use crate::guards::Guard;
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::ledger::Ledger;
use crate::plan::Target;
use crate::plan_of_job::{Consent, PlanOfJobError, PlannedJob};
use crate::ports::{CallError, Clock, Environment, Location};
use crate::report::{Outcome, Report};
use crate::settings::Mode;

/// What an invocation of the alias answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovalAnswer {
    /// The version of this form.
    pub approval: u8,
    /// The plan's id, as it was asked for.
    pub plan: String,
    /// What came of it.
    pub result: ApprovalResult,
    /// Why, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The hash to answer with, of a plan that is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<PlanHash>,
    /// Until when it can be answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The function that is answered: its ARN with the alias.
    pub function: String,
    /// Who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
    /// The plan as it is by now, where that is another one: people are asked about it instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_now: Option<String>,
    /// The plan that is shown, or what came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<Report>>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalResult {
    /// The plan is shown and waits for an answer.
    Shown,
    /// The plan was carried out.
    CarriedOut,
    /// The plan was approved, and not carried out.
    NotCarriedOut,
    /// The plan was refused.
    Refused,
    /// The answer counts for nothing.
    NotAccepted,
}

/// What stays the same while a request is answered.
struct Answering<'a> {
    plan: &'a str,
    function_arn: &'a str,
    invocation: &'a Invocation,
}

impl Answering<'_> {
    fn ends(&self, result: ApprovalResult, why: Option<String>) -> ApprovalAnswer {
        ApprovalAnswer {
            approval: 1,
            plan: self.plan.to_owned(),
            result,
            why,
            hash: None,
            expires_at: None,
            function: self.function_arn.to_owned(),
            answered: None,
            plan_now: None,
            report: None,
        }
    }

    fn not_accepted(&self, why: impl Into<String>) -> ApprovalAnswer {
        self.ends(ApprovalResult::NotAccepted, Some(why.into()))
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// Shows a plan that waits, or takes an answer to it. `function_arn` is the ARN that the function
    /// was invoked by, with the alias for answers.
    pub async fn answer_approval(
        &self,
        input: &ApprovalInput,
        function_arn: &str,
        invocation: &Invocation,
    ) -> Result<ApprovalAnswer, HandlerError> {
        let plan: String = input.plan.chars().take(100).collect();
        let answering = Answering {
            plan: &plan,
            function_arn,
            invocation,
        };
        if self.settings.mode != Mode::Approve {
            let mode = self.settings.mode;
            return Ok(answering.not_accepted(format!(
                "COPYMEND_MODE is {mode}: plans are answered in approve mode alone"
            )));
        }
        let Some(ledger) = self.environment.ledger() else {
            return Ok(answering
                .not_accepted("no ledger keeps plans: name its table in COPYMEND_LEDGER_TABLE"));
        };
        let no_such = "there is no such plan: the id is misspelt, or the plan was of long ago";
        let Some(id) = plain_id(&plan) else {
            return Ok(answering.not_accepted(no_such));
        };
        let Some((request, state)) = ledger.request(&id).await? else {
            return Ok(answering.not_accepted(no_such));
        };
        match &input.answer {
            None => self.show_request(&answering, &request, &state).await,
            Some(asked) => {
                Box::pin(self.take_answer(&answering, ledger, asked, &request, state)).await
            }
        }
    }

    /// The plan as it is now, if it is still the one that people were asked about.
    async fn show_request(
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
    fn standing(&self, request: &ApprovalRequest, state: &RequestState) -> Standing {
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

    async fn take_answer(
        &self,
        answering: &Answering<'_>,
        ledger: &E::Ledger,
        asked: &Asked,
        request: &ApprovalRequest,
        state: RequestState,
    ) -> Result<ApprovalAnswer, HandlerError> {
        if asked.hash != request.hash {
            return Ok(answering.not_accepted("the answer is to another plan than this one"));
        }
        // Before AWS is asked: what can't be answered any more needs no name.
        let standing = self.standing(request, &state);
        let refused_before = matches!(
            (&state, asked.reply),
            (RequestState::Refused { .. }, Reply::Refuse)
        );
        if let Standing::Closed(why) = &standing
            && !refused_before
        {
            return Ok(answering.not_accepted(why));
        }
        // Something may have been written: a no would say that nothing was.
        if let (Standing::Interrupted(first), Reply::Refuse) = (&standing, asked.reply) {
            return Ok(answering.not_accepted(format!(
                "{} approved the plan at {}, and the invocation that carried it out did not come to its end: what it wrote, `copymend history` and \
                 `copymend undo` know; approve the plan again to go on",
                first.by, first.at
            )));
        }
        let now = self.environment.clock().now();
        let identity = match asked.identity.clone().fresh(now) {
            Ok(identity) => identity,
            Err(why) => return Ok(answering.not_accepted(why.to_string())),
        };
        let words = SignedWords::to_request(asked, request, answering.function_arn);
        let caller = match self
            .environment
            .callers()
            .who_signed(&identity, &words)
            .await
        {
            Ok(caller) => caller,
            Err(error) if error.may_pass() => return Err(error.into()),
            Err(error) => {
                return Ok(answering.not_accepted(format!(
                    "AWS does not confirm who answers this plan of this function: {}",
                    error.detail
                )));
            }
        };
        // Lifting a refusal opens the way to the grant, as a yes does.
        let is_opening = asked.reply == Reply::Approve || (refused_before && asked.allow_again);
        if let Some(why) = self.may_not_answer(&caller, is_opening, request) {
            return Ok(answering.not_accepted(why));
        }
        let answered = Answered {
            by: caller.arn.to_string(),
            at: to_the_millisecond(self.environment.clock().now()),
        };
        match asked.reply {
            Reply::Refuse => {
                self.refuse(
                    answering,
                    ledger,
                    request,
                    state,
                    (answered, asked.allow_again),
                )
                .await
            }
            Reply::Approve => {
                self.approve(answering, ledger, request, state, answered)
                    .await
            }
        }
    }

    /// Why somebody whom AWS names may not answer.
    fn may_not_answer(
        &self,
        caller: &CallerIdentity,
        is_opening: bool,
        request: &ApprovalRequest,
    ) -> Option<String> {
        let arn = &caller.arn;
        if !self.settings.approvers.admit(arn) {
            return Some(format!("COPYMEND_APPROVERS does not admit {arn}"));
        }
        // Whoever has the function's own credentials isn't a second pair of eyes, and they assume the
        // member role.
        let own = self
            .settings
            .deployment
            .role_in(arn.partition(), caller.account);
        let own: Option<RoleArn> = own.and_then(|role| role.parse().ok());
        let is_own = own.is_some_and(|role| {
            arn.resource()
                .strip_prefix("assumed-role/")
                .and_then(|rest| rest.split('/').next())
                == Some(role.name())
        });
        if is_own {
            return Some(format!(
                "{arn} is the function's own role, or the member role that it assumes"
            ));
        }
        if is_opening && caller.account == request.account && is_grant_to_source(request) {
            return Some(format!(
                "{arn} is of account {}, to which the plan would give a grant: somebody of another account decides that",
                request.account
            ));
        }
        None
    }

    async fn refuse(
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
        self.tell_of_answer(&report).await?;
        let told = |is_told| RequestState::Refused {
            answered: answered.clone(),
            is_told,
        };
        ledger
            .answer_request(request, &told(false), &told(true), None)
            .await?;
        answer.report = Some(Box::new(report));
        Ok(answer)
    }

    async fn approve(
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
        let in_progress = |until| RequestState::InProgress {
            answered: first.clone().unwrap_or_else(|| answered.clone()),
            owner: invocation.id.clone(),
            until,
        };
        let taken = in_progress(invocation.held_until());
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
        let ends = |result, why: Option<String>| ApprovalAnswer {
            answered: Some(answered.clone()),
            ..answering.ends(result, why)
        };
        let (after, answer) = match applied {
            Ok(report) => {
                let outcome = report.outcome;
                let result = result_of(outcome);
                let why = (result == ApprovalResult::NotCarriedOut).then(|| why_not(&report));
                let answer = ApprovalAnswer {
                    report: Some(Box::new(report)),
                    ..ends(result, why)
                };
                (outcome.slug().to_owned(), answer)
            }
            Err(PlanOfJobError::StartedAgain { started, id }) => {
                let why = format!("the copy of job {id} was started again as job {started}");
                if let Some(first) = &first {
                    let report = self
                        .report_of_interrupted(request, first, &started, invocation)
                        .await?;
                    self.tell_of_answer(&report).await?;
                }
                let result = match first {
                    Some(_) => ApprovalResult::CarriedOut,
                    None => ApprovalResult::NotCarriedOut,
                };
                (why.clone(), ends(result, Some(why)))
            }
            Err(error @ PlanOfJobError::HandledNow(_)) => {
                // Nothing was done: the answer can be given again.
                ledger
                    .answer_request(request, &taken, &before, None)
                    .await?;
                return Ok(answering.not_accepted(error.to_string()));
            }
            Err(
                error @ (PlanOfJobError::NoSuchJob { .. }
                | PlanOfJobError::NotFailed { .. }
                | PlanOfJobError::NoLedger),
            ) => {
                let why = error.to_string();
                (why.clone(), ends(ApprovalResult::NotCarriedOut, Some(why)))
            }
            Err(
                PlanOfJobError::Call(error) | PlanOfJobError::Handler(HandlerError::Call(error)),
            ) => {
                // Something may have been written. Nobody has it any more, so that it can be approved
                // again to go on.
                let free = in_progress(self.environment.clock().now());
                let freed = ledger.answer_request(request, &taken, &free, None).await;
                if let Err(error) = freed {
                    tracing::warn!(%error, "the plan was not freed and is free after the invocation's time");
                }
                return Err(HandlerError::Call(error));
            }
            Err(PlanOfJobError::Handler(
                error @ (HandlerError::Event(_) | HandlerError::Approval(_)),
            )) => return Err(error),
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

    /// The answer with what people are asked instead, where there is a plan: the person who reads it
    /// knows of it, so that nobody else is told.
    async fn asked_anew(
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
enum Standing {
    Open,
    /// It was approved by this person, and nobody carries it out.
    Interrupted(Answered),
    /// It can't, for this reason.
    Closed(String),
}

fn location(request: &ApprovalRequest) -> Location {
    Location::new(request.account, &request.region)
}

/// Whether the plan lets the source account into something of another account. A statement in the
/// policy of the source's own key admits others.
fn is_grant_to_source(request: &ApprovalRequest) -> bool {
    let resource = request.resource.as_deref().unwrap_or_default();
    match Target::of_resource(resource) {
        Some(Target::VaultPolicy(vault)) => {
            let owner: Option<AccountId> = vault.account_id();
            owner != Some(request.account)
        }
        Some(Target::KeyPolicy(_) | Target::ServiceLinkedRole(_)) | None => false,
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

/// Why a job has no plan; an error that passes stays one.
fn passing(error: PlanOfJobError) -> Result<String, HandlerError> {
    let may_pass = |error: &CallError| error.may_pass();
    match error {
        PlanOfJobError::Call(error) | PlanOfJobError::Handler(HandlerError::Call(error))
            if may_pass(&error) =>
        {
            Err(HandlerError::Call(error))
        }
        other => Ok(other.to_string()),
    }
}
