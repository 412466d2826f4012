//! What the facts show, once per route: job role, source key, destination vault, account and Region.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use copymend_diagnosis::{BackupVaultArn, Cause, CopyJobEvent, Failure, KeyArn};
use copymend_policy::AccountId;
use copymend_remediation::outlook::outlook;
use copymend_remediation::ports::{Backup, Location, Reads};
use copymend_remediation::settings::Settings;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};

use super::fold::{Alike, Copies, Fold, hash_of};
use super::gather::Progress;
use super::incidents::Would;
use super::would;
use crate::listed::ListedCopyJob;
use crate::lists::{Lists, RecoveryPointQuery};

/// So many routes are investigated side by side. Each asks some fifteen questions at once, and they take
/// their turns by account anyway.
const ROUTES_AT_ONCE: usize = 32;

/// A copy follows its backup: how much older than the first failed copy the recovery points are looked
/// for (inferred; a copy that is started on demand may be of any age).
const POINTS_BEFORE_COPIES: SignedDuration = SignedDuration::from_hours(48);

/// What was found out about copies that are alike.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) cause: Cause,
    pub(super) is_confirmed: bool,
    pub(super) resource: String,
    pub(super) fingerprint: String,
    pub(super) would: Would,
    pub(super) unknown: usize,
}

/// Splits the copies by their recovery points' keys, and finds out about each kind what the handler
/// would do. What was found stays in `fold` when this is dropped half way.
pub(super) async fn investigate<L: Lists, E: Reads>(
    lists: &L,
    environment: &E,
    settings: &Settings,
    fold: &Mutex<Fold>,
    progress: &(dyn Fn(Progress) + Sync),
) {
    split_by_key(lists, environment, fold).await;
    let routes: Vec<(Alike, Box<ListedCopyJob>)> = {
        let fold = locked(fold);
        let open = fold.copies.iter().filter(|(alike, _)| !alike.is_parent);
        open.map(|(alike, copies)| (alike.clone(), copies.sample.clone()))
            .collect()
    };
    progress(Progress::Routes(routes.len()));
    let now = copymend_remediation::ports::Clock::now(environment.clock());
    let judgements = routes.into_iter().map(async |(alike, sample)| {
        let judged = judge(environment, *sample, settings, now).await;
        if let Some(copies) = locked(fold).copies.get_mut(&alike) {
            copies.judged = judged;
        }
        progress(Progress::Route);
    });
    let mut judgements = futures_util::stream::iter(judgements).buffer_unordered(ROUTES_AT_ONCE);
    while judgements.next().await.is_some() {}
}

async fn judge<E: Reads>(
    environment: &E,
    row: ListedCopyJob,
    settings: &Settings,
    now: Timestamp,
) -> Option<Judged> {
    let event = CopyJobEvent::of_job(String::new(), &row.job);
    let as_of = row.job.completed.or(row.created).unwrap_or(now);
    let failure = Failure::verify(&event, row.job).ok()?;
    // As of the failure: what matters is what is done about the next one.
    let outlook = Box::pin(outlook(environment, &failure, settings, as_of)).await;
    Some(Judged {
        cause: outlook.cause(),
        is_confirmed: outlook.diagnosis.confirmed_cause() == Some(outlook.cause()),
        would: would::of_outlook(&outlook),
        resource: outlook.resource,
        fingerprint: outlook.fingerprint,
        unknown: outlook.unknown.len(),
    })
}

/// A source vault, where its account keeps it.
type Source = (AccountId, String, BackupVaultArn);

/// Which recovery points' keys are asked for.
#[derive(Default)]
struct Wanted {
    points: HashSet<u64>,
    first: Option<Timestamp>,
}

