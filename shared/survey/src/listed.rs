//! What AWS Backup's lists hold, reduced to what is judged.

use copymend_diagnosis::advisor::JobKind;
use copymend_diagnosis::{BackupVault, BackupVaultArn, CopyJob, KeyArn, Lifecycle, RoleArn};
use copymend_policy::{AccountId, Arn};
use jiff::Timestamp;

/// The rule of a backup plan that made something (`CreatedBy`, `RecoveryPointCreator`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PlanCreator {
    /// `BackupPlanId`.
    pub plan_id: Option<String>,
    /// `BackupRuleId`.
    pub rule_id: Option<String>,
}

/// A copy job of `ListCopyJobs`, whose rows have the shape of `DescribeCopyJob`'s answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCopyJob {
    /// The job.
    pub job: CopyJob,
    /// `CreationDate`.
    pub created: Option<Timestamp>,
    /// `DestinationRecoveryPointArn`: the copy, once there is one.
    pub destination_recovery_point: Option<Arn>,
    /// The rule that it was made by; nothing in it for a copy that was started on demand.
    pub creator: PlanCreator,
    /// `CreatedByBackupJobId`: for scheduled copies, and the automatic ones into logically
    /// air-gapped vaults.
    pub created_by_backup_job: Option<String>,
    /// `ChildJobsInState`, as far as it names failed ones: how many children of a parent failed.
    pub failed_children: u64,
}

/// A backup or restore job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedJob {
    /// Which kind of job.
    pub kind: JobKind,
    /// Its id.
    pub id: String,
    /// The account that owns it.
    pub account: AccountId,
    /// The Region that it ran in.
    pub region: String,
    /// `State`, or a restore job's `Status`, such as `FAILED`.
    pub state: String,
    /// `StatusMessage`; empty where there is none.
    pub status_message: String,
    /// `MessageCategory`. A job that is `COMPLETED` with another one than `SUCCESS` had issues (AWS
    /// Backup Developer Guide, "AWS Backup dashboards", documented).
    pub message_category: Option<String>,
    /// `ValidationStatus` of a restore job.
    pub validation_status: Option<String>,
    /// The resource of a backup, the source resource of a restore.
    pub resource: Option<Arn>,
    /// The kind of resource, such as `EBS`.
    pub resource_type: Option<String>,
    /// The vault.
    pub vault: Option<BackupVaultArn>,
    /// The job role.
    pub role: Option<RoleArn>,
    /// `CreationDate`.
    pub created: Option<Timestamp>,
    /// `CompletionDate`.
    pub completed: Option<Timestamp>,
}

/// A backup plan of `ListBackupPlans`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedBackupPlan {
    /// `BackupPlanId`. One that begins with `orgs/` was made from an organization's backup policy
    /// (AWS Backup Developer Guide, "Monitoring with EventBridge", documented by samples).
    pub id: String,
    /// `BackupPlanName`.
    pub name: String,
}

/// A backup plan (`GetBackupPlan`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupPlan {
    /// `BackupPlanId`; nothing for a plan that only a document describes.
    pub id: Option<String>,
    /// `BackupPlanName`.
    pub name: String,
    /// The rules, in AWS's order.
    pub rules: Vec<BackupRule>,
    /// `ScheduledRunsPreview`: what AWS says runs next. Empty where nothing was said.
    pub scheduled_runs: Vec<ScheduledRun>,
}

/// A run that AWS foresees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledRun {
    /// `ExecutionTime`.
    pub at: Timestamp,
    /// `RuleId`.
    pub rule_id: String,
}

/// A rule of a backup plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupRule {
    /// `RuleId`; nothing for a plan that only a document describes.
    pub id: Option<String>,
    /// `RuleName`.
    pub name: String,
    /// `TargetBackupVaultName`, in the plan's account and Region.
    pub target_vault: String,
    /// `TargetLogicallyAirGappedBackupVaultArn`. Such a rule makes a copy that stands in no copy
    /// action: fully managed types are backed up into that vault, all others are copied there (AWS
    /// Backup Developer Guide, "Logically air-gapped vault as a primary backup target",
    /// documented).
    pub air_gapped_target: Option<BackupVaultArn>,
    /// `ScheduleExpression`.
    pub schedule: Option<String>,
    /// `Lifecycle` of the backups.
    pub lifecycle: Option<Lifecycle>,
    /// `EnableContinuousBackup`.
    pub is_continuous: bool,
    /// `CopyActions`.
    pub copy_actions: Vec<CopyAction>,
}

