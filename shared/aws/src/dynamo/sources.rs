//! What is counted in one day or hour: the writes of a policy; the writes, retries and messages of
//! a source account.

use copymend_policy::AccountId;
use copymend_remediation::ledger::CountedOfSource;
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::{DynamoLedger, REFUSED};
use crate::error::Call;
use crate::item::{expiry, number, schema, whole, writes_key};

const ADD: &str = "SET expires_at = :expires, #schema = :schema ADD occurrences :one";

fn source_key(what: CountedOfSource, source: AccountId, at: Timestamp) -> String {
    format!("source#{source}#{}#{}", what.slug(), what.period(at))
}

impl DynamoLedger {
    /// Counts a write of a policy that is about to be put. One that the SDK sends again may count
    /// twice. Without a condition: the item is a sum that has no owner, and every call is one more.
    pub(super) async fn count_write(&self, resource: &str, at: Timestamp) -> CallResult<()> {
        let pk = writes_key(resource, at);
        let request = self
            .update_item(&pk)
            .update_expression(ADD)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":expires", expiry(at, 7))
            .expression_attribute_values(":one", number(1));
        let call = Call::new("dynamodb:UpdateItem", pk);
        call.send(request.send()).await?;
        Ok(())
    }

    pub(super) async fn read_count_of_source(
        &self,
        what: CountedOfSource,
        source: AccountId,
        now: Timestamp,
    ) -> CallResult<u32> {
        let pk = source_key(what, source, now);
        let Some(item) = self.get(&pk).await? else {
            return Ok(0);
        };
        whole(&item, "occurrences")
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| {
                Call::new("dynamodb:GetItem", &pk).unreadable("`occurrences` is not a whole number")
            })
    }

    /// The item is a sum that has no owner: the condition is the budget.
    pub(super) async fn add_to_source(
        &self,
        what: CountedOfSource,
        source: AccountId,
        budget: u32,
        now: Timestamp,
    ) -> CallResult<bool> {
        if budget == 0 {
            return Ok(false);
        }
        let pk = source_key(what, source, now);
        let request = self
            .update_item(&pk)
            .condition_expression("attribute_not_exists(occurrences) OR occurrences < :budget")
            .update_expression(ADD)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":budget", number(i64::from(budget)))
            .expression_attribute_values(":expires", expiry(now, 7))
            .expression_attribute_values(":one", number(1));
        let counted = Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(counted.is_some())
    }
}
