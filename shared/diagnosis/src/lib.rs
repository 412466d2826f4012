//! Failed copy events, failure messages, causes, facts and the diagnosis they lead to. Pure.

pub mod access;
mod advice;
mod assess;
mod cause;
mod diagnose;
mod event;
mod fact;
mod facts;
pub mod features;
mod job;
pub mod messages;
mod resource;

pub use advice::{Advice, advise};
pub use assess::{Assessment, Verdict};
pub use cause::{Cause, UnknownSlug};
pub use diagnose::{Diagnosis, diagnose};
pub use event::{CopyJobEvent, EVENT_DETAIL_TYPE, EVENT_SOURCE, EventError};
pub use fact::{Fact, UnknownReason, WhyUnknown};
pub use facts::{
    BackupVault, Facts, Key, KeyFacts, KeyManager, Organization, RecoveryPoint, Role, SourceKey,
    Tags,
};
pub use job::{CopyJob, CopyJobState, Failure, Lifecycle, NotVerified};
pub use resource::{BackupVaultArn, KeyArn, RoleArn};
