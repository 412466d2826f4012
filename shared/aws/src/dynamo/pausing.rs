//! The pause: one item, and one more for each pause that stays on record.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, ReturnValue, TransactWriteItem};
use aws_smithy_types::error::operation::BuildError;
use copymend_remediation::ledger::Pause;
use copymend_remediation::ports::{CallErrorKind, CallResult};
use jiff::Timestamp;

use super::DynamoLedger;
use crate::error::Call;
use crate::item::{Item, day, instant, moment, schema, string, text, time};

pub(super) const PAUSE: &str = "pause";
/// What the keys of pauses on record begin with.
pub(super) const PAUSED: &str = "paused#";

pub(super) fn read_pause(item: &Item) -> Option<Pause> {
    Some(Pause {
        reason: text(item, "reason")?.to_owned(),
        since: moment(item, "since")?,
        until: match item.get("until") {
            None => None,
            Some(_) => Some(moment(item, "until")?),
        },
        by: text(item, "set_by").map(ToOwned::to_owned),
    })
}

fn paused_key(since: Timestamp) -> String {
    let AttributeValue::S(since) = instant(since) else {
        return PAUSED.to_owned();
    };
    format!("{PAUSED}{since}")
}

fn write_pause(pause: &Pause, pk: &str) -> Item {
    let mut item = Item::from([
        ("pk".to_owned(), string(pk)),
        ("schema".to_owned(), schema()),
        ("reason".to_owned(), string(&pause.reason)),
        ("since".to_owned(), time(pause.since)),
    ]);
    item.extend(pause.until.map(|until| ("until".to_owned(), time(until))));
    let by = pause.by.as_ref();
    item.extend(by.map(|by| ("set_by".to_owned(), string(by))));
    item
}

impl DynamoLedger {
    pub(super) async fn pause_in_force(&self, now: Timestamp) -> CallResult<Option<Pause>> {
        let Some(item) = self.get(PAUSE).await? else {
            return Ok(None);
        };
        let pause = read_pause(&item).ok_or_else(|| {
            Call::new("dynamodb:GetItem", PAUSE).unreadable("the item is not a pause")
        })?;
        Ok(Some(pause).filter(|pause| pause.holds(now)))
    }

    /// The pause that stands in the table, also one whose time is over. `None` too where it can't be
    /// understood: then its end isn't on record.
    async fn pause_before(&self) -> Option<Pause> {
        self.get(PAUSE)
            .await
            .ok()
            .flatten()
            .as_ref()
            .and_then(read_pause)
    }

    fn put(&self, item: Item) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Takes down that a pause is over: once its own time was, there is nothing to take down.
    fn end_of(
        &self,
        pause: &Pause,
        by: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<TransactWriteItem>, BuildError> {
        if !pause.holds(now) {
            return Ok(None);
        }
        // A version before this one kept no record of it: then it is made now.
        let record = write_pause(pause, &paused_key(pause.since));
        let mut item = record;
        item.insert("lifted_at".to_owned(), time(now));
        item.extend(by.map(|by| ("lifted_by".to_owned(), string(by))));
        item.insert("day".to_owned(), day(now));
        item.insert("at".to_owned(), instant(pause.since));
        self.put(item).map(Some)
    }

    /// Without a condition: only people pause, and the last word counts. No invocation owns the
    /// item.
    pub(super) async fn put_pause(&self, pause: &Pause) -> CallResult<()> {
        let call = Call::new("dynamodb:TransactWriteItems", PAUSE);
        let before = self.pause_before().await;
        // A pause of the same moment is the same record.
        let before = before.filter(|before| paused_key(before.since) != paused_key(pause.since));
        let items = || {
            let mut record = write_pause(pause, &paused_key(pause.since));
            record.insert("day".to_owned(), day(pause.since));
            record.insert("at".to_owned(), instant(pause.since));
            let mut items = vec![self.put(write_pause(pause, PAUSE))?, self.put(record)?];
            if let Some(before) = &before {
                items.extend(self.end_of(before, pause.by.as_deref(), pause.since)?);
            }
            Ok::<_, BuildError>(items)
        };
        let items =
            items().map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?;
        self.send_transaction(&call, items).await?;
        Ok(())
    }

    /// Without a condition, as [`Self::put_pause`]: who lifts the pause means whichever there is.
    pub(super) async fn delete_pause(
        &self,
        lifted_by: Option<&str>,
        now: Timestamp,
    ) -> CallResult<bool> {
        let call = Call::new("dynamodb:TransactWriteItems", PAUSE);
        let failed = |error: BuildError| call.error(CallErrorKind::Failed, error.to_string());
        if let Some(before) = self.pause_before().await
            && let Some(end) = self.end_of(&before, lifted_by, now).map_err(failed)?
        {
            let delete = Delete::builder()
                .table_name(&self.table)
                .key("pk", string(PAUSE))
                .build()
                .map_err(failed)?;
            let delete = TransactWriteItem::builder().delete(delete).build();
            self.send_transaction(&call, vec![delete, end]).await?;
            return Ok(true);
        }
        let request = self.delete_item(PAUSE).return_values(ReturnValue::AllOld);
        let answer = Call::new("dynamodb:DeleteItem", PAUSE)
            .send(request.send())
            .await?;
        Ok(answer.attributes.is_some())
    }
}
