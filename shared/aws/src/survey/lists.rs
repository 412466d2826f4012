//! AWS Backup's lists over the wire.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use copymend_diagnosis::advisor::JobKind;
use copymend_diagnosis::{CopyJobState, Tags};
use copymend_policy::Arn;
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult, Location};
use copymend_survey::{
    BackupPlan, BackupSelection, CopyJobQuery, JobQuery, ListedBackupPlan, ListedCopyJob,
    ListedJob, ListedRecoveryPoint, ListedSelection, ListedVault, Lists, Page, ProtectedResource,
    RecoveryPointQuery, TaggedResources,
};
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{answers, plans, rows};
use crate::accounts::{Accounts, Clients, Target};
use crate::backup::answers::ListCopyJobs;
use crate::backup::request::{Path, get};
use crate::error::Call;
use crate::member::text;
use crate::pace::Pace;
use crate::signed::json::read;
use crate::tags::AwsResourceTags;

/// Every one of these lists gives up to 1,000 rows at once (AWS Backup API reference, `MaxResults`,
/// documented).
const ROWS_OF_A_PAGE: &str = "1000";

/// `MaxScheduledRunsPreview` goes up to 10 (AWS Backup API reference, `GetBackupPlan`, documented).
const RUNS_OF_A_PREVIEW: &str = "10";

/// A page of 1,000 rows takes megabytes while it is read. So many are read at once, whatever the
/// number of accounts.
const PAGES_AT_ONCE: usize = 8;

/// A page takes longer than other answers.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a page is asked for that AWS throttles, and one that doesn't come.
const ATTEMPTS_WHERE_THROTTLED: u32 = 8;
const ATTEMPTS_WHERE_SILENT: u32 = 3;
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// AWS Backup states absence with this code only.
const ABSENT: &str = "ResourceNotFoundException";

/// AWS Backup's lists, each called with the credentials of the account that is asked, in its turn.
#[derive(Debug)]
pub struct AwsLists {
    clients: Clients<SdkConfig>,
    pace: Arc<Pace>,
    pages: Semaphore,
    tags: AwsResourceTags,
}

impl AwsLists {
    pub(super) fn new(accounts: Arc<Accounts>, pace: Arc<Pace>) -> Self {
        Self {
            tags: AwsResourceTags::new(Arc::clone(&accounts)),
            clients: Clients::new(accounts, in_turn),
            pace,
            pages: Semaphore::new(PAGES_AT_ONCE),
        }
    }

    async fn at(
        &self,
        operation: &'static str,
        at: &Location,
        resource: &str,
    ) -> CallResult<(SdkConfig, Call)> {
        let target = Target {
            account: at.account,
            partition: None,
            region: Some(&at.region),
        };
        self.clients
            .of(Call::new(operation, resource), target)
            .await
    }

    /// The right to hold one more page.
    async fn page(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.pages.acquire().await.ok()
    }

    /// Asks again for what may pass, within bounds. Each attempt has its turn.
    async fn again<T, F>(&self, at: &Location, ask: impl Fn() -> F + Send + Sync) -> CallResult<T>
    where
        T: Send,
        F: Future<Output = CallResult<T>> + Send,
    {
        let mut attempt = 1;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if attempt >= attempts(&error) {
                return Err(error);
            }
            let wait = wait_before(attempt);
            if error.kind == CallErrorKind::Throttled {
                self.pace
                    .hold_back(at.account, Some(&at.region), error.operation, wait);
            } else {
                tokio::time::sleep(wait).await;
            }
            attempt += 1;
        }
    }
}

/// Attempts and their waits are ours: the SDK's would take no turns.
fn in_turn(config: &SdkConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    config
        .to_builder()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .build()
}

const fn attempts(error: &CallError) -> u32 {
    match error.kind {
        CallErrorKind::Throttled => ATTEMPTS_WHERE_THROTTLED,
        CallErrorKind::Timeout | CallErrorKind::Unavailable => ATTEMPTS_WHERE_SILENT,
        CallErrorKind::AccessDenied
        | CallErrorKind::Unreadable
        | CallErrorKind::Rejected
        | CallErrorKind::Failed => 1,
    }
}

/// Twice as long after each attempt, and between half and the whole of it, so that several programs
/// don't come back at one moment.
fn wait_before(attempt: u32) -> Duration {
    let whole = SHORTEST_WAIT * 2_u32.saturating_pow(attempt - 1);
    let half = whole.min(LONGEST_WAIT) / 2;
    let chance = u32::try_from(RandomState::new().hash_one(attempt) % 1_000).unwrap_or(0);
    half + half * chance / 1_000
}

/// To the millisecond, as AWS takes times.
pub(super) fn written(time: Timestamp) -> String {
    let rounded = Timestamp::from_millisecond(time.as_millisecond());
    rounded.unwrap_or(time).to_string()
}

