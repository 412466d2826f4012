//! Whose copies may lead to a repair or a retry.

use std::str::FromStr;

use copymend_diagnosis::{BackupVaultArn, RoleArn};
use copymend_policy::{AccountId, VaultScope, arn_matches};

use super::{ArnPattern, has_only_wildcards, is_partition_pattern};

/// One entry of `COPYMEND_ALLOWED_SOURCES`: an account or a pattern of job role ARNs, alone (into
/// every allowlisted destination) or followed by `>` and a pattern of destination vault ARNs.
///
/// ```
/// use copymend_remediation::settings::AllowedSource;
///
/// let entry: AllowedSource =
///     "arn:aws:iam::111122223333:role/Backup*>arn:aws:backup:*:444455556666:backup-vault:dr-*".parse()?;
/// let vault = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-1".parse()?;
/// assert!(entry.admits(&"arn:aws:iam::111122223333:role/BackupRole".parse()?, &vault));
/// assert!(!entry.admits(&"arn:aws:iam::111122223333:role/Other".parse()?, &vault));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedSource {
    written: String,
    source: Source,
    destination: Option<ArnPattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// `*`.
    Everyone,
    /// Every role of an account.
    Account(AccountId),
    /// Role ARNs. A wildcard stays within one of the six parts, and may stand for a slash.
    Roles(String),
}

/// Whom a change would admit beside the copy that it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admits {
    /// Nobody: a retry, the key's use by the destination, a statement for one role.
    ThisRole,
    /// Every role of the source account.
    ItsAccount,
    /// Roles of other accounts too.
    OtherAccounts,
}

impl From<VaultScope> for Admits {
    fn from(scope: VaultScope) -> Self {
        match scope {
            VaultScope::Role => Self::ThisRole,
            VaultScope::Account => Self::ItsAccount,
            VaultScope::Organization | VaultScope::OrganizationalUnit => Self::OtherAccounts,
        }
    }
}

/// Why an entry is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an entry is an account id or a pattern of job role ARNs, alone or followed by `>` and a pattern of vault ARNs; a comma in a role's name is written `?`"
)]
pub struct NoSource;

impl AllowedSource {
    /// The entry as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether the entry names no source at all: `*`, and also `arn:aws:iam::*:role/*`.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        match &self.source {
            Source::Everyone => true,
            Source::Account(_) => false,
            Source::Roles(pattern) => has_only_wildcards(pattern),
        }
    }

    /// Whether a copy with this job role into this vault is of a listed route.
    #[must_use]
    pub fn admits(&self, role: &RoleArn, vault: &BackupVaultArn) -> bool {
        let source = match &self.source {
            Source::Everyone => true,
            Source::Account(account) => role.arn().account() == account.as_str(),
            Source::Roles(pattern) => arn_matches(pattern, role.as_str()),
        };
        source
            && self
                .destination
                .as_ref()
                .is_none_or(|pattern| pattern.admits(vault.as_str()))
    }

    /// Whether the entry also lists everyone whom such a change would admit.
    #[must_use]
    pub fn covers(&self, admits: Admits) -> bool {
        match (admits, &self.source) {
            (Admits::ThisRole, _)
            | (_, Source::Everyone)
            | (Admits::ItsAccount, Source::Account(_)) => true,
            // The whole sixth part: a role's path may hold colons.
            (Admits::ItsAccount, Source::Roles(pattern)) => {
                pattern.splitn(6, ':').nth(5) == Some("role/*")
            }
            (Admits::OtherAccounts, Source::Account(_) | Source::Roles(_)) => false,
        }
    }
}

/// Splits at the last `>` that a pattern of ARNs follows: a role's path may hold one, too
/// (documented: IAM API reference, `Role`, `Path`).
fn split(entry: &str) -> (&str, Option<&str>) {
    match entry.rfind(">arn:") {
        Some(at) => (
            entry.get(..at).unwrap_or_default(),
            entry.get(at.saturating_add(1)..),
        ),
        None => (entry, None),
    }
}

fn source(text: &str) -> Option<Source> {
    if text == "*" {
        return Some(Source::Everyone);
    }
    if let Ok(account) = text.parse() {
        return Some(Source::Account(account));
    }
    let mut parts = text.splitn(6, ':');
    let [arn, partition, service, region, account, resource] = [
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ];
    let role = resource.strip_prefix("role/")?;
    let name = role.rsplit('/').next().unwrap_or(role);
    // A path may hold nearly anything, a name may not (documented: IAM API reference, `Role`,
    // `RoleName`).
    let name_fits = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"+=.@-_*?".contains(&b));
    let fits = arn == "arn"
        && is_partition_pattern(partition)
        && service == "iam"
        && region.is_empty()
        && is_account_pattern(account)
        && !name.is_empty()
        && name_fits
        && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| Source::Roles(text.to_owned()))
}

/// Twelve digits, of which wildcards may stand for some.
fn is_account_pattern(text: &str) -> bool {
    let places = text.bytes().filter(|b| *b != b'*').count();
    let is_of_digits = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'*' | b'?'));
    is_of_digits && (places == 12 || (places < 12 && text.contains('*')))
}

