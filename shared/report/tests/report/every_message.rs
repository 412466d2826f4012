//! Every message that the handlers make of the sample events can be read by a person in a hurry.

use std::path::Path;

use copymend_remediation::CopyRemediator;
use copymend_remediation::advisor::{AccessAdvisor, AdvisorSettings};
use copymend_remediation::ledger::{LeftOut, MessagesOf};
use copymend_remediation::ports::CallErrorKind;
use copymend_remediation::report::{Outcome, Report};
use copymend_remediation::settings::{Mode, Settings};
use copymend_remediation::test_message::TestMessage;
use copymend_report::{Email, email, email_of_left_out, email_of_test_message};
use copymend_sandbox::{Sandbox, World};
use serde_json::Value;

use crate::readable::{problems, repeated};
use crate::samples;

/// The sample events of a folder of the repository, by their names.
#[expect(
    clippy::disallowed_methods,
    reason = "the crate is pure, its tests read the sample events"
)]
fn events_of(folder: &str) -> Vec<(String, Value)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let mut events: Vec<(String, Value)> = std::fs::read_dir(path.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let event = std::fs::read_to_string(path).unwrap();
            (name, serde_json::from_str(&event).unwrap())
        })
        .collect();
    events.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(!events.is_empty(), "{folder}");
    events
}

pub(crate) fn approving() -> Settings {
    let approvers = "arn:aws:sts::444455556666:assumed-role/BackupOwner/*";
    let read = Settings::read(|name| (name == "COPYMEND_APPROVERS").then(|| approvers.to_owned()));
    Settings {
        approvers: read.unwrap().approvers,
        ..samples::settings(Mode::Approve)
    }
}

/// All that is wrong with the message on a report.
fn wrong(name: &str, report: &Report) -> Vec<String> {
    let email = email(report);
    let mut wrong = problems(&email);
    let unread = report.diagnosis.unknown.iter();
    wrong.extend(repeated(
        &email,
        unread.map(|why| format!("{} on `{}`: {}", why.operation, why.resource, why.reason)),
    ));
    wrong.extend(opening(report, &email));
    wrong.extend(left_to_do(report, &email));
    let outcome = report.outcome.slug();
    let of = |problem: String| format!("{name}, {outcome}: {problem}");
    wrong.into_iter().map(of).collect()
}

/// Line one says what happened, and soon after stands why.
fn opening(report: &Report, email: &Email) -> Option<String> {
    let mut lines = email.body.lines();
    let first = lines.next().unwrap_or_default();
    let place = match report.copy_job_id() {
        Some(_) => "vault ",
        None => "account ",
    };
    let says_what =
        first.starts_with("The ") && email.body.lines().take(2).any(|line| line.contains(place));
    let says_why = report.diagnosis.candidates.is_empty()
        || email
            .body
            .lines()
            .take(8)
            .any(|line| line.starts_with("Why"));
    (!says_what || !says_why).then(|| format!("it opens with: {first}"))
}

/// What is left to do begins with nothing, exactly where nobody has to act.
fn left_to_do(report: &Report, email: &Email) -> Option<String> {
    let mut lines = email.body.lines();
    lines.find(|line| line.starts_with("WHAT IS LEFT TO DO") || line.starts_with("WHAT TO DO"));
    let section: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let says_nothing = section
        .iter()
        .any(|line| line.starts_with("  Nothing") || line.starts_with("  A person refused this"));
    (says_nothing == report.needs_action()).then(|| {
        let needs = report.needs_action();
        format!(
            "needs an action: {needs}, and it says: {}",
            section.join(" ")
        )
    })
}

fn assert_none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} problems:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What the handlers make of the sample events of copies, on a world of their own each.
pub(crate) fn reports_of_copies(
    settings: &Settings,
    prepare: impl Fn(&Sandbox),
) -> Vec<(String, Report)> {
    let events = events_of("").into_iter();
    events
        .map(|(name, event)| {
            let sandbox = Sandbox::new(World::default_world());
            prepare(&sandbox);
            let remediator = CopyRemediator::new(sandbox.clone(), settings.clone());
            let report = samples::handled_by(&sandbox, async |invocation| {
                remediator.handle(&event, invocation).await
            });
            (name, report)
        })
        .filter(|(_, report)| report.outcome.is_told())
        .collect()
}

