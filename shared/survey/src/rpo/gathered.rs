//! What was read, folded: of each resource and vault the newest copy, and nothing of the others.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use copymend_diagnosis::{BackupVaultArn, CopyJobState, Tags};
use copymend_policy::Arn;
use copymend_remediation::ports::Location;
use jiff::{SignedDuration, Timestamp};

use super::names::Names;
use crate::listed::{BackupPlan, ListedCopyJob, ListedRecoveryPoint, PlanCreator};

/// For how long a rule counts as one that backs a resource up after it last did.
pub const BACKED_UP_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How far back a continuous backup that goes on can be restored from now at least: five minutes for
/// databases, fifteen for S3 (AWS Backup Developer Guide, "Point-in-time recovery", documented).
const CONTINUOUS_LAG: SignedDuration = SignedDuration::from_mins(15);

/// A resource, by its place among all.
pub(super) type ResourceId = u32;
/// A vault, by its place among all.
pub(super) type VaultId = u32;

/// A resource: its ARN and its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Resource {
    pub(super) arn: Arn,
    pub(super) kind: String,
}

/// What a vault holds of a resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// When the newest good one was made.
    pub(super) newest_good: Option<Timestamp>,
    /// The newest of those that don't count, and what they are.
    pub(super) newest_other: Option<(Timestamp, Unusable)>,
    /// How many have no date.
    pub(super) without_date: u32,
    /// Whether one of them is a copy.
    pub(super) is_copied: bool,
}

/// Why a recovery point doesn't count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unusable {
    Creating,
    Partial,
    Deleting,
    Expired,
    /// Its time is over: AWS Backup deletes it within hours (AWS Backup Developer Guide, "Deleting
    /// backups", documented).
    Going,
    Other,
}

impl Unusable {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Creating => "is being made",
            Self::Partial => "is PARTIAL: parts of it are missing",
            Self::Deleting => "is being deleted",
            Self::Expired => "is EXPIRED: AWS Backup could not delete it",
            Self::Going => "has passed its end and is about to be deleted",
            Self::Other => "has a status that isn't known",
        }
    }
}

/// The oldest known backup of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Oldest {
    pub(super) created: Timestamp,
    /// When it is deleted; the end of time for what is kept.
    pub(super) kept_until: Timestamp,
}

impl Oldest {
    /// Of two of one time, the one that is kept for longer tells more.
    fn is_before(self, other: Self) -> bool {
        let rank = |one: Self| (one.created, std::cmp::Reverse(one.kept_until));
        rank(self) < rank(other)
    }

    /// Whether an earlier backup, kept as long as this one, would still be there if it had been made so
    /// long ago.
    pub(super) fn would_have_kept(self, age: SignedDuration) -> bool {
        self.kept_until == Timestamp::MAX || self.kept_until.duration_since(self.created) >= age
    }
}

/// A copy job that is done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) resource: ResourceId,
    pub(super) vault: VaultId,
    /// The copy.
    pub(super) copy: u64,
    /// What it is a copy of.
    pub(super) source: u64,
    pub(super) created: Option<Timestamp>,
    pub(super) completed: Option<Timestamp>,
    /// How long the copy is kept; nothing where the job says nothing of it.
    pub(super) kept: Option<Kept>,
}

/// How long something is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    ForDays(i64),
    AsTheSource,
}

/// The dates of a recovery point, in seconds since 1970: there is one of these for each, so they are
/// small.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dates {
    created: i64,
    deleted: i64,
}

/// No date.
const NONE: i64 = i64::MIN;

impl Dates {
    fn of(point: &ListedRecoveryPoint) -> Self {
        let seconds = |time: Option<Timestamp>| time.map_or(NONE, Timestamp::as_second);
        Self {
            created: seconds(point.created),
            deleted: seconds(point.deleted_at),
        }
    }

    pub(super) fn created(self) -> Option<Timestamp> {
        Timestamp::from_second(self.created).ok()
    }

    pub(super) fn deleted(self) -> Option<Timestamp> {
        Timestamp::from_second(self.deleted).ok()
    }
}

