//! Items that are read at once: consistently, at most 100 in a call of at most 16 MB (Amazon DynamoDB API
//! reference, `BatchGetItem`, documented). What doesn't fit, or is throttled, is asked for again.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult};

use super::DynamoLedger;
use crate::error::Call;
use crate::item::{Item, newer_schema, string, text, whole};

/// The most that `BatchGetItem` takes.
pub(super) const ITEMS_IN_A_CALL: usize = 100;
/// Attempts at items that are throttled.
const ATTEMPTS: u32 = 7;
const OPERATION: &str = "dynamodb:BatchGetItem";

/// Items by their keys, as they were read.
#[derive(Debug)]
pub(super) struct Items(HashMap<String, Item>);

impl Items {
    /// An item; none where there is none.
    ///
    /// # Errors
    ///
    /// Where a later version wrote it.
    pub(super) fn get(&self, pk: &str) -> CallResult<Option<&Item>> {
        let item = self.0.get(pk);
        match item.and_then(newer_schema) {
            None => Ok(item),
            Some(newer) => Err(Call::new(OPERATION, pk).unreadable(format!(
                "the item has schema {newer}, which a later version of Copymend wrote"
            ))),
        }
    }

    /// The count of an item; 0 where there is none.
    pub(super) fn count(&self, pk: &str) -> CallResult<u32> {
        let Some(item) = self.get(pk)? else {
            return Ok(0);
        };
        whole(item, "occurrences")
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| Self::unreadable(pk, "`occurrences` is not a whole number"))
    }

    /// That an item isn't what it should be.
    pub(super) fn unreadable(pk: &str, detail: &str) -> CallError {
        Call::new(OPERATION, pk).unreadable(detail)
    }
}

impl DynamoLedger {
    /// These items, each key once, at most [`ITEMS_IN_A_CALL`].
    pub(super) async fn items_of<K: Into<String>>(
        &self,
        keys: impl IntoIterator<Item = K>,
    ) -> CallResult<Items> {
        let keys: Vec<String> = keys.into_iter().map(Into::into).collect();
        let items = self.items(&keys).await?.into_iter();
        let items = items.map(|item| (text(&item, "pk").unwrap_or_default().to_owned(), item));
        Ok(Items(items.collect()))
    }

    /// At most [`ITEMS_IN_A_CALL`] items by their keys. One that is gone since isn't answered.
    pub(super) async fn items(&self, keys: &[String]) -> CallResult<Vec<Item>> {
        let call = Call::new("dynamodb:BatchGetItem", &self.table);
        let wanted = keys
            .iter()
            .map(|pk| Item::from([("pk".to_owned(), string(pk))]))
            .collect();
        let mut left = Some(
            KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(|error| call.error(CallErrorKind::Failed, error.to_string()))?,
        );
        let mut items = Vec::new();
        let mut attempt = 1;
        while let Some(wanted) = left.take() {
            let request = self.client.batch_get_item();
            let request = request.request_items(&self.table, wanted);
            let answer = call.send(request.send()).await?;
            let found = items.len();
            let responses = answer.responses.unwrap_or_default();
            items.extend(responses.into_values().flatten());
            let unprocessed = answer.unprocessed_keys.unwrap_or_default();
            left = unprocessed.into_values().next();
            // An answer that is full is no throttling.
            if left.is_some() && items.len() == found {
                if attempt == ATTEMPTS {
                    return Err(call.error(
                        CallErrorKind::Throttled,
                        "DynamoDB left items out of every answer",
                    ));
                }
                tokio::time::sleep(Duration::from_millis(50) * 2_u32.pow(attempt)).await;
                attempt += 1;
            }
        }
        Ok(items)
    }
}
