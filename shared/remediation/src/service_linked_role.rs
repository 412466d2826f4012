//! The repair of a missing `AWSServiceRoleForBackup`: it is made in the destination account, for AWS Backup alone, where
//! `COPYMEND_CREATE_SERVICE_LINKED_ROLE` allows it.

use std::time::Duration;

use copymend_diagnosis::{Fact, Facts, Failure};
use copymend_policy::service_linked_role_arn;
use jiff::{SignedDuration, Timestamp};

use crate::guards::{
    all_passed, entries_of_the_copy, guard, guards_of_lease, guards_of_retry, same_organization,
};
use crate::handler::{CopyRemediator, HandlerError, Invocation};
use crate::investigate::SERVICE_LINKED_ROLE;
use crate::lease::take_lease;
use crate::ledger::{Change, Grounds, Lease, Ledger, PolicyHistory};
use crate::pause::{ask_for_pause, replace};
use crate::ports::{
    CallError, CallErrorKind, CallResult, Clock, Environment, Identities, IdentityWrites,
};
use crate::refusal::NOT_TAKEN_BACK;
use crate::report::{Decision, GuardResult, Outcome, PolicyChange, Report};
use crate::settings::Mode;
use crate::write::ApprovedServiceLinkedRole;

/// IAM answers reads of a new role a little late.
const READ_BACKS: u32 = 5;
const READ_BACK_PAUSE: Duration = Duration::from_secs(1);

/// Reads of IAM may not show a role that was made so short a time ago (inferred: IAM is eventually consistent, and says no time).
const LATE_READS: SignedDuration = SignedDuration::from_mins(2);

/// Whether the role was created so short a time ago that IAM may not show it yet.
fn is_read_late(history: &PolicyHistory, now: Timestamp) -> bool {
    let last = history.last_write.as_ref();
    last.is_some_and(|write| now.duration_since(write.at) < LATE_READS)
}

/// A role that was made before, and is missing, was deleted by somebody.
fn not_taken_back(history: &CallResult<PolicyHistory>, arn: &str) -> GuardResult {
    let made = match history {
        Err(error) => return guard(NOT_TAKEN_BACK, false, error.to_string()),
        Ok(history) => history.last_write.as_ref().map(|write| write.at),
    };
    match made {
        Some(made) => guard(
            NOT_TAKEN_BACK,
            false,
            format!(
                "Copymend created `{arn}` at {made}, and somebody deleted it since: whoever wants it again creates it by hand"
            ),
        ),
        None => guard(NOT_TAKEN_BACK, true, "nobody deleted a role of ours"),
    }
}

/// The guards of this repair beside those of any write.
fn guards(
    failure: &Failure,
    facts: &Facts,
    settings: &crate::settings::Settings,
) -> Vec<GuardResult> {
    let missing = match &facts.service_linked_role {
        Fact::Known(None) => guard(
            "service-linked-role-missing",
            true,
            format!(
                "IAM knows no {SERVICE_LINKED_ROLE} in account {}",
                failure.destination_account()
            ),
        ),
        Fact::Known(Some(role)) => guard(
            "service-linked-role-missing",
            false,
            format!("`{}` exists", role.arn),
        ),
        Fact::Unknown(why) => guard("service-linked-role-missing", false, why.to_string()),
    };
    vec![
        guard(
            "service-linked-role-allowed",
            settings.create_service_linked_role,
            format!(
                "COPYMEND_CREATE_SERVICE_LINKED_ROLE is {}",
                settings.create_service_linked_role
            ),
        ),
        missing,
        same_organization(facts, settings),
    ]
}

