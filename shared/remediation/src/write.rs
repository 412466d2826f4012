//! A write that may happen: the only thing that the ports take which write a policy or a role, or
//! start a copy.
//!
//! A permission is made here alone: by `permit` and `permit_copy`, which see every guard of the
//! checklist pass, and by `take_out`, which takes the statements that it is given out of a policy
//! and nothing else. So nothing unguarded compiles, neither a write
//!
//! ```compile_fail,E0451
//! use copymend_remediation::plan::ServiceLinkedRole;
//! use copymend_remediation::write::ApprovedServiceLinkedRole;
//!
//! fn approve(role: ServiceLinkedRole) -> ApprovedServiceLinkedRole {
//!     ApprovedServiceLinkedRole { role }
//! }
//! ```
//!
//! nor a copy:
//!
//! ```compile_fail,E0451
//! use copymend_remediation::ports::StartCopy;
//! use copymend_remediation::write::ApprovedCopy;
//!
//! fn approve(copy: StartCopy) -> ApprovedCopy {
//!     ApprovedCopy { copy }
//! }
//! ```
//!
//! ```compile_fail,E0308
//! use copymend_remediation::ports::{BackupWrites, StartCopy};
//!
//! async fn start(backup: &impl BackupWrites, copy: &StartCopy) {
//!     let _ = backup.start_copy_job(copy).await;
//! }
//! ```

use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::{NewStatement, PolicyDocument, Undone, undo};

use crate::guards::{Act, GuardResult, Question, ask_all};
use crate::plan::{ServiceLinkedRole, Target};
use crate::ports::StartCopy;
use crate::retry::copy_of;
use crate::undo::UndoError;

/// A policy that may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved<R> {
    resource: R,
    after: PolicyDocument,
}

/// An approved vault access policy.
pub type ApprovedVaultPolicy = Approved<BackupVaultArn>;
/// An approved key policy.
pub type ApprovedKeyPolicy = Approved<KeyArn>;

impl<R> Approved<R> {
    /// The vault or key.
    #[must_use]
    pub const fn resource(&self) -> &R {
        &self.resource
    }

    /// The whole policy to write.
    #[must_use]
    pub fn policy(&self) -> &str {
        self.after.as_str()
    }
}

/// That `AWSServiceRoleForBackup` shall be created in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedServiceLinkedRole {
    role: ServiceLinkedRole,
}

impl ApprovedServiceLinkedRole {
    /// The role.
    #[must_use]
    pub const fn role(&self) -> &ServiceLinkedRole {
        &self.role
    }
}

/// That a copy may be started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedCopy {
    copy: StartCopy,
}

impl ApprovedCopy {
    /// The copy to start.
    #[must_use]
    pub const fn copy(&self) -> &StartCopy {
        &self.copy
    }
}

/// What may be written.
#[derive(Debug)]
pub enum Write {
    /// A vault access policy.
    VaultPolicy(ApprovedVaultPolicy),
    /// A key policy.
    KeyPolicy(ApprovedKeyPolicy),
    /// The service-linked role.
    ServiceLinkedRole(ApprovedServiceLinkedRole),
}

/// Asks every guard of the act's checklist, under the lease on what the plan writes to. The write
/// is there only if each of them could be asked and passed.
pub(crate) fn permit(question: &Question<'_>) -> (Vec<GuardResult>, Option<Write>) {
    let (guards, every) = ask_all(question);
    let lease = question.lease.and_then(|(lease, _)| lease);
    let plan = question.planned().filter(|plan| {
        every
            && question.act == act_on(&plan.target)
            && lease.is_some_and(|lease| lease.resource() == plan.target.as_str())
    });
    let write = plan.and_then(|plan| {
        let after = plan.edit.as_ref().map(|edit| edit.after.clone());
        Some(match plan.target.clone() {
            Target::VaultPolicy(resource) => Write::VaultPolicy(Approved {
                resource,
                after: after?,
            }),
            Target::KeyPolicy(resource) => Write::KeyPolicy(Approved {
                resource,
                after: after?,
            }),
            Target::ServiceLinkedRole(role) => {
                Write::ServiceLinkedRole(ApprovedServiceLinkedRole { role })
            }
        })
    });
    (guards, write)
}

/// Asks every guard of a retry. The copy is there only if each of them could be asked and passed.
pub(crate) fn permit_copy(question: &Question<'_>) -> (Vec<GuardResult>, Option<ApprovedCopy>) {
    let question = Question {
        act: Act::Retry,
        ..*question
    };
    let (guards, every) = ask_all(&question);
    let copy = every.then(|| ApprovedCopy {
        copy: copy_of(question.failure),
    });
    (guards, copy)
}

/// What is done to a target.
pub(crate) const fn act_on(target: &Target) -> Act {
    match target {
        Target::VaultPolicy(_) => Act::VaultPolicy,
        Target::KeyPolicy(_) => Act::KeyPolicy,
        Target::ServiceLinkedRole(_) => Act::ServiceLinkedRole,
    }
}

/// Takes exactly these statements out of a policy: what is to be written, and the policy's text
/// then. Nothing where they are gone already; refused where somebody changed one of them, and where
/// nothing else is left: AWS takes no policy without a statement, and no policy is deleted here.
pub(crate) fn take_out(
    target: &Target,
    before: Option<&str>,
    statements: &[NewStatement],
) -> Result<Option<(Write, String)>, UndoError> {
    let resource = || target.as_str().to_owned();
    let Some(before) = before else {
        return Ok(None);
    };
    let policy = PolicyDocument::parse(before).map_err(|source| UndoError::Policy {
        resource: resource(),
        source,
    })?;
    let undone = undo(&policy, statements).map_err(|source| UndoError::Edit {
        resource: resource(),
        source,
    })?;
    let after = match undone {
        Undone::Unchanged => return Ok(None),
        Undone::Document(document) if !document.statements().is_empty() => document,
        Undone::NoDocument | Undone::Document(_) => {
            return Err(match target {
                Target::VaultPolicy(vault) => UndoError::LastStatement(vault.clone()),
                Target::KeyPolicy(_) => UndoError::EmptyKeyPolicy(resource()),
                Target::ServiceLinkedRole(role) => UndoError::ServiceLinkedRole(role.clone()),
            });
        }
    };
    let text = after.as_str().to_owned();
    let write = match target.clone() {
        Target::VaultPolicy(resource) => Write::VaultPolicy(Approved { resource, after }),
        Target::KeyPolicy(resource) => Write::KeyPolicy(Approved { resource, after }),
        Target::ServiceLinkedRole(role) => return Err(UndoError::ServiceLinkedRole(role)),
    };
    Ok(Some((write, text)))
}
