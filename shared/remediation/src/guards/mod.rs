//! The guards: named checks, every one of which must pass before anything is written or a copy is
//! started. Fail closed: what isn't known doesn't pass.
//!
//! A guard is one entry in `table`: its name, what it means, what a person does about it, what it
//! is asked of, and its check. [`ask`] asks a checklist; the permission to write is made in
//! [`crate::write`], which asks it whole.

mod chain;
mod copy;
mod key;
mod ledger;
mod owner;
mod plan;
mod put;
mod service_linked_role;
mod table;

use std::fmt::Display;

use copymend_diagnosis::{Cause, Facts, Failure, Remedy, Repairable};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::history::History;
use crate::ledger::{Lease, PolicyHistory};
use crate::plan::{Edit, Plan, PlanError, Target};
use crate::ports::CallResult;
use crate::settings::Settings;

pub use copy::StartedBy;
pub(crate) use copy::entries_that_admit;
pub use ledger::TIME_FOR_A_WRITE;
pub(crate) use ledger::lease_holds;
pub(crate) use owner::is_opt_out;
pub use owner::{OPT_OUT_TAG, OwnerTags};
pub use table::{Entry, Guard};

/// What guards are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Writing a vault's access policy.
    VaultPolicy,
    /// Writing a key's policy.
    KeyPolicy,
    /// Creating AWS Backup's service-linked role.
    ServiceLinkedRole,
    /// Starting the copy again, without a change.
    Retry,
}

impl Act {
    /// Every kind. `Retry` stays the last, so that a kind that is left out here doesn't compile.
    pub const ALL: [Self; Self::Retry as usize + 1] = [
        Self::VaultPolicy,
        Self::KeyPolicy,
        Self::ServiceLinkedRole,
        Self::Retry,
    ];

    /// What a cause asks for.
    #[must_use]
    pub const fn about(cause: Cause) -> Self {
        match cause.remedy() {
            Remedy::Repair(Repairable::VaultPolicy) => Self::VaultPolicy,
            Remedy::Repair(Repairable::KeyPolicy) => Self::KeyPolicy,
            Remedy::Repair(Repairable::ServiceLinkedRole) => Self::ServiceLinkedRole,
            Remedy::Retry | Remedy::Advise => Self::Retry,
        }
    }

    /// The cause that it repairs.
    const fn cause(self) -> Option<Cause> {
        match self {
            Self::VaultPolicy => Some(Cause::DestinationVaultPolicy),
            Self::KeyPolicy => Some(Cause::SourceKeyPolicy),
            Self::ServiceLinkedRole => Some(Cause::ServiceLinkedRole),
            Self::Retry => None,
        }
    }

    /// The guards that must all pass, in their order.
    pub fn checklist(self) -> impl Iterator<Item = Guard> {
        Guard::ALL
            .into_iter()
            .filter(move |guard| guard.entry().asked_of.contains(&self))
    }
}

/// How much has to be known before a guard can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The failed copy, the settings, and what the ledger remembers of the copy.
    Copy,
    /// The facts, and the planned change.
    Change,
    /// What was written to the resource before.
    EarlierWrites,
    /// The lease, and the time that is left.
    Lease,
}

/// What a check sees. What is absent isn't known yet, and its guards aren't asked.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// What is to be done.
    pub act: Act,
    /// The failed copy.
    pub failure: &'q Failure,
    /// The settings in force.
    pub settings: &'q Settings,
    /// What the ledger remembers of the copy.
    pub history: &'q History,
    /// What AWS answered.
    pub facts: Option<&'q Facts>,
    /// The owners' tags, where nothing else was read.
    pub tags: Option<OwnerTags<'q>>,
    /// The change, or why none could be planned.
    pub plan: Option<Result<&'q Plan, &'q PlanError>>,
    /// What was written to the resource before.
    pub writes: Option<&'q CallResult<PolicyHistory>>,
    /// How many policies were written for the source account today.
    pub source_writes: Option<&'q CallResult<u32>>,
    /// The lease, if a ledger keeps one, and the end of the invocation.
    pub lease: Option<(Option<&'q Lease>, Timestamp)>,
    /// Now.
    pub now: Timestamp,
}

