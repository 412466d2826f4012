//! A verified failure: investigated, diagnosed, decided upon, and the decision carried out.

use std::time::Duration;

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{
    Advice, Cause, CopyJobEvent, Diagnosis, Facts, Failure, SourceKey, WhyUnknown, advise,
    advise_unlisted_source, diagnose,
};
use jiff::{SignedDuration, Timestamp};

use crate::change::{change_of, change_recorded, recorded_statements};
use crate::decide::{Decided, Decision, Investigated};
use crate::done::{Done, first_steps};
use crate::grantee::grantee;
use crate::guards::{
    Act, Guard, OwnerTags, Question, Stage, StartedBy, ask, only_mode_failed, replace,
};
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::history::{EarlierRepair, History};
use crate::investigate::investigate;
use crate::later::Arrival;
use crate::ledger::{AfterChange, Change, ChangeState, CountedOfSource, Ledger};
use crate::others::{changed_by_others, last_change};
use crate::pause::ask_for_pause;
use crate::plan::{Plan, Target, plan, sids};
use crate::ports::{Clock, Environment};
use crate::read_once::ReadOnce;
use crate::repair::{Ending, Repair, Repaired};
use crate::report::{Incident, Outcome, PolicyChange};
use crate::retry::{Following, Retried, retry, why_not_started};
use crate::settings::{Mode, Settings};
use crate::write::{act_on, permit_copy};

/// Facts that could not be read for a passing reason are read again after this pause, if this much
/// time is left.
const READ_AGAIN_PAUSE: Duration = Duration::from_secs(1);
const TIME_TO_READ_AGAIN: SignedDuration = SignedDuration::from_secs(15);

/// What a decision is about.
pub(crate) struct Case<'c> {
    pub failure: &'c Failure,
    pub diagnosis: &'c Diagnosis,
    pub investigated: &'c Investigated,
    pub history: &'c History,
    pub invocation: &'c Invocation,
    pub arrival: Arrival<'c>,
}

impl Case<'_> {
    /// Before when the copy must not be started again.
    pub(crate) fn start_not_before(&self, now: Timestamp) -> Timestamp {
        self.arrival
            .start_not_before(self.failure, self.diagnosis.cause(), now)
    }
}

impl Investigated {
    /// The diagnosis. The job's own message counts: the event's may be cut, or made up.
    pub(crate) fn diagnose(&self, failure: &Failure) -> Diagnosis {
        let explanation = explain(&failure.job().status_message);
        match self {
            // What the repair was for comes first.
            Self::StillAdmitted { by, .. } => {
                Diagnosis::from_message(&explanation).led_by(by.target.cause())
            }
            Self::Whole(facts) => diagnose(failure, &explanation, facts),
        }
    }

    /// The facts, if the copy was investigated.
    pub(crate) fn facts(&self) -> Option<&Facts> {
        match self {
            Self::StillAdmitted { .. } => None,
            Self::Whole(facts) => Some(facts),
        }
    }

    /// The owners' tags.
    pub(crate) fn owner_tags(&self) -> OwnerTags<'_> {
        match self {
            Self::StillAdmitted {
                vault_tags,
                key_tags,
                ..
            } => OwnerTags {
                vault: vault_tags,
                key: key_tags.as_ref(),
            },
            Self::Whole(facts) => OwnerTags::from(&**facts),
        }
    }

    /// What could not be read.
    pub(crate) fn unknown(&self) -> Vec<WhyUnknown> {
        match self {
            Self::StillAdmitted { .. } => Vec::new(),
            Self::Whole(facts) => facts.unknown().into_iter().cloned().collect(),
        }
    }
}

impl<E: Environment> CopyRemediator<E> {
    /// Finds out what there is to know of a failed copy.
    pub(crate) async fn investigate(
        &self,
        failure: &Failure,
        history: &History,
        invocation: &Invocation,
    ) -> Investigated {
        match self.still_admitted(failure, history).await {
            Some(admitted) => admitted,
            None => Investigated::Whole(Box::new(self.facts(failure, invocation).await)),
        }
    }

