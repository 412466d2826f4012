//! The repair of a policy: lease, read again, recompute, ask every guard, write, and try again where someone else was faster.

use std::ops::ControlFlow;

use copymend_diagnosis::access::Access;
use copymend_diagnosis::{Cause, Facts, Failure, SourceKey};
use copymend_policy::NewStatement;
use jiff::Timestamp;

use crate::change::{change_of, change_recorded};
use crate::grantee::{account_of, grantee};
use crate::guards::{GuardResult, Question, Stage, ask, entries_that_admit, lease_holds};
use crate::handler::Invocation;
use crate::history::History;
use crate::investigate::{key_policy_fact, vault_policy_fact};
use crate::lease::take_lease;
use crate::ledger::{Change, Grounds, Lease, Ledger, PolicyHistory};
use crate::pause::ask_for_pause;
use crate::plan::{Plan, Target, holds, plan, sids};
use crate::policy_write::{
    ATTEMPTS, Approval, Late, PolicyWrite, Read, Seen, WriteEnd, read_policy, read_settled,
};
use crate::ports::{CallError, CallErrorKind, CallResult, Clock, Environment};
use crate::report::PolicyChange;
use crate::settings::Settings;
use crate::write::{act_on, permit};

/// How a repair ended.
#[derive(Debug)]
pub struct Repaired {
    /// The guards that were asked under the lease.
    pub guards: Vec<GuardResult>,
    /// What happened to the policy.
    pub ending: Ending,
    /// A change that was put besides, or although the repair didn't end as written. Unless it is applied, nobody could see
    /// whether it is in the policy.
    pub put: Option<PolicyChange>,
    /// What people should know besides.
    pub notes: Vec<String>,
}

impl Repaired {
    /// Nothing was tried.
    pub(crate) const fn nothing() -> Self {
        Self {
            guards: Vec::new(),
            ending: Ending::Refused(None),
            put: None,
            notes: Vec::new(),
        }
    }
}

/// What happened to the policy.
#[derive(Debug)]
pub enum Ending {
    /// It was written and read back.
    Written(PolicyChange),
    /// Somebody else's change admits the copy by now.
    AdmittedMeanwhile {
        /// Whether that change is Copymend's own, made for another copy.
        is_ours: bool,
    },
    /// A guard refused; the change that it stopped.
    Refused(Option<PolicyChange>),
    /// The write was tried and didn't work.
    Failed(CallError),
    /// Nothing was tried, because the lease can't be had now. The event should be delivered again.
    Busy(CallError),
}

/// What the tries so far have left.
#[derive(Default)]
struct Tried {
    guards: Vec<GuardResult>,
    notes: Vec<String>,
    /// A change that was put, and may be in the policy or not, with its statements.
    put: Option<(Change, Vec<NewStatement>)>,
    /// A change that was put and is in the policy, although the copy isn't admitted.
    in_policy: Option<PolicyChange>,
    fault: Option<CallError>,
}

impl Tried {
    /// A ledger that may record a change later is asked by the next delivery, which finds the statements in the policy. That it
    /// never will is only noted: the statement is safe either way.
    fn unconfirmed(&mut self, unconfirmed: Option<CallError>) -> CallResult<()> {
        match unconfirmed {
            None => Ok(()),
            Some(error) if error.may_pass() => Err(error),
            Some(error) => {
                self.notes.push(format!(
                    "the policy was written, but the ledger did not confirm the change: {error}"
                ));
                Ok(())
            }
        }
    }

    fn into_repaired(self, ending: Ending) -> Repaired {
        let mut notes = self.notes;
        let unseen = match &ending {
            // What was put last is what was written.
            Ending::Written(_) => None,
            Ending::AdmittedMeanwhile { .. }
            | Ending::Refused(_)
            | Ending::Failed(_)
            | Ending::Busy(_) => self.put,
        };
        let put = self.in_policy.or_else(|| {
            let (change, _) = unseen?;
            notes.push(format!(
                "the change {0} was put, and it could not be seen whether it is in the policy: look at the policy; `copymend undo {0}` takes it out",
                change.id
            ));
            Some(change_recorded(&change, false))
        });
        Repaired {
            guards: self.guards,
            ending,
            put,
            notes,
        }
    }
}

