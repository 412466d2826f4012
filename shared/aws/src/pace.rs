//! When a call may go out: AWS's published rates, an account's and a Region's.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use copymend_policy::AccountId;
use tokio::time::Instant;

/// Calls a second of an account in a Region (AWS General Reference, "AWS Backup endpoints and
/// quotas", documented), and of an account everywhere ("Quotas for AWS Organizations", documented).
const PUBLISHED: &[(&str, u32)] = &[
    ("backup:DescribeBackupJob", 15),
    ("backup:DescribeBackupVault", 5),
    ("backup:DescribeRecoveryPoint", 15),
    ("backup:DescribeRestoreJob", 15),
    ("backup:GetBackupPlan", 15),
    ("backup:GetBackupSelection", 15),
    ("backup:GetBackupVaultAccessPolicy", 15),
    ("backup:ListBackupJobs", 20),
    ("backup:ListBackupPlans", 20),
    ("backup:ListBackupSelections", 20),
    ("backup:ListBackupVaults", 20),
    ("backup:ListProtectedResources", 20),
    ("backup:ListRecoveryPointsByBackupVault", 20),
    ("backup:ListRestoreJobs", 20),
    ("backup:ListTags", 20),
    ("organizations:DescribeOrganization", 1),
];

/// All calls of AWS Backup together (the same page, documented).
const ALL_OF_BACKUP: u32 = 50;

/// `ListCopyJobs` and `DescribeCopyJob` have no row on that page. The rate of the other lists of jobs
/// (inferred).
const OTHERS_OF_BACKUP: u32 = 20;

/// AWS IAM publishes no rates, and a busy account is throttled (seen). Other calls of AWS Organizations are taken to
/// have the same. A slow walk leaves the account's own work its share (inferred).
const OF_GLOBAL_SERVICES: u32 = 10;

/// AWS KMS and Amazon EC2 allow far more to one account (AWS KMS Developer Guide, "Request quotas",
/// documented; which share of it is ours, inferred).
const OF_OTHER_SERVICES: u32 = 50;

/// The rates, and when each may go on. Time is tokio's.
#[derive(Debug)]
pub(crate) struct Pace {
    /// All calls in an account and Region, as a person wants it.
    most: Option<NonZeroU32>,
    next: Mutex<HashMap<Limited, Instant>>,
}