#[test]
fn messages_about_copies_are_readable_in_every_mode() {
    let mut found = Vec::new();
    for (mode, settings) in [
        ("observe", samples::settings(Mode::Observe)),
        ("approve", approving()),
        ("repair", samples::settings(Mode::Repair)),
        (
            "refusing",
            Settings {
                allowed_destinations: Vec::new(),
                allowed_keys: Vec::new(),
                ..samples::settings(Mode::Repair)
            },
        ),
    ] {
        for (name, report) in reports_of_copies(&settings, |_| {}) {
            found.extend(wrong(&format!("{mode} {name}"), &report));
        }
    }
    assert_none(&found);
}

#[test]
fn messages_about_copies_are_readable_where_calls_are_refused() {
    let mut found = Vec::new();
    for operations in [
        &["backup:PutBackupVaultAccessPolicy", "kms:PutKeyPolicy"][..],
        &["backup:GetBackupVaultAccessPolicy", "kms:GetKeyPolicy"],
        &["backup:DescribeCopyJob"],
        &[
            "iam:SimulatePrincipalPolicy",
            "backup:ListTags",
            "kms:DescribeKey",
        ],
        &["backup:StartCopyJob"],
    ] {
        let refuse = |sandbox: &Sandbox| {
            for operation in operations {
                sandbox.fail(operation, CallErrorKind::AccessDenied);
            }
        };
        for (name, report) in reports_of_copies(&samples::settings(Mode::Repair), refuse) {
            found.extend(wrong(&format!("without {operations:?} {name}"), &report));
        }
    }
    assert_none(&found);
}

/// What the access advisor makes of its sample events, where a call may be refused.
pub(crate) fn reports_of_advisor(refused: Option<&'static str>) -> Vec<(String, Report)> {
    let events = events_of("advisor").into_iter();
    events
        .map(|(name, event)| {
            let sandbox = Sandbox::new(World::default_world());
            if let Some(operation) = refused {
                sandbox.fail(operation, CallErrorKind::AccessDenied);
            }
            let advisor = AccessAdvisor::new(sandbox.clone(), AdvisorSettings::default());
            let report = samples::handled_by(&sandbox, async |invocation| {
                advisor.handle(&event, invocation).await
            });
            (name, report)
        })
        .filter(|(_, report)| report.outcome.is_told())
        .collect()
}

#[test]
fn messages_of_the_access_advisor_are_readable() {
    let mut found = Vec::new();
    for operation in [
        None,
        Some("iam:ListRolePolicies"),
        Some("iam:SimulatePrincipalPolicy"),
    ] {
        for (name, report) in reports_of_advisor(operation) {
            found.extend(wrong(&format!("{operation:?} {name}"), &report));
        }
    }
    assert_none(&found);
}

#[test]
fn the_samples_are_readable() {
    let samples = samples::all().into_iter();
    let told = samples.filter(|(_, report)| report.outcome.is_told());
    let found: Vec<String> = told
        .flat_map(|(name, report)| wrong(name, &report))
        .collect();
    assert_none(&found);
}

#[test]
fn messages_that_are_about_no_copy_are_readable() {
    let at = "2026-11-02T06:00:00Z".parse().unwrap();
    let test = TestMessage {
        at,
        mode: Mode::Repair,
        topic: Some("arn:aws:sns:eu-west-1:444455556666:copymend".to_owned()),
    };
    assert_none(&problems(&email_of_test_message(&test)));
    let left_out = LeftOut {
        of: MessagesOf {
            account: "111122223333".parse().unwrap(),
            is_confirmed: false,
        },
        count: 10_000,
        causes: [("destination-vault-policy".to_owned(), 10_000)].into(),
        copy_jobs: ["D097FE10-D403-589C-9237-F348A729DDFA".to_owned()].into(),
        first_at: at,
        last_at: at,
    };
    assert_none(&problems(&email_of_left_out(&left_out)));
}

/// The kinds of messages that the tests above look at.
#[test]
fn every_kind_of_outcome_is_among_them() {
    let outcomes: std::collections::BTreeSet<&str> = [
        samples::settings(Mode::Observe),
        samples::settings(Mode::Repair),
    ]
    .iter()
    .flat_map(|settings| reports_of_copies(settings, |_| {}))
    .map(|(_, report)| report.outcome.slug())
    .collect();
    for outcome in [
        Outcome::RepairedAndRetried,
        Outcome::Planned,
        Outcome::Advised,
    ] {
        assert!(outcomes.contains(outcome.slug()), "{outcomes:?}");
    }
    let asked = reports_of_copies(&approving(), |_| {}).into_iter();
    let asked = asked
        .filter(|(_, report)| report.approval.is_some())
        .count();
    assert!(asked > 1, "{asked}");
}
