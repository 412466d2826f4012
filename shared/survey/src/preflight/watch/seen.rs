//! What was seen of the copies that the plans of an account and Region will make.

use std::collections::{BTreeMap, BTreeSet};

use copymend_diagnosis::{Assessment, Foreseen};
use copymend_remediation::ports::Location;
use copymend_remediation::preflight::{
    Failing, FailingRoute, InTheWay, OpenCause, RuleWithoutCopy,
};
use sha2::{Digest as _, Sha256};

use super::super::judge::JudgedRoute;
use super::super::planned::{NotMaterialised, Place};
use super::super::route::{Route, RuleName, point_kind};

/// What stands in the way of a rule whose vault isn't there, beside the slugs of the causes.
pub(super) const NO_COPY: &str = "makes-no-copy";

/// What will become of a route's copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fails {
        /// Slugs, in the order in which it must be put right.
        causes: Vec<String>,
        /// What may stand in the way as well.
        open: BTreeSet<String>,
    },
    /// Nothing is shown to stand in the way, and this may, in the order in which it must be put right.
    CannotBeKnown {
        open: Vec<OpenCause>,
    },
    /// The time was over before it was judged, or before all of it was.
    NotJudged,
    Passes,
}

/// A route that plans make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeenRoute {
    pub(super) verdict: Verdict,
    /// What it is called.
    pub(super) name: String,
    /// Hashes of its rules, each with the destination.
    pub(super) rules: BTreeSet<String>,
    /// Hashes of its resources, each with the destination.
    pub(super) resources: BTreeSet<String>,
    /// The hash of the vaults between which it goes.
    pub(super) vaults: String,
}

/// How far it was come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Everything was judged.
    Whole,
    /// The time was over in the midst; the route that was not reached.
    Partly(Option<String>),
    /// It had no turn.
    Not,
}

/// What was seen of an account and Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) routes: BTreeMap<String, SeenRoute>,
    /// Hashes of all rules that make copies, each with the destination.
    pub(super) rules: BTreeSet<String>,
    /// The same by the hashes of the vaults between which they copy.
    pub(super) rules_between: BTreeMap<String, BTreeSet<String>>,
    /// The calls that were refused.
    pub(super) not_read: BTreeSet<String>,
    /// Those that failed for a reason that passes by itself, and weren't refused as well.
    pub(super) passing: BTreeSet<String>,
    pub(super) reached: Reached,
}

impl Seen {
    /// What had no turn.
    pub(super) const fn nothing(reached: Reached) -> Self {
        Self {
            routes: BTreeMap::new(),
            rules: BTreeSet::new(),
            rules_between: BTreeMap::new(),
            not_read: BTreeSet::new(),
            passing: BTreeSet::new(),
            reached,
        }
    }

    /// Whether every list was read to its end.
    pub(super) fn is_read(&self) -> bool {
        self.not_read.is_empty() && self.passing.is_empty()
    }
}

fn hash(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    let number = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{number:016x}")
}

/// The same for the copies of tomorrow, as long as nothing is changed that they are judged by: a
/// newer backup is no other route.
pub(super) fn id_of_route(route: &Route) -> String {
    let copy = &route.copy;
    let lifecycle = copy.lifecycle.as_ref();
    let days = |days: Option<i64>| days.map(|days| days.to_string()).unwrap_or_default();
    hash(&[
        "route",
        copy.account.as_str(),
        &copy.region,
        copy.source_vault.as_str(),
        copy.destination_vault.as_str(),
        copy.role.as_str(),
        copy.resource_type.as_deref().unwrap_or_default(),
        &point_kind(&copy.source_recovery_point),
        route.key.as_ref().map_or("", |key| key.as_str()),
        &days(lifecycle.and_then(|lifecycle| lifecycle.delete_after_days)),
        &days(lifecycle.and_then(|lifecycle| lifecycle.move_to_cold_storage_after_days)),
    ])
}

fn hash_of_rule(rule: &RuleName, destination: &str) -> String {
    let plan = rule.plan_id.as_deref().unwrap_or(&rule.plan);
    hash(&["rule", plan, &rule.rule, destination])
}

/// Between which vaults copies go. The source is the place's own, so that its name tells.
fn hash_of_vaults(source: &str, destination: &str) -> String {
    hash(&["vaults", source, destination])
}

/// The destination of a rule that makes no copy at all.
const NOWHERE: &str = "";

