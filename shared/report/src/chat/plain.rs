//! Text for `client-markdown` in which nothing is markup.
//!
//! Slack makes mentions and links of `<…>`, Teams reads Markdown and entities, and neither takes the
//! other's escapes. So characters that mean something to one of them are shown by look-alikes, which
//! mean nothing to either (Slack developer documentation, "Formatting message text", documented; what
//! Amazon Q Developer itself does to them is unverified). Commands are no part of such a text.

use copymend_policy::text::push_shown;

use crate::text::without_hosts;

/// A text as it is, but for what is markup, or looks like a host name, of which chats make links. It is
/// one line.
pub(super) fn plain(text: &str) -> String {
    let text = without_emoji(&without_hosts(text));
    let mut plain = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        let is_inside = before.is_alphanumeric() && next.is_alphanumeric();
        match character {
            '<' => plain.push('‹'),
            '>' => plain.push('›'),
            '@' => plain.push('＠'),
            '&' => plain.push('＆'),
            '`' => plain.push('\''),
            '*' => plain.push('∗'),
            '|' => plain.push('¦'),
            '~' => plain.push('∼'),
            '\\' => plain.push('＼'),
            // Between letters it is no markup, and names are full of it.
            '_' if !is_inside => plain.push('＿'),
            // A link's text before its address.
            ']' if matches!(next, '(' | '[') => plain.push_str("] "),
            '#' | '!' if before == ' ' => {
                plain.push(if character == '#' { '＃' } else { '！' });
            }
            other => push_shown(&mut plain, other),
        }
        before = character;
    }
    plain
}

/// `:name:` is a picture in a chat, such as a tick. ARNs are left whole.
fn without_emoji(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_name = |name: &&str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_+-'".contains(&b))
        };
        let is_arn = word.contains("arn:aws");
        let pieces: Vec<&str> = word.split(':').collect();
        let inner = pieces.len().saturating_sub(2);
        let has_picture = pieces.iter().skip(1).take(inner).any(is_name);
        if has_picture && !is_arn {
            word.replace(':', "꞉")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<String>>().join(" ")
}

/// A command to copy, which markup leaves alone; none where it holds what could end it.
pub(super) fn code(command: &str) -> Option<String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b" -_./:,=".contains(&b);
    command
        .bytes()
        .all(is_plain)
        .then(|| format!("`{command}`"))
}

/// The beginning of a text, with this behind it where something is missing. Characters are counted as
/// UTF-16 has them.
pub(super) fn up_to(text: &str, limit: usize, behind: &str) -> String {
    let size = |text: &str| text.encode_utf16().count();
    if size(text) <= limit {
        return text.to_owned();
    }
    let mut room = limit.saturating_sub(size(behind));
    let fitting = text.chars().take_while(|character| {
        let fits = character.len_utf16() <= room;
        room = room.saturating_sub(character.len_utf16());
        fits
    });
    let mut kept: String = fitting.collect();
    kept.push_str(behind);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_is_markup() {
        for (text, shown) in [
            (
                "<@U012AB3CD> <!channel> <https://evil.example|ok>",
                "‹＠U012AB3CD› ‹!channel› ‹https://evil[.]example¦ok›",
            ),
            ("@here [click](evil)", "＠here [click] (evil)"),
            ("*bold* _it_ ~gone~ `code`", "∗bold∗ ＿it＿ ∼gone∼ 'code'"),
            ("&#60;!channel&gt;", "＆#60;!channel＆gt;"),
            ("all well :white_check_mark:", "all well ꞉white_check_mark꞉"),
            ("# Title ![picture][1]", "＃ Title ！[picture] [1]"),
            ("a\\*b", "a＼∗b"),
            ("role/sign-in.example", "role/sign-in[.]example"),
            ("line\nbreak \u{202e}", "line\\nbreak \\u{202e}"),
        ] {
            assert_eq!(plain(text), shown);
        }
    }

    #[test]
    fn names_and_arns_stay_as_they_are() {
        for text in [
            "arn:aws:iam::111122223333:role/service-role/AWS_Backup-Role",
            "Copymend changed nothing. Why: the vault's policy admits nobody (destination-vault-policy).",
            "2026-11-29 08:00 UTC",
        ] {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn a_command_is_code_only_where_nothing_ends_it() {
        assert_eq!(
            code("copymend approve A-1"),
            Some("`copymend approve A-1`".to_owned())
        );
        for command in ["a`b", "a\nb", "a <b>", "a*"] {
            assert_eq!(code(command), None, "{command}");
        }
    }

    #[test]
    fn a_text_is_cut_as_utf_16_counts_it() {
        assert_eq!(up_to("abcdef", 6, "..."), "abcdef");
        assert_eq!(up_to("abcdefg", 6, "..."), "abc...");
        assert_eq!(up_to("🦀🦀🦀🦀", 7, "..."), "🦀🦀...");
    }
}
