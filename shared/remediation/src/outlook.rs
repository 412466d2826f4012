//! What the handler would do about a failed copy, or about a planned one once it has failed, found out
//! without doing it: no ledger is asked, and nothing is written. For those who look at many at once.

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{
    Advice, BackupCopy, Cause, CopyJob, CopyJobEvent, CopyJobState, Diagnosis, Facts, Failure,
    Foreseen, WhyUnknown, advise, advise_planned,
};
use jiff::Timestamp;

use crate::decide::{Decided, Decision, Investigated, decide};
use crate::grantee::grantee;
use crate::guards::StartedBy;
use crate::history::History;
use crate::incident::fingerprint;
use crate::investigate::investigate;
use crate::plan::Plan;
use crate::ports::Reads;
use crate::settings::Settings;

/// What would be done about a failure.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// The ranked causes.
    pub diagnosis: Diagnosis,
    /// The decision, with the guards that were asked for it. Guards that need a ledger weren't.
    pub decided: Decided,
    /// What people should do.
    pub advice: Advice,
    /// The vault or key that the incident is of.
    pub resource: String,
    /// What the ledger would count it under.
    pub fingerprint: String,
    /// The reads that told nothing.
    pub unknown: Vec<WhyUnknown>,
}

impl Outlook {
    /// The best cause.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.diagnosis.cause()
    }

    /// The repair that was planned, whether it is carried out, asked for or refused; nothing where none
    /// is.
    #[must_use]
    pub fn plan(&self) -> Option<&Plan> {
        planned(&self.decided.decision)
    }
}

/// Investigates a failure as the handler does, ranks its causes, and decides with these settings and
/// with nothing remembered of the copy. `as_of` is the time at which it is decided.
pub async fn outlook<E: Reads>(
    environment: &E,
    failure: &Failure,
    settings: &Settings,
    as_of: Timestamp,
) -> Outlook {
    let facts = Box::pin(investigate(environment, failure.copy())).await;
    let job = failure.job();
    let diagnosis = copymend_diagnosis::diagnose(failure, &explain(&job.status_message), &facts);
    let event = CopyJobEvent::of_job(String::new(), job);
    let advice = advise(diagnosis.cause(), &event, Some(&facts));
    of_diagnosis(failure, diagnosis, advice, facts, settings, as_of)
}

/// What would be done about a planned copy that will fail, once it has: decided as [`outlook`] does,
/// as if the copy had failed at `as_of` for what stands in its way first. `None` where nothing is shown
/// to stand in its way.
#[must_use]
pub fn outlook_of_planned(
    copy: &BackupCopy,
    foreseen: &Foreseen,
    facts: Facts,
    settings: &Settings,
    as_of: Timestamp,
) -> Option<Outlook> {
    let diagnosis = Diagnosis::of_planned(foreseen)?;
    // INVARIANT: this failure, which no job confirms, doesn't leave this function. An outlook holds
    // none, and what writes takes one.
    let job = job_of_planned(copy, as_of);
    let event = CopyJobEvent::of_job(String::new(), &job);
    let failure = Failure::verify(&event, job).ok()?;
    let advice = advise_planned(diagnosis.cause(), copy, &facts);
    Some(of_diagnosis(
        &failure, diagnosis, advice, facts, settings, as_of,
    ))
}

/// The job that a planned copy would be once it has failed.
fn job_of_planned(copy: &BackupCopy, failed: Timestamp) -> CopyJob {
    CopyJob {
        id: PLANNED.to_owned(),
        account: copy.account,
        region: copy.region.clone(),
        state: CopyJobState::Failed,
        status_message: String::new(),
        message_category: None,
        source_vault: copy.source_vault.clone(),
        source_recovery_point: copy.source_recovery_point.clone(),
        destination_vault: copy.destination_vault.clone(),
        role: copy.role.clone(),
        resource: copy.resource.clone(),
        resource_type: copy.resource_type.clone(),
        backup_plan: Some(PLANNED.to_owned()),
        lifecycle: copy.lifecycle.clone(),
        parent_job_id: None,
        is_parent: false,
        completed: Some(failed),
        size_bytes: None,
    }
}

/// Stands where a job that hasn't run yet has no id.
const PLANNED: &str = "planned";

fn of_diagnosis(
    failure: &Failure,
    diagnosis: Diagnosis,
    advice: Advice,
    facts: Facts,
    settings: &Settings,
    as_of: Timestamp,
) -> Outlook {
    let job = failure.job();
    let unknown = facts.unknown().into_iter().cloned().collect();
    let history = History {
        now: as_of,
        started_by: match job.backup_plan {
            Some(_) => StartedBy::BackupPlan,
            None => StartedBy::Someone,
        },
        pause: None,
        retry: None,
        retries: None,
        writes: None,
        has_opted_out_key: true,
        intended: None,
        retried_as: None,
        earlier_repair: None,
        is_asked_by_a_person: false,
        agreement: None,
        notes: Vec::new(),
    };
    let investigated = Investigated::Whole(Box::new(facts));
    let decided = decide(failure, &diagnosis, &investigated, settings, &history);
    let cause = diagnosis.cause();
    let account = job.account.as_str();
    let (resource, fingerprint) = if let Some(plan) = planned(&decided.decision) {
        let grantee = grantee(&plan.target, failure, settings);
        let resource = plan.target.as_str();
        (
            resource.to_owned(),
            fingerprint(plan.target.cause(), resource, account, Some(&grantee)),
        )
    } else {
        let resource = job.destination_vault.as_str();
        (
            resource.to_owned(),
            fingerprint(cause, resource, account, None),
        )
    };
    Outlook {
        diagnosis,
        decided,
        advice,
        resource,
        fingerprint,
        unknown,
    }
}

fn planned(decision: &Decision) -> Option<&Plan> {
    match decision {
        Decision::Repair(plan) => Some(plan),
        Decision::Propose(plan) | Decision::Refuse(plan) => plan.as_deref(),
        Decision::ReadAgain(decision) => planned(decision),
        Decision::Retry | Decision::Resume(..) | Decision::Advise | Decision::Nothing => None,
    }
}
