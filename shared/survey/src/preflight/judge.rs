//! Judges each route once.

use std::collections::{BTreeSet, HashMap};

use copymend_diagnosis::{
    Advice, BackupVaultArn, Facts, Foreseen, Residual, advise_planned, foresee,
};
use copymend_policy::AccountId;
use copymend_remediation::investigate::investigate;
use copymend_remediation::ports::{Clock as _, Location, Reads};
use copymend_remediation::read_once::ReadOnce;
use copymend_remediation::{GuardrailReads, look_at_guardrails};
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;
use serde::Serialize;

use super::plan::planned_copies;
use super::planned::{NotMaterialised, PlannedCopies, Unseen};
use super::read::{ReadPlace, WhichPlans, read_place};
use super::reads::OfNewest;
use super::route::Route;
use super::would::WouldOfPlanned;
use crate::lists::Lists;
use crate::not_read::NotRead;
use crate::vaults::{ByVaultLists, VaultLists};

/// So many accounts and Regions are read side by side.
const PLACES_AT_ONCE: usize = 32;
/// So many routes are judged side by side.
const ROUTES_AT_ONCE: usize = 64;

/// A route with what will become of its copies.
#[derive(Clone, Debug)]
pub struct JudgedRoute {
    /// The route.
    pub route: Route,
    /// What will become of its copies.
    pub foreseen: Foreseen,
    /// What to do about each thing in the way, in the same order.
    pub advice: Vec<Advice>,
    /// The facts that it rests on, of a route that will fail.
    pub facts: Option<Box<Facts>>,
    /// What Copymend would do once a copy has failed; nothing until it is asked for, by
    /// [`look_ahead`](super::look_ahead).
    pub would: Option<WouldOfPlanned>,
}

impl JudgedRoute {
    /// What may stop copies in spite of the verdict, or let them pass in spite of it.
    #[must_use]
    pub fn residuals(&self) -> Vec<Residual> {
        let mut residuals = match &self.foreseen {
            Foreseen::WillPass { residuals } => residuals.clone(),
            Foreseen::WillFail { .. } | Foreseen::CannotBeKnown { .. } => Vec::new(),
        };
        if self.route.resources.len() > 1 {
            residuals.push(Residual::OtherBackups);
        }
        residuals
    }
}

/// What plans will make, and what will become of it.
#[derive(Clone, Debug)]
pub struct Preflight {
    /// When it was looked at.
    pub at: Timestamp,
    /// How many accounts and Regions were looked at.
    pub places: usize,
    /// How many plans.
    pub plans: usize,
    /// The routes: those that will fail first, then those of which it can't be known.
    pub routes: Vec<JudgedRoute>,
    /// Rules that will make no copy.
    pub not_materialised: Vec<NotMaterialised>,
    /// What nothing can be known of.
    pub unseen: Vec<Unseen>,
    /// AWS's own plans, which were left out.
    pub skipped: Vec<String>,
    /// Rules that make no copies.
    pub rules_without_copies: u64,
    /// Plans that were named and are nowhere.
    pub not_found: Vec<String>,
    /// What could not be read.
    pub not_read: Vec<NotRead>,
    /// Rows that can't be understood.
    pub unreadable: Vec<String>,
    /// What a document leaves open.
    pub notes: Vec<String>,
    /// How far it came, where it was stopped.
    pub stopped: Option<Stopped>,
}

/// How far a look came that was stopped. What was found until then is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stopped {
    /// The accounts and Regions whose plans were read.
    pub places_read: usize,
    /// The routes that were judged.
    pub routes_judged: usize,
    /// The routes that would have been, as far as the plans were read.
    pub routes: usize,
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The plans of an account and Region are read.
    Place,
    /// So many routes will be judged.
    Routes(usize),
    /// A route is judged.
    Route,
}

impl Preflight {
    /// Whether it says nothing of what was asked: a named plan is nowhere, or no plan could be read.
    #[must_use]
    pub fn is_of_nothing(&self) -> bool {
        let is_empty = self.routes.is_empty() && self.plans == 0;
        !self.not_found.is_empty() || (is_empty && !self.not_read.is_empty())
    }

