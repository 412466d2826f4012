//! The test message: that the way to people works is tried before it is needed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::ledger::{JobEntry, Ledger};
use crate::ports::{Clock, Environment, Notifier};
use crate::self_check::is_own;
use crate::settings::Mode;

/// The detail-type of the event that asks for a test message.
pub const TEST_MESSAGE_DETAIL_TYPE: &str = "Copymend Test Message";
/// What the ledger keeps of a day's message.
const SENT: &str = "sent";

/// Whether an event asks for a test message.
#[must_use]
pub fn is_test_message(event: &Value) -> bool {
    is_own(event, TEST_MESSAGE_DETAIL_TYPE)
}

/// What people are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestMessage {
    /// When it is sent.
    pub at: Timestamp,
    /// The function's mode.
    pub mode: Mode,
    /// The topic that it is sent to.
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
        let answer = |test_message| TestMessageAnswer { test_message, at };
        let (owner, entry) = (
            &invocation.id,
            format!("test-message-{}", at.strftime("%F")),
        );
        let ledger = environment.ledger();
        if let Some(ledger) = ledger {
            let until = invocation.held_until();
            match ledger.begin_job(&entry, owner, at, until).await? {
                JobEntry::Started(_) => {}
                JobEntry::InProgress | JobEntry::Done(_) => {
                    return Ok(answer(TestMessageState::SentBefore));
                }
            }
        }
        let message = TestMessage {
            at,
            mode: self.settings.mode,
            topic: self.settings.deployment.topic_arn.clone(),
        };
        let sent = environment.notifier().notify_test(&message).await;
        let Some(ledger) = ledger else {
            return Ok(answer(state(sent?)));
        };
        match sent {
            Ok(true) => {
                // A message that is sent twice does no harm.
                if let Err(error) = ledger.finish_job(&entry, owner, SENT, at).await {
                    tracing::warn!(%error, "that the test message was sent is not recorded");
                }
                Ok(answer(TestMessageState::Sent))
            }
            unsent => {
                if let Err(error) = ledger.abandon_job(&entry, owner).await {
                    tracing::warn!(%error, "the test message can't be sent before its time is over");
                }
                Ok(answer(state(unsent?)))
            }
        }
    }
}

const fn state(was_sent: bool) -> TestMessageState {
    if was_sent {
        TestMessageState::Sent
    } else {
        TestMessageState::NoTopic
    }
}
