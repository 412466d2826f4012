//! The ledger in one Amazon DynamoDB table.
//!
//! The table has the partition key `pk`, a string, and the time-to-live attribute `expires_at`, in epoch seconds as DynamoDB
//! wants it. All other times are epoch milliseconds.
//!
//! | `pk` | attributes | kept after the last write |
//! |---|---|---|
//! | `job#ID` | `job_state` (`in-progress`, `done`), `held_by`, `held_until`, `outcome` | 30 days |
//! | `incident#FINGERPRINT` | `occurrences`, `outcome`, `first_seen`, `last_seen` | 90 days |
//! | `lease#RESOURCE` | `held_by`, `held_until` | 1 day |
//! | `policy#RESOURCE` | `sids` (a string set), `last_write` | 400 days |
//! | `writes#RESOURCE#DAY` | `occurrences` | 7 days |
//! | `change#ID` | the change, before and after | 400 days |
//! | `retry#RECOVERY_POINT#DESTINATION` | `attempts` | 30 days |
//! | `retried#ID` | `original_job` | 30 days |
//!
//! A lease has an item of its own, so that taking it never conflicts with the transaction that records a change. Every
//! decision is a conditional write; nothing is read first and written later. DynamoDB deletes items days after they
//! expire, so a lease and a job in progress are compared with the time that was passed in.
//!
//! The SDK may repeat a request whose answer was lost. Conditions admit what we wrote ourselves, and a transaction carries a
//! token; but a count of occurrences or attempts can then be one too high.

use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use copymend_diagnosis::BackupVaultArn;
use copymend_policy::Arn;
use copymend_remediation::ledger::{Change, JobEntry, Lease, Ledger, Occurrence, PolicyHistory};
use copymend_remediation::ports::{CallErrorKind, CallResult};
use jiff::Timestamp;

use crate::error::Call;
use crate::item::{
    Item, expiry, number, read_change, stored, string, text, time, whole, write_change, writes_key,
};

const REFUSED: &str = "ConditionalCheckFailedException";
const IN_PROGRESS: &str = "in-progress";
const DONE: &str = "done";
/// Attempts at a transaction that meets another one.
const ATTEMPTS: u32 = 3;

/// The ledger in one Amazon DynamoDB table.
#[derive(Debug)]
pub struct DynamoLedger {
    client: Client,
    table: String,
}

impl DynamoLedger {
    /// The ledger in a table, given by its name or its ARN. The ARN's Region counts.
    #[must_use]
    pub fn new(config: &SdkConfig, table: &str) -> Self {
        let region = table.parse().ok().map(|arn: Arn| arn.region().to_owned());
        let config = match region.filter(|region| !region.is_empty()) {
            Some(region) => config.to_builder().region(Region::new(region)).build(),
            None => config.clone(),
        };
        Self {
            client: Client::new(&config),
            table: table.to_owned(),
        }
    }

    /// A change by its id, to look at it or to undo it.
    pub async fn change(&self, id: &str) -> CallResult<Option<Change>> {
        let pk = format!("change#{id}");
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        let unreadable =
            || Call::new("dynamodb:GetItem", &pk).unreadable("the item is not a change");
        read_change(&item).ok_or_else(unreadable).map(Some)
    }

    /// Forgets Sids of a resource, after their statements were undone.
    pub async fn forget_sids(&self, resource: &str, sids: &[String]) -> CallResult<()> {
        if sids.is_empty() {
            return Ok(());
        }
        let pk = format!("policy#{resource}");
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(&pk))
            .condition_expression("attribute_exists(pk)")
            .update_expression("DELETE sids :sids")
            .expression_attribute_values(":sids", AttributeValue::Ss(sids.to_vec()));
        call.find(&[REFUSED], request.send()).await?;
        Ok(())
    }

    async fn get(&self, pk: &str) -> CallResult<Option<Item>> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", string(pk))
            .consistent_read(true);
        let answer = Call::new("dynamodb:GetItem", pk)
            .send(request.send())
            .await?;
        Ok(answer.item)
    }

    /// A change and its counts, as one transaction.
    fn change_items(
        &self,
        change: &Change,
        sids: &[String],
    ) -> Result<[TransactWriteItem; 3], String> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(write_change(change)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| error.to_string())?;
        let mut history = Update::builder()
            .table_name(&self.table)
            .key("pk", string(format!("policy#{}", change.resource)))
            .expression_attribute_values(":at", time(change.at))
            .expression_attribute_values(":expires", expiry(change.at, 400));
        let set = "SET last_write = :at, expires_at = :expires";
        history = if sids.is_empty() {
            history.update_expression(set)
        } else {
            history
                .update_expression(format!("{set} ADD sids :sids"))
                .expression_attribute_values(":sids", AttributeValue::Ss(sids.to_vec()))
        };
        let count = Update::builder()
            .table_name(&self.table)
            .key("pk", string(writes_key(&change.resource, change.at)))
            .update_expression("SET expires_at = :expires ADD occurrences :one")
            .expression_attribute_values(":expires", expiry(change.at, 7))
            .expression_attribute_values(":one", number(1));
        Ok([
            TransactWriteItem::builder().put(put).build(),
            TransactWriteItem::builder()
                .update(history.build().map_err(|error| error.to_string())?)
                .build(),
            TransactWriteItem::builder()
                .update(count.build().map_err(|error| error.to_string())?)
                .build(),
        ])
    }
}

