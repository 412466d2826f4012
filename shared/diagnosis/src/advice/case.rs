//! The case that advice is given for: names to fill in, and the steps that several causes share.

use copymend_policy::{Arn, service_linked_role_arn};

use super::Advice;
use crate::event::CopyJobEvent;
use crate::fact::Fact;
use crate::facts::{Facts, KeyFacts, Organization, SourceKey};
use crate::features::is_fully_managed;
use crate::resource::{KeyArn, RoleArn};

/// One failed copy, with what is known of it.
pub(super) struct Case<'c> {
    event: &'c CopyJobEvent,
    facts: Option<&'c Facts>,
}

/// A step with a command, or a text to paste, on a line of its own.
pub(super) fn step(sentence: &str, command: &str) -> String {
    format!("{sentence}:\n{command}")
}

pub(super) fn advice<const N: usize>(
    who: String,
    steps: [String; N],
    page: &'static str,
) -> Advice {
    Advice {
        who,
        steps: steps.into(),
        page,
        console: None,
    }
}

/// Whether a text can stand in a shell command as it is.
fn is_plain(text: &str) -> bool {
    !text.starts_with('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=,@".contains(&b))
}

impl<'c> Case<'c> {
    pub(super) const fn new(event: &'c CopyJobEvent, facts: Option<&'c Facts>) -> Self {
        Self { event, facts }
    }

    pub(super) const fn is_verified(&self) -> bool {
        self.facts.is_some()
    }

    pub(super) const fn facts(&self) -> Option<&'c Facts> {
        self.facts
    }

    // Names. The source vault's ARN names the account and the Region that the job runs in.

    pub(super) fn source_account(&self) -> &'c str {
        self.event.source_vault.arn().account()
    }

    pub(super) fn source_region(&self) -> &'c str {
        self.event.source_vault.region()
    }

    pub(super) fn source_vault(&self) -> &'c str {
        self.event.source_vault.name()
    }

    pub(super) fn account(&self) -> &'c str {
        self.event.destination_vault.arn().account()
    }

    pub(super) fn region(&self) -> &'c str {
        self.event.destination_vault.region()
    }

    pub(super) fn vault(&self) -> &'c str {
        self.event.destination_vault.name()
    }

    pub(super) fn event(&self) -> &'c CopyJobEvent {
        self.event
    }

    pub(super) fn role(&self) -> &'c RoleArn {
        &self.event.role
    }

    pub(super) fn is_cross_account(&self) -> bool {
        self.source_account() != self.account()
    }

    pub(super) fn is_cross_region(&self) -> bool {
        self.source_region() != self.region()
    }

    /// The recovery point, if a command can carry it.
    pub(super) fn recovery_point(&self) -> Option<&'c Arn> {
        let arn = self.event.source_recovery_point.as_ref()?;
        is_plain(arn.as_str()).then_some(arn)
    }

    /// The resource, if a command can carry it.
    pub(super) fn resource(&self) -> Option<&'c Arn> {
        let arn = self.event.resource.as_ref()?;
        is_plain(arn.as_str()).then_some(arn)
    }

    pub(super) fn is_type(&self, name: &str) -> bool {
        let found = self.event.resource_type.as_deref();
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    }

    pub(super) fn is_fully_managed(&self) -> bool {
        let point = self.event.source_recovery_point.as_ref();
        point.is_some_and(is_fully_managed)
    }

    pub(super) fn key_facts(&self) -> Option<&'c KeyFacts> {
        match &self.facts?.source_key {
            SourceKey::Key(key) => Some(key.as_ref()),
            SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
        }
    }

    pub(super) fn key(&self) -> Option<&'c KeyArn> {
        self.key_facts().map(|facts| &facts.arn)
    }

    pub(super) fn source_organization(&self) -> Option<&'c Organization> {
        match &self.facts?.source_organization {
            Fact::Known(organization) => organization.as_ref(),
            Fact::Unknown(_) => None,
        }
    }

    /// `AWSServiceRoleForBackup` of the destination account.
    pub(super) fn service_linked_role(&self) -> Option<String> {
        let vault = &self.event.destination_vault;
        Some(service_linked_role_arn(
            vault.partition(),
            vault.account_id()?,
        ))
    }

    // Who must act.

    pub(super) fn vault_owner(&self) -> String {
        format!(
            "The owner of backup vault `{}`: account {}, Region {}",
            self.vault(),
            self.account(),
            self.region()
        )
    }

    pub(super) fn key_owner(&self) -> String {
        match self.key() {
            Some(key) => format!(
                "The owner of KMS key `{key}`: account {}, Region {}",
                key.arn().account(),
                key.region()
            ),
            None => format!(
                "The owner of the key that encrypts the backup: most likely account {}, Region {}",
                self.source_account(),
                self.source_region()
            ),
        }
    }

    pub(super) fn role_owner(&self) -> String {
        format!(
            "An IAM administrator of account {}, which owns the job role `{}`",
            self.role().arn().account(),
            self.role().name()
        )
    }

    pub(super) fn backup_owner(&self) -> String {
        format!(
            "The owner of the backups: account {}, Region {}",
            self.source_account(),
            self.source_region()
        )
    }

    pub(super) fn organization_owner(&self) -> String {
        let management = self
            .source_organization()
            .and_then(|organization| organization.management_account);
        match management {
            Some(account) => {
                format!("The administrator of the organization: management account {account}")
            }
            None => "The administrator of the organization: its management account".to_owned(),
        }
    }

    // Steps that several causes share.

    pub(super) fn check_the_job(&self) -> String {
        step(
            &format!(
                "AWS Backup did not confirm this event. Check first, in account {}, that the job exists and names this role and \
                 these vaults; if not, do nothing",
                self.source_account()
            ),
            &self.describe_job(),
        )
    }

    pub(super) fn describe_job(&self) -> String {
        format!(
            "aws backup describe-copy-job --copy-job-id {} --region {}",
            self.event.copy_job_id,
            self.source_region()
        )
    }

    /// `aws backup describe-recovery-point`, or the same in words where no ARN can be filled in.
    pub(super) fn look_at_recovery_point(&self, what_for: &str) -> String {
        let (vault, region) = (self.source_vault(), self.source_region());
        match self.recovery_point() {
            Some(point) => step(
                &format!("{what_for}, in account {}", self.source_account()),
                &format!(
                    "aws backup describe-recovery-point --backup-vault-name {vault} --recovery-point-arn {point} --region {region}"
                ),
            ),
            None => format!(
                "{what_for}: open vault `{vault}` in the AWS Backup console of account {}, Region {region}.",
                self.source_account()
            ),
        }
    }

    pub(super) fn start_again(&self) -> String {
        self.start_again_with("Start the copy again", "")
    }

    /// The command keeps the source's retention unless `options` name another (AWS Backup, "Backup and tag copy"
    /// [documented]).
    pub(super) fn start_again_with(&self, sentence: &str, options: &str) -> String {
        let (account, region) = (self.source_account(), self.source_region());
        match self.recovery_point() {
            Some(point) => step(
                &format!("{sentence}, in account {account}"),
                &format!(
                    "aws backup start-copy-job --region {region} --recovery-point-arn {point} --source-backup-vault-name {} \
                     --destination-backup-vault-arn {} --iam-role-arn {}{options}",
                    self.source_vault(),
                    self.event.destination_vault,
                    self.role()
                ),
            ),
            None => format!(
                "{sentence}: in the AWS Backup console of account {account}, Region {region}, open vault `{}`, choose the recovery \
                 point, then Actions, Copy.",
                self.source_vault()
            ),
        }
    }

    pub(super) fn save_vault_policy(&self) -> String {
        step(
            &format!("Save the access policy of vault `{}`", self.vault()),
            &format!(
                "aws backup get-backup-vault-access-policy --backup-vault-name {} --region {} --query Policy --output text > policy.json",
                self.vault(),
                self.region()
            ),
        )
    }

    pub(super) fn write_vault_policy(&self) -> String {
        step(
            "Write the policy back",
            &self.put_vault_policy(self.vault()),
        )
    }

    pub(super) fn put_vault_policy(&self, vault: &str) -> String {
        format!(
            "aws backup put-backup-vault-access-policy --backup-vault-name {vault} --region {} --policy file://policy.json",
            self.region()
        )
    }
}