/// What could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotRead {
    /// What, such as a vault's ARN, or an account and Region.
    pub what: String,
    /// Why.
    pub why: String,
}

/// All that was read, folded. The order in which it is told makes no difference.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    now: Timestamp,
    pub(super) resources: Names<Resource>,
    pub(super) vaults: Names<BackupVaultArn>,
    pub(super) rules: Names<PlanCreator>,
    /// The vaults that the copies of a rule go to.
    pub(super) places_of_rules: BTreeMap<u32, Vec<VaultId>>,
    pub(super) backed_up_by: HashSet<(ResourceId, u32)>,
    pub(super) held: HashMap<(ResourceId, VaultId), Held>,
    /// The oldest known backup of a resource.
    pub(super) oldest: HashMap<ResourceId, Oldest>,
    pub(super) points: HashMap<u64, Dates>,
    pub(super) done: Vec<Done>,
    pub(super) unread_vaults: BTreeMap<VaultId, String>,
    pub(super) read_vaults: HashSet<VaultId>,
    /// Vaults that don't exist.
    pub(super) absent_vaults: HashSet<VaultId>,
    /// The tags of resources that objectives name, or why they aren't known. Of other resources nobody
    /// asked.
    pub(super) tags: HashMap<ResourceId, Result<Tags, String>>,
    pub(super) not_read: Vec<NotRead>,
    /// The vaults from which the rules' copies into a vault come.
    sources: BTreeMap<VaultId, BTreeSet<BackupVaultArn>>,
    /// The accounts and Regions whose vaults are all known.
    listed: HashSet<Location>,
    /// The accounts of which something else than a vault could not be read.
    unread_accounts: BTreeSet<String>,
    /// Whether the reading was stopped.
    is_cut: bool,
    /// Whether it was stopped before all accounts and Regions were listed.
    is_unlisted: bool,
}

/// A number that stands for an ARN. Two ARNs hardly ever have one; then a copy that is gone may be
/// overlooked.
fn mark(arn: &Arn) -> u64 {
    let mut hasher = DefaultHasher::new();
    arn.as_str().hash(&mut hasher);
    hasher.finish()
}

