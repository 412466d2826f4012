//! Text that others wrote, made harmless: what isn't plainly visible is escaped, so that it can't
//! hide, begin a line or turn around what stands beside it.

use std::fmt::Write as _;

/// Whether a character can't be seen or changes what is seen: control, format, bidirectional and
/// zero-width characters, line separators, unusual spaces, combining marks, unassigned and private
/// characters.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    match character {
        '"' | '\'' | '\\' => false,
        // Letters and symbols by their category, but blank on the screen.
        '\u{115f}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => true,
        other => other.escape_debug().len() > 1,
    }
}

/// Appends a character as it is shown: a hidden one as an escape, such as `\n` or `\u{202e}`.
pub fn push_shown(text: &mut String, character: char) {
    let escape = character.escape_debug();
    if !is_hidden(character) {
        text.push(character);
    } else if escape.len() > 1 {
        text.extend(escape);
    } else {
        text.extend(character.escape_unicode());
    }
}

/// Appends a character of a JSON string as JSON's own escape, which means the same.
pub fn push_json_escape(text: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a string does not fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// The beginning of a text, at most `limit` characters of it, escaped for a sentence that quotes
/// it.
#[must_use]
pub fn escaped(text: &str, limit: usize) -> String {
    text.chars()
        .take(limit)
        .flat_map(char::escape_debug)
        .collect()
}

/// A text as it is, up to `limit` characters; of a longer one the beginning, and how long it is.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let beginning = text.get(..end).unwrap_or_default();
    format!("{beginning}… ({} characters in all)", text.chars().count())
}

/// An encoded word that is at least this long is cut.
const LONGEST_ENCODED: usize = 40;
/// A dump that is at least this long is cut.
const LONGEST_DUMP: usize = 60;

/// A service's words without what no person reads: the encoded part of an authorization message
/// (Amazon EC2 API reference, "Encoded authorization failure message", documented) and values dumped
/// for debugging. Each cut says how much is missing and where the whole is. A dump's own message
/// stays.
#[must_use]
pub fn condensed(text: &str) -> String {
    without_encoded(&without_dumps(text))
}

fn without_encoded(text: &str) -> String {
    const START: &str = "encoded authorization";
    let lower = text.to_ascii_lowercase();
    let mut kept = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in lower.match_indices(START) {
        let Some(colon) = lower
            .get(at..)
            .and_then(|rest| rest.find(':'))
            .filter(|colon| *colon <= START.len() + 24)
        else {
            continue;
        };
        let start = at + colon + 1;
        let rest = text.get(start..).unwrap_or_default();
        let blank = rest.len() - rest.trim_start_matches([' ', '\n', '\r']).len();
        let encoded = rest.get(blank..).unwrap_or_default();
        let end = encoded
            .find(|c: char| !c.is_ascii_alphanumeric() && !"-_+/=".contains(c))
            .unwrap_or(encoded.len());
        if start < done || end < LONGEST_ENCODED {
            continue;
        }
        kept.push_str(text.get(done..start).unwrap_or_default());
        // Writing to a string does not fail.
        let _ = write!(
            kept,
            " [{end} characters were cut; take them from the job or from the call's event in CloudTrail, and read them with \
             `aws sts decode-authorization-message`]"
        );
        done = start + blank + end;
    }
    kept.push_str(text.get(done..).unwrap_or_default());
    kept
}

fn without_dumps(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in text.match_indices(" { ") {
        let before = text.get(done..at).unwrap_or_default();
        let Some(dump) = (at >= done).then(|| start_of_dump(before)).flatten() else {
            continue;
        };
        let start = done + dump;
        let inside = text.get(at + 3..).unwrap_or_default();
        if !begins_with_member(inside) {
            continue;
        }
        let end = at + 2 + end_of_dump(text.get(at + 2..).unwrap_or_default());
        let whole = text.get(start..end).unwrap_or_default();
        let length = whole.chars().count();
        if length < LONGEST_DUMP {
            continue;
        }
        kept.push_str(text.get(done..start).unwrap_or_default());
        if let Some(message) = message_of(whole) {
            kept.push_str(&message);
            kept.push(' ');
        }
        let _ = write!(
            kept,
            "[a dump of {length} characters was cut; the call's event in CloudTrail tells more]"
        );
        done = end;
    }
    kept.push_str(text.get(done..).unwrap_or_default());
    kept
}

