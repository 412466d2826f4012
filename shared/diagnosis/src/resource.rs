//! The kinds of ARN that decide what may be read or written: vaults, keys with their aliases, and
//! roles.
//!
//! Each is checked character by character, because an event may come from anyone who can invoke the
//! function. Wildcards, extra colons and look-alike letters are refused here, before any comparison
//! or lookup, except where AWS allows them: in the path of a role.

use std::fmt;
use std::str::FromStr;

use copymend_policy::{AccountId, Arn, ArnError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! typed_arn {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $service:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arn);

        impl $name {
            /// The ARN as it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The ARN in its parts.
            #[must_use]
            pub const fn arn(&self) -> &Arn {
                &self.0
            }

            /// The partition, such as `aws`.
            #[must_use]
            pub fn partition(&self) -> &str {
                self.0.partition()
            }

            /// The Region code; empty for what belongs to no Region.
            #[must_use]
            pub fn region(&self) -> &str {
                self.0.region()
            }

            /// The owner's account, if it is a real twelve-digit one (AWS's sample events carry
            /// thirteen digits).
            #[must_use]
            pub fn account_id(&self) -> Option<AccountId> {
                self.0.account_id()
            }
        }

        impl FromStr for $name {
            type Err = ArnError;

            fn from_str(text: &str) -> Result<Self, ArnError> {
                let arn: Arn = text.parse()?;
                let refused = |reason| ArnError::new($kind, text, reason);
                if arn.service() != $service {
                    return Err(refused(concat!("its service must be `", $service, "`")));
                }
                if !arn.account().bytes().all(|b| b.is_ascii_digit()) || arn.account().is_empty() {
                    return Err(refused("it must name an account"));
                }
                let check: fn(&Arn) -> Result<(), &'static str> = $check;
                check(&arn).map_err(refused)?;
                Ok(Self(arn))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}

fn is_name(text: &str, longest: usize, extra: &[u8]) -> Option<()> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || extra.contains(&b);
    ((1..=longest).contains(&text.len()) && text.bytes().all(is_plain)).then_some(())
}

/// What stands behind the prefix in the ARN of something in a Region.
fn in_region<'a>(
    arn: &'a Arn,
    prefix: &str,
    refused: &'static str,
) -> Result<&'a str, &'static str> {
    let name = arn.resource().strip_prefix(prefix).ok_or(refused)?;
    if arn.region().is_empty() {
        return Err("it must name a Region");
    }
    Ok(name)
}

/// Whether a text can be a Region code, which commands and links may carry.
pub(crate) fn is_region(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_plain)
}

typed_arn!(
    /// A backup vault: `arn:aws:backup:REGION:ACCOUNT:backup-vault:NAME`.
    ///
    /// The API allows letters, digits, `-` and `_` in a name; AWS's sample events also show `/`, so
    /// it is accepted.
    BackupVaultArn, "the ARN of a backup vault", "backup", |arn| {
        let name = in_region(arn, "backup-vault:", "its resource must start with `backup-vault:`")?;
        is_name(name, 100, b"-_/.")
            .ok_or("its vault name holds a character that no vault name has")
    }
);

impl BackupVaultArn {
    /// The vault's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0
            .resource()
            .strip_prefix("backup-vault:")
            .unwrap_or_default()
    }
}

typed_arn!(
    /// A KMS key: `arn:aws:kms:REGION:ACCOUNT:key/ID`. Aliases are refused: only the exact key
    /// counts.
    KeyArn, "the ARN of a KMS key", "kms", |arn| {
        let id = in_region(arn, "key/", "its resource must start with `key/`")?;
        is_name(id, 128, b"-").ok_or("its key id holds a character that no key id has")
    }
);

typed_arn!(
    /// An alias of a KMS key: `arn:aws:kms:REGION:ACCOUNT:alias/NAME`. The key is in the alias's
    /// own account and Region, and the name holds letters, digits, `/`, `_` and `-` (AWS KMS API
    /// reference, `CreateAlias`, documented).
    KeyAliasArn, "the ARN of an alias of a KMS key", "kms", |arn| {
        let name = in_region(arn, "alias/", "its resource must start with `alias/`")?;
        is_name(name, 250, b"-_/")
            .ok_or("its alias name holds a character that no alias name has")
    }
);

impl KeyAliasArn {
    /// The alias's name, which begins with `alias/`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.resource()
    }

    /// Whether it is one of AWS's own, such as `alias/aws/backup`. They exist before their keys do
    /// (AWS KMS API reference, `ListAliases`, documented).
    #[must_use]
    pub fn is_predefined(&self) -> bool {
        self.name().starts_with("alias/aws/")
    }
}

typed_arn!(
    /// An IAM role: `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
    ///
    /// A path begins and ends with `/`, is up to 512 characters long and may hold every visible
    /// ASCII character between, also `*`, `$`, quotes and `:`. A name has up to 64 letters, digits
    /// or the characters `_+=,.@-` (IAM API reference, `CreateRole`, documented). So a role's ARN
    /// is no word of a shell and no pattern: whoever puts it into one escapes or refuses it.
    RoleArn, "the ARN of an IAM role", "iam", |arn| {
        let path_and_name = arn
            .resource()
            .strip_prefix("role")
            .filter(|rest| rest.starts_with('/'))
            .ok_or("its resource must start with `role/`")?;
        if !arn.region().is_empty() {
            return Err("an IAM ARN names no Region");
        }
        let (path, name) = path_and_name.rsplit_once('/').unwrap_or_default();
        is_name(name, LONGEST_ROLE_NAME, b"+=,.@-_")
            .ok_or("its role name holds a character that no role name has")?;
        if path.len() + 1 > LONGEST_ROLE_PATH {
            return Err("its path is longer than that of any role");
        }
        if !path.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("its path holds a character that no path has");
        }
        Ok(())
    }
);

