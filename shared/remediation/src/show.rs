//! What a decision comes to before anything is written: what the handler and a plan for a person share.

use std::time::Duration;

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{
    Advice, BackupCopy, Cause, CopyJobEvent, Diagnosis, Facts, Failure, SourceKey, WhyUnknown,
    advise, advise_unlisted_source, diagnose,
};
use jiff::{SignedDuration, Timestamp};

use crate::agreement::PlanHash;
use crate::asked_ahead::OrganizationAhead;
use crate::change::change_of;
use crate::claimed_message::ToBeTold;
use crate::decide::{Decided, Decision, Investigated};
use crate::done::Done;
use crate::grantee::grantee;
use crate::guards::{Act, Guard, OwnerTags, Question, Stage, StartedBy, ask, only_mode_failed};
use crate::handler::{CopyRemediator, Invocation};
use crate::history::{EarlierRepair, History};
use crate::investigate::investigate;
use crate::later::Arrival;
use crate::ledger::{AfterChange, Change, ChangeState, Ledger};
use crate::others::{changed_by_others, last_change};
use crate::plan::{Plan, Target, plan};
use crate::ports::{Clock, Organizations as _, Reads};
use crate::read_once::ReadOnce;
use crate::report::{Incident, PolicyChange};
use crate::settings::{Mode, Settings};
use crate::write::act_on;

/// Facts that could not be read for a passing reason are read again after this pause, if this much
/// time is left.
const READ_AGAIN_PAUSE: Duration = Duration::from_secs(1);
const TIME_TO_READ_AGAIN: SignedDuration = SignedDuration::from_secs(15);

/// How fresh the organizations of accounts have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Organizations {
    /// A grant may rest on them.
    ReadAnew,
    /// Nothing is written on them, whoever asks.
    AsReadAMomentAgo,
}

impl Organizations {
    /// As an event needs them. A person may let a change be made that observe mode only shows.
    pub(crate) const fn of(mode: Mode, history: &History) -> Self {
        if history.is_asked_by_a_person || history.agreement.is_some() {
            return Self::ReadAnew;
        }
        Self::of_event(mode)
    }

    /// As an event needs them that no person stands behind.
    pub(crate) const fn of_event(mode: Mode) -> Self {
        match mode {
            Mode::Observe => Self::AsReadAMomentAgo,
            Mode::Approve | Mode::Repair => Self::ReadAnew,
        }
    }
}

/// What a decision is about.
pub(crate) struct Case<'c> {
    pub failure: &'c Failure,
    pub diagnosis: &'c Diagnosis,
    pub investigated: &'c Investigated,
    pub history: &'c History,
    pub invocation: &'c Invocation,
    pub arrival: Arrival<'c>,
    /// Who begins the job with its retry, and until when it is his, where it isn't begun yet.
    pub begin: Option<(&'c str, Timestamp)>,
    /// The message that is claimed with its retry.
    pub message: Option<&'c ToBeTold>,
}

impl Case<'_> {
    /// Before when the copy must not be started again.
    pub(crate) fn start_not_before(&self, now: Timestamp) -> Timestamp {
        self.arrival
            .start_not_before(self.failure, self.diagnosis.cause(), now)
    }
}

/// What a decision comes to, before anything is written.
pub(crate) enum Shown {
    /// Everything: nothing is to be done.
    Done(Done),
    /// Only the mode stands in the way of what is shown.
    Planned(Done),
    /// There is something to do.
    Deed(Done, Deed),
}

/// What is to be done.
pub(crate) enum Deed {
    /// See [`Decision::Retry`].
    Retry,
    /// See [`Decision::ReadAgain`].
    ReadAgain(Box<Decision>),
    /// See [`Decision::Resume`].
    Resume(Box<Change>, ChangeState),
    /// See [`Decision::Repair`].
    Repair(Box<Plan>),
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

impl<E: Reads> CopyRemediator<E> {
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

