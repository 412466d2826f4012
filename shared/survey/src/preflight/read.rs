//! Reads the plans of accounts and Regions, and what their rules backed up.

use std::collections::{BTreeMap, BTreeSet};

use copymend_remediation::ports::{CallResult, Location};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};

use super::document::Document;
use super::materialised::identify;
use super::newest::NewestBackups;
use super::planned::{Place, SelectingPlan};
use crate::listed::{BackupPlan, BackupSelection};
use crate::lists::{Lists, Page, RecoveryPointQuery};
use crate::not_read::NotRead;
use crate::vaults::{NoVaultList, VaultLists};

/// A rule's resources are those that it backed up in so many days.
pub const DAYS_OF_BACKUPS: i64 = 30;
/// So many plans, selections or vaults of one account and Region are read side by side.
const AT_ONCE: usize = 4;

/// Which plans are looked at.
#[derive(Clone, Debug, Default)]
pub struct WhichPlans {
    /// The ids of the plans; every plan where none is named.
    pub ids: Vec<String>,
    /// What a document describes, instead of the plans of the accounts.
    pub document: Option<Document>,
}

/// What was read of a place, and what could not be.
pub(super) struct ReadPlace {
    pub(super) place: Place,
    pub(super) not_read: Vec<NotRead>,
    pub(super) unreadable: Vec<String>,
    /// The plans that were asked for by their ids and are there.
    pub(super) found: BTreeSet<String>,
}

/// Reads of one place.
struct Reader<'l, L> {
    lists: &'l L,
    at: &'l Location,
    now: Timestamp,
}

/// What of one read could not be had.
#[derive(Default)]
struct Gaps {
    not_read: Vec<NotRead>,
    unreadable: Vec<String>,
}

pub(super) async fn read_place<L: Lists>(
    lists: &L,
    vaults: &VaultLists<'_, L>,
    at: &Location,
    partition: &str,
    which: &WhichPlans,
    now: Timestamp,
) -> ReadPlace {
    let reader = Reader { lists, at, now };
    let mut gaps = Gaps::default();
    let plans = match &which.document {
        Some(document) => described(lists, at, document, &mut gaps).await,
        None => reader.plans(&which.ids, &mut gaps).await,
    };
    let found = plans
        .iter()
        .filter_map(|selecting| selecting.plan.id.clone())
        .collect();
    let mut place = Place {
        at: at.clone(),
        partition: partition.to_owned(),
        vaults: None,
        has_every_vault: false,
        protected: None,
        newest: NewestBackups::default(),
        plans,
    };
    let makes_copies = place.plans.iter().any(|selecting| {
        let mut rules = selecting.plan.rules.iter();
        rules.any(|rule| !rule.copy_actions.is_empty() || rule.air_gapped_target.is_some())
    });
    if makes_copies {
        reader.surroundings(vaults, &mut place, &mut gaps).await;
    }
    ReadPlace {
        place,
        not_read: gaps.not_read,
        unreadable: gaps.unreadable,
        found,
    }
}

/// The plans of a document at a place.
async fn described<L: Lists>(
    lists: &L,
    at: &Location,
    document: &Document,
    gaps: &mut Gaps,
) -> Vec<SelectingPlan> {
    let mut plans = match document.plans_at(at) {
        Ok(plans) => plans,
        Err(error) => {
            gaps.unreadable.push(error.to_string());
            return Vec::new();
        }
    };
    if let Document::Policy(_) = document {
        gaps.not_read.extend(identify(lists, at, &mut plans).await);
    }
    plans
}

