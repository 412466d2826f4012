//! Asking: a plan becomes a request, which is kept before people are told of it.

use jiff::{SignedDuration, Timestamp};

use super::{Approval, ApprovalRequest};
use crate::handler::{CopyRemediator, Invocation};
use crate::ports::Reads;
use crate::report::{Outcome, Report, Subject};
use crate::settings::Mode;

impl<E: Reads> CopyRemediator<E> {
    /// The report with the question to people, where they have to be asked.
    pub(crate) fn asking(&self, report: Report, invocation: &Invocation) -> Report {
        let asked_at = to_the_millisecond(self.now());
        let hours = SignedDuration::from_hours(i64::from(self.settings.approval_hours));
        let expires_at = asked_at.saturating_add(hours).unwrap_or(asked_at);
        self.asking_by(report, &invocation.id, asked_at, expires_at)
    }

    /// The same where the plan has changed: the question takes the place of the one before, for the
    /// rest of its time. The same plan in its place is the same question each time.
    pub(super) fn asking_instead(&self, report: Report, before: &ApprovalRequest) -> Report {
        let by = before.hash.to_string();
        self.asking_by(report, &by, before.asked_at, before.expires_at)
    }

    fn asking_by(
        &self,
        mut report: Report,
        by: &str,
        asked_at: Timestamp,
        expires_at: Timestamp,
    ) -> Report {
        if self.settings.mode != Mode::Approve || self.environment.ledger().is_none() {
            return report;
        }
        let Subject::Copy(copy) = &report.subject else {
            return report;
        };
        let (Some(plan), Ok(account)) = (report.plan, copy.account.parse()) else {
            return report;
        };
        if report.outcome != Outcome::Planned {
            return report;
        }
        let change = report.changes.first();
        let request = ApprovalRequest {
            hash: plan.as_asked_by(by, asked_at),
            plan,
            copy_job_id: copy.copy_job_id.clone(),
            account,
            region: copy.region.clone(),
            resource: change.map(|change| change.resource.clone()),
            grantee: change.and_then(|change| change.grantee.clone()),
            incident: report.fingerprint(),
            asked_at,
            expires_at,
        };
        report.approval = Some(self.question(&request));
        report.request = Some(request);
        report
    }

    /// What people are told of an open request.
    pub(crate) fn question(&self, request: &ApprovalRequest) -> Approval {
        let deployment = &self.settings.deployment;
        Approval {
            plan: request.id(),
            expires_at: Some(request.expires_at),
            function: deployment
                .function_name
                .clone()
                .zip(deployment.region.clone()),
            reply: None,
            answered: None,
        }
    }
}

/// As the ledger keeps times, so that what is read compares with what was written.
pub(super) fn to_the_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}
