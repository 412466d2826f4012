//! A notifier that keeps what it is given.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copymend_remediation::digest::Digest;
use copymend_remediation::ledger::LeftOut;
use copymend_remediation::message::{Channel, Channels, Message};
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult, Notifier};
use copymend_remediation::preflight::PreflightNews;
use copymend_remediation::report::Report;
use copymend_remediation::test_message::TestMessage;
use serde_json::Value;

use crate::calls::Calls;

/// A report that people would have got.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// One line: the outcome, the cause and the copy job, or the event.
    pub subject: String,
    /// The report.
    pub report: Report,
    /// The report as JSON.
    pub json: Value,
}

impl Notification {
    fn of(report: &Report) -> CallResult<Self> {
        let json = serde_json::to_value(report).map_err(|error| CallError {
            operation: "sns:Publish",
            resource: report.event.clone(),
            kind: CallErrorKind::Unreadable,
            detail: error.to_string(),
        })?;
        let subject = format!(
            "{}: {} ({})",
            report.outcome,
            report.diagnosis.cause,
            report.copy_job_id().unwrap_or(&report.event)
        );
        Ok(Self {
            subject,
            report: report.clone(),
            json,
        })
    }
}

/// Keeps the messages of the copy remediator and of the access advisor.
#[derive(Clone, Debug)]
pub struct MemoryNotifier {
    calls: Calls,
    channels: Arc<Mutex<Channels>>,
    taken: Arc<Mutex<Vec<(Channel, String)>>>,
    sent: Arc<Mutex<Vec<Notification>>>,
    summaries: Arc<Mutex<Vec<LeftOut>>>,
    test_messages: Arc<Mutex<Vec<TestMessage>>>,
    preflights: Arc<Mutex<Vec<PreflightNews>>>,
    digests: Arc<Mutex<Vec<Digest>>>,
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryNotifier {
    pub(crate) fn new(calls: Calls) -> Self {
        Self {
            calls,
            channels: Arc::new(Mutex::new(Channels::from([Channel::Topic]))),
            taken: Arc::default(),
            sent: Arc::default(),
            summaries: Arc::default(),
            test_messages: Arc::default(),
            preflights: Arc::default(),
            digests: Arc::default(),
        }
    }

    /// Sends messages on these channels from now on; without this on the topic alone.
    pub fn set_channels(&self, channels: impl IntoIterator<Item = Channel>) {
        *lock(&self.channels) = channels.into_iter().collect();
    }

    /// Which channel took which message, by its id, oldest first.
    #[must_use]
    pub fn taken(&self) -> Vec<(Channel, String)> {
        lock(&self.taken).clone()
    }

    /// The reports that the first of the channels took, oldest first, as with all that follows.
    #[must_use]
    pub fn sent(&self) -> Vec<Notification> {
        lock(&self.sent).clone()
    }

    /// The test messages.
    #[must_use]
    pub fn test_messages(&self) -> Vec<TestMessage> {
        lock(&self.test_messages).clone()
    }

    /// What people were told of planned copies.
    #[must_use]
    pub fn preflights(&self) -> Vec<PreflightNews> {
        lock(&self.preflights).clone()
    }

    /// The digests.
    #[must_use]
    pub fn digests(&self) -> Vec<Digest> {
        lock(&self.digests).clone()
    }

    /// The summaries of messages that were left out.
    #[must_use]
    pub fn summaries(&self) -> Vec<LeftOut> {
        lock(&self.summaries).clone()
    }
}

impl Notifier for MemoryNotifier {
    fn channels(&self) -> Channels {
        lock(&self.channels).clone()
    }

    async fn send(&self, message: Message<'_>, channel: Channel) -> CallResult<()> {
        let id = message.id();
        let operation = match channel {
            Channel::Topic | Channel::Chat => "sns:Publish",
            Channel::ReportBus => "events:PutEvents",
            Channel::Log => "log",
        };
        self.calls.begin(operation, &id).fault()?;
        lock(&self.taken).push((channel, id));
        // What is said is the same on every channel.
        if self.channels().first() != Some(&channel) {
            return Ok(());
        }
        match message {
            Message::Report(report) => {
                let notification = Notification::of(report)?;
                lock(&self.sent).push(notification);
            }
            Message::LeftOut(left_out) => lock(&self.summaries).push(left_out.clone()),
            Message::Test(test) => lock(&self.test_messages).push(test.clone()),
            Message::Preflight(news) => lock(&self.preflights).push(news.clone()),
            Message::Digest(digest) => lock(&self.digests).push(digest.clone()),
        }
        Ok(())
    }
}
