//! A notifier that keeps what it is given.

use std::sync::{Arc, Mutex, PoisonError};

use copymend_remediation::advisor::Advisory;
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult, Notifier};
use copymend_remediation::report::Report;
use serde_json::Value;

use crate::calls::Calls;

/// A report that people would have got.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// One line: the outcome, the cause and the job.
    pub subject: String,
    /// The report.
    pub report: Report,
    /// The report as JSON.
    pub json: Value,
}

/// Keeps the reports of the remediator and the advisories of the access advisor.
#[derive(Clone, Debug, Default)]
pub struct MemoryNotifier {
    calls: Calls,
    sent: Arc<Mutex<Vec<Notification>>>,
    advisories: Arc<Mutex<Vec<Advisory>>>,
}

impl MemoryNotifier {
    pub(crate) fn new(calls: Calls) -> Self {
        Self {
            calls,
            sent: Arc::default(),
            advisories: Arc::default(),
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

    /// The advisories that were sent, oldest first.
    #[must_use]
    pub fn advisories(&self) -> Vec<Advisory> {
        self.advisories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Notifier<Report> for MemoryNotifier {
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
            report.outcome, report.diagnosis.cause, report.copy.copy_job_id
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
}

impl Notifier<Advisory> for MemoryNotifier {
    async fn notify(&self, advisory: &Advisory) -> CallResult<bool> {
        self.calls.begin("sns:Publish", &advisory.event).fault()?;
        self.advisories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(advisory.clone());
        Ok(true)
    }
}
