//! The compiled catalogue is whole.

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

#[test]
fn every_rule_needs_something_and_says_why() {
    for (cause, rule) in rules_in_order() {
        assert!(!rule.all.is_empty(), "{cause}: {}", rule.why);
        assert!(!rule.or.contains(&cause), "{cause}: {}", rule.why);
        assert!(rule.why.ends_with('.'), "{cause}: {}", rule.why);
    }
}
