//! What was refused or failed.

use copymend_remediation::report::{CopySummary, Report, Subject};

use super::view::View;
use crate::text::{inline, inline_up_to};
use crate::{subject, words};

impl View {
    pub(super) fn subject(&mut self, report: &Report) {
        let seen = report.occurrences.filter(|count| *count > 1);
        let verified = if report.verified {
            "verified"
        } else {
            "not verified"
        };
        let what_happened = subject::what_happened(&report.subject).unwrap_or_default();
        match &report.subject {
            Subject::Copy(copy) => {
                self.row("copy", &from_to(copy));
                let again = seen.map(|count| format!(", seen {count} times"));
                let again = again.unwrap_or_default();
                let id = inline(&copy.copy_job_id);
                self.row("job", &format!("{id}, {verified}{again}"));
            }
            Subject::ApiCall(call) => {
                self.prose("call", &what_happened);
                if let Some(resource) = &call.resource {
                    self.row("on", &inline(resource));
                }
                if !call.error_code.is_empty() {
                    self.row("error", &inline(&call.error_code));
                }
            }
            Subject::Job(job) => {
                self.prose("job", &what_happened);
                self.row("id", &format!("{}, {verified}", inline(&job.job_id)));
                for resource in [&job.resource, &job.vault].into_iter().flatten() {
                    self.row("on", &inline(resource));
                }
            }
        }
        if let (Some(count), None) = (seen, report.copy_job_id()) {
            self.row("seen", &format!("{count} times"));
        }
        self.message(&report.message);
    }
}

/// What was copied, from which vault to which.
fn from_to(copy: &CopySummary) -> String {
    let what = match (&copy.resource, &copy.resource_type) {
        (Some(resource), Some(kind)) => {
            format!("{} {}", inline_up_to(kind, 50), words::short(resource))
        }
        (Some(resource), None) => words::short(resource),
        (None, Some(kind)) => inline_up_to(kind, 50),
        (None, None) => "a backup".to_owned(),
    };
    let place = |vault| subject::vault(vault, "", " in ", " ");
    let (from, to) = (place(&copy.source_vault), place(&copy.destination_vault));
    format!("{what}: {from} → {to}")
}
