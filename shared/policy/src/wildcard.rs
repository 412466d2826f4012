//! Wildcard matching: `*` is any text, `?` any one character.

use compact_str::CompactString;

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Atom {
    /// Text that stands for itself.
    Text(CompactString),
    /// `?`. A narrow one does not match `:`.
    One {
        /// Whether it matches `:` too.
        wide: bool,
    },
    /// `*`. A narrow one stops at `:`.
    Many {
        /// Whether it matches `:` too.
        wide: bool,
    },
}

/// A pattern, kept in the cheapest form that says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// Everything.
    Any,
    /// This text and no other.
    Exact(CompactString),
    /// Text and wildcards.
    Atoms(Vec<Atom>),
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        if text == "*" {
            Self::Any
        } else if text.contains(['*', '?']) {
            Self::Atoms(atoms(text))
        } else {
            Self::Exact(text.into())
        }
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(own) => own == text,
            Self::Atoms(atoms) => matches(atoms, text),
        }
    }
}

/// Splits `pattern` into atoms; every wildcard is wide.
pub(crate) fn atoms(pattern: &str) -> Vec<Atom> {
    let mut atoms = Vec::new();
    push_text(&mut atoms, pattern);
    atoms
}

/// Adds the wildcards and texts of `pattern` to `atoms`.
pub(crate) fn push_text(atoms: &mut Vec<Atom>, pattern: &str) {
    let mut rest = pattern;
    while let Some(at) = rest.find(['*', '?']) {
        let (text, wildcard) = rest.split_at_checked(at).unwrap_or((rest, ""));
        push_literal(atoms, text);
        if let Some(after) = wildcard.strip_prefix('*') {
            if atoms.last() != Some(&Atom::Many { wide: true }) {
                atoms.push(Atom::Many { wide: true });
            }
            rest = after;
        } else {
            atoms.push(Atom::One { wide: true });
            rest = wildcard.strip_prefix('?').unwrap_or_default();
        }
    }
    push_literal(atoms, rest);
}

/// Adds text that stands for itself.
pub(crate) fn push_literal(atoms: &mut Vec<Atom>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Atom::Text(last)) = atoms.last_mut() {
        last.push_str(text);
    } else {
        atoms.push(Atom::Text(text.into()));
    }
}

/// Whether `text` as a whole matches `pattern`.
///
/// The time is at most proportional to the product of both lengths, whatever the pattern.
#[must_use]
pub fn wildcard_matches(pattern: &str, text: &str) -> bool {
    matches(&atoms(pattern), text)
}

/// Whether `arn` matches `pattern` part by part: a wildcard in one of the first five parts never
/// reaches into the next, as in the condition operators for ARNs (documented: IAM
/// `reference_policies_elements_condition_operators`).
#[must_use]
pub fn arn_matches(pattern: &str, arn: &str) -> bool {
    let patterns: Vec<&str> = pattern.splitn(6, ':').collect();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    patterns.len() == 6
        && parts.len() == 6
        && patterns
            .iter()
            .zip(&parts)
            .all(|(pattern, part)| wildcard_matches(pattern, part))
}

/// Whether `text` as a whole matches the atoms.
pub(crate) fn matches(pattern: &[Atom], text: &str) -> bool {
    match pattern {
        [Atom::Text(whole)] => whole == text,
        [Atom::Many { wide: true }] => true,
        _ if pattern.contains(&Atom::Many { wide: false }) => matches_narrow(pattern, text),
        _ => matches_wide(pattern, text),
    }
}

/// Greedy matching with one point to return to: sound because a wide `*` can always swallow what a
/// later `*` could.
fn matches_wide(pattern: &[Atom], text: &str) -> bool {
    let mut atoms = pattern;
    let mut rest = text;
    let mut resume: Option<(&[Atom], &str)> = None;
    loop {
        let step = match atoms.split_first() {
            Some((Atom::Many { .. }, after)) => {
                if after.is_empty() {
                    return true;
                }
                resume = Some((after, rest));
                Some((after, rest))
            }
            Some((Atom::Text(literal), after)) => rest
                .strip_prefix(literal.as_str())
                .map(|rest| (after, rest)),
            Some((Atom::One { wide }, after)) => one(rest, *wide).map(|rest| (after, rest)),
            None if rest.is_empty() => return true,
            None => None,
        };
        if let Some((after, left)) = step {
            atoms = after;
            rest = left;
            continue;
        }
        let Some((after, from)) = resume else {
            return false;
        };
        let Some(from) = skip_to(after, from) else {
            return false;
        };
        resume = Some((after, from));
        atoms = after;
        rest = from;
    }
}

/// The next place after the start of `from` where `atoms` could begin. The first byte of a literal
/// starts a character, so the place does, too.
fn skip_to<'a>(atoms: &[Atom], from: &'a str) -> Option<&'a str> {
    let from = one(from, true)?;
    match atoms.first() {
        Some(Atom::Text(literal)) => {
            let first = literal.as_bytes().first()?;
            let at = from.as_bytes().iter().position(|byte| byte == first)?;
            from.get(at..)
        }
        Some(Atom::One { .. } | Atom::Many { .. }) | None => Some(from),
    }
}

/// `text` without its first character, if there is one that `?` matches.
fn one(text: &str, wide: bool) -> Option<&str> {
    let mut characters = text.chars();
    let first = characters.next()?;
    (wide || first != ':').then_some(characters.as_str())
}

/// A state machine over characters, for patterns whose `*` may not pass a colon.
fn matches_narrow(pattern: &[Atom], text: &str) -> bool {
    let steps = steps(pattern);
    let mut states = vec![false; steps.len() + 1];
    if let Some(first) = states.first_mut() {
        *first = true;
    }
    spread(&steps, &mut states);
    for character in text.chars() {
        let mut next = vec![false; steps.len() + 1];
        for (at, step) in steps.iter().enumerate() {
            if states.get(at) != Some(&true) {
                continue;
            }
            let (stays, moves) = match step {
                Step::Character(wanted) => (false, *wanted == character),
                Step::One { wide } => (false, *wide || character != ':'),
                Step::Many { wide } => (*wide || character != ':', false),
            };
            if stays && let Some(state) = next.get_mut(at) {
                *state = true;
            }
            if moves && let Some(state) = next.get_mut(at + 1) {
                *state = true;
            }
        }
        spread(&steps, &mut next);
        states = next;
    }
    states.last() == Some(&true)
}

enum Step {
    Character(char),
    One { wide: bool },
    Many { wide: bool },
}

fn steps(pattern: &[Atom]) -> Vec<Step> {
    let mut steps = Vec::new();
    for atom in pattern {
        match atom {
            Atom::Text(text) => steps.extend(text.chars().map(Step::Character)),
            Atom::One { wide } => steps.push(Step::One { wide: *wide }),
            Atom::Many { wide } => steps.push(Step::Many { wide: *wide }),
        }
    }
    steps
}

/// A `*` may also match nothing.
fn spread(steps: &[Step], states: &mut [bool]) {
    for (at, step) in steps.iter().enumerate() {
        if matches!(step, Step::Many { .. })
            && states.get(at) == Some(&true)
            && let Some(state) = states.get_mut(at + 1)
        {
            *state = true;
        }
    }
}
