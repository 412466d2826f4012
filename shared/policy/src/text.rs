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
}
