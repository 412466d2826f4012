//! The commands that work in real accounts, up to the point where they would call AWS.

use crate::support::run;

#[test]
fn an_undo_of_the_last_change_asks_and_without_a_terminal_it_is_wrong_usage() {
    let ran = run(&["undo", "--last"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
    assert_eq!(run(&["undo", "--yes"]).code, 2);
    assert_eq!(run(&["undo", "--allow-again"]).code, 2);
}

#[test]
fn a_pause_needs_a_reason_a_time_to_come_and_a_ledger() {
    for arguments in [
        &["pause"][..],
        &["pause", " "],
        &["pause", "--until", "tomorrow", "audit"],
        &["pause", "--until", "2020-01-01T00:00:00Z", "audit"],
    ] {
        assert_eq!(run(arguments).code, 2, "{arguments:?}");
    }
    for arguments in [&["pause", "audit"][..], &["resume"]] {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(
            ran.stderr.contains("COPYMEND_LEDGER_TABLE"),
            "{}",
            ran.stderr
        );
    }
}
