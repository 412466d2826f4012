//! The AWS managed policies that the rules and the policy simulator need.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use copymend_policy::PolicyDocument;

/// The policies that can be attached to roles and users, by name.
const ATTACHABLE: &[(&str, &str)] = &[
    (
        "AWSBackupFullAccess",
        include_str!("../managed-policies/AWSBackupFullAccess.json"),
    ),
    (
        "AWSBackupServiceRolePolicyForBackup",
        include_str!("../managed-policies/AWSBackupServiceRolePolicyForBackup.json"),
    ),
    (
        "AWSBackupServiceRolePolicyForRestores",
        include_str!("../managed-policies/AWSBackupServiceRolePolicyForRestores.json"),
    ),
    (
        "AWSBackupServiceRolePolicyForS3Backup",
        include_str!("../managed-policies/AWSBackupServiceRolePolicyForS3Backup.json"),
    ),
    (
        "AWSBackupServiceRolePolicyForS3Restore",
        include_str!("../managed-policies/AWSBackupServiceRolePolicyForS3Restore.json"),
    ),
];
const SERVICE_LINKED_ROLE: &str =
    include_str!("../managed-policies/AWSBackupServiceLinkedRolePolicyForBackup.json");

/// An AWS managed policy, by its name or its ARN, as it reads in a partition. That it differs in
/// the ARNs' partition alone is inferred.
pub(crate) fn policy(name: &str, partition: &str) -> Option<PolicyDocument> {
    static COMMON: LazyLock<BTreeMap<&str, PolicyDocument>> = LazyLock::new(|| {
        ATTACHABLE
            .iter()
            .filter_map(|(name, text)| Some((*name, PolicyDocument::parse(text).ok()?)))
            .collect()
    });
    let common = COMMON.get(name.rsplit('/').next()?)?;
    if partition == "aws" {
        return Some(common.clone());
    }
    let text = common.as_str();
    PolicyDocument::parse(&text.replace("arn:aws:", &format!("arn:{partition}:"))).ok()
}

/// The ARN of one of them, which a world may name without its path (documented: AWS Managed Policy
/// Reference Guide).
pub(crate) fn arn(name: &str, partition: &str) -> String {
    const OF_SERVICES: [&str; 2] = [
        "AWSBackupServiceRolePolicyForBackup",
        "AWSBackupServiceRolePolicyForRestores",
    ];
    let name = name.rsplit('/').next().unwrap_or(name);
    let path = if OF_SERVICES.contains(&name) {
        "service-role/"
    } else {
        ""
    };
    format!("arn:{partition}:iam::aws:policy/{path}{name}")
}

/// The names of the policies that [`policy`] knows.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ATTACHABLE.iter().map(|(name, _)| *name)
}

/// `AWSBackupServiceLinkedRolePolicyForBackup`, version 31: all that `AWSServiceRoleForBackup` may
/// do.
pub(crate) fn service_linked_role() -> Option<&'static PolicyDocument> {
    static POLICY: LazyLock<Option<PolicyDocument>> =
        LazyLock::new(|| PolicyDocument::parse(SERVICE_LINKED_ROLE).ok());
    POLICY.as_ref()
}

/// The trust policy of a role that AWS Backup may assume.
pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_managed_policy_can_be_read_in_every_partition() {
        for name in names() {
            for partition in ["aws", "aws-cn", "aws-us-gov"] {
                assert!(policy(name, partition).is_some(), "{name} in {partition}");
                let arn = format!("arn:{partition}:iam::aws:policy/service-role/{name}");
                assert!(policy(&arn, partition).is_some(), "{arn}");
            }
        }
        assert!(service_linked_role().is_some());
        assert!(policy("AdministratorAccess", "aws").is_none());
    }
}
