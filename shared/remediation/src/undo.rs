//! Takes a change back: exactly the statements that it added, also when others have edited the
//! policy since.

use copymend_diagnosis::BackupVaultArn;
use copymend_policy::{EditError, NewStatement, ParseError, RecordedError};

use crate::guards::lease_holds;
use crate::handler::Invocation;
use crate::lease::take_lease;
use crate::ledger::{
    Again, Change, ChangeState, Grounds, Lease, LeaseAfter, Ledger, PolicyHistory, Refusal,
};
use crate::plan::{ServiceLinkedRole, Target, sids};
use crate::ports::{CallError, Clock, Environment};
use crate::repair::write::{ATTEMPTS, PolicyWrite, Seen, WriteEnd, read_settled};
use crate::write::take_out;

/// A change that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The change that was taken back.
    pub undone: Change,
    /// The change that took it back; `None` where the statements were gone already, so that nothing
    /// was written. The ledger counts them as taken back all the same.
    pub change: Option<Change>,
    /// Whether its grantee may be admitted again.
    pub again: Again,
    /// The refusals that were lifted, each of an earlier undo.
    pub lifted: Vec<Refusal>,
}

/// What is asked of an undo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UndoRequest<'r> {
    /// The change's id; without one the last change.
    pub change: Option<&'r str>,
    /// Whether its grantee may be admitted again.
    pub again: Again,
    /// Who asks: the ARN that AWS knows the person by.
    pub asked_by: Option<&'r str>,
}

/// Why a change was not taken back. Nothing was written, unless the error says that it was.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// No ledger is set.
    #[error("no ledger is set: name its table in COPYMEND_LEDGER_TABLE")]
    NoLedger,
    /// The ledger doesn't know the change.
    #[error("the ledger knows no change `{0}`")]
    NoSuchChange(String),
    /// Nothing was changed yet.
    #[error("the ledger knows of no change")]
    NoChange,
    /// It was taken back before.
    #[error(
        "the change `{0}` was taken back before; with `--allow-again` its grantee may be admitted again"
    )]
    AlreadyUndone(String),
    /// An undo can't be taken back: repair again instead.
    #[error("`{0}` is itself an undo; let Copymend repair the policy again instead")]
    IsUndo(String),
    /// The record names no vault or key.
    #[error("the change names `{0}`, which is neither a vault nor a key")]
    NoTarget(String),
    /// The record holds a statement that isn't ours.
    #[error("the recorded statement cannot be used: {0}")]
    Recorded(#[from] RecordedError),
    /// The policy can't be read.
    #[error("the policy of `{resource}` cannot be read: {source}")]
    Policy {
        /// The vault or key.
        resource: String,
        /// Why.
        source: ParseError,
    },
    /// Somebody changed our statement.
    #[error("nothing was taken back from `{resource}`: {source}")]
    Edit {
        /// The vault or key.
        resource: String,
        /// Why.
        source: EditError,
    },
    /// A key can't be without a policy.
    #[error("nothing was taken back from `{0}`: a key policy cannot be empty")]
    EmptyKeyPolicy(String),
    /// Ours is the last statement of a vault's policy, and Copymend deletes no policy.
    #[error(
        "nothing was taken back from `{0}`: its policy has no other statement, and Copymend deletes no policy; run `aws backup \
         delete-backup-vault-access-policy --region {region} --backup-vault-name {name}` in account {account}, then undo the change \
         once more to record it",
        region = .0.arn().region(), name = .0.name(), account = .0.arn().account()
    )]
    LastStatement(BackupVaultArn),
    /// Copymend deletes no role. AWS's rules are those of AWS Backup, "Using service-linked roles",
    /// section "Deleting a service-linked role" (documented).
    #[error(
        "Copymend deletes no role; run `aws iam delete-service-linked-role --role-name AWSServiceRoleForBackup` in account {account}. \
         AWS refuses that while the account has recovery points or backup vaults: first all recovery points have to be deleted, then \
         all vaults. AWS Backup creates the role again when it is used next",
        account = .0.account()
    )]
    ServiceLinkedRole(ServiceLinkedRole),
    /// Somebody else kept changing the policy.
    #[error("someone else kept changing the policy of `{0}`; look at it, then try again")]
    Foreign(String),
    /// The policy was put, but it can't be seen yet.
    #[error(
        "the policy of `{resource}` was put without the statements, but that can't be seen: {source}; undo the change once more"
    )]
    Unseen {
        /// The vault or key.
        resource: String,
        /// Why.
        source: CallError,
    },
    /// The change was never written as far as the ledger knows, and another one wrote the same
    /// statements.
    #[error(
        "the change `{0}` was only intended, and another change wrote its statements: take that one back instead"
    )]
    WrittenByAnother(String),
    /// The policy was restored, but the ledger doesn't say so yet.
    #[error(
        "the policy of `{resource}` was restored, but that was not recorded: {source}; undo the change once more to record it"
    )]
    NotRecorded {
        /// The vault or key.
        resource: String,
        /// Why.
        source: CallError,
    },
    /// A call failed.
    #[error("{0}")]
    Call(CallError),
}

