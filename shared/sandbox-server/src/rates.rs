//! How fast a sandbox answers: AWS's published rates, and a time that every call takes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;
use copymend_policy::AccountId;
use tokio::time::Instant;

use crate::caller::Caller;
use crate::error::AwsError;

/// How many calls of an operation an account may make a second in a Region (documented: AWS General
/// Reference, "AWS Backup endpoints and quotas"). Operations that have no row there count among all
/// alone.
const PUBLISHED: [(&str, u32); 18] = [
    ("DescribeBackupVault", 5),
    ("StartBackupJob", 5),
    ("DeleteRecoveryPoint", 10),
    ("DescribeBackupJob", 15),
    ("DescribeRestoreJob", 15),
    ("DescribeRecoveryPoint", 15),
    ("GetBackupPlan", 15),
    ("GetBackupSelection", 15),
    ("GetBackupVaultAccessPolicy", 15),
    ("ListBackupJobs", 20),
    ("ListRestoreJobs", 20),
    ("ListBackupPlans", 20),
    ("ListBackupSelections", 20),
    ("ListBackupVaults", 20),
    ("ListProtectedResources", 20),
    ("ListRecoveryPointsByBackupVault", 20),
    ("ListTags", 20),
    ("ListRecoveryPointsByResource", 20),
];
/// The same of all calls of AWS Backup together.
const ALL: (&str, u32) = ("", 50);

/// How fast the sandbox answers other programs.
#[derive(Debug, Default)]
pub(crate) struct Speed {
    /// The time that every call takes before it is answered.
    pub(crate) call_takes: Option<Duration>,
    rates: Option<Rates>,
}

impl Speed {
    pub(crate) fn new(call_takes: Option<Duration>, has_rates: bool) -> Self {
        Self {
            call_takes,
            rates: has_rates.then(Rates::default),
        }
    }

    pub(crate) const fn has_rates(&self) -> bool {
        self.rates.is_some()
    }

    /// Counts a call of AWS Backup. One that comes too soon is refused as AWS refuses it (seen in many
    /// issues: `ThrottlingException`, `Rate exceeded`); it doesn't count.
    pub(crate) fn admit(
        &self,
        caller: &Caller,
        method: &Method,
        path: &str,
    ) -> Result<(), AwsError> {
        let Some(rates) = &self.rates else {
            return Ok(());
        };
        let name = operation(method, path).unwrap_or_default();
        if rates.admit(caller, name, Instant::now()) {
            Ok(())
        } else {
            Err(AwsError::new("ThrottlingException", "Rate exceeded"))
        }
    }
}

/// The calls that are left of each second. A bucket holds the calls of one second (inferred: AWS
/// publishes rates, and no bursts).
#[derive(Debug, Default)]
struct Rates(Mutex<BTreeMap<(AccountId, String), Buckets>>);

/// By operation.
type Buckets = BTreeMap<&'static str, Bucket>;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    fn refilled(self, rate: f64, now: Instant) -> Self {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        Self {
            left: (self.left + since * rate).min(rate),
            at: now,
        }
    }
}

impl Rates {
    fn admit(&self, caller: &Caller, operation: &str, now: Instant) -> bool {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (caller.account(), caller.region().to_owned());
        let buckets = places.entry(place).or_default();
        let of_operation = PUBLISHED.iter().find(|(name, _)| *name == operation);
        let mut taken = Vec::new();
        for (name, rate) in of_operation.into_iter().chain([&ALL]) {
            let rate = f64::from(*rate);
            let full = Bucket {
                left: rate,
                at: now,
            };
            let bucket = buckets.entry(name).or_insert(full);
            *bucket = bucket.refilled(rate, now);
            if bucket.left < 1.0 {
                return false;
            }
            taken.push(*name);
        }
        for name in taken {
            if let Some(bucket) = buckets.get_mut(name) {
                bucket.left -= 1.0;
            }
        }
        true
    }
}

/// The operation of AWS Backup that a request is of, where it has a rate of its own.
fn operation(method: &Method, path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    if *method == Method::PUT {
        return matches!(*parts.as_slice(), ["backup-jobs"]).then_some("StartBackupJob");
    }
    if *method == Method::DELETE {
        let is_point = matches!(
            *parts.as_slice(),
            ["backup-vaults", _, "recovery-points", _]
        );
        return is_point.then_some("DeleteRecoveryPoint");
    }
    match *parts.as_slice() {
        ["backup-vaults"] => Some("ListBackupVaults"),
        ["backup-vaults", _] => Some("DescribeBackupVault"),
        ["backup-vaults", _, "access-policy"] => Some("GetBackupVaultAccessPolicy"),
        ["backup-vaults", _, "recovery-points"] => Some("ListRecoveryPointsByBackupVault"),
        ["backup-vaults", _, "recovery-points", _] => Some("DescribeRecoveryPoint"),
        ["backup-jobs"] => Some("ListBackupJobs"),
        ["backup-jobs", _] => Some("DescribeBackupJob"),
        ["restore-jobs"] => Some("ListRestoreJobs"),
        ["restore-jobs", _] => Some("DescribeRestoreJob"),
        ["resources"] => Some("ListProtectedResources"),
        ["tags", _] => Some("ListTags"),
        ["backup", "plans"] => Some("ListBackupPlans"),
        ["backup", "plans", _] => Some("GetBackupPlan"),
        ["backup", "plans", _, "selections"] => Some("ListBackupSelections"),
        ["backup", "plans", _, "selections", _] => Some("GetBackupSelection"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use copymend_remediation::ports::Location;

    use super::*;

    fn caller(region: &str) -> Caller {
        Caller(Location::new("111122223333".parse().unwrap(), region))
    }

    #[test]
    fn a_second_holds_as_many_calls_as_aws_publishes() {
        let rates = Rates::default();
        let start = Instant::now();
        let admitted = |region: &str, operation: &str, calls: usize, at: Instant| {
            let here = caller(region);
            (0..calls)
                .filter(|_| rates.admit(&here, operation, at))
                .count()
        };
        assert_eq!(admitted("us-east-1", "DescribeBackupVault", 30, start), 5);
        assert_eq!(admitted("us-east-1", "ListBackupVaults", 30, start), 20);
        // All together: 50, of which 25 are gone.
        assert_eq!(admitted("us-east-1", "ListCopyJobs", 60, start), 25);
        assert_eq!(admitted("eu-west-1", "ListCopyJobs", 60, start), 50);
        let later = start + Duration::from_secs(1);
        assert_eq!(admitted("us-east-1", "DescribeBackupVault", 30, later), 5);
    }

    #[test]
    fn every_operation_with_a_rate_is_recognized() {
        for (method, path, name) in [
            (Method::GET, "/backup-vaults/prod", "DescribeBackupVault"),
            (Method::PUT, "/backup-jobs", "StartBackupJob"),
            (
                Method::GET,
                "/backup-vaults/prod/recovery-points/",
                "ListRecoveryPointsByBackupVault",
            ),
            (
                Method::GET,
                "/backup/plans/a/selections/b",
                "GetBackupSelection",
            ),
        ] {
            assert_eq!(operation(&method, path), Some(name));
            assert!(PUBLISHED.iter().any(|(published, _)| *published == name));
        }
        assert_eq!(operation(&Method::GET, "/copy-jobs/"), None);
    }
}
