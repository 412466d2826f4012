//! A copy that failed before a repair for another copy of the same incident was made: the policy admits it
//! by now, so that it only has to be started again.
//!
//! Of a storm all copies but the first go this way, and most of them need nobody to hear of them. So
//! nothing is investigated, and the ledger is asked three times: what it knows; to begin the job and
//! count the retry; and to remember the new job, count the occurrence and end the job. Where the number is one
//! that people hear of, the message is claimed with the retry. Whatever doesn't fit
//! goes the whole way, as if it hadn't been tried.

use copymend_diagnosis::{CopyJobEvent, Failure};

use crate::claimed_message::ToBeTold;
use crate::decide::{Decision, decide};
use crate::delivery::{Delivery, conclude, conclude_told};
use crate::done::Findings;
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::incident::{Telling, record_retry};
use crate::later::Arrival;
use crate::ledger::{
    Count, CountState, Counting, JobProgress, Ledger, Occurrence, Recalled, RecordedSettings,
    StartedAgain, StartedAgainEnd,
};
use crate::message::Channels;
use crate::ports::{CallResult, Clock, Environment};
use crate::recall::{RecalledIncident, RecalledJob, Recollection};
use crate::report::{Outcome, Report};
use crate::show::Case;

/// What became of a copy that a repair for another copy may admit.
pub(crate) enum Followed {
    /// It was started again.
    Ended(Box<Report>),
    /// No repair for another copy admits it, as far as was looked: it has to go the whole way.
    NotAdmitted,
    /// It has to go the whole way, where a repair for another copy may count.
    Otherwise,
}

impl<E: Environment> CopyRemediator<E> {
    /// Whether it is worth a look: nothing was begun, people know of the settings, and a policy was changed.
    fn may_follow(&self, known: &Recalled) -> bool {
        let settings = RecordedSettings::from(&self.settings).hash;
        let is_told_of_settings =
            matches!(&known.settings, Ok(Some(recorded)) if recorded.hash == settings);
        let is_new = matches!(&known.job, Ok(RecalledJob::Free(progress)) if *progress == JobProgress::default());
        let is_admitted =
            matches!(&known.admission, Ok(Some(_))) || matches!(&known.key_admission, Ok(Some(_)));
        is_told_of_settings && is_new && is_admitted
    }

    /// Starts a copy again that a repair for another copy admits.
    pub(crate) async fn follow(
        &self,
        event: &CopyJobEvent,
        failure: &Failure,
        recollection: &Recollection,
        arrival: Arrival<'_>,
        invocation: &Invocation,
    ) -> Result<Followed, HandlerError> {
        let Some(ledger) = self.environment.ledger() else {
            return Ok(Followed::Otherwise);
        };
        let known = &recollection.recalled;
        if !self.may_follow(known) {
            return Ok(Followed::Otherwise);
        }
        let delivery = Delivery {
            invocation,
            progress: JobProgress::default(),
            recalled: Some(recollection.clone()),
            until: invocation.held_until(),
            is_asked_by_a_person: false,
            agreement: None,
        };
        let history = self.remember(failure, &delivery).await?;
        if history.earlier_repair.is_none() {
            return Ok(Followed::NotAdmitted);
        }
        let Some(investigated) = self.still_admitted(failure, &history, arrival).await? else {
            return Ok(Followed::Otherwise);
        };
        let diagnosis = investigated.diagnose(failure);
        let decided = decide(failure, &diagnosis, &investigated, &self.settings, &history);
        let to_be_told = self.to_be_told(failure, &history, recollection);
        let case = Case {
            failure,
            diagnosis: &diagnosis,
            investigated: &investigated,
            history: &history,
            invocation,
            arrival,
            begin: Some((&invocation.id, delivery.until)),
            message: to_be_told.as_ref(),
        };
        let now = self.now();
        let is_to_wait = case.start_not_before(now) > now && self.may_put_off();
        if !is_retry(&decided.decision) || is_to_wait {
            return Ok(Followed::Otherwise);
        }
        let done = match Box::pin(self.carry_out(decided, &case)).await {
            Ok(done) => done,
            Err(error) => {
                self.free(failure, invocation, to_be_told.as_ref()).await;
                return Err(error);
            }
        };
        if done.outcome != Outcome::Retried {
            // People need to know what to do, and it isn't tried the same way once more.
            self.free(failure, invocation, to_be_told.as_ref()).await;
            return Ok(Followed::NotAdmitted);
        }
        let findings = Findings {
            event,
            failure: Some(failure),
            diagnosis: &diagnosis,
            unknown: Vec::new(),
            advice: None,
        };
        let report = Report::of(findings, self.settings.mode, done);
        let message = (to_be_told, recollection);
        let ended = self.end_at_once(report, message, &delivery, ledger).await?;
        Ok(Followed::Ended(match ended {
            Ended::Already(report) => report,
            Ended::NotYet(report) => Box::new(self.conclude(*report, &delivery, failure).await?),
        }))
    }

