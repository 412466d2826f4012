//! Each cause held against the facts.

use serde::Serialize;

use crate::access::{Access, key_access, vault_access};
use crate::cause::Cause;
use crate::fact::{Fact, WhyUnknown};
use crate::facts::{Facts, KeyFacts, KeyManager, SourceKey};
use crate::features::{CopySupport, FEATURE_TABLE_DATE, copy_support, is_fully_managed};
use crate::job::Failure;

/// What the facts say of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The facts show it.
    Confirmed,
    /// The facts can't tell.
    NotCheckable,
    /// The facts exclude it.
    RuledOut,
}

/// A cause with its verdict and what led to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// The cause.
    pub cause: Cause,
    /// What the facts say of it.
    pub verdict: Verdict,
    /// Why it was considered.
    pub why: String,
    /// What was seen, one sentence each.
    pub evidence: Vec<String>,
}

type Finding = (Verdict, Vec<String>);

fn confirmed(evidence: impl Into<String>) -> Finding {
    (Verdict::Confirmed, vec![evidence.into()])
}

fn ruled_out(evidence: impl Into<String>) -> Finding {
    (Verdict::RuledOut, vec![evidence.into()])
}

fn not_checkable(evidence: impl Into<String>) -> Finding {
    (Verdict::NotCheckable, vec![evidence.into()])
}

fn unreadable(why: &WhyUnknown) -> Finding {
    not_checkable(format!("could not be read: {why}"))
}

const SAME_ACCOUNT: &str = "source and destination are one account";

/// Holds one cause against the facts.
#[must_use]
pub(crate) fn assess(cause: Cause, failure: &Failure, facts: &Facts) -> (Verdict, Vec<String>) {
    match cause {
        Cause::DestinationVaultPolicy => vault_policy(failure, facts),
        Cause::DestinationVaultDeny => vault_deny(failure, facts),
        Cause::SourceKeyPolicy
        | Cause::SourceKeyDeny
        | Cause::SourceKeyState
        | Cause::KeyNotFound
        | Cause::AwsManagedKey => source_key(cause, failure, facts),
        Cause::DestinationVaultKey => vault_key(failure, facts),
        Cause::OrganizationMembership => organization(failure, facts),
        Cause::CrossAccountBackupDisabled => match &facts.cross_account_backup {
            Fact::Unknown(why) => unreadable(why),
            Fact::Known(true) => ruled_out("cross-account backup is on"),
            Fact::Known(false) => confirmed("isCrossAccountBackupEnabled is false"),
        },
        Cause::UnsupportedResourceType => resource_type(failure),
        Cause::JobRoleMissing => job_role(failure, facts),
        Cause::ServiceLinkedRole => match &facts.service_linked_role {
            Fact::Unknown(why) => unreadable(why),
            Fact::Known(Some(role)) => ruled_out(format!("`{}` exists", role.arn)),
            Fact::Known(None) => confirmed(format!(
                "AWSServiceRoleForBackup is missing in account {}",
                failure.destination_account()
            )),
        },
        Cause::RetentionOutOfRange => retention(failure, facts),
        Cause::VaultNotFound => match &facts.destination_vault {
            Fact::Unknown(why) => unreadable(why),
            Fact::Known(None) => confirmed(format!(
                "`{}` does not exist",
                failure.job().destination_vault
            )),
            Fact::Known(Some(_)) => ruled_out("the destination vault exists"),
        },
        Cause::SourceNotFound => match &facts.recovery_point {
            Fact::Unknown(why) => unreadable(why),
            Fact::Known(None) => confirmed(format!(
                "`{}` does not exist",
                failure.job().source_recovery_point
            )),
            Fact::Known(Some(_)) => ruled_out("the recovery point exists"),
        },
        Cause::JobRolePermission
        | Cause::JobRoleTrust
        | Cause::PermissionsBoundary
        | Cause::ServiceControlPolicy
        | Cause::ResourceControlPolicy
        | Cause::SessionPolicy
        | Cause::VpcEndpointPolicy
        | Cause::TagPolicy
        | Cause::TagLimit
        | Cause::Concurrency
        | Cause::Quota
        | Cause::Transient
        | Cause::ServiceFault
        | Cause::ResourceState
        | Cause::ScheduleWindow
        | Cause::Licensing
        | Cause::AllowedAmis
        | Cause::ShareRevoked
        | Cause::ShareCleanup
        | Cause::OptionGroup
        | Cause::RegionOptIn
        | Cause::ContinuousBackup
        | Cause::Unknown => not_checkable("rests on the message alone"),
    }
}

