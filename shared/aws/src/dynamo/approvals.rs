//! The plans that people were asked about: one item each, and one for the open question of an
//! incident.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use copymend_remediation::approval::{ApprovalRequest, ApprovalRequests, RequestState, plain_id};
use copymend_remediation::ledger::Refusal;
use copymend_remediation::ports::{CallErrorKind, CallResult};
use serde::Serialize;

use super::history::policy_key;
use super::{DynamoLedger, REFUSED};
use crate::error::Call;
use crate::item::{Item, day, expiry, instant, schema, string, text, time};

/// So many days a request is kept: as long as a change that was taken back.
const KEPT_DAYS: i64 = 400;

/// What the keys of plans begin with.
pub(super) const PLAN: &str = "plan#";

fn key(id: &str) -> String {
    format!("{PLAN}{id}")
}

fn json(call: &Call, value: &impl Serialize) -> CallResult<String> {
    serde_json::to_string(value).map_err(|error| call.unreadable(error.to_string()))
}

pub(super) fn read(item: &Item) -> Option<(ApprovalRequest, RequestState)> {
    Some((
        serde_json::from_str(text(item, "plan_request")?).ok()?,
        serde_json::from_str(text(item, "request_state")?).ok()?,
    ))
}

impl DynamoLedger {
    /// The id of the plan that people were asked about last, if that question holds nobody back.
    async fn question_that_is_over(&self, question_key: &str) -> CallResult<Option<String>> {
        let Some(question) = self.get(question_key).await? else {
            return Ok(None);
        };
        let Some(id) = text(&question, "plan_id") else {
            return Ok(None);
        };
        let is_over = self
            .request(id)
            .await?
            .is_none_or(|(request, state)| !state.holds_back(&request));
        Ok(is_over.then(|| id.to_owned()))
    }
}

impl ApprovalRequests for DynamoLedger {
    async fn keep_request(
        &self,
        request: &ApprovalRequest,
        only_if_none_is_open: bool,
    ) -> CallResult<bool> {
        let id = plain_id(&request.id()).unwrap_or_default();
        let pk = key(&id);
        let call = Call::new("dynamodb:TransactWriteItems", &pk);
        let failed = |error: aws_smithy_types::error::operation::BuildError| {
            call.error(CallErrorKind::Failed, error.to_string())
        };
        // No two requests have the same id, so that one that is there is this one, from a call whose
        // answer was lost. It may have been answered since.
        let about = match &request.resource {
            Some(_) => ", policy_of = :resource",
            None => "",
        };
        let mut kept = self
            .update(&pk)
            .update_expression(
                format!("SET plan_request = if_not_exists(plan_request, :request), request_state = if_not_exists(request_state, :waiting), \
                 copy_job_id = :job, account = :account{about}, #day = if_not_exists(#day, :day), #at = if_not_exists(#at, :at), expires_at = if_not_exists(expires_at, :expires), #schema = :schema"),
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":request", string(json(&call, request)?))
            .expression_attribute_values(":waiting", string(json(&call, &RequestState::Waiting)?))
            .expression_attribute_values(":job", string(&request.copy_job_id))
            .expression_attribute_values(":account", string(request.account.as_str()))
            .expression_attribute_values(":day", day(request.asked_at))
            .expression_attribute_values(":at", instant(request.asked_at))
            .expression_attribute_values(":expires", expiry(request.asked_at, KEPT_DAYS));
        if let Some(resource) = &request.resource {
            kept = kept.expression_attribute_values(":resource", string(resource));
        }
        let question_key = format!("question#{}", request.incident);
        let question = Put::builder()
            .table_name(&self.table)
            .item("pk", string(&question_key))
            .item("schema", schema())
            .item("copy_job_id", string(&request.copy_job_id))
            .item("plan_id", string(&id))
            .item("open_until", time(request.expires_at))
            .item("expires_at", expiry(request.expires_at, 1));
        let item = TransactWriteItem::builder;
        let kept = item().update(kept.build().map_err(failed)?).build();
        let items = |question: PutBuilder| {
            let question = question.build().map_err(failed)?;
            Ok(vec![kept.clone(), item().put(question).build()])
        };
        if !only_if_none_is_open {
            let refused = self.send_transaction(&call, items(question)?).await?;
            return Ok(refused.is_none());
        }
        let unless_open = |question: PutBuilder, or: &str| {
            question
                .condition_expression(format!(
                    "attribute_not_exists(pk) OR open_until <= :now OR copy_job_id = :job{or}"
                ))
                .expression_attribute_values(":now", time(request.asked_at))
                .expression_attribute_values(":job", string(&request.copy_job_id))
        };
        let first = items(unless_open(question.clone(), ""))?;
        if self.send_transaction(&call, first).await?.is_none() {
            return Ok(true);
        }
        // There is a question. Where it was answered, it isn't open, whatever its time.
        let Some(answered) = self.question_that_is_over(&question_key).await? else {
            return Ok(false);
        };
        let question = unless_open(question, " OR plan_id = :over")
            .expression_attribute_values(":over", string(answered));
        let refused = self.send_transaction(&call, items(question)?).await?;
        Ok(refused.is_none())
    }

