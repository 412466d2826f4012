//! The policy of the key of the source backup.

use copymend_policy::PolicyDocument;

use super::image_keys::worse;
use super::key_policy_steps::{deny_steps, policy_steps, same_account_page};
use super::{
    ADMITTED, Cause, Entry, Family, Pages, Remedy, Repairable, Shown, console, image_keys, key,
    page, rules,
};
use crate::access::{
    Access, UserAccess, admits_destination_account, is_source_keys_user_unknown, open_denies,
    source_key_access, source_key_access_of, without_denies,
};
use crate::assess::{
    Checked, Finding, Verdict, confirmed, depends_on, depends_on_denies, not_checkable, ruled_out,
};
use crate::facts::{Facts, KeyFacts, KeyManager};
use crate::job::BackupCopy;
use crate::messages::wording::{
    ANOTHER_KEY, AT_DESTINATION, NOT_ALLOWED, OR_EXPLICIT_DENY, OTHER_POLICIES,
};

pub(super) static POLICY: Entry = Entry {
    slug: "source-key-policy",
    title: "The key policy of the source backup does not admit the destination account",
    happens: "The backup is encrypted with a customer managed key. Its policy must let AWSServiceRoleForBackup of \
        the destination account use the key, and it does not. For a copy into a logically air-gapped vault it must \
        admit the job role instead, and for one out of such a vault both.",
    found: "The key's policy is read and evaluated, as IAM would do it, for who uses the key. Inside one account it is not \
        documented who does, nor for types that AWS Backup manages fully.",
    also: "A key policy that does not admit the destination account gives the same text.",
    messages: rules! {
        // Documented: "Given key ID is not accessible. You must have DescribeKey permissions on the
        // default key". It appears for a key policy that admits nobody and for the default key.
        Keys 10 ["key id is not accessible|key is not accessible|must have describekey permission",
            "default cmk|default key|default kms key|default customer master key"]
            not [AT_DESTINATION] or [AwsManagedKey, SourceKeyState, KeyNotFound]
            => "The key cannot be used from the destination account.";
        // Documented: "Given key ID is not accessible".
        Keys 20 ["not accessible|inaccessible|kmskeynotaccessible|unable to access|not be accessed",
            "key id|kms key|encryption key|customer managed key|cmk|kmskeynotaccessible|:key/\
             |keyid"] not [AT_DESTINATION] or [SourceKeyState, AwsManagedKey, KeyNotFound]
            => "The key cannot be used from the destination account.";
        // Documented: RDS "The source snapshot KMS key [arn] does not exist, is not enabled or you
        // do not have permissions to access it", whatever the order of its parts.
        Keys 30 ["or you do not have permission", "not enabled", "not exist\
             |not enabled or you do not|not enabled, or you do not", "kms key|cmk|encryption key"]
            not [AT_DESTINATION, ANOTHER_KEY] or [SourceKeyState, KeyNotFound, AwsManagedKey]
            => "The key of the source snapshot cannot be used from the destination account.";
        // Documented pattern "kms key" with an access text: the message says that the key refuses.
        // The wording is inferred.
        Keys 80 ["access to kms key is denied|access to the kms key is denied\
             |access to kms key denied|access denied to kms key|access denied to the kms key\
             |access to the key is denied|access denied for kms key"]
            not [ANOTHER_KEY, "key of the destination|key of destination\
                 |either disabled or pending deletion| role| user | sns|grant was\
                 |destination region|denied by|denied due to|denied because|denied: | lacks "]
            or [JobRolePermission, AwsManagedKey, SourceKeyDeny]
            => "The message says that access to the key is denied.";
        // Inferred: a key policy named in plain words. The words must stand together, for a text
        // may name several policies.
        Keys 130 ["key policy does not|key policy of arn:aws|key policy of the source key\
             |key policy of the source snapshot|key policy of the kms key does not\
             |key policy of the key does not", NOT_ALLOWED]
            not [ANOTHER_KEY, "to perform|key policy allows|boundary|secretsmanager| allows it\
                 | permits it|key of the destination|key of destination"]
            besides [JobRolePermission, DestinationVaultKey]
            => "The message says that the key policy does not allow the use.";
    },
    shown: Shown::ByFacts(
        200,
        |copy, facts| {
            Ok(image_keys::at_each(
                |copy, facts| key_policy(false, copy, facts),
                copy,
                facts,
            ))
        },
        |copy, facts| image_keys::is_any_open(is_policy_open, copy, facts),
    ),
    families: &[Family::Key, Family::UnlessDenied(Cause::SourceKeyDeny)],
    remedy: Remedy::Repair(Repairable::KeyPolicy),
    who: |case| case.key_owner(),
    steps: policy_steps,
    console: console::source_key,
    page: Pages::ByCase(page::KEY_POLICIES, same_account_page),
};

