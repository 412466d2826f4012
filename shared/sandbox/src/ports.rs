//! The ports that read and write the world.

use copymend_diagnosis::{
    BackupVault, BackupVaultArn, CopyJob, Key, KeyArn, Organization, RecoveryPoint, Role, Tags,
};
use copymend_policy::{AccountId, Arn};
use copymend_remediation::ports::{
    Backup, CallError, CallErrorKind, CallResult, Clock, Keys, Location, Organizations, Roles,
    StartCopy,
};
use copymend_remediation::write::{ApprovedKeyPolicy, ApprovedVaultPolicy};

use crate::calls::Write;
use crate::copies::NewCopy;
use crate::managed;
use crate::sandbox::Sandbox;
use crate::world::{SERVICE_LINKED_ROLE, World};
use crate::writes::WriteError;

/// A call on its way: what it does to which resource.
struct Calling<'a> {
    sandbox: &'a Sandbox,
    operation: &'static str,
    resource: String,
}

impl Calling<'_> {
    fn error(&self, kind: CallErrorKind, detail: impl Into<String>) -> CallError {
        CallError {
            operation: self.operation,
            resource: self.resource.clone(),
            kind,
            detail: detail.into(),
        }
    }

    /// Reads the world, in an account that must exist: a role in any other can't be assumed.
    fn in_account<T>(
        &self,
        account: Option<AccountId>,
        read: impl FnOnce(&mut World) -> T,
    ) -> CallResult<T> {
        self.sandbox.calls.begin(self.operation, &self.resource)?;
        self.sandbox.run_hook(self.operation);
        let mut world = self.sandbox.world();
        if account.is_none_or(|id| world.account(id).is_none()) {
            let detail = "AccessDenied: not authorized to perform sts:AssumeRole in this account";
            return Err(self.error(CallErrorKind::AccessDenied, detail));
        }
        Ok(read(&mut world))
    }

    fn written(&self, result: Result<Option<String>, WriteError>, after: &str) -> CallResult<()> {
        let before = result.map_err(|error| {
            let kind = if error.code == "AccessDeniedException" {
                CallErrorKind::AccessDenied
            } else {
                CallErrorKind::Rejected
            };
            self.error(kind, error.to_string())
        })?;
        self.sandbox.calls.record(Write {
            operation: self.operation,
            resource: self.resource.clone(),
            before,
            after: after.to_owned(),
        });
        Ok(())
    }
}

impl Sandbox {
    fn calling(&self, operation: &'static str, resource: &impl ToString) -> Calling<'_> {
        Calling {
            sandbox: self,
            operation,
            resource: resource.to_string(),
        }
    }
}

/// The ARN of a vault in an account and Region.
fn vault_arn(world: &World, location: &Location, name: &str) -> Option<BackupVaultArn> {
    let Location { account, region } = location;
    let partition = &world.account(*account)?.partition;
    format!("arn:{partition}:backup:{region}:{account}:backup-vault:{name}")
        .parse()
        .ok()
}

impl From<&crate::copies::CopyJob> for CopyJob {
    fn from(job: &crate::copies::CopyJob) -> Self {
        Self {
            id: job.id.clone(),
            account: job.account,
            region: job.region.clone(),
            state: job.state(),
            status_message: job.status_message().to_owned(),
            message_category: job.failure().map(|failure| failure.category.clone()),
            source_vault: job.source_vault.clone(),
            source_recovery_point: job.recovery_point.clone(),
            destination_vault: job.destination_vault.clone(),
            role: job.role.clone(),
            resource: job.resource.clone(),
            resource_type: job.resource_type.clone(),
            backup_plan: job
                .created_by
                .as_ref()
                .map(|plan| plan.backup_plan_arn.to_string()),
            lifecycle: job.lifecycle.clone(),
            parent_job_id: None,
            is_parent: false,
        }
    }
}

impl Backup for Sandbox {
    async fn describe_copy_job(
        &self,
        location: &Location,
        copy_job_id: &str,
    ) -> CallResult<Option<CopyJob>> {
        self.calling("backup:DescribeCopyJob", &copy_job_id)
            .in_account(Some(location.account), |world| {
                world
                    .copy_job(copy_job_id)
                    .filter(|job| job.account == location.account && job.region == location.region)
                    .map(Into::into)
            })
    }

