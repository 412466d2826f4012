//! Counting an incident and telling people of it.

use jiff::Timestamp;

use crate::approval::ApprovalRequest;
use crate::delivery::{Delivery, Ending};
use crate::handler::HandlerError;
use crate::ledger::{Count, CountState, CountedAs, Counting, Ledger, Occurrence, Recalled};
use crate::left_out::{Place, place_of};
use crate::message::{
    Channels, Message, Sent, is_for_good, send, send_where_unpaced, tells_somebody,
};
use crate::ports::{CallResult, Clock, Notifier, Reads};
use crate::report::{DecisionKind, Outcome, Report};
use crate::settings::{Messages, Settings};
use crate::turns::{LONG_WAIT, too_many_wait, wait_for_turn};

pub use crate::fingerprint::{IncidentOf, fingerprint};

/// An incident that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedIncident {
    /// How often it was seen.
    pub count: u64,
    /// When it was seen first.
    pub first_seen: Timestamp,
    /// What it was: the fingerprint.
    pub fingerprint: String,
    /// Whether it was counted at least once otherwise than quietly: then people know of it.
    pub is_known: bool,
}

/// Whether people were told by this very delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Now,
    NotNow,
}

/// Counts the incident, and tells people where it is worth telling. Answers the report with
/// what is to be said of that; what is to be remembered with the job is in `ending`.
///
/// A delivery that goes on where an earlier one stopped neither counts nor tells twice. Where it
/// ends otherwise than what the earlier one recorded, such as a repair after facts that could not
/// be read, that is news, and is told. Where nobody knows whether the earlier one counted, people
/// are told: rather one message too many than none.
pub(crate) async fn count_and_tell<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    (job_id, owner): (&str, &str),
    (telling, delivery): (Telling, &Delivery<'_>),
    mut told: Report,
    ending: &mut Ending,
) -> Result<Report, HandlerError> {
    if !told.outcome.is_told() || told.is_undecided() {
        record_retry(environment, &mut told).await?;
        return Ok(told);
    }
    let progress = &delivery.progress;
    let fingerprint = told.fingerprint();
    let is_quiet = told.is_left_to_the_digest(telling.messages);
    let before = progress
        .counted
        .as_ref()
        .filter(|counted| counted.fingerprint == fingerprint);
    // A grant is news also where the copy had been started again without one.
    let same = before.filter(|counted| {
        !told.outcome.is_news_after(&counted.outcome)
            && (!told.is_grant() || Outcome::is_of_a_repair(&counted.outcome))
    });
    let occurrence = match same {
        Some(_) if environment.notifier().channels().is_subset(&progress.told) => {
            record_retry(environment, &mut told).await?;
            told.notes
                .push("people were told by an earlier delivery".to_owned());
            return Ok(told);
        }
        // The same number leads to the same message.
        Some(counted) => {
            record_retry(environment, &mut told).await?;
            Ok(counted.occurrence.clone())
        }
        None => {
            let count = Count {
                fingerprint: &fingerprint,
                copy_job_id: job_id,
                outcome: told.outcome.counted_as(told.is_grant()),
                counting: match before {
                    Some(_) => Counting::Again,
                    None => Counting::First,
                },
                // Whoever was told of another outcome hears of this one.
                is_due: !progress.told.is_empty() || progress.is_count_unclear,
                is_quiet,
            };
            count_and_record(environment, ledger, count, &mut told, ending).await?
        }
    };
    let mut kept = None;
    match occurrence {
        Ok(occurrence) => {
            told.occurrences = Some(occurrence.count);
            let is_due = match before {
                // A number that was passed before is no news.
                Some(_) if same.is_none() => occurrence.is_changed_by(told.outcome),
                Some(_) | None => told.is_due_at(&occurrence),
            };
            if is_quiet {
                return Ok(told.with_note_of_the_digest());
            }
            if !is_due && !told.is_always_told() {
                // People were told, and nobody answered while it could be: they are asked again.
                kept = keep(ledger, &mut told, true).await?;
                if kept.is_none() {
                    return Ok(told);
                }
            }
        }
        // Rather one message too many than none.
        Err(error) => told
            .notes
            .push(format!("the incident was not counted: {error}")),
    }
    let kept = match kept {
        Some(request) => Some(request),
        None => keep(ledger, &mut told, false).await?,
    };
    // Those who heard of something else hear of this, too.
    let taken = match same {
        Some(_) => progress.told.clone(),
        None => Channels::new(),
    };
    let (is_told, mut sent) = {
        let known = delivery.recalled.as_ref().map(|known| &known.recalled);
        let remembering = ending.record_count(ledger, (job_id, owner));
        let sending = send_in_turn(
            environment,
            ledger,
            (telling, known),
            &taken,
            &mut told,
            remembering,
        );
        sending.await?
    };
    told.notes.extend(sent.give_up(&taken, is_for_good));
    ending.told.extend(&sent.on);
    // Whoever waits for the last channel would tell all others again with each event.
    ending.is_told_of_settings =
        is_told == Told::Now && (sent.failed.is_empty() || tells_somebody(&sent.on));
    if let Some(error) = sent.error() {
        if std::mem::take(&mut ending.is_told_of_settings) {
            record_settings(ledger, owner, &told).await;
        }
        return Err(error.into());
    }
    if let (Some(request), Told::NotNow) = (kept, is_told) {
        withdraw(ledger, &request, &mut told).await;
    }
    Ok(told)
}

