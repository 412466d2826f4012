//! Copymend's own roles, whose refused calls are no news to anybody.

use copymend_diagnosis::RoleArn;
use copymend_diagnosis::advisor::Caller;
use copymend_policy::{AccountId, Arn};

/// One of Copymend's own roles: a path and name in every account, or in one. It holds no wildcard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRole {
    account: Option<AccountId>,
    /// Path and name, such as `/copymend/CopymendMember`.
    path_and_name: String,
}

impl OwnRole {
    /// Reads a role: its name with its path, its ARN, or its ARN with `*` as account. Nothing where
    /// it is none of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        /// Stands in for an account that may be any, to have the rest checked.
        const ANY: &str = "000000000000";
        let whole = match text.strip_prefix("arn:") {
            None => format!("arn:aws:iam::{ANY}:role/{}", text.trim_start_matches('/')),
            Some(_) => text.replacen("::*:", &format!("::{ANY}:"), 1),
        };
        if text.contains(['?', '$']) || whole.contains('*') {
            return None;
        }
        let role: RoleArn = whole.parse().ok()?;
        let account = role.account_id()?;
        Some(Self {
            account: (account.as_str() != ANY).then_some(account),
            path_and_name: format!("{}{}", role.path(), role.name()),
        })
    }

    /// Whether a call was made with a session of this role. CloudTrail's `sessionIssuer` tells the
    /// role; a session's name, which whoever assumes a role chooses, tells nothing (CloudTrail user
    /// guide, "userIdentity element", documented).
    #[must_use]
    pub fn made(&self, caller: &Caller) -> bool {
        caller.kind == "AssumedRole"
            && caller
                .principal
                .as_ref()
                .is_some_and(|principal| self.is(principal))
    }

    fn is(&self, principal: &Arn) -> bool {
        principal.service() == "iam"
            && principal.resource().strip_prefix("role") == Some(self.path_and_name.as_str())
            && principal
                .account_id()
                .is_some_and(|account| self.account.is_none_or(|expected| expected == account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(kind: &str, principal: &str) -> Caller {
        Caller {
            kind: kind.to_owned(),
            arn: "arn:aws:sts::111122223333:assumed-role/CopymendMember/copymend".to_owned(),
            principal: principal.parse().ok(),
            invoked_by: None,
        }
    }

    #[test]
    fn a_role_is_known_by_path_and_name_in_its_account_and_never_by_its_session() {
        let member = "arn:aws:iam::111122223333:role/copymend/CopymendMember";
        for text in [
            "copymend/CopymendMember",
            "/copymend/CopymendMember",
            "arn:aws:iam::*:role/copymend/CopymendMember",
            member,
        ] {
            let own = OwnRole::parse(text).unwrap();
            assert!(own.made(&caller("AssumedRole", member)), "{text}");
            for other in [
                "arn:aws:iam::111122223333:role/CopymendMember",
                "arn:aws:iam::111122223333:role/evil/copymend/CopymendMember",
                "arn:aws:iam::111122223333:role/copymend/CopymendMember2",
                "arn:aws:iam::111122223333:user/copymend/CopymendMember",
                "",
            ] {
                assert!(!own.made(&caller("AssumedRole", other)), "{text} {other}");
            }
            assert!(!own.made(&caller("IAMUser", member)), "{text}");
        }
        let elsewhere = OwnRole::parse("arn:aws:iam::444455556666:role/copymend/CopymendMember");
        assert!(!elsewhere.unwrap().made(&caller("AssumedRole", member)));
    }

    #[test]
    fn a_pattern_is_no_role() {
        for text in [
            "*",
            "copymend/*",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::*:role/Copymend?ember",
            "arn:aws:sts::*:assumed-role/CopymendMember/copymend",
            "",
            "a/",
        ] {
            assert_eq!(OwnRole::parse(text), None, "{text}");
        }
    }
}
