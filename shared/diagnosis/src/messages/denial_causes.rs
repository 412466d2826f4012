//! From an access-denied sentence to causes.

use super::access_denied::{AccessDenial, Sentence};
use super::policy_type::PolicyType;
use super::rule::{Finding, finding};
use super::text;
use super::verb::Verb;

/// What the refused action is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    CopyInto,
    CopyFrom,
    /// Another action on the source vault.
    OfSource,
    /// A use of a key that a copy makes.
    Kms,
    /// Any other action on a key: its administration, its tags.
    OtherOfKey,
    AssumeRole,
    Other,
    NotNamed,
}

/// What kind of thing the named resource is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Resource {
    Vault,
    Key,
    AwsManagedKey,
    Other,
    NotNamed,
}

/// What a copy does with a key: the actions of AWS's published policies of the job role and of the
/// service-linked role (AWS managed policies `AWSBackupServiceRolePolicyForBackup` and
/// `AWSBackupServiceLinkedRolePolicyForBackup`, documented).
const KEY_USES: &[&str] = &[
    "kms:DescribeKey",
    "kms:CreateGrant",
    "kms:ListGrants",
    "kms:Decrypt",
    "kms:ReEncrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:ReEncrypt*",
    "kms:GenerateDataKey",
    "kms:GenerateDataKey*",
    "kms:GenerateDataKeyWithoutPlaintext",
];

fn action_of(denial: &AccessDenial<'_>) -> Action {
    let Some(action) = denial.action else {
        return Action::NotNamed;
    };
    if action.eq_ignore_ascii_case("backup:CopyIntoBackupVault") {
        Action::CopyInto
    } else if action.eq_ignore_ascii_case("backup:CopyFromBackupVault") {
        Action::CopyFrom
    } else if ["backup:StartCopyJob", "backup:StartRestoreJob"]
        .iter()
        .any(|known| action.eq_ignore_ascii_case(known))
    {
        Action::OfSource
    } else if text::starts_with(action, "kms:") {
        if KEY_USES
            .iter()
            .any(|known| action.eq_ignore_ascii_case(known))
        {
            Action::Kms
        } else {
            Action::OtherOfKey
        }
    } else if text::starts_with(action, "sts:AssumeRole") {
        Action::AssumeRole
    } else {
        Action::Other
    }
}

fn resource_of(denial: &AccessDenial<'_>) -> Resource {
    let Some(resource) = denial.resource else {
        return Resource::NotNamed;
    };
    if text::holds(resource, "alias/aws/") {
        return Resource::AwsManagedKey;
    }
    let Some((service, name)) = text::arn_parts(resource) else {
        return Resource::NotNamed;
    };
    if service.eq_ignore_ascii_case("kms") {
        Resource::Key
    } else if service.eq_ignore_ascii_case("backup") && text::starts_with(name, "backup-vault:") {
        Resource::Vault
    } else {
        Resource::Other
    }
}

/// Whether the principal is AWS Backup's service-linked role: for a cross-account copy, that of the
/// destination account.
fn is_service_linked_role(denial: &AccessDenial<'_>) -> bool {
    denial
        .principal
        .is_some_and(|principal| text::holds(principal, "awsserviceroleforbackup"))
}

/// Whether the principal is AWS Backup's: its service-linked role, or the session in which it uses
/// a job role, which it calls `AWSBackup-` and the role's name (seen).
fn is_of_aws_backup(denial: &AccessDenial<'_>) -> bool {
    let session = denial
        .principal
        .and_then(|principal| principal.rsplit_once('/'));
    is_service_linked_role(denial)
        || session.is_some_and(|(_, session)| text::starts_with(session, "AWSBackup-"))
}

