//! What the ledger counts of each source account.

use jiff::Timestamp;

/// What is counted of each source account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CountedOfSource {
    /// Writes of policies, in one UTC day.
    Writes,
    /// Copies that were started again, in one UTC day.
    Retries,
    /// Messages about its copies, in one hour.
    Messages,
    /// Messages about events of its copies that AWS Backup doesn't confirm, in one hour: made-up
    /// ones can't use up what the real ones have.
    UnverifiedMessages,
    /// Messages about the copies of all accounts together, in one hour.
    AllMessages,
    /// Those of all accounts that AWS Backup doesn't confirm, in one hour.
    AllUnverifiedMessages,
}

/// The number under which all accounts together are counted. No account has it.
pub const OF_ALL_ACCOUNTS: &str = "000000000000";

impl CountedOfSource {
    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Retries => "retries",
            Self::Messages => "messages",
            Self::UnverifiedMessages => "unverified-messages",
            Self::AllMessages => "all-messages",
            Self::AllUnverifiedMessages => "all-unverified-messages",
        }
    }

    /// The time, in UTC, that is counted together: a day such as `2026-11-22`, or an hour such as
    /// `2026-11-22T12`.
    #[must_use]
    pub fn period(self, at: Timestamp) -> String {
        match self {
            Self::Writes | Self::Retries => at.strftime("%F"),
            Self::Messages
            | Self::UnverifiedMessages
            | Self::AllMessages
            | Self::AllUnverifiedMessages => at.strftime("%FT%H"),
        }
        .to_string()
    }
}
