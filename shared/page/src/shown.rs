//! Text that may stand in the page.

use std::fmt;

use copymend_diagnosis::BackupVaultArn;
use copymend_report as report;
use copymend_survey::rpo::place_of;
use jiff::Timestamp;

/// A text on one line without anything hidden in it: no control or bidirectional character, no link that
/// others made. It isn't escaped for HTML; the template does that.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Shown(String);

impl Shown {
    /// Words of our own.
    pub(crate) fn ours(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// A text that others wrote, or that holds such a text.
    pub(crate) fn inline(text: &str) -> Self {
        Self(report::inline(text))
    }

    /// The same as a sentence.
    pub(crate) fn sentence(text: &str) -> Self {
        Self(report::sentence(&report::inline(text)))
    }

    /// A line of a policy, with its spaces.
    pub(crate) fn exact(line: &str) -> Self {
        Self(report::exact(line))
    }

    /// A line of a command.
    pub(crate) fn command(line: &str) -> Self {
        Self(report::command(line))
    }

    /// An address that is ours to print: AWS's page of a cause, or one that `copymend_report::console` let
    /// through. Its slashes stay.
    pub(crate) fn address(address: &str) -> Self {
        Self(address.to_owned())
    }

    /// A number.
    pub(crate) fn number(number: impl Into<u128>) -> Self {
        Self(number.into().to_string())
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Shown {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How many things there are.
pub(crate) fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}

/// A vault by its name, account and Region; another ARN as it is.
pub(crate) fn vault_or_other(arn: &str) -> Shown {
    match arn.parse::<BackupVaultArn>() {
        Ok(vault) => Shown::inline(&place_of(&vault)),
        Err(_) => Shown::inline(arn),
    }
}

/// A time to the minute, in UTC; `-` for none.
pub(crate) fn minute(time: Option<Timestamp>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}
