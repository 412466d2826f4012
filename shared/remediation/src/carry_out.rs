//! A verified failure: investigated, diagnosed, decided upon, and the decision carried out.

use std::time::Duration;

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{
    Advice, Cause, CopyJobEvent, Diagnosis, Facts, Failure, SourceKey, advise,
    advise_unlisted_source, diagnose,
};
use jiff::SignedDuration;

use crate::decide::{Decided, Decision, Proposal, Repair, decide};
use crate::done::{Done, Findings};
use crate::grantee::grantee;
use crate::guards::{GuardResult, StartedBy, not_paused, replace};
use crate::handler::{CopyRemediator, Delivery, HandlerError, Invocation};
use crate::history::History;
use crate::investigate::investigate;
use crate::pause::ask_for_pause;
use crate::plan::{Plan, Target, plan};
use crate::ports::{Clock, Environment};
use crate::repair::{Ending, PolicyRepair, Repaired, change_of};
use crate::report::{Incident, Outcome, Report};
use crate::retry::{Retried, retry, why_not_started};
use crate::service_linked_role::role_change;
use crate::settings::Settings;

/// Facts that could not be read for a passing reason are read again after this pause, if this much time is left.
const READ_AGAIN_PAUSE: Duration = Duration::from_secs(1);
const TIME_TO_READ_AGAIN: SignedDuration = SignedDuration::from_secs(15);

/// What a decision is about.
struct Case<'c> {
    failure: &'c Failure,
    diagnosis: &'c Diagnosis,
    facts: &'c Facts,
    history: &'c History,
    invocation: &'c Invocation,
}

impl<E: Environment> CopyRemediator<E> {
    pub(crate) async fn handle_failure(
        &self,
        event: &CopyJobEvent,
        failure: &Failure,
        delivery: &Delivery<'_>,
    ) -> Result<Report, HandlerError> {
        if let Some(report) = self.admitted_since(event, failure, delivery).await? {
            return Ok(report);
        }
        let facts = Box::new(self.facts(failure, delivery.invocation).await);
        // The job's own message counts: the event's may be cut, or made up.
        let diagnosis = diagnose(failure, &explain(&failure.job().status_message), &facts);
        let history = self.history(failure, &diagnosis, &facts, delivery).await?;
        let decided = decide(failure, &diagnosis, &facts, &self.settings, &history);
        let case = Case {
            failure,
            diagnosis: &diagnosis,
            facts: &facts,
            history: &history,
            invocation: delivery.invocation,
        };
        let advice = self.advice(event, &case, &decided);
        let done = Box::pin(self.carry_out(decided, &case)).await?;
        let findings = Findings {
            event,
            failure: Some(failure),
            diagnosis: &diagnosis,
            unknown: facts.unknown().into_iter().cloned().collect(),
            advice: Some(advice),
        };
        Ok(Report::of(findings, self.settings.mode, done))
    }

    /// What people should do, if it comes to that.
    fn advice(&self, event: &CopyJobEvent, case: &Case<'_>, decided: &Decided) -> Advice {
        if !decided.is_of_unlisted_source {
            return advise(case.diagnosis.cause(), event, Some(case.facts));
        }
        let job = case.failure.job();
        let started = who_started(case.failure, case.history.started_by);
        let mut entries = self.settings.allowed_sources.iter();
        let is_listed = entries.any(|entry| entry.admits(&job.role, &job.destination_vault));
        advise_unlisted_source(event, started, is_listed, case.facts)
    }

