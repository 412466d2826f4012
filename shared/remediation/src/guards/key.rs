//! The guards of a source key.

use copymend_diagnosis::features::is_fully_managed;
use copymend_diagnosis::{Fact, KeyFacts, KeyManager, SourceKey};

use super::{Answer, Question, not_known};
use crate::plan::PlanError;

/// The key of the backup, or that it isn't known which one that is. Nothing where it has none.
fn key_of<'q>(question: &Question<'q>) -> Option<Result<&'q KeyFacts, (bool, String)>> {
    match &question.facts?.source_key {
        SourceKey::Key(key) => Some(Ok(key)),
        SourceKey::NotEncrypted => None,
        SourceKey::Unknown(why) => Some(Err(not_known("which key protects the backup", why))),
    }
}

/// Asks about the key of the backup, where it is known which one that is.
fn of_key(question: &Question<'_>, ask: impl FnOnce(&KeyFacts) -> (bool, String)) -> Answer {
    Some(match key_of(question)? {
        Ok(key) => ask(key),
        Err(answer) => answer,
    })
}

pub(super) fn customer_managed(question: &Question<'_>) -> Answer {
    of_key(question, |key| match &key.key {
        // KMS answers with the exact key. One that isn't the one named is not ours to touch.
        Fact::Known(Some(described)) => (
            described.arn == key.arn && described.manager == KeyManager::Customer,
            format!(
                "KMS describes `{}`, managed by {:?}",
                described.arn, described.manager
            ),
        ),
        Fact::Known(None) => (false, "the key does not exist".to_owned()),
        Fact::Unknown(why) => not_known("who manages the key", why),
    })
}

pub(super) fn enabled(question: &Question<'_>) -> Answer {
    of_key(question, |key| match &key.key {
        Fact::Known(Some(described)) => (
            described.is_enabled(),
            format!("the key's state is {}", described.state),
        ),
        Fact::Known(None) => (false, "the key does not exist".to_owned()),
        Fact::Unknown(why) => not_known("whether the key is enabled", why),
    })
}

/// Another policy may already allow what `default` doesn't, or be meant to.
pub(super) fn only_default_policy(question: &Question<'_>) -> Answer {
    of_key(question, |key| match &key.policy_names {
        Fact::Unknown(why) => not_known("whether the key has other policies", why),
        Fact::Known(_) => {
            let others: Vec<&str> = key.other_policies().collect();
            if others.is_empty() {
                (true, "the key has no policy beside `default`".to_owned())
            } else {
                let others = others.join(", ");
                (false, format!("the key has other policies too: {others}"))
            }
        }
    })
}

pub(super) fn service_linked_role(question: &Question<'_>) -> Answer {
    Some(match &question.facts?.service_linked_role {
        Fact::Known(Some(role)) => (true, format!("`{}` exists", role.arn)),
        Fact::Known(None) => (
            false,
            "AWSServiceRoleForBackup is missing in the destination account".to_owned(),
        ),
        Fact::Unknown(why) => not_known(
            "whether the destination account has its AWSServiceRoleForBackup",
            why,
        ),
    })
}

/// Both settings that admit such a repair: one of them alone changes nothing.
const FULLY_MANAGED: &str = "a fully managed type: which principal of the destination uses the key is not documented; \
                             it is repaired only with COPYMEND_ALLOW_FULLY_MANAGED_KEYS=true together with \
                             COPYMEND_KEY_PROFILE=documented, for the whole destination account";

/// Who uses the key. For copies into and out of logically air-gapped vaults other principals must
/// be admitted, the job role among them (AWS Backup, "Logically air-gapped vaults", documented): a
/// statement for the service-linked role would not do.
pub(super) fn principal_known(question: &Question<'_>) -> Answer {
    let facts = question.facts?;
    let fully_managed = is_fully_managed(&question.failure.job().source_recovery_point);
    for (which, vault) in [
        ("source", &facts.source_vault),
        ("destination", &facts.destination_vault),
    ] {
        let refused = match vault {
            Fact::Unknown(why) => {
                Some(format!("the type of the {which} vault is not known: {why}"))
            }
            Fact::Known(None) => Some(format!("the {which} vault does not exist")),
            Fact::Known(Some(vault)) if vault.is_logically_air_gapped() => Some(format!(
                "the {which} vault is logically air-gapped: the keys of its copies must admit the job role, and Copymend writes no such statement"
            )),
            Fact::Known(Some(vault)) => vault.vault_type.is_none().then(|| {
                format!("the type of the {which} vault is not known: AWS Backup does not tell it")
            }),
        };
        if let Some(refused) = refused {
            return Some((false, refused));
        }
    }
    if let Some(Err(error @ PlanError::ServiceNotKnown(_))) = question.plan {
        if fully_managed {
            return Some((false, FULLY_MANAGED.to_owned()));
        }
        return Some((false, error.to_string()));
    }
    let passed = !fully_managed || question.settings.allow_fully_managed_keys;
    let detail = if fully_managed {
        FULLY_MANAGED
    } else {
        "the destination's AWSServiceRoleForBackup uses the key"
    };
    Some((passed, detail.to_owned()))
}
