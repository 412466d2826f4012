//! Items of the ledger's table: keys, attributes and the form of a change.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use copymend_remediation::ledger::{
    Change, ChangeState, CountedAs, Grounds, JobProgress, Occurrence,
};
use copymend_remediation::message::{Channel, Channels};
use jiff::Timestamp;

pub(crate) type Item = HashMap<String, AttributeValue>;

const DAY: i64 = 24 * 60 * 60;

/// The version of the items' form that this program writes. Items without a number are of version
/// 1.
const SCHEMA: u64 = 2;

pub(crate) fn schema() -> AttributeValue {
    AttributeValue::N(SCHEMA.to_string())
}

/// The item's version, if this program doesn't know it: a later one, or none that can be read.
pub(crate) fn newer_schema(item: &Item) -> Option<String> {
    match item.get("schema") {
        None => None,
        Some(_) if whole(item, "schema").is_some_and(|version| version <= SCHEMA) => None,
        Some(version) => Some(version.as_n().cloned().unwrap_or_default()),
    }
}

/// The day in UTC: the partition of the index `by-day`.
pub(crate) fn day(at: Timestamp) -> AttributeValue {
    string(at.strftime("%F").to_string())
}

/// A moment as the index `by-day` sorts it, as text to the millisecond.
pub(crate) fn instant(at: Timestamp) -> AttributeValue {
    string(at.strftime("%FT%H:%M:%S.%3fZ").to_string())
}

pub(crate) fn writes_key(resource: &str, at: Timestamp) -> String {
    // The calendar day in UTC.
    format!("writes#{resource}#{}", at.strftime("%F"))
}

pub(crate) fn write_change(change: &Change, state: ChangeState) -> Item {
    let texts = change.statements.iter().map(string).collect();
    let mut item = Item::from([
        ("pk".to_owned(), string(change_key(&change.id))),
        ("change_id".to_owned(), string(&change.id)),
        ("change_state".to_owned(), string(state_name(state))),
        ("policy_of".to_owned(), string(&change.resource)),
        ("grantee".to_owned(), string(&change.grantee)),
        ("statements".to_owned(), AttributeValue::L(texts)),
        ("written_at".to_owned(), time(change.at)),
        ("copy_job_id".to_owned(), string(&change.copy_job_id)),
        ("schema".to_owned(), schema()),
        ("day".to_owned(), day(change.at)),
        ("at".to_owned(), instant(change.at)),
    ]);
    // A change stays as long as what it wrote may stand; an intended one may have been written. An
    // undo writes nothing that anybody would take back.
    if change.undoes.is_some() {
        item.insert("expires_at".to_owned(), expiry(change.at, 400));
        item.insert(
            "allows_again".to_owned(),
            AttributeValue::Bool(change.allows_again),
        );
    }
    let grounds = &change.grounds;
    if !grounds.settings.is_empty() {
        item.insert("settings".to_owned(), string_map(&grounds.settings));
    }
    for (name, list) in [
        ("admitted_by", &grounds.admitted_by),
        ("guards", &grounds.guards),
    ] {
        if !list.is_empty() {
            let entries = list.iter().map(string).collect();
            item.insert(name.to_owned(), AttributeValue::L(entries));
        }
    }
    for (name, text) in [
        ("policy_before", &change.before),
        ("policy_after", &change.after),
        ("undoes", &change.undoes),
        ("account", &change.account),
        ("made_by", &change.made_by),
        ("program_version", &grounds.program_version),
        ("settings_hash", &grounds.settings_hash),
    ] {
        if let Some(text) = text {
            item.insert(name.to_owned(), string(text));
        }
    }
    item
}