/// The longest name of a role (IAM API reference, `CreateRole`, documented).
const LONGEST_ROLE_NAME: usize = 64;
/// The longest path, both slashes included (IAM API reference, `CreateRole`, documented).
const LONGEST_ROLE_PATH: usize = 512;

impl RoleArn {
    /// The role's name, without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.resource().rsplit('/').next().unwrap_or_default()
    }

    /// The path with both slashes, such as `/service-role/`; `/` where there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        let resource = self.0.resource();
        let end = resource.len() - self.name().len();
        resource.get("role".len()..end).unwrap_or("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vault_names_may_hold_a_slash_but_no_wildcard_colon_or_look_alike() {
        let vault: BackupVaultArn =
            "arn:aws:backup:us-west-2:1112223334444:backup-vault:aws/backup/efs"
                .parse()
                .unwrap();
        assert_eq!(vault.name(), "aws/backup/efs");
        assert_eq!(vault.account_id(), None);
        for refused in [
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:*",
            "arn:aws:backup:eu-west-1:*:backup-vault:dr",
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr:extra",
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:",
            "arn:aws:backup::444455556666:backup-vault:dr",
            "arn:aws:backup:eu-west-1:444455556666:recovery-point:dr",
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:d\u{0433}",
            "arn:aws-:backup:eu-west-1:444455556666:backup-vault:dr",
            "arn:amazon:backup:eu-west-1:444455556666:backup-vault:dr",
            "ARN:aws:backup:eu-west-1:444455556666:backup-vault:dr",
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:dr\n",
            " arn:aws:backup:eu-west-1:444455556666:backup-vault:dr",
        ] {
            assert!(refused.parse::<BackupVaultArn>().is_err(), "{refused}");
        }
    }

    #[test]
    fn every_partition_is_known() {
        for partition in [
            "aws",
            "aws-cn",
            "aws-us-gov",
            "aws-iso",
            "aws-iso-b",
            "aws-eusc",
        ] {
            let text = format!("arn:{partition}:kms:x-y-1:111122223333:key/mrk-1");
            assert_eq!(text.parse::<KeyArn>().unwrap().partition(), partition);
        }
    }

    #[test]
    fn a_role_keeps_its_path_apart_from_its_name() {
        let role: RoleArn =
            "arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole"
                .parse()
                .unwrap();
        assert_eq!(role.path(), "/service-role/");
        assert_eq!(role.name(), "AWSBackupDefaultServiceRole");
        let plain: RoleArn = "arn:aws:iam::111122223333:role/BackupRole".parse().unwrap();
        assert_eq!(plain.path(), "/");
    }

    #[test]
    fn a_path_may_hold_what_iam_allows_and_a_name_may_not() {
        let odd: RoleArn = "arn:aws:iam::111122223333:role/a:b/*?${x}'`\"//c/Role+=,.@-_"
            .parse()
            .unwrap();
        assert_eq!(odd.path(), "/a:b/*?${x}'`\"//c/");
        assert_eq!(odd.name(), "Role+=,.@-_");
        let long = |path: usize, name: usize| {
            format!(
                "arn:aws:iam::111122223333:role/{}/{}",
                "p".repeat(path - 2),
                "n".repeat(name)
            )
            .parse::<RoleArn>()
        };
        assert!(long(512, 64).is_ok());
        assert!(long(513, 64).is_err() && long(512, 65).is_err());
        for refused in [
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/path/",
            "arn:aws:iam::111122223333:roleName",
            "arn:aws:iam::111122223333:role/a b/Name",
            "arn:aws:iam::111122223333:role/path/Na*me",
            "arn:aws:iam::111122223333:role/path/Na:me",
            "arn:aws:iam::111122223333:role/d\u{0433}/Name",
            "arn:aws:iam::111122223333:role/d\u{7f}/Name",
            "arn:aws:iam:eu-west-1:111122223333:role/Name",
        ] {
            assert!(refused.parse::<RoleArn>().is_err(), "{refused}");
        }
    }

    #[test]
    fn an_alias_keeps_its_prefix_and_holds_no_character_that_kms_does_not_allow() {
        let alias: KeyAliasArn = "arn:aws:kms:us-east-1:111122223333:alias/team/backup_1"
            .parse()
            .unwrap();
        assert_eq!(alias.name(), "alias/team/backup_1");
        assert_eq!(alias.region(), "us-east-1");
        assert!(!alias.is_predefined());
        let predefined = "arn:aws:kms:us-east-1:111122223333:alias/aws/backup";
        assert!(predefined.parse::<KeyAliasArn>().unwrap().is_predefined());
        for refused in [
            "arn:aws:kms:us-east-1:111122223333:alias/",
            "arn:aws:kms:us-east-1:111122223333:alias/a:b",
            "arn:aws:kms:us-east-1:111122223333:alias/*",
            "arn:aws:kms:us-east-1:111122223333:key/1",
            "arn:aws:kms::111122223333:alias/a",
            "alias/a",
        ] {
            assert!(refused.parse::<KeyAliasArn>().is_err(), "{refused}");
        }
    }

    #[test]
    fn an_alias_is_not_a_key() {
        assert!(
            "arn:aws:kms:us-east-1:111122223333:alias/x"
                .parse::<KeyArn>()
                .is_err()
        );
    }
}
