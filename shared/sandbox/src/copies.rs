//! Copy jobs: what they are asked to do, and how they end.

use std::collections::BTreeMap;

use copymend_diagnosis::{BackupVaultArn, Cause, CopyJobState, Lifecycle, RoleArn};
use copymend_policy::{AccountId, Arn};
use jiff::{SignedDuration, Timestamp};

use crate::ids;
use crate::rules;
use crate::world::{BackupPlan, RecoveryPoint, Storage, Vault, World};

/// How long a copy takes here, unless [`World::set_copies_take`] says otherwise.
pub(crate) const DURATION: SignedDuration = SignedDuration::from_secs(9 * 60 + 17);

/// A copy to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCopy {
    /// The job's id; a new one if there is none.
    pub id: Option<String>,
    /// A name for people and files.
    pub name: Option<String>,
    /// The recovery point.
    pub recovery_point: Arn,
    /// The vault that it is in.
    pub source_vault: BackupVaultArn,
    /// The vault that it is copied to.
    pub destination_vault: BackupVaultArn,
    /// The job role.
    pub role: RoleArn,
    /// How long the copy is kept.
    pub lifecycle: Option<Lifecycle>,
    /// The backup plan that starts it; none for a copy on demand.
    pub created_by: Option<BackupPlan>,
    /// When it starts.
    pub created: Timestamp,
    /// The resource, where the recovery point doesn't exist to tell.
    pub resource: Option<Arn>,
    /// Its kind, where the recovery point doesn't exist to tell.
    pub resource_type: Option<String>,
}

impl NewCopy {
    /// The same copy once more, under an id of its own.
    #[must_use]
    pub fn again(job: &CopyJob) -> Self {
        Self {
            id: None,
            name: None,
            recovery_point: job.recovery_point.clone(),
            source_vault: job.source_vault.clone(),
            destination_vault: job.destination_vault.clone(),
            role: job.role.clone(),
            lifecycle: job.lifecycle.clone(),
            created_by: job.created_by.clone(),
            created: job.created,
            resource: job.resource.clone(),
            resource_type: job.resource_type.clone(),
        }
    }
}

/// Why a copy failed: AWS's words, and the truth behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFailure {
    /// The status message.
    pub message: String,
    /// AWS's category of it.
    pub category: String,
    /// The rule that was broken. Unknown where the world itself names the message as a fault.
    pub cause: Option<Cause>,
}

/// A copy job that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyJob {
    /// The id.
    pub id: String,
    /// A name for people and files.
    pub name: Option<String>,
    /// The source account.
    pub account: AccountId,
    /// The source Region.
    pub region: String,
    /// The recovery point.
    pub recovery_point: Arn,
    /// The vault that it is in.
    pub source_vault: BackupVaultArn,
    /// The vault that it is copied to.
    pub destination_vault: BackupVaultArn,
    /// The job role.
    pub role: RoleArn,
    /// How long the copy is kept.
    pub lifecycle: Option<Lifecycle>,
    /// The backup plan that started it; none for a copy on demand.
    pub created_by: Option<BackupPlan>,
    /// When it started.
    pub created: Timestamp,
    /// When it ended.
    pub completed: Timestamp,
    /// The resource that was backed up.
    pub resource: Option<Arn>,
    /// Its kind.
    pub resource_type: Option<String>,
    /// The size of the backup in bytes.
    pub size_in_bytes: u64,
    /// The backup job that it was started for, if there was one.
    pub created_by_backup_job: Option<String>,
    /// The copy job of the composite backup that this one copies a part of.
    pub parent: Option<String>,
    pub(crate) children: Children,
    result: Result<Arn, CopyFailure>,
    /// Whether AWS Backup doesn't tell its end yet.
    is_running: bool,
}

/// The jobs of a composite backup's parts, as they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Children {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
}

impl CopyJob {
    /// Whether it copies a composite backup, whose parts have jobs of their own.
    #[must_use]
    pub const fn is_parent(&self) -> bool {
        self.children.completed > 0 || self.children.failed > 0
    }

    /// How many of its parts' jobs are done.
    #[must_use]
    pub const fn completed_children(&self) -> u64 {
        self.children.completed
    }

    /// How many of its parts' jobs failed.
    #[must_use]
    pub const fn failed_children(&self) -> u64 {
        self.children.failed
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> CopyJobState {
        match self.result {
            Ok(_) | Err(_) if self.is_running => CopyJobState::Running,
            Ok(_) if self.children.failed > 0 => CopyJobState::Partial,
            Ok(_) => CopyJobState::Completed,
            Err(_) => CopyJobState::Failed,
        }
    }

    /// Why it failed, if it did.
    #[must_use]
    pub const fn failure(&self) -> Option<&CopyFailure> {
        match &self.result {
            Ok(_) => None,
            Err(failure) => Some(failure),
        }
    }

    /// The status message; empty where there is none.
    #[must_use]
    pub fn status_message(&self) -> &str {
        self.failure()
            .map_or("", |failure| failure.message.as_str())
    }

    /// The copy, if the job made one.
    #[must_use]
    pub fn destination_recovery_point(&self) -> Option<&Arn> {
        self.result.as_ref().ok()
    }
}

impl World {
    /// Starts a copy and runs it to its end by AWS's rules. Answers the job's id.
    ///
    /// A copy that succeeds puts a recovery point into the destination vault. `None` where the
    /// source vault's account isn't a real one.
    pub fn start_copy(&mut self, copy: NewCopy) -> Option<&CopyJob> {
        copy.source_vault.account_id()?;
        self.start(copy);
        self.jobs.last()
    }

