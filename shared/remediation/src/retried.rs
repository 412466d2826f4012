//! What the ledger knows of copies that were started again, and of the changes before.

use jiff::Timestamp;

/// Who started the copy that a retry repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A backup plan.
    BackupPlan,
    /// Someone, on demand.
    OnDemand,
}

impl Origin {
    /// The stable name.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::BackupPlan => "backup-plan",
            Self::OnDemand => "on-demand",
        }
    }

    /// The origin of that name.
    #[must_use]
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::BackupPlan, Self::OnDemand]
            .into_iter()
            .find(|origin| origin.slug() == slug)
    }
}

/// A copy that was started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRecord {
    /// The failed job that it repeats.
    pub original_job: String,
    /// Who started the first copy of the chain. Absent where an earlier version recorded the retry,
    /// or nobody could tell.
    pub origin: Option<Origin>,
    /// The change of ours that the copy was started again after, if it was.
    pub after_change: Option<AfterChange>,
}

/// A change of ours that a copy was started again after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterChange {
    /// The change.
    pub change_id: String,
    /// What it repaired: the ARN of the vault, the key or the role.
    pub repaired: String,
}

/// That a policy was changed to admit a grantee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// When.
    pub at: Timestamp,
    /// The change. Absent where an earlier version recorded it.
    pub change_id: Option<String>,
}
