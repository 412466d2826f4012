//! The turns of messages: one item, which holds when the next turn is.

use std::sync::PoisonError;

use aws_sdk_dynamodb::types::{ReturnValue, Update};
use aws_smithy_types::error::operation::BuildError;
use copymend_remediation::ledger::{BETWEEN_TURNS, FURTHEST_TURN, Turns, at_once};
use copymend_remediation::ports::CallResult;
use jiff::{SignedDuration, Timestamp};

use super::DynamoLedger;
use super::again::{Again, find_again};
use crate::error::Call;
use crate::item::{Item, expiry, number, schema, whole};

pub(super) const ITEM: &str = "turns#messages";
/// Somebody else may come first between two calls, and then the first call is the right one again.
const ATTEMPTS: u32 = 2;

/// That nobody waits for a turn, or only behind a clock that is wrong.
const IS_SILENT: &str =
    "attribute_not_exists(next_turn) OR next_turn < :now OR next_turn > :furthest";
/// That the next turn is within the time that somebody can wait for it.
const IS_TAKEN: &str = "next_turn BETWEEN :now AND :latest";
const NEXT_TURN: &str = "SET expires_at = :expires, #schema = :schema ADD next_turn :between";
const FIRST_TURN: &str = "SET next_turn = :next, expires_at = :expires, #schema = :schema";

impl Turns for DynamoLedger {
    async fn take_turn(
        &self,
        now: Timestamp,
        longest: SignedDuration,
    ) -> CallResult<Option<Timestamp>> {
        let between = i64::try_from(BETWEEN_TURNS.as_millis()).unwrap_or(i64::MAX);
        let ahead = i64::try_from(at_once().as_millis()).unwrap_or_default();
        let longest = i64::try_from(longest.as_millis()).unwrap_or(i64::MAX);
        let furthest = i64::try_from(FURTHEST_TURN.as_millis()).unwrap_or(i64::MAX);
        let from = now.as_millisecond();
        let call = Call::new("dynamodb:UpdateItem", ITEM);
        // After a silence, as far as was read, the second question is the right one.
        let mut is_silent = self.next_turn().is_some_and(|next| next < from);
        for _ in 0..ATTEMPTS {
            if std::mem::take(&mut is_silent)
                && self.first_turn(&call, now, (between, furthest)).await?
            {
                return Ok(Some(now));
            }
            // Behind those who wait already. Each call is one more: the item has no owner.
            let request = || {
                self.update_item(ITEM)
                    .condition_expression(IS_TAKEN)
                    .update_expression(NEXT_TURN)
                    .expression_attribute_names("#schema", "schema")
                    .expression_attribute_values(":schema", schema())
                    .expression_attribute_values(":expires", expiry(now, 7))
                    .expression_attribute_values(":now", number(from))
                    .expression_attribute_values(
                        ":latest",
                        number(from.saturating_add(longest).saturating_add(ahead)),
                    )
                    .expression_attribute_values(":between", number(between))
                    .return_values(ReturnValue::AllOld)
                    .send()
            };
            if let Some(answer) =
                find_again(&call, &now.to_string(), Again::BetweenTransactions, request).await?
            {
                let old = answer.attributes.unwrap_or_default();
                let next = whole(&old, "next_turn")
                    .and_then(|next| i64::try_from(next).ok())
                    .ok_or_else(|| call.unreadable("`next_turn` is not a whole number"))?;
                let turn = Timestamp::from_millisecond(next.saturating_sub(ahead));
                return Ok(Some(turn.unwrap_or(now).max(now)));
            }
            if self.first_turn(&call, now, (between, furthest)).await? {
                return Ok(Some(now));
            }
        }
        Ok(None)
    }
}

impl DynamoLedger {
    /// A turn that is now, as a part of a transaction: after a silence, as far as was read, or behind those who had
    /// theirs a moment ago.
    pub(super) fn turn_item(&self, now: Timestamp) -> Result<Update, BuildError> {
        let from = now.as_millisecond();
        let later = |by: SignedDuration| {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            number(from.saturating_add(by))
        };
        let between = i64::try_from(BETWEEN_TURNS.as_millis()).unwrap_or(i64::MAX);
        let item = self
            .update(ITEM)
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":expires", expiry(now, 7))
            .expression_attribute_values(":now", number(from));
        match self.next_turn() {
            Some(next) if next >= from => item
                .condition_expression(IS_TAKEN)
                .update_expression(NEXT_TURN)
                .expression_attribute_values(":latest", later(at_once()))
                .expression_attribute_values(":between", number(between)),
            Some(_) | None => item
                .condition_expression(IS_SILENT)
                .update_expression(FIRST_TURN)
                .expression_attribute_values(":furthest", later(FURTHEST_TURN))
                .expression_attribute_values(":next", later(BETWEEN_TURNS)),
        }
        .build()
    }

    /// When the next turn is, as far as this process has read.
    fn next_turn(&self) -> Option<i64> {
        *self
            .next_turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers when the next turn is: where nobody waits, one question is enough.
    pub(super) fn read_next_turn(&self, item: Option<&Item>) {
        let next = item.and_then(|item| whole(item, "next_turn"));
        let next = next.and_then(|next| i64::try_from(next).ok());
        *self
            .next_turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(next.unwrap_or_default());
    }

    /// The first turn after a silence, or after a clock that was wrong; `false` where others wait.
    async fn first_turn(
        &self,
        call: &Call,
        now: Timestamp,
        (between, furthest): (i64, i64),
    ) -> CallResult<bool> {
        let from = now.as_millisecond();
        let request = || {
            self.update_item(ITEM)
                .condition_expression(IS_SILENT)
                .update_expression(FIRST_TURN)
                .expression_attribute_names("#schema", "schema")
                .expression_attribute_values(":schema", schema())
                .expression_attribute_values(":expires", expiry(now, 7))
                .expression_attribute_values(":now", number(from))
                .expression_attribute_values(":furthest", number(from.saturating_add(furthest)))
                .expression_attribute_values(":next", number(from.saturating_add(between)))
                .send()
        };
        let taken = find_again(call, &now.to_string(), Again::BetweenTransactions, request).await?;
        Ok(taken.is_some())
    }
}
