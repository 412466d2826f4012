//! The advisor's handler: from an event to a Report.

use copymend_diagnosis::EventError;
use copymend_diagnosis::advisor::{
    API_CALL_DETAIL_TYPE, ApiCallEvent, BACKUP_JOB_DETAIL_TYPE, Findings, JobEvent, JobKind,
    RESTORE_JOB_DETAIL_TYPE, ServiceJob, needs,
};
use serde_json::Value;

use super::investigate;
use super::key_note::key_note;
use super::settings::AdvisorSettings;
use crate::delivery::{Delivery, handle_once};
use crate::handler::{HandlerError, Invocation};
use crate::incident::Telling;
use crate::ports::{Backup, Location, Reads};
use crate::report::{JobSummary, Outcome, Report, Subject};

/// The handler of refused AWS Backup calls and of failed, aborted or expired backup and restore
/// jobs.
#[derive(Debug)]
pub struct AccessAdvisor<E> {
    environment: E,
    settings: AdvisorSettings,
}

/// An event that the advisor answers.
enum Event {
    Call(Box<ApiCallEvent>),
    Job(Box<JobEvent>),
}

/// Whether an event is one of those that the advisor answers, by its kind.
#[must_use]
pub fn is_for_advisor(event: &Value) -> bool {
    let kind = event.get("detail-type").and_then(Value::as_str);
    let known = [
        API_CALL_DETAIL_TYPE,
        BACKUP_JOB_DETAIL_TYPE,
        RESTORE_JOB_DETAIL_TYPE,
    ];
    kind.is_some_and(|kind| known.contains(&kind))
}

impl Event {
    fn from_json(event: &Value) -> Result<Self, EventError> {
        let kind = event.get("detail-type").and_then(Value::as_str);
        let of_job = |kind| Ok(Self::Job(Box::new(JobEvent::from_json(event, kind)?)));
        match kind {
            Some(BACKUP_JOB_DETAIL_TYPE) => of_job(JobKind::Backup),
            Some(RESTORE_JOB_DETAIL_TYPE) => of_job(JobKind::Restore),
            Some(API_CALL_DETAIL_TYPE | _) | None => {
                Ok(Self::Call(Box::new(ApiCallEvent::from_json(event)?)))
            }
        }
    }

    /// What is known before anything was looked at.
    fn blank(&self) -> Report {
        match self {
            Self::Call(call) => of_call(call),
            Self::Job(event) => of_job(event, &event.job),
        }
    }

    /// What makes two deliveries the same: the event of a call, the state of a job.
    fn id(&self) -> String {
        match self {
            Self::Call(call) => format!("call-{}", call.id),
            Self::Job(event) => format!("job-{}-{}", event.job.id, event.job.state),
        }
    }
}

impl<E: Reads> AccessAdvisor<E> {
    /// A handler with its environment and settings.
    pub const fn new(environment: E, settings: AdvisorSettings) -> Self {
        Self {
            environment,
            settings,
        }
    }

    /// The environment.
    pub const fn environment(&self) -> &E {
        &self.environment
    }

    /// Handles one event: finds out what was missing, and tells people. It changes nothing.
    pub async fn handle(
        &self,
        event: &Value,
        invocation: &Invocation,
    ) -> Result<Report, HandlerError> {
        let event = Event::from_json(event)?;
        let repeated = |outcome: Option<String>| {
            let mut report = event.blank();
            report.outcome = Outcome::AlreadyHandled;
            report.notes.push(match outcome {
                Some(outcome) => format!("it was handled before: {outcome}"),
                None => "another invocation handles it".to_owned(),
            });
            report
        };
        let answer = async |_: &Delivery<'_>| self.advise(&event).await;
        handle_once(
            &self.environment,
            invocation,
            (&event.id(), None),
            Telling::default(),
            answer,
            repeated,
        )
        .await
    }

    async fn advise(&self, event: &Event) -> Result<Report, HandlerError> {
        match event {
            Event::Call(call) => Ok(self.advise_call(call).await),
            Event::Job(job) => self.advise_job(job).await,
        }
    }

    async fn advise_call(&self, call: &ApiCallEvent) -> Report {
        let mut report = of_call(call);
        if let Some(note) = self.passed_over(call) {
            report.notes.push(note);
            return report;
        }
        let (needs, facts) = investigate::call(&self.environment, call).await;
        report.notes.extend(key_note(call, &facts));
        report.advised(Findings::of_call(call, &needs, &facts))
    }

    /// Why nothing is to be said of a call.
    fn passed_over(&self, call: &ApiCallEvent) -> Option<String> {
        let caller = &call.caller;
        if !call.is_refused() {
            Some("the call was not refused for lack of a permission".to_owned())
        } else if caller.is_service() {
            let service = caller.invoked_by.as_deref().unwrap_or("an AWS service");
            Some(format!("{service} made this call on its own"))
        } else {
            let own_roles = &self.settings.own_roles;
            own_roles.iter().any(|role| role.made(caller)).then(|| {
                "Copymend made this call itself; its reports say what it could not read".to_owned()
            })
        }
    }

    async fn advise_job(&self, event: &JobEvent) -> Result<Report, HandlerError> {
        if !event.job.is_unsuccessful() {
            let mut report = of_job(event, &event.job);
            let note = format!("the job's state is {}", event.job.state);
            report.notes.push(note);
            return Ok(report);
        }
        let (job, note) = self.confirm(event).await?;
        let mut report = of_job(event, &job);
        report.verified = note.is_none();
        report.notes.extend(note);
        let needs = needs::of_job(&job);
        let facts = investigate::job(&self.environment, &job, &needs).await;
        Ok(report.advised(Findings::of_job(&job, &needs, &facts)))
    }

    /// The job as AWS Backup describes it, or else as the event tells it, and why it isn't
    /// confirmed.
    async fn confirm(
        &self,
        event: &JobEvent,
    ) -> Result<(ServiceJob, Option<String>), HandlerError> {
        let Some(account) = event.job.account else {
            let why = "the event names no real account".to_owned();
            return Ok((event.job.clone(), Some(why)));
        };
        let location = Location {
            account,
            region: event.job.region.clone(),
        };
        let backup = self.environment.backup();
        let described = match event.job.kind {
            JobKind::Backup => backup.describe_backup_job(&location, &event.job.id).await,
            JobKind::Restore => backup.describe_restore_job(&location, &event.job.id).await,
        };
        let why = match described {
            Ok(Some(job)) => match event.confirmed_by(job) {
                Some(job) => return Ok((job, None)),
                None => "AWS Backup describes this job otherwise: the event may be late, or forged"
                    .to_owned(),
            },
            Ok(None) => "AWS Backup knows no such job".to_owned(),
            Err(error) if error.may_pass() && !self.settings.deployment.is_local_run => {
                return Err(HandlerError::Call(error));
            }
            Err(error) => error.to_string(),
        };
        Ok((event.job.clone(), Some(why)))
    }
}

fn of_call(call: &ApiCallEvent) -> Report {
    let subject = Subject::ApiCall(call.into());
    Report::blank(call.id.clone(), subject, &call.error_message)
}

fn of_job(event: &JobEvent, job: &ServiceJob) -> Report {
    let subject = Subject::Job(JobSummary::of(job, &event.account));
    Report::blank(event.id.clone(), subject, &job.status_message)
}