impl Ledger for DynamoLedger {
    async fn begin_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<JobEntry> {
        let pk = format!("job#{copy_job_id}");
        let call = Call::new("dynamodb:PutItem", &pk);
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", string(&pk))
            .item("job_state", string(IN_PROGRESS))
            .item("held_by", string(owner))
            .item("held_until", time(until))
            .item("expires_at", expiry(now, 30))
            .condition_expression(
                "attribute_not_exists(pk) OR (job_state = :in_progress \
                 AND (held_until <= :now OR held_by = :owner))",
            )
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":owner", string(owner))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = call.try_send(request.send()).await else {
            return Ok(JobEntry::Started);
        };
        let refused = error
            .as_service_error()
            .filter(|error| error.code() == Some(REFUSED));
        let item = match refused {
            None => return Err(call.failed(&error)),
            Some(PutItemError::ConditionalCheckFailedException(refused))
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

    async fn finish_job(&self, copy_job_id: &str, outcome: &str, now: Timestamp) -> CallResult<()> {
        let pk = format!("job#{copy_job_id}");
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(&pk))
            .update_expression(
                "SET job_state = :done, outcome = :outcome, expires_at = :expires \
                 REMOVE held_by, held_until",
            )
            .expression_attribute_values(":done", string(DONE))
            .expression_attribute_values(":outcome", string(outcome))
            .expression_attribute_values(":expires", expiry(now, 30));
        Call::new("dynamodb:UpdateItem", pk)
            .send(request.send())
            .await?;
        Ok(())
    }

