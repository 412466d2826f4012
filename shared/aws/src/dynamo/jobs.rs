//! A job's entry, taken by the one who handles it.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use copymend_remediation::ledger::JobEntry;
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::{DONE, DynamoLedger, IN_PROGRESS, REFUSED};
use crate::error::Call;
use crate::item::{expiry, progress, schema, string, text, time};

/// Whether an entry that is done may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IsDoneFree {
    No,
    Yes,
}

impl IsDoneFree {
    const fn condition(self) -> &'static str {
        match self {
            Self::No => {
                "attribute_not_exists(pk) OR (job_state = :in_progress \
                 AND (held_until <= :now OR held_by = :owner))"
            }
            Self::Yes => {
                "attribute_not_exists(pk) OR job_state <> :in_progress \
                 OR held_until <= :now OR held_by = :owner"
            }
        }
    }
}

impl DynamoLedger {
    pub(super) async fn enter_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        is_done_free: IsDoneFree,
    ) -> CallResult<JobEntry> {
        let pk = format!("job#{copy_job_id}");
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let request = self.update_item(&pk)
            .update_expression(
                "SET job_state = :in_progress, held_by = :owner, held_until = :until, expires_at = :expires, \
                 #schema = :schema",
            )
            .condition_expression(is_done_free.condition())
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":expires", expiry(now, 30))
            .expression_attribute_values(":owner", string(owner))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match call.try_send(request.send()).await {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                return Ok(JobEntry::Started(progress(&item)));
            }
            Err(error) => error,
        };
        let refused = error
            .as_service_error()
            .filter(|error| error.code() == Some(REFUSED));
        let item = match refused {
            None => return Err(call.failed(&error)),
            Some(UpdateItemError::ConditionalCheckFailedException(refused))
                if refused.item().is_some() =>
            {
                refused.item().cloned()
            }
            // An endpoint that doesn't know the option answers without the item.
            Some(_) => self.get(&pk).await?,
        };
        // Gone since: whoever held it gave it up and will be called again.
        let Some(item) = item else {
            return Ok(JobEntry::InProgress);
        };
        match text(&item, "job_state") {
            Some(IN_PROGRESS) => Ok(JobEntry::InProgress),
            Some(DONE) => Ok(JobEntry::Done(
                text(&item, "outcome").unwrap_or_default().to_owned(),
            )),
            Some(_) | None => {
                Err(call.unreadable("`job_state` is neither `in-progress` nor `done`"))
            }
        }
    }
}
