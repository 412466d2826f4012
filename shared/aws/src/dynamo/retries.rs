//! The retries of a copy, counted, what each retried job repeats, and the change before it.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use copymend_remediation::ledger::{Admission, AfterChange, Origin, RetryRecord};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::transaction::admitted_key;
use super::{DynamoLedger, REFUSED};
use crate::error::Call;
use crate::item::{Item, expiry, moment, number, schema, string, text};

fn after_change(item: &Item) -> Option<AfterChange> {
    Some(AfterChange {
        change_id: text(item, "after_change")?.to_owned(),
        repaired: text(item, "repaired")?.to_owned(),
    })
}

impl DynamoLedger {
    /// Adds the failed job to the set, which has no owner: the same job adds nothing twice.
    pub(super) async fn count_one_retry(
        &self,
        pk: &str,
        failed_job: &str,
        budget: u32,
        now: Timestamp,
    ) -> CallResult<Option<u32>> {
        let call = Call::new("dynamodb:UpdateItem", pk);
        let request = self
            .update_item(pk)
            .condition_expression(
                "attribute_not_exists(jobs) OR size(jobs) < :budget OR contains(jobs, :job)",
            )
            .update_expression("SET expires_at = :expires, #schema = :schema ADD jobs :jobs")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":budget", number(i64::from(budget)))
            .expression_attribute_values(":job", string(failed_job))
            .expression_attribute_values(":jobs", AttributeValue::Ss(vec![failed_job.to_owned()]))
            .expression_attribute_values(":expires", expiry(now, 30))
            .return_values(ReturnValue::AllNew);
        let Some(answer) = call.find(&[REFUSED], request.send()).await? else {
            return Ok(None);
        };
        let jobs = answer.attributes().and_then(|item| item.get("jobs"));
        match jobs {
            Some(AttributeValue::Ss(jobs)) => Ok(u32::try_from(jobs.len()).ok()),
            Some(_) | None => Err(call.unreadable("`jobs` is not a string set")),
        }
    }

    /// Begins the count anew with this job, unless it was begun anew after this change before.
    pub(super) async fn count_anew(
        &self,
        pk: &str,
        failed_job: &str,
        change: &str,
        now: Timestamp,
    ) -> CallResult<bool> {
        let one = |text: &str| AttributeValue::Ss(vec![text.to_owned()]);
        let request = self
            .update_item(pk)
            .condition_expression(
                "attribute_not_exists(after_changes) OR NOT contains(after_changes, :change)",
            )
            .update_expression(
                "SET jobs = :jobs, expires_at = :expires, #schema = :schema ADD after_changes :changes",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", schema())
            .expression_attribute_values(":change", string(change))
            .expression_attribute_values(":changes", one(change))
            .expression_attribute_values(":jobs", one(failed_job))
            .expression_attribute_values(":expires", expiry(now, 30));
        let begun = Call::new("dynamodb:UpdateItem", pk)
            .find(&[REFUSED], request.send())
            .await?;
        Ok(begun.is_some())
    }

    /// First with the failed job, if it has an entry: whose that is by now doesn't matter, since the
    /// copy was started whoever handles the job. Then under AWS Backup's id of the new job, without
    /// a condition: only the retry of one failed job starts that one, and whoever writes it again
    /// writes of the same retry.
    pub(super) async fn put_retry(
        &self,
        retried_job: &str,
        record: &RetryRecord,
        now: Timestamp,
    ) -> CallResult<()> {
        let failed_job = format!("job#{}", record.original_job);
        let request = self
            .update_item(&failed_job)
            .update_expression("SET retried_as = :job")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":job", string(retried_job));
        Call::new("dynamodb:UpdateItem", failed_job)
            .find(&[REFUSED], request.send())
            .await?;
        let pk = format!("retried#{retried_job}");
        let mut request = self
            .put_item(&pk)
            .item("original_job", string(&record.original_job))
            .item("expires_at", expiry(now, 30));
        if let Some(origin) = record.origin {
            request = request.item("origin", string(origin.slug()));
        }
        if let Some(after) = &record.after_change {
            request = request
                .item("after_change", string(&after.change_id))
                .item("repaired", string(&after.repaired));
        }
        Call::new("dynamodb:PutItem", pk)
            .send(request.send())
            .await?;
        Ok(())
    }

    pub(super) async fn read_admission(
        &self,
        resource: &str,
        grantee: &str,
    ) -> CallResult<Option<Admission>> {
        let pk = admitted_key(resource, grantee);
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        let unreadable =
            || Call::new("dynamodb:GetItem", &pk).unreadable("`written_at` is missing");
        Ok(Some(Admission {
            at: moment(&item, "written_at").ok_or_else(unreadable)?,
            change_id: text(&item, "change_id").map(ToOwned::to_owned),
        }))
    }

    pub(super) async fn read_retry(&self, copy_job_id: &str) -> CallResult<Option<RetryRecord>> {
        let pk = format!("retried#{copy_job_id}");
        let Some(item) = self.get(&pk).await? else {
            return Ok(None);
        };
        let original_job = text(&item, "original_job").ok_or_else(|| {
            Call::new("dynamodb:GetItem", &pk).unreadable("`original_job` is missing")
        })?;
        Ok(Some(RetryRecord {
            original_job: original_job.to_owned(),
            origin: text(&item, "origin").and_then(Origin::from_slug),
            after_change: after_change(&item),
        }))
    }
}
