//! Looks at accounts and Regions until the time is over.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use copymend_remediation::GuardrailReads;
use copymend_remediation::ports::{Clock as _, Location, Reads};
use copymend_remediation::preflight::{Failing, OpenCause, ToldOfPlace};
use copymend_remediation::read_once::ReadOnce;
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::Timestamp;

use super::super::judge::{JudgedRoute, judge};
use super::super::plan::planned_copies;
use super::super::read::{ReadPlace, WhichPlans, read_place};
use super::super::route::Route;
use super::seen::{self, Reached, Seen, Verdict};
use crate::lists::Lists;
use crate::not_read::NotRead;
use crate::region::RegionCode;
use crate::vaults::{ByVaultLists, VaultLists};

/// So many accounts and Regions are read side by side.
const PLACES_AT_ONCE: usize = 8;
/// So many routes are judged side by side.
const ROUTES_AT_ONCE: usize = 16;
/// The operation of a row that a list holds and nobody can understand.
const ROW: &str = "a row of a list";

/// An account and Region to look at.
pub(super) struct ToLookAt {
    /// Where.
    pub(super) at: Location,
    /// The Region, with its partition.
    pub(super) region: RegionCode,
    /// What people were told of it.
    pub(super) told: ToldOfPlace,
}

/// What was found in an account and Region.
pub(super) struct Found {
    /// What was seen.
    pub(super) seen: Seen,
    /// What fails, by the same ids.
    pub(super) failing: BTreeMap<String, Failing>,
    /// What could not be read.
    pub(super) not_read: Vec<NotRead>,
    /// How many plans were read.
    pub(super) plans: usize,
    /// The routes that are still to be judged, in turn.
    waiting: Vec<(String, Route)>,
}

impl Found {
    fn nothing(reached: Reached) -> Self {
        Self {
            seen: Seen::nothing(reached),
            failing: BTreeMap::new(),
            not_read: Vec::new(),
            plans: 0,
            waiting: Vec::new(),
        }
    }

    /// What is planned there, with nothing judged yet.
    fn of(read: ReadPlace, told: &ToldOfPlace) -> Self {
        let at = &read.place.at;
        let planned = planned_copies(&read.place);
        let mut found = Self::nothing(Reached::Not);
        found.plans = read.place.plans.len();
        seen::take_rules(&mut found.seen, &read.place);
        let (passing, refused): (Vec<&NotRead>, Vec<&NotRead>) =
            read.not_read.iter().partition(|one| one.may_pass);
        let operations = |of: Vec<&NotRead>| -> BTreeSet<String> {
            of.iter().map(|one| one.operation.clone()).collect()
        };
        found.seen.not_read = operations(refused);
        found.seen.passing = &operations(passing) - &found.seen.not_read;
        if !read.unreadable.is_empty() {
            found.seen.not_read.insert(ROW.to_owned());
        }
        for missing in &planned.not_materialised {
            let (id, route, failing) = seen::without_copy(missing, at);
            found.seen.routes.insert(id.clone(), route);
            found.failing.insert(id, failing);
        }
        let mut waiting = Vec::new();
        for route in planned.routes.into_values() {
            let id = seen::id_of_route(&route);
            let before = seen::not_judged(&route);
            // Of resources that share all but the newest backup.
            if let Some(same) = found.seen.routes.get_mut(&id) {
                same.rules.extend(before.rules);
                same.resources.extend(before.resources);
            } else {
                found.seen.routes.insert(id.clone(), before);
            }
            waiting.push((id, route));
        }
        waiting.sort_by(|one, other| one.0.cmp(&other.0));
        if let Some(first) = &told.goes_on_at {
            let (before, from): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|(id, _)| id < first);
            waiting = from;
            waiting.extend(before);
        }
        found.waiting = waiting;
        found.not_read = read.not_read;
        found
    }

    /// Takes in what became of a route. Of several that are one for people, the worst counts.
    fn take(&mut self, id: &str, judged: &JudgedRoute, is_first: bool) {
        let verdict = seen::verdict(&judged.foreseen);
        if let (Some(failing), false) = (seen::failing(judged), self.failing.contains_key(id)) {
            self.failing.insert(id.to_owned(), failing);
        }
        let Some(route) = self.seen.routes.get_mut(id) else {
            return;
        };
        let before = std::mem::replace(&mut route.verdict, Verdict::NotJudged);
        route.verdict = if is_first {
            verdict
        } else {
            worse(before, verdict)
        };
    }

    /// Of a route that is judged in part it is known at most that it fails.
    fn leave(&mut self, id: &str) {
        if let Some(route) = self.seen.routes.get_mut(id)
            && matches!(
                route.verdict,
                Verdict::Passes | Verdict::CannotBeKnown { .. }
            )
        {
            route.verdict = Verdict::NotJudged;
        }
    }
}

