//! The queue of delayed retries, on Amazon SQS.

use std::time::Duration;

use aws_config::SdkConfig;
use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::{CallResult, DelayedRetries};
use serde_json::json;

use crate::dead_letter_queue::{ask, in_its_region};
use crate::error::Call;

/// The queue of `COPYMEND_DELAYED_RETRIES_QUEUE_URL`, in the function's own account.
#[derive(Debug)]
pub struct SqsDelayedRetries {
    config: SdkConfig,
    queue_url: String,
}

impl SqsDelayedRetries {
    pub(crate) fn new(config: &SdkConfig, queue_url: &str) -> Self {
        Self {
            config: in_its_region(config, queue_url),
            queue_url: queue_url.to_owned(),
        }
    }
}

impl DelayedRetries for SqsDelayedRetries {
    async fn send(&self, message: &DelayedRetry, delay: Duration) -> CallResult<()> {
        let body = json!({
            "QueueUrl": self.queue_url,
            "DelaySeconds": delay.as_secs(),
            "MessageBody": message.to_body(),
        });
        let request = ask(&self.config, "SendMessage", &body);
        let call = Call::new("sqs:SendMessage", &self.queue_url);
        call.send(request).await?;
        Ok(())
    }
}