    /// What people should do, if it comes to that.
    pub(crate) fn advice(
        &self,
        event: &CopyJobEvent,
        case: &Case<'_>,
        is_of_unlisted_source: bool,
    ) -> Option<Advice> {
        let Investigated::Whole(facts) = case.investigated else {
            return None;
        };
        if !is_of_unlisted_source {
            return Some(advise(case.diagnosis.cause(), event, Some(facts)));
        }
        let job = case.failure.job();
        let started = who_started(case.failure, case.history.started_by);
        let mut entries = self.settings.allowed_sources.iter();
        let is_listed = entries.any(|entry| entry.admits(&job.role, &job.destination_vault));
        Some(advise_unlisted_source(event, started, is_listed, facts))
    }

    /// Does what was decided.
    pub(crate) async fn carry_out(
        &self,
        decided: Decided,
        case: &Case<'_>,
    ) -> Result<Done, HandlerError> {
        let failure = case.failure;
        let settings = &self.settings;
        let mut done = Done {
            guards: decided.guards,
            ..Done::before(&decided.decision)
        };
        match case.investigated {
            Investigated::StillAdmitted { by, .. } => {
                let EarlierRepair {
                    target,
                    at,
                    change_id,
                } = &**by;
                done.after_change = after(change_id.as_deref(), target.as_str());
                done.incident = Some(incident_of(target, failure, settings));
                done.told_by_its_change = true;
                done.notes.push(format!(
                    "the policy of `{}` was repaired at {at}, after this copy had failed",
                    target.as_str()
                ));
            }
            Investigated::Whole(facts) => {
                done.incident = repaired_for_others(case.diagnosis, failure, facts, settings);
                done.told_by_its_change = done.incident.as_ref().is_some_and(|incident| {
                    plan(incident.cause, failure, facts, settings)
                        .is_ok_and(|plan| plan.added().is_empty())
                });
            }
        }
        done.notes.extend(case.history.notes.iter().cloned());
        match decided.decision {
            Decision::Nothing => Ok(done.with_note(
                "this is the parent of a composite job; its children carry the causes and send their own events",
            )),
            Decision::Propose(None) => Ok(self.would_wait(done, case)),
            Decision::Advise | Decision::Refuse(None) => Ok(done),
            Decision::Refuse(Some(plan)) | Decision::Propose(Some(plan)) => {
                let change = self.worked_out(&mut done, &plan, case).await;
                if only_mode_failed(&done.guards) {
                    done.changes.push(change);
                    return Ok(self.would_wait(done, case));
                }
                // Nobody gets a statement to paste for a copy that no owner listed.
                if plan.edit.is_some() && !decided.is_of_unlisted_source {
                    done.refused_changes.push(change);
                }
                Ok(done.refused())
            }
            Decision::Retry => self.start_again(done, case).await,
            Decision::ReadAgain(otherwise) => {
                let otherwise = Decided {
                    decision: *otherwise,
                    guards: done.guards.clone(),
                    is_of_unlisted_source: decided.is_of_unlisted_source,
                };
                self.read_again(done, otherwise, case).await
            }
            Decision::Resume(change, state) => self.resume(done, case, *change, state).await,
            Decision::Repair(plan) => {
                let Some(facts) = case.investigated.facts() else {
                    return Ok(done.refused());
                };
                let repair = Repair {
                    environment: &self.environment,
                    settings,
                    failure,
                    facts,
                    invocation: case.invocation,
                    history: case.history,
                };
                let repaired = repair.run(&plan).await?;
                self.repaired(done, repaired, &plan.target, case).await
            }
        }
    }

    /// Works out the change for people to see. In observe mode what was written before is asked,
    /// too, as the repair would under its lease.
    async fn worked_out(&self, done: &mut Done, plan: &Plan, case: &Case<'_>) -> PolicyChange {
        let failure = case.failure;
        let change = change_of(plan, failure, &self.settings);
        if let (Mode::Observe, Some(ledger)) = (self.settings.mode, self.environment.ledger()) {
            let now = self.environment.clock().now();
            let source = failure.job().account;
            let (writes, source_writes) = tokio::join!(
                ledger.policy_history(&change.resource, now),
                ledger.counted_of_source(CountedOfSource::Writes, source, now)
            );
            let act = act_on(&plan.target);
            let question = Question {
                facts: case.investigated.facts(),
                plan: Some(Ok(plan)),
                writes: Some(&writes),
                source_writes: Some(&source_writes),
                now,
                ..Question::of(act, failure, &self.settings, case.history)
            };
            done.guards.extend(ask(&question, &[Stage::EarlierWrites]));
            let last = writes
                .as_ref()
                .ok()
                .and_then(|writes| writes.last_write.as_ref());
            let ours = last_change(ledger, last).await;
            let changed = ours.and_then(|ours| changed_by_others(&ours, plan.before().as_deref()));
            done.notes.extend(changed);
        }
        change
    }

