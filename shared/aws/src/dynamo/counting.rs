//! The count of an incident, and what the job remembers of it.

use std::collections::HashMap;

use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, Update};
use aws_smithy_types::error::operation::BuildError;
use copymend_remediation::incident::IncidentOf;
use copymend_remediation::ledger::{Count, CountedAs, Counting, MessageClaim, Occurrence};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::again::{Again, find_again, send_again};
use super::{DynamoLedger, IS_OWNERS, REFUSED};
use crate::config::once;
use crate::error::Call;
use crate::item::{Item, day, expiry, instant, number, schema, string, text, time, whole};

/// What an incident has that was counted otherwise than quietly.
pub(super) const IS_KNOWN: &str = "is_known";
/// That an incident was seen, and no retry of it has worked since.
const IS_OPEN: &str = "attribute_exists(occurrences) AND attribute_not_exists(closed_by)";

impl DynamoLedger {
    pub(super) async fn count(&self, count: Count<'_>, now: Timestamp) -> CallResult<Occurrence> {
        let pk = incident_key(count.fingerprint);
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let old = self.add(&call, count, now).await?;
        let before = match old.get("occurrences") {
            None => 0,
            Some(_) => whole(&old, "occurrences")
                .ok_or_else(|| call.unreadable("`occurrences` is not a whole number"))?,
        };
        let is_closed = old.contains_key("closed_by");
        Ok(Occurrence {
            count: match count.counting {
                Counting::First => before.saturating_add(1),
                Counting::Again => before.max(1),
            },
            // After its end an incident begins anew for people, although it may not be forgotten
            // yet.
            previous_outcome: text(&old, "outcome")
                .filter(|_| !is_closed && !count.is_due)
                .map(ToOwned::to_owned),
            since: since(&old, before),
        })
    }

    /// Adds to the incident's item; answers the item as it was before. Sent again only where it was
    /// surely not done. The item has no owner: every count is one more, or sets the outcome that
    /// was seen last, whoever sends it. An incident that another job is closing opens again, and
    /// [`Ledger::forget_incident`](copymend_remediation::ledger::Ledger::forget_incident) leaves it
    /// alone then.
    async fn add(&self, call: &Call, count: Count<'_>, now: Timestamp) -> CallResult<Item> {
        let addition = Addition::aloud(&count, now);
        let request = || {
            self.update_item(&addition.pk)
                .update_expression(&addition.expression)
                .set_expression_attribute_names(Some(addition.names.clone()))
                .set_expression_attribute_values(Some(addition.values.clone()))
                .return_values(ReturnValue::AllOld)
                .customize()
                .config_override(Builder::new().retry_config(once()))
                .send()
        };
        let answer = send_again(call, count.copy_job_id, Again::Throttled, request).await?;
        Ok(answer.attributes.unwrap_or_default())
    }

    /// The same as a part of a transaction, of an occurrence that nobody has to hear of. One of an incident that
    /// isn't open any more is news, so that it isn't counted.
    pub(super) fn count_item(
        &self,
        count: &Count<'_>,
        occurrence: &Occurrence,
        now: Timestamp,
    ) -> Result<Update, BuildError> {
        let addition = Addition::silent(count, occurrence, now);
        self.update(addition.pk)
            .update_expression(addition.expression)
            .condition_expression(IS_OPEN)
            .set_expression_attribute_names(Some(addition.names))
            .set_expression_attribute_values(Some(addition.values))
            .build()
    }

    /// That it was looked whether people are to be told of an incident, as a part of a transaction. One that isn't
    /// open any more, or that somebody else looked at meanwhile, isn't looked at.
    pub(super) fn look_item(&self, message: &MessageClaim<'_>) -> Result<Update, BuildError> {
        let whole = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX));
        self.update(incident_key(message.fingerprint))
            .update_expression("SET looked_at = :count")
            .condition_expression(format!(
                "{IS_OPEN} AND (attribute_not_exists(looked_at) OR looked_at = :since)"
            ))
            .expression_attribute_values(":count", whole(message.occurrence.count))
            .expression_attribute_values(":since", whole(message.occurrence.since))
            .build()
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
        let request = || {
            self.update_item(&pk)
                .condition_expression("closed_by = :job AND attribute_exists(occurrences)")
                .update_expression(
                    "SET ended_at = :now, ended_count = occurrences, ended_outcome = outcome, \
                 ended_first_seen = first_seen, #day = :day, #at = :at, expires_at = :expires, \
                 #schema = :schema REMOVE occurrences, outcome, first_seen, last_seen, closed_by, \
                 is_known, looked_at",
                )
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_names("#day", "day")
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":schema", schema())
                .expression_attribute_values(":day", day(now))
                .expression_attribute_values(":at", instant(now))
                .expression_attribute_values(":now", time(now))
                .expression_attribute_values(":job", string(copy_job_id))
                .expression_attribute_values(":expires", expiry(now, 90))
                .send()
        };
        let call = Call::new("dynamodb:UpdateItem", &pk);
        find_again(&call, copy_job_id, Again::Throttled, request).await?;
        Ok(())
    }

    /// Remembers with the job what it was counted as. An entry that isn't the owner's any more is
    /// left alone: whoever has it counts the job itself.
    pub(super) async fn remember_count(
        &self,
        copy_job_id: &str,
        owner: &str,
        counted: &CountedAs,
    ) -> CallResult<()> {
        let pk = format!("job#{copy_job_id}");
        let remembered = Remembered::of(counted);
        let request = self
            .update_item(&pk)
            .update_expression(format!(
                "SET {} REMOVE told_on, {}",
                remembered.set, remembered.remove
            ))
            .condition_expression(IS_OWNERS)
            .set_expression_attribute_values(Some(remembered.values))
            .expression_attribute_values(":owner", string(owner));
        Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }
}

