//! Looks for failed copies whose events never arrived. AWS Backup sends its events on a best-effort
//! basis (AWS Backup, "Monitoring events using EventBridge", documented).

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::{CopyJobEvent, EventError};
use copymend_policy::AccountId;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::later::Arrival;
use crate::ledger::Ledger;
use crate::ports::{Backup, Clock, Environment, Location};
use crate::report::Report;
use crate::scope::locations_of;

/// The detail-type of the event that starts a sweep.
pub const SWEEP_DETAIL_TYPE: &str = "Copymend Sweep";
/// How far back a sweep looks, in hours, unless the event says otherwise: two days outlast a
/// weekend's gap of a daily sweep that failed once.
const HOURS: i64 = 48;
/// No summary is begun with less time than this left: copies come first.
const TIME_FOR_SUMMARIES: SignedDuration = SignedDuration::from_secs(60);
/// No copy is begun with less time than this left; the next sweep goes on.
const TIME_FOR_A_COPY: SignedDuration = SignedDuration::from_secs(20);

/// What a sweep did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How many failed copies were found.
    pub found: usize,
    /// How many of them had been handled before.
    pub handled_before: usize,
    /// How many of the others came to each outcome, by its slug.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// The reports of those that no event had brought.
    pub reports: Vec<Report>,
    /// How many were left to the next sweep, for lack of time.
    pub left: usize,
    /// Copies that could not be handled, with the reason.
    pub errors: Vec<String>,
}

/// How many errors an answer of counts holds in words.
const ERRORS_IN_WORDS: usize = 20;

/// What a function answers to a sweep: counts. The reports are in the log and with people, and a
/// thousand of them don't fit into an answer of AWS Lambda, which takes 6 MB (Lambda developer
/// guide, "Lambda quotas", documented).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SweptCounts {
    /// How many failed copies were found.
    pub found: usize,
    /// How many of them had been handled before.
    pub handled_before: usize,
    /// How many of the others came to each outcome, by its slug.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// How many were left to the next sweep, for lack of time.
    pub left: usize,
    /// How many copies could not be handled, or places not looked at.
    pub failed: usize,
    /// The reasons of the first of these.
    pub errors: Vec<String>,
}

impl Swept {
    /// The counts of what was done.
    #[must_use]
    pub fn counts(&self) -> SweptCounts {
        SweptCounts {
            found: self.found,
            handled_before: self.handled_before,
            outcomes: self.outcomes.clone(),
            left: self.left,
            failed: self.errors.len(),
            errors: self.errors.iter().take(ERRORS_IN_WORDS).cloned().collect(),
        }
    }
}

/// Where and how far back to look: `detail` of the event, with `accounts`, `regions` and `hours`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scope {
    locations: Vec<Location>,
    hours: i64,
}

/// Whether an event asks for a sweep.
#[must_use]
pub fn is_sweep(event: &Value) -> bool {
    event.get("detail-type").and_then(Value::as_str) == Some(SWEEP_DETAIL_TYPE)
}

impl Scope {
    fn read(event: &Value) -> Result<Self, EventError> {
        Ok(Self {
            locations: locations_of(event)?,
            hours: event
                .pointer("/detail/hours")
                .and_then(Value::as_i64)
                .filter(|hours| (1..=24 * 30).contains(hours))
                .unwrap_or(HOURS),
        })
    }
}

