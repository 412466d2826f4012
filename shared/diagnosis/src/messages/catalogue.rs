//! The catalogue: fragments of failure texts, found in one pass, and ordered rules over them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::rule::{Rule, Stage, count, fragments};
use super::wording::OR_EXPLICIT_DENY;
use super::{decoded, missing, other_call};
use crate::causes::Cause;

/// Fragments that no rule owns but the readers need.
const VERBS: &[&str] = &["to perform|to call"];
const KMS_ARN: &str = ":kms:";
/// Words for a Deny statement. A text speaks of one where more of these stand in it than of the
/// next list, each of which holds one of these.
const EXPLICIT_DENY: &[&str] = &[
    "explicit den|explicit \"den|explicit 'den|explicit `den|explicit-den|explicit_den|explicitden\
     |explicitly den|explicitly block|explicitly refus|explicitly forbid|explicitly reject\
     |denied explicitly|denies explicitly|deny statement|of a deny|to a deny|by a deny|a deny in\
     |\"effect\":\"deny\"|\"effect\": \"deny\"",
];
/// Seen: KMS "no resource-based policies allow access, or a resource-based policy explicitly denies
/// access". A decoded authorization message writes `explicitDeny":false`.
const NO_EXPLICIT_DENY: &[&str] = &[
    "no explicit den|not an explicit den|without an explicit den|not explicitly den\
     |not denied explicitly|no deny statement|explicitdeny\":false|explicitdeny\": false",
    OR_EXPLICIT_DENY,
];
/// Words for policies that no repair touches, and traces of markup, which the grammar cannot be
/// read through. A text that holds one of them admits no repair as its first cause, whatever else
/// it says.
const CAUTIONS: &[&str] = &[
    "service control polic|service-control polic|resource control polic|resource-control polic\
     |identity-based|identity based|identity polic|iam polic|permissions boundar|permission boundar\
     |session polic|endpoint polic|bucket polic|policy denies|<br|u003cbr|&lt;br|<wbr|<span|&nbsp;\
     |&#|%20",
];
/// Short words of the same kind, and a Deny however it is worded. In every rule too they count only
/// where they stand alone.
const WHOLE_WORDS: &[&str] = &["scp|scps|rcp|rcps|deny"];

/// The fragments of the readers that only they look for.
const READERS: [&[&str]; 10] = [
    &[missing::AFTER, missing::BEFORE],
    VERBS,
    EXPLICIT_DENY,
    NO_EXPLICIT_DENY,
    CAUTIONS,
    WHOLE_WORDS,
    other_call::SIGNS,
    other_call::OTHER_THINGS,
    &[decoded::SIGN],
    &[KMS_ARN],
];

/// There are no more fragments and rules than these: counted when the program is built, so that
/// none is ever left out.
const MOST: (usize, usize) = {
    let (mut fragments, mut rules) = (0, 0);
    let mut readers = READERS.as_slice();
    while let Some((reader, others)) = readers.split_first() {
        fragments += count(reader);
        readers = others;
    }
    let mut causes = Cause::ALL;
    while let Some((cause, others)) = causes.split_first() {
        let mut messages = cause.entry().messages;
        while let Some((rule, others)) = messages.split_first() {
            fragments += count(rule.all) + count(rule.none);
            rules += 1;
            messages = others;
        }
        causes = others;
    }
    (fragments, rules)
};

type Found = Bits<{ MOST.0.div_ceil(64) }>;
type Rules = Bits<{ MOST.1.div_ceil(64) }>;

/// A set of small numbers.
#[derive(Clone)]
struct Bits<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Default for Bits<WORDS> {
    fn default() -> Self {
        Self([0; WORDS])
    }
}

