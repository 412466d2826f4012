//! A verified failure: diagnosed, repaired, retried.

use std::time::Duration;

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{
    Cause, CopyJobEvent, Diagnosis, Facts, Failure, SourceKey, advise, advise_unlisted_source,
    diagnose,
};
use jiff::SignedDuration;

use crate::grantee::grantee;
use crate::guards::{
    MODE, SOURCE_ALLOWED, StartedBy, all_passed, entries_that_admit, guard, guards_of_any_write,
    guards_of_history, guards_of_plan, guards_of_retry,
};
use crate::handler::{CopyRemediator, Delivery, HandlerError, Invocation};
use crate::investigate::investigate;
use crate::ledger::Ledger;
use crate::pause::replace;
use crate::plan::{Target, plan};
use crate::ports::{Clock, Environment};
use crate::repair::{Ending, Repair, change_of};
use crate::report::{Decision, GuardResult, Incident, Outcome, Report};
use crate::retry::{Retried, retry, why_not_started};
use crate::settings::{Admits, Mode, Settings};

/// Facts that could not be read for a passing reason are read again after this pause, if this much time is left.
const READ_AGAIN_PAUSE: Duration = Duration::from_secs(1);
const TIME_TO_READ_AGAIN: SignedDuration = SignedDuration::from_secs(15);

impl<E: Environment> CopyRemediator<E> {
    pub(crate) async fn handle_failure(
        &self,
        event: &CopyJobEvent,
        failure: &Failure,
        delivery: &Delivery<'_>,
    ) -> Result<Report, HandlerError> {
        let job = failure.job();
        if let Some(report) = self.admitted_since(event, failure, delivery).await? {
            return Ok(report);
        }
        let facts = Box::new(self.facts(failure, delivery.invocation).await);
        // The job's own message counts: the event's may be cut, or made up.
        let diagnosis = diagnose(failure, &explain(&job.status_message), &facts);
        let unknown = facts.unknown().into_iter().cloned().collect();
        let advice = advise(diagnosis.cause(), event, Some(&facts));
        let mut report = self.blank(event, &diagnosis, unknown, Some(advice));
        report.verified = true;
        report.incident = repaired_for_others(&diagnosis, failure, &facts, &self.settings);
        report.told_by_its_change = report.incident.as_ref().is_some_and(|incident| {
            plan(incident.cause, failure, &facts, &self.settings)
                .is_ok_and(|plan| plan.added.is_empty())
        });
        report.message.clone_from(&job.status_message);
        report.copy.recovery_point = Some(job.source_recovery_point.to_string());
        if job.is_parent {
            report.decision = Decision::Nothing;
            report.outcome = Outcome::Nothing;
            report.notes.push("this is the parent of a composite job; its children carry the causes and send their own events".to_owned());
            return Ok(report);
        }
        let started_by = self.started_by(failure, &mut report).await?;
        let cause = diagnosis.cause();
        let admits = if cause == Cause::DestinationVaultPolicy {
            self.settings.vault_scope.into()
        } else {
            Admits::ThisRole
        };
        let now = self.environment.clock().now();
        let mut guards = guards_of_any_write(failure, &self.settings, started_by, admits, now);
        guards.extend(self.pause_guard().await?);
        if let Some(change) = self.unfinished_change(delivery, failure, &facts).await? {
            guards.extend(guards_of_retry(&facts));
            return self.resume(report, failure, guards, change).await;
        }
        // Nobody gets a statement to paste for a copy that no owner listed, also where the facts don't confirm the cause.
        let has_statements = matches!(
            cause,
            Cause::DestinationVaultPolicy | Cause::SourceKeyPolicy | Cause::ServiceLinkedRole
        );
        if has_statements && is_of_unlisted_source(&guards) {
            let started = who_started(failure, started_by);
            let entries = &self.settings.allowed_sources;
            let is_listed = entries
                .iter()
                .any(|entry| entry.admits(&job.role, &job.destination_vault));
            report.advice = Some(advise_unlisted_source(event, started, is_listed, &facts));
            report.guards.clone_from(&guards);
        }
        let confirmed = diagnosis.confirmed_cause() == Some(cause) && diagnosis.is_proposed(cause);
        if confirmed
            && matches!(
                cause,
                Cause::DestinationVaultPolicy | Cause::SourceKeyPolicy
            )
        {
            self.repair(report, failure, &facts, guards, delivery.invocation)
                .await
        } else if diagnosis.confirmed_cause() == Some(Cause::ServiceLinkedRole)
            && self.settings.create_service_linked_role
        {
            self.repair_service_linked_role(report, failure, &facts, guards, delivery.invocation)
                .await
        } else if cause.is_retryable() {
            let mut guards = guards;
            guards.extend(guards_of_retry(&facts));
            self.retry_only(report, failure, guards).await
        } else {
            Ok(report)
        }
    }