/// The worse one of two verdicts on what is one route for people; of two that can't be known, all that
/// may stand in the way.
fn worse(one: Verdict, other: Verdict) -> Verdict {
    match (one, other) {
        (failing @ Verdict::Fails { .. }, _) | (_, failing @ Verdict::Fails { .. }) => failing,
        (Verdict::NotJudged, _) | (_, Verdict::NotJudged) => Verdict::NotJudged,
        (Verdict::CannotBeKnown { mut open }, Verdict::CannotBeKnown { open: more }) => {
            let is_new = |new: &OpenCause| open.iter().all(|known| known.cause != new.cause);
            let more: Vec<OpenCause> = more.into_iter().filter(is_new).collect();
            open.extend(more);
            Verdict::CannotBeKnown { open }
        }
        (unknown @ Verdict::CannotBeKnown { .. }, Verdict::Passes)
        | (Verdict::Passes, unknown @ Verdict::CannotBeKnown { .. }) => unknown,
        (Verdict::Passes, Verdict::Passes) => Verdict::Passes,
    }
}

/// Looks at all places, those first that had no turn for the longest time, until `stop`. In the
/// places' own order.
pub(super) async fn look<L: Lists, E: Reads + GuardrailReads>(
    lists: &L,
    environment: &E,
    places: &[ToLookAt],
    stop: Timestamp,
) -> Vec<Found> {
    let mut turn: Vec<(usize, &ToLookAt)> = places.iter().enumerate().collect();
    turn.sort_by_key(|(_, place)| (place.told.looked_at, !place.told.is_left));
    let vaults = VaultLists::of(lists);
    let reads = ByVaultLists {
        vaults: &vaults,
        reads: environment,
    };
    let once = ReadOnce::of(&reads);
    let mut all = HashMap::new();
    for some in turn.chunks(PLACES_AT_ONCE) {
        let mut found = read((lists, &vaults), environment, some, stop).await;
        Box::pin(judge_all(&once, &mut found, stop)).await;
        all.extend(found);
    }
    let found = (0..places.len()).map(|place| {
        let found = all.remove(&place);
        found.unwrap_or_else(|| Found::nothing(Reached::Not))
    });
    found.collect()
}

/// Reads the plans of some places, in half of the time that is left: one that takes longer keeps
/// nobody from being judged.
async fn read<L: Lists, E: Reads>(
    (lists, vaults): (&L, &VaultLists<'_, L>),
    environment: &E,
    some: &[(usize, &ToLookAt)],
    stop: Timestamp,
) -> Vec<(usize, Found)> {
    let clock = environment.clock();
    let now = clock.now();
    if now >= stop {
        return Vec::new();
    }
    let half = now
        .checked_add(stop.duration_since(now) / 2)
        .unwrap_or(stop);
    let (which, every) = (WhichPlans::default(), some.iter().copied());
    let answers = stream::iter(every)
        .map(|(number, place)| {
            let which = &which;
            async move {
                let partition = place.region.partition();
                let read =
                    Box::pin(read_place(lists, vaults, &place.at, partition, which, now)).await;
                (number, Found::of(read, &place.told))
            }
        })
        .buffer_unordered(PLACES_AT_ONCE)
        .take_until(Box::pin(clock.until(half)));
    let mut found: Vec<(usize, Found)> = Box::pin(answers).collect().await;
    for (number, _) in some {
        if !found.iter().any(|(read, _)| read == number) {
            found.push((*number, Found::nothing(Reached::Partly(None))));
        }
    }
    found.sort_by_key(|(read, _)| some.iter().position(|(number, _)| number == read));
    found
}

/// Judges the routes of some places in turn.
async fn judge_all<R: Reads + GuardrailReads>(
    reads: &R,
    found: &mut [(usize, Found)],
    stop: Timestamp,
) {
    let mut routes = Vec::new();
    let mut waiting = Vec::new();
    for (place, (_, found)) in found.iter_mut().enumerate() {
        let of_place = std::mem::take(&mut found.waiting);
        let ids: Vec<String> = of_place.iter().map(|(id, _)| id.clone()).collect();
        routes.extend(of_place.into_iter().map(|(id, route)| (place, id, route)));
        waiting.push(ids.into_iter());
    }
    let clock = reads.clock();
    let mut judged =
        Box::pin(
            stream::iter(routes)
                .map(|(place, id, route)| async move {
                    (place, id, Box::pin(judge(reads, route)).await)
                })
                .buffered(ROUTES_AT_ONCE)
                .take_until(Box::pin(clock.until(stop))),
        );
    let mut begun = vec![false; found.len()];
    let mut last = None;
    while let Some((place, id, judged)) = judged.next().await {
        let is_first = last.as_ref() != Some(&(place, id.clone()));
        if let (Some((_, found)), Some(waiting)) = (found.get_mut(place), waiting.get_mut(place)) {
            found.take(&id, &judged, is_first);
            waiting.next();
        }
        if let Some(begun) = begun.get_mut(place) {
            *begun = true;
        }
        last = Some((place, id));
    }
    for (((_, found), mut waiting), begun) in found.iter_mut().zip(waiting).zip(begun) {
        if found.seen.reached == Reached::Partly(None) {
            continue;
        }
        found.seen.reached = match waiting.next() {
            None => Reached::Whole,
            Some(next) if begun => {
                found.leave(&next);
                Reached::Partly(Some(next))
            }
            Some(_) => Reached::Not,
        };
    }
}
