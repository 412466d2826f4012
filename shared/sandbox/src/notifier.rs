//! A notifier that keeps what it is given.

use std::sync::{Arc, Mutex, PoisonError};

use copymend_remediation::ledger::LeftOut;
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

/// Keeps the reports of the copy remediator and of the access advisor.
#[derive(Clone, Debug, Default)]
pub struct MemoryNotifier {
    calls: Calls,
    sent: Arc<Mutex<Vec<Notification>>>,
    summaries: Arc<Mutex<Vec<LeftOut>>>,
    test_messages: Arc<Mutex<Vec<TestMessage>>>,
    preflights: Arc<Mutex<Vec<PreflightNews>>>,
}

impl MemoryNotifier {
    pub(crate) fn new(calls: Calls) -> Self {
        Self {
            calls,
            sent: Arc::default(),
            summaries: Arc::default(),
            test_messages: Arc::default(),
            preflights: Arc::default(),
        }
    }

    /// The reports that were sent, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<Notification> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The test messages that were sent, oldest first.
    #[must_use]
    pub fn test_messages(&self) -> Vec<TestMessage> {
        self.test_messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What people were told of planned copies, oldest first.
    #[must_use]
    pub fn preflights(&self) -> Vec<PreflightNews> {
        self.preflights
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The summaries of messages that were left out, oldest first.
    #[must_use]
    pub fn summaries(&self) -> Vec<LeftOut> {
        self.summaries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Notifier for MemoryNotifier {
    async fn notify(&self, report: &Report) -> CallResult<bool> {
        self.calls.begin("sns:Publish", &report.event).fault()?;
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
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Notification {
                subject,
                report: report.clone(),
                json,
            });
        Ok(true)
    }

    async fn notify_left_out(&self, left_out: &LeftOut) -> CallResult<bool> {
        let account = left_out.of.account;
        self.calls.begin("sns:Publish", account.as_str()).fault()?;
        self.summaries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(left_out.clone());
        Ok(true)
    }

    async fn notify_test(&self, message: &TestMessage) -> CallResult<bool> {
        self.calls.begin("sns:Publish", "test-message").fault()?;
        self.test_messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(message.clone());
        Ok(true)
    }

    async fn notify_preflight(&self, news: &PreflightNews) -> CallResult<bool> {
        self.calls.begin("sns:Publish", "preflight").fault()?;
        self.preflights
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(news.clone());
        Ok(true)
    }
}
