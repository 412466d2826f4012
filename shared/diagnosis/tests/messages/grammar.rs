//! IAM's access-denied grammar: every policy type, implicit and explicit, every ending, several
//! actions.

use copymend_diagnosis::Cause;
use copymend_diagnosis::messages::{PolicyType, explain};

use crate::data::{assert_best, assert_sound, causes};

const ROLE: &str = "arn:aws:sts::111122223333:assumed-role/BackupRole/AWSBackup-BackupRole";
const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-vault";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

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
            ("backup:CopyFromBackupVault", true) => Cause::SourceVaultDeny,
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
        [
            "key-not-found",
            "source-key-policy",
            "aws-managed-key",
            "source-key-deny"
        ]
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

/// AWS Backup's own words stand for the vault's policy, unless they go on and name another one.
#[test]
fn a_refused_call_of_the_service_is_of_the_policy_that_it_names() {
    let beginnings = [
        "Access Denied trying to call AWS Backup service",
        "access denied when trying to call the AWS Backup service.",
        "Copy job failed. Access Denied trying to call Amazon Backup service,",
    ];
    for beginning in beginnings {
        for &(policy_type, name, article) in TYPES {
            let denied = format!("{beginning} with an explicit deny in {article} {name}");
            let missing = format!(
                "{beginning} because no {name} allows the backup:CopyIntoBackupVault action"
            );
            if policy_type == PolicyType::Resource {
                assert_best(&denied, Cause::DestinationVaultDeny);
                assert_best(&missing, Cause::DestinationVaultPolicy);
                continue;
            }
            for message in [denied, missing] {
                assert_best(&message, expected(policy_type, true, ""));
                let found = explain(&message);
                assert_eq!(
                    found.denial.unwrap().policy_type,
                    Some(policy_type),
                    "{message}"
                );
                assert!(!found.is_repairable(), "{message}");
            }
        }
    }
    let named = "Access Denied trying to call AWS Backup service with an explicit deny in a service control policy: \
                 arn:aws:organizations::999988887777:policy/o-exampleorgid/service_control_policy/p-example1";
    let arn = explain(named).denial.and_then(|denial| denial.policy_arn);
    assert!(
        arn.is_some_and(|arn| arn.ends_with("/p-example1")),
        "{arn:?}"
    );
    // Of another service's call, or of none that was refused, it isn't said.
    for other in [
        "Access Denied trying to call Amazon S3 service with an explicit deny in a session policy",
        "No access denied trying to call AWS Backup service with an explicit deny in a session policy",
        "Not denied trying to call AWS Backup service with an explicit deny in a session policy",
    ] {
        assert_eq!(explain(other).denial, None, "{other}");
    }
}
