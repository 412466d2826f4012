//! The destination vault itself: its key, its retention range, whether it exists.

use super::key::usable_again;
use super::vault_policy::NO_VAULT;
use super::{ADMITTED, Entry, Family, Pages, Remedy, Shown, console, never, page, rules};
use crate::access::{Access, COPY_INTO_BACKUP_VAULT, vault_key_access};
use crate::advice::{Case, lower_first, owner_of_key, step};
use crate::assess::{
    Checked, SAME_ACCOUNT, Verdict, confirmed, depends_on, found, not_checkable, ruled_out,
    unreadable,
};
use crate::fact::{Fact, UnknownReason};
use crate::facts::{BackupVault, Facts, Key, KeyFacts, KeyManager, SourceKey, VaultKey};
use crate::features::{is_fully_managed, is_of_own_service};
use crate::job::BackupCopy;
use crate::messages::wording::AT_DESTINATION;

pub(super) static KEY: Entry = Entry {
    slug: "destination-vault-key",
    title: "The destination vault has no key that this copy can use",
    happens: "The destination vault is encrypted with the default key aws/backup, or its key is disabled, waits for \
        its deletion, is gone or does not admit who encrypts the copy. A vault on the default key takes no copy of a type that AWS Backup does not manage \
        fully.",
    found: "The vault names its key, and AWS KMS describes it. Its policy is evaluated for who encrypts the copy: \
        AWSServiceRoleForBackup of the destination account, or the job role into a logically air-gapped vault. Inside one account it \
        is not documented who does.",
    also: "The key may be that of the destination vault.",
    messages: rules! {
        // Documented: the destination vault "is encrypted with the default Backup service managed
        // key".
        First 80 ["default backup service managed key|default aws backup service managed key\
             |only the contents of a backup vault encrypted by|default backup service-managed key"]
            => "The destination vault is encrypted with the default service key.";
        First 90 ["vault is encrypted with the default|vault is encrypted with an aws managed key\
             |vault is encrypted with the aws managed key|vault is encrypted with aws/backup\
             |vault uses the default|vault is encrypted with an aws owned key\
             |vault is encrypted with an aws-owned key",
            "cannot|not supported|failed|not be copied|not allowed"]
            => "The vault is encrypted with a key that is not the customer's own.";
        // Documented: "Storage Gateway backup copies require a user-created backup vault and key at
        // destination."
        First 100 ["user-created backup vault|user created backup vault|user-created vault and key"]
            => "The copy needs a vault and a key of your own at the destination.";
        // Documented: "The default vault cannot be a destination". The wording is inferred.
        First 110 ["default vault|default backup vault", "cannot be used as|cannot be a\
             |not supported as|not be the destination|not be a destination|not allowed as"]
            => "The default vault cannot be the destination.";
        // Seen: RDS on a copy to another Region without a key. EC2: "Creating an unencrypted copy
        // from an encrypted snapshot is not supported."
        First 120 ["must specify new kms key|must specify a new kms key|must specify a kms key\
             |specify new kms key for cross|unencrypted copy from an encrypted"]
            => "A copy of an encrypted snapshot to another Region needs a key there.";
        // Seen: RDS names the key of the copy "target KMS key".
        First 130 [AT_DESTINATION, "does not exist|not enabled|disabled|not accessible|pending\
             |not found|not have permission|denied|unavailable|not be used|not usable"]
            => "The key of the destination vault cannot be used.";
    },
    shown: Shown::ByFacts(130, key, is_open),
    families: &[Family::Key],
    remedy: Remedy::Advise,
    who: |case| match case.unusable_vault_key() {
        Some(key) => owner_of_key(&key.arn),
        None => case.vault_owner(),
    },
    steps: key_steps,
    console: console::vault_key,
    page: Pages::ByCase(page::ENCRYPTION, |case| {
        case.unusable_vault_key().map(|_| page::KEY_STATES)
    }),
};

