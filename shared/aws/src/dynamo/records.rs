//! What is on record, by the table's two indexes: `by-day` and `by-resource`.
//!
//! Both hold keys alone, and only those of items that have a day; so a question reads the keys of
//! the days that it is about, and then the items that may answer it. A global secondary index can't
//! be read consistently, and answers pages of at most 1 MB (Amazon DynamoDB API reference, `Query`,
//! documented). The items are read consistently.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use copymend_remediation::incident::IncidentOf;
use copymend_remediation::ledger::Refusal;
use copymend_remediation::ports::CallResult;
use copymend_remediation::records::{
    ApprovalRecord, ChangeRecord, Ended, EndedIncident, IncidentRecord, OpenIncident, PauseRecord,
    Record, RecordKind, Records, RecordsAsked, RecordsFound, RefusalRecord, fingerprint_concerns,
};
use futures_util::StreamExt;
use futures_util::stream;
use jiff::civil::Date;

use super::DynamoLedger;
use super::approvals::{self, PLAN};
use super::history::LIFTED;
use super::items::ITEMS_IN_A_CALL;
use super::pausing::{PAUSED, read_pause};
use crate::error::Call;
use crate::item::{Item, change_key, moment, newer_schema, read_change, string, text, whole};

const BY_DAY: &str = "by-day";
const BY_RESOURCE: &str = "by-resource";
/// Days that are asked for at the same time.
const DAYS_AT_ONCE: usize = 8;
const INCIDENT: &str = "incident#";
const CHANGE: &str = "change#";
const REFUSAL: &str = "refusal#";

/// The kind of an item, by its key; `None` for items that are no records.
fn kind(pk: &str) -> Option<RecordKind> {
    [
        (INCIDENT, RecordKind::Incident),
        (CHANGE, RecordKind::Change),
        (REFUSAL, RecordKind::Refusal),
        (PAUSED, RecordKind::Pause),
        (PLAN, RecordKind::Approval),
    ]
    .into_iter()
    .find_map(|(prefix, kind)| pk.starts_with(prefix).then_some(kind))
}

/// Whether an item may be wanted, as far as its key tells. The keys of incidents tell it all: they
/// are the most, and need not be read to be left out.
fn may_be_wanted(pk: &str, asked: &RecordsAsked) -> bool {
    let Some(kind) = kind(pk).filter(|kind| asked.wants(*kind)) else {
        return false;
    };
    match (kind, pk.strip_prefix(INCIDENT)) {
        (RecordKind::Incident, Some(fingerprint)) => {
            let resource = asked.resource.as_deref();
            let of = IncidentOf::of_fingerprint(fingerprint);
            asked
                .account
                .is_none_or(|account| fingerprint_concerns(fingerprint, account))
                && resource.is_none_or(|resource| of.is_none_or(|of| of.resource == resource))
        }
        (
            RecordKind::Incident
            | RecordKind::Change
            | RecordKind::Refusal
            | RecordKind::Pause
            | RecordKind::Approval,
            _,
        ) => true,
    }
}

fn read_change_record(item: &Item) -> Option<ChangeRecord> {
    let (change, state) = read_change(item)?;
    Some(ChangeRecord {
        change,
        state,
        undone_by: text(item, "undone_by").map(ToOwned::to_owned),
    })
}

fn ended(item: &Item) -> Option<Ended> {
    Some(Ended {
        at: moment(item, "lifted_at")?,
        by: text(item, "lifted_by").map(ToOwned::to_owned),
    })
}

fn read_incident(item: &Item, fingerprint: &str) -> Option<IncidentRecord> {
    let open = match item.get("occurrences") {
        None => None,
        Some(_) => Some(OpenIncident {
            count: whole(item, "occurrences")?,
            outcome: text(item, "outcome")?.to_owned(),
            first_seen: moment(item, "first_seen")?,
            last_seen: moment(item, "last_seen")?,
        }),
    };
    let ended = match item.get("ended_at") {
        None => None,
        Some(_) => Some(EndedIncident {
            count: whole(item, "ended_count")?,
            outcome: text(item, "ended_outcome")?.to_owned(),
            first_seen: moment(item, "ended_first_seen")?,
            at: moment(item, "ended_at")?,
        }),
    };
    (open.is_some() || ended.is_some()).then(|| IncidentRecord {
        fingerprint: fingerprint.to_owned(),
        open,
        ended,
    })
}

fn read_refusal(item: &Item) -> Option<RefusalRecord> {
    let owned = |name| text(item, name).map(ToOwned::to_owned);
    let is_of_plan = Refusal::plan_of(text(item, "change_id")?).is_some();
    let is_lifted = text(item, "refusal_state")? == LIFTED;
    let lifted = if is_lifted { Some(ended(item)?) } else { None };
    Some(RefusalRecord {
        resource: owned("policy_of")?,
        grantee: owned("grantee")?,
        account: owned("account"),
        change_id: owned("change_id")?,
        made_by: owned("made_by"),
        // Of the undo, or of the answer to a plan, as the index has it. Without either on record it is
        // another's.
        at: if item.contains_key("undone_by") || is_of_plan {
            Some(text(item, "at")?.parse().ok()?)
        } else {
            None
        },
        undone_by: owned("undone_by"),
        lifted,
    })
}

