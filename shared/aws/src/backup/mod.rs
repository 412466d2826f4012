//! AWS Backup.

pub(crate) mod answers;
pub(crate) mod copy_job;
pub(crate) mod request;
mod service_job;

use std::marker::PhantomData;
use std::sync::Arc;

use aws_config::SdkConfig;
use copymend_diagnosis::advisor::ServiceJob;
use copymend_diagnosis::{BackupVault, BackupVaultArn, CopyJob, RecoveryPoint, Tags};
use copymend_policy::Arn;
use copymend_remediation::ports::{Backup, BackupWrites, CallResult, Location, StartCopy};
use copymend_remediation::write::{ApprovedCopy, ApprovedVaultPolicy};
use jiff::Timestamp;
use serde_json::json;

use crate::access::ReadWrite;
use crate::accounts::{Accounts, Clients, Target};
use crate::error::Call;
use crate::member::{optional, text};
use crate::signed::json;
use crate::{config, pages};
use answers::moment;
use request::{Path, get, put};

/// `ListCopyJobs` gives up to 1,000 jobs at once (AWS Backup API reference, `ListCopyJobs`,
/// documented).
const JOBS_OF_A_PAGE: &str = "1000";
/// A hundred thousand failed copies in one Region are more than one sweep can take up.
const MOST_PAGES_OF_JOBS: usize = 100;

/// AWS Backup states absence with this code only. It answers access denied for some vaults that
/// don't exist; that stays access denied.
const ABSENT: &str = "ResourceNotFoundException";

/// AWS Backup, called with the credentials of the account that owns what is read or written.
/// `Access` is [`ReadOnly`](crate::ReadOnly) or [`ReadWrite`].
#[derive(Debug)]
pub struct AwsBackup<Access> {
    clients: Clients<SdkConfig>,
    access: PhantomData<fn() -> Access>,
}

impl<Access> AwsBackup<Access> {
    pub(crate) fn new(accounts: Arc<Accounts>) -> Self {
        Self {
            clients: Clients::new(accounts, Clone::clone),
            access: PhantomData,
        }
    }

    async fn at(
        &self,
        operation: &'static str,
        location: &Location,
        resource: &str,
    ) -> CallResult<(SdkConfig, Call)> {
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
    ) -> CallResult<(SdkConfig, Call)> {
        let call = Call::new(operation, vault.as_str());
        let target = Target::owner_of(&call, vault.arn())?;
        self.clients.of(call, target).await
    }

    async fn tags(config: SdkConfig, call: Call, resource: &str) -> CallResult<Tags> {
        let tags = pages::of(
            &call,
            |from| {
                let path = Path::of(&["tags", resource]).with("nextToken", from);
                get(&config, "ListTags", path)
            },
            |page: &str| {
                let page: answers::ListTags = json::read(&call, page)?;
                let next = pages::token(page.next_token.as_deref());
                Ok((page.tags.unwrap_or_default().into_iter().collect(), next))
            },
        )
        .await?;
        Ok(tags.into_iter().collect())
    }
}

impl AwsBackup<ReadWrite> {
    pub(crate) async fn put_policy(&self, vault: &BackupVaultArn, policy: &str) -> CallResult<()> {
        let (config, call) = self
            .owner("backup:PutBackupVaultAccessPolicy", vault)
            .await?;
        let path = Path::of(&["backup-vaults", vault.name(), "access-policy"]);
        let body = json!({ "Policy": policy });
        let config = config::sent_once(&config);
        let request = put(&config, "PutBackupVaultAccessPolicy", path, &body);
        call.send(request).await?;
        Ok(())
    }
}

