//! What is known when an event arrives, and before a policy is written: one question each.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use aws_smithy_types::error::operation::BuildError;
use copymend_policy::AccountId;
use copymend_remediation::ledger::{
    BeforeWrite, Change, ChangeState, CountedOfSource, KeyAdmission, MessagesOf, OF_ALL_ACCOUNTS,
    Pause, RecallAsked, Recalled, RecalledIncident,
};
use copymend_remediation::ports::{CallErrorKind, CallResult};
use jiff::Timestamp;

use super::counting::{incident_key, since};
use super::history::{policy_key, read_history};
use super::items::Items;
use super::jobs::{NO_STATE, read_job};
use super::pausing::{PAUSE, read_pause};
use super::retries::{read_admitted, read_retries, read_retry_record, retried_key, retry_key};
use super::settings::{SETTINGS, read as read_settings};
use super::sources::source_key;
use super::transaction::{admitted_key, last_key_of};
use super::{DynamoLedger, IS_OWNERS, left_out, opted_out_key, turns};
use crate::error::Call;
use crate::item::{change_key, moment, state_name, string, text, whole, write_change, writes_key};

/// The keys of what there is to know before a policy is written.
fn keys_before_write(resource: &str, source: AccountId, now: Timestamp) -> [String; 3] {
    [
        policy_key(resource),
        writes_key(resource, now),
        source_key(CountedOfSource::Writes, source, now),
    ]
}

fn before_write(items: &Items, resource: &str, source: AccountId, now: Timestamp) -> BeforeWrite {
    BeforeWrite {
        history: read_history(items, resource, now),
        source_writes: items.count(&source_key(CountedOfSource::Writes, source, now)),
        pause: read_pause_in_force(items, now),
    }
}

fn read_pause_in_force(items: &Items, now: Timestamp) -> CallResult<Option<Pause>> {
    let Some(item) = items.get(PAUSE)? else {
        return Ok(None);
    };
    let pause =
        read_pause(item).ok_or_else(|| Items::unreadable(PAUSE, "the item is not a pause"))?;
    Ok(Some(pause).filter(|pause| pause.holds(now)))
}

impl DynamoLedger {
    pub(super) async fn read_at_once(
        &self,
        asked: &RecallAsked,
        owner: &str,
        now: Timestamp,
    ) -> CallResult<Recalled> {
        let (source, vault) = (asked.source, asked.destination.as_str());
        let job = format!("job#{}", asked.copy_job_id);
        let repeated = retried_key(&asked.copy_job_id);
        let retries = asked
            .recovery_point
            .as_ref()
            .map(|point| retry_key((point, &asked.destination)));
        let admitted = admitted_key(vault, &asked.grantee);
        let incident = incident_key(&asked.fingerprint);
        let key_incident = asked.key_fingerprint.as_deref().map(incident_key);
        let last_key = asked.key_grantee.as_deref();
        let last_key = last_key.map(|grantee| last_key_of(source, grantee));
        let messages = source_key(CountedOfSource::Messages, source, now);
        let all = OF_ALL_ACCOUNTS.parse().ok();
        let messages_of_all = all.map(|all| source_key(CountedOfSource::AllMessages, all, now));
        let left_out = left_out::key(MessagesOf {
            account: source,
            is_confirmed: true,
        });
        let opted_out = opted_out_key(source);
        let mut keys = vec![
            job.clone(),
            PAUSE.to_owned(),
            SETTINGS.to_owned(),
            repeated.clone(),
            admitted.clone(),
            incident.clone(),
            messages.clone(),
            left_out.clone(),
            opted_out.clone(),
            turns::ITEM.to_owned(),
        ];
        keys.extend(retries.clone());
        keys.extend(last_key.clone());
        keys.extend(key_incident.clone().filter(|of_key| *of_key != incident));
        // `BatchGetItem` refuses a key that is named twice.
        keys.extend(messages_of_all.clone().filter(|all| *all != messages));
        if asked.wants_writes {
            keys.extend(keys_before_write(vault, source, now));
        }
        let items = self.items_of(keys).await?;
        self.read_next_turn(items.get(turns::ITEM).ok().flatten());
        let settings = |item| {
            read_settings(item)
                .ok_or_else(|| Items::unreadable(SETTINGS, "the item holds no settings"))
        };
        Ok(Recalled {
            job: items.get(&job).and_then(|item| {
                read_job(item, owner, now).ok_or_else(|| Items::unreadable(&job, NO_STATE))
            }),
            pause: read_pause_in_force(&items, now),
            settings: items
                .get(SETTINGS)
                .and_then(|item| item.map(settings).transpose()),
            retry: items.get(&repeated).and_then(|item| {
                item.map(|item| read_retry_record(&repeated, item))
                    .transpose()
            }),
            retries: retries.map(|pk| {
                let item = items.get(&pk)?;
                read_retries(item)
                    .ok_or_else(|| Items::unreadable(&pk, "`jobs` is not a string set"))
            }),
            admission: items
                .get(&admitted)
                .and_then(|item| item.map(|item| read_admitted(&admitted, item)).transpose()),
            key_admission: last_key.map_or(Ok(None), |pk| {
                let Some(item) = items.get(&pk)? else {
                    return Ok(None);
                };
                let key = text(item, "admitting_key")
                    .ok_or_else(|| Items::unreadable(&pk, "`admitting_key` is missing"))?;
                Ok(Some(KeyAdmission {
                    key: key.to_owned(),
                    admission: read_admitted(&pk, item)?,
                }))
            }),
            incident: read_incident(&items, &incident),
            key_incident: key_incident.map_or(Ok(None), |pk| read_incident(&items, &pk)),
            writes: asked
                .wants_writes
                .then(|| before_write(&items, vault, source, now)),
            messages: items.count(&messages).ok(),
            messages_of_all: messages_of_all.and_then(|all| items.count(&all).ok()),
            has_opted_out_key: items.get(&opted_out).map_or(true, |item| item.is_some()),
            left_out_since: items
                .get(&left_out)
                .ok()
                .flatten()
                .and_then(|item| moment(item, "first_at")),
        })
    }

