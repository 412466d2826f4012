//! The verbs of access-denied sentences, and where they stand.

use super::text;

/// The verb of an access-denied sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// IAM's own grammar.
    Perform,
    /// A service's words. A sentence only where an action follows: services call many things.
    Call,
}

impl Verb {
    const ALL: [Self; 2] = [Self::Perform, Self::Call];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Perform => "perform",
            Self::Call => "call",
        }
    }

    /// The verb that ends at a place in the message.
    pub(super) fn ending_at(message: &str, end: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| {
            end.checked_sub(verb.word().len())
                .and_then(|start| message.get(start..end))
                .is_some_and(|word| word.eq_ignore_ascii_case(verb.word()))
        })
    }

    fn next_end(self, message: &str, from: usize) -> Option<usize> {
        text::find(message, self.word(), from).map(|start| start + self.word().len())
    }
}

/// Where each verb of a message ends: for a message that is not plain.
pub(super) fn ends(message: &str) -> impl Iterator<Item = usize> {
    let mut ends = Verb::ALL.map(|verb| (verb, verb.next_end(message, 0)));
    std::iter::from_fn(move || {
        let (verb, next) = ends
            .iter_mut()
            .filter(|(_, next)| next.is_some())
            .min_by_key(|(_, next)| *next)?;
        let end = (*next)?;
        *next = verb.next_end(message, end);
        Some(end)
    })
}
