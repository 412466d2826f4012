//! What an investigation of one failed copy found out.

use std::collections::BTreeMap;

use copymend_policy::{AccountId, PolicyDocument};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fact::{Fact, WhyUnknown};
use crate::job::Lifecycle;
use crate::resource::{KeyArn, RoleArn};
use crate::simulation::{PrincipalPolicies, Simulated, SimulatedAction, SimulatedKey, Simulation};
use crate::tag_policy::TagPolicy;

/// Tags, key to value.
pub type Tags = BTreeMap<String, String>;

/// A recovery point, from `backup:DescribeRecoveryPoint`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryPoint {
    /// `EncryptionKeyArn`. For fully managed types the source vault's key, for others the
    /// resource's.
    pub encryption_key: Option<KeyArn>,
    /// `IsEncrypted`. Absent where AWS Backup doesn't say.
    pub is_encrypted: Option<bool>,
    /// `Status`, such as `COMPLETED`.
    pub status: Option<String>,
}

/// A backup vault, from `backup:DescribeBackupVault`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupVault {
    /// `EncryptionKeyArn`.
    pub encryption_key: Option<KeyArn>,
    /// `EncryptionKeyType`, such as `AWS_OWNED_KMS_KEY` or `CUSTOMER_MANAGED_KMS_KEY`.
    pub encryption_key_type: Option<String>,
    /// `VaultType`, such as `BACKUP_VAULT` or `LOGICALLY_AIR_GAPPED_BACKUP_VAULT`.
    pub vault_type: Option<String>,
    /// `Locked`.
    pub locked: Option<bool>,
    /// `MinRetentionDays`.
    pub min_retention_days: Option<i64>,
    /// `MaxRetentionDays`.
    pub max_retention_days: Option<i64>,
}

impl BackupVault {
    /// The key that can be described. One that AWS owns is nobody's to look at (AWS Backup API
    /// reference, `DescribeBackupVault` and "Logically air-gapped vaults", documented).
    #[must_use]
    pub fn describable_key(&self) -> Option<&KeyArn> {
        self.encryption_key
            .as_ref()
            .filter(|_| !self.has_aws_owned_key())
    }

    /// Whether AWS owns the vault's key.
    #[must_use]
    pub fn has_aws_owned_key(&self) -> bool {
        self.encryption_key_type.as_deref() == Some("AWS_OWNED_KMS_KEY")
    }

    /// Whether the vault is logically air-gapped.
    #[must_use]
    pub fn is_logically_air_gapped(&self) -> bool {
        self.vault_type.as_deref() == Some("LOGICALLY_AIR_GAPPED_BACKUP_VAULT")
    }
}

/// The tags of a recovery point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoveryPointTags {
    /// These tags; there may be none.
    Tags(Tags),
    /// AWS Backup doesn't tell them: `ListTags` takes only recovery points whose ARN is AWS
    /// Backup's own, `arn:aws:backup:…` (AWS Backup API reference, `ListTags`, documented). Those
    /// of a snapshot or image are its own service's, and aren't read.
    NotApplicable,
}

/// Who manages a KMS key (`KeyManager`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum KeyManager {
    /// An AWS managed key, such as `aws/ebs`. Its policy can't be changed.
    Aws,
    /// A customer managed key.
    Customer,
}

/// A KMS key, from `kms:DescribeKey`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's ARN as KMS answers it.
    pub arn: KeyArn,
    /// `KeyManager`.
    pub manager: KeyManager,
    /// `KeyState` as KMS writes it. Only `Enabled` is usable; a state that is new to us is not.
    pub state: String,
}

impl Key {
    /// Whether the key can be used.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.state == "Enabled"
    }
}

/// What is known of one KMS key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// The key that was asked about.
    pub arn: KeyArn,
    /// `kms:DescribeKey`; `None` where KMS says that it doesn't exist.
    pub key: Fact<Option<Key>>,
    /// `kms:GetKeyPolicy` for the policy named `default`.
    pub policy: Fact<PolicyDocument>,
    /// `kms:ListKeyPolicies`. A second policy may allow what `default` doesn't.
    pub policy_names: Fact<Vec<String>>,
    /// `kms:ListResourceTags`.
    pub tags: Fact<Tags>,
    /// The organization of the account that owns the key; `None` where it is in none.
    pub organization: Fact<Option<Organization>>,
}

