//! The turns of messages.

use copymend_remediation::ledger::{BETWEEN_TURNS, FURTHEST_TURN, Turns, at_once};
use copymend_remediation::ports::CallResult;
use jiff::{SignedDuration, Timestamp};

use super::MemoryLedger;
use super::state::State;

impl Turns for MemoryLedger {
    async fn take_turn(
        &self,
        now: Timestamp,
        longest: SignedDuration,
    ) -> CallResult<Option<Timestamp>> {
        let mut state = self.begin("ledger:TakeTurn", "messages")?;
        let turn = state.next_turn(now);
        if turn > now + longest {
            return Ok(None);
        }
        state.take_next_turn(now);
        Ok(Some(turn))
    }
}

impl State {
    /// Where those who take turns stand; one that a wrong clock has set counts for nothing.
    fn turns(&self, now: Timestamp) -> Timestamp {
        let known = self.next_turn.filter(|&next| next <= now + FURTHEST_TURN);
        known.map_or(now, |next| next.max(now))
    }

    /// When the next turn is.
    pub(super) fn next_turn(&self, now: Timestamp) -> Timestamp {
        (self.turns(now) - at_once()).max(now)
    }

    pub(super) fn take_next_turn(&mut self, now: Timestamp) {
        self.next_turn = Some(self.turns(now) + BETWEEN_TURNS);
    }
}
