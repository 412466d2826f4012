//! Collects the facts of a verified failure: two rounds of reads, each round in parallel.

use copymend_diagnosis::features::is_fully_managed;
use copymend_diagnosis::{
    BackupVault, Fact, Facts, Failure, Key, KeyArn, KeyFacts, RecoveryPoint, SourceKey,
    UnknownReason, WhyUnknown,
};
use copymend_policy::PolicyDocument;

use crate::ports::{Backup, CallResult, Environment, Keys, Location, Organizations, Roles};

/// The name of AWS Backup's service-linked role.
pub const SERVICE_LINKED_ROLE: &str = "AWSServiceRoleForBackup";

/// Reads everything that a diagnosis may need. Never fails: what can't be read is an unknown fact.
pub async fn investigate<E: Environment>(environment: &E, failure: &Failure) -> Facts {
    let job = failure.job();
    let vault = &job.destination_vault;
    let backup = environment.backup();
    let roles = environment.roles();
    let organizations = environment.organizations();
    let source = Location {
        account: job.account,
        region: job.region.clone(),
    };
    let destination_account = failure.destination_account();
    let fully_managed = is_fully_managed(&job.source_recovery_point);

    let source_vault = async {
        if fully_managed {
            Some(backup.describe_backup_vault(&job.source_vault).await)
        } else {
            None
        }
    };
    let (
        recovery_point,
        source_vault,
        destination_vault,
        vault_policy,
        vault_tags,
        source_organization,
        destination_organization,
        service_linked_role,
        job_role,
        cross_account_backup,
    ) = tokio::join!(
        backup.describe_recovery_point(
            &source,
            job.source_vault.name(),
            &job.source_recovery_point
        ),
        source_vault,
        backup.describe_backup_vault(vault),
        backup.get_backup_vault_access_policy(vault),
        backup.list_vault_tags(vault),
        organizations.describe_organization(job.account, vault.partition()),
        organizations.describe_organization(destination_account, vault.partition()),
        roles.get_role(destination_account, vault.partition(), SERVICE_LINKED_ROLE),
        roles.get_role(job.account, job.role.partition(), job.role.name()),
        backup.is_cross_account_backup_enabled(&source),
    );

    let recovery_point = fact(recovery_point);
    let destination_vault = fact(destination_vault);
    let source_key = which_source_key(failure, &recovery_point, source_vault.map(fact).as_ref());
    let (source_key, vault_key) = tokio::join!(
        read_source_key(environment, source_key),
        read_vault_key(environment, &destination_vault),
    );

    Facts {
        recovery_point,
        source_key,
        vault_policy: vault_policy_fact(failure, vault_policy),
        destination_vault,
        vault_tags: fact(vault_tags),
        vault_key,
        source_organization: fact(source_organization),
        destination_organization: fact(destination_organization),
        // A role of that name with another path is not the service-linked role: anyone can make one.
        service_linked_role: match fact(service_linked_role) {
            Fact::Known(role) => Fact::Known(
                role.filter(|role| role.arn.path() == "/aws-service-role/backup.amazonaws.com/"),
            ),
            Fact::Unknown(why) => Fact::Unknown(why),
        },
        job_role: fact(job_role),
        cross_account_backup: fact(cross_account_backup),
    }
}

fn fact<T>(result: CallResult<T>) -> Fact<T> {
    match result {
        Ok(value) => Fact::Known(value),
        Err(error) => Fact::Unknown(error.into_unknown()),
    }
}

fn unknown(operation: &str, resource: &str, reason: UnknownReason, detail: String) -> WhyUnknown {
    WhyUnknown {
        operation: operation.to_owned(),
        resource: resource.to_owned(),
        reason,
        detail,
    }
}

fn parsed(operation: &str, resource: &str, text: &str) -> Result<PolicyDocument, WhyUnknown> {
    PolicyDocument::parse(text).map_err(|error| {
        unknown(
            operation,
            resource,
            UnknownReason::Unreadable,
            error.to_string(),
        )
    })
}

