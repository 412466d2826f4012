//! The copies that plans will make, judged before they run.

mod at;
mod document;
mod json;
mod judge;
mod materialised;
mod newest;
mod plan;
mod planned;
mod policy_document;
#[cfg(test)]
mod policy_tests;
mod policy_values;
mod read;
mod reads;
mod route;
mod selected;
#[cfg(test)]
mod tests;
mod text;
mod unique_keys;
mod watch;
mod would;

pub use at::DocumentError;
pub use document::{Document, parse_document};
pub use json::json;
pub use judge::{JudgedRoute, Preflight, Step, Stopped, preflight, preflight_until};
pub use newest::{Backup, NewestBackups};
pub use plan::planned_copies;
pub use planned::{NotMaterialised, Place, PlannedCopies, SelectingPlan, Unseen, WhyUnseen};
pub use policy_document::BackupPolicy;
pub use read::{DAYS_OF_BACKUPS, WhichPlans};
pub use route::{Route, RouteKey, RuleName};
pub use text::{foot, named, sums, text, would_do};
pub use watch::watch;
pub use would::{WouldOfPlanned, look_ahead};
