//! Every write helps, and whatever can be repaired is.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::report::{Guard, GuardResult, Report};
use copymend_sandbox::editor::{self, Break, Drawn};

use super::story::{Step, causes, in_short, next, observed, repaired};
use super::{Broken, Known, count, hold};

/// The ways that Copymend repairs, where the principal is known: what was omitted.
fn is_omission(broken: &Break) -> bool {
    let repairable = [
        Cause::DestinationVaultPolicy,
        Cause::SourceKeyPolicy,
        Cause::ServiceLinkedRole,
    ];
    repairable.contains(&broken.cause)
}

/// What is wrong with a write, if anything is.
fn unhelpful(step: &Step, drawn: &Drawn) -> Option<Broken> {
    let cause = step.report.diagnosis.cause;
    let what = |happened: &str| {
        let message = step.retried.as_ref().and_then(Option::as_ref);
        format!("{happened}\n  {}\n  {message:?}\n  {:?}", in_short(drawn), step.report.guards.iter().find(|guard| guard.guard == Guard::NothingElseInTheWay))
    };
    if step.refused > 0 {
        return Some((format!("refused: {cause}"), what(&format!("{:?}", step.report.notes))));
    }
    if step.written.is_empty() {
        return None;
    }
    let Some(retried) = &step.retried else {
        return Some((format!("not started again: {cause}"), what("")));
    };
    // A fault inside AWS can't be foreseen.
    let failure = retried.as_ref()?.cause?;
    let is_foreseen = next(&step.report).contains(&failure)
        || causes(&step.report, Verdict::NotCheckable).contains(&failure);
    (!is_foreseen).then(|| {
        (
            format!("of no use: {cause} is repaired, then {failure} stops the copy"),
            what(""),
        )
    })
}

#[test]
fn each_write_is_followed_by_a_copy_that_completes_or_fails_for_what_the_report_names() {
    let property = |seed| {
        let drawn = editor::draw(seed);
        let steps = repaired(&drawn);
        steps
            .iter()
            .filter_map(|step| unhelpful(step, &drawn))
            .collect()
    };
    hold(property, UNHELPFUL);
}

const UNHELPFUL: &[Known] = &[];

/// The guards that are asked before the lease, less the mode.
fn guards(report: &Report) -> Vec<&GuardResult> {
    let of_repair = [
        Guard::Mode,
        Guard::NotTakenBack,
        Guard::SidNotRemoved,
        Guard::WriteBudget,
        Guard::Lease,
        Guard::TimeLeft,
    ];
    report
        .guards
        .iter()
        .filter(|guard| !of_repair.contains(&guard.guard))
        .collect()
}

#[test]
fn observe_mode_writes_nothing_and_decides_what_repair_mode_does() {
    let property = |seed| {
        let drawn = editor::draw(seed);
        let (observed, repaired) = (observed(&drawn), repaired(&drawn));
        let (seen, done) = (&observed.report, &repaired[0].report);
        let changes = |report: &Report| {
            let changes = report.changes.iter().chain(&report.refused_changes);
            changes.map(|one| (one.resource.clone(), one.before.clone(), one.after.clone(), one.added.clone())).collect::<Vec<_>>()
        };
        let mut wrong = Vec::new();
        let mut differs = |kind: &str, what: String| {
            wrong.push((format!("{kind}: {}", done.diagnosis.cause), format!("{what}\n  {}", in_short(&drawn))));
        };
        if !observed.written.is_empty() || observed.refused > 0 || observed.retried.is_some() {
            differs("written", format!("{:?}", observed.written));
        }
        if seen.decision != done.decision {
            differs("another decision", format!("{:?}, not {:?}", seen.decision, done.decision));
        }
        if changes(seen) != changes(done) {
            differs("another change", format!("{:?}\n  {:?}", changes(seen), changes(done)));
        }
        if guards(seen) != guards(done) {
            differs("other guards", format!("{:#?}\n  {:#?}", guards(seen), guards(done)));
        }
        if seen.diagnosis != done.diagnosis {
            differs("another diagnosis", format!("{:?}\n  {:?}", seen.diagnosis, done.diagnosis));
        }
        wrong
    };
    hold(property, &[]);
}

/// Worlds whose only faults can be repaired.
fn repairable(seed: u64) -> Option<Drawn> {
    let mut drawn = editor::draw(seed);
    for broken in drawn.breaks().to_vec() {
        if !is_omission(broken) {
            drawn.mend(broken);
        }
    }
    (!drawn.breaks().is_empty()).then_some(drawn)
}

#[test]
fn what_can_be_repaired_is_and_the_copy_completes() {
    let property = |seed| {
        let Some(drawn) = repairable(seed) else {
            return Vec::new();
        };
        let steps = repaired(&drawn);
        let written: usize = steps.iter().map(|step| step.written.len()).sum();
        let completes = steps.last().unwrap().retried == Some(None);
        let last = steps.last().unwrap();
        if completes && written == drawn.breaks().len() {
            return Vec::new();
        }
        let failed: Vec<_> = last.report.guards.iter().filter(|guard| !guard.passed).map(|guard| guard.guard.name()).collect();
        vec![(
            format!("{} {:?}, {failed:?} {written}", last.report.diagnosis.cause, last.report.outcome),
            format!("{written} writes, {}\n {}\n {:#?} {:#?}", in_short(&drawn), last.report.message, last.report.diagnosis, last.report.guards.iter().filter(|guard| !guard.passed).collect::<Vec<_>>()),
        )]
    };
    hold(property, &[]);
    let worlds = (0..count()).filter(|seed| repairable(*seed).is_some()).count();
    assert!(worlds > 300, "{worlds}");
}
