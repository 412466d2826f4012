//! `copymend explain`.

use crate::support::{run, run_with};

const MESSAGE: &str = "Given key ID is not accessible";

#[test]
fn a_message_is_explained_to_people() {
    let ran = run(&["explain", MESSAGE]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(
        ran.stdout.starts_with("source-key-policy"),
        "{}",
        ran.stdout
    );
    // The same from standard input, with the end of its line.
    assert_eq!(
        run_with(&["explain"], format!("{MESSAGE}\r\n")).stdout,
        ran.stdout
    );
}

#[test]
fn json_has_the_contracted_members() {
    let ran = run(&["explain", "--json", MESSAGE]);
    assert_eq!(ran.code, 0);
    let answer = ran.json();
    let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "message",
            "candidates",
            "principal",
            "action",
            "resource",
            "repairable"
        ]
    );
    assert_eq!(answer["message"], MESSAGE);
    assert_eq!(answer["candidates"][0]["cause"], "source-key-policy");
    assert!(answer["candidates"][0]["why"].is_string());
    assert_eq!(answer["repairable"], true);
}

#[test]
fn an_unknown_message_is_no_failure() {
    let ran = run(&["explain", "--json", "the moon is full"]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.json()["candidates"][0]["cause"], "unknown");
    assert_eq!(ran.json()["repairable"], false);
}

#[test]
fn lines_keep_their_order_and_their_text() {
    let messages = [
        MESSAGE,
        "",
        "  indented, with a tab\tand trailing space  ",
        "quotes \" and \\ and \u{7f} and \u{9b} and \u{2028}",
        "Zugriff verweigert: ü, 漢字, 🗝",
        "a lone \r in the middle",
        MESSAGE,
    ];
    let ran = run_with(&["explain", "--lines"], messages.join("\n"));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let echoed: Vec<String> = ran
        .json_lines()
        .iter()
        .map(|answer| answer["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(echoed, messages);
}

#[test]
fn one_message_is_echoed_exactly_too() {
    let message = "a \u{7f} b \u{9b}31m c \u{1b}[31m d";
    let ran = run(&["explain", "--json", message]);
    assert_eq!(ran.json()["message"], message);
}

#[test]
fn lines_may_end_in_crlf_or_not_at_all() {
    let ran = run_with(&["explain", "--lines"], "one\r\ntwo\r\n\r\nthree");
    let echoed: Vec<_> = ran
        .json_lines()
        .iter()
        .map(|answer| answer["message"].clone())
        .collect();
    assert_eq!(echoed, ["one", "two", "", "three"]);
    assert_eq!(run_with(&["explain", "--lines"], "").stdout, "");
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let ran = run_with(&["explain", "--lines"], b"bad \xff byte\ngood\n".to_vec());
    assert_eq!(ran.code, 0);
    let answers = ran.json_lines();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["message"], "bad \u{fffd} byte");
    assert_eq!(answers[1]["message"], "good");
}

#[test]
fn a_line_of_a_megabyte_is_answered() {
    let long = "Given key ID is not accessible ".repeat(1 << 15);
    let ran = run_with(&["explain", "--lines"], format!("{long}\nshort\n"));
    assert_eq!(ran.code, 0);
    let answers = ran.json_lines();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["message"], long);
    assert_eq!(answers[1]["message"], "short");
}

#[test]
fn a_message_and_lines_exclude_each_other() {
    assert_eq!(run(&["explain", "--lines", MESSAGE]).code, 2);
}

#[test]
fn a_long_message_is_not_repeated_whole() {
    let message = format!("Given key ID is not accessible {}", "é".repeat(2_500_000));
    let answer = run_with(&["explain", "--json"], message.clone()).json();
    assert_eq!(answer["candidates"][0]["cause"], "source-key-policy");
    assert_eq!(answer["message_bytes"], message.len());
    let shown = answer["message"].as_str().unwrap();
    assert!(message.starts_with(shown) && (1_048_570..=1_048_576).contains(&shown.len()));
    let short = run_with(&["explain", "--json"], "Given key ID is not accessible").json();
    assert!(short.get("message_bytes").is_none());
}
