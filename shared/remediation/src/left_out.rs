//! Messages about the copies of one source account, of which an hour has no more than the settings
//! say: those left out are summed up by one message after the hour.

use std::collections::{BTreeMap, BTreeSet};

use copymend_policy::AccountId;
use jiff::Timestamp;
use serde::Serialize;

use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::ledger::{CountedOfSource, Ledger, OF_ALL_ACCOUNTS, Recalled};
use crate::message::{Channels, Message, SentOnce, send_once};
use crate::ports::{CallError, CallResult, Clock, Environment, Reads};
use crate::report::{Outcome, Report, Subject};
use crate::turns::{SHORT_WAIT, wait_for_turn};

/// So many copy jobs are named by a summary: the first ones.
pub const NAMED_COPY_JOBS: u64 = 5;
const HOUR: i64 = 60 * 60;

/// Whose copies messages are about. Events that AWS Backup doesn't confirm stand apart, so that
/// made-up ones can't silence real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessagesOf {
    /// The source account.
    pub account: AccountId,
    /// Whether AWS Backup confirmed the events.
    pub is_confirmed: bool,
}

impl MessagesOf {
    const fn counted_as(self) -> CountedOfSource {
        if self.is_confirmed {
            CountedOfSource::Messages
        } else {
            CountedOfSource::UnverifiedMessages
        }
    }

    const fn counted_of_all_as(self) -> CountedOfSource {
        if self.is_confirmed {
            CountedOfSource::AllMessages
        } else {
            CountedOfSource::AllUnverifiedMessages
        }
    }
}

/// All accounts together have so many times the messages of one.
const BUDGETS_OF_ALL: u32 = 10;

/// How many messages all accounts together have in an hour, where one has so many.
pub(crate) const fn budget_of_all(budget: u32) -> u32 {
    budget.saturating_mul(BUDGETS_OF_ALL)
}

/// The messages that were left out and not summed up yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// Whose copies they were about.
    #[serde(flatten)]
    pub of: MessagesOf,
    /// How many. A call whose answer was lost may count twice.
    pub count: u64,
    /// How many for each cause, by its slug; `recovered` for copies that work again.
    pub causes: BTreeMap<String, u64>,
    /// The first copy jobs, at most [`NAMED_COPY_JOBS`].
    pub copy_jobs: BTreeSet<String>,
    /// When the first was left out.
    pub first_at: Timestamp,
    /// When the last was.
    pub last_at: Timestamp,
}

/// The part of the ledger that keeps messages that were left out.
pub trait LeftOutMessages: Send + Sync {
    /// Adds a message that is about to be left out. `false`, and nothing added, while somebody
    /// is about to sum up: then the message has to be sent. A claim whose time is over ends
    /// here, so that its owner can't forget what is added.
    fn leave_out(
        &self,
        of: MessagesOf,
        cause: &str,
        copy_job_id: &str,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<bool>> + Send;

    /// What was left out, where the first was in an earlier hour: it is this owner's to sum up
    /// until then. `None` where there is nothing, or it is another's. The same owner gets it again,
    /// as with a job.
    fn claim_left_out(
        &self,
        of: MessagesOf,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = CallResult<Option<LeftOut>>> + Send;

    /// Forgets what was summed up. What is another's by now is left alone.
    fn forget_left_out(
        &self,
        of: MessagesOf,
        owner: &str,
    ) -> impl Future<Output = CallResult<()>> + Send;
}

/// The beginning of the hour in UTC.
#[must_use]
pub fn start_of_hour(at: Timestamp) -> Timestamp {
    let seconds = at.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(HOUR)).unwrap_or(at)
}

/// Since when messages about an account's copies are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeftOutSince {
    /// The ledger wasn't asked.
    NotAsked,
    /// None are.
    Never,
    /// Since then.
    At(Timestamp),
}

impl LeftOutSince {
    /// As the ledger was asked when a confirmed event arrived.
    pub(crate) fn of(recalled: Option<&Recalled>) -> Self {
        match recalled.map(|known| known.left_out_since) {
            None => Self::NotAsked,
            Some(None) => Self::Never,
            Some(Some(since)) => Self::At(since),
        }
    }
}

/// Whether a message is sent, or is one too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It has its turn now.
    HasItsTurn,
    /// It is never left out, or can't be: it has to wait for its turn.
    NeedsATurn,
    /// It is kept for the summary.
    LeftOut,
}

/// Whether the message is one too many for this hour, or would wait for too long, and is kept for the
/// summary. A ledger that doesn't answer leaves nothing out.
pub(crate) async fn place_of<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    (budget, known): (u32, Option<&Recalled>),
    report: &Report,
) -> Place {
    let now = environment.clock().now();
    let (Some(of), Some(copy_job_id)) = (report.messages_of(), report.copy_job_id()) else {
        return Place::NeedsATurn;
    };
    if report.may_have_written() || report.changed_settings.is_some() {
        return Place::NeedsATurn;
    }
    let cause = match report.outcome {
        Outcome::Recovered => Outcome::Recovered.slug(),
        Outcome::RepairedAndRetried
        | Outcome::Repaired
        | Outcome::Retried
        | Outcome::RetryPlanned
        | Outcome::Planned
        | Outcome::Advised
        | Outcome::Refused
        | Outcome::Failed
        | Outcome::Nothing
        | Outcome::AlreadyHandled => report.diagnosis.cause.slug(),
    };
    let place = async {
        if has_its_turn(environment, ledger, of, (budget, known)).await? {
            return Ok(Place::HasItsTurn);
        }
        let is_left_out = ledger.leave_out(of, cause, copy_job_id, now).await?;
        Ok(if is_left_out {
            Place::LeftOut
        } else {
            Place::NeedsATurn
        })
    };
    place.await.unwrap_or_else(|error: CallError| {
        tracing::warn!(%error, "whether there are too many messages is not known: this one is sent");
        Place::NeedsATurn
    })
}

