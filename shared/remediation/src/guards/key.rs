//! The guards of a source key.

use copymend_diagnosis::features::is_fully_managed;
use copymend_diagnosis::{Fact, KeyFacts, KeyManager, SourceKey};

use super::{Answer, Question};
use crate::plan::PlanError;

fn key_of<'q>(question: &Question<'q>) -> Option<&'q KeyFacts> {
    match &question.facts?.source_key {
        SourceKey::Key(key) => Some(key),
        SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
    }
}

pub(super) fn customer_managed(question: &Question<'_>) -> Answer {
    let key = key_of(question)?;
    Some(match &key.key {
        // KMS answers with the exact key. One that isn't the one named is not ours to touch.
        Fact::Known(Some(described)) => (
            described.arn == key.arn && described.manager == KeyManager::Customer,
            format!(
                "KMS describes `{}`, managed by {:?}",
                described.arn, described.manager
            ),
        ),
        Fact::Known(None) => (false, "the key does not exist".to_owned()),
        Fact::Unknown(why) => (false, why.to_string()),
    })
}

pub(super) fn enabled(question: &Question<'_>) -> Answer {
    Some(match &key_of(question)?.key {
        Fact::Known(Some(described)) => (
            described.is_enabled(),
            format!("the key's state is {}", described.state),
        ),
        Fact::Known(None) => (false, "the key does not exist".to_owned()),
        Fact::Unknown(why) => (false, why.to_string()),
    })
}

/// Another policy may already allow what `default` doesn't, or be meant to.
pub(super) fn only_default_policy(question: &Question<'_>) -> Answer {
    let key = key_of(question)?;
    Some(match &key.policy_names {
        Fact::Unknown(why) => (false, why.to_string()),
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
        Fact::Unknown(why) => (false, why.to_string()),
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
    if let Some(Err(error @ PlanError::ServiceNotKnown(_))) = question.plan {
        if fully_managed {
            return Some((false, FULLY_MANAGED.to_owned()));
        }
        return Some((false, error.to_string()));
    }
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
                "the {which} vault is logically air-gapped: which principals its copies' keys must admit is not modelled yet"
            )),
            Fact::Known(Some(vault)) => vault
                .vault_type
                .is_none()
                .then(|| format!("AWS Backup does not tell the type of the {which} vault")),
        };
        if let Some(refused) = refused {
            return Some((false, refused));
        }
    }
    let passed = !fully_managed || question.settings.allow_fully_managed_keys;
    let detail = if fully_managed {
        FULLY_MANAGED
    } else {
        "the destination's AWSServiceRoleForBackup uses the key"
    };
    Some((passed, detail.to_owned()))
}
