//! What holds in every world: the editor draws them from seeds, and the real handler works in them.
//!
//! A usual run takes a thousand worlds; `COPYMEND_WORLDS=10000` takes ten thousand.

mod diagnosis;
mod grants;
mod story;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a property doesn't hold for: the kind, and what happened in the world.
pub(crate) type Broken = (String, String);

/// A kind that is known to be wrong, and the seed of the first world that shows it.
pub(crate) struct Known {
    pub(crate) kind: &'static str,
    pub(crate) seed: u64,
}

/// How many worlds are taken.
pub(crate) fn count() -> u64 {
    match std::env::var("COPYMEND_WORLDS") {
        Ok(text) => text.parse().expect("COPYMEND_WORLDS is a number"),
        Err(_) => 1_000,
    }
}

/// Holds a property against every world, on every processor: whatever is wrong must be known, and
/// what is known must still be wrong in the world that showed it first.
pub(crate) fn hold(property: impl Fn(u64) -> Vec<Broken> + Sync, known: &[Known]) {
    let (end, next) = (count(), AtomicU64::new(0));
    let found: Mutex<BTreeMap<String, BTreeMap<u64, String>>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
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
            });
        }
    });
    let found = found.into_inner().unwrap();
    let mut wrong = String::new();
    for (kind, worlds) in &found {
        if known.iter().any(|known| known.kind == kind) {
            continue;
        }
        let (seed, what) = worlds.first_key_value().unwrap();
        writeln!(wrong, "{kind}\n  in {} worlds, first {seed}: {what}", worlds.len()).unwrap();
    }
    for known in known.iter().filter(|known| known.seed < end) {
        let still = found
            .get(known.kind)
            .is_some_and(|worlds| worlds.contains_key(&known.seed));
        if !still {
            writeln!(wrong, "{}\n  isn't wrong any more in world {}", known.kind, known.seed).unwrap();
        }
    }
    assert!(wrong.is_empty(), "of {end} worlds:\n{wrong}");
}
