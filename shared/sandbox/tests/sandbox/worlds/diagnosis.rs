//! What a report says of causes is true.

use copymend_diagnosis::{Cause, Verdict};
use copymend_sandbox::CopyFailure;
use copymend_sandbox::editor::{self, Break, Drawn};

use super::story::{causes, failure, in_short, observed, route};
use super::{Broken, hold, known};

/// The same world, with everything mended that brings about a cause of this kind.
fn mended(drawn: &Drawn, is_mended: impl Fn(Cause) -> bool) -> Drawn {
    let mut mended = drawn.clone();
    for broken in drawn.breaks() {
        if is_mended(broken.cause) {
            mended.mend(broken);
        }
    }
    mended
}

/// The cause of a failure; of a fault, the one that it stands for.
fn truth(failure: &CopyFailure, drawn: &Drawn) -> Cause {
    let fault = drawn.breaks().iter().find(|broken| !broken.is_rule);
    failure.cause.unwrap_or_else(|| fault.unwrap().cause)
}

/// The names of the ways in a world by which a cause stops the copy next.
fn culprits(drawn: &Drawn, cause: Cause) -> Vec<&'static str> {
    let of_cause: Vec<&Break> = drawn
        .breaks()
        .iter()
        .copied()
        .filter(|broken| broken.cause == cause)
        .collect();
    let decides = |broken: &&Break| {
        let mut without = drawn.clone();
        without.mend(broken);
        failure(&without).is_none_or(|failure| truth(&failure, drawn) != cause)
    };
    let first = of_cause.first().copied();
    let mut deciding: Vec<&str> = of_cause
        .into_iter()
        .filter(decides)
        .map(|broken| broken.name)
        .collect();
    if deciding.is_empty() {
        deciding.extend(first.map(|broken| broken.name));
    }
    deciding
}

fn untrue(seed: u64) -> Vec<Broken> {
    let drawn = editor::draw(seed);
    let report = observed(&drawn).report;
    let confirmed = causes(&report, Verdict::Confirmed);
    let not_checkable = causes(&report, Verdict::NotCheckable);
    let ruled_out = causes(&report, Verdict::RuledOut);
    let what = |more: &str| {
        format!(
            "{more}\n  {}\n  {}\n  confirmed {confirmed:?}, not checkable {not_checkable:?}, ruled out {ruled_out:?}",
            in_short(&drawn),
            report.message
        )
    };
    // Nobody can ask what a role may do that doesn't exist.
    let behind = if confirmed.contains(&Cause::JobRoleMissing) {
        ", behind a missing role"
    } else {
        ""
    };
    let mut wrong = Vec::new();
    let rest = mended(&drawn, |cause| confirmed.contains(&cause));
    // A fault inside AWS is told by its own message alone.
    if let Some(failure) = failure(&rest)
        && let Some(cause) = failure.cause
        && !not_checkable.contains(&cause)
    {
        for name in culprits(&rest, cause) {
            wrong.push((format!("not named: {name}{behind}"), what(&failure.message)));
        }
    }
    for cause in &confirmed {
        if failure(&mended(&drawn, |other| other != *cause)).is_none() {
            wrong.push((
                format!("made up: {cause}, {}", route(drawn.shape())),
                what(""),
            ));
        }
    }
    for cause in &ruled_out {
        let alone = mended(&drawn, |other| other != *cause);
        if let Some(failure) = failure(&alone)
            && truth(&failure, &drawn) == *cause
        {
            for name in culprits(&alone, *cause) {
                wrong.push((
                    format!("wrongly ruled out: {name}{behind}"),
                    what(&failure.message),
                ));
            }
        }
    }
    wrong
}

#[test]
fn what_a_report_confirms_stops_the_copy_and_nothing_stops_it_that_a_report_excludes() {
    hold(untrue, &known::UNTRUE);
}
