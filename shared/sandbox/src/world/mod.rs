//! The world: organizations, accounts and what is in them.

mod check;
mod check_plans;
mod control_policies;
mod error;
mod jobs;
mod load;
mod made;
mod plans;
mod points;
mod relate;
mod schema;
mod storage;
mod times;

use std::collections::BTreeMap;

use copymend_diagnosis::{
    BackupVault, BackupVaultArn, KeyAliasArn, KeyArn, KeyManager, RoleArn, Tags,
};
use copymend_policy::AccountId;
use jiff::{SignedDuration, Timestamp};

pub use control_policies::ControlPolicy;
pub use error::WorldError;
pub(crate) use jobs::JobIndex;
pub use plans::DEFAULT_SCHEDULE;
pub use points::Protected;
pub use schema::{
    Account, BackupJob, BackupPlan, Copymend, Fault, Key, Lock, Organization, OrganizationPolicy,
    PermissionsBoundary, Plan, PlanCopyAction, PlanRule, PlanSelection, PolicyText, RecoveryPoint,
    Region, RestoreJob, Role, SelectedTag, SelectionConditions, Snapshot, TagRule, User, Vault,
};
pub(crate) use storage::Storage;

use crate::copies::CopyJob;
use crate::denials::Denials;

/// The name of the service-linked role that AWS Backup copies with.
pub const SERVICE_LINKED_ROLE: &str = "AWSServiceRoleForBackup";
const SERVICE_LINKED_ROLE_PATH: &str = "aws-service-role/backup.amazonaws.com";

/// An organization of accounts in memory, in which copies succeed or fail by AWS's rules.
///
/// ```
/// use copymend_sandbox::World;
///
/// let world = World::default_world();
/// let failed = world.copy_jobs().iter().filter(|job| job.failure().is_some()).count();
/// assert!(failed > 30);
/// ```
#[derive(Clone, Debug)]
pub struct World {
    time: Timestamp,
    organizations: Vec<Organization>,
    accounts: BTreeMap<AccountId, Account>,
    backup_jobs: Vec<BackupJob>,
    restore_jobs: Vec<RestoreJob>,
    pub(crate) jobs: Vec<CopyJob>,
    copy_index: JobIndex,
    backup_index: JobIndex,
    restore_index: JobIndex,
    pub(crate) faults: BTreeMap<(String, String), Vec<Fault>>,
    pub(crate) attempts: BTreeMap<(String, String), u32>,
    pub(crate) made: u64,
    simulator_tells_identity_side: bool,
    copymend: Option<Copymend>,
    session_name: Option<String>,
    closed_accounts: Vec<AccountId>,
    pub(crate) denials: Denials,
    pub(crate) copies_take: SignedDuration,
}

impl World {
    /// When the world begins.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// The organizations.
    #[must_use]
    pub fn organizations(&self) -> &[Organization] {
        &self.organizations
    }

    /// The organizations, to change them.
    pub fn organizations_mut(&mut self) -> &mut [Organization] {
        &mut self.organizations
    }

    /// The accounts.
    #[must_use]
    pub const fn accounts(&self) -> &BTreeMap<AccountId, Account> {
        &self.accounts
    }

    /// One account.
    #[must_use]
    pub fn account(&self, account: AccountId) -> Option<&Account> {
        self.accounts.get(&account)
    }

    /// One account, to change it.
    pub fn account_mut(&mut self, account: AccountId) -> Option<&mut Account> {
        let found = self.accounts.get_mut(&account)?;
        for region in found.regions.values_mut() {
            for vault in region.vaults.values_mut() {
                vault.index.take();
            }
        }
        Some(found)
    }

    /// The organization that an account is in.
    #[must_use]
    pub fn organization_of(&self, account: AccountId) -> Option<&Organization> {
        self.organizations
            .iter()
            .find(|organization| organization.has_member(account))
    }

    /// One vault.
    #[must_use]
    pub fn vault(&self, vault: &BackupVaultArn) -> Option<&Vault> {
        let account = self.accounts.get(&vault.account_id()?)?;
        let region = account.regions.get(vault.region())?;
        region
            .vaults
            .get(vault.name())
            .filter(|_| account.partition == vault.partition())
    }

    /// One vault, to change it.
    pub fn vault_mut(&mut self, vault: &BackupVaultArn) -> Option<&mut Vault> {
        let vault = self.vault_to_add_to(vault)?;
        vault.index.take();
        Some(vault)
    }

    /// One vault, to change it otherwise than by taking recovery points out of it or putting others
    /// in their places.
    pub(crate) fn vault_to_add_to(&mut self, vault: &BackupVaultArn) -> Option<&mut Vault> {
        let account = self.accounts.get_mut(&vault.account_id()?)?;
        if account.partition != vault.partition() {
            return None;
        }
        account
            .regions
            .get_mut(vault.region())?
            .vaults
            .get_mut(vault.name())
    }