/// Takes a question back that nobody knows of: it is none, and keeps nobody from being asked.
async fn withdraw<L: Ledger>(ledger: &L, request: &ApprovalRequest, told: &mut Report) {
    told.approval = None;
    if let Err(error) = ledger.withdraw_request(request).await {
        tracing::warn!(%error, plan = request.id(), "a question that nobody was told of stays open");
    }
}

/// Counts an occurrence; side by side it is remembered which job the copy was started again as.
pub(crate) async fn count_and_record<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    count: Count<'_>,
    told: &mut Report,
    ending: &mut Ending,
) -> CallResult<CallResult<Occurrence>> {
    ending.count = CountState::Unclear;
    let counting = ledger.count_occurrence(count, environment.clock().now());
    let (counted, recorded) = tokio::join!(counting, record_retry(environment, told));
    if let Ok(occurrence) = &counted {
        ending.counted = Some(CountedAs {
            fingerprint: count.fingerprint.to_owned(),
            outcome: count.outcome.to_owned(),
            occurrence: occurrence.clone(),
        });
        ending.count = CountState::Clear;
    }
    recorded?;
    Ok(counted)
}

/// Remembers the job that a copy was started again as, where that isn't done yet. Without this note the new
/// job's own failure would look like a copy on demand, and stop there, and a later delivery wouldn't know
/// that the copy is started. Until it is made, another delivery starts the same copy, by its token.
///
/// # Errors
///
/// Where another delivery may make the note. Where none ever will, the log says so.
pub(crate) async fn record_retry<E: Reads>(environment: &E, told: &mut Report) -> CallResult<()> {
    let Some(record) = told.unrecorded_retry.take() else {
        return Ok(());
    };
    let (Some(ledger), Some(job)) = (environment.ledger(), &told.retried_job) else {
        return Ok(());
    };
    let now = environment.clock().now();
    match ledger.record_retried_job(job, &record, now).await {
        Err(error) if error.may_pass() => Err(error),
        Err(error) => {
            tracing::warn!(%error, job, "the retried job was not recorded");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// Records that people know of the settings that changed.
pub(crate) async fn record_settings(ledger: &impl Ledger, owner: &str, told: &Report) {
    if let Some(settings) = &told.changed_settings
        && let Err(error) = ledger.record_settings(settings, owner).await
    {
        tracing::warn!(%error, "it was not recorded that people were told of the settings");
    }
}

/// Sends the message when it has its turn, on the channels that haven't taken it, or keeps it for the
/// summary. What no number of messages is too many for takes it at any rate. How the job was counted is
/// remembered while it waits.
async fn send_in_turn<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    (telling, known): (Telling, Option<&Recalled>),
    taken: &Channels,
    told: &mut Report,
    remembering: impl Future<Output = CallResult<()>>,
) -> CallResult<(Told, Sent)> {
    let notifier = environment.notifier();
    let waiting = async {
        let place = if taken.is_empty() {
            place_in_line(environment, ledger, (telling.budget, known), told).await
        } else {
            Place::NeedsATurn
        };
        Ok(match place {
            Place::LeftOut => None,
            Place::HasItsTurn => Some(true),
            Place::NeedsATurn => Some(wait_for_turn(environment, ledger, taken, LONG_WAIT).await?),
        })
    };
    let (has_its_turn, remembered): (CallResult<Option<bool>>, _) =
        tokio::join!(waiting, remembering);
    // It goes with the job's end then.
    if let Err(error) = remembered {
        tracing::warn!(%error, "it was not recorded how the event was counted");
    }
    let Some(has_its_turn) = has_its_turn? else {
        let said = send_where_unpaced(environment, Message::Report(told)).await;
        told.notes.extend(said);
        // The summary tells everybody else.
        let sent = Sent {
            on: notifier.channels(),
            ..Sent::default()
        };
        return Ok((Told::NotNow, sent));
    };
    if !has_its_turn {
        return Err(too_many_wait(&told.event));
    }
    let sent = send(notifier, Message::Report(told), taken).await;
    Ok((Told::Now, sent))
}

/// Keeps the question to people, before they are told of it: an answer must find it. Answers it where
/// it is kept.
async fn keep<L: Ledger>(
    ledger: &L,
    told: &mut Report,
    only_if_none_is_open: bool,
) -> Result<Option<ApprovalRequest>, HandlerError> {
    let Some(request) = told.request.take() else {
        return Ok(None);
    };
    match ledger.keep_request(&request, only_if_none_is_open).await {
        Ok(true) => Ok(Some(request)),
        Ok(false) => {
            told.approval = None;
            Ok(None)
        }
        Err(error) if error.may_pass() => Err(HandlerError::Call(error)),
        Err(error) => {
            told.approval = None;
            told.notes.push(format!(
                "the plan can't be approved, it was not kept: {error}"
            ));
            Ok(None)
        }
    }
}

/// Of what people are told, and how much of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Telling {
    /// Of what they are told at once.
    pub(crate) messages: Messages,
    /// The messages about a source account's copies in an hour, where that is bounded.
    pub(crate) budget: Option<u32>,
}

impl Telling {
    /// As the settings say.
    pub(crate) const fn of(settings: &Settings) -> Self {
        Self {
            messages: settings.messages,
            budget: Some(settings.source_message_budget),
        }
    }
}

/// Whether a message has its turn, or is one too many: then a summary tells of it after the hour, and
/// the report says so.
pub(crate) async fn place_in_line<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    (budget, known): (Option<u32>, Option<&Recalled>),
    report: &mut Report,
) -> Place {
    let Some(budget) = budget.filter(|_| report.outcome.is_told()) else {
        return Place::NeedsATurn;
    };
    let place = place_of(environment, ledger, (budget, known), report).await;
    if place == Place::LeftOut {
        report.notes.push(format!(
            "this hour has too many messages (SourceMessageBudget is {budget}): a summary tells of \
             this one after the hour"
        ));
    }
    place
}

