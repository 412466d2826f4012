//! The lease on a policy: taken, given back and read again.

use aws_sdk_dynamodb::types::{ConditionCheck, Delete};
use aws_smithy_types::error::operation::BuildError;
use copymend_remediation::ledger::{Lease, ended_for_all};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::again::CONFLICT;
use super::{DynamoLedger, REFUSED};
use crate::error::Call;
use crate::item::{expiry, moment, string, text, time};

const IS_ON_RECORD: &str = "held_by = :owner AND held_until = :until";

impl DynamoLedger {
    /// That a lease is still the one on record, in a transaction.
    pub(super) fn check_of_lease(&self, lease: &Lease) -> Result<ConditionCheck, BuildError> {
        ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", string(format!("lease#{}", lease.resource())))
            .condition_expression(IS_ON_RECORD)
            .expression_attribute_values(":owner", string(lease.owner()))
            .expression_attribute_values(":until", time(lease.until()))
            .build()
    }

    /// That a lease that is still the one on record is given back, in a transaction.
    pub(super) fn delete_of_lease(&self, lease: &Lease) -> Result<Delete, BuildError> {
        Delete::builder()
            .table_name(&self.table)
            .key("pk", string(format!("lease#{}", lease.resource())))
            .condition_expression(IS_ON_RECORD)
            .expression_attribute_values(":owner", string(lease.owner()))
            .expression_attribute_values(":until", time(lease.until()))
            .build()
    }

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
        // Its holder's transaction checks it at this moment: it is held.
        let taken = Call::new("dynamodb:PutItem", pk)
            .find(&[REFUSED, CONFLICT], request.send())
            .await?;
        Ok(taken.map(|_| Lease::recorded(resource.to_owned(), owner.to_owned(), until)))
    }

    pub(super) async fn give_lease_back(&self, lease: &Lease) -> CallResult<()> {
        let pk = format!("lease#{}", lease.resource());
        let request = self
            .delete_item(&pk)
            .condition_expression(IS_ON_RECORD)
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
