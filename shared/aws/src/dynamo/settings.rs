//! The settings of the last event: one item, which also says who tells people of a change.

use copymend_remediation::ledger::{RecordedSettings, SettingsNotice};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::{DynamoLedger, REFUSED};
use crate::error::Call;
use crate::item::{Item, string, string_map, strings, text, time};

pub(super) const SETTINGS: &str = "settings";

pub(super) fn read(item: &Item) -> Option<RecordedSettings> {
    Some(RecordedSettings {
        hash: text(item, "settings_hash")?.to_owned(),
        values: strings(item.get("settings")?)?,
    })
}

impl DynamoLedger {
    pub(super) async fn claim_notice(
        &self,
        settings: &RecordedSettings,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<SettingsNotice>> {
        let Some(item) = self.get(SETTINGS).await? else {
            self.put_settings(settings, None).await?;
            return Ok(None);
        };
        let recorded = read(&item).ok_or_else(|| {
            Call::new("dynamodb:GetItem", SETTINGS).unreadable("the item holds no settings")
        })?;
        if recorded.hash == settings.hash {
            return Ok(None);
        }
        let request = self
            .update_item(SETTINGS)
            .update_expression("SET held_by = :owner, held_until = :until")
            .condition_expression(
                "settings_hash = :recorded AND \
                 (attribute_not_exists(held_until) OR held_until <= :now OR held_by = :owner)",
            )
            .expression_attribute_values(":recorded", string(&recorded.hash))
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":until", time(until));
        let claimed = Call::new("dynamodb:UpdateItem", SETTINGS)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(Some(SettingsNotice {
            before: recorded,
            is_anothers: claimed.is_none(),
        }))
    }

    /// Nobody holds the notice afterwards. Only what its claimant holds is replaced; without one, only
    /// where nothing is recorded.
    pub(super) async fn put_settings(
        &self,
        settings: &RecordedSettings,
        claimed_by: Option<&str>,
    ) -> CallResult<()> {
        let request = self
            .put_item(SETTINGS)
            .item("settings_hash", string(&settings.hash))
            .item("settings", string_map(&settings.values));
        let request = match claimed_by {
            Some(owner) => request
                .condition_expression("held_by = :owner")
                .expression_attribute_values(":owner", string(owner)),
            None => request.condition_expression("attribute_not_exists(pk)"),
        };
        Call::new("dynamodb:PutItem", SETTINGS)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }
}
