//! A drawn world, and what the handler makes of its copy.

use std::time::Duration;

use copymend_diagnosis::{Cause, Verdict};
use copymend_remediation::ports::{Clock, Reads};
use copymend_remediation::report::{Guard, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, Invocation};
use copymend_sandbox::editor::{Backup, Drawn, JOB, Shape, VaultKind};
use copymend_sandbox::{CopyFailure, Sandbox, Write};
use jiff::SignedDuration;

use crate::matrix::scene::open_settings;

/// The calls by which Copymend changes a policy, or creates a role.
const CHANGES: [&str; 3] = [
    "backup:PutBackupVaultAccessPolicy",
    "kms:PutKeyPolicy",
    "iam:CreateServiceLinkedRole",
];
/// AWS remembers a denial for a minute.
const BETWEEN_COPIES: Duration = Duration::from_mins(2);
/// More copies than there are causes to repair.
const MOST_COPIES: usize = 8;

/// What became of one failed copy.
pub(crate) struct Step {
    pub(crate) report: Report,
    /// What was written for it.
    pub(crate) written: Vec<Write>,
    /// How many of these calls the sandbox refused.
    pub(crate) refused: usize,
    /// How the copy that was started again ended, if one was.
    pub(crate) retried: Option<Result<(), CopyFailure>>,
}

/// The changes among the writes so far, and how often they were tried.
fn changes(sandbox: &Sandbox) -> (Vec<Write>, usize) {
    let is_change = |operation: &str| CHANGES.contains(&operation);
    let mut written = sandbox.writes();
    written.retain(|write| is_change(write.operation));
    let tried = sandbox.calls().begun();
    let tried = tried.iter().filter(|call| is_change(call.operation));
    (written, tried.count())
}

async fn step(sandbox: &Sandbox, job: &str, mode: Mode) -> Step {
    let event = sandbox.event_for(job).unwrap();
    let invocation = Invocation {
        id: format!("worlds-{job}"),
        deadline: sandbox.clock().now() + SignedDuration::from_mins(1),
    };
    let (before, tried_before) = changes(sandbox);
    let settings = Settings {
        allow_on_demand: true,
        ..open_settings(mode)
    };
    let handler = CopyRemediator::new(sandbox.clone(), settings);
    let report = handler.handle(&event, &invocation).await.unwrap();
    let (mut written, tried) = changes(sandbox);
    let written = written.split_off(before.len());
    let retried = report.retried_job.as_ref().map(|job| {
        sandbox.with_world(|world| {
            world
                .copy_job(job)
                .unwrap()
                .failure()
                .cloned()
                .map_or(Ok(()), Err)
        })
    });
    Step {
        refused: tried - tried_before - written.len(),
        report,
        written,
        retried,
    }
}

pub(super) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(work)
}

/// What is said of the copy in observe mode.
pub(crate) fn observed(drawn: &Drawn) -> Step {
    let sandbox = Sandbox::new(drawn.world().unwrap());
    run(step(&sandbox, JOB, Mode::Observe))
}

/// What is done about the copy in repair mode, and about every copy that is started again.
pub(crate) fn repaired(drawn: &Drawn) -> Vec<Step> {
    let sandbox = Sandbox::new(drawn.world().unwrap());
    run(async {
        let (mut job, mut steps) = (JOB.to_owned(), Vec::new());
        loop {
            let step = step(&sandbox, &job, Mode::Repair).await;
            let next = step.report.retried_job.clone();
            let is_failed = matches!(step.retried, Some(Err(_)));
            steps.push(step);
            assert!(steps.len() <= MOST_COPIES, "this never ends");
            match next {
                Some(next) if is_failed => job = next,
                Some(_) | None => return steps,
            }
            sandbox.clock().advance(BETWEEN_COPIES);
        }
    })
}

/// Why the copy fails in this world, if it does.
pub(crate) fn failure(drawn: &Drawn) -> Option<CopyFailure> {
    let world = drawn.world().unwrap();
    world.copy_job(JOB).unwrap().failure().cloned()
}

/// The causes that a report gives this verdict.
pub(crate) fn causes(report: &Report, verdict: Verdict) -> Vec<Cause> {
    let candidates = report.diagnosis.candidates.iter();
    candidates
        .filter(|candidate| candidate.verdict == verdict)
        .map(|candidate| candidate.cause)
        .collect()
}

/// What a report says would be repaired next.
pub(crate) fn next(report: &Report) -> Vec<Cause> {
    let guard = report
        .guards
        .iter()
        .find(|guard| guard.guard == Guard::NothingElseInTheWay);
    let chain = guard.and_then(|guard| {
        let detail = guard.detail.as_str();
        detail.strip_prefix("repaired next, once the copy fails for it: ")
    });
    let names = chain.into_iter().flat_map(|chain| chain.split(", "));
    names.map(|name| name.parse().unwrap()).collect()
}

/// A world in short.
pub(crate) fn in_short(drawn: &Drawn) -> String {
    let ways: Vec<&str> = drawn.breaks().iter().map(|broken| broken.name).collect();
    format!("{:?} broken by {}", drawn.shape(), ways.join(", "))
}

/// What kind of copy it is.
pub(crate) fn route(shape: Shape) -> &'static str {
    if shape.destination != VaultKind::Standard {
        "into an air-gapped vault"
    } else if shape.source != VaultKind::Standard {
        "out of an air-gapped vault"
    } else if shape.backup == Backup::S3 {
        "of a fully managed type"
    } else {
        "usual"
    }
}
