//! Who may answer for a plan.

use copymend_policy::{Arn, arn_matches};

use super::reader::{InvalidSetting, Reader};
use super::{EVERYTHING, has_only_wildcards, is_partition_pattern};

/// Patterns of the ARNs by which AWS knows those who may approve and refuse plans. The session of a
/// role is `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`, without the role's path (IAM user guide,
/// "IAM identifiers", documented).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approvers(Vec<String>);

impl Approvers {
    pub(super) fn read(
        reader: &Reader<impl Fn(&str) -> Option<String>>,
    ) -> Result<Self, InvalidSetting> {
        let patterns = reader.list(
            "COPYMEND_APPROVERS",
            "patterns of the ARNs of users and of roles' sessions separated by commas, such as arn:aws:sts::444455556666:assumed-role/BackupOwner/*; AWS names no caller by the ARN of a role, arn:aws:iam::444455556666:role/BackupOwner",
            |text| match text {
                "*" => Some(EVERYTHING.to_owned()),
                text => names_callers(text).then(|| text.to_owned()),
            },
        )?;
        Ok(Self(patterns))
    }

    /// Whether this caller may answer.
    #[must_use]
    pub fn admit(&self, caller: &Arn) -> bool {
        self.0
            .iter()
            .any(|pattern| arn_matches(pattern, caller.as_str()))
    }

    /// Whether nobody may.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether whoever may invoke the function may answer.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.0
            .iter()
            .any(|pattern| pattern == EVERYTHING || has_only_wildcards(pattern))
    }

    /// As the setting has them.
    #[must_use]
    pub fn to_setting(&self) -> String {
        self.0.join(",")
    }
}

/// Whether AWS may name a caller so: a user, the root user, or a session. A role's own ARN names nobody
/// who calls, so that whoever writes one would admit nobody, and wonder.
fn names_callers(pattern: &str) -> bool {
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let &["arn", partition, service, region, account, resource] = &parts[..] else {
        return false;
    };
    let is_wild = |text: &str| text.contains(['*', '?']);
    let names_callers = match service {
        "iam" => !resource.starts_with("role/"),
        "sts" => true,
        _ => is_wild(service),
    };
    names_callers
        && is_partition_pattern(partition)
        && (region.is_empty() || is_wild(region))
        && !account.is_empty()
        && !resource.is_empty()
        && pattern.bytes().all(|sign| sign.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Approvers, InvalidSetting> {
        Approvers::read(&Reader::new(|name| {
            (name == "COPYMEND_APPROVERS").then(|| value.to_owned())
        }))
    }

    #[test]
    fn sessions_and_users_are_admitted_by_their_patterns_and_nobody_by_none() {
        let approvers = read(
            "arn:aws:sts::444455556666:assumed-role/BackupOwner/*, arn:aws:iam::444455556666:user/mary",
        )
        .unwrap();
        for (caller, expected) in [
            (
                "arn:aws:sts::444455556666:assumed-role/BackupOwner/mary",
                true,
            ),
            ("arn:aws:iam::444455556666:user/mary", true),
            (
                "arn:aws:sts::444455556666:assumed-role/BackupOwner2/mary",
                false,
            ),
            (
                "arn:aws:sts::111122223333:assumed-role/BackupOwner/mary",
                false,
            ),
            (
                "arn:aws-cn:sts::444455556666:assumed-role/BackupOwner/mary",
                false,
            ),
            ("arn:aws:iam::444455556666:user/mary2", false),
            ("arn:aws:iam::444455556666:root", false),
        ] {
            assert_eq!(
                approvers.admit(&caller.parse().unwrap()),
                expected,
                "{caller}"
            );
        }
        let nobody = read("").unwrap();
        assert!(nobody.is_empty());
        assert!(!nobody.admit(&"arn:aws:iam::444455556666:user/mary".parse().unwrap()));
    }

    #[test]
    fn what_names_no_caller_is_refused() {
        for value in [
            "arn:aws:iam::444455556666:role/BackupOwner",
            "arn:aws:iam::444455556666:role/*",
            "444455556666",
            "arn:aws:backup:eu-west-1:444455556666:backup-vault:v",
        ] {
            assert!(read(value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_star_is_everyone() {
        assert!(read("*").unwrap().is_everyone());
        assert!(
            !read("arn:aws:sts::444455556666:assumed-role/*")
                .unwrap()
                .is_everyone()
        );
    }
}
