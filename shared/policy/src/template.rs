//! Strings of a policy that may hold wildcards and policy variables.

use std::borrow::Cow;

use compact_str::CompactString;

use crate::condition::is_multivalued;
use crate::context::{Found, Request};
use crate::key::Key;
use crate::wildcard::{self, Atom};

/// A piece of a policy string.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Atom(Atom),
    Variable { key: Key, default: Option<String> },
}

/// A policy string, split into what stands for itself, wildcards and variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// Neither wildcards nor variables.
    Plain(CompactString),
    /// Nothing to fill in.
    Fixed(Vec<Atom>),
    /// Holds at least one variable.
    Variables(Pieces),
}

/// The pieces of a string with variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pieces(Vec<Piece>);

/// How a string of a policy is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${…}` is a variable: only in version 2012-10-17.
    pub(crate) variables: bool,
}

/// A template filled in for a request.
pub(crate) enum Filled<'a> {
    /// Plain text.
    Plain(&'a str),
    /// All variables have values.
    Ready(Cow<'a, [Atom]>),
    /// A variable has no value and no default, or may have more than one.
    Missing,
    /// It depends on a key that is unknown.
    Unknown(String),
}

impl Template {
    pub(crate) fn new(text: &str, reading: Reading) -> Self {
        let plain = (!reading.wildcards || !text.contains(['*', '?']))
            && (!reading.variables || !text.contains("${"));
        if plain {
            return Self::Plain(text.into());
        }
        let mut pieces = Vec::new();
        let mut atoms = Vec::new();
        let push = |atoms: &mut Vec<Atom>, text: &str| {
            if reading.wildcards {
                wildcard::push_text(atoms, text);
            } else {
                wildcard::push_literal(atoms, text);
            }
        };
        let mut rest = text;
        while reading.variables
            && let Some((before, inside, after)) = next_variable(rest)
        {
            push(&mut atoms, before);
            match inside {
                "*" | "?" | "$" => wildcard::push_literal(&mut atoms, inside),
                _ => {
                    pieces.extend(atoms.drain(..).map(Piece::Atom));
                    pieces.push(variable(inside));
                }
            }
            rest = after;
        }
        push(&mut atoms, rest);
        if pieces.is_empty() {
            return Self::Fixed(atoms);
        }
        pieces.extend(atoms.into_iter().map(Piece::Atom));
        Self::Variables(Pieces(pieces))
    }

    /// Puts the request's values in. A value's own `*` and `?` stand for themselves.
    ///
    /// Documented (IAM `reference_policies_variables`): a key that is absent "or has no value" is
    /// as nothing, unless there is a default; a multivalued key can't be a variable. That an empty
    /// value is no value is inferred.
    pub(crate) fn fill<'a>(&'a self, request: &Request) -> Filled<'a> {
        let pieces = match self {
            Self::Plain(text) => return Filled::Plain(text),
            Self::Fixed(atoms) => return Filled::Ready(Cow::Borrowed(atoms)),
            Self::Variables(Pieces(pieces)) => pieces,
        };
        let mut atoms = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Atom(Atom::Text(text)) => wildcard::push_literal(&mut atoms, text),
                Piece::Atom(atom) => atoms.push(atom.clone()),
                Piece::Variable { key, default } => {
                    let value = match request.find(key.lower()) {
                        Found::Unknown => return Filled::Unknown(request.unknown_name(key)),
                        Found::Values(_) if is_multivalued(key.lower()) => None,
                        Found::Values([value]) if !value.is_empty() => Some(value.as_str()),
                        Found::Values([_]) | Found::Absent => default.as_deref(),
                        Found::Values(_) => None,
                    };
                    let Some(value) = value else {
                        return Filled::Missing;
                    };
                    wildcard::push_literal(&mut atoms, value);
                }
            }
        }
        Filled::Ready(Cow::Owned(atoms))
    }

    /// Narrows the wildcards to what AWS documents for `Resource`: a `*` passes a colon only at the
    /// end of its segment or in the last segment, a `?` only in the last. `None` when a variable
    /// stands before the fifth colon, where AWS allows none: such a resource matches nothing.
    ///
    /// Documented: IAM `reference_policies_elements_resource` and `reference_policies_variables`.
    pub(crate) fn narrowed(mut self) -> Option<Self> {
        let in_place = match &mut self {
            Self::Plain(_) => true,
            Self::Fixed(atoms) => {
                let in_all = atoms.iter().map(colons).sum();
                narrow(in_all, atoms.iter_mut().map(Some))
            }
            Self::Variables(Pieces(pieces)) => {
                let in_all = pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Atom(atom) => colons(atom),
                        Piece::Variable { .. } => 0,
                    })
                    .sum();
                let atoms = pieces.iter_mut().map(|piece| match piece {
                    Piece::Atom(atom) => Some(atom),
                    Piece::Variable { .. } => None,
                });
                narrow(in_all, atoms)
            }
        };
        in_place.then_some(self)
    }
}

fn colons(atom: &Atom) -> usize {
    match atom {
        Atom::Text(text) => text.bytes().filter(|byte| *byte == b':').count(),
        Atom::One { .. } | Atom::Many { .. } => 0,
    }
}

/// Narrows the wildcards, from the end. `None` stands for a variable; whether all of them are after
/// the fifth colon.
fn narrow<'p>(
    colons_in_all: usize,
    pieces: impl DoubleEndedIterator<Item = Option<&'p mut Atom>>,
) -> bool {
    let mut before = colons_in_all;
    let mut at_end = true;
    let mut in_place = true;
    for piece in pieces.rev() {
        let ends_segment = std::mem::take(&mut at_end);
        match piece {
            None => in_place &= before >= 5,
            Some(Atom::One { wide }) => *wide = before >= 5,
            Some(Atom::Many { wide }) => *wide = before >= 5 || ends_segment,
            Some(atom @ Atom::Text(_)) => {
                before -= colons(atom);
                at_end = matches!(atom, Atom::Text(text) if text.starts_with(':'));
            }
        }
    }
    in_place
}

/// The first `${…}` of `text`: what stands before, inside and after it. An unclosed one is plain
/// text.
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${")?;
    // A default value may hold any character, so its quote ends first.
    let end = match rest.find(", '") {
        Some(quote) if rest.find('}').is_none_or(|brace| quote < brace) => rest
            .get(quote + 3..)
            .and_then(|value| value.find("'}"))
            .map(|at| quote + 3 + at + 1)
            .or_else(|| rest.find('}'))?,
        _ => rest.find('}')?,
    };
    let (inside, after) = rest.split_at_checked(end)?;
    Some((before, inside, after.strip_prefix('}')?))
}

fn variable(inside: &str) -> Piece {
    let (key, default) = match inside.split_once(", '") {
        Some((key, value)) => (key, value.strip_suffix('\'')),
        None => (inside, None),
    };
    Piece::Variable {
        key: Key::new(key),
        default: default.map(str::to_owned),
    }
}
