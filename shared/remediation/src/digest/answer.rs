//! The answer to the event that asks for a digest.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Digest;
use super::kept::{copy_ages, keep_told_until, told_until};
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::ledger::{Ledger, Records};
use crate::message::{Message, SentOnce, send_once, tells_somebody};
use crate::ports::{Clock, Environment, Notifier};
use crate::records::{Record, RecordKind, RecordsAsked, RecordsFound};

/// How far back a digest looks at most, in days; and where it isn't known until when people were told.
/// The ledger keeps that for 30 days, as it keeps any job, which is less than a month may have.
const MOST_DAYS: i64 = 31;
/// No earlier day is read once there are as many records.
const ENOUGH: usize = 5_000;
/// The index is read a moment late: what happened since is for the next digest.
const SETTLED: SignedDuration = SignedDuration::from_secs(10);

/// What became of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigestState {
    /// It was sent.
    Sent,
    /// One was sent, or is being sent, on the same day in UTC.
    SentBefore,
    /// No topic is set, so that nobody was told.
    NoTopic,
    /// There is no ledger, which would know what happened.
    NoLedger,
}

/// The answer to the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestAnswer {
    /// What became of it.
    pub digest: DigestState,
    /// When the event was handled.
    pub at: Timestamp,
    /// From when on it told; absent where nothing was read.
    pub since: Option<Timestamp>,
    /// How many things need a person.
    pub needs_a_person: u64,
    /// How many incidents are new.
    pub new: u64,
    /// How many were seen before, and again.
    pub still_failing: u64,
    /// How many need a person, and weren't seen again.
    #[serde(default)]
    pub not_seen_again: u64,
    /// How many policies were repaired.
    pub repaired: u64,
    /// How many changes were taken back.
    pub undone: u64,
    /// How many grantees people refused.
    pub refused: u64,
    /// How many incidents are over.
    pub recovered: u64,
    /// What else there is to know, such as that the event asked for days that can't be.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl DigestAnswer {
    const fn blank(digest: DigestState, at: Timestamp) -> Self {
        Self {
            digest,
            at,
            since: None,
            needs_a_person: 0,
            new: 0,
            still_failing: 0,
            not_seen_again: 0,
            repaired: 0,
            undone: 0,
            refused: 0,
            recovered: 0,
            notes: Vec::new(),
        }
    }

    fn of(digest: &Digest, state: DigestState) -> Self {
        Self {
            since: Some(digest.since),
            needs_a_person: digest.needs_a_person(),
            new: digest.new.count,
            still_failing: digest.still_failing.count,
            not_seen_again: digest.not_seen_again.count,
            repaired: digest.repaired.count,
            undone: digest.undone.count,
            refused: digest.refused.count,
            recovered: digest.recovered.count,
            notes: digest.notes.clone(),
            ..Self::blank(state, digest.at)
        }
    }
}

/// So much of what an event says is told.
const SAID: usize = 40;

/// How many days the event asks for, if it does; or why it can't have so many.
fn days_of(event: &Value) -> Result<Option<i64>, String> {
    let Some(days) = event.pointer("/detail/days").filter(|days| !days.is_null()) else {
        return Ok(None);
    };
    match days.as_i64() {
        Some(number) if (1..=MOST_DAYS).contains(&number) => Ok(Some(number)),
        Some(_) | None => {
            let said: String = days.to_string().chars().take(SAID).collect();
            Err(format!(
                "the event's days, {said}, are not a whole number from 1 to {MOST_DAYS}: this digest \
                 begins where the last one ended"
            ))
        }
    }
}

/// What may still wait for a person, however long before it was seen last.
fn waits(since: Timestamp, until: Timestamp) -> RecordsAsked {
    RecordsAsked {
        kinds: [
            RecordKind::Incident,
            RecordKind::Approval,
            RecordKind::Refusal,
        ]
        .into(),
        ..happened(since, until)
    }
}

