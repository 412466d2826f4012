//! Advice on the key of the source backup.

use copymend_policy::{KeyGrant, KeyProfile};

use super::case::{Case, advice, step};
use super::destination::{as_json, create_service_linked_role};
use super::{Advice, page};
use crate::fact::Fact;
use crate::features::via_service;
use crate::resource::KeyArn;

fn save_policy(case: &Case<'_>) -> String {
    match case.key() {
        Some(key) => step(
            "Save the key policy",
            &format!(
                "aws kms get-key-policy --key-id {key} --policy-name default --region {} --query Policy --output text > policy.json",
                key.region()
            ),
        ),
        None => case.look_at_recovery_point(
            "Find the key of the backup (EncryptionKeyArn), then save its policy `default` with aws kms get-key-policy as policy.json",
        ),
    }
}

fn write_policy(case: &Case<'_>) -> String {
    match case.key() {
        Some(key) => step(
            "Write the policy back, in the account that owns the key",
            &format!(
                "aws kms put-key-policy --key-id {key} --policy-name default --region {} --policy file://policy.json",
                key.region()
            ),
        ),
        None => {
            "Write policy.json back with aws kms put-key-policy, in the account that owns the key."
                .to_owned()
        }
    }
}

/// The statements that a repair would add, each on one line. Empty without a verified job.
fn statements(case: &Case<'_>) -> Vec<String> {
    let point = case.event().source_recovery_point.as_ref();
    let service = point.and_then(via_service);
    let (Some(key), Some(account)) = (case.key(), case.event().destination_vault.account_id())
    else {
        return Vec::new();
    };
    let grant = KeyGrant {
        partition: key.partition().to_owned(),
        destination_account: account,
        // Through which service a fully managed type uses the key is not documented.
        profile: if service.is_some() {
            KeyProfile::LeastPrivilege
        } else {
            KeyProfile::Documented
        },
        via_services: service.into_iter().collect(),
    };
    let statements = grant.statements().unwrap_or_default();
    statements
        .iter()
        .filter_map(as_json)
        .map(|json| json.to_string())
        .collect()
}

pub(super) fn policy(case: &Case<'_>) -> Advice {
    if !case.is_cross_account() {
        return same_account(case);
    }
    let mut steps = Vec::new();
    let role_is_missing = case
        .facts()
        .is_some_and(|facts| matches!(facts.service_linked_role, Fact::Known(None)));
    if role_is_missing {
        steps.push(create_service_linked_role(case));
    }
    if case.is_fully_managed() {
        steps.push(format!(
            "This type is encrypted with the key of the source vault. Which principal of account {} uses that key is not \
             documented, so Copymend does not edit this policy by itself; AWS's published list admits the whole account.",
            case.account()
        ));
    }
    steps.push(save_policy(case));
    let statements = statements(case);
    if statements.is_empty() {
        steps.push(format!(
            "Let AWSServiceRoleForBackup of account {} use the key: kms:DescribeKey, kms:ReEncryptFrom, \
             kms:GenerateDataKeyWithoutPlaintext, kms:ListGrants, and kms:CreateGrant if kms:GrantIsForAWSResource is true. Change \
             nothing else in policy.json.",
            case.account()
        ));
    }
    let sentences =
        std::iter::once("Add this to the list `Statement` of policy.json, and change nothing else")
            .chain(std::iter::repeat("Add this as well"));
    steps.extend(
        statements
            .iter()
            .zip(sentences)
            .map(|(statement, sentence)| step(sentence, statement)),
    );
    steps.extend([
        write_policy(case),
        case.start_again_with(
            "Wait some minutes until the policy counts, then start the copy again",
            "",
        ),
    ]);
    Advice {
        who: case.key_owner(),
        steps,
        page: page::KEY_POLICIES,
        console: None,
    }
}

/// Which principal uses the key then is not documented; AWS's advice on the message is to admit the job role
/// (AWS Backup, "Troubleshooting", documented).
fn same_account(case: &Case<'_>) -> Advice {
    advice(
        case.key_owner(),
        [
            save_policy(case),
            format!(
                "Let the job role {} use the key: kms:DescribeKey, kms:Decrypt, kms:GenerateDataKey, and kms:CreateGrant if \
                 kms:GrantIsForAWSResource is true. Change nothing else in policy.json.",
                case.role_shown()
            ),
            write_policy(case),
            case.start_again_with(
                "Wait some minutes until the policy counts, then start the copy again",
                "",
            ),
        ],
        page::TROUBLESHOOTING,
    )
}

pub(super) fn deny(case: &Case<'_>) -> Advice {
    let role = case
        .service_linked_role()
        .unwrap_or_else(|| format!("AWSServiceRoleForBackup of account {}", case.account()));
    advice(
        case.key_owner(),
        [
            save_policy(case),
            "Find the Deny that matches the copy; the report's evidence quotes it. Someone put it there on purpose: ask its author \
             first. Copymend never changes a Deny."
                .to_owned(),
            format!(
                "If the copy should be allowed, except `{role}` from that Deny: add the condition ArnNotEquals with aws:PrincipalArn \
                 and this ARN."
            ),
            write_policy(case),
            case.start_again(),
        ],
        page::KEY_POLICIES,
    )
}

