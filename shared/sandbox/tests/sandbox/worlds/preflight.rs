//! What is foreseen of a planned copy comes true: in the worlds as they are drawn, with one way left
//! that breaks them, with one way mended, and whole.

use std::sync::atomic::{AtomicU64, Ordering};

use copymend_diagnosis::Cause;
use copymend_sandbox::editor::{self, Drawn, JOB};

use super::known;
use super::story::{failure, in_short, run};
use super::{Broken, hold};
use crate::foreseen::{Planned, management, planned};

/// The least that is decided of the worlds in which nothing is refused, in percent.
const LEAST_DECIDED: u64 = 95;

/// The same world in its stages.
fn stages(seed: u64) -> [(&'static str, Drawn); 4] {
    let drawn = editor::draw(seed);
    let (mut one_left, mut one_mended, mut whole) = (drawn.clone(), drawn.clone(), drawn.clone());
    for (place, broken) in drawn.breaks().iter().enumerate() {
        whole.mend(broken);
        if place == 0 {
            one_mended.mend(broken);
        } else {
            one_left.mend(broken);
        }
    }
    [
        ("as drawn", drawn),
        ("with one way left", one_left),
        ("with one way mended", one_mended),
        ("whole", whole),
    ]
}

/// Worlds in which nothing is refused, and those of them that were decided.
#[derive(Default)]
struct Tally {
    readable: [AtomicU64; 4],
    decided: [AtomicU64; 4],
    refused: AtomicU64,
}

fn untrue(seed: u64, tally: &Tally) -> Vec<Broken> {
    let mut wrong = Vec::new();
    for (at, (stage, drawn)) in stages(seed).into_iter().enumerate() {
        let planned = run(planned(&drawn.world().unwrap(), JOB, management()));
        if planned.is_readable {
            tally.readable[at].fetch_add(1, Ordering::Relaxed);
            let decided = u64::from(planned.is_decided());
            tally.decided[at].fetch_add(decided, Ordering::Relaxed);
        } else {
            tally.refused.fetch_add(1, Ordering::Relaxed);
        }
        let what = || format!("{stage}: {}\n  {:?}", in_short(&drawn), planned.foreseen);
        if !planned.is_true() {
            let ended = match &planned.fate {
                Ok(()) => "it completed".to_owned(),
                Err(failure) => format!("{:?} stopped it", failure.cause),
            };
            let slug = planned.foreseen.slug();
            wrong.push((format!("{slug}, and {ended}"), what()));
        }
        for cause in made_up(&planned, &drawn) {
            wrong.push((format!("made up: {cause}"), what()));
        }
    }
    wrong
}

/// Causes in the way that stop nothing, if they alone are left.
fn made_up(planned: &Planned, drawn: &Drawn) -> Vec<Cause> {
    let mut causes = planned.in_the_way();
    causes.retain(|cause| {
        let mut alone = drawn.clone();
        for broken in drawn.breaks() {
            if broken.cause != *cause {
                alone.mend(broken);
            }
        }
        failure(&alone).is_none()
    });
    causes
}

#[test]
fn what_is_foreseen_comes_true_and_nearly_everything_is_decided() {
    let tally = Tally::default();
    hold(|seed| untrue(seed, &tally), &known::FORESEEN);
    let count = |counts: &[AtomicU64; 4]| counts.each_ref().map(|one| one.load(Ordering::Relaxed));
    let (readable, decided) = (count(&tally.readable), count(&tally.decided));
    println!(
        "decided {decided:?} of {readable:?}, refused {:?}",
        tally.refused
    );
    for (decided, readable) in decided.into_iter().zip(readable) {
        assert!(
            decided * 100 >= readable * LEAST_DECIDED,
            "decided {decided} of {readable} worlds in which nothing is refused"
        );
    }
}