    pub(super) async fn read_before_write(
        &self,
        resource: &str,
        source: AccountId,
        now: Timestamp,
    ) -> CallResult<BeforeWrite> {
        let keys = keys_before_write(resource, source, now).into_iter();
        let items = self.items_of(keys.chain([PAUSE.to_owned()])).await?;
        Ok(before_write(&items, resource, source, now))
    }

    /// Records a change that is about to be written, and counts it, in one transaction. `false` where the
    /// source account's budget is used up.
    pub(super) async fn intend(
        &self,
        change: &Change,
        owner: &str,
        source: Option<(AccountId, u32)>,
    ) -> CallResult<bool> {
        if source.is_some_and(|(_, budget)| budget == 0) {
            return Ok(false);
        }
        let call = Call::new("dynamodb:TransactWriteItems", change_key(&change.id));
        let parts = self.intent_items(change, owner, source);
        let mut parts =
            parts.map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?;
        loop {
            let (order, items): (Vec<Part>, Vec<TransactWriteItem>) = parts.iter().cloned().unzip();
            let refused = self.send_transaction(&call, items).await?;
            match refused.map(|refused| order.get(refused.place).copied()) {
                None => return Ok(true),
                Some(Some(Part::Source)) => return Ok(false),
                // Only the owner's entry remembers it.
                Some(Some(Part::Job)) => parts.retain(|(part, _)| *part != Part::Job),
                Some(Some(Part::Change)) => {
                    return Err(call.error(
                        CallErrorKind::Rejected,
                        "another change is recorded under this id",
                    ));
                }
                Some(Some(Part::Writes) | None) => {
                    return Err(call.unreadable("a condition failed that was not sent"));
                }
            }
        }
    }

    fn intent_items(
        &self,
        change: &Change,
        owner: &str,
        source: Option<(AccountId, u32)>,
    ) -> Result<Vec<(Part, TransactWriteItem)>, BuildError> {
        let item = TransactWriteItem::builder;
        let mut parts = Vec::new();
        if let Some((source, budget)) = source {
            let counted = self.source_item(CountedOfSource::Writes, source, budget, change.at)?;
            parts.push((Part::Source, item().update(counted).build()));
        }
        let writes = self.write_item(&change.resource, change.at)?;
        parts.push((Part::Writes, item().update(writes).build()));
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(write_change(change, ChangeState::Intended)))
            .condition_expression("attribute_not_exists(pk) OR change_state = :intended")
            .expression_attribute_values(":intended", string(state_name(ChangeState::Intended)))
            .build()?;
        parts.push((Part::Change, item().put(put).build()));
        if change.undoes.is_none() {
            let job = self
                .update(format!("job#{}", change.copy_job_id))
                .update_expression("SET change_id = :change")
                .condition_expression(IS_OWNERS)
                .expression_attribute_values(":owner", string(owner))
                .expression_attribute_values(":change", string(&change.id))
                .build()?;
            parts.push((Part::Job, item().update(job).build()));
        }
        Ok(parts)
    }
}

/// The parts of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Source,
    Writes,
    Change,
    Job,
}

/// An open incident. One that has ended has no count.
fn read_incident(items: &Items, pk: &str) -> CallResult<Option<RecalledIncident>> {
    let Some(item) = items
        .get(pk)?
        .filter(|item| item.contains_key("occurrences"))
    else {
        return Ok(None);
    };
    let count = whole(item, "occurrences")
        .ok_or_else(|| Items::unreadable(pk, "`occurrences` is not a whole number"))?;
    Ok(Some(RecalledIncident {
        count,
        since: since(item, count),
        outcome: text(item, "outcome")
            .filter(|_| !item.contains_key("closed_by"))
            .map(ToOwned::to_owned),
    }))
}
