//! A lease as the ledger keeps it.

use jiff::{SignedDuration, Timestamp};

use crate::ports::{CallError, CallErrorKind};

/// How far the clocks of two functions may differ (our own, inferred: AWS Lambda keeps its hosts'
/// clocks in step, and names no bound). A lease that ended a shorter time ago may still count as its
/// owner's, so nobody else takes it.
pub const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(30);

/// The moment up to which a lease must have ended for somebody else to take it now.
#[must_use]
pub fn ended_for_all(now: Timestamp) -> Timestamp {
    now.saturating_sub(CLOCKS_DIFFER).unwrap_or(now)
}

/// A lease on a policy. Only [`Ledger::acquire_lease`](crate::ledger::Ledger::acquire_lease) makes one; a guarded write needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    resource: String,
    owner: String,
    until: Timestamp,
}

impl Lease {
    /// For implementations of [`Ledger`](crate::ledger::Ledger), once the ledger has recorded it.
    #[must_use]
    pub const fn recorded(resource: String, owner: String, until: Timestamp) -> Self {
        Self {
            resource,
            owner,
            until,
        }
    }

    /// The leased resource.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Who holds it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// When it ends by itself.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }

    /// The error of whoever holds it no more: the ledger has another one by now, or none. The event
    /// should be delivered again.
    #[must_use]
    pub fn lost(&self) -> CallError {
        CallError::new(
            "write under the lease",
            self.resource(),
            CallErrorKind::Throttled,
            "the ledger has another lease on it by now",
        )
    }
}