    async fn describe_recovery_point(
        &self,
        location: &Location,
        vault_name: &str,
        recovery_point: &Arn,
    ) -> CallResult<Option<RecoveryPoint>> {
        self.calling("backup:DescribeRecoveryPoint", recovery_point)
            .in_account(Some(location.account), |world| {
                let vault = vault_arn(world, location, vault_name)?;
                let point = world.recovery_point(&vault, recovery_point)?;
                Some(RecoveryPoint {
                    encryption_key: point.encryption_key_arn.clone(),
                    is_encrypted: Some(point.is_encrypted()),
                    status: Some(point.status.clone()),
                })
            })
    }

    async fn describe_backup_vault(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<BackupVault>> {
        self.calling("backup:DescribeBackupVault", vault)
            .in_account(vault.account_id(), |world| {
                let found = world.vault(vault)?;
                let lock = found.lock.as_ref();
                Some(BackupVault {
                    encryption_key: found.encryption_key_arn.clone(),
                    vault_type: Some(found.vault_type.clone()),
                    locked: Some(lock.is_some() || found.is_logically_air_gapped()),
                    min_retention_days: lock.and_then(|lock| lock.min_retention_days),
                    max_retention_days: lock.and_then(|lock| lock.max_retention_days),
                })
            })
    }

    async fn get_backup_vault_access_policy(
        &self,
        vault: &BackupVaultArn,
    ) -> CallResult<Option<String>> {
        self.calling("backup:GetBackupVaultAccessPolicy", vault)
            .in_account(vault.account_id(), |world| {
                let policy = world.vault(vault)?.policy.as_ref()?;
                Some(policy.as_str().to_owned())
            })
    }

    async fn list_vault_tags(&self, vault: &BackupVaultArn) -> CallResult<Tags> {
        let calling = self.calling("backup:ListTags", vault);
        calling
            .in_account(vault.account_id(), |world| {
                world.vault(vault).map(|found| found.tags.clone())
            })?
            .ok_or_else(|| {
                calling.error(
                    CallErrorKind::Failed,
                    "ResourceNotFoundException: no such vault",
                )
            })
    }

    /// Only the management account may read it (documented: API reference, `DescribeGlobalSettings`).
    async fn is_cross_account_backup_enabled(&self, location: &Location) -> CallResult<bool> {
        let calling = self.calling("backup:DescribeGlobalSettings", &location.account);
        calling
            .in_account(Some(location.account), |world| {
                let organization = world.organization_of(location.account)?;
                (organization.management_account == location.account)
                    .then_some(organization.cross_account_backup_enabled)
            })?
            .ok_or_else(|| {
                let detail = "AccessDeniedException: only the management account can read the global settings";
                calling.error(CallErrorKind::AccessDenied, detail)
            })
    }

    async fn put_backup_vault_access_policy(&self, change: &ApprovedVaultPolicy) -> CallResult<()> {
        let vault = change.resource();
        let calling = self.calling("backup:PutBackupVaultAccessPolicy", vault);
        let result = calling.in_account(vault.account_id(), |world| {
            world.put_vault_policy(vault, change.policy())
        })?;
        calling.written(result, change.policy())
    }

    /// The copy runs at once. Continuous backups can't be copied on demand (documented: API reference, `StartCopyJob`).
    async fn start_copy_job(&self, copy: &StartCopy) -> CallResult<String> {
        let calling = self.calling("backup:StartCopyJob", &copy.recovery_point);
        let created = self.clock.now();
        let mut tokens = self
            .tokens
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let token = format!(
            "{}/{}/{}",
            copy.location.account, copy.location.region, copy.idempotency_token
        );
        let started = calling.in_account(Some(copy.location.account), |world| {
            if let Some(job) = tokens.get(&token) {
                return Ok((job.clone(), false));
            }
            let source_vault = vault_arn(world, &copy.location, &copy.source_vault_name)
                .filter(|vault| world.vault(vault).is_some())
                .ok_or("ResourceNotFoundException: no such backup vault")?;
            if copy.recovery_point.resource().contains(":continuous:") {
                return Err(
                    "InvalidRequestException: a continuous backup cannot be copied on demand",
                );
            }
            let job = world.start_copy(NewCopy {
                id: None,
                name: None,
                recovery_point: copy.recovery_point.clone(),
                source_vault,
                destination_vault: copy.destination_vault.clone(),
                role: copy.role.clone(),
                lifecycle: copy.lifecycle.clone(),
                created_by: None,
                created,
                resource: None,
                resource_type: None,
            });
            let id = job
                .ok_or("InvalidParameterValueException: no such account")?
                .id
                .clone();
            Ok((id, true))
        })?;
        let (id, is_new) =
            started.map_err(|detail| calling.error(CallErrorKind::Rejected, detail))?;
        if is_new {
            tokens.insert(token, id.clone());
            self.calls.record(Write {
                operation: calling.operation,
                resource: copy.destination_vault.to_string(),
                before: None,
                after: id.clone(),
            });
        }
        Ok(id)
    }
}

impl Keys for Sandbox {
    async fn describe_key(&self, key: &KeyArn) -> CallResult<Option<Key>> {
        self.calling("kms:DescribeKey", key)
            .in_account(key.account_id(), |world| {
                world.key(key).map(|found| Key {
                    arn: key.clone(),
                    manager: found.manager,
                    state: found.state.clone(),
                })
            })
    }

