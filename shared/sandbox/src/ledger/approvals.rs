//! The plans that people were asked about, in memory.

use copymend_remediation::approval::{ApprovalRequest, ApprovalRequests, RequestState, plain_id};
use copymend_remediation::ledger::Refusal;
use copymend_remediation::ports::CallResult;

use super::MemoryLedger;

impl ApprovalRequests for MemoryLedger {
    async fn keep_request(
        &self,
        request: &ApprovalRequest,
        only_if_none_is_open: bool,
    ) -> CallResult<bool> {
        let mut state = self.begin("ledger:KeepRequest", &request.copy_job_id)?;
        let Some(id) = plain_id(&request.id()) else {
            return Ok(false);
        };
        let open = state.questions.get(&request.incident);
        let open = open.and_then(|open| state.requests.get(open));
        let is_open = open.is_some_and(|(open, state)| {
            open.copy_job_id != request.copy_job_id
                && open.expires_at > request.asked_at
                && state.holds_back(open)
        });
        if only_if_none_is_open && is_open {
            return Ok(false);
        }
        state.questions.insert(request.incident.clone(), id.clone());
        state
            .requests
            .entry(id)
            .or_insert_with(|| (request.clone(), RequestState::Waiting));
        Ok(true)
    }

    async fn withdraw_request(&self, request: &ApprovalRequest) -> CallResult<()> {
        let mut state = self.begin("ledger:WithdrawRequest", &request.id())?;
        let id = plain_id(&request.id()).unwrap_or_default();
        let known = state.requests.get(&id);
        if known.is_some_and(|(_, state)| *state == RequestState::Waiting) {
            state.requests.remove(&id);
        }
        Ok(())
    }

    async fn request(&self, id: &str) -> CallResult<Option<(ApprovalRequest, RequestState)>> {
        let state = self.begin("ledger:Request", id)?;
        Ok(plain_id(id).and_then(|id| state.requests.get(&id).cloned()))
    }

    async fn answer_request(
        &self,
        request: &ApprovalRequest,
        before: &RequestState,
        after: &RequestState,
        refusal: Option<&Refusal>,
    ) -> CallResult<bool> {
        let mut state = self.begin("ledger:AnswerRequest", &request.id())?;
        let id = plain_id(&request.id()).unwrap_or_default();
        let Some((_, known)) = state.requests.get_mut(&id) else {
            return Ok(false);
        };
        // Its own, where the answer of an earlier call was lost.
        if known != before && known != after {
            return Ok(false);
        }
        *known = after.clone();
        if let (Some(refusal), Some(resource), RequestState::Refused { answered, .. }) =
            (refusal, &request.resource, after)
        {
            let policy = state.policies.entry(resource.clone()).or_default();
            policy.refuse(refusal.clone());
            state.refuse_plan(request, refusal, answered);
        }
        Ok(true)
    }
}
