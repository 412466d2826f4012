//! The Report: what the handler answers, and what people read once it is rendered.

use std::fmt;

use copymend_diagnosis::{Advice, Assessment, Cause, CopyJobEvent, WhyUnknown};
use copymend_policy::Certificate;
use serde::Serialize;

pub use crate::guards::{Guard, GuardResult};
use crate::settings::Mode;

/// What Copymend made of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The event's id; the copy job's where the event has none.
    pub event: String,
    /// The copy.
    pub copy: CopySummary,
    /// Whether AWS Backup confirmed the event. Nothing is ever written otherwise.
    pub verified: bool,
    /// The mode at the time.
    pub mode: Mode,
    /// The failure's message, untouched.
    pub message: String,
    /// The cause with its evidence.
    pub diagnosis: DiagnosisReport,
    /// What was decided.
    pub decision: DecisionKind,
    /// Every guard that was asked, in order.
    pub guards: Vec<GuardResult>,
    /// Policy changes: made in repair mode, planned in observe mode. A refused repair has none.
    pub changes: Vec<PolicyChange>,
    /// The change that a refused repair would have made, for people to apply or to drop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_changes: Vec<PolicyChange>,
    /// How it ended.
    pub outcome: Outcome,
    /// The id of the copy that was started again.
    pub retried_job: Option<String>,
    /// What people should do, where something is left for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// Anything else worth knowing, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How often this incident was seen, where a ledger counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<u64>,
    /// What the event is counted under, where that is not the cause and the first resource: copies that only have to be
    /// started again, because the policy was repaired for another copy, belong to that repair.
    #[serde(skip)]
    pub incident: Option<Incident>,
    /// Whether a change of ours admits the copy, whose own report tells people of it.
    #[serde(skip)]
    pub told_by_its_change: bool,
    /// Whether the notes say how the settings changed: people hear of it, whatever the incident's count.
    #[serde(skip)]
    pub tells_of_settings: bool,
}

/// What events are counted under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The cause.
    pub cause: Cause,
    /// The vault or key.
    pub resource: String,
    /// Whom a change of it admits, in the ledger's words.
    pub grantee: Option<String>,
}

impl Report {
    /// Whether a fact is missing for a reason that passes, such as throttling, and nothing was done, or a policy was put that
    /// didn't show it: then the event counts as not handled, and another delivery, a sweep or a replay takes it up again.
    #[must_use]
    pub fn awaits_another_delivery(&self) -> bool {
        let passes = self
            .diagnosis
            .unknown
            .iter()
            .any(|why| why.reason.may_pass());
        match self.outcome {
            Outcome::Advised | Outcome::Refused => passes,
            Outcome::Failed => passes || self.changes.iter().any(|change| !change.applied),
            Outcome::RepairedAndRetried
            | Outcome::Repaired
            | Outcome::Retried
            | Outcome::Planned
            | Outcome::Recovered
            | Outcome::Nothing
            | Outcome::AlreadyHandled => false,
        }
    }
}

/// The copy that failed, as the job or, unverified, as the event names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CopySummary {
    /// The copy job.
    pub copy_job_id: String,
    /// The account that the job ran in.
    pub account: String,
    /// The Region that the job ran in.
    pub region: String,
    /// The resource that was backed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    /// The recovery point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<String>,
    /// The vault that the copy comes from.
    pub source_vault: String,
    /// The vault that the copy goes to.
    pub destination_vault: String,
    /// The job role.
    pub role: String,
}

impl From<&CopyJobEvent> for CopySummary {
    fn from(event: &CopyJobEvent) -> Self {
        Self {
            copy_job_id: event.copy_job_id.clone(),
            account: event.account.clone(),
            region: event.region.clone(),
            resource: event.resource.as_ref().map(ToString::to_string),
            resource_type: event.resource_type.clone(),
            recovery_point: event
                .source_recovery_point
                .as_ref()
                .map(ToString::to_string),
            source_vault: event.source_vault.to_string(),
            destination_vault: event.destination_vault.to_string(),
            role: event.role.to_string(),
        }
    }
}