/// Whether a call is refused to somebody who isn't AWS Backup: an action on a key to a principal that is named and isn't AWS
/// Backup's, or a copy to a person. AWS Backup makes a copy as its job role (AWS Backup Developer Guide, "Creating backup
/// copies", documented).
pub(super) fn is_of_another_caller(denial: &AccessDenial<'_>) -> bool {
    match action_of(denial) {
        Action::Kms | Action::OtherOfKey => denial.principal.is_some() && !is_of_aws_backup(denial),
        Action::CopyInto | Action::CopyFrom | Action::OfSource => {
            denial.principal.is_some_and(is_a_person)
        }
        Action::AssumeRole | Action::Other | Action::NotNamed => false,
    }
}

/// Whether a principal is a user or an account's root user.
fn is_a_person(principal: &str) -> bool {
    let resource = principal.splitn(6, ':').nth(5);
    resource.is_some_and(|resource| {
        resource.eq_ignore_ascii_case("root")
            || text::starts_with(resource, "user/")
            || text::starts_with(resource, "federated-user/")
    })
}

/// Whether the key is of the principal's own account.
fn is_of_own_account(denial: &AccessDenial<'_>) -> bool {
    let account = |arn: Option<&str>| arn.and_then(|arn| arn.split(':').nth(4).map(str::to_owned));
    let owner = account(denial.resource).filter(|owner| !owner.is_empty());
    owner.is_some() && owner == account(denial.principal)
}

/// Whether the service-linked role's own policy holds the action (`AWSBackupServiceLinkedRolePolicyForBackup`, version 31,
/// documented): otherwise no grant helps.
fn is_allowed_by_its_own_policy(denial: &AccessDenial<'_>) -> bool {
    let held = [
        "kms:DescribeKey",
        "kms:CreateGrant",
        "kms:ListGrants",
        "kms:ReEncrypt*",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
        "kms:GenerateDataKeyWithoutPlaintext",
    ];
    denial
        .action
        .is_none_or(|action| held.iter().any(|held| held.eq_ignore_ascii_case(action)))
}

/// The causes that a denial admits, best first, and why the first.
///
/// Policy types other than resource-based name the cause themselves. For resource-based ones the
/// action says whose policy it is. Grammar documented, mapping inferred.
pub(super) fn causes(sentence: &Sentence<'_>) -> Finding {
    let denial = &sentence.denial;
    match denial.policy_type {
        Some(PolicyType::Identity) => identity(denial),
        Some(PolicyType::Resource) if sentence.leaves_a_deny_open => open_deny(denial),
        Some(PolicyType::Resource) => resource_based(denial),
        Some(PolicyType::PermissionsBoundary) => finding!(PermissionsBoundary;
            "The message names the permissions boundary of the caller."),
        Some(PolicyType::ServiceControl) => finding!(ServiceControlPolicy;
            "The message names a service control policy of the organization."),
        Some(PolicyType::ResourceControl) => finding!(ResourceControlPolicy;
            "The message names a resource control policy of the organization."),
        Some(PolicyType::Session) => finding!(SessionPolicy; "The message names a session policy."),
        Some(PolicyType::VpcEndpoint) => vpc_endpoint(denial),
        Some(PolicyType::RoleTrust) => finding!(JobRoleTrust;
            "The message names the trust policy of the role."),
        None if denial.explicit => explicit(denial),
        None => match sentence.verb {
            Verb::Perform => untyped(denial),
            Verb::Call => of_a_service(denial),
        },
    }
}

fn identity(denial: &AccessDenial<'_>) -> Finding {
    if denial.explicit {
        return finding!(JobRolePermission; "A Deny in a policy of the caller refuses the action.");
    }
    if action_of(denial) == Action::AssumeRole {
        return finding!(JobRolePermission, JobRoleTrust;
            "No policy of the caller allows it to assume the role.");
    }
    if is_service_linked_role(denial) {
        return finding!(JobRolePermission, UnsupportedResourceType;
            "The service-linked role of AWS Backup is not allowed this action; its policy belongs to AWS.");
    }
    finding!(JobRolePermission; "No policy of the caller allows the action.")
}

