//! The key of the source backup.

use super::{Finding, SAME_ACCOUNT, confirmed, depends_on, not_checkable, ruled_out, unreadable};
use crate::access::{Access, key_access, without_denies};
use crate::assess::Verdict;
use crate::cause::Cause;
use crate::fact::Fact;
use crate::facts::{Facts, KeyFacts, KeyManager, SourceKey};
use crate::features::is_fully_managed;
use crate::job::Failure;

pub(super) fn source_key(cause: Cause, failure: &Failure, facts: &Facts) -> Finding {
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
    // What one policy doesn't allow, another may.
    if !denies && let Fact::Unknown(why) = &key_facts.policy_names {
        return unreadable(why);
    }
    let access = |policy| key_access(policy, &key_facts.arn, &key_facts.tags, failure, facts);
    match access(policy) {
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
        Access::Unknown { keys } => depends_on("the key policy", &keys),
        Access::Missing { .. } | Access::Allowed if denies => {
            ruled_out("no Deny of the key policy matches")
        }
        Access::Missing { actions } => not_allowed("", &actions, key_facts, failure),
        Access::Allowed => ruled_out("the key policy allows what the copy needs"),
        Access::Denied { .. } => match without_denies(policy).as_ref().map(access) {
            Some(Access::Allowed) => {
                ruled_out("without its Deny, the key policy allows what the copy needs")
            }
            Some(Access::Missing { actions }) => {
                not_allowed("also without its Deny, ", &actions, key_facts, failure)
            }
            Some(Access::Unknown { keys }) => depends_on("the key policy", &keys),
            Some(Access::Denied { .. }) | None => not_checkable("a Deny decides"),
        },
    }
}

fn not_allowed(also: &str, actions: &[&str], key_facts: &KeyFacts, failure: &Failure) -> Finding {
    let others: Vec<&str> = key_facts.other_policies().collect();
    if others.is_empty() {
        confirmed(format!(
            "{also}the key policy of `{}` does not allow {} to AWSServiceRoleForBackup of account {}",
            key_facts.arn,
            actions.join(", "),
            failure.destination_account()
        ))
    } else {
        not_checkable(format!(
            "{also}the policy `default` does not allow it, but the key has other policies too: {}",
            others.join(", ")
        ))
    }
}
