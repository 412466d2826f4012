//! The steps of a run.

use copymend_aws::AwsEnvironment;
use copymend_aws::ReadWrite;
use copymend_aws::proving::{CopyOf, RunId};
use copymend_diagnosis::{BackupVaultArn, CopyJob, CopyJobState, KeyArn, RoleArn};
use copymend_policy::Arn;
use copymend_remediation::ports::{Backup, CallResult, Keys, Reads};
use serde_json::json;

use super::arguments::{Pace, ProveArguments};
use super::console::{agreed, detail, step};
use super::end::{End, patiently, until};
use super::pair::{Pair, Side, place};
use super::record::Notes;
use super::seen::{KeyType, Seen};
use super::state::{Made, StateFile};

/// How often a key's policy is read to see whether the order of its lists changes.
const READS_OF_A_POLICY: usize = 10;

/// How often a volume that was just made is looked for before it counts as gone: Amazon EC2 may not
/// know of it at first (Amazon EC2 developer guide, "Eventual consistency", documented; the number is
/// a choice).
const LOOKS_FOR_A_VOLUME: u32 = 10;

/// Why Amazon EC2 takes a volume away again that it has just made (Amazon EBS user guide, "How Amazon
/// EBS encryption works" and "Required permissions", documented).
fn gone(key: Option<&KeyArn>) -> String {
    match key {
        Some(key) => format!(
            "Amazon EBS could not use the key {key}; the profile needs kms:CreateGrant, kms:Decrypt, kms:DescribeKey, \
             kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt* on it"
        ),
        None => {
            "somebody deleted it, or Amazon EBS could not use the account's default key for volumes"
                .to_owned()
        }
    }
}

/// A run on its way.
pub(crate) struct Steps<'a> {
    pub(crate) arguments: &'a ProveArguments,
    pub(crate) pace: Pace,
    pub(crate) pair: &'a Pair,
    pub(crate) aws: AwsEnvironment<ReadWrite>,
    pub(crate) run: RunId,
    pub(crate) role: RoleArn,
    pub(crate) state: StateFile,
    pub(crate) notes: Notes,
    pub(crate) seen: Seen,
    pub(crate) number: usize,
}

/// What the steps made that later ones need.
pub(crate) struct Ground {
    pub(crate) vault: BackupVaultArn,
    pub(crate) source_key: Option<KeyArn>,
    pub(crate) recovery_point: Arn,
    pub(crate) first_policy: String,
}

