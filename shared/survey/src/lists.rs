//! AWS Backup's lists, a page at a time.

use std::collections::HashMap;

use copymend_diagnosis::advisor::JobKind;
use copymend_diagnosis::{CopyJobState, Tags};
use copymend_policy::Arn;
use copymend_remediation::ports::{CallResult, Location};
use jiff::Timestamp;

use crate::listed::{
    BackupPlan, BackupSelection, ListedBackupPlan, ListedCopyJob, ListedJob, ListedRecoveryPoint,
    ListedSelection, ListedVault, ProtectedResource,
};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What on it can't be understood, each with its id where there is one, and why. It doesn't hide
    /// the rest.
    pub unreadable: Vec<String>,
    /// The token of the next page; nothing on the last one. A page may be empty and still not be the
    /// last.
    pub next: Option<String>,
}

/// Which copy jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CopyJobQuery {
    /// `ByState`, which takes one state; every state where none is named.
    pub state: Option<CopyJobState>,
    /// `ByCreatedAfter`.
    pub created_after: Timestamp,
}

/// Which backup or restore jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobQuery {
    /// Backup jobs or restore jobs.
    pub kind: JobKind,
    /// `ByCreatedAfter`.
    pub created_after: Timestamp,
}

/// Which recovery points of a vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RecoveryPointQuery {
    /// `ByCreatedAfter`.
    pub created_after: Option<Timestamp>,
    /// `ByResourceArn`.
    pub resource: Option<Arn>,
    /// `ByBackupPlanId`.
    pub backup_plan: Option<String>,
}

/// AWS Backup's lists. Each method names the account and Region it asks, and answers one page from a
/// token on. Where AWS names no order, there is none (AWS Backup API reference: not found for any of
/// these lists).
pub trait Lists: Send + Sync {
    /// `ListCopyJobs`.
    fn list_copy_jobs(
        &self,
        at: &Location,
        query: &CopyJobQuery,
        from: Option<String>,
    ) -> impl Future<Output = CallResult<Page<ListedCopyJob>>> + Send;

    /// `ListBackupJobs` or `ListRestoreJobs`.
    fn list_jobs(
        &self,
        at: &Location,
        query: &JobQuery,
        from: Option<String>,
    ) -> impl Future<Output = CallResult<Page<ListedJob>>> + Send;

    /// `ListBackupPlans`, without deleted ones.
    fn list_backup_plans(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> impl Future<Output = CallResult<Page<ListedBackupPlan>>> + Send;

    /// `GetBackupPlan`, with AWS's preview of the next runs; `None` where there is no such plan any
    /// more.
    fn get_backup_plan(
        &self,
        at: &Location,
        plan_id: &str,
    ) -> impl Future<Output = CallResult<Option<BackupPlan>>> + Send;

    /// `ListBackupSelections`.
    fn list_backup_selections(
        &self,
        at: &Location,
        plan_id: &str,
        from: Option<String>,
    ) -> impl Future<Output = CallResult<Page<ListedSelection>>> + Send;

    /// `GetBackupSelection`; `None` where there is no such selection any more.
    fn get_backup_selection(
        &self,
        at: &Location,
        plan_id: &str,
        selection_id: &str,
    ) -> impl Future<Output = CallResult<Option<BackupSelection>>> + Send;

    /// `ListBackupVaults`, of every type.
    fn list_backup_vaults(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> impl Future<Output = CallResult<Page<ListedVault>>> + Send;

    /// `ListProtectedResources`.
    fn list_protected_resources(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> impl Future<Output = CallResult<Page<ProtectedResource>>> + Send;

    /// `ListRecoveryPointsByBackupVault`; the account that owns the vault is the one that is asked.
    fn list_recovery_points(
        &self,
        at: &Location,
        vault_name: &str,
        query: &RecoveryPointQuery,
        from: Option<String>,
    ) -> impl Future<Output = CallResult<Page<ListedRecoveryPoint>>> + Send;
}

/// The tags of resources, whatever service they are of.
pub trait TaggedResources: Send + Sync {
    /// `GetResources` of AWS Resource Groups Tagging API: the tags of those of these resources that have
    /// any, asked in the account and Region that own them. It knows all types of resources (API
    /// reference, "Services that support the Resource Groups Tagging API", documented), so that one
    /// that isn't told of has no tags or doesn't exist.
    fn tags_of_resources(
        &self,
        at: &Location,
        resources: &[Arn],
    ) -> impl Future<Output = CallResult<HashMap<Arn, Tags>>> + Send;
}
