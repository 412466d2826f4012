//! Steps that several causes share.

use super::case::Case;
use super::text::word;
use crate::job::Lifecycle;

/// Texts to paste one after the other, the first of them with this sentence.
pub(crate) fn add_each<T: ToString>(sentence: &str, texts: &[T]) -> Vec<String> {
    let sentences = std::iter::once(sentence).chain(std::iter::repeat("Add this as well"));
    let steps = sentences.zip(texts);
    steps
        .map(|(sentence, text)| super::case::step(sentence, &text.to_string()))
        .collect()
}

/// A step from two formats with their arguments: `step!("sentence", …; "command", …)`.
macro_rules! step {
    ($sentence:literal $(, $of_sentence:expr)*; $command:literal $(, $of_command:expr)*) => {
        $crate::advice::step(
            &format!($sentence $(, $of_sentence)*),
            &format!($command $(, $of_command)*),
        )
    };
}

pub(crate) use step;

impl Case<'_> {
    /// The only step where source and destination lie in two partitions: nothing of one can be named
    /// in a policy of the other, and no backup is copied between them (AWS Backup, "Creating backup
    /// copies across AWS Regions": within a partition, inferred from the Regions it lists).
    pub(crate) fn other_partition(&self) -> Option<String> {
        let (from, to) = (self.partition(), self.event().destination_vault.partition());
        (from != to).then(|| {
            format!(
                "Vault `{}` is in partition {to}, and the backup in {from}: AWS Backup copies nothing from one partition to another, and no \
                 policy can name a role of the other. In the backup plan of account {}, name a vault in partition {from}.",
                self.vault(),
                self.source_account()
            )
        })
    }

    pub(crate) fn check_the_job(&self) -> String {
        step!("AWS Backup did not confirm this event. Check first, in account {}, that the job exists and names this role and \
             these vaults; if not, do nothing", self.source_account();
            "{}", self.describe_job())
    }

    pub(crate) fn describe_job(&self) -> String {
        format!(
            "aws backup describe-copy-job --copy-job-id {} --region {}",
            self.event().copy_job_id,
            self.source_region()
        )
    }

    /// `aws backup describe-recovery-point`, or the same in words where no ARN can be filled in.
    pub(crate) fn look_at_recovery_point(&self, what_for: &str) -> String {
        let (vault, region) = (self.source_vault(), self.source_region());
        match self.recovery_point() {
            Some(point) => step!("{what_for}, in account {}", self.source_account();
                "aws backup describe-recovery-point --backup-vault-name {vault} --recovery-point-arn {point} --region {region}"),
            None => format!(
                "{what_for}: open vault `{vault}` in the AWS Backup console of account {}, Region {region}.",
                self.source_account()
            ),
        }
    }

    pub(crate) fn start_again(&self) -> String {
        self.start_again_with("Start the copy again")
    }

    /// The same with another sentence.
    pub(crate) fn start_again_with(&self, sentence: &str) -> String {
        self.start(sentence, &self.role_word(), &self.lifecycle())
    }

    /// The same with a retention of this many days instead of the job's.
    pub(crate) fn start_again_for(&self, sentence: &str, days: Option<i64>) -> String {
        let lifecycle = match days {
            Some(days) => format!(" --lifecycle DeleteAfterDays={days}"),
            None => self.lifecycle(),
        };
        self.start(sentence, &self.role_word(), &lifecycle)
    }

    /// The job's lifecycle as an option, after a space. A copy without one keeps the source's
    /// retention (AWS Backup, "Backup and tag copy", documented).
    pub(crate) fn lifecycle(&self) -> String {
        let lifecycle = self.facts().and_then(|facts| facts.lifecycle.as_ref());
        lifecycle.map(Lifecycle::as_option).unwrap_or_default()
    }

    /// The same, by another role.
    pub(crate) fn start_again_as(&self, sentence: &str, role: &str) -> String {
        self.start(sentence, &word(role), &self.lifecycle())
    }

    fn start(&self, sentence: &str, role: &str, lifecycle: &str) -> String {
        let (account, region) = (self.source_account(), self.source_region());
        match self.recovery_point() {
            Some(point) => step!("{sentence}, in account {account}";
                "{}", self.start_copy(point.as_str(), role, lifecycle)),
            None => format!(
                "{sentence}: in the AWS Backup console of account {account}, Region {region}, open vault `{}`, choose the recovery \
                 point, then Actions, Copy.",
                self.source_vault()
            ),
        }
    }

    /// `aws backup start-copy-job` for a recovery point of the same vault. `point` must be plain,
    /// or a shell variable.
    pub(crate) fn start_from(&self, point: &str) -> String {
        self.start_copy(point, &self.role_word(), &self.lifecycle())
    }

    fn start_copy(&self, point: &str, role: &str, lifecycle: &str) -> String {
        format!(
            "aws backup start-copy-job --region {} --recovery-point-arn {point} --source-backup-vault-name {} \
             --destination-backup-vault-arn {} --iam-role-arn {role}{lifecycle}",
            self.source_region(),
            self.source_vault(),
            self.event().destination_vault,
        )
    }

    /// A backup made instead of the one that can't be copied. `for_good` says how to need no such
    /// backup any more.
    pub(crate) fn copy_that(&self, for_good: &str) -> String {
        step!("Copy that backup to vault `{}` in account {}, Region {}, with POINT set to its ARN. To end this for good, {for_good}",
            self.vault(), self.account(), self.region();
            "{}", self.start_from("$POINT"))
    }

    /// Once a policy was changed.
    pub(crate) fn start_again_once_it_counts(&self) -> String {
        let sentence = "Wait some minutes until the policy counts, then start the copy again";
        self.start_again_with(sentence)
    }

    /// `aws backup start-backup-job` into the source vault. `resource` must be plain, or a shell
    /// variable.
    pub(crate) fn back_up(&self, resource: &str) -> String {
        format!(
            "aws backup start-backup-job --region {} --backup-vault-name {} --resource-arn {resource} --iam-role-arn {}",
            self.source_region(),
            self.source_vault(),
            self.role_word()
        )
    }

    pub(crate) fn save_vault_policy(&self) -> String {
        step!("Save the access policy of vault `{}`", self.vault();
            "aws backup get-backup-vault-access-policy --backup-vault-name {} --region {} --query Policy --output text > \
             policy.json", self.vault(), self.region())
    }

    pub(crate) fn write_vault_policy(&self) -> String {
        super::case::step(
            "Write the policy back",
            &self.put_vault_policy(self.vault()),
        )
    }

    pub(crate) fn put_vault_policy(&self, vault: &str) -> String {
        format!(
            "aws backup put-backup-vault-access-policy --backup-vault-name {vault} --region {} --policy file://policy.json",
            self.region()
        )
    }
}