pub(super) static RETENTION: Entry = Entry {
    slug: "retention-out-of-range",
    title: "The retention is outside the destination vault's range",
    happens: "The destination vault has a vault lock with a shortest or a longest retention, and the copy asks for another one.",
    found: "The vault tells its range, and the job tells the retention of the copy.",
    also: ADMITTED,
    messages: rules! {
        // Documented: "The retention specified in the job is not within the range specified for the
        // target Backup Vault."
        First 320 ["retention|deleteafterdays|delete after days", "not within the range\
             |outside the range|outside of the range|out of range|out of the range|not in the range\
             |less than the minimum|lower than the minimum|below the minimum\
             |shorter than the minimum|greater than the maximum|more than the maximum\
             |exceeds the maximum|above the maximum|longer than the maximum|minretentiondays\
             |maxretentiondays|min retention|max retention|minimum retention|maximum retention\
             |not within the allowed|not within the permitted|outside the allowed\
             |outside the permitted"]
            => "The retention is outside the range of the destination vault.";
        // Inferred: "… must be between 7 and 35 days". A lifecycle has bounds of its own, so the
        // text must speak of the vault.
        First 330 ["must be between", "retention", "vault"]
            => "The retention is outside the range of the destination vault.";
    },
    shown: Shown::ByFacts(140, retention, never),
    families: &[],
    remedy: Remedy::Advise,
    who: |case| {
        let owner = lower_first(&case.vault_owner());
        format!("{}, together with {owner}", case.backup_owner())
    },
    steps: retention_steps,
    console: console::destination_vault,
    page: Pages::One(page::VAULT_LOCK),
};

pub(super) static NOT_FOUND: Entry = Entry {
    slug: "vault-not-found",
    title: "The backup vault does not exist",
    happens: "The backup plan names a vault that was deleted, or whose name, account or Region is wrong.",
    found: "AWS Backup describes the destination vault. Of one that does not exist it says \"Insufficient privileges to perform this \
        action\", whatever the caller may do, and it says so of some that exist: then nobody knows. copymend scan --facts and \
        copymend preflight read the list of all vaults of the account and Region: one that is not in it does not exist.",
    also: ADMITTED,
    messages: &[],
    shown: Shown::ByFacts(70, not_found, |_, facts| {
        facts.destination_vault.unknown().is_some()
    }),
    families: &[Family::Vault],
    remedy: Remedy::Advise,
    who: |case| case.vault_owner(),
    steps: not_found_steps,
    console: |case| console::there(case, "backup", "/backupvaults"),
    page: Pages::One(page::VAULTS),
};

/// Whether the vault's key may stop the copy for all that is known.
fn is_open(copy: &BackupCopy, facts: &Facts) -> bool {
    found(key(copy, facts)).0 == Verdict::NotCheckable && !is_key_of_aws_owned(facts)
}

/// Whether AWS owns the destination vault's key: nobody can look at it, and no copy needs anything
/// of it.
fn is_key_of_aws_owned(facts: &Facts) -> bool {
    let vault = facts.destination_vault.known().and_then(Option::as_ref);
    vault.is_some_and(BackupVault::has_aws_owned_key)
}

/// Whether the destination vault is of no use for the copy, because it is under an AWS managed key
/// that no copy of this type can be under: a vault's key can't be changed (AWS Backup,
/// `CreateBackupVault`, documented), so nothing that its policy or another key's could allow helps.
pub(crate) fn is_of_no_use(copy: &BackupCopy, facts: &Facts) -> bool {
    let is_of_aws = facts
        .vault_key
        .described()
        .is_some_and(|key| key.manager == KeyManager::Aws);
    is_default_vault(copy) || (is_of_aws && found(key(copy, facts)).0 == Verdict::Confirmed)
}

/// Where a copy goes, as far as it decides about the destination vault's key.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own, asked by its name"
)]
struct Way {
    /// A type that AWS Backup manages fully uses the vault's own key, without anybody's permission
    /// (AWS Backup, "Encryption for backups", documented).
    fully_managed: bool,
    from_air_gapped: bool,
    into_air_gapped: bool,
    /// Clusters that aren't encrypted stay so (AWS Backup, "Encryption for backups", documented).
    stays_plain: bool,
}

