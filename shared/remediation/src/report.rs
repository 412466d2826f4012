//! The Report: what the handler answers, and what people read once it is rendered.

use std::fmt;

use copymend_diagnosis::advisor::Findings;
use copymend_diagnosis::{Advice, Assessment, Cause, PermissionAnswer, WhyUnknown};
use copymend_policy::Certificate;
use copymend_policy::text::cut;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::agreement::PlanHash;
use crate::approval::{Approval, ApprovalRequest};
pub use crate::guards::{Guard, GuardResult};
use crate::ownership::ManagedBy;
use crate::retried::RetryRecord;
use crate::settings::Mode;
use crate::settings_notice::RecordedSettings;
pub use crate::subject::{CallSummary, CopySummary, JobSummary, Subject};

/// How many characters of a message are told. AWS's are far shorter; an event that nobody confirms may
/// hold as many as it likes, and an answer of AWS Lambda takes 6 MB (Lambda developer guide, "Lambda
/// quotas", documented).
pub const LONGEST_MESSAGE: usize = 10_000;

/// What Copymend made of one event. That of the access advisor, which changes nothing, has no mode,
/// no guards and no changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// The event's id; the copy job's where the event has none.
    pub event: String,
    /// What was refused or failed.
    #[serde(flatten)]
    pub subject: Subject,
    /// Whether AWS Backup confirmed the event. Nothing is ever written otherwise. A refused call
    /// can't be looked up by its id, so it never is confirmed.
    pub verified: bool,
    /// The mode at the time; absent where nothing could be written in any mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The service's words, untouched; of more than [`LONGEST_MESSAGE`] characters the beginning.
    pub message: String,
    /// The cause with its evidence.
    pub diagnosis: DiagnosisReport,
    /// The permissions that a call or a job needs, one by one; absent for a copy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<PermissionAnswer>>,
    /// What was decided.
    pub decision: DecisionKind,
    /// Every guard that was asked, in order.
    pub guards: Vec<GuardResult>,
    /// Policy changes: made in repair mode, planned in observe mode. A refused repair has none.
    pub changes: Vec<PolicyChange>,
    /// The change that a refused repair would have made, for people to apply or to drop.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_changes: Vec<PolicyChange>,
    /// The code that owns what is changed, where tags say so: its next run takes our statement out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<ManagedBy>,
    /// How it ended.
    pub outcome: Outcome,
    /// The id of the copy that was started again.
    pub retried_job: Option<String>,
    /// Where the event is put off: nothing is started for it before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// What people should do, where something is left for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// The least-privilege policy to attach to the caller or job role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Value>,
    /// The question to people, or who answered it, where a plan needs a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// Anything else worth knowing, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How often this incident was seen, where a ledger counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurrences: Option<u64>,
    /// Where a copy works again: the seconds from the incident's first failure until now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds_to_good_copy: Option<u32>,
    /// The hash of what is planned, where only the mode stands in its way.
    #[serde(skip)]
    pub plan: Option<PlanHash>,
    /// The question to keep before people are told of it.
    #[serde(skip)]
    pub request: Option<ApprovalRequest>,
    /// What the event is counted under, where that is not the cause and the first resource: copies
    /// that only have to be started again, because the policy was repaired for another copy, belong
    /// to that repair.
    #[serde(skip)]
    pub incident: Option<Incident>,
    /// Whether a change of ours admits the copy, whose own report tells people of it.
    #[serde(skip)]
    pub told_by_its_change: bool,
    /// The settings in force, where the notes say how they changed: people hear of it, whatever the
    /// incident's count.
    #[serde(skip)]
    pub changed_settings: Option<RecordedSettings>,
    /// What is to be remembered of the retried job, where that isn't done yet.
    #[serde(skip)]
    pub unrecorded_retry: Option<RetryRecord>,
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
    /// The same with what the advisor found out.
    #[must_use]
    pub fn advised(self, findings: Findings) -> Self {
        let first = findings.candidates.first();
        Self {
            diagnosis: DiagnosisReport {
                cause: first.map_or(Cause::Unknown, |candidate| candidate.cause),
                candidates: findings.candidates,
                unknown: findings.unknown,
            },
            decision: DecisionKind::Advise,
            outcome: Outcome::Advised,
            advice: Some(findings.advice),
            permissions: Some(findings.permissions),
            policy: findings.policy,
            ..self
        }
    }

    /// A Report before anything is found out or done.
    #[must_use]
    pub fn blank(event: String, subject: Subject, message: &str) -> Self {
        Self {
            event,
            verified: false,
            mode: None,
            message: cut(message, LONGEST_MESSAGE),
            diagnosis: DiagnosisReport {
                cause: Cause::Unknown,
                candidates: Vec::new(),
                unknown: Vec::new(),
            },
            permissions: match subject {
                Subject::Copy(_) => None,
                Subject::ApiCall(_) | Subject::Job(_) => Some(Vec::new()),
            },
            subject,
            decision: DecisionKind::Nothing,
            guards: Vec::new(),
            changes: Vec::new(),
            refused_changes: Vec::new(),
            managed_by: None,
            outcome: Outcome::Nothing,
            retried_job: None,
            not_before: None,
            advice: None,
            policy: None,
            approval: None,
            notes: Vec::new(),
            occurrences: None,
            seconds_to_good_copy: None,
            plan: None,
            request: None,
            incident: None,
            told_by_its_change: false,
            changed_settings: None,
            unrecorded_retry: None,
        }
    }

    /// The copy job, where it is one.
    #[must_use]
    pub fn copy_job_id(&self) -> Option<&str> {
        match &self.subject {
            Subject::Copy(copy) => Some(&copy.copy_job_id),
            Subject::ApiCall(_) | Subject::Job(_) => None,
        }
    }

    /// Whether what failed is as sure as it can be. A refused call can't be looked up, so its event
    /// is all there is.
    #[must_use]
    pub const fn is_confirmed(&self) -> bool {
        match self.subject {
            Subject::ApiCall(_) => true,
            Subject::Copy(_) | Subject::Job(_) => self.verified,
        }
    }

    /// Whether a fact is missing for a reason that passes, such as throttling, and nothing was
    /// done, or a policy was put that didn't show it: then the event counts as not handled, and
    /// another delivery, a sweep or a replay takes it up again.
    #[must_use]
    pub fn awaits_another_delivery(&self) -> bool {
        let passes = self
            .diagnosis
            .unknown
            .iter()
            .any(|why| why.reason.may_pass());
        match self.outcome {
            // What only explains is told at once, with what could not be read.
            _ if self.copy_job_id().is_none() => false,
            Outcome::Advised | Outcome::Refused => passes,
            Outcome::Failed => passes || self.changes.iter().any(|change| !change.applied),
            Outcome::RepairedAndRetried
            | Outcome::Repaired
            | Outcome::Retried
            | Outcome::RetryPlanned
            | Outcome::Planned
            | Outcome::Recovered
            | Outcome::Nothing
            | Outcome::AlreadyHandled => false,
        }
    }
}