impl From<CallError> for UndoError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// The change that an undo would take back: the one with this id; without one the last.
pub async fn change_to_undo<E: Environment>(
    environment: &E,
    change_id: Option<&str>,
) -> Result<(Change, ChangeState), UndoError> {
    let ledger = environment.ledger().ok_or(UndoError::NoLedger)?;
    let id = match change_id {
        Some(id) => id.to_owned(),
        None => ledger.last_change().await?.ok_or(UndoError::NoChange)?,
    };
    let Some((change, state)) = ledger.change(&id).await? else {
        return Err(UndoError::NoSuchChange(id));
    };
    if change.undoes.is_some() {
        return Err(UndoError::IsUndo(id));
    }
    Ok((change, state))
}

/// Takes a change back, and refuses its grantee from then on, unless it is let in again.
///
/// Refused where somebody changed our statement since. The undo is a change of its own in the
/// ledger. Of a change that was taken back before only the refusal is lifted, if that is what is
/// asked.
pub async fn undo<E: Environment>(
    environment: &E,
    request: UndoRequest<'_>,
    invocation: &Invocation,
) -> Result<Undo, UndoError> {
    let (change, state) = change_to_undo(environment, request.change).await?;
    let ledger = environment.ledger().ok_or(UndoError::NoLedger)?;
    // One that was only intended may have been written all the same.
    if state == ChangeState::Undone {
        if request.again == Again::Refused {
            return Err(UndoError::AlreadyUndone(change.id));
        }
        let lifted = lift(environment, ledger, &change, request.asked_by).await?;
        return Ok(Undo {
            undone: change,
            change: None,
            again: Again::Allowed,
            lifted,
        });
    }
    let target = match Target::of_resource(&change.resource) {
        Some(target @ (Target::VaultPolicy(_) | Target::KeyPolicy(_))) => target,
        Some(Target::ServiceLinkedRole(role)) => return Err(UndoError::ServiceLinkedRole(role)),
        None => return Err(UndoError::NoTarget(change.resource)),
    };
    let statements = change
        .statements
        .iter()
        .map(|statement| NewStatement::from_recorded(statement))
        .collect::<Result<Vec<_>, _>>()?;
    let lease = take_lease(environment.clock(), ledger, target.as_str(), invocation).await?;
    // What was put, and may be in the policy or not.
    let mut unseen = None;
    let undone = write(
        (environment, ledger),
        &target,
        (&change, state),
        (&statements, request),
        &lease,
        invocation,
        &mut unseen,
    )
    .await;
    if undone.is_err() && unseen.is_some() {
        // The next writer might read as late, and write over it. The lease ends by itself.
        return undone;
    }
    if let Err(error) = ledger.release_lease(lease).await {
        tracing::warn!(%error, "the lease was not released and ends by itself");
    }
    let mut undone = undone?;
    if request.again == Again::Allowed {
        // Of earlier undos.
        undone.lifted = lift(environment, ledger, &change, request.asked_by).await?;
    }
    Ok(undone)
}

