//! Cutting a message that is too long: the largest part first, until the rest fits.

use serde_json::{Map, Value};

/// What is never left out: by it a reader knows what is told. All of it is short.
const KEPT: [&str; 12] = [
    "version",
    "kind",
    "id",
    "at",
    "title",
    "outcome",
    "cause",
    "account",
    "incident",
    "severity",
    "needs_action",
    "cut",
];
/// A policy that lacks a part means something else: it is left out as a whole.
const WHOLE: [&str; 1] = ["/report/policy"];

/// The message in at most so many bytes as `size` counts. Each text that is left out is empty, each list
/// has no items, so that what reads the whole message reads this one; `cut` names them by their JSON
/// pointers.
pub(super) fn within(message: &str, limit: usize, size: fn(&str) -> usize) -> String {
    // INVARIANT: the message is the JSON of an object.
    let mut message: Map<String, Value> = serde_json::from_str(message).unwrap_or_default();
    let mut cut: Vec<String> = Vec::new();
    loop {
        let text = crate::json::ascii(Value::Object(message.clone()).to_string());
        if size(&text) <= limit {
            return text;
        }
        let Some(pointer) = largest(&message) else {
            return text;
        };
        let pointer = leave_out(&mut message, &pointer);
        cut.retain(|earlier| !earlier.starts_with(&format!("{pointer}/")));
        cut.push(pointer);
        message.insert("cut".to_owned(), cut.clone().into());
    }
}

/// Empties what a pointer names, or removes it; answers what was left out.
fn leave_out(message: &mut Map<String, Value>, pointer: &str) -> String {
    if let Some(whole) = WHOLE.into_iter().find(|whole| pointer.starts_with(whole)) {
        if let Some(report) = message.get_mut("report").and_then(Value::as_object_mut) {
            report.shift_remove("policy");
        }
        return whole.to_owned();
    }
    let mut parts = pointer.split('/').skip(1);
    let member = parts
        .next()
        .and_then(|first| message.get_mut(&unescaped(first)));
    let rest = pointer
        .get(1..)
        .and_then(|path| path.find('/').map(|at| at + 1));
    let rest = rest.and_then(|at| pointer.get(at..)).unwrap_or_default();
    match member.and_then(|member| member.pointer_mut(rest)) {
        Some(Value::String(text)) => text.clear(),
        Some(Value::Array(items)) => items.clear(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {}
    }
    pointer.to_owned()
}

/// The largest text or list, by its pointer. A list is looked into where one item makes up most of it.
fn largest(message: &Map<String, Value>) -> Option<String> {
    let members = message
        .iter()
        .filter(|(name, _)| !KEPT.contains(&name.as_str()))
        .map(|(name, value)| (escaped(name), value));
    largest_of(members.collect()).map(|path| format!("/{path}"))
}

fn largest_of(children: Vec<(String, &Value)>) -> Option<String> {
    let (name, value) = children
        .into_iter()
        .filter(|(_, value)| can_be_left_out(value))
        // Of two that are equally large the first.
        .fold(
            None,
            |largest: Option<(String, &Value)>, one| match largest {
                Some(largest) if weight(largest.1) >= weight(one.1) => Some(largest),
                Some(_) | None => Some(one),
            },
        )?;
    let inner = match value {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (escaped(name), value));
            Some(largest_of(members.collect())?)
        }
        Value::Array(items) => {
            let is_most = items.iter().any(|item| 2 * weight(item) > weight(value));
            let items = items.iter().enumerate();
            let items = items.map(|(number, value)| (number.to_string(), value));
            if is_most {
                largest_of(items.collect())
            } else {
                None
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    Some(match inner {
        Some(inner) => format!("{name}/{inner}"),
        None => name,
    })
}

fn can_be_left_out(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => !text.is_empty() && !is_a_name(text),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => members.values().any(can_be_left_out),
    }
}

/// A word of a kind: nothing is won by leaving it out, and an empty one would be no kind.
fn is_a_name(text: &str) -> bool {
    text.len() <= 64
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| weight(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| name.len() + weight(value) + 4)
            .sum::<usize>(),
    }
}

/// As a part of a JSON pointer (RFC 6901, section 3).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn unescaped(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shortened(message: &Value, limit: usize) -> Value {
        let text = within(&message.to_string(), limit, str::len);
        assert!(text.len() <= limit, "{} of {limit}: {text}", text.len());
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_largest_part_goes_first_and_no_more_than_has_to() {
        let message = json!({
            "version": "1",
            "report": {
                "changes": [{"before": "b".repeat(600), "after": "a".repeat(900), "applied": true}],
                "message": "m".repeat(300)
            }
        });
        let one = shortened(&message, 1_200);
        assert_eq!(one["cut"], json!(["/report/changes/0/after"]));
        assert_eq!(one["report"]["changes"][0]["after"], "");
        assert_eq!(one["report"]["changes"][0]["applied"], true);
        assert_eq!(one["report"]["message"], message["report"]["message"]);
        let two = shortened(&message, 700);
        let cut = json!(["/report/changes/0/after", "/report/changes/0/before"]);
        assert_eq!(two["cut"], cut);
    }

    #[test]
    fn a_list_of_many_is_emptied_and_a_policy_goes_as_a_whole() {
        let items = vec!["x".repeat(100); 20];
        let message = json!({
            "report": {"notes": items, "policy": {"Statement": [{"Action": "y".repeat(3_000)}]}}
        });
        let shorter = shortened(&message, 2_500);
        assert_eq!(shorter["cut"], json!(["/report/policy"]));
        assert_eq!(shorter["report"].get("policy"), None);
        let shorter = shortened(&message, 200);
        assert_eq!(shorter["cut"], json!(["/report/policy", "/report/notes"]));
        assert_eq!(shorter["report"]["notes"], json!([]));
    }

    #[test]
    fn what_names_the_message_stays() {
        let message = json!({"id": "i".repeat(300), "title": "t".repeat(90), "report": {"a/b~c": "x".repeat(900)}});
        let shorter = shortened(&message, 600);
        assert_eq!(shorter["cut"], json!(["/report/a~1b~0c"]));
        assert_eq!(shorter["id"], message["id"]);
    }
}
