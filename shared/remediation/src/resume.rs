//! What needs no investigation: a copy that another copy's repair admits, and a delivery that goes on where an earlier one
//! stopped.

use copymend_diagnosis::messages::explain;
use copymend_diagnosis::{Cause, CopyJobEvent, Diagnosis, Facts, Failure, KeyArn, SourceKey};
use copymend_policy::{NewStatement, PolicyDocument};
use serde_json::Value;

use crate::carry_out::{NOT_STARTED_BY_A_GUARD, incident_of};
use crate::done::{Done, Findings};
use crate::grantee::grantee;
use crate::guards::{Act, Question, Stage, all_passed, ask, is_opt_out};
use crate::handler::{CopyRemediator, Delivery, HandlerError};
use crate::ledger::{Change, ChangeState, JobProgress, Ledger};
use crate::plan::{Target, holds, sids, vault_grant};
use crate::ports::{Backup, Environment, Keys, Location};
use crate::repair::change_recorded;
use crate::report::{DecisionKind, Outcome, Report};
use crate::settings::{Mode, Settings};

impl<E: Environment> CopyRemediator<E> {
    /// A copy that failed before its policy was repaired for another copy of the same grantee: nothing is left to find out,
    /// it only has to be started again. This is what makes a storm of failures cheap.
    pub(crate) async fn admitted_since(
        &self,
        event: &CopyJobEvent,
        failure: &Failure,
        delivery: &Delivery<'_>,
    ) -> Result<Option<Report>, HandlerError> {
        let job = failure.job();
        let (Some(ledger), Some(completed)) = (self.environment.ledger(), job.completed) else {
            return Ok(None);
        };
        let is_new = delivery.progress == JobProgress::default();
        if !is_new
            || self.settings.mode != Mode::Repair
            || !failure.is_cross_account()
            || job.is_parent
        {
            return Ok(None);
        }
        let explanation = explain(&job.status_message);
        let suggests = |cause| explanation.candidates.iter().any(|one| one.cause == cause);
        let (cause, target) = if suggests(Cause::DestinationVaultPolicy) {
            (
                Cause::DestinationVaultPolicy,
                Some(Target::Vault(job.destination_vault.clone())),
            )
        } else if suggests(Cause::SourceKeyPolicy) {
            let key = self.key_of(failure).await.ok().flatten();
            (Cause::SourceKeyPolicy, key.map(Target::Key))
        } else {
            return Ok(None);
        };
        let Some(target) = target else {
            return Ok(None);
        };
        let grantee = grantee(&target, failure, &self.settings);
        let admitted = ledger.admitted_at(target.as_str(), &grantee).await;
        // The whole way round is always safe.
        let Ok(Some(at)) = admitted else {
            return Ok(None);
        };
        if at < completed {
            return Ok(None);
        }
        let (still_admits, nobody_opted_out) = tokio::join!(
            self.still_admits(&target, failure),
            self.nobody_opted_out(&target, failure)
        );
        if !still_admits || !nobody_opted_out {
            return Ok(None);
        }
        let history = self.history_of_the_copy(failure).await?;
        let question = Question {
            act: Act::Retry,
            failure,
            settings: &self.settings,
            history: &history,
            facts: None,
            plan: None,
            writes: None,
            lease: None,
            now: history.now,
        };
        let guards = ask(&question, &[Stage::Copy]);
        if !all_passed(&guards) {
            return Ok(None);
        }
        let mut notes = vec![format!(
            "the policy of `{}` was repaired at {at}, after this copy had failed",
            target.as_str()
        )];
        notes.extend(history.notes);
        let done = Done {
            guards,
            notes,
            incident: Some(incident_of(cause, &target, failure, &self.settings)),
            told_by_its_change: true,
            ..Done::new(DecisionKind::Retry, Outcome::Advised)
        };
        let done = self.start_again(done, failure).await?;
        // With its budget used up the copy goes the whole way: people need to know what to do.
        if done.outcome != Outcome::Retried {
            return Ok(None);
        }
        let findings = Findings {
            event,
            failure: Some(failure),
            // What the repair was for comes first.
            diagnosis: &Diagnosis::from_message(&explanation).led_by(cause),
            unknown: Vec::new(),
            advice: None,
        };
        Ok(Some(Report::of(findings, self.settings.mode, done)))
    }

    /// Whether the vault's policy still holds the statement that admits this copy. A key's policy isn't read again: were our
    /// statement gone, the copy would fail once more, and its event would find that out.
    async fn still_admits(&self, target: &Target, failure: &Failure) -> bool {
        match target {
            Target::Key(_) => true,
            Target::Vault(vault) => {
                let backup = self.environment.backup();
                let Ok(Some(text)) = backup.get_backup_vault_access_policy(vault).await else {
                    return false;
                };
                PolicyDocument::parse(&text)
                    .is_ok_and(|policy| admits_by_our_statement(&policy, failure, &self.settings))
            }
        }
    }

