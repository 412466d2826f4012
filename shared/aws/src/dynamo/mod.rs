//! The ledger in one Amazon DynamoDB table.
//!
//! The table has the partition key `pk`, a string, and the time-to-live attribute `expires_at`, in
//! epoch seconds as DynamoDB wants it. All other times are epoch milliseconds, but those of the
//! index `by-day`.
//!
//! | `pk` | attributes | kept after the last write |
//! |---|---|---|
//! | `job#ID` | `job_state` (`in-progress`, `done`), `held_by`, `held_until`, `outcome`; progress: `is_count_unclear`, `counted`, `counted_since`, `counted_after`, `counted_as`, `incident`, `change_id`, `told_on` (a set of channels; `told` of versions that knew one), `retried_as` | 30 days |
//! | `incident#FINGERPRINT` | `occurrences`, `looked_at` (the count at which it was last looked whether to tell people), `outcome`, `first_seen`, `last_seen`; `closed_by`, a job, until people were told; of its last end `ended_at`, `ended_count`, `ended_outcome`, `ended_first_seen` | 90 days |
//! | `lease#RESOURCE` | `held_by`, `held_until` | 1 day |
//! | `policy#RESOURCE` | string sets: `sids`, `granted` (`SID ACCOUNT GRANTEE`), `refusals` in force (`CHANGE GRANTEE`); of the last write `last_write`, `last_sids`, `is_last_undo`, `last_change_id` | for ever |
//! | `refusal#RESOURCE#GRANTEE` | the record of a refusal: `refusal_state` (`in-force`, `lifted`), `change_id`, `undone_by`, `made_by`, `account`; `lifted_at`, `lifted_by` | for ever |
//! | `pause` | `reason`, `since`, `until`, `set_by` | until it is lifted |
//! | `paused#SINCE` | the record of a pause: the same, and `lifted_at`, `lifted_by` | for ever |
//! | `preflight#ACCOUNT#REGION` | what people were told of planned copies: `told`, a JSON text | 90 days |
//! | `plan#ID` | a plan that people were asked about: `plan_request` and `request_state`, JSON texts; `copy_job_id`, `account` | 400 days; for ever once it is refused |
//! | `question#FINGERPRINT` | of an incident the job that people were asked about last: `copy_job_id`, `open_until` | a day after that |
//! | `settings` | of the last event that people know of: `settings_hash`, `settings` (a map); who tells of a change: `held_by`, `held_until` | for ever |
//! | `writes#RESOURCE#DAY` | `occurrences`: intents of a write | 7 days |
//! | `source#ACCOUNT#WHAT#PERIOD` | `occurrences` of `writes` or `retries` in a day, of `messages` or `unverified-messages` in an hour | 7 days |
//! | `left-out#ACCOUNT`, `left-out#unverified#ACCOUNT` | messages to sum up: `occurrences`, `cause#CAUSE` (counts), `copy_jobs` (a string set: the first), `first_at`, `last_at`; who does: `held_by`, `held_until` | 90 days |
//! | `change#ID` | the change, before and after, and `change_state` (`intended`, `written`, `undone`); `undone_by`, a change | for ever; once undone, and an undo itself, 400 days |
//! | `last-change` | `change_id`, `written_at` | for ever |
//! | `admitted#RESOURCE#GRANTEE` | `written_at`, `change_id` | 30 days |
//! | `admitted-key#ACCOUNT#GRANTEE` | of an account's keys the one that was changed last to admit a grantee: `admitting_key`, `written_at`, `change_id` | 30 days |
//! | `opted-out#ACCOUNT` | that an owner keeps Copymend away from a key of the account's copies | 30 days |
//! | `retry#RECOVERY_POINT#DESTINATION` | `jobs` (a string set: the failed jobs that were retried); `after_changes`, a string set: the changes after which they were counted anew | 30 days |
//! | `retried#ID` | `original_job`, `origin`; after a change of ours `after_change`, and `repaired`, the ARN of what it repaired | 30 days |
//!
//! Every item has the number of its `schema`: 2. An item without one is of version 1, and is read
//! as well; one of a later version isn't. Changes, incidents, refusals, plans and the records of pauses
//! also have `day` (`2026-11-22`), the UTC day on which something last happened to them, and `at`
//! (`2026-11-22T23:30:00.000Z`): when the change was made, the incident began (or had ended before), the
//! undo was, the pause was set, people were asked. `day` and `at` are the keys of the index `by-day`; `policy_of`, the resource, and
//! `day` those of `by-resource`. Both indexes hold keys alone, so that the count of an incident
//! writes to them once a day and no more: an update that changes none of an index's attributes
//! doesn't write to it (Amazon DynamoDB Developer Guide, "Using Global Secondary Indexes",
//! documented). Incidents that a version before this one counted last have the day on which they
//! began, and no `policy_of`.
//!
//! A lease has an item of its own. The transaction that records a change checks it or gives it back, so
//! whoever else asks for it at that very moment meets a conflict, and asks again. Every decision is a
//! conditional write: what was read before is a condition of it. DynamoDB deletes items days after they
//! expire, so a lease and a job in progress are compared with the time that was passed in.
//!
//! The SDK may repeat a request whose answer was lost. Conditions admit what we wrote ourselves,
//! and a transaction carries a token. A count of occurrences has neither, so it is sent once: were
//! it repeated, the second answer would look as if somebody else had been told of the incident.

