//! The compiled catalogue is whole.

use super::*;
use crate::messages::text::Plain;

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
        include_str!("../../../tests/data/messages.tsv"),
        include_str!("../../../tests/data/status-messages.tsv"),
        include_str!("../../../tests/data/seen.tsv"),
        include_str!("../../../tests/data/not-repairable.txt"),
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
