//! The preflight that the hub runs by schedule: what changed since people were told.

mod compare;
mod look;
mod seen;

use std::collections::{BTreeMap, BTreeSet};

use copymend_remediation::ledger::{CountState, JobEntry, Ledger, ToldPreflights as _};
use copymend_remediation::message::{Message, send_once, tells_somebody};
use copymend_remediation::ports::{CallError, Clock as _, Location, Notifier as _, Reads};
use copymend_remediation::preflight::{
    Failing, NotReadPlace, PreflightAnswer, PreflightNews, PreflightState, RouteCleared, RouteOver,
    ToldOfPlace,
};
use copymend_remediation::settings::Mode;
use copymend_remediation::{GuardrailReads, HandlerError, Invocation};
use futures_util::StreamExt as _;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use self::compare::{Changes, compare};
use self::look::{Found, ToLookAt, look};
use self::seen::{Reached, Verdict};
use crate::asked::places_of;
use crate::lists::Lists;
use crate::region::RegionCode;

/// So much time is kept to tell people and to keep what they were told.
const TIME_TO_TELL: SignedDuration = SignedDuration::from_secs(20);
/// So many items of the ledger are read or written side by side.
const ITEMS_AT_ONCE: usize = 8;
/// The entry of the ledger that says that an invocation is at it.
const ENTRY: &str = "preflight";

/// Looks at the plans of the accounts and Regions that an event names, tells people what changed,
/// and then keeps what they were told: who dies in between tells twice. It reads, and writes nothing
/// but the ledger.
pub async fn watch<L: Lists, E: Reads + GuardrailReads>(
    lists: &L,
    environment: &E,
    mode: Mode,
    event: &Value,
    invocation: &Invocation,
) -> Result<PreflightAnswer, HandlerError> {
    let places = places_of(event)?;
    let now = environment.clock().now();
    let mut notes = Vec::new();
    let ledger = environment.ledger();
    if let Some(ledger) = ledger {
        let until = invocation.held_until();
        match ledger.begin_job(ENTRY, &invocation.id, now, until).await {
            Ok(JobEntry::Started(_)) => {}
            Ok(JobEntry::InProgress | JobEntry::Done(_)) => {
                return Ok(PreflightAnswer::blank(PreflightState::Running, now));
            }
            Err(error) if error.may_pass() => return Err(error.into()),
            Err(error) => notes.push(format!(
                "the ledger could not be written ({error}): what is told here may be told again by every preflight"
            )),
        }
    }
    let run = Run {
        lists,
        environment,
        mode,
        invocation,
        now,
    };
    let answer = Box::pin(run.of(places, notes)).await;
    if let Some(ledger) = ledger
        && let Err(error) = ledger
            .abandon_job(ENTRY, &invocation.id, CountState::Clear)
            .await
    {
        tracing::warn!(%error, "the next preflight waits until this one's time is over");
    }
    answer
}

/// One run.
struct Run<'r, L, E> {
    lists: &'r L,
    environment: &'r E,
    mode: Mode,
    invocation: &'r Invocation,
    now: Timestamp,
}

/// What the ledger keeps of a place.
struct Kept {
    place: ToLookAt,
    /// Whether anything was kept.
    is_there: bool,
    /// Whether it could be read; what could not isn't written over.
    is_read: bool,
}

