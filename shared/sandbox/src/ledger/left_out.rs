//! The messages that were left out, in memory.

use std::collections::{BTreeMap, BTreeSet};

use copymend_remediation::ledger::{
    LeftOut, LeftOutMessages, MessagesOf, NAMED_COPY_JOBS, start_of_hour,
};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::MemoryLedger;

impl LeftOutMessages for MemoryLedger {
    async fn leave_out(
        &self,
        of: MessagesOf,
        cause: &str,
        copy_job_id: &str,
        now: Timestamp,
    ) -> CallResult<bool> {
        let mut state = self.begin("ledger:LeaveOut", of.account.as_str())?;
        let empty = LeftOut {
            of,
            count: 0,
            causes: BTreeMap::new(),
            copy_jobs: BTreeSet::new(),
            first_at: now,
            last_at: now,
        };
        let (left_out, held) = state.left_out.entry(of).or_insert((empty, None));
        if held.as_ref().is_some_and(|(_, until)| *until > now) {
            return Ok(false);
        }
        *held = None;
        left_out.count = left_out.count.saturating_add(1);
        let of_cause = left_out.causes.entry(cause.to_owned()).or_default();
        *of_cause = of_cause.saturating_add(1);
        if left_out.count <= NAMED_COPY_JOBS {
            left_out.copy_jobs.insert(copy_job_id.to_owned());
        }
        left_out.last_at = now;
        Ok(true)
    }

    async fn claim_left_out(
        &self,
        of: MessagesOf,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<LeftOut>> {
        let mut state = self.begin("ledger:ClaimLeftOut", of.account.as_str())?;
        let Some((left_out, held)) = state.left_out.get_mut(&of) else {
            return Ok(None);
        };
        let is_anothers = held
            .as_ref()
            .is_some_and(|(by, until)| by != owner && *until > now);
        if is_anothers || left_out.first_at >= start_of_hour(now) {
            return Ok(None);
        }
        *held = Some((owner.to_owned(), until));
        Ok(Some(left_out.clone()))
    }

    async fn forget_left_out(&self, of: MessagesOf, owner: &str) -> CallResult<()> {
        let mut state = self.begin("ledger:ForgetLeftOut", of.account.as_str())?;
        let held = state.left_out.get(&of).and_then(|(_, held)| held.as_ref());
        if held.is_some_and(|(by, _)| by == owner) {
            state.left_out.remove(&of);
        }
        Ok(())
    }
}