pub(crate) fn read_change(item: &Item) -> Option<(Change, ChangeState)> {
    let owned = |name| text(item, name).map(ToOwned::to_owned);
    let state = [
        ChangeState::Intended,
        ChangeState::Written,
        ChangeState::Undone,
    ]
    .into_iter()
    .find(|state| text(item, "change_state") == Some(state_name(*state)))?;
    let list = |name| match item.get(name) {
        None => Some(Vec::new()),
        Some(entries) => texts(entries),
    };
    let change = Change {
        id: owned("change_id")?,
        resource: owned("policy_of")?,
        grantee: owned("grantee")?,
        before: owned("policy_before"),
        after: owned("policy_after"),
        account: owned("account"),
        statements: texts(item.get("statements")?)?,
        at: moment(item, "written_at")?,
        copy_job_id: owned("copy_job_id")?,
        undoes: owned("undoes"),
        allows_again: match item.get("allows_again") {
            None => false,
            Some(allows) => *allows.as_bool().ok()?,
        },
        made_by: owned("made_by"),
        grounds: Grounds {
            program_version: owned("program_version"),
            settings_hash: owned("settings_hash"),
            settings: match item.get("settings") {
                None => BTreeMap::new(),
                Some(settings) => strings(settings)?,
            },
            admitted_by: list("admitted_by")?,
            guards: list("guards")?,
        },
    };
    Some((change, state))
}

pub(crate) fn string_map(strings: &BTreeMap<String, String>) -> AttributeValue {
    let entries = strings.iter();
    AttributeValue::M(
        entries
            .map(|(name, value)| (name.clone(), string(value)))
            .collect(),
    )
}

pub(crate) fn strings(map: &AttributeValue) -> Option<BTreeMap<String, String>> {
    let entries = map.as_m().ok()?.iter();
    entries
        .map(|(name, value)| Some((name.clone(), value.as_s().ok()?.clone())))
        .collect()
}

fn texts(list: &AttributeValue) -> Option<Vec<String>> {
    let texts = list.as_l().ok()?.iter();
    texts.map(|text| text.as_s().ok().cloned()).collect()
}

pub(crate) const fn state_name(state: ChangeState) -> &'static str {
    match state {
        ChangeState::Intended => "intended",
        ChangeState::Written => "written",
        ChangeState::Undone => "undone",
    }
}

pub(crate) fn change_key(id: &str) -> String {
    format!("change#{id}")
}

pub(crate) fn moment(item: &Item, name: &str) -> Option<Timestamp> {
    let milliseconds = item.get(name)?.as_n().ok()?.parse().ok()?;
    Timestamp::from_millisecond(milliseconds).ok()
}

/// A change as the table keeps it: times lose what is below a millisecond.
pub(crate) fn stored(change: &Change) -> Change {
    let at = Timestamp::from_millisecond(change.at.as_millisecond()).unwrap_or(change.at);
    Change {
        at,
        ..change.clone()
    }
}

pub(crate) fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn time(time: Timestamp) -> AttributeValue {
    number(time.as_millisecond())
}

pub(crate) fn expiry(from: Timestamp, days: i64) -> AttributeValue {
    number(from.as_second().saturating_add(days * DAY))
}

pub(crate) fn text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn whole(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// What an earlier delivery left in a job's item.
pub(crate) fn progress(item: &Item) -> JobProgress {
    let owned = |name| text(item, name).map(ToOwned::to_owned);
    let is = |name| {
        let is = item.get(name).and_then(|value| value.as_bool().ok());
        is.copied().unwrap_or_default()
    };
    let counted = || {
        Some(CountedAs {
            fingerprint: owned("incident")?,
            outcome: owned("counted_as")?,
            occurrence: Occurrence {
                count: whole(item, "counted")?,
                previous_outcome: owned("counted_after"),
                // Versions that looked at each occurrence have none.
                since: whole(item, "counted_since")
                    .or_else(|| whole(item, "counted")?.checked_sub(1))
                    .unwrap_or_default(),
            },
        })
    };
    JobProgress {
        counted: counted(),
        is_count_unclear: is("is_count_unclear"),
        change_id: owned("change_id"),
        told: match item.get("told_on") {
            Some(AttributeValue::Ss(channels)) => {
                let channels = channels.iter().map(String::as_str);
                channels.filter_map(Channel::of_slug).collect()
            }
            // Versions before 0.1.0 knew one channel.
            _ if is("told") => Channels::from(Channel::ALL),
            _ => Channels::new(),
        },
        retried_as: owned("retried_as"),
    }
}