impl<const WORDS: usize> Bits<WORDS> {
    fn insert(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn add(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// Whether one of the group's numbers is in the set.
    fn meets(&self, group: &Group) -> bool {
        let mut words = group.0.iter();
        words.any(|(at, bits)| self.0.get(*at).is_some_and(|word| word & bits != 0))
    }
}

/// The numbers in the set, ascending.
impl<const WORDS: usize> Iterator for Bits<WORDS> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let (at, word) = (0..).zip(&mut self.0).find(|(_, word)| **word != 0)?;
        let bit = usize::try_from(word.trailing_zeros()).ok()?;
        *word &= *word - 1;
        Some(at * 64 + bit)
    }
}

/// Some numbers, by the words of a set that they are in.
#[derive(Default)]
struct Group(Vec<(usize, u64)>);

impl Group {
    fn insert(&mut self, number: usize) {
        let (at, bit) = (number / 64, 1 << (number % 64));
        match self.0.iter_mut().find(|(word, _)| *word == at) {
            Some((_, bits)) => *bits |= bit,
            None => self.0.push((at, bit)),
        }
    }
}

/// Where a phrase of [`missing`] stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether the missing thing follows the phrase.
    pub(super) before_thing: bool,
}

const PLACES: usize = 8;

/// What the one pass over a message found.
pub(super) struct Evidence {
    found: Found,
    /// The rules whose groups all have a hit in one sentence.
    rules: Rules,
    places: [Place; PLACES],
    place_count: usize,
    verbs: [usize; PLACES],
    verb_count: usize,
    kms_arn: Option<usize>,
    explicit_denies: usize,
    no_explicit_denies: usize,
    signs: u8,
}

/// What a text holds that no rule asks for. Each is a bit.
#[derive(Clone, Copy)]
enum Sign {
    Caution = 1,
    OpenDeny = 2,
    AnotherCall = 4,
    AnotherThing = 8,
    Decoded = 16,
}

impl Evidence {
    const fn note(&mut self, sign: Sign) {
        self.signs |= sign as u8;
    }

    const fn shows(&self, sign: Sign) -> bool {
        self.signs & sign as u8 != 0
    }

    /// Where each `to perform` and `to call` ends in the plain message: an access-denied sentence
    /// may stand there.
    pub(super) fn verbs(&self) -> impl ExactSizeIterator<Item = usize> {
        self.verbs.iter().copied().take(self.verb_count)
    }

    /// Where the first `:kms:` stands in the plain message.
    pub(super) const fn kms_arn(&self) -> Option<usize> {
        self.kms_arn
    }

    pub(super) const fn speaks_of_explicit_deny(&self) -> bool {
        self.explicit_denies > self.no_explicit_denies
    }

    /// Whether the text names a policy that no repair touches, or holds markup.
    pub(super) const fn calls_for_caution(&self) -> bool {
        self.shows(Sign::Caution)
    }

    /// Whether the text leaves open that a Deny refuses.
    pub(super) const fn leaves_a_deny_open(&self) -> bool {
        self.shows(Sign::OpenDeny)
    }

    /// Whether the text tells of another call than one of a copy's.
    pub(super) fn tells_of_another_call(&self, plain: &str) -> bool {
        self.shows(Sign::AnotherThing)
            || self.shows(Sign::AnotherCall) && other_call::is_told(plain)
    }

    pub(super) const fn holds_a_decoded_message(&self) -> bool {
        self.shows(Sign::Decoded)
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = Place> {
        self.places.iter().copied().take(self.place_count)
    }
}

/// What was found in one sentence so far.
#[derive(Default)]
struct SentenceFound {
    /// Where the sentence ends in the plain message.
    end: usize,
    found: Found,
    /// The rules whose first group has a hit.
    opened: Rules,
}

/// How many bytes of the sentence stand behind this place.
fn rest_of_sentence(plain: &str, from: usize) -> usize {
    let rest = plain.as_bytes().get(from..).unwrap_or_default();
    let ends = |pair: &[u8]| matches!(pair, [b'.' | b'!' | b'?', b' ']);
    rest.windows(2).position(ends).unwrap_or(rest.len())
}

struct CompiledRule {
    cause: Cause,
    rule: &'static Rule,
    others: Vec<Group>,
    none: Group,
}

/// The compiled catalogue.
pub(super) struct Catalogue {
    /// Nothing if the fragments could not be compiled, which a test rules out; every message is
    /// then unknown.
    automaton: Option<AhoCorasick>,
    rules: Vec<CompiledRule>,
    /// By fragment: the rules whose first group holds it.
    opens: Vec<Rules>,
    before: Range<usize>,
    verbs: Range<usize>,
    explicit: Range<usize>,
    no_explicit: Range<usize>,
    whole_words: Range<usize>,
    another_call: Range<usize>,
    another_thing: Range<usize>,
    decoded: usize,
    open_deny: usize,
    kms_arn: usize,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::build);

impl Catalogue {
    /// The catalogue, compiled at its first use.
    pub(super) fn get() -> &'static Self {
        &CATALOGUE
    }

