//! The parts that are read from an access-denied sentence.

use copymend_diagnosis::messages::explain;

use crate::data::{assert_sound, causes};

const ROLE: &str = "arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole";
const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-vault";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SCP: &str =
    "arn:aws:organizations::111122223333:policy/o-abcde12345/service_control_policy/p-abcd1234";

#[test]
fn the_arn_of_the_denying_policy_is_read() {
    let identity = "arn:aws:iam::111122223333:policy/team/Guard";
    for (name, arn) in [
        ("a service control policy", SCP),
        ("an identity-based policy", identity),
        ("a permissions boundary", identity),
        ("a session policy", identity),
        (
            "a resource control policy",
            "arn:aws:organizations::111122223333:policy/o-a/resource_control_policy/p-b",
        ),
    ] {
        for tail in [
            "",
            ".",
            ". See https://docs.aws.amazon.com/IAM/latest/UserGuide/x.html",
            " (Service: Backup)",
            " https://console.aws.amazon.com/x",
        ] {
            let text = format!(
                "User: {ROLE} is not authorized to perform: backup:CopyIntoBackupVault on resource: {VAULT} with an explicit deny in {name}: {arn}{tail}"
            );
            assert_eq!(
                explain(&text).denial.unwrap().policy_arn,
                Some(arn),
                "{text}"
            );
            assert_eq!(explain(&text).resource(), Some(VAULT), "{text}");
        }
    }
}

#[test]
fn other_openings_are_read() {
    for (text, principal, action) in [
        (
            "Service: backup.amazonaws.com is not authorized to perform: kms:Decrypt on resource: x",
            Some("backup.amazonaws.com"),
            Some("kms:Decrypt"),
        ),
        (
            "The role arn:aws:iam::1:role/R is not authorized to perform backup:CopyFromBackupVault on resource x",
            Some("arn:aws:iam::1:role/R"),
            Some("backup:CopyFromBackupVault"),
        ),
        (
            "arn:aws:iam::1:role/R isn\u{2019}t authorized to perform: kms:Decrypt",
            Some("arn:aws:iam::1:role/R"),
            Some("kms:Decrypt"),
        ),
        (
            "User:arn:aws:iam::1:user/u is not authorized to perform:kms:Decrypt",
            Some("arn:aws:iam::1:user/u"),
            Some("kms:Decrypt"),
        ),
        (
            "USER: ARN:AWS:IAM::1:USER/U IS NOT AUTHORIZED TO PERFORM: KMS:DECRYPT",
            Some("ARN:AWS:IAM::1:USER/U"),
            Some("KMS:DECRYPT"),
        ),
        (
            "AccessDeniedException: User: anonymous is not authorized to perform: kms:Decrypt",
            Some("anonymous"),
            Some("kms:Decrypt"),
        ),
        (
            "User [arn:aws:iam::1:user/u] is not authorized to perform `kms:Decrypt`.",
            Some("arn:aws:iam::1:user/u"),
            Some("kms:Decrypt"),
        ),
        (
            "User is not authorized to perform: kms:Decrypt because no identity-based policy allows the kms:Decrypt action",
            None,
            Some("kms:Decrypt"),
        ),
        (
            "arn:aws:iam::1:role/R is not authorized to perform this action",
            Some("arn:aws:iam::1:role/R"),
            None,
        ),
        (
            "The role arn:aws:iam::1:role/R does not have permission to perform kms:Decrypt",
            Some("arn:aws:iam::1:role/R"),
            Some("kms:Decrypt"),
        ),
        (
            "You are not authorized to perform this operation because no identity-based policy allows the ec2:CopyImage action",
            None,
            Some("ec2:CopyImage"),
        ),
        (
            "IAM Role arn:aws:iam::1:role/R is not authorized to call tag:GetResources",
            Some("arn:aws:iam::1:role/R"),
            Some("tag:GetResources"),
        ),
        (
            "The role is not authorized to call the AWS Backup service",
            None,
            None,
        ),
        (
            "User:xxxx is not authorized to perform: kms:Decrypt",
            Some("xxxx"),
            Some("kms:Decrypt"),
        ),
        (
            "Service:backup.amazonaws.com is not authorized to perform: kms:Decrypt",
            Some("backup.amazonaws.com"),
            Some("kms:Decrypt"),
        ),
        (
            "User:[arn:aws:iam::1:user/u] is not authorized to perform: (kms:Decrypt)",
            Some("arn:aws:iam::1:user/u"),
            Some("kms:Decrypt"),
        ),
        (
            "User: arn:aws:iam::<account>:role/<role> is not authorized to perform: <kms:Decrypt>",
            Some("arn:aws:iam::<account>:role/<role>"),
            Some("kms:Decrypt"),
        ),
    ] {
        let explanation = explain(text);
        assert_sound(&explanation);
        assert_eq!(
            (explanation.principal(), explanation.action()),
            (principal, action),
            "{text}"
        );
    }
}