impl KeyFacts {
    /// Every read that told nothing.
    fn unknown(&self) -> Vec<&WhyUnknown> {
        let reads = [
            self.key.unknown(),
            self.policy.unknown(),
            self.policy_names.unknown(),
            self.tags.unknown(),
            self.organization.unknown(),
        ];
        reads.into_iter().flatten().collect()
    }

    /// The key's policies beside `default`, which this project doesn't read.
    pub fn other_policies(&self) -> impl Iterator<Item = &str> {
        let names = self.policy_names.known().into_iter().flatten();
        names.map(String::as_str).filter(|name| *name != "default")
    }
}

/// The key that protects the source backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceKey {
    /// The backup isn't encrypted, so no key policy matters.
    NotEncrypted,
    /// Which key it is isn't known.
    Unknown(WhyUnknown),
    /// This key.
    Key(Box<KeyFacts>),
}

/// The keys of an image's snapshots beside the one that `DescribeRecoveryPoint` names. An image can
/// hold several snapshots under several keys, and has no key of its own (AWS Backup developer
/// guide, "Encryption for backups", documented).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageKeys {
    /// The recovery point is no image: it has one key at most.
    NotApplicable,
    /// Which keys they are isn't known.
    Unknown(WhyUnknown),
    /// These, each once. None where every snapshot is under the one that is named, or under no key.
    Others(Vec<KeyFacts>),
}

/// The key that the destination vault names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultKey {
    /// The vault names none, or one that AWS owns and nobody can describe, or there is no vault.
    None,
    /// Which key it is isn't known.
    Unknown(WhyUnknown),
    /// This key.
    Key(Box<KeyFacts>),
}

impl VaultKey {
    /// What is known of the key, if the vault names one.
    #[must_use]
    pub fn facts(&self) -> Option<&KeyFacts> {
        match self {
            Self::Key(facts) => Some(facts),
            Self::None | Self::Unknown(_) => None,
        }
    }

    /// The key as KMS describes it.
    #[must_use]
    pub fn described(&self) -> Option<&Key> {
        self.facts()?.key.known()?.as_ref()
    }
}

/// An organization, from `organizations:DescribeOrganization`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organization {
    /// The id, such as `o-exampleorgid`.
    pub id: String,
    /// The management account.
    pub management_account: Option<AccountId>,
}

/// An IAM role, from `iam:GetRole`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The role's ARN as IAM answers it, with its path.
    pub arn: RoleArn,
    /// The trust policy; `None` where IAM's answer holds none that can be read.
    pub trust_policy: Option<String>,
    /// The ARN of the permissions boundary, if there is one.
    pub permissions_boundary: Option<String>,
    /// When the role was made (`CreateDate`), if IAM's answer says so.
    pub created: Option<Timestamp>,
}

/// What the job role may do, by `iam:SimulatePrincipalPolicy` or by its policies: the two actions
/// that every copy needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRoleAccess {
    /// `backup:CopyFromBackupVault` on the recovery point.
    pub copy_from: SimulatedFact,
    /// `backup:CopyIntoBackupVault` on the destination vault.
    pub copy_into: SimulatedFact,
}

/// A simulated action, and the same without the layer that is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulatedFact {
    /// As the role is.
    pub as_is: Fact<SimulatedAction>,
    /// Without service control policies; asked only where they are in the way. Where the simulator
    /// told nothing, what the role's policies say, read one by one.
    pub without_scps: Option<Fact<SimulatedAction>>,
    /// Without its permissions boundary, and without service control policies where they are in the
    /// way too; asked only where the boundary is in the way.
    pub without_boundary: Option<Fact<SimulatedAction>>,
    /// Condition keys of the real call that the simulator could not be told, because their values
    /// aren't known. It takes them as absent, so that a service control policy that asks for one
    /// may seem to deny.
    pub not_told: Vec<String>,
}

impl From<Fact<SimulatedAction>> for SimulatedFact {
    /// An answer before anything was asked again, where everything could be told.
    fn from(as_is: Fact<SimulatedAction>) -> Self {
        Self {
            as_is,
            without_scps: None,
            without_boundary: None,
            not_told: Vec::new(),
        }
    }
}

