//! The advisor's handler: from an event to an Advisory.

use copymend_diagnosis::advisor::{
    API_CALL_DETAIL_TYPE, ApiCallEvent, BACKUP_JOB_DETAIL_TYPE, JobEvent, JobKind,
    RESTORE_JOB_DETAIL_TYPE, UnsuccessfulJob, advise_caller, advise_job_role, least_privilege,
    needs, permissions, weigh_call, weigh_job, with_message,
};
use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{Assessment, Cause, EventError, RoleArn};
use copymend_policy::{AccountId, Arn};
use jiff::SignedDuration;
use serde_json::Value;

use super::advisory::{Advisory, CallSummary, JobSummary, Subject};
use super::investigate;
use super::key_note::key_note;
use super::settings::AdvisorSettings;
use crate::handler::{HandlerError, Invocation};
use crate::incident::{Counted, count_and_tell, tell};
use crate::ledger::{JobEntry, Ledger};
use crate::ports::{Backup, CallResult, Clock, Location, Reads};
use crate::report::{DecisionKind, DiagnosisReport, Outcome};

/// An event's entry in the ledger outlives the invocation by this much.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// The handler of refused AWS Backup calls and of backup and restore jobs that came to nothing.
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
    [
        API_CALL_DETAIL_TYPE,
        BACKUP_JOB_DETAIL_TYPE,
        RESTORE_JOB_DETAIL_TYPE,
    ]
    .into_iter()
    .any(|known| kind == Some(known))
}

impl Event {
    fn from_json(event: &Value) -> Result<Self, EventError> {
        let kind = event.get("detail-type").and_then(Value::as_str);
        match kind {
            Some(BACKUP_JOB_DETAIL_TYPE) => JobEvent::from_json(event, JobKind::Backup)
                .map(Box::new)
                .map(Self::Job),
            Some(RESTORE_JOB_DETAIL_TYPE) => JobEvent::from_json(event, JobKind::Restore)
                .map(Box::new)
                .map(Self::Job),
            Some(API_CALL_DETAIL_TYPE | _) | None => {
                ApiCallEvent::from_json(event).map(Box::new).map(Self::Call)
            }
        }
    }

