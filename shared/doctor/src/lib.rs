//! What is wrong with a deployed stack, judged from what was read of it. Pure.
//!
//! Somebody reads the stack with ordinary credentials and hands the [`Facts`] over; [`judge`] makes
//! [`Finding`]s of them, and [`table`] or [`json`] shows them. A call that was refused leaves a part
//! unjudged: it is neither fine nor broken.

mod deployed;
mod facts;
mod finding;
mod judge;
mod kinds;
mod needs;
mod patterns;
mod policies;
mod view;

#[cfg(test)]
mod tests;

pub use deployed::{Deployed, Resource};
pub use facts::{
    Alarm, Bus, Facts, Found, Function, FunctionFacts, Invoked, LoggedCalls, Mapping, Named, Queue,
    RoleFacts, Rule, RuleFacts, Subscription, Table, Target, Trail,
};
pub use finding::{Finding, Part, State};
pub use judge::judge;
pub use kinds::{ALL as KINDS, Kind};
pub use needs::{Need, needs_of};
pub use view::{is_broken, json, table};
