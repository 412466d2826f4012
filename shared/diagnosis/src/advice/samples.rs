//! Events, jobs and facts for this crate's own tests.

use serde_json::{Value, json};

use crate::facts::{Key, KeyFacts, KeyManager, Organization, SourceKey};
use crate::{
    CopyJob, CopyJobEvent, CopyJobState, Fact, Facts, Failure, JobRoleAccess, KeyArn,
    RecoveryPointTags, Role, SimulatedAction, SimulatedDecision, TagPolicy, Tags, ToldBy,
    UnknownReason, WhyUnknown,
};

pub(crate) const SNAPSHOT: &str = "arn:aws:ec2:eu-west-1::snapshot/snap-0a1b2c3d4e5f60718";
pub(crate) const VOLUME: &str = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-0a1b2c3d4e5f60718";
pub(crate) const SOURCE_VAULT: &str =
    "arn:aws:backup:eu-west-1:111122223333:backup-vault:prod-vault";
pub(crate) const VAULT: &str = "arn:aws:backup:eu-central-1:444455556666:backup-vault:dr-vault";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/AWSBackupDefaultServiceRole";

/// An event of a failed copy. `detail` replaces members of its detail; `resources` of the envelope
/// is the recovery point.
pub(crate) fn event_with(point: &str, detail: &Value) -> CopyJobEvent {
    let mut event = json!({
        "version": "0",
        "id": "3f2c",
        "source": "aws.backup",
        "detail-type": "Copy Job State Change",
        "account": "111122223333",
        "region": "eu-west-1",
        "time": "2026-03-01T02:00:00Z",
        "resources": [point],
        "detail": {
            "copyJobId": "8F1B2C3D-1111-2222-3333-444455556666",
            "state": "FAILED",
            "iamRoleArn": ROLE,
            "resourceArn": VOLUME,
            "resourceType": "EBS",
            "sourceBackupVaultArn": SOURCE_VAULT,
            "destinationBackupVaultArn": VAULT,
        },
    });
    for (name, value) in detail.as_object().unwrap() {
        event["detail"][name] = value.clone();
    }
    CopyJobEvent::from_json(&event).unwrap()
}

pub(crate) fn event(point: &str, resource_type: &str) -> CopyJobEvent {
    event_with(point, &json!({ "resourceType": resource_type }))
}

/// The job of an event, as AWS Backup describes it.
pub(crate) fn failure(event: &CopyJobEvent) -> Failure {
    let event = CopyJobEvent {
        account: event.source_vault.arn().account().to_owned(),
        region: event.source_vault.region().to_owned(),
        ..event.clone()
    };
    let job = CopyJob {
        id: event.copy_job_id.clone(),
        account: event.account.parse().unwrap(),
        region: event.region.clone(),
        state: CopyJobState::Failed,
        status_message: event.status_message.clone(),
        message_category: None,
        source_vault: event.source_vault.clone(),
        source_recovery_point: event.source_recovery_point.clone().unwrap(),
        destination_vault: event.destination_vault.clone(),
        role: event.role.clone(),
        resource: event.resource.clone(),
        resource_type: event.resource_type.clone(),
        backup_plan: None,
        lifecycle: None,
        parent_job_id: None,
        is_parent: false,
        completed: None,
        size_bytes: None,
    };
    Failure::verify(&event, job).unwrap()
}

pub(crate) fn unknown<T>() -> Fact<T> {
    Fact::Unknown(WhyUnknown {
        operation: "backup:Describe".to_owned(),
        resource: "x".to_owned(),
        reason: UnknownReason::NotRead,
        detail: String::new(),
    })
}

