//! Plain text, the form of a message that fragments are searched in, and what is found in texts.

use super::words;

/// A message in the form that fragments are searched in: ASCII letters in lower case, single
/// spaces, ASCII apostrophes, quotes and hyphens, and `not` for `n't`. White space and quotes that
/// JSON has escaped count as what they stand for.
///
/// The automaton could ignore the case by itself, but is twice as quick to build when it needn't,
/// and a Lambda builds it at every cold start.
pub(super) struct Plain {
    pub(super) text: String,
    /// Whether every byte stands where it stands in the message.
    pub(super) in_place: bool,
}

impl Plain {
    pub(super) fn new(message: &str) -> Self {
        let in_place = is_plain(message);
        let text = if in_place {
            message.to_ascii_lowercase()
        } else {
            made_plain(message)
        };
        Self { text, in_place }
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// Whether nothing needs changing, eight bytes at a time. May say no to a plain text, never yes to
/// another.
fn is_plain(message: &str) -> bool {
    let (chunks, rest) = message.as_bytes().as_chunks::<8>();
    let mut last = [b'x'; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let mut after_space = 0;
    let mut odd = 0;
    let mut apostrophe = 0;
    for chunk in chunks.iter().chain([&last]) {
        let bytes = u64::from_le_bytes(*chunk);
        let below_space = bytes.wrapping_sub(ONES * 0x20) & !bytes;
        let spaces = zeros(bytes ^ (ONES * 0x20));
        let backslashes = zeros(bytes ^ (ONES * 0x5c));
        odd |=
            bytes | below_space | (spaces & (spaces << 8)) | (spaces & after_space) | backslashes;
        after_space = spaces >> 56;
        apostrophe |= zeros(bytes ^ (ONES * 0x27));
    }
    odd & HIGHS == 0 && (apostrophe == 0 || !has_contraction(message))
}

/// The high bit of each byte that is zero, and perhaps of a byte behind it.
const fn zeros(bytes: u64) -> u64 {
    bytes.wrapping_sub(ONES) & !bytes & HIGHS
}

fn has_contraction(message: &str) -> bool {
    message
        .as_bytes()
        .windows(3)
        .any(|window| window.eq_ignore_ascii_case(b"n't"))
}

fn made_plain(message: &str) -> String {
    let mut plain = String::with_capacity(message.len() + 8);
    let mut rest = message.chars();
    while let Some(found) = rest.next() {
        match found {
            '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{2032}' | '\u{b4}'
            | '\u{ff07}' => {
                plain.push('\'');
            }
            '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' => plain.push('"'),
            '\u{2010}'..='\u{2015}' | '\u{2212}' => plain.push('-'),
            '\u{ad}' | '\u{200c}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {}
            '\\' => {
                // JSON in JSON doubles them.
                let behind = rest.as_str().trim_start_matches('\\');
                rest = behind.chars();
                if let Some(length) = words::escaped_space(behind) {
                    push_space(&mut plain);
                    rest = behind.get(length..).unwrap_or_default().chars();
                } else if let Some(tail) = behind.strip_prefix("u0022") {
                    plain.push('"');
                    rest = tail.chars();
                } else if !behind.starts_with(['"', '\'']) {
                    plain.push('\\');
                }
            }
            space if words::is_space(space) || space.is_control() => push_space(&mut plain),
            't' | 'T'
                if !rest.as_str().starts_with(char::is_alphanumeric) && ends_with(&plain, "n'") =>
            {
                write_out(&mut plain);
            }
            other => plain.push(other.to_ascii_lowercase()),
        }
    }
    plain
}

fn push_space(plain: &mut String) {
    if !plain.ends_with(' ') {
        plain.push(' ');
    }
}

/// Makes `isn'` into `is not` and `can'` into `cannot`.
fn write_out(plain: &mut String) {
    plain.truncate(plain.len().saturating_sub(2));
    plain.push_str(if ends_with(plain, "ca") {
        "nnot"
    } else {
        " not"
    });
}

fn ends_with(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|start| text.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Whether the text starts with `prefix`, whatever the case.
pub(super) fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether the text holds `needle`, whatever the case. For short texts.
pub(super) fn holds(text: &str, needle: &str) -> bool {
    find(text, needle, 0).is_some()
}

/// Where `needle` (ASCII, lower case, not empty) next stands in the text, whatever the case.
pub(super) fn find(text: &str, needle: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let first = *needle.as_bytes().first()?;
    let mut at = from;
    loop {
        at += bytes
            .get(at..)?
            .iter()
            .position(|byte| byte.to_ascii_lowercase() == first)?;
        let window = bytes.get(at..at + needle.len())?;
        if window.eq_ignore_ascii_case(needle.as_bytes()) {
            return Some(at);
        }
        at += 1;
    }
}

/// The service and the resource part of an ARN.
pub(super) fn arn_parts(text: &str) -> Option<(&str, &str)> {
    if !starts_with(text, "arn:aws") {
        return None;
    }
    let mut parts = text.splitn(6, ':');
    let service = parts.nth(2)?;
    let resource = parts.nth(2)?;
    (!service.is_empty()).then_some((service, resource))
}

/// The first ARN of a KMS key in the message, if its `:kms:` stands at `from` or behind.
pub(super) fn key_arn(message: &str, from: usize) -> Option<&str> {
    /// The longest that can stand before the service: `arn:` and a partition.
    const LONGEST_START: usize = 32;
    /// The longest ARN that AWS allows.
    const LONGEST_ARN: usize = 2_048;
    let mut from = from;
    while let Some(service) = find(message, ":kms:", from) {
        from = service + 1;
        let reach = message.floor_char_boundary(service.saturating_sub(LONGEST_START));
        let before = message.get(reach..service)?;
        let Some(start) = last(before, "arn:aws").map(|at| reach + at) else {
            continue;
        };
        let tail = message.get(start..)?;
        let tail = tail.get(..tail.floor_char_boundary(LONGEST_ARN))?;
        let length = tail
            .bytes()
            .position(|byte| {
                !(byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'/' | b'-' | b'_'))
            })
            .unwrap_or(tail.len());
        let arn = tail.get(..length)?.trim_end_matches([':', '/', '-', '_']);
        let key = arn_parts(arn).is_some_and(|(service, resource)| {
            service.eq_ignore_ascii_case("kms")
                && starts_with(resource, "key/")
                && resource.len() > 4
        });
        if key {
            return Some(arn);
        }
    }
    None
}

fn last(text: &str, needle: &str) -> Option<usize> {
    let mut found = None;
    let mut from = 0;
    while let Some(at) = find(text, needle, from) {
        found = Some(at);
        from = at + 1;
    }
    found
}
