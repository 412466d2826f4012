//! The handler: from an event to a Report.

use std::time::Duration;

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{
    CopyJob, CopyJobEvent, CopyJobState, Diagnosis, EventError, Failure, advise,
};
use copymend_policy::AccountId;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::approval::InvalidApproval;
use crate::asked_ahead::OrganizationAhead;
use crate::decide::decide;
pub(crate) use crate::delivery::Delivery;
use crate::delivery::handle_once;
use crate::done::{Done, Findings};
use crate::follow::Followed;
use crate::guards::{Guard, GuardResult};
use crate::incident::{Telling, place_in_line};
use crate::known_organizations::KnownOrganizations;
use crate::later::{Arrival, DelayedRetry};
use crate::ledger::Ledger;
use crate::left_out::{LeftOutSince, Place};
use crate::message::{Message, SentOnce, send_once, send_where_unpaced};
use crate::owner_tags::OwnersTags;
use crate::ports::{Backup, CallError, CallResult, Clock, Environment, Location, Reads};
use crate::recall::{LastKeys, RecalledJob, Recollection};
use crate::report::{DecisionKind, Outcome, Report};
use crate::settings::Settings;
use crate::show::Case;

/// One invocation of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// A unique id: the Lambda request id. It owns leases and job entries.
    pub id: String,
    /// When the function is stopped.
    pub deadline: Timestamp,
}

/// Why an event got no Report. EventBridge or Lambda may deliver it again.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// The input is no event of a copy job.
    #[error(transparent)]
    Event(#[from] EventError),
    /// The input is no answer to a plan.
    #[error(transparent)]
    Approval(#[from] InvalidApproval),
    /// A call failed in a way that may pass: the event should be delivered again.
    #[error("{0}; the event should be delivered again")]
    Call(CallError),
}

impl From<CallError> for HandlerError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl HandlerError {
    /// The stable name that the Lambda answers as `errorType`.
    #[must_use]
    pub const fn error_type(&self) -> &'static str {
        match self {
            Self::Event(error) => error.error_type(),
            Self::Approval(error) => error.error_type(),
            Self::Call(_) => "CallFailed",
        }
    }
}

/// A job that still runs, by what AWS Backup says, is read again so often: the event of its end may
/// be ahead of the answer of `DescribeCopyJob` (inferred).
const READS_OF_A_RUNNING_JOB: u32 = 3;
const READ_PAUSE: Duration = Duration::from_secs(1);
/// The handler of failed copy jobs.
#[derive(Debug)]
pub struct CopyRemediator<E> {
    pub(crate) environment: E,
    pub(crate) settings: Settings,
    pub(crate) owners_tags: OwnersTags,
    pub(crate) organizations: KnownOrganizations,
    pub(crate) last_keys: LastKeys,
}

impl<E: Reads> CopyRemediator<E> {
    /// A handler with its environment and settings.
    pub const fn new(environment: E, settings: Settings) -> Self {
        Self {
            environment,
            settings,
            owners_tags: OwnersTags::new(),
            organizations: KnownOrganizations::new(),
            last_keys: LastKeys::new(),
        }
    }