    async fn carry_out(&self, decided: Decided, case: &Case<'_>) -> Result<Done, HandlerError> {
        let failure = case.failure;
        let settings = &self.settings;
        let incident = repaired_for_others(case.diagnosis, failure, case.facts, settings);
        let told_by_its_change = incident.as_ref().is_some_and(|incident| {
            plan(incident.cause, failure, case.facts, settings)
                .is_ok_and(|plan| plan.added.is_empty())
        });
        let done = Done {
            guards: decided.guards,
            notes: case.history.notes.clone(),
            incident,
            told_by_its_change,
            ..Done::of(&decided.decision)
        };
        match decided.decision {
            Decision::Nothing => Ok(done.with_note(
                "this is the parent of a composite job; its children carry the causes and send their own events",
            )),
            Decision::Advise | Decision::Ask(Proposal::Retry) | Decision::Refuse(None) => Ok(done),
            Decision::Refuse(Some(plan)) => Ok(Done {
                refused_changes: vec![change_of(&plan, failure, settings)],
                ..done
            }),
            Decision::Ask(Proposal::Repair(repair)) => {
                let change = match &repair {
                    Repair::Policy(plan) => change_of(plan, failure, settings),
                    Repair::ServiceLinkedRole => role_change(failure, None),
                };
                Ok(Done {
                    changes: vec![change],
                    ..done
                })
            }
            Decision::Retry { .. } => self.start_again(done, failure).await,
            Decision::GoOn(change) => self.go_on(done, failure, *change).await,
            Decision::Repair(Repair::Policy(plan)) => self.repair_policy(done, *plan, case).await,
            Decision::Repair(Repair::ServiceLinkedRole) => {
                let repaired = self
                    .create_service_linked_role(failure, case.facts, case.history, case.invocation)
                    .await;
                self.repaired(done, repaired, None, failure).await
            }
        }
    }

    async fn repair_policy(
        &self,
        done: Done,
        planned: Plan,
        case: &Case<'_>,
    ) -> Result<Done, HandlerError> {
        let diagnosed = case.diagnosis.cause();
        let incident = incident_of(diagnosed, &planned.target, case.failure, &self.settings);
        let repair = PolicyRepair {
            environment: &self.environment,
            settings: &self.settings,
            failure: case.failure,
            cause: diagnosed,
            invocation: case.invocation,
            history: case.history,
        };
        let repaired = repair.run(planned, case.facts).await;
        self.repaired(done, repaired, Some(incident), case.failure)
            .await
    }

    /// What came of a repair, and the copy started again where it was made.
    async fn repaired(
        &self,
        mut done: Done,
        repaired: Repaired,
        incident: Option<Incident>,
        failure: &Failure,
    ) -> Result<Done, HandlerError> {
        done.notes.extend(repaired.notes);
        let was_put = repaired.put.is_some();
        done.changes.extend(repaired.put);
        // The guards under the lease are the ones that count; those that were not asked again stay as they were.
        replace(&mut done.guards, repaired.guards);
        match repaired.ending {
            Ending::Written(change) => {
                done.changes.push(change);
                done.outcome = Outcome::Repaired;
                done.needs_advice = false;
                self.start_again(done, failure).await
            }
            Ending::AdmittedMeanwhile { is_ours } => {
                done.told_by_its_change = is_ours;
                done.incident = incident;
                let done = done
                    .retrying()
                    .with_note("someone else's change admits the copy by now; nothing was written");
                let mut done = self.start_again(done, failure).await?;
                done.needs_advice = done.outcome != Outcome::Retried;
                Ok(done)
            }
            Ending::Refused(change) => {
                // What was put is in the policy, whatever a guard says since.
                if was_put {
                    done.outcome = Outcome::Failed;
                } else {
                    done = done.refused();
                }
                done.refused_changes.extend(change);
                Ok(done)
            }
            Ending::Busy(error) => Err(HandlerError::Call(error)),
            Ending::Failed(error) if error.may_pass() => Err(HandlerError::Call(error)),
            Ending::Failed(error) => {
                done.outcome = Outcome::Failed;
                Ok(done.with_note(error.to_string()))
            }
        }
    }

