//! A repair: lease, what was written before, the pause, and then the write of a policy, or the
//! creation of the role.

mod policy;
mod role;
pub(crate) mod write;

use copymend_diagnosis::{Facts, Failure};
use jiff::Timestamp;

use crate::change::{change_of, change_recorded};
use crate::grantee::{account_of, grantee};
use crate::guards::{GuardResult, Question, Stage, ask, entries_that_admit};
use crate::handler::Invocation;
use crate::history::History;
use crate::lease::take_lease;
use crate::ledger::{Change, Grounds, Lease, Ledger, Pause, PolicyHistory};
use crate::others::last_change;
use crate::pause::asked_for;
use crate::plan::{Plan, Target};
use crate::ports::{CallResult, Clock, Environment};
use crate::report::PolicyChange;
use crate::settings::Settings;
use crate::write::act_on;

use self::write::read_policy;

/// What a repair came to.
#[derive(Debug)]
pub(crate) struct Repaired {
    /// The guards that were asked under the lease.
    pub guards: Vec<GuardResult>,
    /// How it ended. After an error that may pass, the event should be delivered again.
    pub ending: CallResult<Ending>,
    /// A change that was put besides, or although the repair didn't end as written. Unless it is
    /// applied, nobody could see whether it is in the policy.
    pub put: Option<PolicyChange>,
    /// What people should know besides.
    pub notes: Vec<String>,
    /// The pause in force after the write, where it was asked for since.
    pub pause: Option<CallResult<Option<Pause>>>,
}

/// What happened to the policy or the role.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It was written and read back.
    Written(PolicyChange),
    /// Somebody else's change admits the copy by now.
    AdmittedMeanwhile {
        /// Whether that change is Copymend's own, made for another copy.
        is_ours: bool,
        /// The last change of the policy, where it is ours and admits this copy.
        change_id: Option<String>,
    },
    /// A guard refused; the change of a policy that it stopped.
    Refused(Option<PolicyChange>),
}

/// What the tries so far have left.
#[derive(Default)]
struct Tried {
    /// Whether the policy was looked at before.
    has_looked: bool,
    /// Whether the policy as it was read first was looked at.
    has_read: bool,
    guards: Vec<GuardResult>,
    notes: Vec<String>,
    /// A change that was put, and may be in the policy or not.
    put: Option<Change>,
    /// A change that was put and is in the policy, although the copy isn't admitted.
    in_policy: Option<PolicyChange>,
    /// The pause in force after the write, where it was asked for since.
    pause: Option<CallResult<Option<Pause>>>,
    /// Whether the lease was given back with the change's record.
    is_lease_given_back: bool,
}

impl Tried {
    fn into_repaired(mut self, ending: CallResult<Ending>) -> Repaired {
        // What was put last is what was written.
        let is_written = matches!(ending, Ok(Ending::Written(_)));
        let unseen = self.put.filter(|_| !is_written);
        let put = self.in_policy.or_else(|| {
            let change = unseen?;
            self.notes.push(format!(
                "the change {0} was put, and it could not be seen whether it is in the policy: look at the policy; `copymend undo {0}` takes it out",
                change.id
            ));
            Some(change_recorded(&change, false))
        });
        Repaired {
            guards: self.guards,
            ending,
            put,
            notes: self.notes,
            pause: self.pause,
        }
    }
}

/// What stands while a policy or a role is leased.
struct UnderLease<'l, E: Environment> {
    ledger: &'l E::Ledger,
    lease: &'l Lease,
    target: &'l Target,
    /// The policy as it was read with what was written there before.
    first_read: Option<CallResult<Option<String>>>,
    /// What was written there before. Read once: while the lease is held, no other invocation
    /// writes.
    writes: CallResult<PolicyHistory>,
    /// Our last change of the policy, where it is on record.
    last_change: Option<Change>,
    /// How many policies were written for the source account today.
    source_writes: CallResult<u32>,
    /// What the ledger remembers of the copy, with the pause as it is now.
    history: History,
}

/// Everything that a repair is about.
pub(crate) struct Repair<'r, E> {
    pub environment: &'r E,
    pub settings: &'r Settings,
    pub failure: &'r Failure,
    pub facts: &'r Facts,
    pub invocation: &'r Invocation,
    /// What the ledger remembers of the copy.
    pub history: &'r History,
}

