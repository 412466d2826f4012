//! Failed copy events, failure messages, causes, facts and the diagnosis they lead to. Pure.

mod cause;
mod event;
mod fact;
mod facts;
mod job;
pub mod messages;
mod resource;

pub use cause::{Cause, UnknownSlug};
pub use event::{CopyJobEvent, EVENT_DETAIL_TYPE, EVENT_SOURCE, EventError};
pub use fact::{Fact, UnknownReason, WhyUnknown};
pub use facts::{
    BackupVault, Facts, Key, KeyFacts, KeyManager, Organization, RecoveryPoint, Role, SourceKey, Tags,
};
pub use job::{CopyJob, CopyJobState, Failure, Lifecycle, NotVerified};
pub use resource::{BackupVaultArn, KeyArn, RoleArn};
