//! The count of an incident, and what the job remembers of it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use copymend_remediation::incident::IncidentOf;
use copymend_remediation::ledger::{Count, CountedAs, Counting, Occurrence};
use copymend_remediation::ports::{CallErrorKind, CallResult};
use jiff::Timestamp;

use super::{DynamoLedger, IS_OWNERS, REFUSED};
use crate::config::once;
use crate::error::Call;
use crate::item::{Item, day, expiry, instant, number, schema, string, text, time, whole};

/// What an incident has that was counted otherwise than quietly.
pub(super) const IS_KNOWN: &str = "is_known";
/// Attempts at a count that is throttled: all events of a storm count in one item.
const ATTEMPTS: u32 = 7;
/// The first pause; each is twice as long as the one before, and up to twice as long again, from
/// one job to the next.
const PAUSE: Duration = Duration::from_millis(50);

impl DynamoLedger {
    pub(super) async fn count(&self, count: Count<'_>, now: Timestamp) -> CallResult<Occurrence> {
        let Count {
            fingerprint,
            copy_job_id,
            owner,
            outcome,
            counting,
            is_due,
            is_quiet: _,
        } = count;
        let pk = format!("incident#{fingerprint}");
        let call = Call::new("dynamodb:UpdateItem", &pk);
        self.mark_count(copy_job_id, owner).await?;
        let old = self.add(&call, &pk, count, now).await?;
        let before = match old.get("occurrences") {
            None => 0,
            Some(_) => whole(&old, "occurrences")
                .ok_or_else(|| call.unreadable("`occurrences` is not a whole number"))?,
        };
        let is_closed = old.contains_key("closed_by");
        let occurrence = Occurrence {
            count: match counting {
                Counting::First => before.saturating_add(1),
                Counting::Again => before.max(1),
            },
            // After its end an incident begins anew for people, although it may not be forgotten
            // yet.
            previous_outcome: text(&old, "outcome")
                .filter(|_| !is_closed && !is_due)
                .map(ToOwned::to_owned),
        };
        let counted = CountedAs {
            fingerprint: fingerprint.to_owned(),
            outcome: outcome.to_owned(),
            occurrence,
        };
        self.remember_count(copy_job_id, owner, &counted).await?;
        Ok(counted.occurrence)
    }

    /// Remembers that a job is about to be counted: whoever dies in between leaves it unclear
    /// whether it was. An entry that isn't the owner's any more is left alone.
    async fn mark_count(&self, copy_job_id: &str, owner: &str) -> CallResult<()> {
        let pk = format!("job#{copy_job_id}");
        let request = self
            .update_item(&pk)
            .condition_expression(IS_OWNERS)
            .update_expression("SET is_count_unclear = :yes")
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }

    /// Adds to the incident's item; answers the item as it was before. Sent again only where it was
    /// surely not done. The item has no owner: every count is one more, or sets the outcome that
    /// was seen last, whoever sends it. An incident that another job is closing opens again, and
    /// [`Ledger::forget_incident`](copymend_remediation::ledger::Ledger::forget_incident) leaves it
    /// alone then.
    async fn add(
        &self,
        call: &Call,
        pk: &str,
        count: Count<'_>,
        now: Timestamp,
    ) -> CallResult<Item> {
        let Count {
            fingerprint,
            copy_job_id,
            outcome,
            counting,
            is_quiet,
            ..
        } = count;
        let set = "SET outcome = :outcome, first_seen = if_not_exists(first_seen, :now), \
                   last_seen = :now, expires_at = :expires, #schema = :schema, \
                   #day = :day, #at = if_not_exists(#at, :at)";
        let of = IncidentOf::of_fingerprint(fingerprint);
        let set = match of {
            Some(_) => format!("{set}, policy_of = :resource"),
            None => set.to_owned(),
        };
        let set = if is_quiet {
            set
        } else {
            format!("{set}, {IS_KNOWN} = :known")
        };
        let expression = match counting {
            Counting::First => format!("{set} REMOVE closed_by ADD occurrences :one"),
            // An incident that was forgotten since begins anew.
            Counting::Again => {
                format!("{set}, occurrences = if_not_exists(occurrences, :one) REMOVE closed_by")
            }
        };
        let mut attempt = 1;
        loop {
            let mut request = self.update_item(pk);
            if let Some(of) = of {
                request = request.expression_attribute_values(":resource", string(of.resource));
            }
            if !is_quiet {
                request = request.expression_attribute_values(":known", AttributeValue::Bool(true));
            }
            let request = request
                .update_expression(&expression)
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_names("#day", "day")
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":schema", schema())
                .expression_attribute_values(":day", day(now))
                .expression_attribute_values(":at", instant(now))
                .expression_attribute_values(":outcome", string(outcome))
                .expression_attribute_values(":now", time(now))
                .expression_attribute_values(":expires", expiry(now, 90))
                .expression_attribute_values(":one", number(1))
                .return_values(ReturnValue::AllOld)
                .customize()
                .config_override(Builder::new().retry_config(once()));
            match call.send(request.send()).await {
                Ok(answer) => return Ok(answer.attributes.unwrap_or_default()),
                Err(error) if error.kind == CallErrorKind::Throttled && attempt < ATTEMPTS => {
                    tokio::time::sleep(pause(copy_job_id, attempt)).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Ends an incident that a job closed. The item stays, so that its end is on record; the next
    /// count begins anew. An incident that was seen again since is left alone.
    pub(super) async fn end_incident(
        &self,
        fingerprint: &str,
        copy_job_id: &str,
        now: Timestamp,
    ) -> CallResult<()> {
        let pk = format!("incident#{fingerprint}");
        let request = self
            .update_item(&pk)
            .condition_expression("closed_by = :job AND attribute_exists(occurrences)")
            .update_expression(
                "SET ended_at = :now, ended_count = occurrences, ended_outcome = outcome, \
                 ended_first_seen = first_seen, #day = :day, #at = :at, expires_at = :expires, \
                 #schema = :schema REMOVE occurrences, outcome, first_seen, last_seen, closed_by, \
                 is_known",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":day", day(now))
            .expression_attribute_values(":at", instant(now))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":job", string(copy_job_id))
            .expression_attribute_values(":expires", expiry(now, 90));
        Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }

    /// Remembers with the job what it was counted as. An entry that isn't the owner's any more is
    /// left alone: whoever has it counts the job itself.
    async fn remember_count(
        &self,
        copy_job_id: &str,
        owner: &str,
        counted: &CountedAs,
    ) -> CallResult<()> {
        let pk = format!("job#{copy_job_id}");
        let count = i64::try_from(counted.occurrence.count).unwrap_or(i64::MAX);
        let request = self
            .update_item(&pk)
            .condition_expression(IS_OWNERS)
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":count", number(count))
            .expression_attribute_values(":incident", string(&counted.fingerprint))
            .expression_attribute_values(":outcome", string(&counted.outcome));
        let set = "SET counted = :count, counted_as = :outcome, incident = :incident";
        let remove = "REMOVE told, told_on, is_count_unclear";
        let request = match &counted.occurrence.previous_outcome {
            None => request.update_expression(format!("{set} {remove}, counted_after")),
            Some(outcome) => request
                .update_expression(format!("{set}, counted_after = :after {remove}"))
                .expression_attribute_values(":after", string(outcome)),
        };
        Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }
}

/// Longer from one attempt to the next, and other for each job, so that a storm doesn't ask in
/// step.
fn pause(copy_job_id: &str, attempt: u32) -> Duration {
    let mut hasher = DefaultHasher::new();
    (copy_job_id, attempt).hash(&mut hasher);
    let [byte, ..] = hasher.finish().to_be_bytes();
    let pause = PAUSE * 2_u32.saturating_pow(attempt - 1);
    pause + pause.mul_f64(f64::from(byte) / 255.0)
}
