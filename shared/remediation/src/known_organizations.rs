//! The organizations of accounts, as they were read a moment ago.
//!
//! AWS Organizations answers `DescribeOrganization` once a second for an account in all Regions, which is the
//! smallest rate of all that an event needs ("Quotas for AWS Organizations", documented). Where nothing is ever
//! written, an answer counts for [`ORGANIZATION_STANDS`]. Before a policy is written it is read anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use copymend_diagnosis::Organization;
use copymend_policy::AccountId;
use jiff::{SignedDuration, Timestamp};

/// For how long an answer counts (our own): a report in observe mode may be this much late about an account
/// that joined or left an organization.
const ORGANIZATION_STANDS: SignedDuration = SignedDuration::from_mins(1);
/// So many accounts are remembered.
const MOST_ACCOUNTS: usize = 1_024;

/// An account's organization, if it is in one, and when that was read.
type Answer = (Option<Organization>, Timestamp);

/// What one process has read. Nothing is kept beyond it, and nothing that could not be read.
#[derive(Debug)]
pub struct KnownOrganizations(Mutex<BTreeMap<AccountId, Answer>>);

impl KnownOrganizations {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// What was answered for an account not long ago.
    pub(crate) fn of(&self, account: AccountId, now: Timestamp) -> Option<Option<Organization>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (organization, at) = known.get(&account)?;
        let age = now.duration_since(*at);
        (!age.is_negative() && age < ORGANIZATION_STANDS).then(|| organization.clone())
    }

    /// Remembers an answer.
    pub(crate) fn remember(
        &self,
        account: AccountId,
        organization: Option<&Organization>,
        at: Timestamp,
    ) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_ACCOUNTS && !known.contains_key(&account) {
            known.clear();
        }
        known.insert(account, (organization.cloned(), at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_for_a_while_and_not_from_the_future() {
        let account: AccountId = "111122223333".parse().unwrap();
        let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let known = KnownOrganizations::new();
        assert_eq!(known.of(account, at), None);
        known.remember(account, None, at);
        let second = SignedDuration::from_secs(1);
        for (now, is_known) in [
            (at, true),
            (at + ORGANIZATION_STANDS - second, true),
            (at + ORGANIZATION_STANDS, false),
            (at - second, false),
        ] {
            assert_eq!(known.of(account, now), is_known.then_some(None), "{now}");
        }
        let other = "222233334444".parse().unwrap();
        assert_eq!(known.of(other, at), None, "of its own account alone");
    }
}
