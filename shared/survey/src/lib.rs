//! What failed, what will fail and what is missing among the copies of many accounts.
//!
//! All of it only reads. [`Lists`] are AWS Backup's lists, page by page: an adapter asks AWS, and a
//! sandbox answers in memory. What is made of the pages is pure.

mod asked;
mod details;
mod listed;
mod lists;
mod not_read;
pub mod preflight;
mod region;
pub mod rpo;
pub mod scan;
pub mod table;
mod through;
mod vaults;

pub use details::{Change, Details};
pub use listed::{
    BackupPlan, BackupRule, BackupSelection, CopyAction, ListedBackupPlan, ListedCopyJob,
    ListedJob, ListedRecoveryPoint, ListedSelection, ListedVault, PlanCreator, ProtectedResource,
    ScheduledRun, SelectionCondition, TagComparison,
};
pub use lists::{CopyJobQuery, JobQuery, Lists, Page, RecoveryPointQuery, TaggedResources};
pub use not_read::NotRead;
pub use region::{NoRegionCode, RegionCode};