/// What a check answers. None where it can't be asked.
pub(crate) type Answer = Option<(bool, String)>;

/// The answer of a guard that rests on what isn't known: it lets nothing pass, and says why it doesn't
/// know instead of blaming the copy.
pub(crate) fn not_known(what: &str, why: impl Display) -> (bool, String) {
    (false, format!("{what} is not known: {why}"))
}

/// A guard's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GuardResult {
    /// The guard.
    #[serde(rename = "name", serialize_with = "by_name")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "names"))]
    pub guard: Guard,
    /// Whether it lets the write pass.
    pub passed: bool,
    /// What it saw.
    pub detail: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn by_name<S: Serializer>(guard: &Guard, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(guard.name())
}

#[cfg(feature = "schema")]
fn names(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": "string", "enum": Guard::ALL.map(Guard::name).to_vec()})
}

/// Asks the guards of some stages that can be asked, in their order.
#[must_use]
pub fn ask(question: &Question<'_>, stages: &[Stage]) -> Vec<GuardResult> {
    question
        .act
        .checklist()
        .filter(|guard| stages.contains(&guard.entry().stage))
        .filter_map(|guard| result(guard, question))
        .collect()
}

fn result(guard: Guard, question: &Question<'_>) -> Option<GuardResult> {
    let (passed, detail) = (guard.entry().check)(question)?;
    Some(GuardResult {
        guard,
        passed,
        detail,
    })
}

/// Asks the whole checklist. The answer is `true` if every guard could be asked and passed.
#[must_use]
pub(crate) fn ask_all(question: &Question<'_>) -> (Vec<GuardResult>, bool) {
    let mut every = true;
    let mut guards = Vec::new();
    for guard in question.act.checklist() {
        let answer = result(guard, question);
        every &= answer.as_ref().is_some_and(|guard| guard.passed);
        guards.extend(answer);
    }
    (guards, every)
}

/// Whether every guard passed. No guard at all is no pass.
#[must_use]
pub fn all_passed(guards: &[GuardResult]) -> bool {
    !guards.is_empty() && guards.iter().all(|guard| guard.passed)
}

/// Whether no guard but [`Guard::Mode`] failed: nothing but observe mode stands in the way.
#[must_use]
pub(crate) fn only_mode_failed(guards: &[GuardResult]) -> bool {
    guards
        .iter()
        .all(|guard| guard.passed || guard.guard == Guard::Mode)
}

/// Whether this guard failed.
#[must_use]
pub(crate) fn failed(guards: &[GuardResult], which: Guard) -> bool {
    guards
        .iter()
        .any(|guard| guard.guard == which && !guard.passed)
}

/// Puts newer answers in the place of older ones.
pub(crate) fn replace(guards: &mut Vec<GuardResult>, newer: Vec<GuardResult>) {
    guards.retain(|old| newer.iter().all(|new| new.guard != old.guard));
    guards.extend(newer);
    guards.sort_by_key(|guard| guard.guard);
}

impl<'q> Question<'q> {
    /// A question about a copy of which nothing else is known yet.
    #[must_use]
    pub const fn of(
        act: Act,
        failure: &'q Failure,
        settings: &'q Settings,
        history: &'q History,
    ) -> Self {
        Self {
            act,
            failure,
            settings,
            history,
            facts: None,
            tags: None,
            plan: None,
            writes: None,
            source_writes: None,
            lease: None,
            now: history.now,
        }
    }

    /// The planned change, where there is one.
    pub(crate) fn planned(&self) -> Option<&Plan> {
        self.plan?.ok()
    }

    /// The planned change of a policy, where there is one.
    fn edit(&self) -> Option<&Edit> {
        self.planned()?.edit.as_ref()
    }

    /// What a change writes to.
    fn target(&self) -> Option<&Target> {
        self.planned().map(|plan| &plan.target)
    }
}