fn happened(since: Timestamp, until: Timestamp) -> RecordsAsked {
    RecordsAsked {
        since,
        until,
        resource: None,
        account: None,
        kinds: BTreeSet::new(),
        enough: ENOUGH,
    }
}

/// What was found before, and since. What went on between the two answers stands in the later one.
fn together(before: RecordsFound, since: RecordsFound) -> RecordsFound {
    let mut known: BTreeSet<_> = since.records.iter().map(name_of).collect();
    let mut records = since.records.clone();
    let others = before.records.into_iter();
    records.extend(others.filter(|record| known.insert(name_of(record))));
    let unreadable: BTreeSet<_> = before
        .unreadable
        .into_iter()
        .chain(since.unreadable)
        .collect();
    RecordsFound {
        records,
        goes_on_before: since.goes_on_before.or(before.goes_on_before),
        unreadable: unreadable.into_iter().collect(),
    }
}

/// What tells a record from all others.
fn name_of(record: &Record) -> (RecordKind, String) {
    let name = match record {
        Record::Incident(_) | Record::Change(_) => record.id().to_owned(),
        Record::Refusal(refusal) => format!("{}#{}", refusal.resource, refusal.grantee),
        Record::Pause(pause) => pause.pause.since.to_string(),
        Record::Approval(approval) => approval.request.id(),
    };
    (record.kind(), name)
}

fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(days.saturating_mul(24)))
        .unwrap_or(now)
}

impl<E: Environment> CopyRemediator<E> {
    /// Tells people what happened since the last digest, or in the days that the event asks for
    /// (`detail.days`), and what waits for a person since earlier, once in a UTC day. A week without anything is told too: it shows that
    /// messages arrive.
    ///
    /// # Errors
    ///
    /// Where the ledger or a channel fails: another delivery has to ask again.
    pub async fn send_digest(
        &self,
        event: &Value,
        invocation: &Invocation,
    ) -> Result<DigestAnswer, HandlerError> {
        let environment = &self.environment;
        let now = environment.clock().now();
        let Some(ledger) = environment.ledger() else {
            return Ok(DigestAnswer::blank(DigestState::NoLedger, now));
        };
        let id = id_of(now);
        // What was sent before needs no reading.
        if ledger.outcome_of_job(&id).await?.is_some() {
            return Ok(DigestAnswer::blank(DigestState::SentBefore, now));
        }
        let earliest = days_before(now, MOST_DAYS);
        let (days, notes) = match days_of(event) {
            Ok(days) => (days, Vec::new()),
            Err(note) => {
                tracing::warn!(note, "the digest has days of its own");
                (None, vec![note])
            }
        };
        let since = match days {
            Some(days) => days_before(now, days),
            None => told_until(ledger)
                .await?
                .map_or(earliest, |until| until.max(earliest)),
        };
        let until = now.saturating_sub(SETTLED).unwrap_or(now).max(since);
        // What is seen again while this is read stands in the second answer.
        let before = ledger.records(&waits(earliest, since)).await?;
        let found = ledger.records(&happened(since, until)).await?;
        let found = together(before, found);
        let pause = ledger.pause(now).await?;
        let oldest_copies = copy_ages(ledger).await?;
        let mode = self.settings.mode;
        let digest = Digest::of(found, (since, now), mode, pause, oldest_copies, notes);
        let message = Message::Digest(&digest);
        let state = match send_once(environment, &id, invocation, message).await? {
            SentOnce::Now => {
                // Otherwise the next one tells some of this once more.
                if let Err(error) = keep_told_until(environment, invocation, until).await {
                    tracing::warn!(%error, "until when the digest told is not recorded");
                }
                if tells_somebody(&environment.notifier().channels()) {
                    DigestState::Sent
                } else {
                    DigestState::NoTopic
                }
            }
            SentOnce::Before | SentOnce::ByAnother => DigestState::SentBefore,
        };
        Ok(DigestAnswer::of(&digest, state))
    }
}

/// One a day: the id of its message, and of its entry in the ledger.
pub(crate) fn id_of(at: Timestamp) -> String {
    format!("digest/{}", at.strftime("%F"))
}
