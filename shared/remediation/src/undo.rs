//! Takes a change back: exactly the statements that it added, also when others have edited the policy since.

use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::{EditError, NewStatement, ParseError, PolicyDocument, RecordedError, Undone};

use crate::guards::{Write, guards_of_lease};
use crate::handler::Invocation;
use crate::ledger::{Change, ChangeState, Lease, Ledger};
use crate::plan::Target;
use crate::ports::{CallError, Clock, Environment};
use crate::repair::{ReadBack, put, read_back, read_policy, take_lease};
use crate::write::{Approved, ApprovedNoVaultPolicy};

/// How often a write is tried when someone else changes the policy at the same time.
const ATTEMPTS: u32 = 3;

/// A change that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The change that was taken back.
    pub undone: Change,
    /// The change that took it back; `None` where the statements were gone already, so that nothing was written.
    pub change: Option<Change>,
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
    #[error("the change `{0}` was taken back before")]
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
    /// The policy is there no more.
    #[error("`{0}` has no policy any more")]
    NoPolicy(String),
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
    /// A guard refused.
    #[error("nothing was written: guard {name}: {detail}")]
    Guard {
        /// The guard.
        name: &'static str,
        /// What it saw.
        detail: String,
    },
    /// Somebody else kept changing the policy.
    #[error("someone else kept changing the policy of `{0}`; look at it, then try again")]
    Foreign(String),
    /// A call failed.
    #[error("{0}")]
    Call(CallError),
}

impl From<CallError> for UndoError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

/// Takes a change back by its id; without one the last change.
///
/// Refused where somebody changed our statement since. The undo is a change of its own in the ledger.
pub async fn undo<E: Environment>(
    environment: &E,
    change_id: Option<&str>,
    invocation: &Invocation,
) -> Result<Undo, UndoError> {
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
    match state {
        ChangeState::Undone => return Err(UndoError::AlreadyUndone(id)),
        // One that was only intended may have been written all the same.
        ChangeState::Written | ChangeState::Intended => {}
    }
    let target = target_of(&change)?;
    let statements = change
        .statements
        .iter()
        .map(|statement| NewStatement::from_recorded(statement))
        .collect::<Result<Vec<_>, _>>()?;
    let lease = take_lease(environment.clock(), ledger, target.as_str(), invocation).await?;
    let undone = write(
        environment,
        ledger,
        &target,
        &change,
        &statements,
        &lease,
        invocation,
    )
    .await;
    if let Err(error) = ledger.release_lease(lease).await {
        tracing::warn!(%error, "the lease was not released and ends by itself");
    }
    undone
}

fn target_of(change: &Change) -> Result<Target, UndoError> {
    if let Ok(vault) = change.resource.parse::<BackupVaultArn>() {
        return Ok(Target::Vault(vault));
    }
    change
        .resource
        .parse::<KeyArn>()
        .map(Target::Key)
        .map_err(|_| UndoError::NoTarget(change.resource.clone()))
}

async fn write<E: Environment>(
    environment: &E,
    ledger: &E::Ledger,
    target: &Target,
    change: &Change,
    statements: &[NewStatement],
    lease: &Lease,
    invocation: &Invocation,
) -> Result<Undo, UndoError> {
    let resource = || change.resource.clone();
    let sids: Vec<String> = statements
        .iter()
        .map(|statement| statement.sid().to_owned())
        .collect();
    for _ in 0..ATTEMPTS {
        let before = read_policy(environment, target)
            .await?
            .ok_or_else(|| UndoError::NoPolicy(resource()))?;
        let document = PolicyDocument::parse(&before).map_err(|source| UndoError::Policy {
            resource: resource(),
            source,
        })?;
        let after =
            copymend_policy::undo(&document, statements).map_err(|source| UndoError::Edit {
                resource: resource(),
                source,
            })?;
        let now = environment.clock().now();
        let guards = guards_of_lease(target.as_str(), Some(lease), now, invocation.deadline);
        if let Some(refused) = guards.into_iter().find(|guard| !guard.passed) {
            return Err(UndoError::Guard {
                name: refused.name,
                detail: refused.detail,
            });
        }
        let after = match after {
            Undone::Unchanged => {
                return Ok(Undo {
                    undone: change.clone(),
                    change: None,
                });
            }
            Undone::NoDocument => None,
            Undone::Document(document) => Some(document),
        };
        let write = match (target, &after) {
            (Target::Vault(vault), None) => {
                Write::NoVaultPolicy(ApprovedNoVaultPolicy::new(vault.clone()))
            }
            (Target::Key(_), None) => return Err(UndoError::EmptyKeyPolicy(resource())),
            (Target::Vault(vault), Some(after)) => {
                Write::Vault(Approved::new(vault.clone(), after.clone()))
            }
            (Target::Key(key), Some(after)) => {
                Write::Key(Approved::new(key.clone(), after.clone()))
            }
        };
        let taken_back = Change {
            id: format!("undo-{}-{}", change.id, now.as_millisecond()),
            before: Some(before.clone()),
            after: after.as_ref().map(|after| after.as_str().to_owned()),
            at: now,
            undoes: Some(change.id.clone()),
            ..change.clone()
        };
        ledger.intend_change(&taken_back).await?;
        put(environment, &write).await?;
        let read = read_back(
            environment,
            target,
            Some(&before),
            after.as_ref().map(PolicyDocument::as_str),
        )
        .await?;
        match read {
            ReadBack::AsWritten => {
                ledger.confirm_change(&taken_back, &sids).await?;
                return Ok(Undo {
                    undone: change.clone(),
                    change: Some(taken_back),
                });
            }
            ReadBack::Foreign => {}
        }
    }
    Err(UndoError::Foreign(resource()))
}
