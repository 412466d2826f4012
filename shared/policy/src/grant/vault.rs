//! What a vault's policy must say so that a copy may be put into the vault.

use serde_json::{Map, Value, json};

use super::name::names;
use super::statement::{NewStatement, condition, one_or_list};
use super::{GrantError, check_partition, stable_hash};
use crate::arn::{AccountId, Arn};
use crate::error::shown;

/// How wide a vault's policy is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VaultScope {
    /// One role of the source account, within the organization.
    #[default]
    Role,
    /// The source account, within the organization.
    Account,
    /// The whole organization.
    Organization,
    /// Some of the organization's units.
    OrganizationalUnit,
}

names!(
    VaultScope,
    "a vault scope",
    "role, account, organization, organizational-unit",
    Role = "role",
    Account = "account",
    Organization = "organization",
    OrganizationalUnit = "organizational-unit"
);

/// Who shall be allowed to copy into a vault.
///
/// The role's ARN stands in a condition, not in `Principal`: a role in `Principal` becomes a unique
/// id and is lost when the role is made anew (documented: IAM
/// `reference_policies_elements_principal`). The statement itself is inferred from documented parts
/// (AWS Backup `create-a-vault-access-policy`). Every scope carries `aws:PrincipalOrgID`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultGrant {
    /// The partition, such as `aws`.
    pub partition: String,
    /// The account the copy comes from.
    pub source_account: AccountId,
    /// The copy job's role.
    pub role_arn: Arn,
    /// How wide.
    pub scope: VaultScope,
    /// The organization's id; without it every scope is refused.
    pub organization_id: Option<String>,
    /// For [`VaultScope::OrganizationalUnit`]: paths such as `o-…/r-…/ou-…/*`.
    pub organization_paths: Vec<String>,
}

/// The one action: vault policies reject wildcards in `Action` (documented).
const ACTION: &str = "backup:CopyIntoBackupVault";

impl VaultGrant {
    /// The statements this grant consists of: always one.
    pub fn statements(&self) -> Result<Vec<NewStatement>, GrantError> {
        check_partition(&self.partition)?;
        self.check_role()?;
        let organization = self.organization()?;
        let account = self.source_account;
        let root = json!({"AWS": format!("arn:{}:iam::{account}:root", self.partition)});
        let mut conditions = Map::new();
        let (name, principal) = match self.scope {
            VaultScope::Role => {
                let role = self.role_arn.as_str();
                condition(
                    &mut conditions,
                    "ArnEquals",
                    "aws:PrincipalArn",
                    role.into(),
                );
                (format!("{account}{}", stable_hash(role)), root)
            }
            VaultScope::Account => (account.to_string(), root),
            VaultScope::Organization => {
                let id = organization.trim_start_matches("o-");
                (format!("Organization{id}"), Value::from("*"))
            }
            VaultScope::OrganizationalUnit => {
                let paths = self.paths(organization)?;
                let name = format!("Units{}", stable_hash(&paths.join("\n")));
                let value = one_or_list(paths.iter().copied());
                condition(
                    &mut conditions,
                    "ForAnyValue:StringLike",
                    "aws:PrincipalOrgPaths",
                    value,
                );
                (name, Value::from("*"))
            }
        };
        condition(
            &mut conditions,
            "StringEquals",
            "aws:PrincipalOrgID",
            organization.into(),
        );
        let sid = format!("{}CopyInto{name}", super::SID_PREFIX);
        Ok(vec![NewStatement::build(
            sid,
            principal,
            &[ACTION],
            conditions,
        )?])
    }

    fn check_role(&self) -> Result<(), GrantError> {
        let arn = &self.role_arn;
        let text = || shown(arn.as_str());
        let Some(path) = arn.resource().strip_prefix("role/") else {
            return Err(GrantError::NotARole(text()));
        };
        if arn.service() != "iam"
            || !arn.region().is_empty()
            || path.rsplit('/').next().is_none_or(str::is_empty)
        {
            return Err(GrantError::NotARole(text()));
        }
        if arn.as_str().contains(['*', '?', '$', '{', '}', ' ']) {
            return Err(GrantError::WildcardRole(text()));
        }
        if arn.account_id() != Some(self.source_account) || arn.partition() != self.partition {
            return Err(GrantError::ForeignRole(text()));
        }
        Ok(())
    }

    fn organization(&self) -> Result<&str, GrantError> {
        match self.organization_id.as_deref() {
            None | Some("") => Err(GrantError::NoOrganization),
            Some(id) => check_organization(id),
        }
    }

    /// The paths, sorted, each once.
    fn paths(&self, organization: &str) -> Result<Vec<&str>, GrantError> {
        let mut paths: Vec<&str> = self.organization_paths.iter().map(String::as_str).collect();
        if paths.is_empty() {
            return Err(GrantError::NoOrganizationPath);
        }
        for path in &paths {
            if !is_unit_path(path, organization) {
                return Err(GrantError::OrganizationPath(shown(path)));
            }
        }
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }
}

/// The id, if it is an organization's.
pub(super) fn check_organization(id: &str) -> Result<&str, GrantError> {
    if is_id(id, "o-", 10) {
        Ok(id)
    } else {
        Err(GrantError::Organization(shown(id)))
    }
}

fn is_id(text: &str, prefix: &str, shortest: usize) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        (shortest..=32).contains(&rest.len())
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    })
}

/// `o-…/r-…/ou-…/…/` or the same with a final `*` (documented: IAM
/// `reference_policies_condition-keys`, and Organizations for the shape of the ids).
fn is_unit_path(path: &str, organization: &str) -> bool {
    let path = path.strip_suffix('*').unwrap_or(path);
    let Some(path) = path.strip_suffix('/') else {
        return false;
    };
    let mut parts = path.split('/');
    if parts.next() != Some(organization) || !parts.next().is_some_and(|root| is_id(root, "r-", 4))
    {
        return false;
    }
    let mut units = 0;
    for unit in parts {
        let right = unit.strip_prefix("ou-").is_some_and(|rest| {
            rest.split_once('-')
                .is_some_and(|(root, id)| is_id(root, "", 4) && is_id(id, "", 8))
        });
        if !right {
            return false;
        }
        units += 1;
    }
    units > 0
}