/// A copy that a rule makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyAction {
    /// `DestinationBackupVaultArn`.
    pub destination_vault: BackupVaultArn,
    /// `Lifecycle`; the source's retention where there is none (AWS Backup Developer Guide,
    /// "Creating backup copies", documented).
    pub lifecycle: Option<Lifecycle>,
}

/// A selection of `ListBackupSelections`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSelection {
    /// `SelectionId`.
    pub id: String,
    /// `SelectionName`.
    pub name: String,
    /// `IamRoleArn`.
    pub role: Option<RoleArn>,
}

/// What a plan backs up, and as whom (`GetBackupSelection`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSelection {
    /// `SelectionName`.
    pub name: String,
    /// `IamRoleArn`: the job role of the backups and their copies.
    pub role: RoleArn,
    /// `Resources`: ARNs, which may hold `*`.
    pub resources: Vec<String>,
    /// `NotResources`: ARNs, which may hold `*`.
    pub not_resources: Vec<String>,
    /// `ListOfTags`: a resource that meets one of them is selected.
    pub tags: Vec<SelectionCondition>,
    /// `Conditions`: a resource must meet all of them.
    pub conditions: Vec<SelectionCondition>,
}

/// A condition of a selection on a tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SelectionCondition {
    /// How it compares.
    pub comparison: TagComparison,
    /// The tag's key. In `Conditions` AWS writes `aws:ResourceTag/KEY`; this is the bare key.
    pub key: String,
    /// The value.
    pub value: String,
}

/// How a selection compares a tag's value (AWS Backup API reference, `Conditions`, documented).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagComparison {
    /// `StringEquals`.
    Equals,
    /// `StringNotEquals`. Whether it takes a resource without the tag, no page says.
    NotEquals,
    /// `StringLike`.
    Like,
    /// `StringNotLike`.
    NotLike,
}

/// A vault of `ListBackupVaults`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVault {
    /// `BackupVaultArn`.
    pub arn: BackupVaultArn,
    /// What `DescribeBackupVault` tells of it, too: a row has each of these members (AWS Backup API
    /// reference, `BackupVaultListMember` and `DescribeBackupVault`, documented).
    pub facts: BackupVault,
    /// `NumberOfRecoveryPoints`. AWS updates it late, so an old number proves nothing (AWS Backup
    /// API reference, `BackupVaultListMember`, inferred).
    pub recovery_points: u64,
}

/// A resource that has had a backup (`ListProtectedResources`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedResource {
    /// `ResourceArn`.
    pub arn: Arn,
    /// `ResourceType`.
    pub resource_type: String,
    /// `LastBackupTime`.
    pub last_backup: Option<Timestamp>,
    /// `LastBackupVaultArn`.
    pub last_vault: Option<BackupVaultArn>,
    /// `LastRecoveryPointArn`.
    pub last_recovery_point: Option<Arn>,
}

/// A recovery point of `ListRecoveryPointsByBackupVault`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedRecoveryPoint {
    /// `RecoveryPointArn`. For EC2 and EBS it names an image or a snapshot.
    pub arn: Arn,
    /// `BackupVaultArn`, or what was asked where AWS leaves it out.
    pub vault: BackupVaultArn,
    /// `SourceBackupVaultArn`: the vault that it was copied from. AWS may leave it out for a copy
    /// within one account (AWS Backup API reference, documented).
    pub source_vault: Option<BackupVaultArn>,
    /// `ResourceArn`: of a copy, the source account's resource (seen).
    pub resource: Option<Arn>,
    /// `ResourceType`.
    pub resource_type: Option<String>,
    /// `Status`, such as `COMPLETED`.
    pub status: String,
    /// `CreationDate`: of a copy, that of its source (AWS Backup Developer Guide, "Creating backup
    /// copies", documented).
    pub created: Option<Timestamp>,
    /// `CalculatedLifecycle.MoveToColdStorageAt`.
    pub moves_to_cold_storage_at: Option<Timestamp>,
    /// `CalculatedLifecycle.DeleteAt`.
    pub deleted_at: Option<Timestamp>,
    /// `CreatedBy`.
    pub creator: PlanCreator,
    /// `EncryptionKeyArn`.
    pub encryption_key: Option<KeyArn>,
    /// `ParentRecoveryPointArn` of a composite's child.
    pub parent: Option<Arn>,
    /// `IsParent`.
    pub is_parent: bool,
    /// `IamRoleArn`.
    pub role: Option<RoleArn>,
}