/// Tells people, unless there is nothing to tell.
pub(crate) async fn tell<N: Notifier>(
    notifier: &N,
    mut report: Report,
) -> Result<Report, HandlerError> {
    if !report.outcome.is_told() {
        return Ok(report);
    }
    let none = Channels::new();
    let mut sent = send(notifier, Message::Report(&report), &none).await;
    report.notes.extend(sent.give_up(&none, is_for_good));
    match sent.error() {
        None => Ok(report),
        Some(error) => Err(HandlerError::Call(error)),
    }
}

impl Report {
    /// Whether the report of a change of ours tells people of this, too: then the first occurrence
    /// need not. A copy that wasn't started again is no part of what that report told.
    fn is_told_by_its_change(&self) -> bool {
        self.told_by_its_change && matches!(self.outcome, Outcome::Retried | Outcome::RetryPlanned)
    }

    /// Whether people hear of it, as the incident was counted.
    pub(crate) fn is_due_at(&self, occurrence: &Occurrence) -> bool {
        if occurrence.count <= 1 && self.is_told_by_its_change() {
            return false;
        }
        // That it is planned again is no news.
        if self.outcome == Outcome::RetryPlanned {
            return occurrence.count <= 1 || occurrence.is_changed_by(self.outcome);
        }
        occurrence.is_worth_telling(self.outcome)
    }

    /// Whether people hear of it by the digest alone.
    pub(crate) fn is_left_to_the_digest(&self, messages: Messages) -> bool {
        if self.is_always_told() || self.may_have_written() {
            return false;
        }
        match messages {
            Messages::All => false,
            Messages::AfterLastRetry => {
                matches!(self.outcome, Outcome::Retried | Outcome::RetryPlanned)
            }
            Messages::NeedsAction => !self.needs_action(),
        }
    }

    pub(crate) fn with_note_of_the_digest(mut self) -> Self {
        self.notes.push(
            "no message was sent: nobody has to act now, and the digest tells of it".to_owned(),
        );
        self
    }

    /// Whether it is put off before anything was decided: people hear of it once it is.
    fn is_undecided(&self) -> bool {
        self.outcome == Outcome::RetryPlanned
            && self.decision != DecisionKind::Retry
            && !self.is_grant()
    }

    /// Whether it gave a grant.
    fn is_grant(&self) -> bool {
        self.changes.iter().any(|change| change.applied)
    }

    /// Whether people hear of it however often the incident was seen.
    fn is_always_told(&self) -> bool {
        self.changed_settings.is_some() || self.is_grant()
    }
}
