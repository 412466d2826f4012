//! What the ledger counts of each source account.

/// What is counted of each source account in one UTC day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CountedOfSource {
    /// Writes of policies.
    Writes,
    /// Copies that were started again.
    Retries,
}

impl CountedOfSource {
    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Retries => "retries",
        }
    }
}
