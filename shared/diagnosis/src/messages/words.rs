//! The words of a text.
//!
//! A message is often a string of JSON, or JSON in JSON: `\n`, `\r`, `\t` and `\u0020` separate
//! words as the white space does that they stand for. No name that AWS prints holds a backslash.

/// A word of a text and the bytes it stands at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'m> {
    pub(super) text: &'m str,
    pub(super) start: usize,
}

impl Word<'_> {
    pub(super) fn is(self, other: &str) -> bool {
        self.text.eq_ignore_ascii_case(other)
    }

    pub(super) fn is_any(self, known: &str) -> bool {
        is_one_of(self.text, known)
    }
}

/// Whether a word is one of those between the `|`, whatever the case.
pub(super) fn is_one_of(word: &str, known: &str) -> bool {
    let mut known = known.split('|');
    known.any(|known| word.eq_ignore_ascii_case(known))
}

/// The words from a place in a text on, separated by white space.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'m> {
    text: &'m str,
    at: usize,
}

impl<'m> Words<'m> {
    pub(super) const fn from(text: &'m str, at: usize) -> Self {
        Self { text, at }
    }
}

#[expect(
    clippy::copy_iterator,
    reason = "readers look ahead on a copy, on purpose"
)]
impl<'m> Iterator for Words<'m> {
    type Item = Word<'m>;

    fn next(&mut self) -> Option<Word<'m>> {
        let rest = self.text.get(self.at..)?;
        let trimmed = trim_start(rest);
        if trimmed.is_empty() {
            return None;
        }
        let start = self.at + (rest.len() - trimmed.len());
        let length = word_length(trimmed);
        self.at = start + length;
        let text = trimmed.get(..length)?;
        Some(Word { text, start })
    }
}

/// What stands behind a backslash for white space. No one ends with another.
const SPACES: &[&str] = &[
    "n", "r", "t", "u0020", "u0009", "u000a", "u000A", "u000d", "u000D", "u00a0", "u00A0", "u200b",
    "u200B",
];

/// How long the letters are that a backslash before them makes white space, at the start of a text.
pub(super) fn escaped_space(text: &str) -> Option<usize> {
    SPACES
        .iter()
        .find(|space| text.starts_with(**space))
        .map(|space| space.len())
}

/// White space, or the space without a width, at which a line may be broken.
pub(super) fn is_space(found: char) -> bool {
    found.is_whitespace() || found == '\u{200b}'
}

/// Whether the text ends with white space.
pub(super) fn ends_with_space(text: &str) -> bool {
    text.ends_with(is_space) || escape_at_end(text).is_some()
}

fn trim_start(text: &str) -> &str {
    let mut rest = text.trim_start_matches(is_space);
    while let Some(length) = escape_at_start(rest) {
        let behind = rest.get(length..).unwrap_or_default();
        rest = behind.trim_start_matches(is_space);
    }
    rest
}

fn trim_end(text: &str) -> &str {
    let mut rest = text.trim_end_matches(is_space);
    while let Some(start) = escape_at_end(rest) {
        let before = rest.get(..start).unwrap_or_default();
        rest = before.trim_end_matches(is_space);
    }
    rest
}

/// How long the escaped white space is that the text starts with.
fn escape_at_start(text: &str) -> Option<usize> {
    let slashes = backslashes(text.bytes());
    let length = escaped_space(text.get(slashes..)?)?;
    (slashes > 0).then_some(slashes + length)
}

/// Where the escaped white space starts that the text ends with.
fn escape_at_end(text: &str) -> Option<usize> {
    SPACES.iter().find_map(|space| {
        let before = text.strip_suffix(space)?;
        let slashes = backslashes(before.bytes().rev());
        (slashes > 0).then(|| before.len() - slashes)
    })
}

/// How many backslashes come first.
pub(super) fn backslashes(bytes: impl Iterator<Item = u8>) -> usize {
    bytes.take_while(|byte| *byte == b'\\').count()
}