    fn build() -> Self {
        let mut known = Fragments::default();
        // INVARIANT: the fragments of the readers are the first patterns, those of `missing` before
        // the others and `:kms:` last, so that `read` tells them by their number.
        known.range(&[missing::AFTER]);
        let before = known.range(&[missing::BEFORE]);
        let verbs = known.range(VERBS);
        let explicit = known.range(EXPLICIT_DENY);
        let no_explicit = known.range(NO_EXPLICIT_DENY);
        known.range(CAUTIONS);
        let whole_words = known.range(WHOLE_WORDS);
        let another_call = known.range(other_call::SIGNS);
        let another_thing = known.range(other_call::OTHER_THINGS);
        let decoded = known.number(decoded::SIGN);
        let open_deny = known.number(OR_EXPLICIT_DENY);
        let kms_arn = known.number(KMS_ARN);
        let mut rules = Vec::new();
        let mut opens = Vec::<Rules>::new();
        for (number, (cause, rule)) in rules_in_order().into_iter().enumerate() {
            let (first, others) = rule.all.split_at(rule.all.len().min(1));
            for fragment in fragments(first) {
                let at = known.number(fragment);
                if opens.len() <= at {
                    opens.resize(at + 1, Rules::default());
                }
                if let Some(opened) = opens.get_mut(at) {
                    opened.insert(number);
                }
            }
            rules.push(CompiledRule {
                cause,
                rule,
                others: others
                    .iter()
                    .map(|group| known.bits(group.split('|')))
                    .collect(),
                none: known.bits(fragments(rule.none)),
            });
        }
        opens.resize(known.list.len(), Rules::default());
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .build(&known.list)
            .ok();
        Self {
            automaton,
            rules,
            opens,
            before,
            verbs,
            explicit,
            no_explicit,
            whole_words,
            another_call,
            another_thing,
            decoded,
            open_deny,
            kms_arn,
        }
    }

    /// Finds the fragments of a plain message in one pass.
    pub(super) fn read(&self, plain: &str) -> Evidence {
        let mut sentence = SentenceFound::default();
        let mut evidence = Evidence {
            found: Found::default(),
            rules: Rules::default(),
            places: [Place::default(); PLACES],
            place_count: 0,
            verbs: [0; PLACES],
            verb_count: 0,
            kms_arn: None,
            explicit_denies: 0,
            no_explicit_denies: 0,
            signs: 0,
        };
        let Some(automaton) = &self.automaton else {
            return evidence;
        };
        for hit in automaton.find_overlapping_iter(plain) {
            let number = hit.pattern().as_usize();
            if self.whole_words.contains(&number) && is_in_a_word(plain, hit.start(), hit.end()) {
                continue;
            }
            if hit.end() > sentence.end {
                self.close(&mut sentence, &mut evidence);
                sentence.end = hit.end() + rest_of_sentence(plain, hit.end());
            }
            evidence.found.insert(number);
            sentence.found.insert(number);
            if let Some(rules) = self.opens.get(number) {
                sentence.opened.add(rules);
            }
            if number <= self.kms_arn {
                self.note(&mut evidence, number, hit.start(), hit.end());
            }
        }
        self.close(&mut sentence, &mut evidence);
        evidence
    }

