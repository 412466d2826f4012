//! Text that goes into advice: what a command may carry, and what others wrote.

use std::fmt::Write as _;

use copymend_policy::text::push_shown;

/// How much of a text that others wrote is shown, in characters.
const LONGEST: usize = 128;

/// Whether a text can stand in a shell command as it is.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=,@".contains(&b))
}

/// Whether a tag's key or value can stand in the AWS CLI's shorthand, where `,` and `=` mean
/// something.
pub(crate) fn is_plain_tag(text: &str) -> bool {
    is_plain(text) && !text.contains([',', '='])
}

/// A text that others wrote, in backticks. It can't end the quote, begin a line or hide: what isn't
/// plainly visible is escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(LONGEST) + 2);
    shown.push('`');
    let mut characters = text.chars();
    for character in characters.by_ref().take(LONGEST) {
        // No tag or name needs two spaces in a row, but they are shown: they may be what is wrong.
        if character == '`' {
            shown.push_str("\\u{60}");
        } else {
            push_shown(&mut shown, character);
        }
    }
    shown.push('`');
    let cut = characters.count();
    if cut > 0 {
        let _ = write!(shown, " and {cut} more characters");
    }
    shown
}

/// A text as one word of a shell's command.
pub(crate) fn word(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// An ARN in backticks, in which a role's path may hold every visible character.
pub(crate) fn shown(arn: &str) -> String {
    if is_plain(arn) {
        format!("`{arn}`")
    } else {
        quoted(arn)
    }
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// A sentence's beginning inside another sentence.
pub(crate) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_command_is_one_word_whatever_it_holds() {
        assert_eq!(word("arn:aws:iam::1:role/a/B"), "arn:aws:iam::1:role/a/B");
        assert_eq!(word("a/$(x)`y`'z/"), r"'a/$(x)`y`'\''z/'");
        assert_eq!(word("-a"), "'-a'");
        assert_eq!(shown("a`b"), "`a\\u{60}b`");
    }

    #[test]
    fn what_others_wrote_stays_inside_its_quote() {
        assert_eq!(quoted("Team A"), "`Team A`");
        assert_eq!(quoted("a`b\nc\u{202e}d"), "`a\\u{60}b\\nc\\u{202e}d`");
        assert_eq!(
            quoted(&"x".repeat(130)),
            format!("`{}` and 2 more characters", "x".repeat(128))
        );
    }

    #[test]
    fn commands_carry_nothing_that_a_shell_reads() {
        for text in ["", "-x", "a b", "$(x)", "a;b", "a'b", "a\nb", "a\u{e9}"] {
            assert!(!is_plain(text), "{text:?}");
        }
        assert!(is_plain("arn:aws:s3:::a+b=c,d@e/f_g-h.i"));
        assert!(is_plain_tag("a/b:c") && !is_plain_tag("a=b") && !is_plain_tag("a,b"));
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
