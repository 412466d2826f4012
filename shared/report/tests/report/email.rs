use copymend_diagnosis::{Assessment, Cause, Verdict};
use copymend_remediation::ownership::ManagedBy;
use copymend_remediation::report::Outcome;
use copymend_report::{Email, Style, email, terminal};

use crate::samples::{self, advisories};

fn text(email: &Email) -> String {
    format!("Subject: {}\n\n{}", email.subject, email.body)
}

macro_rules! snapshots {
    ($($name:ident: $report:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(text(&email(&$report)));
        })*
    };
}

snapshots! {
    the_email_of_a_repair: samples::repaired();
    the_email_of_a_plan_in_observe_mode: samples::planned();
    the_email_of_a_refusal: samples::refused();
    the_email_of_advice: samples::advised();
    the_email_of_an_unverified_event: samples::unverified(samples::VAULT_MESSAGE);
    the_email_of_a_failed_write: samples::failed();
    the_email_of_a_call_by_somebody_from_iam_identity_center: advisories::of_a_permission_set();
    the_email_of_a_backup_that_failed: advisories::failed_backup();
    the_email_of_a_refused_call: advisories::refused_call("Insufficient privileges to perform this action.");
    the_email_of_a_restore_that_aws_backup_does_not_know: advisories::unverified_restore("The role cannot be assumed by AWS Backup");
}

#[test]
fn every_subject_is_one_that_sns_accepts() {
    let mut report = samples::repaired();
    for name in [
        "v",
        "a-rather-long-vault-name-with-fifty-characters-0123",
        &"x".repeat(100),
    ] {
        samples::copy_of(&mut report).destination_vault =
            format!("arn:aws:backup:eu-central-1:444455556666:backup-vault:{name}");
        let subject = email(&report).subject;
        assert!(subject.len() < 100, "{subject}");
        assert!(
            subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{subject}"
        );
        assert!(
            subject.starts_with("[Copymend] repaired: destination-vault-policy for vault "),
            "{subject}"
        );
    }
}

#[test]
fn failed_guards_come_first() {
    let body = email(&samples::refused()).body;
    let last_failed = body.rfind("\n  NO  ").unwrap();
    let first_passed = body.find("\n  ok  ").unwrap();
    assert!(last_failed < first_passed);
}

#[test]
fn the_email_of_a_call_that_a_boundary_stops_and_of_one_about_which_nothing_could_be_read() {
    let emails = [advisories::behind_a_boundary(), advisories::nothing_read()]
        .map(|advisory| text(&email(&advisory)));
    insta::assert_snapshot!(emails.join("\n"));
}

#[test]
fn the_policy_to_attach_can_be_pasted() {
    let advisory = advisories::refused_call("Access denied");
    let body = email(&advisory).body;
    let lines = body
        .lines()
        .skip_while(|line| *line != "THE POLICY TO ATTACH")
        .skip_while(|line| *line != "    {");
    let mut pasted = String::new();
    for line in lines {
        pasted.push_str(line);
        if line == "    }" {
            break;
        }
    }
    let read: serde_json::Value = serde_json::from_str(&pasted).unwrap();
    assert_eq!(Some(read), advisory.policy);
}

#[test]
fn permissions_that_are_not_there_come_first() {
    let body = email(&advisories::refused_call("Access denied")).body;
    let last_missing = body.rfind("\n  NO  ").unwrap();
    let first_allowed = body.find("\n  ok  ").unwrap();
    assert!(last_missing < first_allowed);
}

#[test]
fn the_page_of_the_console_stands_in_every_advice() {
    for (name, report) in samples::all() {
        if let Some(link) = report.advice.as_ref().map(|advice| advice.console.clone()) {
            let link = link.unwrap();
            let body = email(&report).body;
            let shown = body.lines().find(|line| line.ends_with(&link));
            let label = shown.and_then(|shown| shown.strip_suffix(&link));
            let label = label.map(str::trim);
            assert!(matches!(label, Some("Console" | "")), "{name}: {shown:?}");
        }
    }
}

