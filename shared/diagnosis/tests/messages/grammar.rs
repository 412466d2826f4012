//! IAM's access-denied grammar: every policy type, implicit and explicit, every ending, several actions.

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::{PolicyType, explain};

use crate::data::{assert_best, assert_sound, causes};

const ROLE: &str = "arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole";
const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-vault";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const SCP: &str =
    "arn:aws:organizations::111122223333:policy/o-abcde12345/service_control_policy/p-abcd1234";

const PRINCIPALS: &[&str] = &[
    ROLE,
    "arn:aws:iam::111122223333:user/path/Jane.Doe",
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole",
    "arn:aws:sts::111122223333:federated-user/jane@example.com",
    "arn:aws-us-gov:sts::111122223333:assumed-role/A/b",
    "backup.amazonaws.com",
];

const ACTIONS: &[(&str, &str)] = &[
    ("backup:CopyIntoBackupVault", VAULT),
    (
        "backup:CopyFromBackupVault",
        "arn:aws:backup:eu-west-1:111122223333:recovery-point:1234abcd",
    ),
    ("kms:DescribeKey", KEY),
    ("kms:CreateGrant", KEY),
    (
        "sts:AssumeRole",
        "arn:aws:iam::111122223333:role/BackupRole",
    ),
    ("iam:PassRole", "arn:aws:iam::111122223333:role/BackupRole"),
    ("ec2:CopySnapshot", "arn:aws:ec2:us-east-1::snapshot/*"),
    ("s3:GetBucketVersioning", "arn:aws:s3:::my-bucket"),
];

const TYPES: &[(PolicyType, &str, &str)] = &[
    (PolicyType::Identity, "identity-based policy", "an"),
    (PolicyType::Resource, "resource-based policy", "a"),
    (PolicyType::PermissionsBoundary, "permissions boundary", "a"),
    (PolicyType::ServiceControl, "service control policy", "a"),
    (PolicyType::ResourceControl, "resource control policy", "a"),
    (PolicyType::Session, "session policy", "a"),
    (PolicyType::VpcEndpoint, "VPC endpoint policy", "a"),
    (PolicyType::RoleTrust, "role trust policy", "the"),
];

fn expected(policy_type: PolicyType, explicit: bool, action: &str) -> Cause {
    match policy_type {
        PolicyType::Identity => Cause::JobRolePermission,
        PolicyType::PermissionsBoundary => Cause::PermissionsBoundary,
        PolicyType::ServiceControl => Cause::ServiceControlPolicy,
        PolicyType::ResourceControl => Cause::ResourceControlPolicy,
        PolicyType::Session => Cause::SessionPolicy,
        PolicyType::VpcEndpoint => Cause::VpcEndpointPolicy,
        PolicyType::RoleTrust => Cause::JobRoleTrust,
        PolicyType::Resource => match (action, explicit) {
            ("backup:CopyIntoBackupVault", false) => Cause::DestinationVaultPolicy,
            ("backup:CopyIntoBackupVault", true) => Cause::DestinationVaultDeny,
            (kms, false) if kms.starts_with("kms:") => Cause::SourceKeyPolicy,
            (kms, true) if kms.starts_with("kms:") => Cause::SourceKeyDeny,
            ("sts:AssumeRole", _) => Cause::JobRoleTrust,
            _ => Cause::JobRolePermission,
        },
    }
}

/// How a sentence names the resource.
fn resources(resource: &str) -> [String; 4] {
    [
        format!(" on resource: {resource}"),
        format!(" on resource: \"{resource}\""),
        " on this resource".to_owned(),
        String::new(),
    ]
}

fn tails() -> [&'static str; 5] {
    [
        "",
        ".",
        " (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: 1; Proxy: null)",
        ". Encoded authorization failure message: XQ_jqde5rHje6j9P-qke7",
        "\n\tstatus code: 403, request id: xx-214b",
    ]
}