    /// What a copy would come to by AWS's rules, if it were started and nothing else went wrong. Starts
    /// nothing, and leaves denials that AWS may remember out of account.
    pub fn would(&self, copy: &NewCopy) -> Result<(), CopyFailure> {
        rules::judge_afresh(self, copy).map_err(|refusal| refusal.failure)
    }

    pub(crate) fn start(&mut self, copy: NewCopy) {
        let Some(account) = copy.source_vault.account_id() else {
            return;
        };
        let id = copy.id.clone().unwrap_or_else(|| self.next_id());
        let point = self
            .recovery_point(&copy.source_vault, &copy.recovery_point)
            .cloned();
        let result = match rules::judge(self, &copy) {
            Ok(()) => self
                .fault(&copy)
                .map_or_else(|| Ok(self.store(&copy, point.as_ref(), &id)), Err),
            Err(refusal) => {
                if let Some(call) = refusal.call {
                    let at = ended(copy.created, self.copies_take);
                    self.denials.remember(*call, at, refusal.failure.clone());
                }
                Err(refusal.failure)
            }
        };
        let (resource, resource_type, size_in_bytes) = match point {
            Some(point) => (
                Some(point.resource_arn),
                Some(point.resource_type),
                point.size_in_bytes,
            ),
            None => (copy.resource, copy.resource_type, 0),
        };
        self.add_copy_job(CopyJob {
            id,
            name: copy.name,
            account,
            region: copy.source_vault.region().to_owned(),
            recovery_point: copy.recovery_point,
            source_vault: copy.source_vault,
            destination_vault: copy.destination_vault,
            role: copy.role,
            lifecycle: copy.lifecycle,
            created_by: copy.created_by,
            created: copy.created,
            completed: ended(copy.created, self.copies_take),
            resource,
            resource_type,
            size_in_bytes,
            created_by_backup_job: None,
            parent: None,
            children: Children::default(),
            result,
            is_running: false,
        });
    }

    /// Lets a job seem to run although it has ended, as AWS Backup may tell its end late; or no
    /// longer.
    pub fn set_running(&mut self, id: &str, is_running: bool) {
        let at = self.position_of_copy(id);
        if let Some(job) = at.and_then(|at| self.jobs.get_mut(at)) {
            job.is_running = is_running;
        }
    }

    /// How long every copy takes that is started from now on.
    pub const fn set_copies_take(&mut self, time: SignedDuration) {
        self.copies_take = time;
    }

    /// Lets every job that hasn't ended by this time seem to run, and no other.
    pub fn tell_ends_by(&mut self, now: Timestamp) {
        for job in &mut self.jobs {
            job.is_running = job.completed > now;
        }
    }

    /// Counter-based, so that the same calls always lead to the same ids.
    pub(crate) fn next_id(&mut self) -> String {
        loop {
            self.made = self.made.saturating_add(1);
            let id = format!("c0bb1e00-0000-4000-8000-{:012x}", self.made);
            if self.copy_job(&id).is_none() {
                return id;
            }
        }
    }

    /// The fault that spoils this attempt, if there is one. The faults of a copy come one after the
    /// other.
    fn fault(&mut self, copy: &NewCopy) -> Option<CopyFailure> {
        let pair = (
            copy.recovery_point.to_string(),
            copy.destination_vault.to_string(),
        );
        let faults = self.faults.get(&pair)?;
        let attempts = self.attempts.entry(pair).or_default();
        *attempts = attempts.saturating_add(1);
        let mut spoiled = 0_u32;
        for fault in faults {
            spoiled = spoiled.saturating_add(fault.attempts.unwrap_or(u32::MAX));
            if *attempts <= spoiled {
                return Some(CopyFailure {
                    message: fault.message.clone(),
                    category: fault
                        .category
                        .clone()
                        .unwrap_or_else(|| "MISCELLANEOUS".to_owned()),
                    cause: None,
                });
            }
        }
        None
    }

