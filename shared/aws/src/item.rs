//! Items of the ledger's table: keys, attributes and the form of a change.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use copymend_remediation::ledger::{Change, ChangeState};
use jiff::Timestamp;

pub(crate) type Item = HashMap<String, AttributeValue>;

const DAY: i64 = 24 * 60 * 60;

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
        ("expires_at".to_owned(), expiry(change.at, 400)),
    ]);
    for (name, text) in [
        ("policy_before", &change.before),
        ("policy_after", &change.after),
        ("undoes", &change.undoes),
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
    let change = Change {
        id: owned("change_id")?,
        resource: owned("policy_of")?,
        grantee: owned("grantee")?,
        before: owned("policy_before"),
        after: owned("policy_after"),
        statements: item
            .get("statements")?
            .as_l()
            .ok()?
            .iter()
            .map(|statement| statement.as_s().ok().cloned())
            .collect::<Option<_>>()?,
        at: moment(item, "written_at")?,
        copy_job_id: owned("copy_job_id")?,
        undoes: owned("undoes"),
    };
    Some((change, state))
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
