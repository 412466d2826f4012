//! The turns of messages.

use copymend_remediation::ledger::{BETWEEN_TURNS, Turns, at_once};
use copymend_remediation::ports::CallResult;
use jiff::{SignedDuration, Timestamp};

use super::MemoryLedger;

impl Turns for MemoryLedger {
    async fn take_turn(
        &self,
        now: Timestamp,
        longest: SignedDuration,
    ) -> CallResult<Option<Timestamp>> {
        let mut state = self.begin("ledger:TakeTurn", "messages")?;
        let next = state.next_turn.map_or(now, |next| next.max(now));
        let turn = (next - at_once()).max(now);
        if turn > now + longest {
            return Ok(None);
        }
        state.next_turn = Some(next + BETWEEN_TURNS);
        Ok(Some(turn))
    }
}