    /// What makes two deliveries the same: the event of a call, the state of a job.
    fn id(&self) -> String {
        match self {
            Self::Call(call) => format!("call-{}", call.id),
            Self::Job(job) => format!("job-{}-{}", job.job_id, job.state),
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
    ) -> Result<Advisory, HandlerError> {
        let event = Event::from_json(event)?;
        let Some(ledger) = self.environment.ledger() else {
            let advisory = self.advise(&event).await?;
            return tell(self.environment.notifier(), advisory).await;
        };
        let now = self.environment.clock().now();
        let until = invocation
            .deadline
            .saturating_add(GRACE)
            .unwrap_or(invocation.deadline);
        let id = event.id();
        let progress = match ledger
            .begin_job(&id, &invocation.id, now, until)
            .await
            .map_err(HandlerError::Call)?
        {
            JobEntry::Started(progress) => progress,
            JobEntry::InProgress => {
                return Ok(already_handled(&event, "another invocation handles it"));
            }
            JobEntry::Done(outcome) => {
                return Ok(already_handled(
                    &event,
                    &format!("it was handled before: {outcome}"),
                ));
            }
        };
        let told = match self.advise(&event).await {
            Ok(advisory) => {
                let notifier = self.environment.notifier();
                count_and_tell(
                    ledger,
                    notifier,
                    self.environment.clock(),
                    &id,
                    &progress,
                    advisory,
                )
                .await
                .map(|(advisory, _)| advisory)
            }
            Err(error) => Err(error),
        };
        let closed = match &told {
            Ok(advisory) => {
                let now = self.environment.clock().now();
                ledger.finish_job(&id, advisory.outcome.slug(), now).await
            }
            Err(_) => ledger.abandon_job(&id, &invocation.id).await,
        };
        if let Err(error) = closed {
            tracing::warn!(%error, "the event's entry was not closed");
        }
        told
    }

    async fn advise(&self, event: &Event) -> Result<Advisory, HandlerError> {
        match event {
            Event::Call(call) => Ok(self.advise_call(call).await),
            Event::Job(job) => self.advise_job(job).await,
        }
    }

    async fn advise_call(&self, call: &ApiCallEvent) -> Advisory {
        let mut advisory = of_call(call);
        if !call.is_refused() {
            advisory
                .notes
                .push("the call was not refused for lack of a permission".to_owned());
            return advisory;
        }
        if call.caller.is_service() {
            let service = call
                .caller
                .invoked_by
                .as_deref()
                .unwrap_or("an AWS service");
            advisory
                .notes
                .push(format!("{service} made this call on its own"));
            return advisory;
        }
        if self
            .settings
            .own_roles
            .iter()
            .any(|role| role.made(&call.caller))
        {
            advisory.notes.push(
                "Copymend made this call itself; its reports say what it could not read".to_owned(),
            );
            return advisory;
        }
        let principal = call.caller.principal.as_ref();
        let (needs, facts) = investigate::call(&self.environment, call).await;
        let explanation = explain(&call.error_message);
        let answers = permissions(&needs, principal, acting_as(call, principal), &facts);
        let answers = with_message(answers, &explanation);
        let policy = least_privilege(&needs, &answers);
        let candidates = weigh_call(&answers, &facts, &explanation);
        let cause = first(&candidates);
        advisory.notes.extend(key_note(call, &facts));
        advisory.decision = DecisionKind::Advise;
        advisory.outcome = Outcome::Advised;
        let key = facts.key.as_ref();
        advisory.advice = Some(advise_caller(call, cause, &answers, policy.as_ref(), key));
        advisory.policy = policy;
        advisory.permissions = answers;
        advisory.diagnosis = DiagnosisReport {
            cause,
            candidates,
            unknown: facts.unknown().into_iter().cloned().collect(),
        };
        advisory
    }

    async fn advise_job(&self, event: &JobEvent) -> Result<Advisory, HandlerError> {
        if !event.is_unsuccessful() {
            let mut advisory = of_job(event, &event.unconfirmed());
            advisory
                .notes
                .push(format!("the job's state is {}", event.state));
            return Ok(advisory);
        }
        let (confirmed, note) = self.confirm(event).await?;
        let verified = confirmed.is_some();
        let job = confirmed.unwrap_or_else(|| event.unconfirmed());
        let mut advisory = of_job(event, &job);
        advisory.verified = verified;
        advisory.notes.extend(note);
        let needs = needs::of_job(&job);
        let facts = investigate::job(&self.environment, &job, &needs).await;
        let explanation = explain(&job.message);
        let entity = job.role.as_ref().map(RoleArn::arn);
        let answers = permissions(
            &needs,
            entity,
            entity.map_or("", Arn::as_str),
            &facts.caller,
        );
        let answers = with_message(answers, &explanation);
        let policy = least_privilege(&needs, &answers);
        let candidates = weigh_job(&job, &answers, &facts, &explanation);
        let cause = first(&candidates);
        advisory.decision = DecisionKind::Advise;
        advisory.outcome = Outcome::Advised;
        advisory.advice = Some(advise_job_role(&job, cause, &answers, policy.as_ref()));
        advisory.policy = policy;
        advisory.permissions = answers;
        advisory.diagnosis = DiagnosisReport {
            cause,
            candidates,
            unknown: facts.unknown().into_iter().cloned().collect(),
        };
        Ok(advisory)
    }

    /// The job as AWS Backup describes it, or why it isn't confirmed.
    async fn confirm(
        &self,
        event: &JobEvent,
    ) -> Result<(Option<UnsuccessfulJob>, Option<String>), HandlerError> {
        let Ok(account) = event.account.parse::<AccountId>() else {
            return Ok((None, Some("the event names no real account".to_owned())));
        };
        let location = Location {
            account,
            region: event.region.clone(),
        };
        let backup = self.environment.backup();
        let described: CallResult<Option<Option<UnsuccessfulJob>>> = match event.kind {
            JobKind::Backup => backup
                .describe_backup_job(&location, &event.job_id)
                .await
                .map(|job| job.map(|job| UnsuccessfulJob::of_backup(event, job))),
            JobKind::Restore => backup
                .describe_restore_job(&location, &event.job_id)
                .await
                .map(|job| job.map(|job| UnsuccessfulJob::of_restore(event, job))),
        };
        match described {
            Ok(Some(Some(job))) => Ok((Some(job), None)),
            Ok(Some(None)) => Ok((
                None,
                Some(
                    "AWS Backup describes this job otherwise: the event may be late, or forged"
                        .to_owned(),
                ),
            )),
            Ok(None) => Ok((None, Some("AWS Backup knows no such job".to_owned()))),
            Err(error) if error.may_pass() && !self.settings.deployment.is_local_run => {
                Err(HandlerError::Call(error))
            }
            Err(error) => Ok((None, Some(error.to_string()))),
        }
    }
}

fn first(candidates: &[Assessment]) -> Cause {
    candidates
        .first()
        .map_or(Cause::Unknown, |candidate| candidate.cause)
}

/// The ARN that the request carried: a role's session, or the user itself.
fn acting_as<'c>(call: &'c ApiCallEvent, principal: Option<&'c Arn>) -> &'c str {
    let is_session = call.caller.arn.contains(":assumed-role/");
    match principal {
        Some(principal) if !is_session => principal.as_str(),
        Some(_) | None => &call.caller.arn,
    }
}

fn blank(event: String, subject: Subject, message: &str) -> Advisory {
    Advisory {
        event,
        subject,
        verified: false,
        message: message.to_owned(),
        diagnosis: DiagnosisReport {
            cause: Cause::Unknown,
            candidates: Vec::new(),
            unknown: Vec::new(),
        },
        permissions: Vec::new(),
        decision: DecisionKind::Nothing,
        guards: Vec::new(),
        changes: Vec::new(),
        outcome: Outcome::Nothing,
        retried_job: None,
        advice: None,
        policy: None,
        notes: Vec::new(),
        occurrences: None,
    }
}

fn of_call(call: &ApiCallEvent) -> Advisory {
    let summary = CallSummary {
        operation: call.operation.clone(),
        account: call.account.to_string(),
        region: call.region.clone(),
        caller: call.caller.arn.clone(),
        error_code: call.error_code.clone().unwrap_or_default(),
        resource: call.vault().map(|vault| vault.to_string()),
    };
    blank(
        call.id.clone(),
        Subject::ApiCall(summary),
        &call.error_message,
    )
}

fn of_job(event: &JobEvent, job: &UnsuccessfulJob) -> Advisory {
    let summary = JobSummary {
        job_id: job.id.clone(),
        account: event.account.clone(),
        region: job.region.clone(),
        state: job.state.clone(),
        role: job.role.as_ref().map(ToString::to_string),
        resource: job.resource.as_ref().map(ToString::to_string),
        resource_type: job.resource_type.clone(),
        vault: job.vault.as_ref().map(ToString::to_string),
    };
    let subject = match job.kind {
        JobKind::Backup => Subject::BackupJob(summary),
        JobKind::Restore => Subject::RestoreJob(summary),
    };
    blank(event.id.clone(), subject, &job.message)
}

fn already_handled(event: &Event, note: &str) -> Advisory {
    let mut advisory = match event {
        Event::Call(call) => of_call(call),
        Event::Job(job) => of_job(job, &job.unconfirmed()),
    };
    advisory.outcome = Outcome::AlreadyHandled;
    advisory.notes.push(note.to_owned());
    advisory
}

/// The role of a session's ARN: tools give every session another name. Other ARNs stay whole.
fn without_session(caller: &str) -> &str {
    match caller.split_once(":assumed-role/") {
        Some((_, role_and_session)) if role_and_session.contains('/') => {
            caller.rsplit_once('/').map_or(caller, |(role, _)| role)
        }
        Some(_) | None => caller,
    }
}

impl Counted for Advisory {
    /// Same cause, same caller or job role, same operation. Unconfirmed jobs have incidents of their own, so that made-up
    /// events can't silence real ones.
    fn fingerprint(&self) -> String {
        let (what, who, where_) = match &self.subject {
            Subject::ApiCall(call) => (
                call.operation.as_str(),
                without_session(&call.caller),
                &call.account,
            ),
            Subject::BackupJob(job) => (
                "backup",
                job.role.as_deref().unwrap_or_default(),
                &job.account,
            ),
            Subject::RestoreJob(job) => (
                "restore",
                job.role.as_deref().unwrap_or_default(),
                &job.account,
            ),
        };
        let unverified = match (&self.subject, self.verified) {
            (Subject::BackupJob(_) | Subject::RestoreJob(_), false) => "unverified#",
            (Subject::ApiCall(_) | Subject::BackupJob(_) | Subject::RestoreJob(_), _) => "",
        };
        format!(
            "advisor#{unverified}{}#{what}#{who}#{where_}",
            self.diagnosis.cause
        )
    }

    fn outcome(&self) -> Outcome {
        self.outcome
    }

    fn occurred(&mut self, count: u64) {
        self.occurrences = Some(count);
    }

    fn note(&mut self, note: String) {
        self.notes.push(note);
    }
}
