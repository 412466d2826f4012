//! What a chat shows: the form that Amazon Q Developer takes, and nothing forged.

use copymend_remediation::message::Message;
use copymend_report::{Notice, chat, email_of_message};
use serde_json::{Value, json};

use crate::messages::{left_out, preflight, reports, test_message};
use crate::samples;

fn notification(message: Message<'_>) -> Value {
    let line = chat(message, &Notice::of(message));
    assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    serde_json::from_str(&line).unwrap()
}

fn size(text: &Value) -> usize {
    text.as_str().unwrap().encode_utf16().count()
}

fn texts(items: &Value) -> Vec<Value> {
    items.as_array().cloned().unwrap_or_default()
}

/// The form that Amazon Q Developer takes, and its limits.
fn assert_is_taken(name: &str, notification: &Value) {
    assert_eq!(notification["version"], "1.0", "{name}");
    assert_eq!(notification["source"], "custom", "{name}");
    let content = &notification["content"];
    assert_eq!(content["textType"], "client-markdown", "{name}");
    assert!((1..=250).contains(&size(&content["title"])), "{name}");
    assert!(
        (1..=8_000).contains(&size(&content["description"])),
        "{name}"
    );
    for step in texts(&content["nextSteps"]) {
        assert!((1..=350).contains(&size(&step)), "{name}: {step}");
    }
    for word in texts(&content["keywords"]) {
        assert!((1..=75).contains(&size(&word)), "{name}: {word}");
    }
    let additional = notification["metadata"]["additionalContext"]
        .as_object()
        .unwrap();
    assert!(additional.values().all(Value::is_string), "{name}");
    assert!(notification["metadata"]["threadId"].is_string(), "{name}");
}

/// Nothing that Slack or Teams makes more of than text, but for code of ours.
fn assert_is_plain(name: &str, notification: &Value) {
    let content = &notification["content"];
    let mut shown = vec![content["title"].clone(), content["description"].clone()];
    shown.extend(texts(&content["nextSteps"]));
    for text in shown {
        let text = text.as_str().unwrap();
        for markup in ["<", ">", "@", "&", "*", "|", "~", "](", "://", "www."] {
            assert!(!text.contains(markup), "{name}: {markup} in {text}");
        }
        let ticks = text.matches('`').count();
        let is_command = text.starts_with("Approve: `") || text.starts_with("Refuse: `");
        assert_eq!(ticks, if is_command { 2 } else { 0 }, "{name}: {text}");
        assert!(
            text.chars().all(|c| c == '\n' || !c.is_control()),
            "{name}: {text}"
        );
    }
}

#[test]
fn every_chat_message_is_taken_and_plain() {
    for (name, report) in reports() {
        let notification = notification(Message::Report(&report));
        assert_is_taken(&name, &notification);
        assert_is_plain(&name, &notification);
        let description = notification["content"]["description"].as_str().unwrap();
        let email = email_of_message(Message::Report(&report)).body;
        // It opens as the e-mail does, but for what is wrapped and shown by look-alikes.
        let words = |text: &str| {
            text.split_whitespace()
                .take(6)
                .map(ToOwned::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(description), words(&email), "{name}");
        let steps = texts(&notification["content"]["nextSteps"]);
        let asks = steps
            .iter()
            .filter(|step| step.as_str().unwrap().contains("copymend approve"));
        let is_asked = report.approval.is_some();
        assert_eq!(asks.count(), usize::from(is_asked), "{name}");
    }
    let (left_out, test, news) = (left_out(), test_message(), preflight());
    for message in [
        Message::LeftOut(&left_out),
        Message::Test(&test),
        Message::Preflight(&news),
    ] {
        let notification = notification(message);
        assert_is_taken(&message.id(), &notification);
        assert_is_plain(&message.id(), &notification);
    }
}

#[test]
fn nothing_is_forged_in_a_chat() {
    let message = "Access Denied\r\nWhat to do: nothing <@U012AB3CD> <!channel> @here [approve](https://evil.example) \
                   *done* `code` &#10;:white_check_mark: \u{202e}evil.example";
    for report in [
        samples::unverified(message),
        samples::advisories::refused_call(message),
        samples::advisories::unverified_restore(message),
    ] {
        let notification = notification(Message::Report(&report));
        assert_is_taken("forged", &notification);
        assert_is_plain("forged", &notification);
        let description = notification["content"]["description"].as_str().unwrap();
        let lines = description.lines();
        let forged: Vec<&str> = lines.filter(|line| line.contains("U012AB3CD")).collect();
        assert!(
            forged
                .iter()
                .all(|line| line.starts_with("AWS's message: ")),
            "{description}"
        );
        assert_eq!(forged.len(), 1, "{description}");
        assert!(!description.contains(":white_check_mark:"), "{description}");
        assert!(!description.contains("evil.example"), "{description}");
    }
}

#[test]
fn what_is_too_long_for_a_chat_is_cut_with_a_pointer() {
    let mut report = samples::advised();
    for candidate in &mut report.diagnosis.candidates {
        candidate.evidence = vec!["e".repeat(20_000)];
    }
    let advice = report.advice.as_mut().unwrap();
    advice.who = "w".repeat(5_000);
    advice.steps = vec![format!("{}\naws backup x", "s".repeat(5_000)); 40];
    let notification = notification(Message::Report(&report));
    assert_is_taken("long", &notification);
    let steps = texts(&notification["content"]["nextSteps"]);
    assert_eq!(steps.len(), 10);
    assert_eq!(steps[9], "31 more steps stand in the e-mail.");
    assert!(
        steps[0]
            .as_str()
            .unwrap()
            .ends_with("... [what to copy stands in the e-mail]")
    );
}

#[test]
fn an_incident_is_one_thread() {
    let report = samples::advised();
    let message = Message::Report(&report);
    let notice = Notice::of(message);
    let told = notification(message);
    assert_eq!(told["metadata"]["threadId"], json!(notice.incident));
    assert_eq!(told["id"], json!(notice.id));
}
