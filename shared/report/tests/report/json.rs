use copymend_report::json;
use serde_json::Value;

use crate::samples;

#[test]
fn json_is_one_ascii_line_that_loses_nothing() {
    for (name, mut report) in samples::all() {
        report.message = "a\r\n\u{1b}[31m\u{2028}\u{202e}日本 😀 \u{7f}\u{9b}".to_owned();
        let line = json(&report);
        assert!(
            line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{name}: {line}"
        );
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read, serde_json::to_value(&report).unwrap(), "{name}");
    }
}

#[test]
fn json_has_the_members_that_other_programs_rely_on() {
    for (name, report) in samples::all() {
        let value: Value = serde_json::from_str(&json(&report)).unwrap();
        for member in [
            "event",
            "diagnosis",
            "decision",
            "guards",
            "changes",
            "outcome",
            "retried_job",
        ] {
            assert!(value.get(member).is_some(), "{name}: {member}");
        }
        assert!(value["diagnosis"]["cause"].is_string(), "{name}");
        assert!(value["diagnosis"]["candidates"].is_array(), "{name}");
    }
}
