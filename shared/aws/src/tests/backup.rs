use copymend_diagnosis::{BackupVaultArn, CopyJob, CopyJobState, Lifecycle};
use copymend_remediation::ports::{Backup, CallErrorKind, CallResult, Reads, StartCopy};
use copymend_remediation::settings::Deployment;
use serde_json::{Value, json};

use super::wire::{Wire, json_error, ok};
use super::{environment, own, parsed, source};

const DESCRIBE: &str = "GET /copy-jobs/job-1";
const TAGS: &str = "GET /tags/arn%3Aaws%3Abackup%3Aeu-central-1%3A111122223333%3Abackup-vault%3Adr";

fn vault() -> BackupVaultArn {
    parsed("arn:aws:backup:eu-central-1:111122223333:backup-vault:dr")
}

fn job() -> Value {
    json!({
        "AccountId": "111122223333",
        "CopyJobId": "job-1",
        "SourceBackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:source",
        "SourceRecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1",
        "DestinationBackupVaultArn": "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr",
        "ResourceArn": "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
        "ResourceType": "EBS",
        "State": "FAILED",
        "StatusMessage": "Access Denied trying to call AWS Backup service",
        "MessageCategory": "ACCESS_DENIED",
        "IamRoleArn": "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole",
        "CreatedBy": { "BackupPlanId": "plan-1", "BackupPlanArn": "arn:aws:backup:eu-west-1:111122223333:backup-plan:plan-1" },
        "DestinationRecoveryPointLifecycle": { "DeleteAfterDays": 35 },
        "CreationDate": 1_795_392_000.0
    })
}

async fn described(change: impl FnOnce(&mut Value)) -> CallResult<Option<CopyJob>> {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let mut job = job();
    change(&mut job);
    wire.always(DESCRIBE, ok(json!({ "CopyJob": job }).to_string()));
    aws.backup().describe_copy_job(&source(), "job-1").await
}

fn without(member: &'static str) -> impl FnOnce(&mut Value) {
    move |job| {
        job.as_object_mut().unwrap().remove(member).unwrap();
    }
}

fn with(member: &'static str, value: Value) -> impl FnOnce(&mut Value) {
    move |job| job[member] = value
}

#[tokio::test]
async fn a_copy_job_is_read_whole() {
    let job = described(|_| {}).await.unwrap().unwrap();
    assert_eq!(job.id, "job-1");
    assert_eq!(job.account, own());
    assert_eq!(job.region, "eu-west-1");
    assert_eq!(job.state, CopyJobState::Failed);
    assert_eq!(
        job.status_message,
        "Access Denied trying to call AWS Backup service"
    );
    assert_eq!(job.message_category.as_deref(), Some("ACCESS_DENIED"));
    assert_eq!(job.role.path(), "/service-role/");
    assert_eq!(job.resource_type.as_deref(), Some("EBS"));
    assert_eq!(
        job.backup_plan.as_deref(),
        Some("arn:aws:backup:eu-west-1:111122223333:backup-plan:plan-1")
    );
    assert_eq!(
        job.lifecycle,
        Some(Lifecycle {
            delete_after_days: Some(35),
            ..Lifecycle::default()
        })
    );
    assert!(!job.is_parent && job.parent_job_id.is_none());
}

#[tokio::test]
async fn what_a_copy_job_may_leave_out_is_none() {
    let job =
        |change: Box<dyn FnOnce(&mut Value)>| async { described(change).await.unwrap().unwrap() };
    assert_eq!(job(Box::new(without("AccountId"))).await.account, own());
    assert_eq!(job(Box::new(without("CreatedBy"))).await.backup_plan, None);
    assert_eq!(
        job(Box::new(with("CreatedBy", json!({}))))
            .await
            .backup_plan,
        None
    );
    let by_id = with("CreatedBy", json!({ "BackupPlanId": "plan-1" }));
    assert_eq!(
        job(Box::new(by_id)).await.backup_plan.as_deref(),
        Some("plan-1")
    );
    let no_lifecycle = without("DestinationRecoveryPointLifecycle");
    assert_eq!(job(Box::new(no_lifecycle)).await.lifecycle, None);
    let empty_lifecycle = with("DestinationRecoveryPointLifecycle", json!({}));
    assert_eq!(job(Box::new(empty_lifecycle)).await.lifecycle, None);
    assert_eq!(
        job(Box::new(without("StatusMessage"))).await.status_message,
        ""
    );
    assert_eq!(job(Box::new(without("ResourceArn"))).await.resource, None);
    assert!(job(Box::new(with("IsParent", json!(true)))).await.is_parent);
}

