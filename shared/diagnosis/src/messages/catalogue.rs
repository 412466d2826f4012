//! The catalogue: fragments of failure texts, found in one pass, and ordered rules over them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::missing;
use super::rule::{Rule, Stage, count, fragments};
use super::wording::OR_EXPLICIT_DENY;
use crate::causes::Cause;

/// Fragments that no rule owns but the readers need.
const VERBS: &[&str] = &["to perform|to call"];
const KMS_ARN: &str = ":kms:";
/// Words for a Deny statement. A text speaks of one where more of these stand in it than of the next list, each of which
/// holds one of these.
const EXPLICIT_DENY: &[&str] = &[
    "explicit den|explicit \"den|explicit 'den|explicit `den|explicit-den|explicit_den|explicitden\
     |explicitly den|explicitly block|explicitly refus|explicitly forbid|explicitly reject\
     |denied explicitly|denies explicitly|deny statement|of a deny|to a deny|by a deny|a deny in\
     |\"effect\":\"deny\"|\"effect\": \"deny\"",
];
/// Seen: KMS "no resource-based policies allow access, or a resource-based policy explicitly denies access". A decoded
/// authorization message writes `explicitDeny":false`.
const NO_EXPLICIT_DENY: &[&str] = &[
    "no explicit den|not an explicit den|without an explicit den|not explicitly den\
     |not denied explicitly|no deny statement|explicitdeny\":false|explicitdeny\": false",
    OR_EXPLICIT_DENY,
];
/// Words for policies that no repair touches, and traces of markup, which the grammar cannot be read through. A text that
/// holds one of them admits no repair as its first cause, whatever else it says.
const CAUTIONS: &[&str] = &[
    "service control polic|service-control polic|resource control polic|resource-control polic\
     |identity-based|identity based|identity polic|iam polic|permissions boundar|permission boundar\
     |session polic|endpoint polic|bucket polic|policy denies|<br|u003cbr|&lt;br|<wbr|<span|&nbsp;\
     |&#|%20",
];
/// Short words of the same kind, and a Deny however it is worded. In every rule too they count only where they stand alone.
const WHOLE_WORDS: &[&str] = &["scp|scps|rcp|rcps|deny"];

/// The fragments of the readers that only they look for.
const READERS: [&[&str]; 7] = [
    &[missing::AFTER, missing::BEFORE],
    VERBS,
    EXPLICIT_DENY,
    NO_EXPLICIT_DENY,
    CAUTIONS,
    WHOLE_WORDS,
    &[KMS_ARN],
];

/// There are no more fragments and rules than these: counted when the program is built, so that none is ever left out.
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
    /// The rules whose first group has a hit.
    rules: Rules,
    places: [Place; PLACES],
    place_count: usize,
    verbs: [usize; PLACES],
    verb_count: usize,
    kms_arn: Option<usize>,
    explicit_denies: usize,
    no_explicit_denies: usize,
    caution: bool,
}

impl Evidence {
    /// Where each `to perform` and `to call` ends in the plain message: an access-denied sentence may stand there.
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
        self.caution
    }

    pub(super) fn missing(&self) -> impl Iterator<Item = Place> {
        self.places.iter().copied().take(self.place_count)
    }
}

struct CompiledRule {
    cause: Cause,
    rule: &'static Rule,
    others: Vec<Group>,
    none: Group,
}