    /// Goes on where an earlier delivery stopped: the policy is repaired, the copy isn't started
    /// again yet.
    async fn resume(
        &self,
        mut done: Done,
        case: &Case<'_>,
        change: Change,
        state: ChangeState,
    ) -> Result<Done, HandlerError> {
        let Some(ledger) = self.environment.ledger() else {
            return Ok(done);
        };
        // Read again: a person may have taken the change back since, and a key's policy may be read
        // late.
        let recorded = ledger.change(&change.id).await;
        let recorded = recorded?;
        if recorded.is_none_or(|(_, state)| state == ChangeState::Undone) {
            done.retried_job.clone_from(&case.history.retried_as);
            return Ok(done.refused().with_note(
                "an earlier delivery of this event repaired the policy, and somebody took that back since",
            ));
        }
        if state == ChangeState::Intended {
            let sids = sids(&recorded_statements(&change));
            let confirmed = ledger.confirm_change(&change, &sids, None).await;
            confirmed?;
        }
        done.cause = Target::of_resource(&change.resource).map(|target| target.cause());
        done.needs_advice = false;
        done.changes.push(change_recorded(&change, true));
        done.after_change = after(Some(&change.id), &change.resource);
        // It is counted where the earlier delivery counted it: under its change.
        done.incident = None;
        let done = done.with_note(
            "an earlier delivery of this event repaired the policy and did not come to its end",
        );
        self.start_again(done, case).await
    }

    /// What came of a repair, and the copy started again where it was made.
    async fn repaired(
        &self,
        mut done: Done,
        repaired: Repaired,
        target: &Target,
        case: &Case<'_>,
    ) -> Result<Done, HandlerError> {
        done.notes.extend(repaired.notes);
        let was_put = repaired.put.is_some();
        done.changes.extend(repaired.put);
        // The guards under the lease are the ones that count; those that were not asked again stay
        // as they were.
        replace(&mut done.guards, repaired.guards);
        match repaired.ending {
            Ok(Ending::Written(change)) => {
                done.after_change = after(change.id.as_deref(), &change.resource);
                done.changes.push(change);
                done.outcome = Outcome::Repaired;
                done.needs_advice = false;
                self.start_again(done, case).await
            }
            Ok(Ending::AdmittedMeanwhile { is_ours, change_id }) => {
                done.after_change = after(change_id.as_deref(), target.as_str());
                done.told_by_its_change = is_ours;
                done.incident = Some(incident_of(target, case.failure, &self.settings));
                let done = done
                    .retrying()
                    .with_note("someone else's change admits the copy by now; nothing was written");
                let mut done = self.start_again(done, case).await?;
                done.needs_advice =
                    !matches!(done.outcome, Outcome::Retried | Outcome::RetryPlanned);
                Ok(done)
            }
            Ok(Ending::Refused(change)) => {
                // What was put is in the policy, whatever a guard says since.
                if was_put {
                    done.outcome = Outcome::Failed;
                } else {
                    done = done.refused();
                }
                done.refused_changes.extend(change);
                Ok(done)
            }
            Err(error) if error.may_pass() => Err(HandlerError::Call(error)),
            Err(error) => {
                done.outcome = Outcome::Failed;
                done.first_steps = first_steps(&error, target, case.investigated.facts());
                Ok(done.with_note(error.to_string()))
            }
        }
    }

