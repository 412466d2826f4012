//! AWS's texts and their variations.

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::explain;

use crate::data::{assert_best, causes, messages, status_messages};

#[test]
fn every_text_of_our_list_has_its_cause() {
    for (cause, message) in messages() {
        assert_best(message, cause);
    }
}

#[test]
fn every_text_of_the_aws_list_has_its_cause() {
    for (cause, message) in status_messages() {
        assert_best(message, cause);
    }
}

/// Every cause that a message can show is shown by one of the list. The causes of refused calls come from the access
/// advisor's facts, not from the message of a job.
#[test]
fn the_list_holds_every_cause() {
    let shown: Vec<Cause> = messages().into_iter().map(|(cause, _)| cause).collect();
    let of_calls = [Cause::CallerPermission, Cause::KeyPolicy];
    for cause in Cause::ALL.iter().filter(|cause| !of_calls.contains(cause)) {
        assert!(shown.contains(cause), "{cause}");
    }
}

fn variations(message: &str) -> Vec<String> {
    let stop = message.trim_end_matches('.');
    let curly = message.replace('\'', "\u{2019}");
    let swap = |from: &str, to: &str| message.replace(from, to);
    vec![
        stop.to_owned(),
        format!("{stop}."),
        message.to_lowercase(),
        message.to_uppercase(),
        format!("\"{message}\""),
        format!("'{message}'"),
        format!("  {message}\n"),
        format!("Copy job failed. {message}"),
        format!("Copy job failed: {message}"),
        format!("Error: {message}"),
        format!(
            "An error occurred (AccessDeniedException) when calling the CopyIntoBackupVault operation: {message}"
        ),
        format!(
            "An error occurred (InvalidParameterValueException) when calling the StartCopyJob operation: {message}"
        ),
        format!(
            "{stop} (Service: AmazonEC2; Status Code: 400; Error Code: InvalidParameter; Request ID: 0a1b2c3d; Proxy: null)"
        ),
        format!(
            "{stop}. (Service: AWSBackup; Status Code: 403; Error Code: AccessDeniedException; Request ID: 0a1b; Proxy: null)"
        ),
        format!(
            "{message} (Service: Rds, Status Code: 400, Request ID: 5e-1) (SDK Attempt Count: 1)"
        ),
        message.replace(' ', "  "),
        message.replace(' ', "\n"),
        message.replace(' ', "\u{a0}"),
        message.replace(". ", ".\r\n"),
        curly,
        swap("arn:aws:", "arn:aws-cn:"),
        swap("arn:aws:", "arn:aws-us-gov:"),
        swap("arn:aws:", "arn:aws-iso:"),
        swap("arn:aws:", "arn:aws-iso-b:"),
        swap("arn:aws:", "arn:aws-eusc:"),
        swap("111122223333", "987654321098").replace("444455556666", "012345678901"),
        swap("eu-west-1", "us-gov-west-1").replace("us-east-1", "cn-north-1"),
        swap("dr-vault", "Default").replace("BackupRole", "Key-Role_1"),
        swap("AWS managed key", "AWS Managed CMK"),
        swap("AWS Managed CMK", "AWS managed key"),
        swap("KMS key", "KMS Key"),
        swap("can't", "cannot").replace("n't", " not"),
        swap("300", "500")
            .replace("50 user tags", "60 user tags")
            .replace("50,000", "100"),
        swap("RDS resources", "Aurora resources"),
        swap("'xyz'", "'CostCenter'"),
    ]
}

#[test]
fn variations_do_not_change_the_cause() {
    for (cause, message) in messages() {
        for varied in variations(message) {
            assert_best(&varied, cause);
        }
    }
}

#[test]
fn two_failures_give_both_causes() {
    let found = causes(
        "Given key ID is not accessible. Copy job failed. The retention specified in the job is not within the range \
         specified for the target Backup Vault.",
    );
    assert!(
        found.contains(&"retention-out-of-range") && found.contains(&"source-key-policy"),
        "{found:?}"
    );
    let found = causes("Backup vault dr-vault does not exist. Rate exceeded");
    assert_eq!(found, ["vault-not-found", "transient"]);
}

#[test]
fn the_ambiguous_vault_text_ranks_its_causes() {
    assert_eq!(
        causes("Access Denied trying to call AWS Backup service"),
        [
            "destination-vault-policy",
            "job-role-permission",
            "service-control-policy",
            "destination-vault-deny"
        ]
    );
}

#[test]
fn the_default_key_text_ranks_the_aws_managed_key_second() {
    let found = causes(
        "Given key ID is not accessible. You must have DescribeKey permissions on the default CMK",
    );
    assert_eq!(found[..2], ["source-key-policy", "aws-managed-key"]);
}

#[test]
fn an_explicit_deny_leaves_nothing_to_repair() {
    for (_, message) in messages() {
        let text = format!("{message} with an explicit deny");
        assert!(
            !explain(&text).is_repairable(),
            "{text}: {:?}",
            causes(&text)
        );
    }
}

#[test]
fn a_repair_is_never_offered_on_a_bare_word() {
    for weak in [
        "Access Denied",
        "AccessDeniedException: ",
        "not authorized to",
        "KMS key error",
        "access denied KMS key",
    ] {
        assert!(!explain(weak).is_repairable(), "{weak}: {:?}", causes(weak));
    }
}