#[tokio::test]
async fn a_copy_job_that_lacks_what_a_decision_needs_is_unreadable() {
    for member in [
        "CopyJobId",
        "SourceBackupVaultArn",
        "SourceRecoveryPointArn",
        "DestinationBackupVaultArn",
        "State",
        "IamRoleArn",
    ] {
        let error = described(without(member)).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable);
        assert!(error.detail.contains(member), "{error}");
    }
    for (member, value) in [
        ("AccountId", "1112223334444"),
        (
            "SourceBackupVaultArn",
            "arn:aws:backup:eu-west-1:111122223333:backup-vault:*",
        ),
        ("DestinationBackupVaultArn", "dr"),
        ("IamRoleArn", "arn:aws:iam::111122223333:user/Eve"),
        ("ResourceArn", "vol-1"),
        ("State", "EXPIRED"),
    ] {
        let error = described(with(member, json!(value))).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable);
        assert!(error.detail.contains(member), "{error}");
    }
}

#[tokio::test]
async fn a_job_that_is_gone_is_none_and_an_empty_answer_is_unreadable() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(
        DESCRIBE,
        json_error(400, "ResourceNotFoundException", "no job"),
    )
    .once(DESCRIBE, ok("{}"));
    assert_eq!(
        aws.backup().describe_copy_job(&source(), "job-1").await,
        Ok(None)
    );
    let error = aws
        .backup()
        .describe_copy_job(&source(), "job-1")
        .await
        .unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
}

#[tokio::test]
async fn not_encrypted_must_be_said() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "GET /backup-vaults/source/recovery-points/arn%3Aaws%3Aec2%3Aeu-west-1%3A%3Asnapshot%2Fsnap-1";
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1";
    let point = parsed("arn:aws:ec2:eu-west-1::snapshot/snap-1");
    wire.once(operation, ok(json!({ "Status": "COMPLETED" }).to_string()))
        .once(operation, ok(json!({ "IsEncrypted": false }).to_string()))
        .once(operation, ok(json!({ "IsEncrypted": true, "EncryptionKeyArn": key }).to_string()))
        .once(operation, ok(json!({ "IsEncrypted": true, "EncryptionKeyArn": "arn:aws:kms:eu-west-1:111122223333:alias/aws/ebs" }).to_string()))
        .once(operation, json_error(400, "ResourceNotFoundException", "none"));
    let location = source();
    let read = || {
        aws.backup()
            .describe_recovery_point(&location, "source", &point)
    };
    let unsaid = read().await.unwrap().unwrap();
    assert_eq!((unsaid.is_encrypted, unsaid.encryption_key), (None, None));
    assert_eq!(unsaid.status.as_deref(), Some("COMPLETED"));
    assert_eq!(read().await.unwrap().unwrap().is_encrypted, Some(false));
    let encrypted = read().await.unwrap().unwrap();
    assert_eq!(encrypted.is_encrypted, Some(true));
    assert_eq!(encrypted.encryption_key.unwrap().as_str(), key);
    let error = read().await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
    assert!(error.detail.contains("EncryptionKeyArn"), "{error}");
    assert_eq!(read().await, Ok(None));
}

#[tokio::test]
async fn a_vault_is_read_and_a_denied_one_is_not_absent() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "GET /backup-vaults/dr";
    wire.once(operation, ok(json!({
            "BackupVaultName": "dr", "EncryptionKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/1",
            "VaultType": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT", "Locked": true, "MinRetentionDays": 7, "MaxRetentionDays": 365
        }).to_string()))
        .once(operation, ok("{}"))
        .once(operation, json_error(403, "AccessDeniedException", "Insufficient privileges"))
        .once(operation, json_error(400, "ResourceNotFoundException", "none"));
    let read = || async { aws.backup().describe_backup_vault(&vault()).await };
    let found = read().await.unwrap().unwrap();
    assert!(found.is_logically_air_gapped() && found.encryption_key.is_some());
    assert_eq!(
        (
            found.locked,
            found.min_retention_days,
            found.max_retention_days
        ),
        (Some(true), Some(7), Some(365))
    );
    assert_eq!(read().await.unwrap().unwrap().locked, None);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::AccessDenied);
    assert_eq!(read().await, Ok(None));
}