/// What a rate holds for. Global services have no Region.
type Limited = (AccountId, Option<String>, Of);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Of {
    Operation(&'static str),
    Backup,
    Everything,
}

impl Pace {
    pub(crate) fn new(most: Option<NonZeroU32>) -> Self {
        Self {
            most,
            next: Mutex::default(),
        }
    }

    /// Waits until the call may go out: first for its operation, then for what it shares with others,
    /// so that an operation with a low rate doesn't keep the others waiting.
    pub(crate) async fn turn(
        &self,
        account: AccountId,
        region: Option<&str>,
        operation: &'static str,
    ) {
        let is_backup = operation.starts_with("backup:");
        let limits = [
            Some((Of::Operation(operation), rate(operation))),
            is_backup.then_some((Of::Backup, ALL_OF_BACKUP)),
            self.most.map(|most| (Of::Everything, most.get())),
        ];
        for (of, rate) in limits.into_iter().flatten() {
            let limited = (account, region.map(ToOwned::to_owned), of);
            tokio::time::sleep_until(self.reserve(limited, rate)).await;
        }
    }

    /// No call of this operation goes out for a time: AWS throttled one.
    pub(crate) fn hold_back(
        &self,
        account: AccountId,
        region: Option<&str>,
        operation: &'static str,
        time: Duration,
    ) {
        let until = Instant::now() + time;
        let place = region.map(ToOwned::to_owned);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next
            .entry((account, place, Of::Operation(operation)))
            .or_insert(until);
        *at = until.max(*at);
    }

    /// Takes the next place in a queue. Whoever asks first goes first.
    fn reserve(&self, limited: Limited, rate: u32) -> Instant {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let free = next.entry(limited).or_insert(now);
        let at = now.max(*free);
        *free = at + Duration::from_secs(1) / rate.max(1);
        at
    }
}

fn rate(operation: &str) -> u32 {
    let published = PUBLISHED.iter().find(|(name, _)| *name == operation);
    match (published, operation.split_once(':')) {
        (Some((_, rate)), _) => *rate,
        (None, Some(("backup", _))) => OTHERS_OF_BACKUP,
        (None, Some(("iam" | "organizations", _))) => OF_GLOBAL_SERVICES,
        (None, _) => OF_OTHER_SERVICES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(digit: char) -> AccountId {
        String::from_iter([digit; 12]).parse().unwrap()
    }

    async fn time_of(
        pace: &Pace,
        calls: &[(char, Option<&'static str>, &'static str)],
    ) -> Duration {
        let start = Instant::now();
        let turns = calls
            .iter()
            .map(|(digit, region, operation)| pace.turn(account(*digit), *region, operation));
        futures_util::future::join_all(turns).await;
        start.elapsed()
    }

    fn within(time: Duration, least: u64, most: u64) {
        let time = u64::try_from(time.as_millis()).unwrap();
        assert!((least..=most).contains(&time), "{time} ms");
    }

    #[tokio::test(start_paused = true)]
    async fn an_operation_keeps_to_its_published_rate() {
        let pace = Pace::new(None);
        let calls = [('1', Some("eu-west-1"), "backup:DescribeBackupVault"); 11];
        within(time_of(&pace, &calls).await, 2_000, 2_010);
        let calls = [('1', Some("eu-west-1"), "backup:ListCopyJobs"); 21];
        within(time_of(&pace, &calls).await, 1_000, 1_070);
    }

    #[tokio::test(start_paused = true)]
    async fn all_calls_of_aws_backup_share_fifty_a_second() {
        let pace = Pace::new(None);
        let region = Some("eu-west-1");
        let calls: Vec<_> = PUBLISHED
            .iter()
            .filter(|(_, rate)| *rate > 5)
            .flat_map(|(name, _)| [('1', region, *name); 4])
            .collect();
        assert_eq!(calls.len(), 56);
        within(time_of(&pace, &calls).await, 1_100, 1_130);
    }

    #[tokio::test(start_paused = true)]
    async fn accounts_and_regions_do_not_wait_for_each_other() {
        let pace = Pace::new(NonZeroU32::new(1));
        let operation = "backup:ListCopyJobs";
        let calls = [
            ('1', Some("eu-west-1"), operation),
            ('1', Some("eu-central-1"), operation),
            ('2', Some("eu-west-1"), operation),
            ('2', None, "iam:GetRole"),
        ];
        within(time_of(&pace, &calls).await, 0, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_persons_limit_holds_for_every_service_together() {
        let pace = Pace::new(NonZeroU32::new(2));
        let region = Some("eu-west-1");
        let calls = [
            ('1', region, "backup:ListCopyJobs"),
            ('1', region, "kms:DescribeKey"),
            ('1', region, "backup:DescribeBackupVault"),
            ('1', region, "kms:GetKeyPolicy"),
            ('1', region, "ec2:DescribeImages"),
        ];
        within(time_of(&pace, &calls).await, 2_000, 2_010);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_operation_holds_back_its_own_calls_alone() {
        let pace = Pace::new(None);
        let (operation, region) = ("backup:ListCopyJobs", Some("eu-west-1"));
        pace.hold_back(account('1'), region, operation, Duration::from_secs(3));
        pace.hold_back(account('1'), region, operation, Duration::from_secs(1));
        let other = [('1', region, "backup:ListBackupJobs")];
        within(time_of(&pace, &other).await, 0, 2);
        within(
            time_of(&pace, &[('1', region, operation)]).await,
            3_000,
            3_010,
        );
    }
}