impl Scope {
    /// Where to look, in turn. Each sweep begins with another account, so that none is always left
    /// for lack of time. The account follows from a hash of the time: a plain count of hours would
    /// name the same one at each run of many a schedule.
    fn beginning_at(&self, now: Timestamp) -> impl Iterator<Item = &Location> {
        let mut first = Vec::new();
        for (index, location) in self.locations.iter().enumerate() {
            let is_new = index == 0
                || self
                    .locations
                    .get(index.saturating_sub(1))
                    .map(|before| before.account)
                    != Some(location.account);
            if is_new {
                first.push(index);
            }
        }
        let hash = Sha256::digest(now.as_second().to_be_bytes());
        let number = hash.iter().take(4).fold(0_usize, |number, byte| {
            number.wrapping_mul(256).wrapping_add(usize::from(*byte))
        });
        let turn = number.checked_rem(first.len()).unwrap_or_default();
        let start = first.get(turn).copied().unwrap_or_default();
        let (before, after) = self.locations.split_at(start);
        after.iter().chain(before)
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// Takes every failed copy that AWS Backup lists through the same handler as an event. What the
    /// ledger knows as handled is passed over.
    pub async fn sweep(
        &self,
        event: &Value,
        invocation: &Invocation,
    ) -> Result<Swept, HandlerError> {
        let scope = Scope::read(event)?;
        let environment = self.environment();
        let backup = environment.backup();
        let now = environment.clock().now();
        let since = now
            .checked_sub(SignedDuration::from_hours(scope.hours))
            .unwrap_or(now);
        let mut swept = Swept::default();
        let accounts: BTreeSet<AccountId> = scope.locations.iter().map(|of| of.account).collect();
        for account in accounts {
            let left = invocation
                .deadline
                .duration_since(environment.clock().now());
            // Each message waits for its turn. Later events and sweeps tell of the others.
            if left < TIME_FOR_SUMMARIES {
                break;
            }
            if let Err(error) = self.sum_up_all(account, invocation).await {
                swept.errors.push(error.to_string());
            }
        }
        for location in scope.beginning_at(now) {
            let listed = match backup.list_failed_copy_jobs(location, since).await {
                Ok(listed) => listed,
                Err(error) => {
                    swept.errors.push(error.to_string());
                    continue;
                }
            };
            swept.found = swept.found.saturating_add(listed.len());
            for id in listed {
                let left = invocation
                    .deadline
                    .duration_since(environment.clock().now());
                if left < TIME_FOR_A_COPY {
                    swept.left = swept.left.saturating_add(1);
                    continue;
                }
                let span = tracing::error_span!("copy", copy_job = id);
                let swept_one = self.sweep_one(location, &id, invocation).instrument(span);
                match swept_one.await {
                    Ok(Some(report)) => {
                        let outcomes = swept.outcomes.entry(report.outcome.slug()).or_default();
                        *outcomes = outcomes.saturating_add(1);
                        swept.reports.push(report);
                    }
                    Ok(None) => {
                        swept.handled_before = swept.handled_before.saturating_add(1);
                    }
                    Err(error) => swept.errors.push(format!("copy job {id}: {error}")),
                }
            }
        }
        Ok(swept)
    }

    async fn sweep_one(
        &self,
        location: &Location,
        copy_job_id: &str,
        invocation: &Invocation,
    ) -> Result<Option<Report>, HandlerError> {
        let environment = self.environment();
        // Cheaper than reading the job, and most jobs were handled when their events came. A ledger
        // that can't tell now leaves that to the handler.
        if let Some(ledger) = environment.ledger()
            && let Ok(Some(_)) = ledger.outcome_of_job(copy_job_id).await
        {
            return Ok(None);
        }
        let job = environment
            .backup()
            .describe_copy_job(location, copy_job_id)
            .await?;
        let Some(job) = job else { return Ok(None) };
        // The event that should have come. The handler reads the job again, as for any other.
        let event = CopyJobEvent::of_job(format!("sweep-{copy_job_id}"), &job);
        let as_json = event.to_json();
        let arrival = Arrival {
            event: &as_json,
            delays: 0,
            ahead: None,
        };
        let report = self.handle_event(event, arrival, invocation).await?;
        Ok((report.outcome != crate::report::Outcome::AlreadyHandled).then_some(report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_begins_with_each_account_in_turn_and_looks_everywhere_once() {
        let accounts = ["111122223333", "444455556666", "777788889999"];
        let scope = Scope::read(&serde_json::json!({
            "detail": { "accounts": accounts, "regions": ["eu-west-1", "us-east-1"] }
        }))
        .unwrap();
        let mut firsts = BTreeMap::new();
        // A day apart each.
        for day in 0..60 {
            let now = Timestamp::from_second(1_700_000_000 + day * 86_400).unwrap();
            let turn: Vec<&Location> = scope.beginning_at(now).collect();
            assert_eq!(turn.len(), 6);
            assert!(scope.locations.iter().all(|one| turn.contains(&one)));
            assert_eq!(turn[0].account, turn[1].account);
            *firsts.entry(turn[0].account.to_string()).or_insert(0) += 1;
        }
        assert!(
            accounts.iter().all(|account| firsts[*account] > 10),
            "{firsts:?}"
        );
    }
}
