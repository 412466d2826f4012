//! Whom a change admits, in the ledger's words.

use copymend_diagnosis::features::via_service;
use copymend_diagnosis::{Failure, RoleArn};
use copymend_policy::{AccountId, Arn, KeyProfile, VaultScope, ViaService};

use crate::plan::{SERVICE, Target};
use crate::settings::Settings;

/// Whom a change of this target admits, and to what, in the ledger's words. Copies of the same
/// grantee need no second change.
pub(crate) fn grantee(target: &Target, failure: &Failure, settings: &Settings) -> String {
    match target {
        Target::KeyPolicy(_) => grantee_of_key(
            failure.copy().destination_account,
            &failure.job().source_recovery_point,
            settings,
        ),
        Target::VaultPolicy(_) => {
            grantee_of_vault(&failure.job().role, failure.job().account, settings)
        }
        Target::ServiceLinkedRole(_) => SERVICE.to_owned(),
    }
}

/// Whom a change of a key's policy admits for copies of such a recovery point into an account.
pub(crate) fn grantee_of_key(
    account: AccountId,
    recovery_point: &Arn,
    settings: &Settings,
) -> String {
    let profile = settings.key_profile;
    match (profile, via_service(recovery_point)) {
        (KeyProfile::LeastPrivilege, Some(service)) => format!("{account}/{profile}/{service}"),
        (KeyProfile::LeastPrivilege, None) | (KeyProfile::Documented, _) => {
            format!("{account}/{profile}")
        }
    }
}

/// Whom a change of a vault's policy admits for a job role of this account.
pub(crate) fn grantee_of_vault(role: &RoleArn, account: AccountId, settings: &Settings) -> String {
    match settings.vault_scope {
        VaultScope::Role => role.to_string(),
        VaultScope::Account => account.to_string(),
        VaultScope::Organization | VaultScope::OrganizationalUnit => {
            settings.vault_scope.to_string()
        }
    }
}

/// The account that the grantee of a repair belongs to.
pub(crate) fn account_of(target: &Target, failure: &Failure) -> AccountId {
    match target {
        Target::VaultPolicy(_) => failure.job().account,
        Target::KeyPolicy(_) | Target::ServiceLinkedRole(_) => failure.copy().destination_account,
    }
}

/// A grantee of a key: the account, and through which service, if only one.
pub(crate) fn key_grantee(grantee: &str) -> Option<(&str, Option<ViaService>)> {
    let mut parts = grantee.splitn(3, '/');
    let account = parts.next()?;
    let profile: KeyProfile = parts.next()?.parse().ok()?;
    let service = parts.next().map(str::parse).transpose().ok()?;
    Some(match profile {
        KeyProfile::LeastPrivilege => (account, service),
        KeyProfile::Documented => (account, None),
    })
}

/// Whether what admits one grantee may also admit the other: a wider one was taken back with a
/// narrower one, and a narrower one with a wider. What isn't understood overlaps.
pub(crate) fn overlaps(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    if let (Some((one, via_one)), Some((other, via_other))) = (key_grantee(one), key_grantee(other))
    {
        return one == other && (via_one.is_none() || via_other.is_none() || via_one == via_other);
    }
    let role = |text: &str| text.parse::<RoleArn>().ok();
    let account = |text: &str| text.parse::<AccountId>().ok();
    match (role(one), role(other), account(one), account(other)) {
        // Two roles, or two accounts, that are not the same.
        (Some(_), Some(_), _, _) | (_, _, Some(_), Some(_)) => false,
        (Some(role), _, _, Some(account)) | (_, Some(role), Some(account), _) => {
            role.arn().account_id() == Some(account)
        }
        // An organization has them all.
        (_, _, _, _) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wider_and_narrower_grantees_overlap() {
        let role = "arn:aws:iam::111122223333:role/BackupRole";
        for (one, other, expected) in [
            (role, role, true),
            (role, "arn:aws:iam::111122223333:role/Another", false),
            (role, "111122223333", true),
            (role, "444455556666", false),
            (role, "organization", true),
            ("111122223333", "organizational-unit", true),
            ("111122223333", "444455556666", false),
            ("organization", "organizational-unit", true),
            (
                "444455556666/least-privilege/ec2",
                "444455556666/least-privilege/rds",
                false,
            ),
            (
                "444455556666/least-privilege/ec2",
                "444455556666/documented",
                true,
            ),
            ("444455556666/documented", "777788889999/documented", false),
            (
                "444455556666/least-privilege/new",
                "444455556666/documented",
                true,
            ),
        ] {
            assert_eq!(overlaps(one, other), expected, "{one} and {other}");
            assert_eq!(overlaps(other, one), expected, "{other} and {one}");
        }
    }
}
