//! The guards of the owners: what they listed, what they tagged, and whom they know.

use copymend_diagnosis::{Fact, Facts, SourceKey, Tags};

use super::{Answer, Question};
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
    Some(allowed(
        "COPYMEND_ALLOWED_KEYS",
        &question.settings.allowed_keys,
        key.as_str(),
    ))
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
fn is_opt_out(tags: &Tags) -> bool {
    let (key, value) = OPT_OUT_TAG;
    tags.iter()
        .any(|(tag, content)| tag.eq_ignore_ascii_case(key) && content.eq_ignore_ascii_case(value))
}

/// Whether neither the vault's nor the key's owner keeps Copymend away. A retry and a vault's statement grant nothing on the key,
/// which may be of an account that can't be read: there, tags that aren't known stop nothing.
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
        Fact::Unknown(why) => (false, why.to_string()),
        Fact::Known(Some(role)) if role.arn == *named => (true, format!("`{named}` exists")),
        Fact::Known(_) => (false, format!("`{named}` does not exist")),
    })
}

pub(super) fn same_organization(question: &Question<'_>) -> Answer {
    let facts = question.facts?;
    let expected = question.settings.organization_id.as_ref();
    Some(
        match (&facts.source_organization, &facts.destination_organization) {
            (Fact::Unknown(why), _) | (_, Fact::Unknown(why)) => (false, why.to_string()),
            (Fact::Known(Some(source)), Fact::Known(Some(destination))) => {
                let expected = expected.unwrap_or(&source.id);
                let same = source.id == destination.id && source.id == *expected;
                let detail = if same {
                    format!("both accounts are in {}", source.id)
                } else {
                    format!(
                        "the source is in {}, the destination in {}; expected {expected}",
                        source.id, destination.id
                    )
                };
                (same, detail)
            }
            (Fact::Known(_), Fact::Known(_)) => {
                (false, "an account is in no organization".to_owned())
            }
        },
    )
}