#[test]
fn what_else_is_confirmed_is_left_to_do_after_a_repair_in_order() {
    let mut report = samples::repaired();
    assert!(email(&report).body.contains("Nothing else."));
    for (cause, evidence) in [
        (Cause::SourceKeyPolicy, "the key admits nobody"),
        (Cause::JobRolePermission, "the role may not copy"),
    ] {
        report.diagnosis.candidates.push(Assessment {
            cause,
            verdict: Verdict::Confirmed,
            why: "seen".to_owned(),
            evidence: vec![evidence.to_owned()],
        });
    }
    let body = email(&report).body;
    assert!(!body.contains("Nothing else"), "{body}");
    let shown = terminal(&report, Style::Plain);
    for text in [&body, &shown] {
        let first = text.find("1. The job role").unwrap();
        let second = text.find("2. The key policy of the source backup").unwrap();
        assert!(first < second, "{text}");
    }
    assert!(body.contains("the key admits nobody"), "{body}");
}

#[test]
fn the_title_of_a_key_repair_names_the_key_and_its_account() {
    let mut report = samples::planned();
    let key = report.changes[0].resource.clone();
    let id = key.rsplit('/').next().unwrap();
    let title = email(&report).subject;
    assert!(
        title.ends_with(&format!("key {id} (111122223333)")),
        "{title}"
    );
    report.outcome = Outcome::Repaired;
    let short = email(&report).subject;
    assert!(short.len() < 100, "{short}");
    let start: String = id.chars().take(8).collect();
    assert!(
        short.ends_with(&format!("key {start}... (111122223333)")),
        "{short}"
    );
    let shown = terminal(&report, Style::Plain);
    assert!(
        shown
            .lines()
            .next()
            .unwrap()
            .contains(&format!("key {id} (111122223333)")),
        "{shown}"
    );
}

#[test]
fn a_stack_that_owns_the_policy_is_told_first() {
    let mut report = samples::repaired();
    report.managed_by = Some(ManagedBy::Cloudformation {
        resource: report.changes[0].resource.clone(),
        stack: "backup-vaults".to_owned(),
        stack_id: None,
        logical_id: Some("DrVault".to_owned()),
    });
    let email = email(&report);
    let first: Vec<&str> = email.body.split_whitespace().take(75).collect();
    assert!(
        first
            .join(" ")
            .contains("CloudFormation stack `backup-vaults` (`DrVault` in its template)"),
        "{first:#?}"
    );
    let view = terminal(&report, Style::Plain);
    assert!(view.contains("`backup-vaults`"), "{view}");
}

#[test]
fn the_title_names_the_policy_that_was_changed() {
    let mut report = samples::repaired();
    report.changes[0].resource =
        "arn:aws:backup:us-east-1:111122223333:backup-vault:hop".to_owned();
    let title = email(&report).subject;
    assert!(title.ends_with(" for vault hop (111122223333)"), "{title}");
    report.changes[0].resource = "arn:aws:iam::444455556666:role/path/Missing".to_owned();
    let title = email(&report).subject;
    assert!(
        title.ends_with(" for role Missing (444455556666)"),
        "{title}"
    );
}

#[test]
fn encoded_messages_and_dumps_are_cut_with_a_pointer() {
    let encoded = "a-_Z9".repeat(140);
    let dump = format!(
        "Error {{ code: \"AccessDenied\", message: \"not allowed\", id: \"{}\" }}",
        "x".repeat(99)
    );
    let message =
        format!("You are not authorized. Encoded authorization failure message: {encoded}");
    let mut report = samples::unverified(&message);
    report.notes = vec![format!("no credentials: {dump}")];
    for text in [email(&report).body, terminal(&report, Style::Plain)] {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        assert!(!text.contains("a-_Z9a-_Z9"), "{text}");
        assert!(text.contains("700 characters were cut"), "{text}");
        assert!(
            text.contains("aws sts decode-authorization-message"),
            "{text}"
        );
        assert!(text.contains("not allowed [a dump of "), "{text}");
        assert!(!text.contains("xxxxx"), "{text}");
    }
}