fn read_record(pk: &str, item: &Item) -> Option<Record> {
    if newer_schema(item).is_some() {
        return None;
    }
    Some(match kind(pk)? {
        RecordKind::Incident => Record::Incident(read_incident(item, pk.strip_prefix(INCIDENT)?)?),
        RecordKind::Change => Record::Change(Box::new(read_change_record(item)?)),
        RecordKind::Refusal => Record::Refusal(read_refusal(item)?),
        RecordKind::Pause => Record::Pause(PauseRecord {
            pause: read_pause(item)?,
            lifted: ended(item),
        }),
        RecordKind::Approval => {
            let (request, state) = approvals::read(item)?;
            Record::Approval(Box::new(ApprovalRecord { request, state }))
        }
    })
}

impl DynamoLedger {
    fn ask(&self, index: &str) -> QueryFluentBuilder {
        let request = self.client.query();
        request
            .table_name(&self.table)
            .index_name(index)
            .scan_index_forward(false)
            .expression_attribute_names("#day", "day")
    }

    /// The keys that a question to an index finds, each with its day.
    async fn keys(
        &self,
        call: &Call,
        request: QueryFluentBuilder,
        asked: &RecordsAsked,
    ) -> CallResult<Vec<(Date, String)>> {
        let mut keys = Vec::new();
        let mut start = None;
        loop {
            let page = request.clone().set_exclusive_start_key(start.take());
            let answer = call.send(page.send()).await?;
            for item in answer.items() {
                let (Some(pk), Some(day)) = (text(item, "pk"), text(item, "day")) else {
                    return Err(call.unreadable("a key has no `pk` or no `day`"));
                };
                if may_be_wanted(pk, asked) {
                    let day = day
                        .parse()
                        .map_err(|_| call.unreadable(format!("the day of `{pk}` is none")))?;
                    keys.push((day, pk.to_owned()));
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn keys_of_day(&self, day: Date, asked: &RecordsAsked) -> CallResult<Vec<String>> {
        let call = Call::new("dynamodb:Query", format!("{BY_DAY} {day}"));
        let request = self
            .ask(BY_DAY)
            .key_condition_expression("#day = :day")
            .expression_attribute_values(":day", string(day.to_string()));
        let keys = self.keys(&call, request, asked).await?;
        Ok(keys.into_iter().map(|(_, pk)| pk).collect())
    }

    /// The keys of a resource's days, the last day first.
    async fn keys_of_resource(
        &self,
        resource: &str,
        asked: &RecordsAsked,
    ) -> CallResult<Vec<(Date, Vec<String>)>> {
        let mut days = asked.days();
        let Some(last) = days.next() else {
            return Ok(Vec::new());
        };
        let first = days.last().unwrap_or(last);
        let call = Call::new("dynamodb:Query", format!("{BY_RESOURCE} {resource}"));
        let request = self
            .ask(BY_RESOURCE)
            .key_condition_expression("policy_of = :resource AND #day BETWEEN :first AND :last")
            .expression_attribute_values(":resource", string(resource))
            .expression_attribute_values(":first", string(first.to_string()))
            .expression_attribute_values(":last", string(last.to_string()));
        let mut of_days: BTreeMap<Date, Vec<String>> = BTreeMap::new();
        for (day, pk) in self.keys(&call, request, asked).await? {
            of_days.entry(day).or_default().push(pk);
        }
        Ok(of_days.into_iter().rev().collect())
    }

    /// The records of keys that weren't seen before. Adds the keys of those that can't be read.
    async fn records_of(
        &self,
        mut keys: Vec<String>,
        asked: &RecordsAsked,
        seen: &mut BTreeSet<String>,
        unreadable: &mut Vec<String>,
    ) -> CallResult<Vec<Record>> {
        let mut records = Vec::new();
        keys.retain(|pk| seen.insert(pk.clone()));
        for keys in keys.chunks(ITEMS_IN_A_CALL) {
            for item in self.items(keys).await? {
                let pk = text(&item, "pk").unwrap_or_default();
                match read_record(pk, &item) {
                    Some(record) if asked.admits(&record) => records.push(record),
                    Some(_) => {}
                    None => unreadable.push(pk.to_owned()),
                }
            }
        }
        Ok(records)
    }
}

impl Records for DynamoLedger {
    async fn records(&self, asked: &RecordsAsked) -> CallResult<RecordsFound> {
        let mut found = RecordsFound::default();
        // What something happens to between two questions may be in both days.
        let mut seen = BTreeSet::new();
        if let Some(resource) = &asked.resource {
            for (day, keys) in self.keys_of_resource(resource, asked).await? {
                let records = self.records_of(keys, asked, &mut seen, &mut found.unreadable);
                let records = records.await?;
                if found.add_day(asked, day, records) {
                    break;
                }
            }
            return Ok(found);
        }
        let days = stream::iter(asked.days())
            .map(|day| async move { (day, self.keys_of_day(day, asked).await) })
            .buffered(DAYS_AT_ONCE);
        let mut days = std::pin::pin!(days);
        while let Some((day, keys)) = days.next().await {
            let records = self.records_of(keys?, asked, &mut seen, &mut found.unreadable);
            let records = records.await?;
            if found.add_day(asked, day, records) {
                break;
            }
        }
        Ok(found)
    }

    async fn change_record(&self, id: &str) -> CallResult<Option<ChangeRecord>> {
        let pk = change_key(id);
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        let unreadable =
            || Call::new("dynamodb:GetItem", &pk).unreadable("the item is not a change");
        read_change_record(&item).ok_or_else(unreadable).map(Some)
    }
}
