//! The view of what the access advisor found out.

use copymend_diagnosis::PermissionState;
use copymend_remediation::advisor::{Advisory, Subject};
use copymend_remediation::report::Outcome;

use super::paint::{BAD, DIM, GOOD, STRONG, WARN};
use super::view::{ITEMS, View};
use crate::text::inline;
use crate::{json, needs, words};

/// How many permissions, and how many lines of a policy, are shown.
const LINES: usize = 80;

impl View {
    pub(super) fn advisory(&mut self, advisory: &Advisory) {
        self.advisory_headline(advisory);
        self.subject(advisory);
        self.message(&advisory.message);
        if advisory.outcome == Outcome::Advised {
            self.diagnosis(&advisory.diagnosis, &advisory.permissions);
        }
        self.permissions(advisory);
        self.policy(advisory);
        for note in advisory.notes.iter().take(ITEMS) {
            self.prose("note", &inline(note));
        }
        if let Some(advice) = &advisory.advice {
            let above = advisory.policy.as_ref().map(ToString::to_string);
            self.advice(advice, above.as_deref());
        }
    }

    fn advisory_headline(&mut self, advisory: &Advisory) {
        let (mark, colour) = match advisory.outcome {
            Outcome::Advised => ("!", WARN),
            Outcome::Nothing
            | Outcome::AlreadyHandled
            | Outcome::RepairedAndRetried
            | Outcome::Repaired
            | Outcome::Retried
            | Outcome::Planned
            | Outcome::Refused
            | Outcome::Failed => ("·", DIM),
        };
        let outcome = words::outcome(advisory.outcome, needs::is_confirmed(advisory));
        let outcome = self.paint.paint(colour, &format!("{mark} {outcome}"));
        let cause = if advisory.outcome == Outcome::Advised {
            let cause = self.paint.paint(STRONG, advisory.diagnosis.cause.slug());
            format!("  {cause}")
        } else {
            String::new()
        };
        self.line(&format!(
            "{outcome}{cause}  {}",
            needs::place(&advisory.subject)
        ));
    }

    fn subject(&mut self, advisory: &Advisory) {
        let label = match &advisory.subject {
            Subject::ApiCall(_) => "call",
            Subject::BackupJob(_) | Subject::RestoreJob(_) => "job",
        };
        self.prose(label, &needs::what_happened(&advisory.subject));
        match &advisory.subject {
            Subject::ApiCall(call) => {
                if let Some(resource) = &call.resource {
                    self.row("on", &inline(resource));
                }
                if !call.error_code.is_empty() {
                    self.row("error", &inline(&call.error_code));
                }
            }
            Subject::BackupJob(job) | Subject::RestoreJob(job) => {
                let verified = if advisory.verified {
                    "verified"
                } else {
                    "not verified"
                };
                self.row("id", &format!("{}, {verified}", inline(&job.job_id)));
                for resource in [&job.resource, &job.vault].into_iter().flatten() {
                    self.row("on", &inline(resource));
                }
            }
        }
        if let Some(count @ 2..) = advisory.occurrences {
            self.row("seen", &format!("{count} times"));
        }
    }

    fn permissions(&mut self, advisory: &Advisory) {
        let answers = &advisory.permissions;
        if answers.is_empty() {
            return;
        }
        self.row("needs", &needs::count(answers));
        for answer in needs::in_order(answers).into_iter().take(LINES) {
            let colour = match answer.state {
                PermissionState::Missing | PermissionState::Denied => BAD,
                PermissionState::Unknown => WARN,
                PermissionState::Allowed => GOOD,
            };
            let mark = self.paint.paint(colour, needs::mark(answer.state));
            self.item_behind("", &mark, 2, &needs::line(answer));
        }
    }

    fn policy(&mut self, advisory: &Advisory) {
        let Some(policy) = &advisory.policy else {
            return;
        };
        self.row("policy", "to attach, ready to paste");
        let lines = json::policy(policy);
        for line in lines.iter().take(LINES) {
            let line = self.paint.paint(GOOD, line);
            self.row("", &line);
        }
        let cut = lines.len().saturating_sub(LINES);
        if cut > 0 {
            self.row("", &format!("[{cut} more lines]"));
        }
    }
}