fn destination(text: &str) -> Option<ArnPattern> {
    let mut parts = text.splitn(6, ':').skip(2);
    let (service, _, account) = (parts.next()?, parts.next()?, parts.next()?);
    let vault = parts.next()?.strip_prefix("backup-vault:")?;
    // The characters of a vault's name (documented: AWS Backup API reference, `CreateBackupVault`),
    // and the wildcards.
    let vault_fits = !vault.is_empty()
        && vault
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.*?".contains(&b));
    let is_of_vaults = service == "backup" && is_account_pattern(account) && vault_fits;
    is_of_vaults.then(|| text.parse().ok()).flatten()
}

impl FromStr for AllowedSource {
    type Err = NoSource;

    fn from_str(text: &str) -> Result<Self, NoSource> {
        let (from, to) = split(text);
        Ok(Self {
            written: text.to_owned(),
            source: source(from).ok_or(NoSource)?,
            destination: to.map(|to| destination(to).ok_or(NoSource)).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VAULT: &str = "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr-1";

    fn admits(entry: &str, role: &str, vault: &str) -> bool {
        let entry: AllowedSource = entry.parse().unwrap();
        entry.admits(&role.parse().unwrap(), &vault.parse().unwrap())
    }

    #[test]
    fn an_entry_admits_its_route_alone() {
        let role = "arn:aws:iam::111122223333:role/service-role/BackupRole";
        for entry in [
            "*",
            "111122223333",
            "arn:aws:iam::111122223333:role/service-role/Backup*",
            "arn:aws:iam::*:role/*BackupRole",
            "111122223333>arn:aws:backup:*:444455556666:backup-vault:dr-*",
            "*>arn:aws:backup:*:*:backup-vault:dr-?",
        ] {
            assert!(admits(entry, role, VAULT), "{entry}");
        }
        for entry in [
            "111122223334",
            "arn:aws:iam::111122223333:role/Backup*",
            "arn:aws-cn:iam::111122223333:role/*",
            "111122223333>arn:aws:backup:*:777788889999:backup-vault:*",
            "111122223333>arn:aws:backup:eu-west-1:444455556666:backup-vault:prod",
        ] {
            assert!(!admits(entry, role, VAULT), "{entry}");
        }
    }

    #[test]
    fn a_path_may_hold_the_sign_that_parts_an_entry() {
        let role = "arn:aws:iam::111122223333:role/a>arn:b/Role";
        assert!(role.parse::<RoleArn>().is_ok());
        let entry = format!("{role}>arn:aws:backup:*:444455556666:backup-vault:*");
        assert!(admits(&entry, role, VAULT));
    }

    #[test]
    fn a_comma_in_a_name_is_written_as_a_question_mark() {
        let role = "arn:aws:iam::111122223333:role/Backup,Daily";
        assert!(admits(
            "arn:aws:iam::111122223333:role/Backup?Daily",
            role,
            VAULT
        ));
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for text in [
            "",
            "1111",
            "Backup*",
            "arn:aws:iam::111122223333:user/eve",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam:eu-west-1:111122223333:role/x",
            "arn:aws:sts::111122223333:assumed-role/x/y",
            "111122223333>*",
            "111122223333>arn:aws:kms:*:444455556666:key/*",
            "111122223333>arn:aws:backup:*:444455556666:*",
            ">arn:aws:backup:*:444455556666:backup-vault:*",
            "arn:aws:iam::o-abc:role/x",
            "arn:aws:iam::1111:role/x",
            "arn:asw:iam::111122223333:role/x",
            "arn:aws:iam::1111222233334*:role/x",
            "arn:aws:iam::111122223333:role/x>*",
            "arn:aws:iam::111122223333:role/x>ARN:aws:backup:*:444455556666:backup-vault:*",
            "arn:aws:iam::111122223333:role/path/",
            "111122223333>arn:aws:backup:*:444455556666:backup-vault:",
            "111122223333>arn:aws:backup:*:4444:backup-vault:x",
        ] {
            assert_eq!(text.parse::<AllowedSource>(), Err(NoSource), "{text}");
        }
    }

    #[test]
    fn a_wider_statement_needs_a_wider_entry() {
        let entry = |text: &str| text.parse::<AllowedSource>().unwrap();
        let role = entry("arn:aws:iam::111122223333:role/Backup*");
        let roles = entry("arn:aws:iam::111122223333:role/*");
        let account = entry("111122223333");
        let everyone = entry("*");
        assert!(!entry("arn:aws:iam::111122223333:role/a:role/*").covers(Admits::ItsAccount));
        assert!(role.covers(Admits::ThisRole) && !role.covers(Admits::ItsAccount));
        assert!(roles.covers(Admits::ItsAccount) && account.covers(Admits::ItsAccount));
        assert!(!account.covers(Admits::OtherAccounts) && !roles.covers(Admits::OtherAccounts));
        assert!(everyone.covers(Admits::OtherAccounts));
    }
}
