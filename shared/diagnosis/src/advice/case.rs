//! The case that advice is given for: names to fill in, and who must act.

use copymend_policy::{AccountId, Arn, ViaService, service_linked_role_arn};

use super::text::is_plain;
use crate::event::CopyJobEvent;
use crate::facts::{BackupVault, Facts, Key, KeyFacts, KeyManager, Organization, Role, SourceKey};
use crate::features::{Obstacle, PlannedCopy, is_fully_managed, obstacle, via_service};
use crate::resource::{KeyArn, RoleArn};

/// One failed copy, with what is known of it.
pub(crate) struct Case<'c> {
    event: &'c CopyJobEvent,
    facts: Option<&'c Facts>,
}

/// A step with a command, or a text to paste, on a line of its own.
pub(crate) fn step(sentence: &str, command: &str) -> String {
    format!("{sentence}:\n{command}")
}

/// Who must act on a key.
pub(crate) fn owner_of_key(key: &KeyArn) -> String {
    let account = key.arn().account();
    format!(
        "The owner of KMS key `{key}`: account {account}, Region {}",
        key.region()
    )
}

impl<'c> Case<'c> {
    pub(crate) const fn new(event: &'c CopyJobEvent, facts: Option<&'c Facts>) -> Self {
        Self { event, facts }
    }

    pub(crate) const fn is_verified(&self) -> bool {
        self.facts.is_some()
    }