fn vpc_endpoint(denial: &AccessDenial<'_>) -> Finding {
    if denial.through == Some(PolicyType::ServiceControl) {
        return finding!(ServiceControlPolicy, VpcEndpointPolicy;
            "A service control policy denies the call that went through a VPC endpoint.");
    }
    finding!(VpcEndpointPolicy; "The message names the policy of a VPC endpoint.")
}

fn resource_based(denial: &AccessDenial<'_>) -> Finding {
    match (action_of(denial), resource_of(denial), denial.explicit) {
        (Action::CopyInto, Resource::Vault | Resource::NotNamed, false)
        | (Action::NotNamed, Resource::Vault, false) => finding!(DestinationVaultPolicy;
            "The destination vault's access policy does not allow the copy."),
        (Action::CopyInto, Resource::Vault | Resource::NotNamed, true)
        | (Action::NotNamed, Resource::Vault, true) => finding!(DestinationVaultDeny;
            "A Deny in the destination vault's access policy refuses the copy."),
        // Within an account only a Deny of this policy refuses.
        (Action::CopyFrom, _, true) => finding!(SourceVaultDeny, JobRolePermission;
            "A Deny in the source vault's access policy refuses the copy."),
        (Action::Kms, Resource::AwsManagedKey, _) => finding!(AwsManagedKey;
            "The key is an AWS managed key; its policy cannot admit another account."),
        (Action::Kms, Resource::Key | Resource::NotNamed, false)
        | (Action::NotNamed, Resource::Key, false) => key_policy(denial),
        (Action::Kms, Resource::Key | Resource::NotNamed, true)
        | (Action::NotNamed, Resource::Key, true) => finding!(SourceKeyDeny;
            "A Deny in the key policy refuses the action."),
        (Action::OtherOfKey, _, true) => finding!(SourceKeyDeny, JobRolePermission;
            "A Deny in the key policy refuses the action."),
        (Action::AssumeRole, _, _) => finding!(JobRoleTrust;
            "The trust policy of the role does not admit the caller."),
        (Action::Other, Resource::Vault, true) => finding!(DestinationVaultDeny, JobRolePermission;
            "A Deny in the vault's access policy refuses the action."),
        _ => finding!(JobRolePermission; "The resource's own policy does not let the job role in."),
    }
}

fn key_policy(denial: &AccessDenial<'_>) -> Finding {
    if is_service_linked_role(denial) && is_of_own_account(denial) {
        return finding!(DestinationVaultKey, SourceKeyPolicy;
            "The key is of the service-linked role's own account, so it is the destination's.");
    }
    if is_service_linked_role(denial) && !is_allowed_by_its_own_policy(denial) {
        return finding!(JobRolePermission, SourceKeyPolicy;
            "The service-linked role of AWS Backup is not allowed this action by its own policy, which belongs to AWS.");
    }
    if is_service_linked_role(denial) {
        return finding!(SourceKeyPolicy, KeyNotFound, AwsManagedKey, SourceKeyDeny;
            "The key policy does not admit AWS Backup's service-linked role, which makes the copy.");
    }
    finding!(SourceKeyPolicy, DestinationVaultKey, AwsManagedKey;
        "The key policy does not allow the action.")
}

/// KMS to a caller of another account: "the resource does not exist in this Region, no
/// resource-based policies allow access, or a resource-based policy explicitly denies access"
/// (seen). Which of them it is stays open, so nothing that adds an Allow comes first.
fn open_deny(denial: &AccessDenial<'_>) -> Finding {
    match (action_of(denial), resource_of(denial)) {
        (_, Resource::AwsManagedKey) => finding!(AwsManagedKey;
            "The key is an AWS managed key; its policy cannot admit another account."),
        (Action::Kms, _) if is_of_aws_backup(denial) => finding!(KeyNotFound, SourceKeyPolicy,
            AwsManagedKey, SourceKeyDeny;
            "The key does not exist in this Region, its policy does not let the caller in, or a Deny refuses it."),
        _ => finding!(JobRolePermission, KeyNotFound, SourceKeyPolicy, AwsManagedKey;
            "The message leaves open why the caller may not use the resource."),
    }
}

