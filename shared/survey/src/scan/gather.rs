//! Reads the pages, in parallel over accounts and Regions.

use std::sync::Mutex;

use copymend_diagnosis::CopyJobState;
use copymend_diagnosis::advisor::JobKind;
use copymend_remediation::ports::{CallResult, Location, Reads};
use copymend_remediation::read_once::ReadOnce;
use copymend_remediation::settings::Settings;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::fold::Fold;
use super::routes::{self, locked};
use crate::lists::{CopyJobQuery, JobQuery, Lists, Page};
use crate::not_read::NotRead;
use crate::vaults::{ByVaultLists, VaultLists};

/// How long before its end a job may have been made: a copy waits for others of its resource, AWS tries
/// it again for hours, and a job has seven days to end where its rule doesn't say otherwise (AWS Backup
/// API reference, `BackupRule`, `CompletionWindowMinutes`, documented; that copies end within it is
/// inferred). A scan of one day that asked for the jobs of that day would never see those.
const RUNS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The accounts and Regions.
    pub places: Vec<Location>,
    /// Jobs that ended later than this.
    pub since: Timestamp,
    /// Whether backup and restore jobs are looked at, too.
    pub with_jobs: bool,
}

/// What is used to find out about the copies.
#[derive(Clone, Copy, Debug)]
pub struct Investigation<'i, E> {
    /// The ports, which only read.
    pub environment: &'i E,
    /// The settings that would hold.
    pub settings: &'i Settings,
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A page was read; so many jobs are found in all.
    Page(u64),
    /// An account and Region is done.
    Place,
    /// So many routes will be investigated.
    Routes(usize),
    /// A route is done.
    Route,
}

/// Reads all pages of the scope into `fold`, and with an investigation what the copies' routes show.
/// Dropped half way, it leaves in `fold` what it has read.
///
/// What an account refuses doesn't end the others.
pub async fn gather<L: Lists, E: Reads>(
    lists: &L,
    scope: &Scope,
    investigation: Option<Investigation<'_, E>>,
    fold: &Mutex<Fold>,
    progress: &(dyn Fn(Progress) + Sync),
) {
    let places = scope.places.iter().map(async |at| {
        read(lists, at, scope, fold, progress).await;
        progress(Progress::Place);
    });
    join_all(places).await;
    locked(fold).end_of_copies();
    if let Some(Investigation {
        environment,
        settings,
    }) = investigation
    {
        let vaults = VaultLists::of(lists);
        let reads = ByVaultLists {
            vaults: &vaults,
            reads: environment,
        };
        let once = ReadOnce::of(&reads);
        routes::investigate(lists, &once, settings, fold, progress).await;
    }
}

async fn read<L: Lists>(
    lists: &L,
    at: &Location,
    scope: &Scope,
    fold: &Mutex<Fold>,
    progress: &(dyn Fn(Progress) + Sync),
) {
    let created_after = scope.since.checked_sub(RUNS_FOR).unwrap_or(scope.since);
    for state in [CopyJobState::Failed, CopyJobState::Partial] {
        let query = CopyJobQuery {
            state: Some(state),
            created_after,
        };
        let ask = |from| lists.list_copy_jobs(at, &query, from);
        let end = pages(at, fold, progress, ask, Fold::copy_jobs).await;
        match end {
            End::Read => {}
            // The other state would be refused likewise.
            End::NotRead => break,
            End::NotReached => return,
        }
    }
    if scope.with_jobs {
        for kind in [JobKind::Backup, JobKind::Restore] {
            let query = JobQuery {
                kind,
                created_after,
            };
            let ask = |from| lists.list_jobs(at, &query, from);
            let end = pages(at, fold, progress, ask, Fold::service_jobs).await;
            if end == End::NotReached {
                return;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Read,
    NotRead,
    /// The account can't be entered: nothing else of it can be read.
    NotReached,
}

async fn pages<T, F>(
    at: &Location,
    fold: &Mutex<Fold>,
    progress: &(dyn Fn(Progress) + Sync),
    ask: impl Fn(Option<String>) -> F + Send,
    take: impl Fn(&mut Fold, &Location, Page<T>) + Send,
) -> End
where
    F: Future<Output = CallResult<Page<T>>> + Send,
{
    let mut from = None;
    let mut pages_read = 0;
    loop {
        match ask(from.take()).await {
            Ok(mut page) => {
                pages_read += 1;
                from = page.next.take();
                let mut fold = locked(fold);
                take(&mut fold, at, page);
                let found = fold.found();
                drop(fold);
                progress(Progress::Page(found));
                if from.is_none() {
                    return End::Read;
                }
            }
            Err(error) => {
                let end = if error.operation.starts_with("sts:") {
                    End::NotReached
                } else {
                    End::NotRead
                };
                locked(fold).not_read(NotRead::of(at, error, pages_read));
                return end;
            }
        }
    }
}
