//! Messages that were left out: one item for each account, which also says who sums them up.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use copymend_remediation::ledger::{
    LeftOut, LeftOutMessages, MessagesOf, NAMED_COPY_JOBS, start_of_hour,
};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::{DynamoLedger, REFUSED};
use crate::error::Call;
use crate::item::{Item, expiry, moment, number, schema, string, time, whole};

/// What comes before a cause's slug in the name of its counter.
const CAUSE: &str = "cause#";

pub(super) fn key(of: MessagesOf) -> String {
    let account = of.account;
    if of.is_confirmed {
        format!("left-out#{account}")
    } else {
        format!("left-out#unverified#{account}")
    }
}

fn read(item: &Item, of: MessagesOf) -> Option<LeftOut> {
    let causes: Option<BTreeMap<String, u64>> = item
        .keys()
        .filter_map(|name| Some((name, name.strip_prefix(CAUSE)?)))
        .map(|(name, cause)| Some((cause.to_owned(), whole(item, name)?)))
        .collect();
    let copy_jobs = match item.get("copy_jobs") {
        None => &[],
        Some(jobs) => jobs.as_ss().ok()?.as_slice(),
    };
    Some(LeftOut {
        of,
        count: whole(item, "occurrences")?,
        causes: causes?,
        copy_jobs: copy_jobs.iter().cloned().collect(),
        first_at: moment(item, "first_at")?,
        last_at: moment(item, "last_at")?,
    })
}

impl DynamoLedger {
    /// Names a copy job in the summary. Messages are only counted once there are enough names.
    async fn name_copy_job(&self, pk: &str, copy_job_id: &str) -> CallResult<()> {
        let job = AttributeValue::Ss(vec![copy_job_id.to_owned()]);
        let request = self
            .update_item(pk)
            .update_expression("ADD copy_jobs :job")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":job", job);
        Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }
}

impl LeftOutMessages for DynamoLedger {
    async fn leave_out(
        &self,
        of: MessagesOf,
        cause: &str,
        copy_job_id: &str,
        now: Timestamp,
    ) -> CallResult<bool> {
        let pk = key(of);
        let request = self
            .update_item(&pk)
            .condition_expression("attribute_not_exists(held_until) OR held_until <= :now")
            .update_expression(
                "SET first_at = if_not_exists(first_at, :now), last_at = :now, \
                 expires_at = :expires, #schema = :schema REMOVE held_by, held_until \
                 ADD occurrences :one, #cause :one",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#cause", format!("{CAUSE}{cause}"))
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":expires", expiry(now, 90))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let Some(answer) = call.find(&[REFUSED], request.send()).await? else {
            return Ok(false);
        };
        let count = answer
            .attributes
            .and_then(|item| whole(&item, "occurrences"));
        if count.is_some_and(|count| count <= NAMED_COPY_JOBS)
            && let Err(error) = self.name_copy_job(&pk, copy_job_id).await
        {
            tracing::warn!(%error, "a summary will not name this copy job");
        }
        Ok(true)
    }

    async fn claim_left_out(
        &self,
        of: MessagesOf,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<LeftOut>> {
        let pk = key(of);
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        let unreadable = |call: &Call| call.unreadable("the item holds no messages");
        let first_at = moment(&item, "first_at")
            .ok_or_else(|| unreadable(&Call::new("dynamodb:GetItem", &pk)))?;
        if first_at >= start_of_hour(now) {
            return Ok(None);
        }
        let request = self
            .update_item(&pk)
            .update_expression("SET held_by = :owner, held_until = :until")
            .condition_expression(
                "first_at = :first AND \
                 (attribute_not_exists(held_until) OR held_until <= :now OR held_by = :owner)",
            )
            .expression_attribute_values(":first", time(first_at))
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":until", time(until))
            .return_values(ReturnValue::AllNew);
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let Some(answer) = call.find(&[REFUSED], request.send()).await? else {
            return Ok(None);
        };
        let item = answer.attributes.unwrap_or_default();
        read(&item, of).ok_or_else(|| unreadable(&call)).map(Some)
    }

    async fn forget_left_out(&self, of: MessagesOf, owner: &str) -> CallResult<()> {
        let pk = key(of);
        let request = self
            .delete_item(&pk)
            .condition_expression("held_by = :owner")
            .expression_attribute_values(":owner", string(owner));
        Call::new("dynamodb:DeleteItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }
}
