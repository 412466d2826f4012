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
use crate::records::RecordsAsked;

/// How far back the first digest looks, in days.
const DAYS: i64 = 7;
/// How far back any does.
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
    /// How many policies were repaired.
    pub repaired: u64,
    /// How many changes were taken back.
    pub undone: u64,
    /// How many grantees people refused.
    pub refused: u64,
    /// How many incidents are over.
    pub recovered: u64,
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
            repaired: 0,
            undone: 0,
            refused: 0,
            recovered: 0,
        }
    }

    fn of(digest: &Digest, state: DigestState) -> Self {
        Self {
            since: Some(digest.since),
            needs_a_person: digest.needs_a_person(),
            new: digest.new.count,
            still_failing: digest.still_failing.count,
            repaired: digest.repaired.count,
            undone: digest.undone.count,
            refused: digest.refused.count,
            recovered: digest.recovered.count,
            ..Self::blank(state, digest.at)
        }
    }
}

/// How many days the event asks for, if it does.
fn days_of(event: &Value) -> Option<i64> {
    let days = event.pointer("/detail/days").and_then(Value::as_i64);
    days.filter(|days| (1..=MOST_DAYS).contains(days))
}

fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(days.saturating_mul(24)))
        .unwrap_or(now)
}

impl<E: Environment> CopyRemediator<E> {
    /// Tells people what happened since the last digest, or in the days that the event asks for
    /// (`detail.days`), once in a UTC day. A week without anything is told too: it shows that
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
        let since = match days_of(event) {
            Some(days) => days_before(now, days),
            None => told_until(ledger)
                .await?
                .map_or(days_before(now, DAYS), |until| until.max(earliest)),
        };
        let until = now.saturating_sub(SETTLED).unwrap_or(now).max(since);
        let asked = RecordsAsked {
            since,
            until,
            resource: None,
            account: None,
            kinds: BTreeSet::new(),
            enough: ENOUGH,
        };
        let found = ledger.records(&asked).await?;
        let pause = ledger.pause(now).await?;
        let oldest_copies = copy_ages(ledger).await?;
        let mode = self.settings.mode;
        let digest = Digest::of(found, (since, now), mode, pause, oldest_copies);
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
