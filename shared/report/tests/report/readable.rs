//! What every message keeps to, whatever it tells.

use std::collections::BTreeSet;

use copymend_report::Email;
use serde_json::Value;

/// What must be seen without scrolling.
const SCREEN: usize = 25;
/// How wide a line may be that can be broken.
const COLUMNS: usize = 100;

/// What is wrong with a message; nothing where a person can read it.
pub(crate) fn problems(email: &Email) -> Vec<String> {
    let mut problems = Vec::new();
    let subject = &email.subject;
    if subject.len() >= 100 || !subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        problems.push(format!("subject of {} bytes: {subject}", subject.len()));
    }
    let lines: Vec<&str> = email.body.lines().collect();
    for line in &lines {
        if line.chars().count() > COLUMNS && !is_whole_by_nature(line) {
            problems.push(format!("{} columns: {line}", line.chars().count()));
        }
    }
    if let Some(to_do) = end_of_what_to_do(&lines) {
        if to_do > SCREEN {
            problems.push(format!("what to do ends at line {to_do}"));
        }
    } else {
        problems.push("it does not say what to do".to_owned());
    }
    for statement in shown_twice(&email.body) {
        problems.push(format!("shown twice: {statement}"));
    }
    problems
}

/// A command, a policy, or a single word, such as a link or an ARN, is of no use in pieces.
fn is_whole_by_nature(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '+', '-']);
    let is_assignment = line
        .split_once("=$(")
        .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase()));
    let is_command = line.starts_with("aws ") || line.starts_with("copymend ") || is_assignment;
    let is_policy = line.starts_with(['{', '"', '}', ']']);
    is_command || is_policy || !line.contains(' ')
}

/// The number of the last line of the section on what to do.
fn end_of_what_to_do(lines: &[&str]) -> Option<usize> {
    let headings = ["WHAT IS LEFT TO DO", "WHAT TO DO"];
    let start = lines.iter().position(|line| headings.contains(line))?;
    let (mut end, mut has_content) = (start, false);
    for (place, line) in lines.iter().enumerate().skip(start + 1) {
        if line.starts_with(|first: char| first.is_ascii_uppercase()) || *line == "--" {
            break;
        }
        if !line.is_empty() {
            (end, has_content) = (place, true);
        }
    }
    has_content.then_some(end + 1)
}

/// The statements of policies that stand more than once in a text, in whatever layout.
fn shown_twice(body: &str) -> Vec<Value> {
    let dense: String = body
        .lines()
        .flat_map(|line| line.trim_start().trim_start_matches('+').chars())
        .filter(|character| !character.is_whitespace())
        .collect();
    let mut seen: Vec<Value> = Vec::new();
    let mut twice = Vec::new();
    for (start, _) in dense.match_indices('{') {
        let rest = dense.get(start..).unwrap_or_default();
        let first = serde_json::Deserializer::from_str(rest)
            .into_iter::<Value>()
            .next();
        let Some(Ok(value)) = first else { continue };
        if value.get("Effect").is_none() {
            continue;
        }
        if seen.contains(&value) {
            twice.push(value);
        } else {
            seen.push(value);
        }
    }
    twice
}

/// How often texts stand in a message, line breaks aside, that should stand there once at most.
pub(crate) fn repeated(email: &Email, texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let words: Vec<&str> = email.body.split_whitespace().collect();
    let body = words.join(" ");
    let texts: BTreeSet<String> = texts.into_iter().collect();
    let counted = texts.into_iter().map(|text| {
        let count = body.matches(&text).count();
        (text, count)
    });
    counted
        .filter(|(_, count)| *count > 1)
        .map(|(text, count)| format!("{count} times: {text}"))
        .collect()
}

#[test]
fn what_cannot_be_read_is_found() {
    let email = |subject: &str, body: &str| Email {
        subject: subject.to_owned(),
        body: body.to_owned(),
    };
    let fine = "The copy failed.\n\nWHAT TO DO\n  Nothing.\n";
    assert_eq!(problems(&email("s", fine)), Vec::<String>::new());
    assert_eq!(problems(&email(&"s".repeat(100), fine)).len(), 1);
    assert_eq!(problems(&email("\u{e9}", fine)).len(), 1);
    assert_eq!(problems(&email("s", "The copy failed.\n")).len(), 1);
    let late = format!("{}{fine}", "x\n".repeat(22));
    assert_eq!(problems(&email("s", &late)).len(), 1, "{late}");
    let wide = format!("{fine}  {}\n", "word ".repeat(20));
    assert_eq!(problems(&email("s", &wide)).len(), 1);
    let command = format!("{fine}       aws {}\n", "word ".repeat(20));
    assert_eq!(problems(&email("s", &command)), Vec::<String>::new());
    let twice = "    +    {\n    +      \"Effect\": \"Allow\"\n    +    }\n  1. Add this:\n       {\"Effect\":\"Allow\"}\n";
    let found = problems(&email("s", &format!("{fine}\nCHANGE\n{twice}")));
    assert_eq!(found, [r#"shown twice: {"Effect":"Allow"}"#]);
    let unread = format!("{fine}a\n  b\na b\n");
    assert_eq!(repeated(&email("s", &unread), ["a b".to_owned()]).len(), 1);
}