impl<E: Environment> Repair<'_, E> {
    /// Carries out a plan that passed every guard that needs no lease. An error where the lease
    /// can't be had now: the event should be delivered again.
    pub(crate) async fn run(&self, plan: &Plan) -> CallResult<Repaired> {
        let clock = self.environment.clock();
        let Some(ledger) = self.environment.ledger() else {
            let question = Question {
                lease: Some((None, self.invocation.deadline)),
                ..self.question(self.history, plan, self.facts, clock.now())
            };
            return Ok(Repaired {
                guards: ask(&question, &[Stage::Lease]),
                ending: Ok(self.refused(plan)),
                put: None,
                pause: None,
                notes: vec!["no ledger keeps leases: set COPYMEND_LEDGER_TABLE".to_owned()],
            });
        };
        let lease = take_lease(clock, ledger, plan.target.as_str(), self.invocation).await?;
        let mut tried = Tried::default();
        let ending = self.write(ledger, &lease, plan, &mut tried).await;
        let is_lease_given_back = tried.is_lease_given_back;
        let mut repaired = tried.into_repaired(ending);
        let is_unseen = repaired.put.as_ref().is_some_and(|put| !put.applied);
        if is_unseen || is_lease_given_back {
            // Where it can't be seen, the next writer might read as late, and write over it: the lease ends
            // by itself.
            return Ok(repaired);
        }
        if let Err(error) = ledger.release_lease(lease).await {
            repaired.notes.push(format!(
                "the lease was not released and ends by itself: {error}"
            ));
        }
        Ok(repaired)
    }

    async fn write(
        &self,
        ledger: &E::Ledger,
        lease: &Lease,
        plan: &Plan,
        tried: &mut Tried,
    ) -> CallResult<Ending> {
        let now = self.environment.clock().now();
        let source = self.failure.job().account;
        let is_of_policy = match plan.target {
            Target::VaultPolicy(_) | Target::KeyPolicy(_) => true,
            Target::ServiceLinkedRole(_) => false,
        };
        let reading = async {
            if is_of_policy {
                Some(read_policy(self.environment, &plan.target).await)
            } else {
                None
            }
        };
        let (known, first_read) = tokio::join!(
            ledger.before_write(plan.target.as_str(), source, now),
            reading
        );
        let (writes, source_writes, pause) = match known {
            Ok(known) => (known.history, known.source_writes, known.pause),
            Err(error) => (Err(error.clone()), Err(error.clone()), Err(error)),
        };
        let errors = [writes.as_ref().err(), source_writes.as_ref().err()];
        if let Some(error) = errors.into_iter().flatten().find(|error| error.may_pass()) {
            return Err(error.clone());
        }
        let last = writes
            .as_ref()
            .ok()
            .and_then(|writes| writes.last_write.as_ref());
        let last_change = last_change(ledger, last).await;
        let pause = Some(asked_for(pause)?);
        let under_lease = UnderLease {
            ledger,
            lease,
            target: &plan.target,
            first_read,
            last_change,
            writes,
            source_writes,
            history: History {
                pause,
                ..self.history.clone()
            },
        };
        match plan.target {
            Target::VaultPolicy(_) | Target::KeyPolicy(_) => {
                self.change_policy(&under_lease, tried).await
            }
            Target::ServiceLinkedRole(_) => self.create_role(&under_lease, plan, tried).await,
        }
    }

    fn refused(&self, plan: &Plan) -> Ending {
        let edit = plan.edit.as_ref();
        Ending::Refused(edit.map(|_| change_of(plan, self.failure, self.settings)))
    }

    fn question<'q>(
        &'q self,
        history: &'q History,
        plan: &'q Plan,
        facts: &'q Facts,
        now: Timestamp,
    ) -> Question<'q> {
        Question {
            facts: Some(facts),
            plan: Some(Ok(plan)),
            now,
            ..Question::of(act_on(&plan.target), self.failure, self.settings, history)
        }
    }

    fn under_lease<'q>(
        &'q self,
        under_lease: &'q UnderLease<'_, E>,
        plan: &'q Plan,
        facts: &'q Facts,
        now: Timestamp,
    ) -> Question<'q> {
        Question {
            writes: Some(&under_lease.writes),
            source_writes: Some(&under_lease.source_writes),
            lease: Some((Some(under_lease.lease), self.invocation.deadline)),
            ..self.question(&under_lease.history, plan, facts, now)
        }
    }

    /// The record of a plan that is about to be written, and that these guards let pass.
    fn change(&self, plan: &Plan, now: Timestamp, guards: &[GuardResult]) -> Change {
        let job = self.failure.job();
        let (failure, settings, target) = (self.failure, self.settings, &plan.target);
        let statements = plan.added().iter();
        Change {
            id: format!("{}-{}", job.id, now.as_millisecond()),
            resource: target.as_str().to_owned(),
            grantee: grantee(target, failure, settings),
            account: Some(account_of(target, failure).to_string()),
            before: plan.before(),
            after: Some(plan.after()),
            statements: statements.map(|one| one.as_str().to_owned()).collect(),
            at: now,
            copy_job_id: job.id.clone(),
            undoes: None,
            allows_again: false,
            made_by: self
                .history
                .agreement
                .as_ref()
                .and_then(|agreement| agreement.by().map(str::to_owned)),
            grounds: Grounds::of(
                settings,
                entries_that_admit(failure, target, settings),
                guards,
            ),
        }
    }
}
