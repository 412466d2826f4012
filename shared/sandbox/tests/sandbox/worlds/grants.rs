//! Every write helps, and whatever can be repaired is.

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::report::{Guard, GuardResult, Report};
use copymend_sandbox::editor::{self, Backup, Break, Drawn, Shape, VaultKind};
use serde_json::Value;

use super::story::{Step, causes, in_short, next, observed, repaired, route};
use super::{Broken, count, hold, known};

/// What is wrong with a write, if anything is.
fn unhelpful(step: &Step, drawn: &Drawn) -> Option<Broken> {
    let cause = step.report.diagnosis.cause;
    let what = |happened: &str| {
        let report = &step.report;
        format!(
            "{happened}\n  {}\n  {:?}\n  {:?}",
            in_short(drawn),
            next(report),
            report.notes
        )
    };
    if step.refused > 0 {
        return Some((format!("refused: {cause}"), what("")));
    }
    if step.written.is_empty() {
        return None;
    }
    let Some(retried) = &step.retried else {
        return Some((format!("not started again: {cause}"), what("")));
    };
    let failure = retried.as_ref().err()?;
    // A fault inside AWS can't be foreseen.
    let then = failure.cause?;
    let is_foreseen = next(&step.report).contains(&then)
        || causes(&step.report, Verdict::NotCheckable).contains(&then);
    (!is_foreseen).then(|| {
        let kind = format!("of no use: {cause} is repaired, then {then} stops the copy");
        (kind, what(&failure.message))
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
    hold(property, &known::UNHELPFUL);
}

/// The changes that a report shows. AWS KMS answers the actions of a statement in any order.
fn changes(report: &Report) -> Vec<(String, Value, Vec<String>)> {
    let changes = report.changes.iter().chain(&report.refused_changes);
    changes
        .map(|one| {
            (
                one.resource.clone(),
                in_order(&one.after),
                one.added.clone(),
            )
        })
        .collect()
}

/// A policy with each of its lists in order; the role that is created, as it is.
fn in_order(policy: &str) -> Value {
    fn sort(value: &mut Value) {
        match value {
            Value::Array(items) => {
                items.iter_mut().for_each(sort);
                items.sort_by_key(Value::to_string);
            }
            Value::Object(members) => members.values_mut().for_each(sort),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::from_str(policy).unwrap_or_else(|_| policy.into());
    sort(&mut value);
    value
}

/// The guards that are asked before the lease, less the mode.
fn guards(report: &Report) -> Vec<&GuardResult> {
    let of_repair = [
        Guard::Mode,
        Guard::NotTakenBack,
        Guard::SidNotRemoved,
        Guard::WriteBudget,
        Guard::SourceWriteBudget,
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
        let mut wrong = Vec::new();
        let mut differs = |kind: &str, what: String| {
            wrong.push((
                format!("{kind}: {}", done.diagnosis.cause),
                format!("{what}\n  {}", in_short(&drawn)),
            ));
        };
        if !observed.written.is_empty() || observed.refused > 0 || observed.retried.is_some() {
            differs("written", format!("{:?}", observed.written));
        }
        if seen.decision != done.decision {
            differs(
                "another decision",
                format!("{:?}, not {:?}", seen.decision, done.decision),
            );
        }
        if changes(seen) != changes(done) {
            differs(
                "another change",
                format!("{:?}\n  {:?}", changes(seen), changes(done)),
            );
        }
        if guards(seen) != guards(done) {
            differs(
                "other guards",
                format!("{:#?}\n  {:#?}", guards(seen), guards(done)),
            );
        }
        if seen.diagnosis != done.diagnosis {
            differs(
                "another diagnosis",
                format!("{:?}\n  {:?}", seen.diagnosis, done.diagnosis),
            );
        }
        wrong
    };
    hold(property, &known::OBSERVED);
}

/// Whether Copymend can repair a way to break this copy. The principal that uses a key must be
/// known for it, and so must the key.
fn is_repairable(broken: &Break, shape: Shape) -> bool {
    let is_standard =
        shape.source == VaultKind::Standard && shape.destination == VaultKind::Standard;
    let is_of_one_key = broken.name != "second-snapshots-key-admits-nobody";
    let is_known = shape.cross_account && is_standard && shape.backup != Backup::S3;
    let is_always = [Cause::DestinationVaultPolicy, Cause::ServiceLinkedRole];
    is_always.contains(&broken.cause)
        || (broken.cause == Cause::SourceKeyPolicy && is_known && is_of_one_key)
}

/// A world whose only faults can be repaired.
fn repairable(seed: u64) -> Option<Drawn> {
    let mut drawn = editor::draw(seed);
    let shape = drawn.shape();
    for broken in drawn.breaks().to_vec() {
        if !is_repairable(broken, shape) {
            drawn.mend(broken);
        }
    }
    (!drawn.breaks().is_empty()).then_some(drawn)
}

fn not_repaired(seed: u64) -> Vec<Broken> {
    let Some(drawn) = repairable(seed) else {
        return Vec::new();
    };
    let steps = repaired(&drawn);
    let written: usize = steps.iter().map(|step| step.written.len()).sum();
    let last = steps.last().unwrap();
    if last.retried == Some(Ok(())) && written == drawn.breaks().len() {
        return Vec::new();
    }
    let report = &last.report;
    let failed = report.guards.iter().filter(|guard| !guard.passed);
    let failed: Vec<String> = failed
        .map(|guard| format!("{}: {}", guard.guard.name(), guard.detail))
        .collect();
    vec![(
        format!(
            "{}, {}: {}",
            report.diagnosis.cause,
            report.outcome,
            route(drawn.shape())
        ),
        format!(
            "{written} written, {}, {failed:?}, {:?}, {}",
            in_short(&drawn),
            report.notes,
            report.message
        ),
    )]
}

#[test]
fn what_can_be_repaired_is_and_the_copy_completes() {
    hold(not_repaired, &known::NOT_REPAIRED);
    let worlds = (0..count()).filter(|seed| repairable(*seed).is_some());
    assert!(u64::try_from(worlds.count()).unwrap() > count() / 3);
}