    async fn get_key_policy(&self, key: &KeyArn) -> CallResult<Option<String>> {
        self.calling("kms:GetKeyPolicy", key)
            .in_account(key.account_id(), |world| {
                Some(world.key(key)?.policy.as_ref()?.as_str().to_owned())
            })
    }

    async fn list_key_tags(&self, key: &KeyArn) -> CallResult<Tags> {
        let calling = self.calling("kms:ListResourceTags", key);
        calling
            .in_account(key.account_id(), |world| {
                world.key(key).map(|found| found.tags.clone())
            })?
            .ok_or_else(|| calling.error(CallErrorKind::Failed, "NotFoundException: no such key"))
    }

    async fn put_key_policy(&self, change: &ApprovedKeyPolicy) -> CallResult<()> {
        let key = change.resource();
        let calling = self.calling("kms:PutKeyPolicy", key);
        let result = calling.in_account(key.account_id(), |world| {
            world.put_key_policy(key, change.policy())
        })?;
        calling.written(result, change.policy())
    }
}

impl Roles for Sandbox {
    async fn get_role(
        &self,
        account: AccountId,
        _partition: &str,
        name: &str,
    ) -> CallResult<Option<Role>> {
        self.calling("iam:GetRole", &format!("{account}/{name}"))
            .in_account(Some(account), |world| role(world, account, name))
    }
}

fn role(world: &World, account: AccountId, name: &str) -> Option<Role> {
    let found = world.account(account)?;
    if name == SERVICE_LINKED_ROLE && found.service_linked_role {
        return Some(Role {
            arn: world.service_linked_role_arn(account).parse().ok()?,
            trust_policy: Some(managed::TRUST.to_owned()),
            permissions_boundary: None,
        });
    }
    let role = found.roles.get(name)?;
    let arn = format!(
        "arn:{}:iam::{account}:role{}{name}",
        found.partition, role.path
    );
    let trust = role
        .trust_policy
        .as_ref()
        .map(|policy| policy.as_str().to_owned());
    let boundary = role.permissions_boundary.as_ref();
    Some(Role {
        arn: arn.parse().ok()?,
        trust_policy: Some(trust.unwrap_or_else(|| managed::TRUST.to_owned())),
        permissions_boundary: boundary.map(|boundary| boundary.arn.to_string()),
    })
}

impl Organizations for Sandbox {
    async fn describe_organization(
        &self,
        account: AccountId,
        _partition: &str,
    ) -> CallResult<Option<Organization>> {
        self.calling("organizations:DescribeOrganization", &account)
            .in_account(Some(account), |world| {
                world
                    .organization_of(account)
                    .map(|organization| Organization {
                        id: organization.id.clone(),
                        management_account: Some(organization.management_account),
                    })
            })
    }
}
