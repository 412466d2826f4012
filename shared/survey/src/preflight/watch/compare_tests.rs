use super::*;

fn now() -> Timestamp {
    "2026-11-29T06:00:00Z".parse().unwrap()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn set(of: &[&str]) -> BTreeSet<String> {
    texts(of).into_iter().collect()
}

fn route(verdict: Verdict) -> SeenRoute {
    SeenRoute {
        verdict,
        name: "EBS from vault a to vault b".to_owned(),
        rules: set(&["rule"]),
        resources: set(&["volume"]),
        vaults: "a to b".to_owned(),
    }
}

/// A route of which it can't be known.
fn unknown(open: &[&str]) -> SeenRoute {
    let open = open.iter().map(|slug| OpenCause {
        cause: slug.parse().unwrap(),
        why: format!("{slug} could not be looked at"),
    });
    route(Verdict::CannotBeKnown {
        open: open.collect(),
    })
}

fn fails(causes: &[&str], open: &[&str]) -> SeenRoute {
    route(Verdict::Fails {
        causes: texts(causes),
        open: set(open),
    })
}

fn seen(routes: &[(&str, SeenRoute)]) -> Seen {
    Seen {
        routes: routes
            .iter()
            .map(|(id, route)| ((*id).to_owned(), route.clone()))
            .collect(),
        rules: set(&["rule"]),
        rules_between: [("a to b".to_owned(), set(&["rule"]))].into(),
        not_read: BTreeSet::new(),
        passing: BTreeSet::new(),
        reached: Reached::Whole,
    }
}

/// What people know after they were told of this.
fn told(of: &Seen) -> ToldOfPlace {
    compare(&ToldOfPlace::default(), of, now()).0
}

fn nothing(told: &ToldOfPlace, seen: &Seen) -> ToldOfPlace {
    let (after, changes) = compare(told, seen, now());
    assert!(!changes.are_news(), "{changes:?}");
    after
}

const KEY: &str = "source-key-policy";
const VAULT: &str = "destination-vault-policy";

#[test]
fn what_fails_is_told_once() {
    let failing = seen(&[
        ("1", fails(&[VAULT], &[])),
        ("2", unknown(&[KEY])),
        ("3", route(Verdict::Passes)),
    ]);
    let (told, changes) = compare(&ToldOfPlace::default(), &failing, now());
    assert_eq!(changes.new, ["1"]);
    assert_eq!(told.routes.keys().collect::<Vec<_>>(), ["1"]);
    assert_eq!(told.looked_at, Some(now()));
    assert_eq!(nothing(&told, &failing), told);
}

#[test]
fn another_cause_is_told_with_the_one_before() {
    let before = told(&seen(&[("1", fails(&[VAULT], &[]))]));
    let (after, changes) = compare(&before, &seen(&[("1", fails(&[KEY], &[]))]), now());
    assert_eq!(changes.changed, [("1".to_owned(), texts(&[VAULT]))]);
    assert_eq!(after.routes["1"].causes, [KEY]);
    assert!(changes.new.is_empty() && changes.over.is_empty());
}

#[test]
fn a_cause_that_cannot_be_seen_now_is_not_gone() {
    let before = told(&seen(&[("1", fails(&[VAULT, KEY], &[]))]));
    let after = nothing(&before, &seen(&[("1", fails(&[KEY], &[VAULT]))]));
    assert_eq!(after, before);
    // Once it is seen that it is gone, it is news.
    let (_, changes) = compare(&after, &seen(&[("1", fails(&[KEY], &[]))]), now());
    assert_eq!(changes.changed.len(), 1);
}

#[test]
fn what_cannot_be_known_stays_as_it_was_told() {
    let before = told(&seen(&[("1", fails(&[VAULT], &[]))]));
    let after = nothing(&before, &seen(&[("1", unknown(&[KEY, VAULT]))]));
    assert_eq!(after.routes, before.routes);
    let (after, changes) = compare(&after, &seen(&[("1", route(Verdict::Passes))]), now());
    assert_eq!(changes.over.len(), 1);
    assert_eq!(changes.over[0].1, Over::WillPass);
    assert!(after.routes.is_empty());
}

#[test]
fn what_no_rule_makes_any_more_is_no_longer_planned() {
    let before = told(&seen(&[("1", fails(&[VAULT], &[]))]));
    let mut gone = seen(&[]);
    gone.rules = set(&["another rule"]);
    gone.rules_between = [("a to c".to_owned(), gone.rules.clone())].into();
    let (after, changes) = compare(&before, &gone, now());
    assert_eq!(changes.over[0].1, Over::NotPlanned);
    assert!(after.routes.is_empty());
}

#[test]
fn a_rule_that_backs_nothing_up_is_still_planned() {
    let before = told(&seen(&[("1", fails(&[VAULT], &[]))]));
    assert_eq!(nothing(&before, &seen(&[])).routes, before.routes);
}

#[test]
fn resources_that_go_another_way_leave_the_one_before() {
    let before = told(&seen(&[("1", fails(&["aws-managed-key"], &[]))]));
    // Under another key.
    let moved = seen(&[("2", route(Verdict::Passes))]);
    let (after, changes) = compare(&before, &moved, now());
    assert_eq!(changes.over[0].1, Over::NotPlanned);
    assert!(after.routes.is_empty());
}

#[test]
fn nothing_is_over_where_something_could_not_be_read() {
    let before = told(&seen(&[("1", fails(&[VAULT], &[]))]));
    let mut refused = seen(&[]);
    refused.rules = BTreeSet::new();
    refused.not_read = set(&["backup:ListBackupPlans"]);
    let (after, changes) = compare(&before, &refused, now());
    assert!(changes.over.is_empty());
    assert_eq!(changes.not_read, refused.not_read);
    assert_eq!(after.routes, before.routes);
    // The refusal is told once.
    let after = nothing(&after, &refused);
    // And again once it worked in between.
    let (after, _) = compare(&after, &seen(&[("1", unknown(&[VAULT]))]), now());
    assert_eq!(
        compare(&after, &refused, now()).1.not_read,
        refused.not_read
    );
}

#[test]
fn what_had_no_turn_stays_as_it_was_and_comes_first() {
    let earlier = "2026-11-28T06:00:00Z".parse().unwrap();
    let failing = seen(&[("1", fails(&[VAULT], &[]))]);
    let (before, _) = compare(&ToldOfPlace::default(), &failing, earlier);
    let after = nothing(&before, &Seen::nothing(Reached::Not));
    assert_eq!(after.looked_at, Some(earlier));
    assert!(after.is_left);
    assert_eq!(after.routes, before.routes);
    // One whose reading took too long had its turn.
    let after = nothing(&before, &Seen::nothing(Reached::Partly(None)));
    assert_eq!(after.looked_at, Some(now()));
    assert_eq!(after.routes, before.routes);
    // The routes that were not judged go on with the first of them.
    let mut partly = seen(&[("1", route(Verdict::NotJudged)), ("2", fails(&[KEY], &[]))]);
    partly.reached = Reached::Partly(Some("1".to_owned()));
    let (after, changes) = compare(&before, &partly, now());
    assert_eq!(changes.new, ["2"]);
    assert_eq!(after.goes_on_at.as_deref(), Some("1"));
    assert!(after.routes.contains_key("1"));
}

#[test]
fn a_rule_without_a_vault_makes_copies_once_the_vault_is_there() {
    let before = told(&seen(&[("rule", fails(&[NO_COPY], &[]))]));
    let (after, changes) = compare(&before, &seen(&[]), now());
    assert_eq!(changes.over[0].1, Over::VaultsExist);
    assert!(after.routes.is_empty());
}

#[test]
fn more_routes_than_there_is_room_for_are_counted() {
    let ids: Vec<String> = (0..MOST_ROUTES + 7).map(|id| format!("{id:0>5}")).collect();
    let all: Vec<(&str, SeenRoute)> = ids
        .iter()
        .map(|id| (id.as_str(), fails(&[VAULT], &[])))
        .collect();
    let (before, changes) = compare(&ToldOfPlace::default(), &seen(&all), now());
    assert_eq!(changes.new.len(), MOST_ROUTES);
    assert_eq!((before.more, changes.more), (7, Some(7)));
    assert_eq!(nothing(&before, &seen(&all)), before);
    // One that comes before the others in order takes no one's place.
    let mut one_more = all.clone();
    one_more.push(("0", fails(&[VAULT], &[])));
    let (after, changes) = compare(&before, &seen(&one_more), now());
    assert_eq!((changes.new.len(), changes.more), (0, Some(8)));
    // While the time doesn't suffice for all, nobody says that it has become better.
    let judged = all.iter().take(10).cloned();
    let waiting = ids.iter().skip(10);
    let waiting = waiting.map(|id| (id.as_str(), route(Verdict::NotJudged)));
    let mut partly = seen(&judged.chain(waiting).collect::<Vec<_>>());
    partly.reached = Reached::Partly(Some("1".to_owned()));
    assert_eq!(nothing(&after, &partly).more, 8);
}

#[test]
fn a_route_with_more_causes_than_are_kept_is_no_news_every_day() {
    let slugs: Vec<&str> = Cause::ALL.iter().map(|cause| cause.slug()).collect();
    let mut causes = slugs.clone();
    causes.sort_by_key(|slug| slug.parse().map_or(usize::MAX, Cause::place_in_repair));
    let failing = seen(&[("1", fails(&causes, &[]))]);
    nothing(&told(&failing), &failing);
}

#[test]
fn a_monthly_rule_that_has_no_backup_of_the_month_is_not_over_beside_a_daily_one() {
    // Both rules copy the same resources into the same vault, kept for different times.
    let of_rule = |rule: &str| SeenRoute {
        rules: set(&[rule]),
        ..fails(&[VAULT], &[])
    };
    let planned = |routes: &[(&str, SeenRoute)]| Seen {
        rules: set(&["daily", "monthly"]),
        ..seen(routes)
    };
    let both = planned(&[("d", of_rule("daily")), ("m", of_rule("monthly"))]);
    let later = planned(&[("d", of_rule("daily"))]);
    let after = nothing(&told(&both), &later);
    nothing(&after, &both);
}

#[test]
fn a_refusal_of_a_place_that_was_not_judged_is_told_when_it_is() {
    let mut found = seen(&[("1", route(Verdict::NotJudged))]);
    found.not_read = set(&["backup:ListBackupVaults"]);
    found.reached = Reached::Not;
    let (after, changes) = compare(&ToldOfPlace::default(), &found, now());
    assert!(changes.not_read.is_empty());
    found.reached = Reached::Whole;
    let (after, changes) = compare(&after, &found, now());
    assert_eq!(changes.not_read, found.not_read);
    nothing(&after, &found);
}

#[test]
fn what_stood_in_the_way_is_told_to_be_gone_once_although_the_rest_cannot_be_known() {
    let before = told(&seen(&[("1", fails(&[VAULT, KEY], &[]))]));
    // One of the two may still be there.
    let partly = seen(&[("1", unknown(&[KEY, "tag-limit"]))]);
    assert_eq!(nothing(&before, &partly).routes, before.routes);
    let clear = seen(&[("1", unknown(&["tag-limit"]))]);
    let (after, changes) = compare(&before, &clear, now());
    let [cleared] = changes.cleared.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!(cleared.causes, [VAULT, KEY]);
    assert_eq!(cleared.open[0].why, "tag-limit could not be looked at");
    assert!(changes.over.is_empty() && changes.new.is_empty());
    assert_eq!(after.known_to_fail(), 0);
    assert_eq!(nothing(&after, &clear), after);
    // If it fails again, that is news.
    let (_, changes) = compare(&after, &seen(&[("1", fails(&[VAULT], &[]))]), now());
    assert_eq!(changes.new, ["1"]);
}

#[test]
fn what_the_time_did_not_suffice_for_is_not_gone() {
    let before = told(&seen(&[("1", fails(&[VAULT], &[]))]));
    let mut partly = seen(&[("1", route(Verdict::NotJudged))]);
    partly.reached = Reached::Partly(Some("1".to_owned()));
    assert_eq!(nothing(&before, &partly).routes, before.routes);
}

#[test]
fn a_throttle_is_told_as_one_that_passes_and_hides_no_refusal() {
    let before = told(&seen(&[("1", fails(&[VAULT], &[]))]));
    let call = set(&["backup:ListBackupPlans"]);
    let of_no_plan = || Seen {
        rules: BTreeSet::new(),
        rules_between: BTreeMap::new(),
        ..seen(&[])
    };
    let throttled = Seen {
        passing: call.clone(),
        ..of_no_plan()
    };
    let refused = Seen {
        not_read: call.clone(),
        ..of_no_plan()
    };
    let (after, changes) = compare(&before, &throttled, now());
    assert_eq!(changes.passing, call);
    assert!(changes.not_read.is_empty() && changes.over.is_empty());
    assert_eq!(after.routes, before.routes);
    let after = nothing(&after, &throttled);
    // A refusal is another matter.
    let (after, changes) = compare(&after, &refused, now());
    assert_eq!(changes.not_read, call);
    assert!(changes.passing.is_empty());
    // It isn't lifted by a throttle in between.
    let after = nothing(&after, &throttled);
    nothing(&after, &refused);
}

/// The route of another plan, which took the place of the one before.
fn of_another_plan(verdict: SeenRoute) -> Seen {
    let route = SeenRoute {
        rules: set(&["rule anew"]),
        ..verdict
    };
    Seen {
        rules: set(&["rule anew"]),
        rules_between: [("a to b".to_owned(), set(&["rule anew"]))].into(),
        ..seen(&[("2", route)])
    }
}

#[test]
fn the_same_route_of_a_plan_that_was_made_anew_is_no_news() {
    let before = told(&seen(&[("1", fails(&[VAULT], &[]))]));
    let anew = of_another_plan(fails(&[VAULT], &[]));
    // Until it has backed something up, nothing is seen of its route.
    let mut at_first = anew.clone();
    at_first.routes.clear();
    let after = nothing(&before, &at_first);
    assert_eq!(after.routes, before.routes);
    for known in [after, before.clone()] {
        let after = nothing(&known, &anew);
        assert_eq!(after.routes.keys().collect::<Vec<_>>(), ["2"]);
        nothing(&after, &anew);
    }
    // For another cause it is.
    let (_, changes) = compare(&before, &of_another_plan(fails(&[KEY], &[])), now());
    assert_eq!((changes.new.len(), changes.over.len()), (1, 1));
    // So it is between other vaults.
    let elsewhere = SeenRoute {
        vaults: "a to c".to_owned(),
        ..fails(&[VAULT], &[])
    };
    let mut elsewhere = of_another_plan(elsewhere);
    elsewhere.rules_between = [("a to c".to_owned(), set(&["rule anew"]))].into();
    let (_, changes) = compare(&before, &elsewhere, now());
    assert_eq!((changes.new.len(), changes.over.len()), (1, 1));
}

#[test]
fn of_two_routes_that_are_gone_one_that_is_made_anew_stands_for_one() {
    let two = seen(&[("1", fails(&[VAULT], &[])), ("3", fails(&[VAULT], &[]))]);
    let anew = of_another_plan(fails(&[VAULT], &[]));
    let (after, changes) = compare(&told(&two), &anew, now());
    assert_eq!((changes.new.len(), changes.over.len()), (0, 1));
    assert_eq!(after.routes.keys().collect::<Vec<_>>(), ["2"]);
}