    /// Whether the owners of the vault and of the key let Copymend act. Where that can't be read, the whole way round tells.
    async fn nobody_opted_out(&self, target: &Target, failure: &Failure) -> bool {
        let vault = &failure.job().destination_vault;
        let vault = self.environment.backup().list_vault_tags(vault);
        let key = async {
            let of_point;
            let key = match target {
                Target::Key(key) => key,
                Target::Vault(_) => match self.key_of(failure).await {
                    Ok(None) => return true,
                    Ok(Some(key)) => {
                        of_point = key;
                        &of_point
                    }
                    Err(()) => return false,
                },
            };
            let tags = self.environment.keys().list_key_tags(key).await;
            tags.is_ok_and(|tags| !is_opt_out(&tags))
        };
        let (vault, key) = tokio::join!(vault, key);
        key && vault.is_ok_and(|tags| !is_opt_out(&tags))
    }

    /// The key that the recovery point names. Where that can't be read, the whole way round tells.
    async fn key_of(&self, failure: &Failure) -> Result<Option<KeyArn>, ()> {
        let job = failure.job();
        let location = Location {
            account: job.account,
            region: job.region.clone(),
        };
        let point = self
            .environment
            .backup()
            .describe_recovery_point(
                &location,
                job.source_vault.name(),
                &job.source_recovery_point,
            )
            .await;
        match point {
            Ok(Some(point)) => Ok(point.encryption_key),
            Ok(None) | Err(_) => Err(()),
        }
    }

    /// A change that an earlier delivery of this event wrote, or was about to write, if its statements are in the policy.
    pub(crate) async fn unfinished_change(
        &self,
        delivery: &Delivery<'_>,
        failure: &Failure,
        facts: &Facts,
    ) -> Result<Option<Change>, HandlerError> {
        let (Some(ledger), Some(id)) = (self.environment.ledger(), &delivery.progress.change_id)
        else {
            return Ok(None);
        };
        let recorded = ledger.change(id).await.map_err(HandlerError::Call)?;
        let Some((change, state)) = recorded.filter(|(_, state)| *state != ChangeState::Undone)
        else {
            return Ok(None);
        };
        let policy = policy_of(&change, failure, facts);
        let statements: Vec<NewStatement> = change
            .statements
            .iter()
            .filter_map(|statement| NewStatement::from_recorded(statement).ok())
            .collect();
        let is_whole = statements.len() == change.statements.len();
        let is_there = is_whole && policy.is_some_and(|policy| holds(policy, &statements))
            || is_role_made(&change, facts);
        if !is_there {
            return Ok(None);
        }
        if state == ChangeState::Intended {
            ledger
                .confirm_change(&change, &sids(&statements))
                .await
                .map_err(HandlerError::Call)?;
        }
        Ok(Some(change))
    }

    /// Goes on where an earlier delivery stopped: the policy is repaired, the copy isn't started again yet.
    pub(crate) async fn go_on(
        &self,
        mut done: Done,
        failure: &Failure,
        change: Change,
    ) -> Result<Done, HandlerError> {
        done.cause = Some(
            if change.resource == failure.job().destination_vault.as_str() {
                Cause::DestinationVaultPolicy
            } else if change.statements.is_empty() {
                Cause::ServiceLinkedRole
            } else {
                Cause::SourceKeyPolicy
            },
        );
        done.needs_advice = false;
        done.changes.push(change_recorded(&change, true));
        // It is counted where the earlier delivery counted it: under its change.
        done.incident = None;
        let done = done.with_note(
            "an earlier delivery of this event repaired the policy and did not come to its end",
        );
        if all_passed(&done.guards) {
            self.start_again(done, failure).await
        } else {
            Ok(done.with_note(NOT_STARTED_BY_A_GUARD))
        }
    }
}

/// Whether a policy has the statement that a repair of this copy would add, whatever organization it names: the policy itself
/// decides whether the source is in it.
fn admits_by_our_statement(
    policy: &PolicyDocument,
    failure: &Failure,
    settings: &Settings,
) -> bool {
    policy.statements().iter().any(|statement| {
        let Ok(ours) = NewStatement::from_recorded(statement.as_str()) else {
            return false;
        };
        organization_of(&ours)
            .and_then(|id| vault_grant(failure, settings, id).statements().ok())
            .is_some_and(|expected| holds(policy, &expected))
    })
}

fn organization_of(statement: &NewStatement) -> Option<String> {
    let statement: Value = serde_json::from_str(statement.as_str()).ok()?;
    let ids = statement.pointer("/Condition/StringEquals/aws:PrincipalOrgID")?;
    let id = match ids.as_array().map(Vec::as_slice) {
        None => ids,
        Some([id]) => id,
        Some([] | [_, ..]) => return None,
    };
    id.as_str().map(str::to_owned)
}

/// The policy that a change is about, as it was read now.
fn policy_of<'f>(
    change: &Change,
    failure: &Failure,
    facts: &'f Facts,
) -> Option<&'f PolicyDocument> {
    if change.resource == failure.job().destination_vault.as_str() {
        return facts.vault_policy.known()?.as_ref();
    }
    match &facts.source_key {
        SourceKey::Key(key) if key.arn.as_str() == change.resource => key.policy.known(),
        SourceKey::Key(_) | SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
    }
}

/// Whether the change is the making of a role that is there now.
fn is_role_made(change: &Change, facts: &Facts) -> bool {
    facts
        .service_linked_role
        .known()
        .and_then(Option::as_ref)
        .is_some_and(|role| role.arn.as_str() == change.resource)
}
