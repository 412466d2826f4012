//! The messages that close a request.

use copymend_diagnosis::CopyJobEvent;

use super::{Answered, Approval, ApprovalRequest, Reply};
use crate::change::change_recorded;
use crate::done::Done;
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::ledger::{Change, Ledger};
use crate::message::{Message, SentOnce, send_once};
use crate::plan::Target;
use crate::ports::{Environment, Location};
use crate::report::{CopySummary, DecisionKind, Outcome, Report, Subject};

impl Approval {
    /// That a request was answered.
    pub(crate) fn answered(request: &ApprovalRequest, reply: Reply, answered: &Answered) -> Self {
        Self::of(request.id(), reply, answered)
    }

    /// That a plan was answered.
    pub(crate) fn of(plan: String, reply: Reply, answered: &Answered) -> Self {
        Self {
            plan,
            expires_at: None,
            function: None,
            reply: Some(reply),
            answered: Some(answered.clone()),
        }
    }
}

impl Answered {
    /// Whether a change is what this answer led to.
    pub(crate) fn made(&self, change: &Change) -> bool {
        change.made_by.as_deref() == Some(self.by.as_str()) && change.at >= self.at
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// What people are told of a no: the plan as it stands, if it can be read.
    pub(super) async fn report_of_refusal(
        &self,
        request: &ApprovalRequest,
        answered: &Answered,
        invocation: &Invocation,
    ) -> Report {
        let location = Location::new(request.account, &request.region);
        let planned = self
            .plan_to_answer(&location, &request.copy_job_id, invocation)
            .await;
        let mut report = match planned {
            Ok(planned) => planned.report,
            Err(error) => {
                let mut report = self.blank_report(request, "");
                report.notes.push(error.to_string());
                report
            }
        };
        report.decision = DecisionKind::Refuse;
        report.outcome = Outcome::Refused;
        let changes = std::mem::take(&mut report.changes);
        report.refused_changes.extend(changes);
        report.approval = Some(Approval::answered(request, Reply::Refuse, answered));
        report
    }

    /// What people are told where an earlier invocation did all but say so.
    pub(super) async fn report_of_interrupted(
        &self,
        request: &ApprovalRequest,
        answered: &Answered,
        started: &str,
        invocation: &Invocation,
    ) -> Result<Report, HandlerError> {
        let mut done = Done {
            needs_advice: false,
            is_confirmed: true,
            retried_job: Some(started.to_owned()),
            ..Done::new(DecisionKind::Retry, Outcome::Retried)
        };
        if let Some(ledger) = self.environment.ledger() {
            let progress = ledger.progress_of_job(&request.copy_job_id).await?;
            let id = progress.and_then(|progress| progress.change_id);
            let change = match id {
                Some(id) => ledger.change(&id).await?,
                None => None,
            };
            if let Some((change, _)) = change.filter(|(change, _)| answered.made(change)) {
                done.decision = DecisionKind::Repair;
                done.outcome = Outcome::RepairedAndRetried;
                done.cause = Target::of_resource(&change.resource).map(|target| target.cause());
                done.changes.push(change_recorded(&change, true));
            }
        }
        let done = done.with_note(format!(
            "an earlier invocation carried the plan out and did not come to its end; invocation {} tells of it",
            invocation.id
        ));
        let location = Location::new(request.account, &request.region);
        let job = self.ended_job(&location, &request.copy_job_id).await?;
        let mut report = if let Some(job) = job {
            self.explained(&CopyJobEvent::of_job(job.id.clone(), &job), done)
        } else {
            let mut report = self.blank_report(request, "");
            report.outcome = done.outcome;
            report.changes = done.changes;
            report.retried_job = done.retried_job;
            report.notes = done.notes;
            report
        };
        report.approval = Some(Approval::answered(request, Reply::Approve, answered));
        Ok(report)
    }

    /// Tells people once what came of a plan.
    pub(super) async fn tell_of_answer(
        &self,
        request: &ApprovalRequest,
        report: &Report,
        invocation: &Invocation,
    ) -> Result<SentOnce, HandlerError> {
        let id = format!("answer-{}", request.id());
        send_once(&self.environment, &id, invocation, Message::Report(report)).await
    }

    fn blank_report(&self, request: &ApprovalRequest, message: &str) -> Report {
        let copy = CopySummary::of_request(request);
        let mut report = Report::blank(request.copy_job_id.clone(), Subject::Copy(copy), message);
        report.mode = Some(self.settings.mode);
        report
    }
}