/// Takes in the rules of a place that make copies, each with each of its destinations.
pub(super) fn take_rules(seen: &mut Seen, place: &Place) {
    for selecting in &place.plans {
        for rule in &selecting.plan.rules {
            let name = RuleName {
                plan_id: selecting.plan.id.clone(),
                plan: selecting.plan.name.clone(),
                rule: rule.name.clone(),
            };
            let actions = rule.copy_actions.iter();
            let destinations = actions.map(|action| &action.destination_vault);
            for vault in destinations.chain(&rule.air_gapped_target) {
                let hash = hash_of_rule(&name, vault.as_str());
                let vaults = hash_of_vaults(&rule.target_vault, vault.as_str());
                seen.rules.insert(hash.clone());
                seen.rules.insert(hash_of_rule(&name, NOWHERE));
                seen.rules_between.entry(vaults).or_default().insert(hash);
            }
        }
    }
}

/// A route before it is judged.
pub(super) fn not_judged(route: &Route) -> SeenRoute {
    let copy = &route.copy;
    let to = &copy.destination_vault;
    let of = |text: &str| hash(&["resource", text, to.as_str()]);
    SeenRoute {
        verdict: Verdict::NotJudged,
        name: format!(
            "{} from vault {} to vault {} of account {}, {}, as role {}",
            copy.resource_type.as_deref().unwrap_or("copies"),
            copy.source_vault.name(),
            to.name(),
            copy.destination_account,
            to.region(),
            copy.role.name()
        ),
        rules: route
            .rules
            .iter()
            .map(|rule| hash_of_rule(rule, to.as_str()))
            .collect(),
        resources: route
            .resources
            .iter()
            .map(|resource| of(resource.as_str()))
            .collect(),
        vaults: hash_of_vaults(copy.source_vault.name(), to.as_str()),
    }
}

/// The verdict of a judged route.
pub(super) fn verdict(foreseen: &Foreseen) -> Verdict {
    let slugs = |found: &[Assessment]| -> Vec<String> {
        let slugs = found.iter().map(|found| found.cause.slug().to_owned());
        slugs.collect()
    };
    match foreseen {
        Foreseen::WillFail { in_the_way, open } => Verdict::Fails {
            causes: slugs(in_the_way),
            open: slugs(open).into_iter().collect(),
        },
        Foreseen::CannotBeKnown { open } => Verdict::CannotBeKnown {
            open: open.iter().map(open_cause).collect(),
        },
        Foreseen::WillPass { .. } => Verdict::Passes,
    }
}

fn open_cause(found: &Assessment) -> OpenCause {
    OpenCause {
        cause: found.cause,
        why: found.evidence.first().cloned().unwrap_or_default(),
    }
}

/// What people are told of a route that fails.
pub(super) fn failing(judged: &JudgedRoute) -> Option<Failing> {
    let JudgedRoute {
        route,
        foreseen,
        advice,
        facts: _,
        would: _,
    } = judged;
    let Foreseen::WillFail { in_the_way, .. } = foreseen else {
        return None;
    };
    let copy = &route.copy;
    Some(Failing::Route(Box::new(FailingRoute {
        at: Location::new(copy.account, &copy.region),
        source_vault: copy.source_vault.to_string(),
        destination_vault: copy.destination_vault.to_string(),
        role: copy.role.to_string(),
        resource_type: copy.resource_type.clone().unwrap_or_default(),
        resources: route.resources.iter().map(ToString::to_string).collect(),
        rules: route.rules.iter().map(named).collect(),
        is_automatic: route.is_automatic,
        next_run: route.next_run,
        in_the_way: in_the_way
            .iter()
            .zip(advice)
            .map(|(found, advice)| InTheWay {
                cause: found.cause,
                evidence: found.evidence.clone(),
                advice: advice.clone(),
            })
            .collect(),
        before: Vec::new(),
    })))
}

fn named(rule: &RuleName) -> String {
    format!("rule {} of plan {}", rule.rule, rule.plan)
}

/// A rule that makes no copy, as a route of its own.
pub(super) fn without_copy(
    missing: &NotMaterialised,
    at: &Location,
) -> (String, SeenRoute, Failing) {
    let name = named(&missing.rule);
    let plan = missing.rule.plan_id.as_deref();
    let id = hash(&[
        NO_COPY,
        &missing.account,
        &missing.region,
        plan.unwrap_or(&missing.rule.plan),
        &missing.rule.rule,
    ]);
    let seen = SeenRoute {
        verdict: Verdict::Fails {
            causes: vec![NO_COPY.to_owned()],
            open: BTreeSet::new(),
        },
        name: name.clone(),
        rules: BTreeSet::from([hash_of_rule(&missing.rule, NOWHERE)]),
        resources: BTreeSet::new(),
        // What is missing names the vault.
        vaults: hash(&[NO_COPY, &missing.what]),
    };
    let failing = Failing::Rule(RuleWithoutCopy {
        at: at.clone(),
        rule: name,
        what: missing.what.clone(),
    });
    (id, seen, failing)
}
