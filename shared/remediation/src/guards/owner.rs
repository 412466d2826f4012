//! The guards of the owners: what they listed, what they tagged, and whom they know.

use copymend_diagnosis::access::{Exclusion, key_exclusions, vault_exclusions};
use copymend_diagnosis::{Fact, Facts, KeyArn, SourceKey, Tags};
use copymend_policy::{
    AccountId, KeyProfile, Request, Statement, VaultScope, exclusions_of_anyone,
};

use super::{Act, Answer, Question, not_known};
use crate::plan::Target;
use crate::settings::ArnPattern;

/// The tag by which an owner keeps Copymend away from a vault or key.
pub const OPT_OUT_TAG: (&str, &str) = ("copymend", "never");

pub(super) fn allowed(setting: &str, patterns: &[ArnPattern], arn: &str) -> (bool, String) {
    match patterns.iter().find(|pattern| pattern.admits(arn)) {
        Some(pattern) => (true, format!("`{}` admits `{arn}`", pattern.as_str())),
        None if patterns.is_empty() => (false, format!("{setting} is empty, which admits nothing")),
        None => (false, format!("{setting} does not admit `{arn}`")),
    }
}

pub(super) fn key_allowed(question: &Question<'_>) -> Answer {
    let key = match question.target()? {
        Target::KeyPolicy(key) => key,
        Target::VaultPolicy(_) | Target::ServiceLinkedRole(_) => return None,
    };
    let (setting, patterns) = ("COPYMEND_ALLOWED_KEYS", &question.settings.allowed_keys);
    let source = question.failure.copy().account;
    let entry = entry_of_key(patterns, key, source);
    if entry.is_none() && key.account_id() != Some(source) && !patterns.is_empty() {
        let detail = format!(
            "`{key}` is of a third account, and no entry of {setting} that names it admits the key"
        );
        return Some((false, detail));
    }
    Some(match entry {
        Some(pattern) => (true, format!("`{}` admits `{key}`", pattern.as_str())),
        None => allowed(setting, patterns, key.as_str()),
    })
}

/// The entry that admits a key. The owner of a third account's key must have been named: an entry
/// for any account wasn't written with it in mind.
pub(super) fn entry_of_key<'p>(
    patterns: &'p [ArnPattern],
    key: &KeyArn,
    source: AccountId,
) -> Option<&'p ArnPattern> {
    let owner = key.account_id();
    patterns.iter().find(|pattern| {
        let account = pattern.as_str().split(':').nth(4);
        let is_named = owner.is_some_and(|owner| account == Some(owner.as_str()));
        pattern.admits(key.as_str()) && (owner == Some(source) || is_named)
    })
}

/// The tags by which owners may keep Copymend away.
#[derive(Clone, Copy, Debug)]
pub struct OwnerTags<'t> {
    /// Those of the destination vault.
    pub vault: &'t Fact<Tags>,
    /// Those of the source key, where there is one.
    pub key: Option<&'t Fact<Tags>>,
}

impl<'f> From<&'f Facts> for OwnerTags<'f> {
    fn from(facts: &'f Facts) -> Self {
        Self {
            vault: &facts.vault_tags,
            key: match &facts.source_key {
                SourceKey::Key(key) => Some(&key.tags),
                SourceKey::NotEncrypted | SourceKey::Unknown(_) => None,
            },
        }
    }
}

/// Whether these tags keep Copymend away.
pub(crate) fn is_opt_out(tags: &Tags) -> bool {
    let (key, value) = OPT_OUT_TAG;
    tags.iter()
        .any(|(tag, content)| tag.eq_ignore_ascii_case(key) && content.eq_ignore_ascii_case(value))
}

/// Whether neither the vault's nor the key's owner keeps Copymend away. A retry and a vault's
/// statement grant nothing on the key, which may be of an account that can't be read: there, tags
/// that aren't known stop nothing.
pub(super) fn not_opted_out(question: &Question<'_>) -> Answer {
    let tags = question.facts.map(OwnerTags::from).or(question.tags)?;
    let (vault, key) = (of_tags("vault", tags.vault), tags.key);
    let writes_the_key = matches!(question.target(), Some(Target::KeyPolicy(_)));
    Some(match key {
        Some(tags) if tags.known().is_some_and(is_opt_out) => of_tags("key", tags),
        Some(tags) if writes_the_key && vault.0 => of_tags("key", tags),
        Some(_) | None => vault,
    })
}

fn of_tags(what: &str, tags: &Fact<Tags>) -> (bool, String) {
    let (key, value) = OPT_OUT_TAG;
    match tags {
        Fact::Unknown(why) => (false, format!("the {what}'s tags are not known: {why}")),
        Fact::Known(tags) => {
            let opted_out = is_opt_out(tags);
            let not = if opted_out { "" } else { "not " };
            (
                !opted_out,
                format!("the {what} is {not}tagged {key}={value}"),
            )
        }
    }
}

