//! AWS Backup.

use std::marker::PhantomData;
use std::sync::Arc;

use aws_sdk_backup::Client;
use aws_sdk_backup::types::CopyJobState;
use aws_smithy_types::DateTime;
use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::{BackupVault, BackupVaultArn, CopyJob, RecoveryPoint, Tags};
use copymend_policy::Arn;
use copymend_remediation::ports::{Backup, BackupWrites, CallResult, Location, StartCopy};
use copymend_remediation::write::{ApprovedCopy, ApprovedVaultPolicy};
use jiff::Timestamp;

use crate::access::ReadWrite;
use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::member::{optional, text};
use crate::says::Says;
use crate::{config, copy_job, pages, service_job};

/// `ListCopyJobs` gives up to 1,000 jobs at once (AWS Backup API reference, `ListCopyJobs`,
/// documented).
const JOBS_OF_A_PAGE: i32 = 1_000;
/// A hundred thousand failed copies in one Region are more than one sweep can take up.
const MOST_PAGES_OF_JOBS: usize = 100;

/// AWS Backup states absence with this code only. It answers access denied for some vaults that
/// don't exist; that stays access denied.
const ABSENT: &str = "ResourceNotFoundException";

/// AWS Backup, called with the credentials of the account that owns what is read or written.
/// `Access` is [`ReadOnly`](crate::ReadOnly) or [`ReadWrite`].
#[derive(Debug)]
pub struct AwsBackup<Access> {
    clients: Clients<Client>,
    access: PhantomData<fn() -> Access>,
}

impl<Access> AwsBackup<Access> {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Client::new),
            access: PhantomData,
        }
    }

    async fn at(
        &self,
        operation: &'static str,
        location: &Location,
        resource: &str,
    ) -> CallResult<(Client, Call)> {
        let target = Target {
            account: location.account,
            partition: None,
            region: Some(&location.region),
        };
        self.clients
            .of(Call::new(operation, resource), target)
            .await
    }

    async fn owner(
        &self,
        operation: &'static str,
        vault: &BackupVaultArn,
    ) -> CallResult<(Client, Call)> {
        let call = Call::new(operation, vault.as_str());
        let target = Target::owner_of(&call, vault.arn())?;
        self.clients.of(call, target).await
    }

    async fn tags(client: Client, call: Call, resource: &str) -> CallResult<Tags> {
        let request = client.list_tags().resource_arn(resource);
        let tags = pages::all(
            &call,
            |from| request.clone().set_next_token(from).send(),
            |page| {
                let next = pages::token(page.next_token.as_deref());
                (page.tags.unwrap_or_default().into_iter().collect(), next)
            },
        )
        .await?;
        Ok(tags.into_iter().collect())
    }
}

impl AwsBackup<ReadWrite> {
    pub(crate) async fn put_policy(&self, vault: &BackupVaultArn, policy: &str) -> CallResult<()> {
        let (client, call) = self
            .owner("backup:PutBackupVaultAccessPolicy", vault)
            .await?;
        let request = client
            .put_backup_vault_access_policy()
            .backup_vault_name(vault.name())
            .policy(policy)
            .customize()
            .config_override(once());
        call.send(request.send()).await?;
        Ok(())
    }
}

fn once() -> aws_sdk_backup::config::Builder {
    aws_sdk_backup::config::Builder::new().retry_config(config::once())
}

impl<Access> Backup for AwsBackup<Access> {
    async fn describe_copy_job(
        &self,
        location: &Location,
        copy_job_id: &str,
    ) -> CallResult<Option<CopyJob>> {
        let (client, call) = self
            .at("backup:DescribeCopyJob", location, copy_job_id)
            .await?;
        let request = client.describe_copy_job().copy_job_id(copy_job_id);
        let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
            return Ok(None);
        };
        let job = answer
            .copy_job()
            .ok_or_else(|| call.unreadable("`CopyJob` is missing"))?;
        copy_job::read(job)
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    async fn list_failed_copy_jobs(
        &self,
        location: &Location,
        since: Timestamp,
    ) -> CallResult<Vec<String>> {
        let (client, call) = self
            .at("backup:ListCopyJobs", location, location.account.as_str())
            .await?;
        let request = client
            .list_copy_jobs()
            .by_state(CopyJobState::Failed)
            .max_results(JOBS_OF_A_PAGE)
            .by_complete_after(DateTime::from_millis(since.as_millisecond()));
        let jobs = pages::up_to(
            MOST_PAGES_OF_JOBS,
            &call,
            |from| request.clone().set_next_token(from).send(),
            |page| {
                let next = pages::token(page.next_token.as_deref());
                (page.copy_jobs.unwrap_or_default(), next)
            },
        )
        .await?;
        let mut failed: Vec<(i64, String)> = jobs
            .into_iter()
            .filter_map(|job| {
                let ended = job.completion_date.as_ref().map_or(0, DateTime::secs);
                // An answer that passes the time over must not lead to old jobs being taken up
                // again.
                (ended >= since.as_second())
                    .then(|| Some((ended, text(job.copy_job_id.as_deref())?)))
                    .flatten()
            })
            .collect();
        // The newest first: what failed long ago was most likely handled when its event came.
        failed.sort_by(|one, other| other.cmp(one));
        Ok(failed.into_iter().map(|(_, id)| id).collect())
    }

