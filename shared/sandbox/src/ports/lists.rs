//! AWS Backup's lists.

use copymend_diagnosis::advisor::JobKind;
use copymend_diagnosis::{BackupVaultArn, CopyJobState, Lifecycle};
use copymend_policy::AccountId;
use copymend_remediation::ports::{CallErrorKind, CallResult, Clock, Location};
use copymend_survey::{
    self as survey, CopyJobQuery, JobQuery, ListedBackupPlan, ListedCopyJob, ListedJob,
    ListedRecoveryPoint, ListedSelection, ListedVault, Lists, Page, PlanCreator, ProtectedResource,
    RecoveryPointQuery, ScheduledRun, SelectionCondition, TagComparison,
};

use super::Calling;
use super::backup::vault_arn;
use crate::copies::CopyJob;
use crate::index::Listed;
use crate::sandbox::Sandbox;
use crate::world::{
    BackupJob, BackupPlan, Plan, PlanSelection, RecoveryPoint, RestoreJob, SelectedTag, World,
};

/// As many of the next runs as AWS tells at most (AWS Backup API reference, `GetBackupPlan`,
/// documented).
const MOST_RUNS: usize = 10;

/// Where a page begins: its number, and the place in the order after which it begins.
#[derive(Clone, Copy, Debug)]
struct Start {
    page: u64,
    after: Option<u64>,
}

impl Start {
    /// Reads a token.
    fn of(token: Option<&str>) -> Option<Self> {
        let Some(token) = token else {
            return Some(Self {
                page: 0,
                after: None,
            });
        };
        let (page, after) = token.split_once('.')?;
        Some(Self {
            page: page.parse().ok()?,
            after: Some(u64::from_str_radix(after, 16).ok()?),
        })
    }

    fn token(page: u64, after: u64) -> String {
        format!("{}.{after:x}", page.saturating_add(1))
    }
}

impl Calling<'_> {
    /// One page of a list. With short pages every third page is empty, and not the last.
    async fn page<T>(
        self,
        account: AccountId,
        token: Option<String>,
        read: impl FnOnce(&mut World, Option<u64>, usize) -> Listed<T>,
    ) -> CallResult<Page<T>> {
        let Some(start) = Start::of(token.as_deref()) else {
            let words = "InvalidParameterValueException: Invalid NextToken";
            return self.refused(CallErrorKind::Rejected, words).await;
        };
        let size = self.sandbox.page_size();
        let listed = self
            .in_account(Some(account), |world| {
                match start
                    .after
                    .filter(|_| size.is_some() && start.page % 3 == 1)
                {
                    Some(after) => Listed {
                        items: Vec::new(),
                        next: Some(after),
                    },
                    None => read(world, start.after, size.unwrap_or(1_000)),
                }
            })
            .await?;
        Ok(Page {
            items: listed.items,
            unreadable: Vec::new(),
            next: listed.next.map(|after| Start::token(start.page, after)),
        })
    }
}

fn map<T, U>(listed: Listed<T>, read: impl FnMut(T) -> U) -> Listed<U> {
    Listed {
        items: listed.items.into_iter().map(read).collect(),
        next: listed.next,
    }
}

fn creator(plan: Option<&BackupPlan>) -> PlanCreator {
    PlanCreator {
        plan_id: plan.map(|plan| plan.backup_plan_id.clone()),
        rule_id: plan.map(|plan| plan.backup_rule_id.clone()),
    }
}

impl From<&CopyJob> for ListedCopyJob {
    fn from(job: &CopyJob) -> Self {
        Self {
            job: job.into(),
            created: Some(job.created),
            destination_recovery_point: job.destination_recovery_point().cloned(),
            creator: creator(job.created_by.as_ref()),
            created_by_backup_job: job.created_by_backup_job.clone(),
            failed_children: job.failed_children(),
        }
    }
}

