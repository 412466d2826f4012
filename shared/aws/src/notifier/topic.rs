//! Amazon SNS.

use aws_config::SdkConfig;
use copymend_remediation::ports::CallResult;
use copymend_report::{Email, Notice};
use serde_json::json;

use super::in_its_region;
use crate::error::Call;
use crate::signed::query::{self, Form};
use crate::signed::{Service, send};

const SERVICE: Service = Service {
    prefix: "sns",
    id: "SNS",
    name: "Amazon SNS",
};
const ACTION: &str = "Publish";
/// The version of the API (Amazon SNS API reference, "Common parameters", documented).
const VERSION: &str = "2010-03-31";

/// Amazon SNS takes subjects of up to 100 ASCII characters without line breaks (API reference,
/// `Publish`, documented).
const LONGEST_SUBJECT: usize = 100;
/// Amazon SNS takes 262,144 bytes, message attributes included; some room is left for them.
const LONGEST_MESSAGE: usize = 262_144 - 2_048;
/// So much room is kept for the JSON, however long the e-mail is.
const JSON_ROOM: usize = 60_000;
const CUT: &str = "\n\n[The message is longer than Amazon SNS takes. The function's answer holds the whole report.]\n";

/// A topic, in its own Region.
#[derive(Debug)]
pub(super) struct Topic {
    config: SdkConfig,
    arn: String,
}

impl Topic {
    pub(super) fn new(config: &SdkConfig, arn: &str) -> Self {
        Self {
            config: in_its_region(config, arn),
            arn: arn.to_owned(),
        }
    }

    /// An e-mail for people who subscribed by e-mail, and JSON for everything else.
    ///
    /// Attributes are sent along for filter policies that match such messages as well, which is
    /// unverified: "message attributes are sent only when the message structure is String" (Amazon SNS
    /// developer guide, "Message attributes", documented). All of them stand in the JSON, too.
    pub(super) async fn publish_to_all(&self, email: Email, notice: &Notice<'_>) -> CallResult<()> {
        let mut form = Form::new(ACTION, VERSION);
        form.set("Subject", &subject(&email.subject))
            .set("MessageStructure", "json")
            .set("Message", &json_structure(email, notice));
        self.publish(form, notice).await
    }

    /// A custom notification. Its structure is String, so that its attributes travel.
    pub(super) async fn publish_to_chat(
        &self,
        notification: String,
        notice: &Notice<'_>,
    ) -> CallResult<()> {
        let mut form = Form::new(ACTION, VERSION);
        form.set("Message", &notification);
        self.publish(form, notice).await
    }

    async fn publish(&self, mut form: Form, notice: &Notice<'_>) -> CallResult<()> {
        form.set("TopicArn", &self.arn);
        for (number, (name, value)) in (1_usize..).zip(notice.attributes()) {
            let entry = format!("MessageAttributes.entry.{number}");
            form.set(&format!("{entry}.Name"), name)
                .set(&format!("{entry}.Value.DataType"), "String")
                .set(&format!("{entry}.Value.StringValue"), &value);
        }
        let body = form.into_body();
        let request = send(&self.config, SERVICE, query::PROTOCOL, ACTION, body);
        Call::new("sns:Publish", &self.arn).send(request).await?;
        Ok(())
    }
}

/// What each protocol gets: e-mail its text, SMS the subject, everything else the JSON (Amazon SNS API
/// reference, `Publish`, `MessageStructure`, documented: the keys are names of protocols, and `default`
/// has to be there). Both are cut where they don't fit together.
pub(crate) fn json_structure(email: Email, notice: &Notice<'_>) -> String {
    let sms = subject(&email.subject);
    let around = json!({"default": "", "email": "", "sms": sms})
        .to_string()
        .len();
    let room = LONGEST_MESSAGE.saturating_sub(around);
    let left = room.saturating_sub(quoted(&email.body)).max(JSON_ROOM);
    let default = notice.json_within(left, quoted);
    let left = room.saturating_sub(quoted(&default));
    json!({"default": default, "email": within(email.body, left), "sms": sms}).to_string()
}

/// How many bytes a text takes inside a text of JSON.
fn quoted(text: &str) -> usize {
    text.chars().map(quoted_character).sum()
}

fn quoted_character(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

/// Fit for a subject: white space is made one space, and what isn't ASCII a question mark.
pub(crate) fn subject(text: &str) -> String {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| {
            word.chars()
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect()
        })
        .collect();
    let mut subject = words.join(" ");
    if subject.len() > LONGEST_SUBJECT {
        subject.truncate(LONGEST_SUBJECT - 3);
        subject.push_str("...");
    }
    subject
}

/// The beginning of a text, as far as it takes no more than so many bytes inside a text of JSON; it says
/// that something is missing.
fn within(text: String, limit: usize) -> String {
    if quoted(&text) <= limit {
        return text;
    }
    let mut room = limit.saturating_sub(quoted(CUT));
    let fitting = text.chars().take_while(|character| {
        let fits = quoted_character(*character) <= room;
        room = room.saturating_sub(quoted_character(*character));
        fits
    });
    let mut kept: String = fitting.collect();
    kept.push_str(CUT);
    kept
}