/// The compiled catalogue.
pub(super) struct Catalogue {
    /// Nothing if the fragments could not be compiled, which a test rules out; every message is then unknown.
    automaton: Option<AhoCorasick>,
    rules: Vec<CompiledRule>,
    /// By fragment: the rules whose first group holds it.
    opens: Vec<Rules>,
    before: Range<usize>,
    verbs: Range<usize>,
    explicit: Range<usize>,
    no_explicit: Range<usize>,
    whole_words: Range<usize>,
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
        // INVARIANT: the fragments of the readers are the first patterns, those of `missing` before the others and `:kms:`
        // last, so that `read` tells them by their number.
        known.range(&[missing::AFTER]);
        let before = known.range(&[missing::BEFORE]);
        let verbs = known.range(VERBS);
        let explicit = known.range(EXPLICIT_DENY);
        let no_explicit = known.range(NO_EXPLICIT_DENY);
        known.range(CAUTIONS);
        let whole_words = known.range(WHOLE_WORDS);
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
            kms_arn,
        }
    }

    /// Finds the fragments of a plain message in one pass.
    pub(super) fn read(&self, plain: &str) -> Evidence {
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
            caution: false,
        };
        let Some(automaton) = &self.automaton else {
            return evidence;
        };
        for hit in automaton.find_overlapping_iter(plain) {
            let number = hit.pattern().as_usize();
            if self.whole_words.contains(&number) && is_in_a_word(plain, hit.start(), hit.end()) {
                continue;
            }
            evidence.found.insert(number);
            if let Some(rules) = self.opens.get(number) {
                evidence.rules.add(rules);
            }
            if number <= self.kms_arn {
                self.note(&mut evidence, number, hit.start(), hit.end());
            }
        }
        evidence
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
        } else if number == self.kms_arn {
            evidence.kms_arn.get_or_insert(start);
        } else {
            evidence.caution = true;
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
                compiled.rule.stage == stage
                    && compiled
                        .others
                        .iter()
                        .all(|group| evidence.found.meets(group))
                    && !evidence.found.meets(&compiled.none)
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
mod tests {
    use super::super::text::Plain;
    use super::*;

    #[test]
    fn the_catalogue_compiles() {
        assert!(Catalogue::get().automaton.is_some());
    }

    #[test]
    fn every_fragment_and_rule_has_its_place_in_a_set() {
        let catalogue = Catalogue::get();
        for number in 0..catalogue.opens.len() {
            let mut found = Found::default();
            found.insert(number);
            assert_eq!(found.collect::<Vec<_>>(), [number]);
        }
        for number in 0..catalogue.rules.len() {
            let mut rules = Rules::default();
            rules.insert(number);
            assert_eq!(rules.collect::<Vec<_>>(), [number]);
        }
    }

    #[test]
    fn no_two_rules_have_one_place() {
        let rules = rules_in_order();
        for (left, right) in rules.iter().zip(rules.iter().skip(1)) {
            let place = |rule: &Rule| (rule.stage, rule.place);
            assert_ne!(place(left.1), place(right.1), "{} and {}", left.0, right.0);
        }
    }

    #[test]
    fn fragments_are_written_as_plain_text() {
        let all = rules_in_order()
            .into_iter()
            .flat_map(|(_, rule)| fragments(rule.all).chain(fragments(rule.none)));
        for fragment in all.chain(READERS.into_iter().flat_map(fragments)) {
            assert!(!fragment.is_empty());
            assert_eq!(fragment, fragment.to_ascii_lowercase(), "lower case");
            assert!(fragment.is_ascii(), "{fragment}");
            assert!(
                !fragment.contains("  ") && !fragment.contains("n't"),
                "{fragment}"
            );
        }
    }

    /// The numbers of both are compared.
    #[test]
    fn each_denial_of_an_explicit_deny_holds_one() {
        for no in fragments(NO_EXPLICIT_DENY) {
            let held: usize = fragments(EXPLICIT_DENY)
                .map(|deny| no.matches(deny).count())
                .sum();
            assert_eq!(held, 1, "{no}");
        }
        let catalogue = Catalogue::get();
        assert_eq!(catalogue.verbs.len(), fragments(VERBS).count());
        assert_eq!(catalogue.explicit.len(), fragments(EXPLICIT_DENY).count());
        assert_eq!(
            catalogue.no_explicit.len(),
            fragments(NO_EXPLICIT_DENY).count()
        );
        assert_eq!(catalogue.whole_words.len(), fragments(WHOLE_WORDS).count());
    }

    /// Every text in the lists, whichever column it stands in.
    fn listed() -> Vec<&'static str> {
        [
            include_str!("../../tests/data/messages.tsv"),
            include_str!("../../tests/data/status-messages.tsv"),
            include_str!("../../tests/data/seen.tsv"),
            include_str!("../../tests/data/not-repairable.txt"),
        ]
        .into_iter()
        .flat_map(str::lines)
        .filter_map(|line| line.rsplit('\t').next())
        .collect()
    }

    #[test]
    fn every_rule_fits_a_text_of_the_lists() {
        let catalogue = Catalogue::get();
        let evidence: Vec<Evidence> = listed()
            .into_iter()
            .map(|text| catalogue.read(&Plain::new(text).text))
            .collect();
        let fits = |rule: &Rule, seen: &Evidence| {
            let mut found = catalogue.matching(seen, rule.stage);
            found.any(|(_, other)| std::ptr::eq(other, rule))
        };
        let without: Vec<String> = rules_in_order()
            .into_iter()
            .filter(|(_, rule)| !evidence.iter().any(|seen| fits(rule, seen)))
            .map(|(cause, rule)| format!("{cause}, {:?} {}: {}", rule.stage, rule.place, rule.why))
            .collect();
        assert_eq!(without, [""; 0], "add a text to tests/data/messages.tsv");
    }

    #[test]
    fn every_rule_needs_something_and_says_why() {
        for (cause, rule) in rules_in_order() {
            assert!(!rule.all.is_empty(), "{cause}: {}", rule.why);
            assert!(!rule.or.contains(&cause), "{cause}: {}", rule.why);
            assert!(rule.why.ends_with('.'), "{cause}: {}", rule.why);
        }
    }
}
