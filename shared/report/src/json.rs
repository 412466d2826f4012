//! JSON in ASCII: what isn't ASCII is escaped, so that a line stays one line in every viewer and
//! can't steer a terminal. Nothing is lost: texts and policies are exact.

use std::fmt::Write as _;

use copymend_policy::text::push_json_escape;
use copymend_remediation::report::Report;
use serde_json::Value;

use crate::text::break_links;

/// The Report as one line of JSON, in ASCII.
#[must_use]
pub fn json(report: &Report) -> String {
    // INVARIANT: a report serializes: it has string keys only.
    ascii(serde_json::to_string(report).unwrap_or_else(|error| {
        serde_json::json!({ "event": report.event, "error": error.to_string() }).to_string()
    }))
}

/// The same JSON in ASCII.
pub(crate) fn ascii(line: String) -> String {
    if line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return line;
    }
    let mut ascii = String::with_capacity(line.len());
    for character in line.chars() {
        if character.is_ascii_graphic() || character == ' ' {
            ascii.push(character);
        } else {
            // Only strings hold such characters, so an escape means the same.
            push_json_escape(&mut ascii, character);
        }
    }
    ascii
}

/// How much of one line of a policy is shown, in characters. No name or ARN is as long.
const LINE_LIMIT: usize = 2_000;

/// A policy on several lines, to paste as it is. It stays the same JSON, but holds nothing that a
/// viewer takes for a link: `://` is written `:\/\/`, and the dot behind `www` as an escape.
pub(crate) fn policy(policy: &Value) -> Vec<String> {
    // INVARIANT: a value serializes: it has string keys only.
    let text = serde_json::to_string_pretty(policy).unwrap_or_default();
    text.lines()
        .map(|line| {
            let mut line = break_links(&ascii(line.to_owned()), ":\\/\\/", "\\u002e");
            let cut = line.len().saturating_sub(LINE_LIMIT);
            if cut > 0 {
                line.truncate(LINE_LIMIT);
                let _ = write!(line, " [{cut} more characters]");
            }
            line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_to_paste_stays_the_same_json_and_brings_no_link() {
        let value = json!({"Statement": [{"Resource": "https://evil.example www.evil.example \u{202e}\n\u{e9}", "Action": ["kms:*"]}]});
        let lines = policy(&value);
        let text = lines.join("\n");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(!text.contains("://") && !text.contains("www."), "{text}");
        assert!(
            lines
                .iter()
                .all(|line| line.bytes().all(|b| (b' '..=b'~').contains(&b)))
        );
    }

    #[test]
    fn a_line_of_a_policy_is_bounded() {
        let lines = policy(&json!({ "Sid": "\u{202e}".repeat(10_000) }));
        assert!(
            lines[1].len() < 2_100 && lines[1].ends_with(" more characters]"),
            "{}",
            lines[1]
        );
    }
}
