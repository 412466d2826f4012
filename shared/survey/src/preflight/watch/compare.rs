//! What changed since people were told. Pure.

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::Cause;
use copymend_remediation::preflight::{MOST_ROUTES, Over, ToldOfPlace, ToldRoute};
use jiff::Timestamp;

use super::seen::{NO_COPY, Reached, Seen, SeenRoute, Verdict};

/// What changed in an account and Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// The routes that fail and of which nobody was told.
    pub(super) new: Vec<String>,
    /// Those that fail for other causes, each with those that people were told.
    pub(super) changed: Vec<(String, Vec<String>)>,
    /// What people were told of and that won't fail, by its name.
    pub(super) over: Vec<(String, Over)>,
    /// How many fail that aren't followed one by one, where the number changed.
    pub(super) more: Option<u64>,
    /// The calls that were refused, and weren't the last time.
    pub(super) not_read: BTreeSet<String>,
}

impl Changes {
    /// Whether there is anything to tell.
    pub(super) fn are_news(&self) -> bool {
        let Self {
            new,
            changed,
            over,
            more,
            not_read,
        } = self;
        !(new.is_empty()
            && changed.is_empty()
            && over.is_empty()
            && more.is_none()
            && not_read.is_empty())
    }
}

/// Compares what was seen with what people were told; and what they know once they are told this.
pub(super) fn compare(told: &ToldOfPlace, seen: &Seen, now: Timestamp) -> (ToldOfPlace, Changes) {
    let mut changes = Changes::default();
    let mut routes = BTreeMap::new();
    let mut unfollowed = BTreeMap::new();
    for (id, route) in &seen.routes {
        let known = told.routes.get(id);
        match (&route.verdict, known) {
            (Verdict::Fails { causes, open }, Some(known)) => {
                let kept = kept(route, &with_open(causes, open, &known.causes));
                if kept.causes != known.causes {
                    changes.changed.push((id.clone(), known.causes.clone()));
                }
                routes.insert(id.clone(), kept);
            }
            (Verdict::Fails { causes, .. }, None) => {
                unfollowed.insert(id, kept(route, causes));
            }
            // It isn't mended because it can't be seen.
            (Verdict::Unknown, Some(known)) => {
                routes.insert(id.clone(), known.clone());
            }
            (Verdict::Passes, Some(known)) => {
                changes.over.push((known.name.clone(), Over::WillPass));
            }
            (Verdict::Unknown | Verdict::Passes, None) => {}
        }
    }
    for (id, known) in &told.routes {
        if seen.routes.contains_key(id) {
            continue;
        }
        match why_over(known, seen) {
            Some(why) => changes.over.push((known.name.clone(), why)),
            None => {
                routes.insert(id.clone(), known.clone());
            }
        }
    }
    // What people were told goes on to be followed, before what they weren't.
    let room = MOST_ROUTES.saturating_sub(routes.len());
    let followed = unfollowed.len().min(room);
    let more = u64::try_from(unfollowed.len() - followed).unwrap_or(u64::MAX);
    for (id, route) in unfollowed.into_iter().take(followed) {
        changes.new.push(id.clone());
        routes.insert(id.clone(), route);
    }
    let is_whole = seen.reached == Reached::Whole && seen.not_read.is_empty();
    let more = if is_whole { more } else { more.max(told.more) };
    changes.more = (more != told.more).then_some(more);
    let had_turn = seen.reached != Reached::Not;
    // Of what had no turn nothing is kept, so that nothing is told either.
    if had_turn {
        changes.not_read = seen.not_read.difference(&told.not_read).cloned().collect();
    }
    let told = ToldOfPlace {
        looked_at: if had_turn { Some(now) } else { told.looked_at },
        routes,
        more,
        not_read: if had_turn {
            seen.not_read.clone()
        } else {
            told.not_read.clone()
        },
        is_left: seen.reached != Reached::Whole,
        goes_on_at: match &seen.reached {
            Reached::Whole => None,
            Reached::Partly(at) => at.clone(),
            Reached::Not => told.goes_on_at.clone(),
        },
    };
    (told, changes)
}

fn kept(route: &SeenRoute, causes: &[String]) -> ToldRoute {
    ToldRoute::new(&route.name, causes, &route.rules, &route.resources)
}

/// What stands in the way, with what people were told of and what can't be known now: that isn't
/// gone because it can't be seen.
fn with_open(causes: &[String], open: &BTreeSet<String>, told: &[String]) -> Vec<String> {
    let still = told.iter().filter(|cause| open.contains(*cause));
    let mut all: Vec<String> = causes.iter().chain(still).cloned().collect();
    let place = |slug: &String| slug.parse().map_or(usize::MAX, Cause::place_in_repair);
    all.sort_by_key(place);
    all.dedup();
    all
}

/// Why a route that no plan makes by what was seen won't fail any more; `None` where that can't be
/// known: a rule that has backed nothing up for a month hasn't stopped to be one.
fn why_over(known: &ToldRoute, seen: &Seen) -> Option<Over> {
    let plans_are_read = seen.reached != Reached::Not && seen.not_read.is_empty();
    let was_cut = matches!(seen.reached, Reached::Partly(None));
    if !plans_are_read || was_cut {
        return None;
    }
    if known.rules.is_disjoint(&seen.rules) {
        return Some(Over::NotPlanned);
    }
    if known.causes.iter().any(|cause| cause == NO_COPY) {
        return Some(Over::VaultsExist);
    }
    // By the same rule: another rule may copy the same resources to the same place.
    let mut others = seen.routes.values();
    let goes_another_way = others.any(|other| {
        !other.rules.is_disjoint(&known.rules) && !other.resources.is_disjoint(&known.resources)
    });
    goes_another_way.then_some(Over::NotPlanned)
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
