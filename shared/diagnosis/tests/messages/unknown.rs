//! Texts that say nothing Copymend knows.

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::explain;

use crate::data::{assert_best, unknown};

#[test]
fn free_text_is_unknown() {
    for message in unknown() {
        assert_best(message, Cause::Unknown);
    }
}

#[test]
fn an_empty_text_is_unknown() {
    for message in ["", " ", "\n\t", ".", "\u{feff}", "''", "()"] {
        assert_best(message, Cause::Unknown);
    }
}

#[test]
fn unknown_offers_no_repair() {
    assert!(!explain("Abort signal detected").is_repairable());
}

#[test]
fn a_call_of_a_person_or_of_another_service_offers_no_repair() {
    let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr";
    for person in ["user/bob", "user/teams/bob", "root"] {
        let text = format!(
            "User: arn:aws:iam::111122223333:{person} is not authorized to perform: backup:CopyIntoBackupVault on resource: \
             {vault} because no resource-based policy allows the backup:CopyIntoBackupVault action"
        );
        assert!(!explain(&text).is_repairable(), "{text}");
    }
    let session = "arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole";
    let text = format!(
        "User: {session} is not authorized to perform: backup:CopyIntoBackupVault on resource: {vault} because no \
         resource-based policy allows the backup:CopyIntoBackupVault action"
    );
    assert!(explain(&text).is_repairable());
    for text in [
        "Access denied to KMS key while writing the audit report to S3: Given key ID is not accessible by S3",
        "Resource handler returned message: \"Access Denied trying to call AWS Backup service (Service: Backup, Status Code: \
         403)\" (HandlerErrorCode: AccessDenied) for AWS::Backup::BackupVault",
    ] {
        assert!(!explain(text).is_repairable(), "{text}");
    }
}
