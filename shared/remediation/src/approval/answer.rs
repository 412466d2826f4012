//! Answering: what is asked, and who may answer.

use copymend_diagnosis::RoleArn;
use copymend_policy::AccountId;
use jiff::Timestamp;
use serde::Serialize;

use super::ask::to_the_millisecond;
use super::look::Standing;
use super::{
    Answered, ApprovalInput, ApprovalRequest, ApprovalRequests, Asked, CallerIdentity, Callers,
    Reply, RequestState, SignedWords, plain_id,
};
use crate::agreement::PlanHash;
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::plan::Target;
use crate::ports::{Clock, Environment};
use crate::report::Report;
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
pub(super) struct Answering<'a> {
    pub(super) plan: &'a str,
    pub(super) function_arn: &'a str,
    pub(super) invocation: &'a Invocation,
}

impl Answering<'_> {
    pub(super) fn ends(&self, result: ApprovalResult, why: Option<String>) -> ApprovalAnswer {
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

    pub(super) fn not_accepted(&self, why: impl Into<String>) -> ApprovalAnswer {
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
