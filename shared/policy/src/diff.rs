//! The difference between two documents, for people.

use similar::TextDiff;

use crate::json::{self, Node, Value};

/// A unified diff of the two documents, each printed over several lines first, with three lines of
/// context. Empty when they say the same in the same order. A text that is not JSON is compared as
/// it is.
#[must_use]
pub fn diff(before: Option<&str>, after: &str) -> String {
    let before = before.map_or_else(String::new, pretty);
    let after = pretty(after);
    TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(3)
        .to_string()
}

/// JSON over several lines, indented by two spaces; keys keep their order. A text that is not JSON
/// comes back as it is.
#[must_use]
pub fn pretty(text: &str) -> String {
    match json::read(text) {
        Ok(node) => {
            let mut out = String::new();
            write(&mut out, &node, 0);
            out.push('\n');
            out
        }
        Err(_) => text.to_owned(),
    }
}

fn write(out: &mut String, node: &Node<'_>, depth: usize) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(text) => out.push_str(text),
        Value::String(text) => quote(out, text),
        Value::Array(items) => {
            list(out, ('[', ']'), depth, items, |out, item| {
                write(out, item, depth + 1);
            });
        }
        Value::Object(members) => {
            list(out, ('{', '}'), depth, members, |out, member| {
                quote(out, &member.key);
                out.push_str(": ");
                write(out, &member.node, depth + 1);
            });
        }
    }
}

fn list<T>(
    out: &mut String,
    (open, close): (char, char),
    depth: usize,
    items: &[T],
    mut write_item: impl FnMut(&mut String, &T),
) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        line(out, depth + 1);
        write_item(out, item);
    }
    if !items.is_empty() {
        line(out, depth);
    }
    out.push(close);
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn quote(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
