//! Stop: a person pauses the program through the ledger, and nothing is written or started until it
//! is resumed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;
use crate::ports::{CallResult, Clock, Reads};

/// A pause: neither a policy nor a role is written, and no copy is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pause {
    /// Why, in a person's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself; never, if absent.
    pub until: Option<Timestamp>,
    /// Who set it: the ARN that AWS knows the person by, where it is on record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Pause {
    /// Whether it still holds.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// Asks the ledger. An error that may pass asks for another delivery.
pub(crate) async fn ask_for_pause<E: Reads>(
    environment: &E,
    ledger: &E::Ledger,
) -> CallResult<CallResult<Option<Pause>>> {
    asked_for(ledger.pause(environment.clock().now()).await)
}

/// The same of an answer.
pub(crate) fn asked_for(pause: CallResult<Option<Pause>>) -> CallResult<CallResult<Option<Pause>>> {
    match pause {
        Err(error) if error.may_pass() => Err(error),
        Ok(_) | Err(_) => Ok(pause),
    }
}