    fn store(&mut self, copy: &NewCopy, point: Option<&RecoveryPoint>, job_id: &str) -> Arn {
        let to_air_gapped = self
            .vault(&copy.destination_vault)
            .is_some_and(Vault::is_logically_air_gapped);
        let arn = copied_arn(copy, point, job_id, to_air_gapped);
        if let (Some(point), Some(vault)) = (point, self.vault_to_add_to(&copy.destination_vault)) {
            // "AWS Backup automatically encrypts those copies for most resource types, even if the
            // original backup is unencrypted" (documented: developer guide, "Encryption").
            let elsewhere = copy.is_cross_account() || copy.is_cross_region() || to_air_gapped;
            let encrypted = point.is_encrypted() || (elsewhere && !point.is_database_cluster());
            let key = encrypted
                .then(|| vault.encryption_key_arn.clone())
                .flatten();
            vault.add(RecoveryPoint {
                arn: arn.clone(),
                resource_arn: point.resource_arn.clone(),
                resource_type: point.resource_type.clone(),
                encrypted: Some(encrypted),
                encryption_key_arn: key,
                // All of a copy is under one key, the vault's.
                snapshots: Vec::new(),
                size_in_bytes: point.size_in_bytes,
                tags: BTreeMap::clone(&point.tags),
                status: "COMPLETED".to_owned(),
                // "Copies retain their source configuration, including creation dates"
                // (documented: developer guide, "Creating backup copies").
                creation_date: point.creation_date,
                created_by: copy.created_by.clone(),
                iam_role_arn: Some(copy.role.clone()),
                // AWS tells it only of another account's (documented: API reference,
                // `RecoveryPointByBackupVault`).
                source_vault_arn: copy.is_cross_account().then(|| copy.source_vault.clone()),
                lifecycle: kept_for(copy.lifecycle.as_ref(), point),
                delete_at: None,
                move_to_cold_storage_at: None,
                parent_recovery_point_arn: None,
                is_parent: point.is_parent,
            });
        }
        arn
    }
}

/// How long a copy is kept: as the source is where nothing is said, and until the source's end where
/// it is to be kept always (documented: developer guide, "Creating backup copies").
fn kept_for(own: Option<&Lifecycle>, source: &RecoveryPoint) -> Option<Lifecycle> {
    let Some(own) = own else {
        return source.lifecycle.clone();
    };
    let of_source = source.lifecycle.as_ref();
    let days = own
        .delete_after_days
        .filter(|days| *days >= 0)
        .or_else(|| of_source?.delete_after_days);
    Some(Lifecycle {
        delete_after_days: days,
        ..own.clone()
    })
}

/// When a copy ends. One that is refused makes the refused call as its last (inferred): AWS Backup
/// tries calls again.
fn ended(created: Timestamp, takes: SignedDuration) -> Timestamp {
    created.saturating_add(takes).unwrap_or(created)
}

/// The ARN of a copy: of the same kind as the source's, in the destination's Region and account,
/// with an id of its own. In a logically air-gapped vault it is one of AWS Backup whatever the type
/// (documented: developer guide, "Logically air-gapped vault"); what leaves such a vault gets one
/// of its service again (inferred).
fn copied_arn(
    copy: &NewCopy,
    point: Option<&RecoveryPoint>,
    job_id: &str,
    to_air_gapped: bool,
) -> Arn {
    let (source, vault) = (&copy.recovery_point, &copy.destination_vault);
    let owner = vault.arn().account();
    let of_type = || {
        let point = point?;
        let leaves = source.service() == "backup" && !point.is_fully_managed();
        leaves.then(|| match point.storage() {
            Storage::Rds if point.is_database_cluster() => {
                ("rds", owner, "cluster-snapshot:awsbackup:", "job-")
            }
            Storage::Rds => ("rds", owner, "snapshot:awsbackup:", "job-"),
            Storage::Fsx => ("fsx", owner, "backup/", "backup-"),
            Storage::Ec2 | Storage::AwsBackup if point.is_image() => ("ec2", "", "image/", "ami-"),
            Storage::Ec2 | Storage::AwsBackup => ("ec2", "", "snapshot/", "snap-"),
        })
    };
    let resource = source.resource();
    let kind_end = resource.rfind(['/', ':']).map_or(0, |at| at + 1);
    let of_source = (
        source.service(),
        if source.account().is_empty() {
            ""
        } else {
            owner
        },
        resource.get(..kind_end).unwrap_or_default(),
        resource.get(kind_end..).unwrap_or_default(),
    );
    let (service, account, kind, id) = if to_air_gapped {
        ("backup", owner, "recovery-point:", "")
    } else {
        of_type().unwrap_or(of_source)
    };
    let short = ids::short(&["copy", job_id]);
    let new_id = ["snap-", "ami-", "backup-"]
        .iter()
        .find(|prefix| id.starts_with(**prefix))
        .map(|prefix| format!("{prefix}{short}"))
        .or_else(|| id.starts_with("job-").then(|| format!("copyjob-{job_id}")))
        .unwrap_or_else(|| ids::uuid(&["copy", job_id]));
    let text = format!(
        "arn:{}:{service}:{}:{account}:{kind}{new_id}",
        vault.partition(),
        vault.region()
    );
    // INVARIANT: every part comes from an ARN or is hexadecimal, so this is an ARN.
    text.parse().unwrap_or_else(|_| source.clone())
}