impl Way {
    fn of(copy: &BackupCopy, facts: &Facts) -> Self {
        let point = &copy.source_recovery_point;
        let into_air_gapped = facts.is_into_air_gapped_vault();
        let from_air_gapped = facts.leaves_air_gapped_vault(copy) == Some(true);
        let of_own_service = copy.resource_type.as_deref().is_some_and(is_of_own_service);
        Self {
            fully_managed: is_fully_managed(point) && !(from_air_gapped && of_own_service),
            from_air_gapped,
            into_air_gapped,
            // An air-gapped vault takes none; once the backup is encrypted, so is its copy.
            stays_plain: !into_air_gapped
                && facts.source_key == SourceKey::NotEncrypted
                && point.service() == "rds"
                && point.resource().starts_with("cluster-snapshot:"),
        }
    }
}

/// The vault that AWS Backup makes for each account and Region. It "can't be shared", whatever its
/// key, so no other account copies into it (AWS Backup, "Creating backup copies across AWS
/// accounts", documented).
const DEFAULT_VAULT: &str = "Default";

fn is_default_vault(copy: &BackupCopy) -> bool {
    copy.is_cross_account() && copy.destination_vault.name() == DEFAULT_VAULT
}

fn key(copy: &BackupCopy, facts: &Facts) -> Checked {
    if is_default_vault(copy) {
        return Ok(confirmed(
            "the destination is the vault `Default`, into which no other account can copy",
        ));
    }
    let way = Way::of(copy, facts);
    if is_key_of_aws_owned(facts) {
        return Err(not_checkable(
            "AWS owns the destination vault's key, and nobody can describe it",
        ));
    }
    if matches!(facts.destination_vault, Fact::Known(None)) {
        return Err(not_checkable(format!("{NO_VAULT}, so it has no key yet")));
    }
    if way.stays_plain && !copy.is_cross_account() {
        return Err(ruled_out("the copy stays unencrypted, as its source is"));
    }
    let key_facts = match &facts.vault_key {
        VaultKey::Unknown(why) => return Err(unreadable(why)),
        VaultKey::None => return Err(not_checkable("the destination vault names no key")),
        VaultKey::Key(key_facts) => key_facts,
    };
    let Some(key) = key_facts.key.read()? else {
        let named = &key_facts.arn;
        return Ok(confirmed(format!(
            "the destination vault's key `{named}` does not exist"
        )));
    };
    if key.manager == KeyManager::Aws {
        return of_aws(key, &way, copy, facts);
    }
    if !key.is_enabled() {
        return Ok(confirmed(format!(
            "the destination vault's key `{}` is in state {}",
            key.arn, key.state
        )));
    }
    if way.stays_plain || (way.fully_managed && !way.into_air_gapped) {
        return Ok(ruled_out(format!(
            "the destination vault's key `{}` is enabled, and the copy needs no more of it",
            key.arn
        )));
    }
    admits(key_facts, copy, facts)
}

/// To another account, and out of a logically air-gapped vault, only under a customer managed key
/// (AWS Backup, "Creating backup copies across AWS accounts" and "Logically air-gapped vaults",
/// documented). Inside an account also under the AWS managed key of the type's own service (AWS
/// Backup, "Encryption for backups", documented for Amazon EBS, inferred for the others).
fn of_aws(key: &Key, way: &Way, copy: &BackupCopy, facts: &Facts) -> Checked {
    let of_no_use = || {
        confirmed(format!(
            "the destination vault uses the AWS managed key `{}`",
            key.arn
        ))
    };
    if way.fully_managed && !way.from_air_gapped && !way.into_air_gapped {
        return Err(ruled_out(
            "fully managed types may use any key of the destination vault",
        ));
    }
    if copy.is_cross_account() || way.from_air_gapped {
        return Ok(of_no_use());
    }
    let Some(own) = &facts.service_default_key else {
        return Err(not_checkable(
            "which AWS managed key the destination vault uses was not asked",
        ));
    };
    Ok(match own.read()? {
        Some(own) if *own == key.arn => ruled_out(format!(
            "the destination vault's key `{}` is the AWS managed key of the type's own service",
            key.arn
        )),
        Some(_) | None => of_no_use(),
    })
}