/// The diagnosis as it is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiagnosisReport {
    /// The most likely cause.
    pub cause: Cause,
    /// Every candidate with its verdict and evidence, best first.
    pub candidates: Vec<Assessment>,
    /// Reads that told nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<WhyUnknown>,
}

/// What was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecisionKind {
    /// Repair, then start the copy again.
    Repair,
    /// Start the copy again; nothing to repair.
    Retry,
    /// People must act.
    Advise,
    /// A repair exists, but a guard forbids it.
    Refuse,
    /// Nothing to do.
    Nothing,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The policy was repaired and the copy started again.
    RepairedAndRetried,
    /// The policy was repaired; the copy was not started again, and the notes say why.
    Repaired,
    /// The copy was started again.
    Retried,
    /// Observe mode: the change is planned, nothing was written.
    Planned,
    /// People were told what to do.
    Advised,
    /// A guard forbade the repair.
    Refused,
    /// A write was tried and failed; the notes say how things stand.
    Failed,
    /// A copy that was started again worked: the incident is over.
    Recovered,
    /// There was nothing to do.
    Nothing,
    /// An earlier delivery of this event was handled already, or is being handled.
    AlreadyHandled,
}

impl Outcome {
    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::RepairedAndRetried => "repaired-and-retried",
            Self::Repaired => "repaired",
            Self::Retried => "retried",
            Self::Planned => "planned",
            Self::Advised => "advised",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Recovered => "recovered",
            Self::Nothing => "nothing",
            Self::AlreadyHandled => "already-handled",
        }
    }
}

impl Outcome {
    const ALL: [Self; 10] = [
        Self::RepairedAndRetried,
        Self::Repaired,
        Self::Retried,
        Self::Planned,
        Self::Advised,
        Self::Refused,
        Self::Failed,
        Self::Recovered,
        Self::Nothing,
        Self::AlreadyHandled,
    ];

    /// Whether people are told of it at all.
    #[must_use]
    pub const fn is_told(self) -> bool {
        match self {
            Self::Nothing | Self::AlreadyHandled => false,
            Self::RepairedAndRetried
            | Self::Repaired
            | Self::Retried
            | Self::Planned
            | Self::Advised
            | Self::Refused
            | Self::Failed
            | Self::Recovered => true,
        }
    }

    /// What it means to people: whether a policy had to be repaired for it makes no difference to a copy that is under way
    /// again.
    const fn news(self) -> Self {
        match self {
            Self::RepairedAndRetried | Self::Retried => Self::Retried,
            Self::Repaired => Self::Repaired,
            Self::Planned => Self::Planned,
            Self::Advised => Self::Advised,
            Self::Refused => Self::Refused,
            Self::Failed => Self::Failed,
            Self::Recovered => Self::Recovered,
            Self::Nothing => Self::Nothing,
            Self::AlreadyHandled => Self::AlreadyHandled,
        }
    }

    /// Whether a recorded outcome is one of a repair.
    pub(crate) fn is_of_a_repair(recorded: &str) -> bool {
        [Self::Repaired, Self::RepairedAndRetried]
            .iter()
            .any(|outcome| outcome.slug() == recorded)
    }

    /// Whether people hear something new, after a recorded outcome. A slug that this version doesn't know is another one.
    #[must_use]
    pub fn is_news_after(self, recorded: &str) -> bool {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.slug() == recorded)
            .is_none_or(|recorded| recorded.news() != self.news())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

/// A change of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyChange {
    /// The vault or key.
    pub resource: String,
    /// The policy before, byte for byte; absent where there was none.
    pub before: Option<String>,
    /// The policy after, byte for byte.
    pub after: String,
    /// The Sids of the statements that were added.
    pub added: Vec<String>,
    /// The proof that nothing else changed, with what became possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// Whether it was written and read back.
    pub applied: bool,
    /// The change's id in the ledger, once it is recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whom it admits, and to what, in the ledger's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grantee: Option<String>,
}
