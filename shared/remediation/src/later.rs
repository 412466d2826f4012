//! Later instead of at once: an event that is put off goes to the queue of delayed retries, with
//! the time before which nothing is started for it.
//!
//! The queue is trusted no more than EventBridge: what comes from it is verified as any event is.
//! No facts travel in it, since they would be old when it comes back.

use std::borrow::Cow;
use std::time::Duration;

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{Cause, EventError, Failure, Remedy};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::asked_ahead::OrganizationAhead;

/// How often an event is put off at most. Then it is decided at once, and people are told.
pub const MOST_DELAYS: u32 = 5;
/// The shortest delay, in seconds.
pub const SHORTEST_DELAY: u64 = 60;
/// The longest delay, in seconds: Amazon SQS takes no longer `DelaySeconds` (API reference,
/// `SendMessage`, documented).
pub const LONGEST_DELAY: u64 = 900;
/// How long AWS is seen to answer a call as it did before, although the policies have changed since
/// (inferred: a test of vault policies that is validated against AWS waits a minute between its
/// tries).
pub const DENIAL_IS_REMEMBERED: SignedDuration = SignedDuration::from_secs(60);
/// How far ahead a message's time may be beyond the longest delay: clocks differ.
const CLOCKS_DIFFER: u64 = 300;
/// What marks a message as one of ours.
const KIND: &str = "delayed-retry";
/// The version of the message's form.
const VERSION: u32 = 1;

/// A message of the queue: an event that was put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DelayedRetry {
    copymend: String,
    version: u32,
    /// The original event, verbatim.
    pub event: Value,
    /// Nothing is started for it before.
    pub not_before: Timestamp,
    /// How often it was put off so far, this time included.
    pub delays: u32,
}

impl DelayedRetry {
    /// An event that is put off.
    #[must_use]
    pub fn new(event: Value, not_before: Timestamp, delays: u32) -> Self {
        Self {
            copymend: KIND.to_owned(),
            version: VERSION,
            event,
            not_before,
            delays,
        }
    }

    /// The message's body.
    #[must_use]
    pub fn to_body(&self) -> String {
        json!(self).to_string()
    }

    /// The message in what Lambda hands a function of a queue: exactly one record, of Amazon SQS
    /// (Lambda developer guide, "Using Lambda with Amazon SQS", documented). `None` where the input
    /// is no such thing at all; an error where it is one that isn't ours.
    #[must_use]
    pub fn in_queue_event(input: &Value) -> Option<Result<Self, EventError>> {
        Some(Self::in_records(input.get("Records")?))
    }

    fn in_records(records: &Value) -> Result<Self, EventError> {
        let wrong = |reason| EventError::MalformedField {
            field: "Records",
            reason,
        };
        let Some([record]) = records.as_array().map(Vec::as_slice) else {
            return Err(wrong("it does not hold exactly one message"));
        };
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        if text("eventSource") != Some("aws:sqs") {
            return Err(wrong("its message is not one of Amazon SQS"));
        }
        let body = text("body").unwrap_or_default();
        Self::in_body(body).ok_or_else(|| wrong("its message is no delayed retry of this version"))
    }

    /// The message with this body; `None` where it is no delayed retry, or one of another version.
    #[must_use]
    pub fn in_body(body: &str) -> Option<Self> {
        let message: Self = serde_json::from_str(body).ok()?;
        (message.copymend == KIND && message.version == VERSION).then_some(message)
    }

    /// Whether it waits longer than Copymend lets anything wait: then somebody else made it.
    #[must_use]
    pub fn waits_too_long(&self, now: Timestamp) -> bool {
        let longest = Duration::from_secs(LONGEST_DELAY.saturating_add(CLOCKS_DIFFER));
        now.checked_add(longest)
            .is_ok_and(|latest| self.not_before > latest)
    }

    /// How long the queue has to keep it from now on: as long as Amazon SQS can, if that is less.
    #[must_use]
    pub fn delay_from(&self, now: Timestamp) -> Duration {
        let left = self.not_before.duration_since(now);
        let seconds = left.as_secs() + i64::from(left.subsec_nanos() > 0);
        let seconds = u64::try_from(seconds).unwrap_or_default();
        Duration::from_secs(seconds.min(LONGEST_DELAY))
    }
}

/// The event that an input carries: that of a delayed retry, or the input itself.
#[must_use]
pub fn original_event(input: &Value) -> Cow<'_, Value> {
    match DelayedRetry::in_queue_event(input) {
        Some(Ok(message)) => Cow::Owned(message.event),
        Some(Err(_)) | None => Cow::Borrowed(input),
    }
}

/// How an event came: what is sent on if it is put off, and how often it was before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'e> {
    pub(crate) event: &'e Value,
    pub(crate) delays: u32,
    /// What is asked for its first investigation already.
    pub(crate) ahead: Option<&'e OrganizationAhead>,
}