/// The diagnosis as it is reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// What is recorded of a repair whose copy is started again later.
const REPAIRED_AND_PLANNED: &str = "repaired-and-retry-planned";

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The policy was repaired and the copy started again.
    RepairedAndRetried,
    /// The policy was repaired; the copy was not started again, and the notes say why.
    Repaired,
    /// The copy was started again.
    Retried,
    /// The event is put off: it comes back after `not_before`, and is decided again then.
    RetryPlanned,
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
            Self::RetryPlanned => "retry-planned",
            Self::Planned => "planned",
            Self::Advised => "advised",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Recovered => "recovered",
            Self::Nothing => "nothing",
            Self::AlreadyHandled => "already-handled",
        }
    }

    /// What is recorded of a report that was counted: a later delivery has to know whether people
    /// were told of a grant.
    pub(crate) const fn counted_as(self, is_grant: bool) -> &'static str {
        match self {
            Self::RetryPlanned if is_grant => REPAIRED_AND_PLANNED,
            Self::RetryPlanned
            | Self::RepairedAndRetried
            | Self::Repaired
            | Self::Retried
            | Self::Planned
            | Self::Advised
            | Self::Refused
            | Self::Failed
            | Self::Recovered
            | Self::Nothing
            | Self::AlreadyHandled => self.slug(),
        }
    }

    const ALL: [Self; 11] = [
        Self::RepairedAndRetried,
        Self::Repaired,
        Self::Retried,
        Self::RetryPlanned,
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
            | Self::RetryPlanned
            | Self::Planned
            | Self::Advised
            | Self::Refused
            | Self::Failed
            | Self::Recovered => true,
        }
    }

    /// What it means to people: whether a policy had to be repaired for it, and whether it is started
    /// at once or in a while, makes no difference to a copy that is under way again.
    const fn news(self) -> Self {
        match self {
            Self::RepairedAndRetried | Self::RetryPlanned => Self::Retried,
            Self::Retried
            | Self::Repaired
            | Self::Planned
            | Self::Advised
            | Self::Refused
            | Self::Failed
            | Self::Recovered
            | Self::Nothing
            | Self::AlreadyHandled => self,
        }
    }

    /// Whether a recorded outcome is one of a repair.
    pub(crate) fn is_of_a_repair(recorded: &str) -> bool {
        recorded == REPAIRED_AND_PLANNED
            || [Self::Repaired, Self::RepairedAndRetried]
                .iter()
                .any(|outcome| outcome.slug() == recorded)
    }

    /// The outcome that was recorded. A slug that this version doesn't know is none.
    pub(crate) fn recorded(recorded: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.counted_as(true) == recorded || outcome.slug() == recorded)
    }

    /// Whether people hear something new, after a recorded outcome. A slug that this version
    /// doesn't know is another one.
    #[must_use]
    pub fn is_news_after(self, recorded: &str) -> bool {
        Self::recorded(recorded).is_none_or(|recorded| recorded.news() != self.news())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.slug())
    }
}

/// A change of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