#[tokio::test]
async fn all_pages_of_tags_are_read() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(TAGS, ok(r#"{"Tags":{"a":"1"},"NextToken":"more"}"#))
        .once(TAGS, ok(r#"{"Tags":{"copymend":"never"}}"#));
    let tags = aws.backup().list_vault_tags(&vault()).await.unwrap();
    assert_eq!(tags.len(), 2);
    assert_eq!(tags.get("copymend").map(String::as_str), Some("never"));
    assert!(wire.sent(TAGS)[1].uri.contains("nextToken=more"));
}

#[tokio::test]
async fn a_recovery_points_tags_are_read_where_its_vault_is() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "GET /tags/arn%3Aaws%3Aec2%3Aeu-west-1%3A%3Asnapshot%2Fsnap-1";
    wire.once(operation, ok(r#"{"Tags":{"team":"a"},"NextToken":"more"}"#))
        .once(operation, ok(r#"{"Tags":{"cost":"b"},"NextToken":""}"#))
        .once(
            operation,
            json_error(400, "ResourceNotFoundException", "none"),
        );
    let point = parsed("arn:aws:ec2:eu-west-1::snapshot/snap-1");
    let location = source();
    let read = || aws.backup().list_recovery_point_tags(&location, &point);
    let tags = read().await.unwrap();
    assert_eq!(
        tags.iter().collect::<Vec<_>>(),
        [
            (&"cost".to_owned(), &"b".to_owned()),
            (&"team".to_owned(), &"a".to_owned())
        ]
    );
    let sent = wire.sent(operation);
    assert!(sent[0].uri.contains("backup.eu-west-1."), "{}", sent[0].uri);
    assert!(sent[1].uri.contains("nextToken=more"), "{}", sent[1].uri);
    let error = read().await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Failed);
    assert_eq!(error.operation, "backup:ListTags");
    assert_eq!(error.resource, "arn:aws:ec2:eu-west-1::snapshot/snap-1");
}

#[tokio::test]
async fn pages_without_end_are_unreadable() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.always(TAGS, ok(r#"{"Tags":{"a":"1"},"NextToken":"again"}"#));
    let error = aws.backup().list_vault_tags(&vault()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
    assert_eq!(wire.sent(TAGS).len(), 20);
}

#[tokio::test]
async fn cross_account_backup_is_on_off_or_unreadable() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "GET /global-settings";
    for value in ["true", "false", "maybe"] {
        wire.once(
            operation,
            ok(json!({ "GlobalSettings": { "isCrossAccountBackupEnabled": value } }).to_string()),
        );
    }
    wire.once(operation, ok("{}"));
    let location = source();
    let read = || aws.backup().is_cross_account_backup_enabled(&location);
    assert_eq!(read().await, Ok(true));
    assert_eq!(read().await, Ok(false));
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
    assert_eq!(read().await.unwrap_err().kind, CallErrorKind::Unreadable);
}

#[tokio::test]
async fn a_policy_is_put_as_it_is() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "PUT /backup-vaults/dr/access-policy";
    wire.once(operation, ok("")).once(
        operation,
        json_error(
            400,
            "InvalidParameterValueException",
            "Provided principal is not valid",
        ),
    );
    let policy = "{\"Version\": \"2012-10-17\",\n \"Statement\": []}";
    aws.backup().put_policy(&vault(), policy).await.unwrap();
    assert_eq!(wire.sent(operation)[0].json(), json!({ "Policy": policy }));
    let error = aws.backup().put_policy(&vault(), policy).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Rejected);
    assert_eq!(
        error.detail,
        "InvalidParameterValueException: Provided principal is not valid"
    );
}

#[tokio::test]
async fn a_copy_is_started_with_role_lifecycle_and_token() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    let operation = "PUT /copy-jobs";
    wire.once(operation, ok(r#"{"CopyJobId":"job-2"}"#))
        .once(operation, ok("{}"));
    let copy = StartCopy {
        location: source(),
        recovery_point: parsed("arn:aws:ec2:eu-west-1::snapshot/snap-1"),
        source_vault_name: "source".to_owned(),
        destination_vault: parsed("arn:aws:backup:eu-central-1:444455556666:backup-vault:dr"),
        role: parsed("arn:aws:iam::111122223333:role/BackupRole"),
        lifecycle: Some(Lifecycle {
            move_to_cold_storage_after_days: Some(30),
            delete_after_days: Some(120),
            opt_in_to_archive_for_supported_resources: Some(true),
            delete_after_event: Some("DELETE_AFTER_COPY".to_owned()),
        }),
        idempotency_token: "copymend-job-1".to_owned(),
    };
    assert_eq!(aws.backup().start(&copy).await.unwrap(), "job-2");
    assert_eq!(
        wire.sent(operation)[0].json(),
        json!({
            "RecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1",
            "SourceBackupVaultName": "source",
            "DestinationBackupVaultArn": "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr",
            "IamRoleArn": "arn:aws:iam::111122223333:role/BackupRole",
            "IdempotencyToken": "copymend-job-1",
            "Lifecycle": {
                "MoveToColdStorageAfterDays": 30,
                "DeleteAfterDays": 120,
                "OptInToArchiveForSupportedResources": true
            }
        })
    );
    let error = aws.backup().start(&copy).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Unreadable);
}
