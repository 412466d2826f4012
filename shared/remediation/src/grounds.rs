//! What a change was decided on: it is kept with the change, for whoever asks later why it was
//! made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::guards::GuardResult;
use crate::settings::Settings;

/// What a change was decided on. Empty for a change that a version before this record wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grounds {
    /// The version of the program.
    pub program_version: Option<String>,
    /// The hash of the settings in force, as [`Settings::hash`] makes it.
    pub settings_hash: Option<String>,
    /// The settings in force, by the names of their environment variables, without the external id.
    pub settings: BTreeMap<String, String>,
    /// The entries of the lists that admitted the change, each with its setting's name.
    pub admitted_by: Vec<String>,
    /// The guards that passed, each with what it saw: `NAME: DETAIL`.
    pub guards: Vec<String>,
}

impl Grounds {
    /// For a change that these settings, these entries of their lists and these guards let pass.
    #[must_use]
    pub fn of(settings: &Settings, admitted_by: Vec<String>, guards: &[GuardResult]) -> Self {
        let passed = guards.iter().filter(|guard| guard.passed);
        Self {
            guards: passed
                .map(|one| format!("{}: {}", one.guard.name(), one.detail))
                .collect(),
            settings_hash: Some(settings.hash()),
            settings: settings.values(),
            admitted_by,
            ..Self::of_a_person()
        }
    }

    /// For a change that a person made, whatever the settings are.
    #[must_use]
    pub fn of_a_person() -> Self {
        Self {
            program_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            ..Self::default()
        }
    }
}