/// A path with the parameters of a list.
fn rows_of(parts: &[&str], from: Option<&String>) -> Path {
    Path::of(parts)
        .with("maxResults", Some(ROWS_OF_A_PAGE))
        .with("nextToken", from.map(String::as_str))
}

/// Where a page begins, and where the next one does.
struct Tokens<'t> {
    from: Option<&'t str>,
    next: Option<&'t str>,
}

/// Rows of a page, each read by itself. A page that leads to itself would be read for ever: AWS's own
/// clients end there, too (seen: `botocore.paginate`, `aws-smithy-async`).
fn page<R, T>(
    call: &Call,
    rows: Option<Vec<R>>,
    tokens: &Tokens<'_>,
    read: impl Fn(&R) -> Result<T, String>,
) -> CallResult<Page<T>> {
    let next = text(tokens.next);
    if next.is_some() && next.as_deref() == tokens.from {
        return Err(call.unreadable("the page leads to itself: its `NextToken` is its own"));
    }
    let mut page = Page {
        items: Vec::new(),
        unreadable: Vec::new(),
        next,
    };
    let rows = rows.unwrap_or_default();
    page.items.reserve(rows.len());
    // Each row goes once it is read, so that a page isn't held twice.
    for row in rows {
        match read(&row) {
            Ok(item) => page.items.push(item),
            Err(why) => page.unreadable.push(why),
        }
    }
    Ok(page)
}

impl TaggedResources for AwsLists {
    async fn tags_of_resources(
        &self,
        at: &Location,
        resources: &[Arn],
    ) -> CallResult<HashMap<Arn, Tags>> {
        self.tags.of_resources(at, resources).await
    }
}

impl Lists for AwsLists {
    async fn list_copy_jobs(
        &self,
        at: &Location,
        query: &CopyJobQuery,
        from: Option<String>,
    ) -> CallResult<Page<ListedCopyJob>> {
        let state = query.state.map(CopyJobState::as_str);
        let ask = async || {
            let operation = "backup:ListCopyJobs";
            let (config, call) = self.at(operation, at, at.account.as_str()).await?;
            let _page = self.page().await;
            let path = rows_of(&["copy-jobs"], from.as_ref())
                .with("state", state)
                .with("createdAfter", Some(&written(query.created_after)));
            let answer = call.send(get(&config, "ListCopyJobs", path)).await?;
            let answer: ListCopyJobs = read(&call, &answer)?;
            page(
                &call,
                answer.copy_jobs,
                &Tokens {
                    from: from.as_deref(),
                    next: answer.next_token.as_deref(),
                },
                rows::copy_job,
            )
        };
        self.again(at, ask).await
    }

    async fn list_jobs(
        &self,
        at: &Location,
        query: &JobQuery,
        from: Option<String>,
    ) -> CallResult<Page<ListedJob>> {
        let after = written(query.created_after);
        let backups = async || {
            let operation = "backup:ListBackupJobs";
            let (config, call) = self.at(operation, at, at.account.as_str()).await?;
            let _page = self.page().await;
            let path = rows_of(&["backup-jobs"], from.as_ref()).with("createdAfter", Some(&after));
            let answer = call.send(get(&config, "ListBackupJobs", path)).await?;
            let answer: answers::ListBackupJobs = read(&call, &answer)?;
            page(
                &call,
                answer.backup_jobs,
                &Tokens {
                    from: from.as_deref(),
                    next: answer.next_token.as_deref(),
                },
                |job| rows::backup_job(job, at),
            )
        };
        let restores = async || {
            let operation = "backup:ListRestoreJobs";
            let (config, call) = self.at(operation, at, at.account.as_str()).await?;
            let _page = self.page().await;
            let path = rows_of(&["restore-jobs"], from.as_ref()).with("createdAfter", Some(&after));
            let answer = call.send(get(&config, "ListRestoreJobs", path)).await?;
            let answer: answers::ListRestoreJobs = read(&call, &answer)?;
            page(
                &call,
                answer.restore_jobs,
                &Tokens {
                    from: from.as_deref(),
                    next: answer.next_token.as_deref(),
                },
                |job| rows::restore_job(job, at),
            )
        };
        match query.kind {
            JobKind::Backup => self.again(at, backups).await,
            JobKind::Restore => self.again(at, restores).await,
        }
    }