pub(super) static DENY: Entry = Entry {
    slug: "source-key-deny",
    title: "The key policy of the source backup denies the copy",
    happens: "A Deny statement of the source key's policy matches the copy. No Allow outweighs a Deny.",
    found: "The key's policy is read and evaluated; the evidence quotes the statement.",
    also: "A Deny in the key policy gives the same text.",
    messages: rules! {
        Keys 150 ["key policy denies|denied by the key policy|denied by key policy"]
            => "The message says that the key policy denies the use.";
        Keys 160 ["key policy|key's policy", "explicitly den|explicit den"]
            not [OTHER_POLICIES, OR_EXPLICIT_DENY, "authorized to perform:|authorised to perform:\
                 |no explicit den|not explicitly den"]
            => "The message says that the key policy denies the use.";
    },
    shown: Shown::ByFacts(
        190,
        |copy, facts| {
            Ok(image_keys::at_each(
                |copy, facts| key_policy(true, copy, facts),
                copy,
                facts,
            ))
        },
        |copy, facts| image_keys::is_any_open(is_deny_open, copy, facts),
    ),
    families: &[Family::Key],
    remedy: Remedy::Advise,
    who: |case| case.key_owner(),
    steps: deny_steps,
    console: console::source_key,
    page: Pages::One(page::KEY_POLICIES),
};

pub(super) static CALL: Entry = Entry {
    slug: "key-policy",
    title: "The key policy does not let the caller or the job role use the key",
    happens: "A call or a job that is not a copy uses a key whose policy does not let the caller or the job role use it. It is \
        never the cause of a failed copy.",
    found: "The message of the refused call tells, and the key's policy where it can be read.",
    also: ADMITTED,
    messages: &[],
    shown: Shown::ByMessage,
    families: &[],
    remedy: Remedy::Advise,
    who: |case| case.key_owner(),
    steps: policy_steps,
    console: console::source_key,
    page: Pages::ByCase(page::KEY_POLICIES, same_account_page),
};

fn key_policy(denies: bool, copy: &BackupCopy, facts: &Facts) -> Checked {
    let (key_facts, key) = key::existing(facts)?;
    if key.manager == KeyManager::Aws {
        return Err(ruled_out(format!(
            "`{}` is an AWS managed key, whose policy cannot be changed",
            key.arn
        )));
    }
    let policy = key_facts.policy.read()?;
    // What one policy doesn't allow, another may.
    if !denies {
        key_facts.policy_names.read()?;
    }
    let is_user_unknown = is_source_keys_user_unknown(copy, facts);
    let (arn, tags) = (&key_facts.arn, &key_facts.tags);
    if !denies && is_user_unknown && admits_destination_account(policy, arn, tags, copy, facts) {
        return Ok(ruled_out(format!(
            "the key policy allows what the copy needs to account {} as a whole",
            copy.destination_account
        )));
    }
    let answers = source_key_access(policy, &key_facts.arn, &key_facts.tags, copy, facts);
    let stands = |one: &&UserAccess| one.is_certain;
    let of_users = |answers: Vec<&UserAccess>| {
        let findings = answers.into_iter().map(|one| {
            let user = one.user.shown(copy);
            let access = |policy: &PolicyDocument| {
                source_key_access_of(
                    one.user,
                    policy,
                    &key_facts.arn,
                    &key_facts.tags,
                    copy,
                    facts,
                )
            };
            if denies {
                denied(&one.access, &user, &open_denies(policy, access))
            } else {
                let behind = without_denies(policy).as_ref().map(access);
                admitted(&one.access, behind, key_facts, &user)
            }
        });
        findings.reduce(worse)
    };
    let (certain, inferred): (Vec<&UserAccess>, Vec<&UserAccess>) =
        answers.iter().partition(stands);
    let certain = of_users(certain);
    let is_inside = !copy.is_cross_account() && facts.enters_air_gapped_vault() == Some(false);
    // Of several, it must be one.
    let are_all_refused = !is_inside && inferred.len() > 1 && {
        let mut inferred = inferred.iter();
        inferred.all(|one| match one.access {
            Access::Denied { .. } => denies,
            Access::Missing { .. } => !denies,
            Access::Allowed | Access::Unknown { .. } => false,
        })
    };
    let inferred = of_users(inferred).map(|(verdict, mut evidence)| {
        evidence.push(
            if is_inside {
                "source and destination are one account; which principal uses the key then is not documented"
            } else if is_user_unknown {
                "AWS Backup manages this type fully; which principal of the destination account uses the key then is not documented"
            } else {
                "which principal uses the key depends on the kinds of the two vaults, which are not known"
            }
            .to_owned(),
        );
        let verdict = if are_all_refused { verdict } else { Verdict::NotCheckable };
        (verdict, evidence)
    });
    Ok(match (certain, inferred) {
        (Some(certain), Some(inferred)) => worse(certain, inferred),
        (Some(finding), None) | (None, Some(finding)) => finding,
        (None, None) => not_checkable("nobody is known to use the key"),
    })
}

