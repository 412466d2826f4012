//! What people are told of a preflight.

use std::collections::BTreeSet;

use copymend_diagnosis::{Advice, Cause};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::ports::Location;
use crate::settings::Mode;

/// What a preflight found that people don't know yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PreflightNews {
    /// The invocation that found it: the same when a message is sent again.
    pub id: String,
    /// When it was looked.
    pub at: Timestamp,
    /// The function's mode.
    pub mode: Mode,
    /// Whether it is the first time that anything was looked at.
    pub is_first: bool,
    /// How many accounts and Regions there were to look at.
    pub places: usize,
    /// How many plans were read.
    pub plans: usize,
    /// How many routes will fail, of those that were judged; rules that will make no copy included.
    pub will_fail: usize,
    /// Of how many it can't be known.
    pub cannot_be_known: usize,
    /// How many will pass.
    pub will_pass: usize,
    /// How many are known to fail, those included that could not be judged now.
    pub known_to_fail: u64,
    /// How many will fail for each cause, most first. One that fails for several counts for each.
    #[serde(serialize_with = "causes")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<RoutesOfCause>"))]
    pub causes: Vec<(String, usize)>,
    /// Those that will fail, and of which people weren't told.
    pub new: Vec<Failing>,
    /// Those that will fail for other causes than people were told.
    pub changed: Vec<Failing>,
    /// Those that people were told of, and that won't fail.
    pub over: Vec<RouteOver>,
    /// Those of which everything is gone that people were told of, while it can't be known whether
    /// their copies will pass.
    pub cleared: Vec<RouteCleared>,
    /// Where the number of those changed that aren't followed one by one, and what it is.
    #[serde(serialize_with = "more")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<MoreRoutes>"))]
    pub more: Vec<(Location, u64)>,
    /// What could not be read, and could be the last time.
    pub not_read: Vec<NotReadPlace>,
    /// The accounts and Regions that the time didn't suffice for, and of which people weren't told
    /// since it last sufficed for all.
    pub left: Vec<Location>,
    /// What else is to be said, a sentence each.
    pub notes: Vec<String>,
}

/// What will make no copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Failing {
    /// The copies of a route will fail.
    Route(Box<FailingRoute>),
    /// A rule won't make any.
    Rule(RuleWithoutCopy),
}

/// A route whose copies will fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailingRoute {
    /// Where the plan is.
    pub at: Location,
    /// The vault that is copied from.
    pub source_vault: String,
    /// The vault that is copied to.
    pub destination_vault: String,
    /// The job role.
    pub role: String,
    /// The kind of resource.
    pub resource_type: String,
    /// The resources.
    pub resources: BTreeSet<String>,
    /// The rules that make the copies, each with its plan.
    pub rules: BTreeSet<String>,
    /// Whether no copy action makes them.
    pub is_automatic: bool,
    /// When AWS Backup says that one of the rules runs next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run: Option<Timestamp>,
    /// What stands in the way, in the order in which it must be put right.
    pub in_the_way: Vec<InTheWay>,
    /// The causes that people were told before; none if they weren't.
    pub before: Vec<String>,
}

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct InTheWay {
    /// The cause.
    pub cause: Cause,
    /// What shows it.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub advice: Advice,
}

/// A rule that makes no copy, because a vault that it names isn't there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleWithoutCopy {
    /// Where the plan is.
    pub at: Location,
    /// The rule with its plan.
    pub rule: String,
    /// What is missing, in a sentence.
    pub what: String,
}

/// A route that people were told of, and that won't fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteOver {
    /// Where the plan is.
    pub at: Location,
    /// What it is called.
    pub name: String,
    /// Why.
    pub why: Over,
}

/// Why a route won't fail any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// Its copies will pass.
    WillPass,
    /// No plan makes its copies any more, or they go another way.
    NotPlanned,
    /// The vaults that a rule names are there.
    VaultsExist,
}

impl Over {
    /// The reason, after the name of a route.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::WillPass => "will pass now",
            Self::NotPlanned => {
                "is no longer planned: no rule makes its copies, or they go another way now"
            }
            Self::VaultsExist => "will make copies now: the vaults that it names are there",
        }
    }
}

/// A route of which everything is gone that people were told of. It isn't known to fail any more, and
/// it isn't known to pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RouteCleared {
    /// Where the plan is.
    pub at: Location,
    /// What it is called.
    pub name: String,
    /// The slugs of what stood in the way, as people were told.
    pub causes: Vec<String>,
    /// What may stand in the way, in the order in which it must be put right.
    pub open: Vec<OpenCause>,
}

/// A cause that can't be ruled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenCause {
    /// The cause.
    pub cause: Cause,
    /// Why it can't be known, in a sentence; empty where nothing was said of it.
    pub why: String,
}

/// An account and Region that could not be read, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotReadPlace {
    /// Where.
    pub at: Location,
    /// The call that failed.
    pub operation: String,
    /// Why, in a word or two.
    pub reason: String,
    /// What AWS said.
    pub detail: String,
    /// Whether it may well work a little later, such as after a throttle. Nobody refused it.
    pub may_pass: bool,
}

/// How many routes will fail for a cause, as JSON has it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct RoutesOfCause<'n> {
    /// The cause.
    cause: &'n str,
    /// How many.
    routes: usize,
}

fn causes<S: Serializer>(causes: &[(String, usize)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(causes.iter().map(|(cause, routes)| RoutesOfCause {
        cause,
        routes: *routes,
    }))
}

/// How many routes that aren't followed one by one are known to fail in a place, as JSON has it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct MoreRoutes<'n> {
    /// Where.
    at: &'n Location,
    /// How many there are now.
    routes: u64,
}

fn more<S: Serializer>(more: &[(Location, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(more.iter().map(|(at, routes)| MoreRoutes {
        at,
        routes: *routes,
    }))
}
