//! What the ledger in memory knows of one policy.

use std::collections::BTreeMap;

use copymend_remediation::ledger::{Change, Granted, LastWrite, PolicyHistory, Refusal};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    sids: Vec<String>,
    granted: Vec<Granted>,
    refusals: Vec<Refusal>,
    lifted: Vec<(Refusal, Timestamp, Option<String>)>,
    last_write: Option<LastWrite>,
    days: BTreeMap<Date, u32>,
}

pub(crate) fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

impl Policy {
    pub(crate) fn history(&self, now: Timestamp) -> PolicyHistory {
        PolicyHistory {
            sids: self.sids.clone(),
            granted: self.granted.clone(),
            refusals: self.refusals.clone(),
            writes_today: self.days.get(&day(now)).copied().unwrap_or_default(),
            last_write: self.last_write.clone(),
        }
    }

    /// Whether a change of that time is as late as the last write.
    pub(crate) fn is_last_at(&self, at: Timestamp) -> bool {
        self.last_write.as_ref().is_none_or(|last| last.at <= at)
    }

    /// Takes down that a change was written, and whether it is the last one.
    pub(crate) fn confirm(&mut self, change: &Change, sids: &[String], is_last: bool) {
        let granted = change.granted(sids);
        self.sids.retain(|sid| !sids.contains(sid));
        self.granted.retain(|known| !granted.contains(known));
        let is_undo = change.undoes.is_some();
        if !is_undo {
            self.sids.extend(sids.iter().cloned());
            self.granted.extend(granted);
        }
        if let Some(refusal) = change.refusal() {
            self.refuse(refusal);
        }
        if !is_last {
            return;
        }
        self.last_write = Some(LastWrite {
            at: change.at,
            sids: sids.to_vec(),
            is_undo,
            change_id: Some(change.id.clone()),
        });
    }

    /// Puts a refusal in force.
    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refusals.retain(|known| *known != refusal);
        self.refusals.push(refusal);
    }

    /// Counts a write that is about to be put.
    pub(crate) fn count(&mut self, at: Timestamp) {
        let writes = self.days.entry(day(at)).or_default();
        *writes = writes.saturating_add(1);
    }

    /// Answers whether the refusal was in force.
    pub(crate) fn lift(
        &mut self,
        refusal: &Refusal,
        lifted_by: Option<&str>,
        now: Timestamp,
    ) -> bool {
        let before = self.refusals.len();
        self.refusals.retain(|known| known != refusal);
        let is_lifted = self.refusals.len() < before;
        if is_lifted {
            let by = lifted_by.map(str::to_owned);
            self.lifted.push((refusal.clone(), now, by));
        }
        is_lifted
    }

    pub(crate) fn lifted(&self) -> &[(Refusal, Timestamp, Option<String>)] {
        &self.lifted
    }
}