    async fn withdraw_request(&self, request: &ApprovalRequest) -> CallResult<()> {
        let pk = key(&plain_id(&request.id()).unwrap_or_default());
        let call = Call::new("dynamodb:DeleteItem", &pk);
        let withdrawn = self
            .delete_item(&pk)
            .condition_expression("request_state = :waiting")
            .expression_attribute_values(":waiting", string(json(&call, &RequestState::Waiting)?));
        call.find(&[REFUSED], withdrawn.send()).await?;
        Ok(())
    }

    async fn request(&self, id: &str) -> CallResult<Option<(ApprovalRequest, RequestState)>> {
        let Some(id) = plain_id(id) else {
            return Ok(None);
        };
        let pk = key(&id);
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        let call = Call::new("dynamodb:GetItem", &pk);
        let request = read(&item);
        let request = request.ok_or_else(|| call.unreadable("the item is no plan"))?;
        Ok(Some(request))
    }

    async fn answer_request(
        &self,
        request: &ApprovalRequest,
        before: &RequestState,
        after: &RequestState,
        refusal: Option<&Refusal>,
    ) -> CallResult<bool> {
        let pk = key(&plain_id(&request.id()).unwrap_or_default());
        let call = Call::new("dynamodb:TransactWriteItems", &pk);
        let failed = |error: aws_smithy_types::error::operation::BuildError| {
            call.error(CallErrorKind::Failed, error.to_string())
        };
        // A plan that was refused is kept as long as its refusal is in force, so that it can be lifted.
        let kept = match after {
            RequestState::Refused { .. } => " REMOVE expires_at",
            RequestState::Waiting | RequestState::InProgress { .. } | RequestState::Done { .. } => {
                ""
            }
        };
        let answered_at = after.answered().map(|answered| answered.at);
        let last = answered_at.unwrap_or(request.asked_at);
        // The second condition is for a call whose answer was lost.
        let state = self
            .update(&pk)
            .update_expression(format!(
                "SET request_state = :after, #day = :day, #at = :at{kept}"
            ))
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":day", day(last))
            .expression_attribute_values(":at", instant(last))
            .condition_expression("request_state = :before OR request_state = :after")
            .expression_attribute_values(":before", string(json(&call, before)?))
            .expression_attribute_values(":after", string(json(&call, after)?));
        let item = TransactWriteItem::builder;
        let mut items = vec![item().update(state.build().map_err(failed)?).build()];
        if let (Some(refusal), Some(resource), RequestState::Refused { answered, .. }) =
            (refusal, &request.resource, after)
        {
            let policy = self.policy_with_refusal(policy_key(resource), refusal);
            let record = self.refusal_of_plan(resource, refusal, request, answered);
            items.push(item().update(policy.build().map_err(failed)?).build());
            items.push(item().update(record.build().map_err(failed)?).build());
        }
        Ok(self.send_transaction(&call, items).await?.is_none())
    }
}
