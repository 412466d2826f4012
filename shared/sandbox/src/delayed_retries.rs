//! A queue of delayed retries in memory, in the sandbox's time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use copymend_remediation::later::DelayedRetry;
use copymend_remediation::ports::{CallResult, Clock, DelayedRetries};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::calls::Calls;
use crate::clock::SandboxClock;

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
        Some(json!({"Records": [{"eventSource": "aws:sqs", "body": body}]}))
    }
}

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