#[test]
fn every_policy_type_and_ending_gives_its_cause() {
    for (action, resource) in ACTIONS {
        for (policy_type, name, article) in TYPES {
            for (explicit, ending) in [
                (
                    false,
                    format!("because no {name} allows the {action} action"),
                ),
                (true, format!("with an explicit deny in {article} {name}")),
                (true, format!("with an explicit deny in the {name}")),
            ] {
                for principal in PRINCIPALS {
                    for place in resources(resource) {
                        let few = if *principal == ROLE { 5 } else { 1 };
                        for tail in tails().into_iter().take(few) {
                            let text = format!(
                                "User: {principal} is not authorized to perform: {action}{place} {ending}{tail}"
                            );
                            let explanation = explain(&text);
                            assert_sound(&explanation);
                            assert_eq!(
                                explanation.best(),
                                expected(*policy_type, explicit, action),
                                "{text}: {:?}",
                                causes(&text)
                            );
                            let denial = explanation.denial.unwrap();
                            assert_eq!(denial.principal, Some(*principal), "{text}");
                            assert_eq!(denial.action, Some(*action), "{text}");
                            assert_eq!(
                                denial.resource,
                                place.contains("arn:").then_some(*resource),
                                "{text}"
                            );
                            assert_eq!(denial.policy_type, Some(*policy_type), "{text}");
                            assert_eq!(denial.explicit, explicit, "{text}");
                            assert!(!(explicit && explanation.is_repairable()), "{text}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_denial_without_an_ending_goes_by_its_action() {
    for (action, resource) in ACTIONS {
        for place in resources(resource) {
            let text = format!("User: {ROLE} is not authorized to perform: {action}{place}");
            let found = causes(&text);
            match *action {
                "backup:CopyIntoBackupVault" => assert_eq!(
                    found,
                    [
                        "destination-vault-policy",
                        "job-role-permission",
                        "service-control-policy"
                    ],
                    "{text}"
                ),
                kms if kms.starts_with("kms:") => {
                    assert_eq!(
                        found[..2],
                        ["source-key-policy", "job-role-permission"],
                        "{text}"
                    );
                }
                "sts:AssumeRole" => assert_eq!(found[0], "job-role-trust", "{text}"),
                _ => assert_eq!(found[0], "job-role-permission", "{text}"),
            }
        }
    }
}

#[test]
fn an_explicit_deny_without_a_type_is_never_repairable() {
    for (action, resource) in ACTIONS {
        for place in resources(resource) {
            for tail in tails() {
                let text = format!(
                    "User: {ROLE} is not authorized to perform: {action}{place} with an explicit deny{tail}"
                );
                let explanation = explain(&text);
                assert!(explanation.denial.unwrap().explicit, "{text}");
                assert!(
                    explanation
                        .candidates
                        .iter()
                        .all(|candidate| !candidate.cause.is_repairable()),
                    "{text}"
                );
            }
        }
    }
    assert_eq!(
        causes(&format!(
            "User: {ROLE} is not authorized to perform: backup:CopyIntoBackupVault on resource: {VAULT} with an explicit deny"
        ))[0],
        "destination-vault-deny"
    );
    assert_eq!(
        causes(&format!(
            "User: {ROLE} is not authorized to perform: kms:Decrypt on resource: {KEY} with an explicit deny"
        ))[0],
        "source-key-deny"
    );
}

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
    assert_eq!(read("*").as_deref(), Some("*"));
    assert_eq!(
        read("[arn:aws:s3:::bucket],").as_deref(),
        Some("arn:aws:s3:::bucket")
    );
    assert_eq!(read("role BackupRole").as_deref(), Some("role BackupRole"));
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
fn a_denial_on_another_kind_of_resource_is_not_the_keys_or_the_vaults_policy() {
    let ending = "because no resource-based policy allows the action";
    for (action, resource) in [
        ("kms:Decrypt", "arn:aws:s3:::bucket"),
        ("backup:CopyIntoBackupVault", "arn:aws:s3:::bucket"),
        ("s3:GetObject", "arn:aws:s3:::bucket/key"),
    ] {
        assert_best(
            &format!(
                "User: {ROLE} is not authorized to perform: {action} on resource: {resource} {ending}"
            ),
            Cause::JobRolePermission,
        );
        assert_best(
            &format!("User: {ROLE} is not authorized to perform: {action} on resource: {resource}"),
            Cause::JobRolePermission,
        );
    }
}

#[test]
fn the_alias_of_an_aws_managed_key_names_it() {
    assert_best(
        &format!(
            "User: {ROLE} is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-1:111122223333:alias/aws/ebs because no resource-based policy allows the kms:Decrypt action"
        ),
        Cause::AwsManagedKey,
    );
}

#[test]
fn the_service_linked_role_of_the_destination_needs_the_key_policy() {
    let role = "arn:aws:sts::444455556666:assumed-role/AWSServiceRoleForBackup/AWSBackup-copy";
    let found = causes(&format!(
        "User: {role} is not authorized to perform: kms:ReEncryptFrom on resource: {KEY}"
    ));
    assert_eq!(found[0], "source-key-policy");
    assert!(!found.contains(&"job-role-permission"), "{found:?}");
    // A tail of KMS speaks of "does not exist", which says nothing about the service-linked role.
    let text = format!(
        "User: {role} is not authorized to perform: kms:CreateGrant on resource: {KEY} because the resource does not exist in \
         this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
    );
    assert_eq!(
        causes(&text),
        ["source-key-policy", "key-not-found", "source-key-deny"]
    );
}

#[test]
fn a_policy_behind_an_endpoint_policy_comes_first() {
    let text = format!(
        "User: {ROLE} is not authorized to perform: SNS:Publish on resource: arn:aws:sns:us-east-1:444455556666:t with an explicit deny in a VPC endpoint policy transitively through a service control policy"
    );
    assert_eq!(
        causes(&text),
        ["service-control-policy", "vpc-endpoint-policy"]
    );
}

#[test]
fn the_sentence_with_an_action_is_the_one_returned() {
    let text = format!(
        "You are not authorized to perform this operation. User: {ROLE} is not authorized to perform: ec2:CopySnapshot on resource: arn:aws:ec2:us-east-1::snapshot/* with an explicit deny in a service control policy. Encoded authorization failure message: XQ_"
    );
    assert_eq!(explain(&text).action(), Some("ec2:CopySnapshot"));
    assert_eq!(causes(&text), ["service-control-policy"]);
}

#[test]
fn two_denials_give_both_causes() {
    let text = format!(
        "User: {ROLE} is not authorized to perform: backup:CopyFromBackupVault because no permissions boundary allows the \
         backup:CopyFromBackupVault action. User: {ROLE} is not authorized to perform: kms:Decrypt on resource: {KEY} because no \
         identity-based policy allows the kms:Decrypt action"
    );
    assert_eq!(
        causes(&text),
        ["permissions-boundary", "job-role-permission"]
    );
}

#[test]
fn organization_comes_before_access_denied() {
    assert_best(
        &format!(
            "Both source and destination account must be a member of the same organization. User: {ROLE} is not authorized to perform: backup:CopyIntoBackupVault on resource: {VAULT}"
        ),
        Cause::OrganizationMembership,
    );
}
