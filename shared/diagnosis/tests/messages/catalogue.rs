//! AWS's texts and their variations.

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::explain;

use crate::data::{
    Seen, assert_best, assert_sound, causes, messages, not_repairable, seen, status_messages,
};

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

/// Every cause that a message can show is shown by one of the list. The causes of refused calls
/// come from the access advisor's facts, not from the message of a job.
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
            "destination-vault-deny",
            "source-vault-deny",
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
fn what_a_policy_explicitly_denies_leaves_nothing_to_repair() {
    let listed = messages().into_iter().chain(status_messages());
    let texts = listed.map(|(_, message)| message.to_owned());
    for message in texts.chain(seen().iter().map(Seen::unescaped)) {
        for deny in [
            "A policy explicitly denies the call.",
            "The policies explicitly deny this.",
            "It was explicitly denied.",
            "This was denied explicitly.",
            "The policy holds a Deny statement.",
            "The key policy denies it.",
            "The vault's access policy denies it.",
        ] {
            for text in [format!("{message} {deny}"), format!("{deny} {message}")] {
                assert!(
                    !explain(&text).is_repairable(),
                    "{text}: {:?}",
                    causes(&text)
                );
            }
        }
    }
}

#[test]
fn a_named_policy_that_no_repair_touches_comes_before_a_repair() {
    for policy in [
        "a service control policy",
        "a resource control policy",
        "a permissions boundary",
        "a session policy",
        "a VPC endpoint policy",
    ] {
        for text in [
            format!("Given key ID is not accessible: denied by {policy}."),
            format!("Access to KMS key is denied by {policy}"),
            format!("Access to the KMS key arn:aws:kms:us-east-1:1:key/1 was denied by {policy}"),
            format!("Access Denied trying to call AWS Backup service. It is blocked by {policy}"),
        ] {
            assert!(
                !explain(&text).is_repairable(),
                "{text}: {:?}",
                causes(&text)
            );
        }
    }
}

#[test]
fn texts_of_other_failures_offer_no_repair_first() {
    for message in not_repairable() {
        for text in variations(message) {
            let explanation = explain(&text);
            assert_sound(&explanation);
            assert!(!explanation.is_repairable(), "{text}: {:?}", causes(&text));
        }
    }
}

/// Whatever it says of it: the policy may be what refuses.
#[test]
fn where_another_policy_is_spoken_of_advice_comes_first() {
    let listed = messages().into_iter().chain(status_messages());
    let texts = listed.map(|(_, message)| message.to_owned());
    for message in texts.chain(seen().iter().map(Seen::unescaped)) {
        for other in [
            "It is due to an SCP",
            "See the SCPs.",
            "RCP: applies",
            "A service control policy of the organization applies.",
            "A permissions boundary restricts it.",
            "The role's IAM policy lacks it.",
            "The identity-based policy does not allow it.",
        ] {
            for text in [format!("{message} {other}"), format!("{other} {message}")] {
                assert!(
                    !explain(&text).is_repairable(),
                    "{text}: {:?}",
                    causes(&text)
                );
            }
        }
    }
}

#[test]
fn letters_within_a_name_are_no_policy() {
    for name in ["scp-role", "my_scp", "scpx", "arcp"] {
        let text = format!(
            "User: arn:aws:sts::1:assumed-role/{name}/s is not authorized to perform: backup:CopyIntoBackupVault on resource: arn:aws:backup:eu-west-1:2:backup-vault:dr because no resource-based policy allows the backup:CopyIntoBackupVault action"
        );
        assert_best(&text, Cause::DestinationVaultPolicy);
    }
}

#[test]
fn a_role_of_the_same_name_in_another_path_is_not_the_service_linked_one() {
    for text in [
        "arn:aws:iam::1:role/team/AWSServiceRoleForBackup does not exist",
        "The provided role arn:aws:iam::1:role/team/AWSServiceRoleForBackup cannot be assumed by AWS Backup",
        "arn:aws:iam::1:role/team/AWSServiceRoleForBackup must be created",
        "The policy of AWSServiceRoleForBackup does not exist",
    ] {
        assert!(!explain(text).is_repairable(), "{text}: {:?}", causes(text));
    }
    assert_eq!(
        causes(
            "The provided role arn:aws:iam::1:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup cannot be assumed by AWS Backup."
        ),
        ["service-linked-role", "job-role-missing", "job-role-trust"]
    );
}

/// KMS cannot tell an absent Allow from a Deny, and says so. A Deny beside it counts.
#[test]
fn a_deny_among_alternatives_is_no_explicit_deny() {
    let text = "Given key ID is not accessible because no resource-based policies allow access, or a resource-based policy explicitly denies access";
    assert!(explain(text).is_repairable(), "{:?}", causes(text));
    let text = format!("{text}. The key policy explicitly denies it.");
    assert!(!explain(&text).is_repairable(), "{:?}", causes(&text));
}

#[test]
fn a_permission_that_is_missing_for_a_key_may_be_the_key_policys() {
    for text in [
        "Not authorized to use key arn:aws:kms:us-west-2:ACCOUNT_ID:key/KEY_ID",
        "The role is missing permission to use KMS key 1",
    ] {
        assert_eq!(
            causes(text),
            [
                "job-role-permission",
                "source-key-policy",
                "permissions-boundary"
            ],
            "{text}"
        );
    }
}

/// The roles for reports and restore tests, and a custom role with a like name, are not the one
/// that is repaired.
#[test]
fn only_the_service_linked_role_itself_is_called_missing() {
    for role in [
        "role/aws-service-role/reports.backup.amazonaws.com/AWSServiceRoleForBackupReports",
        "role/aws-service-role/restore-testing.backup.amazonaws.com/AWSServiceRoleForBackupRestoreTesting",
        "role/MyAWSServiceRoleForBackup",
        "role/AWSServiceRoleForBackup-2",
    ] {
        assert_best(
            &format!("The provided role arn:aws:iam::1:{role} cannot be assumed by AWS Backup."),
            Cause::JobRoleTrust,
        );
    }
}

#[test]
fn a_name_that_holds_a_phrase_says_nothing() {
    assert_best(
        "arn:aws:kms:us-east-1:1:alias/nonexistent-key",
        Cause::Unknown,
    );
    assert_best("The key alias/x is nonexistent.", Cause::KeyNotFound);
}

#[test]
fn a_repair_is_never_offered_on_a_bare_word() {
    for weak in [
        "Access Denied",
        "AccessDeniedException: ",
        "not authorized to",
        "KMS key error",
        "access denied KMS key",
        "KMS access denied",
        "KMS key access denied error:",
        "Permission denied trying to call AWS Backup service",
        "Access denied trying to call Amazon S3 for the backup",
        "Access to the KMS key was granted, access to the bucket was denied",
        "Access to the KMS key of the destination vault was denied",
        "Encryption is not enabled or you do not have permission",
    ] {
        assert!(!explain(weak).is_repairable(), "{weak}: {:?}", causes(weak));
    }
}
