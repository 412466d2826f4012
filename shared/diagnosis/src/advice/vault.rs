//! Advice on the destination vault: its key, its retention range, whether it exists.

use super::case::{Case, advice, step};
use super::key::usable_again;
use super::{Advice, page};
use crate::access::COPY_INTO_BACKUP_VAULT;

fn describe_vault(case: &Case<'_>) -> String {
    format!(
        "aws backup describe-backup-vault --backup-vault-name {} --region {}",
        case.vault(),
        case.region()
    )
}

pub(super) fn key(case: &Case<'_>) -> Advice {
    if let Some(key) = case.unusable_vault_key() {
        let mut steps = vec![format!(
            "Vault `{}` uses the key `{}`, which is in state {}.",
            case.vault(),
            key.arn,
            key.state
        )];
        steps.extend(usable_again(&key.arn, Some(&key.state)));
        steps.push(case.start_again());
        let who = format!(
            "The owner of KMS key `{}`: account {}, Region {}",
            key.arn,
            key.arn.arn().account(),
            key.arn.region()
        );
        return Advice {
            who,
            steps,
            page: page::KEY_STATES,
            console: None,
        };
    }
    let mut steps = vec![step(
        &format!(
            "Look at the key of vault `{}` (EncryptionKeyArn). The copy needs a customer managed key, and a vault's key cannot be changed",
            case.vault()
        ),
        &describe_vault(case),
    )];
    steps.extend(another(case, "Make another vault"));
    Advice {
        who: case.vault_owner(),
        steps,
        page: page::ENCRYPTION,
        console: None,
    }
}

/// Another vault beside the destination vault: a standard one, under a customer managed key. `why` is how the steps begin.
pub(super) fn another(case: &Case<'_>, why: &str) -> Vec<String> {
    let (account, region) = (case.account(), case.region());
    let name = new_vault_name(case.vault());
    let arn = format!(
        "arn:{}:backup:{region}:{account}:backup-vault:{name}",
        case.event().destination_vault.partition()
    );
    vec![
        step(
            &format!(
                "{why}. Create a customer managed key for it, or use one that you have, in account {account}"
            ),
            &format!(
                "KEY=$(aws kms create-key --region {region} --query KeyMetadata.Arn --output text)"
            ),
        ),
        step(
            "Create a vault under that key",
            &format!(
                "aws backup create-backup-vault --backup-vault-name {name} --region {region} --encryption-key-arn $KEY"
            ),
        ),
        case.save_vault_policy(),
        step(
            &format!(
                "Give it to the new vault. It must allow {COPY_INTO_BACKUP_VAULT} to the role {}; where it names the old vault, \
                 write the new one",
                case.role_shown()
            ),
            &case.put_vault_policy(&name),
        ),
        format!(
            "In the backup plan of account {}, point the copy action at `{arn}`. If Copymend may repair that vault, add it to \
             COPYMEND_ALLOWED_DESTINATIONS.",
            case.source_account()
        ),
    ]
}

/// A name for another vault: at most 50 letters, digits, `-` and `_` (`CreateBackupVault`, documented).
fn new_vault_name(old: &str) -> String {
    if old.len() <= 46 && !old.contains(['/', '.']) {
        format!("{old}-cmk")
    } else {
        "copies-cmk".to_owned()
    }
}

pub(super) fn retention(case: &Case<'_>) -> Advice {
    let (min, max) = case.destination_vault().map_or((None, None), |vault| {
        (vault.min_retention_days, vault.max_retention_days)
    });
    let range = match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max} days"),
        (Some(min), None) => format!("{min} days or more"),
        (None, Some(max)) => format!("at most {max} days"),
        (None, None) => "what MinRetentionDays and MaxRetentionDays say".to_owned(),
    };
    let option = min
        .or(max)
        .map(|days| format!(" --lifecycle DeleteAfterDays={days}"));
    advice(
        format!(
            "{}, together with {}",
            case.backup_owner(),
            lower_first(&case.vault_owner())
        ),
        [
            step(
                &format!(
                    "Vault `{}` accepts a retention of {range}. Its settings",
                    case.vault()
                ),
                &describe_vault(case),
            ),
            format!(
                "In the backup plan of account {}, set the retention of the copy action inside that range. Copymend never touches a \
                 vault lock.",
                case.source_account()
            ),
            case.start_again_with(
                "Start this copy again with a retention that the vault accepts",
                option.as_deref().unwrap_or_default(),
            ),
        ],
        page::VAULT_LOCK,
    )
}

pub(super) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

pub(super) fn not_found(case: &Case<'_>) -> Advice {
    advice(
        case.vault_owner(),
        [
            step(
                &format!("Check whether vault `{}` exists", case.vault()),
                &describe_vault(case),
            ),
            format!(
                "If the name, the account or the Region is wrong, correct the copy action in the backup plan of account {}.",
                case.source_account()
            ),
            step(
                "If the vault should exist, create a customer managed key for it, or use one that you have",
                &format!(
                    "KEY=$(aws kms create-key --region {} --query KeyMetadata.Arn --output text)",
                    case.region()
                ),
            ),
            step(
                "Create the vault under that key",
                &format!(
                    "aws backup create-backup-vault --backup-vault-name {} --region {} --encryption-key-arn $KEY",
                    case.vault(),
                    case.region()
                ),
            ),
            case.start_again(),
        ],
        page::VAULTS,
    )
}