fn vault_policy(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(format!(
            "{SAME_ACCOUNT}, so the vault policy need not allow the copy"
        ));
    }
    let policy = match &facts.vault_policy {
        Fact::Unknown(why) => return unreadable(why),
        Fact::Known(policy) => policy.as_ref(),
    };
    match vault_access(policy, failure, facts) {
        Access::Allowed => {
            ruled_out("the vault policy allows backup:CopyIntoBackupVault to the job role")
        }
        Access::Missing { .. } if policy.is_none() => {
            confirmed("the destination vault has no access policy")
        }
        Access::Missing { .. } => confirmed(
            "no statement of the vault policy allows backup:CopyIntoBackupVault to the job role",
        ),
        Access::Denied { statement, .. } => ruled_out(format!(
            "a Deny decides (statement {})",
            statement.saturating_add(1)
        )),
        Access::Unknown { keys } => depends_on("the vault policy", &keys),
    }
}

fn depends_on(policy: &str, keys: &[String]) -> Finding {
    not_checkable(format!(
        "{policy} depends on condition keys that cannot be known from outside: {}",
        keys.join(", ")
    ))
}

fn vault_deny(failure: &Failure, facts: &Facts) -> Finding {
    let policy = match &facts.vault_policy {
        Fact::Unknown(why) => return unreadable(why),
        Fact::Known(policy) => policy.as_ref(),
    };
    match vault_access(policy, failure, facts) {
        Access::Denied {
            statement, text, ..
        } => (
            Verdict::Confirmed,
            vec![
                format!(
                    "statement {} of the vault policy denies the copy",
                    statement.saturating_add(1)
                ),
                text,
            ],
        ),
        Access::Allowed | Access::Missing { .. } => {
            ruled_out("no Deny of the vault policy matches")
        }
        Access::Unknown { keys } => depends_on("the vault policy", &keys),
    }
}

fn source_key(cause: Cause, failure: &Failure, facts: &Facts) -> Finding {
    let key_facts = match &facts.source_key {
        SourceKey::NotEncrypted => return ruled_out("the backup is not encrypted"),
        SourceKey::Unknown(why) => return unreadable(why),
        SourceKey::Key(key_facts) => key_facts,
    };
    let key = match &key_facts.key {
        Fact::Unknown(why) => return unreadable(why),
        Fact::Known(key) => key.as_ref(),
    };
    let Some(key) = key else {
        return if cause == Cause::KeyNotFound {
            confirmed(format!("KMS knows no key `{}`", key_facts.arn))
        } else {
            ruled_out(format!("the key `{}` does not exist", key_facts.arn))
        };
    };
    if cause == Cause::KeyNotFound {
        return ruled_out(format!("the key `{}` exists", key.arn));
    }
    if cause == Cause::SourceKeyState {
        return if key.is_enabled() {
            ruled_out(format!("the key `{}` is enabled", key.arn))
        } else {
            confirmed(format!("the key `{}` is in state {}", key.arn, key.state))
        };
    }
    let aws_managed = key.manager == KeyManager::Aws;
    if cause == Cause::AwsManagedKey {
        let needs_sharing =
            failure.is_cross_account() && !is_fully_managed(&failure.job().source_recovery_point);
        return match (aws_managed, needs_sharing) {
            (true, true) => confirmed(format!("`{}` is an AWS managed key", key.arn)),
            (true, false) => ruled_out("this copy does not need the AWS managed key to be shared"),
            (false, _) => ruled_out(format!("`{}` is a customer managed key", key.arn)),
        };
    }
    if aws_managed {
        return ruled_out(format!(
            "`{}` is an AWS managed key, whose policy cannot be changed",
            key.arn
        ));
    }
    key_policy(cause, key_facts, failure, facts)
}

fn key_policy(cause: Cause, key_facts: &KeyFacts, failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return not_checkable(format!(
            "{SAME_ACCOUNT}; which principal uses the key then is not documented"
        ));
    }
    let policy = match &key_facts.policy {
        Fact::Unknown(why) => return unreadable(why),
        Fact::Known(policy) => policy,
    };
    let denies = cause == Cause::SourceKeyDeny;
    match key_access(policy, &key_facts.arn, &key_facts.tags, failure, facts) {
        Access::Denied {
            action,
            statement,
            text,
        } if denies => (
            Verdict::Confirmed,
            vec![
                format!(
                    "statement {} of the key policy denies {action}",
                    statement.saturating_add(1)
                ),
                text,
            ],
        ),
        Access::Denied { statement, .. } => ruled_out(format!(
            "a Deny decides (statement {})",
            statement.saturating_add(1)
        )),
        Access::Unknown { keys } => depends_on("the key policy", &keys),
        Access::Missing { .. } | Access::Allowed if denies => {
            ruled_out("no Deny of the key policy matches")
        }
        Access::Missing { actions } => confirmed(format!(
            "the key policy of `{}` does not allow {} to AWSServiceRoleForBackup of account {}",
            key_facts.arn,
            actions.join(", "),
            failure.destination_account()
        )),
        Access::Allowed => ruled_out("the key policy allows what the copy needs"),
    }
}