/// Where the key is the resource's, copies of one role into one vault may be of several keys. The list
/// of the source vault's recovery points names them, a thousand a call.
async fn split_by_key<L: Lists, E: Reads>(lists: &L, environment: &E, fold: &Mutex<Fold>) {
    let mut wanted: HashMap<Source, Wanted> = HashMap::new();
    for (alike, copies) in &locked(fold).copies {
        // One point has one key, which its investigation reads.
        if copies.points.len() > 1 {
            let source = (
                alike.account,
                alike.region.clone(),
                alike.source_vault.clone(),
            );
            let of_source = wanted.entry(source).or_default();
            of_source.points.extend(copies.points.keys().copied());
            of_source.first = match (of_source.first, copies.tally.first) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
    }
    let reads = wanted.into_iter().map(async |(source, wanted)| {
        let keys = keys_of(lists, &source, wanted, fold).await;
        (source, keys)
    });
    let mut reads = futures_util::stream::iter(reads).buffer_unordered(ROUTES_AT_ONCE);
    let mut keys: HashMap<Source, HashMap<u64, KeyArn>> = HashMap::new();
    while let Some((source, found)) = reads.next().await {
        keys.insert(source, found);
    }
    drop(reads);
    let mixed: Vec<(Alike, Copies)> = {
        let mut fold = locked(fold);
        let names: Vec<Alike> = fold
            .copies
            .iter()
            .filter(|(_, copies)| copies.points.len() > 1)
            .map(|(alike, _)| alike.clone())
            .collect();
        let taken = names
            .into_iter()
            .filter_map(|name| fold.copies.remove_entry(&name));
        taken.collect()
    };
    // They are put back whole first: who stops here must not lose them.
    for (alike, copies) in &mixed {
        locked(fold).add(alike.clone(), copies.clone());
    }
    for (alike, copies) in mixed {
        let source = (
            alike.account,
            alike.region.clone(),
            alike.source_vault.clone(),
        );
        let parts = match keys.get(&source) {
            Some(keys) => parts_by_key(environment, &alike, copies, keys).await,
            None => continue,
        };
        let mut fold = locked(fold);
        fold.copies.remove(&alike);
        for (alike, copies) in parts {
            fold.add(alike, copies);
        }
    }
}

/// The keys of the wanted recovery points, as far as the list names them.
async fn keys_of<L: Lists>(
    lists: &L,
    (account, region, vault): &Source,
    wanted: Wanted,
    fold: &Mutex<Fold>,
) -> HashMap<u64, KeyArn> {
    let at = Location::new(*account, region);
    let query = RecoveryPointQuery {
        created_after: wanted
            .first
            .and_then(|first| first.checked_sub(POINTS_BEFORE_COPIES).ok()),
        ..RecoveryPointQuery::default()
    };
    let mut keys = HashMap::new();
    let mut from = None;
    loop {
        let page = lists
            .list_recovery_points(&at, vault.name(), &query, from.take())
            .await;
        match page {
            Ok(page) => {
                for point in page.items {
                    let name = hash_of(point.arn.as_str());
                    if let Some(key) = point
                        .encryption_key
                        .filter(|_| wanted.points.contains(&name))
                    {
                        keys.insert(name, key);
                    }
                }
                from = page.next;
            }
            Err(error) => {
                let note = format!(
                    "the keys of the recovery points in {} are not known, so that copies of several keys may be counted as one: {error}",
                    vault.as_str()
                );
                locked(fold).notes.push(note);
                return keys;
            }
        }
        if from.is_none() || keys.len() == wanted.points.len() {
            return keys;
        }
    }
}

/// The copies apart by the keys of their recovery points, each with a sample of its own.
async fn parts_by_key<E: Reads>(
    environment: &E,
    alike: &Alike,
    copies: Copies,
    keys: &HashMap<u64, KeyArn>,
) -> Vec<(Alike, Copies)> {
    let sampled = hash_of(copies.sample.job.source_recovery_point.as_str());
    let mut parts: HashMap<Option<KeyArn>, Vec<(u64, super::fold::Point)>> = HashMap::new();
    for (name, point) in copies.points {
        let key = keys.get(&name).cloned();
        parts.entry(key).or_default().push((name, point));
    }
    let mut made = Vec::with_capacity(parts.len());
    for (key, points) in parts {
        let has_sample = points.iter().any(|(name, _)| *name == sampled);
        let newest = points
            .iter()
            .max_by(|one, other| {
                let age = |point: &super::fold::Point| (point.tally.last, point.job.clone());
                age(&one.1).cmp(&age(&other.1))
            })
            .map(|(_, point)| point.job.clone());
        let described = match newest {
            Some(id) if !has_sample => {
                let at = Location::new(alike.account, &alike.region);
                let job = environment.backup().describe_copy_job(&at, &id).await;
                job.ok().flatten()
            }
            Some(_) | None => None,
        };
        let mut sample = copies.sample.clone();
        if let Some(job) = described {
            sample.created = None;
            sample.job = job;
        }
        let mut tallies = points.iter().map(|(_, point)| point.tally);
        let Some(mut tally) = tallies.next() else {
            continue;
        };
        tallies.for_each(|other| tally.add(other));
        let alike = Alike {
            key,
            ..alike.clone()
        };
        let copies = Copies {
            tally,
            sample,
            points: points.into_iter().collect(),
            judged: None,
        };
        made.push((alike, copies));
    }
    made
}

pub(super) fn locked(fold: &Mutex<Fold>) -> std::sync::MutexGuard<'_, Fold> {
    fold.lock().unwrap_or_else(PoisonError::into_inner)
}