    pub(crate) const fn facts(&self) -> Option<&'c Facts> {
        self.facts
    }

    // Names. The source vault's ARN names the account and the Region that the job runs in.

    pub(crate) fn source_account(&self) -> &'c str {
        self.event.source_vault.arn().account()
    }

    pub(crate) fn source_region(&self) -> &'c str {
        self.event.source_vault.region()
    }

    pub(crate) fn source_vault(&self) -> &'c str {
        self.event.source_vault.name()
    }

    pub(crate) fn account(&self) -> &'c str {
        self.event.destination_vault.arn().account()
    }

    pub(crate) fn region(&self) -> &'c str {
        self.event.destination_vault.region()
    }

    pub(crate) fn vault(&self) -> &'c str {
        self.event.destination_vault.name()
    }

    pub(crate) fn partition(&self) -> &'c str {
        self.event.source_vault.partition()
    }

    pub(crate) fn event(&self) -> &'c CopyJobEvent {
        self.event
    }

    pub(crate) fn role(&self) -> &'c RoleArn {
        &self.event.role
    }

    /// The job role's ARN as one word of a command.
    pub(crate) fn role_word(&self) -> String {
        super::text::word(self.event.role.as_str())
    }

    /// The job role's ARN in a sentence, in backticks.
    pub(crate) fn role_shown(&self) -> String {
        super::text::shown(self.event.role.as_str())
    }

    pub(crate) fn is_cross_account(&self) -> bool {
        self.source_account() != self.account()
    }

    pub(crate) fn is_cross_region(&self) -> bool {
        self.source_region() != self.region()
    }

    /// The recovery point, if a command can carry it.
    pub(crate) fn recovery_point(&self) -> Option<&'c Arn> {
        let arn = self.event.source_recovery_point.as_ref()?;
        is_plain(arn.as_str()).then_some(arn)
    }

    /// The resource, if a command can carry it.
    pub(crate) fn resource(&self) -> Option<&'c Arn> {
        let arn = self.event.resource.as_ref()?;
        is_plain(arn.as_str()).then_some(arn)
    }

    pub(crate) fn is_type(&self, name: &str) -> bool {
        let found = self.event.resource_type.as_deref();
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    }

    pub(crate) fn is_fully_managed(&self) -> bool {
        let point = self.event.source_recovery_point.as_ref();
        point.is_some_and(is_fully_managed)
    }

    /// The service through which the destination account uses the key of such a backup.
    pub(crate) fn via_service(&self) -> Option<ViaService> {
        self.event
            .source_recovery_point
            .as_ref()
            .and_then(via_service)
    }

    pub(crate) fn key_facts(&self) -> Option<&'c KeyFacts> {
        match &self.facts?.source_key {
            SourceKey::Key(key) => Some(key.as_ref()),
            SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
        }
    }

    pub(crate) fn key(&self) -> Option<&'c KeyArn> {
        self.key_facts().map(|facts| &facts.arn)
    }

    /// The job role as IAM answers it. Its ARN may differ from the job's in its path.
    pub(crate) fn job_role(&self) -> Option<&'c Role> {
        self.facts()?.job_role.known()?.as_ref()
    }

    /// The ARN of the job role's permissions boundary, if a command can carry it.
    pub(crate) fn boundary(&self) -> Option<&'c str> {
        let boundary = self.job_role()?.permissions_boundary.as_deref()?;
        is_plain(boundary).then_some(boundary)
    }

    pub(crate) fn destination_vault(&self) -> Option<&'c BackupVault> {
        self.facts()?.destination_vault.known()?.as_ref()
    }

    /// The destination vault's customer managed key, where it can't be used.
    pub(crate) fn unusable_vault_key(&self) -> Option<&'c Key> {
        let key = self.facts()?.vault_key.described()?;
        (key.manager == KeyManager::Customer && !key.is_enabled()).then_some(key)
    }

    /// The copy, as AWS Backup's feature table looks at it.
    pub(crate) fn planned_copy(&self) -> Option<PlannedCopy<'c>> {
        Some(PlannedCopy {
            resource_type: self.event.resource_type.as_deref()?,
            recovery_point: self.event.source_recovery_point.as_ref()?,
            resource: self.event.resource.as_ref(),
            source_vault: &self.event.source_vault,
            destination_vault: &self.event.destination_vault,
            logically_air_gapped: self
                .destination_vault()
                .is_some_and(BackupVault::is_logically_air_gapped),
        })
    }

    /// Why AWS Backup's feature table excludes the copy, if it does.
    pub(crate) fn obstacle(&self) -> Option<Obstacle> {
        obstacle(&self.planned_copy()?)
    }

    /// The same, if the vault were a standard one.
    pub(crate) fn obstacle_without_vault_type(&self) -> Option<Obstacle> {
        obstacle(&PlannedCopy {
            logically_air_gapped: false,
            ..self.planned_copy()?
        })
    }

    /// The id of the EBS snapshot that is copied.
    pub(crate) fn snapshot(&self) -> Option<&'c str> {
        self.recovery_point()
            .filter(|point| point.service() == "ec2")
            .and_then(|point| point.resource().strip_prefix("snapshot/"))
    }

    pub(crate) fn source_organization(&self) -> Option<&'c Organization> {
        self.facts?.source_organization.known()?.as_ref()
    }

    /// The destination's organization. None where it isn't known, or there is none.
    pub(crate) fn destination_organization(&self) -> Option<&'c Organization> {
        self.facts?.destination_organization.known()?.as_ref()
    }

    /// `AWSServiceRoleForBackup` of the destination account.
    pub(crate) fn service_linked_role(&self) -> Option<String> {
        let vault = &self.event.destination_vault;
        Some(service_linked_role_arn(
            vault.partition(),
            vault.account_id()?,
        ))
    }

    // Who must act.

    pub(crate) fn vault_owner(&self) -> String {
        format!(
            "The owner of backup vault `{}`: account {}, Region {}",
            self.vault(),
            self.account(),
            self.region()
        )
    }

    pub(crate) fn key_owner(&self) -> String {
        match self.key() {
            Some(key) => owner_of_key(key),
            None => format!(
                "The owner of the key that encrypts the backup: most likely account {}, Region {}",
                self.source_account(),
                self.source_region()
            ),
        }
    }

    pub(crate) fn role_owner(&self) -> String {
        format!(
            "An IAM administrator of account {}, which owns the job role `{}`",
            self.role().arn().account(),
            self.role().name()
        )
    }

    pub(crate) fn backup_owner(&self) -> String {
        format!(
            "The owner of the backups: account {}, Region {}",
            self.source_account(),
            self.source_region()
        )
    }

    fn management_account(&self) -> Option<AccountId> {
        let facts = self.facts?;
        [&facts.source_organization, &facts.destination_organization]
            .into_iter()
            .filter_map(|organization| organization.known()?.as_ref())
            .find_map(|organization| organization.management_account)
    }

    /// `in management account 999988887777`, or the same without its id.
    pub(crate) fn in_management_account(&self) -> String {
        match self.management_account() {
            Some(account) => format!("in management account {account}"),
            None => "in the organization's management account".to_owned(),
        }
    }

    pub(crate) fn organization_owner(&self) -> String {
        match self.management_account() {
            Some(account) => {
                format!("The administrator of the organization: management account {account}")
            }
            None => "The administrator of the organization: its management account".to_owned(),
        }
    }
}
