//! Turns: messages go to people one after the other, whichever function and account they come from.
//!
//! More than ten messages a second suspend an e-mail subscription, and then nobody hears of anything
//! (Amazon SNS developer guide, "Amazon SNS email subscription setup and management", documented).
//! So every message to the topic takes its turn first, from one item of the ledger, but the one of what a person
//! just did.

use jiff::{SignedDuration, Timestamp};

use crate::message::Channels;
use crate::ports::{CallError, CallErrorKind, CallResult, Clock, Notifier, Reads};

/// So far apart turns lie in the long run: two a second.
pub const BETWEEN_TURNS: SignedDuration = SignedDuration::from_millis(500);
/// So many turns may follow each other at once after a silence. In no second of the ledger's time there
/// are more than these and two: four, and eight of both functions, which have a ledger each. What is
/// missing to ten is for clocks that differ and for calls that take longer than others.
pub const TURNS_AT_ONCE: i32 = 2;
/// A message that a summary can tell of waits no longer.
pub(crate) const SHORT_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// Nor any other: then another delivery tells.
pub(crate) const LONG_WAIT: SignedDuration = SignedDuration::from_secs(30);
/// A next turn further ahead than this was set by a clock that is wrong: no wait leads to it, also where
/// clocks differ by half a minute. Turns start anew then, as after a silence; otherwise one wrong clock
/// would stop all messages.
pub const FURTHEST_TURN: SignedDuration = SignedDuration::from_secs(LONG_WAIT.as_secs() + 30);

/// The part of the ledger that gives turns.
pub trait Turns: Send + Sync {
    /// Takes the next turn, and answers when it is: now, or later. `None`, and nothing taken, where
    /// it would be later than `longest` from now. A next turn further ahead than [`FURTHEST_TURN`] counts
    /// as none. A call whose answer was lost may take two.
    fn take_turn(
        &self,
        now: Timestamp,
        longest: SignedDuration,
    ) -> impl Future<Output = CallResult<Option<Timestamp>>> + Send;
}

/// How far turns may be ahead of the time and still be at once.
#[must_use]
pub fn at_once() -> SignedDuration {
    BETWEEN_TURNS * (TURNS_AT_ONCE - 1)
}

/// Waits for the turn of a message to these channels; `false` where it would wait for longer. What
/// goes to no subscription needs none.
///
/// # Errors
///
/// Where the ledger doesn't answer for a reason that passes. One that never answers gives no turns:
/// rather too many messages than none.
pub(crate) async fn wait_for_turn<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
    taken: &Channels,
    longest: SignedDuration,
) -> CallResult<bool> {
    let channels = environment.notifier().channels();
    let mut left = channels.difference(taken);
    if !left.any(|channel| channel.is_paced()) {
        return Ok(true);
    }
    let clock = environment.clock();
    let now = clock.now();
    match ledger.take_turn(now, longest).await {
        Ok(Some(turn)) => {
            let left = turn.duration_since(clock.now());
            if left.is_positive() {
                clock.sleep(left.unsigned_abs()).await;
            }
            Ok(true)
        }
        Ok(None) => Ok(false),
        Err(error) if error.may_pass() => Err(error),
        Err(error) => {
            tracing::warn!(%error, "how many messages there are is not known: this one is sent");
            Ok(true)
        }
    }
}

/// That too many messages wait: another delivery of the event tells people.
pub(crate) fn too_many_wait(id: &str) -> CallError {
    CallError::new(
        "ledger:TakeTurn",
        id,
        CallErrorKind::Throttled,
        "too many messages wait for their turn: more than ten a second would suspend e-mail subscriptions",
    )
}