/// Whether a Deny of the policy keeps a user out.
fn denied(access: &Access, user: &str, open: &[&str]) -> Finding {
    match access {
        Access::Denied {
            action,
            statement,
            text,
        } => (
            Verdict::Confirmed,
            vec![
                format!(
                    "statement {} of the key policy denies {action} to {user}",
                    statement.saturating_add(1)
                ),
                text.clone(),
            ],
        ),
        Access::Unknown { keys } => depends_on_denies("the key policy", keys, open),
        Access::Missing { .. } | Access::Allowed => ruled_out("no Deny of the key policy matches"),
    }
}

/// Whether the policy doesn't admit a user; `behind` is what it answers without its Denies.
fn admitted(access: &Access, behind: Option<Access>, key_facts: &KeyFacts, user: &str) -> Finding {
    match access {
        Access::Unknown { keys } => depends_on("the key policy", keys),
        Access::Missing { actions } => not_allowed("", actions, key_facts, user),
        Access::Allowed => ruled_out(format!(
            "the key policy allows what the copy needs to {user}"
        )),
        Access::Denied { .. } => match behind {
            Some(Access::Allowed) => ruled_out(format!(
                "without its Deny, the key policy allows what the copy needs to {user}"
            )),
            Some(Access::Missing { actions }) => {
                not_allowed("also without its Deny, ", &actions, key_facts, user)
            }
            Some(Access::Unknown { keys }) => depends_on("the key policy", &keys),
            Some(Access::Denied { .. }) | None => not_checkable("a Deny decides"),
        },
    }
}

fn is_policy_open(copy: &BackupCopy, facts: &Facts) -> bool {
    is_open(copy, facts, |one| one.access != Access::Allowed)
}

fn is_deny_open(copy: &BackupCopy, facts: &Facts) -> bool {
    is_open(copy, facts, |one| {
        matches!(one.access, Access::Denied { .. } | Access::Unknown { .. })
    })
}

/// Whether the policy wasn't read, or keeps somebody out who may use the key for this copy.
fn is_open(copy: &BackupCopy, facts: &Facts, keeps_out: fn(&UserAccess) -> bool) -> bool {
    if key::is_unread(copy, facts) {
        return true;
    }
    let Ok((key, _)) = key::existing(facts) else {
        return false;
    };
    key.policy.known().is_some_and(|policy| {
        let answers = source_key_access(policy, &key.arn, &key.tags, copy, facts);
        answers.iter().any(keeps_out)
    })
}

fn not_allowed(also: &str, actions: &[&str], key_facts: &KeyFacts, user: &str) -> Finding {
    let others: Vec<&str> = key_facts.other_policies().collect();
    if others.is_empty() {
        confirmed(format!(
            "{also}the key policy of `{}` does not allow {} to {user}",
            key_facts.arn,
            actions.join(", ")
        ))
    } else {
        not_checkable(format!(
            "{also}the policy `default` does not allow it, but the key has other policies too: {}",
            others.join(", ")
        ))
    }
}
