//! What Copymend would do about a planned copy once it has failed is what it does when it has.

use copymend_diagnosis::{Cause, CopyJobEvent, Failure, Foreseen};
use copymend_remediation::decide::Decision;
use copymend_remediation::outlook::{Outlook, outlook};
use copymend_remediation::ports::{Backup as _, Clock as _, Location, Reads as _};
use copymend_remediation::settings::{Mode, Settings};
use copymend_sandbox::editor::JOB;
use copymend_sandbox::{Sandbox, World};
use copymend_survey::preflight::{Preflight, look_ahead};
use copymend_survey::scan::Act;

use super::story::run;
use crate::matrix::scene::open_settings;

/// The one thing in the way of the one route, where what AWS says of the failed copy names it too.
fn single_cause<'f>(found: &'f Preflight, world: &World) -> Option<&'f Foreseen> {
    let [judged] = found.routes.as_slice() else {
        return None;
    };
    let Foreseen::WillFail { in_the_way, .. } = &judged.foreseen else {
        return None;
    };
    let [only] = in_the_way.as_slice() else {
        return None;
    };
    let failed = world.copy_job(JOB)?.failure()?;
    (failed.cause == Some(only.cause)).then_some(&judged.foreseen)
}

fn act(outlook: &Outlook) -> Act {
    of(&outlook.decided.decision, outlook)
}

fn of(decision: &Decision, outlook: &Outlook) -> Act {
    let forbids = outlook.decided.guards.iter().any(|guard| !guard.passed);
    match decision {
        Decision::Repair(_) | Decision::Propose(Some(_)) => Act::Repair,
        Decision::Propose(None) | Decision::Retry | Decision::Resume(..) => Act::Retry,
        Decision::ReadAgain(decision) => of(decision, outlook),
        Decision::Refuse(_) => Act::Refuse,
        Decision::Advise if forbids => Act::Refuse,
        Decision::Advise => Act::Advise,
        Decision::Nothing => Act::Nothing,
    }
}

/// What only the reads that stand over a planned copy show. The handler doesn't make them, and may take
/// what AWS says of such a failure for another cause.
const OF_GUARDRAILS: [Cause; 3] = [
    Cause::RegionOptIn,
    Cause::ServiceControlPolicy,
    Cause::ResourceControlPolicy,
];

/// What differs, where both can be told.
pub(super) fn differs(found: &mut Preflight, sandbox: &Sandbox, at: &Location) -> Option<String> {
    // A plan makes the copy that is looked at ahead; some that failed were started on demand.
    let settings = Settings {
        allow_on_demand: true,
        ..open_settings(Mode::Repair)
    };
    look_ahead(found, &settings);
    let is_single = sandbox.with_world(|world| single_cause(found, world).is_some());
    if !is_single {
        return None;
    }
    let ahead = found.routes.first()?.would.clone();
    let id = sandbox.with_world(|world| world.copy_job(JOB).map(|job| job.id.clone()))?;
    let job = run(sandbox.backup().describe_copy_job(at, &id)).ok()??;
    let event = CopyJobEvent::of_job(String::new(), &job);
    let failure = Failure::verify(&event, job).ok()?;
    let now = sandbox.clock().now();
    let after = run(outlook(sandbox, &failure, &settings, now));
    let Some(ahead) = ahead else {
        return Some("nothing is told".to_owned());
    };
    if ahead.cause != after.cause() && OF_GUARDRAILS.contains(&ahead.cause) {
        return None;
    }
    if ahead.cause != after.cause() {
        return Some(format!("{} ahead, {} after", ahead.cause, after.cause()));
    }
    let (before, after_act) = (ahead.would.act, act(&after));
    if before != after_act {
        let text = ahead.would.text;
        let guards = &after.decided.guards;
        return Some(format!(
            "{}: {before:?} ahead ({text}), {after_act:?} after ({guards:?})",
            ahead.cause
        ));
    }
    (before == Act::Repair && ahead.changes.as_deref() != Some(after.resource.as_str()))
        .then(|| format!("{:?} ahead, {} after", ahead.changes, after.resource))
}
