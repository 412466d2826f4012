//! A value in a policy's condition, read once when the policy is parsed.

use std::net::IpAddr;

use crate::context::Request;
use crate::identity::{arn_parts, parts};
use crate::operator::Comparison;
use crate::template::{Filled, Reading, Template};
use crate::values::{Decimal, IpRange, Moment};
use crate::wildcard::{self, Atom, Pattern};

/// A policy's value, ready to compare.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Text(Template),
    /// An ARN pattern without variables, split into its six parts.
    Arn(ArnPattern),
    /// An ARN pattern with variables.
    ArnTemplate(Template),
    Number(Decimal),
    Date(Moment),
    Ip(IpRange),
    Truth(bool),
    Binary(String),
    /// Not a value of the operator's type.
    Invalid,
}

/// An ARN pattern.
#[derive(Clone, Debug)]
pub(crate) enum ArnPattern {
    Parts(Box<[Pattern; 6]>),
    /// It starts like an ARN but has fewer parts: it matches nothing.
    Short,
    /// No ARN at all.
    Invalid,
}

/// How one value compares with one of the policy's.
pub(crate) enum Compared {
    Yes,
    No,
    /// One of the two is not of the operator's type.
    Invalid,
    /// A variable's key is unknown.
    Unknown(String),
}

impl From<bool> for Compared {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

impl Operand {
    /// Reads a policy's value. Variables work with the string, ARN and `Bool` operators only
    /// (documented: IAM `reference_policies_elements_condition_operators`).
    pub(crate) fn new(comparison: Comparison, text: &str, variables: bool) -> Self {
        let template = |wildcards| {
            Template::new(
                text,
                Reading {
                    wildcards,
                    variables,
                },
            )
        };
        match comparison {
            Comparison::Text | Comparison::TextIgnoringCase => Self::Text(template(false)),
            Comparison::TextLike => Self::Text(template(true)),
            Comparison::Arn if !variables || !text.contains("${") => {
                Self::Arn(ArnPattern::of_text(text))
            }
            Comparison::Arn => match template(true) {
                Template::Plain(text) => Self::Arn(ArnPattern::of_text(&text)),
                Template::Fixed(atoms) => Self::Arn(ArnPattern::new(&atoms)),
                variables @ Template::Variables(_) => Self::ArnTemplate(variables),
            },
            Comparison::Numeric(_) => Decimal::parse(text).map_or(Self::Invalid, Self::Number),
            Comparison::Date(_) => Moment::parse(text).map_or(Self::Invalid, Self::Date),
            Comparison::Ip => IpRange::parse(text).map_or(Self::Invalid, Self::Ip),
            Comparison::Binary => Self::Binary(text.to_owned()),
            Comparison::Null => truth(text).map_or(Self::Invalid, Self::Truth),
            Comparison::Bool => match (truth(text), template(false)) {
                (Some(value), _) => Self::Truth(value),
                (None, variables @ Template::Variables(_)) => Self::Text(variables),
                (None, Template::Plain(_) | Template::Fixed(_)) => Self::Invalid,
            },
        }
    }

    pub(crate) fn compare(
        &self,
        comparison: Comparison,
        value: &str,
        request: &Request,
    ) -> Compared {
        match self {
            Self::Text(template) => match template.fill(request) {
                Filled::Plain(text) => compare_plain(comparison, text, value),
                Filled::Ready(atoms) => compare_text(comparison, &atoms, value),
                Filled::Missing => Compared::No,
                Filled::Unknown(key) => Compared::Unknown(key),
            },
            Self::Arn(pattern) => pattern.compare(value),
            Self::ArnTemplate(_) if !is_arn(value) => Compared::Invalid,
            Self::ArnTemplate(template) => match template.fill(request) {
                Filled::Plain(text) => ArnPattern::of_text(text).compare(value),
                Filled::Ready(atoms) => ArnPattern::new(&atoms).compare(value),
                Filled::Missing => Compared::No,
                Filled::Unknown(key) => Compared::Unknown(key),
            },
            Self::Number(number) => match (comparison, Decimal::parse(value)) {
                (Comparison::Numeric(order), Some(given)) => order.holds(given.cmp(number)).into(),
                _ => Compared::Invalid,
            },
            Self::Date(moment) => match (comparison, Moment::parse(value)) {
                (Comparison::Date(order), Some(given)) => order.holds(given.cmp(moment)).into(),
                _ => Compared::Invalid,
            },
            Self::Ip(range) => match value.parse::<IpAddr>() {
                Ok(address) => range.contains(address).into(),
                Err(_) => Compared::Invalid,
            },
            Self::Truth(wanted) => match truth(value) {
                Some(given) => (given == *wanted).into(),
                None => Compared::Invalid,
            },
            Self::Binary(encoded) => (encoded == value).into(),
            Self::Invalid => Compared::Invalid,
        }
    }
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

fn truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn compare_text(comparison: Comparison, atoms: &[Atom], value: &str) -> Compared {
    match atoms {
        [] => compare_plain(comparison, "", value),
        [Atom::Text(text)] => compare_plain(comparison, text, value),
        _ => wildcard::matches(atoms, value).into(),
    }
}

fn compare_plain(comparison: Comparison, text: &str, value: &str) -> Compared {
    if comparison == Comparison::TextIgnoringCase {
        return (text.eq_ignore_ascii_case(value) || text.to_lowercase() == value.to_lowercase())
            .into();
    }
    if comparison == Comparison::Bool {
        return match (truth(text), truth(value)) {
            (Some(wanted), Some(given)) => (wanted == given).into(),
            _ => Compared::Invalid,
        };
    }
    (text == value).into()
}

impl ArnPattern {
    fn of_text(text: &str) -> Self {
        match parts(text) {
            Some(parts) => Self::Parts(Box::new(parts.map(Pattern::new))),
            None if text.starts_with("arn:") => Self::Short,
            None => Self::Invalid,
        }
    }

    /// A pattern whose variables are filled in: what came from them stands for itself.
    fn new(atoms: &[Atom]) -> Self {
        let mut parts: [Vec<Atom>; 6] = Default::default();
        let mut at = 0;
        for atom in atoms {
            let Atom::Text(text) = atom else {
                if let Some(part) = parts.get_mut(at) {
                    part.push(atom.clone());
                }
                continue;
            };
            for (index, piece) in text.splitn(6 - at, ':').enumerate() {
                if index > 0 {
                    at += 1;
                }
                if let Some(part) = parts.get_mut(at) {
                    wildcard::push_literal(part, piece);
                }
            }
        }
        let starts = matches!(atoms.first(), Some(Atom::Text(text)) if text.starts_with("arn:"));
        match (at, starts) {
            (5, _) => Self::Parts(Box::new(parts.map(|atoms| match atoms.as_slice() {
                [] => Pattern::Exact("".into()),
                _ => Pattern::Atoms(atoms),
            }))),
            (_, true) => Self::Short,
            (_, false) => Self::Invalid,
        }
    }

    /// Compares part by part (documented: IAM `reference_policies_elements_condition_operators`).
    fn compare(&self, value: &str) -> Compared {
        if !is_arn(value) {
            return Compared::Invalid;
        }
        match (self, arn_parts(value)) {
            (Self::Parts(parts), Some(given)) => parts
                .iter()
                .zip(given)
                .all(|(pattern, part)| pattern.matches(part))
                .into(),
            (Self::Short, _) | (Self::Parts(_), None) => Compared::No,
            (Self::Invalid, _) => Compared::Invalid,
        }
    }
}
