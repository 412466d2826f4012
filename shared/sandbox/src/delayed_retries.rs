//! A queue of delayed retries in memory, in the sandbox's time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::{CallResult, Clock, DelayedRetries};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::calls::Calls;
use crate::clock::SandboxClock;
use crate::copies::CopyJob;
use crate::event::event_of;

/// Keeps messages until they are due.
#[derive(Clone, Debug)]
pub struct MemoryDelayedRetries {
    calls: Calls,
    clock: SandboxClock,
    /// When each message can be received, and its body.
    messages: Arc<Mutex<Vec<(Timestamp, String)>>>,
}

impl MemoryDelayedRetries {
    pub(crate) fn new(calls: Calls, clock: SandboxClock) -> Self {
        Self {
            calls,
            clock,
            messages: Arc::default(),
        }
    }

    fn messages(&self) -> MutexGuard<'_, Vec<(Timestamp, String)>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the messages in the queue can be received, in the order in which they were sent.
    #[must_use]
    pub fn due_times(&self) -> Vec<Timestamp> {
        self.messages().iter().map(|(at, _)| *at).collect()
    }

    /// Takes the first message out that can be received now, as what Lambda hands the function.
    #[must_use]
    pub fn receive(&self) -> Option<Value> {
        let now = self.clock.now();
        let mut messages = self.messages();
        let at = messages.iter().position(|(at, _)| *at <= now)?;
        let (_, body) = messages.remove(at);
        Some(delivery_of(&body, QUEUE, now))
    }
}

/// A queue by the name that `CloudFormation` would give it.
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:copymend-DelayedRetries-EXAMPLE";

/// What Lambda hands a function that reads a queue: one message, received at a time (Lambda
/// developer guide, "Using Lambda with Amazon SQS", documented).
#[must_use]
pub fn delivery_of(body: &str, queue_arn: &str, received: Timestamp) -> Value {
    let mut parts = queue_arn.split(':').skip(3);
    let (region, account) = (parts.next(), parts.next());
    let milliseconds = received.as_millisecond().to_string();
    json!({"Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": milliseconds,
            "SenderId": account,
            "ApproximateFirstReceiveTimestamp": milliseconds,
        },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }]})
}

/// What Lambda hands the function when the time of a copy that was put off once has come, five
/// minutes after the copy had failed.
#[must_use]
pub fn delivery_of_copy(job: &CopyJob) -> Value {
    let due = job.completed.saturating_add(LONGEST_FIRST_DELAY);
    let due = due.unwrap_or(job.completed);
    let message = DelayedRetry::new(event_of(job), due, 1);
    delivery_of(&message.to_body(), QUEUE, due)
}

/// The longest time for which a copy is put off first.
const LONGEST_FIRST_DELAY: Duration = Duration::from_mins(5);

impl DelayedRetries for MemoryDelayedRetries {
    async fn send(&self, message: &DelayedRetry, delay: Duration) -> CallResult<()> {
        self.calls
            .begin("sqs:SendMessage", "DelayedRetries")
            .fault()?;
        let now = self.clock.now();
        let at = now.saturating_add(delay).unwrap_or(now);
        self.messages().push((at, message.to_body()));
        Ok(())
    }
}
