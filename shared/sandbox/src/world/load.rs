//! From a world's JSON to a world in which the copies have run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use copymend_diagnosis::KeyManager;
use copymend_policy::AccountId;

use super::schema::{Account, CopyJobInput, Key, PolicyText, Region, WorldFile};
use super::{JobIndex, World, WorldError, check};
use crate::copies::{DURATION, NewCopy};
use crate::denials::Denials;
use crate::ids;

const DEFAULT_WORLD: &str = include_str!("../../worlds/default.json");
const DEFAULT_TIME: &str = "2026-11-02T06:00:00Z";

impl World {
    /// Reads a world and runs its copy jobs, so that each one's state and message follow from the
    /// world.
    pub fn from_json(text: &str) -> Result<Self, WorldError> {
        let mut file: WorldFile =
            serde_json::from_str(text).map_err(|error| WorldError::json(&error))?;
        check::file(&file)?;
        for (id, account) in &mut file.accounts {
            complete(*id, account);
        }
        let mut world = Self {
            time: match file.time {
                Some(time) => time,
                None => DEFAULT_TIME
                    .parse()
                    .map_err(|_| WorldError::at("time", "no default time"))?,
            },
            organizations: file.organizations,
            accounts: file.accounts,
            backup_jobs: Vec::new(),
            restore_jobs: Vec::new(),
            jobs: Vec::new(),
            copy_index: JobIndex::default(),
            backup_index: JobIndex::default(),
            restore_index: JobIndex::default(),
            faults: BTreeMap::new(),
            attempts: BTreeMap::new(),
            made: 0,
            simulator_tells_identity_side: true,
            copymend: file.copymend,
            session_name: file.session_name,
            closed_accounts: file.closed_accounts,
            denials: Denials::default(),
            copies_take: DURATION,
        };
        for mut job in file.backup_jobs {
            job.creation_date.get_or_insert(world.time);
            world.add_backup_job(job);
        }
        for mut job in file.restore_jobs {
            job.creation_date.get_or_insert(world.time);
            world.add_restore_job(job);
        }
        world.date_recovery_points(&file.copy_jobs);
        let mut names = BTreeSet::new();
        for (index, job) in file.copy_jobs.into_iter().enumerate() {
            let path = format!("copy_jobs[{index}]");
            if let Some(name) = &job.name
                && !names.insert(name.clone())
            {
                let path = format!("{path}.name");
                return Err(WorldError::at(&path, "another copy job has this name"));
            }
            world.run(job, &path)?;
        }
        world.relate_copies()?;
        Ok(world)
    }

    /// The world that comes with the crate: one failing copy for each cause, and copies that work.
    ///
    /// # Panics
    /// Never: a test loads it.
    #[must_use]
    pub fn default_world() -> Self {
        #[expect(
            clippy::panic,
            reason = "the text is part of the program, and a test loads it"
        )]
        static WORLD: LazyLock<World> = LazyLock::new(|| {
            World::from_json(DEFAULT_WORLD)
                .unwrap_or_else(|error| panic!("the default world: {error}"))
        });
        WORLD.clone()
    }

    /// The JSON of [`World::default_world`].
    #[must_use]
    pub const fn default_json() -> &'static str {
        DEFAULT_WORLD
    }

    fn run(&mut self, input: CopyJobInput, path: &str) -> Result<(), WorldError> {
        let refused =
            |field: &str, reason: &str| Err(WorldError::at(&format!("{path}.{field}"), reason));
        let safe = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if input.id.is_empty() || input.id.len() > 128 || !input.id.bytes().all(safe) {
            return refused(
                "id",
                "a job id has 1 to 128 letters, digits or the characters -_.",
            );
        }
        if self.copy_job(&input.id).is_some() {
            return refused("id", "another copy job has this id");
        }
        let Some(account) = input.source_vault_arn.account_id() else {
            return refused("source_vault_arn", "its account is not a real one");
        };
        if self.account(account).is_none() {
            return refused("source_vault_arn", "its account is not in the world");
        }
        let point = self.recovery_point(&input.source_vault_arn, &input.recovery_point_arn);
        if point.is_some() && (input.resource_arn.is_some() || input.resource_type.is_some()) {
            return refused("resource_arn", "the recovery point says what was backed up");
        }
        let pair = (
            input.recovery_point_arn.to_string(),
            input.destination_vault_arn.to_string(),
        );
        if let Some(lifecycle) = &input.lifecycle
            && let Some(days) = lifecycle.impossible()
        {
            let reason = format!("{days} days are no retention; -1 means for ever");
            return refused("lifecycle", &reason);
        }
        if !input.faults.is_empty() && self.faults.insert(pair, input.faults).is_some() {
            return refused(
                "faults",
                "another copy of this recovery point to this vault names faults",
            );
        }
        self.start(NewCopy {
            id: Some(input.id),
            name: input.name,
            recovery_point: input.recovery_point_arn,
            source_vault: input.source_vault_arn,
            destination_vault: input.destination_vault_arn,
            role: input.iam_role_arn,
            lifecycle: input.lifecycle.map(Into::into),
            created_by: input.created_by,
            created: input.creation_date,
            resource: input.resource_arn,
            resource_type: input.resource_type,
        });
        if let Some(job) = self.jobs.last_mut() {
            job.created_by_backup_job = input.created_by_backup_job_id;
            job.parent = input.parent_job_id;
        }
        Ok(())
    }
}

