//! The retries of a copy, counted, what each retried job repeats, and the change before it.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use aws_smithy_types::error::operation::BuildError;
use copymend_diagnosis::BackupVaultArn;
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ledger::{
    Admission, AfterChange, CountedAs, CountedOfSource, CountedRetries, MessageClaim,
    OF_ALL_ACCOUNTS, Origin, RetryClaim, RetryClaimed, RetryRecord, StartedAgain, StartedAgainEnd,
};
use copymend_remediation::ports::{CallErrorKind, CallResult};
use jiff::Timestamp;

use super::DynamoLedger;
use super::transaction::admitted_key;
use crate::error::Call;
use crate::item::{Item, expiry, moment, number, schema, string, text};

fn after_change(item: &Item) -> Option<AfterChange> {
    Some(AfterChange {
        change_id: text(item, "after_change")?.to_owned(),
        repaired: text(item, "repaired")?.to_owned(),
    })
}

/// Attempts at a claim where others come in between.
const ATTEMPTS: u32 = 5;

/// What a claim does to the retries that were counted so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// They begin anew with this job.
    Anew,
    /// The job is one more of so many.
    OneMore(usize),
    /// The job was counted before.
    Again,
}

/// A step, and the attempt's number then; none where the budget is used up.
fn step_of(known: &CountedRetries, claim: &RetryClaim<'_>) -> Option<(Step, u32)> {
    let is_anew = |change: &str| !known.after_changes.iter().any(|known| known == change);
    if claim.anew_after.is_some_and(is_anew) {
        return Some((Step::Anew, 1));
    }
    let used = known.jobs.len();
    let count = |jobs: usize| u32::try_from(jobs).unwrap_or(u32::MAX);
    if known.jobs.iter().any(|job| job == claim.failed_job) {
        // A set has no order: the job is one of them.
        return Some((Step::Again, count(used)));
    }
    (count(used) < claim.budget).then(|| (Step::OneMore(used), count(used).saturating_add(1)))
}

pub(super) fn retry_key(claim: (&Arn, &BackupVaultArn)) -> String {
    let (recovery_point, destination) = claim;
    format!("retry#{recovery_point}#{destination}")
}

/// The retries of a copy, as its item has them.
pub(super) fn read_retries(item: Option<&Item>) -> Option<CountedRetries> {
    let set = |name| match item.and_then(|item| item.get(name)) {
        None => Some(Vec::new()),
        Some(AttributeValue::Ss(texts)) => Some(texts.clone()),
        Some(_) => None,
    };
    Some(CountedRetries {
        jobs: set("jobs")?,
        after_changes: set("after_changes")?,
    })
}

pub(super) fn retried_key(copy_job_id: &str) -> String {
    format!("retried#{copy_job_id}")
}

pub(super) fn read_retry_record(pk: &str, item: &Item) -> CallResult<RetryRecord> {
    let original_job = text(item, "original_job")
        .ok_or_else(|| Call::new("dynamodb:GetItem", pk).unreadable("`original_job` is missing"))?;
    Ok(RetryRecord {
        original_job: original_job.to_owned(),
        origin: text(item, "origin").and_then(Origin::from_slug),
        after_change: after_change(item),
    })
}

pub(super) fn read_admitted(pk: &str, item: &Item) -> CallResult<Admission> {
    let unreadable = || Call::new("dynamodb:GetItem", pk).unreadable("`written_at` is missing");
    Ok(Admission {
        at: moment(item, "written_at").ok_or_else(unreadable)?,
        change_id: text(item, "change_id").map(ToOwned::to_owned),
    })
}