    /// The environment.
    pub const fn environment(&self) -> &E {
        &self.environment
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.environment.clock().now()
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The job as AWS Backup describes it; read again while it still runs.
    pub(crate) async fn ended_job(
        &self,
        location: &Location,
        id: &str,
    ) -> CallResult<Option<CopyJob>> {
        let backup = self.environment.backup();
        let mut job = backup.describe_copy_job(location, id).await?;
        for _ in 1..READS_OF_A_RUNNING_JOB {
            match job.as_ref().map(|job| job.state) {
                Some(CopyJobState::Created | CopyJobState::Running) => {}
                Some(CopyJobState::Completed | CopyJobState::Failed | CopyJobState::Partial)
                | None => break,
            }
            self.environment.clock().sleep(READ_PAUSE).await;
            job = backup.describe_copy_job(location, id).await?;
        }
        Ok(job)
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// Handles one event, or one that was put off and that the queue of delayed retries delivers:
    /// verifies it, finds the cause, repairs and retries where every guard lets
    /// it, and tells people.
    pub async fn handle(
        &self,
        event: &Value,
        invocation: &Invocation,
    ) -> Result<Report, HandlerError> {
        let Some(message) = DelayedRetry::in_queue_event(event) else {
            let arrival = Arrival {
                event,
                delays: 0,
                ahead: None,
            };
            let event = CopyJobEvent::from_json(event)?;
            return self.handle_event(event, arrival, invocation).await;
        };
        let message = message?;
        let event = CopyJobEvent::from_json(&message.event)?;
        let now = self.environment.clock().now();
        if message.waits_too_long(now) {
            return Err(HandlerError::Event(EventError::MalformedField {
                field: "notBefore",
                reason: "it is further away than Copymend puts anything off",
            }));
        }
        if message.not_before > now {
            return self.put_back(&message, &event).await;
        }
        let arrival = Arrival {
            event: &message.event,
            delays: message.delays,
            ahead: None,
        };
        self.handle_event(event, arrival, invocation).await
    }

    pub(crate) async fn handle_event(
        &self,
        event: CopyJobEvent,
        arrival: Arrival<'_>,
        invocation: &Invocation,
    ) -> Result<Report, HandlerError> {
        if event.state == CopyJobState::Completed {
            let recovered = self.recovered(&event, invocation).await?;
            self.sum_up_after(&recovered, invocation, LeftOutSince::NotAsked)
                .await;
            return Ok(recovered);
        }
        match self.handle_failed(&event, arrival, invocation).await {
            Err(HandlerError::Call(error)) => self.put_off_after(error, &event, arrival).await,
            other => other,
        }
    }

    async fn handle_failed(
        &self,
        event: &CopyJobEvent,
        arrival: Arrival<'_>,
        invocation: &Invocation,
    ) -> Result<Report, HandlerError> {
        let recalling = async {
            let ledger = self.environment.ledger()?;
            let asking = (invocation.id.as_str(), self.now());
            Recollection::ask(ledger, event, (&self.settings, &self.last_keys), asking).await
        };
        let (verified, recalled) = tokio::join!(self.verify(event), recalling);
        let verified = verified?;
        let (id, is_confirmed) = match &verified {
            Ok(failure) => (failure.job().id.clone(), true),
            // An event that nobody confirms must not take the place of the real one.
            Err(_) => (format!("unverified-{}", event.copy_job_id), false),
        };
        // Asked of an event, it counts for what is confirmed of it.
        let recalled = match (&verified, recalled) {
            (Ok(failure), Some(recalled)) => recalled?.of(failure, &self.settings),
            (Ok(_) | Err(_), _) => None,
        };
        let mut is_anothers = false;
        let mut repeated = |outcome: Option<String>| {
            is_anothers = outcome.is_none();
            let note = match &outcome {
                Some(outcome) => format!("this job was handled before: {outcome}"),
                None => "another invocation handles this job".to_owned(),
            };
            let report = self.nothing(event, Outcome::AlreadyHandled, Some(note));
            Report {
                verified: outcome.is_some() && is_confirmed,
                ..report
            }
        };
        let left_out = LeftOutSince::of(recalled.as_ref().map(|known| &known.recalled));
        let job = recalled.as_ref().map(|known| known.recalled.job.clone());
        let report = match job.transpose()? {
            Some(RecalledJob::InProgress) => repeated(None),
            Some(RecalledJob::Done(outcome)) => repeated(Some(outcome)),
            Some(RecalledJob::Free(_)) | None => {
                let followed = match (&verified, &recalled) {
                    (Ok(failure), Some(recalled)) => {
                        let following = self.follow(event, failure, recalled, arrival, invocation);
                        Box::pin(following).await?
                    }
                    (Ok(_) | Err(_), _) => Followed::Otherwise,
                };
                let recalled = match &followed {
                    Followed::NotAdmitted => recalled.map(Recollection::without_admissions),
                    Followed::Ended(_) | Followed::Otherwise => recalled,
                };
                match followed {
                    Followed::Ended(report) => *report,
                    Followed::NotAdmitted | Followed::Otherwise => {
                        let copy = verified.as_ref().ok().map(|failure| failure.copy().clone());
                        let ahead = OrganizationAhead::of_event(copy.as_ref(), recalled.as_ref());
                        let arrival = Arrival {
                            ahead: ahead.as_ref(),
                            ..arrival
                        };
                        let make_ready = Box::pin(self.ask_ahead(copy.as_ref(), ahead.as_ref()));
                        let answer = async |delivery: &Delivery<'_>| {
                            let changed_settings = self.changed_settings(delivery).await;
                            let report = self.report(event, verified, delivery, arrival);
                            let report = Box::pin(report).await?;
                            Ok(self.asking(changed_settings.told_in(report), invocation))
                        };
                        let handling = handle_once(
                            &self.environment,
                            invocation,
                            (&id, recalled),
                            Telling::of(&self.settings),
                            answer,
                            &mut repeated,
                        );
                        let (handled, ()) = tokio::join!(Box::pin(handling), make_ready);
                        handled?
                    }
                }
            }
        };
        // The other invocation may be dead: its entry outlives it, and so this event must.
        if is_anothers && self.may_put_off() {
            return self.wait_for_another(event, arrival).await;
        }
        self.sum_up_after(&report, invocation, left_out).await;
        Ok(report)
    }

    /// The failure, where AWS Backup confirms it; otherwise what is done about the event.
    async fn verify(
        &self,
        event: &CopyJobEvent,
    ) -> Result<Result<Box<Failure>, Done>, HandlerError> {
        let Ok(account) = event.account.parse::<AccountId>() else {
            return Ok(Err(unverifiable(format!(
                "`{}` is no account id, so the job cannot be looked up",
                event.account.escape_debug()
            ))));
        };
        if event.source_vault.account_id() != Some(account)
            || event.source_vault.region() != event.region
        {
            return Ok(Err(unverifiable(
                "the source vault is not in the account and Region that the event comes from",
            )));
        }
        let location = Location::new(account, &event.region);
        Ok(match self.ended_job(&location, &event.copy_job_id).await {
            Ok(Some(job)) => Failure::verify(event, job).map(Box::new).map_err(|reason| {
                let done = Done::new(DecisionKind::Refuse, Outcome::Refused);
                let note = "the event and AWS Backup disagree: it may be late, or forged";
                unconfirmed(done, reason.to_string(), note)
            }),
            Ok(None) => Err(unverifiable("AWS Backup knows no such job")),
            Err(error) if error.may_pass() && !self.settings.deployment.is_local_run => {
                return Err(HandlerError::Call(error));
            }
            Err(error) => Err(unverifiable(error.to_string())),
        })
    }

    /// The whole way of a failed copy, from what AWS Backup says of it to the Report.
    pub(crate) async fn report(
        &self,
        event: &CopyJobEvent,
        verified: Result<Box<Failure>, Done>,
        delivery: &Delivery<'_>,
        arrival: Arrival<'_>,
    ) -> Result<Report, HandlerError> {
        let failure = match verified {
            Ok(failure) => failure,
            Err(done) => return Ok(self.explained(event, done)),
        };
        let failure = &*failure;
        let invocation = delivery.invocation;
        let mut history = self.remember(failure, delivery).await?;
        loop {
            let investigated = self
                .investigate(failure, &history, (arrival, invocation))
                .await?;
            let diagnosis = investigated.diagnose(failure);
            let decided = decide(failure, &diagnosis, &investigated, &self.settings, &history);
            let decided = self.with_a_queue(
                decided,
                failure,
                &diagnosis,
                &investigated,
                &history,
                arrival,
            );
            let is_of_unlisted_source = decided.is_of_unlisted_source;
            let case = Case {
                failure,
                diagnosis: &diagnosis,
                investigated: &investigated,
                history: &history,
                invocation,
                arrival,
                begin: None,
                message: None,
            };
            let done = Box::pin(self.carry_out(decided, &case)).await?;
            let is_under_way = matches!(done.outcome, Outcome::Retried | Outcome::RetryPlanned);
            if investigated.facts().is_none() && !is_under_way {
                // A copy that isn't started again is investigated after all: people need to know
                // what to do.
                history.earlier_repair = None;
                continue;
            }
            let findings = Findings {
                event,
                failure: Some(failure),
                diagnosis: &diagnosis,
                unknown: investigated.unknown(),
                advice: self.advice(event, &case, is_of_unlisted_source),
            };
            let report = Report::of(findings, self.settings.mode, done);
            return Ok(report.owned(investigated.facts()));
        }
    }

    /// What the message alone tells.
    pub(crate) fn explained(&self, event: &CopyJobEvent, done: Done) -> Report {
        let diagnosis = Diagnosis::from_message(&explain(&event.status_message));
        let findings = Findings {
            event,
            failure: None,
            diagnosis: &diagnosis,
            unknown: Vec::new(),
            advice: Some(advise(diagnosis.cause(), event, None)),
        };
        Report::of(findings, self.settings.mode, done)
    }

    /// An event that asks for nothing.
    fn nothing(&self, event: &CopyJobEvent, outcome: Outcome, note: Option<String>) -> Report {
        let done = Done {
            needs_advice: false,
            notes: note.into_iter().collect(),
            ..Done::new(DecisionKind::Nothing, outcome)
        };
        self.explained(event, done)
    }

    /// A copy that worked, and whose event the rule forwards so that the incident can be closed.
    async fn recovered(
        &self,
        event: &CopyJobEvent,
        invocation: &Invocation,
    ) -> Result<Report, HandlerError> {
        let nothing = |note| self.nothing(event, Outcome::Nothing, note);
        let (Some(ledger), Ok(account)) = (self.environment.ledger(), event.account.parse()) else {
            return Ok(nothing(None));
        };
        let original = ledger.retry_of(&event.copy_job_id).await?;
        let Some(original) = original.map(|retry| retry.original_job) else {
            let note = "this copy worked; it was no retry of ours";
            return Ok(nothing(Some(note.to_owned())));
        };
        let location = Location::new(account, &event.region);
        let job = self.ended_job(&location, &event.copy_job_id).await?;
        if job.is_none_or(|job| job.state != CopyJobState::Completed) {
            let note = "AWS Backup does not confirm that this copy worked";
            return Ok(nothing(Some(note.to_owned())));
        }
        let closed = ledger.close_incident(&original).await?;
        let Some(incident) = closed else {
            let note =
                format!("the retry of job {original} worked; its incident was closed before");
            let mut report = nothing(Some(note));
            report.verified = true;
            return Ok(report);
        };
        let now = self.environment.clock().now();
        let done = Done {
            needs_advice: false,
            is_confirmed: true,
            occurrences: Some(incident.count),
            ..Done::new(DecisionKind::Nothing, Outcome::Recovered)
        };
        let done = done.with_note(format!(
            "the retry of job {original} worked: the incident is over after {}, seen {} times",
            lasted(now.duration_since(incident.first_seen)),
            incident.count
        ));
        let mut report = self.explained(event, done);
        let lasted = now.duration_since(incident.first_seen).as_secs();
        report.seconds_to_good_copy = u32::try_from(lasted).ok();
        let telling = Telling::of(&self.settings);
        if !incident.is_known || report.is_left_to_the_digest(telling.messages) {
            report = report.with_note_of_the_digest();
        } else if place_in_line(
            &self.environment,
            ledger,
            (telling.budget, None),
            &mut report,
        )
        .await
            == Place::LeftOut
        {
            let message = Message::Report(&report);
            let said = send_where_unpaced(&self.environment, message).await;
            report.notes.extend(said);
        } else {
            let id = format!("recovered-{}", event.copy_job_id);
            let message = Message::Report(&report);
            match send_once(&self.environment, &id, invocation, message).await? {
                SentOnce::Now | SentOnce::Before => {}
                SentOnce::ByAnother => return Ok(report),
            }
        }
        if let Err(error) = ledger.forget_incident(&incident, &original, now).await {
            tracing::warn!(%error, "the incident was not forgotten");
        }
        Ok(report)
    }
}

/// A duration for people, to the second.
fn lasted(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} seconds"),
        (0, _) => format!("{minutes} minutes"),
        (_, _) => format!("{hours} hours and {minutes} minutes"),
    }
}

/// An event that can't be looked up.
fn unverifiable(reason: impl Into<String>) -> Done {
    let note = "the event could not be verified; it is explained from its message alone";
    let done = Done::new(DecisionKind::Advise, Outcome::Advised);
    unconfirmed(done, reason.into(), note)
}

/// An event that AWS Backup doesn't confirm, with the guard that it fails.
fn unconfirmed(done: Done, reason: String, note: &str) -> Done {
    let guards = vec![GuardResult {
        guard: Guard::VerifiedFailure,
        passed: false,
        detail: reason,
    }];
    Done { guards, ..done }.with_note(note)
}