/// Counts the message for its account and for all accounts together, and waits for its turn. `false` where a
/// budget is used up, or it would wait for too long.
///
/// Where the budgets are known to have room, all three are asked at once: others may use them up at the
/// same moment, and then a turn passes unused. Where they have none, no turn is taken.
async fn has_its_turn<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    of: MessagesOf,
    (budget, known): (u32, Option<&Recalled>),
) -> CallResult<bool> {
    let now = environment.clock().now();
    let of_all = budget_of_all(budget);
    let of_account = ledger.count_of_source(of.counted_as(), of.account, budget, now);
    let of_all_accounts = async {
        match OF_ALL_ACCOUNTS.parse() {
            Ok(all) => {
                let counted_as = of.counted_of_all_as();
                ledger.count_of_source(counted_as, all, of_all, now).await
            }
            Err(_) => Ok(true),
        }
    };
    let none = Channels::new();
    let turn = wait_for_turn(environment, ledger, &none, SHORT_WAIT);
    let known = known.filter(|_| of.is_confirmed);
    match known.and_then(|known| Some((known.messages?, known.messages_of_all?))) {
        Some((messages, all)) if messages >= budget || all >= of_all => Ok(false),
        Some(_) => {
            let (of_account, of_all_accounts, turn) =
                tokio::join!(of_account, of_all_accounts, turn);
            Ok(of_account? && of_all_accounts? && turn?)
        }
        None => Ok(of_account.await? && of_all_accounts.await? && turn.await?),
    }
}

impl Report {
    /// Whose copy it is about, where it is about one of an account.
    fn messages_of(&self) -> Option<MessagesOf> {
        match &self.subject {
            Subject::Copy(copy) => Some(MessagesOf {
                account: copy.account.parse().ok()?,
                is_confirmed: self.is_confirmed(),
            }),
            Subject::ApiCall(_) | Subject::Job(_) => None,
        }
    }

    /// Whether a policy or role was written, or may have been.
    pub(crate) fn may_have_written(&self) -> bool {
        let may_have = match self.outcome {
            // A change that doesn't show may have been put all the same.
            Outcome::Failed | Outcome::Retried | Outcome::RetryPlanned => !self.changes.is_empty(),
            Outcome::RepairedAndRetried | Outcome::Repaired => true,
            Outcome::Planned
            | Outcome::Advised
            | Outcome::Refused
            | Outcome::Recovered
            | Outcome::Nothing
            | Outcome::AlreadyHandled => false,
        };
        may_have || self.changes.iter().any(|change| change.applied)
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// After an event that people could have been told of: sums up what an earlier hour left out
    /// for its account. The event was handled, so that a failure leaves that to a later event.
    ///
    /// Where it is known that none are, nothing is asked.
    pub(crate) async fn sum_up_after(
        &self,
        report: &Report,
        invocation: &Invocation,
        known: LeftOutSince,
    ) {
        if !report.outcome.is_told() {
            return;
        }
        let hour = start_of_hour(self.now());
        match known {
            LeftOutSince::Never => return,
            LeftOutSince::At(since) if since >= hour => return,
            LeftOutSince::At(_) | LeftOutSince::NotAsked => {}
        }
        if let Some(of) = report.messages_of()
            && let Err(error) = self.sum_up(of, invocation).await
        {
            tracing::warn!(%error, "messages that were left out were not summed up");
        }
    }

    /// Sums up everything that an earlier hour left out for an account.
    pub(crate) async fn sum_up_all(
        &self,
        account: AccountId,
        invocation: &Invocation,
    ) -> Result<(), HandlerError> {
        for is_confirmed in [true, false] {
            let of = MessagesOf {
                account,
                is_confirmed,
            };
            self.sum_up(of, invocation).await?;
        }
        Ok(())
    }

    async fn sum_up(&self, of: MessagesOf, invocation: &Invocation) -> Result<(), HandlerError> {
        let environment = &self.environment;
        let Some(ledger) = environment.ledger() else {
            return Ok(());
        };
        let (owner, now) = (&invocation.id, environment.clock().now());
        let until = invocation.held_until();
        let Some(left_out) = ledger.claim_left_out(of, owner, now, until).await? else {
            return Ok(());
        };
        let message = Message::LeftOut(&left_out);
        // One that was sent, and not forgotten, may have grown since.
        let entry = format!("{}/{}", message.id(), left_out.count);
        match send_once(environment, &entry, invocation, message).await? {
            SentOnce::ByAnother => Ok(()),
            SentOnce::Now | SentOnce::Before => Ok(ledger.forget_left_out(of, owner).await?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_begins_on_the_hour() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        for (moment, start) in [
            ("2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
            ("2026-11-22T12:59:59.9Z", "2026-11-22T12:00:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:00:00Z"),
        ] {
            assert_eq!(start_of_hour(at(moment)), at(start));
        }
    }
}