/// A statement for a role that doesn't exist would admit whoever makes one of that name.
pub(super) fn job_role_exists(question: &Question<'_>) -> Answer {
    let named = &question.failure.job().role;
    Some(match &question.facts?.job_role {
        Fact::Unknown(why) => not_known(&format!("whether `{named}` exists"), why),
        Fact::Known(Some(role)) if role.arn == *named => (true, format!("`{named}` exists")),
        Fact::Known(_) => (false, format!("`{named}` does not exist")),
    })
}

/// Whether all accounts that the copy has to do with are in the organization that is expected: the
/// source's, the destination's, and where the source key's policy is changed, its owner's.
pub(super) fn same_organization(question: &Question<'_>) -> Answer {
    let facts = question.facts?;
    let mut accounts = vec![
        ("source", &facts.source_organization),
        ("destination", &facts.destination_organization),
    ];
    if question.act == Act::KeyPolicy
        && let SourceKey::Key(key) = &facts.source_key
    {
        accounts.push(("key's account", &key.organization));
    }
    let mut expected = question.settings.organization_id.as_ref();
    for (which, organization) in accounts {
        let organization = match organization {
            Fact::Unknown(why) => {
                let what = format!("the organization of the {which}");
                return Some(not_known(&what, why));
            }
            Fact::Known(None) => {
                return Some((false, format!("the {which} is in no organization")));
            }
            Fact::Known(Some(organization)) => organization,
        };
        let expected = *expected.get_or_insert(&organization.id);
        if organization.id != *expected {
            let detail = format!("the {which} is in {}; expected {expected}", organization.id);
            return Some((false, detail));
        }
    }
    Some((true, format!("all accounts are in {}", expected?)))
}

/// The actions that a granted action stands for: one of those that Copymend grants has a wildcard (KMS
/// developer guide, "AWS KMS permissions", documented).
fn in_full(action: &str) -> Vec<&str> {
    match action {
        "kms:ReEncrypt*" => vec!["kms:ReEncryptFrom", "kms:ReEncryptTo"],
        one => vec![one],
    }
}

/// Whether no statement of the policy keeps the copy out on purpose. What a whole account or
/// organization is to be let into must keep nobody out.
pub(super) fn not_excluded(question: &Question<'_>) -> Answer {
    let (facts, copy) = (question.facts?, question.failure.copy());
    let edit = question.edit()?;
    let mut excluded = match (&edit.before, &facts.source_key) {
        (None, _) => Vec::new(),
        (Some(policy), SourceKey::Key(key)) if question.act == Act::KeyPolicy => {
            key_exclusions(policy, &key.arn, &key.tags, copy, facts)
        }
        (Some(policy), _) => vault_exclusions(policy, copy, facts),
    };
    let admits_others = match question.act {
        Act::VaultPolicy => question.settings.vault_scope != VaultScope::Role,
        Act::KeyPolicy => question.settings.key_profile != KeyProfile::LeastPrivilege,
        Act::ServiceLinkedRole | Act::Retry => false,
    };
    if let Some(policy) = edit.before.as_ref().filter(|_| admits_others) {
        let resource = question.target()?.as_str();
        let sids = crate::plan::sids(&edit.added);
        let ours = edit.after.statements().iter().filter(|statement| {
            let sid = statement.sid();
            sids.iter().any(|ours| sid == Some(ours.as_str()))
        });
        // Whom the statement admits: for a key the whole destination account.
        let admitted = match (question.act, copy.destination_vault.account_id()) {
            (Act::KeyPolicy, Some(account)) => {
                format!("arn:{}:iam::{account}:root", copy.role.partition())
            }
            (Act::KeyPolicy, None)
            | (Act::VaultPolicy | Act::ServiceLinkedRole | Act::Retry, _) => copy.role.to_string(),
        };
        for action in ours.flat_map(Statement::actions).flat_map(in_full) {
            let request = Request::new(&admitted, action, resource);
            let places = exclusions_of_anyone(policy, &request);
            let statements = places
                .iter()
                .filter_map(|place| policy.statements().get(*place));
            excluded.extend(statements.map(|statement| Exclusion {
                statement: statement.as_str(),
                is_certain: true,
            }));
        }
    }
    let certain = excluded.iter().find(|exclusion| exclusion.is_certain);
    Some(match (certain, excluded.first()) {
        (None, None) => (
            true,
            "no statement keeps the copy out on purpose".to_owned(),
        ),
        (Some(Exclusion { statement, .. }), _) => (
            false,
            format!("a statement would allow the copy, but keeps it out: {statement}"),
        ),
        (None, Some(Exclusion { statement, .. })) => not_known(
            "whether a statement keeps the copy out on purpose",
            format!(
                "it has an exception of which nobody can tell whether it means the copy: {statement}"
            ),
        ),
    })
}