impl SimulatedFact {
    /// The answer about the principal's own policies and boundary: without service control policies
    /// where they are in the way, or from the policies themselves where the simulator told nothing.
    /// `None` where service control policies are in the way, and nobody asked without them.
    #[must_use]
    pub fn behind_scps(&self) -> Option<&Fact<SimulatedAction>> {
        let without_scps = self.without_scps.as_ref();
        match &self.as_is {
            Fact::Known(_) if self.is_refused_by_organization() => without_scps,
            Fact::Known(_) => Some(&self.as_is),
            Fact::Unknown(_) => without_scps
                .filter(|told| told.known().is_some())
                .or(Some(&self.as_is)),
        }
    }

    /// What the principal's own policies and its boundary say, as far as anybody told.
    #[must_use]
    pub fn meaning_behind_scps(&self) -> Option<Simulated> {
        self.behind_scps()?.known().map(SimulatedAction::meaning)
    }

    /// What the principal's own policies say: as it is, or without the policies that hide them.
    #[must_use]
    pub fn own_policies(&self) -> Option<Simulated> {
        match (self.meaning_behind_scps()?, &self.without_boundary) {
            (Simulated::NotByBoundary, Some(Fact::Known(without))) => Some(without.meaning()),
            (meaning, _) => Some(meaning),
        }
    }

    /// Whether the service control policies are in the way, as the simulator sees it.
    #[must_use]
    pub fn is_refused_by_organization(&self) -> bool {
        self.meaning() == Some(Simulated::NotByOrganization)
    }

    /// What the simulator says of the principal as it is.
    #[must_use]
    pub fn meaning(&self) -> Option<Simulated> {
        self.as_is.known().map(SimulatedAction::meaning)
    }

    /// The action, if anybody told of it.
    #[must_use]
    pub fn action(&self) -> Option<&SimulatedAction> {
        self.as_is.known().or_else(|| self.behind_scps()?.known())
    }

    /// Takes in what the principal's policies say to the same question, where the simulator told
    /// nothing.
    pub fn told_by_policies(&mut self, policies: &PrincipalPolicies, question: &Simulation) {
        if self.as_is.known().is_some() {
            return;
        }
        let answer = |question| {
            policies
                .answers(question)
                .into_iter()
                .next()
                .map(Fact::Known)
        };
        self.without_scps = answer(question);
        if self.meaning_behind_scps() == Some(Simulated::NotByBoundary) {
            self.without_boundary = answer(&Simulation {
                without_boundary: true,
                ..question.clone()
            });
        }
    }

    /// Every answer that could not be had.
    pub fn unknown(&self) -> impl Iterator<Item = &WhyUnknown> {
        [
            Some(&self.as_is),
            self.without_scps.as_ref(),
            self.without_boundary.as_ref(),
        ]
        .into_iter()
        .flatten()
        .filter_map(Fact::unknown)
    }
}

impl JobRoleAccess {
    /// Both actions.
    #[must_use]
    pub const fn actions(&self) -> [&SimulatedFact; 2] {
        [&self.copy_from, &self.copy_into]
    }
}