    /// One key.
    #[must_use]
    pub fn key(&self, key: &KeyArn) -> Option<&Key> {
        let account = self.accounts.get(&key.account_id()?)?;
        let region = account.regions.get(key.region())?;
        region
            .keys
            .get(key_id(key))
            .filter(|_| account.partition == key.partition())
    }

    /// The key that an alias stands for.
    #[must_use]
    pub fn key_of_alias(&self, alias: &KeyAliasArn) -> Option<KeyArn> {
        let account = self.accounts.get(&alias.account_id()?)?;
        let name = alias.name().strip_prefix("alias/")?;
        let keys = &account.regions.get(alias.region())?.keys;
        let (id, _) = keys
            .iter()
            .find(|(_, key)| key.alias.as_deref() == Some(name))?;
        let owner = alias.arn();
        format!(
            "arn:{}:kms:{}:{}:key/{id}",
            owner.partition(),
            owner.region(),
            owner.account()
        )
        .parse()
        .ok()
        .filter(|_| account.partition == owner.partition())
    }

    /// One key, to change it.
    pub fn key_mut(&mut self, key: &KeyArn) -> Option<&mut Key> {
        let account = self.accounts.get_mut(&key.account_id()?)?;
        if account.partition != key.partition() {
            return None;
        }
        account
            .regions
            .get_mut(key.region())?
            .keys
            .get_mut(key_id(key))
    }

    /// Puts a key into the world, or replaces it. `false` where its account isn't in the world.
    pub fn set_key(&mut self, arn: &KeyArn, key: Key) -> bool {
        let Some(account) = arn.account_id().and_then(|id| self.accounts.get_mut(&id)) else {
            return false;
        };
        let region = account.regions.entry(arn.region().to_owned()).or_default();
        region.keys.insert(key_id(arn).to_owned(), key);
        true
    }

    /// Takes a key out of the world.
    pub fn remove_key(&mut self, arn: &KeyArn) {
        let account = arn.account_id().and_then(|id| self.accounts.get_mut(&id));
        if let Some(region) = account.and_then(|account| account.regions.get_mut(arn.region())) {
            region.keys.remove(key_id(arn));
        }
    }

    /// Whether any vault uses this key as one that AWS owns.
    pub(crate) fn is_aws_owned(&self, key: &KeyArn) -> bool {
        self.accounts
            .values()
            .flat_map(|account| account.regions.values())
            .flat_map(|region| region.vaults.values())
            .any(|vault| {
                vault.has_aws_owned_key() && vault.encryption_key_arn.as_ref() == Some(key)
            })
    }

    /// Whether the policy simulator says, on a resource of another account, what the principal's
    /// own policies make of it.
    #[must_use]
    pub const fn simulator_tells_identity_side(&self) -> bool {
        self.simulator_tells_identity_side
    }

    /// Lets the policy simulator tell that side, or not: AWS doesn't document whether it does so
    /// without a resource policy.
    pub const fn set_simulator_tells_identity_side(&mut self, tells: bool) {
        self.simulator_tells_identity_side = tells;
    }

    /// As whom Copymend calls, if the world says.
    #[must_use]
    pub const fn copymend(&self) -> Option<&Copymend> {
        self.copymend.as_ref()
    }

    /// The name of the session that AWS Backup opens of a role: `AWSBackup-` and the role's name
    /// (seen in AWS's messages; not documented), unless the world says otherwise.
    pub(crate) fn session_name(&self, role: &str) -> String {
        self.session_name
            .clone()
            .unwrap_or_else(|| format!("AWSBackup-{role}"))
    }

    /// Whether an account existed once and doesn't any more.
    #[must_use]
    pub fn is_closed(&self, account: AccountId) -> bool {
        self.closed_accounts.contains(&account)
    }

    /// The tags of a vault, a key, or a recovery point of this account.
    pub(crate) fn tags_of(&self, resource: &str, owner: Option<AccountId>) -> Tags {
        let of_vault = || Some(self.vault(&resource.parse().ok()?)?.tags.clone());
        let of_key = || Some(self.key(&resource.parse().ok()?)?.tags.clone());
        let of_point = || {
            let point = self.recovery_point_of(owner?, resource)?;
            Some(point.tags.clone())
        };
        of_vault()
            .or_else(of_key)
            .or_else(of_point)
            .unwrap_or_default()
    }

    /// Every key with its ARN.
    #[must_use]
    pub fn keys(&self) -> Vec<(KeyArn, &Key)> {
        self.accounts
            .iter()
            .flat_map(|(id, account)| {
                account.regions.iter().flat_map(move |(region, resources)| {
                    resources.keys.iter().filter_map(move |(key_id, key)| {
                        let arn =
                            format!("arn:{}:kms:{region}:{id}:key/{key_id}", account.partition);
                        Some((arn.parse().ok()?, key))
                    })
                })
            })
            .collect()
    }

    /// One role, by its ARN: the path must fit too.
    #[must_use]
    pub fn role(&self, role: &RoleArn) -> Option<&Role> {
        let account = self.accounts.get(&role.account_id()?)?;
        account
            .roles
            .get(role.name())
            .filter(|found| found.path == role.path() && account.partition == role.partition())
    }

