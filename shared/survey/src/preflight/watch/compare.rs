//! What changed since people were told. Pure.

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::Cause;
use copymend_remediation::preflight::{MOST_ROUTES, OpenCause, Over, ToldOfPlace, ToldRoute};
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
    /// What people were told of, of which everything is gone that stood in the way, and of which it
    /// can't be known whether it will pass.
    pub(super) cleared: Vec<Cleared>,
    /// How many fail that aren't followed one by one, where the number changed.
    pub(super) more: Option<u64>,
    /// The calls that were refused, and weren't the last time.
    pub(super) not_read: BTreeSet<String>,
    /// Those that failed for a reason that passes by itself, and did not the last time.
    pub(super) passing: BTreeSet<String>,
}

/// A route that isn't known to fail any more, and not known to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cleared {
    /// What it is called.
    pub(super) name: String,
    /// The slugs of what stood in the way, as people were told.
    pub(super) causes: Vec<String>,
    /// What may stand in the way.
    pub(super) open: Vec<OpenCause>,
}

impl Changes {
    /// Whether there is anything to tell.
    pub(super) fn are_news(&self) -> bool {
        let Self {
            new,
            changed,
            over,
            cleared,
            more,
            not_read,
            passing,
        } = self;
        !(new.is_empty()
            && changed.is_empty()
            && over.is_empty()
            && cleared.is_empty()
            && more.is_none()
            && not_read.is_empty()
            && passing.is_empty())
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
                unfollowed.insert(id.clone(), kept(route, causes));
            }
            (Verdict::CannotBeKnown { open }, Some(known)) => {
                if is_open(known, open) {
                    routes.insert(id.clone(), known.clone());
                } else {
                    changes.cleared.push(Cleared {
                        name: known.name.clone(),
                        causes: known.causes.clone(),
                        open: open.clone(),
                    });
                }
            }
            (Verdict::NotJudged, Some(known)) => {
                routes.insert(id.clone(), known.clone());
            }
            (Verdict::Passes, Some(known)) => {
                changes.over.push((known.name.clone(), Over::WillPass));
            }
            (Verdict::CannotBeKnown { .. } | Verdict::NotJudged | Verdict::Passes, None) => {}
        }
    }
    for (id, known) in &told.routes {
        if seen.routes.contains_key(id) {
            continue;
        }
        match why_over(known, seen) {
            Some(why) => match made_anew(known, seen, &unfollowed) {
                // People know of it.
                Some(anew) => routes.extend(unfollowed.remove_entry(&anew)),
                None => changes.over.push((known.name.clone(), why)),
            },
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
        routes.insert(id, route);
    }
    let is_whole = seen.reached == Reached::Whole && seen.is_read();
    let more = if is_whole { more } else { more.max(told.more) };
    changes.more = (more != told.more).then_some(more);
    let had_turn = seen.reached != Reached::Not;
    let (mut not_read, mut passing) = (told.not_read.clone(), told.passing.clone());
    // Of what had no turn nothing is kept, so that nothing is told either.
    if had_turn {
        changes.not_read = &seen.not_read - &told.not_read;
        changes.passing = &(&seen.passing - &told.passing) - &told.not_read;
        // A call that was refused and is throttled now isn't allowed by that.
        not_read = &seen.not_read | &(&told.not_read & &seen.passing);
        passing = &seen.passing - &not_read;
    }
    let told = ToldOfPlace {
        looked_at: if had_turn { Some(now) } else { told.looked_at },
        routes,
        more,
        not_read,
        passing,
        is_left: seen.reached != Reached::Whole,
        left_is_told: told.left_is_told,
        goes_on_at: match &seen.reached {
            Reached::Whole => None,
            Reached::Partly(at) => at.clone(),
            Reached::Not => told.goes_on_at.clone(),
        },
    };
    (told, changes)
}

fn kept(route: &SeenRoute, causes: &[String]) -> ToldRoute {
    ToldRoute::new(
        &route.name,
        causes,
        &route.rules,
        &route.resources,
        &route.vaults,
    )
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

/// Whether something may still stand in the way that people were told of: it isn't mended because it
/// can't be seen.
fn is_open(known: &ToldRoute, open: &[OpenCause]) -> bool {
    let is_told = |one: &OpenCause| known.causes.iter().any(|slug| slug == one.cause.slug());
    open.iter().any(is_told)
}

/// The route that another plan makes in place of one that is no longer planned, such as a plan that was
/// deleted and created again: between the same vaults, by the same name, and failing for the same
/// causes.
fn made_anew(
    known: &ToldRoute,
    seen: &Seen,
    unfollowed: &BTreeMap<String, ToldRoute>,
) -> Option<String> {
    if known.vaults.is_empty() || !known.rules.is_disjoint(&seen.rules) {
        return None;
    }
    let is_same = |other: &ToldRoute| {
        (&other.vaults, &other.name, &other.causes) == (&known.vaults, &known.name, &known.causes)
    };
    let mut same = unfollowed.iter().filter(|(_, other)| is_same(other));
    same.next().map(|(id, _)| id.clone())
}

/// Whether a rule copies between the same vaults that has backed nothing up yet, as of a plan that was
/// created again: its copies may well fail as well.
fn is_awaited(known: &ToldRoute, seen: &Seen) -> bool {
    let has_backed_up = |rule: &String| seen.routes.values().any(|of| of.rules.contains(rule));
    let mut rules = seen.rules_between.get(&known.vaults).into_iter().flatten();
    rules.any(|rule| !has_backed_up(rule))
}

/// Why a route that no plan makes by what was seen won't fail any more; `None` where that can't be
/// known: a rule that has backed nothing up for a month hasn't stopped to be one.
fn why_over(known: &ToldRoute, seen: &Seen) -> Option<Over> {
    let plans_are_read = seen.reached != Reached::Not && seen.is_read();
    let was_cut = matches!(seen.reached, Reached::Partly(None));
    if !plans_are_read || was_cut {
        return None;
    }
    if known.rules.is_disjoint(&seen.rules) {
        return (!is_awaited(known, seen)).then_some(Over::NotPlanned);
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