/// Lifts the refusals of the change's own grantee. An undo that is asked for again lifts what is
/// left.
async fn lift<E: Environment>(
    environment: &E,
    ledger: &E::Ledger,
    change: &Change,
    lifted_by: Option<&str>,
) -> Result<Vec<Refusal>, UndoError> {
    let now = environment.clock().now();
    let history: PolicyHistory = ledger.policy_history(&change.resource, now).await?;
    let of_grantee: Vec<Refusal> = history
        .refusals
        .into_iter()
        .filter(|refusal| refusal.grantee == change.grantee)
        .collect();
    for refusal in &of_grantee {
        ledger
            .lift_refusal(&change.resource, refusal, lifted_by, now)
            .await?;
    }
    Ok(of_grantee)
}

async fn write<E: Environment>(
    (environment, ledger): (&E, &E::Ledger),
    target: &Target,
    (change, state): (&Change, ChangeState),
    (statements, request): (&[NewStatement], UndoRequest<'_>),
    lease: &Lease,
    invocation: &Invocation,
    put: &mut Option<Change>,
) -> Result<Undo, UndoError> {
    let done = |put: Option<Change>| Undo {
        undone: change.clone(),
        change: put,
        again: request.again,
        lifted: Vec::new(),
    };
    let sids = sids(statements);
    let mut fault = None;
    let now = environment.clock().now();
    let history = ledger.policy_history(target.as_str(), now).await?;
    if state == ChangeState::Intended && sids.iter().any(|sid| history.sids.contains(sid)) {
        return Err(UndoError::WrittenByAnother(change.id.clone()));
    }
    for attempt in 0..=ATTEMPTS {
        let deadline = invocation.deadline;
        let read = read_settled(environment, target, None, &history, deadline).await?;
        if let Some(late) = read.late {
            return Err(UndoError::Call(late.into_error(target)));
        }
        let before = read.text;
        let now = environment.clock().now();
        let taken_back = |after: Option<String>| Change {
            id: format!("undo-{}-{}", change.id, now.as_millisecond()),
            before: before.clone(),
            after,
            at: now,
            undoes: Some(change.id.clone()),
            allows_again: request.again == Again::Allowed,
            made_by: request.asked_by.map(str::to_owned),
            grounds: Grounds::of_a_person(),
            ..change.clone()
        };
        let after = match take_out(target, before.as_deref(), statements)? {
            Some(_) if attempt == ATTEMPTS => break,
            Some((_, after)) => after,
            None => {
                // By an undo that was never recorded, or by somebody else. Unrecorded, the guards
                // would go on to believe that somebody removed what is ours.
                lease_holds(lease, now, invocation.deadline)?;
                let record = put.clone().unwrap_or_else(|| taken_back(before.clone()));
                let lease = Some((lease, LeaseAfter::Kept));
                ledger.confirm_change(&record, &sids, lease).await?;
                return Ok(done(put.take()));
            }
        };
        let written = PolicyWrite {
            environment,
            ledger,
            lease,
            deadline: invocation.deadline,
            target,
            approve: |last: Option<&str>| take_out(target, last, statements).ok().flatten(),
            change: taken_back(Some(after)),
            sids: &sids,
            source: None,
        }
        .run()
        .await?;
        let (record, seen) = match written {
            WriteEnd::ForeignBefore => continue,
            WriteEnd::Put(record, seen) => (*record, seen),
        };
        match seen {
            Seen::AsWritten {
                confirmed,
                pause: _,
            } => {
                *put = None;
                return match confirmed {
                    Ok(()) => Ok(done(Some(record))),
                    Err(source) => Err(UndoError::NotRecorded {
                        resource: record.resource,
                        source,
                    }),
                };
            }
            Seen::Foreign => *put = Some(record),
            Seen::Lost(error) => {
                fault = Some(error);
                *put = Some(record);
            }
            // The next one finds the statements gone, or takes them out.
            Seen::Not(source) => {
                let resource = record.resource.clone();
                *put = Some(record);
                return Err(UndoError::Unseen { resource, source });
            }
        }
    }
    Err(fault.map_or_else(
        || UndoError::Foreign(target.as_str().to_owned()),
        UndoError::Call,
    ))
}