impl<L: Lists, E: Reads + GuardrailReads> Run<'_, L, E> {
    async fn of(
        &self,
        places: Vec<(Location, RegionCode)>,
        mut notes: Vec<String>,
    ) -> Result<PreflightAnswer, HandlerError> {
        let kept = self.kept(places, &mut notes).await?;
        let is_first = kept.iter().all(|one| !one.is_there);
        let (is_read, places): (Vec<bool>, Vec<ToLookAt>) = kept
            .into_iter()
            .map(|kept| (kept.is_read, kept.place))
            .unzip();
        let deadline = self.invocation.deadline;
        let stop = deadline.checked_sub(TIME_TO_TELL).unwrap_or(deadline);
        let found = look(self.lists, self.environment, &places, stop).await;
        let mut news = Gathered::new(self, is_first, places.len(), notes);
        let mut known = Vec::new();
        let suffices = found.iter().all(|one| one.seen.reached == Reached::Whole);
        for (place, found) in places.iter().zip(found) {
            let (mut told, changes) = compare(&place.told, &found.seen, self.now);
            told.left_is_told = !suffices && (told.left_is_told || told.is_left);
            news.take(place, found, &told, changes);
            known.push(told);
        }
        let Gathered {
            mut news,
            mut answer,
            is_news,
        } = news;
        news.causes
            .sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        news.new = in_turn(news.new);
        news.changed = in_turn(news.changed);
        let has_ledger = self.environment.ledger().is_some();
        if is_news || (is_first && has_ledger) {
            let message = Message::Preflight(&news);
            send_once(self.environment, &message.id(), self.invocation, message).await?;
            answer.preflight = if tells_somebody(&self.environment.notifier().channels()) {
                PreflightState::Told
            } else {
                PreflightState::NoTopic
            };
        }
        // What nobody was told is told once there is a topic.
        if answer.preflight != PreflightState::NoTopic {
            let known = places.iter().zip(&known).zip(is_read);
            let known = known.filter(|(_, is_read)| *is_read);
            self.keep(
                known.map(|((place, told), _)| (&place.at, told)),
                &mut answer,
            )
            .await;
        }
        Ok(answer)
    }

    /// What people were told of each place. An error that may pass asks for another delivery.
    async fn kept(
        &self,
        places: Vec<(Location, RegionCode)>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Kept>, HandlerError> {
        let (ledger, all) = (self.environment.ledger(), places.len());
        let read = stream::iter(places)
            .map(|(at, region)| async move {
                let told = match ledger {
                    Some(ledger) => ledger.told_of_place(&at).await,
                    None => Ok(None),
                };
                (at, region, told)
            })
            .buffered(ITEMS_AT_ONCE);
        let read: Vec<_> = Box::pin(read).collect().await;
        let mut kept = Vec::new();
        let mut failed: Option<(CallError, usize)> = None;
        for (at, region, told) in read {
            let (told, is_read) = match told {
                Ok(told) => (told, true),
                Err(error) if error.may_pass() => return Err(error.into()),
                Err(error) => {
                    let (_, number) = failed.get_or_insert((error, 0));
                    *number += 1;
                    (None, false)
                }
            };
            kept.push(Kept {
                is_there: told.is_some(),
                is_read,
                place: ToLookAt {
                    at,
                    region,
                    told: told.unwrap_or_default(),
                },
            });
        }
        if let Some((error, number)) = failed {
            notes.push(format!(
                "what people were told could not be read from the ledger for {number} of {all} accounts and Regions ({error}): everything that will fail there is told again"
            ));
        }
        Ok(kept)
    }

    async fn keep(
        &self,
        known: impl Iterator<Item = (&Location, &ToldOfPlace)>,
        answer: &mut PreflightAnswer,
    ) {
        let Some(ledger) = self.environment.ledger() else {
            return;
        };
        let known: Vec<(&Location, &ToldOfPlace)> = known.collect();
        let written = stream::iter(known)
            .map(|(at, told)| async move { ledger.record_told_of_place(at, told, self.now).await })
            .buffered(ITEMS_AT_ONCE);
        let written: Vec<_> = Box::pin(written).collect().await;
        for error in written.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "what people were told is not recorded: the next preflight tells it again");
            answer
                .notes
                .push(format!("what people were told is not recorded: {error}"));
        }
    }
}

/// What is gathered from the places.
struct Gathered {
    news: PreflightNews,
    answer: PreflightAnswer,
    is_news: bool,
}

impl Gathered {
    fn new<L, E>(run: &Run<'_, L, E>, is_first: bool, places: usize, notes: Vec<String>) -> Self {
        let mut answer = PreflightAnswer::blank(PreflightState::NothingNew, run.now);
        answer.places = places;
        answer.notes.clone_from(&notes);
        Self {
            news: PreflightNews {
                id: run.invocation.id.clone(),
                at: run.now,
                mode: run.mode,
                is_first,
                places,
                plans: 0,
                will_fail: 0,
                cannot_be_known: 0,
                will_pass: 0,
                known_to_fail: 0,
                causes: Vec::new(),
                new: Vec::new(),
                changed: Vec::new(),
                over: Vec::new(),
                cleared: Vec::new(),
                more: Vec::new(),
                not_read: Vec::new(),
                left: Vec::new(),
                notes,
            },
            answer,
            is_news: false,
        }
    }

