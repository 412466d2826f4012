//! The repair: by the function's handler in this process, or by the deployed function.

use std::io::Write;
use std::time::Instant;

use copymend_diagnosis::{CopyJob, CopyJobState};
use copymend_policy::PolicyDocument;
use copymend_remediation::ports::{Backup, Reads};
use copymend_remediation::report::Report;
use copymend_report::{Style, json, terminal};

use super::console::{detail, say};
use super::end::{End, until};
use super::environment::ProvingEnvironment;
use super::pair::place;
use super::repair::{Function, settings};
use super::seen::Wait;
use super::state::Made;
use super::steps::{Ground, Steps};
use crate::output;

/// How often a copy is started again at most: once for the vault, once for the key, and as often
/// for a denial that AWS still remembers.
const MOST_ROUNDS: usize = 4;

impl Steps<'_> {
    /// Repairs from here; answers the function, and the changes that it made.
    pub(crate) async fn repair_here(
        &mut self,
        ground: &Ground,
        failed: CopyJob,
    ) -> Result<(Function, Vec<String>), End> {
        self.announce(
            "The repair, by the function's handler in this process; its lists admit this vault, key and role alone",
            "the reads of docs/roles.md; backup:PutBackupVaultAccessPolicy, StartCopyJob; kms:PutKeyPolicy; iam:PassRole",
        )?;
        let environment =
            ProvingEnvironment::new(self.pair.source.environment_with(&self.pair.destination));
        let settings = settings(&self.role, &ground.vault, ground.source_key.as_ref())?;
        let function = Function::new(environment, settings, self.run.as_str());
        let mut changes = Vec::new();
        let mut job = failed;
        for _ in 0..MOST_ROUNDS {
            let denied = Instant::now();
            detail(&format!(
                "AWS answers as before for about a minute after a denial: waiting {} seconds",
                self.pace.settle.as_secs()
            ))?;
            tokio::time::sleep(self.pace.settle).await;
            let report = function.handle(&job).await?;
            self.tell(&report)?;
            for change in report.changes.iter().filter(|change| change.applied) {
                changes.extend(change.id.clone());
                if change.resource == ground.vault.as_str() {
                    self.seen.vault_change_was_read_back = Some(true);
                } else {
                    self.seen.key_was_repaired = true;
                }
            }
            let Some(again) = &report.retried_job else {
                return Err(End::Failed(format!(
                    "the function did not start the copy again: {}",
                    report.outcome.slug()
                )));
            };
            self.state.add(Made::Copy, again)?;
            let after_denial = i64::try_from(denied.elapsed().as_secs()).unwrap_or(i64::MAX);
            let before = job.status_message.clone();
            job = self.end_of(again).await?;
            let worked = job.state == CopyJobState::Completed;
            self.seen.waits.push(Wait {
                after_denial,
                worked: worked || job.status_message != before,
            });
            if worked {
                self.seen.completed_after_repair = Some(true);
                detail(&format!("the copy {again} is COMPLETED"))?;
                return Ok((function, changes));
            }
            detail(&format!("the copy failed: \"{}\"", job.status_message))?;
        }
        self.seen.completed_after_repair = Some(false);
        Err(End::Failed(format!(
            "the copy still fails after {MOST_ROUNDS} tries"
        )))
    }

    /// The report as the terminal shows it, and as JSON in the record.
    fn tell(&mut self, report: &Report) -> Result<(), End> {
        self.notes
            .at(format!("the function: {}", report.outcome.slug()));
        self.notes
            .report(serde_json::from_str(&json(report)).unwrap_or_default());
        write!(output::terminal(), "{}", terminal(report, Style::Coloured))?;
        Ok(())
    }

    /// Waits for the deployed function.
    pub(crate) async fn repair_there(
        &mut self,
        ground: &Ground,
        failed: &CopyJob,
    ) -> Result<(), End> {
        self.announce(
            "The repair, by the deployed function: only waiting for it",
            "backup:GetBackupVaultAccessPolicy, ListCopyJobs, DescribeCopyJob",
        )?;
        detail("AWS Backup's events are delivered by best effort, about every 5 minutes")?;
        let vault = &ground.vault;
        let backup = self.aws.backup();
        until(
            self.pace,
            "the deployed function did not repair the vault's policy",
            async || {
                let policy = backup.get_backup_vault_access_policy(vault).await?;
                Ok(policy
                    .is_some_and(|policy| has_our_statement(&policy))
                    .then_some(()))
            },
        )
        .await?;
        self.notes
            .at("the vault's policy has a statement of the deployed function");
        detail("the vault's policy is repaired")?;
        let mut known = vec![failed.id.clone()];
        loop {
            let source = &self.pair.source;
            let again = until(
                self.pace,
                "the deployed function did not start the copy again",
                async || {
                    let copies = source.copies_into(vault).await?;
                    let mut copies = copies.into_iter().map(|(id, _)| id);
                    Ok(copies.find(|id| !known.contains(id)))
                },
            )
            .await?;
            self.state.add(Made::Copy, &again)?;
            let ended = self.end_of(&again).await?;
            if ended.state == CopyJobState::Completed {
                self.seen.completed_after_repair = Some(true);
                detail(&format!("the copy {again} is COMPLETED"))?;
                return Ok(());
            }
            detail(&format!("the copy failed: \"{}\"", ended.status_message))?;
            known.push(again);
            if known.len() > MOST_ROUNDS {
                self.seen.completed_after_repair = Some(false);
                return Err(End::Failed("the copy still fails".to_owned()));
            }
        }
    }

    /// Takes every change back, the last first.
    pub(crate) async fn take_back(
        &mut self,
        ground: &Ground,
        function: &Function,
        changes: &[String],
    ) -> Result<(), End> {
        self.announce(
            "The repair is taken back, as `copymend undo` does",
            "backup:GetBackupVaultAccessPolicy, PutBackupVaultAccessPolicy; kms:GetKeyPolicy, PutKeyPolicy",
        )?;
        for change in changes.iter().rev() {
            function.undo(change).await?;
            detail(&format!("change {change} is taken back"))?;
        }
        let backup = self.aws.backup();
        let policy = backup.get_backup_vault_access_policy(&ground.vault).await?;
        let is_as_before = policy.is_some_and(|policy| is_same(&policy, &ground.first_policy));
        if !is_as_before {
            return Err(End::Failed(
                "the vault's policy is not what it was before the repair".to_owned(),
            ));
        }
        detail("the vault's policy is what it was before")?;
        Ok(())
    }

    /// What the deployed function must admit.
    pub(crate) fn say_what_must_be_deployed(&self) -> Result<(), End> {
        let destination = &self.pair.destination;
        say(&format!(
            "The deployed function in {} or its hub must be in repair mode and admit this, for as long as the run takes:",
            place(&self.pair.source)
        ))?;
        detail("AllowOnDemand=true")?;
        detail(&format!("AllowedSources: {}", self.role))?;
        detail(&format!(
            "AllowedDestinations: arn:{}:backup:{}:{}:backup-vault:copymend-prove-*",
            destination.partition(),
            destination.region(),
            destination.account()
        ))?;
        if self.arguments.with_key {
            detail(&format!(
                "AllowedKeys: arn:{}:kms:{}:{}:key/*",
                self.pair.source.partition(),
                self.pair.source.region(),
                self.pair.source.account()
            ))?;
        }
        Ok(())
    }
}

/// Whether a policy has a statement of Copymend's.
fn has_our_statement(policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(policy) else {
        return false;
    };
    let statements = policy.get("Statement").and_then(|found| found.as_array());
    statements.into_iter().flatten().any(|statement| {
        let sid = statement.get("Sid").and_then(|sid| sid.as_str());
        sid.is_some_and(|sid| sid.starts_with("CopymendCopyInto"))
    })
}

/// Whether two texts are the same policy.
fn is_same(one: &str, other: &str) -> bool {
    let parsed = (PolicyDocument::parse(one), PolicyDocument::parse(other));
    matches!(parsed, (Ok(one), Ok(other)) if one == other)
}
