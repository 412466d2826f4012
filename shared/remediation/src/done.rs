//! What was done about an event, and the Report that is built of it at the end.

use copymend_diagnosis::{
    Advice, Cause, CopyJobEvent, Diagnosis, Facts, Failure, SourceKey, WhyUnknown,
    steps_after_refused_put,
};
use jiff::Timestamp;

use crate::agreement::PlanHash;
use crate::decide::Decision;
use crate::guards::GuardResult;
use crate::ledger::{AfterChange, Pause, RetryRecord};
use crate::plan::Target;
use crate::ports::{CallError, CallResult};
use crate::report::{
    CopySummary, DecisionKind, DiagnosisReport, Incident, Outcome, PolicyChange, Report, Subject,
};
use crate::settings::Mode;

/// What is known of the event.
pub(crate) struct Findings<'f> {
    pub event: &'f CopyJobEvent,
    /// The failure, where AWS Backup confirmed it.
    pub failure: Option<&'f Failure>,
    pub diagnosis: &'f Diagnosis,
    pub unknown: Vec<WhyUnknown>,
    /// What people should do, if something is left for them.
    pub advice: Option<Advice>,
}

/// What was done about it.
#[derive(Debug)]
pub(crate) struct Done {
    pub decision: DecisionKind,
    pub outcome: Outcome,
    pub guards: Vec<GuardResult>,
    pub changes: Vec<PolicyChange>,
    pub refused_changes: Vec<PolicyChange>,
    pub retried_job: Option<String>,
    /// What is to be remembered of the retried job, where that isn't done yet.
    pub unrecorded_retry: Option<RetryRecord>,
    /// The pause in force after a repair, where it was asked for since.
    pub pause: Option<CallResult<Option<Pause>>>,
    pub not_before: Option<Timestamp>,
    pub notes: Vec<String>,
    /// What people must do before anything else that is advised.
    pub first_steps: Vec<String>,
    /// The cause, where an earlier delivery or another copy's repair tells it better than the
    /// diagnosis.
    pub cause: Option<Cause>,
    /// The change of ours that admits the copy by now.
    pub after_change: Option<AfterChange>,
    pub incident: Option<Incident>,
    pub told_by_its_change: bool,
    /// Whether something is left for people.
    pub needs_advice: bool,
    /// Whether AWS Backup confirmed the event otherwise than as a failure: a copy that worked, a
    /// job that was handled.
    pub is_confirmed: bool,
    pub occurrences: Option<u64>,
    /// The hash of what is planned, where only the mode stands in its way.
    pub plan: Option<PlanHash>,
}

impl Done {
    /// Before anything is done.
    pub(crate) const fn before(decision: &Decision) -> Self {
        let (decision, outcome) = match decision {
            Decision::Repair(_) => (DecisionKind::Repair, Outcome::Advised),
            Decision::Propose(Some(_)) => (DecisionKind::Repair, Outcome::Planned),
            Decision::Propose(None) => (DecisionKind::Retry, Outcome::Planned),
            Decision::Retry => (DecisionKind::Retry, Outcome::Advised),
            Decision::Resume(..) => (DecisionKind::Repair, Outcome::Repaired),
            Decision::Advise | Decision::ReadAgain(_) => (DecisionKind::Advise, Outcome::Advised),
            Decision::Refuse(_) => (DecisionKind::Refuse, Outcome::Refused),
            Decision::Nothing => (DecisionKind::Nothing, Outcome::Nothing),
        };
        Self::new(decision, outcome)
    }

    pub(crate) const fn new(decision: DecisionKind, outcome: Outcome) -> Self {
        Self {
            decision,
            outcome,
            guards: Vec::new(),
            changes: Vec::new(),
            refused_changes: Vec::new(),
            retried_job: None,
            unrecorded_retry: None,
            pause: None,
            not_before: None,
            notes: Vec::new(),
            first_steps: Vec::new(),
            cause: None,
            after_change: None,
            incident: None,
            told_by_its_change: false,
            needs_advice: true,
            is_confirmed: false,
            occurrences: None,
            plan: None,
        }
    }

    pub(crate) fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The copy only has to be started again.
    pub(crate) fn retrying(self) -> Self {
        Self {
            decision: DecisionKind::Retry,
            ..self
        }
    }

    /// A guard refused in the end.
    pub(crate) fn refused(self) -> Self {
        Self {
            decision: DecisionKind::Refuse,
            outcome: Outcome::Refused,
            ..self
        }
    }
}

impl Report {
    /// The Report of an event: what was found, and what was done.
    pub(crate) fn of(findings: Findings<'_>, mode: Mode, done: Done) -> Self {
        let Findings {
            event,
            failure,
            diagnosis,
            unknown,
            advice,
        } = findings;
        let advice = advice.map(|mut advice| {
            advice.steps.splice(0..0, done.first_steps);
            advice
        });
        let job = failure.map(Failure::job);
        let mut copy = CopySummary::from(event);
        if let Some(job) = job {
            copy.recovery_point = Some(job.source_recovery_point.to_string());
        }
        let cause = done.cause.unwrap_or_else(|| diagnosis.cause());
        let id = event.id.as_ref().unwrap_or(&event.copy_job_id).clone();
        let message = job.map_or(&event.status_message, |job| &job.status_message);
        Self {
            verified: failure.is_some() || done.is_confirmed,
            mode: Some(mode),
            diagnosis: DiagnosisReport {
                cause,
                candidates: diagnosis.candidates().to_vec(),
                unknown,
            },
            decision: done.decision,
            guards: done.guards,
            changes: done.changes,
            refused_changes: done.refused_changes,
            outcome: done.outcome,
            retried_job: done.retried_job,
            unrecorded_retry: done.unrecorded_retry,
            not_before: done.not_before,
            advice: advice.filter(|_| done.needs_advice),
            notes: done.notes,
            occurrences: done.occurrences,
            incident: done.incident,
            told_by_its_change: done.told_by_its_change,
            plan: done.plan.filter(|_| done.outcome == Outcome::Planned),
            ..Self::blank(id, Subject::Copy(copy), message)
        }
    }
}

/// What people must do first after AWS refused to store a policy for what it holds: otherwise it
/// would refuse theirs, too. Nothing where another call failed.
pub(crate) fn first_steps(
    error: &CallError,
    target: &Target,
    facts: Option<&Facts>,
) -> Vec<String> {
    let is_put = ["backup:PutBackupVaultAccessPolicy", "kms:PutKeyPolicy"];
    if !is_put.contains(&error.operation) {
        return Vec::new();
    }
    let policy = facts.and_then(|facts| match (target, &facts.source_key) {
        (Target::VaultPolicy(_), _) => facts.vault_policy.known().and_then(Option::as_ref),
        (Target::KeyPolicy(key), SourceKey::Key(found)) if found.arn == *key => {
            found.policy.known()
        }
        (Target::KeyPolicy(_) | Target::ServiceLinkedRole(_), _) => None,
    });
    steps_after_refused_put(policy, &error.detail)
}
