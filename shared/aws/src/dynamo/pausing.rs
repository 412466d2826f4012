//! The pause: one item.

use aws_sdk_dynamodb::types::ReturnValue;
use copymend_remediation::ledger::Pause;
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::DynamoLedger;
use crate::error::Call;
use crate::item::{Item, moment, string, text, time};

const PAUSE: &str = "pause";

fn read(item: &Item) -> Option<Pause> {
    Some(Pause {
        reason: text(item, "reason")?.to_owned(),
        since: moment(item, "since")?,
        until: match item.get("until") {
            None => None,
            Some(_) => Some(moment(item, "until")?),
        },
    })
}

impl DynamoLedger {
    pub(super) async fn read_pause(&self, now: Timestamp) -> CallResult<Option<Pause>> {
        let Some(item) = self.get(PAUSE).await? else {
            return Ok(None);
        };
        let pause = read(&item).ok_or_else(|| {
            Call::new("dynamodb:GetItem", PAUSE).unreadable("the item is not a pause")
        })?;
        Ok(Some(pause).filter(|pause| pause.holds(now)))
    }

    /// Without a condition: only people pause, and the last word counts. No invocation owns the
    /// item.
    pub(super) async fn put_pause(&self, pause: &Pause) -> CallResult<()> {
        let request = self
            .put_item(PAUSE)
            .item("reason", string(&pause.reason))
            .item("since", time(pause.since));
        let request = match pause.until {
            None => request,
            Some(until) => request.item("until", time(until)),
        };
        Call::new("dynamodb:PutItem", PAUSE)
            .send(request.send())
            .await?;
        Ok(())
    }

    /// Without a condition, as [`Self::put_pause`]: who lifts the pause means whichever there is.
    pub(super) async fn delete_pause(&self) -> CallResult<bool> {
        let request = self.delete_item(PAUSE).return_values(ReturnValue::AllOld);
        let answer = Call::new("dynamodb:DeleteItem", PAUSE)
            .send(request.send())
            .await?;
        Ok(answer.attributes.is_some())
    }
}
