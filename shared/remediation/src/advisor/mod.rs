//! The access advisor: what was missing for a refused AWS Backup call, or for a failed backup or
//! restore job. It writes nothing: see [`crate::ports::Reads`].

mod handler;
mod investigate;
mod key_note;
mod own_role;
mod settings;

pub use handler::{AccessAdvisor, is_for_advisor};
pub use own_role::OwnRole;
pub use settings::AdvisorSettings;