/// The simulator's answer to an action, for a role with a boundary in an organization.
pub(crate) fn simulated(
    action: &str,
    resource: &str,
    decision: SimulatedDecision,
    by_organization: bool,
    by_boundary: bool,
) -> Fact<SimulatedAction> {
    Fact::Known(SimulatedAction {
        action: action.to_owned(),
        resource: resource.to_owned(),
        decision,
        allowed_by_organizations: Some(by_organization),
        allowed_by_permissions_boundary: Some(by_boundary),
        matched_statements: usize::from(decision == SimulatedDecision::Allowed),
        missing_context_values: Vec::new(),
        is_cross_account: false,
        identity_decision: None,
        told_by: ToldBy::Simulator,
    })
}

/// The simulator's answers to the two actions of a copy.
pub(crate) fn both(from: SimulatedDecision, into: SimulatedDecision) -> JobRoleAccess {
    let copy_from = simulated("backup:CopyFromBackupVault", SNAPSHOT, from, true, true);
    let copy_into = simulated("backup:CopyIntoBackupVault", VAULT, into, true, true);
    JobRoleAccess {
        copy_from: copy_from.into(),
        copy_into: copy_into.into(),
    }
}

/// A role that may copy from the source vault, but lacks the permission to copy into the
/// destination vault.
pub(crate) fn access() -> JobRoleAccess {
    both(SimulatedDecision::Allowed, SimulatedDecision::ImplicitDeny)
}

pub(crate) fn tags<const N: usize>(pairs: [(&str, &str); N]) -> Tags {
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// Tags that AWS Backup told.
pub(crate) fn known_tags(tags: Tags) -> Fact<RecoveryPointTags> {
    Fact::Known(RecoveryPointTags::Tags(tags))
}

/// A job role with a trust policy that leaves AWS Backup out, and with a boundary.
pub(crate) fn role() -> Role {
    Role {
        arn: ROLE.parse().unwrap(),
        trust_policy: Some(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#
                .to_owned(),
        ),
        permissions_boundary: Some("arn:aws:iam::111122223333:policy/BackupLimits".to_owned()),
        created: None,
    }
}

pub(crate) fn facts() -> Facts {
    let key: KeyArn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        .parse()
        .unwrap();
    let organization = || {
        Fact::Known(Some(Organization {
            id: "o-exampleorgid".to_owned(),
            management_account: Some("999988887777".parse().unwrap()),
        }))
    };
    Facts {
        lifecycle: None,
        recovery_point: unknown(),
        source_vault: Fact::Known(Some(crate::BackupVault::default())),
        source_key: SourceKey::Key(Box::new(KeyFacts {
            arn: key.clone(),
            key: Fact::Known(Some(Key {
                arn: key,
                manager: KeyManager::Customer,
                state: "PendingDeletion".to_owned(),
            })),
            policy: unknown(),
            policy_names: Fact::Known(vec!["default".to_owned()]),
            tags: unknown(),
            organization: organization(),
        })),
        image_keys: crate::ImageKeys::NotApplicable,
        source_vault_policy: unknown(),
        destination_vault: Fact::Known(Some(crate::BackupVault {
            min_retention_days: Some(35),
            ..crate::BackupVault::default()
        })),
        vault_policy: unknown(),
        vault_tags: unknown(),
        vault_key: crate::VaultKey::None,
        service_default_key: None,
        source_organization: organization(),
        source_organization_path: None,
        destination_organization: organization(),
        service_linked_role: unknown(),
        job_role: Fact::Known(Some(role())),
        job_role_access: access(),
        job_role_keys: Vec::new(),
        recovery_point_tags: known_tags(tags([("CostCenter", "300"), ("owner", "me")])),
        tag_policy: Fact::Known(Some(
            TagPolicy::parse(
                r#"{"tags":{"costcenter":{"tag_key":"CostCenter","tag_value":["2*","100"],"enforced_for":["ec2:snapshot"]},"owner":{"tag_key":"Owner"}}}"#,
            )
            .unwrap(),
        )),
        cross_account_backup: unknown(),
        read_at: jiff::Timestamp::UNIX_EPOCH,
    }
}
