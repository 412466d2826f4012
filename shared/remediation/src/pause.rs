//! Stop: a person pauses the program through the ledger, and nothing is written or started until it is resumed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::guards::guard;
use crate::handler::{CopyRemediator, HandlerError};
use crate::ledger::Ledger;
use crate::ports::{CallResult, Clock, Environment};
use crate::report::GuardResult;

/// The guard that a pause fails.
pub const NOT_PAUSED: &str = "not-paused";

/// A pause: neither a policy nor a role is written, and no copy is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why, in a person's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself; never, if absent.
    pub until: Option<Timestamp>,
}

impl Pause {
    /// Whether it still holds.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// The guard of every write, also of starting a copy again. A pause that can't be read isn't absent.
#[must_use]
pub fn not_paused(pause: &CallResult<Option<Pause>>) -> GuardResult {
    match pause {
        Ok(None) => guard(NOT_PAUSED, true, "nobody paused Copymend"),
        Ok(Some(pause)) => {
            let until = pause
                .until
                .map_or_else(String::new, |until| format!(" until {until}"));
            guard(
                NOT_PAUSED,
                false,
                format!(
                    "paused since {}{until}: {}; `copymend resume` ends it",
                    pause.since, pause.reason
                ),
            )
        }
        Err(error) => guard(
            NOT_PAUSED,
            false,
            format!("whether Copymend is paused is not known: {error}"),
        ),
    }
}

/// Asks the ledger. An error that may pass asks for another delivery.
pub(crate) async fn ask_for_pause<E: Environment>(
    environment: &E,
    ledger: &E::Ledger,
) -> CallResult<GuardResult> {
    let pause = ledger.pause(environment.clock().now()).await;
    match pause {
        Err(error) if error.may_pass() => Err(error),
        Ok(_) | Err(_) => Ok(not_paused(&pause)),
    }
}

/// Puts a newer answer of the guard in the place of an older one.
pub(crate) fn replace(guards: &mut Vec<GuardResult>, newer: GuardResult) {
    match guards.iter_mut().find(|older| older.name == newer.name) {
        Some(older) => *older = newer,
        None => guards.push(newer),
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// The guard `not-paused`; none without a ledger, where nothing is written anyway.
    pub(crate) async fn pause_guard(&self) -> Result<Option<GuardResult>, HandlerError> {
        match self.environment.ledger() {
            None => Ok(None),
            Some(ledger) => ask_for_pause(&self.environment, ledger)
                .await
                .map(Some)
                .map_err(HandlerError::Call),
        }
    }
}