    /// Starts the copy again, within its budget.
    pub(crate) async fn start_again(
        &self,
        mut done: Done,
        failure: &Failure,
    ) -> Result<Done, HandlerError> {
        let was_repaired = done.outcome == Outcome::Repaired;
        // Asked anew: a repair takes time.
        if let Some(not_paused) = self.pause_guard().await? {
            let is_paused = !not_paused.passed;
            replace(&mut done.guards, vec![not_paused]);
            if is_paused {
                return Ok(done.with_note(NOT_STARTED_BY_A_GUARD));
            }
        }
        let budget = self.settings.retry_budget;
        match retry(&self.environment, &self.settings, failure).await {
            Retried::Started { job, attempt } => {
                let note = format!(
                    "the copy was started again as job {job}, attempt {attempt} of {budget}"
                );
                done.retried_job = Some(job);
                done.outcome = if was_repaired {
                    Outcome::RepairedAndRetried
                } else {
                    Outcome::Retried
                };
                Ok(done.with_note(note))
            }
            Retried::BudgetUsedUp => {
                done.outcome = if was_repaired {
                    Outcome::Repaired
                } else {
                    Outcome::Advised
                };
                Ok(done.with_note(format!(
                    "the copy was not started again: its budget of {budget} retries is used up"
                )))
            }
            Retried::NoLedger => Ok(done.with_note(
                "the copy was not started again: no ledger counts retries (COPYMEND_LEDGER_TABLE)",
            )),
            // The same token starts the same copy, so another delivery does no harm.
            Retried::Failed(error) if error.may_pass() => Err(HandlerError::Call(error)),
            Retried::Failed(error) => {
                done.outcome = if was_repaired {
                    Outcome::Repaired
                } else {
                    Outcome::Failed
                };
                let why = why_not_started(&error, failure);
                Ok(done.with_note(format!("the copy was not started again: {why}")))
            }
        }
    }

    /// The guard `not-paused`, asked anew; none without a ledger.
    async fn pause_guard(&self) -> Result<Option<GuardResult>, HandlerError> {
        let Some(ledger) = self.environment.ledger() else {
            return Ok(None);
        };
        let pause = ask_for_pause(&self.environment, ledger).await;
        Ok(Some(not_paused(&pause.map_err(HandlerError::Call)?)))
    }

    /// Reads the facts; once more where a read failed for a reason that passes, while there is time.
    async fn facts(&self, failure: &Failure, invocation: &Invocation) -> Facts {
        let facts = Box::pin(investigate(&self.environment, failure)).await;
        let passes = facts.unknown().iter().any(|why| why.reason.may_pass());
        let clock = self.environment.clock();
        let left = invocation.deadline.duration_since(clock.now());
        if !passes || left < TIME_TO_READ_AGAIN {
            return facts;
        }
        clock.sleep(READ_AGAIN_PAUSE).await;
        Box::pin(investigate(&self.environment, failure)).await
    }
}

pub(crate) const NOT_STARTED_BY_A_GUARD: &str =
    "the copy was not started again: a guard does not let it";

/// The incident of a copy whose message blames a policy that a statement of ours admits by now.
fn repaired_for_others(
    diagnosis: &Diagnosis,
    failure: &Failure,
    facts: &Facts,
    settings: &Settings,
) -> Option<Incident> {
    if diagnosis.cause() != Cause::Transient {
        return None;
    }
    let (cause, target) = if diagnosis.is_proposed(Cause::DestinationVaultPolicy) {
        let vault = failure.job().destination_vault.clone();
        (Cause::DestinationVaultPolicy, Target::Vault(vault))
    } else if diagnosis.is_proposed(Cause::SourceKeyPolicy) {
        match &facts.source_key {
            SourceKey::Key(key) => (Cause::SourceKeyPolicy, Target::Key(key.arn.clone())),
            SourceKey::NotEncrypted | SourceKey::Unknown(_) => return None,
        }
    } else {
        return None;
    };
    Some(incident_of(cause, &target, failure, settings))
}

pub(crate) fn incident_of(
    cause: Cause,
    target: &Target,
    failure: &Failure,
    settings: &Settings,
) -> Incident {
    Incident {
        cause,
        resource: target.as_str().to_owned(),
        grantee: Some(grantee(target, failure, settings)),
    }
}

/// Who started a copy, in a sentence.
fn who_started(failure: &Failure, started_by: StartedBy) -> String {
    match (&failure.job().backup_plan, started_by) {
        (Some(plan), _) => format!("The backup plan `{plan}` started the copy."),
        (None, StartedBy::OwnRetry(_)) => "The copy is a retry of Copymend's own.".to_owned(),
        (None, StartedBy::Someone | StartedBy::BackupPlan) => {
            "Someone started the copy on demand: CloudTrail shows who called StartCopyJob."
                .to_owned()
        }
    }
}
