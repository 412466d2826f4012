//! Text that others wrote, on lines of ours: bounded, without links.

use copymend_policy::text::{condensed, push_shown};

/// How much of a job's message is shown, in characters.
pub(crate) const MESSAGE_LIMIT: usize = 4_000;
/// How much of any other text is shown, in characters.
pub(crate) const TEXT_LIMIT: usize = 800;
/// How much of a command is shown, in characters: a cut command is of no use.
const COMMAND_LIMIT: usize = 2_000;
/// Words longer than this are broken when text is wrapped; ARNs are shorter.
const LONGEST_WORD: usize = 300;

/// A text on one line: condensed, white space collapsed, invisible characters escaped, links broken, length
/// bounded.
#[must_use]
pub fn inline(text: &str) -> String {
    inline_up_to(text, TEXT_LIMIT)
}

/// [`inline`] with its own bound, in characters.
pub(crate) fn inline_up_to(text: &str, limit: usize) -> String {
    let shown = Shown::of(&condensed(text), limit, |c| {
        c.is_whitespace().then_some(' ')
    });
    let words: Vec<&str> = shown
        .text
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect();
    with_cut(without_links(&words.join(" ")), shown.cut)
}

/// A line with its spaces as they are, for policies and commands.
#[must_use]
pub fn exact(line: &str) -> String {
    exact_up_to(line, TEXT_LIMIT)
}

fn exact_up_to(line: &str, limit: usize) -> String {
    let shown = Shown::of(line, limit, |_| None);
    with_cut(without_links(&shown.text), shown.cut)
}

/// A line of our advice: [`exact`], but a command may read a file of its reader's
/// (`file://policy.json`).
#[must_use]
pub fn command(line: &str) -> String {
    exact_up_to(line, COMMAND_LIMIT).replace(" file[:]//", " file://")
}

/// The first lines, and how many `more` there are.
pub(crate) fn at_most(
    lines: Vec<String>,
    limit: usize,
    more: &str,
) -> impl Iterator<Item = String> {
    let cut = lines.len().saturating_sub(limit);
    let rest = (cut > 0).then(|| format!("[{cut} more{more}]"));
    lines.into_iter().take(limit).chain(rest)
}

/// With a capital letter and a full stop, where it is prose.
#[must_use]
pub fn sentence(text: &str) -> String {
    let word: String = text
        .chars()
        .take_while(|character| *character != ' ')
        .collect();
    let is_prose = word.chars().all(|character| character.is_ascii_lowercase());
    let mut characters = text.chars();
    let mut sentence: String = match characters.next() {
        Some(first) if is_prose => first.to_uppercase().chain(characters).collect(),
        Some(_) => text.to_owned(),
        None => return String::new(),
    };
    if !sentence.ends_with(['.', '!', '?', '}', ']']) {
        sentence.push('.');
    }
    sentence
}

fn with_cut(line: String, cut: usize) -> String {
    if cut == 0 {
        line
    } else {
        format!("{line} [{cut} more characters]")
    }
}

/// A text as lines to quote. Empty lines are dropped.
pub(crate) struct Quote {
    /// The lines, each safe to show and at most `width` characters long, unless a single word is
    /// longer.
    pub(crate) lines: Vec<String>,
    /// How many characters were cut at the end.
    pub(crate) cut: usize,
}

/// The text line by line. Lines are wrapped, so that no mail client wraps one for us and loses the
/// mark of the quote. Host names are broken too (`evil[.]example`), since many clients make links
/// of them.
pub(crate) fn quote(text: &str, width: usize) -> Quote {
    let shown = Shown::of(&condensed(text), MESSAGE_LIMIT, |c| {
        matches!(c, '\n' | '\r').then_some('\n')
    });
    let lines = shown
        .text
        .split('\n')
        .filter(|line| !line.trim().is_empty())
        .flat_map(|line| wrap(&without_hosts(&without_links(line.trim_end())), width))
        .collect();
    Quote {
        lines,
        cut: shown.cut,
    }
}

/// A text with everything escaped that is hidden.
struct Shown {
    text: String,
    /// How many characters of the original are missing at the end.
    cut: usize,
}