mod again;
mod approvals;
mod counting;
mod history;
mod items;
mod jobs;
mod leases;
mod left_out;
mod pausing;
mod preflights;
mod recall;
mod records;
mod retries;
mod settings;
mod sources;
mod transaction;
mod turns;

use std::sync::Mutex;

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ledger::{
    Admission, BeforeWrite, Change, ChangeState, ClosedIncident, Count, CountState, CountedAs,
    CountedOfSource, Finish, JobEntry, JobProgress, Lease, LeaseAfter, Ledger, Occurrence, Pause,
    PolicyHistory, RecallAsked, Recalled, RecordedSettings, Refusal, RetryClaim, RetryClaimed,
    RetryRecord, SettingsNotice, StartedAgain, StartedAgainEnd,
};
use copymend_remediation::message::Channels;
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use self::again::{Again, find_again};
use self::counting::IS_KNOWN;
use self::jobs::IsDoneFree;
use crate::error::Call;
use crate::item::{
    Item, change_key, expiry, moment, newer_schema, progress, read_change, schema, string, text,
    whole,
};

/// That a job's entry is the one of `:owner`. Finishing a job leaves no owner.
const IS_OWNERS: &str = "held_by = :owner";
const REFUSED: &str = "ConditionalCheckFailedException";
const IN_PROGRESS: &str = "in-progress";
const DONE: &str = "done";
const LAST_CHANGE: &str = "last-change";

fn opted_out_key(source: AccountId) -> String {
    format!("opted-out#{source}")
}

/// The ledger in one Amazon DynamoDB table.
#[derive(Debug)]
pub struct DynamoLedger {
    client: Client,
    table: String,
    /// When the next turn of a message is, as it was read last: which question is asked first.
    next_turn: Mutex<Option<i64>>,
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
            next_turn: Mutex::default(),
        }
    }

    fn update_item(&self, pk: &str) -> UpdateItemFluentBuilder {
        let request = self.client.update_item();
        request.table_name(&self.table).key("pk", string(pk))
    }

    fn put_item(&self, pk: &str) -> PutItemFluentBuilder {
        let request = self.client.put_item();
        request
            .table_name(&self.table)
            .item("pk", string(pk))
            .item("schema", schema())
    }

    fn delete_item(&self, pk: &str) -> DeleteItemFluentBuilder {
        let request = self.client.delete_item();
        request.table_name(&self.table).key("pk", string(pk))
    }

    async fn get(&self, pk: &str) -> CallResult<Option<Item>> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", string(pk))
            .consistent_read(true);
        let call = Call::new("dynamodb:GetItem", pk);
        let item = call.send(request.send()).await?.item;
        match item.as_ref().and_then(newer_schema) {
            None => Ok(item),
            Some(newer) => Err(call.unreadable(format!(
                "the item has schema {newer}, which a later version of Copymend wrote"
            ))),
        }
    }
}