impl<E: Environment> CopyRemediator<E> {
    /// Makes the role and starts the copy again. Only called where the setting is on and the facts show that it is missing.
    pub(crate) async fn repair_service_linked_role(
        &self,
        mut report: Report,
        failure: &Failure,
        facts: &Facts,
        any_write: Vec<GuardResult>,
        invocation: &Invocation,
    ) -> Result<Report, HandlerError> {
        let account = failure.destination_account();
        let partition = failure.job().destination_vault.partition();
        let arn = service_linked_role_arn(partition, account);
        report.guards = any_write;
        report.guards.extend(guards(failure, facts, &self.settings));
        report.guards.extend(guards_of_retry(facts));
        if let Some(ledger) = self.environment.ledger() {
            let now = self.environment.clock().now();
            let history = ledger.policy_history(&arn, now).await;
            match &history {
                Err(error) if error.may_pass() => return Err(HandlerError::Call(error.clone())),
                Ok(history) if is_read_late(history, now) => {
                    return Err(HandlerError::Call(CallError {
                        operation: "read the role again",
                        resource: arn,
                        kind: CallErrorKind::Throttled,
                        detail: "it was created a moment ago, and IAM does not show it".to_owned(),
                    }));
                }
                Ok(_) | Err(_) => {}
            }
            report.guards.push(not_taken_back(&history, &arn));
        }
        let mode_is_observe = self.settings.mode == Mode::Observe;
        let others_pass = report
            .guards
            .iter()
            .all(|guard| guard.passed || guard.name == crate::guards::MODE);
        if !others_pass {
            report.decision = Decision::Refuse;
            report.outcome = Outcome::Refused;
            return Ok(report);
        }
        report.decision = Decision::Repair;
        let planned = |applied, id| PolicyChange {
            resource: arn.clone(),
            before: None,
            after: format!("{SERVICE_LINKED_ROLE}, made for backup.amazonaws.com"),
            added: Vec::new(),
            certificate: None,
            applied,
            id,
            grantee: Some("backup.amazonaws.com".to_owned()),
        };
        if mode_is_observe {
            report.outcome = Outcome::Planned;
            report.changes.push(planned(false, None));
            return Ok(report);
        }
        let Some(ledger) = self.environment.ledger() else {
            report.decision = Decision::Refuse;
            report.outcome = Outcome::Refused;
            report
                .guards
                .push(guard(crate::guards::LEASE, false, "no ledger keeps leases"));
            return Ok(report);
        };
        let lease = take_lease(self.environment.clock(), ledger, &arn, invocation)
            .await
            .map_err(HandlerError::Call)?;
        let made = self
            .make_role(ledger, &lease, &arn, failure, &mut report, invocation)
            .await;
        if let Err(error) = ledger.release_lease(lease).await {
            report.notes.push(format!(
                "the lease was not released and ends by itself: {error}"
            ));
        }
        match made {
            Ok(id) => {
                report.changes.push(planned(true, Some(id)));
                report.outcome = Outcome::Repaired;
                report.advice = None;
                self.start_again(report, failure).await
            }
            Err(error) if error.may_pass() => Err(HandlerError::Call(error)),
            Err(error) => {
                report.outcome = Outcome::Failed;
                report.notes.push(error.to_string());
                Ok(report)
            }
        }
    }

    async fn make_role(
        &self,
        ledger: &E::Ledger,
        lease: &Lease,
        arn: &str,
        failure: &Failure,
        report: &mut Report,
        invocation: &Invocation,
    ) -> CallResult<String> {
        replace(
            &mut report.guards,
            ask_for_pause(&self.environment, ledger).await?,
        );
        let now = self.environment.clock().now();
        report
            .guards
            .extend(guards_of_lease(arn, Some(lease), now, invocation.deadline));
        let approved = ApprovedServiceLinkedRole::approve(
            failure.destination_account(),
            failure.job().destination_vault.partition(),
            all_passed(&report.guards),
        )
        .ok_or_else(|| CallError {
            operation: "write under the lease",
            resource: arn.to_owned(),
            kind: CallErrorKind::Throttled,
            detail: "the lease ran out, too little time is left, or somebody paused Copymend"
                .to_owned(),
        })?;
        let change = Change {
            id: format!("{}-{}", failure.job().id, now.as_millisecond()),
            resource: arn.to_owned(),
            grantee: "backup.amazonaws.com".to_owned(),
            account: Some(failure.destination_account().to_string()),
            before: None,
            after: Some(SERVICE_LINKED_ROLE.to_owned()),
            statements: Vec::new(),
            at: now,
            copy_job_id: failure.job().id.clone(),
            undoes: None,
            allows_again: false,
            made_by: None,
            grounds: Grounds::of(&self.settings, entries_of_the_copy(failure, &self.settings)),
        };
        ledger.intend_change(&change).await?;
        let identities = self.environment.identities();
        let created = identities.create_service_linked_role(&approved).await;
        // Somebody may have made it meanwhile, or the answer was lost: the read tells.
        for attempt in 0..READ_BACKS {
            if attempt > 0 {
                self.environment.clock().sleep(READ_BACK_PAUSE).await;
            }
            let found = identities
                .get_role(
                    failure.destination_account(),
                    failure.job().destination_vault.partition(),
                    SERVICE_LINKED_ROLE,
                )
                .await;
            let is_there = match (found, &created) {
                (Ok(found), _) => found.is_some_and(|role| role.arn.as_str() == arn),
                (Err(error), _) if error.may_pass() => return Err(error),
                // IAM said that it was created: people must hear of it, also where nobody may look.
                (Err(error), Ok(())) => {
                    let note = format!("the role was created, but could not be read back: {error}");
                    report.notes.push(note);
                    true
                }
                (Err(error), Err(_)) => return Err(error),
            };
            if is_there {
                if let Err(error) = ledger.confirm_change(&change, &[]).await {
                    report.notes.push(format!(
                        "the role was made, but the ledger did not confirm it: {error}"
                    ));
                }
                return Ok(change.id);
            }
            if created.is_err() {
                break;
            }
        }
        created?;
        Err(CallError {
            operation: "read back",
            resource: arn.to_owned(),
            kind: CallErrorKind::Failed,
            detail: "the role was made, but IAM does not show it".to_owned(),
        })
    }
}
