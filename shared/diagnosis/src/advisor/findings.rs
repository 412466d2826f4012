//! What was missing, and what people should do about it, from the facts.

use copymend_policy::Arn;
use serde_json::Value;

use super::advice::{advise_caller, advise_job_role};
use super::call::ApiCallEvent;
use super::facts::{CallerFacts, JobFacts};
use super::job::ServiceJob;
use super::needs::Need;
use super::permissions::permissions;
use super::policy::least_privilege;
use super::weigh::{weigh_call, weigh_job, with_message};
use crate::advice::Advice;
use crate::assess::Assessment;
use crate::causes::Cause;
use crate::fact::WhyUnknown;
use crate::messages::explain;
use crate::permission::PermissionAnswer;
use crate::resource::RoleArn;

/// What was found out about a refused call or an unsuccessful job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Every cause that was considered, best first.
    pub candidates: Vec<Assessment>,
    /// Every read that told nothing.
    pub unknown: Vec<WhyUnknown>,
    /// The answer to each need, and what the service's own words add.
    pub permissions: Vec<PermissionAnswer>,
    /// The least-privilege policy to paste, where something is missing.
    pub policy: Option<Value>,
    /// What people should do.
    pub advice: Advice,
}

impl Findings {
    /// Holds what a call needs against the facts.
    #[must_use]
    pub fn of_call(call: &ApiCallEvent, needs: &[Need], facts: &CallerFacts) -> Self {
        let explanation = explain(&call.error_message);
        let principal = call.caller.principal.as_ref();
        let answers = permissions(needs, principal, call.caller.acting_as(), facts);
        let permissions = with_message(answers, &explanation);
        let policy = least_privilege(needs, &permissions);
        let candidates = weigh_call(&permissions, facts, &explanation);
        let (cause, key) = (first(&candidates), facts.key.as_ref());
        Self {
            advice: advise_caller(call, cause, &permissions, policy.as_ref(), key),
            candidates,
            unknown: facts.unknown().into_iter().cloned().collect(),
            permissions,
            policy,
        }
    }

    /// Holds what a job's role needs against the facts.
    #[must_use]
    pub fn of_job(job: &ServiceJob, needs: &[Need], facts: &JobFacts) -> Self {
        let explanation = explain(&job.status_message);
        let role = job.role.as_ref().map(RoleArn::arn);
        let answers = permissions(needs, role, role.map_or("", Arn::as_str), &facts.caller);
        let permissions = with_message(answers, &explanation);
        let policy = least_privilege(needs, &permissions);
        let candidates = weigh_job(job, &permissions, facts, &explanation);
        let cause = first(&candidates);
        Self {
            advice: advise_job_role(job, cause, &permissions, policy.as_ref()),
            candidates,
            unknown: facts.unknown().into_iter().cloned().collect(),
            permissions,
            policy,
        }
    }
}

fn first(candidates: &[Assessment]) -> Cause {
    candidates
        .first()
        .map_or(Cause::Unknown, |candidate| candidate.cause)
}
