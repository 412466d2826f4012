//! A write that may happen: the only thing that the ports take which write a policy or a role.
//!
//! A permission is made here alone: by `permit` and `permit_role`, which see every guard of the checklist pass, and by `take_out`,
//! which takes the statements that it is given out of a policy and nothing else. So an unguarded write doesn't compile. Starting a copy
//! again writes neither and needs no permission of this kind; its guards are asked by what is decided.

use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::{AccountId, EditError, NewStatement, PolicyDocument, Undone};

use crate::guards::{Act, GuardResult, Question, ask_all};
use crate::plan::Target;

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

/// That a vault shall have no access policy any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedNoVaultPolicy {
    vault: BackupVaultArn,
}

impl ApprovedNoVaultPolicy {
    /// The vault.
    #[must_use]
    pub const fn vault(&self) -> &BackupVaultArn {
        &self.vault
    }
}

/// That `AWSServiceRoleForBackup` shall be created in an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedServiceLinkedRole {
    account: AccountId,
    partition: String,
}

impl ApprovedServiceLinkedRole {
    /// The account.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// The account's partition.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }
}

/// What may be written.
#[derive(Debug)]
pub enum Write {
    /// A vault access policy.
    Vault(ApprovedVaultPolicy),
    /// A key policy.
    Key(ApprovedKeyPolicy),
    /// No vault access policy any more: an undo of the first statement.
    NoVaultPolicy(ApprovedNoVaultPolicy),
}

/// Asks every guard of the act's checklist, under the lease on what the plan writes to. The write is there only if each of them
/// could be asked and passed.
pub(crate) fn permit(question: &Question<'_>) -> (Vec<GuardResult>, Option<Write>) {
    let (guards, every) = ask_all(question);
    let plan = question.planned().filter(|plan| {
        every && question.act == act_on(&plan.target) && is_leased(question, plan.target.as_str())
    });
    let write = plan.map(|plan| {
        let after = plan.after.clone();
        match plan.target.clone() {
            Target::Vault(resource) => Write::Vault(Approved { resource, after }),
            Target::Key(resource) => Write::Key(Approved { resource, after }),
        }
    });
    (guards, write)
}

/// The same for creating the service-linked role of the destination account.
pub(crate) fn permit_role(
    question: &Question<'_>,
    role: &str,
) -> (Vec<GuardResult>, Option<ApprovedServiceLinkedRole>) {
    let (guards, every) = ask_all(question);
    let is_permitted = every && question.act == Act::ServiceLinkedRole && is_leased(question, role);
    let failure = question.failure;
    let write = is_permitted.then(|| ApprovedServiceLinkedRole {
        account: failure.copy().destination_account,
        partition: failure.job().destination_vault.partition().to_owned(),
    });
    (guards, write)
}

/// Whether the lease that the guards saw is the one on this resource.
fn is_leased(question: &Question<'_>, resource: &str) -> bool {
    let lease = question.lease.and_then(|(lease, _)| lease);
    lease.is_some_and(|lease| lease.resource() == resource)
}

/// What is done to a target.
pub(crate) const fn act_on(target: &Target) -> Act {
    match target {
        Target::Vault(_) => Act::VaultPolicy,
        Target::Key(_) => Act::KeyPolicy,
    }
}

/// A policy without statements on record.
pub(crate) enum TakenOut {
    /// They are gone already.
    Gone,
    /// What is to be written, and the policy's text then; `None` for no policy.
    Write(Write, Option<String>),
    /// Nothing would be left of a key's policy, which can't be.
    EmptyKeyPolicy,
}

/// Takes exactly these statements out of a policy. Refused where somebody changed one of them.
pub(crate) fn take_out(
    target: &Target,
    policy: &PolicyDocument,
    statements: &[NewStatement],
) -> Result<TakenOut, EditError> {
    let after = match copymend_policy::undo(policy, statements)? {
        Undone::Unchanged => return Ok(TakenOut::Gone),
        Undone::NoDocument => None,
        // AWS takes no policy without a statement.
        Undone::Document(document) if document.statements().is_empty() => None,
        Undone::Document(document) => Some(document),
    };
    let text = after.as_ref().map(|after| after.as_str().to_owned());
    let write = match (target.clone(), after) {
        (Target::Vault(vault), None) => Write::NoVaultPolicy(ApprovedNoVaultPolicy { vault }),
        (Target::Key(_), None) => return Ok(TakenOut::EmptyKeyPolicy),
        (Target::Vault(resource), Some(after)) => Write::Vault(Approved { resource, after }),
        (Target::Key(resource), Some(after)) => Write::Key(Approved { resource, after }),
    };
    Ok(TakenOut::Write(write, text))
}