/// Whether the key's policy admits who encrypts the copy.
fn admits(key: &KeyFacts, copy: &BackupCopy, facts: &Facts) -> Checked {
    let policy = key.policy.read()?;
    let (user, access) = vault_key_access(policy, &key.arn, &key.tags, copy, facts);
    let user = user.shown(copy);
    // Inside an account it is inferred who that is.
    let is_known = copy.is_cross_account() || facts.is_into_air_gapped_vault();
    let (arn, policy) = (&key.arn, "the policy of the destination vault's key");
    Ok(match access {
        Access::Allowed => ruled_out(format!(
            "the destination vault's key `{arn}` is usable, and its policy admits {user}"
        )),
        Access::Unknown { keys } => depends_on(policy, &keys),
        Access::Denied { .. } | Access::Missing { .. } if !is_known => not_checkable(format!(
            "{SAME_ACCOUNT}; {policy} does not admit {user}, and who uses it then is not documented"
        )),
        Access::Denied {
            action,
            statement,
            text,
        } => (
            Verdict::Confirmed,
            vec![
                format!(
                    "statement {} of {policy} denies {action} to {user}",
                    statement.saturating_add(1)
                ),
                text,
            ],
        ),
        Access::Missing { actions } => {
            // What one policy doesn't allow, another may.
            key.policy_names.read()?;
            let others: Vec<&str> = key.other_policies().collect();
            if others.is_empty() {
                confirmed(format!(
                    "the policy of the destination vault's key `{arn}` does not allow {} to {user}",
                    actions.join(", ")
                ))
            } else {
                not_checkable(format!(
                    "the policy `default` of `{arn}` does not admit {user}, but the key has other policies too: {}",
                    others.join(", ")
                ))
            }
        }
    })
}

fn retention(copy: &BackupCopy, facts: &Facts) -> Checked {
    let vault = facts.destination_vault.read()?.as_ref();
    let vault = vault.ok_or_else(|| ruled_out(NO_VAULT))?;
    let (min, max) = (vault.min_retention_days, vault.max_retention_days);
    if min.is_none() && max.is_none() {
        return Err(ruled_out("the destination vault sets no retention range"));
    }
    let [shortest, longest] =
        [min, max].map(|days| days.map_or_else(|| "any".to_owned(), |days| days.to_string()));
    let range = format!("the vault accepts {shortest} to {longest} days");
    let lifecycle = copy.lifecycle.as_ref();
    let days = lifecycle
        .and_then(|lifecycle| lifecycle.delete_after_days)
        .ok_or_else(|| not_checkable(format!("{range}; the job names no retention")))?;
    // -1 keeps the copy for ever.
    let too_short = days >= 0 && min.is_some_and(|min| days < min);
    let too_long = max.is_some_and(|max| days < 0 || days > max);
    let text = format!("{range}; the copy asks for {days}");
    Ok(if too_short || too_long {
        confirmed(text)
    } else {
        ruled_out(text)
    })
}

/// What AWS Backup says of a vault that doesn't exist, to a caller with every permission (seen:
/// aws/aws-sdk-js#2625, ansible-collections/amazon.aws#1436). It is no statement of absence: a call
/// that is refused for another reason may be answered so too.
const SAID_OF_NO_VAULT: &str = "Insufficient privileges to perform this action";

fn not_found(copy: &BackupCopy, facts: &Facts) -> Checked {
    if let Some(why) = facts.destination_vault.unknown()
        && why.reason == UnknownReason::AccessDenied
        && why.detail.contains(SAID_OF_NO_VAULT)
    {
        let (verdict, mut evidence) = unreadable(why);
        evidence.push("AWS Backup says so of a vault that does not exist, too".to_owned());
        return Ok((verdict, evidence));
    }
    Ok(match facts.destination_vault.read()? {
        None => confirmed(format!("`{}` does not exist", copy.destination_vault)),
        Some(_) => ruled_out("the destination vault exists"),
    })
}