fn vault_key(failure: &Failure, facts: &Facts) -> Finding {
    if is_fully_managed(&failure.job().source_recovery_point) {
        return not_checkable("fully managed types may use any key of the destination vault");
    }
    match &facts.vault_key {
        Fact::Unknown(why) => unreadable(why),
        Fact::Known(None) => not_checkable("the destination vault names no key"),
        Fact::Known(Some(key)) if key.manager == KeyManager::Aws && failure.is_cross_account() => {
            confirmed(format!(
                "the destination vault uses the AWS managed key `{}`",
                key.arn
            ))
        }
        Fact::Known(Some(key)) if !key.is_enabled() => confirmed(format!(
            "the destination vault's key `{}` is in state {}",
            key.arn, key.state
        )),
        Fact::Known(Some(key)) => ruled_out(format!(
            "the destination vault's key `{}` is usable",
            key.arn
        )),
    }
}

fn organization(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(SAME_ACCOUNT);
    }
    match (&facts.source_organization, &facts.destination_organization) {
        (Fact::Known(None), _) => confirmed(format!(
            "account {} is in no organization",
            failure.job().account
        )),
        (_, Fact::Known(None)) => confirmed(format!(
            "account {} is in no organization",
            failure.destination_account()
        )),
        (Fact::Known(Some(source)), Fact::Known(Some(destination))) => {
            if source.id == destination.id {
                ruled_out(format!("both accounts are in {}", source.id))
            } else {
                confirmed(format!(
                    "the source is in {}, the destination in {}",
                    source.id, destination.id
                ))
            }
        }
        (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => unreadable(why),
    }
}

fn resource_type(failure: &Failure) -> Finding {
    let job = failure.job();
    let Some(resource_type) = &job.resource_type else {
        return not_checkable("the job names no resource type");
    };
    let support = copy_support(
        resource_type,
        &job.source_recovery_point,
        failure.is_cross_region(),
        failure.is_cross_account(),
    );
    match support {
        CopySupport::Unsupported(why) => confirmed(why),
        // AWS knows better than a copied table: a Region or an engine may differ.
        CopySupport::Supported => not_checkable(format!(
            "the feature table of {FEATURE_TABLE_DATE} lists this copy of {resource_type} as supported"
        )),
        CopySupport::NotListed => not_checkable(format!(
            "the feature table of {FEATURE_TABLE_DATE} has no row for {resource_type}"
        )),
    }
}

fn job_role(failure: &Failure, facts: &Facts) -> Finding {
    let named = &failure.job().role;
    match &facts.job_role {
        Fact::Unknown(why) => unreadable(why),
        Fact::Known(None) => confirmed(format!("`{named}` does not exist")),
        Fact::Known(Some(role)) if role.arn != *named => confirmed(format!(
            "`{named}` does not exist; a role of that name has the ARN `{}`",
            role.arn
        )),
        Fact::Known(Some(_)) => ruled_out(format!("`{named}` exists")),
    }
}

fn retention(failure: &Failure, facts: &Facts) -> Finding {
    let vault = match &facts.destination_vault {
        Fact::Unknown(why) => return unreadable(why),
        Fact::Known(None) => return ruled_out("the destination vault does not exist"),
        Fact::Known(Some(vault)) => vault,
    };
    let (min, max) = (vault.min_retention_days, vault.max_retention_days);
    if min.is_none() && max.is_none() {
        return ruled_out("the destination vault sets no retention range");
    }
    let range = format!(
        "the vault accepts {} to {} days",
        min.map_or_else(|| "any".to_owned(), |days| days.to_string()),
        max.map_or_else(|| "any".to_owned(), |days| days.to_string())
    );
    let days = failure
        .job()
        .lifecycle
        .as_ref()
        .and_then(|lifecycle| lifecycle.delete_after_days);
    match days {
        None => not_checkable(format!("{range}; the job names no retention")),
        Some(days) => {
            // -1 keeps the copy for ever.
            let too_short = days >= 0 && min.is_some_and(|min| days < min);
            let too_long = max.is_some_and(|max| days < 0 || days > max);
            let text = format!("{range}; the copy asks for {days}");
            if too_short || too_long {
                confirmed(text)
            } else {
                ruled_out(text)
            }
        }
    }
}
