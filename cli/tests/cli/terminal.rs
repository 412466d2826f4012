//! What a terminal gets: colours, and nothing harmful.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use crate::support::{KEY_POLICY, copymend, file, finish, run};

#[test]
fn colours_are_for_terminals_and_no_color_forbids_them() {
    let policy = file("terminal.json", KEY_POLICY);
    let arguments = [
        "policy",
        "grant",
        "key",
        "--destination-account",
        "444455556666",
        "--via",
        "ec2",
        "--policy",
        &policy,
    ];
    let plain = run(&arguments).stdout;
    assert!(!plain.contains('\u{1b}'));
    let forced = finish(copymend().args(arguments).env("CLICOLOR_FORCE", "1")).stdout;
    assert!(forced.contains("\u{1b}[32m+"), "{forced}");
    let both = finish(
        copymend()
            .args(arguments)
            .env("CLICOLOR_FORCE", "1")
            .env("NO_COLOR", "1"),
    );
    assert_eq!(both.stdout, plain);
}

#[test]
fn a_policy_cannot_talk_to_the_terminal() {
    let text = KEY_POLICY.replace("Enable IAM", "a\u{9b}2J\u{202e}b");
    let before = file("terminal-harmful-1.json", KEY_POLICY);
    let after = file("terminal-harmful-2.json", &text);
    for arguments in [
        ["policy", "diff", &before, &after],
        ["policy", "prove", &after, &before],
    ] {
        let ran = finish(copymend().args(arguments).env("CLICOLOR_FORCE", "1"));
        assert!(!ran.stdout.contains(['\u{9b}', '\u{202e}']));
        assert!(ran.stdout.contains(r"a\u009b2J\u202eb"), "{}", ran.stdout);
    }
}

fn spawn(arguments: &[&str]) -> std::process::Child {
    Command::new(assert_cmd::cargo::cargo_bin!("copymend"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = spawn(&["explain", "--lines"]);
    drop(child.stdout.take());
    // The program may be gone before it has read everything.
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all("a message\n".repeat(10_000).as_bytes());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), stderr.as_str()),
        (Some(0), "")
    );
}

#[test]
fn a_line_is_answered_before_the_next_is_asked() {
    let mut child = spawn(&["policy", "evaluate", "--lines"]);
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..2 {
        questions.write_all(b"{}\n").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert!(answer.starts_with("{\"error\":"), "{answer}");
    }
    drop(questions);
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