impl Ledger for DynamoLedger {
    async fn recall(
        &self,
        asked: &RecallAsked,
        owner: &str,
        now: Timestamp,
    ) -> CallResult<Recalled> {
        self.read_at_once(asked, owner, now).await
    }

    async fn begin_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<JobEntry> {
        self.enter_job(copy_job_id, owner, now, until, IsDoneFree::No)
            .await
    }

    async fn take_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<JobProgress>> {
        let entered = self.enter_job(copy_job_id, owner, now, until, IsDoneFree::Yes);
        Ok(match entered.await? {
            JobEntry::Started(progress) => Some(progress),
            // Done since it was asked for: whoever did it isn't waited for.
            JobEntry::InProgress | JobEntry::Done(_) => None,
        })
    }

    async fn progress_of_job(&self, copy_job_id: &str) -> CallResult<Option<JobProgress>> {
        let item = self.get(&format!("job#{copy_job_id}")).await?;
        Ok(item.map(|item| progress(&item)))
    }

    async fn outcome_of_job(&self, copy_job_id: &str) -> CallResult<Option<String>> {
        let item = self.get(&format!("job#{copy_job_id}")).await?;
        let done = item.filter(|item| text(item, "job_state") == Some(DONE));
        Ok(done.map(|item| text(&item, "outcome").unwrap_or_default().to_owned()))
    }