#[test]
fn resources_with_spaces_and_wildcards_are_read_whole() {
    let read = |place: &str| {
        let text = format!(
            "User: {ROLE} is not authorized to perform: s3:GetObject on resource: {place} because no identity-based policy allows the s3:GetObject action"
        );
        explain(&text).resource().map(str::to_owned)
    };
    assert_eq!(
        read("\"arn:aws:s3:::bucket/my file.txt\"").as_deref(),
        Some("arn:aws:s3:::bucket/my file.txt")
    );
    assert_eq!(
        read("arn:aws:s3:::bucket/*").as_deref(),
        Some("arn:aws:s3:::bucket/*")
    );
    let text = format!(
        "User: {ROLE} is not authorized to perform: kms:ReEncryptFrom on the resource associated with this ciphertext because"
    );
    assert_eq!(explain(&text).resource(), None);
    assert_eq!(read("*").as_deref(), Some("*"));
    assert_eq!(
        read("[arn:aws:s3:::bucket],").as_deref(),
        Some("arn:aws:s3:::bucket")
    );
    assert_eq!(read("role BackupRole").as_deref(), Some("role BackupRole"));
    assert_eq!(read("\\\"my file\\\"").as_deref(), Some("my file"));
    assert_eq!(read(".../ami-1.").as_deref(), Some(".../ami-1"));
    assert_eq!(read("<key>").as_deref(), Some("key"));
    assert_eq!(read("<a>/<b>,").as_deref(), Some("<a>/<b>"));
    assert_eq!(read("key/<id>)").as_deref(), Some("key/<id>"));
    assert_eq!(read("([key/<id>]).").as_deref(), Some("key/<id>"));
    assert_eq!(read("key/x]").as_deref(), Some("key/x"));
}

#[test]
fn the_key_arn_is_found_wherever_it_stands() {
    for text in [
        format!("{KEY} is disabled"),
        format!("The source snapshot KMS key [{KEY}] does not exist"),
        format!("alias arn:aws:kms:us-east-1:111122223333:alias/x is of '{KEY}'."),
    ] {
        assert_eq!(explain(&text).key_arn, Some(KEY), "{text}");
    }
    assert_eq!(
        explain("arn:aws:kms:us-east-1:111122223333:key/* is disabled").key_arn,
        None
    );
    assert_eq!(explain("kms:Decrypt :kms: key/1").key_arn, None);
}

#[test]
fn the_sentence_with_an_action_is_the_one_returned() {
    let text = format!(
        "You are not authorized to perform this operation. User: {ROLE} is not authorized to perform: ec2:CopySnapshot on resource: arn:aws:ec2:us-east-1::snapshot/* with an explicit deny in a service control policy. Encoded authorization failure message: XQ_"
    );
    assert_eq!(explain(&text).action(), Some("ec2:CopySnapshot"));
    assert_eq!(causes(&text), ["service-control-policy"]);
}

/// A service's own words say less than IAM's grammar.
#[test]
fn a_call_that_is_refused_is_not_repairable() {
    for action in [
        "kms:DescribeKey",
        "backup:CopyIntoBackupVault",
        "sts:AssumeRole",
        "tag:GetResources",
    ] {
        let text = format!("IAM Role arn:aws:iam::1:role/R is not authorized to call {action}");
        let explanation = explain(&text);
        assert_sound(&explanation);
        assert_eq!(explanation.action(), Some(action));
        assert!(!explanation.is_repairable(), "{text}: {:?}", causes(&text));
    }
}

#[test]
fn a_deny_of_the_vaults_policy_is_the_vaults_whatever_the_action() {
    let text = format!(
        "User: {ROLE} is not authorized to perform: backup:DeleteBackupVaultAccessPolicy on resource: {VAULT} with an explicit deny in a resource-based policy"
    );
    assert_eq!(causes(&text)[0], "destination-vault-deny");
}
