//! Representative Reports, made by the handlers on the sandbox.

pub(crate) mod advisories;

use copymend_diagnosis::{UnknownReason, WhyUnknown};
use copymend_remediation::ports::{CallErrorKind, Clock, Reads};
use copymend_remediation::report::{CopySummary, Outcome, Report, Subject};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::{CopyRemediator, HandlerError, Invocation};
use copymend_sandbox::{Sandbox, World};
use jiff::SignedDuration;
use serde_json::Value;

pub(crate) const VAULT_MESSAGE: &str = "Access Denied trying to call AWS Backup service";

/// A sample event of the repository.
#[expect(
    clippy::disallowed_methods,
    reason = "the crate is pure, its tests read the sample events"
)]
pub(crate) fn event(name: &str) -> Value {
    let path = format!("{}/../../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub(crate) fn settings(mode: Mode) -> Settings {
    Settings {
        mode,
        allowed_destinations: vec!["*".parse().unwrap()],
        // That of a third account is admitted where it is named.
        allowed_keys: ["*", "arn:aws:kms:*:222233334444:key/*"]
            .map(|entry| entry.parse().unwrap())
            .to_vec(),
        allowed_sources: vec!["*".parse().unwrap()],
        ..Settings::default()
    }
}

/// What a handler answers with two minutes left.
pub(crate) fn handled_by(
    sandbox: &Sandbox,
    handle: impl AsyncFnOnce(&Invocation) -> Result<Report, HandlerError>,
) -> Report {
    let invocation = Invocation {
        id: "sample".to_owned(),
        deadline: sandbox.clock().now() + SignedDuration::from_mins(2),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(handle(&invocation)).unwrap()
}

/// What the copy remediator makes of an event, on a sandbox that was prepared.
fn handled(event: &Value, settings: Settings, prepare: impl FnOnce(&Sandbox)) -> Report {
    let sandbox = Sandbox::new(World::default_world());
    prepare(&sandbox);
    let remediator = CopyRemediator::new(sandbox.clone(), settings);
    handled_by(&sandbox, async |invocation| {
        remediator.handle(event, invocation).await
    })
}

fn as_expected(report: Report, outcome: Outcome) -> Report {
    assert_eq!(report.outcome, outcome, "{report:#?}");
    report
}

/// The copy of a Report.
pub(crate) fn copy_of(report: &mut Report) -> &mut CopySummary {
    match &mut report.subject {
        Subject::Copy(copy) => copy,
        Subject::ApiCall(_) | Subject::Job(_) => unreachable!(),
    }
}

pub(crate) fn repaired() -> Report {
    let event = event("destination-vault-policy");
    let report = handled(&event, settings(Mode::Repair), |_| {});
    as_expected(report, Outcome::RepairedAndRetried)
}

pub(crate) fn planned() -> Report {
    let report = handled(&event("source-key-policy"), settings(Mode::Observe), |_| {});
    as_expected(report, Outcome::Planned)
}

/// Two guards refuse, one of them because a fact isn't known.
pub(crate) fn refused() -> Report {
    let settings = Settings {
        allowed_destinations: Vec::new(),
        ..settings(Mode::Repair)
    };
    let report = handled(&event("destination-vault-policy"), settings, |sandbox| {
        sandbox.fail("backup:ListTags", CallErrorKind::AccessDenied);
    });
    as_expected(report, Outcome::Refused)
}

pub(crate) fn advised() -> Report {
    let event = event("aws-managed-key");
    let report = handled(&event, settings(Mode::Repair), |_| {});
    as_expected(report, Outcome::Advised)
}

/// An event that AWS Backup knows no job of.
pub(crate) fn unverified(message: &str) -> Report {
    let mut event = event("destination-vault-policy");
    event["detail"]["copyJobId"] = "00000000-0000-4000-8000-000000000000".into();
    event["detail"]["statusMessage"] = message.into();
    let report = handled(&event, settings(Mode::Repair), |_| {});
    assert!(!report.verified);
    report
}

pub(crate) fn failed() -> Report {
    let event = event("source-key-policy");
    let report = handled(&event, settings(Mode::Repair), |sandbox| {
        sandbox.fail("kms:PutKeyPolicy", CallErrorKind::AccessDenied);
    });
    as_expected(report, Outcome::Failed)
}

pub(crate) fn why(
    operation: &str,
    resource: &str,
    reason: UnknownReason,
    detail: &str,
) -> WhyUnknown {
    WhyUnknown {
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        reason,
        detail: detail.to_owned(),
    }
}

/// Every sample by its name: of copies first, then of the access advisor.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    let mut all = vec![
        ("repaired", repaired()),
        ("planned", planned()),
        ("refused", refused()),
        ("advised", advised()),
        ("unverified", unverified(VAULT_MESSAGE)),
        ("failed", failed()),
    ];
    all.extend(advisories::all());
    all
}
