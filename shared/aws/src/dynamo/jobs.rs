//! A job's entry, taken by the one who handles it.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Update,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::error::operation::BuildError;
use copymend_remediation::ledger::{
    CountState, CountedAs, Finish, JobEntry, JobProgress, RecalledJob,
};
use copymend_remediation::message::Channels;
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::counting::Remembered;
use super::{DONE, DynamoLedger, IN_PROGRESS, REFUSED};
use crate::error::Call;
use crate::item::{Item, expiry, moment, number, progress, schema, string, text, time};

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

pub(super) const NO_STATE: &str = "`job_state` is neither `in-progress` nor `done`";
/// That an owner begins a job.
const BEGIN: &str = "SET job_state = :in_progress, held_by = :owner, held_until = :until, \
                     expires_at = :expires, #schema = :schema";
/// From then on, until the owner finishes or abandons it, nobody knows whether it was counted.
const UNCLEAR: &str = "is_count_unclear = :yes";
/// That a job is its owner's.
const IS_IN_PROGRESS: &str = "job_state = :in_progress AND held_by = :owner";
/// That a job is done.
const DONE_NOW: &str =
    "SET job_state = :done, outcome = :outcome, expires_at = :expires, #schema = :schema";
/// That nobody has begun the job, or whoever did left nothing of it.
const IS_NEW: &str = "attribute_not_exists(pk) OR (job_state = :in_progress AND held_until <= :now \
                      AND attribute_not_exists(is_count_unclear) AND attribute_not_exists(counted) \
                      AND attribute_not_exists(change_id) AND attribute_not_exists(retried_as) \
                      AND attribute_not_exists(told_on) AND attribute_not_exists(told))";

/// Channels, of which there is at least one.
fn channels_of(told: &Channels) -> AttributeValue {
    AttributeValue::Ss(
        told.iter()
            .map(|channel| channel.slug().to_owned())
            .collect(),
    )
}

/// How a job's item stands for an owner who would begin it.
pub(super) fn read_job(item: Option<&Item>, owner: &str, now: Timestamp) -> Option<RecalledJob> {
    let Some(item) = item else {
        return Some(RecalledJob::Free(JobProgress::default()));
    };
    let is_free = || {
        text(item, "held_by") == Some(owner)
            || moment(item, "held_until").is_none_or(|until| until <= now)
    };
    match text(item, "job_state") {
        Some(IN_PROGRESS) if is_free() => Some(RecalledJob::Free(progress(item))),
        Some(IN_PROGRESS) => Some(RecalledJob::InProgress),
        Some(DONE) => Some(RecalledJob::Done(
            text(item, "outcome").unwrap_or_default().to_owned(),
        )),
        Some(_) | None => None,
    }
}

impl DynamoLedger {
    /// That a job nobody has begun is begun, as a part of a transaction.
    pub(super) fn begin_item(
        &self,
        copy_job_id: &str,
        (owner, until): (&str, Timestamp),
        now: Timestamp,
    ) -> Result<Update, BuildError> {
        self.update(format!("job#{copy_job_id}"))
            .update_expression(format!("{BEGIN}, {UNCLEAR}"))
            .condition_expression(IS_NEW)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":expires", expiry(now, 30))
            .expression_attribute_values(":owner", string(owner))
            .build()
    }

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
        let request = self
            .update_item(&pk)
            .update_expression(match is_done_free {
                IsDoneFree::No => format!("{BEGIN}, {UNCLEAR}"),
                // Whoever takes a job counts nothing.
                IsDoneFree::Yes => BEGIN.to_owned(),
            })
            .condition_expression(is_done_free.condition())
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":expires", expiry(now, 30))
            .expression_attribute_values(":owner", string(owner))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match is_done_free {
            IsDoneFree::No => {
                request.expression_attribute_values(":yes", AttributeValue::Bool(true))
            }
            IsDoneFree::Yes => request,
        };
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
            Some(_) | None => Err(call.unreadable(NO_STATE)),
        }
    }

    /// An owner's job that is done, with what is to be remembered of it.
    pub(super) async fn end_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        finish: &Finish,
        now: Timestamp,
    ) -> CallResult<()> {
        let pk = format!("job#{copy_job_id}");
        let mut expression = DONE_NOW.to_owned();
        let mut values = HashMap::new();
        let mut remove = "held_by, held_until".to_owned();
        if let Some(counted) = &finish.counted {
            let remembered = Remembered::of(counted);
            expression = format!("{expression}, {}", remembered.set);
            remove = format!("{remove}, {}", remembered.remove);
            values = remembered.values;
        }
        let channels = channels_of(&finish.told);
        let add = match (&finish.counted, finish.told.is_empty()) {
            (None, true) => "",
            // Those who were told of another count don't know of this one.
            (Some(_), true) => {
                remove.push_str(", told_on");
                ""
            }
            (Some(_), false) => {
                expression.push_str(", told_on = :channels");
                values.insert(":channels".to_owned(), channels);
                ""
            }
            (None, false) => {
                values.insert(":channels".to_owned(), channels);
                " ADD told_on :channels"
            }
        };
        let request = self
            .update_item(&pk)
            .update_expression(format!("{expression} REMOVE {remove}{add}"))
            .condition_expression(IS_IN_PROGRESS)
            .set_expression_attribute_values(Some(values))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":done", string(DONE))
            .expression_attribute_values(":outcome", string(&finish.outcome))
            .expression_attribute_values(":expires", expiry(now, 30));
        Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }

    /// The same as a part of a transaction, of a copy that was started again.
    pub(super) fn end_item(
        &self,
        (copy_job_id, owner): (&str, &str),
        (retried_job, told): (&str, &Channels),
        counted: &CountedAs,
        now: Timestamp,
    ) -> Result<Update, BuildError> {
        let remembered = Remembered::of(counted);
        let mut values = remembered.values;
        let told_on = if told.is_empty() {
            "REMOVE told_on,"
        } else {
            values.insert(":channels".to_owned(), channels_of(told));
            ", told_on = :channels REMOVE"
        };
        self.update(format!("job#{copy_job_id}"))
            .update_expression(format!(
                "{DONE_NOW}, retried_as = :retried, {} {told_on} held_by, held_until, {}",
                remembered.set, remembered.remove
            ))
            .condition_expression(IS_IN_PROGRESS)
            .set_expression_attribute_values(Some(values))
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":done", string(DONE))
            .expression_attribute_values(":outcome", string(&counted.outcome))
            .expression_attribute_values(":retried", string(retried_job))
            .expression_attribute_values(":expires", expiry(now, 30))
            .build()
    }

    pub(super) async fn free_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        count: CountState,
    ) -> CallResult<()> {
        let pk = format!("job#{copy_job_id}");
        let request = self
            .update_item(&pk)
            .condition_expression(IS_IN_PROGRESS)
            .expression_attribute_values(":never", number(0))
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":owner", string(owner));
        let request = match count {
            CountState::Clear => {
                request.update_expression("SET held_until = :never REMOVE is_count_unclear")
            }
            CountState::Unclear => request
                .update_expression(format!("SET held_until = :never, {UNCLEAR}"))
                .expression_attribute_values(":yes", AttributeValue::Bool(true)),
        };
        Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }
}
