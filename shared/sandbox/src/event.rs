//! The EventBridge event of a copy job, as AWS shapes it.

use serde_json::{Map, Value, json};

use crate::copies::CopyJob;
use crate::ids;

/// The event that AWS Backup sends when a copy job ends (documented: developer guide, "Monitoring
/// AWS Backup events using Amazon EventBridge"). `destinationRecoveryPointArn` is an empty object
/// while there is none, and a copy on demand has no `createdBy` (seen).
#[must_use]
pub fn event_of(job: &CopyJob) -> Value {
    let mut detail = Map::new();
    let mut add = |name: &str, value: Value| detail.insert(name.to_owned(), value);
    add("copyJobId", job.id.as_str().into());
    add("backupSizeInBytes", job.size_in_bytes.into());
    add("creationDate", job.created.to_string().into());
    add("completionDate", job.completed.to_string().into());
    add("iamRoleArn", job.role.as_str().into());
    if let Some(resource) = &job.resource {
        add("resourceArn", resource.as_str().into());
    }
    if let Some(resource_type) = &job.resource_type {
        add("resourceType", resource_type.as_str().into());
    }
    add("sourceBackupVaultArn", job.source_vault.as_str().into());
    add(
        "destinationBackupVaultArn",
        job.destination_vault.as_str().into(),
    );
    add(
        "destinationRecoveryPointArn",
        job.destination_recovery_point()
            .map_or_else(|| json!({}), |arn| arn.as_str().into()),
    );
    add("state", job.state().as_str().into());
    if let Some(failure) = job.failure() {
        add("statusMessage", failure.message.as_str().into());
    }
    if let Some(plan) = &job.created_by {
        add(
            "createdBy",
            json!({
                "backupPlanId": plan.backup_plan_id,
                "backupPlanArn": plan.backup_plan_arn,
                "backupPlanVersion": plan.backup_plan_version,
                "backupPlanRuleId": plan.backup_rule_id,
            }),
        );
    }
    json!({
        "version": "0",
        "id": ids::uuid(&["event", &job.id]),
        "detail-type": "Copy Job State Change",
        "source": "aws.backup",
        "account": job.account,
        "time": job.completed.round(jiff::Unit::Second).unwrap_or(job.completed).to_string(),
        "region": job.region,
        "resources": [job.recovery_point],
        "detail": detail,
    })
}