    /// Keeps the rules whose words stand together in a sentence that ends here.
    fn close(&self, sentence: &mut SentenceFound, evidence: &mut Evidence) {
        let SentenceFound { found, opened, .. } = std::mem::take(sentence);
        for number in opened {
            let rule = self.rules.get(number);
            if rule.is_some_and(|rule| rule.others.iter().all(|group| found.meets(group))) {
                evidence.rules.insert(number);
            }
        }
    }

    /// Keeps where a fragment of a reader stands, or that it stands there once more.
    fn note(&self, evidence: &mut Evidence, number: usize, start: usize, end: usize) {
        if number < self.before.end {
            if let Some(place) = evidence.places.get_mut(evidence.place_count) {
                *place = Place {
                    start,
                    end,
                    before_thing: self.before.contains(&number),
                };
                evidence.place_count += 1;
            }
        } else if self.verbs.contains(&number) {
            if let Some(verb) = evidence.verbs.get_mut(evidence.verb_count) {
                *verb = end;
                evidence.verb_count += 1;
            }
        } else if self.explicit.contains(&number) {
            evidence.explicit_denies += 1;
        } else if self.no_explicit.contains(&number) {
            evidence.no_explicit_denies += 1;
            if number == self.open_deny {
                evidence.note(Sign::OpenDeny);
            }
        } else if self.another_call.contains(&number) {
            evidence.note(Sign::AnotherCall);
        } else if self.another_thing.contains(&number) {
            evidence.note(Sign::AnotherThing);
        } else if number == self.decoded {
            evidence.note(Sign::Decoded);
        } else if number == self.kms_arn {
            evidence.kms_arn.get_or_insert(start);
        } else {
            evidence.note(Sign::Caution);
        }
    }

    /// The rules of a stage that the evidence satisfies, with their causes, in their order.
    pub(super) fn matching<'c>(
        &'c self,
        evidence: &'c Evidence,
        stage: Stage,
    ) -> impl Iterator<Item = (Cause, &'static Rule)> + 'c {
        let opened = evidence.rules.clone();
        opened
            .filter_map(|number| self.rules.get(number))
            .filter(move |compiled| {
                compiled.rule.stage == stage && !evidence.found.meets(&compiled.none)
            })
            .map(|compiled| (compiled.cause, compiled.rule))
    }
}

/// The rules of every cause, in the order in which they are asked.
fn rules_in_order() -> Vec<(Cause, &'static Rule)> {
    let rules_of = |cause: &Cause| {
        let cause = *cause;
        let rules = cause.entry().messages.iter();
        rules.map(move |rule| (cause, rule))
    };
    let mut rules: Vec<_> = Cause::ALL.iter().flat_map(rules_of).collect();
    rules.sort_by_key(|(_, rule)| (rule.stage, rule.place));
    rules
}

fn is_in_a_word(plain: &str, start: usize, end: usize) -> bool {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let bytes = plain.as_bytes();
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    before.is_some_and(in_word) || bytes.get(end).is_some_and(in_word)
}

/// The distinct fragments, in the order of their first use.
#[derive(Default)]
struct Fragments {
    list: Vec<&'static str>,
    numbers: HashMap<&'static str, usize>,
}

impl Fragments {
    fn number(&mut self, fragment: &'static str) -> usize {
        let next = self.list.len();
        let number = *self.numbers.entry(fragment).or_insert(next);
        if number == next {
            self.list.push(fragment);
        }
        number
    }

    fn bits(&mut self, fragments: impl IntoIterator<Item = &'static str>) -> Group {
        let mut bits = Group::default();
        for fragment in fragments {
            bits.insert(self.number(fragment));
        }
        bits
    }

    /// The numbers of fragments that none has had yet.
    fn range(&mut self, groups: &'static [&'static str]) -> Range<usize> {
        let start = self.list.len();
        for fragment in fragments(groups) {
            self.number(fragment);
        }
        start..self.list.len()
    }
}

#[cfg(test)]
mod tests;
