//! Ports, investigation, decision, guards, repair, retry and the handler.
//!
//! One event flows through [`CopyRemediator::handle`]: the event is verified against AWS Backup,
//! [`investigate`] reads the facts, `copymend-diagnosis` ranks the causes, [`plan`] works the
//! change out, [`guards`] let it pass or not, `repair` writes it, `retry` starts the copy again,
//! and the [`report`] goes to people.

mod admitted;
pub mod advisor;
pub mod agreement;
pub mod approval;
mod asked_ahead;
mod carry_out;
mod change;
mod claimed_message;
pub mod copy_age;
mod counted;
pub mod decide;
mod delivery;
pub mod digest;
mod done;
mod fingerprint;
mod follow;
mod grantee;
mod grounds;
mod guardrails;
pub mod guards;
mod handler;
pub mod history;
pub mod incident;
pub mod investigate;
mod job_entry;
mod known_organizations;
pub mod later;
mod lease;
pub mod ledger;
mod left_out;
pub mod message;
mod needs_action;
mod others;
pub mod outlook;
mod owner_tags;
pub mod ownership;
pub mod pause;
mod places;
pub mod plan;
mod plan_of_job;
mod policy_lease;
pub mod ports;
pub mod preflight;
mod put_off;
pub mod read_once;
mod recall;
pub mod records;
pub mod refusal;
mod repair;
pub mod report;
mod retried;
mod retry;
pub mod scope;
pub mod self_check;
pub mod settings;
mod settings_notice;
mod show;
mod simulate;
mod source_budget;
mod subject;
pub mod sweep;
pub mod test_message;
mod turns;
pub mod undo;
pub mod write;

pub use guardrails::{GuardrailReads, look_at_guardrails, read_control_policies};
pub use handler::{CopyRemediator, HandlerError, Invocation};
pub use plan_of_job::{PlanOfJobError, PlannedJob};