fn describe_vault(case: &Case<'_>) -> String {
    format!(
        "aws backup describe-backup-vault --backup-vault-name {} --region {}",
        case.vault(),
        case.region()
    )
}

fn key_steps(case: &Case<'_>) -> Vec<String> {
    if let Some(key) = case.unusable_vault_key() {
        let mut steps = vec![format!(
            "Vault `{}` uses the key `{}`, which is in state {}.",
            case.vault(),
            key.arn,
            key.state
        )];
        steps.extend(usable_again(&key.arn, Some(&key.state)));
        steps.push(case.start_again());
        return steps;
    }
    let mut steps = vec![
        step!("Look at the key of vault `{}` (EncryptionKeyArn). The copy needs a customer managed key, and a vault's key cannot \
             be changed", case.vault();
            "{}", describe_vault(case)),
    ];
    steps.extend(another(case, "Make another vault"));
    steps
}

/// Another vault beside the destination vault: a standard one, under a customer managed key. `why`
/// is how the steps begin.
pub(super) fn another(case: &Case<'_>, why: &str) -> Vec<String> {
    let (account, region) = (case.account(), case.region());
    let name = new_vault_name(case.vault());
    let arn = format!(
        "arn:{}:backup:{region}:{account}:backup-vault:{name}",
        case.event().destination_vault.partition()
    );
    vec![
        step!("{why}. Create a customer managed key for it, or use one that you have, in account {account}";
            "KEY=$(aws kms create-key --region {region} --query KeyMetadata.Arn --output text)"),
        step!("Create a vault under that key";
            "aws backup create-backup-vault --backup-vault-name {name} --region {region} --encryption-key-arn $KEY"),
        case.save_vault_policy(),
        step!("Give it to the new vault. It must allow {COPY_INTO_BACKUP_VAULT} to the role {}; where it names the old vault, \
             write the new one", case.role_shown();
            "{}", case.put_vault_policy(&name)),
        format!(
            "In the backup plan of account {}, point the copy action at `{arn}`. If Copymend may repair that vault, add it to \
             COPYMEND_ALLOWED_DESTINATIONS.",
            case.source_account()
        ),
    ]
}

/// A name for another vault: at most 50 letters, digits, `-` and `_` (`CreateBackupVault`,
/// documented).
fn new_vault_name(old: &str) -> String {
    if old.len() <= 46 && !old.contains(['/', '.']) {
        format!("{old}-cmk")
    } else {
        "copies-cmk".to_owned()
    }
}

fn retention_steps(case: &Case<'_>) -> Vec<String> {
    let (min, max) = case.destination_vault().map_or((None, None), |vault| {
        (vault.min_retention_days, vault.max_retention_days)
    });
    let range = match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max} days"),
        (Some(min), None) => format!("{min} days or more"),
        (None, Some(max)) => format!("at most {max} days"),
        (None, None) => "what MinRetentionDays and MaxRetentionDays say".to_owned(),
    };
    vec![
        step!("Vault `{}` accepts a retention of {range}. Its settings", case.vault();
            "{}", describe_vault(case)),
        format!(
            "In the backup plan of account {}, set the retention of the copy action inside that range. Copymend never touches a \
                 vault lock.",
            case.source_account()
        ),
        case.start_again_for(
            "Start this copy again with a retention that the vault accepts",
            min.or(max),
        ),
    ]
}

fn not_found_steps(case: &Case<'_>) -> Vec<String> {
    vec![
        step!("Check whether vault `{}` exists", case.vault(); "{}", describe_vault(case)),
        format!(
            "If the name, the account or the Region is wrong, correct the copy action in the backup plan of account {}.",
            case.source_account()
        ),
        step!("If the vault should exist, create a customer managed key for it, or use one that you have";
            "KEY=$(aws kms create-key --region {} --query KeyMetadata.Arn --output text)", case.region()),
        step!("Create the vault under that key";
            "aws backup create-backup-vault --backup-vault-name {} --region {} --encryption-key-arn $KEY", case.vault(),
            case.region()),
        case.start_again(),
    ]
}
