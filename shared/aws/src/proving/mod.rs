//! What `copymend prove` makes in two accounts, and removes again: keys, vaults, a volume, its
//! backup, a copy.
//!
//! A run can name nothing but its own: every operation here takes a [`RunId`], and a vault, key or
//! volume is removed only where its name or its tag is that of a run.

mod backups;
mod keys;
mod profile;
mod run;
mod vaults;
mod volumes;

pub use backups::{BackupProgress, CopyOf};
pub use profile::{ProfileError, ProvingAccount};
pub use run::{InvalidRunId, RunId, TAG};
pub use vaults::VaultContent;
pub use volumes::Volume;
