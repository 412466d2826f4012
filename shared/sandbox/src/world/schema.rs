//! The JSON of a world. `docs/world.md` describes it for people.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use copymend_diagnosis::{BackupVaultArn, KeyArn, KeyManager, Lifecycle, RoleArn, Tags};
use copymend_policy::{AccountId, Arn, ParseError, PolicyDocument};
use jiff::Timestamp;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A policy's text, byte for byte. In JSON it is a string that holds the policy, or the policy itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    text: String,
    document: Result<PolicyDocument, ParseError>,
}

impl PolicyText {
    /// Keeps a text, whether it is a policy or not.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            document: PolicyDocument::parse(&text),
            text,
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the text says, if it is a policy.
    pub const fn document(&self) -> Result<&PolicyDocument, &ParseError> {
        self.document.as_ref()
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if raw.get().starts_with('"') {
            serde_json::from_str::<String>(raw.get())
                .map(Self::new)
                .map_err(D::Error::custom)
        } else {
            Ok(Self::new(raw.get()))
        }
    }
}

/// A whole world file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WorldFile {
    /// For people.
    #[serde(default)]
    #[expect(dead_code, reason = "read by people, not by the sandbox")]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) time: Option<Timestamp>,
    #[serde(default)]
    pub(crate) organizations: Vec<Organization>,
    #[serde(deserialize_with = "unique")]
    pub(crate) accounts: BTreeMap<AccountId, Account>,
    #[serde(default)]
    pub(crate) copy_jobs: Vec<CopyJobInput>,
}

/// An organization.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The id, such as `o-exampleorgid`.
    pub id: String,
    /// The management account. It is a member too.
    pub management_account: AccountId,
    /// Whether cross-account backup is on. Off unless said otherwise, as in AWS.
    #[serde(default)]
    pub cross_account_backup_enabled: bool,
    /// The member accounts with their paths, such as `o-exampleorgid/r-ab12/ou-ab12-11111111/`.
    #[serde(default, deserialize_with = "unique")]
    pub member_accounts: BTreeMap<AccountId, String>,
    /// Tag policies: for a tag key the values that are allowed. A value may end in `*`.
    #[serde(default, deserialize_with = "unique")]
    pub tag_policies: BTreeMap<String, Vec<String>>,
    /// Service control policies beside `FullAWSAccess`, which is attached everywhere: only their Denies count.
    #[serde(default)]
    pub service_control_policies: Vec<ServiceControlPolicy>,
}

/// A service control policy and what it is attached to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceControlPolicy {
    /// The name, for people.
    pub name: String,
    /// Account ids, or ids of organizational units or of the root.
    pub targets: Vec<String>,
    /// The policy.
    pub policy: PolicyText,
}

/// An account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The name, for people.
    #[serde(default)]
    pub name: Option<String>,
    /// The partition; `aws` unless said otherwise.
    #[serde(default = "aws")]
    pub partition: String,
    /// Whether `AWSServiceRoleForBackup` exists. It does unless said otherwise.
    #[serde(default = "yes")]
    pub service_linked_role: bool,
    /// The IAM roles by name.
    #[serde(default, deserialize_with = "unique")]
    pub roles: BTreeMap<String, Role>,
    /// The IAM users, as names with their paths. They matter only as principals of policies.
    #[serde(default)]
    pub users: Vec<String>,
    /// The Regions by code.
    #[serde(default, deserialize_with = "unique")]
    pub regions: BTreeMap<String, Region>,
}

/// An IAM role.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The path; `/` unless said otherwise.
    #[serde(default = "slash")]
    pub path: String,
    /// The trust policy; one that lets AWS Backup assume the role unless said otherwise.
    #[serde(default)]
    pub trust_policy: Option<PolicyText>,
    /// The inline policies by name.
    #[serde(default, deserialize_with = "unique")]
    pub policies: BTreeMap<String, PolicyText>,
    /// The attached AWS managed policies, by name or ARN. Known: `AWSBackupServiceRolePolicyForBackup`.
    #[serde(default)]
    pub managed_policies: Vec<String>,
    /// The permissions boundary.
    #[serde(default)]
    pub permissions_boundary: Option<PermissionsBoundary>,
}

/// A permissions boundary.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PermissionsBoundary {
    /// The ARN of the policy.
    pub arn: Arn,
    /// The policy.
    pub policy: PolicyText,
}

/// What an account has in one Region.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The backup vaults by name.
    #[serde(default, deserialize_with = "unique")]
    pub vaults: BTreeMap<String, Vault>,
    /// The KMS keys by id.
    #[serde(default, deserialize_with = "unique")]
    pub keys: BTreeMap<String, Key>,
}

/// A backup vault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vault {
    /// The key; the account's default key for AWS Backup, `aws/backup`, unless said otherwise.
    #[serde(default)]
    pub encryption_key_arn: Option<KeyArn>,
    /// The access policy; none unless said otherwise.
    #[serde(default)]
    pub policy: Option<PolicyText>,
    /// The tags.
    #[serde(default, deserialize_with = "unique")]
    pub tags: Tags,
    /// The lock.
    #[serde(default)]
    pub lock: Option<Lock>,
    /// `BACKUP_VAULT` unless said otherwise, or `LOGICALLY_AIR_GAPPED_BACKUP_VAULT`.
    #[serde(default = "backup_vault")]
    pub vault_type: String,
    /// The recovery points.
    #[serde(default)]
    pub recovery_points: Vec<RecoveryPoint>,
}

