use copymend_diagnosis::advisor::{JobKind, ServiceJob};
use copymend_remediation::ports::{Backup, CallErrorKind, CallResult, Location, Reads};
use copymend_remediation::settings::Deployment;
use serde_json::{Value, json};

use super::wire::{Reply, Wire, json_error, ok};
use super::{environment, own, parsed, source};

const BACKUP: &str = "GET /backup-jobs/job-1";
const RESTORE: &str = "GET /restore-jobs/job-1";

fn backup_job() -> Value {
    json!({
        "AccountId": "111122223333",
        "BackupJobId": "job-1",
        "BackupVaultName": "vault",
        "BackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:vault",
        "EncryptionKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/1",
        "ResourceArn": "arn:aws:s3:::bucket",
        "ResourceType": "S3",
        "IamRoleArn": "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole",
        "State": "FAILED",
        "StatusMessage": "Unable to perform s3:PutBucketNotification",
        "CreationDate": 1_795_392_000.0
    })
}

fn restore_job() -> Value {
    json!({
        "AccountId": "111122223333",
        "RestoreJobId": "job-1",
        "RecoveryPointArn": "arn:aws:ec2:eu-west-1::snapshot/snap-1",
        "SourceResourceArn": "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
        "BackupVaultArn": "arn:aws:backup:eu-west-1:111122223333:backup-vault:vault",
        "IamRoleArn": "arn:aws:iam::111122223333:role/RestoreRole",
        "ResourceType": "EBS",
        "Status": "FAILED",
        "StatusMessage": "Access Denied",
        "CreationDate": 1_795_392_000.0
    })
}

async fn backup(reply: Reply) -> CallResult<Option<ServiceJob>> {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(BACKUP, reply);
    aws.backup().describe_backup_job(&source(), "job-1").await
}

async fn restore(reply: Reply) -> CallResult<Option<ServiceJob>> {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(RESTORE, reply);
    aws.backup().describe_restore_job(&source(), "job-1").await
}

#[tokio::test]
async fn a_backup_job_is_read_whole() {
    let job = backup(ok(backup_job().to_string())).await;
    assert_eq!(
        job.unwrap().unwrap(),
        ServiceJob {
            kind: JobKind::Backup,
            id: "job-1".to_owned(),
            account: Some(own()),
            region: source().region,
            state: "FAILED".to_owned(),
            status_message: "Unable to perform s3:PutBucketNotification".to_owned(),
            role: Some(parsed(
                "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole"
            )),
            vault: Some(parsed(
                "arn:aws:backup:eu-west-1:111122223333:backup-vault:vault"
            )),
            encryption_key: Some(parsed("arn:aws:kms:eu-west-1:111122223333:key/1")),
            resource: Some(parsed("arn:aws:s3:::bucket")),
            resource_type: Some("S3".to_owned()),
        }
    );
}

#[tokio::test]
async fn a_restore_job_is_read_whole() {
    let job = restore(ok(restore_job().to_string())).await;
    assert_eq!(
        job.unwrap().unwrap(),
        ServiceJob {
            kind: JobKind::Restore,
            id: "job-1".to_owned(),
            account: Some(own()),
            region: source().region,
            state: "FAILED".to_owned(),
            status_message: "Access Denied".to_owned(),
            role: Some(parsed("arn:aws:iam::111122223333:role/RestoreRole")),
            resource: Some(parsed("arn:aws:ec2:eu-west-1::snapshot/snap-1")),
            encryption_key: None,
            vault: Some(parsed(
                "arn:aws:backup:eu-west-1:111122223333:backup-vault:vault"
            )),
            resource_type: Some("EBS".to_owned()),
        }
    );
}

#[tokio::test]
async fn what_a_job_may_leave_out_is_none_and_its_account_is_the_one_asked() {
    let job = backup(ok(r#"{"BackupJobId":"job-1","State":"ABORTED"}"#)).await;
    assert_eq!(
        job.unwrap().unwrap(),
        ServiceJob {
            kind: JobKind::Backup,
            id: "job-1".to_owned(),
            account: Some(own()),
            region: source().region,
            state: "ABORTED".to_owned(),
            status_message: String::new(),
            role: None,
            vault: None,
            encryption_key: None,
            resource: None,
            resource_type: None,
        }
    );
    let job = restore(ok(r#"{"RestoreJobId":"job-1","Status":"NEWLY_MADE"}"#)).await;
    assert_eq!(
        job.unwrap().unwrap(),
        ServiceJob {
            kind: JobKind::Restore,
            id: "job-1".to_owned(),
            account: Some(own()),
            region: source().region,
            state: "NEWLY_MADE".to_owned(),
            status_message: String::new(),
            role: None,
            resource: None,
            encryption_key: None,
            vault: None,
            resource_type: None,
        }
    );
}

#[tokio::test]
async fn a_job_with_a_member_that_cannot_be_used_is_unreadable() {
    for (member, value) in [
        ("BackupJobId", json!(null)),
        ("State", json!(null)),
        ("AccountId", json!("1112223334444")),
        ("IamRoleArn", json!("arn:aws:iam::111122223333:user/Eve")),
        ("BackupVaultArn", json!("vault")),
        (
            "EncryptionKeyArn",
            json!("arn:aws:kms:eu-west-1:111122223333:alias/a"),
        ),
        ("ResourceArn", json!("bucket")),
    ] {
        let mut job = backup_job();
        job[member] = value;
        let error = backup(ok(job.to_string())).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable);
        assert_eq!(error.operation, "backup:DescribeBackupJob");
        assert!(error.detail.contains(member), "{error}");
    }
    for (member, value) in [
        ("RestoreJobId", json!(null)),
        ("Status", json!(null)),
        ("AccountId", json!("1")),
        ("IamRoleArn", json!("RestoreRole")),
        ("BackupVaultArn", json!("vault")),
        ("RecoveryPointArn", json!("snap-1")),
    ] {
        let mut job = restore_job();
        job[member] = value;
        let error = restore(ok(job.to_string())).await.unwrap_err();
        assert_eq!(error.kind, CallErrorKind::Unreadable);
        assert_eq!(error.operation, "backup:DescribeRestoreJob");
        assert!(error.detail.contains(member), "{error}");
    }
}

#[tokio::test]
async fn a_job_is_absent_by_one_code_only() {
    let gone = || json_error(400, "ResourceNotFoundException", "no job");
    assert_eq!(backup(gone()).await, Ok(None));
    assert_eq!(restore(gone()).await, Ok(None));
    let denied = || json_error(403, "AccessDeniedException", "no");
    let error = backup(denied()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::AccessDenied);
    assert_eq!(error.resource, "job-1");
    let error = restore(denied()).await.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::AccessDenied);
    let unlike = || json_error(400, "DependencyFailureException", "no");
    assert!(backup(unlike()).await.is_err() && restore(unlike()).await.is_err());
}

#[tokio::test]
async fn a_job_is_asked_for_in_its_own_region() {
    let wire = Wire::default();
    let aws = environment(&wire, &Deployment::default()).await;
    wire.once(BACKUP, ok(backup_job().to_string()))
        .once(RESTORE, ok(restore_job().to_string()));
    let location = Location {
        region: "us-east-2".to_owned(),
        ..source()
    };
    let backup = aws.backup();
    assert!(backup.describe_backup_job(&location, "job-1").await.is_ok());
    assert!(
        backup
            .describe_restore_job(&location, "job-1")
            .await
            .is_ok()
    );
    for operation in [BACKUP, RESTORE] {
        let uri = &wire.sent(operation)[0].uri;
        assert!(uri.starts_with("https://backup.us-east-2."), "{uri}");
    }
}
