//! Recovery points: finding and listing them, what follows from their lifecycles, and the resources
//! that they are backups of.

use std::collections::BTreeMap;

use copymend_diagnosis::{BackupVaultArn, Lifecycle};
use copymend_policy::{AccountId, Arn};
use jiff::{SignedDuration, Timestamp};

use super::World;
use super::schema::{RecoveryPoint, Vault};
use crate::index::{Index, Listed, page, page_of_few, place};

impl Vault {
    fn index(&self) -> &Index {
        self.index
            .get_or_init(|| Index::of(self.recovery_points.iter().map(|point| point.arn.as_str())))
    }

    fn position(&self, arn: &str) -> Option<usize> {
        let is = |at: &usize| {
            let found = self.recovery_points.get(*at);
            found.is_some_and(|point| point.arn.as_str() == arn)
        };
        self.index().at(arn).find(is)
    }

    /// One of its recovery points.
    #[must_use]
    pub fn recovery_point(&self, arn: &str) -> Option<&RecoveryPoint> {
        self.recovery_points.get(self.position(arn)?)
    }

    pub(crate) fn recovery_point_mut(&mut self, arn: &str) -> Option<&mut RecoveryPoint> {
        let at = self.position(arn)?;
        self.recovery_points.get_mut(at)
    }

    /// Puts a recovery point into it.
    pub(crate) fn add(&mut self, point: RecoveryPoint) {
        let at = self.recovery_points.len();
        if let Some(index) = self.index.get_mut() {
            index.add(point.arn.as_str(), at);
        }
        self.recovery_points.push(point);
    }

    /// A page of its recovery points, in an order of their own, from after the place of the page
    /// before.
    pub fn page_of_recovery_points(
        &self,
        admits: impl Fn(&RecoveryPoint) -> bool,
        from: Option<u64>,
        size: usize,
    ) -> Listed<&RecoveryPoint> {
        let points = self
            .index()
            .after(from)
            .filter_map(|(place, at)| Some((place, self.recovery_points.get(at)?)));
        page(points.filter(|(_, point)| admits(point)), size)
    }
}

/// The time so many days after another one.
fn after_days(from: Option<Timestamp>, days: Option<i64>) -> Option<Timestamp> {
    let days = days.filter(|days| *days >= 0)?;
    from?
        .checked_add(SignedDuration::from_hours(days.checked_mul(24)?))
        .ok()
}

impl RecoveryPoint {
    /// `CalculatedLifecycle.DeleteAt`: so many days after its creation (AWS Backup API reference,
    /// `Lifecycle`, documented). Nothing where it is kept for ever.
    #[must_use]
    pub fn deleted_at(&self) -> Option<Timestamp> {
        let days = |lifecycle: &Lifecycle| lifecycle.delete_after_days;
        self.delete_at
            .or_else(|| after_days(self.creation_date, self.lifecycle.as_ref().and_then(days)))
    }

    /// `CalculatedLifecycle.MoveToColdStorageAt`.
    #[must_use]
    pub fn moves_to_cold_storage_at(&self) -> Option<Timestamp> {
        let days = |lifecycle: &Lifecycle| lifecycle.move_to_cold_storage_after_days;
        self.move_to_cold_storage_at
            .or_else(|| after_days(self.creation_date, self.lifecycle.as_ref().and_then(days)))
    }
}

/// A resource that has a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// Its ARN.
    pub resource: Arn,
    /// Its kind.
    pub resource_type: String,
    /// When the newest backup was made.
    pub last_backup: Option<Timestamp>,
    /// The vault of the newest backup.
    pub last_vault: BackupVaultArn,
    /// The newest backup.
    pub last_recovery_point: Arn,
}

impl World {
    /// One recovery point of a vault.
    #[must_use]
    pub fn recovery_point(&self, vault: &BackupVaultArn, arn: &Arn) -> Option<&RecoveryPoint> {
        self.vault(vault)?.recovery_point(arn.as_str())
    }

    /// A recovery point of an account, whatever vault it is in.
    pub(crate) fn recovery_point_of(
        &self,
        account: AccountId,
        arn: &str,
    ) -> Option<&RecoveryPoint> {
        self.account(account)?
            .regions
            .values()
            .flat_map(|region| region.vaults.values())
            .find_map(|vault| vault.recovery_point(arn))
    }

    /// A page of the resources that an account and Region has backups of. Backups of another account's
    /// resources, which are copies, don't count (inferred from AWS Backup API reference,
    /// `ListProtectedResources`: resources "backed up by AWS Backup").
    #[must_use]
    pub fn page_of_protected_resources(
        &self,
        account: AccountId,
        region: &str,
        from: Option<u64>,
        size: usize,
    ) -> Listed<Protected> {
        let Some((partition, vaults)) = self.account(account).and_then(|found| {
            let vaults = &found.regions.get(region)?.vaults;
            Some((found.partition.as_str(), vaults))
        }) else {
            return page_of_few(std::iter::empty(), from, size);
        };
        let mut newest: BTreeMap<&Arn, (&str, &RecoveryPoint)> = BTreeMap::new();
        for (name, vault) in vaults {
            for point in &vault.recovery_points {
                let owner = point.resource_arn.account();
                if !owner.is_empty() && owner != account.as_str() {
                    continue;
                }
                let entry = newest.entry(&point.resource_arn).or_insert((name, point));
                if entry.1.creation_date < point.creation_date {
                    *entry = (name, point);
                }
            }
        }
        let resources = newest.into_values().filter_map(|(name, point)| {
            let vault = format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}");
            let resource = Protected {
                resource: point.resource_arn.clone(),
                resource_type: point.resource_type.clone(),
                last_backup: point.creation_date,
                last_vault: vault.parse().ok()?,
                last_recovery_point: point.arn.clone(),
            };
            Some((place(resource.resource.as_str()), resource))
        });
        page_of_few(resources, from, size)
    }
}
