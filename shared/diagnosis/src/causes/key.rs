//! The key of the source backup itself: its state, whether it exists, who manages it.

use super::vault_policy::NO_VAULT;
use super::{Entry, Family, Pages, Remedy, Shown, console, image_keys, page, rules};
use crate::advice::{Case, step};
use crate::assess::{Checked, Finding, confirmed, not_checkable, ruled_out, unreadable};
use crate::facts::{BackupVault, Facts, Key, KeyFacts, KeyManager, SourceKey};
use crate::features::is_fully_managed;
use crate::job::BackupCopy;
use crate::messages::wording::{AT_DESTINATION, KEY_NAMES, SUCCESS};
use crate::resource::KeyArn;

pub(super) static STATE: Entry = Entry {
    slug: "source-key-state",
    title: "The key of the source backup is not enabled",
    happens: "The key of the source backup is disabled, waits for its deletion or waits for its key material. A backup under \
        it can be neither read nor copied.",
    found: "AWS KMS describes the key.",
    also: "A key that is disabled or pending deletion gives the same text.",
    messages: rules! {
        // Documented: "KMS key is either disabled or pending deletion or access to KMS key is
        // denied".
        Keys 40 ["disabled, pending deletion|disabled or pending deletion\
             |disabled or is pending deletion"] not [AT_DESTINATION]
            or [SourceKeyPolicy, KeyNotFound, DestinationVaultKey]
            => "The key is disabled, pending deletion or out of reach.";
        // Seen: KMS "arn:… is pending deletion.", "… is disabled.", "… is pending import."
        Keys 50 ["is disabled|in an invalid state|pendingdeletion|pendingimport\
             |is pending replica deletion|pendingreplicadeletion|pending deletion|pending import\
             |scheduled for deletion|has been disabled|was disabled|is currently disabled\
             |in state disabled|state: disabled|not in the enabled state|key material has expired\
             |kmsinvalidstate|disabledexception", KEY_NAMES]
            not [AT_DESTINATION, "either disabled or pending deletion|access key"]
            => "The key is disabled or waits for deletion or import.";
        // Inferred: the same for what is not enabled, unless that is one of several things.
        Keys 60 ["is not enabled", KEY_NAMES]
            not [AT_DESTINATION, "or you do not have permission|either disabled or pending deletion\
                 |access key|non existent, in the wrong"]
            => "The key is disabled or waits for deletion or import.";
        // Documented pattern "kms key", with a word of failure.
        Weak 50 ["kms key|kms_key_error|kms error", "error|fail|denied|unable to|cannot|could not"]
            not [SUCCESS, "is not required|is not needed"]
            or [SourceKeyPolicy, JobRolePermission]
            => "The message blames a KMS key and says no more.";
    },
    shown: Shown::ByFacts(
        180,
        |copy, facts| Ok(image_keys::at_each(state, copy, facts)),
        image_keys::is_any_unread,
    ),
    families: &[Family::Key],
    remedy: Remedy::Advise,
    who: |case| case.key_owner(),
    steps: state_steps,
    console: console::source_key,
    page: Pages::One(page::KEY_STATES),
};

pub(super) static NOT_FOUND: Entry = Entry {
    slug: "key-not-found",
    title: "The key does not exist",
    happens: "The key that the backup is encrypted with was deleted, or a key that the copy names never existed.",
    found: "AWS KMS describes the key, or says that there is none.",
    also: "A key that does not exist gives the same text.",
    messages: rules! {
        // Seen: "KMS Key arn:… non existent, in the wrong region, or not enabled".
        Keys 70 ["non existent, in the wrong region", "kms key"] or [SourceKeyState]
            => "The key does not exist here or is not enabled.";
        // Seen: KMS to a caller of another account "… because the resource does not exist in this
        // Region, no resource-based policies allow access, or a resource-based policy explicitly
        // denies access". Which it is stays open.
        Keys 110 ["no resource-based policies allow access", "kms:"]
            or [SourceKeyPolicy, AwsManagedKey, SourceKeyDeny]
            => "The key does not exist in this Region, its policy does not let the caller in, or a Deny refuses it.";
        // Seen: KMS "Invalid keyId 'x'", also with an alias.
        Keys 100 ["invalid keyid"] => "KMS does not know the key.";
    },
    shown: Shown::ByFacts(
        170,
        |copy, facts| Ok(image_keys::at_each(not_found, copy, facts)),
        image_keys::is_any_unread,
    ),
    families: &[Family::Key],
    remedy: Remedy::Advise,
    who: |case| case.key_owner(),
    steps: not_found_steps,
    console: console::source_key,
    page: Pages::One(page::KEY_STATES),
};

