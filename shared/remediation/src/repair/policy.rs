//! The repair of a policy: read again, recompute, ask every guard, write, and try again where
//! someone else was faster.

use std::ops::ControlFlow;

use copymend_diagnosis::access::Access;
use copymend_diagnosis::{Facts, SourceKey};

use super::write::{
    ATTEMPTS, Approval, Late, PolicyWrite, Read, Seen, WriteEnd, read_policy, read_settled,
};
use super::{Ending, Repair, Tried, UnderLease};
use crate::change::{change_recorded, recorded_statements};
use crate::grantee::grantee;
use crate::guards::lease_holds;
use crate::investigate::{key_policy_fact, vault_policy_fact};
use crate::ledger::{LeaseAfter, Ledger};
use crate::others::changed_by_others;
use crate::plan::{Plan, Target, holds, plan, sids};
use crate::ports::{CallError, CallErrorKind, CallResult, Clock, Environment};
use crate::write::permit;

impl Tried {
    /// A ledger that may record a change later is asked by the next delivery, which finds the
    /// statements in the policy. That it never will is only noted: the statement is safe either
    /// way.
    fn confirmed(&mut self, confirmed: CallResult<()>) -> CallResult<()> {
        match confirmed {
            Err(error) if !error.may_pass() => {
                self.notes.push(format!(
                    "the policy was written, but the ledger did not confirm the change: {error}"
                ));
                Ok(())
            }
            Ok(()) | Err(_) => confirmed,
        }
    }
}

