//! A change and what goes with it, as one transaction.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_smithy_types::error::operation::BuildError;
use copymend_diagnosis::KeyArn;
use copymend_policy::AccountId;
use copymend_remediation::ledger::{Change, ChangeState, Lease, LeaseAfter};
use copymend_remediation::ports::{CallErrorKind, CallResult};

use super::again::pause;
use super::{DynamoLedger, LAST_CHANGE};
use crate::error::Call;
use crate::item::{
    Item, change_key, expiry, read_change, schema, state_name, stored, string, time, write_change,
};

/// Attempts at a transaction that meets another one: all events of a storm count in the same items.
const ATTEMPTS: u32 = 7;

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
        lease: Option<(&Lease, LeaseAfter)>,
    ) -> Result<Vec<(Part, TransactWriteItem)>, BuildError> {
        let admitted = admitted_key(&change.resource, &change.grantee);
        let item = TransactWriteItem::builder;
        let history = self.history_of_change(change, sids, lease.is_some())?;
        let mut items = vec![
            (Part::Change, item().put(self.change_item(change)?).build()),
            (Part::Policy, item().update(history).build()),
        ];
        items.extend(match lease {
            None => None,
            Some((lease, LeaseAfter::Kept)) => {
                let check = self.check_of_lease(lease)?;
                Some((Part::Lease, item().condition_check(check).build()))
            }
            Some((lease, LeaseAfter::GivenBack)) => {
                let delete = self.delete_of_lease(lease)?;
                Some((Part::Lease, item().delete(delete).build()))
            }
        });
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
            items.push((Part::Admission, item().update(mark.build()?).build()));
            items.push((Part::Admission, item().delete(forget.build()?).build()));
            if let Some(pk) = key_of_change(change) {
                let forget = Delete::builder()
                    .table_name(&self.table)
                    .key("pk", string(pk));
                items.push((Part::Admission, item().delete(forget.build()?).build()));
            }
            if let Some(refusal) = self.refusal_of_change(change)? {
                items.push((Part::Admission, item().update(refusal).build()));
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
            items.push((Part::Admission, item().update(admit.build()?).build()));
            if let Some(pk) = key_of_change(change) {
                let admit = self
                    .update(pk)
                    .update_expression("SET admitting_key = :key, written_at = :at, change_id = :change, expires_at = :expires, #schema = :schema")
                    .expression_attribute_names("#schema", "schema")
                    .expression_attribute_values(":schema", schema())
                    .expression_attribute_values(":key", string(&change.resource))
                    .expression_attribute_values(":at", time(change.at))
                    .expression_attribute_values(":change", string(&change.id))
                    .expression_attribute_values(":expires", expiry(change.at, 30));
                items.push((Part::Admission, item().update(admit.build()?).build()));
            }
        }
        items.push((Part::LastChange, self.last_change_item(change)?));
        Ok(items)
    }

    /// Which change is the last one of all. One that is recorded late doesn't take the place of a later
    /// one.
    fn last_change_item(&self, change: &Change) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("pk", string(LAST_CHANGE))
            .item("schema", schema())
            .item("change_id", string(&change.id))
            .item("written_at", time(change.at))
            .condition_expression("attribute_not_exists(written_at) OR written_at <= :at")
            .expression_attribute_values(":at", time(change.at));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// The same of a change that a later one was written after: whom the later one admitted, and
    /// when, stays.
    fn late_change_items(
        &self,
        change: &Change,
        sids: &[String],
    ) -> Result<Vec<(Part, TransactWriteItem)>, BuildError> {
        let item = TransactWriteItem::builder;
        let history = self.history_of_late_change(change, sids)?;
        Ok(vec![
            (Part::Change, item().put(self.change_item(change)?).build()),
            (Part::Policy, item().update(history).build()),
            (Part::LastChange, self.last_change_item(change)?),
        ])
    }

    pub(super) async fn transact(
        &self,
        call: &Call,
        change: &Change,
        sids: &[String],
        lease: Option<(&Lease, LeaseAfter)>,
    ) -> CallResult<()> {
        let built = |items: Result<Vec<(Part, TransactWriteItem)>, BuildError>| {
            items.map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))
        };
        let mut parts = built(self.change_items(change, sids, lease))?;
        let mut is_late = false;
        loop {
            let (order, items): (Vec<Part>, Vec<TransactWriteItem>) = parts.iter().cloned().unzip();
            let Some(Refused { place, item }) = self.send_transaction(call, items).await? else {
                return Ok(());
            };
            match (order.get(place), lease) {
                // Recorded before, in a call whose answer was lost, or by an earlier delivery.
                (Some(Part::Change), _)
                    if read_change(&item).is_some_and(|(known, _)| known == stored(change)) =>
                {
                    return Ok(());
                }
                (Some(Part::Change), _) => {
                    return Err(call.error(
                        CallErrorKind::Rejected,
                        "another change is recorded under this id",
                    ));
                }
                (Some(Part::Policy), _) if change.undoes.is_some() => {
                    return Err(change.undo_is_late());
                }
                (Some(Part::Policy), _) if !is_late => {
                    is_late = true;
                    parts = built(self.late_change_items(change, sids))?;
                }
                (Some(Part::Lease), Some((lease, _))) => return Err(lease.lost()),
                // A later change is the last one.
                (Some(Part::LastChange), _) => {
                    parts.retain(|(part, _)| *part != Part::LastChange);
                }
                (Some(Part::Policy | Part::Lease | Part::Admission) | None, _) => {
                    return Err(call.unreadable("a condition failed that was not sent"));
                }
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
                    tokio::time::sleep(pause(call.resource(), attempt)).await;
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

/// The item of the key that an account's keys were changed last to admit a grantee.
pub(super) fn last_key_of(account: AccountId, grantee: &str) -> String {
    format!("admitted-key#{account}#{grantee}")
}

/// The same of a change, where it is one of a key.
fn key_of_change(change: &Change) -> Option<String> {
    let key: KeyArn = change.resource.parse().ok()?;
    Some(last_key_of(key.account_id()?, &change.grantee))
}

pub(super) fn admitted_key(resource: &str, grantee: &str) -> String {
    format!("admitted#{resource}#{grantee}")
}

/// The parts of a change's transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Change,
    Policy,
    Lease,
    Admission,
    LastChange,
}

/// The first condition that failed.
#[derive(Debug)]
pub(super) struct Refused {
    /// Which of the transaction's items has it, from 0.
    pub(super) place: usize,
    /// The item as it is, where that is asked for.
    pub(super) item: Item,
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
    for (place, reason) in cancelled.cancellation_reasons().iter().enumerate() {
        match reason.code() {
            Some("ConditionalCheckFailed") => {
                return Cancelled::Refused(Refused {
                    place,
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