pub(super) static AWS_MANAGED: Entry = Entry {
    slug: "aws-managed-key",
    title: "The backup is encrypted with an AWS managed key, which cannot be shared",
    happens: "The policy of an AWS managed key, such as aws/ebs, belongs to AWS and admits its own account alone. A \
        backup under it cannot be copied to another account, unless AWS Backup manages its type fully. A logically \
        air-gapped vault takes no such backup at all.",
    found: "AWS KMS describes the key and tells who manages it.",
    also: "A backup under an AWS managed key gives the same text.",
    messages: rules! {
        // Documented: "Snapshots encrypted with the AWS managed key can't be shared", "Encrypted
        // snapshots with Amazon EBS default key cannot be shared". Seen: RDS "… with the default
        // service key for RDS".
        First 140 ["aws managed key|aws managed cmk|aws managed kms|aws managed customer master\
             |aws-managed key|aws-managed kms|aws-managed cmk|amazon managed key|ebs default kms\
             |default ebs key|default aws key|default kms key|default aws kms key\
             |default aws managed|default encryption key|default service key|default rds key\
             |default cmk|default key|default master key|alias/aws/|aws/ebs|aws/rds",
            "not be shared|cannot share|unable to share|not be copied|cannot copy\
             |currently not supported|is not supported|are not supported|unable to copy\
             |not shareable|not support cross-account"]
            not ["vault is encrypted with|default backup service managed key"]
            => "The backup is encrypted with an AWS managed key, which cannot be shared.";
    },
    shown: Shown::ByFacts(160, aws_managed_at_each, |copy, facts| {
        image_keys::is_any_open(is_aws_managed_open, copy, facts)
    }),
    families: &[Family::Key],
    remedy: Remedy::Advise,
    who: |case| case.backup_owner(),
    steps: aws_managed_steps,
    console: console::source_vault,
    page: Pages::One(page::ENCRYPTION),
};

/// Whether a read of the key told nothing.
pub(super) fn is_unread(copy: &BackupCopy, facts: &Facts) -> bool {
    match &facts.source_key {
        SourceKey::NotEncrypted => false,
        SourceKey::Unknown(_) => !facts.is_source_key_owned_by_aws(copy),
        SourceKey::Key(key) => is_key_unread(key),
    }
}

pub(super) fn is_key_unread(key: &KeyFacts) -> bool {
    key.key.unknown().is_some()
        || key.policy.unknown().is_some()
        || key.policy_names.unknown().is_some()
}

/// The key of the backup. `None` where KMS knows no such key.
fn described(facts: &Facts) -> Result<(&KeyFacts, Option<&Key>), Finding> {
    let key_facts = match &facts.source_key {
        SourceKey::NotEncrypted => return Err(ruled_out("the backup is not encrypted")),
        SourceKey::Unknown(why) => return Err(unreadable(why)),
        SourceKey::Key(key_facts) => key_facts,
    };
    Ok((key_facts, key_facts.key.read()?.as_ref()))
}

/// The same, for a cause that only a key that exists can have.
pub(super) fn existing(facts: &Facts) -> Result<(&KeyFacts, &Key), Finding> {
    let (key_facts, key) = described(facts)?;
    let missing = || ruled_out(format!("the key `{}` does not exist", key_facts.arn));
    Ok((key_facts, key.ok_or_else(missing)?))
}

fn state(_: &BackupCopy, facts: &Facts) -> Checked {
    let (_, key) = existing(facts)?;
    Ok(if key.is_enabled() {
        ruled_out(format!("the key `{}` is enabled", key.arn))
    } else {
        confirmed(format!("the key `{}` is in state {}", key.arn, key.state))
    })
}

fn not_found(_: &BackupCopy, facts: &Facts) -> Checked {
    Ok(match described(facts)? {
        (key_facts, None) => confirmed(format!("KMS knows no key `{}`", key_facts.arn)),
        (_, Some(key)) => ruled_out(format!("the key `{}` exists", key.arn)),
    })
}

/// Inside one account who manages the keys matters only to a logically air-gapped vault.
fn aws_managed_at_each(copy: &BackupCopy, facts: &Facts) -> Checked {
    let vault = facts.destination_vault.known().and_then(Option::as_ref);
    if copy.is_cross_account() || vault.is_none_or(BackupVault::is_logically_air_gapped) {
        Ok(image_keys::at_each(aws_managed, copy, facts))
    } else {
        aws_managed(copy, facts)
    }
}

