//! Ids out of a record: each becomes another one of the same shape, the same one each time.
//!
//! What is known to be an account, a role or an organization is replaced wherever it stands, within
//! words too. What only looks like an id is replaced as well: rather too much is masked than too
//! little.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Account,
    Uuid,
    /// Hexadecimal digits behind a prefix, such as `snap-`.
    Resource,
    Organization,
    Principal,
    Name,
    Opaque,
}

/// Prefixes of ids with hexadecimal digits behind them.
const PREFIXES: [&str; 6] = ["vol-", "snap-", "ami-", "mrk-", "i-", "backup-"];
/// Prefixes of the ids of AWS Organizations.
const OF_ORGANIZATIONS: [&str; 4] = ["o-", "r-", "ou-", "p-"];
/// Roles of AWS's own, which tell of nobody.
const KNOWN_ROLES: [&str; 2] = ["AWSBackupDefaultServiceRole", "AWSServiceRoleForBackup"];
/// A word with letters and digits that is longer than this may be an id of any kind.
const LONGEST_WORD: usize = 19;

/// The ids that were met, and what stands for each.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    /// What is replaced within words, too.
    known: BTreeMap<String, String>,
    met: BTreeMap<(Kind, String), String>,
    counts: BTreeMap<Kind, usize>,
}

impl Masks {
    /// The two accounts get AWS's own example ids.
    pub(crate) fn new(source: &str, destination: &str) -> Self {
        let known = [(source, "111122223333"), (destination, "444455556666")];
        let known = known.map(|(id, mask)| (id.to_owned(), mask.to_owned()));
        Self {
            known: known.into(),
            ..Self::default()
        }
    }

    /// Something whose every occurrence is replaced, such as the name of a role. A short one may be
    /// a word of AWS's: that is replaced in ARNs alone.
    pub(crate) fn hide(&mut self, text: &str, mask: &str) {
        const SHORTEST: usize = 8;
        if text.len() >= SHORTEST && !KNOWN_ROLES.contains(&text) && text != mask {
            self.known.insert(text.to_owned(), mask.to_owned());
        }
    }

