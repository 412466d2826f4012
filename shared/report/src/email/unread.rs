//! What could not be read: told once, and named by its number elsewhere.

use copymend_diagnosis::WhyUnknown;

use super::body::Body;
use super::parts::ITEMS;
use crate::text::{inline, sentence};

/// The reads that told nothing, each once.
pub(super) struct Unread<'r> {
    all: &'r [WhyUnknown],
    first: Vec<&'r WhyUnknown>,
}

impl<'r> Unread<'r> {
    pub(super) fn of(all: &'r [WhyUnknown]) -> Self {
        let mut first: Vec<&WhyUnknown> = Vec::new();
        for why in all {
            if !first.iter().any(|known| is_same(known, why)) {
                first.push(why);
            }
        }
        first.truncate(ITEMS);
        Self { all, first }
    }

    /// A text of others, in which a read stands by its number.
    pub(super) fn inline(&self, text: &str) -> String {
        let mut short = text.to_owned();
        for why in self.all {
            let Some(number) = self.number_of(why) else {
                continue;
            };
            let said = format!("see unread fact {number}");
            short = short.replace(&why.to_string(), &said);
            short = short.replace(&without_detail(why), &said);
        }
        inline(&short)
    }

    fn number_of(&self, why: &WhyUnknown) -> Option<usize> {
        let known = self.first.iter().position(|known| is_same(known, why));
        known.map(|place| place + 1)
    }

    /// The list. `meaning` says what follows from it.
    pub(super) fn section(&self, body: &mut Body, meaning: &str) {
        if self.first.is_empty() {
            return;
        }
        body.heading("What could not be read");
        body.prose(meaning);
        for (number, why) in (1_usize..).zip(&self.first) {
            body.numbered(number, &sentence(&inline(&why.to_string())));
        }
    }
}

/// Whether both are about the same read, whatever AWS's words, which may hold the request's id.
fn is_same(one: &WhyUnknown, other: &WhyUnknown) -> bool {
    one.operation == other.operation && one.resource == other.resource && one.reason == other.reason
}

fn without_detail(why: &WhyUnknown) -> String {
    let bare = WhyUnknown {
        detail: String::new(),
        ..why.clone()
    };
    bare.to_string()
}
