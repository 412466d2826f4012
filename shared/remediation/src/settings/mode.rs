//! What may be written without a person.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Whether anything may be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Diagnose, plan and tell. The default.
    #[default]
    Observe,
    /// Keep the plan and ask; write what a person approved and every other guard lets pass.
    Approve,
    /// Write what every guard lets pass, and start copies again.
    Repair,
}

impl Mode {
    pub(super) const ACCEPTED: &str = "observe, approve, repair";
    const ALL: [Self; 3] = [Self::Observe, Self::Approve, Self::Repair];

    const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Approve => "approve",
            Self::Repair => "repair",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut modes = Self::ALL.into_iter();
        modes.find(|mode| mode.name() == text).ok_or(())
    }
}