impl DynamoLedger {
    /// Counts a retry in one transaction. The copy's set has no owner: the same job adds nothing twice, and
    /// what others added since it was read fails the condition, and is read.
    pub(super) async fn claim(
        &self,
        claim: &RetryClaim<'_>,
        now: Timestamp,
    ) -> CallResult<RetryClaimed> {
        if claim.budget == 0 {
            return Ok(RetryClaimed::BudgetUsedUp);
        }
        if claim.source_budget == 0 {
            return Ok(RetryClaimed::SourceBudgetUsedUp);
        }
        // A count that isn't there yet is below every other budget.
        if let Some(message) = &claim.message
            && (message.budget == 0 || message.budget_of_all == 0)
        {
            return Ok(RetryClaimed::NoRoomForMessage);
        }
        let pk = retry_key((claim.recovery_point, claim.destination));
        let call = Call::new(
            "dynamodb:TransactWriteItems",
            format!("job#{}", claim.failed_job),
        );
        let mut known = claim.known.cloned();
        for _ in 0..ATTEMPTS {
            let is_old = known.is_some();
            let counted = if let Some(known) = known.take() {
                known
            } else {
                let item = self.get(&pk).await?;
                read_retries(item.as_ref())
                    .ok_or_else(|| call.unreadable("`jobs` is not a string set"))?
            };
            let Some((step, attempt)) = step_of(&counted, claim) else {
                if is_old {
                    // A change may have begun the count anew since it was read.
                    continue;
                }
                return Ok(RetryClaimed::BudgetUsedUp);
            };
            let parts = self.claim_items(&pk, claim, step, now);
            let parts =
                parts.map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?;
            let (order, items): (Vec<Part>, Vec<TransactWriteItem>) = parts.into_iter().unzip();
            let refused = self.send_transaction(&call, items).await?;
            match refused.map(|refused| order.get(refused.place).copied()) {
                None => return Ok(RetryClaimed::Attempt(attempt)),
                Some(Some(Part::Job)) => return Ok(RetryClaimed::NotFree),
                Some(Some(Part::Source)) => return Ok(RetryClaimed::SourceBudgetUsedUp),
                Some(Some(Part::Message)) => return Ok(RetryClaimed::NoRoomForMessage),
                // Others came in between: it is read.
                Some(Some(Part::Copy)) => {}
                Some(None) => return Err(call.unreadable("a condition failed that was not sent")),
            }
        }
        Err(call.error(
            CallErrorKind::Throttled,
            "other retries of this copy are counted at this moment",
        ))
    }

