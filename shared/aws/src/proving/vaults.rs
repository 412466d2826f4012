//! Vaults of a run, and what is in them (AWS Backup API reference, the operations named here,
//! documented). Both vaults have the run's name, each in its account.

use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::Arn;
use copymend_remediation::ports::{CallErrorKind, CallResult};

use super::{ProvingAccount, RunId, TAG};
use crate::pages;

const ABSENT: &[&str] = &["ResourceNotFoundException"];

/// A recovery point of a run's vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultContent {
    /// Its ARN.
    pub recovery_point: Arn,
    /// AWS's word for its state.
    pub status: Option<String>,
}

impl ProvingAccount {
    /// The ARN of the run's vault here.
    pub fn vault(&self, run: &RunId) -> CallResult<BackupVaultArn> {
        let text = format!(
            "arn:{}:backup:{}:{}:backup-vault:{}",
            self.partition(),
            self.region(),
            self.account(),
            run.name()
        );
        let call = self.call("backup:DescribeBackupVault", text.as_str());
        text.parse()
            .map_err(|error| call.error(CallErrorKind::Failed, format!("{error}")))
    }

    /// `CreateBackupVault`; without a key AWS Backup takes its default key. A vault of that name is
    /// there already where an earlier try got no answer: it is the run's own.
    pub async fn create_vault(&self, run: &RunId, key: Option<&KeyArn>) -> CallResult<()> {
        let call = self.call("backup:CreateBackupVault", run.name());
        let request = self
            .backup
            .create_backup_vault()
            .backup_vault_name(run.name())
            .backup_vault_tags(TAG, run.as_str())
            .creator_request_id(run.as_str())
            .set_encryption_key_arn(key.map(|key| key.as_str().to_owned()));
        call.find(&["AlreadyExistsException"], request.send())
            .await?;
        Ok(())
    }

    /// `PutBackupVaultAccessPolicy` of the run's vault.
    pub async fn put_vault_policy(&self, run: &RunId, policy: &str) -> CallResult<()> {
        let call = self.call("backup:PutBackupVaultAccessPolicy", run.name());
        let request = self
            .backup
            .put_backup_vault_access_policy()
            .backup_vault_name(run.name())
            .policy(policy);
        call.send(request.send()).await?;
        Ok(())
    }

    /// The runs whose vaults are here: those of the name and with the tag of a run.
    pub async fn runs_with_vaults(&self) -> CallResult<Vec<RunId>> {
        let call = self.call("backup:ListBackupVaults", "*");
        let vaults = pages::all(
            &call,
            |from| self.backup.list_backup_vaults().set_next_token(from).send(),
            |page| {
                let next = pages::token(page.next_token.as_deref());
                (page.backup_vault_list.unwrap_or_default(), next)
            },
        )
        .await?;
        let mut runs = Vec::new();
        for vault in vaults {
            let Some(run) = vault.backup_vault_name().and_then(RunId::of_name) else {
                continue;
            };
            let arn = self.vault(&run)?;
            let call = self.call("backup:ListTags", arn.as_str());
            let request = self.backup.list_tags().resource_arn(arn.as_str());
            let tags = call.send(request.send()).await?.tags.unwrap_or_default();
            if tags.get(TAG).is_some_and(|value| value == run.as_str()) {
                runs.push(run);
            }
        }
        Ok(runs)
    }

    /// What is in the run's vault; `None` where there is no such vault.
    pub async fn vault_content(&self, run: &RunId) -> CallResult<Option<Vec<VaultContent>>> {
        let call = self.call("backup:ListRecoveryPointsByBackupVault", run.name());
        let request = self
            .backup
            .list_recovery_points_by_backup_vault()
            .backup_vault_name(run.name());
        // A run's vault holds a handful: one page.
        let Some(answer) = call.find(ABSENT, request.send()).await? else {
            return Ok(None);
        };
        let points = answer.recovery_points().iter().map(|point| {
            let recovery_point = point
                .recovery_point_arn()
                .ok_or_else(|| call.unreadable("`RecoveryPointArn` is missing"))?
                .parse()
                .map_err(|error| call.unreadable(format!("`RecoveryPointArn`: {error}")))?;
            Ok(VaultContent {
                recovery_point,
                status: point.status().map(|status| status.as_str().to_owned()),
            })
        });
        points.collect::<CallResult<_>>().map(Some)
    }

    /// `DeleteRecoveryPoint`; `false` where it is gone already.
    pub async fn delete_recovery_point(&self, run: &RunId, point: &Arn) -> CallResult<bool> {
        let call = self.call("backup:DeleteRecoveryPoint", point.as_str());
        let request = self
            .backup
            .delete_recovery_point()
            .backup_vault_name(run.name())
            .recovery_point_arn(point.as_str());
        Ok(call.find(ABSENT, request.send()).await?.is_some())
    }

    /// `DeleteBackupVault`; `false` where it is gone already.
    pub async fn delete_vault(&self, run: &RunId) -> CallResult<bool> {
        let call = self.call("backup:DeleteBackupVault", run.name());
        let request = self
            .backup
            .delete_backup_vault()
            .backup_vault_name(run.name());
        Ok(call.find(ABSENT, request.send()).await?.is_some())
    }
}
