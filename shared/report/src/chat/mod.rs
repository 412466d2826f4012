//! A message as Amazon Q Developer in chat applications takes it: a custom notification, which is shown
//! in Slack and Microsoft Teams (Amazon Q Developer in chat applications administrator guide, "Custom
//! notifications", documented).

mod plain;

use std::collections::BTreeMap;

use copymend_remediation::message::Message;
use copymend_remediation::report::Report;
use serde::Serialize;

use crate::approval;
use crate::email::in_short;
use crate::json::ascii;
use crate::notice::Notice;
use crate::text::{inline_up_to, quote};
use plain::{code, plain, up_to};

/// The longest parts (the same page, documented), in characters. What lies beyond Unicode's first plane
/// is counted as two, since the page doesn't say.
const TITLE: usize = 250;
const DESCRIPTION: usize = 8_000;
const NEXT_STEP: usize = 350;
const KEYWORD: usize = 75;
/// So many steps and resources are named. The page names no limit; a chat is no place for more.
const ITEMS: usize = 10;
/// So much of a service's words is quoted, in characters.
const MESSAGE: usize = 1_500;

#[derive(Serialize)]
struct Notification<'n> {
    version: &'static str,
    source: &'static str,
    id: &'n str,
    content: Content,
    metadata: Metadata<'n>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    text_type: &'static str,
    title: String,
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    next_steps: Vec<String>,
    keywords: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'n> {
    /// Messages with the same one stand in one thread.
    thread_id: &'n str,
    summary: String,
    event_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_resources: Vec<&'n str>,
    additional_context: BTreeMap<&'static str, String>,
}

/// The custom notification on a message, one line of JSON in ASCII. One incident is one thread.
///
/// Nothing that others wrote becomes markup, a mention, a link or a line of its own, and what is too long
/// is cut with a pointer to the rest.
#[must_use]
pub fn chat(message: Message<'_>, notice: &Notice<'_>) -> String {
    let report = match message {
        Message::Report(report) => Some(report),
        Message::LeftOut(_) | Message::Test(_) | Message::Preflight(_) | Message::Digest(_) => None,
    };
    let notification = Notification {
        version: "1.0",
        source: "custom",
        id: &notice.id,
        content: Content {
            text_type: "client-markdown",
            title: up_to(&plain(&notice.title), TITLE, "..."),
            description: description(message, report),
            next_steps: report.map(next_steps).unwrap_or_default(),
            keywords: keywords(notice),
        },
        metadata: Metadata {
            thread_id: notice.incident.as_deref().unwrap_or(&notice.id),
            summary: plain(&notice.title),
            event_type: notice.kind.detail_type(),
            related_resources: notice
                .resources
                .iter()
                .map(String::as_str)
                .take(ITEMS)
                .collect(),
            additional_context: context(notice),
        },
    };
    // INVARIANT: a notification serializes: it has string keys only.
    ascii(serde_json::to_string(&notification).unwrap_or_default())
}

const CUT: &str = "\n[It goes on in the e-mail.]";

fn description(message: Message<'_>, report: Option<&Report>) -> String {
    let mut lines: Vec<String> = in_short(message).iter().map(|line| plain(line)).collect();
    if let Some(report) = report {
        let quoted = quote(&report.message, MESSAGE).lines.join(" ");
        if !quoted.is_empty() {
            let quoted = inline_up_to(&quoted, MESSAGE);
            lines.push(format!("AWS's message: {}", plain(&quoted)));
        }
        lines.push("Evidence, changes and commands stand in the e-mail.".to_owned());
    } else if matches!(message, Message::Preflight(_)) {
        lines.push("Each route, its causes and its commands stand in the e-mail.".to_owned());
    } else if matches!(message, Message::Digest(_)) {
        lines.push("Each of them stands in the e-mail.".to_owned());
    }
    up_to(&lines.join("\n"), DESCRIPTION, CUT)
}

/// The commands that answer a plan, then the steps, of each its sentence. What is to be copied stands
/// in the e-mail, where nothing has to be changed to be harmless.
fn next_steps(report: &Report) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(question) = approval::question(report) {
        let asked = [("Approve", question.approve), ("Refuse", question.refuse)];
        let asked = asked.into_iter();
        steps.extend(
            asked.filter_map(|(what, command)| Some(format!("{what}: {}", code(&command)?))),
        );
    }
    let advised = report.advice.iter().flat_map(|advice| &advice.steps);
    steps.extend(advised.map(|step| {
        let mut lines = step.lines();
        let sentence = plain(&crate::text::inline(lines.next().unwrap_or_default()));
        match lines.next() {
            Some(_) => up_to(&sentence, NEXT_STEP - IN_THE_EMAIL.len(), "...") + IN_THE_EMAIL,
            None => sentence,
        }
    }));
    if steps.len() > ITEMS {
        let more = steps.len() - (ITEMS - 1);
        steps.truncate(ITEMS - 1);
        steps.push(format!("{more} more steps stand in the e-mail."));
    }
    steps
        .iter()
        .map(|step| up_to(step, NEXT_STEP, "..."))
        .collect()
}

const IN_THE_EMAIL: &str = " [what to copy stands in the e-mail]";

fn keywords(notice: &Notice<'_>) -> Vec<String> {
    let attributes = notice.attributes();
    let told = attributes.iter().filter(|(name, _)| *name != "message_id");
    let mut keywords: Vec<String> = told
        .map(|(name, value)| match *name {
            "needs-action" if value == "yes" => "needs action".to_owned(),
            "needs-action" => "no action".to_owned(),
            "severity" => format!("severity {value}"),
            _ => value.clone(),
        })
        .collect();
    keywords.sort();
    keywords
        .iter()
        .map(|word| up_to(&plain(word), KEYWORD, "..."))
        .collect()
}

fn context(notice: &Notice<'_>) -> BTreeMap<&'static str, String> {
    let attributes = notice.attributes().into_iter();
    let attributes =
        attributes.map(|(name, value)| (name, plain(&inline_up_to(&value, NEXT_STEP))));
    attributes.collect()
}
