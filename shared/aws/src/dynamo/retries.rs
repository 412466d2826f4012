//! The retries of a copy, counted, and what each retried job repeats.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use copymend_diagnosis::BackupVaultArn;
use copymend_remediation::ledger::{Origin, RetryRecord};
use copymend_remediation::ports::CallResult;
use jiff::Timestamp;

use super::{DynamoLedger, REFUSED};
use crate::error::Call;
use crate::item::{expiry, number, schema, string, text};

impl DynamoLedger {
    pub(super) async fn count_one_retry(
        &self,
        recovery_point: &str,
        destination: &BackupVaultArn,
        failed_job: &str,
        budget: u32,
        now: Timestamp,
    ) -> CallResult<Option<u32>> {
        if budget == 0 {
            return Ok(None);
        }
        let pk = format!("retry#{recovery_point}#{destination}");
        let call = Call::new("dynamodb:UpdateItem", &pk);
        let request = self
            .update_item(&pk)
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
        }))
    }
}
