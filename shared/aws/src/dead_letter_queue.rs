//! The queue of events that could not be handled, on Amazon SQS.

use aws_config::{Region, SdkConfig};
use aws_sdk_sqs::Client;
use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::CallResult;
use serde_json::Value;

use crate::error::Call;

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
    client: Client,
    queue_url: String,
}

impl DeadLetterQueue {
    /// The queue at this URL. The Region is read from a URL of AWS's form; otherwise it is the
    /// configuration's.
    #[must_use]
    pub fn new(config: &SdkConfig, queue_url: &str) -> Self {
        Self {
            client: client_of(config, queue_url),
            queue_url: queue_url.to_owned(),
        }
    }

    /// The next message; `None` where the queue has none to give now.
    pub async fn receive(&self) -> CallResult<Option<DeadLetterMessage>> {
        let call = Call::new("sqs:ReceiveMessage", &self.queue_url);
        let request = self
            .client
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(1)
            .wait_time_seconds(1)
            .visibility_timeout(HIDDEN_SECONDS);
        let answer = call.send(request.send()).await?;
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
        let request = self
            .client
            .delete_message()
            .queue_url(&self.queue_url)
            .receipt_handle(message.receipt);
        Call::new("sqs:DeleteMessage", &self.queue_url)
            .send(request.send())
            .await?;
        Ok(())
    }
}

/// A client for the Region of a queue's URL, where that is of AWS's form.
pub(crate) fn client_of(config: &SdkConfig, queue_url: &str) -> Client {
    let region = queue_url
        .strip_prefix("https://sqs.")
        .and_then(|rest| rest.split('.').next())
        .map(str::to_owned);
    let config = match region {
        Some(region) => config.to_builder().region(Region::new(region)).build(),
        None => config.clone(),
    };
    Client::new(&config)
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
