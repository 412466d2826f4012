//! The turns of messages.

use copymend_remediation::ledger::{BETWEEN_TURNS, FURTHEST_TURN, Turns, at_once};
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
        let known = state.next_turn.filter(|&next| next <= now + FURTHEST_TURN);
        let next = known.map_or(now, |next| next.max(now));
        let turn = (next - at_once()).max(now);
        if turn > now + longest {
            return Ok(None);
        }
        state.next_turn = Some(next + BETWEEN_TURNS);
        Ok(Some(turn))
    }
}
