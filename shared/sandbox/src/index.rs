//! Where things are in a list that only grows, and the order in which AWS lists them.
//!
//! The order is one of the ids' hashes: it looks like none, is the same each time, and a place in it
//! stays one while other things come and go. So a token that names the last place is enough to go on
//! from, and whatever is there all the while is told exactly once.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::ids;

/// The place of an id in the order.
pub(crate) fn place(id: &str) -> u64 {
    ids::place(id)
}

/// The positions of a list's things by the places of their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index(BTreeSet<(u64, usize)>);

impl Index {
    /// The index of these ids, in the list's order.
    pub(crate) fn of<'i>(ids: impl Iterator<Item = &'i str>) -> Self {
        Self(ids.enumerate().map(|(at, id)| (place(id), at)).collect())
    }

    pub(crate) fn add(&mut self, id: &str, at: usize) {
        self.0.insert((place(id), at));
    }

    /// The positions at which this id may stand.
    pub(crate) fn at(&self, id: &str) -> impl Iterator<Item = usize> {
        let place = place(id);
        self.0
            .range((place, 0)..=(place, usize::MAX))
            .map(|(_, at)| *at)
    }

    /// The positions after a place, in order, each with its own place.
    pub(crate) fn after(&self, place: Option<u64>) -> impl Iterator<Item = (u64, usize)> {
        let from = match place {
            None => Bound::Unbounded,
            Some(place) => Bound::Excluded((place, usize::MAX)),
        };
        self.0.range((from, Bound::Unbounded)).copied()
    }
}

/// A page of a list, and the place after which the next one begins; nothing on the last.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The place of the last one, where more follow.
    pub next: Option<u64>,
}

/// A page of what comes in the order of places. Things of one place stay on one page.
pub(crate) fn page<T>(ordered: impl Iterator<Item = (u64, T)>, size: usize) -> Listed<T> {
    let mut items = Vec::new();
    let mut last = None;
    for (place, item) in ordered {
        if items.len() >= size && last != Some(place) {
            return Listed { items, next: last };
        }
        last = Some(place);
        items.push(item);
    }
    Listed { items, next: None }
}

/// A page of a short list.
pub(crate) fn page_of_few<T>(
    things: impl Iterator<Item = (u64, T)>,
    from: Option<u64>,
    size: usize,
) -> Listed<T> {
    let mut left: Vec<(u64, T)> = things
        .filter(|(place, _)| from.is_none_or(|from| *place > from))
        .collect();
    left.sort_by_key(|(place, _)| *place);
    page(left.into_iter(), size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_hold_everything_once_while_others_come() {
        let mut ids: Vec<String> = (0..50).map(|number| format!("id-{number}")).collect();
        let mut index = Index::of(ids.iter().map(String::as_str));
        let mut seen = Vec::new();
        let mut from = None;
        loop {
            let found = page(index.after(from), 7);
            seen.extend(found.items);
            let id = format!("new-{}", ids.len());
            index.add(&id, ids.len());
            ids.push(id);
            from = found.next;
            if from.is_none() {
                break;
            }
        }
        let mut old: Vec<usize> = seen.iter().copied().filter(|at| *at < 50).collect();
        assert_ne!(old, (0..50).collect::<Vec<_>>(), "no order is promised");
        old.sort_unstable();
        assert_eq!(old, (0..50).collect::<Vec<_>>());
        assert_eq!(index.at("id-7").collect::<Vec<_>>(), [7]);
    }
}
