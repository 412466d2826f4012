//! What `copymend scan`, `preflight` and `rpo` read with: AWS Backup's lists in many accounts and
//! Regions.

mod answers;
mod guardrails;
mod hub;
mod lists;
mod plans;
mod reach;
mod rows;

pub(crate) use guardrails::AwsAccountManagement;
pub use hub::Surveying;
pub use lists::AwsLists;
pub use reach::{Reach, ReachError, Reached};