    /// The value with every text in it masked, names of members included.
    pub(crate) fn value(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (self.text(&name), self.value(value)))
                .collect::<Map<_, _>>()
                .into(),
            Value::Number(number) => {
                let text = number.to_string();
                let masked = self.text(&text);
                if masked == text {
                    number.into()
                } else {
                    masked.into()
                }
            }
            Value::Null | Value::Bool(_) => value,
        }
    }

    /// The text with every id in it masked.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut word = String::new();
        for character in text.chars() {
            if character.is_ascii_alphanumeric() || character == '-' {
                word.push(character);
                continue;
            }
            self.push_word(&mut out, &word);
            word.clear();
            out.push(character);
        }
        self.push_word(&mut out, &word);
        let out = self.of_identities(&out);
        // A known text may hold what parts words, as the name of a role does.
        self.known.iter().fold(out, |out, (known, mask)| {
            if known.chars().all(is_of_word) {
                out
            } else {
                out.replace(known, mask)
            }
        })
    }

    fn push_word(&mut self, out: &mut String, word: &str) {
        if word.is_empty() {
            return;
        }
        // The longest first: one may be within another.
        let mut known: Vec<(&String, &String)> = self.known.iter().collect();
        known.sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
        let found = known
            .into_iter()
            .find_map(|(known, mask)| Some((word.split_once(known.as_str())?, mask.clone())));
        if let Some(((before, after), mask)) = found {
            let (before, after) = (before.to_owned(), after.to_owned());
            self.push_word(out, &before);
            out.push_str(&mask);
            self.push_word(out, &after);
            return;
        }
        let masked = self.word(word);
        out.push_str(&masked);
    }

    /// A word in which nothing known stands.
    fn word(&mut self, word: &str) -> String {
        if let Some((at, uuid)) = uuid_in(word) {
            let mask = self.mask(Kind::Uuid, &uuid.to_lowercase());
            let before = word.get(..at).unwrap_or_default();
            let after = word
                .get(at.saturating_add(uuid.len())..)
                .unwrap_or_default();
            return format!("{}{mask}{}", self.word(before), self.word(after));
        }
        if word.len() == 12 && word.bytes().all(|b| b.is_ascii_digit()) {
            return self.mask(Kind::Account, word);
        }
        for prefix in PREFIXES {
            if let Some(id) = word.strip_prefix(prefix)
                && id.len() >= 8
                && id.bytes().all(|b| b.is_ascii_hexdigit())
            {
                return format!("{prefix}{}", self.mask(Kind::Resource, word));
            }
        }
        for prefix in OF_ORGANIZATIONS {
            if let Some(id) = word.strip_prefix(prefix)
                && id.len() >= 4
                && id
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase() || b == b'-')
            {
                return format!("{prefix}{}", self.mask(Kind::Organization, word));
            }
        }
        if is_principal(word) {
            let mask = self.mask(Kind::Principal, word);
            return format!("{}{mask}", word.get(..4).unwrap_or_default());
        }
        let has = |is: fn(&u8) -> bool| word.bytes().any(|b| is(&b));
        let is_long = word.len() > LONGEST_WORD;
        let is_ours = copymend_aws::proving::RunId::of_name(word).is_some();
        if is_long && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) && !is_ours {
            return self.parts(word);
        }
        word.to_owned()
    }

    /// A long word: each of its parts between hyphens, if one of them has letters and digits.
    fn parts(&mut self, word: &str) -> String {
        let parts = word.split('-').map(|part| {
            let has_digit = part.bytes().any(|b| b.is_ascii_digit());
            if has_digit && part.len() >= 8 {
                self.mask(Kind::Opaque, part)
            } else {
                part.to_owned()
            }
        });
        parts.collect::<Vec<_>>().join("-")
    }

    /// Names of roles, users and sessions in ARNs.
    fn of_identities(&mut self, text: &str) -> String {
        let mut out = text.to_owned();
        for begin in [
            ":role/",
            ":user/",
            ":assumed-role/",
            ":federated-user/",
            ":policy/",
            ":instance-profile/",
        ] {
            let mut done = String::with_capacity(out.len());
            let mut rest = out.as_str();
            while let Some((before, after)) = rest.split_once(begin) {
                done.push_str(before);
                done.push_str(begin);
                let end = after
                    .find(|c: char| !(c.is_ascii_alphanumeric() || "+=,.@_-/*?".contains(c)))
                    .unwrap_or(after.len());
                let (name, after) = after.split_at_checked(end).unwrap_or((after, ""));
                let named = name.split('/').map(|part| self.name(part));
                done.push_str(&named.collect::<Vec<_>>().join("/"));
                rest = after;
            }
            done.push_str(rest);
            out = done;
        }
        out
    }

    /// A part of the path or name of a principal.
    fn name(&mut self, part: &str) -> String {
        const OF_AWS: [&str; 6] = [
            "aws-service-role",
            "backup.amazonaws.com",
            "service-role",
            "",
            "*",
            "AWSBackup-AWSBackupDefaultServiceRole",
        ];
        let is_masked = part.starts_with("name-");
        let is_ours = part.starts_with("copymend");
        if OF_AWS.contains(&part) || KNOWN_ROLES.contains(&part) || is_masked || is_ours {
            return part.to_owned();
        }
        self.mask(Kind::Name, part)
    }

    fn mask(&mut self, kind: Kind, text: &str) -> String {
        if let Some(mask) = self.met.get(&(kind, text.to_owned())) {
            return mask.clone();
        }
        let number = self.counts.entry(kind).or_default();
        *number = number.saturating_add(1);
        let number = *number;
        let mask = match kind {
            Kind::Account => format!("{number:012}"),
            Kind::Uuid => format!("00000000-0000-4000-8000-{number:012}"),
            Kind::Resource => format!("{number:017}"),
            Kind::Organization => format!("example{number:03}"),
            Kind::Principal => format!("EXAMPLE{number:010}"),
            Kind::Name => format!("name-{number}"),
            Kind::Opaque => format!("masked{number}"),
        };
        self.met.insert((kind, text.to_owned()), mask.clone());
        // What was masked once stays as it is.
        let whole = match kind {
            Kind::Account | Kind::Uuid => Some(mask.clone()),
            Kind::Resource | Kind::Organization | Kind::Principal | Kind::Name | Kind::Opaque => {
                None
            }
        };
        if let Some(whole) = whole {
            self.met.insert((kind, whole.clone()), whole);
        }
        mask
    }
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

/// Ids of principals and access keys (IAM user guide, "IAM identifiers", documented).
fn is_principal(word: &str) -> bool {
    word.len() >= 16
        && word.starts_with('A')
        && word
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// The first UUID within a word, and where it stands.
fn uuid_in(word: &str) -> Option<(usize, &str)> {
    const LENGTH: usize = 36;
    (0..=word.len().checked_sub(LENGTH)?).find_map(|at| {
        let part = word.get(at..at.checked_add(LENGTH)?)?;
        let fits = part.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
        fits.then_some((at, part))
    })
}

#[cfg(test)]
mod tests;
