//! What was missing for a refused AWS Backup call, or for a failed backup or restore job. Pure.
//!
//! A call needs some permissions ([`needs`]); policies answer to each (`permissions`); the answers
//! are weighed together with the service's words (`weigh`). What comes out are [`Findings`].

mod advice;
mod call;
mod facts;
mod findings;
mod job;
pub mod needs;
mod permission_set;
mod permissions;
mod policy;
mod weigh;

pub use call::{API_CALL_DETAIL_TYPE, ApiCallEvent, Caller, is_access_denied};
pub use facts::{AliasInUse, CallerAccess, CallerFacts, JobFacts, KeyInUse};
pub use findings::Findings;
pub use job::{BACKUP_JOB_DETAIL_TYPE, JobEvent, JobKind, RESTORE_JOB_DETAIL_TYPE, ServiceJob};
pub use needs::{KeyUse, Need};
pub use permission_set::PermissionSet;
