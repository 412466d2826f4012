//! Each cause held against the facts.

mod key;
mod organization;
pub(crate) mod role;
mod tags;
mod unread;
mod vault;

use serde::Serialize;

use crate::cause::Cause;
use crate::fact::{Fact, WhyUnknown};
use crate::facts::{BackupVault, Facts};
use crate::features::{CopySupport, FEATURE_TABLE_DATE, PlannedCopy, support_of};
use crate::job::Failure;
use role::Layer;
pub(crate) use unread::is_unread;

/// What the facts say of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The facts show it.
    Confirmed,
    /// The facts can't tell.
    NotCheckable,
    /// The facts exclude it.
    RuledOut,
}

/// A cause with its verdict and what led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// The cause.
    pub cause: Cause,
    /// What the facts say of it.
    pub verdict: Verdict,
    /// Why it was considered.
    pub why: String,
    /// What was seen, one sentence each.
    pub evidence: Vec<String>,
}

pub(crate) type Finding = (Verdict, Vec<String>);

fn confirmed(evidence: impl Into<String>) -> Finding {
    (Verdict::Confirmed, vec![evidence.into()])
}

fn ruled_out(evidence: impl Into<String>) -> Finding {
    (Verdict::RuledOut, vec![evidence.into()])
}

fn not_checkable(evidence: impl Into<String>) -> Finding {
    (Verdict::NotCheckable, vec![evidence.into()])
}

fn unreadable(why: &WhyUnknown) -> Finding {
    not_checkable(format!("could not be read: {why}"))
}

const SAME_ACCOUNT: &str = "source and destination are one account";

/// Holds one cause against the facts.
#[must_use]
pub(crate) fn assess(cause: Cause, failure: &Failure, facts: &Facts) -> (Verdict, Vec<String>) {
    match cause {
        Cause::DestinationVaultPolicy => vault::policy(failure, facts),
        Cause::DestinationVaultDeny => vault::deny(failure, facts),
        Cause::SourceKeyPolicy
        | Cause::SourceKeyDeny
        | Cause::SourceKeyState
        | Cause::KeyNotFound
        | Cause::AwsManagedKey => key::source_key(cause, failure, facts),
        Cause::DestinationVaultKey => vault::key(failure, facts),
        Cause::OrganizationMembership => organization::membership(failure, facts),
        Cause::CrossAccountBackupDisabled => organization::feature(failure, facts),
        Cause::UnsupportedResourceType => resource_type(failure, facts),
        Cause::JobRoleMissing => role::missing(&failure.job().role, &facts.job_role),
        Cause::JobRoleTrust => role::trust(
            &failure.job().role,
            failure.job().account.as_str(),
            &facts.job_role,
        ),
        Cause::JobRolePermission => role::may_copy(Layer::Identity, failure, facts),
        Cause::PermissionsBoundary => role::may_copy(Layer::Boundary, failure, facts),
        Cause::ServiceControlPolicy => role::may_copy(Layer::Organization, failure, facts),
        Cause::TagPolicy => tags::policy(failure, facts),
        Cause::TagLimit => tags::limit(failure, facts),
        Cause::ServiceLinkedRole => service_linked_role(failure, facts),
        Cause::RetentionOutOfRange => vault::retention(failure, facts),
        Cause::VaultNotFound => match &facts.destination_vault {
            Fact::Unknown(why) => unreadable(why),
            Fact::Known(None) => confirmed(format!(
                "`{}` does not exist",
                failure.job().destination_vault
            )),
            Fact::Known(Some(_)) => ruled_out("the destination vault exists"),
        },
        Cause::SourceNotFound => match &facts.recovery_point {
            Fact::Unknown(why) => unreadable(why),
            Fact::Known(None) => confirmed(format!(
                "`{}` does not exist",
                failure.job().source_recovery_point
            )),
            Fact::Known(Some(_)) => ruled_out("the recovery point exists"),
        },
        Cause::ResourceControlPolicy
        | Cause::SessionPolicy
        | Cause::VpcEndpointPolicy
        | Cause::Concurrency
        | Cause::Quota
        | Cause::Transient
        | Cause::ServiceFault
        | Cause::ResourceState
        | Cause::ScheduleWindow
        | Cause::Licensing
        | Cause::AllowedAmis
        | Cause::ShareRevoked
        | Cause::ShareCleanup
        | Cause::OptionGroup
        | Cause::RegionOptIn
        | Cause::ContinuousBackup
        | Cause::CallerPermission
        | Cause::KeyPolicy
        | Cause::Unknown => not_checkable("rests on the message alone"),
    }
}

fn depends_on(policy: &str, keys: &[String]) -> Finding {
    not_checkable(format!(
        "{policy} depends on condition keys that cannot be known from outside: {}",
        keys.join(", ")
    ))
}

/// The role does the destination's part of a copy between accounts alone (AWS Backup, "Creating backup copies across AWS
/// accounts", documented).
fn service_linked_role(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(SAME_ACCOUNT);
    }
    match &facts.service_linked_role {
        Fact::Unknown(why) => unreadable(why),
        Fact::Known(Some(role)) => ruled_out(format!("`{}` exists", role.arn)),
        Fact::Known(None) => confirmed(format!(
            "AWSServiceRoleForBackup is missing in account {}",
            failure.destination_account()
        )),
    }
}

fn resource_type(failure: &Failure, facts: &Facts) -> Finding {
    let job = failure.job();
    let Some(resource_type) = &job.resource_type else {
        return not_checkable("the job names no resource type");
    };
    let vault = facts.destination_vault.known().and_then(Option::as_ref);
    let support = support_of(&PlannedCopy {
        resource_type,
        recovery_point: &job.source_recovery_point,
        resource: job.resource.as_ref(),
        source_vault: &job.source_vault,
        destination_vault: &job.destination_vault,
        logically_air_gapped: vault.is_some_and(BackupVault::is_logically_air_gapped),
    });
    match support {
        CopySupport::Unsupported(why) => confirmed(format!(
            "{why} (AWS's feature table of {FEATURE_TABLE_DATE})"
        )),
        // AWS knows better than a copied table: a Region or an engine may differ.
        CopySupport::Supported => not_checkable(format!(
            "the feature table of {FEATURE_TABLE_DATE} lists this copy of {resource_type} as supported"
        )),
        CopySupport::NotListed => not_checkable(format!(
            "the feature table of {FEATURE_TABLE_DATE} has no row for this copy of {resource_type}"
        )),
    }
}