    /// One user, by the path and name of its ARN, such as `operations/alice`.
    #[must_use]
    pub fn user(&self, account: AccountId, path_and_name: &str) -> Option<&User> {
        self.account(account)?
            .users
            .iter()
            .find(|user| user.path_and_name() == path_and_name)
    }

    /// The ARN of `AWSServiceRoleForBackup`, whether it exists or not.
    #[must_use]
    pub fn service_linked_role_arn(&self, account: AccountId) -> String {
        let partition = self
            .account(account)
            .map_or("aws", |account| account.partition.as_str());
        format!(
            "arn:{partition}:iam::{account}:role/{SERVICE_LINKED_ROLE_PATH}/{SERVICE_LINKED_ROLE}"
        )
    }
}

fn key_id(key: &KeyArn) -> &str {
    key.arn()
        .resource()
        .strip_prefix("key/")
        .unwrap_or_default()
}

impl Organization {
    /// Whether an account is a member. The management account is.
    #[must_use]
    pub fn has_member(&self, account: AccountId) -> bool {
        self.management_account == account || self.member_accounts.contains_key(&account)
    }

    /// The account's path, such as `o-exampleorgid/r-ab12/ou-ab12-11111111/`.
    #[must_use]
    pub fn path_of(&self, account: AccountId) -> Option<String> {
        if let Some(path) = self.member_accounts.get(&account) {
            return Some(path.clone());
        }
        let root = self.member_accounts.values().next()?.split('/').nth(1)?;
        (self.management_account == account).then(|| format!("{}/{root}/", self.id))
    }

    /// Those of the policies that bind an account: attached to it, to one of its units, or to the
    /// root. Neither service nor resource control policies bind the management account (documented:
    /// Organizations `orgs_manage_policies_scps` and `orgs_manage_policies_rcps`).
    pub(crate) fn binding<'w>(
        &'w self,
        policies: &'w [OrganizationPolicy],
        account: AccountId,
    ) -> impl Iterator<Item = &'w PolicyText> {
        let path = self.path_of(account).unwrap_or_default();
        policies
            .iter()
            .filter(move |policy| {
                account != self.management_account
                    && policy.targets.iter().any(|target| {
                        target == account.as_str() || path.split('/').any(|part| part == target)
                    })
            })
            .map(|policy| &policy.policy)
    }
}

/// `EncryptionKeyType` of a key that AWS owns.
pub(crate) const AWS_OWNED_KEY: &str = "AWS_OWNED_KMS_KEY";
/// `EncryptionKeyType` of a key of the customer.
pub(crate) const CUSTOMER_MANAGED_KEY: &str = "CUSTOMER_MANAGED_KMS_KEY";

impl Vault {
    /// Whether AWS owns its key: by default in a logically air-gapped vault (documented: "Logically
    /// air-gapped vaults").
    #[must_use]
    pub fn has_aws_owned_key(&self) -> bool {
        match &self.encryption_key_type {
            Some(named) => named == AWS_OWNED_KEY,
            None => self.is_logically_air_gapped() && self.encryption_key_arn.is_none(),
        }
    }

    /// What `DescribeBackupVault` and the rows of `ListBackupVaults` tell.
    #[must_use]
    pub fn facts(&self, world: &World) -> BackupVault {
        let lock = self.lock.as_ref();
        BackupVault {
            encryption_key: self.encryption_key_arn.clone(),
            encryption_key_type: self.key_type(world),
            vault_type: Some(self.vault_type.clone()),
            locked: Some(lock.is_some() || self.is_logically_air_gapped()),
            min_retention_days: lock.and_then(|lock| lock.min_retention_days),
            max_retention_days: lock.and_then(|lock| lock.max_retention_days),
        }
    }

    /// `EncryptionKeyType`. For the default key `aws/backup` AWS names none (unverified).
    pub(crate) fn key_type(&self, world: &World) -> Option<String> {
        let is_customers = || {
            let key = self.encryption_key_arn.as_ref();
            key.and_then(|arn| world.key(arn))
                .is_some_and(|key| key.manager == KeyManager::Customer)
        };
        if self.has_aws_owned_key() {
            Some(AWS_OWNED_KEY.to_owned())
        } else {
            is_customers().then(|| CUSTOMER_MANAGED_KEY.to_owned())
        }
    }

    /// Whether the vault is logically air-gapped.
    #[must_use]
    pub fn is_logically_air_gapped(&self) -> bool {
        self.vault_type == "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
    }
}

impl Key {
    /// A customer managed key with this policy and state.
    #[must_use]
    pub fn customer_managed(policy: impl Into<String>, state: impl Into<String>) -> Self {
        Self {
            alias: None,
            manager: KeyManager::Customer,
            state: state.into(),
            policy: Some(PolicyText::new(policy)),
            other_policies: Vec::new(),
            tags: BTreeMap::new(),
        }
    }
}
