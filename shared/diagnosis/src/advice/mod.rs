//! What people should do about a cause: who, where, and in which order.

mod case;
mod console;
mod copy;
mod destination;
mod hops;
mod identity;
mod key;
mod organization;
pub(crate) mod page;
mod permission;
mod resource;
mod role;
#[cfg(test)]
pub(crate) mod samples;
mod source;
mod state;
mod steps;
mod tags;
#[cfg(test)]
mod tests;
mod text;
mod unsupported;
mod vault;
#[cfg(test)]
mod words;

use serde::Serialize;

use crate::cause::Cause;
use crate::event::CopyJobEvent;
use crate::facts::Facts;
use case::Case;
pub use source::advise_unlisted_source;

/// Steps for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// Who must act, in which account and Region.
    pub who: String,
    /// What to do, in order. A step is a sentence; a command or a JSON text to paste follows on lines of its own.
    pub steps: Vec<String>,
    /// AWS's page on it.
    pub page: &'static str,
    /// The page of the AWS console to start from. Absent where no partition's console is known or a name can't be trusted
    /// in a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
}

/// The advice for a cause. `facts` are absent for an event that could not be verified: then the first step is to check
/// the job, and no statement to paste is offered.
///
/// Names and ARNs come from types that refuse control characters. What goes into a command is checked once more, so that
/// an event can forge neither a line nor a command.
#[must_use]
pub fn advise(cause: Cause, event: &CopyJobEvent, facts: Option<&Facts>) -> Advice {
    let failed = Case::new(event, facts);
    let mut advice = advice_for(cause, &failed);
    if !failed.is_verified() {
        advice.steps.insert(0, failed.check_the_job());
    }
    advice.console = console::page(cause, &failed);
    advice
}

fn advice_for(cause: Cause, failed: &Case<'_>) -> Advice {
    match cause {
        Cause::DestinationVaultPolicy => destination::policy(failed),
        Cause::DestinationVaultDeny => destination::deny(failed),
        Cause::DestinationVaultKey => vault::key(failed),
        Cause::RetentionOutOfRange => vault::retention(failed),
        Cause::VaultNotFound => vault::not_found(failed),
        Cause::ServiceLinkedRole => destination::service_linked_role(failed),
        Cause::SourceKeyPolicy | Cause::KeyPolicy => key::policy(failed),
        Cause::SourceKeyDeny => key::deny(failed),
        Cause::SourceKeyState => key::state(failed),
        Cause::KeyNotFound => key::not_found(failed),
        Cause::AwsManagedKey => key::aws_managed(failed),
        Cause::JobRolePermission | Cause::CallerPermission => permission::permission(failed),
        Cause::JobRoleTrust => role::trust(failed),
        Cause::JobRoleMissing => role::missing(failed),
        Cause::PermissionsBoundary => permission::boundary(failed),
        Cause::SessionPolicy => identity::session(failed),
        Cause::VpcEndpointPolicy => identity::endpoint(failed),
        Cause::OrganizationMembership => organization::membership(failed),
        Cause::CrossAccountBackupDisabled => organization::feature_off(failed),
        Cause::ServiceControlPolicy => organization::service_control(failed),
        Cause::ResourceControlPolicy => organization::resource_control(failed),
        Cause::TagPolicy => tags::policy(failed),
        Cause::RegionOptIn => organization::region_opt_in(failed),
        Cause::UnsupportedResourceType => unsupported::unsupported(failed),
        Cause::TagLimit => tags::limit(failed),
        Cause::Licensing => resource::licensing(failed),
        Cause::AllowedAmis => resource::allowed_amis(failed),
        Cause::ShareRevoked => resource::share_revoked(failed),
        Cause::ShareCleanup => resource::share_cleanup(failed),
        Cause::OptionGroup => resource::option_group(failed),
        Cause::ContinuousBackup => resource::continuous(failed),
        Cause::SourceNotFound => resource::not_found(failed),
        Cause::Concurrency => copy::concurrency(failed),
        Cause::Quota => copy::quota(failed),
        Cause::Transient => copy::transient(failed),
        Cause::ServiceFault => copy::service_fault(failed),
        Cause::ResourceState => copy::resource_state(failed),
        Cause::ScheduleWindow => copy::schedule_window(failed),
        Cause::Unknown => copy::unknown(failed),
    }
}
