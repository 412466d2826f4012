//! Worlds that are drawn at random, the same ones for the same seed.

use std::sync::LazyLock;

use serde_json::Value;

use super::draft::Draft;
use super::shape::Shape;
use super::{Break, breaks};
use crate::world::{World, WorldError};

/// The most ways in which a drawn world is broken beside the first.
const MOST: usize = 10;
/// One in so many of them is a fault, which no rule brings about.
const FAULTS: usize = 8;
/// How many chances a way has that applies to every shape and stands beside every other. One that
/// doesn't has more, up to [`RARE`].
const COMMON: usize = 4;
const RARE: usize = 48;
/// A way that so many others exclude has twice the chances.
const EXCLUDED: usize = 8;

/// A world that is broken in some ways.
#[derive(Clone, Debug)]
pub struct Drawn {
    draft: Draft,
    broken: Vec<&'static Break>,
}

impl Drawn {
    /// What the world looked like before.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.draft.shape()
    }

    /// How it is broken now.
    #[must_use]
    pub fn breaks(&self) -> &[&'static Break] {
        &self.broken
    }

    /// The world as JSON, as in a world file.
    #[must_use]
    pub const fn json(&self) -> &Value {
        self.draft.json()
    }

    /// The world, in which its one copy has run.
    pub fn world(&self) -> Result<World, WorldError> {
        self.draft.world()
    }

    /// Mends one way, and leaves the others.
    pub fn mend(&mut self, broken: &Break) {
        let before = self.broken.len();
        self.broken.retain(|one| one.name != broken.name);
        if self.broken.len() < before {
            broken.mend(&mut self.draft);
        }
    }
}

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(mixed % end).unwrap_or_default()
    }

    fn of<'c, T>(&mut self, choices: &'c [T]) -> Option<&'c T> {
        choices.get(self.below(choices.len()))
    }

    /// One of these ways, by their chances.
    fn way(&mut self, ways: &[Way]) -> Option<&'static Break> {
        let chances: usize = ways.iter().map(|way| way.chances).sum();
        let mut at = self.below(chances);
        for way in ways {
            match at.checked_sub(way.chances) {
                None => return Some(way.broken),
                Some(rest) => at = rest,
            }
        }
        None
    }
}

/// A way and its chances.
#[derive(Clone, Copy)]
struct Way {
    broken: &'static Break,
    chances: usize,
}

fn ways() -> &'static [Way] {
    static WAYS: LazyLock<Vec<Way>> = LazyLock::new(|| {
        let shapes = Shape::all();
        let all = breaks();
        let way = |broken: &'static Break| {
            let applies = shapes.iter().filter(|shape| broken.applies_to(**shape));
            let excluded = all.iter().filter(|other| !other.is_beside(broken)).count();
            let chances = COMMON * shapes.len() / applies.count().max(1);
            let chances = chances * (EXCLUDED + excluded) / EXCLUDED;
            Way {
                broken,
                chances: chances.min(RARE),
            }
        };
        all.iter().copied().map(way).collect()
    });
    &WAYS
}

/// Draws a world: first how it is broken, so that what applies to few shapes isn't left out, then a
/// shape in which that can be, then what else is broken.
#[must_use]
pub fn draw(seed: u64) -> Drawn {
    let mut dice = Dice(seed);
    let rules: Vec<Way> = ways()
        .iter()
        .copied()
        .filter(|way| way.broken.is_rule)
        .collect();
    let mut broken: Vec<&'static Break> = dice.way(&rules).into_iter().collect();
    let shapes: Vec<Shape> = Shape::all()
        .into_iter()
        .filter(|shape| broken.iter().all(|first| first.applies_to(*shape)))
        .collect();
    let shape = dice.of(&shapes).copied().unwrap_or(Shape::USUAL);
    for _ in 0..dice.below(MOST + 1) {
        let is_rule = dice.below(FAULTS) > 0;
        let beside: Vec<Way> = ways()
            .iter()
            .copied()
            .filter(|way| way.broken.is_rule == is_rule && way.broken.applies_to(shape))
            .filter(|way| broken.iter().all(|one| way.broken.is_beside(one)))
            .collect();
        broken.extend(dice.way(&beside));
    }
    let mut draft = Draft::healthy(shape);
    for one in &broken {
        one.make(&mut draft);
    }
    Drawn { draft, broken }
}
