//! What people were told of the copies that plans will make: one item of the ledger for each
//! account and Region.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ports::{CallResult, Location};

/// So many routes of one account and Region are followed one by one. An item of DynamoDB takes
/// 400 KB (DynamoDB developer guide, "Service, account, and table quotas", documented).
pub const MOST_ROUTES: usize = 400;
/// What a route is called has so many characters at most.
const LONGEST_NAME: usize = 240;
/// So many of the other texts of a route are kept.
const MOST_TEXTS: usize = 8;

/// A route that will fail, as people were told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToldRoute {
    /// What it is called, for people.
    pub name: String,
    /// The slugs of what stands in the way, in the order in which it must be put right.
    pub causes: Vec<String>,
    /// Hashes of the rules that make its copies, each with the destination.
    pub rules: BTreeSet<String>,
    /// Hashes of some of its resources, each with the destination.
    pub resources: BTreeSet<String>,
    /// The hash of the vaults between which it goes; empty of what was told before they were kept.
    pub vaults: String,
}

impl ToldRoute {
    /// A route of which no text is longer, and no list longer, than the ledger has room for.
    #[must_use]
    pub fn new(
        name: &str,
        causes: &[String],
        rules: &BTreeSet<String>,
        resources: &BTreeSet<String>,
        vaults: &str,
    ) -> Self {
        let name = name
            .chars()
            .map(|c| if c.is_ascii_graphic() { c } else { ' ' })
            .filter(|c| !matches!(c, '"' | '\\'))
            .take(LONGEST_NAME)
            .collect();
        let some = |texts: &BTreeSet<String>| texts.iter().take(MOST_TEXTS).cloned().collect();
        Self {
            name,
            causes: causes.iter().take(MOST_TEXTS).cloned().collect(),
            rules: some(rules),
            resources: some(resources),
            vaults: vaults.to_owned(),
        }
    }
}

/// What people were told of an account and Region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToldOfPlace {
    /// When it had its turn; never, if it hadn't.
    pub looked_at: Option<Timestamp>,
    /// The routes that will fail, by the hash of what they are.
    pub routes: BTreeMap<String, ToldRoute>,
    /// How many more will fail, that aren't followed one by one.
    pub more: u64,
    /// The calls that it refused, such as `backup:ListBackupPlans`.
    pub not_read: BTreeSet<String>,
    /// The calls that failed for a reason that passes by itself, such as a throttle.
    pub passing: BTreeSet<String>,
    /// Whether the time was over before all of it was judged.
    pub is_left: bool,
    /// Whether people were told that the time did not suffice for it, since it last sufficed for all
    /// accounts and Regions.
    pub left_is_told: bool,
    /// The route that is judged first next time.
    pub goes_on_at: Option<String>,
}

impl ToldOfPlace {
    /// How many routes are known to fail.
    #[must_use]
    pub fn known_to_fail(&self) -> u64 {
        let followed = u64::try_from(self.routes.len()).unwrap_or(u64::MAX);
        followed.saturating_add(self.more)
    }
}

/// The part of the ledger that keeps what people were told of planned copies.
pub trait ToldPreflights: Send + Sync {
    /// What people were told of an account and Region; `None` where they were told nothing. Read
    /// consistently. What can't be understood is an error, never nothing.
    fn told_of_place(
        &self,
        at: &Location,
    ) -> impl Future<Output = CallResult<Option<ToldOfPlace>>> + Send;

    /// Keeps what people were told by now. One invocation at a time does.
    fn record_told_of_place(
        &self,
        at: &Location,
        told: &ToldOfPlace,
        now: Timestamp,
    ) -> impl Future<Output = CallResult<()>> + Send;
}

#[cfg(test)]
mod tests {
    use copymend_diagnosis::Cause;

    use super::*;

    #[test]
    fn the_largest_item_fits_into_the_table() {
        let longest = Cause::ALL.iter().map(|cause| cause.slug().len()).max();
        let texts = |length: usize| (0..20).map(move |one| format!("{one:0>length$}"));
        let causes: Vec<String> = texts(longest.unwrap()).collect();
        let hashes: BTreeSet<String> = texts(16).collect();
        let name = "\"Ü\\".repeat(2_000) + &"x".repeat(2_000);
        let route = ToldRoute::new(&name, &causes, &hashes, &hashes, &"0".repeat(16));
        assert_eq!(route.name.len(), LONGEST_NAME);
        let told = ToldOfPlace {
            looked_at: Some(Timestamp::MAX),
            routes: (0..MOST_ROUTES)
                .map(|number| (format!("{number:0>16}"), route.clone()))
                .collect(),
            not_read: texts(60).collect(),
            passing: texts(60).collect(),
            goes_on_at: Some("0".repeat(16)),
            ..ToldOfPlace::default()
        };
        let written = serde_json::to_string(&told).unwrap();
        assert!(written.len() < 390_000, "{}", written.len());
        assert_eq!(serde_json::from_str::<ToldOfPlace>(&written).unwrap(), told);
    }
}