/// The vault policy as a fact. A policy that can't be parsed is unknown, not absent.
pub(crate) fn vault_policy_fact(
    failure: &Failure,
    answer: CallResult<Option<String>>,
) -> Fact<Option<PolicyDocument>> {
    let vault = failure.job().destination_vault.as_str();
    match fact(answer) {
        Fact::Unknown(why) => Fact::Unknown(why),
        Fact::Known(None) => Fact::Known(None),
        Fact::Known(Some(text)) => {
            match parsed("backup:GetBackupVaultAccessPolicy", vault, &text) {
                Ok(policy) => Fact::Known(Some(policy)),
                Err(why) => Fact::Unknown(why),
            }
        }
    }
}

/// The key policy as a fact. A key that doesn't exist has no policy to reason about.
pub(crate) fn key_policy_fact(
    key: &KeyArn,
    answer: CallResult<Option<String>>,
) -> Fact<PolicyDocument> {
    let operation = "kms:GetKeyPolicy";
    let read = match fact(answer) {
        Fact::Unknown(why) => Err(why),
        Fact::Known(Some(text)) => parsed(operation, key.as_str(), &text),
        Fact::Known(None) => {
            let detail = "the key does not exist".to_owned();
            Err(unknown(
                operation,
                key.as_str(),
                UnknownReason::NotRead,
                detail,
            ))
        }
    };
    match read {
        Ok(policy) => Fact::Known(policy),
        Err(why) => Fact::Unknown(why),
    }
}

enum WhichKey {
    NotEncrypted,
    Unknown(WhyUnknown),
    Key(KeyArn),
}

/// Fully managed types use the source vault's key, others the resource's. `DescribeRecoveryPoint` names either; the
/// message never decides which key is looked at, because anyone may have written it.
fn which_source_key(
    failure: &Failure,
    recovery_point: &Fact<Option<RecoveryPoint>>,
    source_vault: Option<&Fact<Option<BackupVault>>>,
) -> WhichKey {
    let job = failure.job();
    let operation = "backup:DescribeRecoveryPoint";
    let arn = job.source_recovery_point.as_str();
    let not_read = |detail: &str| {
        WhichKey::Unknown(unknown(
            operation,
            arn,
            UnknownReason::NotRead,
            detail.to_owned(),
        ))
    };
    let recovery_point = match recovery_point {
        Fact::Unknown(why) => return WhichKey::Unknown(why.clone()),
        Fact::Known(None) => return not_read("the recovery point does not exist"),
        Fact::Known(Some(recovery_point)) => recovery_point,
    };
    if recovery_point.is_encrypted == Some(false) {
        return WhichKey::NotEncrypted;
    }
    if let Some(key) = &recovery_point.encryption_key {
        return WhichKey::Key(key.clone());
    }
    match source_vault {
        Some(Fact::Known(Some(vault))) => match &vault.encryption_key {
            Some(key) => WhichKey::Key(key.clone()),
            None => not_read("neither the recovery point nor its vault names a key"),
        },
        Some(Fact::Unknown(why)) => WhichKey::Unknown(why.clone()),
        Some(Fact::Known(None)) | None => not_read("the recovery point names no key"),
    }
}

async fn read_source_key<E: Environment>(environment: &E, which: WhichKey) -> SourceKey {
    let arn = match which {
        WhichKey::NotEncrypted => return SourceKey::NotEncrypted,
        WhichKey::Unknown(why) => return SourceKey::Unknown(why),
        WhichKey::Key(arn) => arn,
    };
    let keys = environment.keys();
    let (key, policy, tags) = tokio::join!(
        keys.describe_key(&arn),
        keys.get_key_policy(&arn),
        keys.list_key_tags(&arn)
    );
    SourceKey::Key(Box::new(KeyFacts {
        key: fact(key),
        policy: key_policy_fact(&arn, policy),
        tags: fact(tags),
        arn,
    }))
}

async fn read_vault_key<E: Environment>(
    environment: &E,
    vault: &Fact<Option<BackupVault>>,
) -> Fact<Option<Key>> {
    match vault {
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
        Fact::Known(None) => Fact::Known(None),
        Fact::Known(Some(vault)) => match &vault.encryption_key {
            None => Fact::Known(None),
            Some(key) => fact(environment.keys().describe_key(key).await),
        },
    }
}