    async fn finish_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        finish: &Finish,
        now: Timestamp,
    ) -> CallResult<()> {
        self.end_job(copy_job_id, owner, finish, now).await
    }

    async fn abandon_job(
        &self,
        copy_job_id: &str,
        owner: &str,
        count: CountState,
    ) -> CallResult<()> {
        self.free_job(copy_job_id, owner, count).await
    }

    async fn count_occurrence(&self, count: Count<'_>, now: Timestamp) -> CallResult<Occurrence> {
        self.count(count, now).await
    }

    async fn record_count(
        &self,
        copy_job_id: &str,
        owner: &str,
        counted: &CountedAs,
    ) -> CallResult<()> {
        self.remember_count(copy_job_id, owner, counted).await
    }

    async fn record_told(&self, copy_job_id: &str, owner: &str, on: &Channels) -> CallResult<()> {
        let on = on.iter().map(|channel| channel.slug().to_owned());
        let pk = format!("job#{copy_job_id}");
        let request = self
            .update_item(&pk)
            .update_expression("ADD told_on :channels")
            .condition_expression(IS_OWNERS)
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":channels", AttributeValue::Ss(on.collect()));
        Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }

    async fn close_incident(&self, copy_job_id: &str) -> CallResult<Option<ClosedIncident>> {
        let job = self.get(&format!("job#{copy_job_id}")).await?;
        let Some(fingerprint) = job.as_ref().and_then(|job| text(job, "incident")) else {
            return Ok(None);
        };
        let pk = format!("incident#{fingerprint}");
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let request = || {
            self.update_item(&pk)
                .update_expression("SET closed_by = :job")
                .condition_expression(
                    "attribute_exists(occurrences) AND (attribute_not_exists(closed_by) OR closed_by = :job)",
                )
                .expression_attribute_values(":job", string(copy_job_id))
                .return_values(ReturnValue::AllNew)
                .send()
        };
        let Some(answer) = find_again(&call, copy_job_id, Again::Throttled, request).await? else {
            return Ok(None);
        };
        let item = answer.attributes.unwrap_or_default();
        let unreadable = || call.unreadable("the item is not an incident");
        Ok(Some(ClosedIncident {
            count: whole(&item, "occurrences").ok_or_else(unreadable)?,
            first_seen: moment(&item, "first_seen").ok_or_else(unreadable)?,
            is_known: item.contains_key(IS_KNOWN),
            fingerprint: fingerprint.to_owned(),
        }))
    }

    async fn forget_incident(
        &self,
        incident: &ClosedIncident,
        copy_job_id: &str,
        now: Timestamp,
    ) -> CallResult<()> {
        self.end_incident(&incident.fingerprint, copy_job_id, now)
            .await
    }

    async fn acquire_lease(
        &self,
        resource: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<Lease>> {
        self.take_lease(resource, owner, now, until).await
    }

    async fn release_lease(&self, lease: Lease) -> CallResult<()> {
        self.give_lease_back(&lease).await
    }

    async fn is_leased(&self, lease: &Lease) -> CallResult<bool> {
        self.holds_lease(lease).await
    }

    async fn count_of_source(
        &self,
        what: CountedOfSource,
        source: AccountId,
        budget: u32,
        now: Timestamp,
    ) -> CallResult<bool> {
        self.add_to_source(what, source, budget, now).await
    }

    async fn policy_history(&self, resource: &str, now: Timestamp) -> CallResult<PolicyHistory> {
        self.history(resource, now).await
    }

    async fn before_write(
        &self,
        resource: &str,
        source: AccountId,
        now: Timestamp,
    ) -> CallResult<BeforeWrite> {
        self.read_before_write(resource, source, now).await
    }

    async fn intend_change(
        &self,
        change: &Change,
        owner: &str,
        source: Option<(AccountId, u32)>,
    ) -> CallResult<bool> {
        self.intend(change, owner, source).await
    }

    async fn confirm_change(
        &self,
        change: &Change,
        sids: &[String],
        lease: Option<(&Lease, LeaseAfter)>,
    ) -> CallResult<()> {
        let call = Call::new("dynamodb:TransactWriteItems", change_key(&change.id));
        self.transact(&call, change, sids, lease).await
    }

    async fn lift_refusal(
        &self,
        resource: &str,
        refusal: &Refusal,
        lifted_by: Option<&str>,
        now: Timestamp,
    ) -> CallResult<()> {
        self.lift(resource, refusal, lifted_by, now).await
    }

    async fn pause(&self, now: Timestamp) -> CallResult<Option<Pause>> {
        self.pause_in_force(now).await
    }

    async fn set_pause(&self, pause: &Pause) -> CallResult<()> {
        self.put_pause(pause).await
    }

    async fn lift_pause(&self, lifted_by: Option<&str>, now: Timestamp) -> CallResult<bool> {
        self.delete_pause(lifted_by, now).await
    }

    async fn claim_settings_notice(
        &self,
        settings: &RecordedSettings,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<SettingsNotice>> {
        self.claim_notice(settings, owner, now, until).await
    }

    async fn record_settings(&self, settings: &RecordedSettings, owner: &str) -> CallResult<()> {
        self.put_settings(settings, Some(owner)).await
    }

    async fn change(&self, id: &str) -> CallResult<Option<(Change, ChangeState)>> {
        let pk = change_key(id);
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        let unreadable =
            || Call::new("dynamodb:GetItem", &pk).unreadable("the item is not a change");
        read_change(&item).ok_or_else(unreadable).map(Some)
    }

    async fn last_change(&self) -> CallResult<Option<String>> {
        let item = self.get(LAST_CHANGE).await?;
        Ok(item
            .as_ref()
            .and_then(|item| text(item, "change_id"))
            .map(ToOwned::to_owned))
    }

    async fn admitted_at(&self, resource: &str, grantee: &str) -> CallResult<Option<Admission>> {
        self.read_admission(resource, grantee).await
    }

    async fn record_opted_out_key(&self, source: AccountId, now: Timestamp) -> CallResult<()> {
        let pk = opted_out_key(source);
        // The same whoever writes it.
        let request = self.put_item(&pk).item("expires_at", expiry(now, 30));
        Call::new("dynamodb:PutItem", pk)
            .send(request.send())
            .await?;
        Ok(())
    }

    async fn claim_retry(
        &self,
        claim: &RetryClaim<'_>,
        now: Timestamp,
    ) -> CallResult<RetryClaimed> {
        self.claim(claim, now).await
    }

    async fn record_retried_job(
        &self,
        retried_job: &str,
        record: &RetryRecord,
        now: Timestamp,
    ) -> CallResult<()> {
        self.put_retry(retried_job, record, now).await
    }

    async fn finish_started_again(
        &self,
        started: &StartedAgain<'_>,
        now: Timestamp,
    ) -> CallResult<StartedAgainEnd> {
        self.end_started_again(started, now).await
    }

    async fn retry_of(&self, copy_job_id: &str) -> CallResult<Option<RetryRecord>> {
        self.read_retry(copy_job_id).await
    }
}