/// Where the type's name in front of a dump begins, such as `ServiceError(Error`.
fn start_of_dump(before: &str) -> Option<usize> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '(';
    let start = before.rfind(|c: char| !is_name(c)).map_or(0, |last| {
        last + before
            .get(last..)
            .and_then(|c| c.chars().next())
            .map_or(1, char::len_utf8)
    });
    let name = before.get(start..)?;
    name.starts_with(|c: char| c.is_ascii_uppercase())
        .then_some(start)
}

/// Whether a text begins as `member: `.
fn begins_with_member(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
    end.is_some_and(|end| end > 0 && text.get(end..).is_some_and(|rest| rest.starts_with(": ")))
}

/// The length of a dump's members with the brackets that close it; of one that was cut, all.
fn end_of_dump(text: &str) -> usize {
    let (mut depth, mut in_string, mut is_escaped) = (1_usize, false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if in_string => is_escaped = true,
            '"' => in_string = !in_string,
            '{' if !in_string => depth += 1,
            '}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let end = at + 1;
            let rest = text.get(end..).unwrap_or_default();
            return end + (rest.len() - rest.trim_start_matches(')').len());
        }
    }
    text.len()
}

/// The message inside a dump.
fn message_of(dump: &str) -> Option<String> {
    let (_, rest) = dump.split_once("message: ")?;
    let rest = rest
        .strip_prefix("Some(")
        .unwrap_or(rest)
        .strip_prefix('"')?;
    let mut message = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => break,
            '\\' => message.push(characters.next()?),
            other => message.push(other),
        }
    }
    (!message.is_empty()).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_character_is_escaped_and_another_stays() {
        let mut shown = String::new();
        for character in "a\"\\é\n\u{202e}\u{3164}\u{301}".chars() {
            push_shown(&mut shown, character);
        }
        assert_eq!(shown, "a\"\\é\\n\\u{202e}\\u{3164}\\u{301}");
    }

    #[test]
    fn the_escapes_of_json_mean_the_same() {
        let mut json = String::new();
        for character in "\n\u{202e}😀".chars() {
            push_json_escape(&mut json, character);
        }
        assert_eq!(json, "\\u000a\\u202e\\ud83d\\ude00");
    }

    #[test]
    fn only_what_is_longer_is_cut_and_says_so() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äöü… (4 characters in all)");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn what_is_quoted_is_cut() {
        assert_eq!(escaped("a\"b\ncd", 4), "a\\\"b\\n");
    }

    #[test]
    fn an_encoded_message_is_cut_with_a_pointer() {
        let encoded = "a-_Z9".repeat(140);
        let text = format!(
            "You are not authorized. Encoded authorization failure message: {encoded}. (Service: Ec2)"
        );
        let short = condensed(&text);
        assert!(!short.contains("a-_Z9a-_Z9"), "{short}");
        assert!(short.contains("[700 characters were cut;"), "{short}");
        assert!(
            short.contains("`aws sts decode-authorization-message`"),
            "{short}"
        );
        assert!(short.ends_with(". (Service: Ec2)"), "{short}");
        let twice = condensed(&format!("{text} {text}"));
        assert_eq!(twice.matches("[700 characters").count(), 2, "{twice}");
        for text in [
            "Encoded authorization failure message: none",
            "Encoded authorization",
            "an encoded authorization is something else that stands far before: a colon",
        ] {
            assert_eq!(condensed(text), text);
        }
    }

    #[test]
    fn a_dump_is_cut_and_its_message_stays() {
        let dump = r#"ServiceError(Unhandled { source: Error { code: "AccessDenied", message: "may \"not\" } do", id: "1" }, meta: Meta { a: None } })"#;
        let short = condensed(&format!("no credentials: {dump}: end"));
        assert!(
            short.starts_with(r#"no credentials: may "not" } do [a dump of "#)
                && short.ends_with("]: end"),
            "{short}"
        );
        let bare = format!("x Error {{ code: {}", "y".repeat(100));
        assert!(condensed(&bare).starts_with("x [a dump of "), "{bare}");
        for text in [
            r#"{"Statement": [{ "Effect": "Allow" }]} and more that makes it long enough to be cut if it were one"#,
            "Error { code: 1 }",
            "\u{e9}Error { x",
            "text { that: is } no dump, although it is quite as long as one that would be cut here",
        ] {
            assert_eq!(condensed(text), text);
        }
    }
}
