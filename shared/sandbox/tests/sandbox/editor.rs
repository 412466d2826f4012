//! The world editor: its healthy worlds are healthy, its ways to break one do, and mending one
//! mends exactly it.

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::Cause;
use copymend_sandbox::editor::{self, Break, Draft, JOB, Shape};
use copymend_sandbox::{CopyFailure, World};

/// How many worlds are drawn.
const DRAWN: u64 = 1_000;
/// How often each way must be among them.
const AT_LEAST: usize = 50;

fn failure(world: &World) -> Option<CopyFailure> {
    world.copy_job(JOB).unwrap().failure().cloned()
}

fn failure_of(draft: &Draft) -> Option<CopyFailure> {
    let world = draft.world();
    failure(&world.unwrap_or_else(|error| panic!("{:?}: {error}\n{}", draft.shape(), draft.json())))
}

#[test]
fn the_copy_completes_in_every_healthy_world() {
    let shapes = Shape::all();
    assert!(shapes.len() > 800, "{}", shapes.len());
    for shape in shapes {
        let failure = failure_of(&Draft::healthy(shape));
        assert_eq!(failure, None, "{shape:?}");
    }
}

/// Every way in a dozen of the shapes that it applies to.
#[test]
fn each_way_alone_makes_the_copy_fail_for_its_cause_and_mending_it_makes_the_world_healthy() {
    let shapes = Shape::all();
    for (number, broken) in editor::breaks().into_iter().enumerate() {
        let applies = shapes.iter().filter(|shape| broken.applies_to(**shape));
        let applies: Vec<&Shape> = applies.collect();
        assert!(!applies.is_empty(), "{}", broken.name);
        let step = applies.len().div_ceil(12);
        for shape in applies.into_iter().skip(number % step).step_by(step) {
            let healthy = Draft::healthy(*shape);
            let mut draft = healthy.clone();
            broken.make(&mut draft);
            let failure = failure_of(&draft);
            let failure =
                failure.unwrap_or_else(|| panic!("{} breaks nothing in {shape:?}", broken.name));
            let expected = broken.is_rule.then_some(broken.cause);
            assert_eq!(
                failure.cause, expected,
                "{} in {shape:?}: {}",
                broken.name, failure.message
            );
            broken.mend(&mut draft);
            assert_eq!(draft, healthy, "{} in {shape:?}", broken.name);
        }
    }
}

#[test]
fn every_cause_of_a_failed_copy_has_a_way_and_every_way_a_name_of_its_own() {
    let ways = editor::breaks();
    let causes: BTreeSet<Cause> = ways.iter().map(|broken| broken.cause).collect();
    // Causes of refused calls, and of backup and restore jobs.
    let of_others = [Cause::CallerPermission, Cause::KeyPolicy, Cause::Unknown];
    for cause in Cause::ALL {
        assert_eq!(
            causes.contains(cause),
            !of_others.contains(cause),
            "{cause}"
        );
    }
    let names: BTreeSet<&str> = ways.iter().map(|broken| broken.name).collect();
    assert_eq!(names.len(), ways.len());
}

/// What a copy that is broken in these ways may fail for: a rule comes before any fault.
fn may_fail_for(failure: &CopyFailure, breaks: &[&Break]) -> bool {
    match failure.cause {
        Some(cause) => breaks
            .iter()
            .any(|broken| broken.is_rule && broken.cause == cause),
        None => breaks.iter().all(|broken| !broken.is_rule),
    }
}

#[test]
fn a_drawn_world_fails_until_the_last_way_is_mended() {
    for seed in 0..DRAWN {
        let mut drawn = editor::draw(seed);
        let mut breaks = drawn.breaks().to_vec();
        // Another order than they were made in.
        let turn = usize::try_from(seed).unwrap() % breaks.len();
        breaks.rotate_left(turn);
        for broken in breaks {
            let failure = failure(&drawn.world().unwrap());
            let failure = failure.unwrap_or_else(|| panic!("seed {seed}: {:?}", drawn.breaks()));
            assert!(
                may_fail_for(&failure, drawn.breaks()),
                "seed {seed}: {failure:?}, {:?}",
                drawn.breaks()
            );
            drawn.mend(broken);
        }
        assert_eq!(failure(&drawn.world().unwrap()), None, "seed {seed}");
        assert_eq!(
            drawn.json(),
            Draft::healthy(drawn.shape()).json(),
            "seed {seed}"
        );
    }
}

#[test]
fn a_seed_always_draws_the_same_world() {
    for seed in [0, 1, 999] {
        assert_eq!(editor::draw(seed).json(), editor::draw(seed).json());
    }
    assert_ne!(editor::draw(1).json(), editor::draw(2).json());
}

#[test]
fn each_way_to_break_a_rule_is_drawn_often_enough() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut across, mut air_gapped) = (0, 0);
    let mut backups = BTreeSet::new();
    for seed in 0..DRAWN {
        let drawn = editor::draw(seed);
        for broken in drawn.breaks() {
            *counts.entry(broken.name).or_default() += 1;
        }
        let shape = drawn.shape();
        backups.insert(shape.backup);
        across += usize::from(shape.cross_account);
        air_gapped += usize::from(shape.destination != editor::VaultKind::Standard);
    }
    let seldom: Vec<(&str, usize)> = editor::breaks()
        .into_iter()
        .filter(|broken| broken.is_rule)
        .map(|broken| {
            (
                broken.name,
                counts.get(broken.name).copied().unwrap_or_default(),
            )
        })
        .filter(|(_, count)| *count < AT_LEAST)
        .collect();
    assert_eq!(seldom, []);
    assert_eq!(backups.len(), 7);
    assert!(
        across > 400 && across < 900 && air_gapped > 250,
        "{across} {air_gapped}"
    );
}
