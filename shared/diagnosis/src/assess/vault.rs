//! The destination vault: its policy, its key and its lock.

use copymend_policy::PolicyDocument;

use super::{Finding, SAME_ACCOUNT, confirmed, depends_on, not_checkable, ruled_out, unreadable};
use crate::access::{Access, vault_access, without_denies};
use crate::assess::Verdict;
use crate::fact::Fact;
use crate::facts::{Facts, KeyManager};
use crate::features::is_fully_managed;
use crate::job::Failure;

pub(super) fn policy(failure: &Failure, facts: &Facts) -> Finding {
    if !failure.is_cross_account() {
        return ruled_out(format!(
            "{SAME_ACCOUNT}, so the vault policy need not allow the copy"
        ));
    }
    let policy = match &facts.vault_policy {
        Fact::Unknown(why) => return unreadable(why),
        Fact::Known(policy) => policy.as_ref(),
    };
    // AWS Backup answers alike for a vault without a policy and for no vault at all.
    match &facts.destination_vault {
        Fact::Known(None) => return ruled_out(NO_VAULT),
        Fact::Unknown(why) if policy.is_none() => return unreadable(why),
        Fact::Known(Some(_)) | Fact::Unknown(_) => {}
    }
    match vault_access(policy, failure, facts) {
        Access::Allowed => {
            ruled_out("the vault policy allows backup:CopyIntoBackupVault to the job role")
        }
        Access::Missing { .. } if policy.is_none() => {
            confirmed("the destination vault has no access policy")
        }
        Access::Missing { .. } => confirmed(NONE_ALLOWS),
        Access::Denied { .. } => behind_the_deny(policy, failure, facts),
        Access::Unknown { keys } => depends_on("the vault policy", &keys),
    }
}

/// Whether the policy would admit the copy if nothing in it denied.
fn behind_the_deny(policy: Option<&PolicyDocument>, failure: &Failure, facts: &Facts) -> Finding {
    let Some(allows) = policy.and_then(without_denies) else {
        return not_checkable("a Deny decides");
    };
    match vault_access(Some(&allows), failure, facts) {
        Access::Allowed => ruled_out("without its Deny, the vault policy allows the copy"),
        Access::Missing { .. } => confirmed(format!("also without its Deny: {NONE_ALLOWS}")),
        Access::Denied { .. } => not_checkable("a Deny decides"),
        Access::Unknown { keys } => depends_on("the vault policy", &keys),
    }
}

const NONE_ALLOWS: &str =
    "no statement of the vault policy allows backup:CopyIntoBackupVault to the job role";
const NO_VAULT: &str = "the destination vault does not exist";

pub(super) fn deny(failure: &Failure, facts: &Facts) -> Finding {
    if matches!(facts.destination_vault, Fact::Known(None)) {
        return ruled_out(NO_VAULT);
    }
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

pub(super) fn key(failure: &Failure, facts: &Facts) -> Finding {
    if is_fully_managed(&failure.job().source_recovery_point) {
        return not_checkable("fully managed types may use any key of the destination vault");
    }
    let named = match &facts.destination_vault {
        Fact::Known(Some(vault)) if vault.describable_key() != vault.encryption_key.as_ref() => {
            return not_checkable(
                "AWS owns the destination vault's key, and nobody can describe it",
            );
        }
        Fact::Known(Some(vault)) => vault.encryption_key.as_ref(),
        Fact::Known(None) => return ruled_out(NO_VAULT),
        Fact::Unknown(_) => None,
    };
    match (&facts.vault_key, named) {
        (Fact::Unknown(why), _) => unreadable(why),
        (Fact::Known(None), Some(named)) => confirmed(format!(
            "the destination vault's key `{named}` does not exist"
        )),
        (Fact::Known(None), None) => not_checkable("the destination vault names no key"),
        (Fact::Known(Some(key)), _)
            if key.manager == KeyManager::Aws && failure.is_cross_account() =>
        {
            confirmed(format!(
                "the destination vault uses the AWS managed key `{}`",
                key.arn
            ))
        }
        (Fact::Known(Some(key)), _) if !key.is_enabled() => confirmed(format!(
            "the destination vault's key `{}` is in state {}",
            key.arn, key.state
        )),
        (Fact::Known(Some(key)), _) => ruled_out(format!(
            "the destination vault's key `{}` is usable",
            key.arn
        )),
    }
}

pub(super) fn retention(failure: &Failure, facts: &Facts) -> Finding {
    let vault = match &facts.destination_vault {
        Fact::Unknown(why) => return unreadable(why),
        Fact::Known(None) => return ruled_out(NO_VAULT),
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