pub(super) fn incident_key(fingerprint: &str) -> String {
    format!("incident#{fingerprint}")
}

/// The count of an incident at which it was last looked whether people are to be told. Versions that looked
/// at each have none.
pub(super) fn since(item: &Item, count: u64) -> u64 {
    whole(item, "looked_at").unwrap_or(count)
}

/// What an item remembers of a job's count. Of that, people were not told yet.
pub(super) struct Remembered {
    /// What follows `SET`.
    pub(super) set: &'static str,
    /// What follows `REMOVE`, besides the channels on which people were told.
    pub(super) remove: &'static str,
    pub(super) values: HashMap<String, AttributeValue>,
}

impl Remembered {
    pub(super) fn of(counted: &CountedAs) -> Self {
        let whole = |count: u64| number(i64::try_from(count).unwrap_or(i64::MAX));
        let occurrence = &counted.occurrence;
        let mut values = HashMap::from([
            (":count".to_owned(), whole(occurrence.count)),
            (":since".to_owned(), whole(occurrence.since)),
            (":incident".to_owned(), string(&counted.fingerprint)),
            (":counted_as".to_owned(), string(&counted.outcome)),
        ]);
        let previous = occurrence.previous_outcome.as_ref();
        values.extend(previous.map(|outcome| (":after".to_owned(), string(outcome))));
        let (set, remove) = match previous {
            None => (
                "counted = :count, counted_since = :since, counted_as = :counted_as, incident = :incident",
                "told, is_count_unclear, counted_after",
            ),
            Some(_) => (
                "counted = :count, counted_since = :since, counted_as = :counted_as, incident = :incident, \
                 counted_after = :after",
                "told, is_count_unclear",
            ),
        };
        Self {
            set,
            remove,
            values,
        }
    }
}

/// One more of an incident, or its last outcome.
struct Addition {
    pk: String,
    expression: String,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Addition {
    /// Of an occurrence at which it is looked whether people are to be told. The number of one that is counted again
    /// was looked at before.
    fn aloud(count: &Count<'_>, now: Timestamp) -> Self {
        match count.counting {
            Counting::First => {
                let looked_at = "if_not_exists(occurrences, :none) + :one";
                Self::of(count, now, Some((looked_at, (":none", number(0)))))
            }
            Counting::Again => Self::of(count, now, None),
        }
    }

    /// Of one that nobody has to hear of.
    fn silent(count: &Count<'_>, occurrence: &Occurrence, now: Timestamp) -> Self {
        let since = i64::try_from(occurrence.since).unwrap_or(i64::MAX);
        let looked_at = "if_not_exists(looked_at, :since)";
        Self::of(count, now, Some((looked_at, (":since", number(since)))))
    }

    fn of(
        count: &Count<'_>,
        now: Timestamp,
        looked_at: Option<(&'static str, (&'static str, AttributeValue))>,
    ) -> Self {
        let of = IncidentOf::of_fingerprint(count.fingerprint);
        let mut set = "SET outcome = :outcome, first_seen = if_not_exists(first_seen, :now), \
             last_seen = :now, expires_at = :expires, #schema = :schema, \
             #day = :day, #at = if_not_exists(#at, :at)"
            .to_owned();
        let mut values = HashMap::from([
            (":schema".to_owned(), schema()),
            (":day".to_owned(), day(now)),
            (":at".to_owned(), instant(now)),
            (":outcome".to_owned(), string(count.outcome)),
            (":now".to_owned(), time(now)),
            (":expires".to_owned(), expiry(now, 90)),
            (":one".to_owned(), number(1)),
        ]);
        if let Some((looked_at, (name, value))) = looked_at {
            set = format!("{set}, looked_at = {looked_at}");
            values.insert(name.to_owned(), value);
        }
        if let Some(of) = of {
            set.push_str(", policy_of = :resource");
            values.insert(":resource".to_owned(), string(of.resource));
        }
        if !count.is_quiet {
            set = format!("{set}, {IS_KNOWN} = :known");
            values.insert(":known".to_owned(), AttributeValue::Bool(true));
        }
        let expression = match count.counting {
            Counting::First => format!("{set} REMOVE closed_by ADD occurrences :one"),
            // An incident that was forgotten since begins anew.
            Counting::Again => {
                format!("{set}, occurrences = if_not_exists(occurrences, :one) REMOVE closed_by")
            }
        };
        let names = [("#schema", "schema"), ("#day", "day"), ("#at", "at")];
        Self {
            pk: incident_key(count.fingerprint),
            expression,
            names: names
                .map(|(short, name)| (short.to_owned(), name.to_owned()))
                .into(),
            values,
        }
    }
}
