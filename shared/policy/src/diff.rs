//! The difference between two documents, for people.

use std::fmt::Write as _;

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{DiffOp, group_diff_ops};

use crate::json::{self, Node, Value};

/// A unified diff of the two documents, each printed over several lines first, with three lines of
/// context. Empty when they say the same in the same order. A text that is not JSON is compared as
/// it is.
#[must_use]
pub fn diff(before: Option<&str>, after: &str) -> String {
    let before = before.map_or_else(String::new, pretty);
    let after = pretty(after);
    unified(&before, &after)
}

/// Lines that stay beside those that change.
const CONTEXT: usize = 3;

/// What `similar::TextDiff` makes of lines, without the nine tenths of it that are for other texts: a test
/// compares both.
fn unified(before: &str, after: &str) -> String {
    let before: Vec<&str> = before.split_inclusive('\n').collect();
    let after: Vec<&str> = after.split_inclusive('\n').collect();
    let mut out = String::new();
    for hunk in group_diff_ops(operations(&before, &after), CONTEXT) {
        // It can't fail: a text takes everything.
        let _ = writeln!(out, "{}", UnifiedHunkHeader::new(&hunk));
        for operation in &hunk {
            let old = before.get(operation.old_range()).unwrap_or_default();
            let new = after.get(operation.new_range()).unwrap_or_default();
            match operation {
                DiffOp::Equal { .. } => lines(&mut out, ' ', old),
                DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                    lines(&mut out, '-', old);
                    lines(&mut out, '+', new);
                }
            }
        }
    }
    out
}

fn operations(before: &[&str], after: &[&str]) -> Vec<DiffOp> {
    let mut hook = Compact::new(Replace::new(Capture::new()), before, after);
    let (old, new) = (0..before.len(), 0..after.len());
    // It can't fail: the hook doesn't.
    let _ = myers::diff_deadline_raw(&mut hook, before, old, after, new, None);
    hook.into_inner().into_inner().into_ops()
}

fn lines(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use similar::TextDiff;

    use super::*;

    /// Few lines of many kinds, so that they repeat, some without an end.
    fn text() -> impl Strategy<Value = String> {
        let line = prop::sample::select(vec!["a\n", "b\n", "  }\n", "c\n", "ä\n", "\n"]);
        let end = prop::sample::select(vec!["", "d"]);
        (prop::collection::vec(line, 0..60), end).prop_map(|(lines, end)| lines.concat() + end)
    }

    proptest! {
        #[test]
        fn lines_differ_as_the_library_says(before in text(), after in text()) {
            let whole = TextDiff::from_lines(before.as_str(), after.as_str());
            let whole = whole.unified_diff().context_radius(CONTEXT).to_string();
            prop_assert_eq!(unified(&before, &after), whole);
        }
    }
}
