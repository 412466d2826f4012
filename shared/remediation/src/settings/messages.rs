//! Of what people are told at once.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Which reports are messages of their own. What isn't told at once is counted all the same, and stands
/// in the digest. A grant, and settings that changed, are always told at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Messages {
    /// Every incident, and what becomes of it. The default.
    #[default]
    All,
    /// Not that a copy is started again, or will be: people hear of it when its last retry has failed,
    /// or when something else stands in the way.
    AfterLastRetry,
    /// Only what needs a person now.
    NeedsAction,
}

impl Messages {
    pub(super) const ACCEPTED: &str = "all, after-last-retry, needs-action";
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::All, Self::AfterLastRetry, Self::NeedsAction];

    /// The value of the setting.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::AfterLastRetry => "after-last-retry",
            Self::NeedsAction => "needs-action",
        }
    }
}

impl fmt::Display for Messages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Messages {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut choices = Self::ALL.into_iter();
        choices.find(|choice| choice.name() == text).ok_or(())
    }
}
