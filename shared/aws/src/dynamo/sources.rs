//! What is counted in one day or hour: the writes of a policy; the writes, retries and messages of
//! a source account.

use aws_sdk_dynamodb::types::Update;
use aws_smithy_types::error::operation::BuildError;
use copymend_policy::AccountId;
use copymend_remediation::ledger::CountedOfSource;
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::DynamoLedger;
use super::again::{Again, find_again};
use crate::error::Call;
use crate::item::{expiry, number, schema, writes_key};

const ADD: &str = "SET expires_at = :expires, #schema = :schema ADD occurrences :one";

const IS_WITHIN: &str = "attribute_not_exists(occurrences) OR occurrences < :budget";

pub(super) fn source_key(what: CountedOfSource, source: AccountId, at: Timestamp) -> String {
    format!("source#{source}#{}#{}", what.slug(), what.period(at))
}

impl DynamoLedger {
    /// One more write of a policy that is about to be put, as a part of a transaction. Without a condition:
    /// the item is a sum that has no owner, and every call is one more.
    pub(super) fn write_item(&self, resource: &str, at: Timestamp) -> Result<Update, BuildError> {
        self.update(writes_key(resource, at))
            .update_expression(ADD)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":expires", expiry(at, 7))
            .expression_attribute_values(":one", number(1))
            .build()
    }

    /// One more of a source account, as a part of a transaction.
    pub(super) fn source_item(
        &self,
        what: CountedOfSource,
        source: AccountId,
        budget: u32,
        at: Timestamp,
    ) -> Result<Update, BuildError> {
        self.update(source_key(what, source, at))
            .condition_expression(IS_WITHIN)
            .update_expression(ADD)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":budget", number(i64::from(budget)))
            .expression_attribute_values(":expires", expiry(at, 7))
            .expression_attribute_values(":one", number(1))
            .build()
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
        let request = || {
            self.update_item(&pk)
                .condition_expression(IS_WITHIN)
                .update_expression(ADD)
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_values(":schema", schema())
                .expression_attribute_values(":budget", number(i64::from(budget)))
                .expression_attribute_values(":expires", expiry(now, 7))
                .expression_attribute_values(":one", number(1))
                .send()
        };
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let counted =
            find_again(&call, &now.to_string(), Again::BetweenTransactions, request).await?;
        Ok(counted.is_some())
    }
}