    fn take(&mut self, place: &ToLookAt, mut found: Found, told: &ToldOfPlace, changes: Changes) {
        self.is_news |= changes.are_news();
        self.count(&found);
        let (news, answer) = (&mut self.news, &mut self.answer);
        let at = &place.at;
        answer.known_to_fail = answer.known_to_fail.saturating_add(told.known_to_fail());
        news.known_to_fail = answer.known_to_fail;
        answer.new += changes.new.len();
        answer.changed += changes.changed.len();
        answer.over += changes.over.len();
        answer.cleared += changes.cleared.len();
        let name = |at: &Location| format!("account {}, {}", at.account, at.region);
        let refused = told.not_read.iter().map(|call| (call, ""));
        let passing = told.passing.iter().map(|call| (call, ", for now"));
        let calls = refused.chain(passing);
        answer
            .not_read
            .extend(calls.map(|(call, for_now)| format!("{}: {call}{for_now}", name(at))));
        let failing = changes.new.iter().filter_map(|id| found.failing.remove(id));
        news.new.extend(failing);
        for (id, before) in changes.changed {
            if let Some(mut failing) = found.failing.remove(&id) {
                if let Failing::Route(route) = &mut failing {
                    route.before = before;
                }
                news.changed.push(failing);
            }
        }
        news.over
            .extend(changes.over.into_iter().map(|(name, why)| RouteOver {
                at: at.clone(),
                name,
                why,
            }));
        news.cleared
            .extend(changes.cleared.into_iter().map(|cleared| RouteCleared {
                at: at.clone(),
                name: cleared.name,
                causes: cleared.causes,
                open: cleared.open,
            }));
        news.more
            .extend(changes.more.map(|number| (at.clone(), number)));
        news.not_read
            .extend(refusals(at, &found, &changes.not_read, false));
        news.not_read
            .extend(refusals(at, &found, &changes.passing, true));
        if found.seen.reached != Reached::Whole {
            answer.left.push(name(at));
            if !place.told.left_is_told {
                news.left.push(at.clone());
                self.is_news = true;
            }
        }
    }

    fn count(&mut self, found: &Found) {
        let (news, answer) = (&mut self.news, &mut self.answer);
        news.plans += found.plans;
        let mut of_cause: BTreeMap<&str, usize> = BTreeMap::new();
        for route in found.seen.routes.values() {
            match &route.verdict {
                Verdict::Fails { causes, .. } => {
                    news.will_fail += 1;
                    for cause in causes {
                        *of_cause.entry(cause).or_default() += 1;
                    }
                }
                Verdict::CannotBeKnown { .. } | Verdict::NotJudged => news.cannot_be_known += 1,
                Verdict::Passes => news.will_pass += 1,
            }
        }
        for (cause, number) in of_cause {
            match news.causes.iter_mut().find(|(known, _)| known == cause) {
                Some((_, known)) => *known += number,
                None => news.causes.push((cause.to_owned(), number)),
            }
        }
        answer.plans = news.plans;
        answer.will_fail = news.will_fail;
        answer.cannot_be_known = news.cannot_be_known;
        answer.will_pass = news.will_pass;
    }
}

/// One of each account and Region after the other: a message shows the first ones, and no account can hide
/// what is new in others.
fn in_turn(failing: Vec<Failing>) -> Vec<Failing> {
    let mut of_place: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut turns: Vec<(usize, Failing)> = Vec::with_capacity(failing.len());
    for one in failing {
        let at = match &one {
            Failing::Route(route) => &route.at,
            Failing::Rule(rule) => &rule.at,
        };
        let place = (at.account.to_string(), at.region.clone());
        let turn = of_place.entry(place).or_default();
        turns.push((*turn, one));
        *turn += 1;
    }
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, one)| one).collect()
}

/// The first failure of each call that is new: of those that pass by themselves, or of the others.
fn refusals(
    at: &Location,
    found: &Found,
    new: &BTreeSet<String>,
    may_pass: bool,
) -> Vec<NotReadPlace> {
    let of = |operation: &String| {
        let refused = found
            .not_read
            .iter()
            .find(|one| one.operation == *operation && one.may_pass == may_pass);
        NotReadPlace {
            at: at.clone(),
            operation: operation.clone(),
            reason: refused
                .map_or("it can't be understood", |one| &one.reason)
                .to_owned(),
            detail: refused.map_or_else(String::new, |one| one.detail.clone()),
            may_pass,
        }
    };
    new.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use copymend_remediation::preflight::RuleWithoutCopy;

    use super::*;

    #[test]
    fn what_fails_is_told_one_of_each_account_and_region_after_the_other() {
        let failing = |account: &str, region: &str, rule: &str| {
            Failing::Rule(RuleWithoutCopy {
                at: Location::new(account.parse().unwrap(), region),
                rule: rule.to_owned(),
                what: String::new(),
            })
        };
        let [one, other] = ["111111111111", "222222222222"];
        let all = [
            failing(one, "us-east-1", "a"),
            failing(one, "us-east-1", "b"),
            failing(one, "eu-west-1", "c"),
            failing(other, "us-east-1", "d"),
            failing(other, "us-east-1", "e"),
        ];
        let rules = in_turn(all.into())
            .into_iter()
            .map(|failing| match failing {
                Failing::Rule(rule) => rule.rule,
                Failing::Route(route) => panic!("{route:?}"),
            });
        assert_eq!(rules.collect::<Vec<_>>(), ["a", "c", "d", "b", "e"]);
    }
}
