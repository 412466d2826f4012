//! Strings of a policy that may hold wildcards and policy variables.

use std::borrow::Cow;

use crate::context::{Found, Request};
use crate::wildcard::{self, Atom};

/// A piece of a policy string.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Atom(Atom),
    Variable {
        /// The condition key, in lower case.
        key: String,
        default: Option<String>,
    },
}

/// A policy string, split into what stands for itself, wildcards and variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Template {
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
    /// All variables have values.
    Ready(Cow<'a, [Atom]>),
    /// A variable has no value (or more than one), and no default.
    Missing,
    /// It depends on a key that is unknown.
    Unknown(String),
}

impl Template {
    pub(crate) fn new(text: &str, reading: Reading) -> Self {
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
    pub(crate) fn fill<'a>(&'a self, request: &Request) -> Filled<'a> {
        let pieces = match self {
            Self::Fixed(atoms) => return Filled::Ready(Cow::Borrowed(atoms)),
            Self::Variables(Pieces(pieces)) => pieces,
        };
        let mut atoms = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Atom(Atom::Text(text)) => wildcard::push_literal(&mut atoms, text),
                Piece::Atom(atom) => atoms.push(atom.clone()),
                Piece::Variable { key, default } => match (request.find(key), default) {
                    (Found::Unknown, _) => return Filled::Unknown(request.unknown_name(key)),
                    (Found::Values([value]), _) => wildcard::push_literal(&mut atoms, value),
                    (Found::Absent, Some(default)) => {
                        wildcard::push_literal(&mut atoms, default);
                    }
                    (Found::Absent | Found::Values(_), _) => return Filled::Missing,
                },
            }
        }
        Filled::Ready(Cow::Owned(atoms))
    }

    /// Narrows the wildcards to what AWS documents for `Resource`: a `*` passes a colon only at the end of its segment or
    /// in the last segment, a `?` only in the last. `None` when a variable stands before the fifth colon, where AWS
    /// allows none: such a resource matches nothing.
    ///
    /// Documented: IAM `reference_policies_elements_resource` and `reference_policies_variables`.
    pub(crate) fn narrowed(self) -> Option<Self> {
        match self {
            Self::Fixed(atoms) => {
                let pieces = narrow(atoms.into_iter().map(Piece::Atom).collect())?;
                let atoms = pieces
                    .into_iter()
                    .filter_map(|piece| match piece {
                        Piece::Atom(atom) => Some(atom),
                        Piece::Variable { .. } => None,
                    })
                    .collect();
                Some(Self::Fixed(atoms))
            }
            Self::Variables(Pieces(pieces)) => Some(Self::Variables(Pieces(narrow(pieces)?))),
        }
    }
}

fn narrow(mut pieces: Vec<Piece>) -> Option<Vec<Piece>> {
    let mut colons = 0;
    let ends: Vec<bool> = (0..pieces.len())
        .map(|at| match pieces.get(at + 1) {
            None => true,
            Some(Piece::Atom(Atom::Text(text))) => text.starts_with(':'),
            Some(_) => false,
        })
        .collect();
    for (piece, end) in pieces.iter_mut().zip(ends) {
        match piece {
            Piece::Atom(Atom::Text(text)) => colons += text.matches(':').count(),
            Piece::Atom(Atom::One { wide }) => *wide = colons >= 5,
            Piece::Atom(Atom::Many { wide }) => *wide = colons >= 5 || end,
            Piece::Variable { .. } if colons < 5 => return None,
            Piece::Variable { .. } => {}
        }
    }
    Some(pieces)
}

/// The first `${…}` of `text`: what stands before, inside and after it. An unclosed one is plain text.
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
        key: key.to_lowercase(),
        default: default.map(str::to_owned),
    }
}
