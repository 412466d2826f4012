//! Every message that the handlers make of the sample events is one of the schema's, and stays one where
//! it is cut.

use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas};
use copymend_remediation::ledger::{LeftOut, MessagesOf};
use copymend_remediation::message::Message;
use copymend_remediation::ports::{CallErrorKind, Location};
use copymend_remediation::preflight::{
    Failing, FailingRoute, InTheWay, NotReadPlace, OpenCause, Over, PreflightNews, RouteCleared,
    RouteOver, RuleWithoutCopy,
};
use copymend_remediation::report::{Outcome, Report, Subject};
use copymend_remediation::settings::Mode;
use copymend_remediation::test_message::TestMessage;
use copymend_report::{Notice, Severity, email_of_message};
use serde_json::{Value, json};

use crate::every_message::{approving, reports_of_advisor, reports_of_copies};
use crate::samples;

/// The schema of the documentation, compiled.
struct Schema {
    schemas: Schemas,
    index: SchemaIndex,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the crate is pure, its tests read the schema"
)]
fn text_of(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema");
    std::fs::read_to_string(path.join(file)).unwrap()
}

impl Schema {
    fn read() -> Self {
        let schema: Value = serde_json::from_str(&text_of("message-1.json")).unwrap();
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        compiler.add_resource("message-1.json", schema).unwrap();
        let index = compiler.compile("message-1.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    fn check(&self, name: &str, message: &str) -> Value {
        let message: Value = serde_json::from_str(message).unwrap();
        if let Err(error) = self.schemas.validate(&message, self.index) {
            panic!("{name}: {error:#}\n{message:#}");
        }
        message
    }
}

/// Reports in every mode, with calls refused and without, and those of the access advisor.
pub(crate) fn reports() -> Vec<(String, Report)> {
    let mut all = Vec::new();
    let modes = [
        samples::settings(Mode::Observe),
        approving(),
        samples::settings(Mode::Repair),
    ];
    for settings in modes {
        for (name, report) in reports_of_copies(&settings, |_| {}) {
            all.push((format!("{} {name}", settings.mode), report));
        }
    }
    for operation in [
        "backup:DescribeCopyJob",
        "kms:PutKeyPolicy",
        "kms:GetKeyPolicy",
    ] {
        let refused = reports_of_copies(&samples::settings(Mode::Repair), |sandbox| {
            sandbox.fail(operation, CallErrorKind::AccessDenied);
        });
        let named = refused.into_iter();
        all.extend(named.map(|(name, report)| (format!("without {operation} {name}"), report)));
    }
    all.extend(reports_of_advisor(None));
    let samples = samples::all().into_iter();
    all.extend(samples.map(|(name, report)| (format!("sample {name}"), report)));
    all
}

pub(crate) fn left_out() -> LeftOut {
    let at = "2026-11-02T06:00:00Z".parse().unwrap();
    LeftOut {
        of: MessagesOf {
            account: "111122223333".parse().unwrap(),
            is_confirmed: true,
        },
        count: 12,
        causes: [("destination-vault-policy".to_owned(), 12)].into(),
        copy_jobs: ["<!channel> D097FE10".to_owned()].into(),
        first_at: at,
        last_at: at,
    }
}

/// With something in every list.
pub(crate) fn preflight() -> PreflightNews {
    let at = Location::new("111122223333".parse().unwrap(), "eu-west-1");
    let vault = |name: &str| format!("arn:aws:backup:eu-west-1:444455556666:backup-vault:{name}");
    let cause = copymend_diagnosis::Cause::DestinationVaultPolicy;
    let route = FailingRoute {
        at: at.clone(),
        source_vault: vault("prod"),
        destination_vault: vault("dr"),
        role: "arn:aws:iam::111122223333:role/Backup".to_owned(),
        resource_type: "EBS".to_owned(),
        resources: ["<!channel>".to_owned()].into(),
        rules: ["plan/rule".to_owned()].into(),
        is_automatic: false,
        next_run: Some("2026-11-03T05:00:00Z".parse().unwrap()),
        in_the_way: vec![InTheWay {
            cause,
            evidence: vec!["the policy admits nobody".to_owned()],
            advice: samples::advised().advice.unwrap(),
        }],
        before: Vec::new(),
    };
    let rule = RuleWithoutCopy {
        at: at.clone(),
        rule: "plan/rule".to_owned(),
        what: "the vault isn't there".to_owned(),
    };
    PreflightNews {
        id: "request-1".to_owned(),
        at: "2026-11-02T06:00:00Z".parse().unwrap(),
        mode: Mode::Observe,
        is_first: true,
        places: 1,
        plans: 2,
        will_fail: 2,
        cannot_be_known: 1,
        will_pass: 3,
        known_to_fail: 2,
        causes: vec![("destination-vault-policy".to_owned(), 1)],
        new: vec![Failing::Route(Box::new(route))],
        changed: vec![Failing::Rule(rule)],
        over: vec![RouteOver {
            at: at.clone(),
            name: "a route".to_owned(),
            why: Over::NotPlanned,
        }],
        cleared: vec![RouteCleared {
            at: at.clone(),
            name: "another".to_owned(),
            causes: vec!["key-policy".to_owned()],
            open: vec![OpenCause {
                cause,
                why: String::new(),
            }],
        }],
        more: vec![(at.clone(), 7)],
        not_read: vec![NotReadPlace {
            at: at.clone(),
            operation: "backup:ListBackupPlans".to_owned(),
            reason: "access denied".to_owned(),
            detail: "no".to_owned(),
            may_pass: false,
        }],
        left: vec![at],
        notes: vec!["a note".to_owned()],
    }
}

pub(crate) fn test_message() -> TestMessage {
    TestMessage {
        at: "2026-11-02T06:00:00Z".parse().unwrap(),
        mode: Mode::Repair,
        topic: Some("arn:aws:sns:eu-west-1:444455556666:copymend".to_owned()),
    }
}

#[test]
fn every_message_is_one_of_the_schema() {
    let schema = Schema::read();
    let reports = reports();
    assert!(reports.len() > 150, "{}", reports.len());
    for (name, report) in &reports {
        let message = Message::Report(report);
        let read = schema.check(name, &Notice::of(message).json());
        assert_eq!(read["report"], json!(report), "{name}");
        assert_eq!(read["title"], email_of_message(message).subject, "{name}");
    }
    let (left_out, test, news) = (left_out(), test_message(), preflight());
    for message in [
        Message::LeftOut(&left_out),
        Message::Test(&test),
        Message::Preflight(&news),
    ] {
        schema.check(&message.id(), &Notice::of(message).json());
    }
}

/// The messages of `examples/messages`, which tests of the example rules read: `COPYMEND_DOCS=write`
/// writes them.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the crate is pure, its tests read and write the examples"
)]
fn the_examples_are_real_messages() {
    let (left_out, test, news) = (left_out(), test_message(), preflight());
    let reports = [
        ("repaired", samples::repaired()),
        ("planned", samples::planned()),
        ("advised", samples::advised()),
        ("refused", samples::refused()),
        ("failed", samples::failed()),
        ("unverified", samples::unverified(samples::VAULT_MESSAGE)),
        (
            "refused-call",
            samples::advisories::refused_call("Access denied"),
        ),
    ];
    let mut messages: Vec<(&str, Message<'_>)> = reports
        .iter()
        .map(|(name, report)| (*name, Message::Report(report)))
        .collect();
    messages.push(("left-out", Message::LeftOut(&left_out)));
    messages.push(("test-message", Message::Test(&test)));
    messages.push(("preflight", Message::Preflight(&news)));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/messages");
    for (name, message) in messages {
        let notice = Notice::of(message);
        let detail: Value = serde_json::from_str(&notice.json()).unwrap();
        let event = json!({
            "source": "copymend.report",
            "detail-type": notice.kind.detail_type(),
            "resources": notice.resources,
            "detail": detail,
        });
        let made = format!("{}\n", serde_json::to_string_pretty(&event).unwrap());
        let path = folder.join(format!("{name}.json"));
        if std::env::var("COPYMEND_DOCS").is_ok_and(|what| what == "write") {
            std::fs::write(&path, &made).unwrap();
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(made == written, "{name}: write it with COPYMEND_DOCS=write");
    }
}

#[test]
fn what_is_no_message_is_refused_by_the_schema() {
    let schema = Schema::read();
    let report = samples::repaired();
    let right: Value = serde_json::from_str(&Notice::of(Message::Report(&report)).json()).unwrap();
    for (pointer, wrong) in [
        ("/version", json!("2")),
        ("/severity", json!("urgent")),
        ("/needs_action", json!("yes")),
        ("/report/outcome", json!("done")),
        ("/report/changes/0/after", Value::Null),
    ] {
        let mut message = right.clone();
        *message.pointer_mut(pointer).unwrap() = wrong;
        let judged = schema.schemas.validate(&message, schema.index);
        assert!(judged.is_err(), "{pointer}");
    }
}

/// Every limit down to almost nothing: what is cut is named, empty or gone, and the rest is as it was.
#[test]
fn a_message_that_is_cut_is_still_one_and_says_what_is_missing() {
    let schema = Schema::read();
    let mut report = samples::repaired();
    report.message = "\u{202e}\"".repeat(3_000);
    report.changes[0].before = Some("{\"Statement\": []}".repeat(2_000));
    let notice = Notice::of(Message::Report(&report));
    let whole: Value = serde_json::from_str(&notice.json()).unwrap();
    for limit in [200_000, 60_000, 40_000, 20_000, 9_000, 5_000, 3_000] {
        let text = notice.json_within(limit, str::len);
        assert!(text.len() <= limit, "{} of {limit}", text.len());
        let cut = schema.check(&limit.to_string(), &text);
        let pointers = cut["cut"].as_array().cloned().unwrap_or_default();
        assert_eq!(pointers.is_empty(), limit == 200_000);
        let mut filled = cut.clone();
        filled.as_object_mut().unwrap().remove("cut");
        for pointer in &pointers {
            let pointer = pointer.as_str().unwrap();
            assert_ne!(whole.pointer(pointer), cut.pointer(pointer), "{pointer}");
            *filled.pointer_mut(pointer).unwrap() = whole.pointer(pointer).unwrap().clone();
        }
        assert_eq!(filled, whole, "{limit}");
    }
}

#[test]
fn what_matters_most_needs_a_person_and_what_needs_nobody_matters_least() {
    for (name, report) in reports() {
        let notice = Notice::of(Message::Report(&report));
        assert_eq!(notice.needs_action, report.needs_action(), "{name}");
        assert_eq!(
            notice.severity == Severity::Low,
            !notice.needs_action,
            "{name}"
        );
        let is_high = matches!(
            report.outcome,
            Outcome::Advised | Outcome::Refused | Outcome::Failed
        ) && report.verified
            && !matches!(report.subject, Subject::ApiCall(_))
            && report.needs_action();
        assert_eq!(notice.severity == Severity::High, is_high, "{name}");
    }
}

#[test]
fn a_report_of_the_same_incident_has_its_name_and_a_made_up_one_another() {
    let name = |report: &Report| Notice::of(Message::Report(report)).incident.unwrap();
    let advised = samples::advised();
    let again = Report {
        event: "another".to_owned(),
        ..advised.clone()
    };
    assert_eq!(name(&advised), name(&again));
    let made_up = Report {
        verified: false,
        ..advised.clone()
    };
    assert_ne!(name(&advised), name(&made_up));
    assert!(name(&advised).len() == 32 && name(&advised).bytes().all(|b| b.is_ascii_hexdigit()));
}

/// In a template of a rule the title stands as it is.
#[test]
fn a_title_can_stand_in_a_text_of_json() {
    let hostile = Report {
        subject: Subject::Copy(copymend_remediation::report::CopySummary {
            destination_vault: "\"}, {\\".to_owned(),
            ..samples::copy_of(&mut samples::advised()).clone()
        }),
        ..samples::advised()
    };
    let mut all = reports();
    all.push(("hostile".to_owned(), hostile));
    for (name, report) in all {
        let title = Notice::of(Message::Report(&report)).title;
        assert!(
            !title.contains(['"', '\\']) && title.len() < 100,
            "{name}: {title}"
        );
        assert!(
            title.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{name}: {title}"
        );
    }
}