    async fn describe_recovery_point(
        &self,
        location: &Location,
        vault_name: &str,
        recovery_point: &Arn,
    ) -> CallResult<Option<RecoveryPoint>> {
        let (client, call) = self
            .at(
                "backup:DescribeRecoveryPoint",
                location,
                recovery_point.as_str(),
            )
            .await?;
        let says_encrypted = Says::new(b"\"IsEncrypted\"");
        let request = client
            .describe_recovery_point()
            .backup_vault_name(vault_name)
            .recovery_point_arn(recovery_point.as_str())
            .customize()
            .interceptor(says_encrypted.clone());
        let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
            return Ok(None);
        };
        Ok(Some(RecoveryPoint {
            encryption_key: optional("EncryptionKeyArn", answer.encryption_key_arn())
                .map_err(|detail| call.unreadable(detail))?,
            is_encrypted: says_encrypted.seen().then(|| answer.is_encrypted()),
            status: answer.status().map(|status| status.as_str().to_owned()),
        }))
    }

    async fn describe_backup_vault(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<BackupVault>> {
        let (client, call) = self.owner("backup:DescribeBackupVault", vault).await?;
        let request = client
            .describe_backup_vault()
            .backup_vault_name(vault.name());
        let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
            return Ok(None);
        };
        Ok(Some(BackupVault {
            encryption_key: optional("EncryptionKeyArn", answer.encryption_key_arn())
                .map_err(|detail| call.unreadable(detail))?,
            encryption_key_type: text(
                answer
                    .encryption_key_type()
                    .map(aws_sdk_backup::types::EncryptionKeyType::as_str),
            ),
            vault_type: text(
                answer
                    .vault_type()
                    .map(aws_sdk_backup::types::VaultType::as_str),
            ),
            locked: answer.locked(),
            min_retention_days: answer.min_retention_days(),
            max_retention_days: answer.max_retention_days(),
        }))
    }

    async fn get_backup_vault_access_policy(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<String>> {
        let (client, call) = self
            .owner("backup:GetBackupVaultAccessPolicy", vault)
            .await?;
        let request = client
            .get_backup_vault_access_policy()
            .backup_vault_name(vault.name());
        match call.find(&[ABSENT], request.send()).await? {
            None => Ok(None),
            // An answer without a policy states no absence: writing over it could wipe one.
            Some(answer) => text(answer.policy())
                .map(Some)
                .ok_or_else(|| call.unreadable("`Policy` is missing")),
        }
    }

    async fn list_vault_tags(&self, vault: &BackupVaultArn) -> CallResult<Tags> {
        let (client, call) = self.owner("backup:ListTags", vault).await?;
        Self::tags(client, call, vault.as_str()).await
    }

    async fn list_recovery_point_tags(
        &self,
        location: &Location,
        recovery_point: &Arn,
    ) -> CallResult<Tags> {
        let resource = recovery_point.as_str();
        let (client, call) = self.at("backup:ListTags", location, resource).await?;
        Self::tags(client, call, resource).await
    }

    async fn describe_backup_job(
        &self,
        location: &Location,
        backup_job_id: &str,
    ) -> CallResult<Option<ServiceJob>> {
        let (client, call) = self
            .at("backup:DescribeBackupJob", location, backup_job_id)
            .await?;
        let request = client.describe_backup_job().backup_job_id(backup_job_id);
        let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
            return Ok(None);
        };
        service_job::read_backup(&answer, location)
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    async fn describe_restore_job(
        &self,
        location: &Location,
        restore_job_id: &str,
    ) -> CallResult<Option<ServiceJob>> {
        let (client, call) = self
            .at("backup:DescribeRestoreJob", location, restore_job_id)
            .await?;
        let request = client.describe_restore_job().restore_job_id(restore_job_id);
        let Some(answer) = call.find(&[ABSENT], request.send()).await? else {
            return Ok(None);
        };
        service_job::read_restore(&answer, location)
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    async fn is_cross_account_backup_enabled(&self, location: &Location) -> CallResult<bool> {
        const SETTING: &str = "isCrossAccountBackupEnabled";
        let (client, call) = self
            .at(
                "backup:DescribeGlobalSettings",
                location,
                location.account.as_str(),
            )
            .await?;
        let answer = call.send(client.describe_global_settings().send()).await?;
        let setting = answer
            .global_settings()
            .and_then(|settings| settings.get(SETTING))
            .ok_or_else(|| call.unreadable(format!("`{SETTING}` is missing")))?;
        setting
            .parse()
            .map_err(|_| call.unreadable(format!("`{SETTING}` is `{setting}`")))
    }
}

impl BackupWrites for AwsBackup<ReadWrite> {
    async fn put_backup_vault_access_policy(&self, change: &ApprovedVaultPolicy) -> CallResult<()> {
        self.put_policy(change.resource(), change.policy()).await
    }

    async fn start_copy_job(&self, copy: &ApprovedCopy) -> CallResult<String> {
        self.start(copy.copy()).await
    }
}

impl AwsBackup<ReadWrite> {
    /// `StartCopyJob`.
    pub(crate) async fn start(&self, copy: &StartCopy) -> CallResult<String> {
        let (client, call) = self
            .at(
                "backup:StartCopyJob",
                &copy.location,
                copy.recovery_point.as_str(),
            )
            .await?;
        let request = client
            .start_copy_job()
            .recovery_point_arn(copy.recovery_point.as_str())
            .source_backup_vault_name(&copy.source_vault_name)
            .destination_backup_vault_arn(copy.destination_vault.as_str())
            .iam_role_arn(copy.role.as_str())
            .idempotency_token(&copy.idempotency_token)
            .set_lifecycle(copy.lifecycle.as_ref().map(copy_job::write_lifecycle));
        let answer = call.send(request.send()).await?;
        text(answer.copy_job_id()).ok_or_else(|| call.unreadable("`CopyJobId` is missing"))
    }
}