    /// Who started the copy. A ledger that can't tell now asks for another delivery.
    pub(crate) async fn started_by(
        &self,
        failure: &Failure,
        report: &mut Report,
    ) -> Result<StartedBy, HandlerError> {
        if failure.job().backup_plan.is_some() {
            return Ok(StartedBy::BackupPlan);
        }
        let Some(ledger) = self.environment.ledger() else {
            return Ok(StartedBy::Someone);
        };
        Ok(match ledger.retry_of(&failure.job().id).await {
            Ok(Some(retry)) => {
                report.notes.push(format!(
                    "this copy was our own retry of job {}",
                    retry.original_job
                ));
                StartedBy::OwnRetry(retry.origin)
            }
            Ok(None) => StartedBy::Someone,
            Err(error) if error.may_pass() => return Err(HandlerError::Call(error)),
            Err(error) => {
                report.notes.push(error.to_string());
                StartedBy::Someone
            }
        })
    }

    async fn repair(
        &self,
        mut report: Report,
        failure: &Failure,
        facts: &Facts,
        any_write: Vec<GuardResult>,
        invocation: &Invocation,
    ) -> Result<Report, HandlerError> {
        let cause = report.diagnosis.cause;
        report.guards.clone_from(&any_write);
        let planned = match plan(cause, failure, facts, &self.settings) {
            Ok(planned) => planned,
            Err(error) => {
                report.decision = Decision::Refuse;
                report.outcome = Outcome::Refused;
                report.guards.push(guard("plan", false, error.to_string()));
                return Ok(report);
            }
        };
        let asked = guards_of_plan(&planned, failure, facts, &self.settings);
        report.guards.extend(asked);
        // In repair mode these guards are asked under the lease, after a fresh read: held against a policy that was read before
        // another invocation wrote it, our own statement would look as if somebody had removed it.
        if let (Mode::Observe, Some(ledger)) = (self.settings.mode, self.environment.ledger()) {
            let now = self.environment.clock().now();
            let history = ledger.policy_history(planned.target.as_str(), now).await;
            let asked = guards_of_history(&planned, &history, failure, facts, &self.settings);
            report.guards.extend(asked);
        }
        let only_mode_failed = report
            .guards
            .iter()
            .all(|guard| guard.passed || guard.name == MODE);
        if !only_mode_failed {
            report.decision = Decision::Refuse;
            report.outcome = Outcome::Refused;
            // Nobody gets a statement to paste for a copy that no owner listed.
            if !is_of_unlisted_source(&report.guards) {
                let refused = change_of(&planned, failure, &self.settings);
                report.refused_changes.push(refused);
            }
            return Ok(report);
        }
        report.decision = Decision::Repair;
        if self.settings.mode == Mode::Observe {
            report.outcome = Outcome::Planned;
            report
                .changes
                .push(change_of(&planned, failure, &self.settings));
            return Ok(report);
        }
        let incident = incident_of(cause, &planned.target, failure, &self.settings);
        let repair = Repair {
            environment: &self.environment,
            settings: &self.settings,
            failure,
            cause,
            invocation,
            guards: &any_write,
            admitted_by: &entries_that_admit(failure, &planned.target, &self.settings),
        };
        let repaired = repair.run(planned, facts).await;
        report.notes.extend(repaired.notes);
        let was_put = repaired.put.is_some();
        report.changes.extend(repaired.put);
        let asked = report.guards.clone();
        // The guards under the lease are the ones that count; those that were not asked again stay as they were.
        let kept = asked
            .into_iter()
            .filter(|old| repaired.guards.iter().all(|new| new.name != old.name));
        report.guards = kept.chain(repaired.guards.iter().cloned()).collect();
        match repaired.ending {
            Ending::Written(change) => {
                report.changes.push(change);
                report.outcome = Outcome::Repaired;
                report.advice = None;
                self.start_again(report, failure).await
            }
            Ending::AdmittedMeanwhile { is_ours } => {
                report.told_by_its_change = is_ours;
                report.notes.push(
                    "someone else's change admits the copy by now; nothing was written".to_owned(),
                );
                report.incident = Some(incident);
                report.decision = Decision::Retry;
                let mut report = self.start_again(report, failure).await?;
                if report.outcome == Outcome::Retried {
                    report.advice = None;
                }
                Ok(report)
            }
            Ending::Refused(change) => {
                // What was put is in the policy, whatever a guard says since.
                report.outcome = if was_put {
                    Outcome::Failed
                } else {
                    report.decision = Decision::Refuse;
                    Outcome::Refused
                };
                report.refused_changes.extend(change);
                Ok(report)
            }
            Ending::Busy(error) => Err(HandlerError::Call(error)),
            Ending::Failed(error) if error.may_pass() => Err(HandlerError::Call(error)),
            Ending::Failed(error) => {
                report.outcome = Outcome::Failed;
                report.notes.push(error.to_string());
                Ok(report)
            }
        }
    }