    /// Whether a copy will fail, or a rule will make none.
    #[must_use]
    pub fn will_fail(&self) -> bool {
        !self.not_materialised.is_empty()
            || self.routes.iter().any(|judged| rank(&judged.foreseen) == 0)
    }

    /// How many routes will pass, will fail, and can't be known.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        let of = |wanted| {
            let routes = self.routes.iter();
            routes
                .filter(|judged| rank(&judged.foreseen) == wanted)
                .count()
        };
        [of(2), of(0), of(1)]
    }
}

const fn rank(foreseen: &Foreseen) -> u8 {
    match foreseen {
        Foreseen::WillFail { .. } => 0,
        Foreseen::CannotBeKnown { .. } => 1,
        Foreseen::WillPass { .. } => 2,
    }
}

/// Looks at the plans of accounts and Regions and at what will become of their copies. What an account
/// refuses is a line of the answer, and loses nothing of the others.
pub async fn preflight<L: Lists, E: Reads + GuardrailReads>(
    lists: &L,
    environment: &E,
    places: &[Location],
    partition: &str,
    which: &WhichPlans,
    progress: &(dyn Fn(Step) + Sync),
) -> Preflight {
    let stop = std::future::pending();
    preflight_until(stop, lists, environment, places, partition, which, progress).await
}

/// The same until `stop` ends: what was found until then is told.
pub async fn preflight_until<L: Lists, E: Reads + GuardrailReads>(
    stop: impl Future<Output = ()> + Send,
    lists: &L,
    environment: &E,
    places: &[Location],
    partition: &str,
    which: &WhichPlans,
    progress: &(dyn Fn(Step) + Sync),
) -> Preflight {
    let mut stop = Box::pin(stop);
    let at = environment.clock().now();
    let vaults = VaultLists::of(lists);
    let read = stream::iter(places)
        .map(async |place| {
            let read = Box::pin(read_place(lists, &vaults, place, partition, which, at)).await;
            progress(Step::Place);
            let planned = planned_copies(&read.place);
            (planned, read)
        })
        .buffered(PLACES_AT_ONCE);
    let mut read = Box::pin(read.take_until(&mut stop));
    let mut places_done: Vec<(PlannedCopies, ReadPlace)> = Vec::new();
    while let Some(place) = read.next().await {
        places_done.push(place);
    }
    let is_stopped = read.take_result().is_some();
    drop(read);
    let mut answer = Preflight {
        at,
        places: places.len(),
        plans: 0,
        routes: Vec::new(),
        not_materialised: Vec::new(),
        unseen: Vec::new(),
        skipped: Vec::new(),
        rules_without_copies: 0,
        not_found: Vec::new(),
        not_read: Vec::new(),
        unreadable: Vec::new(),
        notes: Vec::new(),
        stopped: None,
    };
    let places_read = places_done.len();
    let (mut routes, mut found) = (Vec::new(), BTreeSet::new());
    for (planned, read) in places_done {
        answer.plans += read.place.plans.len();
        answer.not_read.extend(read.not_read);
        answer.unreadable.extend(read.unreadable);
        answer.not_materialised.extend(planned.not_materialised);
        answer.unseen.extend(planned.unseen);
        answer.skipped.extend(planned.skipped);
        answer.rules_without_copies += planned.rules_without_copies;
        routes.extend(planned.routes.into_values());
        found.extend(read.found);
    }
    if !is_stopped {
        let named = which.ids.iter();
        answer.not_found = named.filter(|id| !found.contains(*id)).cloned().collect();
    }
    if let Some(document) = &which.document {
        answer.notes = document.notes_on(places);
    }
    progress(Step::Routes(routes.len()));
    let many = routes.len();
    if !is_stopped {
        let reads = ByVaultLists {
            vaults: &vaults,
            reads: environment,
        };
        let once = ReadOnce::of(&reads);
        let judged = stream::iter(in_turn(routes))
            .map(async |(place, route)| {
                let judged = Box::pin(judge(&once, route)).await;
                progress(Step::Route);
                (place, judged)
            })
            .buffer_unordered(ROUTES_AT_ONCE);
        let judged = judged.take_until(&mut stop);
        let mut judged: Vec<(usize, JudgedRoute)> = Box::pin(judged).collect().await;
        judged.sort_by_key(|(place, judged)| (rank(&judged.foreseen), *place));
        answer.routes = judged.into_iter().map(|(_, judged)| judged).collect();
    }
    if is_stopped || answer.routes.len() < many {
        answer.stopped = Some(Stopped {
            places_read,
            routes_judged: answer.routes.len(),
            routes: many,
        });
    }
    answer
}

