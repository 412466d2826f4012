//! A rule of the catalogue.

use crate::Cause;

/// When a rule is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::messages) enum Stage {
    /// Before the access-denied grammar: texts that AWS files under access denied although no permission repairs them.
    First,
    /// The wording of keys, before a generic "does not exist".
    Keys,
    /// Everything else that says what happened.
    Others,
    /// Weak signs, asked only when nothing else spoke.
    Weak,
}

/// Fragments that stand for causes: one of each group, and none of the exceptions.
pub(in crate::messages) struct Rule {
    all: &'static [&'static [&'static str]],
    none: [&'static [&'static str]; 2],
    causes: &'static [Cause],
    why: &'static str,
}

impl Rule {
    /// A rule over groups of fragments: at least one of each group must stand in the text.
    pub(super) const fn new(
        all: &'static [&'static [&'static str]],
        causes: &'static [Cause],
        why: &'static str,
    ) -> Self {
        Self {
            all,
            none: [&[], &[]],
            causes,
            why,
        }
    }

    /// The same rule, unless one of these fragments stands in the text.
    pub(super) const fn unless(mut self, none: &'static [&'static str]) -> Self {
        self.none = [none, &[]];
        self
    }

    /// The same rule, unless a fragment of either list stands in the text: one that several rules share, and its own.
    pub(super) const fn unless_either(
        mut self,
        shared: &'static [&'static str],
        own: &'static [&'static str],
    ) -> Self {
        self.none = [shared, own];
        self
    }

    pub(super) const fn all(&self) -> &'static [&'static [&'static str]] {
        self.all
    }

    pub(super) fn none(&self) -> impl Iterator<Item = &'static str> {
        self.none.into_iter().flatten().copied()
    }

    /// The causes, best first.
    pub(in crate::messages) const fn causes(&self) -> &'static [Cause] {
        self.causes
    }

    /// Why the first cause.
    pub(in crate::messages) const fn why(&self) -> &'static str {
        self.why
    }
}