/// What stands while a policy is leased.
struct UnderLease<'l, E: Environment> {
    ledger: &'l E::Ledger,
    lease: &'l Lease,
    target: &'l Target,
    /// What was written to the policy before.
    writes: CallResult<PolicyHistory>,
    /// What the ledger remembers of the copy, with the pause as it is now.
    history: History,
}

/// Everything the repair of a policy is about.
pub(crate) struct PolicyRepair<'r, E> {
    pub environment: &'r E,
    pub settings: &'r Settings,
    pub failure: &'r Failure,
    pub cause: Cause,
    pub invocation: &'r Invocation,
    /// What the ledger remembers of the copy.
    pub history: &'r History,
}

impl<E: Environment> PolicyRepair<'_, E> {
    /// Runs the repair of a plan that passed every guard that needs no lease.
    pub(crate) async fn run(&self, planned: Plan, facts: &Facts) -> Repaired {
        let now = self.environment.clock().now();
        let Some(ledger) = self.environment.ledger() else {
            let question = Question {
                lease: Some((None, self.invocation.deadline)),
                ..self.question(self.history, &planned, facts, now)
            };
            return Repaired {
                guards: ask(&question, &[Stage::Lease]),
                ending: Ending::Refused(Some(change_of(&planned, self.failure, self.settings))),
                put: None,
                notes: vec!["no ledger keeps leases: set COPYMEND_LEDGER_TABLE".to_owned()],
            };
        };
        let target = planned.target.clone();
        let clock = self.environment.clock();
        let lease = match take_lease(clock, ledger, target.as_str(), self.invocation).await {
            Ok(lease) => lease,
            Err(error) => {
                return Repaired {
                    ending: Ending::Busy(error),
                    ..Repaired::nothing()
                };
            }
        };
        let mut repaired = self.write(ledger, &lease, &target, facts).await;
        let is_unseen = repaired.put.as_ref().is_some_and(|put| !put.applied);
        if is_unseen {
            // The next writer might read as late, and write over it. The lease ends by itself.
            return repaired;
        }
        if let Err(error) = ledger.release_lease(lease).await {
            repaired.notes.push(format!(
                "the lease was not released and ends by itself: {error}"
            ));
        }
        repaired
    }

    async fn write(
        &self,
        ledger: &E::Ledger,
        lease: &Lease,
        target: &Target,
        facts: &Facts,
    ) -> Repaired {
        let mut tried = Tried::default();
        // Read once: while the lease is held, no other invocation writes.
        let now = self.environment.clock().now();
        let writes = ledger.policy_history(target.as_str(), now).await;
        if let Err(error) = &writes
            && error.may_pass()
        {
            return tried.into_repaired(Ending::Busy(error.clone()));
        }
        let pause = match ask_for_pause(self.environment, ledger).await {
            Ok(pause) => Some(pause),
            Err(error) => return tried.into_repaired(Ending::Busy(error)),
        };
        let under_lease = UnderLease {
            ledger,
            lease,
            target,
            writes,
            history: History {
                pause,
                ..self.history.clone()
            },
        };
        for attempt in 0..=ATTEMPTS {
            let ended = match self.look(&under_lease, facts, &mut tried).await {
                ControlFlow::Continue(_) if attempt == ATTEMPTS => break,
                ControlFlow::Continue((plan, fresh)) => {
                    self.attempt(&under_lease, plan, &fresh, &mut tried).await
                }
                ControlFlow::Break(ending) => Some(ending),
            };
            if let Some(ending) = ended {
                return tried.into_repaired(ending);
            }
        }
        let error = tried.fault.take().unwrap_or_else(|| CallError {
            operation: "read back",
            resource: target.as_str().to_owned(),
            kind: CallErrorKind::Failed,
            detail: format!(
                "someone else kept changing the policy; gave up after {ATTEMPTS} tries"
            ),
        });
        tried.into_repaired(Ending::Failed(error))
    }

    /// Reads the policy again and works the change out anew. An ending where there is nothing to write.
    async fn look(
        &self,
        under_lease: &UnderLease<'_, E>,
        facts: &Facts,
        tried: &mut Tried,
    ) -> ControlFlow<Ending, (Plan, Facts)> {
        let (fresh, late) = match self.read_again(under_lease, facts).await {
            Ok(read) => read,
            Err(error) => return ControlFlow::Break(Ending::Busy(error)),
        };
        let plan = match plan(self.cause, self.failure, &fresh, self.settings) {
            Ok(plan) => plan,
            Err(error) => {
                tried.notes.push(error.to_string());
                return ControlFlow::Break(Ending::Refused(None));
            }
        };
        if let Some(late) = late {
            // That a statement of this very plan is missing is for the guard `sid-not-removed`.
            let own = plan.sids();
            if late.sids.iter().any(|sid| !own.contains(sid)) {
                let error = late.into_error(under_lease.target);
                return ControlFlow::Break(Ending::Busy(error));
            }
        }
        // After a put whose answer was lost, or that someone else wrote over, the policy tells whether ours is in it.
        let is_there = tried.put.as_ref().is_some_and(|(_, statements)| {
            let policy = plan.before.as_ref();
            policy.is_some_and(|policy| holds(policy, statements))
        });
        if is_there && let Some((change, statements)) = tried.put.take() {
            let confirmed = under_lease
                .ledger
                .confirm_change(&change, &sids(&statements))
                .await;
            tried.in_policy = Some(change_recorded(&change, true));
            if let Err(error) = tried.unconfirmed(confirmed.err()) {
                return ControlFlow::Break(Ending::Failed(error));
            }
        }
        if plan.access_before == Access::Allowed {
            return ControlFlow::Break(match tried.in_policy.take() {
                Some(change) => Ending::Written(change),
                // Nothing of this plan is missing where our own statements admit the copy.
                None => Ending::AdmittedMeanwhile {
                    is_ours: plan.added.is_empty(),
                },
            });
        }
        ControlFlow::Continue((plan, fresh))
    }

    /// One try; `None` where it has to be tried again.
    async fn attempt(
        &self,
        under_lease: &UnderLease<'_, E>,
        plan: Plan,
        fresh: &Facts,
        tried: &mut Tried,
    ) -> Option<Ending> {
        let now = self.environment.clock().now();
        let deadline = self.invocation.deadline;
        // A lease that ran out or too little time is nobody's refusal.
        if let Err(error) = lease_holds(under_lease.lease, now, deadline) {
            return Some(Ending::Busy(error));
        }
        let (guards, write) = permit(&self.under_lease(under_lease, &plan, fresh, now));
        tried.guards = guards;
        if write.is_none() {
            let change = change_of(&plan, self.failure, self.settings);
            return Some(Ending::Refused(Some(change)));
        }
        let sids = plan.sids();
        let ended = PolicyWrite {
            environment: self.environment,
            ledger: under_lease.ledger,
            lease: under_lease.lease,
            deadline: self.invocation.deadline,
            target: under_lease.target,
            approve: |last: Option<&str>| self.approve_again(under_lease, &plan, fresh, last),
            change: self.change(&plan, now),
            sids: &sids,
        }
        .run()
        .await;
        let (change, seen) = match ended {
            Err(error) => return Some(Ending::Failed(error)),
            Ok(WriteEnd::ForeignBefore) => {
                tried.notes.push(
                    "someone else changed the policy before it was written; it was read and tried again".to_owned(),
                );
                return None;
            }
            Ok(WriteEnd::Put(change, seen)) => (*change, seen),
        };
        match seen {
            Seen::AsWritten { unconfirmed } => match tried.unconfirmed(unconfirmed) {
                Ok(()) => Some(Ending::Written(change_recorded(&change, true))),
                Err(error) => Some(Ending::Failed(error)),
            },
            Seen::Foreign => {
                tried.notes.push(
                    "someone else changed the policy while it was written; it was read and tried again".to_owned(),
                );
                tried.put = Some((change, plan.added));
                None
            }
            Seen::Lost(error) => {
                tried
                    .notes
                    .push(format!("{error}; it was read and tried again"));
                tried.fault = Some(error);
                tried.put = Some((change, plan.added));
                None
            }
            Seen::Not(error) => {
                tried.put = Some((change, plan.added));
                Some(Ending::Failed(error))
            }
        }
    }

    /// The same repair of the policy's text as it was read last: planned anew, with every guard asked anew.
    fn approve_again(
        &self,
        under_lease: &UnderLease<'_, E>,
        planned: &Plan,
        fresh: &Facts,
        last: Option<&str>,
    ) -> Option<Approval> {
        let now = self.environment.clock().now();
        let text = Ok(last.map(str::to_owned));
        let facts = self.with_policy(under_lease.target, fresh, text);
        let plan = plan(self.cause, self.failure, &facts, self.settings)
            .ok()
            .filter(|plan| plan.added == planned.added)?;
        lease_holds(under_lease.lease, now, self.invocation.deadline).ok()?;
        let question = self.under_lease(under_lease, &plan, &facts, now);
        let (_, write) = permit(&question);
        Some((write?, Some(plan.after.as_str().to_owned())))
    }

    fn question<'q>(
        &'q self,
        history: &'q History,
        plan: &'q Plan,
        facts: &'q Facts,
        now: Timestamp,
    ) -> Question<'q> {
        Question {
            act: act_on(&plan.target),
            failure: self.failure,
            settings: self.settings,
            history,
            facts: Some(facts),
            plan: Some(Ok(plan)),
            writes: None,
            lease: None,
            now,
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
            lease: Some((Some(under_lease.lease), self.invocation.deadline)),
            ..self.question(&under_lease.history, plan, facts, now)
        }
    }

    /// The facts with the policy as it is now. A read that fails for a reason that passes is an error, and the event is
    /// delivered again; any other failure is an unknown fact, which no guard lets pass.
    async fn read_again(
        &self,
        under_lease: &UnderLease<'_, E>,
        facts: &Facts,
    ) -> CallResult<(Facts, Option<Late>)> {
        let target = under_lease.target;
        let deadline = self.invocation.deadline;
        let read = if let Ok(history) = &under_lease.writes {
            read_settled(self.environment, target, history, deadline).await
        } else {
            // No guard lets a write pass without it.
            let text = read_policy(self.environment, target).await;
            text.map(|text| Read { text, late: None })
        };
        let (answer, late) = match read {
            Ok(read) => (Ok(read.text), read.late),
            Err(error) if error.may_pass() => return Err(error),
            Err(error) => (Err(error), None),
        };
        Ok((self.with_policy(target, facts, answer), late))
    }

    /// The facts with the target's policy as this answer gives it.
    fn with_policy(
        &self,
        target: &Target,
        facts: &Facts,
        answer: CallResult<Option<String>>,
    ) -> Facts {
        let mut facts = facts.clone();
        match target {
            Target::Vault(_) => facts.vault_policy = vault_policy_fact(self.failure.copy(), answer),
            Target::Key(arn) => {
                if let SourceKey::Key(key) = &mut facts.source_key {
                    key.policy = key_policy_fact(arn, answer);
                }
            }
        }
        facts
    }

    fn change(&self, plan: &Plan, now: Timestamp) -> Change {
        let job = self.failure.job();
        Change {
            id: format!("{}-{}", job.id, now.as_millisecond()),
            resource: plan.target.as_str().to_owned(),
            grantee: grantee(&plan.target, self.failure, self.settings),
            account: Some(account_of(&plan.target, self.failure).to_string()),
            before: plan
                .before
                .as_ref()
                .map(|policy| policy.as_str().to_owned()),
            after: Some(plan.after.as_str().to_owned()),
            statements: plan
                .added
                .iter()
                .map(|statement| statement.as_str().to_owned())
                .collect(),
            at: now,
            copy_job_id: job.id.clone(),
            undoes: None,
            allows_again: false,
            made_by: None,
            grounds: Grounds::of(
                self.settings,
                entries_that_admit(self.failure, &plan.target, self.settings),
            ),
        }
    }
}