    async fn list_backup_plans(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> CallResult<Page<ListedBackupPlan>> {
        let ask = async || {
            let operation = "backup:ListBackupPlans";
            let (config, call) = self.at(operation, at, at.account.as_str()).await?;
            let path = rows_of(&["backup", "plans"], from.as_ref());
            let answer = call.send(get(&config, "ListBackupPlans", path)).await?;
            let answer: answers::ListBackupPlans = read(&call, &answer)?;
            page(
                &call,
                answer.backup_plans_list,
                &Tokens {
                    from: from.as_deref(),
                    next: answer.next_token.as_deref(),
                },
                plans::listed,
            )
        };
        self.again(at, ask).await
    }

    async fn get_backup_plan(
        &self,
        at: &Location,
        plan_id: &str,
    ) -> CallResult<Option<BackupPlan>> {
        let ask = async || {
            let (config, call) = self.at("backup:GetBackupPlan", at, plan_id).await?;
            let path = Path::of(&["backup", "plans", plan_id])
                .with("MaxScheduledRunsPreview", Some(RUNS_OF_A_PREVIEW));
            let request = get(&config, "GetBackupPlan", path);
            let Some(answer) = call.find(&[ABSENT], request).await? else {
                return Ok(None);
            };
            let answer: answers::GetBackupPlan = read(&call, &answer)?;
            plans::plan(&answer)
                .map(Some)
                .map_err(|detail| call.unreadable(detail))
        };
        self.again(at, ask).await
    }

    async fn list_backup_selections(
        &self,
        at: &Location,
        plan_id: &str,
        from: Option<String>,
    ) -> CallResult<Page<ListedSelection>> {
        let ask = async || {
            let (config, call) = self.at("backup:ListBackupSelections", at, plan_id).await?;
            let path = rows_of(&["backup", "plans", plan_id, "selections"], from.as_ref());
            let request = get(&config, "ListBackupSelections", path);
            let answer: answers::ListBackupSelections = read(&call, &call.send(request).await?)?;
            page(
                &call,
                answer.backup_selections_list,
                &Tokens {
                    from: from.as_deref(),
                    next: answer.next_token.as_deref(),
                },
                plans::listed_selection,
            )
        };
        self.again(at, ask).await
    }

    async fn get_backup_selection(
        &self,
        at: &Location,
        plan_id: &str,
        selection_id: &str,
    ) -> CallResult<Option<BackupSelection>> {
        let ask = async || {
            let operation = "backup:GetBackupSelection";
            let (config, call) = self.at(operation, at, plan_id).await?;
            let path = Path::of(&["backup", "plans", plan_id, "selections", selection_id]);
            let request = get(&config, "GetBackupSelection", path);
            let Some(answer) = call.find(&[ABSENT], request).await? else {
                return Ok(None);
            };
            let answer: answers::GetBackupSelection = read(&call, &answer)?;
            plans::selection(&answer)
                .map(Some)
                .map_err(|detail| call.unreadable(detail))
        };
        self.again(at, ask).await
    }

    async fn list_backup_vaults(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> CallResult<Page<ListedVault>> {
        let ask = async || {
            let operation = "backup:ListBackupVaults";
            let (config, call) = self.at(operation, at, at.account.as_str()).await?;
            let path = rows_of(&["backup-vaults"], from.as_ref());
            let answer = call.send(get(&config, "ListBackupVaults", path)).await?;
            let answer: answers::ListBackupVaults = read(&call, &answer)?;
            page(
                &call,
                answer.backup_vault_list,
                &Tokens {
                    from: from.as_deref(),
                    next: answer.next_token.as_deref(),
                },
                rows::vault,
            )
        };
        self.again(at, ask).await
    }

    async fn list_protected_resources(
        &self,
        at: &Location,
        from: Option<String>,
    ) -> CallResult<Page<ProtectedResource>> {
        let ask = async || {
            let operation = "backup:ListProtectedResources";
            let (config, call) = self.at(operation, at, at.account.as_str()).await?;
            let _page = self.page().await;
            let path = rows_of(&["resources"], from.as_ref());
            let answer = call.send(get(&config, "ListProtectedResources", path));
            let answer: answers::ListProtectedResources = read(&call, &answer.await?)?;
            page(
                &call,
                answer.results,
                &Tokens {
                    from: from.as_deref(),
                    next: answer.next_token.as_deref(),
                },
                rows::protected_resource,
            )
        };
        self.again(at, ask).await
    }

    async fn list_recovery_points(
        &self,
        at: &Location,
        vault_name: &str,
        query: &RecoveryPointQuery,
        from: Option<String>,
    ) -> CallResult<Page<ListedRecoveryPoint>> {
        let resource = query.resource.as_ref().map(Arn::as_str);
        let ask = async || {
            let operation = "backup:ListRecoveryPointsByBackupVault";
            let (config, call) = self.at(operation, at, vault_name).await?;
            let _page = self.page().await;
            let parts = ["backup-vaults", vault_name, "recovery-points"];
            let created_after = query.created_after.map(written);
            let path = rows_of(&parts, from.as_ref())
                .with("createdAfter", created_after.as_deref())
                .with("resourceArn", resource)
                .with("backupPlanId", query.backup_plan.as_deref());
            let request = get(&config, "ListRecoveryPointsByBackupVault", path);
            let answer: answers::ListRecoveryPoints = read(&call, &call.send(request).await?)?;
            page(
                &call,
                answer.recovery_points,
                &Tokens {
                    from: from.as_deref(),
                    next: answer.next_token.as_deref(),
                },
                |point| rows::recovery_point(point, at, vault_name),
            )
        };
        self.again(at, ask).await
    }
}
