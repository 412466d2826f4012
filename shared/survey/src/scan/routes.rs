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
use super::tally::Tally;
use super::would;
use crate::details::Details;
use crate::listed::{ListedCopyJob, PlanCreator};
use crate::lists::{Lists, RecoveryPointQuery};

/// So many routes are investigated side by side. Each asks some fifteen questions at once, and they take
/// their turns by account anyway.
const ROUTES_AT_ONCE: usize = 64;

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
    pub(super) details: Box<Details>,
    /// Accounts that could not be entered, each in a sentence.
    closed: Vec<String>,
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
        let mut fold = locked(fold);
        for closed in judged.iter().flat_map(|judged| &judged.closed) {
            fold.note(format!("facts of an account were not read: {closed}"));
        }
        if let Some(copies) = fold.copies.get_mut(&alike) {
            copies.judged = judged;
        }
        drop(fold);
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
        would: would::of_outlook(&outlook, &failure.job().status_message),
        details: Box::new(Details::of_outlook(&outlook)),
        resource: outlook.resource,
        fingerprint: outlook.fingerprint,
        unknown: outlook.unknown.len(),
        closed: outlook
            .unknown
            .iter()
            .filter(|why| why.operation.starts_with("sts:"))
            .map(ToString::to_string)
            .collect(),
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
            let of_source = wanted.entry(source_of(alike)).or_default();
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
    let mixed = mixed(&locked(fold), &keys);
    let splits = mixed.into_iter().map(async |mixed| {
        let samples = samples(environment, &mixed).await;
        let of_source = keys.get(&source_of(&mixed.alike));
        split(&mut locked(fold), &mixed.alike, of_source, samples);
    });
    let mut splits = futures_util::stream::iter(splits).buffer_unordered(ROUTES_AT_ONCE);
    while splits.next().await.is_some() {}
}

fn source_of(alike: &Alike) -> Source {
    (
        alike.account,
        alike.region.clone(),
        alike.source_vault.clone(),
    )
}

/// Copies of several recovery points.
struct Mixed {
    alike: Alike,
    /// The newest job of each key that the sample isn't of.
    newest: HashMap<Option<KeyArn>, (Option<Timestamp>, Box<str>)>,
}

fn mixed(fold: &Fold, keys: &HashMap<Source, HashMap<u64, KeyArn>>) -> Vec<Mixed> {
    let mixed = fold
        .copies
        .iter()
        .filter(|(_, copies)| copies.points.len() > 1);
    mixed
        .map(|(alike, copies)| {
            let keys = keys.get(&source_of(alike));
            let key_of = |name: u64| keys.and_then(|keys| keys.get(&name)).cloned();
            let sampled = key_of(hash_of(copies.sample.job.source_recovery_point.as_str()));
            let mut newest: HashMap<Option<KeyArn>, (Option<Timestamp>, Box<str>)> = HashMap::new();
            for (name, point) in &copies.points {
                let key = key_of(*name);
                if key == sampled {
                    continue;
                }
                let job = (point.tally.last, point.job.clone());
                let kept = newest.entry(key).or_insert_with(|| job.clone());
                if job > *kept {
                    *kept = job;
                }
            }
            Mixed {
                alike: alike.clone(),
                newest,
            }
        })
        .collect()
}

/// A job of each key that the sample isn't of. One that can't be described is none: the sample speaks
/// for it then.
async fn samples<E: Reads>(
    environment: &E,
    mixed: &Mixed,
) -> HashMap<Option<KeyArn>, ListedCopyJob> {
    let at = Location::new(mixed.alike.account, &mixed.alike.region);
    let mut samples = HashMap::new();
    for (key, (_, id)) in &mixed.newest {
        let job = environment.backup().describe_copy_job(&at, id).await;
        if let Ok(Some(job)) = job {
            let row = ListedCopyJob {
                job,
                created: None,
                destination_recovery_point: None,
                creator: PlanCreator::default(),
                created_by_backup_job: None,
                failed_children: 0,
            };
            samples.insert(key.clone(), row);
        }
    }
    samples
}

/// Puts the copies apart by their keys. What names the points isn't needed any more.
fn split(
    fold: &mut Fold,
    alike: &Alike,
    keys: Option<&HashMap<u64, KeyArn>>,
    mut samples: HashMap<Option<KeyArn>, ListedCopyJob>,
) {
    let Some(copies) = fold.copies.remove(alike) else {
        return;
    };
    let mut parts: HashMap<Option<KeyArn>, Tally> = HashMap::new();
    for (name, point) in copies.points {
        let key = keys.and_then(|keys| keys.get(&name)).cloned();
        match parts.get_mut(&key) {
            Some(tally) => tally.add(&point.tally),
            None => {
                parts.insert(key, point.tally);
            }
        }
    }
    for (key, tally) in parts {
        let sample = samples.remove(&key).map(Box::new);
        let part = Alike {
            key,
            ..alike.clone()
        };
        let copies = Copies {
            tally,
            sample: sample.unwrap_or_else(|| copies.sample.clone()),
            points: HashMap::new(),
            judged: None,
        };
        fold.add(part, copies);
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
                locked(fold).note(note);
                return keys;
            }
        }
        if from.is_none() || keys.len() == wanted.points.len() {
            return keys;
        }
    }
}

pub(super) fn locked(fold: &Mutex<Fold>) -> std::sync::MutexGuard<'_, Fold> {
    fold.lock().unwrap_or_else(PoisonError::into_inner)
}
