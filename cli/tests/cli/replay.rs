//! `copymend replay`.

use crate::support::{copymend, file, finish, run, run_with};

const EVENT: &str = "events/source-key-policy.json";

fn sample() -> String {
    std::fs::read_to_string(format!("{}/../{EVENT}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn people_get_the_cause_and_the_plan() {
    let ran = run(&["replay", EVENT]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("── events/source-key-policy.json\n"));
    assert!(ran.stdout.contains("source-key-policy"));
    assert!(ran.stdout.contains("CopymendDescribe444455556666Ec2"));
    assert!(!ran.stdout.contains('\u{1b}'));
}

#[test]
fn json_is_one_report_an_event_in_order() {
    let ran = run(&["replay", "--json", EVENT, "events/quota.json", EVENT]);
    assert_eq!(ran.code, 0);
    let reports = ran.json_lines();
    let causes: Vec<_> = reports
        .iter()
        .map(|report| report["diagnosis"]["cause"].as_str().unwrap())
        .collect();
    assert_eq!(causes, ["source-key-policy", "quota", "source-key-policy"]);
    for member in [
        "event",
        "diagnosis",
        "decision",
        "guards",
        "changes",
        "outcome",
        "retried_job",
    ] {
        assert!(reports[0].get(member).is_some(), "{member}");
    }
}

#[test]
fn without_repair_nothing_is_written() {
    let ran = run(&["replay", "--json", EVENT]);
    assert_eq!(ran.json()["outcome"], "planned");
    assert!(ran.json()["retried_job"].is_null());
}

#[test]
fn repair_changes_the_policy_and_starts_the_copy_again() {
    let ran = run(&["replay", "--json", "--repair", EVENT]);
    assert_eq!(ran.code, 0);
    let report = ran.json();
    assert_eq!(report["outcome"], "repaired-and-retried");
    assert!(report["retried_job"].is_string());
    let change = &report["changes"][0];
    assert!(!change["before"].as_str().unwrap().contains("Copymend"));
    assert!(change["after"].as_str().unwrap().contains("Copymend"));
}

#[test]
fn repair_shows_what_became_of_the_copy_and_the_message() {
    let ran = run(&["replay", "--repair", "--message", EVENT]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("retried copy"));
    assert!(ran.stdout.contains('✉'));
}

#[test]
fn an_event_may_come_from_standard_input() {
    let ran = run_with(&["replay", "--json", "-"], sample());
    assert_eq!(ran.code, 0);
    assert_eq!(ran.stdout, run(&["replay", "--json", EVENT]).stdout);
}

#[test]
fn a_bad_event_gets_the_functions_error_answer_and_the_others_go_on() {
    for (name, content) in [
        ("number", "42"),
        ("list", "[[]]"),
        ("foreign", r#"{"source":"aws.s3"}"#),
    ] {
        let bad = file(&format!("replay-bad-{name}.json"), content);
        let ran = run(&["replay", "--json", &bad, EVENT]);
        assert_eq!(ran.code, 1, "{name}");
        let answers = ran.json_lines();
        assert_eq!(answers.len(), 2);
        let members: Vec<&String> = answers[0].as_object().unwrap().keys().collect();
        assert_eq!(members, ["errorType", "errorMessage"]);
        assert_eq!(answers[1]["outcome"], "planned");
    }
}

#[test]
fn a_bad_event_is_named_to_people() {
    let ran = run_with(&["replay", "-"], "[42]");
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("NotAnEvent: "), "{}", ran.stdout);
}

#[test]
fn what_is_not_json_is_wrong_usage_and_the_place_is_named() {
    let event = sample();
    let utf_16: Vec<u8> = "\u{feff}{}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let cut = event.chars().take(200).collect::<String>();
    for (input, wanted) in [
        (Vec::new(), "is empty"),
        (b" \n\t".to_vec(), "is empty"),
        (b"not json".to_vec(), "line 1 column 2"),
        (cut.into_bytes(), "EOF while parsing"),
        (utf_16, "is UTF-16"),
        (
            format!("{event}{event}").into_bytes(),
            "goes on after the end of its JSON document",
        ),
        (b"\x00\xff".to_vec(), "is not JSON"),
        (b"[]".to_vec(), "holds no event"),
    ] {
        let ran = run_with(&["replay", "--json", EVENT, "-"], input);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{wanted}");
        assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    }
}

#[test]
fn a_byte_order_mark_is_read_and_a_list_is_taken_one_by_one() {
    let event = sample();
    let plain = run(&["replay", "--json", EVENT]).json();
    let ran = run_with(&["replay", "--json", "-"], format!("\u{feff}{event}"));
    assert_eq!((ran.code, ran.json()), (0, plain.clone()));
    let ran = run_with(&["replay", "--json", "-"], format!("[{event},42,{event}]"));
    assert_eq!(ran.code, 1);
    let answers = ran.json_lines();
    assert_eq!(answers[0], plain);
    assert_eq!(answers[1]["errorType"], "NotAnEvent");
    assert_eq!(answers.len(), 3);
}

#[test]
fn a_file_that_is_missing_is_wrong_usage() {
    let ran = run(&["replay", "events/no-such-event.json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr
            .starts_with("copymend: cannot read `events/no-such-event.json`: ")
    );
    assert_eq!(run(&["replay"]).code, 2);
}

#[test]
fn a_world_that_is_none_is_wrong_usage() {
    let world = file("replay-world.json", "{");
    let ran = run(&["replay", "--world", &world, EVENT]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("replay-world.json"), "{}", ran.stderr);
}

#[test]
fn an_invalid_setting_is_wrong_usage() {
    let ran = finish(
        copymend()
            .args(["replay", EVENT])
            .env("COPYMEND_RETRY_BUDGET", "many"),
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains("COPYMEND_RETRY_BUDGET"),
        "{}",
        ran.stderr
    );
}

const SWEEP: &str = r#"{"source":"copymend","detail-type":"Copymend Sweep","detail":{"accounts":["111122223333"],"regions":["us-east-1"],"hours":720}}"#;

#[test]
fn a_sweep_is_answered_with_what_it_found() {
    let ran = run_with(&["replay", "--json", "-"], SWEEP.to_owned());
    assert_eq!(ran.code, 0);
    let swept = ran.json();
    let found = swept["found"].as_u64().unwrap();
    assert!(found > 0);
    let reports = swept["reports"].as_array().unwrap();
    assert_eq!(u64::try_from(reports.len()), Ok(found));
    assert_eq!(swept["errors"], serde_json::json!([]));

    let ran = run_with(&["replay", "-"], SWEEP.to_owned());
    let last = format!(
        "Sweep: {found} failed copies found, {found} handled now, 0 left for lack of time, 0 errors."
    );
    assert!(ran.stdout.contains(&last), "{}", ran.stdout);
}

#[test]
fn without_an_objective_the_ages_of_copies_are_not_looked_at() {
    let event = "events/hub/copy-age.json";
    let ran = run(&["replay", "--json", event]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.json_lines()[0]["copy_age"], "no-objective");
    let ran = run(&["replay", event]);
    assert!(
        ran.stdout.contains("COPYMEND_COPY_AGE_OBJECTIVE"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_digest_tells_what_happened_and_is_sent_once_a_day() {
    let event = "events/hub/digest.json";
    let ran = run(&["replay", "--json", event, event]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let states: Vec<_> = ran
        .json_lines()
        .into_iter()
        .map(|line| line["digest"].clone())
        .collect();
    assert_eq!(states, ["sent", "sent-before"]);
    let ran = run(&["replay", "--message", event]);
    assert_eq!(ran.code, 0);
    for part in [
        "0 still failing, 0 not seen again,",
        "People were told.",
        ": nothing failed",
        "No copy failed, no policy was changed, and nobody has to do anything.",
    ] {
        assert!(ran.stdout.contains(part), "{part} in {}", ran.stdout);
    }
}

#[test]
fn a_digest_of_days_that_cannot_be_says_so() {
    let event = r#"{"source":"copymend","detail-type":"Copymend Digest","detail":{"days":0}}"#;
    let ran = run_with(&["replay", "-"], event.to_owned());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout
            .contains("the event's days, 0, are not a whole number"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_preflight_tells_what_will_fail_and_nothing_twice() {
    let event = "events/hub/preflight.json";
    let ran = run(&["replay", "--json", event, event]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let [first, again] = ran.json_lines().try_into().unwrap();
    assert_eq!(
        (&first["preflight"], &first["new"]),
        (&"told".into(), &1.into())
    );
    assert_eq!(
        (&again["preflight"], &again["new"]),
        (&"nothing-new".into(), &0.into())
    );

    let ran = run(&["replay", "--message", event]);
    assert_eq!(ran.code, 0);
    for part in [
        "Preflight: 1 plans read, 1 routes will fail",
        "People were told.",
        "✉ [Copymend] preflight: 1 route of planned copies will fail",
        "destination-vault-policy",
    ] {
        assert!(ran.stdout.contains(part), "{part} in {}", ran.stdout);
    }
    let nowhere = r#"{"source":"copymend","detail-type":"Copymend Preflight","detail":{}}"#;
    let ran = run_with(&["replay", "--json", "-"], nowhere.to_owned());
    assert_eq!(ran.code, 1);
    assert_eq!(ran.json()["errorType"], "MissingField");
}

/// The sample events, by name.
fn sample_events(folder: &str) -> Vec<String> {
    let files = std::fs::read_dir(format!("{}/../{folder}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let mut names: Vec<String> = files
        .map(Result::unwrap)
        .filter(|file| file.file_type().unwrap().is_file())
        .map(|file| format!("{folder}/{}", file.file_name().into_string().unwrap()))
        .collect();
    names.sort();
    names
}

#[test]
fn the_table_tells_what_becomes_of_every_sample_event() {
    let folders = ["events", "events/advisor", "events/delayed"];
    let events = folders.map(sample_events).concat();
    let mut arguments = vec!["replay", "--repair", "--table"];
    arguments.extend(events.iter().map(String::as_str));
    let ran = run(&arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(ran.stdout.lines().count(), 1 + events.len());
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn a_copy_is_put_off_and_its_message_starts_it() {
    let (event, delivery) = ("events/concurrency.json", "events/delayed/concurrency.json");
    let ran = run(&["replay", "--json", "--repair", event, delivery]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let reports = ran.json_lines();
    assert_eq!(reports[0]["outcome"], "retry-planned");
    assert!(reports[0]["not_before"].is_string() && reports[0]["retried_job"].is_null());
    assert_eq!(reports[1]["outcome"], "retried");
    assert!(reports[1]["retried_job"].is_string());
    // For people.
    let shown = run(&["replay", "--repair", event]).stdout;
    assert!(shown.contains("→ for later  concurrency"), "{shown}");
    // In observe mode it is said, and nothing lies in a queue.
    let observed = run(&["replay", "--json", event]).json();
    assert_eq!(observed["outcome"], "planned");
    let notes = observed["notes"].to_string();
    assert!(
        notes.contains("in repair mode the copy would be started again after"),
        "{notes}"
    );
}

#[test]
fn several_events_end_with_the_table_and_one_has_none() {
    let bad = file("replay-table-bad.json", "42");
    let second = "events/advisor/create-backup-vault.json";
    let ran = run(&["replay", EVENT, second]);
    assert_eq!(ran.code, 0);
    let (reports, table) = ran.stdout.split_once("event  ").unwrap();
    assert!(reports.contains("── events/source-key-policy.json\n"));
    assert!(reports.contains("── events/advisor/create-backup-vault.json\n"));
    insta::assert_snapshot!(format!("event  {table}"));

    let alone = run(&["replay", EVENT]).stdout;
    assert!(reports.starts_with(&alone));
    let ran = run(&["replay", "--table", EVENT, &bad]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.trim_end().ends_with("NotAnEvent"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_sweep_of_several_copies_ends_with_their_table() {
    let full = run_with(&["replay", "--repair", "-"], SWEEP.to_owned()).stdout;
    let table = run_with(&["replay", "--repair", "--table", "-"], SWEEP.to_owned()).stdout;
    assert!(table.lines().count() > 2, "{table}");
    assert!(full.ends_with(&table), "{full}");
}

#[test]
fn a_table_is_no_json() {
    assert_eq!(run(&["replay", "--json", "--table", EVENT]).code, 2);
}

/// The two functions don't share a ledger.
#[cfg(feature = "aws")]
#[test]
fn the_copy_remediators_ledger_is_not_taken_for_the_access_advisors() {
    let ran = finish(
        copymend()
            .args(["replay", "--dlq", "https://example.com/queue"])
            .args(["--advisor-ledger", "ledger"])
            .env("COPYMEND_LEDGER_TABLE", "ledger"),
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("--advisor-ledger"), "{}", ran.stderr);
}

#[test]
fn a_setting_that_does_not_exist_is_wrong_usage_and_the_nearest_is_named() {
    let event = "events/destination-vault-policy.json";
    let ran = finish(
        copymend()
            .args(["replay", event])
            .env("COPYMEND_WRITE_BUGDET", "1"),
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(
        ran.stderr.contains(
            "`COPYMEND_WRITE_BUGDET` is no setting; the nearest one is COPYMEND_WRITE_BUDGET"
        ),
        "{}",
        ran.stderr
    );
    let of_tests = finish(
        copymend()
            .args(["replay", event])
            .env("COPYMEND_DOCS", "read"),
    );
    assert_eq!(of_tests.code, 0, "{}", of_tests.stderr);
}