impl Gathered {
    /// Nothing yet, as of a time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            ..Self::default()
        }
    }

    /// As of when it is.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Takes a plan of an account and Region: the vaults that the copies of its rules go to. A rule
    /// that targets a logically air-gapped vault makes a copy that stands in no copy action (AWS
    /// Backup Developer Guide, "Logically air-gapped vault as a primary backup target", documented).
    pub fn add_plan(&mut self, plan: &BackupPlan) {
        for rule in &plan.rules {
            let copies = rule
                .copy_actions
                .iter()
                .map(|action| &action.destination_vault);
            let places: Vec<VaultId> = copies
                .chain(&rule.air_gapped_target)
                .map(|vault| self.vaults.id(vault.clone()))
                .collect();
            if places.is_empty() || rule.id.is_none() {
                continue;
            }
            let id = self.rules.id(PlanCreator {
                plan_id: plan.id.clone(),
                rule_id: rule.id.clone(),
            });
            self.places_of_rules.insert(id, places);
        }
    }

    /// Takes where the copies of a plan's rules come from: the vaults of its account and Region that they
    /// back up into.
    pub(super) fn add_sources(&mut self, at: &Location, plan: &BackupPlan) {
        for rule in &plan.rules {
            let copies = rule.copy_actions.iter();
            let copies = copies.map(|action| &action.destination_vault);
            for vault in copies.chain(&rule.air_gapped_target) {
                let source = format!(
                    "arn:{}:backup:{}:{}:backup-vault:{}",
                    vault.partition(),
                    at.region,
                    at.account,
                    rule.target_vault
                );
                if let Ok(source) = source.parse() {
                    let vault = self.vaults.id(vault.clone());
                    self.sources.entry(vault).or_default().insert(source);
                }
            }
        }
    }

    /// All vaults of an account and Region are known.
    pub(super) fn was_listed(&mut self, at: &Location) {
        self.listed.insert(at.clone());
    }

    /// Something of an account wasn't read: a list, or a part of one.
    pub(super) fn account_was_not_read(&mut self, at: &Location, why: impl Into<String>) {
        self.unread_accounts.insert(at.account.to_string());
        self.was_not_read(format!("{} in {}", at.account, at.region), why);
    }

    /// The reading was stopped; before all accounts and Regions were listed, anything may be missing
    /// anywhere.
    pub(super) fn was_cut(&mut self, all_are_listed: bool) {
        self.is_cut = true;
        self.is_unlisted |= !all_are_listed;
    }

    /// Whether the reading was stopped before its end.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether a vault was neither read nor found to be absent, nor failed to be read.
    pub(super) fn is_to_be_read(&self, vault: &BackupVaultArn) -> bool {
        let id = self.vaults.known(vault);
        id.is_none_or(|id| !self.read_vaults.contains(id) && !self.unread_vaults.contains_key(id))
    }

    /// Whether a vault was read to its end, and all vaults from which copies come into it: resources that
    /// have no copy are told by their backups.
    pub(super) fn is_whole(&self, vault: &BackupVaultArn) -> bool {
        let is_read =
            |id: &VaultId| self.read_vaults.contains(id) && !self.unread_vaults.contains_key(id);
        // A vault that isn't there has no backups.
        let is_missing = |source: &BackupVaultArn| {
            let is_failed = |id: &VaultId| self.unread_vaults.contains_key(id);
            let is_listed = || {
                place_of(source).is_some_and(|at| self.listed.contains(&at))
                    && !self.is_unread(source.arn().account())
            };
            !self.vaults.known(source).is_some_and(is_failed) && is_listed()
        };
        let Some(id) = self.vaults.known(vault) else {
            return false;
        };
        let mut sources = self.sources.get(id).into_iter().flatten();
        !self.is_unlisted
            && is_read(id)
            && sources
                .all(|source| self.vaults.known(source).is_some_and(is_read) || is_missing(source))
    }

    /// Whether something of an account, other than a vault, could not be read.
    pub(super) fn is_unread(&self, account: &str) -> bool {
        self.unread_accounts.contains(account)
    }

    /// Takes a recovery point of a vault. The parts of a composite one don't count: only the whole can
    /// be judged.
    pub fn add_point(&mut self, point: &ListedRecoveryPoint) {
        self.points.insert(mark(&point.arn), Dates::of(point));
        let (None, Some(arn), Some(kind)) = (&point.parent, &point.resource, &point.resource_type)
        else {
            return;
        };
        let resource = self.resources.id(Resource {
            arn: arn.clone(),
            kind: kind.clone(),
        });
        let vault = self.vaults.id(point.vault.clone());
        if let Some(created) = point.created {
            let found = Oldest {
                created,
                kept_until: point.deleted_at.unwrap_or(Timestamp::MAX),
            };
            let oldest = self.oldest.entry(resource).or_insert(found);
            if found.is_before(*oldest) {
                *oldest = found;
            }
            if self.now.duration_since(created) <= BACKED_UP_WITHIN {
                let rule = &point.creator;
                if rule.rule_id.is_some() {
                    let rule = self.rules.id(rule.clone());
                    self.backed_up_by.insert((resource, rule));
                }
            }
        }
        let now = self.now;
        let held = self.held.entry((resource, vault)).or_default();
        held.is_copied |= is_copy(point, arn);
        let Some(created) = point.created else {
            held.without_date = held.without_date.saturating_add(1);
            return;
        };
        match unusable(point, now) {
            None => {
                let made = if is_continuous(point) {
                    now.checked_sub(CONTINUOUS_LAG).unwrap_or(now).max(created)
                } else {
                    created
                };
                held.newest_good = held.newest_good.max(Some(made));
            }
            Some(why) => held.newest_other = held.newest_other.max(Some((created, why))),
        }
    }

    /// Takes a copy job. Only those that are done tell where copies arrived.
    pub fn add_copy_job(&mut self, job: &ListedCopyJob) {
        let (CopyJobState::Completed, None, Some(copy)) = (
            job.job.state,
            &job.job.parent_job_id,
            &job.destination_recovery_point,
        ) else {
            return;
        };
        let (Some(arn), Some(kind)) = (&job.job.resource, &job.job.resource_type) else {
            return;
        };
        let kept = job.job.lifecycle.as_ref().map(|lifecycle| {
            match lifecycle.delete_after_days.filter(|days| *days >= 0) {
                Some(days) => Kept::ForDays(days),
                None => Kept::AsTheSource,
            }
        });
        let resource = self.resources.id(Resource {
            arn: arn.clone(),
            kind: kind.clone(),
        });
        let done = Done {
            resource,
            vault: self.vaults.id(job.job.destination_vault.clone()),
            copy: mark(copy),
            source: mark(&job.job.source_recovery_point),
            created: job.created,
            completed: job.job.completed,
            kept,
        };
        self.done.push(done);
    }

    /// A vault was read to its end.
    pub fn vault_was_read(&mut self, vault: &BackupVaultArn) {
        let id = self.vaults.id(vault.clone());
        self.read_vaults.insert(id);
    }

    /// A vault doesn't exist: it isn't among all that its account has in its Region.
    pub fn vault_is_absent(&mut self, vault: &BackupVaultArn) {
        let id = self.vaults.id(vault.clone());
        self.read_vaults.insert(id);
        self.absent_vaults.insert(id);
    }

    /// A vault wasn't read, or not to its end.
    pub fn vault_was_not_read(&mut self, vault: &BackupVaultArn, why: impl Into<String>) {
        let id = self.vaults.id(vault.clone());
        let why = why.into();
        self.not_read.push(NotRead {
            what: vault.to_string(),
            why: why.clone(),
        });
        self.unread_vaults.insert(id, why);
    }

    /// Something else wasn't read.
    pub fn was_not_read(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_read.push(NotRead {
            what: what.into(),
            why: why.into(),
        });
    }

    /// The vaults that copies go to or went to, so far.
    #[must_use]
    pub fn destinations(&self) -> Vec<BackupVaultArn> {
        let of_rules = self.places_of_rules.values().flatten().copied();
        let of_jobs = self.done.iter().map(|done| done.vault);
        let mut ids: Vec<VaultId> = of_rules.chain(of_jobs).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter()
            .filter_map(|id| self.vaults.name(id).cloned())
            .collect()
    }
}