impl Arrival<'_> {
    /// Whether it was put off as often as it may be.
    pub(crate) const fn is_the_last(&self) -> bool {
        self.delays >= MOST_DELAYS
    }

    /// The time until which it is put off, for what passes by itself: longer each time, and spread,
    /// so that copies that failed together don't come back together.
    pub(crate) fn until(&self, job_id: &str, now: Timestamp) -> Timestamp {
        later(now, delay(job_id, self.delays))
    }

    /// Before when a copy must not be started again: where that is right now, it may be at once.
    pub(crate) fn start_not_before(
        &self,
        failure: &Failure,
        cause: Cause,
        now: Timestamp,
    ) -> Timestamp {
        let job = failure.job();
        if self.delays == 0 && cause.is_lack_of_room() {
            return self.until(&job.id, now);
        }
        let is_fresh = |failed| now.duration_since(failed) < DENIAL_IS_REMEMBERED;
        if self.is_the_last() || !is_denial(failure) || !job.completed.is_some_and(is_fresh) {
            return now;
        }
        let spread = spread(&job.id, self.delays) % SHORTEST_DELAY;
        later(now, SHORTEST_DELAY.saturating_add(spread))
    }
}

/// Whether a copy failed with words that a policy's denial has: AWS remembers those for a while.
fn is_denial(failure: &Failure) -> bool {
    explain(&failure.job().status_message)
        .candidates
        .iter()
        .any(|candidate| match candidate.cause.remedy() {
            Remedy::Repair(_) => true,
            Remedy::Retry | Remedy::Advise => false,
        })
}

fn later(now: Timestamp, seconds: u64) -> Timestamp {
    now.saturating_add(Duration::from_secs(seconds))
        .unwrap_or(now)
}

/// A delay in seconds: one to five minutes at first, then two to ten, then four to fifteen.
fn delay(job_id: &str, delays: u32) -> u64 {
    let times = 1_u64 << delays.min(2);
    let shortest = SHORTEST_DELAY.saturating_mul(times);
    let longest = shortest.saturating_mul(5).min(LONGEST_DELAY);
    let room = longest.saturating_sub(shortest).saturating_add(1);
    shortest.saturating_add(spread(job_id, delays).checked_rem(room).unwrap_or_default())
}

/// A number that differs from job to job and from delay to delay, and is the same each time: FNV-1a.
fn spread(job_id: &str, delays: u32) -> u64 {
    let bytes = job_id.bytes().chain(delays.to_be_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The lowest bits of this hash are its weakest.
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn delays_are_spread_and_grow_within_what_the_queue_can_do() {
        for (delays, (shortest, longest)) in [(60, 300), (120, 600), (240, 900), (240, 900)]
            .into_iter()
            .enumerate()
        {
            let delays = u32::try_from(delays).unwrap();
            let seconds: Vec<u64> = (0..1_000)
                .map(|job| delay(&format!("job-{job}"), delays))
                .collect();
            assert!(seconds.iter().all(|s| (shortest..=longest).contains(s)));
            let distinct: BTreeSet<_> = seconds.iter().collect();
            assert!(distinct.len() > 200, "{}", distinct.len());
            for second in distinct {
                let together = seconds.iter().filter(|s| *s == second).count();
                assert!(together < 25, "{together} at second {second}");
            }
        }
    }

    fn queue_event(body: &str) -> Value {
        json!({"Records": [{"eventSource": "aws:sqs", "body": body}]})
    }

    #[test]
    fn a_message_is_read_as_it_was_written_and_no_other_is() {
        let now: Timestamp = "2026-11-29T03:00:00Z".parse().unwrap();
        let message = DelayedRetry::new(json!({"detail": {"é": 1}}), now, 2);
        let input = queue_event(&message.to_body());
        let read = DelayedRetry::in_queue_event(&input).unwrap();
        assert_eq!(read, Ok(message.clone()));
        assert_eq!(*original_event(&input), message.event);
        assert!(DelayedRetry::in_queue_event(&json!({"source": "aws.backup"})).is_none());
        let other_version = message.to_body().replace("\"version\":1", "\"version\":2");
        let mut foreign = input.clone();
        foreign["Records"][0]["eventSource"] = "aws:kinesis".into();
        for refused in [
            queue_event("no JSON"),
            queue_event("{}"),
            queue_event(&other_version),
            queue_event(&json!({"source": "aws.backup"}).to_string()),
            json!({"Records": []}),
            json!({"Records": [input["Records"][0], input["Records"][0]]}),
            json!({"Records": "x"}),
            foreign,
        ] {
            let error = DelayedRetry::in_queue_event(&refused).unwrap().unwrap_err();
            assert_eq!(error.error_type(), "MalformedField", "{refused}");
        }
    }

    #[test]
    fn the_queue_keeps_a_message_for_what_is_left() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let message = DelayedRetry::new(json!({}), at("2026-11-29T03:05:00Z"), 1);
        let delay = |now| message.delay_from(at(now)).as_secs();
        assert_eq!(delay("2026-11-29T03:00:00Z"), 300);
        assert_eq!(delay("2026-11-29T03:04:59.5Z"), 1);
        assert_eq!(delay("2026-11-29T03:06:00Z"), 0);
        assert_eq!(delay("2026-11-29T02:00:00Z"), LONGEST_DELAY);
        assert!(message.waits_too_long(at("2026-11-29T02:00:00Z")));
        assert!(!message.waits_too_long(at("2026-11-29T02:50:00Z")));
    }
}