/// Fills in what AWS makes by itself: the default keys of vaults, and the keys of fully managed
/// recovery points.
fn complete(id: AccountId, account: &mut Account) {
    let partition = account.partition.clone();
    for (code, region) in &mut account.regions {
        complete_vaults(&partition, code, id, region);
        for key in region.keys.values_mut() {
            if key.policy.is_none() {
                key.policy = Some(default_key_policy(&partition, id, key.manager));
            }
        }
    }
}

pub(super) fn complete_vaults(partition: &str, code: &str, id: AccountId, region: &mut Region) {
    let default_id = ids::uuid(&["aws/backup", id.as_str(), code]);
    let default_arn = format!("arn:{partition}:kms:{code}:{id}:key/{default_id}");
    for vault in region.vaults.values_mut() {
        if vault.encryption_key_arn.is_none() && !vault.is_logically_air_gapped() {
            vault.encryption_key_arn = default_arn.parse().ok();
            region
                .keys
                .entry(default_id.clone())
                .or_insert_with(|| Key {
                    alias: Some("aws/backup".to_owned()),
                    manager: KeyManager::Aws,
                    state: "Enabled".to_owned(),
                    policy: None,
                    other_policies: Vec::new(),
                    tags: BTreeMap::new(),
                });
        }
        let is_air_gapped = vault.is_logically_air_gapped();
        for point in &mut vault.recovery_points {
            // Everything in a logically air-gapped vault is under its key (documented: "Logically
            // air-gapped vault").
            let has_key_of_vault = point.is_fully_managed() || is_air_gapped;
            if has_key_of_vault
                && point.encryption_key_arn.is_none()
                && point.encrypted != Some(false)
            {
                point
                    .encryption_key_arn
                    .clone_from(&vault.encryption_key_arn);
                point.encrypted = Some(true);
            }
        }
    }
}

/// The policy that KMS gives a key which was made without one (documented: KMS
/// `key-policy-default`), and one in the manner of AWS managed keys: usable through services in its
/// own account alone.
fn default_key_policy(partition: &str, id: AccountId, manager: KeyManager) -> PolicyText {
    let statement = match manager {
        KeyManager::Customer => format!(
            r#"{{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{{"AWS":"arn:{partition}:iam::{id}:root"}},"Action":"kms:*","Resource":"*"}}"#
        ),
        KeyManager::Aws => format!(
            r#"{{"Sid":"Allow use through AWS services in this account","Effect":"Allow","Principal":{{"AWS":"*"}},"Action":["kms:CreateGrant","kms:Decrypt","kms:DescribeKey","kms:Encrypt","kms:GenerateDataKey*","kms:ReEncrypt*"],"Resource":"*","Condition":{{"StringEquals":{{"kms:CallerAccount":"{id}"}}}}}}"#
        ),
    };
    PolicyText::new(format!(
        r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#
    ))
}