    /// Tells people of a copy that was started again where its message is claimed, and ends its job at once.
    ///
    /// # Errors
    ///
    /// Where another delivery has to go on.
    async fn end_at_once(
        &self,
        mut report: Report,
        (message, recollection): (Option<ToBeTold>, &Recollection),
        delivery: &Delivery<'_>,
        ledger: &E::Ledger,
    ) -> Result<Ended, HandlerError> {
        let fingerprint = report.fingerprint();
        let Some(incident) = recollection.incident(&fingerprint) else {
            return Ok(not_yet(report));
        };
        let occurrence = incident.next();
        let is_quiet = report.is_left_to_the_digest(self.settings.messages);
        let is_due = report.is_due_at(&occurrence) && !is_quiet;
        let is_claimed = message.is_some_and(|message| message.is_claimed(&fingerprint));
        if is_due && !is_claimed {
            return Ok(not_yet(report));
        }
        let count = Count {
            fingerprint: &fingerprint,
            copy_job_id: &recollection.asked.copy_job_id,
            outcome: report.outcome.counted_as(false),
            counting: Counting::First,
            is_due: false,
            is_quiet,
        };
        let told = if is_due {
            let telling = self.tell_as_claimed(&mut report, (count, &occurrence), delivery);
            telling.await?
        } else {
            Channels::new()
        };
        let counted = (count, &occurrence, &told);
        let is_over = match end(&self.environment, ledger, &report, counted, delivery).await {
            Ok(StartedAgainEnd::Finished) => {
                report.unrecorded_retry = None;
                report.occurrences = Some(occurrence.count);
                return Ok(already(if is_quiet {
                    report.with_note_of_the_digest()
                } else {
                    report
                }));
            }
            Ok(StartedAgainEnd::TakenOver) => {
                record_retry(&self.environment, &mut report).await?;
                return Ok(already(report));
            }
            Ok(StartedAgainEnd::IncidentOver) => true,
            // Too many events meet on the incident, or nobody knows whether it is done: the ordinary end
            // remembers the new job first, where no other event meets it.
            Err(error) => {
                tracing::warn!(%error, "the end of a copy that was started again takes its parts one by one");
                false
            }
        };
        if told.is_empty() {
            return Ok(not_yet(report));
        }
        // One that is over stays over: people hear of the next failure as the first.
        let counted = (count, (!is_over).then_some(&occurrence));
        let environment = &self.environment;
        conclude_told(environment, ledger, counted, delivery, told, report)
            .await
            .map(already)
    }

    /// Tells people, and ends the job that the retry has begun.
    async fn conclude(
        &self,
        report: Report,
        delivery: &Delivery<'_>,
        failure: &Failure,
    ) -> Result<Report, HandlerError> {
        let Some(ledger) = self.environment.ledger() else {
            return Ok(report);
        };
        let report = self.asking(report, delivery.invocation);
        let telling = Telling::of(&self.settings);
        let id = &failure.job().id;
        conclude(&self.environment, ledger, id, delivery, telling, Ok(report)).await
    }

    /// Frees a job that the retry may have begun. Where its message may be claimed, whoever counts the job next
    /// has to tell people.
    async fn free(&self, failure: &Failure, invocation: &Invocation, message: Option<&ToBeTold>) {
        let Some(ledger) = self.environment.ledger() else {
            return;
        };
        let count = if message.is_some_and(ToBeTold::may_be_claimed) {
            CountState::Unclear
        } else {
            CountState::Clear
        };
        let freed = ledger.abandon_job(&failure.job().id, &invocation.id, count);
        if let Err(error) = freed.await {
            tracing::warn!(%error, "the job's entry was not freed and ends by itself");
        }
    }
}

fn is_retry(decision: &Decision) -> bool {
    match decision {
        Decision::Retry => true,
        Decision::Nothing
        | Decision::Advise
        | Decision::Refuse(_)
        | Decision::Propose(_)
        | Decision::Repair(_)
        | Decision::Resume(..)
        | Decision::ReadAgain(_) => false,
    }
}

/// Counts it, and ends the job, of which nobody has to hear any more.
async fn end<E: Environment>(
    environment: &E,
    ledger: &E::Ledger,
    report: &Report,
    (count, occurrence, told): (Count<'_>, &Occurrence, &Channels),
    delivery: &Delivery<'_>,
) -> CallResult<StartedAgainEnd> {
    let (Some(record), Some(job)) = (&report.unrecorded_retry, &report.retried_job) else {
        return Ok(StartedAgainEnd::IncidentOver);
    };
    let started = StartedAgain {
        owner: &delivery.invocation.id,
        retried_job: job,
        count,
        record,
        occurrence,
        told,
    };
    let now = environment.clock().now();
    ledger.finish_started_again(&started, now).await
}

/// Whether a copy that was started again is ended.
enum Ended {
    Already(Box<Report>),
    /// It has to be counted, and told where it is due, as any event.
    NotYet(Box<Report>),
}

fn already(report: Report) -> Ended {
    Ended::Already(Box::new(report))
}

fn not_yet(report: Report) -> Ended {
    Ended::NotYet(Box::new(report))
}

impl RecalledIncident {
    /// The next occurrence, if no other is counted in between.
    pub(crate) fn next(&self) -> Occurrence {
        Occurrence {
            count: self.count.saturating_add(1),
            previous_outcome: self.outcome.clone(),
            since: self.since,
        }
    }
}