/// All facts of one failed copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The lifecycle that the copy should have, as its verified job says.
    pub lifecycle: Option<Lifecycle>,
    /// When they were read, by the clock of whoever read them.
    pub read_at: Timestamp,
    /// The recovery point; `None` where AWS Backup says that it doesn't exist.
    pub recovery_point: Fact<Option<RecoveryPoint>>,
    /// The key of the source backup.
    pub source_key: SourceKey,
    /// The other keys of a source backup that is an image.
    pub image_keys: ImageKeys,
    /// The vault that the recovery point is in; `None` where it doesn't exist.
    pub source_vault: Fact<Option<BackupVault>>,
    /// The source vault's access policy; `None` where it has none.
    pub source_vault_policy: Fact<Option<PolicyDocument>>,
    /// The destination vault; `None` where it doesn't exist.
    pub destination_vault: Fact<Option<BackupVault>>,
    /// The destination vault's access policy; `None` where it has none.
    pub vault_policy: Fact<Option<PolicyDocument>>,
    /// The destination vault's tags.
    pub vault_tags: Fact<Tags>,
    /// The destination vault's key.
    pub vault_key: VaultKey,
    /// The AWS managed key of the backup's own service, such as `aws/ebs`, where the destination
    /// vault is, from `kms:ListAliases`; `None` inside where there is none yet. Not asked where it
    /// doesn't matter: between accounts no AWS managed key will do for a copy.
    pub service_default_key: Option<Fact<Option<KeyArn>>>,
    /// The source account's organization; `None` where it is in none.
    pub source_organization: Fact<Option<Organization>>,
    /// The source account's path in its organization, such as
    /// `o-exampleorgid/r-ab12/ou-ab12-11111111/`: the value of `aws:PrincipalOrgPaths` (IAM, "Global
    /// condition keys", documented). Not asked where no account is named that may be asked, and
    /// where the account is in no organization.
    pub source_organization_path: Option<Fact<String>>,
    /// The destination account's organization; `None` where it is in none.
    pub destination_organization: Fact<Option<Organization>>,
    /// `AWSServiceRoleForBackup` in the destination account; `None` where it is missing.
    pub service_linked_role: Fact<Option<Role>>,
    /// The job role; `None` where it doesn't exist.
    pub job_role: Fact<Option<Role>>,
    /// What the job role may do.
    pub job_role_access: JobRoleAccess,
    /// What the job role may do with the keys that it uses itself.
    pub job_role_keys: Vec<SimulatedKey>,
    /// The recovery point's tags, which the copy takes over.
    pub recovery_point_tags: Fact<RecoveryPointTags>,
    /// The tag policy in effect in the destination account; `None` where there is none.
    pub tag_policy: Fact<Option<TagPolicy>>,
    /// `isCrossAccountBackupEnabled`. Readable in the management account alone.
    pub cross_account_backup: Fact<bool>,
}

impl Facts {
    /// The recovery point's tags, where AWS Backup tells them.
    #[must_use]
    pub fn known_recovery_point_tags(&self) -> Option<&Tags> {
        match &self.recovery_point_tags {
            Fact::Known(RecoveryPointTags::Tags(tags)) => Some(tags),
            Fact::Known(RecoveryPointTags::NotApplicable) | Fact::Unknown(_) => None,
        }
    }

    /// Every read that told nothing, in a stable order, for the report.
    #[must_use]
    pub fn unknown(&self) -> Vec<&WhyUnknown> {
        // Taken apart, so that a new fact can't be forgotten here.
        let Self {
            lifecycle: _,
            read_at: _,
            recovery_point,
            source_key,
            image_keys,
            source_vault,
            source_vault_policy,
            destination_vault,
            vault_policy,
            vault_tags,
            vault_key,
            service_default_key,
            source_organization,
            source_organization_path,
            destination_organization,
            service_linked_role,
            job_role,
            job_role_access,
            job_role_keys,
            recovery_point_tags,
            tag_policy,
            cross_account_backup,
        } = self;
        let key = match source_key {
            SourceKey::NotEncrypted => Vec::new(),
            SourceKey::Unknown(why) => vec![why],
            SourceKey::Key(facts) => facts.unknown(),
        };
        let other_keys = match image_keys {
            ImageKeys::NotApplicable => Vec::new(),
            ImageKeys::Unknown(why) => vec![why],
            ImageKeys::Others(keys) => keys.iter().flat_map(KeyFacts::unknown).collect(),
        };
        let vault_key = match vault_key {
            VaultKey::None => Vec::new(),
            VaultKey::Unknown(why) => vec![why],
            VaultKey::Key(facts) => facts.unknown(),
        };
        [
            recovery_point.unknown(),
            source_vault.unknown(),
            source_vault_policy.unknown(),
            destination_vault.unknown(),
            vault_policy.unknown(),
            vault_tags.unknown(),
            service_default_key.as_ref().and_then(Fact::unknown),
            source_organization.unknown(),
            source_organization_path.as_ref().and_then(Fact::unknown),
            destination_organization.unknown(),
            service_linked_role.unknown(),
            job_role.unknown(),
            recovery_point_tags.unknown(),
            tag_policy.unknown(),
            cross_account_backup.unknown(),
        ]
        .into_iter()
        .chain(
            job_role_access
                .actions()
                .into_iter()
                .flat_map(|fact| fact.unknown().map(Some)),
        )
        .flatten()
        .chain(job_role_keys.iter().filter_map(SimulatedKey::unknown))
        .chain(vault_key)
        .chain(key)
        .chain(other_keys)
        .collect()
    }
}
