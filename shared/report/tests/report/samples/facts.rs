//! What the handler found out about the copy.

use copymend_diagnosis::{
    BackupVault, Fact, Facts, JobRoleAccess, KeyFacts, Organization, RecoveryPointTags, Role,
    SimulatedAction, SimulatedDecision, SimulatedFact, SourceKey, Tags, ToldBy, UnknownReason,
    WhyUnknown,
};
use copymend_policy::PolicyDocument;

use super::{KEY, ROLE, SNAPSHOT, VAULT, VAULT_POLICY};

fn not_read<T>() -> Fact<T> {
    Fact::Unknown(why(
        "backup:DescribeBackupVault",
        VAULT,
        UnknownReason::NotRead,
        "",
    ))
}

pub(crate) fn why(
    operation: &str,
    resource: &str,
    reason: UnknownReason,
    detail: &str,
) -> WhyUnknown {
    WhyUnknown {
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        reason,
        detail: detail.to_owned(),
    }
}

pub(super) fn facts() -> Facts {
    let organization = || {
        Fact::Known(Some(Organization {
            id: "o-exampleorgid".to_owned(),
            management_account: None,
        }))
    };
    Facts {
        recovery_point: not_read(),
        source_key: SourceKey::Key(Box::new(KeyFacts {
            arn: KEY.parse().unwrap(),
            key: not_read(),
            policy: not_read(),
            policy_names: Fact::Known(vec!["default".to_owned()]),
            tags: not_read(),
        })),
        source_vault: Fact::Known(Some(BackupVault::default())),
        destination_vault: not_read(),
        vault_policy: Fact::Known(Some(PolicyDocument::parse(VAULT_POLICY).unwrap())),
        vault_tags: not_read(),
        vault_key: not_read(),
        source_organization: organization(),
        destination_organization: organization(),
        service_linked_role: not_read(),
        job_role: Fact::Known(Some(Role {
            arn: ROLE.parse().unwrap(),
            trust_policy: None,
            permissions_boundary: None,
            created: None,
        })),
        job_role_access: JobRoleAccess {
            copy_from: allowed("backup:CopyFromBackupVault", SNAPSHOT),
            copy_into: allowed("backup:CopyIntoBackupVault", VAULT),
        },
        recovery_point_tags: Fact::Known(RecoveryPointTags::Tags(Tags::from([(
            "CostCenter".to_owned(),
            "100".to_owned(),
        )]))),
        tag_policy: Fact::Known(None),
        cross_account_backup: not_read(),
    }
}

/// The simulator allows it.
fn allowed(action: &str, resource: &str) -> SimulatedFact {
    SimulatedFact {
        as_is: Fact::Known(SimulatedAction {
            action: action.to_owned(),
            resource: resource.to_owned(),
            decision: SimulatedDecision::Allowed,
            allowed_by_organizations: Some(true),
            allowed_by_permissions_boundary: None,
            matched_statements: 1,
            missing_context_values: Vec::new(),
            is_cross_account: false,
            identity_decision: None,
            told_by: ToldBy::Simulator,
        }),
        without_scps: None,
        without_boundary: None,
        not_told: Vec::new(),
    }
}
