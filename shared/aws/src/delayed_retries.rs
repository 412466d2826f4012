//! The queue of delayed retries, on Amazon SQS.

use std::time::Duration;

use aws_config::SdkConfig;
use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::{CallResult, DelayedRetries};

use crate::dead_letter_queue::client_of;
use crate::error::Call;

/// The queue of `COPYMEND_DELAYED_RETRIES_QUEUE_URL`, in the function's own account.
#[derive(Debug)]
pub struct SqsDelayedRetries {
    client: aws_sdk_sqs::Client,
    queue_url: String,
}

impl SqsDelayedRetries {
    pub(crate) fn new(config: &SdkConfig, queue_url: &str) -> Self {
        Self {
            client: client_of(config, queue_url),
            queue_url: queue_url.to_owned(),
        }
    }
}

impl DelayedRetries for SqsDelayedRetries {
    async fn send(&self, message: &DelayedRetry, delay: Duration) -> CallResult<()> {
        let request = self
            .client
            .send_message()
            .queue_url(&self.queue_url)
            .delay_seconds(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
            .message_body(message.to_body());
        Call::new("sqs:SendMessage", &self.queue_url)
            .send(request.send())
            .await?;
        Ok(())
    }
}
