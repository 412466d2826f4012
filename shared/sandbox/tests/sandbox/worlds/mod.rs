//! What holds in every world: the editor draws them from seeds, and the real handler works in them.
//!
//! A usual run takes a thousand worlds; `COPYMEND_WORLDS=10000` takes ten thousand.

mod ahead;
mod diagnosis;
mod grants;
mod known;
mod preflight;
mod story;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many worlds a usual run takes.
const USUAL: u64 = 1_000;
/// How many are enough for what is rare.
const MANY: u64 = 10_000;

/// What a property doesn't hold for: the kind, and what happened in the world.
pub(crate) type Broken = (String, String);

/// How many worlds are taken.
pub(crate) fn count() -> u64 {
    match std::env::var("COPYMEND_WORLDS") {
        Ok(text) => text.parse().expect("COPYMEND_WORLDS is a number"),
        Err(_) => USUAL,
    }
}

/// Kinds that are known to be wrong, until they are put right.
pub(crate) struct Known {
    /// Those that a usual run meets.
    pub(crate) usual: &'static [&'static str],
    /// Those that only ten thousand worlds show.
    pub(crate) rare: &'static [&'static str],
}

/// What was found: the worlds of each kind, with what happened there.
type Found = BTreeMap<String, BTreeMap<u64, String>>;

/// Holds a property against every world: whatever is wrong must be known, and what is known must
/// still be wrong.
pub(crate) fn hold(property: impl Fn(u64) -> Vec<Broken> + Sync, known: &Known) {
    let end = count();
    let found = in_every_world(end, property);
    let mut wrong = String::new();
    let is_known = |kind: &str| known.usual.contains(&kind) || known.rare.contains(&kind);
    for (kind, worlds) in found.iter().filter(|(kind, _)| !is_known(kind)) {
        let (seed, what) = worlds.first_key_value().unwrap();
        let worlds = worlds.len();
        writeln!(wrong, "{kind}\n  in {worlds} worlds, first {seed}: {what}").unwrap();
    }
    let expected = [(USUAL, known.usual), (MANY, known.rare)];
    let expected = expected.into_iter().filter(|(worlds, _)| end >= *worlds);
    for kind in expected.flat_map(|(_, kinds)| kinds) {
        if !found.contains_key(*kind) {
            writeln!(
                wrong,
                "{kind}\n  isn't wrong any more: take it off the list"
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "of {end} worlds:\n{wrong}");
}

/// Asks a property of every world, on every processor.
fn in_every_world(end: u64, property: impl Fn(u64) -> Vec<Broken> + Sync) -> Found {
    let next = AtomicU64::new(0);
    let found: Mutex<Found> = Mutex::default();
    let ask = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            for (kind, what) in property(seed) {
                let mut found = found.lock().unwrap();
                found.entry(kind).or_default().insert(seed, what);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(ask);
        }
    });
    found.into_inner().unwrap()
}