impl<L: Lists> Reader<'_, L> {
    /// Every page of a list, folded; `None` where one could not be had.
    async fn pages<T, F>(
        &self,
        ask: impl Fn(Option<String>) -> F,
        mut take: impl FnMut(T),
        gaps: &mut Gaps,
    ) -> Option<()>
    where
        F: Future<Output = CallResult<Page<T>>>,
    {
        let (mut from, mut pages_read) = (None, 0);
        loop {
            match ask(from.take()).await {
                Ok(page) => {
                    pages_read += 1;
                    gaps.unreadable.extend(page.unreadable);
                    page.items.into_iter().for_each(&mut take);
                    from = page.next;
                    if from.is_none() {
                        return Some(());
                    }
                }
                Err(error) => {
                    gaps.not_read.push(NotRead::of(self.at, error, pages_read));
                    return None;
                }
            }
        }
    }

    async fn plans(&self, ids: &[String], gaps: &mut Gaps) -> Vec<SelectingPlan> {
        let mut wanted: Vec<String> = ids.to_vec();
        if ids.is_empty() {
            let ask = |from| self.lists.list_backup_plans(self.at, from);
            self.pages(ask, |listed| wanted.push(listed.id), gaps).await;
        }
        let read = stream::iter(wanted)
            .map(async |id: String| {
                let mut gaps = Gaps::default();
                let plan = self.plan(&id, &mut gaps).await;
                (plan, gaps)
            })
            .buffered(AT_ONCE);
        let read: Vec<(Option<SelectingPlan>, Gaps)> = Box::pin(read).collect().await;
        let mut plans = Vec::new();
        for (plan, of_plan) in read {
            plans.extend(plan);
            gaps.take(of_plan);
        }
        plans
    }

    async fn plan(&self, id: &str, gaps: &mut Gaps) -> Option<SelectingPlan> {
        let plan = self.lists.get_backup_plan(self.at, id).await;
        let plan: BackupPlan = self.had(plan, gaps)??;
        let mut listed = Vec::new();
        let ask = |from| self.lists.list_backup_selections(self.at, id, from);
        let rows = gaps.unreadable.len();
        let every = self
            .pages(ask, |selection| listed.push(selection), gaps)
            .await;
        let mut has_every_selection = every.is_some() && gaps.unreadable.len() == rows;
        let selections = listed.iter().map(async |selection| {
            self.lists
                .get_backup_selection(self.at, id, &selection.id)
                .await
        });
        let mut read: Vec<BackupSelection> = Vec::new();
        for selection in join_all(selections).await {
            has_every_selection &= selection.is_ok();
            read.extend(self.had(selection, gaps).flatten());
        }
        Some(SelectingPlan {
            plan,
            selections: read,
            has_every_selection,
        })
    }

    fn had<T>(&self, answer: CallResult<T>, gaps: &mut Gaps) -> Option<T> {
        match answer {
            Ok(value) => Some(value),
            Err(error) => {
                gaps.not_read.push(NotRead::of(self.at, error, 0));
                None
            }
        }
    }

    /// Vaults, resources and the newest backups in the vaults of the rules.
    async fn surroundings(&self, vaults: &VaultLists<'_, L>, place: &mut Place, gaps: &mut Gaps) {
        match vaults.at(self.at).await {
            Ok(list) => {
                gaps.unreadable.extend(list.unreadable.iter().cloned());
                place.vaults = Some(list.vaults.clone());
                place.has_every_vault = list.unreadable.is_empty();
            }
            Err(NoVaultList { error, pages_read }) => {
                gaps.not_read.push(NotRead::of(self.at, error, pages_read));
            }
        }
        let mut protected = BTreeMap::new();
        let ask = |from| self.lists.list_protected_resources(self.at, from);
        let every = self
            .pages(
                ask,
                |resource| {
                    protected.insert(resource.arn.clone(), resource);
                },
                gaps,
            )
            .await;
        let mut names: BTreeSet<String> = BTreeSet::new();
        for rule in place
            .plans
            .iter()
            .flat_map(|selecting| &selecting.plan.rules)
        {
            names.insert(rule.target_vault.clone());
            let air_gapped = rule.air_gapped_target.as_ref();
            names.extend(air_gapped.map(|vault| vault.name().to_owned()));
        }
        if let Some(vaults) = place.vaults.as_ref().filter(|_| place.has_every_vault) {
            names.retain(|name| vaults.contains_key(name));
        }
        let read = stream::iter(names)
            .map(async |name: String| self.newest_of(&name).await)
            .buffered(AT_ONCE);
        let read: Vec<(NewestBackups, Gaps)> = Box::pin(read).collect().await;
        for (newest, of_vault) in read {
            place.newest.merge(newest);
            gaps.take(of_vault);
        }
        place.protected = every.map(|()| protected);
    }

    async fn newest_of(&self, vault: &str) -> (NewestBackups, Gaps) {
        let (mut newest, mut gaps) = (NewestBackups::default(), Gaps::default());
        let query = RecoveryPointQuery {
            created_after: self
                .now
                .checked_sub(SignedDuration::from_hours(24 * DAYS_OF_BACKUPS))
                .ok(),
            ..RecoveryPointQuery::default()
        };
        let ask = |from| {
            self.lists
                .list_recovery_points(self.at, vault, &query, from)
        };
        self.pages(ask, |point| newest.add(point), &mut gaps).await;
        (newest, gaps)
    }
}

impl Gaps {
    fn take(&mut self, other: Self) {
        self.not_read.extend(other.not_read);
        self.unreadable.extend(other.unreadable);
    }
}
