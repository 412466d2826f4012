//! AWS Backup's lists over the wire.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_backup::Client;
use aws_sdk_backup::types::CopyJobState;
use aws_smithy_types::DateTime;
use copymend_diagnosis::Tags;
use copymend_diagnosis::advisor::JobKind;
use copymend_policy::Arn;
use copymend_remediation::ports::{CallError, CallErrorKind, CallResult, Location};
use copymend_survey::{
    BackupPlan, BackupSelection, CopyJobQuery, JobQuery, ListedBackupPlan, ListedCopyJob,
    ListedJob, ListedRecoveryPoint, ListedSelection, ListedVault, Lists, Page, ProtectedResource,
    RecoveryPointQuery, TaggedResources,
};
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{plans, rows};
use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::member::text;
use crate::pace::Pace;
use crate::tags::AwsResourceTags;

/// Every one of these lists gives up to 1,000 rows at once (AWS Backup API reference, `MaxResults`,
/// documented).
const ROWS_OF_A_PAGE: i32 = 1_000;

/// `MaxScheduledRunsPreview` goes up to 10 (AWS Backup API reference, `GetBackupPlan`, documented).
const RUNS_OF_A_PREVIEW: i32 = 10;

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
    clients: Clients<Client>,
    pace: Arc<Pace>,
    pages: Semaphore,
    tags: AwsResourceTags,
}

impl AwsLists {
    pub(super) fn new(accounts: Arc<Accounts>, pace: Arc<Pace>) -> Self {
        Self {
            tags: AwsResourceTags::new(Arc::clone(&accounts)),
            clients: Clients::new(accounts, client),
            pace,
            pages: Semaphore::new(PAGES_AT_ONCE),
        }
    }

    async fn at(
        &self,
        operation: &'static str,
        at: &Location,
        resource: &str,
    ) -> CallResult<(Client, Call)> {
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
fn client(config: &SdkConfig) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let config = aws_sdk_backup::config::Builder::from(config)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
        .build();
    Client::from_conf(config)
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

pub(super) fn seconds(time: Timestamp) -> DateTime {
    DateTime::from_millis(time.as_millisecond())
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
        let state = query.state.map(|state| CopyJobState::from(state.as_str()));
        let ask = async || {
            let operation = "backup:ListCopyJobs";
            let (client, call) = self.at(operation, at, at.account.as_str()).await?;
            let _page = self.page().await;
            let request = client
                .list_copy_jobs()
                .set_by_state(state.clone())
                .by_created_after(seconds(query.created_after))
                .max_results(ROWS_OF_A_PAGE)
                .set_next_token(from.clone());
            let answer = call.send(request.send()).await?;
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
        let after = seconds(query.created_after);
        let backups = async || {
            let operation = "backup:ListBackupJobs";
            let (client, call) = self.at(operation, at, at.account.as_str()).await?;
            let _page = self.page().await;
            let request = client
                .list_backup_jobs()
                .by_created_after(after)
                .max_results(ROWS_OF_A_PAGE)
                .set_next_token(from.clone());
            let answer = call.send(request.send()).await?;
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
            let (client, call) = self.at(operation, at, at.account.as_str()).await?;
            let _page = self.page().await;
            let request = client
                .list_restore_jobs()
                .by_created_after(after)
                .max_results(ROWS_OF_A_PAGE)
                .set_next_token(from.clone());
            let answer = call.send(request.send()).await?;
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
            let (client, call) = self.at(operation, at, at.account.as_str()).await?;
            let request = client
                .list_backup_plans()
                .max_results(ROWS_OF_A_PAGE)
                .set_next_token(from.clone());
            let answer = call.send(request.send()).await?;
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
            let (client, call) = self.at("backup:GetBackupPlan", at, plan_id).await?;
            let request = client
                .get_backup_plan()
                .backup_plan_id(plan_id)
                .max_scheduled_runs_preview(RUNS_OF_A_PREVIEW);
            let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
                return Ok(None);
            };
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
            let (client, call) = self.at("backup:ListBackupSelections", at, plan_id).await?;
            let request = client
                .list_backup_selections()
                .backup_plan_id(plan_id)
                .max_results(ROWS_OF_A_PAGE)
                .set_next_token(from.clone());
            let answer = call.send(request.send()).await?;
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
            let (client, call) = self.at(operation, at, plan_id).await?;
            let request = client
                .get_backup_selection()
                .backup_plan_id(plan_id)
                .selection_id(selection_id);
            let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
                return Ok(None);
            };
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
            let (client, call) = self.at(operation, at, at.account.as_str()).await?;
            let request = client
                .list_backup_vaults()
                .max_results(ROWS_OF_A_PAGE)
                .set_next_token(from.clone());
            let answer = call.send(request.send()).await?;
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
            let (client, call) = self.at(operation, at, at.account.as_str()).await?;
            let _page = self.page().await;
            let request = client
                .list_protected_resources()
                .max_results(ROWS_OF_A_PAGE)
                .set_next_token(from.clone());
            let answer = call.send(request.send()).await?;
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
        let resource = query.resource.as_ref().map(|arn| arn.as_str().to_owned());
        let ask = async || {
            let operation = "backup:ListRecoveryPointsByBackupVault";
            let (client, call) = self.at(operation, at, vault_name).await?;
            let _page = self.page().await;
            let request = client
                .list_recovery_points_by_backup_vault()
                .backup_vault_name(vault_name)
                .set_by_created_after(query.created_after.map(seconds))
                .set_by_resource_arn(resource.clone())
                .set_by_backup_plan_id(query.backup_plan.clone())
                .max_results(ROWS_OF_A_PAGE)
                .set_next_token(from.clone());
            let answer = call.send(request.send()).await?;
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
