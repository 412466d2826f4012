//! The lease on a policy: taken, given back and read again.

use copymend_remediation::ledger::{Lease, ended_for_all};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::{DynamoLedger, REFUSED};
use crate::error::Call;
use crate::item::{expiry, moment, string, text, time};

impl DynamoLedger {
    pub(super) async fn take_lease(
        &self,
        resource: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> CallResult<Option<Lease>> {
        let pk = format!("lease#{resource}");
        let request = self
            .put_item(&pk)
            .item("held_by", string(owner))
            .item("held_until", time(until))
            .item("expires_at", expiry(until, 1))
            .condition_expression(
                "attribute_not_exists(pk) OR held_until <= :ended OR held_by = :owner",
            )
            .expression_attribute_values(":ended", time(ended_for_all(now)))
            .expression_attribute_values(":owner", string(owner));
        let taken = Call::new("dynamodb:PutItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(taken.map(|_| Lease::recorded(resource.to_owned(), owner.to_owned(), until)))
    }

    pub(super) async fn give_lease_back(&self, lease: &Lease) -> CallResult<()> {
        let pk = format!("lease#{}", lease.resource());
        let request = self
            .delete_item(&pk)
            .condition_expression("held_by = :owner AND held_until = :until")
            .expression_attribute_values(":owner", string(lease.owner()))
            .expression_attribute_values(":until", time(lease.until()));
        Call::new("dynamodb:DeleteItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(())
    }

    pub(super) async fn holds_lease(&self, lease: &Lease) -> CallResult<bool> {
        let item = self.get(&format!("lease#{}", lease.resource())).await?;
        let until = Timestamp::from_millisecond(lease.until().as_millisecond()).ok();
        Ok(item.is_some_and(|item| {
            text(&item, "held_by") == Some(lease.owner()) && moment(&item, "held_until") == until
        }))
    }
}