impl<Access> Backup for AwsBackup<Access> {
    async fn describe_copy_job(
        &self,
        location: &Location,
        copy_job_id: &str,
    ) -> CallResult<Option<CopyJob>> {
        let (config, call) = self
            .at("backup:DescribeCopyJob", location, copy_job_id)
            .await?;
        let path = Path::of(&["copy-jobs", copy_job_id]);
        let request = get(&config, "DescribeCopyJob", path);
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: answers::DescribeCopyJob = json::read(&call, &answer)?;
        let job = answer
            .copy_job
            .ok_or_else(|| call.unreadable("`CopyJob` is missing"))?;
        copy_job::read(&job)
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    async fn list_failed_copy_jobs(
        &self,
        location: &Location,
        since: Timestamp,
    ) -> CallResult<Vec<String>> {
        let (config, call) = self
            .at("backup:ListCopyJobs", location, location.account.as_str())
            .await?;
        // To the millisecond, as AWS takes times.
        let since_then = Timestamp::from_millisecond(since.as_millisecond()).unwrap_or(since);
        let path = Path::of(&["copy-jobs"])
            .with("maxResults", Some(JOBS_OF_A_PAGE))
            .with("state", Some("FAILED"))
            .with("completeAfter", Some(&since_then.to_string()));
        let jobs = pages::up_to(
            MOST_PAGES_OF_JOBS,
            &call,
            |from| {
                get(
                    &config,
                    "ListCopyJobs",
                    path.clone().with("nextToken", from),
                )
            },
            |page: &str| {
                let page: answers::ListCopyJobs = json::read(&call, page)?;
                let next = pages::token(page.next_token.as_deref());
                Ok((page.copy_jobs.unwrap_or_default(), next))
            },
        )
        .await?;
        let mut failed: Vec<(i64, String)> = jobs
            .into_iter()
            .filter_map(|job| {
                let ended = moment(job.completion_date).map_or(0, Timestamp::as_second);
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
        let (config, call) = self
            .at(
                "backup:DescribeRecoveryPoint",
                location,
                recovery_point.as_str(),
            )
            .await?;
        let point = recovery_point.as_str();
        let path = Path::of(&["backup-vaults", vault_name, "recovery-points", point]);
        let request = get(&config, "DescribeRecoveryPoint", path);
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: answers::DescribeRecoveryPoint = json::read(&call, &answer)?;
        Ok(Some(RecoveryPoint {
            encryption_key: optional("EncryptionKeyArn", answer.encryption_key_arn.as_deref())
                .map_err(|detail| call.unreadable(detail))?,
            is_encrypted: answer.is_encrypted,
            status: answer.status,
        }))
    }

    async fn describe_backup_vault(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<BackupVault>> {
        let (config, call) = self.owner("backup:DescribeBackupVault", vault).await?;
        let path = Path::of(&["backup-vaults", vault.name()]);
        let request = get(&config, "DescribeBackupVault", path);
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: answers::BackupVault = json::read(&call, &answer)?;
        Ok(Some(BackupVault {
            encryption_key: optional("EncryptionKeyArn", answer.encryption_key_arn.as_deref())
                .map_err(|detail| call.unreadable(detail))?,
            encryption_key_type: text(answer.encryption_key_type.as_deref()),
            vault_type: text(answer.vault_type.as_deref()),
            locked: answer.locked,
            min_retention_days: answer.min_retention_days,
            max_retention_days: answer.max_retention_days,
        }))
    }

    async fn get_backup_vault_access_policy(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<String>> {
        let (config, call) = self
            .owner("backup:GetBackupVaultAccessPolicy", vault)
            .await?;
        let path = Path::of(&["backup-vaults", vault.name(), "access-policy"]);
        let request = get(&config, "GetBackupVaultAccessPolicy", path);
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: answers::GetBackupVaultAccessPolicy = json::read(&call, &answer)?;
        // An answer without a policy states no absence: writing over it could wipe one.
        text(answer.policy.as_deref())
            .map(Some)
            .ok_or_else(|| call.unreadable("`Policy` is missing"))
    }

    async fn list_vault_tags(&self, vault: &BackupVaultArn) -> CallResult<Tags> {
        let (config, call) = self.owner("backup:ListTags", vault).await?;
        Self::tags(config, call, vault.as_str()).await
    }

    async fn list_recovery_point_tags(
        &self,
        location: &Location,
        recovery_point: &Arn,
    ) -> CallResult<Tags> {
        let resource = recovery_point.as_str();
        let (config, call) = self.at("backup:ListTags", location, resource).await?;
        Self::tags(config, call, resource).await
    }

    async fn describe_backup_job(
        &self,
        location: &Location,
        backup_job_id: &str,
    ) -> CallResult<Option<ServiceJob>> {
        let (config, call) = self
            .at("backup:DescribeBackupJob", location, backup_job_id)
            .await?;
        let request = get(
            &config,
            "DescribeBackupJob",
            Path::of(&["backup-jobs", backup_job_id]),
        );
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: answers::BackupJob = json::read(&call, &answer)?;
        service_job::read_backup(&answer, location)
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    async fn describe_restore_job(
        &self,
        location: &Location,
        restore_job_id: &str,
    ) -> CallResult<Option<ServiceJob>> {
        let (config, call) = self
            .at("backup:DescribeRestoreJob", location, restore_job_id)
            .await?;
        let request = get(
            &config,
            "DescribeRestoreJob",
            Path::of(&["restore-jobs", restore_job_id]),
        );
        let Some(answer) = call.find(&[ABSENT], request).await? else {
            return Ok(None);
        };
        let answer: answers::RestoreJob = json::read(&call, &answer)?;
        service_job::read_restore(&answer, location)
            .map(Some)
            .map_err(|detail| call.unreadable(detail))
    }

    async fn is_cross_account_backup_enabled(&self, location: &Location) -> CallResult<bool> {
        const SETTING: &str = "isCrossAccountBackupEnabled";
        let (config, call) = self
            .at(
                "backup:DescribeGlobalSettings",
                location,
                location.account.as_str(),
            )
            .await?;
        let path = Path::of(&["global-settings"]);
        let answer = call.send(get(&config, "DescribeGlobalSettings", path));
        let answer: answers::DescribeGlobalSettings = json::read(&call, &answer.await?)?;
        let setting = answer
            .global_settings
            .as_ref()
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
        let (config, call) = self
            .at(
                "backup:StartCopyJob",
                &copy.location,
                copy.recovery_point.as_str(),
            )
            .await?;
        let mut body = json!({
            "RecoveryPointArn": copy.recovery_point.as_str(),
            "SourceBackupVaultName": copy.source_vault_name,
            "DestinationBackupVaultArn": copy.destination_vault.as_str(),
            "IamRoleArn": copy.role.as_str(),
            "IdempotencyToken": copy.idempotency_token,
        });
        if let (Some(lifecycle), Some(body)) = (&copy.lifecycle, body.as_object_mut()) {
            let lifecycle = copy_job::write_lifecycle(lifecycle);
            body.insert("Lifecycle".to_owned(), lifecycle);
        }
        let request = put(&config, "StartCopyJob", Path::of(&["copy-jobs"]), &body);
        let answer = call.send(request).await?;
        let answer: answers::StartCopyJob = json::read(&call, &answer)?;
        text(answer.copy_job_id.as_deref()).ok_or_else(|| call.unreadable("`CopyJobId` is missing"))
    }
}
