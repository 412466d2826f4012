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
mod simulator;
mod world;
mod writes;

pub use calls::{CallRecord, Calls, Write};
pub use clock::SandboxClock;
pub use copies::{CopyFailure, CopyJob, NewCopy};
pub use delayed_retries::{MemoryDelayedRetries, delivery_of, delivery_of_copy};
pub use event::event_of;
pub use ledger::MemoryLedger;
pub use notifier::{MemoryNotifier, Notification};
pub use sandbox::Sandbox;
pub use world::{
    Account, BackupJob, BackupPlan, Copymend, Fault, Key, Lock, Organization, OrganizationPolicy,
    PermissionsBoundary, PolicyText, RecoveryPoint, Region, RestoreJob, Role, SERVICE_LINKED_ROLE,
    Snapshot, TagRule, User, Vault, World, WorldError,
};
pub use writes::WriteError;
