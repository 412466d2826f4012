//! A decision carried out: what is written, and the copy started again.

use crate::agreement::Agreement;
use crate::asked_ahead::OrganizationAhead;
use crate::change::{change_recorded, recorded_statements};
use crate::decide::{Decided, Investigated};
use crate::done::{Done, first_steps};
use crate::guards::{Act, Guard, Question, replace};
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::history::History;
use crate::later::Arrival;
use crate::ledger::{Change, ChangeState, Ledger};
use crate::pause::{ask_for_pause, asked_for};
use crate::plan::{Target, sids};
use crate::ports::{CallResult, Clock, Environment};
use crate::repair::{Ending, Repair, Repaired};
use crate::report::Outcome;
use crate::retry::{Following, Retried, Retry, why_not_started};
use crate::show::{Case, Deed, Organizations, Shown, after, incident_of};
use crate::write::permit_copy;
use copymend_diagnosis::{Failure, SourceKey};

impl<E: Environment> CopyRemediator<E> {
    /// Finds out what there is to know of a failed copy.
    pub(crate) async fn investigate(
        &self,
        failure: &Failure,
        history: &History,
        (arrival, invocation): (Arrival<'_>, &Invocation),
    ) -> CallResult<Investigated> {
        if let Some(admitted) = self.still_admitted(failure, history, arrival).await? {
            return Ok(admitted);
        }
        let organizations = Organizations::of(self.settings.mode, history);
        // It was asked as an event asks: where a person stands behind this one, it is read anew.
        let as_asked = organizations == Organizations::of_event(self.settings.mode);
        let ahead = arrival.ahead.filter(|_| as_asked);
        let ahead = ahead.and_then(OrganizationAhead::take);
        let facts = self.facts(failure, invocation, organizations, ahead).await;
        if let Some(tags) = facts.vault_tags.known() {
            let vault = &failure.job().destination_vault;
            self.owners_tags.remember(vault, tags, facts.read_at);
        }
        if let SourceKey::Key(key) = &facts.source_key
            && let Some(tags) = key.tags.known()
        {
            self.looked_at_key(failure, history, tags).await;
        }
        Ok(Investigated::Whole(Box::new(facts)))
    }

    /// Does what was decided.
    pub(crate) async fn carry_out(
        &self,
        decided: Decided,
        case: &Case<'_>,
    ) -> Result<Done, HandlerError> {
        let is_of_unlisted_source = decided.is_of_unlisted_source;
        let (done, deed) = match self.show(decided, case).await {
            Shown::Done(done) => return Ok(done),
            Shown::Planned(done) => return Ok(self.would_wait(done, case)),
            Shown::Deed(done, deed) => (done, deed),
        };
        match deed {
            Deed::Retry => self.start_again(done, case).await,
            Deed::ReadAgain(otherwise) => {
                let otherwise = Decided {
                    decision: *otherwise,
                    guards: done.guards.clone(),
                    is_of_unlisted_source,
                };
                self.read_again(done, otherwise, case).await
            }
            Deed::Resume(change, state) => self.resume(done, case, *change, state).await,
            Deed::Repair(plan) => {
                let Some(facts) = case.investigated.facts() else {
                    return Ok(done.refused());
                };
                let repair = Repair {
                    environment: &self.environment,
                    settings: &self.settings,
                    failure: case.failure,
                    facts,
                    invocation: case.invocation,
                    history: case.history,
                };
                let repaired = repair.run(&plan).await?;
                self.repaired(done, repaired, &plan.target, case).await
            }
        }
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
        done.pause = repaired.pause;
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
            // It isn't what the person was shown.
            Ok(Ending::AdmittedMeanwhile { .. }) if case.history.agreement.is_some() => {
                Ok(done.refused().with_note(
                    "the policy was changed since the plan was shown, and admits the copy by now: nothing was written or started; plan it again",
                ))
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

    /// What the ledger remembers of the copy, right before it is started again. The pause is asked anew: a
    /// repair takes time.
    async fn history_of_retry(
        &self,
        done: &mut Done,
        case: &Case<'_>,
        ledger: &E::Ledger,
    ) -> Result<History, HandlerError> {
        let pause = match (done.pause.take(), &case.history.pause) {
            (Some(pause), _) => asked_for(pause),
            // It was asked for with the event, a moment ago.
            (None, Some(pause)) if case.begin.is_some() => Ok(pause.clone()),
            (None, Some(_) | None) => ask_for_pause(&self.environment, ledger).await,
        };
        let agreement = case.history.agreement.clone();
        Ok(History {
            pause: Some(pause?),
            agreement: match done.outcome {
                // The change that was agreed to is made: the copy is what is left of the plan.
                Outcome::Repaired => agreement.map(Agreement::carried_out),
                Outcome::RepairedAndRetried
                | Outcome::Retried
                | Outcome::RetryPlanned
                | Outcome::Planned
                | Outcome::Advised
                | Outcome::Refused
                | Outcome::Failed
                | Outcome::Recovered
                | Outcome::Nothing
                | Outcome::AlreadyHandled => agreement,
            },
            ..case.history.clone()
        })
    }

    /// Whether the copy is put off, where it must not be started yet.
    async fn is_put_off(&self, done: &mut Done, case: &Case<'_>) -> Result<bool, HandlerError> {
        let now = self.now();
        let not_before = case.start_not_before(now);
        if not_before <= now || !self.may_put_off() {
            return Ok(false);
        }
        match self.put_off(case.arrival, not_before).await {
            Ok(()) => {
                done.outcome = Outcome::RetryPlanned;
                done.not_before = Some(not_before);
                Ok(true)
            }
            Err(error) if error.may_pass() => Err(HandlerError::Call(error)),
            Err(error) => {
                done.notes.push(format!(
                    "the copy was not put off until {not_before}: {error}"
                ));
                Ok(false)
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
            return self
                .started_before(done, (failure, case.history), ledger, job)
                .await;
        }
        let history = self.history_of_retry(&mut done, case, ledger).await?;
        let (mut guards, copy) = permit_copy(&Question {
            facts: case.investigated.facts(),
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
        if self.is_put_off(&mut done, case).await? {
            return Ok(done);
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
        let retry = Retry {
            environment,
            ledger,
            settings,
            failure,
            history: case.history,
            begin: case.begin,
            message: case.message,
        };
        let (outcome, note) = match retry.start(&copy, following).await {
            Ok(Retried::Started {
                job,
                attempt,
                record,
            }) => {
                let note = format!(
                    "the copy was started again as job {job}, attempt {attempt} of {budget}"
                );
                done.retried_job = Some(job);
                done.unrecorded_retry = Some(record);
                (Outcome::Retried, note)
            }
            Ok(Retried::NotNow) => {
                let why = "another invocation handles this job, or Copymend was paused meanwhile"
                    .to_owned();
                (Outcome::Advised, not_started(why))
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
}
