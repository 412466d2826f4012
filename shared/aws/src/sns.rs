//! Amazon SNS.

use aws_config::{Region, SdkConfig};
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use copymend_policy::Arn;
use copymend_remediation::message::{Channel, Channels, Message};
use copymend_remediation::ports::{CallErrorKind, CallResult, Notifier};
use copymend_report::Email;

use crate::error::Call;

/// Amazon SNS takes subjects of up to 100 ASCII characters without line breaks (API reference,
/// `Publish`, documented).
const LONGEST_SUBJECT: usize = 100;
/// Amazon SNS takes 262,144 bytes, message attributes included; some room is left for them.
const LONGEST_MESSAGE: usize = 262_144 - 2_048;
const CUT: &str = "\n\n[The message is longer than Amazon SNS takes. The function's answer holds the whole report.]\n";

/// Publishes reports to the topic of `COPYMEND_TOPIC_ARN`, in the topic's own Region.
#[derive(Debug)]
pub struct SnsNotifier {
    topic: Option<(Client, String)>,
}

impl SnsNotifier {
    pub(crate) fn new(config: &SdkConfig, topic: Option<&str>) -> Self {
        let topic = topic.map(|topic| {
            let region = topic.parse().ok().map(|arn: Arn| arn.region().to_owned());
            let config = match region.filter(|region| !region.is_empty()) {
                Some(region) => config.to_builder().region(Region::new(region)).build(),
                None => config.clone(),
            };
            (Client::new(&config), topic.to_owned())
        });
        Self { topic }
    }
}

impl SnsNotifier {
    /// Publishes an e-mail with these attributes.
    async fn publish<const N: usize>(
        &self,
        email: Email,
        attributes: [(&str, &str); N],
    ) -> CallResult<()> {
        let Some((client, topic)) = &self.topic else {
            tracing::info!(
                subject = email.subject,
                message = email.body,
                "no topic is set; this is the message"
            );
            return Ok(());
        };
        let call = Call::new("sns:Publish", topic);
        let mut request = client
            .publish()
            .topic_arn(topic)
            .subject(subject(&email.subject))
            .message(message(email.body));
        for (name, value) in attributes {
            let attribute = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?;
            request = request.message_attributes(name, attribute);
        }
        call.send(request.send()).await?;
        Ok(())
    }
}

impl Notifier for SnsNotifier {
    fn channels(&self) -> Channels {
        let channel = match self.topic {
            Some(_) => Channel::Topic,
            None => Channel::Log,
        };
        Channels::from([channel])
    }

    async fn send(&self, message: Message<'_>, channel: Channel) -> CallResult<()> {
        match channel {
            Channel::Topic | Channel::Log => {}
        }
        let id = message.id();
        match message {
            Message::Report(report) => {
                // Another delivery may name another cause, but counts the copy under the same incident.
                let incident = report.incident.as_ref();
                let cause = incident.map_or(report.diagnosis.cause, |incident| incident.cause);
                let attributes = [
                    ("cause", cause.slug()),
                    ("outcome", report.outcome.slug()),
                    ("message_id", &id),
                ];
                let email = copymend_report::email(report);
                self.publish(email, attributes).await
            }
            Message::LeftOut(left_out) => {
                let attributes = [("outcome", "left-out"), ("message_id", &id)];
                let email = copymend_report::email_of_left_out(left_out);
                self.publish(email, attributes).await
            }
            Message::Test(test) => {
                let attributes = [("outcome", "test-message"), ("message_id", &id)];
                let email = copymend_report::email_of_test_message(test);
                self.publish(email, attributes).await
            }
            Message::Digest(digest) => {
                let attributes = [("outcome", "digest"), ("message_id", &id)];
                let email = copymend_report::email_of_digest(digest);
                self.publish(email, attributes).await
            }
            Message::Preflight(news) => {
                let attributes = [("outcome", "preflight"), ("message_id", &id)];
                let email = copymend_report::email_of_preflight(news);
                self.publish(email, attributes).await
            }
        }
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

/// Fit for a message: cut on a character's boundary, and it says so.
pub(crate) fn message(mut text: String) -> String {
    if text.len() > LONGEST_MESSAGE {
        text.truncate(text.floor_char_boundary(LONGEST_MESSAGE - CUT.len()));
        text.push_str(CUT);
    }
    text
}