    fn claim_items(
        &self,
        pk: &str,
        claim: &RetryClaim<'_>,
        step: Step,
        now: Timestamp,
    ) -> Result<Vec<(Part, TransactWriteItem)>, BuildError> {
        let item = TransactWriteItem::builder;
        let one = |text: &str| AttributeValue::Ss(vec![text.to_owned()]);
        let job = claim.failed_job;
        let mut parts = Vec::new();
        if let Some(begin) = claim.begin {
            let begin = self.begin_item(job, begin, now)?;
            parts.push((Part::Job, item().update(begin).build()));
        }
        let copy = self
            .update(pk)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":expires", expiry(now, 30));
        // That the count is begun anew is checked with each step of it.
        let (is_begun, copy) = match (step, claim.anew_after) {
            (Step::OneMore(_) | Step::Again, Some(change)) => (
                " AND contains(after_changes, :change)",
                copy.expression_attribute_values(":change", string(change)),
            ),
            (Step::Anew, _) | (_, None) => ("", copy),
        };
        let set = "SET expires_at = :expires, #schema = :schema";
        let copy = match (step, claim.anew_after) {
            (Step::Anew, change) => copy
                .condition_expression(
                    "attribute_not_exists(after_changes) OR NOT contains(after_changes, :change)",
                )
                .update_expression(format!("{set}, jobs = :jobs ADD after_changes :changes"))
                .expression_attribute_values(":change", string(change.unwrap_or_default()))
                .expression_attribute_values(":changes", one(change.unwrap_or_default()))
                .expression_attribute_values(":jobs", one(job)),
            (Step::OneMore(0), _) => copy
                .condition_expression(format!("attribute_not_exists(jobs){is_begun}"))
                .update_expression(format!("{set} ADD jobs :jobs"))
                .expression_attribute_values(":jobs", one(job)),
            (Step::OneMore(used), _) => copy
                .condition_expression(format!(
                    "size(jobs) = :used AND NOT contains(jobs, :job){is_begun}"
                ))
                .update_expression(format!("{set} ADD jobs :jobs"))
                .expression_attribute_values(
                    ":used",
                    number(i64::try_from(used).unwrap_or(i64::MAX)),
                )
                .expression_attribute_values(":job", string(job))
                .expression_attribute_values(":jobs", one(job)),
            (Step::Again, _) => copy
                .condition_expression(format!("contains(jobs, :job){is_begun}"))
                .update_expression(set)
                .expression_attribute_values(":job", string(job)),
        };
        parts.push((Part::Copy, item().update(copy.build()?).build()));
        let what = CountedOfSource::Retries;
        let source = self.source_item(what, claim.source, claim.source_budget, now)?;
        parts.push((Part::Source, item().update(source).build()));
        if let Some(message) = &claim.message {
            let items = self.message_items(message, claim.source, now)?;
            let items = items.into_iter().map(|part| item().update(part).build());
            parts.extend(items.map(|item| (Part::Message, item)));
        }
        Ok(parts)
    }

    /// A message about a confirmed event of an account: counted, its turn taken, and its incident looked at.
    fn message_items(
        &self,
        message: &MessageClaim<'_>,
        source: AccountId,
        now: Timestamp,
    ) -> Result<Vec<Update>, BuildError> {
        let mut items = vec![
            self.look_item(message)?,
            self.source_item(CountedOfSource::Messages, source, message.budget, now)?,
        ];
        if let Ok(all) = OF_ALL_ACCOUNTS.parse() {
            let what = CountedOfSource::AllMessages;
            items.push(self.source_item(what, all, message.budget_of_all, now)?);
        }
        if message.takes_turn {
            items.push(self.turn_item(now)?);
        }
        Ok(items)
    }

    /// What is to be remembered of a job that a copy was started again as, under AWS Backup's id of it.
    /// Without a condition: only the retry of one failed job starts that one, and whoever writes it again
    /// writes of the same retry.
    fn retried_item(
        &self,
        retried_job: &str,
        record: &RetryRecord,
        now: Timestamp,
    ) -> Result<Put, BuildError> {
        let mut put = Put::builder()
            .table_name(&self.table)
            .item("pk", string(retried_key(retried_job)))
            .item("schema", schema())
            .item("original_job", string(&record.original_job))
            .item("expires_at", expiry(now, 30));
        if let Some(origin) = record.origin {
            put = put.item("origin", string(origin.slug()));
        }
        if let Some(after) = &record.after_change {
            put = put
                .item("after_change", string(&after.change_id))
                .item("repaired", string(&after.repaired));
        }
        put.build()
    }

    /// With the failed job, if it has an entry: whose that is by now doesn't matter, since the copy was
    /// started whoever handles the job.
    pub(super) async fn put_retry(
        &self,
        retried_job: &str,
        record: &RetryRecord,
        now: Timestamp,
    ) -> CallResult<()> {
        let call = Call::new("dynamodb:TransactWriteItems", retried_key(retried_job));
        let failed = |error: BuildError| call.error(CallErrorKind::Failed, error.to_string());
        let item = TransactWriteItem::builder;
        let put = self
            .retried_item(retried_job, record, now)
            .map_err(failed)?;
        let job = self
            .update(format!("job#{}", record.original_job))
            .update_expression("SET retried_as = :job")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":job", string(retried_job))
            .build()
            .map_err(failed)?;
        let put = item().put(put).build();
        let both = vec![item().update(job).build(), put.clone()];
        if self.send_transaction(&call, both).await?.is_some() {
            self.send_transaction(&call, vec![put]).await?;
        }
        Ok(())
    }

    /// Ends a job whose copy was started again, in one transaction.
    pub(super) async fn end_started_again(
        &self,
        started: &StartedAgain<'_>,
        now: Timestamp,
    ) -> CallResult<StartedAgainEnd> {
        let count = &started.count;
        let call = Call::new(
            "dynamodb:TransactWriteItems",
            format!("job#{}", count.copy_job_id),
        );
        let counted = CountedAs {
            fingerprint: count.fingerprint.to_owned(),
            outcome: count.outcome.to_owned(),
            occurrence: started.occurrence.clone(),
        };
        let items = || {
            let item = TransactWriteItem::builder;
            let job = (count.copy_job_id, started.owner);
            let new_job = (started.retried_job, started.told);
            let job = self.end_item(job, new_job, &counted, now)?;
            let retried = self.retried_item(started.retried_job, started.record, now)?;
            let incident = self.count_item(count, started.occurrence, now)?;
            Ok(vec![
                item().update(job).build(),
                item().put(retried).build(),
                item().update(incident).build(),
            ])
        };
        let items: Result<_, BuildError> = items();
        let items = items.map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?;
        let refused = self.send_transaction(&call, items).await?;
        Ok(match refused.map(|refused| refused.place) {
            None => StartedAgainEnd::Finished,
            // The job is the first of them.
            Some(0) => StartedAgainEnd::TakenOver,
            Some(_) => StartedAgainEnd::IncidentOver,
        })
    }

    pub(super) async fn read_admission(
        &self,
        resource: &str,
        grantee: &str,
    ) -> CallResult<Option<Admission>> {
        let pk = admitted_key(resource, grantee);
        let item = self.get(&pk).await?;
        item.map(|item| read_admitted(&pk, &item)).transpose()
    }

    pub(super) async fn read_retry(&self, copy_job_id: &str) -> CallResult<Option<RetryRecord>> {
        let pk = retried_key(copy_job_id);
        let item = self.get(&pk).await?;
        item.map(|item| read_retry_record(&pk, &item)).transpose()
    }
}

/// The parts of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Job,
    Copy,
    Source,
    Message,
}