/// A vault lock: the retention that the vault accepts, in days.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The shortest.
    #[serde(default)]
    pub min_retention_days: Option<i64>,
    /// The longest.
    #[serde(default)]
    pub max_retention_days: Option<i64>,
}

/// A recovery point.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecoveryPoint {
    /// Its ARN. One of the service `backup` is of a type that AWS Backup manages fully.
    pub arn: Arn,
    /// The resource that was backed up.
    pub resource_arn: Arn,
    /// The kind of resource, such as `EBS`.
    pub resource_type: String,
    /// The key. For fully managed types the vault's, unless said otherwise.
    #[serde(default)]
    pub encryption_key_arn: Option<KeyArn>,
    /// Whether it is encrypted; yes if it has a key, unless said otherwise.
    #[serde(default)]
    pub encrypted: Option<bool>,
    /// The size.
    #[serde(default)]
    pub size_in_bytes: u64,
    /// The tags.
    #[serde(default, deserialize_with = "unique")]
    pub tags: Tags,
    /// `COMPLETED` unless said otherwise.
    #[serde(default = "completed")]
    pub status: String,
}

/// A KMS key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The alias, for people.
    #[serde(default)]
    pub alias: Option<String>,
    /// `AWS` or `CUSTOMER`; `CUSTOMER` unless said otherwise.
    #[serde(default = "customer")]
    pub manager: KeyManager,
    /// `Enabled` unless said otherwise, or another of KMS's key states.
    #[serde(default = "enabled")]
    pub state: String,
    /// The key policy; the one that KMS gives a key by default, unless said otherwise.
    #[serde(default)]
    pub policy: Option<PolicyText>,
    /// The tags.
    #[serde(default, deserialize_with = "unique")]
    pub tags: Tags,
}

/// A copy job's inputs. Whether it fails, and with which message, follows from the world.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CopyJobInput {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    pub(crate) recovery_point_arn: Arn,
    pub(crate) source_vault_arn: BackupVaultArn,
    pub(crate) destination_vault_arn: BackupVaultArn,
    pub(crate) iam_role_arn: RoleArn,
    #[serde(default)]
    pub(crate) created_by: Option<BackupPlan>,
    #[serde(default)]
    pub(crate) lifecycle: Option<LifecycleInput>,
    pub(crate) creation_date: Timestamp,
    #[serde(default)]
    pub(crate) resource_arn: Option<Arn>,
    #[serde(default)]
    pub(crate) resource_type: Option<String>,
    #[serde(default)]
    pub(crate) faults: Vec<Fault>,
}

/// The backup plan that started a copy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupPlan {
    /// `backupPlanArn`.
    pub backup_plan_arn: Arn,
    /// `backupPlanId`.
    pub backup_plan_id: String,
    /// `backupPlanVersion`.
    #[serde(default)]
    pub backup_plan_version: Option<String>,
    /// `backupPlanRuleId`.
    pub backup_rule_id: String,
}

/// [`Lifecycle`], refusing fields that it doesn't have.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LifecycleInput {
    #[serde(default)]
    move_to_cold_storage_after_days: Option<i64>,
    #[serde(default)]
    delete_after_days: Option<i64>,
    #[serde(default)]
    opt_in_to_archive_for_supported_resources: Option<bool>,
    #[serde(default)]
    delete_after_event: Option<String>,
}

impl From<LifecycleInput> for Lifecycle {
    fn from(input: LifecycleInput) -> Self {
        Self {
            move_to_cold_storage_after_days: input.move_to_cold_storage_after_days,
            delete_after_days: input.delete_after_days,
            opt_in_to_archive_for_supported_resources: input
                .opt_in_to_archive_for_supported_resources,
            delete_after_event: input.delete_after_event,
        }
    }
}

/// What goes wrong with a copy although every rule lets it pass, such as a fault inside AWS.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// AWS's message.
    pub message: String,
    /// AWS's category of the message.
    #[serde(default)]
    pub category: Option<String>,
    /// How many attempts it spoils; every one unless said otherwise.
    #[serde(default)]
    pub attempts: Option<u32>,
}

fn aws() -> String {
    "aws".to_owned()
}

fn slash() -> String {
    "/".to_owned()
}

fn backup_vault() -> String {
    "BACKUP_VAULT".to_owned()
}

fn completed() -> String {
    "COMPLETED".to_owned()
}

fn enabled() -> String {
    "Enabled".to_owned()
}

const fn customer() -> KeyManager {
    KeyManager::Customer
}

const fn yes() -> bool {
    true
}

/// A map that refuses the same key twice, where serde would keep the last.
fn unique<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    K: Deserialize<'de> + Ord + fmt::Debug,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct Unique<K, V>(PhantomData<(K, V)>);

    impl<'de, K, V> Visitor<'de> for Unique<K, V>
    where
        K: Deserialize<'de> + Ord + fmt::Debug,
        V: Deserialize<'de>,
    {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = BTreeMap::new();
            while let Some(key) = map.next_key::<K>()? {
                if members.contains_key(&key) {
                    return Err(A::Error::custom(format!("the key {key:?} appears twice")));
                }
                members.insert(key, map.next_value()?);
            }
            Ok(members)
        }
    }

    deserializer.deserialize_map(Unique(PhantomData))
}
