//! A rule of the catalogue.

use crate::causes::Cause;

/// When a rule is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Stage {
    /// Before the access-denied grammar: texts that AWS files under access denied although no
    /// permission repairs them.
    First,
    /// The wording of keys, before a generic "does not exist".
    Keys,
    /// Everything else that says what happened.
    Others,
    /// Weak signs, asked only when nothing else spoke, and never with a repairable cause first.
    Weak,
}

/// Fragments that stand for a cause: one of each group, and none of the exceptions. `|` stands
/// between the fragments of a group.
pub(crate) struct Rule {
    /// When it is asked.
    pub(crate) stage: Stage,
    /// Its place in the stage: of two rules that fit a text, the cause of the lower one comes
    /// first.
    pub(crate) place: u16,
    /// At least one fragment of each group must stand in the text.
    pub(crate) all: &'static [&'static str],
    /// None of these fragments may.
    pub(crate) none: &'static [&'static str],
    /// The other causes that the text admits, best first.
    pub(crate) or: &'static [Cause],
    /// Whether the text says that it is this cause. Else it is one of several that give the same
    /// text.
    pub(crate) names: bool,
    /// Why the cause, in one sentence.
    pub(crate) why: &'static str,
}

/// The rules of a cause, each a stage, a place, the groups, then if need be what must `not` stand
/// there, and why. Which causes give the same text stands behind `or`; which others are possible
/// although the text says that it is this one, behind `besides`:
///
/// ```text
/// Keys 60 ["is not enabled", KEY_NAMES] not [AT_DESTINATION] or [KeyNotFound] => "The key is disabled.";
/// ```
///
/// A string goes on in the next line behind a backslash, and begins there with `|`, so that no
/// space before a fragment is lost.
macro_rules! rules {
    ($($stage:ident $place:literal [$($all:expr),+] $(not [$($none:expr),+])? $(or [$($or:ident),+])? $(besides [$($besides:ident),+])? => $why:literal;)+) => {
        &[$($crate::messages::Rule {
            stage: $crate::messages::Stage::$stage,
            place: $place,
            all: &[$($all),+],
            none: &[$($($none),+)?],
            or: &[$($($crate::Cause::$or,)+)? $($($crate::Cause::$besides,)+)?],
            names: {
                const ALIKE: &[$crate::Cause] = &[$($($crate::Cause::$or),+)?];
                ALIKE.is_empty()
            },
            why: $why,
        }),+]
    };
}

pub(crate) use rules;

/// The causes that a text admits, best first, and why the first.
pub(super) type Finding = (&'static [Cause], &'static str);

macro_rules! finding {
    ($($cause:ident),+; $why:expr) => {
        (&[$($crate::Cause::$cause),+], $why)
    };
}

pub(crate) use finding;

/// The fragments of groups.
pub(super) fn fragments(
    groups: &'static [&'static str],
) -> impl Iterator<Item = &'static str> + Clone {
    groups.iter().flat_map(|group| group.split('|'))
}

/// How many there are.
pub(super) const fn count(groups: &[&str]) -> usize {
    let mut count = groups.len();
    let mut groups = groups;
    while let Some((group, others)) = groups.split_first() {
        let mut bytes = group.as_bytes();
        while let Some((byte, rest)) = bytes.split_first() {
            if *byte == b'|' {
                count += 1;
            }
            bytes = rest;
        }
        groups = others;
    }
    count
}
