//! A change and what goes with it, as one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_smithy_types::error::operation::BuildError;
use copymend_remediation::ledger::{Change, ChangeState};
use copymend_remediation::ports::{CallErrorKind, CallResult};

use super::DynamoLedger;
use crate::error::Call;
use crate::item::{
    Item, change_key, expiry, read_change, schema, state_name, stored, string, time, write_change,
};

/// Attempts at a transaction that meets another one.
const ATTEMPTS: u32 = 3;

impl DynamoLedger {
    pub(super) fn update(&self, pk: impl Into<String>) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key("pk", string(pk))
    }

    /// The change, the policy's history, and whom it admits.
    fn change_items(
        &self,
        change: &Change,
        sids: &[String],
    ) -> Result<Vec<TransactWriteItem>, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(write_change(change, ChangeState::Written)))
            .condition_expression("attribute_not_exists(pk) OR change_state = :intended")
            .expression_attribute_values(":intended", string(state_name(ChangeState::Intended)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        let admitted = admitted_key(&change.resource, &change.grantee);
        let item = TransactWriteItem::builder;
        let mut items = vec![
            item().put(put).build(),
            item().update(self.history_of_change(change, sids)?).build(),
        ];
        if let Some(undone) = &change.undoes {
            let mark = self
                .update(change_key(undone))
                .update_expression("SET change_state = :undone, expires_at = :expires")
                .expression_attribute_values(":expires", expiry(change.at, 400))
                .expression_attribute_values(":undone", string(state_name(ChangeState::Undone)));
            let forget = Delete::builder()
                .table_name(&self.table)
                .key("pk", string(admitted));
            items.push(item().update(mark.build()?).build());
            items.push(item().delete(forget.build()?).build());
            if let Some(refusal) = self.refusal_of_change(change)? {
                items.push(item().update(refusal).build());
            }
        } else {
            let admit = self
                .update(admitted)
                .update_expression("SET written_at = :at, change_id = :change, expires_at = :expires, #schema = :schema")
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_values(":schema", schema())
                .expression_attribute_values(":at", time(change.at))
                .expression_attribute_values(":change", string(&change.id))
                .expression_attribute_values(":expires", expiry(change.at, 30));
            items.push(item().update(admit.build()?).build());
        }
        Ok(items)
    }

    pub(super) async fn transact(
        &self,
        call: &Call,
        change: &Change,
        sids: &[String],
    ) -> CallResult<()> {
        let items = self
            .change_items(change, sids)
            .map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?;
        match self.send_transaction(call, items).await? {
            None => Ok(()),
            // Recorded before, in a call whose answer was lost, or by an earlier delivery.
            Some(item) if read_change(&item).is_some_and(|(known, _)| known == stored(change)) => {
                Ok(())
            }
            Some(_) => Err(call.error(
                CallErrorKind::Rejected,
                "another change is recorded under this id",
            )),
        }
    }

    /// Sends a transaction, again where it meets another one. Answers the item whose condition
    /// failed.
    pub(super) async fn send_transaction(
        &self,
        call: &Call,
        items: Vec<TransactWriteItem>,
    ) -> CallResult<Option<Item>> {
        let mut attempt = 1;
        loop {
            let request = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()));
            let Err(error) = call.try_send(request.send()).await else {
                return Ok(None);
            };
            match cancelled(&error) {
                Cancelled::Exists(item) => return Ok(Some(item)),
                Cancelled::Conflict if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(100) * attempt).await;
                    attempt += 1;
                }
                Cancelled::Conflict => {
                    return Err(call.error(
                        CallErrorKind::Throttled,
                        "the transaction met another one on the same items, or was throttled",
                    ));
                }
                Cancelled::No => return Err(call.failed(&error)),
            }
        }
    }
}

pub(super) fn admitted_key(resource: &str, grantee: &str) -> String {
    format!("admitted#{resource}#{grantee}")
}

enum Cancelled {
    No,
    /// A condition failed: the item as it is.
    Exists(Item),
    /// Another transaction was on the same items, or one of them was throttled. Nothing was done.
    Conflict,
}

fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>) -> Cancelled {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Cancelled::No;
    };
    for reason in cancelled.cancellation_reasons() {
        match reason.code() {
            Some("ConditionalCheckFailed") => {
                return Cancelled::Exists(reason.item().cloned().unwrap_or_default());
            }
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                return Cancelled::Conflict;
            }
            Some(_) | None => {}
        }
    }
    Cancelled::No
}
