//! Vaults of a run, and what is in them (AWS Backup API reference, the operations named here,
//! documented). Both vaults have the run's name, each in its account.

use std::error::Error;

use aws_sdk_backup::types::BackupVaultListMember;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use copymend_diagnosis::{BackupVaultArn, KeyArn};
use copymend_policy::Arn;
use copymend_remediation::ports::{CallErrorKind, CallResult};

use super::{ProvingAccount, RunId, TAG};
use crate::error::{Answer, Call};
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

impl VaultContent {
    /// Whether AWS Backup has given up on keeping it, and on deleting it too: `DeleteRecoveryPoint`
    /// answers as if all were well where its caller lacks a permission, and the recovery point is
    /// `EXPIRED` from then on (AWS Backup API reference, `DeleteRecoveryPoint`, documented).
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.status.as_deref() == Some("EXPIRED")
    }
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
        let mut runs = Vec::new();
        for vault in self.vaults_here().await? {
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

    async fn vaults_here(&self) -> CallResult<Vec<BackupVaultListMember>> {
        let call = self.call("backup:ListBackupVaults", "*");
        pages::all(
            &call,
            |from| self.backup.list_backup_vaults().set_next_token(from).send(),
            |page| {
                let next = pages::token(page.next_token.as_deref());
                (page.backup_vault_list.unwrap_or_default(), next)
            },
        )
        .await
    }

    /// What AWS answers about the run's vault; `None` where it is gone.
    ///
    /// AWS Backup denies what is asked about a vault that isn't there, whatever the caller may do
    /// (seen: boto/boto3#2269, aws/aws-sdk-js#2625, ansible-collections/amazon.aws#1436). So where it
    /// denies, the list of all vaults tells: a vault that isn't among them is gone. Where that list is
    /// refused too, nobody knows, and the denial stands.
    async fn find_in_vault<T, E>(
        &self,
        run: &RunId,
        call: &Call,
        request: impl Future<Output = Answer<T, E>> + Send,
    ) -> CallResult<Option<T>>
    where
        T: Send,
        E: ProvideErrorMetadata + Error + Send + 'static,
    {
        match call.find(ABSENT, request).await {
            Err(denied) if denied.kind == CallErrorKind::AccessDenied => {
                let name = run.name();
                match self.vaults_here().await {
                    Ok(vaults)
                        if !vaults
                            .iter()
                            .any(|vault| vault.backup_vault_name() == Some(&name)) =>
                    {
                        Ok(None)
                    }
                    Ok(_) | Err(_) => Err(denied),
                }
            }
            other => other,
        }
    }

    /// What is in the run's vault; `None` where there is no such vault.
    pub async fn vault_content(&self, run: &RunId) -> CallResult<Option<Vec<VaultContent>>> {
        let call = self.call("backup:ListRecoveryPointsByBackupVault", run.name());
        let request = self
            .backup
            .list_recovery_points_by_backup_vault()
            .backup_vault_name(run.name());
        // A run's vault holds a handful: one page.
        let Some(answer) = self.find_in_vault(run, &call, request.send()).await? else {
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
        let answer = self.find_in_vault(run, &call, request.send()).await?;
        Ok(answer.is_some())
    }

    /// `DeleteBackupVault`; `false` where it is gone already.
    pub async fn delete_vault(&self, run: &RunId) -> CallResult<bool> {
        let call = self.call("backup:DeleteBackupVault", run.name());
        let request = self
            .backup
            .delete_backup_vault()
            .backup_vault_name(run.name());
        let answer = self.find_in_vault(run, &call, request.send()).await?;
        Ok(answer.is_some())
    }
}
