//! The repair of a missing `AWSServiceRoleForBackup`: it is created in the destination account, for AWS Backup alone, where
//! `COPYMEND_CREATE_SERVICE_LINKED_ROLE` allows it.

use std::time::Duration;

use copymend_diagnosis::{Facts, Failure};
use copymend_policy::service_linked_role_arn;
use jiff::{SignedDuration, Timestamp};

use crate::guards::{Act, Question, Stage, ask, entries_of_the_copy, lease_holds};
use crate::handler::{CopyRemediator, Invocation};
use crate::history::History;
use crate::investigate::SERVICE_LINKED_ROLE;
use crate::lease::take_lease;
use crate::ledger::{Change, Grounds, Lease, Ledger, PolicyHistory};
use crate::pause::ask_for_pause;
use crate::ports::{
    CallError, CallErrorKind, CallResult, Clock, Environment, Identities, IdentityWrites,
};
use crate::repair::{Ending, Repaired};
use crate::report::PolicyChange;
use crate::write::permit_role;

/// IAM answers reads of a new role a little late.
const READ_BACKS: u32 = 5;
const READ_BACK_PAUSE: Duration = Duration::from_secs(1);
/// Reads of IAM may not show a role that was created so short a time ago (inferred: IAM is eventually consistent, and says no time).
const LATE_READS: SignedDuration = SignedDuration::from_mins(2);
/// Whom the role admits.
const GRANTEE: &str = "backup.amazonaws.com";

/// Whether the role was created so short a time ago that IAM may not show it yet.
fn is_read_late(history: &PolicyHistory, now: Timestamp) -> bool {
    let last = history.last_write.as_ref();
    last.is_some_and(|write| now.duration_since(write.at) < LATE_READS)
}

impl<E: Environment> CopyRemediator<E> {
    /// Creates the role, where every guard lets it.
    pub(crate) async fn create_service_linked_role(
        &self,
        failure: &Failure,
        facts: &Facts,
        history: &History,
        invocation: &Invocation,
    ) -> Repaired {
        let role = role_arn(failure);
        let mut repaired = Repaired::nothing();
        let question = Question {
            act: Act::ServiceLinkedRole,
            failure,
            settings: &self.settings,
            history,
            facts: Some(facts),
            plan: None,
            writes: None,
            lease: Some((None, invocation.deadline)),
            now: self.environment.clock().now(),
        };
        let Some(ledger) = self.environment.ledger() else {
            repaired.guards = ask(&question, &[Stage::Lease]);
            return repaired;
        };
        let clock = self.environment.clock();
        let lease = match take_lease(clock, ledger, &role, invocation).await {
            Ok(lease) => lease,
            Err(error) => {
                repaired.ending = Ending::Busy(error);
                return repaired;
            }
        };
        repaired.ending = match self.create(ledger, &lease, question, &mut repaired).await {
            Ok(ending) => ending,
            Err(error) => Ending::Failed(error),
        };
        if let Err(error) = ledger.release_lease(lease).await {
            repaired.notes.push(format!(
                "the lease was not released and ends by itself: {error}"
            ));
        }
        repaired
    }