/// What a person may do so that a key can be used again.
pub(super) fn usable_again(key: &KeyArn, state: Option<&str>) -> Vec<String> {
    let region = key.region();
    let enable = format!("aws kms enable-key --key-id {key} --region {region}");
    match state {
        Some("Disabled") => vec![step("If it was disabled by mistake, enable it; Copymend never does", &enable)],
        Some("PendingDeletion") => vec![
            step(
                "Once its waiting time is over, no backup under this key can be read any more. If it should live, cancel its \
                 deletion; Copymend never does",
                &format!("aws kms cancel-key-deletion --key-id {key} --region {region}"),
            ),
            step("It is disabled then; enable it", &enable),
        ],
        Some("PendingImport") => vec![
            "Import the key material again (aws kms get-parameters-for-import, then aws kms import-key-material).".to_owned(),
        ],
        Some(_) | None => vec![step(
            "Look at the state (KeyState). A key that was disabled or scheduled for deletion by mistake can be brought back with aws \
             kms cancel-key-deletion and aws kms enable-key; Copymend never does either",
            &format!("aws kms describe-key --key-id {key} --region {region}"),
        )],
    }
}

pub(super) fn state(case: &Case<'_>) -> Advice {
    let state = case
        .key_facts()
        .and_then(|facts| facts.key.known()?.as_ref())
        .filter(|key| !key.is_enabled())
        .map(|key| key.state.as_str());
    let mut steps: Vec<String> = state
        .map(|state| format!("The key is in state {state}."))
        .into_iter()
        .collect();
    match case.key() {
        Some(key) => steps.extend(usable_again(key, state)),
        None => steps.push(case.look_at_recovery_point(
            "Find the key of the backup (EncryptionKeyArn), then look at its state with aws kms describe-key. If it is enabled, look \
             at its policy and at the key of the destination vault",
        )),
    }
    steps.push(case.start_again());
    Advice {
        who: case.key_owner(),
        steps,
        page: page::KEY_STATES,
        console: None,
    }
}

pub(super) fn not_found(case: &Case<'_>) -> Advice {
    let check = match case.key() {
        Some(key) => step(
            "Check whether the key of the backup exists",
            &format!(
                "aws kms describe-key --key-id {key} --region {}",
                key.region()
            ),
        ),
        None => case.look_at_recovery_point("Find the key of the backup (EncryptionKeyArn)"),
    };
    advice(
        case.key_owner(),
        [
            check,
            step(
                &format!(
                    "Check also the key of the destination vault (EncryptionKeyArn), in account {}",
                    case.account()
                ),
                &format!(
                    "aws backup describe-backup-vault --backup-vault-name {} --region {}",
                    case.vault(),
                    case.region()
                ),
            ),
            "A backup whose key is deleted cannot be read any more. Back the resource up again under a key that exists; the backup \
             plan copies that backup."
                .to_owned(),
        ],
        page::KEY_STATES,
    )
}

/// AWS's four steps: back up, restore under a customer managed key, back up again, copy (AWS re:Post, article
/// `backup-cross-account-copy-error`, documented).
pub(super) fn aws_managed(case: &Case<'_>) -> Advice {
    let (account, region) = (case.source_account(), case.source_region());
    let restore = match case.recovery_point() {
        Some(point) => step(
            &format!(
                "Restore it, in account {account}, Region {region}: in metadata.json, name a customer managed key for the restored resource \
                 (kmsKeyId or KmsKeyId). The key's policy must admit account {}",
                case.account()
            ),
            &format!(
                "aws backup get-recovery-point-restore-metadata --region {region} --backup-vault-name {} --recovery-point-arn {point} --query \
                 RestoreMetadata > metadata.json\n\
                 JOB=$(aws backup start-restore-job --region {region} --recovery-point-arn {point} --iam-role-arn {} --metadata \
                 file://metadata.json --query RestoreJobId --output text)",
                case.source_vault(),
                case.role_word()
            ),
        ),
        None => format!(
            "Restore it in account {account}, Region {region}, and name a customer managed key for the restored resource. The key's policy \
             must admit account {}.",
            case.account()
        ),
    };
    let again = step(
        "Back the restored resource up, once the restore is completed",
        &format!(
            "RESTORED=$(aws backup describe-restore-job --region {region} --restore-job-id $JOB --query CreatedResourceArn --output text)\n{}",
            case.back_up("$RESTORED")
        ),
    );
    advice(
        case.backup_owner(),
        [
            case.look_at_recovery_point(
                "Begin with a backup; this recovery point will do. Its key is managed by AWS: it cannot be shared, and its policy \
                 cannot be changed. To look at it",
            ),
            restore,
            again,
            step(
                &format!(
                    "Copy that backup to vault `{}` in account {}, Region {}, with POINT set to its ARN. To end this for good, work on with the \
                     restored resource, or move the original to the customer managed key",
                    case.vault(),
                    case.account(),
                    case.region()
                ),
                &case.start_from("$POINT"),
            ),
        ],
        page::ENCRYPTION,
    )
}
