//! The AWS managed policies that the rules need.

use std::sync::LazyLock;

use copymend_policy::PolicyDocument;

const FOR_BACKUP: &str =
    include_str!("../managed-policies/AWSBackupServiceRolePolicyForBackup.json");
const SERVICE_LINKED_ROLE: &str =
    include_str!("../managed-policies/AWSBackupServiceLinkedRolePolicyForBackup.json");

/// An AWS managed policy, by its name or its ARN.
pub(crate) fn policy(name: &str) -> Option<&'static str> {
    match name.rsplit('/').next() {
        Some("AWSBackupServiceRolePolicyForBackup") => Some(FOR_BACKUP),
        Some(_) | None => None,
    }
}

/// `AWSBackupServiceLinkedRolePolicyForBackup`, version 31: all that `AWSServiceRoleForBackup` may do.
pub(crate) fn service_linked_role() -> Option<&'static PolicyDocument> {
    static POLICY: LazyLock<Option<PolicyDocument>> =
        LazyLock::new(|| PolicyDocument::parse(SERVICE_LINKED_ROLE).ok());
    POLICY.as_ref()
}