impl<E: Environment> Repair<'_, E> {
    /// Writes the policy, where every guard lets it.
    pub(super) async fn change_policy(
        &self,
        under_lease: &UnderLease<'_, E>,
        tried: &mut Tried,
    ) -> CallResult<Ending> {
        let mut fault = None;
        for attempt in 0..=ATTEMPTS {
            let ended = match self.look(under_lease, tried).await? {
                ControlFlow::Continue(_) if attempt == ATTEMPTS => break,
                ControlFlow::Continue((plan, fresh)) => {
                    self.attempt(under_lease, &plan, &fresh, tried, &mut fault)
                        .await?
                }
                ControlFlow::Break(ending) => Some(ending),
            };
            if let Some(ending) = ended {
                return Ok(ending);
            }
        }
        let target = under_lease.target.as_str();
        let detail =
            format!("someone else kept changing the policy; gave up after {ATTEMPTS} tries");
        Err(fault
            .unwrap_or_else(|| CallError::new("read back", target, CallErrorKind::Failed, detail)))
    }

    fn plan(&self, target: &Target, facts: &Facts) -> Result<Plan, crate::plan::PlanError> {
        plan(target.cause(), self.failure, facts, self.settings)
    }

    /// Reads the policy again and works the change out anew. An ending where there is nothing to
    /// write.
    async fn look(
        &self,
        under_lease: &UnderLease<'_, E>,
        tried: &mut Tried,
    ) -> CallResult<ControlFlow<Ending, (Plan, Facts)>> {
        let target = under_lease.target;
        let first = under_lease.first_read.clone().filter(|_| !tried.has_read);
        tried.has_read = true;
        let (fresh, late) = self.read_again(under_lease, first).await?;
        let plan = match self.plan(target, &fresh) {
            Ok(plan) => plan,
            Err(error) => {
                tried.notes.push(error.to_string());
                return Ok(ControlFlow::Break(Ending::Refused(None)));
            }
        };
        if let Some(late) = late {
            // It isn't known what the policy is, so nobody is told what others made of it.
            tried.has_looked = true;
            // That a statement of this very plan is missing is for the guard `sid-not-removed`.
            let own = sids(plan.added());
            if late.sids.iter().any(|sid| !own.contains(sid)) {
                return Err(late.into_error(target));
            }
        }
        let Some(edit) = &plan.edit else {
            return Ok(ControlFlow::Break(Ending::Refused(None)));
        };
        // Later looks may meet what was put here.
        if !tried.has_looked
            && let Some(ours) = &under_lease.last_change
        {
            let changed = changed_by_others(ours, plan.before().as_deref());
            tried.notes.extend(changed);
        }
        tried.has_looked = true;
        // After a put whose answer was lost, or that someone else wrote over, the policy tells
        // whether ours is in it.
        if let (Some(change), Some(policy)) = (&tried.put, &edit.before) {
            let statements = recorded_statements(change);
            if statements.len() == change.statements.len() && holds(policy, &statements) {
                let UnderLease { ledger, lease, .. } = *under_lease;
                let sids = sids(&statements);
                let lease = Some((lease, LeaseAfter::Kept));
                let confirmed = ledger.confirm_change(change, &sids, lease).await;
                tried.in_policy = Some(change_recorded(change, true));
                tried.put = None;
                tried.confirmed(confirmed)?;
            }
        }
        if edit.access_before == Access::Allowed {
            return Ok(ControlFlow::Break(match tried.in_policy.take() {
                Some(change) => Ending::Written(change),
                // Nothing of this plan is missing where our own statements admit the copy.
                None => self.admitted_meanwhile(under_lease, edit.added.is_empty()),
            }));
        }
        Ok(ControlFlow::Continue((plan, fresh)))
    }

    /// Our last change counts where it admits the same grantee.
    fn admitted_meanwhile(&self, under_lease: &UnderLease<'_, E>, is_ours: bool) -> Ending {
        let grantee = grantee(under_lease.target, self.failure, self.settings);
        let change = under_lease
            .last_change
            .as_ref()
            .filter(|change| is_ours && change.undoes.is_none() && change.grantee == grantee);
        Ending::AdmittedMeanwhile {
            is_ours,
            change_id: change.map(|change| change.id.clone()),
        }
    }

    /// One try; `None` where it has to be tried again.
    async fn attempt(
        &self,
        under_lease: &UnderLease<'_, E>,
        plan: &Plan,
        fresh: &Facts,
        tried: &mut Tried,
        fault: &mut Option<CallError>,
    ) -> CallResult<Option<Ending>> {
        let now = self.environment.clock().now();
        // A lease that ran out or too little time is nobody's refusal.
        lease_holds(under_lease.lease, now, self.invocation.deadline)?;
        let (guards, write) = permit(&self.under_lease(under_lease, plan, fresh, now));
        tried.guards = guards;
        if write.is_none() {
            return Ok(Some(self.refused(plan)));
        }
        let ended = PolicyWrite {
            environment: self.environment,
            ledger: under_lease.ledger,
            lease: under_lease.lease,
            deadline: self.invocation.deadline,
            target: under_lease.target,
            approve: |last: Option<&str>| self.approve_again(under_lease, plan, fresh, last),
            change: self.change(plan, now, &tried.guards),
            sids: &sids(plan.added()),
            source: Some((
                self.failure.job().account,
                self.settings.source_write_budget,
            )),
        }
        .run()
        .await?;
        let (change, seen) = match ended {
            WriteEnd::ForeignBefore => {
                tried.notes.push(
                    "someone else changed the policy before it was written; it was read and tried again".to_owned(),
                );
                return Ok(None);
            }
            WriteEnd::Put(change, seen) => (*change, seen),
        };
        match seen {
            Seen::AsWritten { confirmed, pause } => {
                tried.is_lease_given_back = confirmed.is_ok();
                tried.pause = Some(pause);
                tried.confirmed(confirmed)?;
                return Ok(Some(Ending::Written(change_recorded(&change, true))));
            }
            Seen::Foreign => tried.notes.push(
                "someone else changed the policy while it was written; it was read and tried again"
                    .to_owned(),
            ),
            Seen::Lost(error) => {
                tried
                    .notes
                    .push(format!("{error}; it was read and tried again"));
                *fault = Some(error);
            }
            Seen::Not(error) => {
                tried.put = Some(change);
                return Err(error);
            }
        }
        tried.put = Some(change);
        Ok(None)
    }

    /// The same repair of the policy's text as it was read last: planned anew, with every guard
    /// asked anew.
    fn approve_again(
        &self,
        under_lease: &UnderLease<'_, E>,
        planned: &Plan,
        fresh: &Facts,
        last: Option<&str>,
    ) -> Option<Approval> {
        let now = self.environment.clock().now();
        let target = under_lease.target;
        let facts = self.with_policy(target, fresh, Ok(last.map(str::to_owned)));
        let plan = self.plan(target, &facts).ok()?;
        lease_holds(under_lease.lease, now, self.invocation.deadline).ok()?;
        let (_, write) = permit(&self.under_lease(under_lease, &plan, &facts, now));
        let is_same = plan.added() == planned.added();
        is_same.then_some((write?, plan.after()))
    }

    /// The facts with the policy as it is now. A read that fails for a reason that passes is an
    /// error, and the event is delivered again; any other failure is an unknown fact, which no
    /// guard lets pass.
    async fn read_again(
        &self,
        under_lease: &UnderLease<'_, E>,
        first: Option<CallResult<Option<String>>>,
    ) -> CallResult<(Facts, Option<Late>)> {
        let target = under_lease.target;
        let deadline = self.invocation.deadline;
        let read = if let Ok(history) = &under_lease.writes {
            read_settled(self.environment, target, first, history, deadline).await
        } else {
            // No guard lets a write pass without it.
            let text = match first {
                Some(text) => text,
                None => read_policy(self.environment, target).await,
            };
            text.map(|text| Read { text, late: None })
        };
        let (answer, late) = match read {
            Ok(read) => (Ok(read.text), read.late),
            Err(error) if error.may_pass() => return Err(error),
            Err(error) => (Err(error), None),
        };
        Ok((self.with_policy(target, self.facts, answer), late))
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
            Target::VaultPolicy(_) => {
                facts.vault_policy =
                    vault_policy_fact(&self.failure.copy().destination_vault, answer);
            }
            Target::KeyPolicy(arn) => {
                if let SourceKey::Key(key) = &mut facts.source_key {
                    key.policy = key_policy_fact(arn, answer);
                }
            }
            Target::ServiceLinkedRole(_) => {}
        }
        facts
    }
}