/// Where a vault is asked; nothing for one of no account.
pub(super) fn place_of(vault: &BackupVaultArn) -> Option<Location> {
    Some(Location::new(vault.account_id()?, vault.region()))
}

/// Whether a recovery point is a copy: it names the vault that it came from, or lies in another account
/// or Region than its resource (AWS leaves the vault out for copies within an account).
fn is_copy(point: &ListedRecoveryPoint, resource: &Arn) -> bool {
    let differs =
        |of_resource: &str, of_vault: &str| !of_resource.is_empty() && of_resource != of_vault;
    let vault = point.vault.arn();
    point.source_vault.is_some()
        || differs(resource.account(), vault.account())
        || differs(resource.region(), vault.region())
}

/// A continuous backup, which goes on.
fn is_continuous(point: &ListedRecoveryPoint) -> bool {
    point.status == "AVAILABLE" && point.arn.resource().contains(":continuous:")
}

/// Why a recovery point is no good copy; nothing for one that is (AWS Backup API reference,
/// `RecoveryPointByBackupVault`, `Status`, documented; which of them are good is inferred).
fn unusable(point: &ListedRecoveryPoint, now: Timestamp) -> Option<Unusable> {
    match point.status.as_str() {
        "COMPLETED" | "AVAILABLE" | "STOPPED" => {
            let is_over = point.deleted_at.is_some_and(|end| end <= now);
            is_over.then_some(Unusable::Going)
        }
        "CREATING" => Some(Unusable::Creating),
        "PARTIAL" => Some(Unusable::Partial),
        "DELETING" => Some(Unusable::Deleting),
        "EXPIRED" => Some(Unusable::Expired),
        _ => Some(Unusable::Other),
    }
}
