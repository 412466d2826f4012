//! The repair of a missing `AWSServiceRoleForBackup`: it is created in the destination account, for
//! AWS Backup alone, where `COPYMEND_CREATE_SERVICE_LINKED_ROLE` allows it.

use std::time::Duration;

use jiff::SignedDuration;

use super::write::{put, read_policy, still_leased};
use super::{Ending, Repair, Tried, UnderLease};
use crate::change::change_recorded;
use crate::guards::lease_holds;
use crate::ledger::{LeaseAfter, Ledger};
use crate::plan::{Plan, Target};
use crate::ports::{CallError, CallErrorKind, CallResult, Clock, Environment};
use crate::write::permit;

/// IAM answers reads of a new role a little late.
const READ_BACKS: u32 = 5;
const READ_BACK_PAUSE: Duration = Duration::from_secs(1);
/// Reads of IAM may not show a role that was created so short a time ago (inferred: IAM is
/// eventually consistent, and says no time).
const LATE_READS: SignedDuration = SignedDuration::from_mins(2);

impl<E: Environment> Repair<'_, E> {
    /// Creates the role, where every guard lets it.
    pub(super) async fn create_role(
        &self,
        under_lease: &UnderLease<'_, E>,
        plan: &Plan,
        tried: &mut Tried,
    ) -> CallResult<Ending> {
        let now = self.environment.clock().now();
        let UnderLease { ledger, lease, .. } = *under_lease;
        if let Ok(history) = &under_lease.writes
            && let Some(last) = &history.last_write
            && now.duration_since(last.at) < LATE_READS
        {
            return Err(CallError::new(
                "read the role again",
                lease.resource(),
                CallErrorKind::Throttled,
                "it was created a moment ago, and IAM does not show it",
            ));
        }
        // A lease that ran out is nobody's refusal.
        lease_holds(lease, now, self.invocation.deadline)?;
        let (guards, write) = permit(&self.under_lease(under_lease, plan, self.facts, now));
        tried.guards = guards;
        let Some(write) = write else {
            return Ok(self.refused(plan));
        };
        let change = self.change(plan, now, &tried.guards);
        // Roles have no budget of their own: each is created once.
        ledger.intend_change(&change, lease.owner(), None).await?;
        still_leased(ledger, lease).await?;
        let created = put(self.environment, &write).await;
        self.read_back(&plan.target, &created, tried).await?;
        if let Err(error) = ledger
            .confirm_change(&change, &[], Some((lease, LeaseAfter::Kept)))
            .await
        {
            tried.notes.push(format!(
                "the role was created, but the ledger did not confirm it: {error}"
            ));
        }
        Ok(Ending::Written(change_recorded(&change, true)))
    }

    /// Reads the role until it is there. Somebody may have created it meanwhile, or the answer was
    /// lost: the read tells.
    async fn read_back(
        &self,
        role: &Target,
        created: &CallResult<()>,
        tried: &mut Tried,
    ) -> CallResult<()> {
        for attempt in 0..READ_BACKS {
            if attempt > 0 {
                self.environment.clock().sleep(READ_BACK_PAUSE).await;
            }
            match (read_policy(self.environment, role).await, created) {
                (Ok(Some(_)), _) => return Ok(()),
                (Ok(None), Ok(())) => {}
                (Ok(None), Err(error)) => return Err(error.clone()),
                // IAM said that it was created: people must hear of it, also where nobody may look.
                (Err(error), Ok(())) if !error.may_pass() => {
                    let note = format!("the role was created, but could not be read back: {error}");
                    tried.notes.push(note);
                    return Ok(());
                }
                (Err(error), _) => return Err(error),
            }
        }
        let detail = "the role was created, but IAM does not show it";
        let kind = CallErrorKind::Failed;
        Err(CallError::new("read back", role.as_str(), kind, detail))
    }
}