fn aws_managed(copy: &BackupCopy, facts: &Facts) -> Checked {
    let (_, key) = existing(facts)?;
    if key.manager == KeyManager::Customer {
        return Err(ruled_out(format!(
            "`{}` is a customer managed key",
            key.arn
        )));
    }
    let not_shared = || ruled_out("this copy does not need the AWS managed key to be shared");
    if is_fully_managed(&copy.source_recovery_point) {
        return Err(not_shared());
    }
    if copy.is_cross_account() {
        return Ok(confirmed(format!("`{}` is an AWS managed key", key.arn)));
    }
    // In the same account a logically air-gapped vault takes none either (AWS Backup, "Logically
    // air-gapped vaults", documented).
    let vault = facts.destination_vault.read()?.as_ref();
    let vault = vault.ok_or_else(|| not_checkable(NO_VAULT))?;
    Ok(if vault.is_logically_air_gapped() {
        confirmed(format!(
            "`{}` is an AWS managed key, and the destination vault is logically air-gapped",
            key.arn
        ))
    } else {
        not_shared()
    })
}

/// Whether the key may be one of AWS's that this copy can't do with.
fn is_aws_managed_open(copy: &BackupCopy, facts: &Facts) -> bool {
    let may_be = match existing(facts) {
        Ok((_, key)) => key.manager == KeyManager::Aws,
        Err(_) => is_unread(copy, facts),
    };
    let matters = copy.is_cross_account() || facts.enters_air_gapped_vault() != Some(false);
    matters && may_be && !is_fully_managed(&copy.source_recovery_point)
}

/// What a person may do so that a key can be used again.
pub(super) fn usable_again(key: &KeyArn, state: Option<&str>) -> Vec<String> {
    let region = key.region();
    let enable = format!("aws kms enable-key --key-id {key} --region {region}");
    match state {
        Some("Disabled") => vec![step("If it was disabled by mistake, enable it; Copymend never does", &enable)],
        Some("PendingDeletion") => vec![
            step!("Once its waiting time is over, no backup under this key can be read any more. If it should live, cancel its \
                 deletion; Copymend never does";
                "aws kms cancel-key-deletion --key-id {key} --region {region}"),
            step("It is disabled then; enable it", &enable),
        ],
        Some("PendingImport") => vec![
            "Import the key material again (aws kms get-parameters-for-import, then aws kms import-key-material).".to_owned(),
        ],
        Some(_) | None => vec![step!("Look at the state (KeyState). A key that was disabled or scheduled for deletion by \
             mistake can be brought back with aws kms cancel-key-deletion and aws kms enable-key; Copymend never does either";
            "aws kms describe-key --key-id {key} --region {region}")],
    }
}

fn state_steps(case: &Case<'_>) -> Vec<String> {
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
    steps
}

fn not_found_steps(case: &Case<'_>) -> Vec<String> {
    let check = match case.key() {
        Some(key) => step!("Check whether the key of the backup exists";
            "aws kms describe-key --key-id {key} --region {}", key.region()),
        None => case.look_at_recovery_point("Find the key of the backup (EncryptionKeyArn)"),
    };
    vec![
            check,
            step!("Check also the key of the destination vault (EncryptionKeyArn), in account {}", case.account();
                "aws backup describe-backup-vault --backup-vault-name {} --region {}", case.vault(), case.region()),
            "A backup whose key is deleted cannot be read any more. Back the resource up again under a key that exists; the backup \
             plan copies that backup."
                .to_owned(),
    ]
}

/// AWS's four steps: back up, restore under a customer managed key, back up again, copy (AWS
/// re:Post, article `backup-cross-account-copy-error`, documented).
fn aws_managed_steps(case: &Case<'_>) -> Vec<String> {
    let (account, region) = (case.source_account(), case.source_region());
    let restore = match case.recovery_point() {
        Some(point) => {
            step!("Restore it, in account {account}, Region {region}: in metadata.json, name a customer managed key \
             for the restored resource (kmsKeyId or KmsKeyId). The key's policy must admit account {}", case.account();
            "aws backup get-recovery-point-restore-metadata --region {region} --backup-vault-name {} --recovery-point-arn \
             {point} --query RestoreMetadata > metadata.json\n\
             JOB=$(aws backup start-restore-job --region {region} --recovery-point-arn {point} --iam-role-arn {} --metadata \
             file://metadata.json --query RestoreJobId --output text)", case.source_vault(), case.role_word())
        }
        None => format!(
            "Restore it in account {account}, Region {region}, and name a customer managed key for the restored resource. The key's policy \
             must admit account {}.",
            case.account()
        ),
    };
    let again = step!("Back the restored resource up, once the restore is completed";
        "RESTORED=$(aws backup describe-restore-job --region {region} --restore-job-id $JOB --query CreatedResourceArn --output \
         text)\n\
         {}", case.back_up("$RESTORED"));
    vec![
            case.look_at_recovery_point(
                "Begin with a backup; this recovery point will do. Its key is managed by AWS: it cannot be shared, and its policy \
                 cannot be changed. To look at it",
            ),
            restore,
            again,
            case.copy_that("work on with the restored resource, or move the original to the customer managed key"),
    ]
}