impl Steps<'_> {
    /// How many steps there are.
    fn of(&self) -> usize {
        let with_key = usize::from(self.arguments.with_key);
        8 + with_key + usize::from(!self.arguments.deployed)
    }

    /// Says what comes, and asks where that was wished.
    pub(crate) fn announce(&mut self, title: &str, calls: &str) -> Result<(), End> {
        self.number = self.number.saturating_add(1);
        step(self.number, self.of(), title, calls)?;
        if self.arguments.step && !agreed("     Do it? [go/stop]", &["go", "y", "yes"])? {
            return Err(End::Stopped);
        }
        self.notes.at(title);
        Ok(())
    }

    /// Everything up to a backup that can be copied.
    pub(crate) async fn prepare(&mut self) -> Result<Ground, End> {
        let key = self.key(Side::Destination).await?;
        let (vault, first_policy) = self.destination_vault(&key).await?;
        let source_key = if self.arguments.with_key {
            Some(self.key(Side::Source).await?)
        } else {
            None
        };
        self.source_vault().await?;
        let volume = self.volume(source_key.as_ref()).await?;
        let recovery_point = self.backup(&volume).await?;
        Ok(Ground {
            vault,
            source_key,
            recovery_point,
            first_policy,
        })
    }

    async fn key(&mut self, side: Side) -> Result<KeyArn, End> {
        let account = self.pair.at(side);
        let (what, purpose) = match side {
            Side::Destination => (Made::DestinationKey, "for the vault there"),
            Side::Source => (Made::SourceKey, "for the volume"),
        };
        let title = format!("A key in {}, {purpose}", place(account));
        self.announce(&title, "kms:CreateKey, TagResource, DescribeKey")?;
        self.state.begin(what)?;
        let key = patiently(self.pace, async || account.create_key(&self.run).await).await?;
        self.state.made(key.as_str())?;
        until(self.pace, "the key was not enabled", async || {
            Ok(account.is_key_enabled(&key).await?.then_some(()))
        })
        .await?;
        detail(&format!("{key}"))?;
        Ok(key)
    }

    async fn destination_vault(&mut self, key: &KeyArn) -> Result<(BackupVaultArn, String), End> {
        let account = &self.pair.destination;
        let title = format!(
            "The vault {} in {}, whose policy admits nobody else",
            self.run.name(),
            place(account)
        );
        self.announce(
            &title,
            "backup:CreateBackupVault, TagResource, GetBackupVaultAccessPolicy, PutBackupVaultAccessPolicy",
        )?;
        self.state.begin(Made::DestinationVault)?;
        patiently(self.pace, async || {
            account.create_vault(&self.run, Some(key)).await
        })
        .await?;
        self.state.made(&self.run.name())?;
        let vault = account.vault(&self.run)?;
        let without = self
            .aws
            .backup()
            .get_backup_vault_access_policy(&vault)
            .await;
        self.seen.vault_without_policy = Some(match without {
            Ok(None) => "ResourceNotFoundException".to_owned(),
            Ok(Some(_)) => "a policy".to_owned(),
            Err(error) => error.detail,
        });
        // A policy without other statements couldn't be taken back by `copymend undo`, which deletes
        // none.
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Sid": "OwnAccount",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:{}:iam::{}:root", account.partition(), account.account())},
            "Action": "backup:DescribeBackupVault",
            "Resource": "*",
        }]})
        .to_string();
        patiently(self.pace, async || {
            account.put_vault_policy(&self.run, &policy).await
        })
        .await?;
        Ok((vault, policy))
    }

    async fn source_vault(&mut self) -> Result<(), End> {
        let account = &self.pair.source;
        let title = format!("The vault {} in {}", self.run.name(), place(account));
        self.announce(
            &title,
            "backup:CreateBackupVault, TagResource, DescribeBackupVault",
        )?;
        self.state.begin(Made::SourceVault)?;
        patiently(self.pace, async || {
            account.create_vault(&self.run, None).await
        })
        .await?;
        self.state.made(&self.run.name())?;
        let vault = account.vault(&self.run)?;
        let described = self.aws.backup().describe_backup_vault(&vault).await?;
        self.seen.default_key_type = described.map(|vault| {
            vault
                .encryption_key_type
                .map_or(KeyType::Unnamed, KeyType::Named)
        });
        Ok(())
    }

    async fn volume(&mut self, key: Option<&KeyArn>) -> Result<Arn, End> {
        let account = &self.pair.source;
        let how = if key.is_some() { "encrypted" } else { "empty" };
        let title = format!("A volume of 1 GiB in {}, {how}", place(account));
        self.announce(
            &title,
            "ec2:DescribeAvailabilityZones, CreateVolume, CreateTags, DescribeVolumes",
        )?;
        let zone = patiently(self.pace, async || account.zone().await).await?;
        self.state.begin(Made::Volume)?;
        let id = patiently(self.pace, async || {
            account.create_volume(&self.run, &zone, key).await
        })
        .await?;
        self.state.made(&id)?;
        let (mut was_seen, mut absent) = (false, 0);
        let found = until(self.pace, "the volume did not get available", async || {
            let found = account.volume(&id).await?;
            was_seen |= found.is_some();
            absent = if found.is_some() { 0 } else { absent + 1 };
            Ok(match found {
                Some(volume) if volume.state == "creating" => None,
                None if !was_seen && absent < LOOKS_FOR_A_VOLUME => None,
                other => Some(other),
            })
        })
        .await?;
        let Some(volume) = found else {
            return Err(End::Failed(format!(
                "the volume {id} is gone: {}",
                gone(key)
            )));
        };
        if volume.state != "available" {
            return Err(End::Failed(format!("the volume {id} is {}", volume.state)));
        }
        if volume.encrypted && key.is_none() {
            return Err(End::Failed(
                "Amazon EBS encrypts every volume of this account and Region by default, and a backup under its own key can't be copied to \
                 another account: run with --with-key"
                    .to_owned(),
            ));
        }
        detail(&id)?;
        Ok(account.volume_arn(&id)?)
    }

    async fn backup(&mut self, volume: &Arn) -> Result<Arn, End> {
        let account = &self.pair.source;
        self.announce(
            "Its backup",
            "backup:StartBackupJob, TagResource, DescribeBackupJob; iam:PassRole",
        )?;
        self.state.begin(Made::Backup)?;
        let job = patiently(self.pace, async || {
            account.start_backup(&self.run, volume, &self.role).await
        })
        .await?;
        self.state.made(&job)?;
        let ended = until(self.pace, "the backup did not end", async || {
            let progress = account.backup_progress(&job).await?;
            let is_on_its_way = |state: &str| matches!(state, "CREATED" | "PENDING" | "RUNNING");
            Ok(progress.filter(|progress| !is_on_its_way(&progress.state)))
        })
        .await?;
        match (ended.state.as_str(), ended.recovery_point) {
            ("COMPLETED", Some(point)) => {
                detail(point.as_str())?;
                Ok(point)
            }
            (state, _) => Err(End::Failed(format!(
                "the backup is {state}: {}",
                ended.message.unwrap_or_default()
            ))),
        }
    }

    /// Starts the copy, which has to fail.
    pub(crate) async fn copy(&mut self, ground: &Ground) -> Result<CopyJob, End> {
        let account = &self.pair.source;
        self.announce(
            "Its copy, which the destination vault doesn't admit",
            "backup:StartCopyJob, DescribeCopyJob; iam:PassRole",
        )?;
        self.state.begin(Made::Copy)?;
        let copy = CopyOf {
            recovery_point: &ground.recovery_point,
            destination: &ground.vault,
            role: &self.role,
        };
        let job = patiently(self.pace, async || {
            account.start_copy(&self.run, copy).await
        })
        .await?;
        self.state.made(&job)?;
        let ended = self.end_of(&job).await?;
        if ended.state != CopyJobState::Failed {
            return Err(End::Failed(format!(
                "the copy is {}, although the vault's policy doesn't admit it",
                ended.state.as_str()
            )));
        }
        detail(&format!(
            "failed, as it should: \"{}\"",
            ended.status_message
        ))?;
        self.seen.failed = Some(ended.clone());
        Ok(ended)
    }

    /// A copy job, once it has ended.
    pub(crate) async fn end_of(&mut self, job: &str) -> Result<CopyJob, End> {
        let account = &self.pair.source;
        let ended = until(self.pace, "the copy did not end", async || {
            let job = account.copy(job).await?;
            Ok(job.filter(|job| match job.state {
                CopyJobState::Created | CopyJobState::Running => false,
                CopyJobState::Completed | CopyJobState::Failed | CopyJobState::Partial => true,
            }))
        })
        .await?;
        let state = ended.state.as_str();
        self.notes.at(format!("copy {job} is seen as {state}"));
        Ok(ended)
    }

    /// What only the copy itself shows.
    pub(crate) async fn look_at_copy(&mut self) -> Result<(), End> {
        let content = self.pair.destination.vault_content(&self.run).await?;
        let point = content.into_iter().flatten().next();
        self.seen.copied_arn = point.map(|point| point.recovery_point);
        Ok(())
    }

    /// Whether the order of the lists in a key's policy changes from read to read.
    pub(crate) async fn look_at_key(&mut self, key: &KeyArn) -> CallResult<()> {
        let mut reads = Vec::new();
        for _ in 0..READS_OF_A_POLICY {
            reads.extend(self.aws.keys().get_key_policy(key).await?);
        }
        reads.dedup();
        self.seen.key_policy_order_changes = Some(reads.len() > 1);
        Ok(())
    }
}
