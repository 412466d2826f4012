//! Asking: a plan becomes a request, which is kept before people are told of it.

use jiff::{SignedDuration, Timestamp};

use super::{Approval, ApprovalRequest};
use crate::agreement::PlanHash;
use crate::handler::{CopyRemediator, Invocation};
use crate::ports::{Location, Reads};
use crate::report::{Outcome, Report, Subject};
use crate::settings::Mode;

impl<E: Reads> CopyRemediator<E> {
    /// The report with the question to people, where they have to be asked.
    pub(crate) fn asking(&self, mut report: Report, invocation: &Invocation) -> Report {
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
        let location = Location::new(account, &copy.region);
        let change = report.changes.first();
        let request = ApprovalRequest {
            incident: report.fingerprint(),
            resource: change.map(|change| change.resource.clone()),
            grantee: change.and_then(|change| change.grantee.clone()),
            ..self.new_request(plan, &copy.copy_job_id, &location, invocation)
        };
        report.approval = Some(self.question(&request));
        report.request = Some(request);
        report
    }

    fn new_request(
        &self,
        plan: PlanHash,
        copy_job_id: &str,
        location: &Location,
        invocation: &Invocation,
    ) -> ApprovalRequest {
        let asked_at = to_the_millisecond(self.now());
        let hours = SignedDuration::from_hours(i64::from(self.settings.approval_hours));
        ApprovalRequest {
            hash: plan.as_asked_by(&invocation.id, asked_at),
            plan,
            copy_job_id: copy_job_id.to_owned(),
            account: location.account,
            region: location.region.clone(),
            resource: None,
            grantee: None,
            incident: String::new(),
            asked_at,
            expires_at: asked_at.saturating_add(hours).unwrap_or(asked_at),
        }
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