    /// Starts the copy again, within its budget, if every guard of a retry lets it.
    async fn start_again(&self, mut done: Done, case: &Case<'_>) -> Result<Done, HandlerError> {
        let (environment, settings) = (&self.environment, &self.settings);
        let failure = case.failure;
        let Some(ledger) = environment.ledger() else {
            return Ok(done.with_note(
                "the copy was not started again: no ledger counts retries (COPYMEND_LEDGER_TABLE)",
            ));
        };
        if let Some(job) = &case.history.retried_as {
            return self.started_before(done, failure, ledger, job).await;
        }
        // Asked anew: a repair takes time.
        let pause = ask_for_pause(environment, ledger).await;
        let history = History {
            pause: Some(pause?),
            ..case.history.clone()
        };
        let (mut guards, copy) = permit_copy(&Question {
            tags: Some(case.investigated.owner_tags()),
            now: environment.clock().now(),
            ..Question::of(Act::Retry, failure, settings, &history)
        });
        // Those that pass stay in the words of what was done first.
        guards.retain(|guard| !guard.passed || guard.guard == Guard::NotPaused);
        replace(&mut done.guards, guards);
        let Some(copy) = copy else {
            return Ok(done.with_note("the copy was not started again: a guard does not let it"));
        };
        let now = environment.clock().now();
        let not_before = case.start_not_before(now);
        if not_before > now && self.may_put_off() {
            match self.put_off(case.arrival, not_before).await {
                Ok(()) => {
                    done.outcome = Outcome::RetryPlanned;
                    done.not_before = Some(not_before);
                    return Ok(done);
                }
                Err(error) if error.may_pass() => return Err(HandlerError::Call(error)),
                Err(error) => done.notes.push(format!(
                    "the copy was not put off until {not_before}: {error}"
                )),
            }
        }
        let was_repaired = done.outcome == Outcome::Repaired;
        let budget = settings.retry_budget;
        let not_started = |why| format!("the copy was not started again: {why}");
        let failed_for = done.cause.unwrap_or_else(|| case.diagnosis.cause());
        let after_change = done.after_change.take();
        let following = Following {
            cause: failed_for,
            after_change,
        };
        let started = retry(environment, ledger, settings, failure, &copy, following).await;
        let (outcome, note) = match started {
            Ok(Retried::Started { job, attempt }) => {
                let note = format!(
                    "the copy was started again as job {job}, attempt {attempt} of {budget}"
                );
                done.retried_job = Some(job);
                (Outcome::Retried, note)
            }
            Ok(Retried::BudgetUsedUp) => {
                let why = format!("its budget of {budget} retries is used up");
                (Outcome::Advised, not_started(why))
            }
            Ok(Retried::SourceBudgetUsedUp) => {
                let (budget, source) = (settings.source_retry_budget, failure.job().account);
                let why = format!("the {budget} retries of a day for account {source} are used up");
                (Outcome::Advised, not_started(why))
            }
            // The same token starts the same copy, so another delivery does no harm.
            Err(error) if error.may_pass() => return Err(HandlerError::Call(error)),
            Err(error) => (
                Outcome::Failed,
                not_started(why_not_started(&error, failure)),
            ),
        };
        done.outcome = match (was_repaired, &done.retried_job) {
            (false, _) => outcome,
            (true, Some(_)) => Outcome::RepairedAndRetried,
            (true, None) => Outcome::Repaired,
        };
        Ok(done.with_note(note))
    }

    /// Reads the facts; once more where a read failed for a reason that passes, while there is
    /// time.
    async fn facts(&self, failure: &Failure, invocation: &Invocation) -> Facts {
        let environment = ReadOnce::of(&self.environment);
        let facts = Box::pin(investigate(&environment, failure.copy())).await;
        let passes = facts.unknown().iter().any(|why| why.reason.may_pass());
        let clock = self.environment.clock();
        let left = invocation.deadline.duration_since(clock.now());
        if !passes || left < TIME_TO_READ_AGAIN {
            return facts;
        }
        clock.sleep(READ_AGAIN_PAUSE).await;
        Box::pin(investigate(&environment, failure.copy())).await
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
    let target = if diagnosis.is_proposed(Cause::DestinationVaultPolicy) {
        Target::VaultPolicy(failure.job().destination_vault.clone())
    } else if diagnosis.is_proposed(Cause::SourceKeyPolicy) {
        match &facts.source_key {
            SourceKey::Key(key) => Target::KeyPolicy(key.arn.clone()),
            SourceKey::NotEncrypted | SourceKey::Unknown(_) => return None,
        }
    } else {
        return None;
    };
    Some(incident_of(&target, failure, settings))
}

fn after(change_id: Option<&str>, repaired: &str) -> Option<AfterChange> {
    Some(AfterChange {
        change_id: change_id?.to_owned(),
        repaired: repaired.to_owned(),
    })
}

fn incident_of(target: &Target, failure: &Failure, settings: &Settings) -> Incident {
    Incident {
        cause: target.cause(),
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
