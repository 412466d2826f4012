//! What people were told of planned copies: one item for each account and Region.

use copymend_remediation::ledger::{ToldOfPlace, ToldPreflights};
use copymend_remediation::ports::{CallResult, Location};
use jiff::Timestamp;

use super::DynamoLedger;
use crate::error::Call;
use crate::item::{expiry, string, text};

/// So many days after the last preflight it is as if there had been none.
const KEPT_DAYS: i64 = 90;

fn key(at: &Location) -> String {
    format!("preflight#{}#{}", at.account, at.region)
}

impl ToldPreflights for DynamoLedger {
    async fn told_of_place(&self, at: &Location) -> CallResult<Option<ToldOfPlace>> {
        let pk = key(at);
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        let call = Call::new("dynamodb:GetItem", &pk);
        let told = text(&item, "told")
            .ok_or_else(|| call.unreadable("the item holds nothing that people were told"))?;
        let told = serde_json::from_str(told);
        told.map(Some)
            .map_err(|error| call.unreadable(error.to_string()))
    }

    async fn record_told_of_place(
        &self,
        at: &Location,
        told: &ToldOfPlace,
        now: Timestamp,
    ) -> CallResult<()> {
        let pk = key(at);
        let call = Call::new("dynamodb:PutItem", &pk);
        let written =
            serde_json::to_string(told).map_err(|error| call.unreadable(error.to_string()))?;
        let request = self
            .put_item(&pk)
            .item("told", string(written))
            .item("expires_at", expiry(now, KEPT_DAYS));
        call.send(request.send()).await?;
        Ok(())
    }
}
