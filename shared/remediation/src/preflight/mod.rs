//! The preflight that the hub runs by schedule: the event that asks for it, what the ledger keeps
//! of it, and what people are told. What plans will do is found out by who has their lists.

mod answer;
mod news;
mod told;

use serde_json::Value;

use crate::self_check::is_own;

pub use answer::{PreflightAnswer, PreflightState};
pub use news::{
    Failing, FailingRoute, InTheWay, NotReadPlace, OpenCause, Over, PreflightNews, RouteCleared,
    RouteOver, RuleWithoutCopy,
};
pub use told::{MOST_ROUTES, ToldOfPlace, ToldPreflights, ToldRoute};

/// The detail-type of the event that asks for a preflight.
pub const PREFLIGHT_DETAIL_TYPE: &str = "Copymend Preflight";

/// Whether an event asks for a preflight.
#[must_use]
pub fn is_preflight(event: &Value) -> bool {
    is_own(event, PREFLIGHT_DETAIL_TYPE)
}
