//! What people were told of planned copies, in memory.

use copymend_remediation::ledger::{ToldOfPlace, ToldPreflights};
use copymend_remediation::ports::{CallResult, Location};
use jiff::Timestamp;

use super::MemoryLedger;

impl ToldPreflights for MemoryLedger {
    async fn told_of_place(&self, at: &Location) -> CallResult<Option<ToldOfPlace>> {
        let state = self.begin("ledger:ToldOfPlace", at.account.as_str())?;
        let place = (at.account, at.region.clone());
        Ok(state.told.get(&place).cloned())
    }

    async fn record_told_of_place(
        &self,
        at: &Location,
        told: &ToldOfPlace,
        _now: Timestamp,
    ) -> CallResult<()> {
        let mut state = self.begin("ledger:RecordToldOfPlace", at.account.as_str())?;
        let place = (at.account, at.region.clone());
        state.told.insert(place, told.clone());
        Ok(())
    }
}