impl From<&BackupJob> for ListedJob {
    fn from(job: &BackupJob) -> Self {
        Self {
            kind: JobKind::Backup,
            id: job.id.clone(),
            account: job.account,
            region: job.region.clone(),
            state: job.state.clone(),
            status_message: job.status_message.clone(),
            message_category: job.message_category.clone(),
            validation_status: None,
            resource: job.resource_arn.clone(),
            resource_type: job.resource_type.clone(),
            vault: job.vault_arn.clone(),
            role: job.iam_role_arn.clone(),
            created: job.creation_date,
            completed: job.completion_date,
        }
    }
}

impl From<&RestoreJob> for ListedJob {
    fn from(job: &RestoreJob) -> Self {
        Self {
            kind: JobKind::Restore,
            id: job.id.clone(),
            account: job.account,
            region: job.region.clone(),
            state: job.status.clone(),
            status_message: job.status_message.clone(),
            message_category: None,
            validation_status: job.validation_status.clone(),
            resource: job.source_resource_arn.clone(),
            resource_type: job.resource_type.clone(),
            vault: job.vault_arn.clone(),
            role: job.iam_role_arn.clone(),
            created: job.creation_date,
            completed: job.completion_date,
        }
    }
}

/// A plan as AWS Backup tells it.
fn told_plan(id: &str, plan: &Plan, now: jiff::Timestamp) -> survey::BackupPlan {
    let lifecycle = |lifecycle: &Option<Lifecycle>| lifecycle.clone();
    let rules = plan.rules.iter().map(|rule| survey::BackupRule {
        id: Some(rule.id.clone()),
        name: rule.name().to_owned(),
        target_vault: rule.target_vault.clone(),
        air_gapped_target: rule.target_air_gapped_vault_arn.clone(),
        schedule: Some(rule.schedule().to_owned()),
        lifecycle: lifecycle(&rule.lifecycle),
        is_continuous: rule.continuous,
        copy_actions: rule
            .copy_actions
            .iter()
            .map(|action| survey::CopyAction {
                destination_vault: action.destination_vault_arn.clone(),
                lifecycle: lifecycle(&action.lifecycle),
            })
            .collect(),
    });
    let runs = plan.next_runs(now, MOST_RUNS).into_iter();
    survey::BackupPlan {
        id: Some(id.to_owned()),
        name: plan.name(id).to_owned(),
        rules: rules.collect(),
        scheduled_runs: runs
            .map(|(at, rule)| ScheduledRun {
                at,
                rule_id: rule.to_owned(),
            })
            .collect(),
    }
}

fn told_selection(id: &str, selection: &PlanSelection) -> survey::BackupSelection {
    let condition = |comparison, tag: &SelectedTag| SelectionCondition {
        comparison,
        key: tag.key.clone(),
        value: tag.value.clone(),
    };
    let conditions = [
        (TagComparison::Equals, &selection.conditions.string_equals),
        (
            TagComparison::NotEquals,
            &selection.conditions.string_not_equals,
        ),
        (TagComparison::Like, &selection.conditions.string_like),
        (
            TagComparison::NotLike,
            &selection.conditions.string_not_like,
        ),
    ];
    survey::BackupSelection {
        name: selection.name.as_deref().unwrap_or(id).to_owned(),
        role: selection.iam_role_arn.clone(),
        resources: selection.resources.clone(),
        not_resources: selection.not_resources.clone(),
        tags: selection
            .tags
            .iter()
            .map(|tag| condition(TagComparison::Equals, tag))
            .collect(),
        conditions: conditions
            .into_iter()
            .flat_map(|(comparison, tags)| tags.iter().map(move |tag| condition(comparison, tag)))
            .collect(),
    }
}