/// A Deny of a type that the message keeps to itself: nothing that adds an Allow may come first.
fn explicit(denial: &AccessDenial<'_>) -> Finding {
    match (action_of(denial), resource_of(denial)) {
        (Action::CopyInto, Resource::Vault | Resource::NotNamed) => finding!(DestinationVaultDeny,
            ServiceControlPolicy, JobRolePermission, PermissionsBoundary;
            "A Deny refuses the copy into the vault; the message does not say in which policy."),
        (Action::CopyFrom, _) => finding!(JobRolePermission, SourceVaultDeny,
            ServiceControlPolicy, PermissionsBoundary;
            "A Deny refuses the copy from the vault; the message does not say in which policy."),
        (Action::Kms, Resource::AwsManagedKey) => finding!(AwsManagedKey, ServiceControlPolicy;
            "The key is an AWS managed key; its policy cannot admit another account."),
        (Action::Kms, Resource::Key | Resource::NotNamed) => finding!(SourceKeyDeny,
            ServiceControlPolicy, ResourceControlPolicy, JobRolePermission;
            "A Deny refuses the use of the key; the message does not say in which policy."),
        (Action::AssumeRole, _) => finding!(JobRoleTrust, ServiceControlPolicy;
            "A Deny keeps the role from being assumed."),
        _ => finding!(JobRolePermission, ServiceControlPolicy, PermissionsBoundary;
            "A Deny refuses the action; the message does not say in which policy."),
    }
}

fn untyped(denial: &AccessDenial<'_>) -> Finding {
    match (action_of(denial), resource_of(denial)) {
        (Action::CopyInto, Resource::Vault | Resource::NotNamed) => {
            finding!(DestinationVaultPolicy,
            JobRolePermission, ServiceControlPolicy;
            "The copy into the vault is refused; the message does not say by which policy.")
        }
        (Action::Kms, Resource::AwsManagedKey) => finding!(AwsManagedKey, JobRolePermission;
            "The key is an AWS managed key; its policy cannot admit another account."),
        (Action::Kms, Resource::Key | Resource::NotNamed) if is_service_linked_role(denial) => {
            key_policy(denial)
        }
        (Action::Kms, Resource::Key | Resource::NotNamed) if is_of_aws_backup(denial) => {
            finding!(SourceKeyPolicy, JobRolePermission, AwsManagedKey, ServiceControlPolicy,
            ResourceControlPolicy;
            "The use of the key is refused; the message does not say by which policy.")
        }
        (Action::Kms, Resource::Key | Resource::NotNamed) => finding!(JobRolePermission,
            SourceKeyPolicy, AwsManagedKey, ServiceControlPolicy, ResourceControlPolicy;
            "The use of a key is refused to a caller that is not AWS Backup's; the message does not say by which policy."),
        (Action::AssumeRole, _) => finding!(JobRoleTrust, JobRolePermission;
            "The role may not be assumed."),
        _ => finding!(JobRolePermission, ServiceControlPolicy, PermissionsBoundary;
            "The action is refused; most often the role lacks the permission."),
    }
}

/// A service's own words for a refusal. They say less than IAM's grammar, so nothing that can be
/// repaired comes first.
fn of_a_service(denial: &AccessDenial<'_>) -> Finding {
    let why = "The action is refused; most often the role lacks the permission.";
    match action_of(denial) {
        Action::CopyInto => finding!(JobRolePermission, DestinationVaultPolicy,
            ServiceControlPolicy;
            why),
        Action::Kms => finding!(JobRolePermission, SourceKeyPolicy, ServiceControlPolicy; why),
        Action::AssumeRole => finding!(JobRoleTrust, JobRolePermission;
            "The role may not be assumed."),
        Action::CopyFrom
        | Action::OfSource
        | Action::OtherOfKey
        | Action::Other
        | Action::NotNamed => {
            finding!(JobRolePermission,
            ServiceControlPolicy, PermissionsBoundary;
            why)
        }
    }
}
