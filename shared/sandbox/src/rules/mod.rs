//! AWS's rules for a copy, in the order in which this sandbox applies them.
//!
//! Labels as in the project's facts: *documented* by AWS, *seen* in public, *inferred*,
//! *unverified*. AWS documents most of the rules but not their order: the order is inferred from
//! who can act before whom (the job role first, then the destination vault, then the service-linked
//! role of the destination, then the key).
//!
//! 1. The job role exists and AWS Backup may assume it (documented: developer guide, "IAM service
//!    roles").
//! 2. Service control policies, the role's policies and its boundary allow
//!    `backup:CopyFromBackupVault` and `backup:CopyIntoBackupVault` (documented: service
//!    authorization reference), and the source vault doesn't deny the first.
//! 3. The recovery point exists, and the destination vault exists.
//! 4. Another account: same organization, and the feature is on (documented: "Creating backup
//!    copies across accounts").
//! 5. The resource type supports the copy (documented: "Feature availability by resource"; the
//!    table is [`feature_table`]).
//! 6. The destination vault's policy: another account needs an Allow, the same one is only stopped
//!    by a Deny (documented: "Vault access policies"; the same-account half is inferred from IAM's
//!    evaluation logic).
//! 7. The destination vault's key exists, is usable, and is one that a copy of this type may be
//!    under: see [`vault_key`].
//! 8. The vault's retention range (documented: "Vault Lock").
//! 9. The destination vault's key admits who encrypts the copy.
//! 10. Another account: `AWSServiceRoleForBackup` exists there (documented; AWS's words for it are
//!     unverified).
//! 11. The source keys: see [`source_key`].
//! 12. Tags: at most fifty, and the organization's tag policy (documented: "Quotas"; tag policies
//!     seen).
//!
//! A call that AWS refused is refused for a while more: see [`crate::denials`]. The rules use the
//! crate `policy`, which an independent simulator checks, and nothing of the diagnosis but the
//! names of causes and of things.

mod calls;
mod feature_table;
mod features;
mod key_use;
mod regions;
mod role;
mod source_key;
mod tags;
mod vault;
mod vault_key;

use copymend_diagnosis::Cause;

use crate::copies::{CopyFailure, NewCopy};
use crate::denials::RefusedCall;
use crate::world::World;

pub(crate) use feature_table::OPT_IN;
pub(crate) use regions::{is_enabled as is_region_enabled, is_opt_in};

/// Why a copy fails, and the call that AWS refused for it, if one was.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) failure: CopyFailure,
    pub(crate) call: Option<Box<RefusedCall>>,
}

type Verdict = Result<(), Refusal>;

impl Refusal {
    /// The same with the call that AWS refused.
    fn by(self, call: Option<RefusedCall>) -> Self {
        Self {
            call: call.map(Box::new),
            ..self
        }
    }
}

fn refused(cause: Cause, category: &str, message: impl Into<String>) -> Refusal {
    Refusal {
        failure: CopyFailure {
            message: message.into(),
            category: category.to_owned(),
            cause: Some(cause),
        },
        call: None,
    }
}

/// Whether the world lets the copy pass.
pub(crate) fn judge(world: &World, copy: &NewCopy) -> Verdict {
    role::check(world, copy)?;
    let Some(point) = world.recovery_point(&copy.source_vault, &copy.recovery_point) else {
        return Err(refused(
            Cause::SourceNotFound,
            "RESOURCE_NOT_FOUND",
            "Cannot find recovery point",
        ));
    };
    vault::exists(world, copy)?;
    if copy.is_cross_account() {
        organization(world, copy)?;
    }
    features::check(world, copy, point)?;
    vault::policy(world, copy)?;
    vault_key::check(world, copy, point)?;
    vault::retention(world, copy)?;
    vault_key::uses(world, copy, point)?;
    source_key::check(world, copy, point)?;
    tags::check(world, copy, point)
}

/// The same where AWS remembers no denial of earlier calls.
pub(crate) fn judge_afresh(world: &World, copy: &NewCopy) -> Verdict {
    let mut afresh = world.clone();
    afresh.set_denials_last(jiff::SignedDuration::ZERO);
    judge(&afresh, copy)
}

impl NewCopy {
    pub(crate) fn is_cross_account(&self) -> bool {
        self.source_vault.arn().account() != self.destination_vault.arn().account()
            || self.source_vault.partition() != self.destination_vault.partition()
    }

    pub(crate) fn is_cross_region(&self) -> bool {
        self.source_vault.region() != self.destination_vault.region()
    }
}

fn organization(world: &World, copy: &NewCopy) -> Verdict {
    let of = |account: Option<_>| account.and_then(|id| world.organization_of(id));
    let source = of(copy.source_vault.account_id());
    let destination = of(copy.destination_vault.account_id());
    let shared = match (source, destination) {
        (Some(source), Some(destination)) if source.id == destination.id => source,
        _ => {
            return Err(refused(
                Cause::OrganizationMembership,
                "ACCESS_DENIED",
                "Copy job failed. Both source and destination account must be a member of the same organization",
            ));
        }
    };
    if shared.cross_account_backup_enabled {
        Ok(())
    } else {
        Err(refused(
            Cause::CrossAccountBackupDisabled,
            "FEATURE_NOT_ENABLED",
            "Copy job failed. Cross-account copy feature is not enabled for the current organization.",
        ))
    }
}