    async fn create(
        &self,
        ledger: &E::Ledger,
        lease: &Lease,
        question: Question<'_>,
        repaired: &mut Repaired,
    ) -> CallResult<Ending> {
        let failure = question.failure;
        let clock = self.environment.clock();
        let writes = ledger.policy_history(lease.resource(), clock.now()).await;
        match &writes {
            Err(error) if error.may_pass() => return Err(error.clone()),
            Ok(history) if is_read_late(history, clock.now()) => {
                return Err(CallError {
                    operation: "read the role again",
                    resource: lease.resource().to_owned(),
                    kind: CallErrorKind::Throttled,
                    detail: "it was created a moment ago, and IAM does not show it".to_owned(),
                });
            }
            Ok(_) | Err(_) => {}
        }
        let history = History {
            pause: Some(ask_for_pause(&self.environment, ledger).await?),
            ..question.history.clone()
        };
        let now = clock.now();
        let (_, deadline) = question.lease.unwrap_or((None, now));
        // A lease that ran out is nobody's refusal.
        lease_holds(lease, now, deadline)?;
        let question = Question {
            history: &history,
            writes: Some(&writes),
            lease: Some((Some(lease), deadline)),
            now,
            ..question
        };
        let (guards, approved) = permit_role(&question, &role_arn(failure));
        repaired.guards = guards;
        let Some(approved) = approved else {
            return Ok(Ending::Refused(None));
        };
        let change = self.change_of_role(failure, lease.resource(), now);
        ledger.intend_change(&change).await?;
        let identities = self.environment.identities();
        let created = identities.create_service_linked_role(&approved).await;
        self.read_back(failure, lease.resource(), &created, repaired)
            .await?;
        if let Err(error) = ledger.confirm_change(&change, &[]).await {
            repaired.notes.push(format!(
                "the role was made, but the ledger did not confirm it: {error}"
            ));
        }
        Ok(Ending::Written(role_change(failure, Some(change.id))))
    }

    /// Reads the role until it is there. Somebody may have created it meanwhile, or the answer was lost: the read tells.
    async fn read_back(
        &self,
        failure: &Failure,
        role: &str,
        created: &CallResult<()>,
        repaired: &mut Repaired,
    ) -> CallResult<()> {
        let partition = failure.job().destination_vault.partition();
        let account = failure.copy().destination_account;
        for attempt in 0..READ_BACKS {
            if attempt > 0 {
                self.environment.clock().sleep(READ_BACK_PAUSE).await;
            }
            let identities = self.environment.identities();
            let found = identities
                .get_role(account, partition, SERVICE_LINKED_ROLE)
                .await;
            match (found, created) {
                (Ok(Some(found)), _) if found.arn.as_str() == role => return Ok(()),
                (Ok(_), Ok(())) => {}
                (Ok(_), Err(error)) => return Err(error.clone()),
                // IAM said that it was created: people must hear of it, also where nobody may look.
                (Err(error), Ok(())) if !error.may_pass() => {
                    let note = format!("the role was created, but could not be read back: {error}");
                    repaired.notes.push(note);
                    return Ok(());
                }
                (Err(error), _) => return Err(error),
            }
        }
        Err(CallError {
            operation: "read back",
            resource: role.to_owned(),
            kind: CallErrorKind::Failed,
            detail: "the role was made, but IAM does not show it".to_owned(),
        })
    }

    fn change_of_role(&self, failure: &Failure, role: &str, now: Timestamp) -> Change {
        Change {
            id: format!("{}-{}", failure.job().id, now.as_millisecond()),
            resource: role.to_owned(),
            grantee: GRANTEE.to_owned(),
            account: Some(failure.copy().destination_account.to_string()),
            before: None,
            after: Some(SERVICE_LINKED_ROLE.to_owned()),
            statements: Vec::new(),
            at: now,
            copy_job_id: failure.job().id.clone(),
            undoes: None,
            allows_again: false,
            made_by: None,
            grounds: Grounds::of(&self.settings, entries_of_the_copy(failure, &self.settings)),
        }
    }
}

/// The change, for the report: planned, or made under this id.
pub(crate) fn role_change(failure: &Failure, id: Option<String>) -> PolicyChange {
    PolicyChange {
        resource: role_arn(failure),
        before: None,
        after: format!("{SERVICE_LINKED_ROLE}, made for {GRANTEE}"),
        added: Vec::new(),
        certificate: None,
        applied: id.is_some(),
        id,
        grantee: Some(GRANTEE.to_owned()),
    }
}

fn role_arn(failure: &Failure) -> String {
    let partition = failure.job().destination_vault.partition();
    service_linked_role_arn(partition, failure.copy().destination_account)
}
