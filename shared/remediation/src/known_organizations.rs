//! The organizations of accounts, as they were read a moment ago.
//!
//! AWS Organizations answers `DescribeOrganization` once a second for an account in all Regions, which is the
//! smallest rate of all that an event needs ("Quotas for AWS Organizations", documented). Where nothing is ever
//! written, an answer counts for [`ORGANIZATION_STANDS`]. Before a policy is written it is read anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use copymend_diagnosis::Organization;
use copymend_policy::AccountId;
use jiff::{SignedDuration, Timestamp};

use crate::ports::CallResult;

/// For how long an answer counts (our own): a report in observe mode may be this much late about an account
/// that joined or left an organization.
const ORGANIZATION_STANDS: SignedDuration = SignedDuration::from_mins(1);
/// So many accounts are remembered.
const MOST_ACCOUNTS: usize = 1_024;

/// An account's organization, if it is in one, and when that was read.
type Answer = (Option<Organization>, Timestamp);
/// By account and partition.
type Answers = BTreeMap<(AccountId, String), Answer>;

/// What one process has read. Nothing is kept beyond it, and nothing that could not be read.
#[derive(Debug)]
pub(crate) struct KnownOrganizations(Mutex<Answers>);

impl KnownOrganizations {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// What was answered for an account not long ago, or is read now.
    pub(crate) async fn of(
        &self,
        (account, partition): (AccountId, &str),
        now: Timestamp,
        read: impl Future<Output = CallResult<Option<Organization>>>,
    ) -> CallResult<Option<Organization>> {
        let account = (account, partition.to_owned());
        let known = self.answers().get(&account).cloned();
        let is_recent = |at: Timestamp| {
            let age = now.duration_since(at);
            !age.is_negative() && age < ORGANIZATION_STANDS
        };
        if let Some((organization, at)) = known
            && is_recent(at)
        {
            return Ok(organization);
        }
        let organization = read.await?;
        let mut known = self.answers();
        if known.len() >= MOST_ACCOUNTS && !known.contains_key(&account) {
            known.clear();
        }
        known.insert(account, (organization.clone(), now));
        Ok(organization)
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn an_answer_counts_for_a_while_and_not_from_the_future() {
        let account: AccountId = "111122223333".parse().unwrap();
        let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let second = SignedDuration::from_secs(1);
        let is_read = |known: &KnownOrganizations, account, now| {
            let mut is_read = false;
            let read = async {
                is_read = true;
                Ok(None)
            };
            let found = known
                .of((account, "aws"), now, read)
                .now_or_never()
                .unwrap();
            assert_eq!(found, Ok(None));
            is_read
        };
        for (now, wants_read) in [
            (at, false),
            (at + ORGANIZATION_STANDS - second, false),
            (at + ORGANIZATION_STANDS, true),
            (at - second, true),
        ] {
            let known = KnownOrganizations::new();
            assert!(is_read(&known, account, at));
            assert_eq!(is_read(&known, account, now), wants_read, "{now}");
            let other = "222233334444".parse().unwrap();
            assert!(is_read(&known, other, now), "of its own account alone");
        }
    }
}
