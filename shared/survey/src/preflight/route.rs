//! The ways that planned copies go: one verdict each.

use std::collections::BTreeSet;

use copymend_diagnosis::{BackupCopy, BackupVaultArn, KeyArn, Lifecycle};
use copymend_policy::{AccountId, Arn};
use jiff::Timestamp;

/// What planned copies have in common that are judged together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteKey {
    /// The account of the plan.
    pub account: AccountId,
    /// The Region of the plan.
    pub region: String,
    /// The vault that is copied from.
    pub source_vault: String,
    /// The vault that is copied to.
    pub destination_vault: String,
    /// The job role.
    pub role: String,
    /// The kind of resource.
    pub resource_type: String,
    /// The kind of recovery point: its service and, of Amazon EC2, whether it is an image.
    pub point_kind: String,
    /// The key; empty where the list names none, the recovery point where no list was read that could.
    pub key: String,
    /// How many days the copy is kept; `-1` for ever.
    pub delete_after_days: Option<i64>,
    /// After how many days it moves to cold storage.
    pub move_to_cold_storage_after_days: Option<i64>,
}

/// A way, with what goes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The copy of the newest backup, which stands for the next ones.
    pub copy: BackupCopy,
    /// The vault that this backup is in: another one than the copy's, where no backup of the rule
    /// exists yet.
    pub backup_in: BackupVaultArn,
    /// When that backup was made.
    pub backup_created: Option<Timestamp>,
    /// The key, as far as the lists tell.
    pub key: Option<KeyArn>,
    /// The resources.
    pub resources: BTreeSet<Arn>,
    /// The rules that make these copies.
    pub rules: BTreeSet<RuleName>,
    /// Whether no copy action makes them: the rule targets a logically air-gapped vault.
    pub is_automatic: bool,
    /// When AWS Backup says that one of the rules runs next.
    pub next_run: Option<Timestamp>,
    /// What else is to be said of the lifecycle.
    pub notes: BTreeSet<String>,
}

/// A rule of a plan, for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleName {
    /// The plan's id; nothing for one that only a document describes.
    pub plan_id: Option<String>,
    /// The plan's name.
    pub plan: String,
    /// The rule's name.
    pub rule: String,
}

/// How long a copy is kept that a plan makes. Without days of its own, or with the `-1` that the
/// console writes for "Always", it expires when its source does (AWS Backup Developer Guide, "Creating
/// backup copies", documented); a source without days is kept for ever.
pub(super) fn lifecycle_of_copy(
    action: Option<&Lifecycle>,
    of_backup: Option<&Lifecycle>,
) -> Lifecycle {
    let days =
        |lifecycle: Option<&Lifecycle>| lifecycle?.delete_after_days.filter(|days| *days >= 0);
    let cold = |lifecycle: Option<&Lifecycle>| lifecycle?.move_to_cold_storage_after_days;
    Lifecycle {
        delete_after_days: Some(days(action).or_else(|| days(of_backup)).unwrap_or(FOR_EVER)),
        move_to_cold_storage_after_days: if action.is_some() {
            cold(action)
        } else {
            cold(of_backup)
        },
        ..Lifecycle::default()
    }
}

/// `DeleteAfterDays` of what is never deleted.
const FOR_EVER: i64 = -1;

/// A copy keeps the creation date of its source, and its days count from then (AWS Backup Developer
/// Guide, "Creating backup copies", documented): one of so few days may be gone when it arrives
/// (inferred).
const EXPIRES_EARLY_DAYS: i64 = 1;

/// What is to be said of a copy's lifecycle.
pub(super) fn note(lifecycle: &Lifecycle) -> Option<String> {
    let days = lifecycle.delete_after_days?;
    (0..=EXPIRES_EARLY_DAYS).contains(&days).then(|| {
        format!(
            "the copy is deleted {days} days after its source was made, not after it was copied: a copy that waits may be expired when it arrives"
        )
    })
}

/// The kind of a recovery point.
pub(super) fn point_kind(point: &Arn) -> String {
    let kind = point
        .resource()
        .split(['/', ':'])
        .next()
        .unwrap_or_default();
    match point.service() {
        "ec2" => format!("ec2:{kind}"),
        service => service.to_owned(),
    }
}

/// Which key decides, as far as the lists tell.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyOfRoute<'k> {
    /// This one.
    Named(&'k KeyArn),
    /// The list names none: the backup isn't encrypted, or AWS owns its key.
    NoneNamed,
    /// The list that the backup comes from names no keys.
    NotListed,
}

pub(super) fn key_of_route(copy: &BackupCopy, key: KeyOfRoute<'_>) -> RouteKey {
    let lifecycle = copy.lifecycle.as_ref();
    RouteKey {
        account: copy.account,
        region: copy.region.clone(),
        source_vault: copy.source_vault.to_string(),
        destination_vault: copy.destination_vault.to_string(),
        role: copy.role.to_string(),
        resource_type: copy.resource_type.clone().unwrap_or_default(),
        point_kind: point_kind(&copy.source_recovery_point),
        key: match key {
            KeyOfRoute::Named(key) => key.to_string(),
            KeyOfRoute::NoneNamed => String::new(),
            KeyOfRoute::NotListed => copy.source_recovery_point.to_string(),
        },
        delete_after_days: lifecycle.and_then(|lifecycle| lifecycle.delete_after_days),
        move_to_cold_storage_after_days: lifecycle
            .and_then(|lifecycle| lifecycle.move_to_cold_storage_after_days),
    }
}