    /// What was decided, for people to see.
    pub(crate) async fn show(&self, decided: Decided, case: &Case<'_>) -> Shown {
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
            Decision::Nothing => Shown::Done(done.with_note(
                "this is the parent of a composite job; its children carry the causes and send their own events",
            )),
            Decision::Propose(None) => {
                done.plan = Some(PlanHash::of(failure, None));
                Shown::Planned(done)
            }
            Decision::Advise | Decision::Refuse(None) => Shown::Done(done),
            Decision::Refuse(Some(plan)) | Decision::Propose(Some(plan)) => {
                let change = self.worked_out(&mut done, &plan, case).await;
                if only_mode_failed(&done.guards) {
                    done.plan = Some(PlanHash::of(failure, Some(&plan)));
                    done.notes.extend(self.not_started_after(case));
                    done.changes.push(change);
                    return Shown::Planned(done);
                }
                // Nobody gets a statement to paste for a copy that no owner listed.
                if plan.edit.is_some() && !decided.is_of_unlisted_source {
                    done.refused_changes.push(change);
                }
                Shown::Done(done.refused())
            }
            Decision::Retry => Shown::Deed(done, Deed::Retry),
            Decision::ReadAgain(otherwise) => Shown::Deed(done, Deed::ReadAgain(otherwise)),
            Decision::Resume(change, state) => Shown::Deed(done, Deed::Resume(change, state)),
            Decision::Repair(plan) => Shown::Deed(done, Deed::Repair(plan)),
        }
    }

    /// What would keep the copy from being started again once its policy is changed, a sentence each:
    /// people should know before they say yes.
    fn not_started_after(&self, case: &Case<'_>) -> Vec<String> {
        let question = Question {
            facts: case.investigated.facts(),
            tags: Some(case.investigated.owner_tags()),
            now: self.environment.clock().now(),
            ..Question::of(Act::Retry, case.failure, &self.settings, case.history)
        };
        let guards = ask(&question, &[Stage::Copy, Stage::Change]).into_iter();
        let failed = guards.filter(|guard| !guard.passed && guard.guard != Guard::Mode);
        failed
            .map(|guard| {
                let (name, detail) = (guard.guard.name(), guard.detail);
                format!("once the policy is changed, the copy would not be started again: {name}: {detail}")
            })
            .collect()
    }

    /// Works out the change for people to see. Where nothing is written without a person, what was
    /// written before is asked, too, as the repair would under its lease.
    async fn worked_out(&self, done: &mut Done, plan: &Plan, case: &Case<'_>) -> PolicyChange {
        let failure = case.failure;
        let change = change_of(plan, failure, &self.settings);
        if let (Mode::Observe | Mode::Approve, Some(ledger)) =
            (self.settings.mode, self.environment.ledger())
        {
            let now = self.environment.clock().now();
            let source = failure.job().account;
            let known = match (&plan.target, &case.history.writes) {
                (Target::VaultPolicy(_), Some(known)) => Ok(known.clone()),
                (Target::VaultPolicy(_), None)
                | (Target::KeyPolicy(_) | Target::ServiceLinkedRole(_), _) => {
                    ledger.before_write(&change.resource, source, now).await
                }
            };
            let (writes, source_writes) = match known {
                Ok(known) => (known.history, known.source_writes),
                Err(error) => (Err(error.clone()), Err(error)),
            };
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

    /// Asks for what other questions wait for, and makes ready what the investigation of an event's copy needs: sessions in
    /// the account that the copy goes to, and in the management account.
    pub(crate) async fn ask_ahead(
        &self,
        copy: Option<&BackupCopy>,
        ahead: Option<&OrganizationAhead>,
    ) {
        // Nothing is made ready before a copy is confirmed.
        let Some(copy) = copy else {
            return;
        };
        let partition = copy.destination_vault.partition();
        let organization = async {
            let Some(ahead) = ahead else {
                return;
            };
            let reads = self.reads(Organizations::of_event(self.settings.mode));
            let read = reads.describe_organization(copy.account, partition);
            let organization = ahead.of((copy.account, partition), read).await;
            let organization = organization.ok().flatten();
            let management = organization.and_then(|organization| organization.management_account);
            if let Some(account) = management {
                self.environment.make_ready(account, partition).await;
            }
        };
        tokio::join!(
            self.environment
                .make_ready(copy.destination_account, partition),
            organization
        );
    }

    fn reads(&self, organizations: Organizations) -> ReadOnce<'_, E> {
        let environment = ReadOnce::of(&self.environment);
        match organizations {
            Organizations::ReadAnew => environment,
            Organizations::AsReadAMomentAgo => environment.knowing(&self.organizations),
        }
    }

    /// Reads the facts; once more where a read failed for a reason that passes, while there is
    /// time.
    pub(crate) async fn facts(
        &self,
        failure: &Failure,
        invocation: &Invocation,
        organizations: Organizations,
        ahead: Option<&OrganizationAhead>,
    ) -> Facts {
        let environment = self.reads(organizations).after(ahead);
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

pub(crate) fn after(change_id: Option<&str>, repaired: &str) -> Option<AfterChange> {
    Some(AfterChange {
        change_id: change_id?.to_owned(),
        repaired: repaired.to_owned(),
    })
}

pub(crate) fn incident_of(target: &Target, failure: &Failure, settings: &Settings) -> Incident {
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