/// The routes with their places in the list, one of each account after the other: AWS's rates hold for
/// an account, so that those of one account alone would keep all others waiting.
fn in_turn(routes: Vec<Route>) -> Vec<(usize, Route)> {
    let mut of_account: HashMap<AccountId, usize> = HashMap::new();
    let mut turns: Vec<(usize, (usize, Route))> = Vec::with_capacity(routes.len());
    for (place, route) in routes.into_iter().enumerate() {
        let turn = of_account.entry(route.copy.account).or_default();
        turns.push((*turn, (place, route)));
        *turn += 1;
    }
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, route)| route).collect()
}

pub(super) async fn judge<R: Reads + GuardrailReads>(reads: &R, route: Route) -> JudgedRoute {
    let source_vault: BackupVaultArn = route.copy.source_vault.clone();
    let environment = OfNewest {
        reads,
        backup_in: &route.backup_in,
        source_vault: &source_vault,
    };
    let facts = investigate(&environment, &route.copy).await;
    let guardrails = look_at_guardrails(&environment, &route.copy, &facts).await;
    let foreseen = foresee(&route.copy, &facts, &guardrails);
    let advice = match &foreseen {
        Foreseen::WillFail { in_the_way, .. } => in_the_way
            .iter()
            .map(|assessment| advise_planned(assessment.cause, &route.copy, &facts))
            .collect(),
        Foreseen::WillPass { .. } | Foreseen::CannotBeKnown { .. } => Vec::new(),
    };
    let facts = match &foreseen {
        Foreseen::WillFail { .. } => Some(Box::new(facts)),
        Foreseen::WillPass { .. } | Foreseen::CannotBeKnown { .. } => None,
    };
    JudgedRoute {
        route,
        foreseen,
        advice,
        facts,
        would: None,
    }
}

#[cfg(test)]
mod tests {
    use copymend_diagnosis::BackupCopy;

    use super::*;

    fn route(account: &str) -> Route {
        let vault: BackupVaultArn = format!("arn:aws:backup:us-east-1:{account}:backup-vault:prod")
            .parse()
            .unwrap();
        Route {
            copy: BackupCopy {
                account: account.parse().unwrap(),
                region: "us-east-1".to_owned(),
                source_vault: vault.clone(),
                source_recovery_point: "arn:aws:ec2:us-east-1::snapshot/snap-1".parse().unwrap(),
                destination_vault: vault.clone(),
                destination_account: account.parse().unwrap(),
                role: format!("arn:aws:iam::{account}:role/BackupRole")
                    .parse()
                    .unwrap(),
                resource: None,
                resource_type: None,
                lifecycle: None,
                tried_at: None,
            },
            backup_in: vault,
            backup_created: None,
            key: None,
            resources: BTreeSet::new(),
            rules: BTreeSet::new(),
            is_automatic: false,
            next_run: None,
            notes: BTreeSet::new(),
        }
    }

    #[test]
    fn routes_are_judged_one_of_each_account_after_the_other_and_keep_their_places() {
        let [many, few, one] = ["111111111111", "222222222222", "333333333333"];
        let routes = [many, many, many, few, few, one].map(route);
        let turns: Vec<(usize, String)> = in_turn(routes.into())
            .into_iter()
            .map(|(place, route)| (place, route.copy.account.to_string()))
            .collect();
        let expected = [
            (0, many),
            (3, few),
            (5, one),
            (1, many),
            (4, few),
            (2, many),
        ];
        assert_eq!(
            turns,
            expected.map(|(place, account)| (place, account.to_owned()))
        );
        assert!(in_turn(Vec::new()).is_empty());
    }
}