/// Whether a word may end at this byte: one that is not ASCII needs a look at the whole character.
const fn may_separate(byte: u8) -> bool {
    byte <= b' ' || byte == b'\\' || byte >= 0x80
}

/// The bytes before the next white space.
fn word_length(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text
        .get(at..)
        .and_then(|rest| rest.bytes().position(may_separate))
    {
        at += found;
        let rest = text.get(at..).unwrap_or_default();
        match rest.chars().next() {
            Some('\\') if escape_at_start(rest).is_some() => return at,
            // All of them: each would count the others again.
            Some('\\') => at += backslashes(rest.bytes()),
            Some(space) if is_space(space) => return at,
            Some(other) => at += other.len_utf8(),
            None => break,
        }
    }
    text.len()
}

/// The words of a text from its end on.
pub(super) fn words_back(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let trimmed = trim_end(rest);
        let start = last_word(trimmed);
        rest = trimmed.get(..start)?;
        trimmed.get(start..).filter(|word| !word.is_empty())
    })
}

/// Where the last word of a text starts that ends with none of the white space.
fn last_word(text: &str) -> usize {
    let mut end = text.len();
    while let Some(found) = text
        .as_bytes()
        .get(..end)
        .and_then(|bytes| bytes.iter().rposition(|byte| may_separate(*byte)))
    {
        let at = text.floor_char_boundary(found);
        let mut rest = text.get(at..).unwrap_or_default().chars();
        match rest.next() {
            Some('\\') => match escaped_space(rest.as_str()) {
                Some(length) => return at + 1 + length,
                None => end = at,
            },
            Some(space) if is_space(space) => return at + space.len_utf8(),
            _ => end = at,
        }
    }
    0
}

/// A word without the quotes and marks around it, and without the brackets around it: `[key/1],` is
/// `key/1`, but `key/<id>` keeps its own. Dots may open a name that was cut.
pub(super) fn bare(word: &str) -> &str {
    /// Each costs a look at the whole word.
    const MOST_BRACKETS: usize = 8;
    let mut rest = word;
    for _ in 0..MOST_BRACKETS {
        rest = rest
            .trim_start_matches(is_mark)
            .trim_end_matches(|found| is_mark(found) || found == '.');
        let Some(inside) = without_bracket(rest) else {
            break;
        };
        rest = inside;
    }
    rest
}

const fn is_mark(found: char) -> bool {
    matches!(
        found,
        '"' | '\'' | '`' | ',' | ';' | ':' | '!' | '?' | '\\' | '\u{2018}'..='\u{201f}'
    )
}

const BRACKETS: [(u8, u8); 4] = [(b'(', b')'), (b'[', b']'), (b'{', b'}'), (b'<', b'>')];

/// The word without the pair of brackets around all of it, or without one at its edge that has no
/// partner.
fn without_bracket(word: &str) -> Option<&str> {
    let (first, last) = (*word.as_bytes().first()?, *word.as_bytes().last()?);
    for (opening, closing) in BRACKETS {
        if first == opening {
            match partner(word.bytes(), opening, closing) {
                None => return word.get(1..),
                Some(steps) if steps + 1 == word.len() => return word.get(1..steps),
                Some(_) => {}
            }
        }
        if last == closing && partner(word.bytes().rev(), closing, opening).is_none() {
            return word.get(..word.len() - 1);
        }
    }
    None
}

/// How many bytes after the bracket that comes first its partner comes.
fn partner(bytes: impl Iterator<Item = u8>, bracket: u8, partner: u8) -> Option<usize> {
    let mut open = 0_usize;
    for (steps, byte) in bytes.enumerate() {
        if byte == bracket {
            open += 1;
        } else if byte == partner {
            open = open.saturating_sub(1);
            if open == 0 {
                return Some(steps);
            }
        }
    }
    None
}