impl Shown {
    /// At most `limit` characters, escapes counted as they are shown. `keep` may put a character in
    /// place of one that would be escaped.
    fn of(text: &str, limit: usize, keep: fn(char) -> Option<char>) -> Self {
        let mut shown = String::with_capacity(text.len().min(limit));
        let mut room = limit;
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let before = shown.len();
            match keep(character) {
                Some(kept) => shown.push(kept),
                None => push_shown(&mut shown, character),
            }
            let added = shown.get(before..).unwrap_or_default().chars().count();
            if added > room {
                shown.truncate(before);
                let cut = characters.count() + 1;
                return Self { text: shown, cut };
            }
            room -= added;
        }
        let cut = 0;
        Self { text: shown, cut }
    }
}

/// Breaks links, so that no mail client makes one: only our own may be clicked.
fn without_links(text: &str) -> String {
    break_links(text, "[:]//", "[.]")
}

/// Writes what makes a viewer take a text for a link in another way.
pub(crate) fn break_links(text: &str, scheme: &str, dot: &str) -> String {
    let mut broken = text.replace("://", scheme);
    for prefix in ["www.", "WWW.", "Www."] {
        broken = broken.replace(prefix, &prefix.replace('.', dot));
    }
    broken
}

/// Breaks what looks like a host name: a dot between a letter or digit and a letter.
pub(crate) fn without_hosts(text: &str) -> String {
    let mut broken = String::with_capacity(text.len());
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let joins = character == '.'
            && before.is_alphanumeric()
            && characters.peek().is_some_and(|next| next.is_alphabetic());
        broken.push_str(if joins { "[.]" } else { "" });
        if !joins {
            broken.push(character);
        }
        before = character;
    }
    broken
}

/// Wraps at spaces. A word that is too long stays whole, unless it is longer than any name.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ').flat_map(pieces) {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(&word);
        length += size;
    }
    lines.push(line);
    lines
}

/// A word in pieces that are not longer than any name.
pub(crate) fn pieces(word: &str) -> Vec<String> {
    if word.len() <= LONGEST_WORD {
        return vec![word.to_owned()];
    }
    let characters: Vec<char> = word.chars().collect();
    characters
        .chunks(LONGEST_WORD)
        .map(|chunk| chunk.iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_stays_one_line() {
        for text in [
            "a\r\nb",
            "a\nb",
            "a\rb",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{b}b",
            "a\u{c}b",
            "a\t \u{a0} b",
        ] {
            assert_eq!(inline(text), "a b", "{text:?}");
        }
    }

    #[test]
    fn nothing_invisible_gets_through() {
        let hidden = "\0\u{7}\u{8}\u{1b}\u{7f}\u{9b}\u{ad}\u{61c}\u{115f}\u{180e}\u{200b}\u{200d}\
            \u{200e}\u{202e}\u{2066}\u{2069}\u{2800}\u{3164}\u{fe0f}\u{feff}\u{fff9}\u{e0041}\u{e000}\u{301}";
        for character in hidden.chars() {
            let shown = inline(&format!("a{character}b"));
            assert!(
                shown.is_ascii() && !shown.contains(character),
                "{character:?}: {shown}"
            );
            assert!(shown.bytes().all(|byte| byte.is_ascii_graphic()), "{shown}");
        }
    }

    #[test]
    fn readable_text_is_left_alone() {
        let text = r#"Zugriff verweigert für "arn:aws:kms:eu-west-1:111122223333:key/1" 日本 \n"#;
        assert_eq!(inline(text), text);
    }

    #[test]
    fn links_are_broken() {
        assert_eq!(
            inline("go to HTTPS://evil.example/x"),
            "go to HTTPS[:]//evil.example/x"
        );
        assert_eq!(inline("www.evil.example"), "www[.]evil.example");
        assert_eq!(
            quote("evil.example/x. Done, 3.5 GB", 80).lines,
            ["evil[.]example/x. Done, 3.5 GB"]
        );
    }

    #[test]
    fn a_cut_says_how_much_is_missing() {
        assert_eq!(inline_up_to("ab日本cd", 3), "ab日 [3 more characters]");
        assert_eq!(quote(&"x".repeat(MESSAGE_LIMIT + 7), 80).cut, 7);
    }

    #[test]
    fn wrapping_keeps_every_word() {
        let text = "the quick brown fox jumps";
        assert_eq!(wrap(text, 10), ["the quick", "brown fox", "jumps"]);
        assert_eq!(wrap(&"x".repeat(700), 10).len(), 3);
        assert_eq!(wrap("", 10), [""]);
    }
}
