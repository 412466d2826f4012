//! The copies that plans will make, judged before they run.

mod document;
mod json;
mod judge;
mod newest;
mod plan;
mod planned;
mod read;
mod reads;
mod route;
mod selected;
#[cfg(test)]
mod tests;
mod text;
mod watch;

pub use document::{DocumentError, parse_document};
pub use json::json;
pub use judge::{JudgedRoute, Preflight, Step, preflight};
pub use newest::{Backup, NewestBackups};
pub use plan::planned_copies;
pub use planned::{NotMaterialised, Place, PlannedCopies, SelectingPlan, Unseen, WhyUnseen};
pub use read::{DAYS_OF_BACKUPS, WhichPlans};
pub use route::{Route, RouteKey, RuleName};
pub use text::text;
pub use watch::watch;
