//! The AWS managed policies that the rules need.

use std::sync::LazyLock;

use copymend_policy::PolicyDocument;

const FOR_BACKUP: &str =
    include_str!("../managed-policies/AWSBackupServiceRolePolicyForBackup.json");
const SERVICE_LINKED_ROLE: &str =
    include_str!("../managed-policies/AWSBackupServiceLinkedRolePolicyForBackup.json");

/// An AWS managed policy, by its name or its ARN, as it reads in a partition. That it differs in the ARNs' partition alone
/// is inferred.
pub(crate) fn policy(name: &str, partition: &str) -> Option<PolicyDocument> {
    static COMMON: LazyLock<Option<PolicyDocument>> =
        LazyLock::new(|| PolicyDocument::parse(FOR_BACKUP).ok());
    if name.rsplit('/').next() != Some("AWSBackupServiceRolePolicyForBackup") {
        return None;
    }
    if partition == "aws" {
        return COMMON.clone();
    }
    PolicyDocument::parse(&FOR_BACKUP.replace("arn:aws:", &format!("arn:{partition}:"))).ok()
}

/// `AWSBackupServiceLinkedRolePolicyForBackup`, version 31: all that `AWSServiceRoleForBackup` may do.
pub(crate) fn service_linked_role() -> Option<&'static PolicyDocument> {
    static POLICY: LazyLock<Option<PolicyDocument>> =
        LazyLock::new(|| PolicyDocument::parse(SERVICE_LINKED_ROLE).ok());
    POLICY.as_ref()
}

/// The trust policy of a role that AWS Backup may assume.
pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