fn told_point(vault: &BackupVaultArn, point: &RecoveryPoint) -> ListedRecoveryPoint {
    ListedRecoveryPoint {
        arn: point.arn.clone(),
        vault: vault.clone(),
        source_vault: point.source_vault_arn.clone(),
        resource: Some(point.resource_arn.clone()),
        resource_type: Some(point.resource_type.clone()),
        status: point.status.clone(),
        created: point.creation_date,
        moves_to_cold_storage_at: point.moves_to_cold_storage_at(),
        deleted_at: point.deleted_at(),
        creator: creator(point.created_by.as_ref()),
        encryption_key: point.encryption_key_arn.clone(),
        parent: point.parent_recovery_point_arn.clone(),
        is_parent: point.is_parent,
        role: point.iam_role_arn.clone(),
    }
}

impl RecoveryPoint {
    /// Whether `ListRecoveryPointsByBackupVault` names it under these filters.
    fn fits(&self, query: &RecoveryPointQuery) -> bool {
        let plan = self.created_by.as_ref().map(|plan| &plan.backup_plan_id);
        query
            .created_after
            .is_none_or(|time| self.creation_date.is_some_and(|date| date >= time))
            && query
                .resource
                .as_ref()
                .is_none_or(|resource| self.resource_arn == *resource)
            && query
                .backup_plan
                .as_ref()
                .is_none_or(|wanted| plan == Some(wanted))
    }
}

impl Sandbox {
    /// A call on a backup plan of an account and Region.
    fn calling_plan(&self, operation: &'static str, at: &Location, plan_id: &str) -> Calling<'_> {
        let arn = self.with_world(|world| world.backup_plan_arn(at.account, &at.region, plan_id));
        let resource = arn.map_or_else(|| plan_id.to_owned(), |arn| arn.to_string());
        self.calling(operation, &resource).in_region(&at.region)
    }
}

impl Lists for Sandbox {
    async fn list_copy_jobs(
        &self,
        at: &Location,
        query: &CopyJobQuery,
        from: Option<String>,
    ) -> CallResult<Page<ListedCopyJob>> {
        let state: Option<CopyJobState> = query.state;
        let admits = |job: &CopyJob| {
            state.is_none_or(|state| job.state() == state) && job.created >= query.created_after
        };
        self.calling("backup:ListCopyJobs", &at.account)
            .in_region(&at.region)
            .page(at.account, from, |world, from, size| {
                let jobs = world.page_of_copy_jobs(at.account, &at.region, admits, from, size);
                map(jobs, Into::into)
            })
            .await
    }

    async fn list_jobs(
        &self,
        at: &Location,
        query: &JobQuery,
        from: Option<String>,
    ) -> CallResult<Page<ListedJob>> {
        let operation = match query.kind {
            JobKind::Backup => "backup:ListBackupJobs",
            JobKind::Restore => "backup:ListRestoreJobs",
        };
        let is_new =
            |date: Option<jiff::Timestamp>| date.is_none_or(|date| date >= query.created_after);
        self.calling(operation, &at.account)
            .in_region(&at.region)
            .page(at.account, from, |world, from, size| match query.kind {
                JobKind::Backup => {
                    let admits = |job: &BackupJob| is_new(job.creation_date);
                    let jobs =
                        world.page_of_backup_jobs(at.account, &at.region, admits, from, size);
                    map(jobs, Into::into)
                }
                JobKind::Restore => {
                    let admits = |job: &RestoreJob| is_new(job.creation_date);
                    let jobs =
                        world.page_of_restore_jobs(at.account, &at.region, admits, from, size);
                    map(jobs, Into::into)
                }
            })
            .await
    }