    pub(crate) async fn retry_only(
        &self,
        mut report: Report,
        failure: &Failure,
        guards: Vec<GuardResult>,
    ) -> Result<Report, HandlerError> {
        report.guards = guards;
        let only_mode_failed = report
            .guards
            .iter()
            .all(|guard| guard.passed || guard.name == MODE);
        if all_passed(&report.guards) {
            report.decision = Decision::Retry;
            self.start_again(report, failure).await
        } else if only_mode_failed {
            report.decision = Decision::Retry;
            report.outcome = Outcome::Planned;
            Ok(report)
        } else {
            Ok(report)
        }
    }

    pub(crate) async fn start_again(
        &self,
        mut report: Report,
        failure: &Failure,
    ) -> Result<Report, HandlerError> {
        let was_repaired = report.outcome == Outcome::Repaired;
        // Asked anew: a repair takes time.
        if let Some(not_paused) = self.pause_guard().await? {
            let is_paused = !not_paused.passed;
            replace(&mut report.guards, not_paused);
            if is_paused {
                let note = "the copy was not started again: a guard does not let it";
                report.notes.push(note.to_owned());
                return Ok(report);
            }
        }
        match retry(&self.environment, &self.settings, failure).await {
            Retried::Started { job, attempt } => {
                report.notes.push(format!(
                    "the copy was started again as job {job}, attempt {attempt} of {}",
                    self.settings.retry_budget
                ));
                report.retried_job = Some(job);
                report.outcome = if was_repaired {
                    Outcome::RepairedAndRetried
                } else {
                    Outcome::Retried
                };
            }
            Retried::BudgetUsedUp => {
                report.notes.push(format!(
                    "the copy was not started again: its budget of {} retries is used up",
                    self.settings.retry_budget
                ));
                report.outcome = if was_repaired {
                    Outcome::Repaired
                } else {
                    Outcome::Advised
                };
            }
            Retried::NoLedger => {
                report.notes.push("the copy was not started again: no ledger counts retries (COPYMEND_LEDGER_TABLE)".to_owned());
            }
            // The same token starts the same copy, so another delivery does no harm.
            Retried::Failed(error) if error.may_pass() => return Err(HandlerError::Call(error)),
            Retried::Failed(error) => {
                report.notes.push(format!(
                    "the copy was not started again: {}",
                    why_not_started(&error, failure)
                ));
                report.outcome = if was_repaired {
                    Outcome::Repaired
                } else {
                    Outcome::Failed
                };
            }
        }
        Ok(report)
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

fn incident_of(cause: Cause, target: &Target, failure: &Failure, settings: &Settings) -> Incident {
    Incident {
        cause,
        resource: target.as_str().to_owned(),
        grantee: Some(grantee(target, failure, settings)),
    }
}

fn is_of_unlisted_source(guards: &[GuardResult]) -> bool {
    guards
        .iter()
        .any(|guard| guard.name == SOURCE_ALLOWED && !guard.passed)
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
