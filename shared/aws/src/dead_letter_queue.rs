//! The queue of events that could not be handled, on Amazon SQS.

use aws_config::{Region, SdkConfig};
use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::CallResult;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Call;
use crate::signed::json::{error, read};
use crate::signed::{Answering, Protocol, QUERY_MODE, Service, send};

const SERVICE: Service = Service {
    prefix: "sqs",
    id: "SQS",
    name: "Amazon SQS",
};
const PROTOCOL: Protocol = Protocol {
    headers: &[("content-type", "application/x-amz-json-1.0"), QUERY_MODE],
    target: Some("AmazonSQS"),
    error,
};

/// How long a message stays hidden while it is replayed, in seconds. It appears again if nobody
/// deletes it.
const HIDDEN_SECONDS: i32 = 300;

/// A dead-letter message.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetterMessage {
    /// The event that could not be handled; the whole body where it holds none.
    pub event: Value,
    /// What deletes the message.
    receipt: String,
}

/// A dead-letter queue.
#[derive(Debug)]
pub struct DeadLetterQueue {
    config: SdkConfig,
    queue_url: String,
}

impl DeadLetterQueue {
    /// The queue at this URL. The Region is read from a URL of AWS's form; otherwise it is the
    /// configuration's.
    #[must_use]
    pub fn new(config: &SdkConfig, queue_url: &str) -> Self {
        Self {
            config: in_its_region(config, queue_url),
            queue_url: queue_url.to_owned(),
        }
    }

    /// The next message; `None` where the queue has none to give now.
    pub async fn receive(&self) -> CallResult<Option<DeadLetterMessage>> {
        let call = Call::new("sqs:ReceiveMessage", &self.queue_url);
        let body = json!({
            "QueueUrl": self.queue_url,
            "MaxNumberOfMessages": 1,
            "WaitTimeSeconds": 1,
            "VisibilityTimeout": HIDDEN_SECONDS,
        });
        let answer = call
            .send(ask(&self.config, "ReceiveMessage", &body))
            .await?;
        let answer: ReceiveMessage = read(&call, &answer)?;
        let Some(message) = answer.messages.unwrap_or_default().into_iter().next() else {
            return Ok(None);
        };
        let receipt = message
            .receipt_handle
            .ok_or_else(|| call.unreadable("`ReceiptHandle` is missing"))?;
        Ok(Some(DeadLetterMessage {
            event: event_in(message.body.as_deref().unwrap_or_default()),
            receipt,
        }))
    }

    /// Deletes a message, once its event is handled.
    pub async fn delete(&self, message: DeadLetterMessage) -> CallResult<()> {
        let body = json!({ "QueueUrl": self.queue_url, "ReceiptHandle": message.receipt });
        let request = ask(&self.config, "DeleteMessage", &body);
        let call = Call::new("sqs:DeleteMessage", &self.queue_url);
        call.send(request).await?;
        Ok(())
    }
}

/// Sends an operation of Amazon SQS.
pub(crate) fn ask(config: &SdkConfig, action: &'static str, body: &Value) -> Answering {
    send(config, SERVICE, PROTOCOL, action, body.to_string())
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ReceiveMessage {
    messages: Option<Vec<Message>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Message {
    body: Option<String>,
    receipt_handle: Option<String>,
}

/// The configuration for the Region of a queue's URL, where that is of AWS's form.
pub(crate) fn in_its_region(config: &SdkConfig, queue_url: &str) -> SdkConfig {
    let region = queue_url
        .strip_prefix("https://sqs.")
        .and_then(|rest| rest.split('.').next())
        .map(str::to_owned);
    match region {
        Some(region) => config.to_builder().region(Region::new(region)).build(),
        None => config.clone(),
    }
}

/// The event in a dead-letter message. EventBridge puts the event itself into its queue; Lambda's
/// failure destination wraps it as `requestPayload` (Lambda developer guide, "Asynchronous
/// invocation", documented). A delayed retry that failed too often carries it, too. What is no JSON
/// is kept as text.
pub(crate) fn event_in(body: &str) -> Value {
    if let Some(message) = DelayedRetry::in_body(body) {
        return message.event;
    }
    let Ok(mut message) = serde_json::from_str::<Value>(body) else {
        return Value::String(body.to_owned());
    };
    if message.get("requestContext").is_some()
        && let Some(event) = message.get_mut("requestPayload")
    {
        return event.take();
    }
    message
}

#[cfg(test)]
mod tests {
    use copymend_remediation::later::DelayedRetry;
    use serde_json::json;

    use super::event_in;

    #[test]
    fn all_kinds_of_messages_hold_the_event() {
        let event = json!({"source": "aws.backup", "detail": {}});
        assert_eq!(event_in(&event.to_string()), event);
        let wrapped = json!({
            "version": "1.0",
            "requestContext": {"condition": "RetriesExhausted"},
            "requestPayload": event,
            "responsePayload": {"errorType": "CallFailed"}
        });
        assert_eq!(event_in(&wrapped.to_string()), event);
        let now = jiff::Timestamp::UNIX_EPOCH;
        let delayed = DelayedRetry::new(event.clone(), now, 1).to_body();
        assert_eq!(event_in(&delayed), event);
        assert_eq!(event_in("no JSON"), json!("no JSON"));
    }
}