    async fn list_backup_plans(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> CallResult<Page<ListedBackupPlan>> {
        self.calling("backup:ListBackupPlans", &at.account)
            .in_region(&at.region)
            .page(at.account, from, |world, from, size| {
                let plans = world.page_of_backup_plans(at.account, &at.region, from, size);
                map(plans, |(id, plan)| ListedBackupPlan {
                    id: id.to_owned(),
                    name: plan.name(id).to_owned(),
                })
            })
            .await
    }

    async fn get_backup_plan(
        &self,
        at: &Location,
        plan_id: &str,
    ) -> CallResult<Option<survey::BackupPlan>> {
        let now = self.clock.now();
        self.calling_plan("backup:GetBackupPlan", at, plan_id)
            .in_account(Some(at.account), |world| {
                let plan = world.backup_plan(at.account, &at.region, plan_id)?;
                Some(told_plan(plan_id, plan, now))
            })
            .await
    }

    async fn list_backup_selections(
        &self,
        at: &Location,
        plan_id: &str,
        from: Option<String>,
    ) -> CallResult<Page<ListedSelection>> {
        self.calling_plan("backup:ListBackupSelections", at, plan_id)
            .page(at.account, from, |world, from, size| {
                let Some(plan) = world.backup_plan(at.account, &at.region, plan_id) else {
                    return Listed {
                        items: Vec::new(),
                        next: None,
                    };
                };
                map(plan.page_of_selections(from, size), |(id, selection)| {
                    ListedSelection {
                        id: id.to_owned(),
                        name: selection.name.as_deref().unwrap_or(id).to_owned(),
                        role: Some(selection.iam_role_arn.clone()),
                    }
                })
            })
            .await
    }

    async fn get_backup_selection(
        &self,
        at: &Location,
        plan_id: &str,
        selection_id: &str,
    ) -> CallResult<Option<survey::BackupSelection>> {
        self.calling_plan("backup:GetBackupSelection", at, plan_id)
            .in_account(Some(at.account), |world| {
                let plan = world.backup_plan(at.account, &at.region, plan_id)?;
                let selection = plan.selections.get(selection_id)?;
                Some(told_selection(selection_id, selection))
            })
            .await
    }

    async fn list_backup_vaults(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> CallResult<Page<ListedVault>> {
        self.calling("backup:ListBackupVaults", &at.account)
            .in_region(&at.region)
            .page(at.account, from, |world, from, size| {
                let vaults = world.page_of_vaults(at.account, &at.region, |_| true, from, size);
                map(vaults, |(arn, vault)| ListedVault {
                    arn,
                    facts: vault.facts(world),
                    recovery_points: u64::try_from(vault.recovery_points.len()).unwrap_or(u64::MAX),
                })
            })
            .await
    }

    async fn list_protected_resources(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> CallResult<Page<ProtectedResource>> {
        self.calling("backup:ListProtectedResources", &at.account)
            .in_region(&at.region)
            .page(at.account, from, |world, from, size| {
                let found = world.page_of_protected_resources(at.account, &at.region, from, size);
                map(found, |resource| ProtectedResource {
                    arn: resource.resource,
                    resource_type: resource.resource_type,
                    last_backup: resource.last_backup,
                    last_vault: Some(resource.last_vault),
                    last_recovery_point: Some(resource.last_recovery_point),
                })
            })
            .await
    }

    async fn list_recovery_points(
        &self,
        at: &Location,
        vault_name: &str,
        query: &RecoveryPointQuery,
        from: Option<String>,
    ) -> CallResult<Page<ListedRecoveryPoint>> {
        let arn = self.with_world(|world| vault_arn(world, at, vault_name));
        let resource = arn
            .as_ref()
            .map_or_else(|| vault_name.to_owned(), ToString::to_string);
        let calling = self
            .calling("backup:ListRecoveryPointsByBackupVault", &resource)
            .in_region(&at.region);
        let is_there = |world: &World| arn.as_ref().is_some_and(|arn| world.vault(arn).is_some());
        if self.with_world(|world| world.account(at.account).is_some() && !is_there(world)) {
            let refused = calling.no_such_vault();
            return calling.refused(refused.kind, &refused.detail).await;
        }
        calling
            .page(at.account, from, |world, from, size| {
                let found = arn.as_ref().and_then(|arn| Some((arn, world.vault(arn)?)));
                let Some((arn, vault)) = found else {
                    return Listed {
                        items: Vec::new(),
                        next: None,
                    };
                };
                let points = vault.page_of_recovery_points(|point| point.fits(query), from, size);
                map(points, |point| told_point(arn, point))
            })
            .await
    }
}
