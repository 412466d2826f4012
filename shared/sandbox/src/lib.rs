//! The ports in memory: an organization of accounts in which copies succeed or fail by AWS's rules,
//! with AWS's messages.

mod authority;
mod call;
mod calls;
mod clock;
mod copies;
mod delayed_retries;
mod denials;
pub mod editor;
mod event;
mod ids;
mod index;
mod ledger;
mod managed;
mod notifier;
mod order;
mod own_calls;
mod own_roles;
mod policies;
mod ports;
mod rules;
mod sandbox;
mod signature;
mod simulator;
mod world;
mod writes;

pub use calls::{CallRecord, Calls, Write};
pub use clock::SandboxClock;
pub use copies::{CopyFailure, CopyJob, NewCopy};
pub use delayed_retries::{MemoryDelayedRetries, delivery_of, delivery_of_copy};
pub use event::event_of;
pub use index::Listed;
pub use ledger::MemoryLedger;
pub use notifier::{MemoryNotifier, Notification};
pub use ports::{Person, RegionOptStatus, RolePolicies};
pub use sandbox::Sandbox;
pub use signature::presigned;
pub use world::{
    Account, BackupJob, BackupPlan, ControlPolicy, Copymend, DEFAULT_SCHEDULE, Fault, Key, Lock,
    Organization, OrganizationPolicy, PermissionsBoundary, Plan, PlanCopyAction, PlanRule,
    PlanSelection, PolicyText, Protected, RecoveryPoint, Region, RestoreJob, Role,
    SERVICE_LINKED_ROLE, SelectedTag, SelectionConditions, Snapshot, TagRule, User, Vault, World,
    WorldError,
};
pub use writes::WriteError;
