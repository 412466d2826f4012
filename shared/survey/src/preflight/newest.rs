//! The newest backup of each resource, folded from pages.

use std::collections::HashMap;

use copymend_diagnosis::{BackupVaultArn, KeyArn, RoleArn};
use copymend_policy::Arn;
use jiff::Timestamp;

use crate::listed::ListedRecoveryPoint;

/// A backup that stands for the next one of its resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its recovery point.
    pub point: Arn,
    /// The vault that it is in.
    pub vault: BackupVaultArn,
    /// The kind of resource.
    pub resource_type: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its key, where the list names one.
    pub key: Option<KeyArn>,
    /// The role that made it.
    pub role: Option<RoleArn>,
}

/// The rule of a plan that made a backup, and the vault that it is in: a copy within the account may
/// name the same rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct MadeBy {
    pub(super) plan_id: String,
    pub(super) rule_id: String,
    pub(super) vault: BackupVaultArn,
}

/// The newest backups, by the rule that made them and by their resource alone.
#[derive(Clone, Debug, Default)]
pub struct NewestBackups {
    by_rule: HashMap<MadeBy, HashMap<Arn, Backup>>,
    by_resource: HashMap<Arn, Backup>,
}

/// A backup of these states can be copied (AWS Backup API reference, `RecoveryPointByBackupVault`,
/// documented; that the others aren't the newest good one is inferred).
const GOOD: [&str; 3] = ["COMPLETED", "AVAILABLE", "STOPPED"];

impl NewestBackups {
    /// Takes a recovery point of a list in, unless it is a copy, a part of a composite one, or no good
    /// one.
    pub fn add(&mut self, point: ListedRecoveryPoint) {
        let is_copy = point
            .source_vault
            .as_ref()
            .is_some_and(|source| *source != point.vault);
        let (Some(resource), false) = (point.resource, is_copy) else {
            return;
        };
        if point.parent.is_some() || !GOOD.contains(&point.status.as_str()) {
            return;
        }
        let backup = Backup {
            point: point.arn,
            vault: point.vault,
            resource_type: point.resource_type,
            created: point.created,
            key: point.encryption_key,
            role: point.role,
        };
        if let (Some(plan_id), Some(rule_id)) = (point.creator.plan_id, point.creator.rule_id) {
            let vault = backup.vault.clone();
            let made_by = MadeBy {
                plan_id,
                rule_id,
                vault,
            };
            let backups = self.by_rule.entry(made_by).or_default();
            keep_newer(backups, &resource, backup.clone());
        }
        keep_newer(&mut self.by_resource, &resource, backup);
    }

    /// Takes those of another vault in.
    pub(super) fn merge(&mut self, other: Self) {
        for (made_by, backups) in other.by_rule {
            let kept = self.by_rule.entry(made_by).or_default();
            for (resource, backup) in backups {
                keep_newer(kept, &resource, backup);
            }
        }
        for (resource, backup) in other.by_resource {
            keep_newer(&mut self.by_resource, &resource, backup);
        }
    }

    /// The resources that a rule backed up, each with its newest backup.
    pub(super) fn of_rule<'n>(&'n self, made_by: &MadeBy) -> Option<&'n HashMap<Arn, Backup>> {
        self.by_rule.get(made_by)
    }

    /// The newest backup of a resource, whoever made it.
    pub(super) fn of_resource(&self, resource: &Arn) -> Option<&Backup> {
        self.by_resource.get(resource)
    }
}

fn keep_newer(backups: &mut HashMap<Arn, Backup>, resource: &Arn, backup: Backup) {
    match backups.get_mut(resource) {
        Some(kept) if kept.created >= backup.created => {}
        Some(kept) => *kept = backup,
        None => {
            backups.insert(resource.clone(), backup);
        }
    }
}
