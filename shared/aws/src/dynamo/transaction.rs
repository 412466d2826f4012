//! A change and what goes with it, as one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_smithy_types::error::operation::BuildError;
use copymend_remediation::ledger::{Change, ChangeState, Lease};
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

    /// The change itself, which is recorded once.
    fn change_item(&self, change: &Change) -> Result<Put, BuildError> {
        Put::builder()
            .table_name(&self.table)
            .set_item(Some(write_change(change, ChangeState::Written)))
            .condition_expression("attribute_not_exists(pk) OR change_state = :intended")
            .expression_attribute_values(":intended", string(state_name(ChangeState::Intended)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
    }

    /// The change, the policy's history, the lease, and whom the change admits.
    fn change_items(
        &self,
        change: &Change,
        sids: &[String],
        lease: Option<&Lease>,
    ) -> Result<Vec<TransactWriteItem>, BuildError> {
        let admitted = admitted_key(&change.resource, &change.grantee);
        let item = TransactWriteItem::builder;
        let history = self.history_of_change(change, sids, lease)?;
        // In the order of `Part`.
        let mut items = vec![
            item().put(self.change_item(change)?).build(),
            item().update(history).build(),
        ];
        if let Some(lease) = lease {
            let check = self.check_of_lease(lease)?;
            items.push(item().condition_check(check).build());
        }
        if let Some(undone) = &change.undoes {
            let mark = self
                .update(change_key(undone))
                .update_expression(
                    "SET change_state = :undone, undone_by = :undo, expires_at = :expires",
                )
                .expression_attribute_values(":undo", string(&change.id))
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

    /// The same of a change that a later one was written after: whom the later one admitted, and
    /// when, stays.
    fn late_change_items(
        &self,
        change: &Change,
        sids: &[String],
    ) -> Result<Vec<TransactWriteItem>, BuildError> {
        let item = TransactWriteItem::builder;
        let history = self.history_of_late_change(change, sids)?;
        Ok(vec![
            item().put(self.change_item(change)?).build(),
            item().update(history).build(),
        ])
    }

    pub(super) async fn transact(
        &self,
        call: &Call,
        change: &Change,
        sids: &[String],
        lease: Option<&Lease>,
    ) -> CallResult<()> {
        let built = |items: Result<Vec<TransactWriteItem>, BuildError>| {
            items.map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))
        };
        let items = built(self.change_items(change, sids, lease))?;
        let mut refused = self.send_transaction(call, items).await?;
        if refused
            .as_ref()
            .is_some_and(|refused| refused.part == Part::Policy)
        {
            if change.undoes.is_some() {
                return Err(change.undo_is_late());
            }
            let items = built(self.late_change_items(change, sids))?;
            refused = self.send_transaction(call, items).await?;
        }
        let Some(Refused { part, item }) = refused else {
            return Ok(());
        };
        match (part, lease) {
            // Recorded before, in a call whose answer was lost, or by an earlier delivery.
            (Part::Change, _)
                if read_change(&item).is_some_and(|(known, _)| known == stored(change)) =>
            {
                Ok(())
            }
            (Part::Change, _) => Err(call.error(
                CallErrorKind::Rejected,
                "another change is recorded under this id",
            )),
            (Part::Lease, Some(lease)) => Err(lease.lost()),
            (Part::Policy | Part::Lease, _) => {
                Err(call.unreadable("a condition failed that was not sent"))
            }
        }
    }

    /// Sends a transaction, again where it meets another one. Answers what refused it.
    pub(super) async fn send_transaction(
        &self,
        call: &Call,
        items: Vec<TransactWriteItem>,
    ) -> CallResult<Option<Refused>> {
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
                Cancelled::Refused(refused) => return Ok(Some(refused)),
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

/// What a change's transaction has conditions on, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Change,
    Policy,
    Lease,
}

/// The first condition that failed.
#[derive(Debug)]
pub(super) struct Refused {
    part: Part,
    /// The item as it is, where that is asked for.
    item: Item,
}

enum Cancelled {
    No,
    /// A condition failed.
    Refused(Refused),
    /// Another transaction was on the same items, or one of them was throttled. Nothing was done.
    Conflict,
}

fn cancelled<R>(error: &SdkError<TransactWriteItemsError, R>) -> Cancelled {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Cancelled::No;
    };
    // One reason for each item, in the transaction's order (Amazon DynamoDB API reference,
    // `TransactWriteItems`, documented).
    let parts = [Part::Change, Part::Policy].into_iter();
    let parts = parts.chain(std::iter::repeat(Part::Lease));
    for (reason, part) in cancelled.cancellation_reasons().iter().zip(parts) {
        match reason.code() {
            Some("ConditionalCheckFailed") => {
                return Cancelled::Refused(Refused {
                    part,
                    item: reason.item().cloned().unwrap_or_default(),
                });
            }
            Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
                return Cancelled::Conflict;
            }
            Some(_) | None => {}
        }
    }
    Cancelled::No
}
