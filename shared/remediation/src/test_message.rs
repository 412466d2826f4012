//! The test message: that the way to people works is tried before it is needed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::message::{Channels, Message, SentOnce, send, send_once, tells_somebody};
use crate::ports::{Clock, Environment, Notifier};
use crate::self_check::is_own;
use crate::settings::Mode;

/// The detail-type of the event that asks for a test message.
pub const TEST_MESSAGE_DETAIL_TYPE: &str = "Copymend Test Message";
/// Whether an event asks for a test message.
#[must_use]
pub fn is_test_message(event: &Value) -> bool {
    is_own(event, TEST_MESSAGE_DETAIL_TYPE)
}

/// What people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TestMessage {
    /// When it is sent.
    pub at: Timestamp,
    /// The function's mode.
    pub mode: Mode,
    /// The topic that it is sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

/// What became of a test message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestMessageState {
    /// It was sent.
    Sent,
    /// One was sent, or is being sent, on the same day in UTC: one a day is enough.
    SentBefore,
    /// No topic is set.
    NoTopic,
}

/// The answer to the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestMessageAnswer {
    /// What became of it.
    pub test_message: TestMessageState,
    /// When the event was handled.
    pub at: Timestamp,
}

impl<E: Environment> CopyRemediator<E> {
    /// Sends one test message, at most once in a UTC day where there is a ledger. It stands there
    /// like a job.
    pub async fn send_test_message(
        &self,
        invocation: &Invocation,
    ) -> Result<TestMessageAnswer, HandlerError> {
        let environment = &self.environment;
        let at = environment.clock().now();
        let message = TestMessage {
            at,
            mode: self.settings.mode,
            topic: self.settings.deployment.topic_arn.clone(),
        };
        let answer = |test_message| TestMessageAnswer { test_message, at };
        let (notifier, message) = (environment.notifier(), Message::Test(&message));
        if !tells_somebody(&notifier.channels()) {
            // Nobody reads it, so the day's message isn't used up.
            let sent = send(notifier, message, &Channels::new()).await;
            return match sent.failed.into_values().next() {
                None => Ok(answer(TestMessageState::NoTopic)),
                Some(error) => Err(error.into()),
            };
        }
        let entry = format!("test-message-{}", at.strftime("%F"));
        let sent = send_once(environment, &entry, invocation, message).await?;
        Ok(answer(match sent {
            SentOnce::Now => TestMessageState::Sent,
            SentOnce::Before | SentOnce::ByAnother => TestMessageState::SentBefore,
        }))
    }
}