    async fn abandon_job(&self, copy_job_id: &str, owner: &str) -> CallResult<()> {
        let pk = format!("job#{copy_job_id}");
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", string(&pk))
            .condition_expression("job_state = :in_progress AND held_by = :owner")
            .expression_attribute_values(":in_progress", string(IN_PROGRESS))
            .expression_attribute_values(":owner", string(owner));
        Call::new("dynamodb:DeleteItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }

    async fn record_occurrence(
        &self,
        fingerprint: &str,
        outcome: &str,
        now: Timestamp,
    ) -> CallResult<Occurrence> {
        let pk = format!("incident#{fingerprint}");
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(&pk))
            .update_expression(
                "SET outcome = :outcome, first_seen = if_not_exists(first_seen, :now), \
                 last_seen = :now, expires_at = :expires ADD occurrences :one",
            )
            .expression_attribute_values(":outcome", string(outcome))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":expires", expiry(now, 90))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllOld);
        let old = call
            .send(request.send())
            .await?
            .attributes
            .unwrap_or_default();
        let before = match old.get("occurrences") {
            None => 0,
            Some(_) => whole(&old, "occurrences")
                .ok_or_else(|| call.unreadable("`occurrences` is not a whole number"))?,
        };
        Ok(Occurrence {
            count: before.saturating_add(1),
            previous_outcome: text(&old, "outcome").map(ToOwned::to_owned),
        })
    }

    async fn acquire_lease(
        &self,
        resource: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<Lease>> {
        let pk = format!("lease#{resource}");
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", string(&pk))
            .item("held_by", string(owner))
            .item("held_until", time(until))
            .item("expires_at", expiry(until, 1))
            .condition_expression(
                "attribute_not_exists(pk) OR held_until <= :now OR held_by = :owner",
            )
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":owner", string(owner));
        let taken = Call::new("dynamodb:PutItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(taken.map(|_| Lease::recorded(resource.to_owned(), owner.to_owned(), until)))
    }

    async fn release_lease(&self, lease: Lease) -> CallResult<()> {
        let pk = format!("lease#{}", lease.resource());
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", string(&pk))
            .condition_expression("held_by = :owner AND held_until = :until")
            .expression_attribute_values(":owner", string(lease.owner()))
            .expression_attribute_values(":until", time(lease.until()));
        Call::new("dynamodb:DeleteItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }

    async fn policy_history(&self, resource: &str, now: Timestamp) -> CallResult<PolicyHistory> {
        let history_key = format!("policy#{resource}");
        let writes_key = writes_key(resource, now);
        let (history, writes) = tokio::try_join!(self.get(&history_key), self.get(&writes_key))?;
        let unreadable = |key: &str, detail| Call::new("dynamodb:GetItem", key).unreadable(detail);
        let sids = match history.as_ref().and_then(|item| item.get("sids")) {
            None => Vec::new(),
            Some(AttributeValue::Ss(sids)) => sids.clone(),
            Some(_) => return Err(unreadable(&history_key, "`sids` is not a string set")),
        };
        let writes_today = match &writes {
            None => 0,
            Some(item) => whole(item, "occurrences")
                .and_then(|count| u32::try_from(count).ok())
                .ok_or_else(|| unreadable(&writes_key, "`occurrences` is not a whole number"))?,
        };
        Ok(PolicyHistory { sids, writes_today })
    }

    async fn record_change(&self, change: &Change, sids: &[String]) -> CallResult<()> {
        let call = Call::new(
            "dynamodb:TransactWriteItems",
            format!("change#{}", change.id),
        );
        let items = self
            .change_items(change, sids)
            .map_err(|detail| call.error(CallErrorKind::Failed, detail))?;
        let mut attempt = 1;
        loop {
            let request = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.to_vec()));
            let Err(error) = call.try_send(request.send()).await else {
                return Ok(());
            };
            match cancelled(&error) {
                // Recorded before, in a call whose answer was lost.
                Cancelled::Exists(item) if read_change(&item).as_ref() == Some(&stored(change)) => {
                    return Ok(());
                }
                Cancelled::Exists(_) => {
                    return Err(call.error(
                        CallErrorKind::Rejected,
                        "another change is recorded under this id",
                    ));
                }
                Cancelled::Conflict if attempt < ATTEMPTS => {
                    tokio::time::sleep(Duration::from_millis(100) * attempt).await;
                    attempt += 1;
                }
                Cancelled::Conflict => {
                    return Err(call.error(
                        CallErrorKind::Throttled,
                        "the transaction met another one on the same items",
                    ));
                }
                Cancelled::No => return Err(call.failed(&error)),
            }
        }
    }

    async fn count_retry(
        &self,
        recovery_point: &Arn,
        destination: &BackupVaultArn,
        budget: u32,
        now: Timestamp,
    ) -> CallResult<Option<u32>> {
        if budget == 0 {
            return Ok(None);
        }
        let pk = format!("retry#{recovery_point}#{destination}");
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", string(&pk))
            .condition_expression("attribute_not_exists(attempts) OR attempts < :budget")
            .update_expression("SET expires_at = :expires ADD attempts :one")
            .expression_attribute_values(":budget", number(i64::from(budget)))
            .expression_attribute_values(":expires", expiry(now, 30))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew);
        let Some(answer) = call.find(&[REFUSED], request.send()).await? else {
            return Ok(None);
        };
        answer
            .attributes()
            .and_then(|item| whole(item, "attempts"))
            .and_then(|attempts| u32::try_from(attempts).ok())
            .ok_or_else(|| call.unreadable("`attempts` is not a whole number"))
            .map(Some)
    }

    async fn record_retried_job(
        &self,
        retried_job: &str,
        original_job: &str,
        now: Timestamp,
    ) -> CallResult<()> {
        let pk = format!("retried#{retried_job}");
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", string(&pk))
            .item("original_job", string(original_job))
            .item("expires_at", expiry(now, 30));
        Call::new("dynamodb:PutItem", pk)
            .send(request.send())
            .await?;
        Ok(())
    }

    async fn retry_of(&self, copy_job_id: &str) -> CallResult<Option<String>> {
        let pk = format!("retried#{copy_job_id}");
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        text(&item, "original_job")
            .map(|job| Some(job.to_owned()))
            .ok_or_else(|| {
                Call::new("dynamodb:GetItem", &pk).unreadable("`original_job` is missing")
            })
    }
}

enum Cancelled {
    No,
    /// The change's item exists.
    Exists(Item),
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
            Some("TransactionConflict") => return Cancelled::Conflict,
            Some(_) | None => {}
        }
    }
    Cancelled::No
}
